"""BigQuery (GoogleSQL). Layout: objects STRUCT, lists ARRAY, maps ARRAY<STRUCT<key STRING, value T>>; instants DATETIME.

Read `BigQuery`.
"""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.portable import Portable
from pql.compiler.dialects.scope import Element, Item, Sql, own
from pql.functions.record import call, number, paren, text
from pql.ir import nodes as ir
from pql.types import INTEGER, NUMBER, Type


class BigQuery(Portable):
    sqlglot = "bigquery"
    types = {
        "boolean": "BOOL",
        "integer": "INT64",
        "number": "NUMERIC(18, 6)",
        "double": "FLOAT64",
        "string": "STRING",
        "date": "DATE",
        "date-time": "DATETIME",
        "null": "INT64",
    }
    wide = {INTEGER: "BIGNUMERIC", NUMBER: "BIGNUMERIC"}
    wide_factor = "BIGNUMERIC"

    def parameter(self) -> Sql:
        return exp.Parameter(this=exp.Var(this="now"))

    def exactly(self, sign: str, left: Sql, right: Sql, kind: Type) -> Sql:
        """NUMERIC keeps nine digits: a product needs twelve before it is rounded to six."""
        if (sign, kind) != ("*", NUMBER):
            return super().exactly(sign, left, right, kind)
        product = exp.Mul(this=self.cast(left, "BIGNUMERIC"), expression=self.cast(right, "BIGNUMERIC"))
        return call("ROUND", product, number(6))

    def sum(self, value: Sql, kind: Type) -> Sql:
        """NUMERIC is wider than PQL's number, so the range is looked at here."""
        total = self.total(value, kind)
        if kind == INTEGER:
            return self.cast(total, kind)
        within = exp.LT(this=call("ABS", total), expression=number(10**12))
        none = exp.If(this=exp.Is(this=total.copy(), expression=exp.Null()), true=exp.Null())
        failed = call("ERROR", text("sum out of range (PQL0601)"))
        return exp.Case(ifs=[none, exp.If(this=within, true=self.cast(total.copy(), kind))], default=failed)

    def unnest(self, items: Sql, kind: Type) -> Element:
        name = self.new("x")
        made = exp.Unnest(expressions=[items], alias=exp.TableAlias(columns=[exp.to_identifier(name)]))
        self.scope.joins.append(exp.Join(this=made, kind="CROSS"))
        return Item(own(name, ""))

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        entry = self.new("x")
        made = exp.Unnest(expressions=[value], alias=exp.TableAlias(columns=[exp.to_identifier(entry)]))
        found = exp.Select(expressions=[own("value", entry)]).from_(made)
        return found.where(exp.EQ(this=own("key", entry), expression=text(key))).subquery()

    def like(self, value: Sql, pattern: str) -> Sql:
        """No ESCAPE here: the backslash is the escape."""
        return paren(exp.Like(this=value, expression=text(pattern)))

    def call_matches(self, e: ir.Call) -> Sql:
        return call("REGEXP_CONTAINS", self.value(e.args[0]), self.value(e.args[1]))

    def trim(self, value: Sql) -> Sql:
        return call("TRIM", value, text(" "))

    def weekday(self, value: Sql) -> Sql:
        monday = call("MOD", exp.Add(this=self.part("DAYOFWEEK", value), expression=number(5)), number(7))
        return paren(exp.Add(this=monday, expression=number(1)))

    def start(self, value: Sql, unit: str) -> Sql:
        return call("DATETIME_TRUNC", value, exp.Var(this="ISOWEEK" if unit == "week" else unit.upper()))

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        step = exp.Interval(this=number(abs(amount)), unit=exp.Var(this=unit.upper()))
        return call("DATETIME_ADD" if amount >= 0 else "DATETIME_SUB", value, step)
