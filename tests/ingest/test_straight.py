"""Rows that go straight into their dataset are those that staging stores: rows, their order, counts, quarantine, conflicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pql.ingest import load
from pql.store import datasets, straight
from pql.store.store import Store
from tests.ingest.conftest import EVENTS, PEOPLE, project, rows

ECID = "1234567890" * 3 + "12345678"
MAPPED: dict[str, Any] = {
    **EVENTS,
    "mapping": {
        **EVENTS["mapping"],
        "identityMap": '{"ECID": [{"id": ecid}], "crmId": [{"id": lower(login), "primary": flag}, {"id": other}]}',
    },
}
TEXTS = st.sampled_from([ECID, ECID[::-1], " 7 ", "A@b.c", "unknown", "", "x" * 1030, None])
EVENT = st.fixed_dictionaries(
    {"id": st.integers(0, 40).map(str) | st.none(), "at": st.sampled_from(["2024-01-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-03-01"])},
    optional={
        "crm": TEXTS, "ecid": TEXTS, "login": TEXTS, "other": TEXTS, "flag": st.sampled_from([True, False, "no"]),
        "total": st.sampled_from([1, 2.5, "2"]),
        "ids": st.dictionaries(st.sampled_from(["ECID", "crmId", "Email"]), st.lists(st.fixed_dictionaries({"id": TEXTS}), max_size=2)),
    },
)  # fmt: skip
PERSON = st.fixed_dictionaries(
    {"id": st.integers(0, 40).map(str) | st.none()},
    optional={"when": st.sampled_from(["2024-01-01", "2024-05-01", "then"]), "points": st.sampled_from([1, 2, "3"]), "email": TEXTS},
)  # fmt: skip


def loaded(folder: Path, id: str, source: dict[str, Any], records: list[Any], unique: bool) -> Any:
    """Everything that is stored, its order, and the counts of every file, small chunks at a time."""
    made = project(folder, **{id: source})
    store = Store.memory(made.schema)
    half = len(records) // 2
    for number, part in enumerate((records[:half], records[half:])):
        lines = [r if isinstance(r, str) else json.dumps(r) for r in part]
        if unique:
            lines += [
                json.dumps({"id": f"{number}-{i}", "at": "2024-01-01T00:00:00Z", "crm": str(i % 3)}) for i in range(12)
            ]
        (folder / f"{id}{number}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    counts = [load.load_file(store, made.plan(id), folder / f"{id}{n}.jsonl", block=700).check() for n in (0, 1)]
    name = made.plan(id).spec.name
    run = store.connection.execute
    order = run(f"SELECT _line, _batch FROM data.{name} ORDER BY _row").fetchall()
    conflicts = run("SELECT event_id, primary_a, primary_b FROM meta.conflict ORDER BY ALL").fetchall()
    refused = run("SELECT line, code, path, raw, batch FROM meta.quarantine ORDER BY ALL").fetchall()
    return (
        rows(store, name, "* EXCLUDE (_row, _arrived, _ordered, _identities)"),
        order,
        conflicts,
        refused,
        counts,
        _named(store, name),
    )


def _named(store: Store, name: str) -> list[Any]:
    """Identities without the times of their arrival."""
    return rows(
        store, name, "_line, list_transform(_identities, lambda x: [x.namespace, x.id, x.is_primary::VARCHAR, x.state])"
    )


@pytest.mark.parametrize("source", [EVENTS, MAPPED, PEOPLE], ids=["events", "mapped", "people"])
def test_straight_rows_are_the_staged_ones(source: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    id = "people" if source is PEOPLE else "events"
    took: list[bool] = []

    @settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck))
    @given(
        st.lists((PERSON if source is PEOPLE else EVENT) | st.just("{broken"), min_size=2, max_size=24), st.booleans()
    )
    def same(records: list[Any], unique: bool) -> None:
        with pytest.MonkeyPatch.context() as patch:
            results = []
            for may in (straight.may_go_straight, lambda _: False):
                patch.setattr(load, "may_go_straight", lambda x, may=may: bool(may(x) and (took.append(True) or True)))
                results.append(loaded(tmp_path_factory.mktemp("x"), id, source, records, unique))
        assert results[0] == results[1]

    same()
    assert took, "nothing went straight"


def test_a_file_without_copies_goes_straight_and_one_with_copies_is_taken_back(
    tmp_path: Path, monkeypatch: Any
) -> None:
    back: list[int] = []
    monkeypatch.setattr(straight, "take_back", lambda x, was=straight.take_back: (back.append(x.first), was(x)))
    monkeypatch.setattr(load.DatasetLoad, "_map", lambda *_: pytest.fail("staged"))
    made = project(tmp_path, events=EVENTS)
    store = Store.memory(made.schema)
    events = [json.dumps({"id": str(i), "at": "2024-01-01T00:00:00Z", "crm": "1"}) for i in range(50)]
    (tmp_path / "events0.jsonl").write_text("\n".join(events), encoding="utf-8")
    assert load.load_file(store, made.plan("events"), tmp_path / "events0.jsonl", block=400).stored == 50 and not back
    monkeypatch.undo()
    monkeypatch.setattr(straight, "take_back", lambda x, was=straight.take_back: (back.append(x.first), was(x)))
    fresh = Store.memory(made.schema)
    (tmp_path / "events0.jsonl").write_text("\n".join([*events, events[3]]), encoding="utf-8")
    counts = load.load_file(fresh, made.plan("events"), tmp_path / "events0.jsonl", block=400)
    assert (counts.stored, counts.duplicates, len(back)) == (50, 1, 1)
    assert rows(fresh, "events", "_id, _key, _primary")[0] == ("0", "0", "crmId:1")


@pytest.mark.parametrize("given", [[10, 10, 10], [5, 5, 5, 5, 5, 5], [3, 9, 18], [30], [10, 10, 7], [10, 5, 12]])
def test_threads_take_whole_row_groups(given: list[int]) -> None:
    """A thread that takes pieces of half a row group may end with half a one, which a checkpoint would write anew with its neighbours."""
    whole = pa.table({"x": pa.array(range(sum(given)), pa.int64()), "y": pa.array([str(i) for i in range(sum(given))])})
    ends = [sum(given[:i]) for i in range(len(given))]
    cut = pa.concat_tables([whole.slice(start, n) for start, n in zip(ends, given, strict=True)])
    made = datasets._for_threads(cut, 10)
    assert [b.num_rows for b in made.to_batches()][:-1] == [10] * ((sum(given) - 1) // 10)
    assert made.equals(whole)


def test_only_records_have_times_of_their_leaves(tmp_path: Path) -> None:
    made = project(tmp_path, events=EVENTS, people=PEOPLE)
    store = Store.memory(made.schema)
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    for id in ("events", "people"):
        load.load_file(store, made.plan(id), tmp_path / "none.jsonl")
    found = store.connection.execute("SELECT table_name FROM duckdb_columns() WHERE column_name = '_times'").fetchall()
    assert found == [(made.plan("people").spec.name,)]
