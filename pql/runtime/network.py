"""What a plan keeps once for all profiles and segments: leaves, the cells that they are read off, the index from events to cells, and
the roots above each leaf as functions. Must not know state. Read `make_network`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from pql.clock import Zone
from pql.ir import nodes as ir
from pql.runtime.attributes import Computed
from pql.runtime.cells import (
    INTEGER_LIMIT,
    NUMBER_LIMIT,
    Cell,
    Count,
    Dated,
    DatedCount,
    DatedThens,
    DatedTotal,
    Linked,
    Thens,
    Total,
    Trail,
    Watch,
    Withouts,
)
from pql.runtime.dates import Dates
from pql.runtime.evaluate import Evaluator
from pql.runtime.relevance import looked_at
from pql.runtime.routing import EVENTS, FIRST, Router, make_answers
from pql.runtime.settled import Base, Parts, Settler
from pql.runtime.shapes import (
    FOREVER,
    AtLeast,
    Leaf,
    Link,
    Plain,
    Span,
    Stream,
    Then,
    Tree,
    Without,
    leaves,
    take_apart,
)
from pql.types import NUMBER

RootTest = Callable[[bytearray], bool]
Above = Callable[[bytearray, bytearray, list[int]], None]
"""From the leaves' truth, none of them out of range, and the roots that held: turns the roots above a leaf that hold no more or now do, and adds them."""


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """What an event of a class does, by the form of the cells, which are named by number. `latest`: cells whose newest timestamp is all: the cell,
    the trail that must precede the event (-1: none) and by how much, (leaf, leave) of the leaves. `counts`: how many timestamps are kept,
    (threshold, leaf, leave). `waits`: the cell, (leaf, enter) of leaves that see the event later only. `others`: the cell, the place of the
    weight or -1, the trail or -1. `ends`: the cell, where the event is of the second stream of a `Withouts`. `trails`: the trail itself. `touched`:
    all cells that may be other when such an event is late or gone. `stale`: what has to be evaluated anew over documents, as bits of
    `Person.stale`; `whole`: is the document needed for that?"""

    latest: tuple[tuple[int, Cell, int, int, int, tuple[tuple[int, int], ...]], ...] = ()
    counts: tuple[tuple[int, int, tuple[tuple[int, int, int], ...]], ...] = ()
    waits: tuple[tuple[int, Cell, tuple[tuple[int, int], ...]], ...] = ()
    others: tuple[tuple[int, Cell, int, int], ...] = ()
    ends: tuple[tuple[int, Cell], ...] = ()
    trails: tuple[tuple[int, Trail], ...] = ()
    touched: tuple[int, ...] = ()
    stale: int = 0
    whole: bool = False


@dataclass(eq=False)
class Network:
    """Numbers are positions: `leaves[i]`, `above[i]` (the roots that read leaf i), `tests[r]` (root r as a function of the leaves'
    truth), `below[r]` (the leaves that root r reads), `turns[i]` (the roots above leaf i all at once). `feeds[c]`: the streams of cell c. `records`, `plain`: leaves that look at the
    record alone, and those that the plain evaluator answers. `eventful`: of those that look at events, the streams of these, None for all events;
    `stirring`: those leaves in the order of their bits of `Person.stale`, of which `first_stirring` is the place of the first.
    `newest`: (cell, threshold, leave, 0) of leaves that hold by the newest timestamps of a cell that sees events at once, (cell, 0, leave, enter) of
    those that hold while nothing ends them; no cell for others. `answers`: the truth of the leaves over a record;
    `base`: over none. `retention`: microseconds after which an event matters no more; None: it always may. `attributes`: of each, the streams
    whose events it looks at, None for all events; `tallied`: those that need no documents."""

    leaves: list[Leaf] = field(default_factory=list)
    above: list[list[int]] = field(default_factory=list)
    tests: list[RootTest] = field(default_factory=list)
    below: list[list[int]] = field(default_factory=list)
    turns: list[Above] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    feeds: list[tuple[int, ...]] = field(default_factory=list)
    watching: dict[int, tuple[Cell, Watch]] = field(default_factory=dict)
    records: list[int] = field(default_factory=list)
    plain: list[int] = field(default_factory=list)
    eventful: dict[int, tuple[int, ...] | None] = field(default_factory=dict)
    stirring: list[int] = field(default_factory=list)
    first_stirring: int = 0
    retention: int | None = None
    attributes: list[tuple[int, ...] | None] = field(default_factory=list)
    tallied: set[int] = field(default_factory=set)
    streams: list[Stream] = field(default_factory=list)
    router: Router = field(init=False)
    newest: list[tuple[int, int, int, int]] = field(default_factory=list)
    answers: Callable[[Any], Base] = field(init=False)
    base: Base = field(init=False)


def streams_of(link: Link) -> tuple[Stream, ...]:
    """The streams whose events a step is made of: of the links that lead to it, then of what must not lie between them, link by link."""
    return (*(x.stream for x in link.links), *(stream for x in link.links for stream in x.without))


L = TypeVar("L", bound=Linked)


class _Maker:
    def __init__(self, segments: Mapping[str, ir.Expr], zone: Zone) -> None:
        self.segments, self.zone, self.net = segments, zone, Network()
        self.evaluator = Evaluator(segments, zone)
        self.dates: dict[Span, Dates] = {}
        self.numbers: dict[Leaf, int] = {}
        self.stream_numbers: dict[Stream, int] = {}
        self.cell_numbers: dict[Any, Cell] = {}
        self.trees: list[Tree] = []
        self.fed: dict[int, list[tuple[int, int]]] = {}

    def root(self, condition: ir.Expr, number: int) -> str:
        """A root as the source of a function of `t`, the leaves' truth."""
        tree = take_apart(condition, self.segments, self.zone)
        self.trees.append(tree)
        below = sorted({self.leaf(leaf) for leaf in leaves(tree)})
        for n in below:
            self.net.above[n].append(number)
        self.net.below.append(below)
        return f"def r{number}(t): return {self.source(tree, ' == 1')}"

    def source(self, tree: Tree, holds: str = "") -> str:
        """A tree as an expression. `holds`: what asks a leaf whether it holds; nothing where no leaf is out of range."""
        if isinstance(tree, bool):
            return str(tree)
        if not isinstance(tree, tuple):
            return f"t[{self.numbers[tree]}]{holds}"
        if tree[0] == "not":
            return f"not ({self.source(tree[1], holds)})"
        return f" {tree[0]} ".join(f"({self.source(t, holds)})" for t in tree[1]) or str(tree[0] == "and")

    def turns(self, leaf: int) -> Above:
        """The roots above a leaf as one function, compiled when it is first called: most plans have leaves that never turn."""

        def first(t: bytearray, m: bytearray, c: list[int]) -> None:
            lines = ["def turns(t, m, c):", "    pass"]
            for root in self.net.above[leaf]:
                lines.append(f"    if (not ({self.source(self.trees[root])})) == m[{root}]:")
                lines.append(f"        m[{root}] ^= 1")
                lines.append(f"        c.append({root})")
            space: dict[str, Any] = {}
            exec(compile("\n".join(lines), "<turns>", "exec"), space)  # noqa: S102
            made: Above = space["turns"]
            self.net.turns[leaf] = made
            made(t, m, c)

        return first

    def leaf(self, leaf: Leaf) -> int:
        known = self.numbers.get(leaf)
        if known is not None:
            return known
        net, number = self.net, len(self.numbers)
        self.numbers[leaf] = number
        net.leaves.append(leaf)
        net.above.append([])
        if isinstance(leaf, Plain):
            (net.plain if leaf.events or leaf.clock else net.records).append(number)
            if leaf.events:
                seen = looked_at(leaf.test, self.segments)
                net.eventful[number] = None if seen is None else tuple(self.stream(s) for s in seen)
            return number
        cell = self.cell(leaf)
        least = leaf.least if isinstance(leaf, AtLeast) else 1
        enter, leave = (-FOREVER, 0) if isinstance(cell, Dated) else (leaf.span.enter, leaf.span.leave)
        watch = Watch(number, enter, leave, least)
        cell.watches.append(watch)
        net.watching[number] = (cell, watch)
        return number

    def cell(self, leaf: AtLeast | Then | Without) -> Cell:
        dated = leaf.span if leaf.span.ends else None
        key: Any
        feeds: tuple[Stream, ...]
        match leaf:
            case AtLeast():
                key, feeds = (leaf.stream, dated), (leaf.stream,)
            case Then():
                key, feeds = ("then", leaf.last, dated), streams_of(leaf.last)
            case Without():
                key, feeds = ("without", leaf.first, leaf.second, leaf.within), (*streams_of(leaf.first), leaf.second)
        known = self.cell_numbers.get(key)
        if known is not None:
            return known
        cell: Cell
        if isinstance(leaf, Then):
            cell = self.linked(DatedThens if dated else Thens, leaf.last)
        elif isinstance(leaf, Without):
            cell = self.linked(Withouts, leaf.first)
            cell.within = leaf.within
        elif leaf.stream.weight is not None:
            limit = NUMBER_LIMIT if leaf.stream.weight.type == NUMBER else INTEGER_LIMIT
            cell = (DatedTotal if dated else Total)(len(self.net.cells), limit)
        else:
            cell = (DatedCount if dated else Count)(len(self.net.cells))
        if isinstance(cell, Dated):
            cell.dates = self.dates.setdefault(leaf.span, Dates(leaf.span, self.evaluator))
        return self.kept(key, cell, feeds)

    def trail(self, link: Link, low: int, high: int) -> Trail:
        """The trail of a link, for one who asks for those gaps."""
        known = self.cell_numbers.get(("trail", link))
        if known is None:
            known = self.kept(("trail", link), self.linked(Trail, link), streams_of(link))
        assert isinstance(known, Trail)
        known.used(low, high)
        return known

    def linked(self, kind: type[L], link: Link) -> L:
        """The cell of a step, after the trails that lead to it and those of what must not lie in between."""
        before = None if link.before is None else self.trail(link.before, link.low, link.high)
        guards = tuple(self.trail(Link(stream), 1, FOREVER) for stream in link.without)
        return kind(len(self.net.cells), link.low, link.high, before, link.leave, guards)

    def kept(self, key: Any, cell: Cell, feeds: tuple[Stream, ...]) -> Cell:
        self.cell_numbers[key] = cell
        self.net.cells.append(cell)
        self.net.feeds.append(tuple(self.stream(s) for s in feeds))
        return cell

    def stream(self, stream: Stream) -> int:
        if stream not in self.stream_numbers:
            self.stream_numbers[stream] = len(self.stream_numbers)
            self.net.streams.append(stream)
        return self.stream_numbers[stream]

    def work(self, streams: tuple[int, ...]) -> Work:
        """What the engine does for an event in those streams."""
        net = self.net
        if not self.fed:
            for cell, feeds in zip(net.cells, net.feeds, strict=True):
                for role, stream in enumerate(feeds):
                    self.fed.setdefault(stream, []).append((cell.number, -role))
        weighed = [n for n in streams if net.streams[n].weight is not None]
        forms: dict[str, list[Any]] = {f.name: [] for f in fields(Work) if f.name not in ("stale", "whole")}
        for number, role in sorted(fed for stream in streams for fed in self.fed.get(stream, ())):
            cell, stream = net.cells[number], net.feeds[number][-role]
            forms["touched"].append(number)
            ones = tuple((w.number, w.leave) for w in cell.watches)
            if isinstance(cell, Trail | Thens):
                last, before = -role == len(cell.trails), -1 if cell.before is None else cell.before.number
                if last and isinstance(cell, Trail) and before < 0:
                    forms["trails"].append((number, cell))
                elif last and cell.latest:
                    forms["latest"].append((number, cell, before, cell.low, cell.high, ones))
                elif last:
                    forms["others"].append((number, cell, -1, before))
            elif isinstance(cell, Withouts) and -role == len(net.feeds[number]) - 1:
                forms["ends"].append((number, cell))
            elif isinstance(cell, Withouts) and cell.before is not None:
                if -role == len(cell.trails):
                    forms["others"].append((number, cell, -1, cell.before.number))
            elif isinstance(cell, Withouts) and all(0 < w.enter < FOREVER // 4 for w in cell.watches):
                forms["waits"].append((number, cell, tuple((w.number, w.enter) for w in cell.watches)))
            elif cell.latest:
                forms["latest"].append((number, cell, -1, 0, 0, ones))
            elif isinstance(cell, Count) and cell.early:
                forms["counts"].append((number, cell.keep, tuple((w.least, w.number, w.leave) for w in cell.watches)))
            else:
                forms["others"].append((number, cell, weighed.index(stream) if stream in weighed else -1, -1))
        stale, whole = 0, False
        for number, seen in enumerate(net.attributes):
            if seen is None or not set(seen).isdisjoint(streams):
                stale |= FIRST << number
                whole = whole or number not in net.tallied
        for number, leaf in enumerate(net.stirring):
            seen = net.eventful[leaf]
            if seen is None or not set(seen).isdisjoint(streams):
                stale, whole = stale | EVENTS | 1 << (net.first_stirring + number), True
        return Work(**{form: tuple(dict.fromkeys(of)) for form, of in forms.items()}, stale=stale, whole=whole)


def make_network(
    conditions: Sequence[ir.Expr], segments: Mapping[str, ir.Expr], zone: Zone, attributes: Sequence[Computed] = ()
) -> Network:
    """The network of the roots with those conditions, beside attributes."""
    maker = _Maker(segments, zone)
    sources = [maker.root(condition, i) for i, condition in enumerate(conditions)]
    net = maker.net
    net.tallied = {number for number, a in enumerate(attributes) if a.tally is not None}
    for a in attributes:
        seen = () if not a.events else a.streams
        net.attributes.append(None if seen is None else tuple(maker.stream(s) for s in seen))
    net.stirring, net.first_stirring = list(net.eventful), FIRST.bit_length() - 1 + len(attributes)
    space: dict[str, Any] = {}
    exec(compile("\n".join(sources), "<roots>", "exec"), space)  # noqa: S102
    net.tests = [space[f"r{i}"] for i in range(len(conditions))]
    net.turns = [maker.turns(leaf) for leaf in range(len(net.leaves))]
    for cell in net.cells:
        cell.settle()
    evaluator = maker.evaluator
    net.router = Router(net.streams, maker.work, evaluator)
    net.retention = _retention(net, attributes)
    net.newest = [(-1, 0, 0, 0)] * (len(net.leaves) + len(attributes))
    for number, (cell, watch) in net.watching.items():
        if cell.early and isinstance(cell, Count | Thens) and not cell.bounded:
            net.newest[number] = (cell.number, watch.least, watch.leave, 0)
        elif isinstance(cell, Withouts) and watch.enter >= 0:
            net.newest[number] = (cell.number, 0, watch.leave, watch.enter)
    first = bytearray(len(net.leaves))
    for number, (cell, watch) in net.watching.items():
        first[number] = cell.look(watch, cell.fresh(), 0)[0]

    cells = {
        n: (c.number, *(t.number for t in c.sources)) if isinstance(c, Linked) else (c.number,)
        for n, (c, _) in net.watching.items()
    }
    may_fail = {number for number, (cell, _) in net.watching.items() if isinstance(cell, Total)}
    parts = Parts(
        maker.trees,
        maker.numbers,
        net.records,
        cells,
        [n for n in cells if n not in may_fail],
        bytes(first),
        len(net.cells),
    )
    net.answers = make_answers([(n, net.leaves[n].test) for n in net.records], evaluator, Settler(parts).base)  # type: ignore[union-attr]
    net.base = net.answers(None)
    return net


def _retention(net: Network, attributes: Sequence[Computed]) -> int | None:
    longest = 0
    for attribute in attributes:
        if attribute.reach is None:
            return None
        longest = max(longest, attribute.reach)
    for leaf in net.leaves:
        if isinstance(leaf, Plain):
            if leaf.events and leaf.reach is None:
                return None
            longest = max(longest, leaf.reach or 0)
            continue
        reach = leaf.span.reach if isinstance(leaf, AtLeast) else leaf.reach
        longest = max(longest, reach)
    return longest if longest < FOREVER // 2 else None
