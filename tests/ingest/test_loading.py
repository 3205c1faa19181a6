"""Loading: dirty files, nothing lost; idempotence; meeting rows whatever their order; HTTP and batch alike; replay."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from pql.ingest.replay import replay
from pql.ingest.service import make_app
from pql.ingest.stream import Refusal, Stream
from pql.store.quarantine import list_refused
from pql.store.store import Store
from tests.ingest.conftest import EVENTS, PEOPLE, project, rows

ECID = "12345678901234567890123456789012345678"


def loaded(made: Any, store: Store) -> list[Any]:
    found = made.load(store)
    for item in found:
        item.counts.check()
    return found


DIRTY = [
    (b'{"id":"1","points":"5"}', "PQL0825", "points"),
    (b'{"id":"1","points":5.5}', "PQL0825", "points"),
    (b'{"id":1}', "PQL0825", "crm"),
    (b'{"id":"1","address":"x"}', "PQL0825", "address"),
    (b'{"id":"1","address":{"city":5}}', "PQL0825", "address.city"),
    (b'{"id":"1","tags":["a",3]}', "PQL0825", "tags[1]"),
    (b'{"id":"1","born":"2000-02-30"}', "PQL0825", "born"),
    (b'{"id":"1","balance":1e300}', "PQL0825", "balance"),
    (b'{"id":"1","active":"true"}', "PQL0825", "active"),
    (b'{"id":"1","when":"yesterday"}', "PQL0825", "order_by"),
    (b'{"id":"1","id":"2"}', "PQL0822", ""),
    (b'{"id":"1","a":1,}', "PQL0822", ""),
    (b"{bad", "PQL0822", ""),
    (b"[1,2]", "PQL0822", ""),
    (b'{"id":"1","email":"\\ud83d"}', "PQL0822", ""),
    (b'{"id":"1","email":"nul\x00"}', "PQL0822", ""),
    (b'{"id":"1","x":' + b"[" * 5000 + b"]" * 5000 + b"}", "", ""),
    (b'{"id":"1","email":"\xff"}', "PQL0823", ""),
    (b'{"id":"' + b"1" * (5 << 20) + b'"}', "PQL0823", ""),
    (b'{"id":""}', "PQL0828", ""),
    (b'{"id":" Null "}', "PQL0828", ""),
    (b'{"id":null}', "PQL0828", ""),
    (b"{}", "PQL0828", ""),
    (b'{"id":"1","em', "PQL0822", ""),
]


@pytest.mark.parametrize(("line", "code", "path"), DIRTY, ids=[str(x[0][:40]) for x in DIRTY])
def test_a_dirty_line_goes_to_quarantine_and_takes_nobody_with_it(
    tmp_path: Path, line: bytes, code: str, path: str
) -> None:
    made = project(tmp_path, people=PEOPLE)
    (tmp_path / "people.jsonl").write_bytes(b'{"id":"a"}\n\n' + line + b'\n{"id":"b"}\n')
    store = Store.memory(made.schema)
    (done,) = loaded(made, store)
    assert (done.counts.read, done.counts.stored + done.counts.quarantined) == (3, 3)
    found = list_refused(store)
    if code:
        assert [(f.line, f.code, f.path) for f in found] == [(3, code, path)]
        assert done.counts.stored == 2
    assert {"crmId:a", "crmId:b"} <= {k for (k,) in rows(store, "people", "_key")}


def test_a_broken_element_does_not_take_the_array_with_it(tmp_path: Path) -> None:
    made = project(tmp_path, people={**PEOPLE, "format": "json", "path": "people.json"})
    text = '\ufeff[{"id":"1"},{"id":"2"]},\n{"id":"3"},{"id" "4"},7,{"id":"5","email":"a]b}"},{"id":"tr'
    (tmp_path / "people.json").write_text(text, encoding="utf-8")
    store = Store.memory(made.schema)
    (done,) = loaded(made, store)
    assert rows(store, "people", "_key") == [("crmId:1",), ("crmId:3",), ("crmId:5",)]
    assert (done.counts.read, done.counts.quarantined) == (7, 4)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"[]"])
def test_empty_files_are_read(tmp_path: Path, data: bytes) -> None:
    for format in ("jsonl", "json", "csv"):
        made = project(tmp_path, people={**PEOPLE, "format": format, "path": "empty"})
        (tmp_path / "empty").write_bytes(data)
        (done,) = loaded(made, Store.memory(made.schema))
        assert done.problem is None and done.counts.stored == 0


def test_csv_surprises(tmp_path: Path) -> None:
    mapping = {"crm": "id", "points": "points", "address.city": "city", "born": 'date(born, "dd.MM.yyyy")'}
    made = project(
        tmp_path,
        people={
            **PEOPLE,
            "format": "csv",
            "path": "p.csv",
            "options": {"delimiter": ";"},
            "mapping": mapping,
            "order_by": "born",
        },
    )
    text = 'id;points;city;born\r\n1;5;"a;b";31.12.2000\r\n2;x;;\r\n3;5\r\n4;;"two\nlines";\r\n5;;"quo""te";\r\n6;;"open;\r\n7;;ok;\r\n;1;;\r\n'
    (tmp_path / "p.csv").write_text(text, encoding="utf-8", newline="")
    store = Store.memory(made.schema)
    (done,) = loaded(made, store)
    assert rows(store, "people", "_key, _line, points, address.city") == [
        ("crmId:1", 2, 5, "a;b"), ("crmId:4", 5, None, "two\nlines"), ("crmId:5", 7, None, 'quo"te'), ("crmId:7", 9, None, "ok")]  # fmt: skip
    assert [(f.line, f.code) for f in list_refused(store)] == [
        (3, "PQL0825"),
        (4, "PQL0823"),
        (8, "PQL0823"),
        (10, "PQL0828"),
    ]
    assert done.counts.read == 8


def test_parquet_columns_keep_their_types(tmp_path: Path) -> None:
    import duckdb

    made = project(tmp_path, people={**PEOPLE, "format": "parquet", "path": "p.parquet", "order_by": "at", "mapping": {
        "crm": "id", "points": "n", "balance": "d", "since": "at", "address": "home", "tags": "tags"}})  # fmt: skip
    duckdb.execute(f"""COPY (SELECT * FROM (VALUES
        ('1', 5, 1.1::DOUBLE, TIMESTAMPTZ '2024-01-01 00:00:00+02', {{'city': 'K'}}, ['a']), ('2', NULL, 1e20::DOUBLE, NULL, NULL, NULL))
        t(id, n, d, "at", home, tags)) TO '{tmp_path / "p.parquet"}'""")
    store = Store.memory(made.schema)
    loaded(made, store)
    assert [str(x) for x in rows(store, "people", "_key, points, balance, since, address.city, tags")] == [
        "('crmId:1', 5, Decimal('1.100000'), datetime.datetime(2023, 12, 31, 22, 0), 'K', ['a'])"]  # fmt: skip
    assert [(f.line, f.path) for f in list_refused(store)] == [(2, "balance")]


def test_no_parquet_is_a_finding_and_changes_nothing(tmp_path: Path) -> None:
    made = project(tmp_path, people={**PEOPLE, "format": "parquet", "path": "p.parquet"})
    (tmp_path / "p.parquet").write_text("id\n1\n")
    store = Store.memory(made.schema)
    (done,) = made.load(store)
    assert done.problem is not None and done.problem.code == "PQL0824"
    assert store.connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'data'"
    ).fetchall() == [(0,)]


PEOPLE_ROWS = [
    {"id": "1", "when": "2024-01-01T00:00:00Z", "email": "A@x.com", "points": 1, "address": {"city": "K"}},
    {"id": "1", "when": "2024-03-01T00:00:00Z", "points": 3},
    {"id": "1", "when": "2024-02-01T00:00:00Z", "points": 2, "balance": 5, "email": "b@x.com"},
    {"id": "1", "when": "2024-02-01T00:00:00Z", "points": 2, "balance": 7},
    {"id": "1", "balance": 9, "active": True},
    {"id": "2", "points": "bad"},
    {"id": "2", "points": 2.0},
]
EVENT_ROWS = [
    {"id": "e1", "at": "2024-01-01T00:00:00Z", "crm": "1", "total": 5},
    {"id": "e1", "at": "2024-01-01T00:00:00Z", "crm": "1", "total": 6},
    {"id": "e1", "at": "2024-01-01T00:00:00Z", "crm": "2", "total": 5},
    {"id": "e1", "at": "2023-01-01T00:00:00Z", "crm": "1", "total": 7},
    {"id": "e2", "at": "2024-01-01T00:00:00Z", "ids": {"ECID": [{"id": ECID}], "Email": [{"id": " X@y.de"}]}},
    {"id": "e3", "at": "2024-01-01T00:00:00Z", "ids": {"ECID": [{"id": "short"}]}},
    {"id": "e2", "at": "2024-01-01T00:00:00Z", "ids": {"ECID": [{"id": ECID}], "Email": [{"id": " X@y.de"}]}},
]


def outcome(store: Store) -> Any:
    identities = "list_sort(list_transform(_identities, lambda x: [x.namespace, x.id, x.is_primary::VARCHAR, x.state]))"
    people = rows(store, "people", f"* EXCLUDE (_row, _batch, _line, _arrived, _identities), {identities}")
    events = rows(store, "events", f"* EXCLUDE (_row, _batch, _line, _arrived, _ordered, _identities), {identities}")
    conflicts = store.connection.execute(
        "SELECT event_id, primary_a, primary_b FROM meta.conflict ORDER BY ALL"
    ).fetchall()
    refused = store.connection.execute("SELECT source, code, path, raw FROM meta.quarantine ORDER BY ALL").fetchall()
    return (
        people,
        events,
        conflicts,
        sorted((s, c, p, json.dumps(json.loads(w), sort_keys=True)) for s, c, p, w in refused),
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_arrival_and_no_split_matters(tmp_path: Path, seed: int) -> None:
    r = random.Random(seed)
    outcomes = []
    for turn in range(2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        made = project(folder, people=PEOPLE, events=EVENTS)
        store = Store.memory(made.schema)
        for id, given in (("people", PEOPLE_ROWS), ("events", EVENT_ROWS)):
            order = list(given)
            r.shuffle(order)
            parts = _split(r, order)
            for number, part in enumerate(parts):
                text = "\n".join(json.dumps(x) for x in part)
                if r.random() < 0.5:
                    Stream(store, made.plan(id)).take(text.encode(), lines=True)
                    continue
                for old in folder.glob(f"{id}*.jsonl"):
                    old.unlink()
                (folder / f"{id}{number}.jsonl").write_text(text)
                made.load(store, [id])
        outcomes.append(outcome(store))
    assert outcomes[0] == outcomes[1]
    found = store.connection.execute("SELECT points, email, active FROM data.people WHERE _key = 'crmId:1'").fetchall()
    assert found == [(3, "b@x.com", True)]


def _split(r: random.Random, order: list[Any]) -> list[list[Any]]:
    parts: list[list[Any]] = []
    for row in order:
        if parts and r.random() < 0.5:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def test_one_id_of_two_people_is_kept_and_reported(tmp_path: Path) -> None:
    made = project(tmp_path, events=EVENTS)
    (tmp_path / "events.jsonl").write_text("\n".join(json.dumps(x) for x in EVENT_ROWS))
    store = Store.memory(made.schema)
    first, again = loaded(made, store)[0].counts, loaded(made, store)[0].counts
    assert (first.read, first.stored, first.duplicates, first.quarantined) == (7, 3, 3, 1)
    assert (again.stored, again.duplicates, again.quarantined) == (0, 6, 1)
    assert store.connection.execute("SELECT event_id, primary_a, primary_b FROM meta.conflict").fetchall() == [
        ("e1", "crmId:1", "crmId:2")
    ]
    assert len(list_refused(store)) == 1
    assert rows(store, "events", "_key, _primary") == [("e1", "crmId:1"), ("e1", "crmId:2"), ("e2", "Email:x@y.de")]


def test_records_without_an_order_go_by_arrival(tmp_path: Path) -> None:
    people = {k: v for k, v in PEOPLE.items() if k != "order_by"}
    made = project(tmp_path, people=people)
    store = Store.memory(made.schema)
    for text in (
        '{"id":"1","points":1,"email":"a@x"}\n{"id":"1","points":2}',
        '{"id":"1","points":1}',
        '{"id":"1","points":1}',
    ):
        (tmp_path / "people.jsonl").write_text(text)
        loaded(made, store)
    assert rows(store, "people", "points, email") == [(1, "a@x")]
    counts = store.connection.execute("SELECT read, stored, duplicates FROM meta.batch ORDER BY batch").fetchall()
    assert counts == [(2, 2, 0), (1, 1, 0), (1, 0, 1)]


def test_modes(tmp_path: Path) -> None:
    store = None
    for mode, text in (
        ("upsert", '{"id":"1","points":1,"email":"a@x"}\n{"id":"2"}'),
        ("replace", '{"id":"1","points":2}'),
        ("delete", '{"id":"2"}\n{"id":"3"}'),
    ):
        made = project(tmp_path, people={**{k: v for k, v in PEOPLE.items() if k != "order_by"}, "mode": mode})
        store = store or Store.memory(made.schema)
        (tmp_path / "people.jsonl").write_text(text)
        loaded(made, store)
    assert store is not None and rows(store, "people", "_key, points, email") == [("crmId:1", 2, None)]


def test_replay_after_the_mapping_was_mended(tmp_path: Path) -> None:
    made = project(tmp_path, people=PEOPLE)
    (tmp_path / "people.jsonl").write_text('{"id":"1","points":"5"}\n{"id":"2","points":"many"}\n')
    store = Store.memory(made.schema)
    loaded(made, store)
    assert replay(store, made, list_refused(store)).quarantined == 2
    mended = project(tmp_path, people={**PEOPLE, "mapping": {**PEOPLE["mapping"], "points": "to_integer(points)"}})
    counts = replay(store, mended, list_refused(store))
    assert (counts.read, counts.stored, counts.quarantined) == (2, 1, 1)
    assert [(f.line, f.message) for f in list_refused(store)] == [(2, "`many` is no whole number")]
    assert rows(store, "people", "_key, points, _line") == [("crmId:1", 5, 1)]


def test_http_answers_message_by_message(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    made = project(
        tmp_path,
        web={
            **{k: v for k, v in EVENTS.items() if k != "path"},
            "format": "http",
            "options": {"max_bytes": 5000, "max_messages": 4},
        },
    )
    store = Store.memory(made.schema)
    client = TestClient(make_app({"web": Stream(store, made.plan("web"))}))
    good = {"id": "e1", "at": "2024-01-01T00:00:00Z", "crm": "1"}
    assert client.post("/collect/web", json=good).status_code == 200
    several = client.post(
        "/collect/web", json={"messages": [{"body": {"xdmEntity": good}}, {"id": "e2"}, {**good, "id": "e3"}]}
    )
    assert several.status_code == 207
    body = several.json()
    assert [a["status"] for a in body["responses"]] == [200, 400, 200]
    assert body["responses"][1]["code"] == "PQL0826"
    assert [body[k] for k in ("read", "stored", "duplicates", "quarantined")] == [3, 1, 1, 1]
    lines = "\n".join([json.dumps(good), "{bad", '{"id":"e1","id":"e9"}'])
    assert [
        a["status"]
        for a in client.post("/collect/web", content=lines, headers={"content-type": "application/x-ndjson"}).json()[
            "responses"
        ]
    ] == [200, 400, 400]
    assert client.post("/collect/web", json=[good] * 5).status_code == 413
    assert client.post("/collect/web", content=b"x" * 6000).status_code == 413
    assert client.post("/collect/web", content=b"{bad").json()["code"] == "PQL0822"
    assert client.post("/collect/wbe", json=good).json()["code"] == "PQL0830"
    with pytest.raises(Refusal):
        Stream(store, made.plan("web")).take(b"\xff")


def test_small_blocks_give_the_same_rows(tmp_path: Path) -> None:
    from pql.ingest.files import read_chunks

    text = "".join(json.dumps({"id": str(i), "email": '\u00e9]"}' * (i % 5)}) + "\n" for i in range(300))
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    array = "[" + ",".join(text.splitlines()) + "]"
    (tmp_path / "a.json").write_text(array, encoding="utf-8")
    for name in ("a.jsonl", "a.json"):
        for block in (50, 1000, 1 << 20):
            chunks = list(read_chunks(tmp_path / name, name.split(".")[1], {}, block))
            ids = [json.loads(raw)["id"] for c in chunks for raw in c.table["raw"].to_pylist()]
            assert ids == [str(i) for i in range(300)]
            assert list(itertools.chain(*(c.refused for c in chunks))) == []


def test_chunks_are_cut_to_row_groups_and_nothing_is_lost() -> None:
    import pyarrow as pa

    from pql.ingest.files import Chunk, in_row_groups
    from pql.store.ledger import Refused

    def chunk(first: int, rows: int, refused: int, size: int) -> Chunk:
        lines = range(first, first + rows)
        wrong = [Refused(first + rows + i, "", "PQL0823", "", "") for i in range(refused)]
        return Chunk(pa.table({"__line": pa.array(lines, pa.int64()), "raw": [str(n) for n in lines]}), wrong, size)

    parts = [(7, 1, 70), (0, 2, 30), (25, 0, 300), (3, 1, 40), (1, 0, 500), (2, 1, 10)]
    chunks, first = [], 1
    for count, refused, size in parts:
        chunks.append(chunk(first, count, refused, size))
        first += count + refused
    made = list(in_row_groups(chunks, 400, rows=10))
    assert [c.table.num_rows for c in made] == [10, 10, 10, 6, 2]
    met = [sorted(c.table["__line"].to_pylist() + [r.line for r in c.refused]) for c in made]
    assert list(itertools.chain(*met)) == list(range(1, first)), "every line once, in order"
    assert sum(c.size for c in made) == sum(size for *_, size in parts)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_identities_of_one_fragment_are_linked_as_they_arrived(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A household's number is seen with one login, then with another: the two logins never stood together."""
    from pql.identity.settings import IdentitySettings
    from pql.store.unify import unify

    lines = ('{"id":"1","email":"a@x.org"}', '{"id":"1","email":"b@x.org"}', '{"id":"1"}')
    made = project(tmp_path, people={k: v for k, v in PEOPLE.items() if k != "order_by"})
    store = Store.memory(made.schema)
    for n, place in enumerate(order):
        (tmp_path / f"people{n}.jsonl").write_text(lines[place] + "\n")
    loaded(made, store)
    assert unify(store, IdentitySettings()).links == 2
    links = """SELECT least(x.id, y.id), greatest(x.id, y.id) FROM graph.link JOIN graph.node AS x ON x.node = a
               JOIN graph.node AS y ON y.node = b ORDER BY ALL"""
    assert store.query(links, {}) == [("1", "a@x.org"), ("1", "b@x.org")]
    loaded(made, store)
    assert unify(store, IdentitySettings()).links == 2
