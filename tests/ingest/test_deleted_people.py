"""Deleted people stay away: a reload, a replay and a stream do not bring them back, and the counts say so."""

from __future__ import annotations

from pathlib import Path

from pql.identity.settings import IdentitySettings
from pql.ingest.replay import replay
from pql.ingest.stream import Stream
from pql.store.deletion import delete_person
from pql.store.ledger import Counts
from pql.store.lookup import find_people
from pql.store.quarantine import list_refused
from pql.store.store import Store
from pql.store.unify import unify
from tests.ingest.conftest import EVENTS, PEOPLE, project, rows

SETTINGS = IdentitySettings()
FILE = """{"id":"1","email":"Sarah@Luma.example","points":5}
{"id":"2","email":"olga@luma.example","points":"many"}
{"id":"3","email":"tom@luma.example","points":7}
"""


def delete(store: Store, who: str) -> None:
    ((pid, _),) = find_people(store, who, SETTINGS)
    delete_person(store, pid, "request", SETTINGS)


def test_a_reload_and_a_replay_do_not_bring_people_back(tmp_path: Path) -> None:
    made = project(tmp_path, people=PEOPLE, events=EVENTS)
    (tmp_path / "people.jsonl").write_text(FILE)
    (tmp_path / "events.jsonl").write_text(
        '{"id":"e1","at":"2024-01-01T00:00:00Z","crm":"1"}\n{"id":"e2","at":"2024-01-01T00:00:00Z","crm":"3"}\n'
    )
    store = Store.memory(made.schema)
    assert [x.counts for x in made.load(store)] == [Counts(2, 2), Counts(3, 2, 0, 1)]
    unify(store, SETTINGS)
    waiting = list_refused(store)
    delete(store, "crmId:1")
    for _ in range(2):
        assert [x.counts for x in made.load(store)] == [Counts(2, 0, 1, 1, 1), Counts(3, 0, 1, 2, 1)]
        assert unify(store, SETTINGS).profiles == 1
    assert rows(store, "people", "_key") == [("crmId:3",)] and rows(store, "events", "_id") == [("e2",)]
    assert not find_people(store, "crmId:1", SETTINGS) and not find_people(store, "Email:sarah@luma.example", SETTINGS)
    told = list_refused(store, code="PQL0847", state="deleted")
    assert [(q.source, q.line, q.raw) for q in told] == [("events", 1, ""), ("people", 1, "")]
    assert [q.line for q in list_refused(store)] == [2]

    store.connection.execute(
        "INSERT INTO meta.tombstone SELECT 'Email', sha256(concat(value, 'Email:olga@luma.example')), now(), 'r' FROM meta.salt"
    )
    mended = project(tmp_path, people={**PEOPLE, "mapping": {**PEOPLE["mapping"], "points": "to_integer(points)"}})
    assert replay(store, mended, waiting) == Counts(1, 0, 0, 1, 1)
    assert not list_refused(store)
    everything = "".join(str(r) for r in store.connection.execute("FROM meta.quarantine").fetchall()).lower()
    assert "sarah" not in everything and "olga" not in everything


def test_rows_that_cannot_be_read_are_not_kept_either(tmp_path: Path) -> None:
    made = project(tmp_path, people=PEOPLE)
    (tmp_path / "people.jsonl").write_text(FILE)
    store = Store.memory(made.schema)
    made.load(store)
    unify(store, SETTINGS)
    delete(store, "crmId:1")
    (tmp_path / "people2.jsonl").write_text(
        '{"id":"1","email":"SARAH@luma.example","points":"x"}\n{"email":"sarah@luma.example",\n{"email":"tom@luma.example",\n'
    )
    counts = [x.counts for x in made.load(store)][1]
    assert counts == Counts(3, 0, 0, 3, 2)
    assert [(q.line, q.code) for q in list_refused(store) if q.file.endswith("2.jsonl")] == [(3, "PQL0822")]


def test_a_stream_says_so(tmp_path: Path) -> None:
    made = project(tmp_path, web={**{k: v for k, v in EVENTS.items() if k != "path"}, "format": "http"})
    store = Store.memory(made.schema)
    stream = Stream(store, made.plan("web"))
    one, two = (b'{"id":"e1","at":"2024-01-01T00:00:00Z","crm":"%d"}' % n for n in (1, 2))
    stream.take(one)
    unify(store, SETTINGS)
    delete(store, "crmId:1")
    answers, _, counts = stream.take(one + b"\n" + two, lines=True)
    assert [(a.status, a.state, a.code) for a in answers] == [(400, "deleted", "PQL0847"), (200, "taken", "")]
    assert counts == Counts(2, 1, 0, 1, 1)
    assert rows(store, "events", "_primary") == [("crmId:2",)]
