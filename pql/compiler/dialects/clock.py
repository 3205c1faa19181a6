"""Instants, calendar units and windows in portable SQL. SEMANTICS section 9.

Instants are zone-less timestamps in UTC. A dialect says how to move an instant (`move`), where a unit starts (`start`) and
what the parts of a date are (`part`); zones other than UTC are a dialect's own affair. Must not know lists. Read `Clocks`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlglot import exp

from pql.clock import CALENDAR
from pql.compiler.dialects.part import Part
from pql.compiler.dialects.scope import Sql
from pql.functions.record import call, number, paren, text
from pql.ir import nodes as ir
from pql.types import TIMESTAMP

MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = ("second", "minute", "hour", "day", "week", "month", "year")
FURTHEST_YEARS = 200
_PER_YEAR = {"microsecond": 3.2e13, "millisecond": 3.2e10, "second": 3.2e7, "minute": 525_600, "hour": 8_760, "day": 365,
             "week": 52}  # fmt: skip


class Clocks(Part):
    def instant(self, value: datetime) -> Sql:
        return self.cast(text(value.isoformat(sep=" ")), TIMESTAMP)

    def value_clock(self, e: ir.Clock) -> Sql:
        return self.cast(self.parameter(), TIMESTAMP)

    def parameter(self) -> Sql:
        return exp.Placeholder(this="now")

    def zone(self, instant: Sql, zone: str, back: bool, node: ir.Expr) -> Sql:
        """The wall clock of a zone, or `back` from it to UTC."""
        raise self.refuse(f"the zone `{zone}`", "only UTC has a proven form", node)

    def local(self, instant: Sql, node: ir.Expr, back: bool = False) -> Sql:
        zone = self.settings.zone
        return instant if zone == "UTC" else self.zone(instant, zone, back, node)

    def value_shift(self, e: ir.Shift) -> Sql:
        value = self.value(e.operand)
        if e.amount == 0:
            return value
        years = e.amount * MONTHS[e.unit] / 12 if e.unit in MONTHS else e.amount / _PER_YEAR[e.unit]
        if abs(years) > FURTHEST_YEARS:
            raise self.refuse(f"a distance over {FURTHEST_YEARS} years", "engines end their calendars differently", e)
        if not e.local:
            return self._moved(value, e)
        return self.utc(self._wall(e), e)

    def _wall(self, e: ir.Expr) -> Sql:
        """The start of a calendar unit on the zone's wall clock."""
        if isinstance(e, ir.Shift) and e.local:
            return self._wall(e.operand) if e.amount == 0 else self._moved(self._wall(e.operand), e)
        if isinstance(e, ir.Convert) and e.local:
            return self.cast(self.value(e.operand), TIMESTAMP)
        if not isinstance(e, ir.Truncate):
            return self.local(self.value(e), e)
        wall = self.local(self.value(e.operand), e)
        if e.unit != "week":
            return self.start(wall, e.unit)
        back = WEEKDAYS.index(self.settings.week_start)
        start = self.start(self.move(wall, -back, "day") if back else wall, "week")
        return self.move(start, back, "day") if back else start

    def _moved(self, value: Sql, e: ir.Shift) -> Sql:
        if e.unit in MONTHS:
            return self.move(value, e.amount * MONTHS[e.unit], "month")
        if e.unit == "week":
            return self.move(value, e.amount * 7, "day")
        return self.move(value, e.amount, e.unit)

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        """Moved by months (day clamped to the month's end) or by a fixed unit."""
        return paren(exp.Add(this=value, expression=call(f"to_{unit}s", number(amount))))

    def value_truncate(self, e: ir.Truncate) -> Sql:
        if e.unit not in UNITS:
            raise self.refuse(f"the unit `{e.unit}`", "it has no proven form here", e)
        if self.settings.zone != "UTC" and e.unit not in CALENDAR:
            instant = self.value(e.operand)
            wall = self.local(instant, e)
            return paren(exp.Sub(this=instant.copy(), expression=paren(self._since(wall, e.unit))))
        return self.utc(self._wall(e), e)

    def _since(self, wall: Sql, unit: str) -> Sql:
        return exp.Sub(this=wall, expression=self.start(wall.copy(), unit))

    def utc(self, wall: Sql, node: ir.Expr) -> Sql:
        """The instant at which a day begins, given its midnight; the first one where the clock goes back over it."""
        if self.settings.zone == "UTC":
            return wall
        morning = self.local(self.move(wall.copy(), -12, "hour"), node, back=True)
        earlier = self.move(morning, 12, "hour")
        again = exp.EQ(this=self.local(earlier, node), expression=wall.copy())
        return exp.Case(ifs=[exp.If(this=again, true=earlier.copy())], default=self.local(wall, node, back=True))

    def start(self, value: Sql, unit: str) -> Sql:
        """The start of the unit; weeks start on Monday."""
        return self.cast(call("DATE_TRUNC", text(unit), value), TIMESTAMP)

    def part(self, name: str, value: Sql) -> Sql:
        """YEAR, MONTH or DAY of a date or timestamp, as an integer."""
        return exp.Extract(this=exp.Var(this=name), expression=value)

    def weekday(self, value: Sql) -> Sql:
        """Monday 1 to Sunday 7."""
        return self.part("ISODOW", value)

    def _receiver(self, e: ir.Call) -> Sql:
        value = self.value(e.args[0])
        return self.local(value, e) if e.args[0].type == TIMESTAMP else value

    def call_getyear(self, e: ir.Call) -> Sql:
        return self.part("YEAR", self._receiver(e))

    def call_getmonth(self, e: ir.Call) -> Sql:
        return self.part("MONTH", self._receiver(e))

    def call_getdayofmonth(self, e: ir.Call) -> Sql:
        return self.part("DAY", self._receiver(e))

    def call_dayofweek(self, e: ir.Call) -> Sql:
        return self.weekday(self._receiver(e))

    def call_date(self, e: ir.Call) -> Sql:
        raise self.refuse("`date` of computed parts", "a day that does not exist must give null", e)

    # --- windows ---
    def test_within(self, e: ir.Within, exact: bool) -> Sql:
        sides: list[Sql] = []
        if e.lower is not None:
            lower = exp.GTE if e.lower.inclusive else exp.GT
            sides.append(lower(this=self.value(e.operand), expression=self.value(e.lower.instant)))
        if e.upper is not None:
            upper = exp.LTE if e.upper.inclusive else exp.LT
            sides.append(upper(this=self.value(e.operand), expression=self.value(e.upper.instant)))
        both = sides[0] if len(sides) == 1 else exp.And(this=sides[0], expression=sides[1])
        return self.exact(paren(both), exact)

    def _day(self, day: ir.Expr) -> Sql:
        """The start of a day given as the date of an instant."""
        instant = day.operand if isinstance(day, ir.Convert) and day.operand.type == TIMESTAMP else None
        if instant is None:
            return self.cast(self.value(day), TIMESTAMP)
        if isinstance(instant, ir.Shift) and (instant.amount, instant.unit) == (-1, "microsecond"):
            end = instant.operand
            aligned = isinstance(end, ir.Shift) and (end.local or self.settings.zone == "UTC")
            if aligned and isinstance(end, ir.Shift) and end.unit in ("day", "week", *MONTHS):
                return self.move(self.start(self.local(self.value(end), end), "day"), -1, "day")
        return self.start(self.local(self.value(instant), instant), "day")

    def month_day(self, value: Sql) -> Sql:
        month = paren(exp.Mul(this=self.part("MONTH", value.copy()), expression=number(100)))
        return paren(exp.Add(this=month, expression=self.part("DAY", value)))

    def test_yearless(self, e: ir.Yearless, exact: bool) -> Sql:
        first, last = self._day(e.first), self._day(e.last)
        first = self.move(first, 1, "day") if e.skip in ("first", "both") else first
        last = self.move(last, -1, "day") if e.skip in ("last", "both") else last
        day = self.month_day(self.local(self.value(e.operand), e))
        low, high = self.month_day(first), self.month_day(last)
        if e.shape != "ring":
            node: type[Any]
            node, edge = {"before": (exp.LT, low), "after": (exp.GT, high), "from": (exp.GTE, low)}[e.shape]
            made: Any = node(this=day, expression=edge)
            return self.exact(paren(made), exact)
        if e.whole_months:
            tomorrow = self.month_day(self.move(last.copy(), 1, "day"))
            february = exp.If(this=exp.EQ(this=tomorrow, expression=number(301)), true=number(229))
            high = exp.Case(ifs=[february], default=high)
        above, below = exp.GTE(this=day, expression=low), exp.LTE(this=day.copy(), expression=high)
        straight = exp.LTE(this=low.copy(), expression=high.copy())
        inside = exp.And(this=above, expression=below)
        either = exp.Or(this=above.copy(), expression=below.copy())
        whole = exp.GTE(this=last.copy(), expression=self.move(first.copy(), 365, "day"))
        cases = [exp.If(this=whole, true=exp.Not(this=exp.Is(this=self.value(e.operand), expression=exp.Null())))]
        if e.skip:
            cases.insert(0, exp.If(this=exp.LT(this=last.copy(), expression=first.copy()), true=exp.false()))
        cases.append(exp.If(this=straight, true=paren(inside)))
        return self.exact(exp.Case(ifs=cases, default=paren(either)), exact)
