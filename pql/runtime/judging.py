"""Judging: the roots above leaves that turned, at the instant that closes, and the transitions that come of it.

Must not know inputs or cells. Read `Judging._judge`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal

from pql.runtime.attributes import Values
from pql.runtime.cells import FAILED
from pql.runtime.inputs import Cause, Failure, Profile, Transition
from pql.runtime.plan import Plan
from pql.runtime.routing import EVENTS, FAILING, WHOLE
from pql.runtime.state import Person, instant
from pql.runtime.tracing import Tracing
from pql.runtime.wheel import Wheel

REALIZED: Literal["realized"] = "realized"
EXITED: Literal["exited"] = "exited"
_PROFILE = attrgetter("profile")


class Judging:
    """`now`: the clock in microseconds, `_at` the same when somebody has it. `_open`: the profiles with a part in the open instant. `_out`: transitions that nobody has
    taken yet. `_noted`: the profiles that a timer looked at or that were judged, for a host that asks."""

    def __init__(self, plan: Plan, now: int, at: datetime | None) -> None:
        self.plan, self.net, self.now, self._at = plan, plan.network, now, at
        self.wheel = Wheel()
        self.failures: list[Failure] = []
        self._open: list[Person] = []
        self._out: list[Transition] = []
        self._noted: set[Profile] | None = None
        self._evaluator = Tracing(plan.conditions, plan.zone)
        self._values = Values(plan, self._evaluator, self.wheel, self.failures)
        self._turns = plan.network.turns
        self._names = [(r.segment, r.version) for r in plan.roots]

    def _look(self, person: Person, number: int, cause: Cause) -> None:
        """A leaf that is not idle, as it is at the clock's instant, and its timer."""
        raise NotImplementedError

    # --- turning ---
    def _touch(self, person: Person, cause: Cause) -> None:
        """The profile has a part in the open instant."""
        if person.dirty is None:
            person.dirty = []
            self._open.append(person)
        if person.cause not in ("merge", "split"):
            person.cause = cause

    def _turn(self, person: Person, number: int, value: int, cause: Cause) -> None:
        """A leaf turns."""
        person.truth[number] = value
        if value == FAILED:
            person.stale |= FAILING
        if person.dirty is None:
            person.dirty = [number]
            self._open.append(person)
        else:
            person.dirty.append(number)
        if cause != "timer" and person.cause not in ("merge", "split"):
            person.cause = cause

    # --- judging ---
    def _judge_all(self) -> None:
        people = self._open[:]
        self._open.clear()
        try:
            people.sort(key=_PROFILE)
        except TypeError:  # numbers and names: numbers first
            people.sort(key=lambda p: (isinstance(p.profile, str), p.profile))
        for person in people:
            self._judge(person)

    def _instant(self) -> datetime:
        """The clock's instant."""
        if self._at is None:
            self._at = instant(self.now)
        return self._at

    def _judge(self, person: Person) -> None:
        """A profile's roots above the leaves that turned, at the instant that closes."""
        turns, cause, truth, members = self._turns, person.cause or "timer", person.truth, person.members
        if self._noted is not None:
            self._noted.add(person.profile)
        if person.stale or not person.judged or person.into is not None:
            stale = person.stale if person.judged else WHOLE
            self._judge_otherwise(person, cause)
            if self._values.attributes:
                self._values.judge(person, stale, self._instant(), cause)
            return
        dirty = person.dirty or ()
        person.dirty = person.cause = None
        turned: list[int] = []
        for leaf in dirty:
            turns[leaf](truth, members, turned)
        if turned:
            if len(turned) > 1:
                turned.sort()
            self._tell(person, turned, cause)

    def _tell(self, person: Person, roots: Iterable[int], cause: Cause) -> None:
        """The transitions of roots that have turned."""
        at, profile, sequence = self._at or self._instant(), person.profile, person.sequence
        add, names, members = self._out.append, self._names, person.members
        for number in roots:
            sequence += 1
            segment, version = names[number]
            add(Transition(profile, sequence, segment, REALIZED if members[number] else EXITED, at, cause, version))
        person.sequence = sequence

    def _judge_otherwise(self, person: Person, cause: Cause) -> None:
        """A profile that was merged away, is judged for the first time, has leaves that see its documents, or one that is out of range."""
        net, members = self.net, person.members
        if person.into is not None:
            person.dirty = person.cause = None
            leaving = [number for number, holds in enumerate(members) if holds]
            for number in leaving:
                members[number] = 0
            self._tell(person, leaving, cause)
            return
        if person.stale & WHOLE or not person.judged:
            for number in net.plain:
                self._look(person, number, cause)
        elif person.stale & EVENTS:
            bits = person.stale >> net.first_stirring
            while bits:
                self._look(person, net.stirring[(bits & -bits).bit_length() - 1], cause)
                bits &= bits - 1
        dirty, first, truth, base = person.dirty or (), not person.judged, person.truth, person.base
        person.judged, person.stale, person.dirty, person.cause = True, FAILING if FAILED in truth else 0, None, None
        if person.stale or (first and (person.sequence or 1 in members)):
            self._judge_each(person, dirty, first, cause)
            return
        if first:
            members[:] = base.held
        turned: list[int] = []
        for leaf in dirty:
            self._turns[leaf](truth, members, turned)
        turned.sort()
        if not first:
            self._tell(person, turned, cause)
            return
        told = [*base.holding]  # but for what the events have turned
        for number in turned:
            if members[number]:
                insort(told, number)
            else:
                told.remove(number)
        self._tell(person, told, cause)

    def _judge_each(self, person: Person, dirty: Sequence[int], first: bool, cause: Cause) -> None:
        """Roots one by one, where a leaf is out of range or memberships are known to a profile that is judged for the `first` time."""
        net = self.net
        truth, members = person.truth, person.members
        above = (r for n in dirty for r in net.above[n])
        roots: Iterable[int]
        if not first:
            roots = sorted({*above})
        elif person.sequence or 1 in members:
            roots = range(len(net.tests))
        else:
            roots = sorted({*person.base.holding, *person.base.failing, *above})
        failed = FAILED in truth
        told = []
        for number in roots:
            holds = net.tests[number](truth)
            if failed and any(truth[n] == FAILED for n in net.below[number]):
                holds = False
                message = "a sum is outside the range of its type"
                self.failures.append(
                    Failure(person.profile, self.plan.roots[number].segment, self._instant(), "PQL0601", message)
                )
            if holds != members[number]:
                members[number] = holds
                told.append(number)
        self._tell(person, told, cause)
