"""Who has to be looked at again, and when. Instants are naive UTC. Read `Timers`.

Lazy: setting an earlier or later instant for a profile leaves the old entry behind, and what comes up is asked of the profile.
"""

from __future__ import annotations

import heapq
from datetime import datetime

from pql.runtime.inputs import Profile


class Timers:
    """At most one instant a profile counts: the last one set."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str, Profile]] = []
        self._due: dict[Profile, datetime] = {}

    def __len__(self) -> int:
        return len(self._due)

    def set(self, profile: Profile, at: datetime | None) -> None:
        if at is None:
            self._due.pop(profile, None)
        elif self._due.get(profile) != at:
            self._due[profile] = at
            heapq.heappush(self._heap, (at, str(profile), profile))

    def next(self) -> datetime | None:
        """The earliest instant."""
        while self._heap:
            at, _, profile = self._heap[0]
            if self._due.get(profile) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def take(self, at: datetime) -> list[Profile]:
        """Those that are due at or before an instant; they are no longer set."""
        found = []
        while (first := self.next()) is not None and first <= at:
            profile = heapq.heappop(self._heap)[2]
            del self._due[profile]
            found.append(profile)
        return found
