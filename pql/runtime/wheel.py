"""Timers: what has to be looked at again, and when, in microseconds. Read `Wheel`.

A bucket holds the entries of a stretch of time unsorted; it is sorted when its time comes. Entries are never taken out: who set an
earlier or no timer since then tells when the entry comes up (`armed` of the profile).
"""

from __future__ import annotations

import heapq
from typing import Any

GRAIN = 26
"""Microseconds of a bucket as a power of two: 67 seconds."""
Entry = tuple[int, int, Any, int]
"""(instant, a number that grows, the profile's state, the leaf)."""


class Wheel:
    def __init__(self) -> None:
        self._buckets: dict[int, list[Entry]] = {}
        self._order: list[int] = []
        self._due: list[Entry] = []
        self._due_bucket = -(1 << 62)
        self._added = 0
        self.earliest = 1 << 62
        """No entry is before this instant."""

    def add(self, at: int, person: Any, leaf: int) -> None:
        bucket = at >> GRAIN
        self._added += 1
        if at < self.earliest:
            self.earliest = at
        entry = (at, self._added, person, leaf)
        if bucket <= self._due_bucket:
            heapq.heappush(self._due, entry)
            return
        entries = self._buckets.get(bucket)
        if entries is None:
            self._buckets[bucket] = [entry]
            heapq.heappush(self._order, bucket)
        else:
            entries.append(entry)

    def _open(self) -> bool:
        """Makes the earliest bucket the due one, when the due one is empty."""
        while not self._due:
            if not self._order:
                return False
            self._due_bucket = heapq.heappop(self._order)
            self._due = self._buckets.pop(self._due_bucket)
            heapq.heapify(self._due)
        return True

    def first(self, before: int) -> Entry | None:
        """The earliest entry if it is before an instant; it is taken out."""
        if self.earliest >= before:
            return None
        if not self._due:
            if not self._order or self._order[0] << GRAIN >= before or not self._open():
                self.earliest = self._order[0] << GRAIN if self._order else 1 << 62
                return None
        if self._due[0][0] >= before:
            self.earliest = self._due[0][0]
            return None
        return heapq.heappop(self._due)

    def next(self) -> Entry | None:
        """The earliest entry."""
        return self._due[0] if self._open() else None

    def drop(self) -> None:
        """Takes the earliest entry out."""
        heapq.heappop(self._due)
