"""Which fields an expression reads, where, with which labels, and through which segments. Read `lineage`.

The label rule is the plain one: whatever is read puts its labels on the result. Must not know engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pql.ir import nodes as ir
from pql.ir.walk import parts
from pql.source import Span
from pql.types import ListType, Type, describe


@dataclass(frozen=True)
class Read:
    """One field that is read: its path from the profile (lists on the way included), its place in the text of the
    expression that reads it, and the ids of the segments through which it is reached, outermost first."""

    path: str
    type: str
    labels: frozenset[str]
    span: Span
    via: tuple[str, ...] = ()


def lineage(e: ir.Expr, segments: Mapping[str, ir.Expr] | None = None) -> tuple[Read, ...]:
    """Every field read, once for each path and way there, in the order of the text."""
    found: dict[tuple[str, tuple[str, ...]], Read] = {}
    for read in _reads(e, {ir.PROFILE: ""}, segments or {}, ()):
        found.setdefault((read.path, read.via), read)
    return tuple(found.values())


def labels(e: ir.Expr, segments: Mapping[str, ir.Expr] | None = None) -> frozenset[str]:
    """The data usage labels of all that an expression reads."""
    return frozenset(label for read in lineage(e, segments) for label in read.labels)


def depends_on(e: ir.Expr) -> tuple[str, ...]:
    """The ids of the segments that an expression refers to directly."""
    return tuple(dict.fromkeys(n.segment for n in _all(e) if isinstance(n, ir.InSegment)))


def _all(e: ir.Expr) -> Iterator[ir.Expr]:
    yield e
    for p in parts(e):
        yield from _all(p)


Roots = dict[int, str]
"""The path that a variable stands for; a variable that is missing stands for no stored field."""


def _path(e: ir.Expr, roots: Roots) -> str | None:
    """The stored path of an expression that goes along fields, elements and filters only."""
    match e:
        case ir.Var():
            return roots.get(e.id)
        case ir.Field():
            owner = _path(e.object, roots)
            return None if owner is None else f"{owner}.{e.name}" if owner else e.name
        case ir.Filter() | ir.TopN():
            return _path(e.list, roots)
        case ir.Call(function="head" | "distinct" | "values"):
            return _path(e.args[0], roots)
        case ir.Call(function="get"):
            owner = _path(e.args[0], roots)
            key = e.args[1].value if isinstance(e.args[1], ir.Const) else "*"
            return None if owner is None else f"{owner}.{key}"
        case ir.Transform():
            inner = _path(e.list, roots)
            return None if inner is None else _path(e.body, {**roots, e.var: inner})
        case _:
            return None


def _reads(e: ir.Expr, roots: Roots, segments: Mapping[str, ir.Expr], via: tuple[str, ...]) -> Iterator[Read]:
    if isinstance(e, ir.InSegment):
        if e.segment in segments and e.segment not in via:
            yield from _reads(segments[e.segment], {ir.PROFILE: ""}, segments, (*via, e.segment))
        return
    if isinstance(e, ir.Field):
        path = _path(e, roots)
        if path is not None and not _goes_on(e.type, path):
            yield Read(path, describe(e.type), _labels(e), e.span, via)
        inner = e.object
        while isinstance(inner, ir.Field):
            inner = inner.object
        if not isinstance(inner, ir.Var):
            yield from _reads(inner, roots, segments, via)
        return
    for part, own in _scoped(e, roots):
        yield from _reads(part, own, segments, via)


def _goes_on(kind: Type, path: str) -> bool:
    """`xEvent` itself says nothing: what is read of the events does."""
    return path == "xEvent" and isinstance(kind, ListType)


def _labels(e: ir.Expr) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    while isinstance(e, ir.Field):
        found |= e.labels
        e = e.object
    return found


def _scoped(e: ir.Expr, roots: Roots) -> Iterator[tuple[ir.Expr, Roots]]:
    """The parts of a node, each with the paths of its variables."""
    match e:
        case ir.Filter() | ir.Exists() | ir.ForAll() | ir.Transform() | ir.TopN() | ir.GroupBy():
            inner = _bound(roots, e.var, _path(e.list, roots))
            yield e.list, roots
            for part in parts(e):
                if part is not e.list:
                    yield part, inner
        case ir.TransformGroups():
            yield e.groups, roots
            source = e.groups.list if isinstance(e.groups, ir.GroupBy) else e.groups
            yield e.body, _bound(roots, e.group_var, _path(source, roots))
        case ir.Let():
            yield e.value, roots
            yield e.body, _bound(roots, e.var, _path(e.value, roots))
        case ir.Chain():
            path = _path(e.list, roots)
            own = _bound(roots, e.var, path)
            for step in e.steps:
                own = _bound(own, step.var, path)
            yield e.list, roots
            yield e.timestamp, own
            for step in e.steps:
                yield step.match, own
                yield step.window, own
        case _:
            for part in parts(e):
                yield part, roots


def _bound(roots: Roots, var: int, path: str | None) -> Roots:
    return {k: v for k, v in roots.items() if k != var} if path is None else {**roots, var: path}
