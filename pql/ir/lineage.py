"""Which fields an expression reads, where, with which labels, and by which way. Read `reads`, then `lineage`.

Labels are joined: whatever is read puts its labels on the result, under a negation too, unless a function's label rule
drops one. Values are followed as far as they are parts of the profile; where one is given out, kept or compared
whole, everything in it is read. Must not know engines, schemas or policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pql.ir import nodes as ir
from pql.ir.walk import parts
from pql.labels import JOIN, LabelRule
from pql.source import NOWHERE, Source, Span, UsedSpan
from pql.types import DOUBLE, TIMESTAMP, ListType, MapType, ObjectType, Type, describe

EVENTS = "xEvent"
ORDER = (f"{EVENTS}.timestamp", f"{EVENTS}._id")
"""What decides the order of events."""


@dataclass(frozen=True)
class Hop:
    """A step on the way to a field: `kind` is `segment`, `definition` or `attribute`. `span` is where its name is used,
    in `source` when that is a definition's text, else in the text of the segment `owner` (empty: the expression's own)."""

    kind: str
    name: str
    span: Span
    source: Source | None
    owner: str


@dataclass(frozen=True)
class Read:
    """One field that is read.

    `path` is from the profile, lists on the way included. `span` is the place in the text of the expression, or of the
    innermost segment of `via`, the ids of the segments on the way, outermost first. `trail` has every step on the way,
    `place` and `home` the field's own place and the definition's text that it stands in (None: the segment's text).
    `whole`: all that is in it is read. `implied`: read for the order of events. `negated`: below a `not`.
    `dropped`: labels that a function takes away (`labels` is without them).
    """

    path: str
    type: str
    labels: frozenset[str]
    span: Span
    via: tuple[str, ...] = ()
    trail: tuple[Hop, ...] = ()
    place: Span = NOWHERE
    home: Source | None = None
    whole: bool = False
    implied: bool = False
    negated: bool = False
    dropped: frozenset[str] = frozenset()


Rules = Mapping[str, LabelRule]


def reads(e: ir.Expr, segments: Mapping[str, ir.Expr] | None = None, rules: Rules | None = None) -> tuple[Read, ...]:
    """Everything that is read, each place once, in the order of the text: also that there are events (`xEvent`), and what
    orders them. `rules`: the label rules of functions that do not join."""
    reader = _Reader(segments or {}, rules or {})
    reader.visit(e, {ir.PROFILE: frozenset({""})}, whole=not isinstance(e, ir.TESTS))
    return tuple(dict.fromkeys(reader.found))


def lineage(e: ir.Expr, segments: Mapping[str, ir.Expr] | None = None, rules: Rules | None = None) -> tuple[Read, ...]:
    """Every field read by name, once for each path and way there, in the order of the text."""
    found: dict[tuple[str, tuple[str, ...]], Read] = {}
    for read in reads(e, segments, rules):
        if read.path != EVENTS and not read.implied:
            found.setdefault((read.path, read.via), read)
    return tuple(found.values())


def labels(e: ir.Expr, segments: Mapping[str, ir.Expr] | None = None, rules: Rules | None = None) -> frozenset[str]:
    """The data usage labels of all that an expression reads."""
    return frozenset(label for read in reads(e, segments, rules) for label in read.labels)


def depends_on(e: ir.Expr) -> tuple[str, ...]:
    """The ids of the segments that an expression refers to directly."""
    return tuple(dict.fromkeys(n.segment for n in _all(e) if isinstance(n, ir.InSegment)))


def _all(e: ir.Expr) -> Iterator[ir.Expr]:
    yield e
    for p in parts(e):
        yield from _all(p)


Paths = frozenset[str]
NOTHING: Paths = frozenset()
Roots = dict[int, Paths]
"""The stored paths that a variable may stand for."""

PASSING = ("head", "values", "distinct", "intersection")
"""Functions whose result is (part of) their first argument."""
COUNTING = ("size", "keys")
"""Functions that look at an argument's elements, not into them."""
ORDERED = ("head", "listEqual")


class _Reader:
    """Follows one expression. `visit` records what is read and gives the stored paths that the value is part of."""

    def __init__(self, segments: Mapping[str, ir.Expr], rules: Rules) -> None:
        self.segments, self.rules = segments, rules
        self.found: list[Read] = []
        self.via: tuple[str, ...] = ()
        self.hops: tuple[Hop, ...] = ()
        self.dropped: frozenset[str] = frozenset()
        self.negated = False

    # --- recording ---
    def record(
        self, path: str, kind: Type, own: frozenset[str], span: Span, whole: bool, implied: bool = False
    ) -> None:
        source, hops = None, list(self.hops)
        owner = self.via[-1] if self.via else ""
        place = span
        while isinstance(place, UsedSpan):
            hops.append(Hop(place.kind, place.name, Span(place.start, place.end), source, owner))
            source, place = place.source, place.inner
        labelled = own | (inner_labels(kind) if whole else frozenset())
        self.found.append(
            Read(
                path, describe(kind), labelled - self.dropped, Span(span.start, span.end), self.via, tuple(hops), place,
                source, whole and holds_fields(kind), implied, self.negated, self.dropped,
            )
        )  # fmt: skip

    def order(self, paths: Paths, span: Span, kind: Type) -> None:
        """The order of events is read."""
        if any(p == EVENTS or p.startswith(EVENTS + ".") for p in paths):
            event = kind.element if isinstance(kind, ListType) else kind
            for path in ORDER:
                field = event.fields.get(path.rpartition(".")[2]) if isinstance(event, ObjectType) else None
                own = field.labels if field is not None else frozenset()
                self.record(path, field.type if field is not None else TIMESTAMP, own, span, False, implied=True)

    # --- walking ---
    def visit(self, e: ir.Expr, roots: Roots, whole: bool = False) -> Paths:
        match e:
            case ir.Var():
                return self._var(e, roots, whole)
            case ir.Field():
                return self._field(e, roots, whole)
            case ir.InSegment():
                return self._segment(e)
            case ir.Not():
                before, self.negated = self.negated, self.negated or not isinstance(e.operand, ir.IsNull)
                self.visit(e.operand, roots)
                self.negated = before
                return NOTHING
            case ir.If():
                self.visit(e.condition, roots)
                return self.visit(e.then, roots, whole) | self.visit(e.otherwise, roots, whole)
            case ir.Let():
                value = self.visit(e.value, roots)
                return self.visit(e.body, {**roots, e.var: value}, whole)
            case ir.MakeList():
                return NOTHING.union(*(self.visit(item, roots, whole) for item in e.items))
            case ir.MakeObject() | ir.MakeEntry() | ir.ToMap():
                for part in parts(e):
                    self.visit(part, roots, whole=True)
                return NOTHING
            case ir.Call():
                return self._call(e, roots, whole)
            case ir.Aggregate():
                return self._aggregate(e, roots)
            case ir.Convert():
                return self.visit(e.operand, roots, whole)
            case _:
                return self._binder(e, roots, whole)

    def _binder(self, e: ir.Expr, roots: Roots, whole: bool) -> Paths:
        match e:
            case ir.Filter():
                paths = self.visit(e.list, roots, whole)
                self.visit(e.condition, {**roots, e.var: paths})
                return paths
            case ir.Exists() | ir.ForAll():
                paths = self.visit(e.list, roots)
                self.visit(e.condition, {**roots, e.var: paths})
                return NOTHING
            case ir.Transform():
                paths = self.visit(e.list, roots)
                if whole:
                    self.order(paths, e.span, e.list.type)
                return self.visit(e.body, {**roots, e.var: paths}, whole)
            case ir.TopN():
                paths = self.visit(e.list, roots, whole)
                self.visit(e.key, {**roots, e.var: paths})
                self.visit(e.count, roots)
                self.order(paths, e.span, e.list.type)
                return paths
            case ir.GroupBy():
                paths = self.visit(e.list, roots)
                self.visit(e.key, {**roots, e.var: paths})
                self.order(paths, e.span, e.list.type)
                return paths
            case ir.TransformGroups():
                paths = self.visit(e.groups, roots)
                return self.visit(e.body, {**roots, e.key_var: NOTHING, e.group_var: paths}, whole)
            case ir.Chain():
                self._chain(e, roots)
                return NOTHING
            case _:
                for part in parts(e):
                    self.visit(part, roots)
                return NOTHING

    def _chain(self, e: ir.Chain, roots: Roots) -> None:
        paths = self.visit(e.list, roots)
        own = {**roots, e.var: paths, **{step.var: paths for step in e.steps}}
        self.visit(e.timestamp, own)
        before = self.negated
        for step in e.steps:
            self.negated = before or step.excluded
            for part in parts(step):
                self.visit(part, own)
        self.negated = before
        self.order(paths, e.span, e.list.type)

    def _var(self, e: ir.Var, roots: Roots, whole: bool) -> Paths:
        paths = roots.get(e.id, NOTHING)
        if whole and holds_fields(e.type):
            for path in sorted(paths):
                self.record(path, e.type, frozenset(), e.span, True)
        return paths

    def _field(self, e: ir.Field, roots: Roots, whole: bool) -> Paths:
        owners = self._owner(e.object, roots)
        paths = frozenset(f"{p}.{e.name}" if p else e.name for p in owners)
        if paths and whole and holds_fields(e.type):
            self.order(paths, e.span, e.type)
        for path in sorted(paths):
            self.record(path, e.type, chain_labels(e), written(e), whole)
        return paths

    def _owner(self, e: ir.Expr, roots: Roots) -> Paths:
        """The object that a field is taken of: the way to a field is not read by itself."""
        if isinstance(e, ir.Field):
            return frozenset(f"{p}.{e.name}" if p else e.name for p in self._owner(e.object, roots))
        if isinstance(e, ir.Call) and e.function == "get":
            self.visit(e.args[1], roots)
            return frozenset(f"{p}.{_key(e.args[1])}" for p in self._owner(e.args[0], roots))
        return self.visit(e, roots)

    def _segment(self, e: ir.InSegment) -> Paths:
        if e.segment not in self.segments or e.segment in self.via:
            return NOTHING
        hops, via, source = list(self.hops), self.via, None
        place, owner = e.span, self.via[-1] if self.via else ""
        while isinstance(place, UsedSpan):
            hops.append(Hop(place.kind, place.name, Span(place.start, place.end), source, owner))
            source, place = place.source, place.inner
        before = self.hops
        self.hops, self.via = (*hops, Hop("segment", e.segment, place, source, owner)), (*self.via, e.segment)
        self.visit(self.segments[e.segment], {ir.PROFILE: frozenset({""})})
        self.hops, self.via = before, via
        return NOTHING

    def _call(self, e: ir.Call, roots: Roots, whole: bool) -> Paths:
        before = self.dropped
        self.dropped = before | self.rules.get(e.function, JOIN).drops
        try:
            return self._called(e, roots, whole)
        finally:
            self.dropped = before

    def _called(self, e: ir.Call, roots: Roots, whole: bool) -> Paths:
        if e.function == "get":
            return self._get(e, roots, whole)
        if e.function in COUNTING:
            self.visit(e.args[0], roots)
            return NOTHING
        inside = e.function not in PASSING or e.function in ("distinct", "intersection")
        paths = [self.visit(a, roots, whole or inside) for a in e.args]
        if e.function in ORDERED and paths:
            self.order(paths[0], e.span, e.args[0].type)
        return paths[0] if e.function in PASSING else NOTHING

    def _get(self, e: ir.Call, roots: Roots, whole: bool) -> Paths:
        """A key of a map: what is read is that key's value."""
        map_, key = e.args
        self.visit(key, roots)
        paths = frozenset(f"{p}.{_key(key)}" for p in self._owner(map_, roots))
        for path in sorted(paths):
            self.record(
                path, e.type, chain_labels(map_), written(map_) if isinstance(map_, ir.Field) else e.span, whole
            )
        return paths

    def _aggregate(self, e: ir.Aggregate, roots: Roots) -> Paths:
        before = self.dropped
        self.dropped = before | self.rules.get(e.function, JOIN).drops
        paths = self.visit(e.list, roots)
        if isinstance(e.list.type, ListType) and e.list.type.element == DOUBLE:
            self.order(paths, e.span, e.list.type)
        self.dropped = before
        return NOTHING


def _key(e: ir.Expr) -> str:
    """A key of a map as a step of a path; `*` where it is worked out."""
    return str(e.value) if isinstance(e, ir.Const) else "*"


def holds_fields(kind: Type) -> bool:
    """Is there something inside that can have labels of its own?"""
    while isinstance(kind, ListType | MapType):
        kind = kind.element if isinstance(kind, ListType) else kind.value
    return isinstance(kind, ObjectType)


def inner_labels(kind: Type) -> frozenset[str]:
    """The labels of everything inside a type."""
    while isinstance(kind, ListType | MapType):
        kind = kind.element if isinstance(kind, ListType) else kind.value
    if not isinstance(kind, ObjectType):
        return frozenset()
    return frozenset(x for f in kind.fields.values() for x in f.labels | inner_labels(f.type))


def chain_labels(e: ir.Expr) -> frozenset[str]:
    """The labels along `a.b.c`, keys of maps included."""
    found: frozenset[str] = frozenset()
    while True:
        if isinstance(e, ir.Field):
            found |= e.labels
            e = e.object
        elif isinstance(e, ir.Call) and e.function == "get":
            e = e.args[0]
        else:
            return found


def written(e: ir.Field) -> Span:
    """The place of the whole path `a.b.c`, where it stands in one text."""
    start: ir.Expr = e
    while isinstance(start, ir.Field) and isinstance(start.object, ir.Field):
        start = start.object
    return _joined(start.span, e.span)


def _joined(a: Span, b: Span) -> Span:
    if isinstance(a, UsedSpan) and isinstance(b, UsedSpan) and a.source is b.source:
        return UsedSpan(b.start, b.end, b.kind, b.name, b.source, _joined(a.inner, b.inner))
    if isinstance(a, UsedSpan) or isinstance(b, UsedSpan) or a == NOWHERE:
        return b
    return a.to(b) if a.start <= b.start else b
