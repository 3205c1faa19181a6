"""CHAIN as joins: one event table a step, each later than the step before. SEMANTICS section 10.

A binding of the steps is a row of the join, so that steps may look back at earlier ones. An excluded step is `NOT EXISTS`
between its neighbours. Steps that bind several events at once have a form only when they are the whole chain. Must not
know lists. Read `Chains.test_chain`.
"""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.rows import Rows, closed, from_events
from pql.compiler.dialects.scope import Row, Scope, Sql, conjoin
from pql.functions.record import number
from pql.ir import nodes as ir
from pql.ir.walk import rename
from pql.types import INTEGER, ListType

_COUNTS = {">=": ">=", "=": "=", "!=": "!=", "<": "<", "<=": "<="}


class Chains(Rows):
    def test_chain(self, e: ir.Chain, exact: bool) -> Sql:
        if not closed(e) or not from_events(e.list):
            raise self.refuse("`chain` over other lists than events", "only events are rows of their own", e)
        positive = [s for s in e.steps if not s.excluded]
        if len(e.steps) == 1 and positive:
            return self._single(e, e.steps[0])
        for step in positive:
            if step.op != ">=" or step.low != 1:
                raise self.refuse(f"COUNT on step `{step.name}` of a longer chain", "a step binds one event here", e,
                                  "count in a condition of its own: `xEvent[…].count() >= n`")  # fmt: skip
        if not positive:
            tests = [ir.Not(self._absent(e, s)) for s in e.steps]
            return self.test(ir.conjunction(list(tests), e.span), exact=True)
        return self._several(e)

    def _absent(self, e: ir.Chain, step: ir.Step) -> ir.Expr:
        stamp = rename(e.timestamp, e.var, step.var)
        until = ir.Within(stamp, None, ir.Edge(ir.Clock(), True))
        condition = ir.conjunction([until, step.match, step.window], e.span)
        return ir.Exists(e.list, step.var, condition, span=e.span)

    def _single(self, e: ir.Chain, step: ir.Step) -> Sql:
        """One step: the number of its events says all."""
        if step.op == "all":
            raise self.refuse("COUNT(all)", "it has no proven form here", e)
        stamp = rename(e.timestamp, e.var, step.var)
        condition = ir.conjunction([ir.Not(ir.IsNull(stamp)), step.match, step.window], e.span)
        if (step.op, step.low) == (">=", 1):
            return self.test(ir.Exists(e.list, step.var, condition, span=e.span), exact=True)
        assert isinstance(e.list.type, ListType)
        count = ir.Call("size", (ir.Filter(e.list, step.var, condition, e.list.type),), INTEGER, span=e.span)

        def compared(op: str, n: int) -> ir.Expr:
            return ir.Compare(op, count, ir.Const(n, INTEGER), span=e.span)

        if step.op == "between":
            return self.test(ir.And((compared(">=", step.low), compared("<=", step.high))), exact=True)
        return self.test(compared(_COUNTS[step.op], step.low), exact=True)

    def _several(self, e: ir.Chain) -> Sql:
        if self.in_lambda:
            raise self.refuse("`chain` inside a list of an element", "it would need a query", e)
        with self.sub(merge=True) as scope:
            previous: Sql | None = None
            pending: list[ir.Step] = []
            for step in e.steps:
                if step.excluded:
                    pending.append(step)
                    continue
                stamp = self._bind(e, step)
                if previous is not None:
                    scope.where.append(exp.GT(this=stamp.copy(), expression=previous.copy()))
                else:
                    scope.where.append(_known(stamp))
                self.require(ir.conjunction([step.match, step.window]))
                for gap in pending:
                    scope.where.append(self._none(e, gap, previous, stamp))
                pending, previous = [], stamp
            assert previous is not None
            for last in pending:
                scope.where.append(self._closed(e, last, previous))
            query = scope.select([scope.pid])
        return exp.In(this=self.scope.pid, query=query.subquery())

    def _bind(self, e: ir.Chain, step: ir.Step) -> Sql:
        self.env[step.var] = self.add(e.list)
        return self.value(rename(e.timestamp, e.var, step.var))

    def _none(self, e: ir.Chain, step: ir.Step, after: Sql | None, before: Sql | None, until: bool = False) -> Sql:
        """No event of the excluded step between the ends."""
        outer, env = self.scope, dict(self.env)
        self.scope = inner = Scope(self.new, merge=False)
        try:
            element = self.add(e.list)
            assert isinstance(element, Row)
            self.env[step.var] = element
            stamp = self.value(rename(e.timestamp, e.var, step.var))
            tests: list[Sql] = [exp.EQ(this=inner.pid, expression=outer.pid)]
            if after is not None:
                tests.append(exp.GT(this=stamp.copy(), expression=after.copy()))
            if before is not None:
                tests.append(exp.LT(this=stamp.copy(), expression=before.copy()))
            if until:
                tests.append(exp.LTE(this=stamp.copy(), expression=self.value(ir.Clock())))
            self.require(ir.conjunction([step.match, step.window]))
            inner.where[:0] = tests
            query = inner.select([number(1)])
        finally:
            self.scope, self.env = outer, env
        return exp.Not(this=exp.Exists(this=query))

    def _closed(self, e: ir.Chain, step: ir.Step, end: Sql) -> Sql:
        """An excluded step after the last bound one: absent, and its window over."""
        if step.closes is None:
            return self._none(e, step, end, None, until=True)
        closes = step.closes
        later: type[exp.GTE] | type[exp.GT] = exp.GTE
        if isinstance(closes, ir.Shift) and (closes.amount, closes.unit) == (1, "microsecond"):
            closes, later = closes.operand, exp.GT  # the window's end is inclusive
        over = later(this=self.value(ir.Clock()), expression=self.value(closes))
        return conjoin([over, self._none(e, step, end, None)])


def _known(stamp: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=stamp.copy(), expression=exp.Null()))
