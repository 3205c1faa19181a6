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
