"""Computed attributes, live: the value of each as of every instant that closes, and a change whenever it is another.

A value is evaluated anew when something that it looks at may have changed: the record, an event that one of its filters lets through, or
time, at the horizon that the last evaluation left (its timer). Must not know engines: it is given a profile's state and an instant.
Read `Computed`, then `Values.judge`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pql.ir import nodes as ir
from pql.ir.walk import parts, substitute
from pql.runtime.evaluate import NOW, OutOfRange
from pql.runtime.inputs import AttributeChange, Cause, Failure
from pql.runtime.moving import Moving, MovingDay, Trace, clock, plain
from pql.runtime.retention import is_events
from pql.runtime.shapes import EVENT, Stream, is_own
from pql.runtime.shapes import plain as looks_at
from pql.runtime.state import FIRST, OUT_OF_RANGE, TIMERS, WHOLE, Computation, Packed, Person, instant, microseconds
from pql.runtime.tracing import Tracing
from pql.runtime.wheel import Wheel
from pql.types import DATE, TIMESTAMP, ListType, MapType, ObjectType, ScalarType, Type


class PlanError(Exception):
    """What cannot be kept live (PQL0612)."""

    code = "PQL0612"


@dataclass(frozen=True)
class Computed:
    """An attribute whose changes are wanted. `events`, `clock`: does it look at them? `reach`: how long an event matters to it, in
    microseconds; None: for good. `streams`: events in none of them cannot change it; None: every event may."""

    name: str
    value: ir.Expr
    version: str
    events: bool
    clock: bool
    reach: int | None
    streams: tuple[Stream, ...] | None

    @property
    def still(self) -> bool:
        """Is the value one that cannot hold a part of now, and no list?"""
        return isinstance(self.value.type, ScalarType) and not (self.clock and self.value.type in (DATE, TIMESTAMP))


def computed(name: str, value: ir.Expr, version: str, segments: Mapping[str, ir.Expr]) -> Computed:
    """An attribute made ready. Raises PlanError."""
    if runs(value):
        raise PlanError(f"`{name}` is another value at every instant")
    seen = looks_at(value, segments)
    found: dict[Stream, None] = {}
    narrow = seen.events and _streams(value, segments, found, 0)
    return Computed(
        name,
        value,
        version,
        seen.events,
        seen.clock,
        seen.reach if seen.events else 0,
        tuple(found) if narrow else None,
    )


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


def _streams(e: ir.Expr, segments: Mapping[str, ir.Expr], found: dict[Stream, None], depth: int) -> bool:
    """Adds the streams of the filters that lie right over `xEvent`. False: somewhere events are looked at without one."""
    if depth > 60:
        return False
    match e:
        case ir.Field() if is_events(e):
            return False
        case ir.Var(id=ir.PROFILE):
            return False
        case ir.Field(object=ir.Var(id=ir.PROFILE)):
            return True
        case ir.InSegment():
            return _streams(segments[e.segment], segments, found, depth + 4)
        case ir.Filter() | ir.Exists() if is_events(e.list):
            assert isinstance(e.list.type, ListType)
            event = ir.Var(EVENT, e.list.type.element)
            tests = ir.conjuncts(substitute(e.condition, e.var, event))
            found[Stream(frozenset(t for t in tests if is_own(t)), timed=False)] = None
            return _streams(e.condition, segments, found, depth + 1)
    return all(_streams(part, segments, found, depth + 1) for part in parts(e))


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

    def __init__(
        self, attributes: Sequence[Computed], base: int, evaluator: Tracing, wheel: Wheel, failures: list[Failure]
    ) -> None:
        self.attributes, self.base, self.evaluator, self.wheel, self.failures = (
            attributes,
            base,
            evaluator,
            wheel,
            failures,
        )
        self.changes: list[AttributeChange] = []

    def judge(self, person: Person, stale: int, at: datetime, cause: Cause) -> None:
        """The attributes of a profile at an instant that closes. `stale`: what is other than the last time."""
        if person.into is not None:
            if person.computed is not None:
                for number in range(len(self.attributes)):
                    self._set(person, person.computed, number, None, at, cause)
            return
        own = person.computed
        if own is None:
            own = person.computed = Computation([None] * len(self.attributes), [None] * len(self.attributes))
        view: dict[str, Any] | None = None
        for number, attribute in enumerate(self.attributes):
            due = stale & TIMERS and attribute.clock and self.base + number not in person.armed
            if stale & (WHOLE | FIRST << number) or due:
                if view is None:
                    view = person.view()
                value, until = self._evaluate(attribute, view, at)
                self._arm(person, number, until)
                self._set(person, own, number, value, at, cause)

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

    def _arm(self, person: Person, number: int, until: datetime | None) -> None:
        timer = self.base + number
        if until is None:
            person.armed.pop(timer, None)
        elif person.armed.get(timer) != (due := microseconds(until)):
            person.armed[timer] = due
            self.wheel.add(due, person, timer)

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
            self.wheel.add(due, person, self.base + number)

    def of(self, person: Person) -> dict[str, tuple[Any, datetime | None]]:
        """The values of a profile, and since when each is what it is; None: it was never anything but null."""
        own = person.computed
        if own is None:
            return {a.name: (None, None) for a in self.attributes}
        pairs = zip(self.attributes, own.values, own.since, strict=True)
        return {a.name: (_said(v), None if at is None else instant(at)) for a, v, at in pairs}


def _said(value: Any) -> Any:
    return None if value is OUT_OF_RANGE else value
