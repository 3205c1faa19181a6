"""Other segments than those a state was kept for, or a new state over a store's history: who is in what at the clock's instant, and
exactly the difference as transitions of the cause `definition`. Read `hand_over`.

History is the store's joined with what arrived live (`Histories`). One transaction; killed in the middle, it has not begun. A new state
knows from it whose the store's graph says each identity is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from pql.runtime.hosting import Carried, HostedEngine, carry_over, read_state
from pql.runtime.inputs import AttributeChange, Transition
from pql.runtime.plan import Plan
from pql.runtime.state import OUT_OF_RANGE, StateError
from pql.store.graph_reading import PARTS, graph_version, identities_in, named_graph, part_digests, tombstones
from pql.store.history import latest_event, people_after, people_named
from pql.store.store import Store
from pql.streams.errors import StreamError
from pql.streams.messages import read_document, write_document
from pql.streams.plans import kept_of
from pql.streams.running import change_line, transition_line
from pql.streams.sqlite import SqliteState
from pql.streams.state import (
    ATTRIBUTES,
    EPOCH,
    TRANSITIONS,
    Commit,
    GraphKnown,
    Kept,
    Progress,
    Row,
    instant,
    micros,
)
from pql.xdm.schema import Schema

CHUNK = 500
"""People at a time."""
Told = Callable[[int], None]


@dataclass(frozen=True)
class HandedOver:
    """What a hand-over did."""

    at: datetime
    people: int
    transitions: int
    changes: int = 0


Events = list[tuple[str | None, Any]]


class Histories:
    """The histories of people: the store's joined with what arrived live."""

    def __init__(self, state: SqliteState, schema: Schema, store: Store | None) -> None:
        self.state, self.schema, self.store = state, schema, store

    def join(self, people: list[Carried]) -> int:
        """Gives people their events, and a record to those without one; how many events came from the store alone."""
        profiles = [str(c.profile) for c in people if c.into is None]
        moved = {p: self.state.moved_to(p) for p in profiles}
        asked = {*profiles, *(q for pairs in moved.values() for q, _ in pairs)}
        parts = {p: [p, *self.state.merged_into(p)] for p in asked}
        wanted = {n for names in parts.values() for n in names}
        stored = people_named(self.store, wanted) if self.store is not None else {}
        added = 0
        for carried in people:
            if carried.into is None:
                profile = str(carried.profile)
                gone = set().union(*(self.state.gone(n) for n in parts[profile]))
                theirs = [stored[n] for n in parts[profile] if n in stored]
                events = [
                    (key, d) for s in theirs for d in s.events if (key := d.get("_id")) is None or key not in gone
                ]
                came = {(n, key) for p, key in moved[profile] for n in parts[p] if n in stored}
                events += [(key, d) for n, key in sorted(came) for d in stored[n].events if d.get("_id") == key]
                live = [(key, read_document(raw, self.schema)) for key, raw in self.state.events(profile)]
                carried.events = joined(events, live)
                added += len(carried.events) - len(live)
        return added


def joined(stored: Events, live: Events) -> Events:
    """The store's events, then what arrived live. An event that both have counts once, and as the live one: it came later."""
    keys = {key for key, _ in live if key is not None}
    same = Counter(write_document(d) for key, d in live if key is None)
    found: Events = []
    for key, document in stored:
        if key is None and same and same[content := write_document(document)]:
            same[content] -= 1
        elif key is None or key not in keys:
            found.append((key, document))
    return [*found, *live]


def hand_over(
    state: SqliteState,
    plan: Plan,
    paused: tuple[str, ...] = (),
    store: Store | None = None,
    at: datetime | None = None,
    told: Told | None = None,
) -> HandedOver:
    """Makes the state that of the plan. `at`: the clock of a new state, the store's last event when left out. `told`: called with the
    number of people done. Raises StreamError."""
    before, progress = state.kept(), state.progress()
    if before is not None and store is None and state.has_stored():
        raise StreamError(
            "PQL0631",
            "what the state has from a store would be forgotten by a hand-over from its own events",
            "name the store with `--store FILE`, beside `--migrate` or without it",
        )
    if before is None:
        if at is None:
            at = latest_event(store) if store is not None else None
        progress = replace(progress, clock=micros(at or EPOCH))
    graph = _graph(state, store) if before is None and store is not None else None
    with state.transaction():
        work = _HandOver(state, plan, before or Kept("", ()), kept_of(plan, paused), store, progress, told)
        work.run(graph)
        state.begin(work.after)
        if store is not None:
            state.note_store()
    return HandedOver(
        instant(progress.clock), work.done, work.made - progress.transitions, work.changed - progress.changes
    )


def _graph(state: SqliteState, store: Store) -> GraphKnown | None:
    """What a new state knows of the graph that its people come from: what is otherwise at the first look is to be done about them. None:
    the store has no graph."""
    version = graph_version(store)
    if version is None or not named_graph(store):
        return None
    digests: dict[int, int | None] = dict(part_digests(store))
    state.stage(chain.from_iterable(identities_in(store, range(PARTS))))
    found = tombstones(store)
    return GraphKnown(version, (), digests, found.salt, found.digests)


class _HandOver:
    def __init__(
        self,
        state: SqliteState,
        plan: Plan,
        before: Kept,
        after: Kept,
        store: Store | None,
        progress: Progress,
        told: Told | None,
    ) -> None:
        self.state, self.plan, self.before, self.after, self.store, self.told = state, plan, before, after, store, told
        self.progress, self.made, self.changed, self.done = progress, progress.transitions, progress.changes, 0
        self.profiles, self.timers, self.arrivals = 0, 0, progress.arrivals
        self.clock = instant(progress.clock)
        self.roots = [segment for segment, _ in before.segments]
        self.versions = dict(before.segments)
        self.values = dict(before.attributes)
        self.lost = [a for a in self.values if a not in dict(after.attributes)]
        self.ended = set(self.versions) - dict(after.segments).keys() - set(after.paused)

    def run(self, graph: GraphKnown | None) -> None:
        for chunk in self._chunks():
            self._judge(chunk)
            self.done += len(chunk)
            if self.told is not None:
                self.told(self.done)
        progress = replace(
            self.progress,
            transitions=self.made,
            profiles=self.profiles,
            timers=self.timers,
            arrivals=self.arrivals,
            changes=self.changed,
        )
        self.state.write(Commit(progress, graph=graph))

    # --- who ---
    def _chunks(self) -> Iterator[list[Carried]]:
        """Everybody, those of the state first."""
        known, name = set[str](), ""
        histories = Histories(self.state, self.plan.schema, self.store)
        while names := self.state.names(name, CHUNK):
            name = names[-1]
            known.update(names)
            people = [self._read(row) for row in map(self.state.load, names) if row is not None]
            histories.join(people)
            yield people
        pid = None
        while self.store is not None and (stored := people_after(self.store, pid, CHUNK)):
            pid = stored[-1].pid
            fresh = [p for p in stored if p.name not in known]
            yield [Carried(p.name, p.record, joined([(d.get("_id"), d) for d in p.events], [])) for p in fresh]

    def _read(self, row: Row) -> Carried:
        try:
            return read_state(self.before.fingerprint, self.roots, list(self.values), row.data)
        except StateError as error:
            raise StreamError(error.code, f"profile `{row.profile}`: {error}") from None

    # --- what they are in ---
    def _judge(self, chunk: list[Carried]) -> None:
        """Judges a chunk of people as of the clock's instant, and writes them down."""
        engine = HostedEngine(self.plan)
        engine.resume(self.clock, self.arrivals)
        out: list[Transition] = []
        changes: list[AttributeChange] = []
        for carried in chunk:
            held = self._held(carried)
            out += self._exits(carried, held)
            changes += self._nothing(carried)
            carry_over(engine, carried)
        out += engine.advance(self.clock)
        changes += engine.changes
        rows = []
        for carried in chunk:
            profile = str(carried.profile)
            due, into = engine.due(profile), engine.into(profile)
            rows.append(Row(profile, engine.dump(profile), due, None if into is None else str(into)))
            self.timers += due is not None
        self.profiles += len(rows)
        self.arrivals = engine.arrivals
        self.made += len(out)
        self.changed += len(changes)
        lines = {
            TRANSITIONS: [transition_line(t, self.progress.taken) for t in out],
            ATTRIBUTES: [change_line(c, self.progress.taken) for c in changes],
        }
        self.state.write(Commit(replace(self.progress, transitions=self.made, changes=self.changed), rows, lines=lines))

    def _held(self, carried: Carried) -> dict[str, str]:
        """Takes the memberships of paused segments aside, and gives back those of segments that go on."""
        profile = str(carried.profile)
        held = self.state.paused(profile) if self.before.paused else {}
        now = {s: self.versions[s] for s in carried.members if s in self.after.paused}
        kept = {s: v for s, v in held.items() if s in self.after.paused} | now
        if held or now:
            self.state.hold(profile, kept)
        carried.members = (carried.members - now.keys()) | {s for s in held if s in self.plan.index}
        return held

    def _exits(self, carried: Carried, held: dict[str, str]) -> Iterator[Transition]:
        """The memberships of segments that are no more end."""
        lost = {s: self.versions[s] for s in carried.members if s in self.ended}
        lost |= {s: v for s, v in held.items() if s not in self.after.paused and s not in self.plan.index}
        for segment, version in sorted(lost.items()):
            carried.sequence += 1
            carried.members.discard(segment)
            yield Transition(carried.profile, carried.sequence, segment, "exited", self.clock, "definition", version)

    def _nothing(self, carried: Carried) -> Iterator[AttributeChange]:
        """The values of attributes that are no more become null."""
        for name in self.lost:
            value, _ = carried.values.get(name, (None, None))
            if value is not None and value is not OUT_OF_RANGE:
                carried.changes += 1
                yield AttributeChange(
                    carried.profile, carried.changes, name, None, self.clock, "definition", self.values[name]
                )
