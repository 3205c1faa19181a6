"""How long an event can matter to a test that has no form of its own: as far back as its windows look, for good when it looks without one.

An event that lies before the lower end of a window that moves with the clock never comes into it again, so nothing that the test makes of the window's
events depends on it any more. Bounds are generous: a month has 31 days, a unit of the calendar two days more. Must not know state.
Read `reach_of_test`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pql.clock import MICROSECONDS
from pql.ir import nodes as ir
from pql.ir.walk import parts

DAY = MICROSECONDS["day"]
LONGEST = {
    **{unit: size for unit, size in MICROSECONDS.items()},
    "month": 31 * DAY,
    "quarter": 92 * DAY,
    "year": 366 * DAY,
    "decade": 3_660 * DAY,
    "century": 36_600 * DAY,
    "millennium": 366_000 * DAY,
}
FARTHEST = 900 * 366 * DAY
SLACK = 2 * DAY
"""Changes of a zone's offset, and the day that a conversion may move an instant."""


class _ForGood(Exception):
    """Some event matters for good."""


def reach_of_test(test: ir.Expr, segments: Mapping[str, Any]) -> int | None:
    """Microseconds before now from which an event on matters to the test. None: all do, for good."""
    try:
        reach = _reach(test, segments, 0)
    except _ForGood:
        return None
    return reach if reach < FARTHEST else None


def _reach(e: ir.Expr, segments: Mapping[str, Any], depth: int) -> int:
    """Raises _ForGood."""
    if depth > 60:
        raise _ForGood
    match e:
        case ir.Field(name="xEvent", object=ir.Var(id=ir.PROFILE)):
            raise _ForGood
        case ir.Field(object=ir.Var(id=ir.PROFILE)):
            return 0
        case ir.Var(id=ir.PROFILE):
            raise _ForGood
        case ir.InSegment():
            return _reach(segments[e.segment], segments, depth + 4)
        case ir.Filter() | ir.Exists() if is_events(e.list):
            return max(_looks_back(e.condition, e.var), _reach(e.condition, segments, depth + 1))
        case ir.Chain() if is_events(e.list):
            first = e.steps[0]
            if first.excluded or first.op != ">=" or not is_stamp(e.timestamp, e.var):
                raise _ForGood
            back = _looks_back(ir.And((first.match, first.window)), first.var)
            return max([back, *(_reach(x, segments, depth + 1) for s in e.steps for x in (s.match, s.window))])
    return max((_reach(part, segments, depth + 1) for part in parts(e)), default=0)


def is_events(e: ir.Expr) -> bool:
    return isinstance(e, ir.Field) and e.name == "xEvent" and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE


def is_stamp(e: ir.Expr, var: int) -> bool:
    return isinstance(e, ir.Field) and e.name == "timestamp" and isinstance(e.object, ir.Var) and e.object.id == var


def _looks_back(condition: ir.Expr, var: int) -> int:
    """How far before now an event can lie and meet a condition. Raises _ForGood."""
    found = _since(condition, var)
    if found is None:
        raise _ForGood
    return found


def _since(condition: ir.Expr, var: int) -> int | None:
    match condition:
        case ir.And():
            bounds = [b for o in condition.operands if (b := _since(o, var)) is not None]
            return min(bounds, default=None)
        case ir.Or():
            all_bounds = [_since(o, var) for o in condition.operands]
            return None if None in all_bounds else max((b for b in all_bounds if b is not None), default=0)
        case ir.Within():
            if condition.lower is not None and is_stamp(condition.operand, var):
                return before_now(condition.lower.instant)
        case ir.Compare(op=">" | ">=" | "="):
            if is_stamp(condition.left, var):
                return before_now(condition.right)
        case ir.Compare(op="<" | "<="):
            if is_stamp(condition.right, var):
                return before_now(condition.left)
    return None


def before_now(e: ir.Expr) -> int | None:
    """How far before now an instant lies at most. None: it does not move with the clock, or not in a way known here."""
    match e:
        case ir.Clock():
            return 0
        case ir.Truncate() if e.unit in LONGEST:
            back = before_now(e.operand)
            return None if back is None else back + LONGEST[e.unit] + SLACK
        case ir.Shift() if e.unit in LONGEST:
            back = before_now(e.operand)
            return None if back is None else back + max(0, -e.amount) * LONGEST[e.unit] + SLACK
    return None
