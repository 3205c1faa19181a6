"""The plain evaluator on a clock that leaves a trace: a value, and the instant before which time alone cannot change it.

Only what computes with a moving instant (shifting, truncating, its days and date parts) is said anew here; comparisons note
themselves (`moving.py`), everything else is the plain evaluator's. Read `Tracing.trace`, then `next_flip`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from pql.clock import CALENDAR, MICROSECONDS, MONTHS, Zone, month_day, shift
from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime.evaluate import NOW, Evaluator, OutOfRange, Slots, on_ring
from pql.runtime.moving import (
    DAY,
    MICRO,
    Moving,
    MovingDay,
    Trace,
    clock,
    micros,
    midnight,
    moving,
    moving_day,
    plain,
    sooner,
)
from pql.runtime.offsets import next_change, widest
from pql.runtime.ways_back import (
    EDGE,
    breaks,
    first_of_days,
    first_of_hours,
    first_reaching,
    inside,
    last_change,
    next_unit,
    same_distance,
    shifted,
    shown_from,
    start_of,
    steady_until,
    unit_from,
    unit_reaching,
)
from pql.types import DATE, STRING, TIMESTAMP, ListType

DATE_PARTS = {"getYear": "year", "getMonth": "month", "getDayOfMonth": "day", "dayOfWeek": "day"}
MONTH_DAYS = 146_097 / 4_800
LONGEST = {"month": 31, "year": 366, "decade": 3_653, "century": 36_525, "millennium": 365_243, "week": 7}


SEASONS = 370
"""How many pieces (mostly days) of a window that ignores the year are looked through for a turn: a year and some."""


def _horizon(trace: Trace) -> datetime | None:
    """The horizon, which is always later: at the ends of the calendar, where the way back may be lost, a second at a time."""
    trace.edges.clear()  # they hold the trace
    if trace.horizon is not None and trace.horizon <= trace.now:
        return trace.later(1_000_000)
    return trace.horizon


class Pieces:
    """The days of a window that ignores the year, as the clock moves: the same for every profile, worked out once."""

    def __init__(self, evaluator: Tracing, e: ir.Yearless) -> None:
        self.evaluator, self.e = evaluator, e
        self.starts: list[datetime] = []
        self.known: list[tuple[datetime | None, date | None, date | None]] = []

    def at(self, now: datetime, day: int) -> tuple[datetime | None, bool]:
        """(when the window's days change next, does it hold the day now)"""
        i = bisect_right(self.starts, now) - 1
        end = self.known[i][0] if i >= 0 else now
        if i < 0 or (end is not None and end <= now):
            i += 1
            trace = Trace(now)
            slots = {NOW: clock(trace)}
            first, last = self.evaluator._day(self.e.first, slots), self.evaluator._day(self.e.last, slots)
            if len(self.starts) > 4 * SEASONS:
                self.starts, self.known, i = [], [], 0
            self.starts.insert(i, now)
            self.known.insert(i, (_horizon(trace), first, last))
        end, first, last = self.known[i]
        return end, on_ring(self.e, day, first, last)


class Tracing(Evaluator):
    """An evaluator whose `now` moves. Not shared between threads."""

    def __init__(self, segments: Mapping[str, ir.Expr] | None = None, zone: Zone | None = None) -> None:
        super().__init__(segments, zone)
        self._pieces: dict[int, Pieces] = {}
        self._clock_only: dict[int, tuple[bool, Any]] = {}
        """By the identity of a part of the plan, which is kept here so that nothing else takes its place."""

    def trace(self, e: ir.Expr, person: Mapping[str, Any], now: datetime) -> tuple[Any, datetime | None]:
        """(value, horizon) as of `now`, for a profile with its ordered `xEvent`. The value is the same at every instant from
        `now` up to the horizon (not included); None: forever."""
        trace = Trace(now)
        value = self.value(e, {ir.PROFILE: person, NOW: clock(trace)})
        return value, _horizon(trace)

    def probe(self, e: ir.Expr, person: Mapping[str, Any], now: datetime) -> tuple[int, datetime | None]:
        """A test's answer, 1 or 0, or 2 where a sum is out of range, and its horizon."""
        trace = Trace(now)
        try:
            value = int(self.value(e, {ir.PROFILE: person, NOW: clock(trace)}) is True)
        except OutOfRange:
            value = 2
        return value, _horizon(trace)

    def next_flip(
        self, e: ir.Expr, person: Mapping[str, Any], now: datetime, steps: int = 64
    ) -> tuple[bool, datetime | None, bool]:
        """(the test's value, the first later instant at which it is another, is that certain). When not certain after so
        many steps, the instant is one at which to look again."""
        value, at = self.trace(e, person, now)
        for _ in range(steps):
            if at is None:
                return value is True, None, True
            then, later = self.trace(e, person, at)
            if (then is True) != (value is True):
                return value is True, at, True
            at = later
        return value is True, at, at is None

    # --- moving an instant ---
    def on_shift(self, e: ir.Shift, v: Slots) -> Any:
        anchor = _anchor(e)
        if isinstance(anchor, ir.Truncate):
            return self._unit_start(e, v)
        if isinstance(anchor, ir.Convert) and anchor.local:
            return super().on_shift(_with_anchor(e, ir.Const(self._still(anchor.operand, v), DATE)), v)
        x = self.value(e.operand, v)
        if e.local and self.zone.name != "UTC":
            return self._moved_on_the_wall(x, e)
        if not isinstance(x, Moving):
            return None if x is None else shift(x, e.amount, e.unit)
        start = plain(x)
        moved = shift(start, e.amount, e.unit)
        low, high = self._distance(e)
        if moved is None:
            self._absent(x, e)
            return None
        if e.amount > 0:
            self._leaving(x, high)
        bounds = (x.low + low, x.high + high)
        if e.unit not in MONTHS:
            reach = timedelta(microseconds=low)
            return moving(moved, x.trace, lambda to: _reached(x, to, reach), bounds, x.slope, x.until, x.steady)
        months = e.amount * MONTHS[e.unit]
        if inside(moved) and inside(start):
            end: datetime | None = steady_until(start, months)
        else:
            self._step(x)
            end = start + timedelta(seconds=1) if inside(start) else None
        until = sooner(x.until, _after(x, start, end)) if x.slope else x.until
        steady = sooner(x.steady, x.back(end) if end is not None else None)
        if steady is not None and steady <= x.trace.now:
            steady = x.until or x.trace.later(1)

        def back(to: datetime) -> datetime | None:
            at = x.back(first_reaching(to, months))
            if at is None or at > x.trace.now:
                return at
            there = shifted(start, to - moved)
            return x.back(there if end is None else min(there, end))

        return moving(moved, x.trace, back, bounds, x.slope, until, steady)

    def _still(self, e: ir.Expr, v: Slots) -> Any:
        """A day, noted to be of use as long as it is the same."""
        day = self.value(e, v)
        return day.touch() if isinstance(day, MovingDay) else day

    def _moved_on_the_wall(self, x: Any, e: ir.Shift) -> Any:
        """An instant moved by months on the zone's wall clock: a fixed distance until the month's length, or the offset here or there, is
        another. Around a change of the offset the result may jump or fall, so both of its ends are looked at again."""
        start = plain(x) if isinstance(x, Moving) else x
        wall = None if start is None else self._local(start)
        there = None if wall is None else shift(wall, e.amount, e.unit)
        moved = self._utc(there)
        if not isinstance(x, Moving):
            return moved
        if wall is None or there is None or moved is None:
            self._absent(x, e)
            return None
        low, high = self._distance(e)
        slack = self._slack()
        if e.amount > 0:
            self._leaving(x, high + slack)
        if inside(moved) and inside(start):
            end: datetime | None = self._wall_steady_until(start, wall, moved, e.amount * MONTHS[e.unit])
        else:
            self._step(x)
            end = start + timedelta(seconds=1) if inside(start) else None
        until = sooner(x.until, _after(x, start, end)) if x.slope else x.until
        steady = sooner(x.steady, x.back(end) if end is not None else None)
        if steady is not None and steady <= x.trace.now:
            steady = x.until or x.trace.later(1)

        def back(to: datetime) -> datetime | None:
            reached = shifted(start, to - moved)
            return x.back(reached if end is None else min(reached, end))

        bounds = (x.low + low - 2 * slack, x.high + high + 2 * slack)
        return moving(moved, x.trace, back, bounds, x.slope, until, steady)

    def _wall_steady_until(self, start: datetime, wall: datetime, moved: datetime, months: int) -> datetime:
        """The first later instant at which months on the wall clock may be another distance."""
        around = timedelta(microseconds=self._slack())
        ends = [shifted(start, steady_until(wall, months) - wall)]
        if (change := next_change(self.zone.name, start)) is not None:
            ends.append(change)
        for near in (next_change(self.zone.name, moved - around), next_change(self.zone.name, moved)):
            for at in () if near is None else (near, near + around):
                if at > moved:
                    ends.append(shifted(start, at - moved))
        return min(ends)

    def _unit_start(self, e: ir.Shift, v: Slots) -> Any:
        """A calendar unit's start moved by units on the wall clock: it stands still while the instant stays in its unit. The starts of
        units shorter than a day fall where the month's end clamps their day, and where the clock that comes out leaves an hour out."""
        low, high, peak, unit = 0, 0, 0, e.operand
        shifts = [e]
        while isinstance(unit, ir.Shift):
            shifts.append(unit)
            unit = unit.operand
        assert isinstance(unit, ir.Truncate)
        x = self.value(unit.operand, v)
        here = {**v, -3: plain(x) if isinstance(x, Moving) else x}
        inner: ir.Expr = ir.Truncate(ir.Var(-3, TIMESTAMP), unit.unit)
        for s in reversed(shifts):
            distance = self._distance(s)
            low, high = low + distance[0], high + distance[1]
            peak = max(peak, high)
            inner = ir.Shift(inner, s.amount, s.unit, True)
        shown = self._wall(inner, here)
        found = self._utc(shown)
        if not isinstance(x, Moving):
            return found
        if peak > 0:
            self._leaving(x, peak)
        floor = self._floor(x, unit.unit, self.zone)
        if found is None or floor is None or shown is None:
            x.trace.limit(floor.until if floor is not None else x.until)
            return None
        furthest, more = timedelta(microseconds=high), timedelta(microseconds=self._slack())
        bounds = (floor.low + low - self._slack(), floor.high + high + self._slack())
        start, steady = plain(x), floor.steady
        if not inside(start) or not inside(found):
            return moving(
                found, x.trace, lambda to: _reached(floor, to - more, furthest), bounds, 0, floor.until, steady
            )
        wall = self.zone.local(start)
        unit_start, clamped = same_distance(wall, shifts, unit.unit, self.zone)
        change = next_change(self.zone.name, start)

        def reaching(to: datetime | None) -> datetime | None:
            first = None if to is None else unit_reaching(to, shifts, unit.unit, self.zone)
            if to is not None and first is not None and first <= wall:
                first = unit_from(shifted(unit_start, to - shown), unit.unit, self.zone)
                first = sooner(first, clamped)
            at = sooner(change, None if first is None else shifted(start, first - wall))
            return None if at is None else x.back(at)

        def back(to: datetime) -> datetime | None:
            if not inside(to):
                return _reached(floor, to - more, furthest)
            return reaching(shown_from(to, shown, self.zone, more))

        if unit.unit not in CALENDAR:
            falls = [reaching(w) for w in breaks(found, self.zone, more) if w > shown]
            for at in (*falls, None if clamped is None else x.back(shifted(start, clamped - wall))):
                steady = sooner(steady, at)
            if steady is not None and steady <= x.trace.now:
                steady = floor.until or x.trace.later(1)
        return moving(found, x.trace, back, bounds, 0, floor.until, steady)

    def _slack(self) -> int:
        return 0 if self.zone.name == "UTC" else widest(self.zone.name)

    def _distance(self, e: ir.Shift) -> tuple[int, int]:
        """Bounds of how far a shift moves any instant."""
        if not e.amount:
            return 0, 0
        if e.unit in MONTHS:
            mean = int(e.amount * MONTHS[e.unit] * MONTH_DAYS * DAY)
            return mean - 9 * DAY, mean + 9 * DAY
        return e.amount * MICROSECONDS[e.unit], e.amount * MICROSECONDS[e.unit]

    def _leaving(self, x: Moving, high: int) -> None:
        """Notes when a shift may leave the calendar: from then on it is null, which no comparison notices."""
        last = micros(datetime.max - EDGE - x.trace.now) - high - x.high - DAY
        if last > 0:
            x.trace.limit_after(last)
        else:
            self._step(x)

    def _absent(self, x: Moving, e: ir.Shift) -> None:
        """Notes when a shift out of the calendar may be back in it: from below only."""
        if e.amount < 0:
            zone = self.zone if e.local else Zone()
            try:
                earliest = zone.local(datetime.min)
            except OverflowError:
                earliest = datetime.min
            if e.unit in MONTHS:
                wall = first_reaching(earliest, e.amount * MONTHS[e.unit])
            else:
                wall = shifted(earliest, -e.amount * MICROSECONDS[e.unit] * MICRO)
            if wall < datetime.max - EDGE:
                first = zone.utc(wall)
                x.stays(None, first) if first > plain(x) else self._step(x)
        if x.steady is not None:
            x.trace.limit(x.steady)

    def _step(self, x: Moving) -> None:
        """At the ends of the calendar: a second at a time, whatever is asked."""
        x.trace.limit_after(1_000_000)

    def on_truncate(self, e: ir.Truncate, v: Slots) -> Any:
        x = self.value(e.operand, v)
        if not isinstance(x, Moving):
            return None if x is None else start_of(x, e.unit, self.zone)
        return self._floor(x, e.unit, self.zone)

    def _floor(self, x: Moving, unit: str, zone: Zone) -> Moving | None:
        start = plain(x)
        floor = start_of(start, unit, zone)
        end = self._unit_end(x, start, unit, zone)
        if floor is None:
            x.stays(None, end)
            return None
        until = sooner(x.until, _after(x, start, end)) if x.slope else x.until
        longest = LONGEST[unit] * DAY if unit in LONGEST else MICROSECONDS[unit]
        slack = self._slack() if zone.name != "UTC" and unit in CALENDAR else 0
        bounds = (x.low - longest - slack + 1, x.high + slack)
        steady = x.steady
        if zone.name != "UTC":
            change = next_change(zone.name, start) if inside(start) else start
            steady = sooner(steady, None if change is None else x.back(change))
            if steady is not None and steady <= x.trace.now:
                steady = until or x.trace.later(1)
        return moving(floor, x.trace, lambda to: _floor_reached(x, to, unit, zone, slack), bounds, 0, until, steady)

    def _unit_end(self, x: Moving, start: datetime, unit: str, zone: Zone) -> datetime | None:
        """The first later instant of the operand that may lie in another calendar unit of the zone."""
        if not inside(start):
            self._step(x)
            return start + timedelta(seconds=1) if start < datetime.max - EDGE else None
        wall = zone.local(start)
        following = next_unit(wall, unit, zone)
        end = None if following is None else start + (following - wall)
        return end if zone.name == "UTC" else sooner(end, next_change(zone.name, start))

    # --- days and date parts ---
    def local_day(self, instant: datetime) -> date | None:
        if not isinstance(instant, Moving):
            return super().local_day(instant)
        return self._within_unit(instant, "day")

    def _within_unit(self, x: Moving, unit: str) -> date | None:
        """The local day of a moving instant, noted to be of use as long as its calendar unit is the same."""
        start = plain(x)
        floor = start_of(start, unit, self.zone)
        change = None if self.zone.name == "UTC" or not inside(start) else last_change(self.zone.name, start)
        first = floor if change is None or floor is None else max(change, floor)
        x.stays(first or start, self._unit_end(x, start, unit, self.zone))
        return super().local_day(start)

    def _day(self, e: ir.Expr, v: Slots) -> date | None:
        day = super()._day(e, v)
        return day.touch() if isinstance(day, MovingDay) else day

    def on_yearless(self, e: ir.Yearless, v: Slots) -> bool:
        at = self.value(e.operand, v)
        if at is None or isinstance(at, Moving) or not self._by_clock(e, e.first, e.last):
            return super().on_yearless(e, v)
        own = super().local_day(at)
        if own is None:
            return False
        day, trace = month_day(own), v[NOW].trace
        pieces = self._pieces.setdefault(id(e), Pieces(self, e))
        now, end, found = trace.now, *pieces.at(trace.now, day)
        for _ in range(SEASONS):
            if end is None:
                return found
            now = end
            end, other = pieces.at(now, day)
            if other != found:
                break
        trace.limit(now)
        return found

    def _by_clock(self, e: ir.Yearless | ir.Edge, *parts: ir.Expr) -> bool:
        """Do the parts of a window depend on nothing but the clock?"""
        known = self._clock_only.get(id(e))
        if known is None:
            only = not any(isinstance(n, ir.Var | ir.InSegment) for part in parts for n in walk(part))
            known = self._clock_only[id(e)] = (only, e)
        return known[0]

    def edge(self, e: ir.Edge, v: Slots) -> Any:
        now = v.get(NOW)
        if not isinstance(now, Moving) or not self._by_clock(e, e.instant):
            return super().edge(e, v)
        edges = now.trace.edges
        if id(e) not in edges:
            edges[id(e)] = super().edge(e, v)
        return edges[id(e)]

    def on_convert(self, e: ir.Convert, v: Slots) -> Any:
        if e.local:
            return super().on_convert(replace(e, operand=ir.Const(self._still(e.operand, v), DATE)), v)
        value = self.value(e.operand, v)
        if isinstance(value, Moving | MovingDay):
            return self._converted(value, e.type)
        if isinstance(value, list) and isinstance(e.type, ListType) and any(map(_moves, value)):
            rest = ir.Convert(ir.Var(-2, e.operand.type.element), e.type.element)  # type: ignore[union-attr]
            return [self.on_convert(rest, {-2: x}) for x in value]
        return super().on_convert(ir.Convert(ir.Const(value, e.operand.type), e.type), v)

    def _converted(self, value: Moving | MovingDay, target: Any) -> Any:
        if isinstance(value, MovingDay):
            if target == TIMESTAMP:
                return midnight(value)
            return value.touch().isoformat() if target == STRING else value
        if target != DATE:
            return value
        start = self._floor(value, "day", Zone())
        assert start is not None
        return moving_day(start)

    def call(self, e: ir.Call, args: list[Any]) -> Any:
        if e.function in DATE_PARTS and args and _moves(args[0]):
            x = args[0]
            if isinstance(x, MovingDay):
                day: date | None = x.touch()
            else:
                day = self._within_unit(x, DATE_PARTS[e.function])
            return super().call(ir.Call(e.function, (ir.Const(day, DATE),), e.type), [day])
        if e.function in ("distinct", "intersection") and any(map(_moves, args[0] or [])):
            kept: list[Any] = []
            for item in args[0]:
                if item is not None and not any(item == k for k in kept):
                    kept.append(item)
            return kept if e.function == "distinct" else [x for x in kept if x in (args[1] or [])]
        return super().call(e, args)

    def on_groupby(self, e: ir.GroupBy, v: Slots) -> Any:
        items = self.items(e.list, v)
        keys = [self.value(e.key, {**v, e.var: x}) for x in items]
        groups: list[tuple[Any, list[Any]]] = []
        index: dict[Any, list[Any]] = {}
        linear = any(map(_moves, keys))
        for key, x in zip(keys, items, strict=True):
            if key is None:
                continue
            group = next((g for k, g in groups if k == key), None) if linear else index.get(key)
            if group is None:
                group = []
                groups.append((key, group))
                if not linear:
                    index[key] = group
            group.append(x)
        return groups


def _moves(x: Any) -> bool:
    return isinstance(x, Moving | MovingDay)


def _after(x: Moving, start: datetime, end: datetime | None) -> datetime | None:
    """When a moving instant of slope 1 is `end`."""
    return None if end is None else x.trace.later(micros(end - start))


def _reached(x: Moving, to: datetime, distance: timedelta) -> datetime | None:
    """When x + distance may be `to`."""
    try:
        return x.back(to - distance)
    except OverflowError:
        return None if distance < timedelta(0) else x.back(datetime.min)


def _floor_reached(x: Moving, to: datetime, unit: str, zone: Zone, slack: int) -> datetime | None:
    """When the floor of x may be `to` or later: when x is at the first unit's start from `to` on."""
    if not inside(to):
        return x.back(max(to, datetime.min + EDGE) - timedelta(microseconds=slack))
    wall = zone.local(to)
    floor = start_of(wall, unit, Zone("UTC", zone.week_start))
    ceiling = wall if floor == wall else next_unit(wall, unit, zone)
    if ceiling is None:
        return None
    start = to + (ceiling - wall)
    if zone.name != "UTC":
        around = timedelta(microseconds=slack + MICROSECONDS.get(unit, DAY))
        change = next_change(zone.name, to - around)
        if change is not None and change <= start + around:
            first = first_of_hours(to, unit, zone) if unit not in CALENDAR else first_of_days(to, unit, zone, slack)
            return None if first is None else x.back(first)
    return x.back(start)


def _anchor(e: ir.Expr) -> ir.Expr:
    """What local shifts start from."""
    while isinstance(e, ir.Shift) and e.local:
        e = e.operand
    return e


def _with_anchor(e: ir.Shift, day: ir.Expr) -> ir.Shift:
    """The shifts over the start of another day."""
    inner = e.operand
    if isinstance(inner, ir.Shift):
        return replace(e, operand=_with_anchor(inner, day))
    assert isinstance(inner, ir.Convert)
    return replace(e, operand=replace(inner, operand=day))
