"""ClickHouse 25.8 and later. Layout: objects Tuple, lists Array, maps Map with nullable values, plain columns Nullable;
instants DateTime64(6, 'UTC'). Read `ClickHouse`.
"""

from __future__ import annotations

from datetime import datetime

from sqlglot import exp

from pql.compiler.dialects.lambdas import Lambdas
from pql.compiler.dialects.scope import Element, Item, Sql, own
from pql.functions.record import call, number, paren, text
from pql.ir import nodes as ir
from pql.types import INTEGER, NUMBER, Type

STAMP = "DateTime64(6, 'UTC')"
_STARTS = {"second": "toStartOfSecond", "minute": "toStartOfMinute", "hour": "toStartOfHour", "day": "toStartOfDay",
           "week": "toMonday", "month": "toStartOfMonth", "year": "toStartOfYear"}  # fmt: skip


class ClickHouse(Lambdas):
    sqlglot = "clickhouse"
    types = {
        "boolean": "Nullable(Bool)",
        "integer": "Nullable(Int64)",
        "number": "Nullable(Decimal(18, 6))",
        "double": "Nullable(Float64)",
        "string": "Nullable(String)",
        "date": "Nullable(Date32)",
        "date-time": f"Nullable({STAMP})",
        "null": "Nullable(Int32)",
    }
    wide = {INTEGER: "Nullable(Int128)", NUMBER: "Nullable(Decimal(38, 6))"}
    wide_factor = "Nullable(Int128)"
    settings_clause = (("join_use_nulls", 1), ("enable_extended_results_for_datetime_functions", 1))

    def parameter(self) -> Sql:
        return exp.Placeholder(this="now", kind=exp.DataType.build(STAMP, dialect="clickhouse"))

    def value_clock(self, e: ir.Clock) -> Sql:
        return self.parameter()

    def instant(self, value: datetime) -> Sql:
        return call("toDateTime64", text(value.isoformat(sep=" ")), number(6), text("UTC"))

    def field(self, value: Sql, name: str, kind: Type) -> Sql:
        return call("tupleElement", value, text(name))

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        return call("arrayElement", value, text(key))

    def unnest(self, items: Sql, kind: Type) -> Element:
        name = self.new("x")
        self.scope.joins.append(exp.Join(this=exp.alias_(items, name), kind="ARRAY"))
        return Item(own(name, ""))

    def some(self, items: Sql, condition: Sql) -> Sql:
        return call("arrayExists", condition, items)

    def kept(self, items: Sql, condition: Sql) -> Sql:
        return call("arrayCount", condition, items)

    def whole_is_null(self, e: ir.IsNull) -> Sql:
        raise self.refuse("`isNull` of an object or a list", "tuples and arrays are never null here", e)

    def comparable(self, e: ir.Expr, other: ir.Expr) -> Sql:
        """An integer against a decimal: widened first, or large ones overflow."""
        value = self.value(e)
        return self.cast(value, self.wide[NUMBER]) if (e.type, other.type) == (INTEGER, NUMBER) else value

    def starts(self, value: Sql, part: Sql) -> Sql:
        return call("startsWith", value, part)

    def ends(self, value: Sql, part: Sql) -> Sql:
        return call("endsWith", value, part)

    def holds(self, value: Sql, part: Sql) -> Sql:
        return paren(exp.GT(this=call("position", value, part), expression=number(0)))

    def lower(self, value: Sql) -> Sql:
        if isinstance(value, exp.Literal):
            return super().lower(value)
        replaced = call("replaceAll", call("replaceAll", value, text("İ"), text("i̇")), text("Σ"), text("σ"))
        return call("lowerUTF8", replaced)

    def like(self, value: Sql, pattern: str) -> Sql:
        """The backslash is the escape."""
        return paren(exp.Like(this=value, expression=text(pattern)))

    def call_matches(self, e: ir.Call) -> Sql:
        """RE2; unlike elsewhere the point takes a line's end unless told not to."""
        pattern = e.args[1]
        assert isinstance(pattern, ir.Const)
        return call("match", self.value(e.args[0]), text(f"(?-s){pattern.value}"))

    def trim(self, value: Sql) -> Sql:
        return exp.Trim(this=value, position="BOTH", expression=text(" "))

    def length(self, value: Sql) -> Sql:
        return call("lengthUTF8", value)

    def substring(self, value: Sql, position: list[Sql]) -> Sql:
        return call("substringUTF8", value, *position)

    def weekday(self, value: Sql) -> Sql:
        return call("toDayOfWeek", value)

    def part(self, name: str, value: Sql) -> Sql:
        function = {"YEAR": "toYear", "MONTH": "toMonth", "DAY": "toDayOfMonth"}[name]
        return self.cast(call(function, value), INTEGER)

    def start(self, value: Sql, unit: str) -> Sql:
        return call("toDateTime64", call(_STARTS[unit], value), number(6), text("UTC"))

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        return call(f"add{unit.capitalize()}s", value, number(amount))

    def exactly(self, sign: str, left: Sql, right: Sql, kind: Type) -> Sql:
        """A product keeps its operands' size, so they are made large first; `round` of decimals goes away from zero."""
        if (sign, kind) != ("*", NUMBER):
            return super().exactly(sign, left, right, kind)
        product = exp.Mul(this=self.cast(left, self.wide[NUMBER]), expression=self.cast(right, self.wide[NUMBER]))
        return call("round", product, number(6))

    def remainder(self, e: ir.Call, left: Sql, right: Sql) -> Sql:
        if e.type != INTEGER:
            raise self.refuse("`%` of decimals", "it is computed in binary here", e)
        return self.cast(call("modulo", left, call("nullIf", right, number(0))), INTEGER)

    def sum(self, value: Sql, kind: Type) -> Sql:
        """`sum` wraps, CAST cuts, and a decimal holds more digits than it says: all three are looked at."""
        total = self.total(value, kind)
        if kind == INTEGER:
            return call("accurateCast", total, text("Nullable(Int64)"))
        beyond = exp.GTE(this=call("abs", total), expression=number(10**12))
        fails = call("throwIf", call("coalesce", beyond, exp.false()), text("sum out of range (PQL0601)"))
        fits = exp.EQ(this=fails, expression=number(0))
        return exp.Case(ifs=[exp.If(this=fits, true=self.cast(total.copy(), kind))])
