"""The portable form on DuckDB: the form that tests compare with the complete one. Read `DuckDb`."""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.portable import Portable
from pql.compiler.dialects.scope import Sql
from pql.functions import FUNCTIONS
from pql.functions.record import call, number, text
from pql.ir import nodes as ir
from pql.types import NUMBER, Type


class DuckDb(Portable):
    sqlglot = "duckdb"

    def exactly(self, sign: str, left: Sql, right: Sql, kind: Type) -> Sql:
        """A product of short decimals is computed in 64 bits, so one is made longer."""
        if (sign, kind) != ("*", NUMBER):
            return super().exactly(sign, left, right, kind)
        product = exp.Mul(this=self.cast(left, "DECIMAL(19, 6)"), expression=self.cast(right, NUMBER))
        return call("ROUND", product, number(6))

    def zone(self, instant: Sql, zone: str, back: bool, node: ir.Expr) -> Sql:
        first, second = (zone, "UTC") if back else ("UTC", zone)
        return call("TIMEZONE", text(second), call("TIMEZONE", text(first), instant))

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        return call("MAP_EXTRACT_VALUE", value, text(key))

    def call_matches(self, e: ir.Call) -> Sql:
        return call("REGEXP_MATCHES", self.value(e.args[0]), self.value(e.args[1]))

    def call_absolute(self, e: ir.Call) -> Sql:
        return call("TRY", call("ABS", self.value(e.args[0])))

    def call_regexgroup(self, e: ir.Call) -> Sql:
        build = FUNCTIONS["regexGroup"].sql
        assert build is not None
        return build(*(self.value(a) for a in e.args))
