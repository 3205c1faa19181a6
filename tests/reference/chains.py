"""CHAIN of the reference evaluator: brute force over bindings. SEMANTICS section 10."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pql.syntax import ast
from pql.types import BOOLEAN, TIMESTAMP, ListType
from tests.reference.scopes import Bindings, Code, Element, Names, Refused, variable
from tests.reference.times import NullTime, OutOfRange, holds, upper_end

Row = tuple[datetime, Any]
UNBOUND = object()


@dataclass(frozen=True)
class Step:
    name: str
    excluded: bool
    var: object
    tests: Sequence[Code]
    windows: Sequence[Code]
    count: ast.Count
    ends: Sequence[Any]

    def inside(self, b: Bindings, row: Row) -> bool:
        return all(w.run({**b, self.var: row[1]}) for w in self.windows)

    def meets(self, b: Bindings, row: Row) -> bool:
        return all(t.run({**b, self.var: row[1]}) for t in self.tests)

    def matches(self, b: Bindings, row: Row) -> bool:
        return self.meets(b, row) and self.inside(b, row)


class Chains:
    scopes: list[Element | Names]
    stamps: dict[str, Code]

    def see_chain(self, node: ast.Chain) -> Code:
        items = self.list_of(self.code(node.list))  # type: ignore[attr-defined]
        assert isinstance(items.type, ListType)
        element, var = items.type.element, object()
        with self.within(Element(var, element)):  # type: ignore[attr-defined]
            stamp = self.code(node.timestamp)  # type: ignore[attr-defined]
        if stamp.type != TIMESTAMP:
            raise Refused("timestamp")
        outer, self.stamps = self.stamps, dict(self.stamps)
        with self.closing():  # type: ignore[attr-defined]
            steps = [self.step(s, node.timestamp, element) for s in node.steps]
        self.stamps = outer
        now = self.calendar.now  # type: ignore[attr-defined]

        def run(b: Bindings) -> bool:
            rows = [(stamp.run({**b, var: e}), e) for e in items.run(b)]
            known = sorted((r for r in rows if r[0] is not None), key=lambda r: r[0])
            return Search(steps, known, now).holds(0, b, None, [])

        return Code(BOOLEAN, run)

    def step(self, node: ast.Step, timestamp: ast.Expr, element: Any) -> Step:
        own = object()
        with self.within(Element(own, element)):  # type: ignore[attr-defined]
            tests = [self.test(t) for t in (node.what, *node.where)]  # type: ignore[attr-defined]
            stamp = self.code(timestamp)  # type: ignore[attr-defined]
            windows, ends = [], []
            for phrase in node.when:
                refs = self.references(phrase)  # type: ignore[attr-defined]
                windows.append(self.window(stamp, phrase, refs))
                if node.excluded and self.hangs_on_step(phrase):
                    ends.append(self.end(phrase, refs))
        if not node.excluded:
            self.scopes.append(Names({node.name: variable(own, element)}))
            self.stamps[node.name] = stamp
        return Step(node.name, node.excluded, own, tests, windows, node.count or ast.Count(">=", 1), ends)

    def window(self, stamp: Code, phrase: ast.Phrase, refs: Any) -> Code:
        return Code(BOOLEAN, lambda b: holds(stamp.run(b), phrase, refs(b), self.calendar))  # type: ignore[attr-defined]

    def end(self, phrase: ast.Phrase, refs: Any) -> Any:
        return lambda b: upper_end(phrase, refs(b), self.calendar)  # type: ignore[attr-defined]

    def hangs_on_step(self, phrase: ast.Phrase) -> bool:
        """Is the upper end of the window relative to a step?"""
        ref = phrase.end if isinstance(phrase, ast.Between) else phrase.ref
        return isinstance(ref, ast.RefExpr) and names_one(ref.expr, self.stamps)


def names_one(node: Any, names: Any) -> bool:
    if isinstance(node, ast.Name):
        return node.text in names
    if isinstance(node, ast.Member):
        return names_one(node.object, names)
    if isinstance(node, ast.Call):
        return any(names_one(a, names) for a in (node.receiver, *node.args))
    return False


@dataclass(frozen=True)
class Search:
    steps: Sequence[Step]
    rows: Sequence[Row]
    now: datetime

    def after(self, end: datetime | None) -> list[Row]:
        return [r for r in self.rows if end is None or r[0] > end]

    def holds(self, at: int, b: Bindings, end: datetime | None, pending: Sequence[Step]) -> bool:
        if at == len(self.steps):
            return all(self.closed(step, b, end) for step in pending)
        step = self.steps[at]
        if step.excluded:
            return self.holds(at + 1, b, end, [*pending, step])
        later = self.after(end)
        matching = [r for r in later if step.matches(b, r)]
        op, n = step.count.op, step.count.low
        if op in (">=", ">"):
            n += op == ">"
            if n <= 0 and self.holds(at + 1, {**b, step.var: None}, end, pending):
                return True
            return any(
                self.bound(at, b, end, pending, matching[i], matching[j])
                for j in range(len(matching))
                for i in range(j + 1)
                if j - i + 1 >= n and (i == j or n > 1)
            )
        if op == "all":
            inside = [r for r in later if step.inside(b, r)]
            if not inside or len(matching) != len(inside):
                return False
        elif not satisfies(len(matching), step.count):
            return False
        if not matching:
            return self.holds(at + 1, {**b, step.var: None}, end, pending)
        return self.bound(at, b, end, pending, matching[0], matching[-1])

    def bound(self, at: int, b: Bindings, end: datetime | None, pending: Sequence[Step], first: Row, last: Row) -> bool:
        """The step at `at` starts with `first` and ends with `last`."""
        for excluded in pending:
            if any(excluded.matches(b, r) for r in self.after(end) if r[0] < first[0]):
                return False
        return self.holds(at + 1, {**b, self.steps[at].var: last[1]}, last[0], [])

    def closed(self, step: Step, b: Bindings, end: datetime | None) -> bool:
        matching = [r for r in self.after(end) if step.matches(b, r)]
        ends, outside = [], False
        for make in step.ends if end is not None else ():
            try:
                at = make(b)
            except NullTime:
                return False
            except OutOfRange:
                outside = True
                continue
            if at is not None:
                ends.append(at)
        if outside and not ends:
            return False
        if end is not None and ends:
            return self.now >= min(ends) and not matching
        return not any(r[0] <= self.now for r in matching)


def satisfies(amount: int, count: ast.Count) -> bool:
    if count.op == "between":
        return count.low <= amount <= count.high
    low = count.low
    return {"=": amount == low, "!=": amount != low, "<": amount < low, "<=": amount <= low}[count.op]
