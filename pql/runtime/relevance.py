"""Which events can matter to a test or a value that has no form of its own: those that pass what a filter right over `xEvent`, or a step of a
chain, asks of one event alone. The others need not be kept for it, and it need not be looked at when one comes. Must not know state.
Read `looked_at`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pql.ir import nodes as ir
from pql.ir.walk import parts, substitute
from pql.runtime.retention import is_events
from pql.runtime.shapes import EVENT, Stream, is_own
from pql.types import ListType


def looked_at(e: ir.Expr, segments: Mapping[str, ir.Expr]) -> tuple[Stream, ...] | None:
    """The streams whose events an expression over the profile looks at: an event in none of them cannot change it. None: every event may."""
    found: dict[Stream, None] = {}
    return tuple(found) if _narrow(e, segments, found, 0) else None


def _narrow(e: ir.Expr, segments: Mapping[str, ir.Expr], found: dict[Stream, None], depth: int) -> bool:
    """Adds the streams. False: somewhere events are looked at without a test."""
    if depth > 60:
        return False
    match e:
        case ir.Field() if is_events(e):
            return False
        case ir.Var(id=ir.PROFILE):
            return False
        case ir.Field(object=ir.Var(id=ir.PROFILE)):
            return True
        case ir.InSegment():
            return _narrow(segments[e.segment], segments, found, depth + 4)
        case ir.Filter() | ir.Exists() if is_events(e.list):
            _add(e.list, e.condition, e.var, found)
            return _narrow(e.condition, segments, found, depth + 1)
        case ir.Chain() if is_events(e.list):
            if any(step.op != ">=" for step in e.steps):
                return False  # COUNT(all) asks of every event
            for step in e.steps:
                _add(e.list, step.match, step.var, found)
            return all(_narrow(x, segments, found, depth + 1) for step in e.steps for x in (step.match, step.window))
    return all(_narrow(part, segments, found, depth + 1) for part in parts(e))


def _add(events: ir.Expr, condition: ir.Expr, var: int, found: dict[Stream, None]) -> None:
    assert isinstance(events.type, ListType)
    tests = ir.conjuncts(substitute(condition, var, ir.Var(EVENT, events.type.element)))
    found[Stream(frozenset(t for t in tests if is_own(t)), timed=False)] = None
