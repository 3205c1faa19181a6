"""Instants and days that move with the clock, and that know when what was asked about them stops being true.

The plain evaluator runs on these unchanged. Whatever it compares with a moving instant, the comparison notes an instant before which
it cannot come out otherwise; the earliest note is an instant before which no answer of the whole expression can change. This is the
inverse of the clock, for any expression, because an expression looks at the clock in no other way. Must not know expressions.
Read `Moving`, then `_note`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

MICRO = timedelta(microseconds=1)
DAY = 86_400_000_000


def micros(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


Back = Callable[[datetime], datetime | None]


class Trace:
    """`horizon`: no answer given so far changes before this instant; None: never, by time alone. `edges`: ends of windows that depend on the
    clock alone, by the identity of the expression: the same for every event that is asked about."""

    __slots__ = ("edges", "horizon", "now")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.horizon: datetime | None = None
        self.edges: dict[int, datetime | None] = {}

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
    """An instant f(now). Equal to its value now; every comparison is noted.

    `slope`: 1 when f is now plus a fixed distance, 0 when it stands still, until `until` (None: for good). `steady`: f does not fall
    before then (None: it never falls). `low`, `high`: bounds of f(t) - t, in microseconds, for every later t. `back`: f reaches
    an instant no sooner than this one (None: never).
    """

    __slots__ = ("back", "high", "low", "slope", "steady", "trace", "until")
    trace: Trace
    slope: int
    until: datetime | None
    steady: datetime | None
    low: int
    high: int
    back: Back

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

    def stays(self, first: datetime | None, end: datetime | None) -> None:
        """Notes when f leaves [first, end), in which it lies now. None: no bound."""
        if end is not None:
            self._rises(end)
        if first is not None and self.steady is not None and self.low < micros(first - self.trace.now):
            self.trace.limit(self.steady)

    def _rises(self, to: datetime) -> None:
        """Notes when f, which is less now, may be `to` or more."""
        at = self.back(to)
        if at is not None and at <= self.trace.now:
            at = sooner(self.until, self.trace.later(micros(datetime.__sub__(to, self))) if self.slope else None)
        self.trace.limit(at)


class MovingDay(date):
    """A date f(now). `start`: its UTC midnight, moving."""

    __slots__ = ("start",)
    start: Moving

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
        first = plain(self.start)
        try:
            self.start.stays(first, first + MICRO)
        except OverflowError:
            self.start.touch()
        return first.date()


def plain(instant: datetime) -> datetime:
    """The value now."""
    i = instant
    return datetime(i.year, i.month, i.day, i.hour, i.minute, i.second, i.microsecond)


def moving(
    value: datetime,
    trace: Trace,
    back: Back,
    bounds: tuple[int, int] = (0, 0),
    slope: int = 1,
    until: datetime | None = None,
    steady: datetime | None = None,
) -> Moving:
    """See `Moving`; `bounds` are its `low` and `high`."""
    v = value
    made = Moving(v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond)
    made.trace, made.slope, made.until, made.steady, made.back = trace, slope, until, steady, back
    made.low, made.high = bounds
    return made


def clock(trace: Trace) -> Moving:
    return moving(trace.now, trace, lambda to: to)


def moving_day(start: Moving) -> MovingDay:
    made = MovingDay(start.year, start.month, start.day)
    made.start = start
    return made


def midnight(day: date) -> datetime:
    """The UTC midnight of a day; moving when the day is."""
    return day.start if isinstance(day, MovingDay) else datetime.combine(day, time())


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
    elif isinstance(b, Moving):
        _note_both(op, a, b)
    else:
        apart = micros(datetime.__sub__(a, b))
        above = op in ("<=", ">") or (op == "=" and apart == 0)
        if apart < 0 or (apart == 0 and above):
            _rise(a, b, above)
        if apart >= 0 and not (apart == 0 and op in ("<=", ">")):
            _fall(a, b, apart, op)


def _rise(a: Moving, b: datetime, above: bool) -> None:
    """Notes when `a` may be `b` or more; `above`: more."""
    try:
        to = b + MICRO if above else b
    except OverflowError:
        return
    at = a.back(to)
    if at is not None and at <= a.trace.now or a.slope:
        turn = a.trace.later(micros(datetime.__sub__(to, a))) if a.slope else None
        if turn is not None and (a.until is None or turn < a.until):
            at = turn
        elif at is not None and a.until is not None:
            at = max(at, a.until)
    a.trace.limit(at)


def _fall(a: Moving, b: datetime, apart: int, op: str) -> None:
    """Notes when `a` may fall below `b`, or to it."""
    if a.steady is not None and micros(a.trace.now - b) + a.low <= 0:
        a.trace.limit(a.steady)


def _note_both(op: str, a: Moving, b: Moving) -> None:
    low, high = a.low - b.high, a.high - b.low
    if low > 0 or high < 0 or (low >= 0 and op in ("<", ">=")) or (high <= 0 and op in ("<=", ">")):
        return
    trace, until = a.trace, sooner(a.until, b.until)
    turn = _turn(op, micros(datetime.__sub__(a, b)), a.slope - b.slope)
    at = None if turn is None else trace.later(turn)
    trace.limit(until if at is None or (until is not None and until < at) else at)


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
