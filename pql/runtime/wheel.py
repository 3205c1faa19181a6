"""Timers: what has to be looked at again, and when, in microseconds. Read `Wheel`.

A bucket holds the entries of a stretch of time unsorted; it is sorted when its time comes, and what is added to it later waits in a
heap. What is set goes to `fresh` first, by a plain append, and is sorted in before anybody asks. Entries are never taken out: who set an
earlier or no timer since then tells when the entry comes up (`armed` of the profile).
"""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import Any

GRAIN = 30
"""Microseconds of a bucket as a power of two: 18 minutes."""
NEVER = 1 << 62
LAST = 253_402_300_800_000_000
"""Timers at or after this instant (in microseconds: the end of year 9999, beyond which no clock moves) are not set."""
Entry = tuple[int, Any, int]
"""(instant, the profile's state, the leaf)."""
_AT = itemgetter(0)


class _Buckets(dict[int, list[Entry]]):
    """By number; `order`: those numbers, a heap."""

    def __init__(self) -> None:
        self.order: list[int] = []

    def __missing__(self, bucket: int) -> list[Entry]:
        heapq.heappush(self.order, bucket)
        entries = self[bucket] = []
        return entries


class Wheel:
    """`due`: the open bucket, latest first. `late`: what was added to it since, a heap of (instant, a number that grows, the entry)."""

    def __init__(self) -> None:
        self._buckets = _Buckets()
        self._order = self._buckets.order
        self._opened = -NEVER
        self._added = 0
        self.due: list[Entry] = []
        self.late: list[tuple[int, int, Entry]] = []
        self.earliest = NEVER
        """No entry that is sorted in is before this instant."""
        self.fresh: list[Entry] = []
        self.add = self.fresh.append

    def sort_in(self) -> None:
        """What was added since then, and there is something, into its buckets."""
        buckets, grain = self._buckets, GRAIN
        for entry in self.fresh:
            buckets[entry[0] >> grain].append(entry)
        self.fresh.clear()
        if self._order[0] <= self._opened:
            self._catch_up()
        elif not self.due and not self.late and (at := self._order[0] << grain) < self.earliest:
            self.earliest = at

    def _catch_up(self) -> None:
        """What was added to the open bucket, or to one before it."""
        while self._order and self._order[0] <= self._opened:
            for entry in self._buckets.pop(heapq.heappop(self._order)):
                self._added += 1
                heapq.heappush(self.late, (entry[0], self._added, entry))
        self.earliest = min(self.earliest, self.late[0][0])

    def peek(self, before: int) -> Entry:
        """The earliest entry. Where none can be before an instant, later buckets stay unsorted: an instant not after any of theirs, and no profile."""
        if self.fresh:
            self.sort_in()
        due, late = self.due, self.late
        if not due and not late:
            self.earliest = self._order[0] << GRAIN if self._order else NEVER
            if self.earliest >= before or not self._order:
                return self.earliest, None, 0
            self._opened = heapq.heappop(self._order)
            entries = self._buckets.pop(self._opened)
            entries.sort(key=_AT, reverse=True)
            due += entries
        entry = late[0][2] if late and (not due or late[0][0] < due[-1][0]) else due[-1]
        self.earliest = entry[0]
        return entry

    def drop(self) -> None:
        """Takes the earliest entry out."""
        due, late = self.due, self.late
        if late and (not due or late[0][0] < due[-1][0]):
            heapq.heappop(late)
        else:
            due.pop()
