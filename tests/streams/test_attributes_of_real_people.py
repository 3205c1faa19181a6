"""The attributes of the examples, live against SQL, over the people that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pql.api import Engine, Environment, Event, Record, SourceProject, Store, load_schema, read_identity, unify
from pql.source import Source
from pql.store.history import StoredPerson, people_after, people_named
from pql.store.online_retail import load_online_retail
from pql.streams.verifying import same

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)


def project(name: str, schema: Any) -> tuple[Environment, Any]:
    file = ROOT / "examples" / name / "segments.pql"
    environment = Environment(schema)
    made = environment.project([Source(str(file), file.read_text(encoding="utf-8"))])
    assert made.ok and len(made.attributes) == 3
    return environment, made


def agree(
    environment: Environment, made: Any, store: Store, people: list[StoredPerson], later: Iterable[datetime]
) -> int:
    """Events one by one, then time; how many changes there were."""
    engine = Engine(environment.live_plan(made.conditions, [], made.attributes))
    events = sorted(((e["timestamp"], p.name, e) for p in people for e in p.events), key=lambda x: x[:2])
    begin = events[0][0]
    engine.apply([Record(p.name, p.record, begin) for p in people])
    engine.apply([Event(name, document, at) for at, name, document in events])
    query = environment.sql(list(made.attributes.values()), made.conditions, "values", store.layout)
    for at in (events[-1][0], *later):
        engine.advance(at)
        rows = {row[0]: row[1:] for row in store.query(query.sql(), {"now": at})}
        for p in people:
            for (name, value), wanted in zip(engine.values(p.name).items(), rows[p.pid], strict=True):
                assert same(value, wanted), (at, p.name, name, value, wanted)
    return len(engine.changes)


def test_luma() -> None:
    folder = ROOT / "examples" / "luma"
    schema, _ = load_schema(ROOT / "profiles" / "luma" / "schema.yaml")
    store = Store.memory(schema)
    assert all(not done.problem for done in SourceProject.read(folder, schema).load(store))
    unify(store, read_identity(folder / "identity.yaml")[0])
    environment, made = project("luma", schema)
    people = people_after(store, None, 10_000)
    assert len(people) > 1_000
    assert agree(environment, made, store, people, [datetime(2023, 1, 1)]) > 2_500


def test_online_retail() -> None:
    schema, _ = load_schema(ROOT / "profiles" / "online-retail" / "schema.yaml")
    store = Store.memory(schema)
    load_online_retail(store, ROOT / "profiles" / "online-retail" / "online_retail.parquet")
    store.index()
    environment, made = project("online-retail", schema)
    found = store.query(
        "SELECT _pid FROM event GROUP BY _pid HAVING count(*) BETWEEN 3 AND 12 ORDER BY hash(_pid) LIMIT 80", {}
    )
    people = list(people_named(store, [str(pid) for (pid,) in found]).values())
    end = datetime(2011, 12, 9)
    assert agree(environment, made, store, people, [end + n * DAY for n in (20, 50, 90, 200)]) > 1_000
