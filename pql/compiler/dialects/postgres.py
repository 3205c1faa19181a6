"""PostgreSQL 14 and later. Layout: objects are composite types, lists arrays of them, maps `jsonb`. Read `Postgres`."""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.portable import Portable
from pql.compiler.dialects.rows import alias_columns
from pql.compiler.dialects.scope import Element, Item, Row, Sql, own
from pql.functions.record import call, paren, text
from pql.ir import nodes as ir
from pql.types import STRING, MapType, ObjectType, ScalarType, Type


class Postgres(Portable):
    sqlglot = "postgres"
    types = {**Portable.types, "double": "DOUBLE PRECISION"}
    wide_factor = "DECIMAL(38, 0)"

    def parameter(self) -> Sql:
        return exp.Parameter(this=exp.Literal.number("1"))

    def field(self, value: Sql, name: str, kind: Type) -> Sql:
        if value.meta.get("json"):
            return self.map_value(value, name, kind)
        return exp.Dot(this=paren(value), expression=exp.to_identifier(name, quoted=True))

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        """From `jsonb`: text for plain values, `jsonb` again for what has parts."""
        if not isinstance(kind, ScalarType):
            made: Sql = call("JSONB_EXTRACT_PATH", value, text(key))
            made.meta["json"] = True
            return made
        plain = call("JSONB_EXTRACT_PATH_TEXT", value, text(key))
        return plain if kind == STRING else self.cast(plain, kind)

    def unnest(self, items: Sql, kind: Type) -> Element:
        alias, name = self.new("u"), self.new("x")
        if isinstance(kind, MapType) or items.meta.get("json"):
            raise self.refuse("lists inside maps", "maps are `jsonb` here", ir.FALSE)
        whole = isinstance(kind, ObjectType)
        made = exp.Unnest(expressions=[items], alias=alias_columns(alias, [] if whole else [name]))
        self.scope.joins.append(exp.Join(this=made, kind="CROSS"))
        return Row(alias) if whole else Item(own(name, alias))

    def whole_is_null(self, e: ir.IsNull) -> Sql:
        """`IS NULL` on a composite also holds when all its fields are null."""
        return exp.NullSafeEQ(this=self.value(e.operand), expression=exp.Null())

    def ordered(self, value: Sql, kind: Type) -> Sql:
        return exp.Collate(this=value, expression=exp.to_identifier("C", quoted=True)) if kind == STRING else value

    def fold_case(self, value: Sql) -> Sql:
        return call("LOWER", exp.Collate(this=value, expression=exp.to_identifier("und-x-icu", quoted=True)))

    def ends(self, value: Sql, part: Sql) -> Sql:
        return paren(exp.EQ(this=call("RIGHT", value, call("LENGTH", part)), expression=part.copy()))

    def part(self, name: str, value: Sql) -> Sql:
        return self.cast(super().part(name, value), "BIGINT")

    def move(self, value: Sql, amount: int, unit: str) -> Sql:
        return paren(exp.Add(this=value, expression=self.cast(text(f"{amount} {unit}s"), "INTERVAL")))

    def zone(self, instant: Sql, zone: str, back: bool, node: ir.Expr) -> Sql:
        first, second = (zone, "UTC") if back else ("UTC", zone)
        return call("TIMEZONE", text(second), call("TIMEZONE", text(first), instant))

    def trim(self, value: Sql) -> Sql:
        return call("BTRIM", value, text(" "))
