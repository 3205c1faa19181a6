"""Lists, sets, maps, groups and aggregates as SQL list functions with lambdas. SEMANTICS sections 4, 7, 8.

A part of the renderer: `render.Renderer` puts it together with the rest. Must not know tables. Read `Lists.value_transform`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from pql.compiler.sql import (
    SCALARS,
    Sql,
    average,
    both,
    coalesce,
    empty,
    is_null,
    lam,
    name,
    not_null,
    size,
    struct,
    variable,
)
from pql.functions.record import call, cast, number, paren, text
from pql.ir import nodes as ir
from pql.types import INTEGER


class Rendering:
    """What the parts of the renderer ask of each other."""

    fresh = 0

    def new_name(self) -> str:
        self.fresh += 1
        return f"x{self.fresh}"

    def value(self, e: ir.Expr) -> Sql:
        raise NotImplementedError

    def test(self, e: ir.Expr, *, exact: bool) -> Sql:
        raise NotImplementedError


class Lists(Rendering):
    def _first_of(self, items: Sql, x: str, i: str) -> Sql:
        return both(not_null(name(x)), exp.EQ(this=call("list_position", items, name(x)), expression=name(i)))

    def bound(self, value: Sql, use: Callable[[Sql], Sql]) -> Sql:
        """`use(value)` with the value computed once: lambdas would otherwise compute it again for every element."""
        if isinstance(value, exp.Column | exp.Literal):
            return use(value)
        once = self.new_name()
        made = call("list_transform", call("list_value", value), lam([once], use(name(once))))
        return call("list_extract", made, number(1))

    def call_distinct(self, e: ir.Call) -> Sql:
        x, i = self.new_name(), self.new_name()

        def use(items: Sql) -> Sql:
            return call("list_filter", items, lam([x, i], self._first_of(items.copy(), x, i)))

        return coalesce(self.bound(self.value(e.args[0]), use), empty(e.type))

    def call_intersection(self, e: ir.Call) -> Sql:
        x, i = self.new_name(), self.new_name()

        def use(items: Sql, other: Sql) -> Sql:
            shared = both(self._first_of(items.copy(), x, i), call("list_contains", other, name(x)))
            return call("list_filter", items, lam([x, i], shared))

        left, right = self.value(e.args[0]), self.value(e.args[1])
        return coalesce(self.bound(left, lambda a: self.bound(right, lambda b: use(a, b))), empty(e.type))

    def call_intersects(self, e: ir.Call) -> Sql:
        x = self.new_name()

        def use(other: Sql) -> Sql:
            shared = both(not_null(name(x)), call("list_contains", other, name(x)))
            return size(call("list_filter", self.value(e.args[0]), lam([x], shared)))

        return exp.GT(this=self.bound(self.value(e.args[1]), use), expression=number(0))

    def _subset(self, items: Sql, other: Sql) -> Sql:
        x = self.new_name()

        def use(others: Sql) -> Sql:
            absent = exp.Not(this=coalesce(call("list_contains", others, name(x)), exp.false()))
            return size(call("list_filter", items, lam([x], both(not_null(name(x)), absent))))

        return exp.EQ(this=self.bound(other, use), expression=number(0))

    def call_subsetof(self, e: ir.Call) -> Sql:
        return self._subset(self.value(e.args[0]), self.value(e.args[1]))

    def call_supersetof(self, e: ir.Call) -> Sql:
        return self._subset(self.value(e.args[1]), self.value(e.args[0]))

    def call_in(self, e: ir.Call) -> Sql:
        item, items = e.args
        if isinstance(items, ir.MakeList) and all(isinstance(i, ir.Const) for i in items.items):
            present = [self.value(i) for i in items.items if isinstance(i, ir.Const) and i.value is not None]
            return paren(exp.In(this=self.value(item), expressions=present)) if present else exp.false()
        return both(not_null(self.value(item)), call("list_contains", self.value(items), self.value(item)))

    def call_notin(self, e: ir.Call) -> Sql:
        item, items = self.value(e.args[0]), self.value(e.args[1])
        absent = exp.Not(this=call("list_contains", items.copy(), item.copy()))
        return both(not_null(item), not_null(items), absent)

    def call_listequal(self, e: ir.Call) -> Sql:
        first, second = self.value(e.args[0]), self.value(e.args[1])
        return self.bound(first, lambda a: self.bound(second, lambda b: self._list_equal(a, b)))

    def _list_equal(self, left: Sql, right: Sql) -> Sql:
        x, i = self.new_name(), self.new_name()
        same = exp.EQ(this=name(x), expression=call("list_extract", right.copy(), name(i)))
        pairs = call("len", call("list_filter", left.copy(), lam([x, i], same)))
        length = exp.EQ(this=call("len", left.copy()), expression=call("len", right))
        return both(length, exp.EQ(this=pairs, expression=call("len", left)))

    def _lambda(self, var: int, body: Sql) -> Sql:
        return lam([variable(var)], body)

    def filtered(self, items: ir.Expr, var: int, condition: ir.Expr, exact: bool = False) -> Sql:
        if condition == ir.TRUE:
            return self.value(items)
        return call("list_filter", self.value(items), self._lambda(var, self.test(condition, exact=exact)))

    def value_filter(self, e: ir.Filter) -> Sql:
        return coalesce(self.filtered(e.list, e.var, e.condition), empty(e.type))

    def value_transform(self, e: ir.Transform) -> Sql:
        result = call("list_transform", self.value(e.list), self._lambda(e.var, self.value(e.body)))
        if e.flatten:
            x = self.new_name()
            result = call("flatten", call("list_filter", result, lam([x], not_null(name(x)))))
        if e.drop_nulls:
            x = self.new_name()
            result = call("list_filter", result, lam([x], not_null(name(x))))
        return coalesce(result, empty(e.type))

    def value_aggregate(self, e: ir.Aggregate) -> Sql:
        if e.function == "count" and isinstance(e.list, ir.Call) and e.list.function == "distinct":
            return size(call("list_distinct", self.value(e.list.args[0])))
        items = self.value(e.list)
        if e.function == "count":
            if isinstance(e.list, ir.Transform) and e.list.drop_nulls:
                return size(items)
            x = self.new_name()
            return size(call("list_filter", items, lam([x], not_null(name(x)))))
        if e.function in ("min", "max"):
            return call(f"list_{e.function}", items)
        if e.function == "sum":
            kind = SCALARS[e.type.name]  # type: ignore[union-attr]
            return coalesce(cast(call("list_sum", items), kind), cast(number(0), kind))
        element, x = getattr(e.list.type, "element", INTEGER), self.new_name()

        def mean(values: Sql) -> Sql:
            count = call("len", call("list_filter", values.copy(), lam([x], not_null(name(x)))))
            return average(call("list_sum", values), count, element)

        return self.bound(items, mean)

    def value_topn(self, e: ir.TopN) -> Sql:
        i, key = self.new_name(), self.value(e.key)
        row = variable(e.var)
        present = not_null(key.copy()) if e.descending else is_null(key.copy())
        position = exp.Neg(this=name(i)) if e.descending else name(i)
        keyed = struct([("n", present), ("k", key), ("i", position), ("x", name(row))])
        keyed_list = call("list_transform", self.value(e.list), lam([row, i], keyed))
        ordered = call("list_sort", keyed_list, text("DESC" if e.descending else "ASC"))
        x = self.new_name()
        plain = call("list_transform", ordered, lam([x], call("struct_extract", name(x), text("x"))))
        last = call("greatest", self.value(e.count), number(0))
        return coalesce(call("list_slice", plain, number(1), last), empty(e.type))

    def value_groupby(self, e: ir.GroupBy) -> Sql:
        row, x, i, y = variable(e.var), self.new_name(), self.new_name(), self.new_name()

        def use(items: Sql, keys: Sql) -> Sql:
            distinct = call("list_filter", keys, lam([x, i], self._first_of(keys.copy(), x, i)))
            same = exp.EQ(this=self.value(e.key), expression=name(y))
            group = struct([("k", name(y)), ("g", call("list_filter", items, lam([row], same)))])
            return call("list_transform", distinct, lam([y], group))

        def keyed(items: Sql) -> Sql:
            keys = call("list_transform", items.copy(), lam([row], self.value(e.key)))
            return self.bound(keys, lambda k: use(items, k))

        return coalesce(self.bound(self.value(e.list), keyed), empty(e.type))

    def value_transformgroups(self, e: ir.TransformGroups) -> Sql:
        x = self.new_name()
        body = self.value(e.body)

        def bind(node: Sql) -> Sql:
            if isinstance(node, exp.Column) and node.name == variable(e.key_var):
                return call("struct_extract", name(x), text("k"))
            if isinstance(node, exp.Column) and node.name == variable(e.group_var):
                return call("struct_extract", name(x), text("g"))
            return node

        return call("list_transform", self.value(e.groups), lam([x], body.transform(bind)))

    def value_tomap(self, e: ir.ToMap) -> Sql:
        x, i, y = self.new_name(), self.new_name(), self.new_name()

        def use(entries: Sql) -> Sql:
            key = call("struct_extract", name(x), text("k"))
            keys = call("list_transform", entries.copy(), lam([y], call("struct_extract", name(y), text("k"))))
            first = exp.EQ(this=call("list_position", keys, key.copy()), expression=name(i))
            return call("list_filter", entries, lam([x, i], both(not_null(key), first)))

        return call("map_from_entries", coalesce(self.bound(self.value(e.entries), use), exp.Array(expressions=[])))
