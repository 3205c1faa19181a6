"""For dialects whose engines cannot query an array of the row at hand, but have functions that take lambdas.

Inside a lambda no query can stand. Must not know a dialect's name. Read `Lambdas.array_test`.
"""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.portable import Portable
from pql.compiler.dialects.scope import Item, Sql, own
from pql.functions.record import number
from pql.ir import nodes as ir
from pql.types import Type


class Lambdas(Portable):
    def some(self, items: Sql, condition: Sql) -> Sql:
        """Does a lambda hold for some element?"""
        raise NotImplementedError

    def kept(self, items: Sql, condition: Sql) -> Sql:
        """For how many elements does a lambda hold?"""
        raise NotImplementedError

    def lambda_(self, kind: Type, var: int, condition: ir.Expr) -> Sql:
        name = self.new("x")
        before, inside = dict(self.env), self.in_lambda
        self.env[var], self.in_lambda = Item(own(name, "")), True
        body = self.test(condition, exact=True)
        self.env, self.in_lambda = before, inside
        return exp.Lambda(this=body, expressions=[exp.to_identifier(name)])

    def array_test(self, items: Sql, kind: Type, e: ir.Exists, exact: bool) -> Sql:
        return self.exact(self.some(items, self.lambda_(kind, e.var, self._condition)), exact)

    def array_count(self, items: Sql, kind: Type, var: int, condition: ir.Expr) -> Sql:
        count = self.kept(items, self.lambda_(kind, var, condition))
        return exp.Coalesce(this=count, expressions=[number(0)])
