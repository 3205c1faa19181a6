"""Calendar and `occurs` of the reference evaluator. SEMANTICS section 9. Instants are naive UTC datetimes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pql.syntax import ast

MICRO = timedelta(microseconds=1)
FIXED = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
YEARS = {"decade": 10, "century": 100, "millennium": 1000}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class OutOfRange(Exception):
    """A result outside the years 1 to 9999: the test is false."""


class NullTime(Exception):
    """A null reference: the test is false."""


def shift(instant: datetime, amount: int, unit: str) -> datetime:
    try:
        if unit in FIXED:
            return instant + amount * FIXED[unit]
        months = instant.year * 12 + instant.month - 1 + amount * MONTHS[unit]
        year, month = months // 12, months % 12 + 1
        if not 1 <= year <= 9999:
            raise OutOfRange
        return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        raise OutOfRange from None


@dataclass(frozen=True)
class Calendar:
    """The project's zone and first day of the week, and the instant asked about."""

    now: datetime
    zone: str = "UTC"
    week_start: str = "monday"

    def wall(self, instant: datetime) -> datetime:
        if self.zone == "UTC":
            return instant
        try:
            return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        except OverflowError:
            raise OutOfRange from None

    def utc(self, wall: datetime) -> datetime:
        if self.zone == "UTC":
            return wall
        try:
            return wall.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise OutOfRange from None

    def floor(self, wall: datetime, unit: str) -> datetime:
        """The start of the unit on the wall clock."""
        day = datetime.combine(wall.date(), time())
        try:
            if unit == "millisecond":
                return wall.replace(microsecond=wall.microsecond // 1000 * 1000)
            if unit in ("second", "minute", "hour"):
                zeroed = {"second": {}, "minute": {"second": 0}, "hour": {"second": 0, "minute": 0}}[unit]
                return wall.replace(microsecond=0, **zeroed)
            if unit == "day":
                return day
            if unit == "week":
                return day - timedelta(days=(day.weekday() - WEEKDAYS.index(self.week_start)) % 7)
            if unit == "month":
                return day.replace(day=1)
            years = YEARS.get(unit, 1)
            return day.replace(year=day.year // years * years, month=1, day=1)
        except (OverflowError, ValueError):
            raise OutOfRange from None

    def unit(self, instant: datetime, unit: str, offset: int = 0) -> Reference:
        """The calendar unit that holds the instant, or the one `offset` units on."""
        if unit in ("millisecond", "second", "minute", "hour"):  # as long as ever when the clock goes back
            wall = self.wall(instant)
            into = wall - self.floor(wall, unit)
            if instant - datetime.min < into:
                raise OutOfRange
            begun = shift(instant - into, offset, unit)
            return Reference(begun, lambda: shift(begun, 1, unit))
        start = shift(self.floor(self.wall(instant), unit), offset, unit)
        return Reference(self.utc(start), lambda: self.utc(shift(start, 1, unit)), unit == "month")

    def shift(self, instant: datetime, amount: int, unit: str) -> datetime:
        """Months and longer units move the wall clock."""
        if unit in FIXED or amount == 0:
            return shift(instant, amount, unit)
        return self.utc(shift(self.wall(instant), amount, unit))

    def day(self, instant: datetime) -> date:
        return self.wall(instant).date()


@dataclass(frozen=True)
class Reference:
    """`finish` gives the exclusive end: computed when asked for, because it may lie outside the calendar."""

    start: datetime
    finish: Callable[[], datetime]
    month: bool = False
    instant: bool = False

    @property
    def end(self) -> datetime:
        return self.finish()


Refer = Callable[[ast.Ref], Reference]


def after(instant: datetime) -> datetime:
    """The next instant there is."""
    try:
        return instant + MICRO
    except OverflowError:
        raise OutOfRange from None


def point(instant: datetime) -> Reference:
    return Reference(instant, lambda: after(instant), instant=True)


def holds(t: datetime | None, phrase: ast.Phrase, refer: Refer, calendar: Calendar) -> bool:
    """Does T satisfy the phrase? `refer` gives what a REF stands for."""
    if t is None:
        return False
    try:
        if phrase.ignoring_year:
            return yearless(t, phrase, refer, calendar)
        if isinstance(phrase, ast.Between):
            first, last = refer(phrase.start), refer(phrase.end)
            return first.start <= t and upto(t, last)
        if isinstance(phrase, ast.On):
            ref = refer(phrase.ref)
            return ref.start <= t and upto(t, ref)
        if isinstance(phrase, ast.Towards):
            ref = refer(phrase.ref)
            if phrase.direction == "before":
                return t < ref.start
            if phrase.direction == "after":
                return t > ref.start if ref.instant else t >= ref.end
            return t >= ref.start
        return distance(t, phrase, refer(phrase.ref).start, calendar)
    except (OutOfRange, NullTime):
        return False


def upto(t: datetime, ref: Reference) -> bool:
    return t <= ref.start if ref.instant else t < ref.end


def inside(t: datetime, ref: Reference) -> bool:
    return ref.start <= t < ref.end


def distance(t: datetime, phrase: ast.Distance, s: datetime, calendar: Calendar) -> bool:
    n, u, op = phrase.amount, phrase.unit, phrase.op
    if phrase.direction == "before":
        far = calendar.shift(s, -n, u)
        if op in ("=", "!="):
            there = inside(t, calendar.unit(far, u))
            return there if op == "=" else t <= s and not there
        return {"<=": far <= t <= s, "<": far < t <= s, ">=": t <= far, ">": t < far}[op]
    if phrase.direction == "after":
        far = calendar.shift(s, n, u)
        if op in ("=", "!="):
            there = inside(t, calendar.unit(far, u))
            return there if op == "=" else t >= s and not there
        return {"<=": s <= t <= far, "<": s <= t < far, ">=": t >= far, ">": t > far}[op]
    back, ahead = calendar.shift(s, -n, u), calendar.shift(s, n, u)
    if op in ("=", "!="):
        either = inside(t, calendar.unit(back, u)) | inside(t, calendar.unit(ahead, u))
        return either if op == "=" else not either
    return {
        "<=": back <= t <= ahead,
        "<": back < t < ahead,
        ">=": t <= back or t >= ahead,
        ">": t < back or t > ahead,
    }[op]


# --- ignoring the year ---
def md(day: date) -> tuple[int, int]:
    return day.month, day.day


def ring(d: date, first: date, last: date, months: bool = False) -> bool:
    if (last - first).days >= 365:
        return True
    low, high = md(first), md(last)
    if months and high == (2, 28):
        high = (2, 29)
    return low <= md(d) <= high if low <= high else md(d) >= low or md(d) <= high


def last_day(ref: Reference, calendar: Calendar) -> date:
    return calendar.day(ref.start) if ref.instant else calendar.day(ref.end - MICRO)


def yearless(t: datetime, phrase: ast.Phrase, refer: Refer, calendar: Calendar) -> bool:
    d = calendar.day(t)
    if isinstance(phrase, ast.Distance):
        return yearless_distance(d, phrase, refer(phrase.ref).start, calendar)
    if isinstance(phrase, ast.Between):
        first, last = refer(phrase.start), refer(phrase.end)
        return ring(d, calendar.day(first.start), last_day(last, calendar), first.month and last.month)
    ref = refer(phrase.ref)
    first_day = calendar.day(ref.start)
    if isinstance(phrase, ast.On):
        return ring(d, first_day, last_day(ref, calendar), ref.month)
    if phrase.direction == "after":
        return md(d) > md(last_day(ref, calendar))
    return md(d) < md(first_day) if phrase.direction == "before" else md(d) >= md(first_day)


def yearless_distance(d: date, phrase: ast.Distance, s: datetime, calendar: Calendar) -> bool:
    n, u = phrase.amount, phrase.unit
    signs = {"before": (-1,), "after": (1,), "from": (-1, 1)}[phrase.direction]
    if phrase.op == "=":
        units = [calendar.unit(calendar.shift(s, sign * n, u), u) for sign in signs]
        return any([ring(d, calendar.day(r.start), last_day(r, calendar), r.month) for r in units])
    first = calendar.day(calendar.shift(s, -n, u) if -1 in signs else s)
    last = calendar.day(calendar.shift(s, n, u) if 1 in signs else s)
    if phrase.op == "<":
        try:
            first += timedelta(days=1 if -1 in signs else 0)
            last -= timedelta(days=1 if 1 in signs else 0)
        except OverflowError:
            raise OutOfRange from None
        if first > last:
            return False
    return ring(d, first, last)


# --- the end of a window, for excluded steps ---
def upper_end(phrase: ast.Phrase, refer: Refer, calendar: Calendar) -> datetime | None:
    """The exclusive upper end of the phrase's window; None when it has none. May raise OutOfRange or NullTime."""
    if phrase.ignoring_year:
        return None
    if isinstance(phrase, ast.Between):
        return refer(phrase.end).end
    if open_above(phrase):
        return None
    ref = refer(phrase.ref)
    if isinstance(phrase, ast.On):
        return ref.end
    if isinstance(phrase, ast.Towards):
        return ref.start
    s, n, u, op = ref.start, phrase.amount, phrase.unit, phrase.op
    if phrase.direction == "before":
        if op in ("<=", "<", "!="):
            return after(s)
        far = calendar.shift(s, -n, u)
        return {"=": lambda: calendar.unit(far, u).end, ">=": lambda: after(far), ">": lambda: far}[op]()
    far = calendar.shift(s, n, u)
    if op == "=":
        return calendar.unit(far, u).end
    if op == "<=":
        return after(far)
    return far


def open_above(phrase: ast.Phrase) -> bool:
    """A window without an upper end: whether its REF is bound does not matter."""
    if isinstance(phrase, ast.Towards):
        return phrase.direction != "before"
    return isinstance(phrase, ast.Distance) and phrase.direction != "before" and phrase.op in (">=", ">", "!=")
