"""Sequences as ASOF joins: each link looks up the nearest event of another kind. Read `link_select`.

Linear in the events after a sort, where a self join is quadratic in a heavy profile's events.
"""

from __future__ import annotations

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.layout import Layout
from pql.compiler.leaves import EVENT, Link, LinkLeaf, path_of
from pql.compiler.rows import RowRenderer, choose, type_of
from pql.compiler.sql import Sql, both, not_null
from pql.functions.record import call, number, paren
from pql.ir import nodes as ir
from pql.types import TIMESTAMP

PID, STAMP = "pid", "t"


def link_select(leaf: LinkLeaf, layout: Layout, settings: Settings) -> exp.Select:
    """`SELECT DISTINCT pid` of the profiles with such an event."""
    rows = _rows(leaf.tests, leaf.links, False, layout, settings)
    return exp.Select(expressions=[exp.column(PID)], distinct=exp.Distinct()).from_(rows.subquery("r"))


def _rows(
    tests: tuple[ir.Expr, ...], links: tuple[Link, ...], timed: bool, layout: Layout, settings: Settings
) -> exp.Select:
    """Profile and instant of the events that satisfy the tests and the links. `timed`: only those with an instant."""
    row = ir.Var(EVENT, TIMESTAMP)
    stamp = ir.Field(row, "timestamp", TIMESTAMP)
    source = choose(layout, (), (*tests, stamp), type_of(tests) is not None, ordered=False)
    render = RowRenderer(settings, source.rows)
    time = render.value(stamp)
    select = exp.Select(expressions=[exp.alias_(source.key, PID), exp.alias_(time, STAMP)]).from_(source.item)
    for t in tests:
        select = select.where(render.test(t, exact=False), copy=False)
    if timed:
        select = select.where(not_null(time.copy()), copy=False)
    for link in links:
        select = _linked(select, link, _bounds(tests, link), layout, settings)
    return select


def _bounds(tests: tuple[ir.Expr, ...], link: Link) -> tuple[ir.Expr, ...]:
    """What the window of the rows says of the other events, so that fewer are read."""
    found: list[ir.Expr] = []
    for t in tests:
        if not isinstance(t, ir.Within) or path_of(t.operand) != (EVENT, ("timestamp",)):
            continue
        if t.lower is not None and link.lower is not None:
            found.append(ir.Within(t.operand, ir.Edge(_shifted(t.lower.instant, link.lower), True), None))
        if t.upper is not None and link.upper is not None:
            found.append(ir.Within(t.operand, None, ir.Edge(_shifted(t.upper.instant, link.upper), True)))
    return tuple(found)


def _shifted(instant: ir.Expr, offset: int) -> ir.Expr:
    return ir.Shift(instant, offset, "microsecond") if offset else instant


def _moved(stamp: Sql, offset: int) -> Sql:
    if offset == 0:
        return stamp
    return paren(exp.Add(this=stamp, expression=call("to_microseconds", number(offset))))


def _at(alias: str, name: str = STAMP) -> Sql:
    return exp.column(name, table=alias)


def _linked(
    rows: exp.Select, link: Link, bounds: tuple[ir.Expr, ...], layout: Layout, settings: Settings
) -> exp.Select:
    timed = link.lower is not None or link.upper is not None
    others = _rows((*link.tests, *bounds), link.links, timed, layout, settings)
    columns = [exp.alias_(_at("r", PID), PID), exp.alias_(_at("r"), STAMP)]
    narrowed = bool(rows.args.get("joins")) and not link.negated
    out = exp.Select(expressions=columns).from_(exp.to_table("r") if narrowed else rows.subquery("r"))
    if narrowed:
        known = exp.Select(expressions=[exp.column(PID)]).from_("r")
        others = exp.Select(expressions=[exp.Star()]).from_(others.subquery("q"))
        others = others.where(exp.In(this=exp.column(PID), query=known.subquery()))
        out = out.with_("r", as_=rows, materialized=True)
    same = exp.EQ(this=_at("r", PID), expression=_at("o", PID))
    if link.lower is None and link.upper is None:
        return out.join(others.subquery("o"), on=same, join_type="ANTI" if link.negated else "SEMI")
    backwards = link.upper is not None and (link.lower is None or link.upper <= 0)
    near, far = _ends(link, backwards)
    join = exp.Join(this=others.subquery("o"), on=exp.And(this=same, expression=near), method="ASOF")
    if link.negated:
        join.set("side", "LEFT")
    out.append("joins", join)
    for tests in link.without:
        _exclude(out, tests, backwards, layout, settings)
    if link.negated:
        missing = exp.Is(this=_at("o"), expression=exp.Null())
        return out.where(missing if far is None else paren(exp.Or(this=missing, expression=exp.Not(this=paren(far)))))
    return out if far is None else out.where(far)


def _ends(link: Link, backwards: bool) -> tuple[Sql, Sql | None]:
    """The condition that the nearest other event is chosen by, and the one that it must then satisfy."""
    low = None if link.lower is None else _moved(_at("r"), link.lower)
    high = None if link.upper is None else _moved(_at("r"), link.upper)
    above = None if low is None else (exp.LTE if link.lower_inclusive else exp.LT)(this=low, expression=_at("o"))
    below = None if high is None else (exp.GTE if link.upper_inclusive else exp.GT)(this=high, expression=_at("o"))
    near, far = (below, above) if backwards else (above, below)
    assert near is not None
    return near, far


def _exclude(out: exp.Select, tests: tuple[ir.Expr, ...], backwards: bool, layout: Layout, settings: Settings) -> None:
    """No event with these tests strictly between `o` and `r`: the one nearest to `r` does not come before `o` does."""
    alias = f"x{len(out.args.get('joins') or [])}"
    between = _rows(tests, (), True, layout, settings).subquery(alias)
    same = exp.EQ(this=_at("r", PID), expression=_at(alias, PID))
    side = exp.GT if backwards else exp.LT
    near = exp.And(this=same, expression=side(this=_at("r"), expression=_at(alias)))
    out.append("joins", exp.Join(this=between, on=near, method="ASOF", side="LEFT"))
    none = exp.Is(this=_at(alias), expression=exp.Null())
    beyond = (exp.LTE if backwards else exp.GTE)(this=_at(alias), expression=_at("o"))
    out.where(paren(exp.Or(this=none, expression=beyond)), copy=False)


__all__ = ["both", "link_select"]
