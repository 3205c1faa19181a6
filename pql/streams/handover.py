"""Other segments than those a state was kept for, or a new state over a store's history: who is in what at the clock's instant, and
exactly the difference as transitions of the cause `definition`. Read `hand_over`.

History is the store's joined with what arrived live (`joined`). One transaction; killed in the middle, it has not begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pql.runtime.hosting import Carried, HostedEngine, carry_over, read_state
from pql.runtime.inputs import Transition
from pql.runtime.plan import Plan
from pql.runtime.state import StateError
from pql.store.history import StoredPerson, latest_event, people_after, people_named
from pql.store.store import Store
from pql.streams.errors import StreamError
from pql.streams.plans import kept_of
from pql.streams.running import transition_line
from pql.streams.sqlite import SqliteState
from pql.streams.state import TRANSITIONS, Commit, Kept, Progress, Row, instant, micros

CHUNK = 500
"""People at a time."""
Told = Callable[[int], None]


@dataclass(frozen=True)
class HandedOver:
    """What a hand-over did."""

    at: datetime
    people: int
    transitions: int


def joined(carried: Carried, stored: Iterable[StoredPerson], gone: set[str]) -> Carried:
    """A profile's history: the store's, then what arrived live. An event that both have counts once, and as the live one: it came
    later; the same for the record. `gone`: keys of events that were deleted, or left with a split."""
    live = carried.events
    keys = {key for key, _ in live if key is not None} | gone
    same = Counter(_content(d) for key, d in live if key is None)
    record, events = carried.record, []
    for person in stored:
        record = record if record is not None else person.record
        for document in person.events:
            key = document.get("_id")
            if key is None and same[_content(document)]:
                same[_content(document)] -= 1
            elif key is None or key not in keys:
                events.append((key, document))
    return replace(carried, record=record, events=[*events, *live])


def _content(document: Any) -> str:
    return repr(sorted(document.items()))


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
    if before is None:
        if at is None:
            at = latest_event(store) if store is not None else None
        progress = replace(progress, clock=micros(at or datetime.min))
    with state.transaction():
        work = _HandOver(state, plan, before or Kept("", ()), kept_of(plan, paused), store, progress, told)
        work.run()
        state.begin(work.after)
    return HandedOver(instant(progress.clock), work.done, work.made - progress.transitions)


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
        self.progress, self.made, self.done = progress, progress.transitions, 0
        self.profiles, self.timers, self.arrivals = 0, 0, progress.arrivals
        self.clock = instant(progress.clock)
        self.roots = [segment for segment, _ in before.segments]
        self.versions = dict(before.segments)
        self.ended = set(self.versions) - dict(after.segments).keys() - set(after.paused)

    def run(self) -> None:
        for chunk in self._chunks():
            self._judge(chunk)
            self.done += len(chunk)
            if self.told is not None:
                self.told(self.done)
        progress = replace(
            self.progress, transitions=self.made, profiles=self.profiles, timers=self.timers, arrivals=self.arrivals
        )
        self.state.write(Commit(progress))

    # --- who ---
    def _chunks(self) -> Iterator[list[tuple[Carried, str | None]]]:
        """Everybody, those of the state first; with what happened to them that is not judged yet."""
        known, name = set[str](), ""
        while names := self.state.names(name, CHUNK):
            name = names[-1]
            known.update(names)
            yield self._kept_people(names)
        pid = None
        while self.store is not None and (people := people_after(self.store, pid, CHUNK)):
            pid = people[-1].pid
            fresh = [p for p in people if p.name not in known]
            yield [(joined(Carried(p.name), [p], set()), None) for p in fresh]

    def _kept_people(self, names: list[str]) -> list[tuple[Carried, str | None]]:
        parts = {n: self.state.merged_into(n) for n in names}
        wanted = {*names, *(p for ps in parts.values() for p in ps)}
        stored = people_named(self.store, wanted) if self.store is not None else {}
        found = []
        for name in names:
            row = self.state.load(name)
            assert row is not None
            carried = self._read(row)
            if carried.into is None:
                group = [name, *parts[name]]
                gone = set().union(*(self.state.gone(n) for n in group))
                carried = joined(carried, [stored[n] for n in group if n in stored], gone)
            found.append((carried, row.cause))
        return found

    def _read(self, row: Row) -> Carried:
        try:
            return read_state(self.before.fingerprint, self.roots, row.data)
        except StateError as error:
            raise StreamError(error.code, f"profile `{row.profile}`: {error}") from None

    # --- what they are in ---
    def _judge(self, chunk: list[tuple[Carried, str | None]]) -> None:
        """Judges a chunk of people as of the clock's instant, and writes them down."""
        engine = HostedEngine(self.plan, self.clock)
        engine.arrivals = self.arrivals
        out: list[Transition] = []
        for carried, cause in chunk:
            held = self._held(carried)
            out += self._exits(carried, held)
            carry_over(engine, carried, cause or "definition")  # type: ignore[arg-type]
        out += engine.advance(self.clock) if self.clock > datetime.min else []
        rows = []
        for carried, _ in chunk:
            profile = str(carried.profile)
            due, into = engine.due(profile), engine.into(profile)
            at = None if due is None else micros(due)
            cause = engine.opened.get(profile)
            rows.append(Row(profile, engine.dump_profile(profile), at, cause, None if into is None else str(into)))
            self.timers += at is not None
        self.profiles += len(rows)
        self.arrivals = engine.arrivals
        self.made += len(out)
        lines = {TRANSITIONS: [transition_line(t, self.progress.taken) for t in out]}
        self.state.write(Commit(replace(self.progress, transitions=self.made), rows, lines=lines))

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
