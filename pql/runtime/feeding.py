"""An event in order, into the cells of its profile: the inner loop of the live engine.

What `cells.Cell` says in general is written out for what most events do: a leaf that holds is passed over, one that turns gets its timer.
A function of a profile's state, the work of the event's class, and a clock; it must not know engines, inputs or documents, so that a compiled core can
take its place. Read `feed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pql.runtime.cells import FAILED, NOTHING, Cell
from pql.runtime.network import Work
from pql.runtime.routing import FAILING
from pql.runtime.settled import IDLE
from pql.runtime.state import Person
from pql.runtime.wheel import LAST, Entry

Add = Callable[[Entry], None]
Others = tuple[tuple[int, Cell, int, int], ...]
Waits = tuple[tuple[int, Cell, tuple[tuple[int, int], ...]], ...]


def feed(person: Person, work: Work, at: int, weights: tuple[int, ...], now: int, add: Add) -> list[int]:
    """The leaves that an event of timestamp `at` turns; their truth is set and their timers are added. `weights`: what it adds to weighed
    streams. A cell that nobody asks for has no state, and gets none. No timer is later than LAST: none is armed there."""
    cells, truth, armed, alive = person.cells, person.truth, person.armed, person.base.alive
    turned: list[int] = []
    for place, cell, before, low, high, ones in work.latest:
        if not alive[place]:
            continue
        if before >= 0:
            firsts = cells.get(before)
            if not firsts or not (low <= at - firsts[-1] <= high or cell.preceded(firsts, at)):
                continue
        cells[place] = at
        for number, leave in ones:
            if not truth[number] and (until := at + leave) > now:
                truth[number] = 1
                turned.append(number)
                if armed.get(number, LAST) > until:
                    armed[number] = until
                    add((until, person, number))
    for place, keep, quick in work.counts:
        state = cells.get(place)
        if state is None:
            if not alive[place]:
                continue
            cells[place] = state = [at]
            count = 1
        else:
            state.append(at)
            count = len(state)
            if count > keep:
                del state[0]
                count -= 1
        for least, number, leave in quick:
            if least > count:
                break
            if not truth[number] and (until := state[-least] + leave) > now:
                truth[number] = 1
                turned.append(number)
                if armed.get(number, LAST) > until:
                    armed[number] = until
                    add((until, person, number))
    for place, cell in work.ends:
        state = cells.get(place)
        if state and state[0]:
            turned += _ended(person, cell, state, at, now, add)
    if work.others:
        turned += _others(person, work.others, at, weights, now, add)
    if work.waits:
        if at == now:
            _waits(person, work.waits, at, add)
        else:  # some of the wait, or all of it, is over
            turned += _others(person, tuple((n, cell, -1, -1) for n, cell, _ in work.waits), at, weights, now, add)
    for place, trail in work.trails:
        state = cells.get(place)
        if not state:
            if alive[place]:
                cells[place] = [at]
        elif not trail.brief:
            trail.add(state, at, 1, 0)
        elif state[-1] != at:
            state.append(at)
            if len(state) > 2:
                del state[0]
    return turned


def _ended(person: Person, cell: Cell, state: list[Any], at: int, now: int, add: Add) -> list[int]:
    """An event in order that may end what holds as long as it does not come. Gives the leaves that it turned."""
    truth, turned = person.truth, []
    if cell.add(state, at, 1, 1) != NOTHING:
        for watch in cell.watches:
            number = watch.number
            if (held := truth[number]) and held != IDLE:
                value, until = cell.look(watch, state, now)
                if value != held:
                    truth[number] = value
                    turned.append(number)
                if person.armed.get(number, LAST) > until:
                    person.armed[number] = until
                    add((until, person, number))
    return turned


def _others(person: Person, others: Others, at: int, weights: tuple[int, ...], now: int, add: Add) -> list[int]:
    """An event in order, into the cells of other forms. Gives the leaves that it turned."""
    cells, truth, armed = person.cells, person.truth, person.armed
    turned: list[int] = []
    for place_of, cell, place, trail in others:
        state = cells.get(place_of)
        if state is None and not person.base.alive[place_of]:
            continue
        weight = weights[place] if place >= 0 else 1
        if trail >= 0:
            if (bound := cell.bound(cells, at)) is None:
                continue
            weight = bound
        if state is None:
            state = cells[place_of] = cell.fresh()
        most = cell.add(state, at, weight, 0)
        for watch in cell.watches:
            number = watch.number
            held = truth[number]
            if most > 0:
                if watch.least > most:
                    break
                if held & 1:
                    continue
            elif held == IDLE:
                continue
            value, until = cell.look(watch, state, now)
            if value != held:
                truth[number] = value
                if value == FAILED:
                    person.stale |= FAILING
                turned.append(number)
            if armed.get(number, LAST) > until:
                armed[number] = until
                add((until, person, number))
    return turned


def _waits(person: Person, waits: Waits, at: int, add: Add) -> None:
    """An event in order that has to stay without another for a while: it turns nothing yet, but its time will come."""
    cells, truth, armed, alive = person.cells, person.truth, person.armed, person.base.alive
    for place, cell, ones in waits:
        state = cells.get(place)
        if state is None:
            if not alive[place]:
                continue
            cells[place] = [[at], []]
        else:
            cell.add(state, at, 1, 0)
        for number, enter in ones:
            if not truth[number] and armed.get(number, LAST) > at + enter:
                armed[number] = at + enter
                add((at + enter, person, number))
