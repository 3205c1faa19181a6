"""Order in time as links between events: from `exists` within `exists`, and from CHAIN. Pure: IR in, links out.

A chain whose gaps name only the step before is a row of links: of the valid earlier events the latest, of the valid later
ones the earliest is as good as any other, because every window and every excluded step only gets easier with it. Must not know
SQL. Read `make_link` and `chain_links`; what they do not know gives None, and the complete list form answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from pql.compiler.leaves import EVENT, Link, LinkLeaf, names_events, path_of, split_links, stream
from pql.ir import nodes as ir
from pql.ir.walk import substitute, walk
from pql.types import TIMESTAMP, ListType

MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


@dataclass(frozen=True)
class _Window:
    """Where one instant lies from another: other + lower <(=) this <(=) other + upper."""

    lower: int | None = None
    lower_inclusive: bool = True
    upper: int | None = None
    upper_inclusive: bool = True

    def above(self, offset: int, inclusive: bool) -> _Window:
        if self.lower is not None and (self.lower, not self.lower_inclusive) >= (offset, not inclusive):
            return self
        return _Window(offset, inclusive, self.upper, self.upper_inclusive)

    def below(self, offset: int, inclusive: bool) -> _Window:
        if self.upper is not None and (self.upper, self.upper_inclusive) <= (offset, inclusive):
            return self
        return _Window(self.lower, self.lower_inclusive, offset, inclusive)


def _stamp(e: ir.Expr) -> tuple[int, int] | None:
    """An event's instant moved by a fixed time: its variable and the microseconds."""
    offset = 0
    while isinstance(e, ir.Shift) and not e.local and e.unit in MICROSECONDS:
        offset += e.amount * MICROSECONDS[e.unit]
        e = e.operand
    path = path_of(e)
    return (path[0], offset) if path is not None and path[1] == ("timestamp",) else None


def _bound(window: _Window, op: str, offset: int) -> _Window:
    if op in (">", ">=", "="):
        window = window.above(offset, op != ">")
    if op in ("<", "<=", "="):
        window = window.below(offset, op != "<")
    return window


def _narrow(window: _Window, test: ir.Expr, this: int, other: int) -> _Window | None:
    """`window` of this relative to other, narrowed by a test on both; None when the test is of another kind."""
    sides: list[tuple[ir.Expr, str, ir.Expr]] = []
    match test:
        case ir.Compare() if test.op in _MIRROR:
            sides.append((test.left, test.op, test.right))
        case ir.Within():
            if test.lower is not None:
                sides.append((test.operand, ">=" if test.lower.inclusive else ">", test.lower.instant))
            if test.upper is not None:
                sides.append((test.operand, "<=" if test.upper.inclusive else "<", test.upper.instant))
    if not sides:
        return None
    for left, op, right in sides:
        a, b = _stamp(left), _stamp(right)
        if a is None or b is None:
            return None
        if (a[0], b[0]) == (this, other):
            window = _bound(window, op, b[1] - a[1])
        elif (a[0], b[0]) == (other, this):
            window = _bound(window, _MIRROR[op], a[1] - b[1])
        else:
            return None
    return window


def _uses(test: ir.Expr, var: int) -> bool:
    return any(isinstance(n, ir.Var) and n.id == var for n in walk(test))


def make_link(body: ir.Exists, negated: bool) -> Link | None:
    """An `exists` over events inside a test of the event EVENT."""
    rows = stream(body.list)
    if rows is None or rows.levels or not isinstance(rows.element, ir.Var):
        return None
    other = EVENT + 50
    plain: list[ir.Expr] = [substitute(t, EVENT, ir.Var(other, rows.element.type)) for t in rows.tests]
    window = _Window()
    for test in ir.conjuncts(substitute(body.condition, body.var, ir.Var(other, rows.element.type))):
        if not _uses(test, EVENT):
            plain.append(test)
            continue
        narrowed = _narrow(window, test, other, EVENT)
        if narrowed is None:
            return None
        window = narrowed
    if any(_uses(t, EVENT) or (names_events(t)) for t in plain):
        return None
    own = split_links(tuple(substitute(t, other, ir.Var(EVENT, rows.element.type)) for t in plain))
    if own is None:
        return None
    return Link(own[0], window.lower, window.lower_inclusive, window.upper, window.upper_inclusive, negated, own[1])


def _own(test: ir.Expr, var: int, row: ir.Expr) -> tuple[ir.Expr, ...]:
    return ir.conjuncts(substitute(test, var, row))


@dataclass(frozen=True)
class _Held:
    """A bound step: its tests, its window relative to the step before, what must not lie between, and links of its own."""

    tests: tuple[ir.Expr, ...]
    window: _Window
    without: tuple[tuple[ir.Expr, ...], ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class _Excluded:
    tests: tuple[ir.Expr, ...]
    window: _Window
    simple: bool
    closes: ir.Expr | None


def chain_links(chain: ir.Chain, rows: tuple[ir.Expr, ...]) -> LinkLeaf | None:
    """A chain over events as links from its second step to both sides; `rows`: tests that every event passes.

    The second step, because the last steps of a chain are the rarer ones: looked up first, they leave little to look up.
    """
    if path_of(chain.timestamp) != (chain.var, ("timestamp",)):
        return None
    steps = _steps(chain, rows)
    if not steps:
        return None
    pivot = min(1, len(steps) - 1)
    forwards = _forwards(steps, pivot + 1)
    backwards = _backwards(steps, pivot)
    return LinkLeaf(steps[pivot].tests, (*steps[pivot].links, *forwards, *backwards))


def _forwards(steps: list[_Held], at: int) -> tuple[Link, ...]:
    if at >= len(steps):
        return ()
    step, later = steps[at], _forwards(steps, at + 1)
    w = step.window
    links = (*step.links, *later)
    return (Link(step.tests, w.lower, w.lower_inclusive, w.upper, w.upper_inclusive, False, links, step.without),)


def _backwards(steps: list[_Held], at: int) -> tuple[Link, ...]:
    if at == 0:
        return ()
    step, before = steps[at], steps[at - 1]
    lower = None if step.window.upper is None else -step.window.upper
    upper = None if step.window.lower is None else -step.window.lower
    ends = step.window.upper_inclusive, step.window.lower_inclusive
    links = (*before.links, *_backwards(steps, at - 1))
    return (Link(before.tests, lower, ends[0], upper, ends[1], False, links, step.without),)


def _steps(chain: ir.Chain, rows: tuple[ir.Expr, ...]) -> list[_Held] | None:
    """The bound steps, with the excluded ones where they belong; None when links cannot say it."""
    assert isinstance(chain.list.type, ListType)
    row = ir.Var(EVENT, chain.list.type.element)
    found: list[_Held] = []
    pending: list[_Excluded] = []
    previous = -1
    for step in chain.steps:
        read = _read_step(step, chain, rows, row, previous)
        if read is None:
            return None
        if step.excluded:
            closes = None if step.closes is None else substitute(step.closes, previous, row)
            pending.append(_Excluded(*read, closes))
            continue
        if (step.op, step.low) != (">=", 1) or not all(x.simple for x in pending):
            return None
        without = tuple(x.tests for x in pending)
        if found:
            found.append(_Held(read[0], read[1].above(0, False), without))
        else:
            found.append(_Held(read[0], read[1], (), tuple(Link(t, None, True, 0, False, True) for t in without)))
        previous, pending = step.var, []
    if found and pending:
        closed = _closed(found[-1], pending, row)
        if closed is None:
            return None
        found[-1] = closed
    return found


def _read_step(
    step: ir.Step, chain: ir.Chain, rows: tuple[ir.Expr, ...], row: ir.Expr, previous: int
) -> tuple[tuple[ir.Expr, ...], _Window, bool] | None:
    """A step's tests over the row, its window relative to the step before, and whether it has none."""
    tests, window, simple = [*rows, ir.Not(ir.IsNull(_time(row)))], _Window(), True
    for test in (*ir.conjuncts(step.match), *ir.conjuncts(step.window)):
        if not any(_uses(test, s.var) for s in chain.steps if s.var != step.var):
            tests.extend(_own(test, step.var, row))
            continue
        narrowed = _narrow(window, test, step.var, previous)
        if narrowed is None:
            return None
        window, simple = narrowed, False
    return None if any(names_events(t) for t in tests) else (tuple(tests), window, simple)


def _closed(last: _Held, pending: list[_Excluded], row: ir.Expr) -> _Held | None:
    """The last step with what must not follow it."""
    tests, links = list(last.tests), list(last.links)
    for step in pending:
        window = step.window.above(0, False)
        own = step.tests
        if step.closes is not None:
            tests.append(ir.Compare(">=", ir.Clock(), step.closes))
        elif step.simple:
            own = (*own, ir.Compare("<=", _time(row), ir.Clock()))
        else:
            return None
        links.append(Link(own, window.lower, window.lower_inclusive, window.upper, window.upper_inclusive, True))
    return _Held(tuple(tests), last.window, last.without, tuple(links))


def _time(row: ir.Expr) -> ir.Expr:
    return ir.Field(row, "timestamp", TIMESTAMP)
