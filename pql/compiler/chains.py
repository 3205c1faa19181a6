"""CHAIN in its complete form: step by step, the states that a binding can be in. SEMANTICS section 10. Read `chain_test`.

A state is where the last bound step ended, and those values of bound elements that later steps read. Bindings that
agree in these are one state, so that the work grows with the values, not with the combinations of events. Where nothing
later looks at where a step ended, the earliest end is as good as any, and one state is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pql.compiler.sql import Sql, lam, name, struct, variable
from pql.functions.record import call, cast, number, paren, text
from pql.ir import nodes as ir
from pql.ir.paths import carried, may_pend, must_bind, paths, replace_paths, root
from pql.ir.walk import free_variables, substitute
from pql.types import make_object

if TYPE_CHECKING:
    from pql.compiler.render import Renderer

_ROW = make_object("", {})
STATES = 100_000
"""Variables from here on are states and rows of searches: two for each chain around, so that nested ones differ."""


def chain_test(renderer: Renderer, chain: ir.Chain) -> Sql:
    """True (never null) if some binding satisfies every step."""
    row, i = variable(chain.var), renderer.new_name()
    stamp = renderer.value(chain.timestamp)
    keyed = struct([("t", stamp), ("i", name(i)), ("e", name(row))])
    known = call("list_filter", call("list_transform", renderer.value(chain.list), lam([row, i], keyed)),
                 lam([x := renderer.new_name()], _not_null(_part(name(x), "t"))))  # fmt: skip
    ordered = exp.Coalesce(this=call("list_sort", known), expressions=[exp.Array(expressions=[])])
    base, lists = renderer.new_name(), renderer.new_name()
    search = _Search(renderer, chain, base, lists)
    candidates = struct([(f"c{n}", search.candidates(n)) for n in range(len(chain.steps))])
    made = call("list_transform", call("list_value", ordered), lam([base], candidates))  # lambdas in a row, not nested:
    body = call("list_transform", made, lam([lists], search.holds()))  # each level doubles what the database binds
    return exp.Coalesce(this=call("list_extract", body, number(1)), expressions=[exp.false()])


def _part(row: Sql, part: str) -> Sql:
    return call("struct_extract", row, text(part))


def _not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def _null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.Null())


def _all(tests: list[Sql]) -> Sql:
    if not tests:
        return exp.true()
    result = tests[0]
    for t in tests[1:]:
        result = exp.And(this=result, expression=t)
    return paren(result)


def _either(*tests: Sql) -> Sql:
    result = tests[0]
    for t in tests[1:]:
        result = exp.Or(this=result, expression=t)
    return paren(result)


def _let(value: Sql, variable: str, body: Sql) -> Sql:
    made = call("list_transform", call("list_value", value), lam([variable], body))
    return call("list_extract", made, number(1))


def _empty(items: Sql) -> Sql:
    return exp.EQ(this=call("len", items), expression=number(0))


@dataclass
class _Search:
    renderer: Renderer
    chain: ir.Chain
    base: str
    lists: str

    def __post_init__(self) -> None:
        self.steps = self.chain.steps
        self.variables = frozenset(s.var for s in self.steps)
        self.state, self.row = STATES + 2 * self.chain.var, STATES + 2 * self.chain.var + 1
        self.kept: dict[ir.Expr, str] = {}
        for at in range(len(self.steps) + 1):
            for path in carried(self.chain, at):
                self.kept.setdefault(path, f"p{len(self.kept)}")
        self.optional = any(not s.excluded and not must_bind(s) for s in self.steps)

    # --- candidates ---
    def _conjuncts(self, step: ir.Step, own: bool, which: str = "match window") -> list[ir.Expr]:
        """The tests of a step that look at its element alone, or that look at earlier steps' too."""
        tests = [t for w in which.split() for t in ir.conjuncts(getattr(step, w))]
        others = self.variables - {step.var}
        return [t for t in tests if own == others.isdisjoint(free_variables(t))]

    def _reads(self, at: int) -> list[ir.Expr]:
        """The paths of a step's own element that are needed beside its instant."""
        step = self.steps[at]
        inside = (p for t in self._conjuncts(step, own=False) for p in paths(t, {step.var}))
        later = (p for p in self.kept if root(p) == step.var)
        return list(dict.fromkeys((*inside, *later)))

    def candidates(self, at: int) -> Sql:
        """What satisfies the tests of a step that look at nothing else, in order: its instant and what is read of it."""
        step, render = self.steps[at], self.renderer
        element = ir.Field(ir.Var(self.row, _ROW), "e", getattr(self.chain.list.type, "element"))  # noqa: B009

        def own(e: ir.Expr) -> ir.Expr:
            return substitute(e, step.var, element)

        which = "window" if step.op == "all" else "match window"
        tests = [render.test(own(t), exact=False) for t in self._conjuncts(step, True, which)]
        fitting = (
            call("list_filter", name(self.base), lam([variable(self.row)], _all(tests))) if tests else name(self.base)
        )
        entries = [("t", _part(name(variable(self.row)), "t"))]
        entries += [(f"r{n}", render.value(own(p))) for n, p in enumerate(self._reads(at))]
        if step.op == "all":
            matched = [render.test(own(t), exact=True) for t in self._conjuncts(step, True, "match")]
            entries.append(("m", _all(matched)))
        return call("list_transform", fitting, lam([variable(self.row)], struct(entries)))

    def _listed(self, at: int) -> Sql:
        return _part(name(self.lists), f"c{at}")

    # --- pieces of a step ---
    def _of_state(self, part: str) -> Sql:
        return _part(name(variable(self.state)), part)

    def _of_row(self, part: str) -> Sql:
        return _part(name(variable(self.row)), part)

    def _linked(self, at: int, e: ir.Expr) -> ir.Expr:
        """An expression over a candidate row and a state."""
        step, reads, free = self.steps[at], self._reads(at), free_variables(e)

        def change(path: ir.Expr) -> ir.Expr | None:
            if root(path) not in free:
                return None
            if root(path) == step.var:
                return ir.Field(ir.Var(self.row, _ROW), f"r{reads.index(path)}", path.type)
            part = self.kept.get(path)
            return None if part is None else ir.Field(ir.Var(self.state, _ROW), part, path.type)

        return replace_paths(e, change)

    def _tests(self, at: int, which: str = "match window") -> list[Sql]:
        tests = self._conjuncts(self.steps[at], False, which)
        return [self.renderer.test(self._linked(at, t), exact=False) for t in tests]

    def _after(self, at: int) -> list[Sql]:
        """The row is later than the state's end, if it has one before step `at`."""
        before = [s for s in self.steps[:at] if not s.excluded]
        if not before:
            return []
        later = exp.GT(this=self._of_row("t"), expression=self._of_state("t"))
        return [later if any(map(must_bind, before)) else _either(_null(self._of_state("t")), later)]

    def _found(self, at: int, until: int, more: list[Sql]) -> Sql:
        """Rows of step `at` after the end of a state before step `until`."""
        tests = [*self._after(until), *more, *self._tests(at)]
        items = self._listed(at)
        return call("list_filter", items, lam([variable(self.row)], _all(tests))) if tests else items

    def _pending(self, at: int, x: int) -> Sql | None:
        """Is excluded step `x` pending before `at`, where a bound step may lie between? None: surely."""
        if not any(not s.excluded for s in self.steps[x:at]):
            return None
        return exp.LT(this=self._of_state("k"), expression=number(x))

    def _limit(self, at: int) -> Sql | None:
        """The first instant after the state's end that an excluded step forbids; null when there is none."""
        found: list[Sql] = []
        for x in may_pend(self.chain, at):
            stamps = call("list_transform", self._found(x, at, []), lam([variable(self.row)], self._of_row("t")))
            first, pending = call("list_min", stamps), self._pending(at, x)
            found.append(first if pending is None else exp.Case(ifs=[exp.If(this=pending, true=first)]))
        if not found:
            return None
        return found[0] if len(found) == 1 else call("least", *found)

    def _next(self, at: int, row: Sql | None) -> Sql:
        """The state after step `at`, bound to a row or to nothing."""
        step, reads, absent = self.steps[at], self._reads(at), call("list_extract", self._listed(at), number(0))
        entries = [("t", self._of_state("t") if row is None else _part(row.copy(), "t"))]
        if self.optional:
            entries.append(("k", self._of_state("k") if row is None else number(at)))
        for path in carried(self.chain, at + 1):
            part = self.kept[path]
            if root(path) == step.var:
                source = absent if row is None else row
                entries.append((part, _part(source.copy(), f"r{reads.index(path)}")))
            else:
                entries.append((part, self._of_state(part)))
        return struct(entries)

    # --- steps ---
    def holds(self) -> Sql:
        """Is there a state after the last step that nothing excluded spoils?"""
        start = [("t", cast(exp.Null(), "TIMESTAMP")), *([("k", number(-1))] if self.optional else [])]
        states, single = call("list_value", struct(start)), True
        for at, step in enumerate(self.steps):
            if step.excluded:
                continue
            body = self._least(at) if step.op == ">=" else self._counted(at)
            states = call("flatten", call("list_transform", states, lam([variable(self.state)], body)))
            single = single and (step.op != ">=" or step.low > 0 and not self._looks_back(at))
            states = states if single else call("list_distinct", states)
        closed = [self._closed(x) for x in may_pend(self.chain, len(self.steps))]
        if closed:
            states = call("list_filter", states, lam([variable(self.state)], _all(closed)))
        return exp.GT(this=call("len", states), expression=number(0))

    def _looks_back(self, at: int) -> bool:
        """Does anything after the step depend on which element it is named by, or on a late end?"""
        later = self.steps[at + 1 :]
        named = any(root(p) == self.steps[at].var for p in carried(self.chain, at + 1))
        return named or any(s.excluded or s.op != ">=" for s in later)

    def _within(self, at: int, use: Callable[[Callable[[Sql], list[Sql]]], Sql]) -> Sql:
        """`use` gets a function from a step's start to the tests that nothing excluded lies before it."""
        limit = self._limit(at)
        if limit is None:
            return use(lambda start: [])
        once = self.renderer.new_name()
        free = use(lambda start: [_either(_null(name(once)), exp.LTE(this=start, expression=name(once)))])
        return _let(limit, once, free)

    def _least(self, at: int) -> Sql:
        """COUNT(>= n): the states with any n-th matching element; the start is the first of them."""
        step = self.steps[at]
        made = self._within(at, lambda free: self._bindings(at, free))
        if step.low > 0:
            return made
        return call("list_concat", made, call("list_value", self._next(at, None)))

    def _bindings(self, at: int, free: Callable[[Sql], list[Sql]]) -> Sql:
        n = max(self.steps[at].low, 1)
        found, last = self.renderer.new_name(), None if self._looks_back(at) else number(n)
        rows = self._found(at, at, free(self._of_row("t")) if n == 1 else [])
        if n > 1 or last is not None:
            chosen = call("list_slice", name(found), number(n), last if last is not None else call("len", name(found)))
            gaps = free(_part(call("list_extract", name(found), number(1)), "t")) if n > 1 else []
            if gaps:
                chosen = exp.Case(ifs=[exp.If(this=_all(gaps), true=chosen)], default=exp.Array(expressions=[]))
            rows = _let(rows, found, chosen)
        made = self._next(at, name(variable(self.row)))
        return call("list_transform", rows, lam([variable(self.row)], made))

    def _counted(self, at: int) -> Sql:
        """COUNT with an upper bound, and COUNT(all): every matching element is bound."""
        step, found = self.steps[at], self.renderer.new_name()
        amount: Sql = call("len", name(found))
        matching, fits = self._found(at, at, []), self._fits(step, amount)
        if step.op == "all":
            inside, x = self.renderer.new_name(), variable(self.row)
            windows = [*self._after(at), *self._tests(at, "window")]
            around = call("list_filter", self._listed(at), lam([x], _all(windows))) if windows else self._listed(at)
            matching = call("list_filter", name(inside), lam([x], _all([self._of_row("m"), *self._tests(at, "match")])))
            every = exp.EQ(this=amount.copy(), expression=call("len", name(inside)))
            return _let(around, inside, _let(matching, found, self._taken(at, found, [*fits, every])))
        return _let(matching, found, self._taken(at, found, fits))

    def _fits(self, step: ir.Step, amount: Sql) -> list[Sql]:
        if step.op == "all":
            return [exp.GT(this=amount, expression=number(0))]
        if step.op == "between":
            return [
                exp.GTE(this=amount, expression=number(step.low)),
                exp.LTE(this=amount.copy(), expression=number(step.high)),
            ]
        node: Any = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE}[step.op]
        return [node(this=amount, expression=number(step.low))]

    def _taken(self, at: int, found: str, fits: list[Sql]) -> Sql:
        """The state after a counted step: bound to all that was found, or to nothing."""
        first, last = (call("list_extract", name(found), number(i)) for i in (1, -1))

        def choose(free: Callable[[Sql], list[Sql]]) -> Sql:
            wrong = exp.If(this=exp.Not(this=paren(_all(fits))), true=exp.Array(expressions=[]))
            none = exp.If(this=_empty(name(found)), true=call("list_value", self._next(at, None)))
            some = exp.If(this=_all(free(_part(first, "t"))), true=call("list_value", self._next(at, last)))
            return exp.Case(ifs=[wrong, none, some], default=exp.Array(expressions=[]))

        return self._within(at, choose)

    def _closed(self, x: int) -> Sql:
        """Does an excluded step after the last bound one hold in a state?"""
        step, end = self.steps[x], len(self.steps)
        now = self.renderer.value(ir.Clock())
        until = exp.LTE(this=self._of_row("t"), expression=now)
        test = _empty(self._found(x, end, [until]))
        before = [s for s in self.steps if not s.excluded]
        if step.closes is not None and before:
            over = exp.GTE(this=now.copy(), expression=self.renderer.value(self._linked(x, step.closes)))
            closed = _all([over, _empty(self._found(x, end, []))])
            unbound = exp.If(this=_null(self._of_state("t")), true=test)
            test = closed if any(map(must_bind, before)) else exp.Case(ifs=[unbound], default=closed)
        pending = self._pending(end, x)
        return paren(test) if pending is None else _either(exp.Not(this=paren(pending)), test)
