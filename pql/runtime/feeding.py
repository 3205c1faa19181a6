"""An event in order, into the cells of its profile: the inner loop of the live engine.

What `cells.Cell` says in general is written out for what most events do: a leaf that holds is passed over, one that turns gets its timer.
A function of a profile's state, the work of the event's class, and a clock; it must not know engines, inputs or documents, so that a compiled core can
take its place. Read `feed`.
"""

from __future__ import annotations

from collections.abc import Callable

from pql.runtime.cells import ENDS, FAILED, NOTHING, Cell
from pql.runtime.network import Work
from pql.runtime.routing import FAILING
from pql.runtime.settled import IDLE
from pql.runtime.state import Person
from pql.runtime.wheel import LAST, Entry, Wheel

Add = Callable[[Entry], None]
Others = tuple[tuple[int, Cell, int, int, int], ...]
Waits = tuple[tuple[int, Cell, tuple[tuple[int, int], ...]], ...]


def feed(person: Person, work: Work, at: int, weights: tuple[int, ...], now: int, wheel: Wheel) -> list[int]:
    """The leaves that an event of timestamp `at` turns; their truth is set and their timers run. `weights`: what it adds to weighed streams."""
    cells, truth, armed, alive, add = person.cells, person.truth, person.armed, person.base.alive, wheel.add
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
                if until < LAST and armed.get(number, LAST) > until:
                    armed[number] = until
                    add((until, person, number))
    for place, keep, quick in work.counts:
        if alive[place]:
            state = cells.get(place)
            if state is None:
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
                    if until < LAST and armed.get(number, LAST) > until:
                        armed[number] = until
                        add((until, person, number))
    if work.others:
        turned += _others(person, work.others, at, weights, now, add)
    if work.waits:
        if at == now:
            _waits(person, work.waits, at, add)
        else:  # some of the wait, or all of it, is over
            turned += _others(person, tuple((n, cell, 0, -1, -1) for n, cell, _ in work.waits), at, weights, now, add)
    for place, trail in work.trails:
        if alive[place]:
            state = cells.get(place)
            if not state:
                cells[place] = [at]
            elif not trail.brief:
                trail.add(state, at, 1, 0)
            elif state[-1] != at:
                state.append(at)
                del state[:-2]
    return turned


def _others(person: Person, others: Others, at: int, weights: tuple[int, ...], now: int, add: Add) -> list[int]:
    """An event in order, into the cells of other forms. Gives the leaves that it turned."""
    cells, truth, armed, alive = person.cells, person.truth, person.armed, person.base.alive
    turned: list[int] = []
    for place_of, cell, role, place, trail in others:
        if not alive[place_of]:
            continue
        state = cells.get(place_of)
        if role and trail < 0 and (state is None or not state[0]):
            continue  # nothing that it could end
        if trail >= 0 and not cell.preceded(cells.get(trail, ()), at):
            continue
        if state is None:
            state = cells[place_of] = cell.fresh()
        steady = cell.add(state, at, weights[place] if place >= 0 else 1, role)
        if steady == NOTHING:
            continue
        for watch in cell.watches:
            number = watch.number
            held = truth[number]
            if steady > 0:
                if watch.least > steady:
                    break
                if held & 1:
                    continue
            elif held == IDLE or (steady == ENDS and not held):
                continue
            value, until = cell.look(watch, state, now)
            if value != held:
                truth[number] = value
                if value == FAILED:
                    person.stale |= FAILING
                turned.append(number)
            if until < LAST and armed.get(number, LAST) > until:
                armed[number] = until
                add((until, person, number))
    return turned


def _waits(person: Person, waits: Waits, at: int, add: Add) -> None:
    """An event in order that has to stay without another for a while: it turns nothing yet, but its time will come."""
    cells, truth, armed, alive = person.cells, person.truth, person.armed, person.base.alive
    for place, cell, ones in waits:
        if not alive[place]:
            continue
        state = cells.get(place)
        if state is None:
            cells[place] = [[at], []]
        else:
            cell.add(state, at, 1, 0)
        for number, enter in ones:
            if not truth[number] and armed.get(number, LAST) > at + enter:
                armed[number] = at + enter
                add((at + enter, person, number))
