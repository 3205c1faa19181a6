"""`fit` as SQL: a source value as the schema's type, with the tests that make its row doubtful. Read `fit_json`, `fit_typed`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from pql.compiler.sql import sql_type
from pql.functions.record import call, cast, text
from pql.ingest.fit import is_pattern
from pql.ingest.functions.number import DECIMAL, PLAIN, WHOLE, guarded
from pql.ingest.functions.time import date_sql, instant_sql
from pql.ingest.shapes import Unvectorised, dot, element_shape, every, some
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
    Type,
)

Sql = exp.Expression
Made = tuple[Sql, list[Sql]]
NUMERAL = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"


def null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.Null())


def not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def lost(before: Sql, after: Sql) -> Sql:
    """A doubt: there was a value, and there is none."""
    return every(not_null(before.copy()), null(after.copy()))


def json_text(value: Sql) -> Sql:
    """The text of a JSON text; of another value its own spelling."""
    return call("json_extract_string", value.copy(), text("$"))


def _same(value: Sql) -> Sql:
    return value


def _raw(value: Sql) -> Sql:
    return cast(value.copy(), "VARCHAR")


def _string(value: Sql) -> Sql:
    quoted = exp.EQ(this=call("left", _raw(value), exp.Literal.number(1)), expression=text('"'))
    return exp.Case(ifs=[exp.If(this=quoted, true=json_text(value))])


def _boolean(value: Sql) -> Sql:
    def same(word: str) -> Sql:
        return exp.EQ(this=_raw(value), expression=text(word))

    return exp.Case(ifs=[exp.If(this=same("true"), true=exp.true()), exp.If(this=same("false"), true=exp.false())])


SCALARS: dict[Type, Callable[[Sql], Sql]] = {
    STRING: _string,
    BOOLEAN: _boolean,
    INTEGER: lambda v: guarded(_raw(v), r"-?[0-9]+", "BIGINT"),
    NUMBER: lambda v: cast(_raw(v), DECIMAL, safe=True),
    DOUBLE: lambda v: cast(cast(_raw(v), DECIMAL, safe=True), "DOUBLE"),
}


def fit_json(value: Sql, kind: Type, name: Callable[[], str], inside: bool, keep: Callable[[Sql], Sql] = _same) -> Made:
    """A JSON value taken out with `shapes`. `inside` a list or map, containers are still text. `keep`: gives what is read more than once
    a place where it is worked out once; not for values inside lists and maps."""
    match kind:
        case ListType():
            return _list(value, kind, name, lambda x: fit_json(x, kind.element, name, True))
        case MapType():
            return _map(value, kind, name, lambda x: fit_json(x, kind.value, name, True))
        case ObjectType():
            return _object(value, kind, name, inside, keep)
        case _:
            made = keep(_scalar(value, kind, keep))
            return made, [lost(value, made)]


def _scalar(value: Sql, kind: Type, keep: Callable[[Sql], Sql]) -> Sql:
    if kind == DATE:
        return date_sql(keep(_string(value)))
    return instant_sql(keep(_string(value))) if kind == TIMESTAMP else SCALARS[kind](value)


def _object(value: Sql, kind: ObjectType, name: Callable[[], str], inside: bool, keep: Callable[[Sql], Sql]) -> Made:
    """Inside a list, what is no object looks like an object with nothing in it: that is doubtful."""
    if not kind.fields:
        raise Unvectorised("an object without fields")
    entries, doubts = [], []
    if inside:
        doubts.append(every(not_null(value.copy()), *(null(dot(value.copy(), key)) for key in kind.fields)))
    for key, field in kind.fields.items():
        part = dot(value.copy(), key)
        if inside and isinstance(field.type, ListType | MapType | ObjectType):
            sign = "[" if isinstance(field.type, ListType) else "{"
            shape = text(json.dumps(element_shape(field.type)))
            opened = exp.Anonymous(this="TRY", expressions=[call("from_json", part, shape)])
            made, more = fit_json(opened, field.type, name, True)
            begins = exp.EQ(this=call("left", _raw(part), exp.Literal.number(1)), expression=text(sign))
            doubts.append(every(not_null(part.copy()), exp.Not(this=exp.Paren(this=begins))))
        else:
            made, more = fit_json(part, field.type, name, inside, keep)
        entries.append(exp.PropertyEQ(this=exp.to_identifier(key, quoted=True), expression=made))
        doubts += [
            every(not_null(value.copy()), exp.Paren(this=d)) for d in (*more, *demanded(made, field, required=True))
        ]
    return exp.Case(ifs=[exp.If(this=not_null(value.copy()), true=exp.Struct(expressions=entries))]), doubts


def _list(value: Sql, kind: ListType, name: Callable[[], str], each: Callable[[Sql], Made]) -> Made:
    variable = name()
    element = exp.column(variable)
    made, doubts = each(element)
    tests = some(null(element.copy()), *(call("coalesce", exp.Paren(this=d), exp.true()) for d in doubts))
    parameters = [exp.to_identifier(variable)]
    changed = call("list_transform", value.copy(), exp.Lambda(this=made, expressions=parameters))
    wrong = call("list_filter", value.copy(), exp.Lambda(this=tests, expressions=parameters))
    found = exp.GT(this=call("coalesce", call("len", wrong), exp.Literal.number(0)), expression=exp.Literal.number(0))
    return changed, [found]


def _map(value: Sql, kind: MapType, name: Callable[[], str], each: Callable[[Sql], Made]) -> Made:
    def entry(e: Sql) -> Made:
        made, doubts = each(dot(e.copy(), "value"))
        pair = exp.Struct(
            expressions=[
                exp.PropertyEQ(this=exp.to_identifier("k", quoted=True), expression=dot(e.copy(), "key")),
                exp.PropertyEQ(this=exp.to_identifier("v", quoted=True), expression=cast(made, sql_type(kind.value))),
            ]
        )
        return pair, [null(dot(e.copy(), "value")), *doubts]

    pairs, doubts = _list(call("map_entries", value.copy()), ListType(kind.value), name, entry)
    return exp.Case(ifs=[exp.If(this=not_null(value.copy()), true=call("map_from_entries", pairs))]), doubts


def fit_typed(value: Sql, source: Type, kind: Type, name: Callable[[], str], loose: bool) -> Made:
    """A value of a known type. Raises Unvectorised where `fit` would refuse every value."""
    if source == NULL:
        return cast(exp.Null(), sql_type(kind)), []
    match kind:
        case ListType() if isinstance(source, ListType):
            return _list(value, kind, name, lambda x: fit_typed(x, source.element, kind.element, name, loose))
        case MapType() if isinstance(source, MapType):
            return _map(value, kind, name, lambda x: fit_typed(x, source.value, kind.value, name, loose))
        case ObjectType() if isinstance(source, ObjectType):
            return _typed_object(value, source, kind, name, loose)
        case ListType() | MapType() | ObjectType():
            raise Unvectorised("a value of another kind")
        case _:
            made = _typed_scalar(value, source, kind, loose)
            return made, [] if made is value else [lost(value, made)]


def _typed_object(value: Sql, source: ObjectType, kind: ObjectType, name: Callable[[], str], loose: bool) -> Made:
    entries, doubts = [], []
    for key, field in kind.fields.items():
        if key not in source.fields:
            if field.bounds and field.bounds.required:
                doubts.append(not_null(value.copy()))
            continue
        made, more = fit_typed(dot(value.copy(), key), source.fields[key].type, field.type, name, loose)
        entries.append(exp.PropertyEQ(this=exp.to_identifier(key, quoted=True), expression=made))
        doubts += [
            every(not_null(value.copy()), exp.Paren(this=d)) for d in (*more, *demanded(made, field, required=True))
        ]
    if not entries:
        raise Unvectorised("no field in common")
    built = cast(exp.Struct(expressions=entries), sql_type(kind))
    return exp.Case(ifs=[exp.If(this=not_null(value.copy()), true=built)]), doubts


def _typed_scalar(value: Sql, source: Type, kind: Type, loose: bool) -> Sql:
    same: Any = (source, kind)
    if source == kind and source != DOUBLE or same in ((INTEGER, DOUBLE),):
        return value
    if same in ((INTEGER, NUMBER), (NUMBER, DOUBLE)):
        return cast(value, sql_type(kind), safe=True)
    if source == DOUBLE and kind in (NUMBER, DOUBLE):
        exact = exact_double(value)
        return exact if kind == NUMBER else cast(exact, "DOUBLE")
    if source in (NUMBER, DOUBLE) and kind == INTEGER:
        whole = exp.EQ(this=call("floor", value.copy()), expression=value.copy())
        return exp.Case(ifs=[exp.If(this=whole, true=cast(value, "BIGINT", safe=True))])
    if same == (DATE, TIMESTAMP):
        return cast(value, "TIMESTAMP")
    if source == STRING and kind in (DATE, TIMESTAMP):
        return date_sql(value) if kind == DATE else instant_sql(value)
    if source == STRING and loose:
        return _loose(value, kind)
    raise Unvectorised("a value of another type")


def exact_double(value: Sql) -> Sql:
    """A double as the decimal that its shortest spelling is; a plain cast where it leads back to the same double."""
    near = cast(value.copy(), DECIMAL, safe=True)
    same = every(
        exp.LT(this=call("abs", value.copy()), expression=exp.Literal.number(10**9)),
        exp.EQ(this=cast(near.copy(), "DOUBLE"), expression=value.copy()),
    )
    spelled = cast(cast(value.copy(), "VARCHAR"), DECIMAL, safe=True)
    return exp.Case(ifs=[exp.If(this=same, true=near)], default=spelled)


def _loose(value: Sql, kind: Type) -> Sql:
    """Cells of CSV: canonical texts of numbers and booleans."""
    if kind == INTEGER:
        return guarded(value, WHOLE, "BIGINT")
    if kind == NUMBER:
        return guarded(value, PLAIN, DECIMAL)
    if kind == DOUBLE:
        return cast(guarded(value, PLAIN, DECIMAL), "DOUBLE")
    if kind == BOOLEAN:
        ifs = [
            exp.If(this=exp.EQ(this=value.copy(), expression=text(w)), true=exp.true() if w == "true" else exp.false())
            for w in ("true", "false")
        ]
        return exp.Case(ifs=ifs)
    raise Unvectorised("a value of another type")


def demanded(value: Sql, field: Field, required: bool = False) -> list[Sql]:
    """Doubts from what the schema demands of a field's value beyond its type."""
    doubts: list[Sql] = []
    if field.enum is not None and field.type == STRING:
        known = exp.In(this=value.copy(), expressions=[text(v) for v in field.enum])
        doubts.append(every(not_null(value.copy()), exp.Not(this=known)))
    bounds = field.bounds
    if bounds is None:
        return doubts
    if required and bounds.required:
        doubts.append(null(value.copy()))
    tests: list[Sql] = []
    if field.type == STRING:
        length = call("length", value.copy())
        if bounds.min_length is not None:
            tests.append(exp.LT(this=length.copy(), expression=exp.Literal.number(bounds.min_length)))
        if bounds.max_length is not None:
            tests.append(exp.GT(this=length.copy(), expression=exp.Literal.number(bounds.max_length)))
        if bounds.pattern and is_pattern(bounds.pattern):
            tests.append(exp.Not(this=call("regexp_matches", value.copy(), text(bounds.pattern))))
    elif field.type in (INTEGER, NUMBER, DOUBLE):
        for limit, node in ((bounds.minimum, exp.LT), (bounds.maximum, exp.GT)):
            if limit is not None:
                tests.append(node(this=value.copy(), expression=cast(text(repr(limit)), "DOUBLE")))
    return doubts + [every(not_null(value.copy()), exp.Paren(this=t)) for t in tests]
