"""Computed attributes, live: the value of each as of every instant that closes, and a change whenever it is another.

A value is evaluated anew when something that it looks at may have changed: the record, an event that one of its filters lets through, or
time, at the horizon that the last evaluation left (its timer). Must not know engines: it is given a profile's state and an instant.
Read `Computed`, then `Values.judge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pql.clock import Zone
from pql.ir import nodes as ir
from pql.ir.walk import parts
from pql.runtime.cells import INTEGER_LIMIT, NUMBER_LIMIT
from pql.runtime.dates import Dates
from pql.runtime.evaluate import NOW, OutOfRange
from pql.runtime.inputs import AttributeChange, Cause, Failure
from pql.runtime.moving import Moving, MovingDay, Trace, clock, plain
from pql.runtime.relevance import looked_at
from pql.runtime.routing import FIRST, TIMERS, WHOLE
from pql.runtime.shapes import FOREVER, Span, Stream, keeps_order, weighed
from pql.runtime.shapes import plain as looks_at
from pql.runtime.state import (
    OUT_OF_RANGE,
    TIMELESS,
    Computation,
    Packed,
    Person,
    instant,
    microseconds,
)
from pql.runtime.tracing import Tracing
from pql.runtime.wheel import LAST, Wheel
from pql.types import DATE, DOUBLE, NUMBER, TIMESTAMP, ListType, MapType, ObjectType, ScalarType, Type

if TYPE_CHECKING:
    from pql.runtime.plan import Plan


class PlanError(Exception):
    """What cannot be kept live (PQL0612)."""

    code = "PQL0612"


@dataclass(frozen=True)
class Tally:
    """A count or a sum over events alone: the weights of the events of a stream that are active at now. No document is kept for it.
    `scaled`: weights are millionths of a number."""

    stream: Stream
    span: Span
    scaled: bool


@dataclass(frozen=True)
class Computed:
    """An attribute whose changes are wanted. `events`, `clock`: does it look at them? `reach`: how long an event matters to it, in
    microseconds; None: for good. `streams`: events in none of them cannot change it; None: every event may. `tally`: how
    it follows from what events weigh, when it does."""

    name: str
    value: ir.Expr
    version: str
    events: bool
    clock: bool
    reach: int | None
    streams: tuple[Stream, ...] | None
    tally: Tally | None = None

    @property
    def still(self) -> bool:
        """Is the value one that cannot hold a part of now, and no list?"""
        return isinstance(self.value.type, ScalarType) and not (self.clock and self.value.type in (DATE, TIMESTAMP))


def computed(name: str, value: ir.Expr, version: str, segments: Mapping[str, ir.Expr], zone: Zone) -> Computed:
    """An attribute made ready. Raises PlanError."""
    if runs(value):
        raise PlanError(f"`{name}` is another value at every instant")
    if (tally := _tally(value, zone)) is not None:
        reach, moves = tally.span.reach, tally.span != Span()
        return Computed(
            name, value, version, True, moves, None if reach >= FOREVER // 2 else reach, (tally.stream,), tally
        )
    seen = looks_at(value, segments)
    return Computed(
        name,
        value,
        version,
        seen.events,
        seen.clock,
        seen.reach if seen.events else 0,
        looked_at(value, segments) if seen.events else None,
    )


def _tally(value: ir.Expr, zone: Zone) -> Tally | None:
    """The form of a count or a sum, where each event adds what it adds whatever the others are."""
    if not isinstance(value, ir.Aggregate) or value.function not in ("count", "sum") or value.type == DOUBLE:
        return None
    found = weighed(value.list, value if value.function == "sum" else None)
    if found is None or found[1].enter >= found[1].leave or not keeps_order(found[1], zone):
        return None
    stream, span = found
    return Tally(stream, span, value.type == NUMBER)


def runs(value: ir.Expr) -> bool:
    """Can a value be another at every instant: now itself, or something at a fixed distance from it? Never no when it is."""
    return _runs(value, {})


def _runs(e: ir.Expr, known: Mapping[int, bool]) -> bool:
    if not _timely(e.type):
        return False
    match e:
        case ir.Clock():
            return True
        case ir.Truncate():
            return False
        case ir.Var():
            return known.get(e.id, False)
        case ir.Convert() if e.operand.type == DATE:
            return False
        case ir.Let():
            return _runs(e.body, {**known, e.var: _runs(e.value, known)})
        case ir.Transform():
            return _runs(e.body, {**known, e.var: _runs(e.list, known)})
    return any(_runs(part, known) for part in parts(e))


def _timely(kind: Type, depth: int = 0) -> bool:
    """May a value of a type hold an instant?"""
    if isinstance(kind, ScalarType):
        return kind == TIMESTAMP
    if isinstance(kind, ListType):
        return _timely(kind.element, depth)
    if isinstance(kind, MapType):
        return _timely(kind.value, depth)
    if isinstance(kind, ObjectType) and depth < 8:
        return any(_timely(f.type, depth + 1) for f in kind.fields.values())
    return True


def _settled(value: Any) -> Any:
    """A value that stands still: parts of now noted and made plain, pairs as lists."""
    if isinstance(value, Moving):
        return plain(value.touch())
    if isinstance(value, MovingDay):
        return value.touch()
    if isinstance(value, dict):
        return {k: _settled(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_settled(v) for v in value]
    return value


class Values:
    """The attributes of an engine's profiles. `base`: the number of the first one's timer. `changes`: whoever embeds the engine takes from
    them."""

    def __init__(self, plan: Plan, evaluator: Tracing, wheel: Wheel, failures: list[Failure]) -> None:
        self.attributes, self.base = plan.attributes, len(plan.network.leaves)
        self.evaluator, self.wheel, self.failures = evaluator, wheel, failures
        streams = zip(plan.attributes, plan.network.attributes, strict=True)
        self.tallied = [of[0] if a.tally is not None and of else -1 for a, of in streams]
        self.dates = [
            Dates(a.tally.span, evaluator) if a.tally and a.tally.span.ends else None for a in self.attributes
        ]
        self.changes: list[AttributeChange] = []

    def judge(self, person: Person, stale: int, at: datetime, cause: Cause) -> None:
        """The attributes of a profile at an instant that closes. `stale`: what is other than the last time."""
        if person.into is not None:
            self.end(person, at, cause)
            return
        own = person.computed
        if own is None:
            own = person.computed = Computation([None] * len(self.attributes), [None] * len(self.attributes))
        view: dict[str, Any] | None = None
        for number, attribute in enumerate(self.attributes):
            due = stale & TIMERS and attribute.clock and self.base + number not in person.armed
            if stale & (WHOLE | FIRST << number) or due:
                if attribute.tally is not None:
                    value, until = _added(
                        person, attribute.tally, self.dates[number], self.tallied[number], microseconds(at)
                    )
                else:
                    if view is None:
                        view = person.view()
                    value, horizon = self._evaluate(attribute, view, at)
                    until = None if horizon is None else microseconds(horizon)
                self._arm(person, number, until)
                self._set(person, own, number, value, at, cause)

    def end(self, person: Person, at: datetime, cause: Cause) -> None:
        """A profile that is no more has no values."""
        if person.computed is not None:
            for number in range(len(self.attributes)):
                self._set(person, person.computed, number, None, at, cause)

    def _evaluate(self, attribute: Computed, view: Mapping[str, Any], at: datetime) -> tuple[Any, datetime | None]:
        """A value as of an instant, and the instant before which time alone does not change it."""
        trace = Trace(at)
        value: Any = OUT_OF_RANGE
        try:
            value = self.evaluator.value(attribute.value, {ir.PROFILE: view, NOW: clock(trace)})
            if not attribute.still:
                value = _settled(value)
        except OutOfRange:
            pass
        return value, trace.horizon

    def _arm(self, person: Person, number: int, due: int | None) -> None:
        timer = self.base + number
        if due is None or due >= LAST:
            person.armed.pop(timer, None)
        elif person.armed.get(timer) != due:
            person.armed[timer] = due
            self.wheel.add((due, person, timer))

    def _set(self, person: Person, own: Computation, number: int, value: Any, at: datetime, cause: Cause) -> None:
        before = own.values[number]
        if value is before or (value is not OUT_OF_RANGE and value == before):
            return
        attribute = self.attributes[number]
        own.values[number] = value
        if value is OUT_OF_RANGE:
            message = "a sum is outside the range of its type"
            self.failures.append(Failure(person.profile, "", at, "PQL0601", message, attribute.name))
        if _said(value) is None and _said(before) is None:
            return
        own.sequence += 1
        own.since[number] = microseconds(at)
        self.changes.append(
            AttributeChange(person.profile, own.sequence, attribute.name, _said(value), at, cause, attribute.version)
        )

    def load(self, person: Person, packed: Packed) -> None:
        """The attributes of a profile as its bytes have them, and their timers."""
        if packed.computed is None:
            return
        values, since, sequence, timers = packed.computed
        person.computed = Computation(values, since, sequence)
        for number, due in timers:
            person.armed[self.base + number] = due
            self.wheel.add((due, person, self.base + number))

    def of(self, person: Person) -> dict[str, tuple[Any, datetime | None]]:
        """The values of a profile, and since when each is what it is; None: it was never anything but null."""
        own = person.computed
        if own is None:
            return {a.name: (None, None) for a in self.attributes}
        pairs = zip(self.attributes, own.values, own.since, strict=True)
        return {a.name: (_said(v), None if at is None else instant(at)) for a, v, at in pairs}


def _added(person: Person, tally: Tally, dates: Dates | None, stream: int, now: int) -> tuple[Any, int | None]:
    """The weights of the events that are active, and when an event becomes active or is so no more."""
    total, until = 0, FOREVER
    timed, enter, leave = tally.stream.timed, tally.span.enter, tally.span.leave
    for kept in person.events:
        if stream not in kept.route.streams:
            continue
        if timed:
            if kept.stamp == TIMELESS:
                continue
            begin, end = (kept.stamp + enter, kept.stamp + leave) if dates is None else dates.of(kept.stamp)
            if begin >= end or end <= now:
                continue
            if begin > now:
                until = min(until, begin)
                continue
            until = min(until, end)
        total += kept.route.weight(stream, kept.weights)
    value = _counted(total, tally.scaled)
    return value, until if until < FOREVER // 2 else None


def _counted(total: int, scaled: bool) -> Any:
    if scaled:
        return Decimal(total).scaleb(-6) if abs(total) < NUMBER_LIMIT else OUT_OF_RANGE
    return total if -INTEGER_LIMIT <= total < INTEGER_LIMIT else OUT_OF_RANGE


def _said(value: Any) -> Any:
    return None if value is OUT_OF_RANGE else value
