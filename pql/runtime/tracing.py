"""The plain evaluator on a clock that leaves a trace: a value, and the instant before which time alone cannot change it.

Only what computes with a moving instant (shifting, truncating, its days and date parts) is said anew here; comparisons note
themselves (`moving.py`), everything else is the plain evaluator's. Read `Tracing.trace`, then `next_flip`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pql.clock import MICROSECONDS, MONTHS, Zone, add_months, shift, truncate
from pql.ir import nodes as ir
from pql.runtime.evaluate import NOW, Evaluator, Slots
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
from pql.runtime.offsets import next_change, next_wall_change
from pql.types import DATE, STRING, TIMESTAMP, ListType

DATE_PARTS = {"getYear": "year", "getMonth": "month", "getDayOfMonth": "day", "dayOfWeek": "day"}
MONTH_DAYS = 146_097 / 4_800
LONGEST = {"month": 31, "year": 366, "decade": 3_653, "century": 36_525, "millennium": 365_243, "week": 7}
EDGE = timedelta(days=3)


class Tracing(Evaluator):
    """An evaluator whose `now` moves. Not shared between threads."""

    def trace(self, e: ir.Expr, person: Mapping[str, Any], now: datetime) -> tuple[Any, datetime | None]:
        """(value, horizon) as of `now`, for a profile with its ordered `xEvent`. The value is the same at every instant from
        `now` up to the horizon (not included); None: forever."""
        trace = Trace(now)
        value = self.value(e, {ir.PROFILE: person, NOW: clock(trace)})
        return value, trace.horizon

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
        x = self.value(e.operand, v)
        if not isinstance(x, Moving):
            return None if x is None else shift(x, e.amount, e.unit, e.local, self.zone)
        moved = shift(plain(x), e.amount, e.unit, e.local, self.zone)
        low, high = self._distance(e)
        if moved is None:
            self._absent(x, e)
            return None
        until = x.until
        if x.slope:
            until = sooner(until, self._shift_piece(x, moved, e))
        if e.amount > 0:
            self._leaving(x, e)
        return moving(moved, x.trace, x.slope, until, x.low + low, x.high + high)

    def _leaving(self, x: Moving, e: ir.Shift) -> None:
        """Notes when a shift may leave the calendar: from then on it is null, which no comparison notices."""
        _, high = self._distance(e)
        last = micros(datetime.max - EDGE - x.trace.now) - high - x.high - DAY
        if last > 0:
            x.trace.limit_after(last)
        else:
            x.trace.limit(x.until if not x.slope else self._step(x))

    def _distance(self, e: ir.Shift) -> tuple[int, int]:
        """Bounds of how far a shift moves any instant."""
        slack = 2 * DAY if e.local and self.zone.name != "UTC" else 0
        if e.unit in MONTHS:
            mean = int(e.amount * MONTHS[e.unit] * MONTH_DAYS * DAY)
            return mean - 9 * DAY - slack, mean + 9 * DAY + slack
        whole = e.amount * MICROSECONDS[e.unit]
        return whole - slack, whole + slack

    def _absent(self, x: Moving, e: ir.Shift) -> None:
        """A shift out of the calendar: it comes back only from below."""
        if not x.slope or self._local(e):
            x.trace.limit(x.until if not x.slope else sooner(x.until, self._step(x)))
        elif e.amount < 0 and e.unit in MONTHS:
            index = 12 - e.amount * MONTHS[e.unit]
            if index // 12 <= 9999:
                back = datetime(index // 12, index % 12 + 1, 1)
                x.trace.limit_after(micros(back - plain(x)))
        elif e.amount < 0:
            reach = -e.amount * MICROSECONDS[e.unit]
            x.trace.limit_after(reach - micros(plain(x) - datetime.min))
        x.trace.limit(x.until)

    def _local(self, e: ir.Shift) -> bool:
        return e.local and self.zone.name != "UTC"

    def _step(self, x: Moving) -> datetime | None:
        """At the ends of the calendar: a second at a time, whatever is asked."""
        at = x.trace.later(1_000_000)
        x.trace.limit(at)
        return at

    def _shift_piece(self, x: Moving, moved: datetime, e: ir.Shift) -> datetime | None:
        """How long the distance of a shift stays the same, with a moving operand."""
        trace, start = x.trace, plain(x)
        if not (_inside(moved) and _inside(start)):
            return self._step(x)
        wall = self.zone.local(start) if e.local else start
        ends = []
        if e.unit in MONTHS:
            ends.append(trace.later(micros(_steady_until(wall, e.amount * MONTHS[e.unit]) - wall)))
        else:
            ends.append(trace.later(micros(datetime.max - EDGE - moved)))
        if self._local(e) and (e.unit in MONTHS or e.unit in ("day", "week")):
            ends.append(self._offset_piece(x, start))
            shifted = shift(wall, e.amount, e.unit, True, Zone())
            change = None if shifted is None else next_wall_change(self.zone.name, shifted)
            if change is not None and shifted is not None:
                ends.append(trace.later(micros(change - shifted)))
        found: datetime | None = None
        for end in ends:
            found = sooner(found, end)
        return found

    def _offset_piece(self, x: Moving, start: datetime) -> datetime | None:
        change = next_change(self.zone.name, start)
        return None if change is None else x.trace.later(micros(change - start))

    def on_truncate(self, e: ir.Truncate, v: Slots) -> Any:
        x = self.value(e.operand, v)
        if not isinstance(x, Moving):
            return None if x is None else truncate(x, e.unit, self.zone)
        start = plain(x)
        floor = truncate(start, e.unit, self.zone)
        until = x.until
        if x.slope:
            until = sooner(until, self._unit_piece(x, start, e.unit))
        if floor is None:
            x.trace.limit(until)
            return None
        longest = LONGEST[e.unit] * DAY if e.unit in LONGEST else MICROSECONDS[e.unit]
        slack = 0 if self.zone.name == "UTC" else 2 * DAY
        return moving(floor, x.trace, 0, until, x.low - longest - slack, x.high + slack)

    def _unit_piece(self, x: Moving, start: datetime, unit: str) -> datetime | None:
        """When a moving instant enters the next calendar unit of the zone."""
        if not _inside(start):
            return self._step(x)
        wall = self.zone.local(start)
        following = _next_unit(wall, unit, self.zone)
        end = None if following is None else x.trace.later(micros(following - wall))
        return end if self.zone.name == "UTC" else sooner(end, self._offset_piece(x, start))

    # --- days and date parts ---
    def local_day(self, instant: datetime) -> date:
        if not isinstance(instant, Moving):
            return self.zone.local(instant).date()
        start = plain(instant)
        instant.trace.limit(sooner(instant.until, self._unit_piece(instant, start, "day") if instant.slope else None))
        return self.zone.local(start).date()

    def _day(self, e: ir.Expr, v: Slots) -> date | None:
        day = super()._day(e, v)
        return day.touch() if isinstance(day, MovingDay) else day

    def on_convert(self, e: ir.Convert, v: Slots) -> Any:
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
        start, until = plain(value), value.until
        if value.slope:
            if start > datetime.max - EDGE:
                until = sooner(until, self._step(value))
            else:
                next_day = datetime(start.year, start.month, start.day) + timedelta(days=1)
                until = sooner(until, value.trace.later(micros(next_day - start)))
        return moving_day(start.date(), value.trace, until, value.low - DAY, value.high)

    def call(self, e: ir.Call, args: list[Any]) -> Any:
        if e.function in DATE_PARTS and args and _moves(args[0]):
            x = args[0]
            if isinstance(x, MovingDay):
                day = x.touch()
            else:
                unit = DATE_PARTS[e.function]
                start = plain(x)
                x.trace.limit(sooner(x.until, self._unit_piece(x, start, unit) if x.slope else None))
                try:
                    day = self.zone.local(start).date()
                except OverflowError:
                    return None
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


def _inside(instant: datetime) -> bool:
    """Not within reach of the ends of the calendar."""
    return datetime.min + EDGE <= instant <= datetime.max - EDGE


def _moves(x: Any) -> bool:
    return isinstance(x, Moving | MovingDay)


def _steady_until(wall: datetime, months: int) -> datetime:
    """The first later wall time at which adding months is another distance: where clamping begins or changes, or a new month."""
    moved = add_months(wall, months)
    assert moved is not None
    if moved.day < wall.day:
        return _midnight_after(wall)
    month_start = wall.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = add_months(month_start, 1) or datetime.max
    there = add_months(month_start, months)
    assert there is not None
    following = add_months(there, 1)
    days = (following - there).days if following is not None else 31
    return min(next_month, month_start + timedelta(days=days))


def _midnight_after(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _next_unit(wall: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the next calendar unit, in wall time."""
    flat = Zone("UTC", zone.week_start)
    floor = truncate(wall, unit, flat)
    try:
        if floor is None:
            return datetime(MONTHS[unit] // 12, 1, 1)
        return add_months(floor, MONTHS[unit]) if unit in MONTHS else floor + MICROSECONDS[unit] * MICRO
    except OverflowError:
        return None
