"""Tests taken apart: which have a form that can be kept up to date event by event, and which do not.

A test over a profile is `and`, `or`, `not` over leaves (`Leaf`); equal leaves are one, whichever segment asks. Counts, sums and
existence over events become thresholds over a *stream*: the events that pass the tests of one event alone, each with a weight. A
window relative to now becomes a span of now in which an event is active: from timestamp + `enter` up to timestamp + `leave`, in
microseconds, or as long as the calendar says (`End`). Must not know state or documents. Read `Leaf` and `take_apart`; what has no form is a `Plain` leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from math import ceil, floor
from typing import Any, Literal

from pql.clock import CALENDAR, MICROSECONDS, MONTHS, Zone
from pql.ir import nodes as ir
from pql.ir.walk import free_variables, substitute, walk
from pql.runtime.retention import FARTHEST, LONGEST, SLACK, before_now, is_stamp, reach_of_test
from pql.runtime.ways_back import never_falls
from pql.types import DOUBLE, INTEGER, NUMBER, TIMESTAMP, ListType

EVENT = -7
FOREVER = 1 << 62
SCALE = 1_000_000
DEEPEST = 30
LARGEST = 500


@dataclass(frozen=True)
class End:
    """The lower or the upper end of a window, where that goes from one unit of the calendar to the next as the clock moves."""

    edge: ir.Edge
    lower: bool


@dataclass(frozen=True)
class Span:
    """An event of timestamp t is active at now when t + enter <= now < t + leave, and t is within each of the calendar's `ends`."""

    enter: int = -FOREVER
    leave: int = FOREVER
    ends: frozenset[End] = frozenset()

    def narrowed(self, other: Span) -> Span:
        return Span(max(self.enter, other.enter), min(self.leave, other.leave), self.ends | other.ends)

    @property
    def reach(self) -> int:
        """So long after its timestamp an event is active no more, at the latest."""
        backs = (before_now(e.edge.instant) for e in self.ends if e.lower)
        return min([self.leave, *(back for back in backs if back is not None)])


@dataclass(frozen=True)
class Stream:
    """Events that pass `tests` (over EVENT). `weight`: what each adds (None: 1), over EVENT; decimals count in millionths.
    `timed`: events without a timestamp do not count."""

    tests: frozenset[ir.Expr]
    weight: ir.Expr | None = None
    timed: bool = True


@dataclass(frozen=True)
class AtLeast:
    """The weights of the active events add up to `least` or more."""

    stream: Stream
    span: Span
    least: int


@dataclass(frozen=True)
class Link:
    """The events of a stream that may be a step of a chain: all of them, or those that an event of the link `before` precedes, `low` to `high`
    microseconds earlier (both included) with no event of the streams `without` in between. Active until `leave` after their timestamp, as long as the one
    before is."""

    stream: Stream
    leave: int = FOREVER
    before: Link | None = None
    low: int = 1
    high: int = FOREVER
    without: tuple[Stream, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """From the first one on."""
        return (self,) if self.before is None else (*self.before.links, self)


@dataclass(frozen=True)
class Then:
    """An active event of `second` that an active event of `first` precedes, `low` to `high` microseconds earlier (both included), with no event of the streams
    `without` in between. Where links have windows of now, so has `second`, before now."""

    first: Link
    second: Stream
    low: int
    high: int
    span: Span
    without: tuple[Stream, ...] = ()

    @property
    def last(self) -> Link:
        """The last step, without its window."""
        return Link(self.second, FOREVER, self.first, self.low, self.high, self.without)

    @property
    def reach(self) -> int:
        """So long after its timestamp an event of any step matters no more, at the latest: no step outlasts one before it."""
        links = self.first.links
        ends = list(accumulate((link.leave for link in links), min))
        longest = reach = min(self.span.reach, ends[-1])
        for gap, end in zip((self.high, *(link.high for link in links[:0:-1])), reversed(ends), strict=True):
            reach = min(end, gap + reach)
            longest = max(longest, reach)
        return longest


@dataclass(frozen=True)
class Without:
    """An active event of `first` that no event of `second` follows: up to now (`within` None), or up to `within` microseconds later
    (included), all of which must have passed. No link of `first` has a window of now."""

    first: Link
    second: Stream
    within: int | None
    span: Span

    @property
    def reach(self) -> int:
        """So long after its timestamp an event of any step matters no more, at the latest."""
        return self.span.reach + (self.within or 0) + sum(link.high for link in self.first.links[1:])


@dataclass(frozen=True)
class Plain:
    """Any other test: answered by the plain evaluator. `events`, `clock`: does it look at them? `reach`: how long an event matters to it, in
    microseconds; None: for good."""

    test: ir.Expr
    events: bool
    clock: bool
    reach: int | None = None


Leaf = AtLeast | Then | Without | Plain
Tree = tuple[Any, ...] | Leaf | bool
"""("and", trees), ("or", trees), ("not", tree), a leaf, or a constant."""


def take_apart(test: ir.Expr, segments: Any, zone: Zone) -> Tree:
    """A test as a tree of leaves; references to segments are taken apart too, as long as the tree stays small."""
    tree = _tree(test, segments, zone, 0)
    return tree if len(leaves(tree)) <= LARGEST else plain(test, segments)


def _tree(test: ir.Expr, segments: Any, zone: Zone, depth: int) -> Tree:
    found: Tree | None
    if depth > DEEPEST:
        return plain(test, segments)
    match test:
        case ir.And():
            return ("and", tuple(_tree(o, segments, zone, depth + 1) for o in test.operands))
        case ir.Or():
            return ("or", tuple(_tree(o, segments, zone, depth + 1) for o in test.operands))
        case ir.Not():
            return ("not", _tree(test.operand, segments, zone, depth + 1))
        case ir.InSegment():
            return _tree(segments[test.segment], segments, zone, depth + 4)
        case ir.Const():
            return test.value is True
        case ir.Exists():
            found = _at_least(ir.Filter(test.list, test.var, test.condition, test.list.type), None, 1)
        case ir.ForAll():
            items = ir.Filter(test.list, test.var, ir.Not(test.condition), test.list.type)
            found = _at_least(items, None, 1)
            found = None if found is None else ("not", found)
        case ir.Compare():
            found = _compared(test)
        case ir.Chain():
            found = _chain(test)
        case _:
            found = None
    if found is None or not all(keeps_order(x.span, zone) for x in leaves(found) if not isinstance(x, Plain)):
        return plain(test, segments)
    return found


def plain(test: ir.Expr, segments: Any) -> Plain:
    """What a test, or any other expression over the profile, looks at."""
    events, clock = False, False
    for node in walk(test):
        events |= isinstance(node, ir.Field) and node.name == "xEvent" and node.object == ir.Var(0, node.object.type)
        clock |= isinstance(node, ir.Clock)
        if isinstance(node, ir.Var) and node.id == 0:
            events |= False
        if isinstance(node, ir.InSegment):
            below = plain(segments[node.segment], segments)
            events, clock = events or below.events, clock or below.clock
    events = events or _whole_profile(test)
    clock = clock or any(isinstance(n, ir.Chain) for n in walk(test))
    return Plain(test, events, clock, reach_of_test(test, segments) if events else 0)


def _whole_profile(test: ir.Expr) -> bool:
    """Does the profile appear other than as the owner of a field?"""
    owners = sum(isinstance(n, ir.Field) and isinstance(n.object, ir.Var) and n.object.id == 0 for n in walk(test))
    return sum(isinstance(n, ir.Var) and n.id == 0 for n in walk(test)) > owners


# --- counts and sums ---
def _compared(test: ir.Compare) -> Tree | None:
    left, op, right = test.left, test.op, test.right
    if isinstance(left, ir.Const):
        mirror = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        left, op, right = right, mirror.get(op, op), left
    while isinstance(left, ir.Convert) and left.type == NUMBER and left.operand.type == INTEGER:
        left = left.operand
    if not isinstance(left, ir.Aggregate) or not isinstance(right, ir.Const):
        return None
    if left.function in ("max", "min"):
        return _extreme(left, op, right)
    if left.function not in ("count", "sum"):
        return None
    bound = right.value
    if isinstance(bound, bool) or not isinstance(bound, int | Decimal):
        return None
    if left.function == "count":
        return _threshold(left.list, None, op, Decimal(bound))
    if left.type not in (INTEGER, NUMBER):
        return None
    return _threshold(left.list, left, op, Decimal(bound) * (SCALE if left.type == NUMBER else 1))


def _extreme(extreme: ir.Aggregate, op: str, bound: ir.Const) -> Tree | None:
    """A largest or a smallest value against a constant: is there an event whose value reaches it, or goes beyond it?"""
    values = extreme.list
    if not isinstance(values, ir.Transform) or values.flatten or bound.value is None:
        return None

    def some(test: ir.Expr) -> Tree | None:
        return _at_least(ir.Filter(values.list, values.var, test, values.list.type), None, 1)

    beyond = ">" if extreme.function == "max" else "<"
    there = some(ir.Not(ir.IsNull(values.body)))
    reached = some(ir.Compare(f"{beyond}=", values.body, bound))
    passed = some(ir.Compare(beyond, values.body, bound))
    if there is None or reached is None or passed is None:
        return None
    equal: Tree = ("and", (reached, ("not", passed)))
    if op in ("=", "!="):
        return equal if op == "=" else ("and", (there, ("not", equal)))
    if op[0] == beyond:
        return passed if op == beyond else reached
    return ("and", (there, ("not", passed if op[1:] else reached)))


def _threshold(items: ir.Expr, total: ir.Aggregate | None, op: str, bound: Decimal) -> Tree | None:
    """`op bound` on whole numbers, by thresholds."""
    up, down = ceil(bound), floor(bound)
    reached = _at_least(items, total, up)
    passed = _at_least(items, total, down + 1)
    if reached is None or passed is None:
        return None
    equal: Tree = ("and", (reached, ("not", passed))) if up == down else False
    return {
        ">=": reached,
        ">": passed,
        "<": ("not", reached),
        "<=": ("not", passed),
        "=": equal,
        "!=": ("not", equal),
    }[op]


def _at_least(items: ir.Expr, total: ir.Aggregate | None, least: int) -> Tree | None:
    if least <= 0 and total is None:
        return True if _events(items) is not None else None
    found = weighed(items, total)
    if found is None:
        return None
    stream, span = found
    return AtLeast(stream, span, least) if span.enter < span.leave else least <= 0


def weighed(items: ir.Expr, total: ir.Aggregate | None) -> tuple[Stream, Span] | None:
    """A count of a list made from `xEvent`, or the sum of one (`total`), as the weights of events in a window; None for any other list."""
    found = _events(items)
    if found is None:
        return None
    tests, local = found
    parted = _windows(tests)
    if parted is None:
        return None
    span, own = parted
    weight: ir.Expr | None = None
    if total is not None:
        weight = ir.Aggregate("sum", local, total.type)
    elif not isinstance(local, ir.MakeList):
        weight = ir.Aggregate("count", local, INTEGER)
    return Stream(frozenset(own), weight, span != Span()), span


def _events(items: ir.Expr) -> tuple[list[ir.Expr], ir.Expr] | None:
    """(tests of an event, what one event adds to the list) of a list made from `xEvent`; None for any other list."""
    match items:
        case ir.Field(object=ir.Var(id=0), name="xEvent"):
            assert isinstance(items.type, ListType)
            return [], ir.MakeList((ir.Var(EVENT, items.type.element),), items.type)
        case ir.Filter():
            found = _events(items.list)
            if found is None:
                return None
            tests, local = found
            if isinstance(local, ir.MakeList):
                return [*tests, *ir.conjuncts(substitute(items.condition, items.var, local.items[0]))], local
            made: ir.Expr = ir.Filter(local, items.var, items.condition, items.type)
        case ir.Transform():
            found = _events(items.list)
            if found is None:
                return None
            tests, local = found
            made = ir.Transform(local, items.var, items.body, items.flatten, items.drop_nulls, items.type)
        case _:
            return None
    return (tests, made) if is_own(made) else None


def is_own(e: ir.Expr) -> bool:
    """Does it depend on one event alone, and never fail? A sum inside of an event may be out of range, which the plain evaluator notes."""
    return free_variables(e) <= {EVENT} and not any(
        isinstance(n, ir.Clock | ir.InSegment)
        or (isinstance(n, ir.Aggregate) and n.function == "sum" and n.type != DOUBLE)
        for n in walk(e)
    )


# --- windows ---
def _windows(tests: list[ir.Expr], var: int = EVENT) -> tuple[Span, list[ir.Expr]] | None:
    """The windows relative to now among the tests of an event as one span, and the tests that it passes alone."""
    span, own = Span(), []
    for test in tests:
        if is_own(test):
            own.append(test)
            continue
        window = _window(test, var)
        if window is None:
            return None
        span = span.narrowed(window)
    return span, own


def _window(test: ir.Expr, var: int) -> Span | None:
    if not isinstance(test, ir.Within) or not is_stamp(test.operand, var):
        return None
    span = Span()
    for edge, lower in ((test.lower, True), (test.upper, False)):
        if edge is None:
            continue
        offset = _offset(edge.instant, None)
        if offset is None:
            far = distance(edge.instant)
            if far is None or far >= FARTHEST:
                return None
            span = span.narrowed(Span(ends=frozenset([End(edge, lower)])))
        elif lower:
            span = span.narrowed(Span(leave=-offset + (1 if edge.inclusive else 0)))
        else:
            span = span.narrowed(Span(enter=-offset + (0 if edge.inclusive else 1)))
    return span


def distance(e: ir.Expr) -> int | None:
    """How far from now an end of the calendar lies at most; None: it is none, or none that never falls as the clock moves. Moving by months never
    makes one day come before another, but it does so with the times of two days that the month's end makes one: of these only the month is asked here."""
    match e:
        case ir.Truncate() if e.unit in LONGEST:
            inner = e.operand
            months = isinstance(inner, ir.Shift) and inner.unit in MONTHS and isinstance(inner.operand, ir.Clock)
            if months and e.unit in MONTHS:
                assert isinstance(inner, ir.Shift)
                return LONGEST[e.unit] + abs(inner.amount) * LONGEST[inner.unit] + 2 * SLACK
            offset = _offset(inner, None)
            rest = distance(inner) if offset is None else abs(offset)
            return None if rest is None else rest + LONGEST[e.unit] + SLACK
        case ir.Shift() if e.unit in LONGEST and (
            _is_day(e.operand) if e.local else e.unit not in MONTHS or not e.amount
        ):
            rest = distance(e.operand)
            return None if rest is None else rest + abs(e.amount) * LONGEST[e.unit] + SLACK
    return None


def _is_day(e: ir.Expr) -> bool:
    """Is it a midnight of the zone's wall clock?"""
    while isinstance(e, ir.Shift) and e.local:
        e = e.operand
    return isinstance(e, ir.Truncate) and e.unit in CALENDAR


def keeps_order(span: Span, zone: Zone) -> bool:
    """Does an event that is earlier than another come into the window no later, and leave it no later?"""
    nodes = [n for end in span.ends for n in walk(end.edge.instant)]
    if zone.name != "UTC" and any(
        isinstance(n, ir.Shift) and n.local and isinstance(n.operand, ir.Clock) for n in nodes
    ):
        return False  # a time that the wall clock leaves out may stand for one of the next month
    units = {n.unit for n in nodes if isinstance(n, ir.Truncate)}
    return all(never_falls(zone.name, "day" if unit in CALENDAR else unit) for unit in units)


def _offset(e: ir.Expr, var: int | None) -> int | None:
    """Microseconds from now (or from the timestamp of a variable) to an instant; None when it is no fixed distance."""
    offset = 0
    while isinstance(e, ir.Shift) and e.unit in MICROSECONDS and not (e.local and e.unit in ("day", "week")):
        offset += e.amount * MICROSECONDS[e.unit]
        e = e.operand
    there = isinstance(e, ir.Clock) if var is None else is_stamp(e, var)
    return offset if there and abs(offset) < FARTHEST else None


# --- chains ---
def _chain(e: ir.Chain) -> Tree | None:
    found = _events(e.list)
    if found is None or not isinstance(found[1], ir.MakeList) or not is_stamp(e.timestamp, e.var):
        return None
    stamped = ir.Not(ir.IsNull(ir.Field(found[1].items[0], "timestamp", TIMESTAMP)))
    if any(not is_own(t) for t in found[0]):
        return None
    steps = e.steps
    if any(not s.excluded and s.op != ">=" for s in steps) or steps[0].excluded:
        return None
    first = _step(steps[0], found, stamped)
    if first is None:
        return None
    if len(steps) == 1:
        return True if steps[0].low <= 0 else AtLeast(first[0], first[1], steps[0].low)
    bound = steps[:-1] if steps[-1].excluded else steps
    if bound[-1].excluded or any(s.low != 1 for s in bound if not s.excluded):
        return None
    followed = _followed(bound, found, stamped) if len(bound) > 1 else (Link(first[0]), first[1])
    if bound is steps or not followed:
        return followed
    if isinstance(followed, Then):
        if any(link.leave < FOREVER for link in followed.first.links):
            return None
        followed = followed.last, followed.span
    return _excluded(followed, bound[-1], steps[-1], found, stamped)


def _step(step: ir.Step, found: Any, stamped: ir.Expr) -> tuple[Stream, Span] | None:
    """A step that looks at its own event and at now only."""
    event = found[1].items[0]
    tests = [*found[0], *ir.conjuncts(substitute(step.match, step.var, event))]
    tests += ir.conjuncts(substitute(step.window, step.var, event))
    parted = _windows(tests)
    if parted is None:
        return None
    return Stream(frozenset([*parted[1], stamped])), parted[0]


def _followed(steps: Sequence[ir.Step], found: Any, stamped: ir.Expr) -> Then | Literal[False] | None:
    """Steps one after the other: each looks at its own event and at now, and at how far the step before it lies back. All but the last are active from
    their timestamp on at the latest; that it has come, the window of the last one has to say where one before it has an end. What is excluded between two
    looks at its own event alone."""
    link: Link | None = None
    before: ir.Step | None = None
    gap, ends, never = (1, FOREVER), False, False
    without: tuple[Stream, ...] = ()
    for step in steps:
        if step.excluded:
            apart = None if ir.conjuncts(step.window) or step.closes is not None else _step(step, found, stamped)
            if apart is None or apart[1] != Span():
                return None
            without = (*without, apart[0])
            continue
        rest, gap = [], (1, FOREVER)
        for test in ir.conjuncts(step.window):
            between = None if before is None else _between(test, step.var, before.var)
            if between is None:
                rest.append(test)
            else:
                gap = max(gap[0], between[0]), min(gap[1], between[1])
        own = _step(ir.Step("", step.var, False, step.match, ir.conjunction(rest)), found, stamped)
        others = {s.var for s in steps} - {step.var}
        if own is None or others & free_variables(ir.And((step.match, *rest))):
            return None
        stream, span = own
        never = never or gap[0] > gap[1]
        if step is steps[-1]:
            break
        if span.ends or span.enter > 0:
            return None
        ends = ends or span != Span()
        link, before, without = Link(stream, span.leave, link, *gap, without), step, ()
    if ends and (span.ends or span.enter < 0):
        return None
    assert link is not None
    return False if never else Then(link, stream, *gap, span, without)


def _between(test: ir.Expr, var: int, other: int) -> tuple[int, int] | None:
    """A window of one event relative to another: its first and last distance, both included."""
    if not isinstance(test, ir.Within) or not is_stamp(test.operand, var):
        return None
    low, high = -FOREVER, FOREVER
    if test.lower is not None:
        offset = _offset(test.lower.instant, other)
        if offset is None:
            return None
        low = offset + (0 if test.lower.inclusive else 1)
    if test.upper is not None:
        offset = _offset(test.upper.instant, other)
        if offset is None:
            return None
        high = offset - (0 if test.upper.inclusive else 1)
    return low, high


def _excluded(
    first: tuple[Link, Span], before: ir.Step, step: ir.Step, found: Any, stamped: ir.Expr
) -> Without | Literal[False] | None:
    """The last step is one that must not follow `before`, whose events are `first`."""
    windows = ir.conjuncts(step.window)
    second = _step(ir.Step("", step.var, False, step.match, ir.TRUE), found, stamped)
    if second is None or second[1] != Span() or first[1].ends:
        return None
    if not windows:
        return Without(first[0], second[0], None, first[1]) if step.closes is None else None
    between = _between(windows[0], step.var, before.var) if len(windows) == 1 else None
    if between is None or between[0] > 1 or not 0 < between[1] < FOREVER or step.closes is None:
        return None
    closes = _offset(step.closes, before.var)
    if closes != between[1] + 1:
        return None
    span = first[1].narrowed(Span(enter=closes))
    return Without(first[0], second[0], between[1], span) if span.enter < span.leave else False


def leaves(tree: Tree) -> list[Leaf]:
    if isinstance(tree, bool):
        return []
    if not isinstance(tree, tuple):
        return [tree]
    below = tree[1] if tree[0] != "not" else (tree[1],)
    return [leaf for t in below for leaf in leaves(t)]
