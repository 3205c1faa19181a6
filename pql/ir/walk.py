"""Walking and rewriting the IR. Must not know any engine. Read `parts` and `rebuild`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pql.ir import nodes as ir
from pql.source import Source, Span, UsedSpan

_IR = tuple(ir.Expr.__args__)
_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    names = _NAMES.get(kind)
    if names is None:
        skipped = {"type", "span", "labels", "name", "function", "op", "unit"}
        names = tuple(f.name for f in fields(kind) if f.name not in skipped)
        _NAMES[kind] = names
    return names


def parts(node: Any) -> Iterator[ir.Expr]:
    """The expressions directly below a node (through edges, steps and tuples)."""
    for name in _names(type(node)):
        value = getattr(node, name)
        if isinstance(value, _IR):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, _IR):
                    yield item
                elif isinstance(item, tuple):
                    yield from (x for x in item if isinstance(x, _IR))
                elif is_dataclass(item):
                    yield from parts(item)
        elif isinstance(value, ir.Edge):
            yield value.instant


def walk(node: ir.Expr) -> Iterator[ir.Expr]:
    """The node and everything below it, parents first."""
    yield node
    for part in parts(node):
        yield from walk(part)


def rebuild(node: Any, change: Callable[[ir.Expr], ir.Expr]) -> Any:
    """The node with `change` applied to each expression directly below it; the same object if nothing changed."""
    updates: dict[str, Any] = {}
    for name in _names(type(node)):
        value = getattr(node, name)
        new = _rebuild_value(value, change)
        if new is not value:
            updates[name] = new
    return replace(node, **updates) if updates else node


def _rebuild_value(value: Any, change: Callable[[ir.Expr], ir.Expr]) -> Any:
    if isinstance(value, _IR):
        return change(value)
    if isinstance(value, tuple):
        items = tuple(_rebuild_value(v, change) for v in value)
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, ir.Edge | ir.Step):
        return rebuild(value, change)
    return value


def free_variables(node: Any) -> frozenset[int]:
    """Variables used below and not bound there. Binding depth makes every binder's variable unique on its path."""
    used = {v.id for v in walk(node) if isinstance(v, ir.Var)}
    return frozenset(used - set(bound_variables(node)))


def bound_variables(node: Any) -> Iterator[int]:
    for n in walk(node):
        match n:
            case ir.Filter() | ir.Exists() | ir.ForAll() | ir.Transform() | ir.TopN() | ir.GroupBy() | ir.Let():
                yield n.var
            case ir.TransformGroups():
                yield n.key_var
                yield n.group_var
            case ir.Chain():
                yield n.var
                yield from (s.var for s in n.steps)
            case _:
                pass


def too_nested(node: ir.Expr, most: int, segments: Mapping[str, int] | None = None) -> ir.Expr | None:
    """The first part that is more than `most` levels of lists deep (`nesting`); None when there is none."""
    return next((part for part, levels in _levels(node, segments or {}) if levels > most), None)


def nesting(node: ir.Expr, segments: Mapping[str, int]) -> int:
    """How many levels deep it goes through lists inside each other. `segments`: the levels of those that it refers to.

    A list's own expression is no level deeper: `A[x][y]` is two levels beside each other. What counts as several is written
    with as many functions of list elements inside each other, or writes its own inner part as often.
    """
    return max(levels for _, levels in _levels(node, segments))


_LEVELS: dict[type, int] = {
    **dict.fromkeys((ir.Filter, ir.Exists, ir.ForAll, ir.Transform, ir.TransformGroups), 1),
    ir.TopN: 2,
    ir.GroupBy: 3,
    ir.Chain: 3,
}


def _levels(node: ir.Expr, segments: Mapping[str, int]) -> Iterator[tuple[ir.Expr, int]]:
    waiting = [(node, 0)]
    while waiting:
        at, levels = waiting.pop()
        inside = levels + _LEVELS.get(type(at), 0)
        yield at, inside + segments.get(at.segment, 0) if isinstance(at, ir.InSegment) else inside
        over = at.groups if isinstance(at, ir.TransformGroups) else getattr(at, "list", None)
        waiting += [(part, levels if part is over else inside) for part in parts(at)]


def rename(node: Any, old: int, new: int) -> Any:
    """`node` with every occurrence of variable `old` replaced by `new`."""

    def change(n: ir.Expr) -> ir.Expr:
        if isinstance(n, ir.Var):
            return replace(n, id=new) if n.id == old else n
        result: ir.Expr = rebuild(n, change)
        return result

    return change(node)


def deepen(node: ir.Expr, by: int) -> ir.Expr:
    """`node`, which has no variables from outside but the profile, as it is `by` binders further in: binding depths grow."""

    def change(n: ir.Expr) -> ir.Expr:
        if isinstance(n, ir.Var):
            return n if n.id == ir.PROFILE else replace(n, id=n.id + by)
        result: ir.Expr = rebuild(n, change)
        binders = {a: getattr(n, a) + by for a in ("var", "key_var", "group_var") if hasattr(n, a)}
        if isinstance(result, ir.Chain):
            binders["steps"] = tuple(replace(s, var=s.var + by) for s in result.steps)
        return replace(result, **binders) if binders else result

    return change(node) if by else node


def substitute(node: ir.Expr, var: int, value: ir.Expr) -> ir.Expr:
    """`node` with variable `var` replaced by an expression."""

    def change(n: ir.Expr) -> ir.Expr:
        if isinstance(n, ir.Var):
            return value if n.id == var else n
        result: ir.Expr = rebuild(n, change)
        return result

    return change(node)


def used(node: ir.Expr, place: Span, kind: str, name: str, source: Source) -> ir.Expr:
    """A definition's expression where its name is used: the same value, its places seen from `place` (`UsedSpan`).

    What is shared stays shared.
    """
    made: dict[int, ir.Expr] = {}

    def change(n: ir.Expr) -> ir.Expr:
        known = made.get(id(n))
        if known is None:
            inner = rebuild(n, change)
            known = replace(inner, span=UsedSpan(place.start, place.end, kind, name, source, n.span))
            made[id(n)] = known
        return known

    return change(node)
