"""CHAIN by search over states, each looked at once. SEMANTICS section 10. Read `chain_holds`.

A state is the next step, where the last bound step ended, which excluded steps are pending, and those values of bound
elements that later steps read: bindings that agree in these succeed or fail together.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pql.ir import nodes as ir
from pql.ir.paths import carried
from pql.ir.walk import free_variables

if TYPE_CHECKING:
    from pql.runtime.evaluate import Evaluator

NOW = -1
Row = tuple[datetime, Any]


@dataclass(frozen=True)
class _Search:
    evaluator: Evaluator
    chain: ir.Chain
    rows: tuple[Row, ...]
    outer: dict[int, Any]
    failed: set[Hashable] = field(default_factory=set)

    @cached_property
    def reads(self) -> list[tuple[ir.Expr, ...]]:
        """At each step, the paths of earlier steps that it or later ones read."""
        return [carried(self.chain, at) for at in range(len(self.chain.steps) + 1)]

    @cached_property
    def own(self) -> dict[int, tuple[list[Row], list[ir.Expr], list[ir.Expr]]]:
        """Of each step, by its variable: the rows that satisfy what looks at no other step, and the rest of WHAT and WHEN."""
        variables = {s.var for s in self.chain.steps}
        found = {}
        for step in self.chain.steps:
            others = variables - {step.var}

            def alone(t: ir.Expr, others: set[int] = others) -> bool:
                return others.isdisjoint(free_variables(t))

            match, window = ir.conjuncts(step.match), ir.conjuncts(step.window)
            first = [t for t in window if alone(t)]
            if step.op != "all":
                first += [t for t in match if alone(t)]
            rows = [r for r in self.rows if _all(self, first, step, r, self.outer)]
            rest = [t for t in match if t not in first]
            found[step.var] = (rows, rest, [t for t in window if t not in first])
        return found


def chain_holds(evaluator: Evaluator, chain: ir.Chain, v: dict[int, Any]) -> bool:
    """Does some binding of events satisfy every step?"""
    rows = []
    for element in evaluator.items(chain.list, v):
        stamp = evaluator.value(chain.timestamp, {**v, chain.var: element})
        if stamp is not None:
            rows.append((stamp, element))
    rows.sort(key=lambda r: r[0])
    return _hold(_Search(evaluator, chain, tuple(rows), v), 0, None, (), v)


def _all(s: _Search, tests: list[ir.Expr], step: ir.Step, row: Row, v: dict[int, Any]) -> bool:
    if not tests:
        return True
    own = {**v, step.var: row[1]}
    return all(s.evaluator.test(t, own) for t in tests)


def _found(s: _Search, step: ir.Step, end: datetime | None, v: dict[int, Any], windows_only: bool = False) -> list[Row]:
    """The rows after an end that match a step."""
    rows, match, window = s.own[step.var]
    tests = window if windows_only else [*window, *match]
    return [r for r in rows if (end is None or r[0] > end) and _all(s, tests, step, r, v)]


def _key(value: Any) -> Hashable:
    """Equal for values that no expression can tell apart."""
    return value if isinstance(value, Hashable) and not isinstance(value, tuple) else ("#", id(value))


def _hold(s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any]) -> bool:
    if at == len(s.chain.steps):
        return all(_closed(s, x, end, v) for x in pending)
    step = s.chain.steps[at]
    if step.excluded:
        return _hold(s, at + 1, end, (*pending, step), v)
    state = (at, end, tuple(x.var for x in pending), tuple(_key(s.evaluator.value(p, v)) for p in s.reads[at]))
    if state in s.failed:
        return False
    found = _found(s, step, end, v)
    held = (_at_least if step.op == ">=" else _counted)(s, at, end, pending, v, found)
    if not held:
        s.failed.add(state)
    return held


def _limit(s: _Search, pending: tuple[ir.Step, ...], end: datetime | None, v: dict[int, Any]) -> datetime | None:
    """The first instant after the end at which something excluded happens."""
    return min((r[0] for x in pending for r in _found(s, x, end, v)[:1]), default=None)


def _at_least(
    s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any], found: list[Row]
) -> bool:
    step = s.chain.steps[at]
    if step.low == 0 and _hold(s, at + 1, end, pending, {**v, step.var: None}):
        return True
    least = max(step.low, 1)
    if len(found) < least:
        return False
    limit = _limit(s, pending, end, v)
    for row in found[least - 1 :]:
        start = row[0] if least == 1 else found[0][0]
        if limit is not None and start > limit:
            return False
        if _hold(s, at + 1, row[0], (), {**v, step.var: row[1]}):
            return True
    return False


def _counted(
    s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any], found: list[Row]
) -> bool:
    step = s.chain.steps[at]
    n = len(found)
    if step.op == "all":
        fits = n > 0 and n == len(_found(s, step, end, v, windows_only=True))
    elif step.op == "between":
        fits = step.low <= n <= step.high
    else:
        fits = {"=": n == step.low, "!=": n != step.low, "<": n < step.low, "<=": n <= step.low}[step.op]
    if not fits:
        return False
    if not found:
        return _hold(s, at + 1, end, pending, {**v, step.var: None})
    last, limit = found[-1], _limit(s, pending, end, v)
    return (limit is None or found[0][0] <= limit) and _hold(s, at + 1, last[0], (), {**v, step.var: last[1]})


def _closed(s: _Search, step: ir.Step, end: datetime | None, v: dict[int, Any]) -> bool:
    """An excluded step after the last bound one."""
    now = v[NOW]
    matching = _found(s, step, end, v)
    if step.closes is None or end is None:
        return not any(r[0] <= now for r in matching)
    closes = s.evaluator.value(step.closes, v)
    return closes is not None and now >= closes and not matching
