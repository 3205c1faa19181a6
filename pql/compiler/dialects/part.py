"""What the parts of the portable renderer expect of each other. Must hold no rendering. Read `Part`."""

from __future__ import annotations

from collections.abc import Callable

from pql.clock import Settings
from pql.compiler.dialects.refusal import Refusal
from pql.compiler.dialects.scope import Element, Scope, Sql
from pql.ir import nodes as ir
from pql.types import Type


class Part:
    """The renderer as its parts see it. `env` spells bound variables; `scope` is the SELECT being written."""

    sqlglot = ""
    settings: Settings
    segment: Callable[[str], ir.Expr]
    env: dict[int, Element]
    scope: Scope
    in_lambda: bool

    def new(self, letter: str) -> str:
        raise NotImplementedError

    def refuse(self, construct: str, reason: str, node: ir.Expr, help: str = "") -> Refusal:
        raise NotImplementedError

    def spoken(self, e: ir.Expr) -> str:
        raise NotImplementedError

    def cast(self, value: Sql, kind: Type | str) -> Sql:
        raise NotImplementedError

    def value(self, e: ir.Expr) -> Sql:
        raise NotImplementedError

    def test(self, e: ir.Expr, *, exact: bool) -> Sql:
        raise NotImplementedError

    def exact(self, sql: Sql, exact: bool) -> Sql:
        raise NotImplementedError

    def ordered(self, value: Sql, kind: Type) -> Sql:
        raise NotImplementedError

    def quotient(self, left: Sql, right: Sql) -> Sql:
        raise NotImplementedError
