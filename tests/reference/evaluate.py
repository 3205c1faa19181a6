"""A slow, plain evaluator of syntax trees by the letter of docs/SEMANTICS.md: the judge of the engines.

It shares no code with the checker, the function table or the compiler; only parser, schema and types. Each node
becomes a `Code`: the type that the schema gives it, and a function from bindings to its value. Read `evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
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
    Field,
    ListType,
    MapType,
    ObjectType,
    ScalarType,
    Type,
    is_numeric,
    make_object,
    unify,
    wider,
)
from pql.xdm.schema import Schema
from tests.reference.calls import Calls, on
from tests.reference.chains import Chains
from tests.reference.scopes import Bindings, Code, Element, Names, Refused, const, variable
from tests.reference.times import Calendar, NullTime, OutOfRange, Reference, holds, point
from tests.reference.values import arithmetic, coerce, compare

LITERALS = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "null": NULL}
PROFILE = "profile"


def evaluate(
    tree: ast.Expr,
    schema: Schema,
    profile: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    now: datetime,
    segments: Mapping[str, ast.Expr] | None = None,
    zone: str = "UTC",
    week_start: str = "monday",
    names: Mapping[str, ast.Expr] | None = None,
) -> Any:
    """The value for one person, given as typed values (`pql.xdm.values`).

    `segments`: trees by id and display name; `names`: the trees of definitions and attributes.
    """
    code = Evaluator(schema, Calendar(now, zone, week_start), segments or {}, names or {}).whole(tree)
    return code.run({PROFILE: person(profile, events)})


def person(profile: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The profile with its events in order: (timestamp, `_id`, arrival), nulls last."""

    def key(event: Mapping[str, Any]) -> tuple[Any, ...]:
        stamp, id = event.get("timestamp"), event.get("_id")
        return (stamp is None, stamp or datetime.min, id is None, id or "")

    return {**profile, "xEvent": sorted(events, key=key)}


def truth(value: Any) -> bool:
    """A value in a boolean position."""
    return len(value) > 0 if isinstance(value, list) else value is True


def field_of(value: Any, name: str) -> Any:
    return None if value is None else value.get(name)


class Evaluator(Calls, Chains):
    def __init__(
        self,
        schema: Schema,
        calendar: Calendar,
        segments: Mapping[str, ast.Expr],
        names: Mapping[str, ast.Expr],
    ) -> None:
        self.schema, self.calendar, self.segments, self.declared = schema, calendar, segments, names
        self.scopes: list[Element | Names] = [Element(PROFILE, schema.profile)]
        self.stamps: dict[str, Code] = {}

    def whole(self, tree: ast.Expr) -> Code:
        if isinstance(tree, ast.Lambda):
            with self.within(Names({tree.parameters[0]: variable(PROFILE, self.schema.profile)})):
                return self.code(tree.body)
        return self.code(tree)

    def code(self, node: ast.Expr) -> Code:
        return getattr(self, "see_" + type(node).__name__.lower())(node)  # type: ignore[no-any-return]

    def test(self, node: ast.Expr) -> Code:
        inner = self.code(node)
        if inner.type not in (BOOLEAN, NULL) and not isinstance(inner.type, ListType):
            raise Refused("no test")
        return Code(BOOLEAN, lambda b: truth(inner.run(b)))

    # --- names ---
    def see_name(self, node: ast.Name) -> Code:
        for scope in reversed(self.scopes):
            if isinstance(scope, Names):
                if node.text in scope.names:
                    return scope.names[node.text]
            elif isinstance(scope.type, ObjectType) and node.text in scope.type.fields:
                return self.path(variable(scope.var, scope.type), node.text)
        if node.text in self.declared:
            fresh = Evaluator(self.schema, self.calendar, self.segments, self.declared)
            return fresh.code(self.declared[node.text])
        word = node.text.lower()
        if node.text == "profile":
            return variable(PROFILE, self.schema.profile)
        if word == "now":
            return const(TIMESTAMP, self.calendar.now)
        if word in ("today", "yesterday", "tomorrow"):
            offset = {"today": 0, "yesterday": -1, "tomorrow": 1}[word]
            midnight = self.calendar.unit(self.calendar.now, "day", offset).start
            return const(DATE, self.calendar.day(midnight))
        raise Refused(f"name {node.text}")

    def see_this(self, node: ast.This) -> Code:
        return self.up(0)

    def see_up(self, node: ast.Up) -> Code:
        return self.up(node.levels)

    def up(self, levels: int) -> Code:
        elements = [s for s in self.scopes if isinstance(s, Element)]
        if levels >= len(elements):
            raise Refused("too far up")
        return variable(elements[-1 - levels].var, elements[-1 - levels].type)

    def see_parameter(self, node: ast.Parameter) -> Code:
        if node.position != 1:
            raise Refused("parameter")
        return variable(PROFILE, self.schema.profile)

    def see_entity(self, node: ast.Entity) -> Code:
        name = node.text.split(";")[0].strip()
        if name in self.schema.entities:
            return const(self.schema.entities[name], None)
        value = variable(PROFILE, self.schema.profile)
        for step in name.split("."):
            value = self.path(value, step)
        return value

    # --- literals ---
    def see_literal(self, node: ast.Literal) -> Code:
        return const(LITERALS[node.kind], node.value)

    def see_listliteral(self, node: ast.ListLiteral) -> Code:
        items = [self.code(i) for i in node.items]
        kind = self.common(items)
        return Code(ListType(kind), lambda b: [coerce(i.run(b), i.type, kind) for i in items])

    def common(self, items: Sequence[Code]) -> Type:
        kind: Type = NULL
        for item in items:
            joined = unify(kind, item.type)
            if joined is None:
                raise Refused("no common type")
            kind = joined
        return kind

    def see_objectliteral(self, node: ast.ObjectLiteral) -> Code:
        entries = {e.key: self.code(e.value) for e in node.entries}
        kind = make_object("", {k: Field(k, c.type) for k, c in entries.items()})
        return Code(kind, lambda b: {k: c.run(b) for k, c in entries.items()})

    # --- paths ---
    def see_member(self, node: ast.Member) -> Code:
        return self.path(self.code(node.object), node.name)

    def path(self, value: Code, name: str) -> Code:
        """SEMANTICS 4: a field, a flattening, or a key of a map."""
        kind = value.type
        if isinstance(kind, ObjectType):
            if name not in kind.fields:
                raise Refused(f"field {name}")
            return Code(kind.fields[name].type, lambda b: field_of(value.run(b), name))
        if isinstance(kind, MapType):
            return self.get(value, const(STRING, name))
        if isinstance(kind, ListType):
            return self.flattened(value, lambda e: self.path(e, name))
        raise Refused("no fields")

    def flattened(self, items: Code, part: Any) -> Code:
        assert isinstance(items.type, ListType)
        var = object()
        body: Code = part(variable(var, items.type.element))
        nested = isinstance(body.type, ListType)

        def run(b: Bindings) -> list[Any]:
            found: list[Any] = []
            for element in items.run(b) or []:
                value = None if element is None else body.run({**b, var: element})
                found.extend((value or []) if nested else [value])
            return [v for v in found if v is not None]

        return Code(body.type if nested else ListType(body.type), run)

    def get(self, value: Code, key: Code) -> Code:
        assert isinstance(value.type, MapType)
        folds = value.type is self.schema.profile.fields["segmentMembership"].type

        def run(b: Bindings) -> Any:
            found, wanted = value.run(b), key.run(b)
            if found is None or wanted is None:
                return None
            return found.get(wanted.lower() if folds else wanted)

        return Code(value.type.value, run)

    # --- logic ---
    def see_not(self, node: ast.Not) -> Code:
        inner = self.test(node.operand)
        return Code(BOOLEAN, lambda b: not inner.run(b))

    def see_and(self, node: ast.And) -> Code:
        parts = [self.test(o) for o in node.operands]
        return Code(BOOLEAN, lambda b: all(p.run(b) for p in parts))

    def see_or(self, node: ast.Or) -> Code:
        parts = [self.test(o) for o in node.operands]
        return Code(BOOLEAN, lambda b: any(p.run(b) for p in parts))

    def see_if(self, node: ast.If) -> Code:
        condition, then, otherwise = self.test(node.condition), self.code(node.then), self.code(node.otherwise)
        kind = self.common([then, otherwise])

        def run(b: Bindings) -> Any:
            taken = then if condition.run(b) else otherwise
            return coerce(taken.run(b), taken.type, kind)

        return Code(kind, run)

    def see_let(self, node: ast.Let) -> Code:
        value, var = self.code(node.value), object()
        with self.within(Names({node.name: variable(var, value.type)})):
            body = self.code(node.body)
        return Code(body.type, lambda b: body.run({**b, var: value.run(b)}))

    def see_lambda(self, node: ast.Lambda) -> Code:
        raise Refused("lambda")

    # --- operators ---
    def see_negate(self, node: ast.Negate) -> Code:
        return self.computed("-", const(INTEGER, 0), self.code(node.operand))

    def see_binary(self, node: ast.Binary) -> Code:
        left, right = self.code(node.left), self.code(node.right)
        if node.op in ("+", "-", "*", "/", "%"):
            return self.computed(node.op, left, right)
        if node.op == "like":
            return self.text_call("like", left, [right])
        return self.compared(node.op, left, right)

    def computed(self, op: str, left: Code, right: Code) -> Code:
        kinds = [s.type for s in (left, right) if s.type != NULL] or [INTEGER]
        if not all(map(is_numeric, kinds)):
            raise Refused("numbers")
        kind = DOUBLE if op == "/" else wider(kinds[0], kinds[-1])
        return Code(kind, lambda b: arithmetic(op, left.run(b), right.run(b), kind))

    def compared(self, op: str, left: Code, right: Code) -> Code:
        if op in ("in", "notIn"):
            return self.member(op, left, right)
        if isinstance(left.type, ListType) and isinstance(right.type, ListType):
            return self.lists(op, left, right)
        if isinstance(left.type, ListType):
            return self.some(left, lambda e: self.compared(op, e, right))
        if isinstance(right.type, ListType):
            return self.some(right, lambda e: self.compared(op, left, e))
        return self.scalars(op, left, right)

    def some(self, items: Code, part: Any) -> Code:
        """True if some element satisfies the test."""
        assert isinstance(items.type, ListType)
        var = object()
        body: Code = part(variable(var, items.type.element))
        return Code(BOOLEAN, lambda b: any(body.run({**b, var: e}) for e in items.run(b) or []))

    def alike(self, left: Type, right: Type) -> Type:
        """The type that the right side is coerced to; numbers are left as they are."""
        if not isinstance(left, ScalarType) or not isinstance(right, ScalarType):
            raise Refused("cannot compare")
        return right if NULL in (left, right) or (is_numeric(left) and is_numeric(right)) else left

    def scalars(self, op: str, left: Code, right: Code) -> Code:
        kind = self.alike(left.type, right.type)
        return Code(BOOLEAN, lambda b: compare(op, left.run(b), coerce(right.run(b), right.type, kind)))

    def lists(self, op: str, left: Code, right: Code) -> Code:
        assert isinstance(left.type, ListType) and isinstance(right.type, ListType)
        source = right.type.element
        kind = self.alike(left.type.element, source)

        def run(b: Bindings) -> bool:
            a, c = left.run(b), right.run(b)
            if a is None or c is None:
                return False
            same = len(a) == len(c) and all(compare("=", x, coerce(y, source, kind)) for x, y in zip(a, c, strict=True))
            return same if op == "=" else not same

        return Code(BOOLEAN, run)

    def member(self, op: str, left: Code, right: Code) -> Code:
        if right.type == NULL:
            return const(BOOLEAN, False)
        if isinstance(left.type, ListType):
            return self.some(left, lambda e: self.member(op, e, right))
        if not isinstance(right.type, ListType):
            raise Refused("needs a list")
        source = right.type.element
        kind = self.alike(left.type, source)

        def run(b: Bindings) -> bool:
            value, items = left.run(b), right.run(b)
            if value is None or items is None:
                return False
            found = any(compare("=", value, coerce(i, source, kind)) for i in items)
            return found if op == "in" else not found

        return Code(BOOLEAN, run)

    # --- lists ---
    def list_of(self, value: Code) -> Code:
        """A receiver as a list; a null list is empty, an object the list of itself."""
        if isinstance(value.type, ListType):
            return Code(value.type, lambda b: value.run(b) or [])
        if value.type == NULL:
            return const(ListType(NULL), [])
        if not isinstance(value.type, ObjectType):
            raise Refused("needs a list")

        def run(b: Bindings) -> list[Any]:
            one = value.run(b)
            return [] if one is None else [one]

        return Code(ListType(value.type), run)

    def see_filter(self, node: ast.Filter) -> Code:
        return self.filtered(self.code(node.list), node.condition)

    def filtered(self, value: Code, condition: ast.Expr) -> Code:
        items = self.list_of(value)
        var, test = self.body(items, condition, test=True)
        return Code(items.type, lambda b: [e for e in items.run(b) if test.run({**b, var: e})])

    def body(self, items: Code, node: ast.Expr, test: bool = False) -> tuple[object, Code]:
        """An argument over elements: the element is in scope; a lambda names it."""
        assert isinstance(items.type, ListType)
        var, element = object(), items.type.element
        make = self.test if test else self.code
        if isinstance(node, ast.Lambda):
            with self.within(Names({node.parameters[0]: variable(var, element)})):
                return var, make(node.body)
        with self.within(Element(var, element)):
            return var, make(node)

    # --- quantifiers ---
    def declared_variables(self, variables: Sequence[ast.Variable]) -> list[tuple[object, Code, Code]]:
        """(variable, its list, its condition), each seeing the earlier ones. Leaves the scopes open."""
        found = []
        for v in variables:
            items, var = self.list_of(self.code(v.list)), object()
            assert isinstance(items.type, ListType)
            self.scopes.append(Names({v.name: variable(var, items.type.element)}))
            condition = self.test(v.condition) if v.condition is not None else const(BOOLEAN, True)
            found.append((var, items, condition))
        return found

    def see_quantifier(self, node: ast.Quantifier) -> Code:
        with self.closing():
            parts = self.declared_variables(node.variables)
        kind = {"some": "exists", "all": "forall"}.get(node.kind, node.kind)
        if kind == "forall":
            return Code(BOOLEAN, lambda b: every(parts, b))
        if kind == "one":
            return Code(BOOLEAN, lambda b: len(chosen(parts, b)) == 1)
        return Code(BOOLEAN, lambda b: exists(parts, b) == (kind == "exists"))

    def see_select(self, node: ast.Select) -> Code:
        with self.closing():
            parts = self.declared_variables(node.variables)
        return Code(parts[0][1].type, lambda b: chosen(parts, b))

    def see_comprehension(self, node: ast.Comprehension) -> Code:
        with self.closing():
            parts = self.declared_variables(node.variables)
            body = self.code(node.body)
        nested = isinstance(body.type, ListType)

        def run(b: Bindings) -> list[Any]:
            found: list[Any] = []
            for inner in bindings(parts, b):
                value = body.run(inner)
                found.extend((value or []) if nested else [value])
            return found

        return self.aggregated(node.function, Code(body.type if nested else ListType(body.type), run))

    # --- time ---
    def see_occurs(self, node: ast.Occurs) -> Code:
        operand = self.code(node.operand)
        if isinstance(operand.type, ListType):
            return self.some(operand, lambda e: self.occurring(e, node.phrase))
        return self.occurring(operand, node.phrase)

    def occurring(self, operand: Code, phrase: ast.Phrase) -> Code:
        stamp = self.instant(operand)
        refs = self.references(phrase)

        def run(b: Bindings) -> bool:
            try:
                t = stamp.run(b)
            except OutOfRange:
                return False
            return holds(t, phrase, refs(b), self.calendar)

        return Code(BOOLEAN, run)

    def instant(self, value: Code) -> Code:
        if value.type not in (DATE, TIMESTAMP, STRING, NULL):
            raise Refused("no time")
        if value.type == DATE:  # its midnight in the project's zone
            return Code(TIMESTAMP, lambda b: on(value.run(b), lambda d: self.calendar.utc(datetime.combine(d, time()))))
        return Code(TIMESTAMP, lambda b: coerce(value.run(b), value.type, TIMESTAMP))

    def references(self, phrase: ast.Phrase) -> Any:
        """A function from bindings to what each REF of the phrase stands for."""
        nodes = [phrase.start, phrase.end] if isinstance(phrase, ast.Between) else [phrase.ref]
        made = {id(n): self.reference(n) for n in nodes}
        return lambda b: lambda ref: made[id(ref)](b)

    def reference(self, ref: ast.Ref) -> Any:
        calendar = self.calendar
        if isinstance(ref, ast.RefWord):
            if ref.word == "now":
                return lambda b: point(calendar.now)
            return lambda b: calendar.unit(calendar.now, "day", {"today": 0, "yesterday": -1, "tomorrow": 1}[ref.word])
        if isinstance(ref, ast.RefUnit):
            return lambda b: calendar.unit(calendar.now, ref.unit, {"this": 0, "last": -1, "next": 1}[ref.which])
        if isinstance(ref.expr, ast.Name) and ref.expr.text in self.stamps:
            value = self.stamps[ref.expr.text]
        else:
            value = self.code(ref.expr)
        stamp = self.instant(value)

        def run(b: Bindings) -> Reference:
            s = stamp.run(b)
            if s is None:
                raise NullTime
            return calendar.unit(s, "day") if value.type == DATE else point(s)

        return run


Parts = Sequence[tuple[object, Code, Code]]


def bindings(parts: Parts, b: Bindings) -> Any:
    """Every combination of the variables that satisfies all conditions, in order."""
    if not parts:
        yield b
        return
    (var, items, condition), *rest = parts
    for element in items.run(b):
        inner = {**b, var: element}
        if condition.run(inner):
            yield from bindings(rest, inner)


def exists(parts: Parts, b: Bindings) -> bool:
    return any(True for _ in bindings(parts, b))


def every(parts: Parts, b: Bindings) -> bool:
    if not parts:
        return True
    (var, items, condition), *rest = parts
    inner = [{**b, var: e} for e in items.run(b)]
    return all(condition.run(i) and every(rest, i) for i in inner)


def chosen(parts: Parts, b: Bindings) -> list[Any]:
    (var, items, condition), *rest = parts
    return [e for e in items.run(b) if condition.run({**b, var: e}) and exists(rest, {**b, var: e})]
