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
from pql.runtime.evaluate import NOW, Evaluator, OutOfRange
from pql.runtime.inputs import Document
from pql.runtime.shapes import EVENT, SCALE, Stream
from pql.types import NUMBER

Getter = Callable[[Document], Any]
_MOST = 100_000
EVENTS, WHOLE, TIMERS, FAILING, FIRST = 1, 2, 4, 8, 16
"""Bits of `Person.stale`: events, or the record too, are other than when leaves without a form were looked at last; a timer of an attribute
is due; FAILING: a leaf may be out of range; `FIRST << i`: an event that attribute i looks at, or after those leaf i without a form, came, changed
or went."""


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """`streams`: the numbers of the streams that events of a class are in. `weighed`: those of them with weights, in the order in
    which an event's weights are kept; `weigh`: what an event adds to each of those, None where there are none. `work`: what the engine does
    for them, filled in by the plan."""

    streams: tuple[int, ...]
    weighed: tuple[int, ...]
    weigh: Callable[[Document], tuple[int, ...]] | None = None
    work: Any = None

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


def presence(test: ir.Expr, var: int = EVENT) -> tuple[str, ...] | None:
    """The path of which a test asks whether it is there."""
    inner = test.operand if isinstance(test, ir.Not) else test
    return path_of(inner.operand, var) if isinstance(inner, ir.IsNull) else None


def _amount(path: Sequence[str], gives: str) -> Callable[[Document], int]:
    """A function that reads a path of a document, and `gives` what that expression makes of the value `v` there; 0 when it is not there. The
    names are values of its namespace, never text of its source."""
    space: dict[str, Any] = {f"n{i}": name for i, name in enumerate(path)}
    lines = ["def read(v):"]
    for i in range(len(path)):
        lines += [f"    v = v.get(n{i})", "    if v is None: return 0"]
    lines.append(f"    return {gives}")
    exec(compile("\n".join(lines), "<path>", "exec"), space)  # noqa: S102
    made: Callable[[Document], int] = space["read"]
    return made


Made = Callable[[Any, Document], Any]
Classes = tuple[Getter, list[list[ir.Expr]]]


def _classify(
    tests: Sequence[ir.Expr], asks: Callable[[ir.Expr], Getter], known_by: dict[Any, Any], make: Made, var: int = EVENT
) -> Classes:
    """A function from a document to what is `known_by` its class, or else to what `make` makes of (class, document): a class is a tuple, equal
    only for documents that no test tells apart. And the tests that each part of it answers."""
    asked: dict[tuple[str, ...], list[ir.Expr]] = {}
    known: dict[tuple[str, ...], list[ir.Expr]] = {}
    space: dict[str, Any] = {"left": bisect_left, "right": bisect_right, "known": known_by.get, "make": make}
    lines: list[str] = ["def classify(d):"]
    parts: list[str] = []
    answered: list[list[ir.Expr]] = []
    for test in dict.fromkeys(tests):
        path = presence(test, var)
        found = simple(test, var)
        if path is not None:
            known.setdefault(path, []).append(test)
        elif found is not None:
            asked.setdefault(found[0], []).append(test)
        else:
            space[f"ask{len(parts)}"] = asks(test)
            parts.append(f"ask{len(parts)}(d)")
            answered.append([test])
    places: dict[tuple[str, ...], str] = {(): "d"}
    for path, of in known.items():
        parts.append(f"{_read(path, places, space, lines)} is None")
        answered.append(of)
    for path, of in asked.items():
        value = _read(path, places, space, lines)
        parts.append(_part(value, [found[1:] for test in of if (found := simple(test, var))], space))
        answered.append(of)
    lines += [f"    c = ({', '.join(parts)}{',' if len(parts) == 1 else ''})", "    return known(c) or make(c, d)"]
    exec(compile("\n".join(lines), "<classes>", "exec"), space)  # noqa: S102
    made: Getter = space["classify"]
    return made, answered


def _read(path: tuple[str, ...], places: dict[tuple[str, ...], str], space: dict[str, Any], lines: list[str]) -> str:
    """Source that reads a path, each step once; gives the variable. Names are values of the namespace, never text of the source."""
    known = places.get(path)
    if known is not None:
        return known
    owner, place = _read(path[:-1], places, space, lines), f"v{len(places)}"
    space[f"n{len(places)}"] = path[-1]
    guard = "" if owner == "d" else f" if {owner} is not None else None"
    lines.append(f"    {place} = {owner}.get(n{len(places)}){guard}")
    places[path] = place
    return place


def _part(value: str, tests: list[tuple[str, Any]], space: dict[str, Any]) -> str:
    """Source that says which of the tests of a field can be told apart by its value."""
    name = f"k{len(space)}"
    ops = {op for op, _ in tests}
    if ops == {"="}:
        space[name] = frozenset(constant for _, constant in tests)
        return f"({value} if {value} in {name} else None)"
    space[name] = sorted({constant for _, constant in tests})
    if ops <= {">", "<="}:
        return f"(left({name}, {value}) if {value} is not None else None)"
    if ops <= {"<", ">="}:
        return f"(right({name}, {value}) if {value} is not None else None)"
    return f"(left({name}, {value}) + right({name}, {value}) if {value} is not None else None)"


class _Classifier:
    """For the events of one type: the tests that are left, and the classes found so far."""

    def __init__(self, router: Router, candidates: list[tuple[int, tuple[ir.Expr, ...]]]) -> None:
        self.router, self.candidates = router, candidates
        self.routes: dict[Any, Route] = {}
        self.route: Callable[[Document], Route]
        self.route, self._tests = _classify(
            [t for _, tests in candidates for t in tests], router.asks, self.routes, self.made
        )
        asking: dict[ir.Expr, int] = {}
        for place, (_, tests) in enumerate(candidates):
            for test in tests:
                asking[test] = asking.get(test, 0) | 1 << place
        self._asking = [[(test, asking[test]) for test in tests] for tests in self._tests]
        self._failed: list[dict[Any, int]] = [{} for _ in self._tests]

    def made(self, key: Any, document: Document) -> Route:
        """The route of a class that is new: a candidate is left out by the parts of the class that fail one of its tests."""
        if len(self.routes) > _MOST:
            self.routes.clear()
        failed = 0
        for known, asking, value in zip(self._failed, self._asking, key, strict=True):
            mask = known.get(value)
            if mask is None:
                mask = 0
                for test, candidates in asking:
                    if not self.router.asks(test)(document):
                        mask |= candidates
                known[value] = mask
            failed |= mask
        passed = tuple(n for place, (n, _) in enumerate(self.candidates) if not failed >> place & 1)
        found = self.routes[key] = self.router.made(passed)
        return found


def make_answers(
    tests: Sequence[tuple[int, ir.Expr]], evaluator: Evaluator, made: Callable[[tuple[tuple[int, int], ...]], Any]
) -> Callable[[Document | None], Any]:
    """A function from a record to what is `made` of (number, 1, 0 or 2) of each test over the record alone; records that no test can
    tell apart share it."""
    known: dict[Any, Any] = {}

    def make(key: Any, document: Document) -> Any:
        if len(known) > _MOST:
            known.clear()
        found = known[key] = made(tuple((number, _answer(evaluator, test, document)) for number, test in tests))
        return found

    def asks(test: ir.Expr) -> Getter:
        return lambda d: _answer(evaluator, test, d)

    answer, _ = _classify([test for _, test in tests], asks, known, make, ir.PROFILE)
    return lambda record: answer(record or {})


def _answer(evaluator: Evaluator, test: ir.Expr, record: Document) -> int:
    try:
        return int(evaluator.test(test, {ir.PROFILE: record, NOW: None}))
    except OutOfRange:
        return 2


class Router:
    """`work`: what the plan attaches to a set of streams."""

    def __init__(self, streams: Sequence[Stream], work: Callable[[tuple[int, ...]], Any], evaluator: Evaluator) -> None:
        self.streams, self.work, self.evaluator = streams, work, evaluator
        self._known: dict[tuple[int, ...], Route] = {}
        self._asks: dict[ir.Expr, Getter] = {}
        weights = {s.weight: self._weight(s.weight) for s in streams if s.weight is not None}
        self._weights = {i: weights[s.weight] for i, s in enumerate(streams) if s.weight is not None}
        typed: dict[str, list[tuple[int, tuple[ir.Expr, ...]]]] = {}
        free: list[tuple[int, tuple[ir.Expr, ...]]] = []
        for number, stream in enumerate(streams):
            kinds = [t for t in stream.tests if (s := simple(t)) is not None and s[:2] == (("eventType",), "=")]
            rest = tuple(t for t in stream.tests if t not in kinds[:1])
            if kinds:
                typed.setdefault(str(simple(kinds[0])[2]), []).append((number, rest))  # type: ignore[index]
            else:
                free.append((number, rest))
        self.other = _Classifier(self, free).route
        self.typed = {
            kind: _Classifier(self, sorted([*found, *free], key=lambda c: c[0])).route for kind, found in typed.items()
        }
        """The route of an event by its type, and of one of another type, as functions."""

    def route(self, document: Document) -> Route:
        """The class of an event."""
        return self.typed.get(document.get("eventType"), self.other)(document)  # type: ignore[arg-type]

    def weights(self, route: Route, document: Document) -> tuple[int, ...]:
        """What an event adds to each of its weighed streams."""
        return () if route.weigh is None else route.weigh(document)

    def made(self, streams: tuple[int, ...]) -> Route:
        """The route of those streams."""
        found = self._known.get(streams)
        if found is None:
            weighed = tuple(n for n in streams if n in self._weights)
            found = self._known[streams] = Route(streams, weighed, self._weigher(weighed), self.work(streams))
        return found

    def _weigher(self, weighed: tuple[int, ...]) -> Callable[[Document], tuple[int, ...]] | None:
        """What an event adds to those streams, as one function; a weight that several have is made once."""
        if not weighed:
            return None
        adds = [self._weights[n] for n in weighed]
        if len(adds) == 1:
            only = adds[0]
            return lambda d: (only(d),)
        if len({*adds}) == 1:
            same, times = adds[0], len(adds)
            return lambda d: (same(d),) * times
        return lambda d: tuple([add(d) for add in adds])

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
            return _amount(path, "int(v.scaleb(6))" if scaled else "v")

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
