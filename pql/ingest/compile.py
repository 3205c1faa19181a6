"""A mapping as one SELECT over a chunk of source records: the typed columns of the dataset, and whether a row is doubtful.

SQL vouches for a row or doubts it; doubtful rows are worked out by `evaluate`, which also says what is wrong with them. So
a doubt may be too many, never too few. Trees of sqlglot in the DuckDB dialect. Read `compile_mapping`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from pql.compiler.sql import sql_type
from pql.functions.record import call, cast, text
from pql.ingest.fit_sql import demanded, fit_json, fit_typed, json_text, lost, not_null, null
from pql.ingest.functions import TABLE
from pql.ingest.functions.logic import LAZY
from pql.ingest.functions.number import DECIMAL
from pql.ingest.shapes import (
    JSON,
    RECORD,
    ColumnFields,
    JsonFields,
    Unvectorised,
    Value,
    dot,
    element_shape,
    every,
    some,
    typed,
)
from pql.ingest.tree import Apply, Build, Constant, Each, Listing, LookUp, Mapping, Node, Reference, Target, references
from pql.types import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Field,
    ListType,
    MapType,
    ObjectType,
    Type,
)

Sql = exp.Expression
Fields = JsonFields | ColumnFields
UNSURE_MOST = 3
"""Entries of a map that may be missing, up to which every choice of them has a struct of its own."""


@dataclass(frozen=True)
class Compiled:
    """`select`: over `incoming`; columns `_line`, `_doubtful`, then the schema's fields that are mapped. `odd`: finds further lines
    that SQL does not vouch for, if there can be such. `places`: where the mapping itself writes out which identities an
    `identityMap` holds, the key and a further column of each."""

    select: Sql
    columns: tuple[str, ...]
    odd: Sql | None = None
    places: tuple[tuple[str, str], ...] = ()


def compile_mapping(
    mapping: Mapping, kind: ObjectType, fields: Fields, required: tuple[str, ...] = (), loose: bool = False
) -> Compiled:
    """Raises Unvectorised when SQL cannot work the mapping out."""
    made = _Compiler(fields, loose)
    columns, doubts = made.document(mapping, kind)
    places = made.identity_places(mapping, kind)
    for name in required:
        doubts.append(null(columns[name].copy()) if name in columns else exp.true())
    inner: list[Sql] = [exp.Star()]
    odd: Sql | None = None
    if isinstance(fields, JsonFields):
        doubts.insert(0, null(exp.column(RECORD)))
        inner = [exp.column("__line"), typed(exp.alias_(fields.source(), RECORD))]
        odd = fields.odd()
    rows = exp.select(*inner).from_("incoming")
    doubtful = some(*map(_surely, doubts)) if doubts else exp.false()
    outer = exp.select(exp.alias_(exp.column("__line"), "_line"), exp.alias_(doubtful, "_doubtful"))
    for level in made.hoisted:
        further = [typed(exp.alias_(v, n)) for n, v in level]
        rows = exp.select(exp.Star(), *further).from_(rows.subquery("q"))
    for name, value in columns.items():
        outer = outer.select(exp.alias_(cast(value, sql_type(kind.fields[name].type)), name, quoted=True))
    for number, (_, value) in enumerate(places):
        outer = outer.select(exp.alias_(value, f"_i{number}"))
    return Compiled(
        outer.from_(rows.subquery("r")),
        tuple(columns),
        odd,
        tuple((key, f"_i{n}") for n, (key, _) in enumerate(places)),
    )


def _surely(test: Sql) -> Sql:
    """The test, or true where it has no answer."""
    return exp.Paren(this=test) if _is_certain(test) else call("coalesce", exp.Paren(this=test), exp.true())


def _is_certain(test: Sql) -> bool:
    """Has it an answer for every row?"""
    if isinstance(test, exp.And | exp.Or):
        return _is_certain(typed(test.this)) and _is_certain(typed(test.expression))
    if isinstance(test, exp.Paren | exp.Not):
        return _is_certain(typed(test.this))
    return isinstance(test, exp.Boolean) or isinstance(test, exp.Is) and isinstance(test.expression, exp.Null)


def _some(values: Sql, variable: str, test: Sql) -> Sql:
    found = call("list_filter", values, exp.Lambda(this=test, expressions=[exp.to_identifier(variable)]))
    return exp.GT(this=call("coalesce", call("len", found), exp.Literal.number(0)), expression=exp.Literal.number(0))


class _Compiler:
    def __init__(self, fields: Fields, loose: bool) -> None:
        self.fields, self.loose, self.count = fields, loose, 0
        self.hoisted: list[list[tuple[str, Sql]]] = []
        """Columns of SELECTs further in, the innermost first."""
        self.levels: dict[str, int] = {}
        self.names: dict[str, str] = {}

    # --- the document ---
    def document(self, mapping: Mapping, kind: ObjectType) -> tuple[dict[str, Sql], list[Sql]]:
        tree: dict[str, Any] = {}
        for target in mapping.targets:
            here = tree
            for step in target.path[:-1]:
                here = here.setdefault(step, {})
            here[target.path[-1]] = target
        columns, doubts = {}, []
        for name, part in tree.items():
            value, more = self.part(part, kind.fields[name])
            columns[name] = value
            doubts += more
        doubts += [
            null(columns[n].copy()) if n in columns else exp.true()
            for n, f in kind.fields.items()
            if f.bounds and f.bounds.required
        ]
        return columns, doubts

    def identity_places(self, mapping: Mapping, kind: ObjectType) -> list[tuple[str, Sql]]:
        """The identities that the mapping writes out as `{"ECID": [{…}], …}`, by their keys; none when it is written otherwise. They are the
        values that the map was put together from, so that nobody has to take it apart again."""
        written = [t.node for t in mapping.targets if t.path == ("identityMap",)]
        held = kind.fields.get("identityMap")
        if len(written) != 1 or held is None or not isinstance(written[0], Build):
            return []
        lists = held.type.value if isinstance(held.type, MapType) else None
        element = lists.element if isinstance(lists, ListType) else None
        entries = written[0].entries
        if not isinstance(element, ObjectType) or "id" not in element.fields or not _is_struct([k for k, _ in entries]):
            return []
        made = []
        for key, node in entries:
            if not isinstance(node, Listing) or not all(isinstance(i, Build) for i in node.items):
                return []
            made += [(key, self.item(self.into(i, element), element, {})) for i in node.items]
        return made

    def item(self, value: Value, kind: Type, scope: dict[str, Value]) -> Sql:
        """An element of a list that is written out."""
        return self.hoist(cast(value.sql, sql_type(kind)), scope)

    def part(self, part: Any, field: Field) -> tuple[Sql, list[Sql]]:
        if isinstance(part, Target):
            value = self.into(part.node, field.type)
            return value.sql, [*value.doubts, *demanded(value.sql, field)]
        assert isinstance(field.type, ObjectType)
        entries, doubts, known = [], [], []
        for name, inner in part.items():
            sql, more = self.part(inner, field.type.fields[name])
            entries.append((name, sql))
            doubts += more
            known.append(not_null(sql.copy()))
        there = exp.Paren(this=some(*known))
        missing = [
            exp.true() if n not in part else null(dict(entries)[n].copy())
            for n, f in field.type.fields.items()
            if f.bounds and f.bounds.required
        ]
        doubts += [exp.And(this=there.copy(), expression=m) for m in missing]
        return exp.Case(ifs=[exp.If(this=there, true=struct(entries))]), doubts

    # --- a value for a type ---
    def into(self, node: Node, kind: Type, scope: dict[str, Value] | None = None) -> Value:
        scope = scope or {}
        if (
            isinstance(node, Reference)
            and not node.variable
            and isinstance(self.fields, JsonFields)
            and not _single(kind)
        ):
            sql, doubts = fit_json(
                self.fields.typed(node.steps, kind), kind, self.name, False, lambda v: self.hoist(v, {})
            )
            return Value(sql, kind, doubts)
        if isinstance(node, Build) and not _single(kind):
            return self.build(node, kind, scope)
        if isinstance(node, Listing) and isinstance(kind, ListType):
            return self.listing([self.into(i, kind.element, scope) for i in node.items], kind, scope, node.or_nothing)
        if isinstance(node, Each) and not node.test and isinstance(kind, ListType):
            values, variable, inner = self.each_parts(node, scope)
            body = self.into(node.body, kind.element, inner)
            return self.transformed(values, variable, body, kind, inner[node.variable].type)
        value = self.value(node, scope)
        if _single(kind):
            return self.fitted(value, kind, scope)
        return self.fitted(value, kind)

    def fitted(self, value: Value, kind: Type, scope: dict[str, Value] | None = None) -> Value:
        if scope is not None and _single(kind):
            source = Value(self.hoist(value.sql, scope), value.type)
            made = self.as_fitted(source, kind, scope)
            if made is source.sql:
                return Value(made, kind, value.doubts)
            made = self.hoist(made, scope)
            return Value(made, kind, [*value.doubts, lost(source.sql, made)])
        if value.type == JSON:
            if _single(kind):
                sql, doubts = fit_json(value.sql, kind, self.name, True)
            else:
                opening = "[" if isinstance(kind, ListType) else "{"
                sql, doubts = fit_json(_reopened(value.sql, element_shape(kind)), kind, self.name, True)
                doubts.append(_opens(value.sql, opening))
            return Value(sql, kind, [*value.doubts, *doubts])
        sql, doubts = fit_typed(value.sql, value.type, kind, self.name, self.loose)
        return Value(sql, kind, [*value.doubts, *doubts])

    def as_fitted(self, value: Value, kind: Type, scope: dict[str, Value]) -> Sql:
        if value.type == JSON:
            return fit_json(value.sql, kind, self.name, True, lambda v: self.hoist(v, scope))[0]
        return fit_typed(value.sql, value.type, kind, self.name, self.loose)[0]

    def hoist(self, value: Sql, scope: dict[str, Value]) -> Sql:
        """The value as a column of a SELECT further in, so that whoever reads it twice does not work it out again. Not inside lambdas."""
        if scope or isinstance(value, exp.Column | exp.Dot) or value.find(exp.Column) is None:
            return value
        key = value.sql("duckdb")
        if key not in self.names:
            level = 1 + max((self.levels.get(c.name, -1) for c in value.find_all(exp.Column)), default=-1)
            if level == len(self.hoisted):
                self.hoisted.append([])
            self.names[key] = f"_h{len(self.names)}"
            self.levels[self.names[key]] = level
            self.hoisted[level].append((self.names[key], value))
        return exp.column(self.names[key])

    def name(self) -> str:
        self.count += 1
        return f"x{self.count}"

    def build(self, node: Build, kind: Type, scope: dict[str, Value]) -> Value:
        if isinstance(kind, MapType):
            values = [(k, self.into(n, kind.value, scope)) for k, n in node.entries]
            always = [k for k, n in node.entries if isinstance(n, Listing) and not n.or_nothing]
            unsure = [k for k, _ in values if k not in always]
            made = self.map_of(values, kind)
            if _is_struct([k for k, _ in values]):
                made = self.quick_map(values, unsure, kind, made if len(unsure) > UNSURE_MOST else None)
            if always:
                return Value(made, kind, [d for _, v in values for d in v.doubts])
        elif isinstance(kind, ObjectType):
            known_fields = [(k, n) for k, n in node.entries if k in kind.fields]
            values = [(k, self.into(n, kind.fields[k].type, scope)) for k, n in known_fields]
            made = cast(struct([(k, v.sql) for k, v in values]), sql_type(kind)) if values else exp.Null()
            doubts = [d for k, v in values for d in demanded(v.sql, kind.fields[k])]
            values.append(("", Value(exp.Null(), NULL, doubts)))
        else:
            raise Unvectorised("an object where a list is wanted")
        there = [not_null(v.sql.copy()) for k, v in values if k]
        if not there:
            return Value(exp.Null(), NULL)
        return Value(
            exp.Case(ifs=[exp.If(this=some(*there), true=made)]), kind, [d for _, v in values for d in v.doubts]
        )

    def quick_map(
        self, values: list[tuple[str, Value]], unsure: list[str], kind: MapType, slow: Sql | None = None
    ) -> Sql:
        """A map of the entries that have a value, many times faster than putting entries together: a struct for every choice of those that
        may have none (`unsure`). `slow`: for all choices but the one of all entries."""
        if unsure:
            there = not_null(dict(values)[unsure[0]].sql.copy())
            made = self.quick_map(values, unsure[1:], kind, slow)
            rest = slow or self.quick_map([v for v in values if v[0] != unsure[0]], unsure[1:], kind)
            return exp.Case(ifs=[exp.If(this=there, true=made)], default=rest.copy())
        if not values:
            return exp.Null()
        return cast(struct([(k, cast(v.sql.copy(), sql_type(kind.value))) for k, v in values]), sql_type(kind))

    def map_of(self, values: list[tuple[str, Value]], kind: MapType) -> Sql:
        """A map of the entries that have a value."""
        pairs = [struct([("k", text(k)), ("v", cast(v.sql, sql_type(kind.value)))]) for k, v in values]
        name = self.name()
        known = exp.Lambda(this=not_null(dot(exp.column(name), "v")), expressions=[exp.to_identifier(name)])
        return call("map_from_entries", call("list_filter", exp.Array(expressions=pairs), known))

    def listing(self, values: list[Value], kind: ListType, scope: dict[str, Value], or_nothing: bool = False) -> Value:
        doubts = [d for v in values for d in v.doubts]
        nothing = exp.Null() if or_nothing else cast(exp.Array(expressions=[]), sql_type(kind))
        if len(values) == 1:  # without a lambda
            item = self.item(values[0], kind.element, scope)
            none = exp.If(this=null(item.copy()), true=nothing)
            return Value(exp.Case(ifs=[none], default=exp.Array(expressions=[item])), kind, doubts)
        name = self.name()
        items = exp.Array(expressions=[self.item(v, kind.element, scope) for v in values])
        known = exp.Lambda(this=not_null(exp.column(name)), expressions=[exp.to_identifier(name)])
        made = call("list_filter", cast(items, sql_type(kind)), known)
        if or_nothing:
            empty = exp.EQ(this=call("len", made.copy()), expression=exp.Literal.number(0))
            made = exp.Case(ifs=[exp.If(this=empty, true=nothing)], default=made)
        return Value(made, kind, doubts)

    # --- lists ---
    def each_parts(self, node: Each, scope: dict[str, Value]) -> tuple[Value, str, dict[str, Value]]:
        variable = self.name()
        used = tuple(
            dict.fromkeys(r.steps[0] for r in references(node.body) if r.variable == node.variable and r.steps)
        )
        whole = any(r.variable == node.variable and not r.steps for r in references(node.body))
        if used and whole:
            raise Unvectorised("an element is read as a whole and by its fields")
        if isinstance(node.list, Reference) and not node.list.variable and isinstance(self.fields, JsonFields):
            values = self.fields.elements(node.list.steps, used)
        else:
            values = self.value(node.list, scope)
            if values.type == JSON:
                shape: Any = [dict.fromkeys(used, "JSON") if used else "JSON"]
                values = Value(_reopened(values.sql, shape), ListType(JSON), [*values.doubts, _opens(values.sql, "[")])
        if not isinstance(values.type, ListType):
            raise Unvectorised("a list is wanted")
        element = values.type.element
        if element == JSON and used:
            element = ObjectType("", {f: Field(f, JSON) for f in used})
        return values, variable, {**scope, node.variable: Value(exp.column(variable), element)}

    def transformed(self, values: Value, variable: str, body: Value, kind: ListType, element: Type) -> Value:
        made = call("list_transform", values.sql, exp.Lambda(this=body.sql, expressions=[exp.to_identifier(variable)]))
        absent = null(exp.column(variable))
        if isinstance(element, ObjectType) and isinstance(self.fields, JsonFields):
            absent = every(*(null(dot(exp.column(variable), f)) for f in element.fields))
        inner = [absent, *body.doubts] if isinstance(self.fields, JsonFields) or body.doubts else [absent]
        test = some(*(call("coalesce", exp.Paren(this=d), exp.true()) for d in inner))
        return Value(made, kind, [*values.doubts, _some(values.sql.copy(), variable, test)])

    # --- values of their own type ---
    def value(self, node: Node, scope: dict[str, Value]) -> Value:
        match node:
            case Constant():
                return _constant(node.value)
            case Reference():
                return self.reference(node, scope)
            case Apply():
                return self.lazy(node, scope) if node.function in LAZY else self.apply(node, scope)
            case Each():
                return self.each(node, scope)
            case Listing():
                made = [self.value(i, scope) for i in node.items]
                common = _common([m.type for m in made])
                return self.listing([self.as_type(m, common) for m in made], ListType(common), scope)
            case LookUp():
                return self.look_up(node, scope)
            case _:
                raise Unvectorised("an object outside an object's place")

    def reference(self, node: Reference, scope: dict[str, Value]) -> Value:
        if not node.variable:
            return self.fields.leaf(node.steps)
        base = scope[node.variable]
        sql, kind = base.sql.copy(), base.type
        for step in node.steps:
            if not isinstance(kind, ObjectType):
                raise Unvectorised("a field of an element's inner object")
            if step not in kind.fields:
                return Value(exp.Null(), NULL)
            sql, kind = dot(sql, step), kind.fields[step].type
        return Value(sql, kind)

    def each(self, node: Each, scope: dict[str, Value]) -> Value:
        values, variable, inner = self.each_parts(node, scope)
        if not node.test:
            body = self.value(node.body, inner)
            return self.transformed(values, variable, body, ListType(body.type), inner[node.variable].type)
        test = self.as_kind(self.value(node.body, inner), "boolean")
        made = call("list_filter", values.sql, exp.Lambda(this=test.sql, expressions=[exp.to_identifier(variable)]))
        if not isinstance(inner[node.variable].type, ObjectType) or not isinstance(self.fields, JsonFields):
            return Value(made, values.type, [*values.doubts, *self._doubts_inside(values, variable, test.doubts)])
        raise Unvectorised("whole elements of a filtered list")

    def _doubts_inside(self, values: Value, variable: str, doubts: list[Sql]) -> list[Sql]:
        inner = [null(exp.column(variable)), *doubts]
        return [_some(values.sql.copy(), variable, some(*(exp.Paren(this=d) for d in inner)))]

    def apply(self, node: Apply, scope: dict[str, Value]) -> Value:
        function = TABLE[node.function]
        if function.sql is None:
            raise Unvectorised(f"`{function.name}` has no SQL form")
        args = [self.argument(a, function.kind(i), scope) for i, a in enumerate(node.args)]
        if function.category == "logic" and function.operator and function.kind(0) == "scalar":
            args = list(self.aligned(args[0], args[1]))
        elif function.kind(0) == "scalar":
            args[0] = self.scalar(args[0])
        if function.partial:
            args = [Value(self.hoist(a.sql, scope), a.type, a.doubts) for a in args]
        made = function.sql(*(a.sql.copy() for a in args))
        if made is None:
            raise Unvectorised(f"`{function.name}` has no SQL form for these arguments")
        if function.partial:
            made = self.hoist(made, scope)
        doubts = [d for a in args for d in a.doubts]
        if function.partial:
            given = [not_null(a.sql.copy()) for a in args if not isinstance(a.sql, exp.Literal)]
            doubts.append(every(null(made.copy()), *given))
        return Value(made, _result(function.result, [a.type for a in args]), doubts)

    def argument(self, node: Node, kind: str, scope: dict[str, Value]) -> Value:
        if kind == "list" and isinstance(node, Reference) and not node.variable and isinstance(self.fields, JsonFields):
            return self.fields.elements(node.steps, ())
        value = self.value(node, scope)
        if kind == "list" and not isinstance(value.type, ListType):
            raise Unvectorised("a list is wanted")
        return value if kind in ("scalar", "any", "list") else self.as_kind(value, kind)

    def scalar(self, value: Value) -> Value:
        """Text, for functions that read any single value."""
        if value.type == JSON:
            return Value(
                json_text(value.sql),
                STRING,
                [*value.doubts, _opens(value.sql, "[", True), _opens(value.sql, "{", True)],
            )
        if value.type in (INTEGER, NUMBER, BOOLEAN):
            return Value(cast(value.sql, "VARCHAR"), STRING, value.doubts)
        if value.type in (STRING, NULL):
            return value
        raise Unvectorised("dates and objects are not read again")

    def as_kind(self, value: Value, kind: str) -> Value:
        wanted = {"text": STRING, "boolean": BOOLEAN, "number": NUMBER, "whole": INTEGER}.get(kind)
        if wanted is None:
            raise Unvectorised(f"no SQL for a {kind}")
        return self.as_type(value, wanted)

    def as_type(self, value: Value, kind: Type) -> Value:
        if value.type == kind or value.type == INTEGER and kind == NUMBER:
            return value
        if value.type == NULL:
            return Value(cast(exp.Null(), sql_type(kind)), kind, value.doubts)
        if value.type == JSON and kind in (STRING, BOOLEAN, NUMBER, INTEGER):
            sql, doubts = fit_json(value.sql, kind, self.name, True)
            return Value(sql, kind, [*value.doubts, *doubts])
        if value.type == DOUBLE and kind == NUMBER:
            sql, doubts = fit_typed(value.sql, DOUBLE, NUMBER, self.name, False)
            return Value(sql, kind, [*value.doubts, *doubts])
        raise Unvectorised("a value of another type")

    def aligned(self, left: Value, right: Value) -> tuple[Value, Value]:
        common = _common([left.type, right.type])
        common = STRING if common == JSON else common
        return self.as_type(left, common), self.as_type(right, common)

    def lazy(self, node: Apply, scope: dict[str, Value]) -> Value:
        if node.function in ("and", "or"):
            parts = [self.as_kind(self.value(a, scope), "boolean") for a in node.args]
            join = every if node.function == "and" else some
            return Value(
                exp.Paren(this=join(*(exp.Paren(this=p.sql) for p in parts))),
                BOOLEAN,
                [d for p in parts for d in p.doubts],
            )
        values = [self.value(a, scope) for a in node.args]
        if node.function == "iif":
            condition = self.as_kind(values[0], "boolean")
            yes, no = self.alike(values[1:])
            made = exp.Case(ifs=[exp.If(this=condition.sql, true=yes.sql)], default=no.sql)
            return Value(made, yes.type, [*condition.doubts, *yes.doubts, *no.doubts])
        if node.function == "coalesce":
            alike = self.alike(values)
            return Value(call("coalesce", *(v.sql for v in alike)), alike[0].type, [d for v in alike for d in v.doubts])
        return self.decode(values)

    def decode(self, values: list[Value]) -> Value:
        subject, pairs = values[0], values[1:]
        rest = len(pairs) % 2
        keys, results = pairs[0 : len(pairs) - rest : 2], pairs[1 : len(pairs) - rest : 2]
        alike = self.alike([*results, *([pairs[-1]] if rest else [Value(exp.Null(), NULL)])])
        ifs, doubts = [], [d for v in alike for d in v.doubts]
        for key, result in zip(keys, alike, strict=False):
            a, b = self.aligned(subject, key)
            ifs.append(exp.If(this=exp.EQ(this=a.sql.copy(), expression=b.sql), true=result.sql))
            doubts += [*a.doubts, *b.doubts]
        return Value(exp.Case(ifs=ifs, default=alike[-1].sql), alike[0].type, doubts)

    def alike(self, values: list[Value]) -> list[Value]:
        common = _common([v.type for v in values])
        if common == JSON or not _single(common):
            if all(v.type in (common, NULL) for v in values):
                return values
            raise Unvectorised("values of several types")
        return [self.as_type(v, common) for v in values]

    def look_up(self, node: LookUp, scope: dict[str, Value]) -> Value:
        if scope:
            raise Unvectorised("a look-up inside a list")
        key = self.value(node.key, scope)
        key = self.as_type(key, STRING)
        found = (
            exp.select(exp.func("any_value", exp.column("doc")))
            .from_(exp.to_table(f"lookup_{node.table}"))
            .where(exp.EQ(this=exp.column("key"), expression=key.sql))
        )
        path = text("$" + "".join(f'."{s}"' for s in node.field.split(".")))
        made = call("json_extract", exp.Subquery(this=found), path)
        return Value(call("nullif", made, text("null")), JSON, key.doubts)


def struct(entries: list[tuple[str, Sql]]) -> Sql:
    return exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(n, quoted=True), expression=v) for n, v in entries]
    )


def _is_struct(keys: list[str]) -> bool:
    """May the keys of a map be the fields of a struct?"""
    return all(keys) and len({k.lower() for k in keys}) == len(keys)


def _single(kind: Type) -> bool:
    return not isinstance(kind, ListType | MapType | ObjectType)


def _reopened(value: Sql, shape: Any) -> Sql:
    import json

    return exp.Anonymous(this="TRY", expressions=[call("from_json", value.copy(), text(json.dumps(shape)))])


def _opens(value: Sql, sign: str, unwanted: bool = False) -> Sql:
    """A doubt: the JSON text does not begin with a sign (or, `unwanted`, it does)."""
    begins = exp.EQ(this=call("left", cast(value.copy(), "VARCHAR"), exp.Literal.number(1)), expression=text(sign))
    return every(not_null(value.copy()), exp.Paren(this=begins) if unwanted else exp.Not(this=exp.Paren(this=begins)))


def _constant(value: Any) -> Value:
    if value is None:
        return Value(exp.Null(), NULL)
    if isinstance(value, bool):
        return Value(exp.true() if value else exp.false(), BOOLEAN)
    if isinstance(value, int):
        return (
            Value(cast(exp.Literal.number(value), "BIGINT"), INTEGER)
            if abs(value) >= 2**31
            else Value(_whole(value), INTEGER)
        )
    if isinstance(value, str):
        return Value(text(value), STRING)
    return Value(cast(text(f"{value:f}"), DECIMAL), NUMBER)


def _whole(value: int) -> Sql:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def _common(types: list[Type]) -> Type:
    """The one type for values side by side; JSON gives way to what stands beside it."""
    known = [t for t in types if t != NULL]
    if not known:
        return NULL
    firm = [t for t in known if t != JSON]
    if not firm:
        return JSON
    if all(t in (INTEGER, NUMBER, DOUBLE) for t in firm):
        return NUMBER if len(set(firm)) > 1 or JSON in known or firm[0] == DOUBLE else firm[0]
    if any(t != firm[0] for t in firm):
        raise Unvectorised("values of several types")
    return firm[0]


def _result(result: Type | str, types: list[Type]) -> Type:
    if not isinstance(result, str):
        return result
    if result == "element":
        assert isinstance(types[0], ListType)
        return types[0].element
    return types[0] if result == "first" else ListType(types[0])
