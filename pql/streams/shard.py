"""All profiles of one state on one engine: loaded when they are touched or due, written back when they changed, let go when many.

A profile's timer is looked for in the state in windows, so that nobody has to be loaded to be remembered. Read `Shard.reach` and `take`.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, assert_never

from pql.runtime.hosting import HostedEngine, instant_of
from pql.runtime.inputs import (
    Advance,
    AttributeChange,
    Deletion,
    Document,
    Event,
    Failure,
    Input,
    Merge,
    Record,
    Split,
    Transition,
)
from pql.runtime.plan import Plan
from pql.runtime.state import StateError
from pql.streams.errors import StreamError
from pql.streams.messages import Reader, write_document, write_message
from pql.streams.state import Dropped, Happened, Joined, Parted, Progress, Put, Row, State, instant, micros

WINDOW = 20_000
"""Timers that are read from the state at a time."""
CHUNK = 2_000
"""Profiles that are loaded before the clock is moved on to them."""
TIES_MOST = 50_000
"""Profiles due at one instant that are judged together; more are judged in parts."""
OPEN_MOST = 100_000
"""After more inputs than this at one instant, what happened so far is judged before the instant ends."""
FEW = 8
"""Profiles that are read one by one."""
NEW = -1


class Looked(NamedTuple):
    """The record, the memberships, and the attributes with the instant since which each is what it is."""

    record: Document | None
    members: frozenset[str]
    values: dict[str, tuple[Any, datetime | None]]


class Shard:
    """`most`: profiles that stay loaded between two commits."""

    def __init__(self, plan: Plan, state: State, most: int = 100_000) -> None:
        self.plan, self.state, self.most = plan, state, most
        self.engine = HostedEngine(plan)
        self.profiles = self.timers = 0
        self.history: list[Happened] = []
        self._touched: set[str] = set()
        self._rows: dict[str, Row] = {}
        self._fetched: dict[str, Row | None] = {}
        self._open: list[Input] = []
        self._open_kept = 0
        self._closed = False
        self._due: dict[str, int | None] = {}
        self._upcoming: list[tuple[int, str]] = []
        self._seen: tuple[int, str] | None = None
        self._all_seen = False
        self._resume(state.progress())

    def _resume(self, progress: Progress) -> None:
        """Where the state is: profiles as they were before the open instant, and then its inputs again."""
        self.profiles, self.timers = progress.profiles, progress.timers
        self.engine.resume(instant(progress.clock), progress.arrivals)
        reader = Reader(self.plan.schema)
        for message in self.state.open_inputs():
            self._apply(reader.read(message))
            self._open_kept += 1

    @property
    def clock(self) -> datetime:
        return self.engine.clock

    @property
    def loaded(self) -> int:
        return len(self._due)

    @property
    def changed(self) -> int:
        """Profiles that wait to be committed."""
        return len(self.engine.changed) + len(self._touched) + len(self._rows)

    @property
    def waiting(self) -> bool:
        """Is there something to commit though nothing was read? What an open instant changed is written down when the clock leaves it."""
        return self.changed > 0 and not (self._open or self._open_kept)

    @property
    def failures(self) -> list[Failure]:
        return self.engine.failures

    @property
    def changes(self) -> list[AttributeChange]:
        return self.engine.changes

    # --- inputs ---
    def reach(self, item: Input, settles: bool = True) -> Iterator[list[Transition]]:
        """Moves the clock to where an input happens; the transitions in parts, after each of which a commit may be made if `settled`.

        `settles`: profiles that changed are written down when the input leaves the clock's instant. It must be so for the last
        input of a commit that does (`leaves`): what comes after it is kept as open.
        """
        to = instant_of(item)
        if to is not None and to > self.clock > datetime.min:
            yield from self._reach(to, isinstance(item, Advance))
            if not isinstance(item, Advance):
                out = self.engine.move(to)
                self._close(settles)
                yield out

    def take(self, item: Input, settles: bool = True, remembers: bool = True) -> list[Transition]:
        """An input, after `reach`; the transitions of the instants that it closes. `remembers`: an event has come live, and is kept
        among those that did."""
        out = self._apply(item)
        if isinstance(item, Advance):
            self._close(settles)
        elif self.state.keeps:
            if remembers:
                self._happened(item)
            self._open.append(item)
            if self._open_kept + len(self._open) > OPEN_MOST:
                out += self._advance(self.clock)
        return out

    @property
    def settled(self) -> bool:
        """Is all that changed written down, and no instant open?"""
        return not (self._open or self._open_kept or self._touched or self.engine.changed)

    @staticmethod
    def leaves(item: Input, to: datetime | None, clock: datetime) -> bool:
        """Does an input, which happens at `to`, leave the clock's instant, so that it is judged? Before the first instant there is none."""
        return isinstance(item, Advance) or (to is not None and to > clock > datetime.min)

    def _close(self, settles: bool) -> None:
        """The open instant has ended."""
        self._open, self._open_kept, self._closed = [], 0, True
        if settles:
            self._write_down()

    def _advance(self, to: datetime) -> list[Transition]:
        out = self.engine.advance(to)
        self._close(True)
        return out

    def _apply(self, item: Input) -> list[Transition]:
        profiles = _profiles(item)
        for profile in profiles:
            self._ensure(profile)
        people = self.engine.people
        fresh = [p for p in profiles if p not in people] if isinstance(item, Deletion | Merge) else ()
        out = self.engine.apply((item,))
        for profile in profiles:
            if profile not in people:
                continue
            if profile in fresh and not self.engine.is_open(profile):
                self.engine.discard(profile)
                continue
            self._touched.add(profile)
            if people[profile].into is not None:
                self._touched.add(self.real(profile))
        return out

    def _happened(self, item: Input) -> None:
        """What an input, which has been applied, does to the events of profiles."""
        if isinstance(item, Advance | Record) or not self.engine.holds(str(item.profile)):
            return
        profile = self.real(str(item.profile))
        match item:
            case Event():
                key = item.key if item.key is not None else item.document.get("_id")
                self.history.append(Put(profile, key, write_document(item.document)))
            case Deletion():
                self.history.append(Dropped(profile, item.key))
            case Merge():
                if str(item.source) != profile:
                    self.history.append(Joined(profile, str(item.source)))
            case Split():
                self.history.append(Parted(profile, str(item.target), tuple(sorted(item.keys))))
            case _:
                assert_never(item)

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
            yield self._advance(at) if at > self.clock else []

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
        return self.engine.any_open or (due is not None and due <= to) or self._next_due(micros(to) + 1) is not None

    def _next_window(self) -> None:
        window = self.state.due(self._seen, WINDOW)
        self._all_seen = len(window) < WINDOW
        if window:
            self._seen = window[-1]
        for entry in window:
            if entry[1] not in self._due:
                heapq.heappush(self._upcoming, entry)

    # --- who is loaded ---
    def fetch(self, items: Iterable[Input]) -> None:
        """Reads the profiles of some inputs that are to come from the state, all at once; they are loaded when their input comes."""
        if not self.state.keeps:
            return
        people = self.engine.people
        wanted = list({p: None for item in items for p in _profiles(item) if p not in people})
        if len(wanted) < FEW:
            return
        self._fetched = {**dict.fromkeys(wanted), **{row.profile: row for row in self.state.load_many(wanted)}}

    def _ensure(self, profile: str) -> None:
        """Loads a profile, and those that it was merged into."""
        following: str | None = profile
        while following is not None:
            if following in self._due:
                self._due[following] = self._due.pop(following)
            elif not self.engine.holds(following):
                fetched = self._fetched
                row = fetched.pop(following) if following in fetched else self.state.load(following)
                if row is None:
                    return
                self._take_over(row)
            following = self._into(following)

    def _into(self, profile: str) -> str | None:
        person = self.engine.people.get(profile)
        return None if person is None or person.into is None else str(person.into)

    def real(self, profile: str) -> str:
        """The profile that a loaded one is part of."""
        while (into := self._into(profile)) is not None:
            profile = into
        return profile

    def _take_over(self, row: Row) -> None:
        try:
            self.engine.take_over(row.data)
        except StateError as error:
            raise StreamError(error.code, f"profile `{row.profile}`: {error}") from None
        self._due[row.profile] = row.due

    def _write_down(self) -> None:
        """The rows of all that changed, while no instant is open."""
        changed = {str(p) for p in self.engine.changed} | self._touched
        self._touched = set()
        self.engine.changed.clear()
        for profile in changed:
            if not self.engine.holds(profile):
                continue
            at = self.engine.due(profile)
            before = self._due.get(profile, NEW)
            self.profiles += before == NEW
            self.timers += (at is not None) - (before is not None and before != NEW)
            self._due[profile] = at
            if self.state.keeps:
                self._rows[profile] = Row(profile, self.engine.dump(profile), at, self._into(profile))

    def rows(self) -> list[Row]:
        """What was written down since the last time, to be committed; then `let_go`."""
        rows, self._rows = self._rows, {}
        return [rows[profile] for profile in sorted(rows)]

    def look(self, names: Iterable[str], at: datetime) -> dict[str, Looked]:
        """What is held of profiles that are not merged into others, when the clock is moved to an instant. Nothing
        else is loaded, so this shard must not be used on."""
        found = [name for name in names if self._known(name)]
        self.engine.advance(at)
        engine = self.engine
        return {
            n: Looked(engine.people[n].record, engine.members(n), engine.valued(n))
            for n in found
            if self._into(n) is None
        }

    def _known(self, profile: str) -> bool:
        self._ensure(profile)
        return self.engine.holds(profile)

    # --- for what the graph says ---
    def standing(self, profile: str) -> str | None:
        """The profile that one is part of, loaded. None: there is no such profile."""
        return self.real(profile) if self._known(profile) else None

    def record(self, profile: str) -> Document | None:
        """Of a loaded profile."""
        return self.engine.people[profile].record

    def keys(self, profile: str) -> set[str]:
        """The keys of the events that are kept of a loaded profile."""
        return {kept.key for kept in self.engine.people[profile].events if kept.key is not None}

    def sources(self) -> dict[str, list[str]]:
        """By profile, the loaded ones that were merged into it."""
        found = defaultdict[str, list[str]](list)
        for profile, person in self.engine.people.items():
            if person.into is not None:
                found[str(person.into)].append(str(profile))
        return found

    def is_part(self, profile: str, of: str) -> bool:
        """Was a profile merged into another, directly or by way of others?"""
        self._ensure(profile)
        into = self._into(profile)
        while into is not None and into != of:
            into = self._into(into)
        return into is not None

    def erase(self, profiles: set[str]) -> list[Transition]:
        """Forgets profiles for good, loaded or not, with what happened to them at the open instant. That ends with it: its inputs tell of
        who is gone, and what others have of them is to be written down."""
        out: list[Transition] = []
        for profile in profiles:
            self._ensure(profile)  # all of them first: a part loads whom it is part of
        for profile in sorted(profiles):
            if self.engine.holds(profile):
                out += self.engine.erase(profile)
            self._rows.pop(profile, None)
            self._touched.discard(profile)
            if profile in self._due:
                self.profiles -= 1
                self.timers -= self._due.pop(profile) is not None
        if self.clock > datetime.min:
            return out + self._advance(self.clock)
        reader = Reader(self.plan.schema)  # before the first instant nothing can be judged
        kept = [reader.read(message) for message in self.state.open_inputs()] + self._open
        self._open = [item for item in kept if profiles.isdisjoint(_profiles(item))]
        self._open_kept, self._closed = 0, True
        return out

    def open_inputs(self) -> tuple[list[bytes], bool]:
        """The inputs of the open instant since the last time, and whether those before are done with."""
        found, closed = [write_message(item) for item in self._open], self._closed
        self._open, self._open_kept, self._closed = [], self._open_kept + len(self._open), False
        return found, closed

    def let_go(self) -> None:
        """Forgets profiles beyond the most, those first that were not touched for longest. To be called after a commit."""
        self._fetched = {}
        excess = len(self._due) - self.most
        if excess <= 0 or not self.state.keeps:
            return
        gone: list[str] = []
        for profile in self._due:
            if len(gone) == excess:
                break
            if not (profile in self._touched or profile in self.engine.changed or self.engine.is_open(profile)):
                gone.append(profile)
        for profile in gone:
            due = self._due.pop(profile)
            self.engine.discard(profile)
            if due is not None and (self._all_seen or (self._seen is not None and (due, profile) <= self._seen)):
                heapq.heappush(self._upcoming, (due, profile))
        if len(self._upcoming) > 3 * WINDOW:
            self._upcoming = heapq.nsmallest(WINDOW, self._upcoming)
            self._seen, self._all_seen = self._upcoming[-1], False

    def progress(self, taken: int, transitions: int, quarantined: int, changes: int = 0) -> Progress:
        clock, arrivals = micros(self.clock), self.engine.arrivals
        return Progress(clock, arrivals, taken, transitions, quarantined, self.profiles, self.timers, changes)


def _profiles(item: Input) -> tuple[str, ...]:
    """Who an input is about."""
    match item:
        case Event():
            return (str(item.profile),)
        case Advance():
            return ()
        case Merge():
            return str(item.profile), str(item.source)
        case Split():
            return str(item.profile), str(item.target)
        case _:
            return (str(item.profile),)
