"""The live engine: inputs in, transitions out, on a clock that is passed in. No I/O, no wall clock, no threads.

Judging: an instant stays open until the clock leaves it (a later input, or `Advance` to it or beyond); then all that happened at it
and all timers due at it are judged together. A root is judged by its value and its horizon (`tracing.py`); the earliest horizon of a
profile is its timer. Read `Engine.apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from pql.runtime.evaluate import OutOfRange
from pql.runtime.inputs import (
    Advance,
    Cause,
    Deletion,
    Document,
    Event,
    Failure,
    Input,
    Merge,
    Profile,
    Record,
    Split,
    Transition,
)
from pql.runtime.plan import Plan
from pql.runtime.state import Kept, Person, pack, unpack
from pql.runtime.timers import Timers
from pql.runtime.tracing import Tracing

START = datetime.min
"""The clock of an engine that has seen no instant yet: what comes without one waits for the first."""


class Engine:
    """All profiles of one shard. `clock`: everything before it is judged; what happened at it may still be open."""

    def __init__(self, plan: Plan, clock: datetime = START) -> None:
        self.plan, self.clock = plan, clock
        self.people: dict[Profile, Person] = {}
        self.timers = Timers()
        self.arrivals = 0
        self.failures: list[Failure] = []
        self._open: dict[Profile, Cause] = {}
        self._out: list[Transition] = []
        self._evaluator = Tracing(plan.conditions, plan.zone)

    # --- inputs ---
    def apply(self, inputs: Iterable[Input]) -> list[Transition]:
        """Takes inputs in the order of arrival; gives the transitions of the instants that are closed by them, in order."""
        for item in inputs:
            self._take(item)
        return self._drain()

    def advance(self, to: datetime) -> list[Transition]:
        """Moves the clock and closes all instants up to and including `to`; an earlier `to` closes the clock's instant."""
        return self.apply((Advance(to),))

    def _drain(self) -> list[Transition]:
        out, self._out = self._out, []
        return out

    def _take(self, item: Input) -> None:
        match item:
            case Advance():
                self._move(item.to)
                self._close(self.clock)
            case Event():
                self._event(item)
            case Deletion():
                self._move(item.arrival)
                person = self._person(item.profile)
                at = person.find(item.key)
                if at is not None:
                    del person.events[at]
                    self._touch(person, "event")
            case Record():
                self._move(item.arrival)
                person = self._person(item.profile)
                if person.record != item.document or not person.judged:
                    person.record = item.document
                    self._touch(person, "profile")
            case Merge():
                self._move(item.arrival)
                self._merge(item)
            case Split():
                self._move(item.arrival)
                self._split(item)
            case _:
                assert_never(item)

    def _event(self, item: Event) -> None:
        stamp = item.document.get("timestamp")
        self._move(item.arrival or stamp)
        self.arrivals += 1
        key = item.key if item.key is not None else item.document.get("_id")
        person = self._person(item.profile)
        if person.put(Kept(key, self.arrivals, item.document)) or not person.judged:
            self._touch(person, "event")

    def _merge(self, item: Merge) -> None:
        target, source = self._person(item.profile), self._person(item.source)
        if target is source:
            if item.record is not None and item.record != target.record:
                target.record = item.record
                self._touch(target, "merge")
            return
        for kept in source.events:
            target.put(kept)
        target.record = item.record or target.record or source.record
        source.events, source.record, source.into = [], None, target.profile
        self._touch(source, "merge")
        self._touch(target, "merge")

    def _split(self, item: Split) -> None:
        person = self._person(item.profile)
        target = self.people.get(item.target) or Person(item.target)
        self.people[item.target] = target
        target.into = None
        leaving = [k for k in person.events if k.key in item.keys]
        person.events = [k for k in person.events if k.key not in item.keys]
        for kept in leaving:
            target.put(kept)
        person.record, target.record = item.record, item.target_record
        self._touch(person, "split")
        self._touch(target, "split")

    def _person(self, profile: Profile) -> Person:
        """The profile, or the one that it was merged into."""
        person = self.people.get(profile)
        while person is not None and person.into is not None:
            person = self.people[person.into]
        if person is None:
            person = self.people[profile] = Person(profile)
        return person

    def _touch(self, person: Person, cause: Cause) -> None:
        if self._open.get(person.profile) not in ("merge", "split"):
            self._open[person.profile] = cause

    # --- the clock ---
    def _move(self, to: datetime | None) -> None:
        """Closes every instant before `to`."""
        if to is None or to <= self.clock:
            return
        if self.clock == START:
            self.clock = to
            return
        self._close(self.clock)
        while (due := self.timers.next()) is not None and due < to:
            self.clock = max(due, self.clock)
            self._close(self.clock)
        self.clock = to

    def _close(self, at: datetime) -> None:
        """Judges all that is open or due at an instant, profile by profile."""
        while True:
            causes: dict[Profile, Cause] = {p: "timer" for p in self.timers.take(at)}
            causes.update(self._open)
            self._open = {}
            if not causes:
                return
            for profile in sorted(causes, key=lambda p: (isinstance(p, str), p)):
                self._judge(self.people[profile], at, causes[profile])

    def _judge(self, person: Person, at: datetime, cause: Cause) -> None:
        if person.into is not None:
            roots: Iterator[int] = iter(sorted(person.members))
        elif cause == "timer":
            roots = iter([i for i in sorted(person.horizons) if person.horizons[i] <= at])
        else:
            roots = iter(range(len(self.plan.roots)))
        view = person.view()
        person.judged = True
        for i in roots:
            holds = person.into is None and self._holds(person, view, i, at)
            if holds != (i in person.members):
                self._emit(person, i, holds, at, cause)
        if person.into is not None:
            person.horizons = {}
        self.timers.set(person.profile, person.due())

    def _holds(self, person: Person, view: Document, i: int, at: datetime) -> bool:
        root = self.plan.roots[i]
        try:
            value, horizon = self._evaluator.trace(root.condition, view, at)
        except OutOfRange as error:
            self.failures.append(Failure(person.profile, root.segment, at, "PQL0601", str(error)))
            value, horizon = False, None
        if horizon is None:
            person.horizons.pop(i, None)
        else:
            person.horizons[i] = horizon
        return value is True

    def _emit(self, person: Person, i: int, holds: bool, at: datetime, cause: Cause) -> None:
        root = self.plan.roots[i]
        person.members.symmetric_difference_update((i,))
        person.sequence += 1
        status = "realized" if holds else "exited"
        self._out.append(
            Transition(person.profile, person.sequence, root.segment, status, at, cause, root.version)  # type: ignore[arg-type]
        )

    # --- questions ---
    def members(self, profile: Profile) -> frozenset[str]:
        """The segments that a profile is in, as of the last closed instant."""
        person = self.people.get(profile)
        return frozenset() if person is None else frozenset(self.plan.roots[i].segment for i in person.members)

    def next_due(self) -> datetime | None:
        """Nothing changes by time alone before this instant. None: never."""
        return self.timers.next()

    # --- state ---
    def dump_profile(self, profile: Profile) -> bytes:
        """A profile's state. Call it when no instant is open (after `advance`)."""
        return pack(self.plan.fingerprint, self.people[profile])

    def load_profile(self, data: bytes) -> Profile:
        """Takes a profile over. Raises StateError for the state of another plan."""
        person = unpack(self.plan.fingerprint, data)
        self.people[person.profile] = person
        self.arrivals = max([self.arrivals, *(k.arrived for k in person.events)])
        self.timers.set(person.profile, person.due())
        return person.profile

    def seed(
        self, profile: Profile, record: Document | None, events: Iterable[Document], members: Iterable[str] = ()
    ) -> None:
        """A profile with its history, in the segments given: judged at the clock's instant, where what differs is a transition with
        the cause `definition`. Nothing else is emitted."""
        person = self.people[profile] = Person(profile, record)
        for document in events:
            self.arrivals += 1
            person.put(Kept(document.get("_id"), self.arrivals, document))
        person.members = {self.plan.index[s] for s in members if s in self.plan.index}
        self._open[profile] = "definition"
