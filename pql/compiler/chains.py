"""CHAIN in its complete form: nested searches over lists of candidates. SEMANTICS section 10. Read `chain_test`.

Events that satisfy what does not depend on other steps are filtered once per step; the search then nests. Where nothing
later looks at where a step ended, the earliest end is as good as any, and one look replaces a search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pql.compiler.sql import Sql, lam, name, struct
from pql.functions.record import call, number, paren, text
from pql.ir import nodes as ir
from pql.ir.walk import walk

if TYPE_CHECKING:
    from pql.compiler.render import Renderer


@dataclass
class _Search:
    renderer: Renderer
    chain: ir.Chain
    candidates: dict[int, str] = field(default_factory=dict)
    steps_vars: frozenset[int] = frozenset()


def chain_test(renderer: Renderer, chain: ir.Chain) -> Sql:
    """True (never null) if some binding satisfies every step."""
    search = _Search(renderer, chain, steps_vars=frozenset(s.var for s in chain.steps))
    row, items = f"v{chain.var}", renderer.value(chain.list)
    i = renderer.new_name()
    stamp = renderer.value(chain.timestamp)
    keyed = call("list_transform", items, lam([row, i], struct([("t", stamp), ("i", name(i)), ("e", name(row))])))
    present = renderer.new_name()
    known = call("list_filter", keyed, lam([present], _not_null(_part(present, "t"))))
    ordered = exp.Coalesce(this=call("list_sort", known), expressions=[exp.Array(expressions=[])])
    base = renderer.new_name()
    body = _hold(search, 0, None, [], base)
    made = call("list_transform", call("list_value", ordered), lam([base], body))
    return exp.Coalesce(this=call("list_extract", made, number(1)), expressions=[exp.false()])


def _part(row: str, part: str) -> Sql:
    return call("struct_extract", name(row), text(part))


def _not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def _all(tests: list[Sql]) -> Sql:
    if not tests:
        return exp.true()
    result = tests[0]
    for t in tests[1:]:
        result = exp.And(this=result, expression=t)
    return paren(result)


def _test(search: _Search, step: ir.Step, test: ir.Expr, row: str, exact: bool = False) -> Sql:
    """A step's test with the step's variable standing for the element of `row`."""
    sql = search.renderer.test(test, exact=exact)
    return _bind(sql, f"v{step.var}", row)


def _bind(sql: Sql, variable: str, row: str) -> Sql:
    return _replace(sql, variable, lambda: call("struct_extract", exp.column(row), text("e")))


def _replace(sql: Sql, variable: str, make: Callable[[], Sql]) -> Sql:
    """The SQL with the free uses of a variable replaced; a lambda that has a parameter of that name hides it."""

    def hidden(node: Sql) -> bool:
        above = node.parent
        while above is not None:
            if isinstance(above, exp.Lambda) and any(p.name == variable for p in above.expressions):
                return True
            above = above.parent
        return False

    if isinstance(sql, exp.Column) and sql.name == variable:
        return make()
    for column in [c for c in sql.find_all(exp.Column) if c.name == variable and not hidden(c)]:
        column.replace(make())
    return sql


def _after(row: str, end: Sql | None) -> list[Sql]:
    return [] if end is None else [exp.GT(this=_part(row, "t"), expression=end.copy())]


def _matching(search: _Search, step: ir.Step, base: str, end: Sql | None, before: Sql | None = None) -> Sql:
    """The ordered candidates that match a step after `end` (and before `before`)."""
    row = search.renderer.new_name()
    tests = _after(row, end)
    if before is not None:
        tests.append(exp.LT(this=_part(row, "t"), expression=before.copy()))
    tests += [_test(search, step, step.match, row), _test(search, step, step.window, row)]
    return call("list_filter", name(base), lam([row], _all(tests)))


def _none(items: Sql) -> Sql:
    return exp.EQ(this=call("len", items), expression=number(0))


def _hold(search: _Search, at: int, end: Sql | None, pending: list[ir.Step], base: str) -> Sql:
    """Do the steps from `at` hold, given where the last bound step ended and the excluded steps since?"""
    steps = search.chain.steps
    if at == len(steps):
        return _all([_closed(search, step, end, base) for step in pending])
    step = steps[at]
    if step.excluded:
        return _hold(search, at + 1, end, [*pending, step], base)
    if step.op == ">=":
        return _least(search, at, end, pending, base)
    return _counted(search, at, end, pending, base)


def _closed(search: _Search, step: ir.Step, end: Sql | None, base: str) -> Sql:
    """An excluded step after the last bound one."""
    row = search.renderer.new_name()
    now = search.renderer.value(ir.Clock())
    tests = [*_after(row, end), _test(search, step, step.match, row), _test(search, step, step.window, row)]
    if step.closes is None or end is None:
        tests.append(exp.LTE(this=_part(row, "t"), expression=now))
        return _none(call("list_filter", name(base), lam([row], _all(tests))))
    closing = exp.GTE(this=now, expression=search.renderer.value(step.closes))
    return _all([closing, _none(call("list_filter", name(base), lam([row], _all(tests))))])


def _gaps(search: _Search, pending: list[ir.Step], end: Sql | None, start: Sql, base: str) -> list[Sql]:
    return [_none(_matching(search, x, base, end, start)) for x in pending]


def _let(value: Sql, variable: str, body: Sql) -> Sql:
    made = call("list_transform", call("list_value", value), lam([variable], body))
    return call("list_extract", made, number(1))


def _least(search: _Search, at: int, end: Sql | None, pending: list[ir.Step], base: str) -> Sql:
    """COUNT(>= n): bind any n-th matching element; the start is the first of them."""
    step = search.chain.steps[at]
    found, row, i = search.renderer.new_name(), search.renderer.new_name(), search.renderer.new_name()
    single = step.low <= 1
    start = (
        _part(row, "t") if single else call("struct_extract", call("list_extract", name(found), number(1)), text("t"))
    )
    rest = _bind(_hold(search, at + 1, _part(row, "t"), [], base), f"v{step.var}", row)
    gaps = _gaps(search, pending, end, start, base)
    enough = [] if single else [exp.GTE(this=name(i), expression=number(step.low))]
    items = _matching(search, step, base, end)
    if not pending and not _looks_back(search, at):
        nth = call("list_extract", name(found), number(max(step.low, 1)))
        first = _let(nth, row, exp.Coalesce(this=_all([_not_null(name(row)), rest]), expressions=[exp.false()]))
        bound = _let(items, found, first)
    else:
        search_all = call("list_filter", name(found), lam([row, i], _all([*enough, *gaps, rest])))
        bound = _let(items, found, exp.GT(this=call("len", search_all), expression=number(0)))
    if step.low > 0:
        return bound
    return paren(exp.Or(this=bound, expression=_unbound(search, at, end, pending, base)))


def _looks_back(search: _Search, at: int) -> bool:
    """Does anything after the step depend on which element it is named by, or on a late end?"""
    step, later = search.chain.steps[at], search.chain.steps[at + 1 :]
    if any(s.excluded for s in later):
        return True
    used = (n.id for s in later for part in (s.match, s.window) for n in walk(part) if isinstance(n, ir.Var))
    return step.var in used


def _unbound(search: _Search, at: int, end: Sql | None, pending: list[ir.Step], base: str) -> Sql:
    """The step binds nothing: its name is null."""
    step = search.chain.steps[at]
    rest = _hold(search, at + 1, end, pending, base)

    def missing() -> Sql:
        return call("struct_extract", call("list_extract", exp.column(base), number(0)), text("e"))

    return _replace(rest, f"v{step.var}", missing)


def _counted(search: _Search, at: int, end: Sql | None, pending: list[ir.Step], base: str) -> Sql:
    """COUNT with an upper bound, and COUNT(all): every matching element is bound."""
    step = search.chain.steps[at]
    found, last = search.renderer.new_name(), search.renderer.new_name()
    amount: Sql = call("len", name(found))
    tests: list[Sql] = []
    if step.op == "all":
        row = search.renderer.new_name()
        inside = [*_after(row, end), _test(search, step, step.window, row)]
        everything = call("list_filter", name(base), lam([row], _all(inside)))
        tests = [
            exp.GT(this=amount, expression=number(0)),
            exp.EQ(this=amount.copy(), expression=call("len", everything)),
        ]
    elif step.op == "between":
        low, high = (
            exp.GTE(this=amount, expression=number(step.low)),
            exp.LTE(this=amount.copy(), expression=number(step.high)),
        )
        tests = [low, high]
    else:
        node: Any = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE}[step.op]
        tests = [node(this=amount, expression=number(step.low))]
    first = call("struct_extract", call("list_extract", name(found), number(1)), text("t"))
    rest = _bind(_hold(search, at + 1, _part(last, "t"), [], base), f"v{step.var}", last)
    bound = _all([*_gaps(search, pending, end, first, base), rest])
    some = exp.Coalesce(
        this=_let(call("list_extract", name(found), number(-1)), last, bound), expressions=[exp.false()]
    )
    none = _unbound(search, at, end, pending, base)
    which = exp.Case(ifs=[exp.If(this=_none(name(found)), true=none)], default=some)
    return _let(_matching(search, step, base, end), found, _all([*tests, which]))
