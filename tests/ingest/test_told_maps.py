"""An event's `identityMap` that its identities tell is not stored a second time; what is read is what was mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pql.identity.policy import DEFAULT
from pql.ingest import load
from pql.store import datasets
from pql.store.store import Store
from pql.store.unify import unify
from tests.ingest.conftest import SCHEMA, project, rows

WEB: dict[str, Any] = {
    "format": "jsonl",
    "path": "web*.jsonl",
    "dataset": {"name": "web", "kind": "event"},
    "mapping": {
        "_id": "id",
        "timestamp": "at",
        "eventType": '"web.view"',
        "identityMap": '{"crmId": [{"id": login, "authenticatedState": state, "primary": flag}], "ECID": [{"id": cookie}]}',
    },
}
COOKIE = "1234567890" * 3 + "12345678"
ROW = st.fixed_dictionaries(
    {"login": st.sampled_from(["a", "b", " c", "unknown", "", None]), "cookie": st.sampled_from([COOKIE, "7", None])},
    optional={"state": st.sampled_from(["authenticated", "strange"]), "flag": st.booleans()},
)


@pytest.fixture(autouse=True)
def events_have_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema's events have an `identityMap`."""
    monkeypatch.setitem(SCHEMA, "event", {**SCHEMA["event"], "identityMap": "map<object[]>"})


def loaded(folder: Path, records: list[dict[str, Any]], times: int = 1) -> tuple[Store, Any]:
    """A store with the records, each with an `_id` and a time, loaded so many times; the last counts."""
    made = project(folder, web=WEB)
    store = Store.memory(made.schema)
    lines = [json.dumps({"id": str(i), "at": "2024-01-01T00:00:00Z", **r}) for i, r in enumerate(records)]
    (folder / "web0.jsonl").write_text("\n".join(lines), encoding="utf-8")
    counts = [load.load_file(store, made.plan("web"), folder / "web0.jsonl", block=400) for _ in range(times)]
    return store, counts[-1]


def maps(store: Store) -> dict[str, Any]:
    """What the events of all people say, by `_id`."""
    unify(store, policies=DEFAULT)
    found = store.connection.execute('SELECT _id, "identityMap" FROM main.event').fetchall()
    return {id: {k: tuple(map(repr, v)) for k, v in value.items()} for id, value in found}


def wanted(record: dict[str, Any]) -> dict[str, Any]:
    login = {"id": record["login"], "authenticatedState": record.get("state"), "primary": record.get("flag")}
    entries = {"ECID": {"id": record["cookie"], "authenticatedState": None, "primary": None}, "crmId": login}
    given = {k: e for k, e in entries.items() if any(v is not None for v in e.values())}
    return {k: (repr(e),) for k, e in given.items()}


@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(ROW, min_size=1, max_size=12), st.integers(1, 2), st.sampled_from([0, 100]))
def test_maps_are_read_as_they_were_mapped(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], times: int, beyond: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "BEYOND_MOST", beyond)
        store, counts = loaded(tmp_path_factory.mktemp("x"), records, times)
    usable = {"a", "b", " c"}
    known = {i: r for i, r in enumerate(records) if r["login"] in usable or r["cookie"] == COOKIE}
    assert maps(store) == {str(i): wanted(r) for i, r in known.items()}
    assert counts.stored == (len(known) if times == 1 else 0)


def test_only_maps_that_say_more_are_stored(tmp_path: Path) -> None:
    plain = {"login": "a", "cookie": COOKIE}
    store, _ = loaded(tmp_path, [*[plain] * 120, {**plain, "flag": True}, {**plain, "login": " a"}])
    stored = rows(store, "web", "_told, identityMap IS NULL")
    assert stored == [(True, True)] * 120 + [(None, False)] * 2


def test_a_dataset_of_an_earlier_version_takes_what_comes(tmp_path: Path) -> None:
    store, _ = loaded(tmp_path, [{"login": "a", "cookie": COOKIE, "flag": True}])
    store.connection.execute("ALTER TABLE data.web DROP COLUMN _told")
    made = project(tmp_path, web=WEB)
    (tmp_path / "web1.jsonl").write_text(
        json.dumps({"id": "n", "at": "2024-01-02T00:00:00Z", "login": "b", "cookie": None}), encoding="utf-8"
    )
    assert load.load_file(store, made.plan("web"), tmp_path / "web0.jsonl").stored == 0
    assert load.load_file(store, made.plan("web"), tmp_path / "web1.jsonl").stored == 1
    assert set(maps(store)["0"]) == {"ECID", "crmId"} and set(maps(store)["n"]) == {"crmId"}
