"""Finds the parts of an expression that a GROUP BY over one table answers: the leaves of a plan.

`Leaves.rewrite` replaces every part of an expression that speaks of events and has a relational form by a reference to
a leaf, and returns the rest as it was: what then still names `xEvent` needs the complete list form. Equal leaves are
found once, whoever asks. Must not know SQL. Read `Leaf`, then `Leaves.rewrite`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pql.compiler.layout import Path
from pql.ir import nodes as ir
from pql.ir.walk import parts, rebuild, substitute, walk
from pql.types import BOOLEAN, DOUBLE, INTEGER, TIMESTAMP, ListType, ObjectType, ScalarType, Type

EVENT = 900
"""The variable of the event row; list levels below it are 901, 902, …"""

MARK = "#"


@dataclass(frozen=True)
class Stream:
    """Rows: events, or elements of lists inside them (`levels`: the paths), that satisfy `tests`; `element` over them."""

    levels: tuple[Path, ...]
    tests: tuple[ir.Expr, ...]
    element: ir.Expr


@dataclass(frozen=True)
class Leaf:
    """One value a profile: `function` over `value` (None: the rows themselves) of a stream's rows.

    Functions: count, distinct, sum, average, min, max, and pick (the value in the row that is first by `order`:
    `first`, or `latest` for the greatest instant). `default`: the answer for a profile without rows.
    """

    levels: tuple[Path, ...]
    tests: tuple[ir.Expr, ...]
    function: str
    value: ir.Expr | None
    type: Type
    order: str = ""
    default: ir.Value = None


@dataclass(frozen=True)
class TopLeaf:
    """Groups by `key`, an aggregate of each as `measure`, and from the group with the greatest (least): `value`."""

    levels: tuple[Path, ...]
    tests: tuple[ir.Expr, ...]
    key: ir.Expr
    measure: Leaf
    descending: bool
    value: Leaf | None
    type: Type
    default: ir.Value = None


@dataclass(frozen=True)
class Link:
    """Whether another event lies in a window around the row's instant; offsets in microseconds, None is unbounded.

    Other events satisfy `tests` and their own `links`. row + lower <(=) other <(=) row + upper. `without`: no event with
    these tests lies strictly between the other and the row (the window must then lie before the row).
    """

    tests: tuple[ir.Expr, ...]
    lower: int | None = None
    lower_inclusive: bool = True
    upper: int | None = None
    upper_inclusive: bool = True
    negated: bool = False
    links: tuple[Link, ...] = ()
    without: tuple[tuple[ir.Expr, ...], ...] = ()


@dataclass(frozen=True)
class LinkLeaf:
    """Is there an event with `tests` for which all links hold? A boolean, false for a profile without events."""

    tests: tuple[ir.Expr, ...]
    links: tuple[Link, ...]
    type: Type = BOOLEAN
    default: ir.Value = False


AnyLeaf = Leaf | TopLeaf | LinkLeaf


def leaf_reference(name: str, type: Type) -> ir.Expr:
    return ir.Field(ir.Var(ir.PROFILE, type), MARK + name, type)


def referenced(e: ir.Expr) -> str | None:
    """The leaf that a node refers to."""
    if isinstance(e, ir.Field) and e.name.startswith(MARK) and isinstance(e.object, ir.Var):
        return e.name[1:]
    return None


def is_events(e: ir.Expr) -> bool:
    return isinstance(e, ir.Field) and e.name == "xEvent" and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE


def path_of(e: ir.Expr) -> tuple[int, Path] | None:
    """The variable and the field names of a plain path."""
    names: list[str] = []
    while isinstance(e, ir.Field):
        names.append(e.name)
        e = e.object
    return (e.id, tuple(reversed(names))) if isinstance(e, ir.Var) else None


def names_events(e: ir.Expr) -> bool:
    return any(is_events(n) or isinstance(n, ir.InSegment) or (isinstance(n, ir.Var) and n.id == 0) for n in _below(e))


def _below(e: ir.Expr):  # type: ignore[no-untyped-def]
    """Nodes that say something of events: a profile field other than `xEvent` is passed over."""
    if isinstance(e, ir.Field) and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE and e.name != "xEvent":
        return
    yield e
    for part in parts(e):
        yield from _below(part)


def stream(e: ir.Expr) -> Stream | None:
    """The rows that a list expression over events runs through; None when it is not of that kind."""
    match e:
        case ir.Field() if is_events(e):
            assert isinstance(e.type, ListType)
            return Stream((), (), ir.Var(EVENT, e.type.element))
        case ir.Filter():
            inner = stream(e.list)
            if inner is None:
                return None
            test = substitute(e.condition, e.var, inner.element)
            return replace(inner, tests=_with(inner.tests, (*_present(inner.element), *ir.conjuncts(test))))
        case ir.Transform():
            inner = stream(e.list)
            if inner is None or not e.drop_nulls:
                return None
            body = substitute(e.body, e.var, inner.element)
            inner = replace(inner, tests=_with(inner.tests, _present(inner.element)))
            return _deeper(inner, body) if e.flatten else replace(inner, element=body)
        case _:
            return None


def _deeper(inner: Stream, body: ir.Expr) -> Stream | None:
    """One level down, into a list of the row."""
    path = path_of(body)
    level = EVENT + len(inner.levels)
    if path is None or path[0] != level or not isinstance(body.type, ListType):
        return None
    return Stream((*inner.levels, path[1]), inner.tests, ir.Var(level + 1, body.type.element))


def _present(element: ir.Expr) -> tuple[ir.Expr, ...]:
    """What makes an element not null; rows themselves never are."""
    return () if isinstance(element, ir.Var) else (ir.Not(ir.IsNull(element)),)


def _with(tests: tuple[ir.Expr, ...], more: tuple[ir.Expr, ...]) -> tuple[ir.Expr, ...]:
    return (*tests, *(t for t in more if t not in tests))


def _strict(test: ir.Expr, var: int) -> bool:
    """Is the test false for a null element? Only what is plainly so counts."""
    reads: tuple[ir.Expr, ...]
    match test:
        case ir.And():
            return any(_strict(t, var) for t in test.operands)
        case ir.Compare():
            reads = (test.left, test.right)
        case ir.Within():
            reads = (test.operand,)
        case ir.Truth():
            reads = (test.operand, *(test.operand.args[:1] if isinstance(test.operand, ir.Call) else ()))
        case _:
            return False
    return any((found := path_of(r)) is not None and found[0] == var and bool(found[1]) for r in reads)


@dataclass
class Leaves:
    """Collects the leaves of many expressions. `segment` gives the condition of a segment that is referred to."""

    segment: Callable[[str], ir.Expr]
    names: dict[AnyLeaf, str] = field(default_factory=dict)
    segments: dict[str, ir.Expr] = field(default_factory=dict)
    refused: set[AnyLeaf] = field(default_factory=set)

    def add(self, leaf: AnyLeaf) -> ir.Expr | None:
        if leaf in self.refused:
            return None
        name = self.names.setdefault(leaf, f"l{len(self.names)}")
        return leaf_reference(name, leaf.type)

    def rewrite(self, e: ir.Expr) -> ir.Expr:
        """The expression with its leaves taken out; profile attributes stay, and so does what has no leaf."""
        if isinstance(e, ir.InSegment):
            if e.segment not in self.segments:
                self.segments[e.segment] = self.rewrite(self.segment(e.segment))
            return self.segments[e.segment]
        if isinstance(e, ir.Field | ir.Var | ir.Const | ir.Clock) and not isinstance(
            getattr(e, "object", None), ir.Call
        ):
            if not isinstance(e, ir.Field) or path_of(e) is not None:
                return e
        found = self.leaf(e)
        if found is not None:
            return found
        if isinstance(e, ir.Filter | ir.Exists | ir.ForAll | ir.Transform | ir.TopN | ir.GroupBy | ir.TransformGroups):
            return e
        if isinstance(e, ir.Chain | ir.Let):
            return e
        result: ir.Expr = rebuild(e, self.rewrite)
        return result

    def leaf(self, e: ir.Expr) -> ir.Expr | None:
        match e:
            case ir.Aggregate():
                return self._aggregate(e)
            case ir.Call(function="size"):
                return self._size(e)
            case ir.Exists():
                return self._exists(e)
            case ir.ForAll():
                inner = self._exists(ir.Exists(e.list, e.var, ir.Not(e.condition)), every=True)
                return None if inner is None else ir.Not(inner)
            case ir.Field():
                return self._pick(e)
            case ir.Chain():
                return self._chain(e)
            case _:
                return None

    def _fits(self, tests: tuple[ir.Expr, ...]) -> bool:
        return not any(names_events(t) for t in tests)

    def _aggregate(self, e: ir.Aggregate) -> ir.Expr | None:
        items, function = e.list, e.function
        if isinstance(items, ir.Call) and items.function == "distinct":
            if function != "count":
                return None
            items, function = items.args[0], "distinct"
        rows = stream(items)
        if rows is None or not self._fits((*rows.tests, rows.element)):
            return None
        whole = isinstance(rows.element, ir.Var) and isinstance(rows.element.type, ObjectType)
        if whole and function != "count" or (function == "sum" and e.type == DOUBLE):
            return None
        if function == "average" and rows.element.type == DOUBLE:
            return None
        if not whole and not isinstance(rows.element.type, ScalarType):
            return None
        default: ir.Value = 0 if function in ("count", "distinct", "sum") else None
        return self.add(Leaf(rows.levels, rows.tests, function, None if whole else rows.element, e.type, "", default))

    def _count(self, rows: Stream) -> ir.Expr | None:
        if not self._fits((*rows.tests, rows.element)):
            return None
        leaf = Leaf(rows.levels, (*rows.tests, *_present(rows.element)), "count", None, INTEGER, "", 0)
        found = self.add(leaf)
        return None if found is None else ir.Compare(">=", found, ir.Const(1, INTEGER))

    def _size(self, e: ir.Call) -> ir.Expr | None:
        rows = stream(e.args[0]) if isinstance(e.args[0].type, ListType) else None
        if rows is None or not self._fits((*rows.tests, rows.element)):
            return None
        return self.add(Leaf(rows.levels, (*rows.tests, *_present(rows.element)), "count", None, INTEGER, "", 0))

    def _exists(self, e: ir.Exists, every: bool = False) -> ir.Expr | None:
        rows = stream(e.list)
        if rows is None:
            return None
        test = substitute(e.condition, e.var, rows.element)
        tests = (*_present(rows.element), *ir.conjuncts(test))
        rows = self._lifted(replace(rows, tests=_with(rows.tests, tests)))
        if rows.levels == () and any(_link_body(t) is not None for t in rows.tests):
            return self._linked(rows)
        return self._count(rows)

    def _lifted(self, rows: Stream) -> Stream:
        """`exists` over a list of the row, among the tests, becomes another level: existence is one."""
        for test in rows.tests:
            if not isinstance(test, ir.Exists):
                continue
            deeper = _deeper(replace(rows, tests=tuple(t for t in rows.tests if t is not test)), test.list)
            if deeper is None or not _strict(test.condition, test.var):
                continue
            inner = substitute(test.condition, test.var, deeper.element)
            return self._lifted(replace(deeper, tests=_with(deeper.tests, ir.conjuncts(inner))))
        return rows

    def _linked(self, rows: Stream) -> ir.Expr | None:
        found = split_links(rows.tests)
        if found is None or not self._fits(found[0]):
            return None
        return self.add(LinkLeaf(*found))

    def _chain(self, e: ir.Chain) -> ir.Expr | None:
        from pql.compiler.sequences import chain_links

        rows = stream(e.list)
        if rows is None or rows.levels or not isinstance(rows.element, ir.Var):
            return None
        if not self._fits(rows.tests):
            return None
        found = chain_links(e, rows.tests)
        return None if found is None else self.add(found)

    def _pick(self, e: ir.Field) -> ir.Expr | None:
        """`….head().path`, and the same over `topN(key, 1)`."""
        names: list[tuple[str, Type]] = []
        inner: ir.Expr = e
        while isinstance(inner, ir.Field):
            names.append((inner.name, inner.type))
            inner = inner.object
        if not (isinstance(inner, ir.Call) and inner.function == "head") or not isinstance(e.type, ScalarType):
            return None
        items, order = inner.args[0], "first"
        if isinstance(items, ir.TopN):
            if items.count != ir.Const(1, INTEGER):
                return None
            if isinstance(items.list, ir.TransformGroups):
                return self._top(items, names)
            rows = stream(items.list)
            if rows is None or rows.levels or substitute(items.key, items.var, rows.element) != _instant(rows.element):
                return None
            order = "latest" if items.descending else "first"
        else:
            rows = stream(items)
        if rows is None or rows.levels or not isinstance(rows.element, ir.Var) or not self._fits(rows.tests):
            return None
        value: ir.Expr = rows.element
        for name, kind in reversed(names):
            value = ir.Field(value, name, kind)
        return self.add(Leaf((), rows.tests, "pick", value, e.type, order))

    def _top(self, top: ir.TopN, names: list[tuple[str, Type]]) -> ir.Expr | None:
        """The best group: its key or one of its aggregates."""
        groups = top.list
        assert isinstance(groups, ir.TransformGroups)
        if len(names) != 1 or not isinstance(groups.groups, ir.GroupBy) or not isinstance(groups.body, ir.MakeObject):
            return None
        rows = stream(groups.groups.list)
        if rows is None or not isinstance(rows.element, ir.Var):
            return None
        key = substitute(groups.groups.key, groups.groups.var, rows.element)
        entries = dict(groups.body.entries)
        wanted, by = entries.get(names[0][0]), path_of(top.key)
        measure = entries.get(by[1][0]) if by is not None and by[0] == top.var and len(by[1]) == 1 else None
        made = None if measure is None else self._group_aggregate(measure, groups, rows)
        is_key = isinstance(wanted, ir.Var) and wanted.id == groups.key_var
        other = None if is_key or wanted is None else self._group_aggregate(wanted, groups, rows)
        if made is None or not (is_key or other) or not self._fits((*rows.tests, key)):
            return None
        return self.add(TopLeaf(rows.levels, rows.tests, key, made, top.descending, other, names[0][1]))

    def _group_aggregate(self, e: ir.Expr, groups: ir.TransformGroups, rows: Stream) -> Leaf | None:
        if not isinstance(e, ir.Aggregate) or e.function not in ("count", "sum", "min", "max") or e.type == DOUBLE:
            return None
        items = e.list
        value: ir.Expr | None = None
        if isinstance(items, ir.Transform) and items.drop_nulls and not items.flatten:
            value = substitute(items.body, items.var, rows.element)
            items = items.list
        if not (isinstance(items, ir.Var) and items.id == groups.group_var):
            return None
        if value is None and e.function != "count" or value is not None and names_events(value):
            return None
        return Leaf(rows.levels, (), e.function, value, e.type, "", 0 if e.function in ("count", "sum") else None)


def _instant(element: ir.Expr) -> ir.Expr:
    return ir.Field(element, "timestamp", TIMESTAMP)


def _link_body(test: ir.Expr) -> ir.Exists | None:
    """An `exists` over events, plain or negated, among the tests of another event."""
    inner = test.operand if isinstance(test, ir.Not) else test
    if isinstance(inner, ir.Exists) and any(is_events(n) for n in walk(inner.list)):
        return inner
    return None


def split_links(tests: tuple[ir.Expr, ...]) -> tuple[tuple[ir.Expr, ...], tuple[Link, ...]] | None:
    """Tests of the row alone, and links to other events; None when a link is of no known form."""
    from pql.compiler.sequences import make_link

    plain: list[ir.Expr] = []
    links: list[Link] = []
    for test in tests:
        body = _link_body(test)
        if body is None:
            plain.append(test)
            continue
        link = make_link(body, isinstance(test, ir.Not))
        if link is None:
            return None
        links.append(link)
    return tuple(plain), tuple(links)
