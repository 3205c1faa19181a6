"""Timers: what has to be looked at again, and when, in microseconds. Read `Wheel`.

A bucket holds the entries of a stretch of time unsorted; it is sorted when its time comes, and what is added to it later waits in a
heap. What is set goes to `fresh` first, by a plain append, and is sorted in before anybody asks. Entries are never taken out: who set an
earlier or no timer since then tells when the entry comes up (`armed` of the profile).
"""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import Any

GRAIN = 28
"""Microseconds of a bucket as a power of two: four and a half minutes."""
NEVER = 1 << 62
LAST = 253_402_300_800_000_000
"""Timers at or after this instant (in microseconds: the end of year 9999, beyond which no clock moves) are not set."""
Entry = tuple[int, Any, int]
"""(instant, the profile's state, the leaf)."""
_AT = itemgetter(0)


class Wheel:
    def __init__(self) -> None:
        self._buckets: dict[int, list[Entry]] = {}
        self._order: list[int] = []
        self._due: list[Entry] = []
        """The open bucket, latest first."""
        self._late: list[tuple[int, int, Entry]] = []
        """(instant, a number that grows, the entry)."""
        self._due_bucket = -NEVER
        self._added = 0
        self.earliest = NEVER
        """No entry that is sorted in is before this instant."""
        self.fresh: list[Entry] = []
        self.add = self.fresh.append

    def sort_in(self) -> None:
        """What was added since then, into its buckets."""
        earliest, buckets, near = self.earliest, self._buckets, self._due_bucket
        for entry in self.fresh:
            at = entry[0]
            if at < earliest:
                earliest = at
            bucket = at >> GRAIN
            if bucket <= near:
                self._added += 1
                heapq.heappush(self._late, (at, self._added, entry))
                continue
            entries = buckets.get(bucket)
            if entries is None:
                buckets[bucket] = [entry]
                heapq.heappush(self._order, bucket)
            else:
                entries.append(entry)
        self.earliest = earliest
        self.fresh.clear()

    def next(self) -> Entry | None:
        """The earliest entry."""
        if self.fresh:
            self.sort_in()
        while not self._due and not self._late:
            if not self._order:
                return None
            self._due_bucket = heapq.heappop(self._order)
            self._due = self._buckets.pop(self._due_bucket)
            self._due.sort(key=_AT, reverse=True)
        due, late = self._due, self._late
        return late[0][2] if late and (not due or late[0][0] < due[-1][0]) else due[-1]

    def drop(self) -> None:
        """Takes the earliest entry out."""
        due, late = self._due, self._late
        if late and (not due or late[0][0] < due[-1][0]):
            heapq.heappop(late)
        else:
            due.pop()

    def take(self, before: int) -> list[Entry] | None:
        """Takes out the entries of the earliest instant, if that is before an instant. Buckets of later times stay unsorted."""
        if self.fresh:
            self.sort_in()
        if self.earliest >= before:
            return None
        due, late = self._due, self._late
        if not due and not late:
            at = self._order[0] << GRAIN if self._order else NEVER
            if at >= before:
                self.earliest = at
                return None
            self.next()
            due = self._due
        if late:
            return self._take_both(before)
        at = self.earliest = due[-1][0]
        if at >= before:
            return None
        found = [due.pop()]
        while due and due[-1][0] == at:
            found.append(due.pop())
        return found

    def _take_both(self, before: int) -> list[Entry] | None:
        """`take` while some entries were added late."""
        first = self.next()
        assert first is not None
        at = self.earliest = first[0]
        if at >= before:
            return None
        found = []
        while (entry := self.next()) is not None and entry[0] == at:
            self.drop()
            found.append(entry)
        return found
