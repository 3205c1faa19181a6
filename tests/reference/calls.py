"""Methods and prefix calls of the reference evaluator. SEMANTICS sections 4, 7, 8, 11, 12."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from pql.syntax import ast
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    EntryType,
    GroupsType,
    ListType,
    MapType,
    ScalarType,
    Type,
    is_numeric,
    unify,
    wider,
)
from tests.reference import text
from tests.reference.scopes import Bindings, Code, Element, Names, Refused, const, variable
from tests.reference.times import OutOfRange
from tests.reference.values import EXACT, SumOutOfRange, arithmetic, coerce, compare

QUANTIFIERS = {"exists": "exists", "some": "exists", "forall": "forall", "all": "forall", "none": "none", "one": "one"}
PARTS: dict[str, Callable[[date], int]] = {
    "getYear": lambda d: d.year,
    "getMonth": lambda d: d.month,
    "getDayOfMonth": lambda d: d.day,
    "dayOfWeek": lambda d: d.isoweekday(),
}
TEXTS: dict[str, tuple[Callable[..., Any], Type, tuple[Type, ...]]] = {
    "lowerCase": (text.lower, STRING, ()),
    "upperCase": (text.upper, STRING, ()),
    "trim": (lambda s: s.strip(" "), STRING, ()),
    "length": (len, INTEGER, ()),
    "concat": (lambda *s: "".join(s), STRING, (STRING,)),
    "substring": (text.substring, STRING, (INTEGER, INTEGER)),
    "regexGroup": (text.group, STRING, (STRING, INTEGER)),
}
PLAIN_TESTS: dict[str, Callable[..., bool]] = {
    "like": text.like,
    "matches": lambda s, p: text.search(s, p) is not None,
    "isEmpty": lambda s: s == "",
    "isNotEmpty": lambda s: s != "",
}
SETS = ("intersects", "subsetOf", "supersetOf", "intersection")


class Calls:
    scopes: list[Element | Names]
    code: Callable[[ast.Expr], Code]
    test: Callable[[ast.Expr], Code]
    list_of: Callable[[Code], Code]
    compared: Callable[[str, Code, Code], Code]
    body: Callable[..., tuple[object, Code]]
    some: Callable[..., Code]
    common: Callable[[Sequence[Code]], Type]

    @contextmanager
    def within(self, scope: Element | Names) -> Iterator[None]:
        self.scopes.append(scope)
        try:
            yield
        finally:
            self.scopes.pop()

    @contextmanager
    def closing(self) -> Iterator[None]:
        size = len(self.scopes)
        try:
            yield
        finally:
            del self.scopes[size:]

    def see_call(self, node: ast.Call) -> Code:
        name, args = node.name, list(node.args)
        if node.receiver is None:
            if name in ("currentYear", "currentMonth", "currentDayOfMonth"):
                part = PARTS["get" + name.removeprefix("current")]
                return Code(INTEGER, lambda b: part(self.calendar.day(self.calendar.now)))  # type: ignore[attr-defined]
            if name == "date":
                return self.day([self.code(a) for a in args])
            if name == "mapEntry":
                return self.entry(self.code(args[0]), self.code(args[1]))
            if name == "modelInstances":
                return self.instances(args[0])
            if name == "inSegment":
                return self.in_segment(args[0])
            node_receiver, args = args[0], args[1:]
        else:
            node_receiver = node.receiver
        value = self.code(node_receiver)
        if name in QUANTIFIERS:
            return self.quantified(QUANTIFIERS[name], value, args[0])
        if name in ("sum", "average", "min", "max", "count"):
            return self.aggregate(name, value, args)
        method = getattr(self, "call_" + name.lower(), None)
        if method is not None:
            return method(value, args)  # type: ignore[no-any-return]
        if name in SETS:
            return self.sets(name, value, self.code(args[0]))
        return self.text_call(name, value, [self.code(a) for a in args])

    def instances(self, of: ast.Expr) -> Code:
        assert isinstance(of, ast.Literal)
        name = str(of.value).rsplit("/", 1)[-1]
        person = self.schema.profile  # type: ignore[attr-defined]
        if name == "profile":
            whole = self.see_parameter(ast.Parameter(1))  # type: ignore[attr-defined]
            return Code(ListType(person), lambda b: [whole.run(b)])
        if name == "experienceevent":
            return self.see_name(ast.Name("xEvent"))  # type: ignore[attr-defined,no-any-return]
        return const(ListType(self.schema.entities[name]), [])  # type: ignore[attr-defined]

    # --- scalars ---
    def day(self, parts: Sequence[Code]) -> Code:
        def run(b: Bindings) -> date | None:
            numbers = [coerce(p.run(b), p.type, INTEGER) for p in parts]
            if None in numbers:
                return None
            try:
                return date(*numbers)
            except (ValueError, OverflowError):
                return None

        return Code(DATE, run)

    def text_call(self, name: str, value: Code, args: list[Code]) -> Code:
        if name in text.TESTS or name in PLAIN_TESTS:
            if isinstance(value.type, ListType):
                return self.some(value, lambda e: self.text_call(name, e, args))
            if name in ("equals", "notEqualTo"):
                return self.equals(name, value, args)
            return self.text_test(name, value, args)
        if name in PARTS:
            return self.date_part(name, value)
        if name == "absolute":
            return Code(value.type, lambda b: absolute(value.run(b), value.type))
        if name not in TEXTS:
            raise Refused(f"function {name}")
        function, result, kinds = TEXTS[name]
        wanted = [STRING, *(kinds[min(i, len(kinds) - 1)] for i in range(len(args)))]
        codes = [value, *args]

        def run(b: Bindings) -> Any:
            values = [coerce(c.run(b), c.type, k) for c, k in zip(codes, wanted, strict=True)]
            if None in values:
                return None
            if name in ("regexGroup", "substring") and len(values) == 2:
                values.append(1 if name == "regexGroup" else None)
            return function(*values)

        return Code(result, run)

    def text_test(self, name: str, value: Code, args: list[Code]) -> Code:
        def run(b: Bindings) -> bool:
            flag = coerce(args[1].run(b), args[1].type, BOOLEAN) if len(args) > 1 else True
            values = [coerce(c.run(b), c.type, STRING) for c in (value, *args[:1])]
            if None in values:
                return False
            return text.test(name, values[0], values[1], flag) if name in text.TESTS else PLAIN_TESTS[name](*values)

        return Code(BOOLEAN, run)

    def equals(self, name: str, value: Code, args: list[Code]) -> Code:
        flags, rest = [], args
        if len(args) > 1 and args[-1].type == BOOLEAN:
            flags, rest = args[-1:], args[:-1]
        if value.type == STRING:
            tests = [self.text_test(name, value, [other, *flags]) for other in rest]
        else:
            tests = [self.compared("=" if name == "equals" else "!=", value, other) for other in rest]
        return Code(BOOLEAN, lambda b: any(t.run(b) for t in tests))

    def date_part(self, name: str, value: Code) -> Code:
        calendar = self.calendar  # type: ignore[attr-defined]
        kind = value.type if value.type in (DATE, TIMESTAMP) else DATE

        def run(b: Bindings) -> int | None:
            found = coerce(value.run(b), value.type, kind)
            if found is None:
                return None
            try:
                return PARTS[name](calendar.wall(found) if isinstance(found, datetime) else found)
            except OutOfRange:
                return None

        return Code(INTEGER, run)

    # --- any value ---
    def call_isnull(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return Code(BOOLEAN, lambda b: value.run(b) is None)

    def call_isnotnull(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return Code(BOOLEAN, lambda b: value.run(b) is not None)

    def call_orelse(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        other = self.code(args[0])
        kind = self.common([value, other])

        def run(b: Bindings) -> Any:
            found = value.run(b)
            return coerce(other.run(b), other.type, kind) if found is None else coerce(found, value.type, kind)

        return Code(kind, run)

    def call_in(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return self.compared("in", value, self.code(args[0]))

    def call_notin(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return self.compared("notIn", value, self.code(args[0]))

    # --- maps ---
    def call_get(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        raw = self.code(args[0])
        key = Code(STRING, lambda b: coerce(raw.run(b), raw.type, STRING))
        if isinstance(value.type, ListType):
            return self.flattened(value, lambda e: self.get(e, key))  # type: ignore[attr-defined,no-any-return]
        return self.get(value, key)  # type: ignore[attr-defined,no-any-return]

    def call_keys(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return Code(ListType(STRING), lambda b: on(value.run(b), lambda m: list(m)))

    def call_values(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        assert isinstance(value.type, MapType)
        return Code(ListType(value.type.value), lambda b: on(value.run(b), lambda m: list(m.values())))

    def entry(self, key: Code, value: Code) -> Code:
        return Code(EntryType(value.type), lambda b: (coerce(key.run(b), key.type, STRING), value.run(b)))

    def mapped(self, items: Code) -> Code:
        """A list of entries becomes a map."""
        assert isinstance(items.type, ListType)
        entry = items.type.element
        if not isinstance(entry, EntryType):
            return items

        def run(b: Bindings) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for key, value in items.run(b):
                if key is not None:
                    found.setdefault(key, value)
            return found

        return Code(MapType(entry.value), run)

    # --- lists ---
    def sets(self, name: str, value: Code, other: Code) -> Code:
        left, right = self.list_of(value), self.list_of(other)
        assert isinstance(left.type, ListType) and isinstance(right.type, ListType)
        target, source = left.type.element, right.type.element
        kind = source if is_numeric(target) and is_numeric(source) else target

        def both(b: Bindings) -> tuple[list[Any], list[Any]]:
            present = [x for x in left.run(b) if x is not None]
            coerced = (coerce(y, source, kind) for y in right.run(b))
            return present, [y for y in coerced if y is not None]

        if name == "intersection":
            return Code(left.type, lambda b: (lambda a, c: [x for x in distinct(a) if among(x, c)])(*both(b)))
        rule: dict[str, Callable[[list[Any], list[Any]], bool]] = {
            "intersects": lambda a, c: any(among(x, c) for x in a),
            "subsetOf": lambda a, c: all(among(x, c) for x in a),
            "supersetOf": lambda a, c: all(among(y, a) for y in c),
        }
        return Code(BOOLEAN, lambda b: rule[name](*both(b)))

    def call_includes(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        items, item = self.list_of(value), self.code(args[0])
        return self.some(items, lambda e: self.compared("=", e, item))

    def call_distinct(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        items = self.list_of(value)
        return Code(items.type, lambda b: distinct([x for x in items.run(b) if x is not None]))

    def call_head(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        items = self.list_of(value)
        assert isinstance(items.type, ListType)
        return Code(items.type.element, lambda b: next(iter(items.run(b)), None))

    def call_filter(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return self.filtered(value, args[0])  # type: ignore[attr-defined,no-any-return]

    def call_map(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        if isinstance(value.type, GroupsType):
            return self.map_groups(value, args[0])
        items = self.list_of(value)
        var, body = self.body(items, args[0])
        return self.mapped(Code(ListType(body.type), lambda b: [body.run({**b, var: e}) for e in items.run(b)]))

    def map_groups(self, value: Code, node: ast.Expr) -> Code:
        assert isinstance(value.type, GroupsType) and isinstance(node, ast.Lambda)
        key, group = object(), object()
        names = dict(
            zip(
                node.parameters,
                (variable(key, value.type.key), variable(group, ListType(value.type.element))),
                strict=True,
            )
        )
        with self.within(Names(names)):
            body = self.code(node.body)
        return self.mapped(
            Code(ListType(body.type), lambda b: [body.run({**b, key: k, group: g}) for k, g in value.run(b)])
        )

    def call_groupby(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        items = self.list_of(value)
        assert isinstance(items.type, ListType)
        var, key = self.body(items, args[0])

        def run(b: Bindings) -> list[tuple[Any, list[Any]]]:
            groups: list[tuple[Any, list[Any]]] = []
            for element in items.run(b):
                k = key.run({**b, var: element})
                if k is None:
                    continue
                found = next((g for other, g in groups if compare("=", other, k)), None)
                if found is None:
                    groups.append((k, [element]))
                else:
                    found.append(element)
            return groups

        return Code(GroupsType(key.type, items.type.element), run)

    def call_topn(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return self.ranked(value, args, True)

    def call_bottomn(self, value: Code, args: Sequence[ast.Expr]) -> Code:
        return self.ranked(value, args, False)

    def ranked(self, value: Code, args: Sequence[ast.Expr], descending: bool) -> Code:
        items, amount = self.list_of(value), self.code(args[1])
        var, key = self.body(items, args[0])

        def run(b: Bindings) -> list[Any]:
            keyed = [(key.run({**b, var: e}), e) for e in items.run(b)]
            known = sorted((p for p in keyed if p[0] is not None), key=lambda p: p[0], reverse=descending)
            n = coerce(amount.run(b), amount.type, INTEGER) or 0
            return [e for _, e in [*known, *(p for p in keyed if p[0] is None)]][: max(n, 0)]

        return Code(items.type, run)

    # --- aggregates ---
    def aggregate(self, name: str, value: Code, args: Sequence[ast.Expr]) -> Code:
        if name == "count" and not args and isinstance(value.type, GroupsType | MapType):
            return Code(INTEGER, lambda b: len(value.run(b) or []))
        items = self.list_of(value)
        if not args:
            return self.aggregated(name, items)
        var, body = self.body(items, args[0])
        nested = isinstance(body.type, ListType)

        def run(b: Bindings) -> list[Any]:
            found: list[Any] = []
            for e in items.run(b):
                result = body.run({**b, var: e})
                found.extend((result or []) if nested else [result])
            return found

        if name == "count" and body.type == BOOLEAN:
            return Code(INTEGER, lambda b: sum(v is True for v in run(b)))
        return self.aggregated(name, Code(body.type if nested else ListType(body.type), run))

    def aggregated(self, name: str, items: Code) -> Code:
        assert isinstance(items.type, ListType)
        element = items.type.element
        kind = {"count": INTEGER, "average": DOUBLE}.get(name, element)
        if name == "sum" and element == NULL:
            kind = INTEGER

        def run(b: Bindings) -> Any:
            known = [v for v in items.run(b) or [] if v is not None]
            return FOLDS[name](known, kind if name != "average" else element)

        return Code(kind, run)

    def quantified(self, kind: str, value: Code, condition: ast.Expr) -> Code:
        items = self.list_of(value)
        var, test = self.body(items, condition, test=True)

        def run(b: Bindings) -> bool:
            hits = [bool(test.run({**b, var: e})) for e in items.run(b)]
            return {"exists": any(hits), "forall": all(hits), "none": not any(hits), "one": sum(hits) == 1}[kind]

        return Code(BOOLEAN, run)

    # --- segments ---
    def in_segment(self, node: ast.Expr) -> Code:
        assert isinstance(node, ast.Literal) and isinstance(node.value, str)
        name = node.value
        if name in self.segments:  # type: ignore[attr-defined]
            make = type(self)
            fresh = make(self.schema, self.calendar, self.segments, self.declared)  # type: ignore[attr-defined,call-arg]
            return fresh.test(self.segments[name])  # type: ignore[attr-defined,no-any-return]

        def run(b: Bindings) -> bool:
            entry = ((b["profile"].get("segmentMembership") or {}).get("ups") or {}).get(name) or {}
            return entry.get("status") in ("realized", "existing")

        return Code(BOOLEAN, run)


def on(value: Any, use: Callable[[Any], Any]) -> Any:
    return None if value is None else use(value)


def absolute(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    return arithmetic("-", 0, value, kind) if value < 0 else value


def among(value: Any, items: Sequence[Any]) -> bool:
    return any(compare("=", value, i) for i in items)


def distinct(items: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not (among(item, found) if not isinstance(item, dict | list) else item in found):
            found.append(item)
    return found


def total(values: Sequence[Any], kind: Type) -> Any:
    if kind == DOUBLE:
        result = 0.0
        for v in values:
            result += v
        return result
    with localcontext(EXACT):
        exact = sum(values, Decimal(0) if kind == NUMBER else 0)
    limit = 2**63 if kind != NUMBER else 10**12
    if not -limit <= exact < limit or (kind == NUMBER and exact == -limit):
        raise SumOutOfRange
    return exact


def mean(values: Sequence[Any], kind: Type) -> float | None:
    if not values:
        return None
    if kind == DOUBLE:
        return float(total(values, DOUBLE) / len(values))
    return float(sum(map(Fraction, values), Fraction(0)) / len(values))


FOLDS: dict[str, Callable[[Sequence[Any], Type], Any]] = {
    "count": lambda v, k: len(v),
    "sum": total,
    "average": mean,
    "min": lambda v, k: min(v, default=None),
    "max": lambda v, k: max(v, default=None),
}

__all__ = ["Calls", "ScalarType", "const", "unify", "wider"]
