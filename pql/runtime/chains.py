"""CHAIN by search over bindings. SEMANTICS section 10. Read `chain_holds`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pql.ir import nodes as ir

if TYPE_CHECKING:
    from pql.runtime.evaluate import Evaluator

NOW = -1
Row = tuple[datetime, Any]


@dataclass(frozen=True)
class _Search:
    evaluator: Evaluator
    chain: ir.Chain
    rows: tuple[Row, ...]


def chain_holds(evaluator: Evaluator, chain: ir.Chain, v: dict[int, Any]) -> bool:
    """Does some binding of events satisfy every step?"""
    rows = []
    for element in evaluator.items(chain.list, v):
        stamp = evaluator.value(chain.timestamp, {**v, chain.var: element})
        if stamp is not None:
            rows.append((stamp, element))
    rows.sort(key=lambda r: r[0])
    return _hold(_Search(evaluator, chain, tuple(rows)), 0, None, (), v)


def _matches(s: _Search, step: ir.Step, row: Row, v: dict[int, Any]) -> bool:
    own = {**v, step.var: row[1]}
    return s.evaluator.test(step.match, own) and s.evaluator.test(step.window, own)


def _later(s: _Search, end: datetime | None) -> list[Row]:
    return [r for r in s.rows if end is None or r[0] > end]


def _hold(s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any]) -> bool:
    if at == len(s.chain.steps):
        return all(_closed(s, x, end, v) for x in pending)
    step = s.chain.steps[at]
    if step.excluded:
        return _hold(s, at + 1, end, (*pending, step), v)
    found = [r for r in _later(s, end) if _matches(s, step, r, v)]
    if step.op == ">=":
        return _at_least(s, at, end, pending, v, found)
    return _counted(s, at, end, pending, v, found)


def _gap(s: _Search, pending: tuple[ir.Step, ...], end: datetime | None, start: datetime, v: dict[int, Any]) -> bool:
    """No excluded event strictly between the two bound steps."""
    return not any(_matches(s, x, r, v) for x in pending for r in _later(s, end) if r[0] < start)


def _at_least(
    s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any], found: list[Row]
) -> bool:
    step = s.chain.steps[at]
    if step.low == 0 and _hold(s, at + 1, end, pending, {**v, step.var: None}):
        return True
    least = max(step.low, 1)
    if len(found) < least or not _gap(s, pending, end, found[0][0], v) and least > 1:
        return False
    for row in found[least - 1 :]:
        start = row[0] if least == 1 else found[0][0]
        if _gap(s, pending, end, start, v) and _hold(s, at + 1, row[0], (), {**v, step.var: row[1]}):
            return True
    return False


def _counted(
    s: _Search, at: int, end: datetime | None, pending: tuple[ir.Step, ...], v: dict[int, Any], found: list[Row]
) -> bool:
    step = s.chain.steps[at]
    n = len(found)
    if step.op == "all":
        inside = [r for r in _later(s, end) if s.evaluator.test(step.window, {**v, step.var: r[1]})]
        fits = n > 0 and n == len(inside)
    elif step.op == "between":
        fits = step.low <= n <= step.high
    else:
        fits = {"=": n == step.low, "!=": n != step.low, "<": n < step.low, "<=": n <= step.low}[step.op]
    if not fits:
        return False
    if not found:
        return _hold(s, at + 1, end, pending, {**v, step.var: None})
    last = found[-1]
    return _gap(s, pending, end, found[0][0], v) and _hold(s, at + 1, last[0], (), {**v, step.var: last[1]})


def _closed(s: _Search, step: ir.Step, end: datetime | None, v: dict[int, Any]) -> bool:
    """An excluded step after the last bound one."""
    now = v[NOW]
    matching = [r for r in _later(s, end) if _matches(s, step, r, v)]
    if step.closes is None or end is None:
        return not any(r[0] <= now for r in matching)
    closes = s.evaluator.value(step.closes, v)
    return closes is not None and now >= closes and not matching
