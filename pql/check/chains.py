"""CHAIN: steps, their windows and counts. SEMANTICS section 10. Read `Chains.chain`."""

from __future__ import annotations

from collections.abc import Mapping

from pql.check.scope import VariableScope, is_unknown
from pql.check.times import Times
from pql.diagnostics.suggest import did_you_mean
from pql.ir import nodes as ir
from pql.ir.walk import rename, walk
from pql.syntax import ast
from pql.types import TIMESTAMP, ListType, describe


class Chains(Times):
    stamps: Mapping[str, ir.Expr] = {}
    hidden: Mapping[str, str] = {}

    def chain(self, node: ast.Chain) -> ir.Expr:
        items = self.list_of(self.expr(node.list), node.list.span, "`chain`")
        if items is None:
            return ir.FALSE
        assert isinstance(items.type, ListType)
        element = items.type.element
        with self.element(element, "the event") as var:
            stamp = self.expr(node.timestamp)
        if is_unknown(stamp):
            return stamp
        if stamp.type != TIMESTAMP:
            message = f"the second argument of `chain` must be a date-time field, this is {describe(stamp.type)}"
            return self.report("PQL0312", node.timestamp.span, message)
        outer = (self.stamps, self.hidden, self.depth, len(self.scopes))
        self.stamps, self.hidden = dict(self.stamps), {}
        self.depth += 1
        steps = [self._step(step, node, stamp, var, element) for step in node.steps]
        self.stamps, self.hidden, self.depth = outer[0], outer[1], outer[2]
        del self.scopes[outer[3] :]
        return ir.Chain(items, var, stamp, tuple(steps), span=node.span)

    def _step(self, step: ast.Step, node: ast.Chain, stamp: ir.Expr, var: int, element: object) -> ir.Step:
        later = {s.name: "a later step" for s in node.steps[node.steps.index(step) :]}
        excluded = {s.name: "an excluded step" for s in node.steps if s.excluded}
        self.hidden = {**later, **excluded}
        if step.name in self.stamps:
            self.report("PQL0208", step.name_span, f"two steps are named `{step.name}`")
        self._count_ok(step, node)
        assert isinstance(element, object)
        with self.element(element, "the event") as own:  # type: ignore[arg-type]
            tests = [self.test(step.what), *(self.test(w) for w in step.where)]
            own_stamp = rename(stamp, var, own)
            windows = [self.occurs_test(own_stamp, phrase, phrase.span) for phrase in step.when]
            closes = self._closing(windows) if step.excluded else None
        match, window = ir.conjunction(tests, step.what.span), ir.conjunction(windows, step.span)
        self.depth += 1
        assert own == self.depth
        if not step.excluded:
            self.scopes.append(VariableScope({step.name: ir.Var(own, element)}))  # type: ignore[arg-type]
            self.stamps = {**self.stamps, step.name: own_stamp}
        count = step.count or ast.Count(">=", 1)
        op, low = (">=", count.low + 1) if count.op == ">" else (count.op, count.low)
        return ir.Step(step.name, own, step.excluded, match, window, op, low, count.high, closes)

    def _closing(self, windows: list[ir.Expr]) -> ir.Expr | None:
        """The earliest exclusive end of the windows that hang on earlier steps alone; None when there is none."""
        earlier = {n.id for stamp in self.stamps.values() for n in walk(stamp) if isinstance(n, ir.Var)} - {ir.PROFILE}
        ends: list[ir.Expr] = []
        for window in windows:
            upper = _upper(window)
            used = {n.id for n in walk(upper.instant) if isinstance(n, ir.Var)} if upper is not None else set()
            if upper is None or not used & earlier or self.depth in used:
                continue
            ends.append(upper.instant if not upper.inclusive else ir.Shift(upper.instant, 1, "microsecond"))
        return ends[0] if len(ends) == 1 else ir.Call("least", tuple(ends), TIMESTAMP) if ends else None

    def _count_ok(self, step: ast.Step, node: ast.Chain) -> None:
        if step.count is None:
            return
        if step.excluded:
            self.report(
                "PQL0505",
                step.count.span,
                "an excluded step cannot be counted",
                "write `COUNT(0)` without `not`, or drop COUNT",
            )
        elif step.count.op not in (">=", ">") and len(node.steps) > 1 and not step.when:
            help = "add a WHEN(…) to this step"
            self.report("PQL0506", step.count.span, "in a chain of several steps this COUNT needs a time window", help)

    def name(self, node: ast.Name) -> ir.Expr:
        if node.text in self.hidden and not self._visible(node.text):
            message = f"`{node.text}` is {self.hidden[node.text]} and cannot be named here"
            return self.report("PQL0507", node.span, message)
        return super().name(node)  # type: ignore[misc,no-any-return]

    def _visible(self, name: str) -> bool:
        return any(name in (s.names if isinstance(s, VariableScope) else s.fields()) for s in self.scopes)

    def reference_value(self, node: ast.RefExpr) -> ir.Expr:
        """In WHEN, a step's name stands for that step's timestamp."""
        if isinstance(node.expr, ast.Name):
            name = node.expr.text
            if name in self.stamps:
                return self.stamps[name]
            if name in self.hidden:
                return self.report("PQL0507", node.span, f"`{name}` is {self.hidden[name]} and cannot be named here")
            if self.hidden and not self._visible(name):
                return self.report(
                    "PQL0203", node.span, f"no step `{name}` before this one", did_you_mean(name, self.stamps)
                )
        return super().reference_value(node)


def _upper(window: ir.Expr) -> ir.Edge | None:
    """The upper edge of a window, also of one with a hole and of a pair (the later one is its last)."""
    if isinstance(window, ir.Within):
        return window.upper
    if isinstance(window, ir.Or):
        return _upper(window.operands[-1])
    if isinstance(window, ir.And):
        return next((edge for edge in map(_upper, window.operands) if edge is not None), None)
    return None
