"""Small pieces of SQL that every part of the batch engine builds with. Knows types and sqlglot; no IR. Read `sql_type`."""

from __future__ import annotations

from sqlglot import exp

from pql.functions.record import call, cast, number, paren
from pql.types import NUMBER, GroupsType, ListType, MapType, ObjectType, Type

Sql = exp.Expression
SCALARS = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DECIMAL(18, 6)",
    "exact number": "DECIMAL(38, 6)",
    "double": "DOUBLE",
    "string": "TEXT",
    "date": "DATE",
    "date-time": "TIMESTAMP",
    "null": "INTEGER",
}


def sql_type(t: Type) -> str:
    """The DuckDB type of a PQL type."""
    match t:
        case ListType():
            return f"{sql_type(t.element)}[]"
        case MapType():
            return f"MAP(TEXT, {sql_type(t.value)})"
        case ObjectType():
            fields = [f'"{name}" {sql_type(f.type)}'.replace('""', '"') for name, f in t.fields.items()]
            return f"STRUCT({', '.join(fields) or '_ BOOLEAN'})"
        case GroupsType():
            return f"STRUCT(k {sql_type(t.key)}, g {sql_type(t.element)}[])[]"
        case _:
            return SCALARS[getattr(t, "name", "null")]


def variable(id: int) -> str:
    return f"v{id}"


def lam(params: list[str], body: Sql) -> Sql:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(p) for p in params])


def name(identifier: str) -> Sql:
    return exp.Column(this=exp.to_identifier(identifier))


def coalesce(value: Sql, default: Sql) -> Sql:
    return exp.Coalesce(this=value, expressions=[default])


def is_null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.Null())


def not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def both(*tests: Sql) -> Sql:
    result = tests[0]
    for t in tests[1:]:
        result = exp.And(this=result, expression=t)
    return paren(result)


def size(items: Sql) -> Sql:
    return coalesce(call("len", items), number(0))


def struct(entries: list[tuple[str, Sql]]) -> Sql:
    entries = entries or [("_", cast(exp.Null(), "BOOLEAN"))]
    return exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(k, quoted=True), expression=v) for k, v in entries]
    )


def empty(t: Type) -> Sql:
    """The empty list of a type; of a list of objects untyped, because the other side has the exact type."""
    return exp.Array(expressions=[])


def average(total: Sql, count: Sql, element: Type) -> Sql:
    """Exact sum over count, rounded once: a decimal's sum is scaled to a whole number first."""
    divisor: Sql = call("nullif", count, number(0))
    if element == NUMBER:
        total = paren(exp.Mul(this=cast(total, "DECIMAL(38, 6)"), expression=number(1_000_000)))
        divisor = paren(exp.Mul(this=divisor, expression=number(1_000_000)))
    quotient = exp.Div(this=cast(total, "DOUBLE"), expression=cast(divisor, "DOUBLE"), typed=False, safe=False)
    return paren(quotient)
