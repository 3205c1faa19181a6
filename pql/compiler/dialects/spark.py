"""Spark SQL 3.5 and later, ANSI mode on. Instants are TIMESTAMP_NTZ. Read `Spark`."""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.lambdas import Lambdas
from pql.compiler.dialects.rows import alias_columns
from pql.compiler.dialects.scope import Element, Item, Sql, own
from pql.functions.record import call, number, paren, text
from pql.types import TIMESTAMP, Type

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class Spark(Lambdas):
    sqlglot = "spark"
    types = {**Lambdas.types, "string": "STRING", "date-time": "TIMESTAMP_NTZ"}

    def unnest(self, items: Sql, kind: Type) -> Element:
        alias, name = self.new("u"), self.new("x")
        self.scope.laterals.append(
            exp.Lateral(this=exp.Explode(this=items), view=True, alias=alias_columns(alias, [name]))
        )  # fmt: skip
        return Item(own(name, alias))

    def some(self, items: Sql, condition: Sql) -> Sql:
        return call("EXISTS", items, condition)

    def kept(self, items: Sql, condition: Sql) -> Sql:
        known = exp.Not(this=exp.Is(this=items, expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=known, true=call("SIZE", call("FILTER", items.copy(), condition)))])

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        return call("TRY_ELEMENT_AT", value, text(key))

    def starts(self, value: Sql, part: Sql) -> Sql:
        return call("STARTSWITH", value, part)

    def ends(self, value: Sql, part: Sql) -> Sql:
        return call("ENDSWITH", value, part)

    def holds(self, value: Sql, part: Sql) -> Sql:
        return call("CONTAINS", value, part)

    def weekday(self, value: Sql) -> Sql:
        return paren(exp.Add(this=call("WEEKDAY", value), expression=number(1)))

    def start(self, value: Sql, unit: str) -> Sql:
        return self.cast(call("DATE_TRUNC", text(unit.upper()), value), TIMESTAMP)

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        if unit == "month":
            step = call("MAKE_YM_INTERVAL", number(0), number(amount))
        elif unit == "day":
            step = call("MAKE_DT_INTERVAL", number(amount))
        elif unit in _SECONDS:
            step = call("MAKE_DT_INTERVAL", number(0), number(0), number(0), number(amount * _SECONDS[unit]))
        else:
            micros = amount * (1000 if unit == "millisecond" else 1)
            seconds = self.cast(
                text(f"{'-' if micros < 0 else ''}{abs(micros) // 10**6}.{abs(micros) % 10**6:06}"), "DECIMAL(18, 6)"
            )
            step = call("MAKE_DT_INTERVAL", number(0), number(0), number(0), seconds)
        return paren(exp.Add(this=value, expression=step))
