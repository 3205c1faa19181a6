"""Leaves as relations: one GROUP BY for all leaves over the same rows. Read `Group.select`.

Leaves that read the same table and event type share a scan; what all of them demand is filtered, the rest is a CASE
inside the aggregate (which DuckDB runs faster than FILTER). Must not know how relations are combined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.layout import Layout
from pql.compiler.leaves import EVENT, AnyLeaf, Leaf, LinkLeaf, TopLeaf, path_of
from pql.compiler.links import link_select
from pql.compiler.rows import RowRenderer, Source, Unfit, choose, column, named, reader, reads_profile, type_of
from pql.compiler.sql import SCALARS, Sql, average, both, coalesce, not_null, struct
from pql.functions.record import call, cast, number, text
from pql.ir import nodes as ir

PID = "pid"


@dataclass(frozen=True)
class Group:
    """Leaves that one relation answers, by name."""

    leaves: Mapping[str, AnyLeaf]

    @property
    def first(self) -> AnyLeaf:
        return next(iter(self.leaves.values()))

    @property
    def typed(self) -> bool:
        return type_of(self.first.tests) is not None

    @property
    def correlated(self) -> bool:
        """Does it read attributes of the profile?"""
        return isinstance(self.first, Leaf) and reads_profile((*self.first.tests, *_values(self.first)))


def _values(leaf: Leaf) -> tuple[ir.Expr, ...]:
    return () if leaf.value is None else (leaf.value,)


def group_key(name: str, leaf: AnyLeaf) -> object:
    """Leaves with the same key share a relation."""
    if not isinstance(leaf, Leaf) or leaf.function == "distinct":
        return name
    own = name if reads_profile((*leaf.tests, *_values(leaf))) else ""
    return leaf.levels, type_of(leaf.tests), own


def make_groups(leaves: Mapping[str, AnyLeaf]) -> list[Group]:
    keyed: dict[object, dict[str, AnyLeaf]] = {}
    for name, leaf in leaves.items():
        keyed.setdefault(group_key(name, leaf), {})[name] = leaf
    return [Group(found) for found in keyed.values()]


@dataclass(frozen=True)
class Relation:
    """`select` has the key as `pid`; `values`: the SQL of each leaf, to project or to test; `conditions`: which of the
    rows a leaf is about (true: all of them)."""

    select: exp.Select
    values: Mapping[str, Sql]
    conditions: Mapping[str, Sql] = field(default_factory=dict)
    source: Source | None = None


def split_windows(tests: tuple[ir.Expr, ...]) -> tuple[ir.Expr, ...]:
    """Both ends of a window as tests of their own, so that a shared end is filtered once."""
    found: list[ir.Expr] = []
    for t in tests:
        if isinstance(t, ir.Within) and t.lower is not None and t.upper is not None:
            found += [ir.Within(t.operand, t.lower, None), ir.Within(t.operand, None, t.upper)]
        else:
            found.append(t)
    return tuple(dict.fromkeys(found))


def relation(group: Group, layout: Layout, settings: Settings) -> Relation:
    """The relation of a group: not yet projected, so that the caller can test or pack its values."""
    first = group.first
    if isinstance(first, LinkLeaf):
        select = link_select(first, layout, settings)
        return Relation(select, dict.fromkeys(group.leaves, exp.true()))
    if isinstance(first, TopLeaf):
        return _top(next(iter(group.leaves)), first, layout, settings)
    return _aggregates(group, layout, settings)


def _aggregates(group: Group, layout: Layout, settings: Settings) -> Relation:
    leaves = {n: leaf for n, leaf in group.leaves.items() if isinstance(leaf, Leaf)}
    tests = {n: split_windows(leaf.tests) for n, leaf in leaves.items()}
    shared = [t for t in next(iter(tests.values())) if all(t in other for other in tests.values())]
    first = next(iter(leaves.values()))
    read = tuple(e for n, leaf in leaves.items() for e in (*tests[n], *_values(leaf)))
    ordered = any(leaf.function == "pick" for leaf in leaves.values())
    source = choose(layout, first.levels, read, group.typed, ordered and not group.typed)
    rows = dict(source.rows)
    item: exp.Select = exp.Select(expressions=[exp.alias_(source.key, PID)]).from_(source.item)
    if group.correlated:
        rows[ir.PROFILE] = reader(layout.profile.columns, "p")
        own = column(layout.profile.key, "p")
        item.append("joins", exp.Join(this=named(layout.profile, "p"), on=exp.EQ(this=own, expression=source.key)))
    render = RowRenderer(settings, rows)
    for t in shared:
        item = item.where(render.test(t, exact=False), copy=False)
    for windows in _widest(list(tests.values()), shared):
        item = item.where(_least(windows, render), copy=False)
    values, conditions = {}, {}
    for name, leaf in leaves.items():
        rest = [t for t in tests[name] if t not in shared]
        condition = both(*(render.test(t, exact=False) for t in rest)) if rest else None
        values[name] = _aggregate(leaf, source, render, condition)
        conditions[name] = exp.true() if condition is None else condition
    return Relation(item.group_by(source.key, copy=False), values, conditions, source)


def _widest(tests: list[tuple[ir.Expr, ...]], shared: list[ir.Expr]) -> list[list[ir.Within]]:
    """The lower ends of the windows, when every leaf has one: rows before all of them are of no use."""
    if len(tests) < 2 or any(isinstance(t, ir.Within) and t.lower for t in shared):
        return []
    lows: list[ir.Within] = []
    for own in tests:
        mine = [
            t for t in own if isinstance(t, ir.Within) and t.lower and path_of(t.operand) == (EVENT, ("timestamp",))
        ]
        if not mine:
            return []
        lows.append(mine[0])
    return [list(dict.fromkeys(lows))]


def _least(windows: list[ir.Within], render: RowRenderer) -> Sql:
    edges = [render.value(w.lower.instant) for w in windows if w.lower is not None]
    lowest = edges[0] if len(edges) == 1 else call("least", *edges)
    return exp.GTE(this=render.value(windows[0].operand), expression=lowest)


def _case(condition: Sql | None, value: Sql) -> Sql:
    return value if condition is None else exp.Case(ifs=[exp.If(this=condition.copy(), true=value)])


def _aggregate(leaf: Leaf, source: Source, render: RowRenderer, condition: Sql | None) -> Sql:
    if leaf.function == "count" and leaf.value is None:
        return call("count", exp.Star() if condition is None else _case(condition, number(1)))
    assert leaf.value is not None
    value = render.value(leaf.value)
    match leaf.function:
        case "count":
            return call("count", _case(condition, value))
        case "distinct":
            return exp.Count(this=exp.Distinct(expressions=[_case(condition, value)]))
        case "sum":
            kind = SCALARS[getattr(leaf.type, "name", "integer")]
            total = call("sum", _case(condition, value))
            return coalesce(cast(total, kind), cast(number(0), kind))
        case "average":
            item = _case(condition, value)
            return average(call("sum", item), call("count", item.copy()), leaf.value.type)
        case "min" | "max":
            return call(leaf.function, _case(condition, value))
        case _:
            table = source.table
            order = table.latest if leaf.order == "latest" else table.position
            if order is None:
                raise Unfit
            name = "arg_max_null" if leaf.order == "latest" else "arg_min_null"
            return call(name, value, _case(condition, column(order, "e")))


def _top(name: str, leaf: TopLeaf, layout: Layout, settings: Settings) -> Relation:
    """Two levels: the groups with their measures, then the best of a profile; ties by first appearance."""
    parts = (leaf.key, *_values(leaf.measure), *(() if leaf.value is None else _values(leaf.value)))
    source = choose(layout, leaf.levels, (*leaf.tests, *parts), type_of(leaf.tests) is not None, True)
    if source.table.position is None or source.levels and source.table is layout.events[0]:
        raise Unfit
    render = RowRenderer(settings, source.rows)
    key = render.value(leaf.key)
    measure = exp.alias_(_aggregate(leaf.measure, source, render, None), "m")
    wanted = key.copy() if leaf.value is None else _aggregate(leaf.value, source, render, None)
    seen = exp.alias_(call("min", column(source.table.position, "e")), "f")
    columns = [exp.alias_(source.key, PID), measure, exp.alias_(wanted, "v"), seen]
    inner = exp.Select(expressions=columns).from_(source.item).where(not_null(key.copy()))
    for t in leaf.tests:
        inner = inner.where(render.test(t, exact=False), copy=False)
    inner = inner.group_by(source.key, key.copy())
    m, f = exp.column("m"), exp.column("f")
    present = not_null(m.copy()) if leaf.descending else exp.Is(this=m.copy(), expression=exp.Null())
    place = struct([("n", present), ("m", m), ("f", exp.Neg(this=f) if leaf.descending else f)])
    best = call("arg_max_null" if leaf.descending else "arg_min_null", exp.column("v"), place)
    outer = exp.Select(expressions=[exp.column(PID)]).from_(inner.subquery("g")).group_by(exp.column(PID))
    return Relation(outer, {name: best})


__all__ = ["PID", "Group", "Relation", "make_groups", "relation", "text"]
