"""Instants and days that move with the clock, and that know when what was asked about them stops being true.

The plain evaluator runs on these unchanged. Whatever it compares with a moving instant, the comparison notes the first later
instant at which it would come out otherwise; the earliest note is an instant before which no answer of the whole expression can
change. This is the inverse of the clock, for any expression, because an expression looks at the clock in no other way.

A moving instant is `now` plus a fixed distance (slope 1), or stands still (slope 0), until `until`, where it may jump (the end of a
month, a new day, a change of offset); `low` and `high` bound its distance from now for all later nows, so that a comparison that can
no longer turn needs no note. Must not know expressions. Read `Trace` and `_note`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

MICRO = timedelta(microseconds=1)
DAY = 86_400_000_000


def micros(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


class Trace:
    """`horizon`: no answer given so far changes before this instant; None: never, by time alone."""

    __slots__ = ("horizon", "now")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.horizon: datetime | None = None

    def limit(self, at: datetime | None) -> None:
        if at is not None and (self.horizon is None or at < self.horizon):
            self.horizon = at

    def limit_after(self, distance: int) -> None:
        """`distance`: microseconds from now. Beyond the calendar: never."""
        self.limit(self.later(distance))

    def later(self, distance: int) -> datetime | None:
        try:
            return self.now + distance * MICRO
        except OverflowError:
            return None


class Moving(datetime):
    """An instant that is a function of now. Equal to its value now; every comparison is noted."""

    __slots__ = ("high", "low", "slope", "trace", "until")
    trace: Trace
    slope: int
    until: datetime | None
    low: int
    high: int

    def __lt__(self, other: Any) -> bool:
        return _compare("<", self, other)

    def __le__(self, other: Any) -> bool:
        return _compare("<=", self, other)

    def __gt__(self, other: Any) -> bool:
        return _compare(">", self, other)

    def __ge__(self, other: Any) -> bool:
        return _compare(">=", self, other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, datetime) and _compare("=", self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        self.touch()
        return datetime.__hash__(self)

    def touch(self) -> datetime:
        """The value now, used in a way that depends on all of it."""
        self.trace.limit_after(1) if self.slope else self.trace.limit(self.until)
        return plain(self)


class MovingDay(date):
    """A date that is a function of now: it stands still until `until`. `low` and `high` bound its midnight."""

    __slots__ = ("high", "low", "trace", "until")
    trace: Trace
    until: datetime | None
    low: int
    high: int

    def __lt__(self, other: Any) -> bool:
        return _compare("<", midnight(self), midnight(other))

    def __le__(self, other: Any) -> bool:
        return _compare("<=", midnight(self), midnight(other))

    def __gt__(self, other: Any) -> bool:
        return _compare(">", midnight(self), midnight(other))

    def __ge__(self, other: Any) -> bool:
        return _compare(">=", midnight(self), midnight(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, date) and _compare("=", midnight(self), midnight(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.touch())

    def touch(self) -> date:
        self.trace.limit(self.until)
        return date(self.year, self.month, self.day)


def plain(instant: datetime) -> datetime:
    """The value now."""
    i = instant
    return datetime(i.year, i.month, i.day, i.hour, i.minute, i.second, i.microsecond)


def moving(value: datetime, trace: Trace, slope: int, until: datetime | None, low: int, high: int) -> Moving:
    """See the module's head. `low` and `high` in microseconds."""
    v = value
    made = Moving(v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond)
    made.trace, made.slope, made.until, made.low, made.high = trace, slope, until, low, high
    return made


def clock(trace: Trace) -> Moving:
    return moving(trace.now, trace, 1, None, 0, 0)


def moving_day(day: date, trace: Trace, until: datetime | None, low: int, high: int) -> MovingDay:
    made = MovingDay(day.year, day.month, day.day)
    made.trace, made.until, made.low, made.high = trace, until, low, high
    return made


def midnight(day: date) -> datetime:
    """The UTC midnight of a day; moving when the day is."""
    if isinstance(day, MovingDay):
        value = datetime(day.year, day.month, day.day)
        return moving(value, day.trace, 0, day.until, day.low, day.high)
    return datetime.combine(day, time())


def sooner(a: datetime | None, b: datetime | None) -> datetime | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_HOLDS = {
    "<": datetime.__lt__,
    "<=": datetime.__le__,
    ">": datetime.__gt__,
    ">=": datetime.__ge__,
    "=": datetime.__eq__,
}


def _compare(op: str, a: datetime, b: datetime) -> bool:
    _note(op, a, b)
    return bool(_HOLDS[op](a, b))


def _note(op: str, a: datetime, b: datetime) -> None:
    """Notes when `a op b` may turn. One side at least moves."""
    if not isinstance(a, Moving):
        assert isinstance(b, Moving)
        _note(_MIRROR[op], b, a)
        return
    trace = a.trace
    other = b if isinstance(b, Moving) else None
    apart = micros(datetime.__sub__(a, b))
    drift = a.slope - (other.slope if other else 0)
    until = sooner(a.until, other.until if other else None)
    turn = _turn(op, apart, drift)
    if turn is not None:
        at = trace.later(turn)
        if at is not None and (until is None or at < until):
            trace.limit(at)
            return
    if until is None:
        return
    if other is not None:
        if a.low - other.high <= 0 <= a.high - other.low:
            trace.limit(until)
        return
    base = micros(trace.now - b)
    if base + a.low > 0:
        return
    if base + a.high < 0:
        at = trace.later(-(base + a.high))
        if at is not None:
            trace.limit(max(at, until))
        return
    trace.limit(until)


def _turn(op: str, apart: int, drift: int) -> int | None:
    """Microseconds until `apart op 0` turns, when `apart` grows by `drift` a microsecond; None: it does not."""
    if drift == 0:
        return None
    if drift < 0:
        apart, op = -apart, _MIRROR[op]
    if op == "=":
        return 1 if apart == 0 else -apart if apart < 0 else None
    if op in ("<", ">="):
        return -apart if apart < 0 else None
    return 1 - apart if apart <= 0 else None
