"""Which streams an event belongs to: found once for each class of events, then looked up.

A class is an event type together with what the streams' tests can tell apart: a field that is compared for equality counts by its
value if somebody asks for that value, one that is compared in order by its place among the bounds, any other test by its answer. There are
finitely many classes, however many events. Read `Router.route`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pql.ir import nodes as ir
from pql.runtime.evaluate import Evaluator, OutOfRange
from pql.runtime.inputs import Document
from pql.runtime.shapes import EVENT, SCALE, Stream
from pql.types import NUMBER

Getter = Callable[[Document], Any]
_ORDERED = ("<", "<=", ">", ">=")
_MOST = 100_000


@dataclass(frozen=True, eq=False)
class Route:
    """`streams`: the numbers of the streams that events of a class are in. `weighed`: those of them with weights, in the order in
    which an event's weights are kept. `work`: what the engine does for them, filled in by the plan."""

    streams: tuple[int, ...]
    weighed: tuple[int, ...]
    work: tuple[Any, ...] = ()

    def weight(self, stream: int, weights: Sequence[int]) -> int:
        return weights[self.weighed.index(stream)] if stream in self.weighed else 1


def path_of(e: ir.Expr, var: int = EVENT) -> tuple[str, ...] | None:
    """The names from an event (or another variable) to a field."""
    names: list[str] = []
    while isinstance(e, ir.Field):
        names.append(e.name)
        e = e.object
    return tuple(reversed(names)) if isinstance(e, ir.Var) and e.id == var and names else None


def simple(test: ir.Expr, var: int = EVENT) -> tuple[tuple[str, ...], str, Any] | None:
    """(path, operator, constant) of a comparison of a field with a constant."""
    if not isinstance(test, ir.Compare) or not isinstance(test.right, ir.Const) or test.right.value is None:
        return None
    path = path_of(test.left, var)
    return None if path is None or test.op == "!=" else (path, test.op, test.right.value)


def getter(path: Sequence[str]) -> Getter:
    """A function that reads a path of a document. The names are values of its namespace, never text of its source."""
    space: dict[str, Any] = {f"n{i}": name for i, name in enumerate(path)}
    lines = ["def read(d):"]
    for i in range(len(path) - 1):
        lines += [f"    d = d.get(n{i})", "    if d is None: return None"]
    lines.append(f"    return d.get(n{len(path) - 1})")
    exec(compile("\n".join(lines), "<path>", "exec"), space)  # noqa: S102
    made: Getter = space["read"]
    return made


class _Classifier:
    """For the events of one type: the tests that are left, and the classes found so far."""

    def __init__(self, router: Router, candidates: list[tuple[int, tuple[ir.Expr, ...]]]) -> None:
        self.router, self.candidates = router, candidates
        self.routes: dict[Any, Route] = {}
        self.parts: list[Getter] = []
        asked: dict[tuple[str, ...], list[tuple[str, Any]]] = {}
        for test in dict.fromkeys(t for _, tests in candidates for t in tests):
            found = simple(test)
            if found is None:
                self.parts.append(router.asks(test))
            else:
                asked.setdefault(found[0], []).append(found[1:])
        self.parts += [_part(getter(path), tests) for path, tests in asked.items()]

    def route(self, document: Document) -> Route:
        parts = self.parts
        if not parts:
            key: Any = ()
        elif len(parts) == 1:
            key = parts[0](document)
        else:
            key = tuple([p(document) for p in parts])
        found = self.routes.get(key)
        if found is None:
            if len(self.routes) > _MOST:
                self.routes.clear()
            passed = [n for n, tests in self.candidates if all(self.router.asks(t)(document) for t in tests)]
            found = self.routes[key] = self.router.made(tuple(passed))
        return found


def _part(read: Getter, tests: list[tuple[str, Any]]) -> Getter:
    if all(op == "=" for op, _ in tests):
        wanted = frozenset(value for _, value in tests)

        def equal(d: Document) -> Any:
            value = read(d)
            return value if value in wanted else None

        return equal
    bounds = sorted({value for _, value in tests})

    def place(d: Document) -> Any:
        value = read(d)
        return None if value is None else bisect_left(bounds, value) + bisect_right(bounds, value)

    return place


def make_answers(
    tests: Sequence[tuple[int, ir.Expr]], evaluator: Evaluator
) -> Callable[[Document | None], tuple[tuple[int, int], ...]]:
    """A function from a record to (number, 1, 0 or 2) of each test over the record alone; records that no test can tell apart share it."""
    known: dict[Any, tuple[tuple[int, int], ...]] = {}
    asked: dict[tuple[str, ...], list[tuple[str, Any]]] = {}
    parts: list[Getter] = []
    for _, test in tests:
        found = simple(test, ir.PROFILE)
        if found is None:
            parts.append(lambda d, test=test: _answer(evaluator, test, d))  # type: ignore[misc]
        else:
            asked.setdefault(found[0], []).append(found[1:])
    parts += [_part(getter(path), of) for path, of in asked.items()]

    def answers(record: Document | None) -> tuple[tuple[int, int], ...]:
        document = record or {}
        key = tuple([p(document) for p in parts])
        found = known.get(key)
        if found is None:
            if len(known) > _MOST:
                known.clear()
            found = known[key] = tuple((number, _answer(evaluator, test, document)) for number, test in tests)
        return found

    return answers


def _answer(evaluator: Evaluator, test: ir.Expr, record: Document) -> int:
    try:
        return int(evaluator.test(test, {ir.PROFILE: record}))
    except OutOfRange:
        return 2


class Router:
    """`work`: what the plan attaches to a set of streams."""

    def __init__(
        self, streams: Sequence[Stream], work: Callable[[tuple[int, ...]], tuple[Any, ...]], evaluator: Evaluator
    ) -> None:
        self.streams, self.work, self.evaluator = streams, work, evaluator
        self._known: dict[tuple[int, ...], Route] = {}
        self._asks: dict[ir.Expr, Getter] = {}
        self._weights = {i: self._weight(s.weight) for i, s in enumerate(streams) if s.weight is not None}
        typed: dict[str, list[tuple[int, tuple[ir.Expr, ...]]]] = {}
        free: list[tuple[int, tuple[ir.Expr, ...]]] = []
        for number, stream in enumerate(streams):
            kinds = [t for t in stream.tests if (s := simple(t)) is not None and s[:2] == (("eventType",), "=")]
            rest = tuple(t for t in stream.tests if t not in kinds[:1])
            if kinds:
                typed.setdefault(str(simple(kinds[0])[2]), []).append((number, rest))  # type: ignore[index]
            else:
                free.append((number, rest))
        self._other = _Classifier(self, free)
        self._typed = {
            kind: _Classifier(self, sorted([*found, *free], key=lambda c: c[0])) for kind, found in typed.items()
        }

    def route(self, document: Document) -> Route:
        """The class of an event."""
        return self._typed.get(document.get("eventType"), self._other).route(document)  # type: ignore[arg-type]

    def weights(self, route: Route, document: Document) -> tuple[int, ...]:
        """What an event adds to each of its weighed streams."""
        return tuple([self._weights[n](document) for n in route.weighed])

    def made(self, streams: tuple[int, ...]) -> Route:
        """The route of those streams."""
        found = self._known.get(streams)
        if found is None:
            weighed = tuple(n for n in streams if n in self._weights)
            found = self._known[streams] = Route(streams, weighed, self.work(streams))
        return found

    def asks(self, test: ir.Expr) -> Getter:
        """A test of an event as a function."""
        found = self._asks.get(test)
        if found is None:
            evaluator = self.evaluator
            found = self._asks[test] = lambda d: evaluator.test(test, {EVENT: d})
        return found

    def _weight(self, weight: ir.Expr) -> Callable[[Document], int]:
        assert isinstance(weight, ir.Aggregate)
        evaluator, items, counting = self.evaluator, weight.list, weight.function == "count"
        scaled = weight.type == NUMBER
        body = (
            items.body
            if isinstance(items, ir.Transform) and isinstance(items.list, ir.MakeList) and not items.flatten
            else None
        )
        path = None if body is None else path_of(_renamed(body, items.var))  # type: ignore[union-attr]
        if path is not None and not counting:
            read = getter(path)
            return (lambda d: 0 if (v := read(d)) is None else int(v.scaleb(6))) if scaled else (lambda d: read(d) or 0)

        def add(d: Document) -> int:
            values = [x for x in evaluator.items(items, {EVENT: d}) if x is not None]
            if counting:
                return len(values)
            return sum(int(x * SCALE) if isinstance(x, Decimal) else x * (SCALE if scaled else 1) for x in values)

        return add


def _renamed(body: ir.Expr, var: int) -> ir.Expr:
    from pql.ir.walk import rename

    made: ir.Expr = rename(body, var, EVENT)
    return made
