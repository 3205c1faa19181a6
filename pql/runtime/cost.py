"""What a plan will keep and how often it will look, before it runs. Must not know state. Read `cost_of` and `Cost`.

A segment's class is that of its most demanding leaf: `stateless` (the record alone), `constant` (the record and the clock), `bucketed` (events
of a bounded stretch of time), `history` (every event for good: `unbounded`). Bytes are estimates from the sizes of CPython's objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pql.runtime.cells import Count
from pql.runtime.network import Network
from pql.runtime.shapes import FOREVER, AtLeast, Leaf, Plain, Stream, Then, Without

if TYPE_CHECKING:
    from pql.runtime.plan import Plan

Kind = Literal["stateless", "constant", "bucketed", "history"]
ORDER: tuple[Kind, ...] = ("stateless", "constant", "bucketed", "history")
DAY = 86_400_000_000
PERSON, EVENT, WHOLE_DOCUMENT, CELL, STAMP, TIMER = 1_050, 330, 1_500, 150, 8, 100


@dataclass(frozen=True)
class Cost:
    """`retention`: microseconds for which events are kept; None: for good. `timers`: outstanding for a profile, at most. `bytes`: of a
    profile, for the rate of events that was assumed. `plain`: leaves that the plain evaluator answers anew at every event."""

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
            return None if leaf.events else 0
        case AtLeast():
            reach = leaf.span.leave
        case Then():
            reach = leaf.span.leave + leaf.high
        case Without():
            reach = leaf.span.leave + (leaf.within or 0)
    return reach if reach < FOREVER // 2 else None


def kind_of(leaf: Leaf) -> Kind:
    if isinstance(leaf, Plain) and not leaf.events:
        return "constant" if leaf.clock else "stateless"
    return "history" if reach_of(leaf) is None else "bucketed"


def cost_of(plan: Plan, segment: str | None = None, events_a_day: float = 0.5) -> Cost:
    """The cost of a segment alone, or of the whole plan, where equal leaves are kept once. `events_a_day`: of a profile; where history
    is kept for good, bytes are those after a year."""
    net = plan.network
    numbers = list(range(len(net.leaves))) if segment is None else net.below[plan.index[segment]]
    roots = len(plan.roots) if segment is None else 1
    found = [net.leaves[n] for n in numbers]
    kind: Kind = max((kind_of(leaf) for leaf in found), key=ORDER.index, default="stateless")
    reaches = [reach_of(leaf) for leaf in found]
    retention = None if None in reaches else max((r for r in reaches if r is not None), default=0)
    plain = sum(isinstance(leaf, Plain) and leaf.events for leaf in found)
    timers = sum(not isinstance(leaf, Plain) or leaf.clock for leaf in found)
    kept = events_a_day * (365.0 if retention is None else retention / DAY)
    size = PERSON + roots + len(found) + kept * (EVENT + (WHOLE_DOCUMENT if plain else 0))
    size += _cells(net, numbers, kept) + min(timers, kept + 1) * TIMER
    return Cost(kind, retention, timers, int(size), len(found), plain)


def _cells(net: Network, numbers: list[int], kept: float) -> float:
    """Bytes of the cells that the events reach: a share of events falls into each stream, the narrower its tests the smaller."""
    size, seen = 0.0, set()
    for number in numbers:
        cell = net.watching[number][0] if number in net.watching else None
        if cell is None or cell.number in seen:
            continue
        seen.add(cell.number)
        share = max(_share(net.streams[s]) for s in net.feeds[cell.number])
        inside = kept * share
        stamps = min(inside, cell.keep) if isinstance(cell, Count) and cell.early else inside
        size += min(1.0, inside) * CELL + stamps * STAMP
    return size


def _share(stream: Stream) -> float:
    """A guess at the share of events that pass: an eighth for the type, a tenth for each further test."""
    return 0.125 * 0.1 ** max(0, len(stream.tests) - 2) if stream.tests else 1.0
