"""What is kept of a profile's events for the leaves that have a form, and how a leaf is read off it.

A *cell* is the state of a stream, or of two, for one profile: timestamps (integer microseconds), oldest first. An event in
order is added; anything else makes the cell anew from the profile's kept events. `look` answers a leaf at an instant: does it hold, and
when may that change by time alone. Where the newest timestamp is all that matters (`latest`), it is the state, as long as no event lies in
the future. Must not know documents or plans. Read `Count`, then `Thens` and `Withouts`. The engine writes out what most events do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from pql.runtime.dates import Dates
from pql.runtime.shapes import FOREVER, SCALE

NEVER = FOREVER * 2
FAILED = 2
INTEGER_LIMIT, NUMBER_LIMIT = 2**63, 10**12 * SCALE
WIDE = 2**40
ANY, NOTHING, ENDS = 0, -1, -2
_ENTER = itemgetter(0)
Rows = Sequence[Sequence[tuple[int, int]]]
"""The (timestamp, weight) of events, stream by stream."""
Answer = tuple[int, int]
"""(1, 0 or FAILED; the next instant at which it may be another, NEVER when none)."""


@dataclass(eq=False)
class Watch:
    """A leaf as its cell sees it: `number` in the plan, `enter` and `leave` of its span, `least` of its threshold."""

    number: int
    enter: int
    leave: int
    least: int = 1


@dataclass(eq=False)
class Cell:
    """`watches`: the leaves that are read off it, by threshold. `reach`: how far back any of them looks. `early`: all of them see an
    event at once. `latest`: the newest timestamp is enough, while events come in order. `bounded`: it ends with an earlier step of its chain."""

    number: int
    bounded = False
    watches: list[Watch] = field(default_factory=list)
    reach: int = 0
    keep: int = 0
    early: bool = False
    latest: bool = False

    def fresh(self) -> list[Any]:
        """The state of a profile without events."""
        return []

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        """An event in order. `role`: of which stream. What it can have turned: ANY leaf, NOTHING, one that holds (ENDS); more: none that
        holds, and none with a larger threshold than this."""
        raise NotImplementedError

    def preceded(self, firsts: list[int], at: int) -> bool:
        """Do these timestamps of a trail let an event in?"""
        return True

    def bound(self, cells: Mapping[int, Any], at: int) -> int | None:
        """Until when the step before lets an event in, by the states of a profile's cells; None: not at all."""
        return FOREVER

    def made(self, rows: Rows, now: int) -> Any:
        """The state made anew from the (timestamp, weight) of each stream's events, in order."""
        raise NotImplementedError

    def look(self, watch: Watch, state: Any, now: int) -> Answer:
        raise NotImplementedError

    def settle(self) -> None:
        self.watches.sort(key=lambda w: (w.least, w.number))
        self.reach = max(w.leave for w in self.watches)
        self.keep = max(w.least for w in self.watches)
        self.early = all(w.enter <= 0 for w in self.watches)
        self.latest = self.early and self.keep == 1 and isinstance(self, Count | Thens) and not self.bounded


class Count(Cell):
    """State: the timestamps of a stream's events; the `keep` newest are enough while they come in order and all leaves see them at once."""

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        state.append(at)
        return len(state)

    def made(self, rows: Rows, now: int) -> Any:
        stamps = [at for at, _ in rows[0]]
        return stamps[-1] if self.latest and stamps and stamps[-1] <= now else stamps

    def look(self, watch: Watch, state: Any, now: int) -> Answer:
        if type(state) is int:
            return (1, state + watch.leave) if state + watch.leave > now else (0, NEVER)
        count = len(state)
        reached = count if not count or state[-1] + watch.enter <= now else bisect_right(state, now - watch.enter)
        if reached >= watch.least:
            until = state[reached - watch.least] + watch.leave
            if until > now:
                return 1, until
        return 0, state[reached] + watch.enter if reached < count else NEVER


class Total(Cell):
    """State: timestamps, weights, whether one is negative, whether one is so large that a sum could leave its range."""

    def __init__(self, number: int, limit: int) -> None:
        super().__init__(number)
        self.limit = limit

    def fresh(self) -> list[Any]:
        return [[], [], False, False]

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        stamps, weights = state[0], state[1]
        stamps.append(at)
        weights.append(weight)
        if weight < 0:
            state[2] = True
        if not -WIDE < weight < WIDE:
            state[3] = True
        if len(stamps) > 4 and stamps[0] + self.reach <= at:
            del stamps[0], weights[0]
        return ANY if state[2] or state[3] else FOREVER

    def made(self, rows: Rows, now: int) -> Any:
        found = rows[0]
        weights = [w for _, w in found]
        wide = any(not -WIDE < w < WIDE for w in weights)
        return [[at for at, _ in found], weights, any(w < 0 for w in weights), wide]

    def look(self, watch: Watch, state: list[Any], now: int) -> Answer:
        stamps, weights = state[0], state[1]
        count = len(stamps)
        reached = count if not count or stamps[-1] + watch.enter <= now else bisect_right(stamps, now - watch.enter)
        following = stamps[reached] + watch.enter if reached < count else NEVER
        if state[2] or state[3] or watch.least <= 0:
            first = bisect_right(stamps, now - watch.leave)
            total = sum(weights[first:reached])
            until = min(following, stamps[first] + watch.leave) if first < reached else following
            if state[3] and not -self.limit <= total < self.limit:
                return FAILED, until
            return int(total >= watch.least), until
        missing, i = watch.least, reached
        while i and missing > 0:
            i -= 1
            missing -= weights[i]
        if missing <= 0 and stamps[i] + watch.leave > now:
            return 1, stamps[i] + watch.leave
        return 0, following


class Linked(Cell):
    """A step of a chain: the events of the last of its streams that one of the trail `before` precedes, `low` to `high` microseconds earlier; all of them,
    where there is none. `leave`: how long each is active. `trails`: those that lead to it. Where these have ends of their own (`bounded`), a state is
    timestamps, and the instants until which what precedes them is active; neither falls from one event to the next."""

    def __init__(
        self,
        number: int,
        low: int = 1,
        high: int = FOREVER,
        before: Trail | None = None,
        leave: int = FOREVER,
        guards: tuple[Trail, ...] = (),
    ) -> None:
        super().__init__(number)
        self.low, self.high, self.before, self.leave, self.guards = low, high, before, leave, guards
        self.trails: tuple[Trail, ...] = () if before is None else (*before.trails, before)
        self.sources: tuple[Trail, ...] = () if before is None else (*before.sources, before, *guards)
        self.bounded = any(trail.leave < FOREVER for trail in self.trails)

    def fresh(self) -> list[Any]:
        return [[], []] if self.bounded else []

    def preceded(self, firsts: list[int], at: int) -> bool:
        i = bisect_right(firsts, at - self.low)
        return i > 0 and firsts[i - 1] >= at - self.high

    def bound(self, cells: Mapping[int, Any], at: int) -> int | None:
        """The newest event of the step before decides: it ends last, and leaves the least room for what must not lie in between."""
        before = self.before
        if before is None:
            return FOREVER
        firsts = cells.get(before.number)
        if not firsts:
            return None
        stamps = firsts[0] if before.bounded else firsts
        i = bisect_right(stamps, at - self.low) - 1
        if i < 0 or stamps[i] < at - self.high:
            return None
        for guard in self.guards:
            others = cells.get(guard.number)
            if others and (last := bisect_left(others, at)) and others[last - 1] > stamps[i]:
                return None
        until: int = min(stamps[i] + before.leave, firsts[1][i] if before.bounded else FOREVER)
        return until if until > at else None

    def steps(self, rows: Rows) -> tuple[list[int], list[int]]:
        """The timestamps of the step, and until when what precedes them is active, from the events of all streams that lead to it: of the steps, then
        of what must not lie between them."""
        cells: dict[int, Any] = {}
        if self.before is not None:
            firsts = self.before.steps(rows[: len(rows) - len(self.guards)])
            cells[self.before.number] = firsts if self.before.bounded else firsts[0]
            for guard, row in zip(self.guards, rows[len(rows) - len(self.guards) :], strict=True):
                cells[guard.number] = [at for at, _ in row]
        found = [(at, until) for at, _ in rows[len(self.trails)] if (until := self.bound(cells, at)) is not None]
        return [at for at, _ in found], [until for _, until in found]

    def made(self, rows: Rows, now: int) -> Any:
        stamps, bounds = self.steps(rows)
        return [stamps, bounds] if self.bounded else stamps


class Trail(Linked):
    """A step that others follow, once for all of them. `brief`: the newest two that differ are enough in order, because all of them ask for an earlier
    one, however little; else those that the longest gap can reach."""

    brief, longest = True, 0

    def used(self, low: int, high: int) -> None:
        """A step that follows, with those gaps, reads it."""
        self.brief = self.brief and low <= 1
        self.longest = max(self.longest, high)

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        stamps = state[0] if self.bounded else state
        if self.brief and stamps and stamps[-1] == at:
            return NOTHING
        stamps.append(at)
        gone = max(len(stamps) - 2, 0) if self.brief else 0
        if not self.brief and len(stamps) > 8 and self.longest < FOREVER:
            gone = bisect_left(stamps, at - self.longest)
        del stamps[:gone]
        if self.bounded:
            state[1].append(weight)
            del state[1][:gone]
        return NOTHING

    def settle(self) -> None:
        """Nothing is read off it."""


class Thens(Linked):
    """The last step of a chain."""

    def settle(self) -> None:
        super().settle()
        self.latest = self.latest and not self.guards

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        stamps = state[0] if self.bounded else state
        stamps.append(at)
        gone = bisect_right(stamps, at - self.reach) if len(stamps) > 8 else 0
        del stamps[:gone]
        if self.bounded:
            state[1].append(weight)
            del state[1][:gone]
        return 1

    def made(self, rows: Rows, now: int) -> Any:
        state = super().made(rows, now)
        return state[-1] if self.latest and state and state[-1] <= now else state

    def look(self, watch: Watch, state: Any, now: int) -> Answer:
        if type(state) is int:
            return (1, state + watch.leave) if state + watch.leave > now else (0, NEVER)
        stamps = state[0] if self.bounded else state
        count = len(stamps)
        reached = count if not count or stamps[-1] + watch.enter <= now else bisect_right(stamps, now - watch.enter)
        if reached:
            until = stamps[reached - 1] + watch.leave
            if self.bounded:
                until = min(until, state[1][reached - 1])
            if until > now:
                return 1, until
        return 0, stamps[reached] + watch.enter if reached < count else NEVER


class Withouts(Linked):
    """State: timestamps of a step that nothing has ended yet, and those of the stream that ends them, the last one, that may still matter."""

    within: int | None = None

    def fresh(self) -> list[Any]:
        return [[], []]

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        firsts = state[0]
        if role == 0:
            firsts.append(at)
            if len(firsts) > 4 and firsts[0] + self.reach <= at:
                del firsts[0]
            return 1
        if self.within is None:
            state[1] = [at]
            if not firsts:
                return NOTHING
            del firsts[: bisect_left(firsts, at)]
        else:
            if not firsts:
                return NOTHING
            del firsts[bisect_left(firsts, at - self.within) : bisect_left(firsts, at)]
        return ENDS

    def made(self, rows: Rows, now: int) -> Any:
        firsts, seconds = self.steps(rows[:-1])[0], [at for at, _ in rows[-1]]
        if self.within is None:
            return [firsts, seconds]

        def ended(at: int) -> bool:
            i = bisect_right(seconds, at)
            return i < len(seconds) and seconds[i] <= at + (self.within or 0)

        return [[at for at in firsts if not ended(at)], []]

    def look(self, watch: Watch, state: list[Any], now: int) -> Answer:
        firsts, seconds = state[0], state[1]
        count = len(firsts)
        if count and (at := firsts[-1]) + watch.enter <= now >= at and (not seconds or seconds[-1] <= at):
            return (1, at + watch.leave) if at + watch.leave > now else (0, NEVER)  # what the rest comes to for most
        reached = count if not count or firsts[-1] + watch.enter <= now else bisect_right(firsts, now - watch.enter)
        until = firsts[reached] + watch.enter if reached < count else NEVER
        last = -NEVER
        if seconds:
            i = len(seconds) if seconds[-1] <= now else bisect_right(seconds, now)
            last = seconds[i - 1] if i else last
            until = min(until, seconds[i]) if i < len(seconds) else until
        if reached:
            at = firsts[reached - 1]
            if at >= last and at + watch.leave > now:
                return 1, min(until, at + watch.leave)
        return 0, until


class Dated(Cell):
    """A count or a total in a window of the calendar, which says itself when an event comes in and leaves. State: that of the form, with the instants at
    which events leave for timestamps (their watches have neither `enter` nor `leave`), and (enter, leave, weight) of the events that have not come in yet."""

    dates: Dates
    waits = ANY
    """What an event that does not count yet can have turned: a timer has to be set."""

    def fresh(self) -> list[Any]:
        return [super().fresh(), ()]

    def add(self, state: list[Any], at: int, weight: int, role: int) -> int:
        enter, leave = self.dates.of(at)
        if enter > at:
            if state[1]:
                state[1].append((enter, leave, weight))
            else:
                state[1] = [(enter, leave, weight)]
            return self.waits
        if state[1]:
            self._come(state, at)
        most = super().add(state[0], leave, weight, role)
        self.trim(state[0], at)
        return most

    def _come(self, state: list[Any], now: int) -> None:
        """The events that have waited until now."""
        count = bisect_right(state[1], now, key=_ENTER)
        for _, leave, weight in state[1][:count]:
            super().add(state[0], leave, weight, 0)
        del state[1][:count]
        self.trim(state[0], now)

    def trim(self, state: list[Any], now: int) -> None:
        """Takes out what does not matter from an instant on."""
        raise NotImplementedError

    def made(self, rows: Rows, now: int) -> Any:
        state = self.fresh()
        found = ((*self.dates.of(at), weight) for at, weight in rows[0])
        state[1] = [row for row in found if row[0] < row[1] > now]
        self._come(state, now)
        return state

    def look(self, watch: Watch, state: Any, now: int) -> Answer:
        if state[1] and state[1][0][0] <= now:
            self._come(state, now)
        value, until = super().look(watch, state[0], now)
        return value, min(until, state[1][0][0]) if state[1] else until

    def settle(self) -> None:
        super().settle()
        self.early, self.latest, self.reach = False, False, FOREVER


class DatedCount(Dated, Count):
    """The newest are enough: who comes in later leaves later."""

    waits = FOREVER

    def trim(self, state: list[Any], now: int) -> None:
        del state[: -self.keep]


class DatedThens(Dated, Thens):
    waits = FOREVER

    def trim(self, state: list[Any], now: int) -> None:
        del state[:-1]

    def made(self, rows: Rows, now: int) -> Any:
        return super().made([[(at, 1) for at in self.steps(rows)[0]]], now)


class DatedTotal(Dated, Total):
    def trim(self, state: list[Any], now: int) -> None:
        if len(state[0]) > 4 and state[0][0] <= now:
            gone = bisect_right(state[0], now)
            del state[0][:gone], state[1][:gone]
