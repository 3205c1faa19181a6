"""Snowflake. Layout: objects OBJECT, lists ARRAY, maps OBJECT; instants TIMESTAMP_NTZ(6). Read `Snowflake`."""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.lambdas import Lambdas
from pql.compiler.dialects.scope import Element, Item, Sql, own
from pql.functions.record import call, number, text
from pql.ir import nodes as ir
from pql.ir.walk import free_variables, walk
from pql.types import ScalarType, Type


class Snowflake(Lambdas):
    sqlglot = "snowflake"
    types = {**Lambdas.types, "date-time": "TIMESTAMP_NTZ(6)"}

    def parameter(self) -> Sql:
        return exp.Placeholder()

    def field(self, value: Sql, name: str, kind: Type) -> Sql:
        """Parts of an OBJECT have no type of their own: they are cast to the field's."""
        return self.typed(call("GET", value, text(name)), kind)

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        return self.field(value, key, kind)

    def typed(self, value: Sql, kind: Type) -> Sql:
        return self.cast(value, kind) if isinstance(kind, ScalarType) else value

    def unnest(self, items: Sql, kind: Type) -> Element:
        alias = self.new("u")
        flatten = call("FLATTEN", exp.Kwarg(this=exp.Var(this="INPUT"), expression=items))
        made = exp.Lateral(this=flatten, alias=exp.TableAlias(this=exp.to_identifier(alias)))
        self.scope.joins.append(exp.Join(this=made, kind="CROSS"))
        return Item(self.typed(own("VALUE", alias), kind))

    def lambda_(self, kind: Type, var: int, condition: ir.Expr) -> Sql:
        if free_variables(condition) - {var, ir.PROFILE} or any(
            isinstance(n, ir.Var) and n.id == 0 for n in walk(condition)
        ):
            reason = "a lambda that looks outside the element has no proven form"
            raise self.refuse("an item compared with what is around it", reason, condition)
        name = self.new("x")
        before, inside = dict(self.env), self.in_lambda
        self.env[var], self.in_lambda = Item(self.typed(own(name, ""), kind)), True
        body = self.test(condition, exact=True)
        self.env, self.in_lambda = before, inside
        return exp.Lambda(this=body, expressions=[exp.to_identifier(name)])

    def some(self, items: Sql, condition: Sql) -> Sql:
        return exp.GT(this=self.kept(items, condition), expression=number(0))

    def kept(self, items: Sql, condition: Sql) -> Sql:
        return call("ARRAY_SIZE", call("FILTER", items, condition))

    def whole_is_null(self, e: ir.IsNull) -> Sql:
        raise self.refuse("`isNull` of an object or a list", "a JSON null and a missing value differ here", e)

    def starts(self, value: Sql, part: Sql) -> Sql:
        return call("STARTSWITH", value, part)

    def ends(self, value: Sql, part: Sql) -> Sql:
        return call("ENDSWITH", value, part)

    def holds(self, value: Sql, part: Sql) -> Sql:
        return call("CONTAINS", value, part)

    def trim(self, value: Sql) -> Sql:
        return call("TRIM", value, text(" "))

    def weekday(self, value: Sql) -> Sql:
        return call("DAYOFWEEKISO", value)

    def start(self, value: Sql, unit: str) -> Sql:
        """A week is counted back from the ISO day: `DATE_TRUNC('week')` depends on the session."""
        if unit == "week":
            back = exp.Sub(this=number(1), expression=self.weekday(value.copy()))
            return call("DATEADD", exp.Var(this="DAY"), back, call("DATE_TRUNC", text("day"), value))
        return call("DATE_TRUNC", text(unit), value)

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        return call("DATEADD", exp.Var(this=unit.upper()), number(amount), value)
