"""A small project in a folder, made from a schema, source files and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pql.ingest.project import SourceProject
from pql.store.store import Store
from pql.xdm.short import read_short

SCHEMA = {
    "profile": {
        "crm": "string",
        "email": "string",
        "points": "integer",
        "balance": "number",
        "born": "date",
        "since": "date-time",
        "active": "boolean",
        "address": {"city": "string", "zip": "string"},
        "tags": "string[]",
    },
    "event": {
        "total": "number",
        "crm": "string",
        "items[]": {"sku": "string", "qty": "integer", "options[]": {"k": "string", "v": "string"}},
    },
}
PEOPLE: dict[str, Any] = {
    "format": "jsonl",
    "path": "people*.jsonl",
    "dataset": {"name": "people", "kind": "record"},
    "order_by": "when",
    "identities": [
        {"field": "crm", "namespace": "crmId", "primary": True},
        {"field": "email", "namespace": "Email"},
    ],
    "mapping": {
        "crm": "id", "email": "email", "points": "points", "balance": "balance", "born": "born", "since": "since", "active": "active",
        "address": "address", "tags": "tags",
    },
}  # fmt: skip
EVENTS: dict[str, Any] = {
    "format": "jsonl",
    "path": "events*.jsonl",
    "dataset": {"name": "events", "kind": "event"},
    "identities": [{"field": "crm", "namespace": "crmId"}],
    "mapping": {
        "_id": "id",
        "timestamp": "at",
        "eventType": "kind",
        "total": "total",
        "crm": "crm",
        "items": "items",
        "identityMap": "ids",
    },
}


def project(folder: Path, **sources: dict[str, Any]) -> SourceProject:
    schema, found = read_short(SCHEMA)
    assert not found
    for name, source in sources.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(source, sort_keys=False), encoding="utf-8")
    made = SourceProject.read(folder, schema, [folder / f"{n}.yaml" for n in sources])
    assert made.ok, [d.message for d in made.diagnostics]
    return made


def rows(
    store: Store, dataset: str, columns: str = "* EXCLUDE (_row, _batch, _line, _arrived)"
) -> list[tuple[Any, ...]]:
    return store.connection.execute(f"SELECT {columns} FROM data.{dataset} ORDER BY ALL").fetchall()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[SourceProject, Store]]:
    def build(**sources: dict[str, Any]) -> tuple[SourceProject, Store]:
        made = project(tmp_path, **sources)
        return made, Store.memory(made.schema)

    return build
