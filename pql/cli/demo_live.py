"""The live part of the demo: people of a store, their last weeks again event by event, and then time alone. Read `run_live`.

Everybody starts with the history up to an instant, as a state that starts from a store does; what they do afterwards arrives as events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from pql.api import Engine, Environment, Event, Project, Store, Transition
from pql.store.history import StoredPerson, people_named

WEEKS = timedelta(weeks=6)
AFTERWARDS = timedelta(days=120)
PEOPLE, USUAL_EVENTS, SHOWN_PEOPLE, SHOWN_ROWS = 40, 12, 4, 14
WHY = {"event": "an event", "timer": "time", "definition": "history"}


def run_live(
    environment: Environment,
    project: Project,
    store: Store,
    until: datetime,
    console: Console,
    clock: Callable[[], float],
) -> int:
    """Print the live part; 0 when it ends where SQL does, else 1. `until`: the last instant of the store's events."""
    start = until - WEEKS
    people = _people(store, start)
    begun = clock()
    engine = Engine(environment.live_plan(project.conditions, attributes=project.attributes), start)
    for person in people:
        engine.seed(person.name, person.record, [e for e in person.events if e["timestamp"] <= start])
    members = engine.advance(start)
    engine.changes.clear()
    events = sorted(
        ((e["timestamp"], p.name, e) for p in people for e in p.events if e["timestamp"] > start), key=lambda x: x[:2]
    )
    found = engine.apply([Event(name, document) for _, name, document in events])
    end = until + AFTERWARDS
    found += engine.advance(end)
    spent = clock() - begun
    console.print(_table(found, start))
    alone = sum(t.cause == "timer" for t in found)
    console.print(
        f"{len(people)} customers with {len(members)} memberships on {start:%Y-%m-%d}; then {len(events)} events in {spent * 1000:.0f} ms: "
        f"{len(found)} times somebody came into a segment or left it, {alone} of them with no event at all"
    )
    changes = engine.changes
    console.print(
        f"their {len(project.attributes)} computed attributes changed {len(changes)} times, "
        f"{sum(c.cause == 'timer' for c in changes)} of them with no event"
    )
    equal = _equal(environment, project, store, engine, people, end)
    console.print(
        f"as of {end:%Y-%m-%d}, SQL over the store says {'the same' if equal else 'otherwise'} of every one of them"
    )
    return 0 if equal else 1


def _people(store: Store, start: datetime) -> list[StoredPerson]:
    """Customers with the most events after an instant, but for those who are no people: wholesalers order all the time."""
    rows = store.query(
        'SELECT _pid FROM event GROUP BY _pid HAVING count(*) <= $usual AND count(*) FILTER ("timestamp" > $start) > 1 '
        'ORDER BY count(*) FILTER ("timestamp" > $start) DESC, _pid LIMIT $most',
        {"start": start, "usual": USUAL_EVENTS, "most": PEOPLE},
    )
    return list(people_named(store, [str(pid) for (pid,) in rows]).values())


def _table(found: list[Transition], start: datetime) -> Table:
    """A few people, whose comings and goings are of several causes."""
    table = Table(title=f"live: from {start:%Y-%m-%d} on, event by event, and then time alone")
    for column in ("when (UTC)", "profile", "status", "segment", "why"):
        table.add_column(column, no_wrap=True)
    by_person: dict[object, list[Transition]] = defaultdict(list)
    for t in found:
        by_person[t.profile].append(t)
    chosen = sorted(
        by_person, key=lambda p: (-len({(t.cause, t.status) for t in by_person[p]}), len(by_person[p]), str(p))
    )
    shown = [t for t in found if t.profile in set(chosen[:SHOWN_PEOPLE])][:SHOWN_ROWS]
    for t in shown:
        comes = t.status == "realized"
        mark = "[green]realized[/]" if comes else "[red]exited[/]"
        table.add_row(f"{t.at:%Y-%m-%d %H:%M:%S}", str(t.profile), mark, t.segment, WHY.get(t.cause, t.cause))
    return table


def _equal(
    environment: Environment, project: Project, store: Store, engine: Engine, people: list[StoredPerson], at: datetime
) -> bool:
    """Is everybody where SQL says?"""
    asked = [*project.conditions.values(), *project.attributes.values()]
    query = environment.sql(asked, project.conditions, "values", store.layout)
    rows = {row[0]: row[1:] for row in store.query(query.sql(), {"now": at})}
    many = len(project.conditions)
    return all(
        engine.members(p.name)
        == {id for id, holds in zip(project.conditions, rows[p.pid][:many], strict=True) if holds}
        and list(engine.values(p.name).values()) == list(rows[p.pid][many:])
        for p in people
    )
