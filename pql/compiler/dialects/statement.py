"""One statement in a dialect: its text, the parameters to bind, its columns. Read `compile_dialect`.

A test becomes the list of its members, any other expression a value a person. Must not know diagnostics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.dialects.bigquery import BigQuery
from pql.compiler.dialects.clickhouse import ClickHouse
from pql.compiler.dialects.duckdb import DuckDb
from pql.compiler.dialects.portable import Portable
from pql.compiler.dialects.postgres import Postgres
from pql.compiler.dialects.scope import named
from pql.compiler.dialects.snowflake import Snowflake
from pql.compiler.dialects.spark import Spark
from pql.compiler.dialects.trino import Trino
from pql.ir import nodes as ir
from pql.types import ScalarType, describe

RENDERERS: dict[str, type[Portable]] = {
    "duckdb": DuckDb,
    "spark": Spark,
    "snowflake": Snowflake,
    "bigquery": BigQuery,
    "trino": Trino,
    "clickhouse": ClickHouse,
    "postgres": Postgres,
}
DIALECTS = tuple(RENDERERS)


@dataclass(frozen=True)
class Statement:
    """`parameters`: what to bind, in order; a name that stands twice is bound twice."""

    tree: exp.Expression
    dialect: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]

    def sql(self, pretty: bool = True) -> str:
        return self.tree.sql(dialect=self.dialect, pretty=pretty)


def compile_dialect(
    expression: ir.Expr, dialect: str, settings: Settings, segments: Mapping[str, ir.Expr] | None = None
) -> Statement:
    """Raises Refusal for what the dialect cannot say."""
    known = dict(segments or {})
    renderer = RENDERERS[dialect](settings, lambda id: known[id])
    renderer.scope.person()
    if not isinstance(expression.type, ScalarType):
        raise renderer.refuse(f"{describe(expression.type)} as the result", "only plain values have a form", expression)
    is_test = isinstance(expression, ir.TESTS) or expression in (ir.TRUE, ir.FALSE)
    if is_test:
        renderer.require(expression)
        value = None
    else:
        value = named(renderer.value(expression), "c0")
    scope = renderer.scope
    pid = named(scope.pid, "pid")
    tree = scope.select([pid] if value is None else [pid, value])
    clause = getattr(renderer, "settings_clause", ())
    if clause:
        tree.set("settings", [exp.EQ(this=exp.Var(this=k), expression=exp.Literal.number(v)) for k, v in clause])
    return Statement(tree, dialect, _parameters(tree), ("pid",) if value is None else ("pid", "c0"))


def _parameters(tree: exp.Expression) -> tuple[str, ...]:
    """One entry for each `?`; one in all where parameters have names or numbers."""
    found = list(tree.find_all(exp.Placeholder, exp.Parameter))
    positional = [p for p in found if isinstance(p, exp.Placeholder) and not p.this]
    return ("now",) * len(positional) if positional else ("now",) * bool(found)
