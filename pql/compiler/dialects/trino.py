"""Trino. Layout: objects ROW, lists ARRAY, maps MAP; instants TIMESTAMP(6). Read `Trino`."""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.lambdas import Lambdas
from pql.compiler.dialects.rows import alias_columns
from pql.compiler.dialects.scope import Element, Item, Sql, own
from pql.functions.record import call, number, text
from pql.ir import nodes as ir
from pql.types import ObjectType, Type


class Trino(Lambdas):
    sqlglot = "trino"
    types = {**Lambdas.types, "string": "VARCHAR", "date-time": "TIMESTAMP(6)"}

    def parameter(self) -> Sql:
        return exp.Placeholder()

    def unnest(self, items: Sql, kind: Type) -> Element:
        """UNNEST spreads rows into columns; wrapped once more, they stay whole."""
        alias, name = self.new("u"), self.new("x")
        if isinstance(kind, ObjectType):
            wrapped = exp.Lambda(this=call("ROW", own(name, "")), expressions=[exp.to_identifier(name)])
            items = call("TRANSFORM", items, wrapped)
        made = exp.Unnest(expressions=[items], alias=alias_columns(alias, [name]))
        self.scope.joins.append(exp.Join(this=made, kind="CROSS"))
        return Item(own(name, alias))

    def some(self, items: Sql, condition: Sql) -> Sql:
        return call("ANY_MATCH", items, condition)

    def kept(self, items: Sql, condition: Sql) -> Sql:
        return call("CARDINALITY", call("FILTER", items, condition))

    def ends(self, value: Sql, part: Sql) -> Sql:
        if not isinstance(part, exp.Literal):
            raise self.refuse("`endsWith` with a computed part", "there is no such function", ir.FALSE)
        return self.like(value, "%" + "".join("\\" + c if c in "%_\\" else c for c in part.name))

    def trim(self, value: Sql) -> Sql:
        return exp.Trim(this=value, position="BOTH", expression=text(" "))

    def weekday(self, value: Sql) -> Sql:
        return call("DAY_OF_WEEK", value)

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        if unit == "microsecond":
            raise self.refuse("a distance in microseconds", "intervals are in milliseconds", ir.FALSE)
        return call("DATE_ADD", text(unit), number(amount), value)
