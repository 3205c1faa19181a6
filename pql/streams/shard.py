"""All profiles of one state on one engine: loaded when they are touched or due, written back when they changed, let go when many.

A profile's timer is looked for in the state in windows, so that nobody has to be loaded to be remembered. Read `Shard.take`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from pql.runtime.hosting import HostedEngine, instant_of
from pql.runtime.inputs import Advance, Deletion, Failure, Input, Merge, Split, Transition
from pql.runtime.plan import Plan
from pql.runtime.state import StateError
from pql.streams.errors import StreamError
from pql.streams.state import Progress, Row, State, instant, micros

WINDOW = 20_000
"""Timers that are read from the state at a time."""
CHUNK = 2_000
"""Profiles that are loaded before the clock is moved on to them."""
TIES_MOST = 50_000
"""Profiles due at one instant that are judged together; more are judged in parts."""
OPEN_MOST = 100_000
"""More profiles than this that something happened to at one instant are judged before the instant ends."""
NEW = -1


class Shard:
    """`most`: profiles that stay loaded between two commits."""

    def __init__(self, plan: Plan, state: State, most: int = 100_000) -> None:
        self.plan, self.state, self.most = plan, state, most
        self.engine = HostedEngine(plan)
        self.profiles = self.timers = 0
        self.gone: list[tuple[str, str]] = []
        self._due: dict[str, int | None] = {}
        self._upcoming: list[tuple[int, str]] = []
        self._seen: tuple[int, str] | None = None
        self._all_seen = False
        self._resume(state.progress())

    def _resume(self, progress: Progress) -> None:
        self.profiles, self.timers = progress.profiles, progress.timers
        opened = {}
        for row in self.state.opened():
            self._take_over(row)
            opened[row.profile] = row.cause
        self.engine.resume(instant(progress.clock), progress.arrivals, opened)  # type: ignore[arg-type]

    @property
    def clock(self) -> datetime:
        return self.engine.clock

    @property
    def loaded(self) -> int:
        return len(self._due)

    @property
    def changed(self) -> int:
        return len(self.engine.changed)

    @property
    def failures(self) -> list[Failure]:
        return self.engine.failures

    # --- inputs ---
    def take(self, item: Input) -> Iterator[list[Transition]]:
        """The transitions of an input, in parts: after each but the last, only the clock has moved, and a commit may be made."""
        to = instant_of(item)
        if to is not None and to > self.clock > datetime.min:
            yield from self._reach(to, isinstance(item, Advance))
        for profile in _profiles(item):
            self._ensure(profile)
        self._note_gone(item)
        out = self.engine.apply((item,))
        self._forget_unknown(item)
        if len(self.engine.opened) > OPEN_MOST:
            out += self.engine.advance(self.clock)
        yield out

    def _note_gone(self, item: Input) -> None:
        """What leaves a profile must not come back to it from a store's history."""
        if isinstance(item, Deletion):
            self.gone.append((self.real(str(item.profile)), item.key))
        elif isinstance(item, Split):
            self.gone += [(self.real(str(item.profile)), key) for key in sorted(item.keys)]

    def _forget_unknown(self, item: Input) -> None:
        """An input that said nothing of a profile that is not known leaves no trace of it."""
        for profile in _profiles(item):
            if profile not in self._due and profile not in self.engine.changed and self.engine.holds(profile):
                self.engine.discard(profile)

    def _reach(self, to: datetime, inclusive: bool) -> Iterator[list[Transition]]:
        """Loads everybody who is due before the clock gets there; moves it on the way when they are many."""
        end = micros(to) + inclusive
        while (chunk := self._due_before(end))[0]:
            profiles, last = chunk
            for profile in profiles:
                self._ensure(profile)
            if len(profiles) < CHUNK:
                continue
            at = instant(last)
            yield self.engine.advance(at) if at > self.clock else []

    def _due_before(self, end: int) -> tuple[list[str], int]:
        """The next profiles that are not loaded and due before an instant, and the instant of the last. Those of one instant are
        given together, so that they are judged in the same order whoever was loaded before."""
        found: list[str] = []
        last = 0
        while (entry := self._next_due(end)) is not None:
            due, profile = entry
            if len(found) >= (TIES_MOST if due == last else CHUNK):
                break
            heapq.heappop(self._upcoming)
            last = due
            if profile not in self._due:
                found.append(profile)
        return found, last

    def _next_due(self, end: int) -> tuple[int, str] | None:
        while not self._upcoming and not self._all_seen and (self._seen is None or self._seen[0] < end):
            self._next_window()
        return self._upcoming[0] if self._upcoming and self._upcoming[0][0] < end else None

    def has_work(self, to: datetime) -> bool:
        """Does moving the clock to an instant judge anybody?"""
        if to < self.clock:
            return False
        due = self.engine.next_due()
        return bool(self.engine.opened) or (due is not None and due <= to) or self._next_due(micros(to) + 1) is not None

    def _next_window(self) -> None:
        window = self.state.due(self._seen, WINDOW)
        self._all_seen = len(window) < WINDOW
        if window:
            self._seen = window[-1]
        for entry in window:
            if entry[1] not in self._due:
                heapq.heappush(self._upcoming, entry)

    # --- who is loaded ---
    def _ensure(self, profile: str) -> None:
        """Loads a profile, and those that it was merged into."""
        following: str | None = profile
        while following is not None:
            if following in self._due:
                self._due[following] = self._due.pop(following)
            else:
                row = self.state.load(following)
                if row is None:
                    return
                self._take_over(row)
            following = self._into(following)

    def _into(self, profile: str) -> str | None:
        into = self.engine.into(profile) if self.engine.holds(profile) else None
        return None if into is None else str(into)

    def real(self, profile: str) -> str:
        """The profile that a loaded one is part of."""
        while (into := self._into(profile)) is not None:
            profile = into
        return profile

    def _take_over(self, row: Row) -> None:
        try:
            self.engine.load_profile(row.data)
        except StateError as error:
            raise StreamError(error.code, f"profile `{row.profile}`: {error}") from None
        self._due[row.profile] = row.due

    def write_back(self) -> list[Row]:
        """The rows of all that changed since the last time, to be committed; then `let_go`."""
        rows = []
        for profile in sorted(map(str, self.engine.changed)):
            due = self.engine.due(profile)
            at = None if due is None else micros(due)
            cause = self.engine.opened.get(profile)
            before = self._due.get(profile, NEW)
            self.profiles += before == NEW
            self.timers += (at is not None) - (before is not None and before != NEW)
            self._due[profile] = at
            if self.state.keeps:
                rows.append(Row(profile, self.engine.dump_profile(profile), at, cause, self._into(profile)))
        self.engine.changed.clear()
        return rows

    def let_go(self) -> None:
        """Forgets profiles beyond the most, those first that were not touched for longest. To be called after a commit."""
        excess = len(self._due) - self.most
        if excess <= 0 or not self.state.keeps:
            return
        gone: list[str] = []
        for profile in self._due:
            if len(gone) == excess:
                break
            if profile not in self.engine.opened:
                gone.append(profile)
        for profile in gone:
            due = self._due.pop(profile)
            self.engine.discard(profile)
            if due is not None and (self._all_seen or (self._seen is not None and (due, profile) <= self._seen)):
                heapq.heappush(self._upcoming, (due, profile))
        if len(self._upcoming) > 3 * WINDOW:
            self._upcoming = heapq.nsmallest(WINDOW, self._upcoming)
            self._seen, self._all_seen = self._upcoming[-1], False

    def progress(self, taken: int, transitions: int, quarantined: int) -> Progress:
        clock, arrivals = micros(self.clock), self.engine.arrivals
        return Progress(clock, arrivals, taken, transitions, quarantined, self.profiles, self.timers)


def _profiles(item: Input) -> tuple[str, ...]:
    """Who an input is about."""
    match item:
        case Advance():
            return ()
        case Merge():
            return str(item.profile), str(item.source)
        case Split():
            return str(item.profile), str(item.target)
        case _:
            return (str(item.profile),)
