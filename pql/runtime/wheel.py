"""Timers: what has to be looked at again, and when, in microseconds. Read `Wheel`.

A bucket holds the entries of a stretch of time unsorted; it is sorted when its time comes, and what is added to it later waits in a
heap. Entries are never taken out: who set an earlier or no timer since then tells when the entry comes up (`armed` of the profile).
"""

from __future__ import annotations

import heapq
from typing import Any

GRAIN = 26
"""Microseconds of a bucket as a power of two: 67 seconds."""
NEVER = 1 << 62
Entry = tuple[int, int, Any, int]
"""(instant, a number that grows, the profile's state, the leaf)."""


class Wheel:
    def __init__(self) -> None:
        self._buckets: dict[int, list[Entry]] = {}
        self._order: list[int] = []
        self._due: list[Entry] = []
        """The open bucket, latest first."""
        self._late: list[Entry] = []
        self._due_bucket = -NEVER
        self._added = 0
        self.earliest = NEVER
        """No entry is before this instant."""

    def add(self, at: int, person: Any, leaf: int) -> None:
        bucket = at >> GRAIN
        self._added += 1
        if at < self.earliest:
            self.earliest = at
        if bucket <= self._due_bucket:
            heapq.heappush(self._late, (at, self._added, person, leaf))
            return
        entries = self._buckets.get(bucket)
        if entries is None:
            self._buckets[bucket] = [(at, self._added, person, leaf)]
            heapq.heappush(self._order, bucket)
        else:
            entries.append((at, self._added, person, leaf))

    def next(self) -> Entry | None:
        """The earliest entry."""
        while not self._due and not self._late:
            if not self._order:
                return None
            self._due_bucket = heapq.heappop(self._order)
            self._due = self._buckets.pop(self._due_bucket)
            self._due.sort(reverse=True)
        due, late = self._due, self._late
        return late[0] if late and (not due or late[0] < due[-1]) else due[-1]

    def drop(self) -> None:
        """Takes the earliest entry out."""
        due, late = self._due, self._late
        if late and (not due or late[0] < due[-1]):
            heapq.heappop(late)
        else:
            due.pop()

    def after(self, before: int) -> int | None:
        """The instant of the earliest entry, if that is before an instant. Buckets of later times stay unsorted."""
        if self.earliest >= before:
            return None
        due = self._due
        if due and not self._late:
            at = due[-1][0]
        else:
            if not due and not self._late:
                at = self._order[0] << GRAIN if self._order else NEVER
                if at >= before:
                    self.earliest = at
                    return None
            entry = self.next()
            assert entry is not None
            at = entry[0]
        self.earliest = at
        return at if at < before else None

    def take(self, at: int) -> list[Entry]:
        """Takes out the entries of an instant that `after` has named, and those before it, in order."""
        due, late = self._due, self._late
        found = []
        if not late:
            while due and due[-1][0] <= at:
                found.append(due.pop())
            return found
        while (entry := self.next()) is not None and entry[0] <= at:
            self.drop()
            found.append(entry)
        return found
