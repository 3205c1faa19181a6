"""From when until when an event counts in a window whose ends are units of the calendar: today, this month, last week.

Such an end stands still while its unit lasts and never falls (`shapes.keeps_order`), so the first instant at which it lies beyond a timestamp is found by
halving, asking the plain evaluator, once for all timestamps between two of its values. Must not know state, cells or documents. Read `Dates.of`.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from functools import cached_property
from operator import itemgetter

from pql.ir import nodes as ir
from pql.runtime.evaluate import NOW, Evaluator
from pql.runtime.shapes import FOREVER, Span, distance

EPOCH = datetime(1970, 1, 1)
MICRO = timedelta(microseconds=1)
FIRST, LAST = ((end - EPOCH) // MICRO for end in (datetime.min, datetime.max))
MIDDLE = (datetime(5000, 1, 1) - EPOCH) // MICRO
"""An end that is null before this instant lies before the calendar, one that is null later beyond it: it is less than 900 years from now."""
MOST = 10_000
"""So many stretches of timestamps are remembered."""
_STARTS = itemgetter(0)


class Dates:
    """A span with ends of the calendar, in a zone. Shared by all profiles."""

    def __init__(self, span: Span, evaluator: Evaluator) -> None:
        self.enter, self.leave, self.evaluator = span.enter, span.leave, evaluator
        self.fixed = (span.enter, span.leave) != (-FOREVER, FOREVER)
        self.ends = [(end.edge.instant, end.lower, int(end.lower is not end.edge.inclusive)) for end in span.ends]
        self._known: list[tuple[int, int, int, int]] = []
        self._last = (FOREVER, -FOREVER, 0, 0)
        """(first, end, enter, leave): a stretch of timestamps, and what comes out for it; the stretch that was asked about last."""

    def of(self, at: int) -> tuple[int, int]:
        """(the instant from which, the instant until which) an event of timestamp `at` is active; never, when the second is no later. Neither falls as
        `at` grows."""
        first, end, enter, leave = self._last
        if not first <= at < end:
            enter, leave = self._found(at)
        if self.fixed:
            return max(enter, at + self.enter), min(leave, at + self.leave)
        return enter, leave

    @cached_property
    def usual(self) -> tuple[int, int]:
        """How long an event waits until it is active, and for how long it is from then on or from its timestamp: on average over a year, in microseconds."""
        waits, lasts = [], []
        for hour in range(0, 366 * 24, 97):
            at = (datetime(2026, 1, 1) + timedelta(hours=hour) - EPOCH) // MICRO
            enter, leave = self.of(at)
            waits.append(max(0, enter - at))
            lasts.append(max(0, (FOREVER if leave > LAST else leave) - max(enter, at)))
        return sum(waits) // len(waits), sum(lasts) // len(lasts)

    @cached_property
    def _inside(self) -> tuple[int, int]:
        """(the first instant from which, the first until which) all ends lie in the calendar: outside, nothing is active."""
        begins = [self._turn(instant, -FOREVER, 4 * FOREVER) for instant, _, _ in self.ends]
        return max(begins), min(self._turn(instant, FOREVER, 4 * FOREVER) for instant, _, _ in self.ends)

    def _found(self, at: int) -> tuple[int, int]:
        """What the ends of the calendar say, remembered for all timestamps of which they say the same."""
        known = self._known
        i = bisect_right(known, at, key=_STARTS)
        if i and known[i - 1][0] <= at < known[i - 1][1]:
            self._last = found = known[i - 1]
            return found[2:]
        first, end = -FOREVER, FOREVER
        enter, leave = self._inside
        for instant, lower, strict in self.ends:
            turn = self._turn(instant, at - strict, distance(instant) or 0)
            enter, leave = (enter, min(leave, turn)) if lower else (max(enter, turn), leave)
            if turn > FIRST and (before := self._value(instant, turn - 1)) is not None:
                first = max(first, before + strict)
            if turn <= LAST and (after := self._value(instant, turn)) is not None:
                end = min(end, after + strict)
        if len(known) > MOST:
            self._known = known = []
        self._last = found = (first, end, enter, leave)
        known.insert(bisect_right(known, first, key=_STARTS), found)
        return enter, leave

    def _turn(self, instant: ir.Expr, beyond: int, far: int) -> int:
        """The first instant at which an end is more than `beyond`, after LAST when it never is. `far`: it is no farther from now than this."""
        low, high = max(FIRST, beyond - far), min(LAST + 1, beyond + far)
        if low > FIRST and self._is_beyond(instant, low, beyond):
            low = FIRST
        if high <= LAST and not self._is_beyond(instant, high, beyond):
            high = LAST + 1
        while low < high:
            middle = (low + high) // 2
            if self._is_beyond(instant, middle, beyond):
                high = middle
            else:
                low = middle + 1
        return low

    def _is_beyond(self, instant: ir.Expr, now: int, beyond: int) -> bool:
        value = self._value(instant, now)
        return now >= MIDDLE if value is None else value > beyond

    def _value(self, instant: ir.Expr, now: int) -> int | None:
        value: datetime | None = self.evaluator.value(instant, {NOW: EPOCH + now * MICRO})
        return None if value is None else (value - EPOCH) // MICRO
