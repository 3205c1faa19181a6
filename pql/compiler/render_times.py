"""Clock, calendar and windows as SQL. SEMANTICS section 9.

A part of the renderer: `render.Renderer` puts it together with the rest. Instants are UTC timestamps without a zone.
Read `Times.test_within`.
"""

from __future__ import annotations

from datetime import date, datetime, time

from sqlglot import exp

from pql.clock import CALENDAR, Settings, Zone
from pql.compiler.render_lists import Rendering
from pql.compiler.sql import Sql, both, coalesce, lam, name, not_null
from pql.functions.record import call, cast, number, paren, text
from pql.ir import nodes as ir
from pql.types import TIMESTAMP

MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
FIRST, LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"
SMALL = 40
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Times(Rendering):
    settings: Settings

    def local(self, instant: Sql, safe: bool = False) -> Sql:
        """The wall clock of the project's zone. `safe`: surely inside the calendar."""
        if self.settings.zone == "UTC":
            return instant
        wall = call("timezone", text(self.settings.zone), call("timezone", text("UTC"), instant))
        return wall if safe else self._in_calendar(wall)

    def utc(self, wall: Sql) -> Sql:
        """The instant at which a day of the zone's calendar begins, given its midnight on the wall clock.

        A midnight that comes twice (the clock goes back over it) is the first one; the database takes the second. One
        that does not come at all is the instant at which the clock goes on.
        """
        if self.settings.zone == "UTC":
            return wall
        midnight = self.new_name()
        half_day = call("to_hours", number(12))
        before = exp.Sub(this=name(midnight), expression=half_day)
        earlier = paren(exp.Add(this=self._zoned(paren(before)), expression=half_day.copy()))
        again = exp.EQ(this=self.local(earlier, safe=True), expression=name(midnight))
        chosen = exp.Case(ifs=[exp.If(this=again, true=earlier.copy())], default=self._zoned(name(midnight)))
        made = call("list_transform", call("list_value", wall), lam([midnight], paren(chosen)))
        return call("list_extract", made, number(1))

    def midnight(self, e: ir.Convert) -> Sql:
        """A date's start in the project's zone; that of a literal is worked out here."""
        day = e.operand.value if isinstance(e.operand, ir.Const) else None
        if isinstance(day, date):
            wall = datetime.combine(day, time())
            try:
                return self.value(ir.Const(Zone(self.settings.zone).utc(wall), TIMESTAMP))
            except OverflowError:
                return self.value(ir.Const(None, TIMESTAMP))
        wall_clock = cast(self.value(e.operand), "TIMESTAMP")
        return wall_clock if self.settings.zone == "UTC" else self._in_calendar(self.utc(wall_clock))

    def _zoned(self, wall: Sql) -> Sql:
        return call("timezone", text("UTC"), call("timezone", text(self.settings.zone), wall))

    def value_clock(self, e: ir.Clock) -> Sql:
        return cast(exp.Placeholder(this="now"), "TIMESTAMP")

    def value_truncate(self, e: ir.Truncate) -> Sql:
        if self.settings.zone == "UTC":
            return self._wall(e)
        if e.unit in CALENDAR:
            made = self.utc(self._wall(e))
            return made if near_now(e) else self._in_calendar(made)
        instant = self.value(e.operand)  # a shorter unit is as long as ever when the clock goes back
        wall = self.local(instant.copy(), near_now(e))
        begun = exp.Sub(this=wall, expression=call("date_trunc", text(e.unit), wall.copy()))
        return paren(exp.Sub(this=instant, expression=paren(begun)))

    def _wall(self, e: ir.Expr) -> Sql:
        """An instant, the start of a calendar unit or of a date on the zone's wall clock."""
        safe = near_now(e)
        if isinstance(e, ir.Convert) and e.local:
            return cast(self.value(e.operand), "TIMESTAMP")
        if isinstance(e, ir.Shift) and e.local:
            return self._wall(e.operand) if e.amount == 0 else self._moved(self._wall(e.operand), e, safe)
        if not isinstance(e, ir.Truncate):
            return self.local(self.value(e), safe)
        wall = self.local(self.value(e.operand), safe)
        if e.unit == "week":
            back = WEEKDAYS.index(self.settings.week_start)
            shifted = paren(exp.Sub(this=wall, expression=call("to_days", number(back)))) if back else wall
            start = call("date_trunc", text("week"), shifted)
            start = paren(exp.Add(this=start, expression=call("to_days", number(back)))) if back else start
            return start if safe else self._in_calendar(start)
        if e.unit in ("decade", "century", "millennium"):
            span = MONTHS[e.unit] // 12
            extra = cast(paren(exp.Mod(this=call("year", wall.copy()), expression=number(span))), "INTEGER")
            first = exp.Sub(this=call("date_trunc", text("year"), wall), expression=call("to_years", extra))
            made = cast(paren(first), "TIMESTAMP")
            return made if safe else self._in_calendar(made)
        return cast(call("date_trunc", text(e.unit), wall), "TIMESTAMP")

    def value_shift(self, e: ir.Shift) -> Sql:
        if e.amount == 0:
            return self.value(e.operand)
        safe = near_now(e)
        if not e.local:
            return self._moved(self.value(e.operand), e, safe)
        if self.settings.zone == "UTC":
            return self._wall(e)
        made = self.utc(self._wall(e))
        return made if safe else self._in_calendar(made)

    def _moved(self, value: Sql, e: ir.Shift, safe: bool) -> Sql:
        if e.unit in MONTHS:
            step = call("to_months", number(e.amount * MONTHS[e.unit]))
        elif e.local:
            step = call("to_days", number(e.amount * (7 if e.unit == "week" else 1)))
        else:
            step = call("to_microseconds", cast(text(str(e.amount * MICROSECONDS[e.unit])), "BIGINT"))
        moved = paren(exp.Add(this=value, expression=step))
        return moved if safe else self._in_calendar(moved)

    def _in_calendar(self, instant: Sql) -> Sql:
        """Null outside the years 1 to 9999."""

        def checked(value: Sql) -> Sql:
            inside = exp.Between(this=value, low=_stamp(FIRST), high=_stamp(LAST))
            return paren(exp.Case(ifs=[exp.If(this=inside, true=value.copy())]))

        if sum(1 for _ in instant.walk()) < SMALL:
            return checked(instant)
        once = self.new_name()  # a large one is computed once, and does not double the text at each level
        made = call("list_transform", call("list_value", instant), lam([once], checked(name(once))))
        return call("list_extract", made, number(1))

    def _exact(self, sql: Sql, exact: bool) -> Sql:
        return coalesce(sql, exp.false()) if exact else sql

    def test_within(self, e: ir.Within, exact: bool) -> Sql:
        sides: list[Sql] = []
        if e.lower is not None:
            lower = exp.GTE if e.lower.inclusive else exp.GT
            sides.append(lower(this=self.value(e.operand), expression=self.value(e.lower.instant)))
        if e.upper is not None:
            upper = exp.LTE if e.upper.inclusive else exp.LT
            sides.append(upper(this=self.value(e.operand), expression=self.value(e.upper.instant)))
        return self._exact(both(*sides), exact)

    def _local_day(self, day: ir.Expr) -> Sql:
        if isinstance(day, ir.Convert) and day.operand.type == TIMESTAMP:
            if isinstance(day.operand, ir.Convert) and day.operand.local:
                return self._own_day(day.operand.operand)
            if (date := _ended(day.operand)) is not None:
                return call("nullif", self._own_day(date), cast(text("9999-12-31"), "DATE"))
            return cast(self.local(self.value(day.operand)), "DATE")
        return self.value(day)

    def _day_of(self, instant: ir.Expr) -> Sql:
        """The day of an instant in the project's zone; a date is its own."""
        if isinstance(instant, ir.Convert) and instant.local:
            return self._own_day(instant.operand)
        return cast(self.local(self.value(instant)), "DATE")

    def _own_day(self, day: ir.Expr) -> Sql:
        """A date as a day of the zone: null for the first of the calendar where that day has begun before it, in the east."""
        try:
            Zone(self.settings.zone).utc(datetime.min)
        except OverflowError:
            return call("nullif", self.value(day), cast(text("0001-01-01"), "DATE"))
        return self.value(day)

    def test_yearless(self, e: ir.Yearless, exact: bool) -> Sql:
        first, last = self._local_day(e.first), self._local_day(e.last)
        if e.skip in ("first", "both"):
            first = paren(exp.Add(this=first, expression=number(1)))
        if e.skip in ("last", "both"):
            last = paren(exp.Sub(this=last, expression=number(1)))
        day = month_day(self._day_of(e.operand))
        low, high = month_day(first), month_day(last)
        if e.shape == "before":
            return self._exact(paren(exp.LT(this=day, expression=low)), exact)
        if e.shape in ("after", "from"):
            node = exp.GT if e.shape == "after" else exp.GTE
            return self._exact(paren(node(this=day, expression=high if e.shape == "after" else low)), exact)
        if e.whole_months:
            tomorrow = month_day(paren(exp.Add(this=last.copy(), expression=number(1))))
            high = exp.Case(
                ifs=[exp.If(this=exp.EQ(this=tomorrow, expression=number(301)), true=number(229))], default=high
            )
        straight = exp.LTE(this=low.copy(), expression=high.copy())
        over = exp.GT(this=low.copy(), expression=high.copy())
        inside = exp.Between(this=day.copy(), low=low.copy(), high=high.copy())
        gap = exp.Between(this=day, low=paren(exp.Add(this=high, expression=number(1))),
                          high=paren(exp.Sub(this=low, expression=number(1))))  # fmt: skip
        around = exp.If(this=over, true=paren(exp.Not(this=paren(gap))))
        ring = exp.Case(ifs=[exp.If(this=straight, true=inside), around])
        span = paren(exp.Sub(this=last.copy(), expression=first.copy()))
        whole = exp.GTE(this=span.copy(), expression=number(365))
        none = exp.And(this=exp.LT(this=span, expression=number(0)), expression=exp.Boolean(this=bool(e.skip)))
        known = not_null(self.local(self.value(e.operand)))
        cases = [exp.If(this=paren(none), true=exp.false()), exp.If(this=whole, true=known)]
        return self._exact(paren(exp.Case(ifs=cases, default=ring)), exact)


def _ended(e: ir.Expr) -> ir.Expr | None:
    """The date whose last microsecond the instant is: the days of a window end so. Its morrow must be in the calendar."""
    if not (isinstance(e, ir.Shift) and (e.amount, e.unit) == (-1, "microsecond")):
        return None
    morrow = e.operand
    if not (isinstance(morrow, ir.Shift) and (morrow.amount, morrow.unit, morrow.local) == (1, "day", True)):
        return None
    start = morrow.operand
    return start.operand if isinstance(start, ir.Convert) and start.local else None


def near_now(e: ir.Expr) -> bool:
    """Is the instant a few centuries from now at most, so surely inside the calendar?"""
    return _years_from_now(e) < 900


def _years_from_now(e: ir.Expr) -> float:
    if isinstance(e, ir.Clock):
        return 0
    if isinstance(e, ir.Truncate):
        return _years_from_now(e.operand) + _years(1, e.unit)
    if isinstance(e, ir.Shift):
        return _years_from_now(e.operand) + _years(abs(e.amount), e.unit)
    return float("inf")


def _years(amount: int, unit: str) -> float:
    return amount * MONTHS[unit] / 12 if unit in MONTHS else amount * MICROSECONDS[unit] / 31_000_000_000_000


def _stamp(value: str) -> Sql:
    return cast(text(value), "TIMESTAMP")


def month_day(day: Sql) -> Sql:
    month = paren(exp.Mul(this=call("month", day.copy()), expression=number(100)))
    return paren(exp.Add(this=month, expression=call("day", day)))
