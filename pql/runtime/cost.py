"""What a plan will keep and how often it will look, before it runs. Must not know state. Read `cost_of` and `Cost`.

A segment's, or an attribute's, class is that of its most demanding leaf: `stateless` (the record alone), `constant` (the record and the clock), `bucketed` (events
of a bounded stretch of time), `history` (every event for good: `unbounded`). Bytes follow from the sizes of CPython's objects and what is known of the
traffic (`Traffic`); `python -m benchmarks.cost` compares them with what engines really keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Literal

from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime.attributes import Computed
from pql.runtime.cells import Cell, Count, Dated, Linked, Thens, Total, Trail
from pql.runtime.inputs import Document
from pql.runtime.network import Network
from pql.runtime.routing import path_of, presence, simple
from pql.runtime.shapes import FOREVER, AtLeast, Leaf, Plain, Then, Without
from pql.runtime.state import FEW, KEEP, MARKS
from pql.types import ObjectType

if TYPE_CHECKING:
    from pql.runtime.plan import Plan

Kind = Literal["stateless", "constant", "bucketed", "history"]
ORDER: tuple[Kind, ...] = ("stateless", "constant", "bucketed", "history")
DAY = 86_400_000_000
ALLOCATED = 1.12
"""What the allocator takes for objects of these sizes, and the tables that hold them, over their own bytes."""
PERSON, OBJECT, TEXT = 450, 184, 40
"""A profile's state with its place in the engine; an object (a small dict) and a text of a document."""
COMPUTATION, VALUE = 170, 64
"""The attributes of a profile together, and one of them with its value and instant."""
EVENT, WEIGHT, STAMP, LIST, TIMER, WAITING = 195, 80, 8, 88, 150, 72
"""An event that is kept, what it adds to a weighed stream, a timestamp once more in a cell, a cell's list, a timer, an event that does not count yet."""


@dataclass(frozen=True)
class Traffic:
    """What is known of profiles and events before they come. `a_day`: events of a profile, of all types. `days`: for how long. `events`, `records`:
    typed documents like those that will come, from which shares are counted; without them, shares are guesses."""

    a_day: float = 0.5
    days: float = 365.0
    events: Sequence[Document] = ()
    records: Sequence[Document] = ()


@dataclass(frozen=True)
class Cost:
    """`retention`: microseconds for which events are kept; None: for good. `timers`: outstanding for a profile, at most. `bytes`: of a
    profile, for the traffic that was assumed. `plain`: leaves that the plain evaluator answers anew at every event."""

    kind: Kind
    retention: int | None
    timers: int
    bytes: int
    leaves: int
    plain: int

    @property
    def unbounded(self) -> bool:
        return self.kind == "history"


def reach_of(leaf: Leaf) -> int | None:
    """How far back a leaf looks, in microseconds; None: for good."""
    match leaf:
        case Plain():
            return leaf.reach if leaf.events else 0
        case AtLeast():
            reach = leaf.span.reach
        case Then() | Without():
            reach = leaf.reach
    return reach if reach < FOREVER // 2 else None


def kind_of(leaf: Leaf | Computed) -> Kind:
    if isinstance(leaf, Computed) and leaf.events:
        return "history" if leaf.reach is None else "bucketed"
    if isinstance(leaf, Computed):
        return "constant" if leaf.clock else "stateless"
    if isinstance(leaf, Plain) and not leaf.events:
        return "constant" if leaf.clock else "stateless"
    return "history" if reach_of(leaf) is None else "bucketed"


def cost_of(
    plan: Plan, segment: str | None = None, traffic: Traffic | None = None, attribute: str | None = None
) -> Cost:
    """The cost of a segment or an attribute alone, or of the whole plan, where equal leaves are kept once."""
    net, traffic, whole = plan.network, traffic or Traffic(), segment is None and attribute is None
    numbers = list(range(len(net.leaves))) if whole else [] if segment is None else net.below[plan.index[segment]]
    values = [a for a in plan.attributes if whole or a.name == attribute]
    found = [net.leaves[n] for n in numbers]
    kind: Kind = max((kind_of(x) for x in (*found, *values)), key=ORDER.index, default="stateless")
    reaches = [*(reach_of(leaf) for leaf in found), *(a.reach for a in values)]
    retention = None if None in reaches else max((r for r in reaches if r is not None), default=0)
    plain = sum(isinstance(leaf, Plain) and leaf.events for leaf in found)
    timers = sum(not isinstance(leaf, Plain) or leaf.clock for leaf in found)
    roots = range(len(plan.roots)) if whole else [] if segment is None else [plan.index[segment]]
    size = PERSON + len(roots) + len(found) + _record(plan, roots, values)
    size += _events(plan, numbers, values, retention, traffic) + _cells(net, numbers, traffic)
    if values:
        moving = sum(a.clock for a in values)
        timers, plain = timers + moving, plain + sum(a.events and a.tally is None for a in values)
        size += COMPUTATION + len(values) * VALUE + moving * TIMER
    return Cost(kind, retention, timers, int(size * ALLOCATED), len(found) + len(values), plain)


def _fields(plan: Plan, roots: Iterable[int], values: Iterable[Computed]) -> set[tuple[str, ...]]:
    """The paths that conditions and attributes read of the profile, those of the segments that they refer to among them."""
    found, seen = set(), set[str]()
    todo = [*(plan.roots[i].condition for i in roots), *(a.value for a in values)]
    while todo:
        for node in walk(todo.pop()):
            if isinstance(node, ir.InSegment) and node.segment not in seen:
                seen.add(node.segment)
                todo.append(plan.conditions[node.segment])
            elif isinstance(node, ir.Field) and (path := path_of(node, ir.PROFILE)) is not None:
                found.add(path)
    return found


def _record(plan: Plan, roots: Iterable[int], values: Iterable[Computed]) -> float:
    """Bytes of the record, with no more in it than the conditions read; few attributes have texts of their own."""
    paths = {path for path in _fields(plan, roots, values) if path[0] != "xEvent"}
    objects = {path[:i] for path in paths for i in range(len(path))}
    return OBJECT * max(1, len(objects))


def _events(
    plan: Plan, numbers: Sequence[int], values: Sequence[Computed], retention: int | None, traffic: Traffic
) -> float:
    """Bytes of the events that are kept: those of the retention, a part of it more (`Engine` lets a quarter go at once), and their keys."""
    net = plan.network
    inside = traffic.a_day * (traffic.days if retention is None else min(retention / DAY, traffic.days))
    if retention is None or retention / DAY >= traffic.days:
        kept, keys = inside, _keys(inside, inside, 0)
    else:
        kept = min(traffic.a_day * traffic.days, 1.18 * inside + KEEP - 1)
        keys = _keys(inside, 2 * kept - inside, inside)
    shares = _Shares(net, traffic)
    tallied = {net.attributes[plan.attributes.index(a)][0] for a in values if a.tally is not None}  # type: ignore[index]
    weights = sum(
        shares.of(s) for s in {s for c in _cells_of(net, numbers) for s in net.feeds[c.number]} | tallied
        if net.streams[s].weight is not None
    )  # fmt: skip
    size = 56 + kept * (EVENT + STAMP + weights * WEIGHT) + keys
    asked = [net.eventful[n] for n in numbers if n in net.eventful]
    asked += [net.attributes[plan.attributes.index(a)] for a in values if a.events and a.tally is None]
    if asked:
        size += kept * _document(plan.schema.event) * shares.of_any(asked)
    return size


def _document(event: ObjectType) -> float:
    """Bytes of an event's document: its own fields and those one object below, which is what most events have."""
    objects = [f.type for f in event.fields.values() if isinstance(f.type, ObjectType)]
    leaves = sum(not isinstance(f.type, ObjectType) for f in event.fields.values())
    leaves += sum(len(o.fields) for o in objects)
    return min(len(objects) + 1, 8) * OBJECT + min(leaves, 20) * TEXT


def _cells_of(net: Network, numbers: Iterable[int]) -> list[Cell]:
    found: dict[int, Cell] = {}
    for number in numbers:
        if number in net.watching:
            cell = net.watching[number][0]
            found[cell.number] = cell
            if isinstance(cell, Linked):
                found.update((trail.number, trail) for trail in cell.sources)
    return list(found.values())


def _cells(net: Network, numbers: Sequence[int], traffic: Traffic) -> float:
    """Bytes of the cells that events reach and of the timers that run: a leaf that the record leaves idle has none."""
    lists, places, timers = 0.0, 0.0, 0.0
    wanted, shares = set(numbers), _Shares(net, traffic)
    for cell in _cells_of(net, numbers):
        watches = [w for w in cell.watches if w.number in wanted]
        wait, last = cell.dates.usual if isinstance(cell, Dated) else (0, 0)
        reach = min(last or max((w.leave for w in watches), default=30 * DAY), 365 * DAY)
        share = min(shares.of(s) for s in net.feeds[cell.number])
        came = traffic.a_day * share * traffic.days
        inside = traffic.a_day * share * min(reach / DAY, traffic.days)
        alive = shares.alive(cell)
        here = alive * (1 - exp(-came))
        places += here
        if cell.bounded:
            lists += here * (3 * LIST + 2 * STAMP * min(came, 2 if isinstance(cell, Trail) else inside))
        elif isinstance(cell, Count | Trail | Thens) and not cell.latest:
            lists += here * (LIST + STAMP * min(came, max(cell.keep, 1)))
        elif not isinstance(cell, Count | Thens):
            lists += here * (3 * LIST + 2 * STAMP * inside)
        waiting = traffic.a_day * share * min(wait / DAY, traffic.days)
        lists += here * (isinstance(cell, Dated) * LIST + waiting * WAITING)
        for watch in watches:
            lasts = last or watch.leave
            if lasts < FOREVER // 2:
                least = 1 if isinstance(cell, Total) else watch.least
                often = _reaching(traffic.a_day * share * min(lasts / DAY, traffic.days), least)
                timers += alive * max(often, _reaching(waiting, 1))
    return _dict(places) + lists + _dict(timers) + timers * TIMER


def _reaching(mean: float, least: int) -> float:
    """The probability of `least` events or more, when they come independently of one another."""
    if least > 50:
        return float(mean >= least)
    term = total = exp(-mean)
    for n in range(1, least):
        term *= mean / n
        total += term
    return max(0.0, 1.0 - total)


def _dict(entries: float) -> float:
    """Bytes of a dict with small keys (CPython 3.11): tables of 8, 16, 32 … places of which two thirds are used."""
    if entries < 0.5:
        return 64
    places = 8
    while entries > places * 2 / 3:
        places *= 2
    return 96 + places + places * 2 // 3 * 24


def _keys(least: float, most: float, after: float) -> float:
    """Bytes of the keys of a profile whose events grow from the `least` to the `most`: a set is made of more than a few at the first key whose
    mark is set already (`Person.knew`), and goes when events do, which were `after` then."""
    counts = range(round(least), round(most) + 1)
    first, size = max(FEW, round(after)), 0.0
    for n in counts:
        marked = (n * (n + 1) - first * (first + 1)) / 2 / (MARKS + 1)
        size += (1 - exp(-max(0.0, marked))) * _set(n)
    return size / len(counts)


def _set(entries: float) -> float:
    """Bytes of a set of keys: 32, 128 … places, three fifths of which are used."""
    if entries <= FEW:
        return 0
    places = 32
    while entries > places * 3 / 5:
        places *= 4
    return 216 + 16 * places


class _Shares:
    """Which share of events is in a stream, and of profiles in need of a cell: counted where there are documents like those to come."""

    def __init__(self, net: Network, traffic: Traffic) -> None:
        self.net, self.total = net, len(traffic.events)
        self.seen = Counter(s for document in traffic.events for s in net.router.route(document).streams)
        needs = [net.answers(record).alive for record in traffic.records]
        self.needed = [sum(column) / len(needs) for column in zip(*needs, strict=True)] if needs else None

    def of(self, stream: int) -> float:
        """A guess without documents: an eighth for the type, a tenth for each further test, but that a timestamp is there."""
        if self.total:
            return self.seen[stream] / self.total
        tests = self.net.streams[stream].tests
        kinds = sum((found := simple(t)) is not None and found[:2] == (("eventType",), "=") for t in tests)
        others = sum(presence(t) is None for t in tests) - kinds
        return 0.125 ** min(kinds, 1) * 0.1**others

    def of_any(self, asked: Sequence[tuple[int, ...] | None]) -> float:
        """The share of the events that somebody looks at, of streams or (None) of all: their documents are kept."""
        if None in asked:
            return 1.0
        return min(1.0, sum(self.of(s) for s in {s for streams in asked for s in streams or ()}))

    def alive(self, cell: Cell) -> float:
        return 0.8 if self.needed is None else self.needed[cell.number]
