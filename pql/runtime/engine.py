"""The live engine: inputs in, transitions out, on a clock that is passed in. No I/O, no wall clock, no threads.

Judging: an instant stays open until the clock leaves it (a later input, or `Advance` to it or beyond); then all that happened at it
and all timers due at it are judged together. An event in order is added to the cells that it feeds and turns leaves at once; one
that is late, in the future, corrected or deleted makes the cells anew from the events that are kept. Roots above leaves that turned
are judged when the instant closes. Read `Engine.apply`, `_take`, `_pass`, then `judging.py`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

from pql.runtime.cells import FAILED, NEVER
from pql.runtime.feeding import feed
from pql.runtime.inputs import (
    Advance,
    Cause,
    Deletion,
    Document,
    Event,
    Input,
    Merge,
    Profile,
    Record,
    Split,
    Transition,
)
from pql.runtime.judging import Judging
from pql.runtime.loading import START, load
from pql.runtime.plan import Plan
from pql.runtime.routing import FAILING, TIMERS, WHOLE
from pql.runtime.settled import IDLE, Base
from pql.runtime.shapes import Plain
from pql.runtime.state import EPOCH, KEEP, MARKS, TIMELESS, Kept, Person, instant, microseconds, pack, unpack
from pql.runtime.wheel import LAST


class Engine(Judging):
    """All profiles of one shard. `now`: the clock in microseconds; everything before it is judged, what happened at it may be open."""

    def __init__(self, plan: Plan, clock: datetime | None = None) -> None:
        super().__init__(plan, START if clock is None else microseconds(clock), clock)
        self.people: dict[Profile, Person] = {}
        self.arrivals = 0
        self.fired = 0
        self.changes = self._values.changes
        self._none = bytearray(len(plan.roots))
        self._blank = bytearray(plan.network.base.truth) + bytes(MARKS + 1)

    @property
    def clock(self) -> datetime:
        return datetime.min if self.now == START else instant(self.now)

    # --- inputs ---
    def apply(self, inputs: Iterable[Input]) -> list[Transition]:
        """Takes inputs in the order of arrival; gives the transitions of the instants that are closed by them, in order."""
        self._take(inputs)
        out, self._out = self._out, []
        return out

    def advance(self, to: datetime) -> list[Transition]:
        """Moves the clock and closes all instants up to and including `to`; an earlier `to` closes the clock's instant."""
        return self.apply((Advance(to),))

    def _take(self, inputs: Iterable[Input]) -> None:
        people, wheel, retention, router = self.people, self.wheel, self.net.retention, self.net.router
        opened, fresh, typed, other = self._open, wheel.fresh, router.typed.get, router.other
        for item in inputs:
            if type(item) is not Event:
                self._other(item)
                continue
            document, arrival, key = item.document, item.arrival, item.key
            at = document.get("timestamp")
            if at is None:
                stamp = TIMELESS
            else:
                span = at - EPOCH
                stamp = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
            to = stamp if arrival is None else microseconds(arrival)
            if (now := self.now) < to != TIMELESS:
                if fresh:
                    wheel.sort_in()
                if opened or wheel.earliest < to:
                    self._run(to)
                self.now = now = to
                self._at = arrival or at
            arrived = self.arrivals = self.arrivals + 1
            person = people.get(item.profile)
            if person is None or person.into is not None:
                person = self._person(item.profile)
            route = typed(document.get("eventType"), other)(document)  # type: ignore[arg-type]
            work, weights = route.work, () if route.weigh is None else route.weigh(document)
            id = document.get("_id")
            if key is None:
                key = id
            kept = Kept(stamp, id is None, id or "", arrived, key, route, weights, document if work.whole else None)
            last, events = person.last, person.events
            if not last <= stamp <= now:
                self._disorder(person, kept)
                continue
            if key is not None:
                if person.keys is None and not person.truth[mark := -1 - (hash(key) & MARKS)]:
                    person.truth[mark] = 1
                elif person.knew(key):
                    self._disorder(person, kept)
                    continue
            if last < stamp:
                events.append(kept)
                person.last = stamp
            else:
                insort(events, kept)
            if work.stale:
                person.stale |= work.stale
                self._touch(person, "event")
            elif not person.judged:
                self._touch(person, "event")
            if work.touched and (turned := feed(person, work, stamp, weights, now, fresh.append)):
                if person.dirty is None:
                    person.dirty = turned
                    opened.append(person)
                else:
                    person.dirty += turned
                if person.cause is None or person.cause == "timer":
                    person.cause = "event"
            if retention is not None and not len(events) & KEEP and events[len(events) >> 2].stamp < now - retention:
                person.forget(now - retention)  # a quarter at once

    def _disorder(self, person: Person, kept: Kept) -> None:
        """An event that is late, in the future, or in the place of another."""
        net, old = self.net, None if kept.key is None else person.find(kept.key)
        if not person.judged:
            self._touch(person, "event")
        if old is not None:
            same = (
                old.stamp == kept.stamp
                and old.route is kept.route
                and old.weights == kept.weights
                and old.id == kept.id
            )
            person.remove(old)
            if same and old.document == kept.document and kept.id == kept.key:
                person.insert(kept)  # it came again: of two profiles that are joined, the one that it came to last
                return
        elif net.retention is not None and kept.stamp + net.retention <= self.now:
            return
        person.insert(kept)
        self._touch(person, "event")
        person.stale |= kept.route.work.stale | (0 if old is None else old.route.work.stale)
        self._anew(person, {n for k in (old, kept) if k is not None for n in k.route.work.touched}, "event")

    def _anew(self, person: Person, numbers: Iterable[int], cause: Cause) -> None:
        """Makes cells anew from the kept events, and looks at their leaves."""
        net, alive, truth = self.net, person.base.alive, person.truth
        for number in sorted(numbers):
            if not alive[number]:
                continue
            cell, rows = net.cells[number], []
            for stream in net.feeds[number]:
                timed = net.streams[stream].timed
                rows.append(
                    [
                        (k.stamp if timed else 0, k.route.weight(stream, k.weights))
                        for k in person.events
                        if stream in k.route.streams and not (timed and k.stamp == TIMELESS)
                    ]
                )
            person.cells[number] = cell.made(rows, self.now)
            for watch in cell.watches:
                if truth[watch.number] != IDLE:
                    self._look(person, watch.number, cause)

    def _other(self, item: Input) -> None:
        match item:
            case Advance():
                to = microseconds(item.to)
                if self.now == START:
                    self.now, self._at = to, None
                self._run(max(to, self.now))
                self._run(self.now + 1, stay=True)
                return
            case Event():
                self._take((Event(item.profile, item.document, item.arrival, item.key),))
                return
        if item.arrival is not None:
            to = microseconds(item.arrival)
            if to > self.now:
                self._run(to)
        match item:
            case Deletion():
                person = self._person(item.profile)
                old = person.find(item.key)
                if old is not None:
                    person.remove(old)
                    self._touch(person, "event")
                    person.stale |= old.route.work.stale
                    self._anew(person, old.route.work.touched, "event")
            case Record():
                person = self._person(item.profile)
                if person.record != item.document or not person.judged:
                    self._record(person, item.document, "profile")
            case Merge():
                self._merge(item)
            case Split():
                self._split(item)
            case _:
                assert_never(item)

    def _record(self, person: Person, record: Document | None, cause: Cause) -> None:
        self._touch(person, cause)
        person.record = record
        person.stale |= WHOLE
        base, person.base = person.base, self.net.answers(record)
        if person.base is not base:
            self._settle(person, base, person.base, cause)

    def _settle(self, person: Person, old: Base, new: Base, cause: Cause) -> None:
        """Another record: other truths of the leaves over it, other leaves that can turn a root."""
        truth = person.truth
        if not person.events and not person.judged and not person.dirty:
            truth[: len(new.truth)] = new.truth
            return
        for number, value in new.values:
            if truth[number] != value:
                self._turn(person, number, value, cause)
        waking = set()
        for number, (cell, _) in self.net.watching.items():
            if (old.truth[number] == IDLE) is not (new.truth[number] == IDLE):
                truth[number] = new.truth[number]
                if truth[number] == IDLE:
                    person.armed.pop(number, None)
                else:
                    waking.add(cell.number)
        for number, (was, now) in enumerate(zip(old.alive, new.alive, strict=True)):
            if now and not was:
                waking.add(number)
            elif was and not now:
                person.cells.pop(number, None)
        self._anew(person, waking, cause)

    def _merge(self, item: Merge) -> None:
        target, source = self._person(item.profile), self._person(item.source)
        if target is source:
            if item.record is not None and item.record != target.record:
                self._record(target, item.record, "merge")
            return
        self._move_events(source, target, source.events)
        source.events, source.keys, source.cells, source.armed, source.into = [], None, {}, {}, target.profile
        record = item.record or target.record or source.record
        source.record = None
        self._touch(source, "merge")
        self._record(target, record, "merge")
        self._anew(target, range(len(self.net.cells)), "merge")

    def _move_events(self, source: Person, target: Person, events: list[Kept]) -> None:
        for kept in events:
            old = None if kept.key is None else target.find(kept.key)
            if old is not None:
                if old.arrived > kept.arrived:
                    continue
                target.remove(old)
            target.insert(kept)

    def _split(self, item: Split) -> None:
        person = self._person(item.profile)
        target = self.people.get(item.target)
        if target is None or target.into is not None:
            fresh = self._fresh(item.target)
            if target is not None:
                if target.dirty is not None:  # merged away and split off at one instant
                    self._open.remove(target)
                fresh.sequence, fresh.members, fresh.computed = target.sequence, target.members, target.computed
            target = fresh
        leaving = [k for k in person.events if k.key in item.keys]
        for kept in leaving:
            person.remove(kept)
        self._move_events(person, target, leaving)
        for one, record in ((person, item.record), (target, item.target_record)):
            self._record(one, record, "split")
            self._anew(one, range(len(self.net.cells)), "split")

    def _person(self, profile: Profile) -> Person:
        """The profile, or the one that it was merged into."""
        person = self.people.get(profile)
        while person is not None and person.into is not None:
            person = self.people[person.into]
        return self._fresh(profile) if person is None else person

    def _fresh(self, profile: Profile) -> Person:
        person = self.people[profile] = Person(profile, self._blank[:], self._none[:], self.net.base)
        return person

    # --- leaves ---
    def _look(self, person: Person, number: int, cause: Cause) -> None:
        """A leaf that is not idle, as it is at the clock's instant, and its timer."""
        watching = self.net.watching.get(number)
        if number >= self._values.base:  # the timer of an attribute
            person.stale |= TIMERS
            self._touch(person, person.cause or "timer")
            return
        if watching is None:
            leaf = self.net.leaves[number]
            assert isinstance(leaf, Plain)
            view = person.view() if leaf.events else person.record or {}
            value, horizon = self._evaluator.probe(leaf.test, view, instant(self.now))
            until = NEVER if horizon is None else microseconds(horizon)
        else:
            cell, watch = watching
            state = person.cells.get(cell.number)
            value, until = cell.look(watch, cell.fresh() if state is None else state, self.now)
        if value != person.truth[number]:
            self._turn(person, number, value, cause)
        if until < LAST:
            armed = person.armed.get(number)
            if armed is None or armed > until or (watching is None and armed != until):
                person.armed[number] = until
                self.wheel.add((until, person, number))
        elif watching is None:
            person.armed.pop(number, None)

    # --- the clock ---
    def _run(self, to: int, stay: bool = False) -> None:
        """Judges every instant before `to`, the open one first, and moves the clock there. `stay`: the clock stays."""
        if self.now != START:
            self._pass(to)
            if stay:
                return
        self.now, self._at = to, None

    def _pass(self, to: int) -> None:
        """Every instant before `to` with the timers that are due at it: their leaves, then the profiles that are open. What `_look` does for a leaf
        with a cell is written out, and what `look` of cells does that see events at once."""
        now, wheel, opened, noted, fired = self.now, self.wheel, self._open, self._noted, 0
        due, late, fresh, add = wheel.due, wheel.late, wheel.fresh, wheel.add
        watching, newest = self.net.watching, self.net.newest
        while True:
            if fresh:
                wheel.sort_in()
            at, person, number = due[-1] if due and not late else wheel.peek(to)
            if opened and at > now:
                if len(opened) == 1:
                    self._judge(opened.pop())
                else:
                    self._judge_all()
                if fresh:
                    continue
            if at >= to:
                break
            if late:
                wheel.drop()
            else:
                del due[-1]
            armed = person.armed
            if armed.get(number) != at:
                continue
            del armed[number]
            fired += 1
            if noted is not None:
                noted.add(person.profile)
            if at > now:
                self.now = now = at
                self._at = None
            (place, least, leave, enter), cells, truth = newest[number], person.cells, person.truth
            state, until = cells.get(place), None
            if type(state) is int:
                until = state + leave
            elif state:
                if least:
                    if state[-1] <= now:
                        until = state[-least] + leave if len(state) >= least else now
                else:
                    firsts, seconds = state
                    if not firsts:
                        until = now
                    elif (last := firsts[-1]) + enter <= now and (not seconds or seconds[-1] <= last):
                        until = last + leave
            if until is not None:
                value = 1 if until > now else 0
            elif (found := watching.get(number)) is None:
                self._look(person, number, "timer")
                continue
            else:
                cell, watch = found
                state = cells.get(cell.number)
                value, until = cell.look(watch, cell.fresh() if state is None else state, now)
            if until < LAST and until > now:
                armed[number] = until
                add((until, person, number))
            if value != truth[number]:
                truth[number] = value
                if value == FAILED:
                    person.stale |= FAILING
                if person.dirty is None:
                    person.dirty = [number]
                    opened.append(person)
                else:
                    person.dirty.append(number)
        wheel.earliest, self.fired = at, self.fired + fired

    # --- questions ---
    def members(self, profile: Profile) -> frozenset[str]:
        """The segments that a profile is in, as of the last closed instant."""
        person = self.people.get(profile)
        if person is None:
            return frozenset()
        return frozenset(self.plan.roots[i].segment for i, holds in enumerate(person.members) if holds)

    def values(self, profile: Profile) -> dict[str, Any]:
        """The computed attributes of a profile, as of the last closed instant; null is None."""
        person = self.people.get(profile)
        return {} if person is None else {name: value for name, (value, _) in self._values.of(person).items()}

    def next_due(self) -> datetime | None:
        """Nothing changes by time alone before this instant. None: never."""
        while (entry := self.wheel.peek(LAST))[1] is not None:
            if entry[1].armed.get(entry[2]) == entry[0]:
                return instant(entry[0])
            self.wheel.drop()
        return None

    # --- state ---
    def dump_profile(self, profile: Profile) -> bytes:
        """A profile's state. Call it when no instant is open (after `advance`)."""
        return pack(self.plan.fingerprint, self.now, self.people[profile], self._values.base)

    def load_profile(self, data: bytes) -> Profile:
        """Takes a profile over, as of the instant at which it was dumped: the engine's clock should be there. Raises StateError for
        the state of another plan."""
        return load(self, unpack(self.plan.fingerprint, data))

    def seed(
        self, profile: Profile, record: Document | None, events: Iterable[Document], members: Iterable[str] = ()
    ) -> None:
        """A profile with its history, in the segments given: judged at the clock's instant, where what differs is a transition with
        the cause `definition`. Nothing else is emitted."""
        person = self._fresh(profile)
        for document in events:
            self._put(person, document, document.get("_id"))
        for segment in members:
            if segment in self.plan.index:
                person.members[self.plan.index[segment]] = 1
        self._record(person, record, "definition")
        self._anew(person, range(len(self.net.cells)), "definition")

    def _put(self, person: Person, document: Document, key: str | None) -> None:
        """An event of a profile's history, in the place of an earlier one of that key."""
        self.arrivals += 1
        at, id, route = document.get("timestamp"), document.get("_id"), self.net.router.route(document)
        stamp, weights = TIMELESS if at is None else microseconds(at), self.net.router.weights(route, document)
        old = None if key is None else person.find(key)
        if old is not None:
            person.remove(old)
        whole = document if route.work.whole else None
        person.insert(Kept(stamp, id is None, id or "", self.arrivals, key, route, weights, whole))
