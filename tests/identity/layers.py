"""Layer 1 by hand: datasets as a loader leaves them, from plain Python rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pql.store.layers import make_layers
from pql.store.layout import duckdb_type, quote
from pql.store.store import Store

ARRIVED = datetime(2026, 6, 1)
COLUMNS = """_row BIGINT, _batch BIGINT, _line BIGINT, _arrived TIMESTAMP, _ordered TIMESTAMP, _key VARCHAR,
  _identities STRUCT(namespace VARCHAR, id VARCHAR, state VARCHAR, is_primary BOOLEAN, field VARCHAR, seen TIMESTAMP)[],
  _primary VARCHAR, _times MAP(VARCHAR, TIMESTAMP)"""


def identity(
    text: str, state: str = "ambiguous", primary: bool = False, seen: datetime | None = None
) -> dict[str, Any]:
    namespace, id = text.split(":", 1)
    return {
        "namespace": namespace,
        "id": id,
        "state": state,
        "is_primary": primary,
        "field": "identityMap",
        "seen": seen,
    }


def put(
    store: Store, name: str, kind: str, rows: Iterable[Mapping[str, Any]], batch: int = 1, arrived: datetime = ARRIVED
) -> None:
    """Append rows to a dataset. A row: `ids` (texts `namespace:id`, `*` after the namespace's name marks authenticated; the first
    is primary), `at` (when it was true), `key`, `fields` by top name,
    `times` of older leaves by path, and `seen` of the identities by their place."""
    make_layers(store.connection)
    run = store.connection.execute
    types = store.schema.profile.fields if kind == "record" else store.schema.event.fields
    fields = {n: f.type for n, f in types.items() if n not in ("xEvent", "segmentMembership")}
    if not run("SELECT 1 FROM meta.dataset WHERE name = ?", [name]).fetchone():
        run("INSERT INTO meta.dataset VALUES (?, ?, ?, 'owner', [], 'source')", [name, name, kind])
    run(
        f"CREATE TABLE IF NOT EXISTS data.{quote(name)} ({COLUMNS}{''.join(f', {quote(n)} {duckdb_type(t)}' for n, t in fields.items())})"
    )
    tables = run("SELECT table_name FROM information_schema.tables WHERE table_schema = 'data'").fetchall()
    top = max((run(f"SELECT coalesce(max(_row), 0) FROM data.{quote(t)}").fetchone() or (0,))[0] for (t,) in tables)
    for number, row in enumerate(rows, 1):
        ids, at = [], row.get("at")
        for index, text in enumerate(row.get("ids", ())):
            namespace, id = text.split(":", 1)
            state = "authenticated" if namespace.endswith("*") else "ambiguous"
            ids.append(identity(f"{namespace.rstrip('*')}:{id}", state, index == 0, row.get("seen", {}).get(index, at)))
        own = dict(row.get("fields", {}))
        if kind == "event" and "timestamp" in fields:
            own.setdefault("timestamp", at)
        key = row.get("key") or (row["ids"][0].replace("*", "") if row.get("ids") else f"line {number}")
        values = {"_row": top + number, "_batch": batch, "_line": number, "_arrived": arrived, "_ordered": at or arrived, "_key": key,
                  "_identities": ids, "_times": row.get("times"), **own}  # fmt: skip
        run(
            f"INSERT INTO data.{quote(name)} ({', '.join(map(quote, values))}) VALUES ({', '.join('?' for _ in values)})",
            list(values.values()),
        )
