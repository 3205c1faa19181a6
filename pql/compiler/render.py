"""IR to SQL expressions over one row a profile: columns of the profile, and `xEvent` as a list.

This is the complete form: every IR node has a rendering here. Lists become list functions with lambdas; a variable
is a lambda parameter. Must not know tables (`statement` does) nor the live engine. Read `Renderer.value` and
`Renderer.test`: a test may come out null for false unless `exact` is asked, which only a negation or a result does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlglot import exp

from pql.compiler.chains import chain_test
from pql.functions import FUNCTIONS
from pql.functions.record import call, cast, number, paren, text
from pql.ir import nodes as ir
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    GroupsType,
    ListType,
    MapType,
    ObjectType,
    Type,
)

Sql = exp.Expression
SCALARS = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DECIMAL(18, 6)",
    "double": "DOUBLE",
    "string": "TEXT",
    "date": "DATE",
    "date-time": "TIMESTAMP",
    "null": "INTEGER",
}
MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TEXT_FORMS = {
    INTEGER: r"[+-]?[0-9]{1,19}",
    NUMBER: r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
    DOUBLE: r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
    DATE: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    TIMESTAMP: r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?",
    BOOLEAN: r"(?i)true|false",
}


@dataclass(frozen=True)
class Settings:
    """Project settings that change meaning: the zone of calendar words and the first day of the week."""

    zone: str = "UTC"
    week_start: str = "monday"


def sql_type(t: Type) -> str:
    """The DuckDB type of a PQL type."""
    match t:
        case ListType():
            return f"{sql_type(t.element)}[]"
        case MapType():
            return f"MAP(TEXT, {sql_type(t.value)})"
        case ObjectType():
            fields = [f'"{name}" {sql_type(f.type)}'.replace('""', '"') for name, f in t.fields.items()]
            return f"STRUCT({', '.join(fields) or '_ BOOLEAN'})"
        case GroupsType():
            return f"STRUCT(k {sql_type(t.key)}, g {sql_type(t.element)}[])[]"
        case _:
            return SCALARS[getattr(t, "name", "null")]


def variable(id: int) -> str:
    return f"v{id}"


def lam(params: list[str], body: Sql) -> Sql:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(p) for p in params])


def name(identifier: str) -> Sql:
    return exp.Column(this=exp.to_identifier(identifier))


def coalesce(value: Sql, default: Sql) -> Sql:
    return exp.Coalesce(this=value, expressions=[default])


def is_null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.Null())


def not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def both(*tests: Sql) -> Sql:
    result = tests[0]
    for t in tests[1:]:
        result = exp.And(this=result, expression=t)
    return paren(result)


def size(items: Sql) -> Sql:
    return coalesce(call("len", items), number(0))


_COMPARE: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


class Renderer:
    """Renders one expression. `fields` gives the columns of the profile row by field name."""

    def __init__(self, settings: Settings, fields: Callable[[str], Sql], segment: Callable[[str], ir.Expr]) -> None:
        self.settings, self.fields, self.segment = settings, fields, segment
        self.fresh = 0

    def new_name(self) -> str:
        self.fresh += 1
        return f"x{self.fresh}"

    # --- values ---
    def value(self, e: ir.Expr) -> Sql:
        if isinstance(e, ir.TESTS):
            return self.test(e, exact=True)
        method: Callable[[ir.Expr], Sql] = getattr(self, "value_" + type(e).__name__.lower())
        return method(e)

    def value_const(self, e: ir.Const) -> Sql:
        v = e.value
        if v is None:
            return cast(exp.Null(), sql_type(e.type))
        if isinstance(v, bool):
            return exp.Boolean(this=v)
        if isinstance(v, int):
            return number(v) if abs(v) < 2**31 else cast(number(v), "BIGINT")
        if isinstance(v, Decimal):
            return cast(text(format(v, "f")), "DECIMAL(18, 6)")
        if isinstance(v, float):
            return cast(text(repr(v)), "DOUBLE")
        if isinstance(v, datetime):
            return cast(text(v.isoformat(sep=" ")), "TIMESTAMP")
        if isinstance(v, date):
            return cast(text(v.isoformat()), "DATE")
        return text(v)

    def value_var(self, e: ir.Var) -> Sql:
        if e.id == ir.PROFILE:
            assert isinstance(e.type, ObjectType)
            return struct([(n, self.fields(n)) for n in e.type.fields])
        return name(variable(e.id))

    def value_field(self, e: ir.Field) -> Sql:
        if isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE:
            return self.fields(e.name)
        return call("struct_extract", self.value(e.object), text(e.name))

    def value_call(self, e: ir.Call) -> Sql:
        special = getattr(self, f"call_{e.function.lower()}", None) if e.function.isidentifier() else None
        if special is not None:
            result: Sql = special(e)
            return result
        args = [self.value(a) for a in e.args]
        record = FUNCTIONS[e.function]
        assert record.sql is not None
        if e.function in ("+", "-", "*", "/", "%"):
            return record.sql(*args, e.type)
        if record.category == "date" and e.args and e.args[0].type == TIMESTAMP:
            args[0] = self.local(args[0])
        return record.sql(*args)

    def call_get(self, e: ir.Call) -> Sql:
        return call("map_extract_value", self.value(e.args[0]), self.value(e.args[1]))

    def call_keys(self, e: ir.Call) -> Sql:
        return call("map_keys", self.value(e.args[0]))

    def call_values(self, e: ir.Call) -> Sql:
        return call("map_values", self.value(e.args[0]))

    def call_size(self, e: ir.Call) -> Sql:
        if isinstance(e.args[0].type, MapType):
            return coalesce(call("cardinality", self.value(e.args[0])), number(0))
        return size(self.value(e.args[0]))

    def call_head(self, e: ir.Call) -> Sql:
        return call("list_extract", self.value(e.args[0]), number(1))

    def call_least(self, e: ir.Call) -> Sql:
        return call("least", *(self.value(a) for a in e.args))

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

    def value_if(self, e: ir.If) -> Sql:
        branch = exp.If(this=self.test(e.condition, exact=False), true=self.value(e.then))
        return paren(exp.Case(ifs=[branch], default=self.value(e.otherwise)))

    def value_let(self, e: ir.Let) -> Sql:
        bound = call(
            "list_transform", call("list_value", self.value(e.value)), lam([variable(e.var)], self.value(e.body))
        )
        return call("list_extract", bound, number(1))

    def value_makelist(self, e: ir.MakeList) -> Sql:
        if not e.items:
            return empty(e.type)
        items = call("list_value", *(self.value(i) for i in e.items))
        return (
            items
            if isinstance(getattr(e.type, "element", None), ObjectType | GroupsType)
            else cast(items, sql_type(e.type))
        )

    def value_makeobject(self, e: ir.MakeObject) -> Sql:
        return struct([(k, self.value(v)) for k, v in e.entries])

    def value_makeentry(self, e: ir.MakeEntry) -> Sql:
        return struct([("k", self.value(e.key)), ("v", self.value(e.value))])

    # --- lists ---
    def _lambda(self, var: int, body: Sql) -> Sql:
        return lam([variable(var)], body)

    def filtered(self, items: ir.Expr, var: int, condition: ir.Expr, exact: bool = False) -> Sql:
        if condition == ir.TRUE:
            return self.value(items)
        return call("list_filter", self.value(items), self._lambda(var, self.test(condition, exact=exact)))

    def value_filter(self, e: ir.Filter) -> Sql:
        return self.filtered(e.list, e.var, e.condition)

    def value_transform(self, e: ir.Transform) -> Sql:
        result = call("list_transform", self.value(e.list), self._lambda(e.var, self.value(e.body)))
        if e.flatten:
            x = self.new_name()
            result = call("flatten", call("list_filter", result, lam([x], not_null(name(x)))))
        if e.drop_nulls:
            x = self.new_name()
            result = coalesce(call("list_filter", result, lam([x], not_null(name(x)))), empty(e.type))
        return result

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
        return call("list_slice", plain, number(1), last)

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

    # --- conversion ---
    def value_convert(self, e: ir.Convert) -> Sql:
        return self._convert(self.value(e.operand), e.operand.type, e.type)

    def _convert(self, value: Sql, source: Type, target: Type) -> Sql:
        if isinstance(source, ListType) and isinstance(target, ListType):
            x = self.new_name()
            return call("list_transform", value, lam([x], self._convert(name(x), source.element, target.element)))
        if source == STRING:
            kind = "TIMESTAMPTZ" if target == TIMESTAMP else sql_type(target)
            made = cast(value.copy(), kind, safe=True)
            made = call("timezone", text("UTC"), made) if target == TIMESTAMP else made
            fits = call("regexp_full_match", value, text(_TEXT_FORMS[target]))  # type: ignore[index]
            return paren(exp.Case(ifs=[exp.If(this=fits, true=made)]))
        if target == STRING and source == NUMBER:
            return call("rtrim", call("rtrim", cast(value, "TEXT"), text("0")), text("."))
        if target == STRING and source == BOOLEAN:
            return cast(value, "TEXT")
        return cast(value, sql_type(target), safe=target in (NUMBER, INTEGER))

    # --- time ---
    def local(self, instant: Sql) -> Sql:
        """The wall clock of the project's zone."""
        if self.settings.zone == "UTC":
            return instant
        return call("timezone", text(self.settings.zone), call("timezone", text("UTC"), instant))

    def utc(self, wall: Sql) -> Sql:
        if self.settings.zone == "UTC":
            return wall
        return call("timezone", text("UTC"), call("timezone", text(self.settings.zone), wall))

    def value_clock(self, e: ir.Clock) -> Sql:
        return cast(exp.Placeholder(this="now"), "TIMESTAMP")

    def value_truncate(self, e: ir.Truncate) -> Sql:
        wall = self.local(self.value(e.operand))
        if e.unit == "week":
            back = WEEKDAYS.index(self.settings.week_start)
            shifted = paren(exp.Sub(this=wall, expression=call("to_days", number(back)))) if back else wall
            start = call("date_trunc", text("week"), shifted)
            return self.utc(paren(exp.Add(this=start, expression=call("to_days", number(back)))) if back else start)
        if e.unit in ("decade", "century", "millennium"):
            span = MONTHS[e.unit] // 12
            extra = cast(paren(exp.Mod(this=call("year", wall.copy()), expression=number(span))), "INTEGER")
            start = exp.Sub(this=call("date_trunc", text("year"), wall), expression=call("to_years", extra))
            return self.utc(cast(paren(start), "TIMESTAMP"))
        return self.utc(cast(call("date_trunc", text(e.unit), wall), "TIMESTAMP"))

    def value_shift(self, e: ir.Shift) -> Sql:
        if e.amount == 0:
            return self.value(e.operand)
        value = self.value(e.operand)
        wall = self.local(value) if e.local else value
        calendar = e.unit in MONTHS
        if calendar:
            step = call("to_months", number(e.amount * MONTHS[e.unit]))
        elif e.local and e.unit in ("day", "week"):
            step = call("to_days", number(e.amount * (7 if e.unit == "week" else 1)))
        else:
            step = call("to_microseconds", cast(text(str(e.amount * MICROSECONDS[e.unit])), "BIGINT"))
        moved = paren(exp.Add(this=wall, expression=step))
        return self.utc(moved) if e.local else moved

    # --- tests ---
    def test(self, e: ir.Expr, *, exact: bool) -> Sql:
        if isinstance(e, ir.Const):
            return exp.Boolean(this=bool(e.value))
        method: Callable[[ir.Expr, bool], Sql] = getattr(self, "test_" + type(e).__name__.lower())
        return method(e, exact)

    def _exact(self, sql: Sql, exact: bool) -> Sql:
        return coalesce(sql, exp.false()) if exact else sql

    def test_truth(self, e: ir.Truth, exact: bool) -> Sql:
        return self._exact(self.value(e.operand), exact)

    def test_compare(self, e: ir.Compare, exact: bool) -> Sql:
        sql = paren(_COMPARE[e.op](this=self.value(e.left), expression=self.value(e.right)))
        return self._exact(sql, exact)

    def _join(self, kind: type[exp.Connector], operands: tuple[ir.Expr, ...], exact: bool) -> Sql:
        result = self.test(operands[0], exact=exact)
        for o in operands[1:]:
            result = kind(this=result, expression=self.test(o, exact=exact))
        return paren(result)

    def test_and(self, e: ir.And, exact: bool) -> Sql:
        return self._join(exp.And, e.operands, exact)

    def test_or(self, e: ir.Or, exact: bool) -> Sql:
        return self._join(exp.Or, e.operands, exact)

    def test_not(self, e: ir.Not, exact: bool) -> Sql:
        return paren(exp.Not(this=paren(self.test(e.operand, exact=True))))

    def test_isnull(self, e: ir.IsNull, exact: bool) -> Sql:
        return paren(is_null(self.value(e.operand)))

    def test_exists(self, e: ir.Exists, exact: bool) -> Sql:
        return paren(exp.GT(this=size(self.filtered(e.list, e.var, e.condition)), expression=number(0)))

    def test_forall(self, e: ir.ForAll, exact: bool) -> Sql:
        failing = self.filtered(e.list, e.var, ir.Not(e.condition))
        return paren(exp.EQ(this=size(failing), expression=number(0)))

    def test_within(self, e: ir.Within, exact: bool) -> Sql:
        sides: list[Sql] = []
        if e.lower is not None:
            lower = exp.GTE if e.lower.inclusive else exp.GT
            sides.append(lower(this=self.value(e.operand), expression=self.value(e.lower.instant)))
        if e.upper is not None:
            upper = exp.LTE if e.upper.inclusive else exp.LT
            sides.append(upper(this=self.value(e.operand), expression=self.value(e.upper.instant)))
        return self._exact(both(*sides), exact)

    def _local_day(self, day: ir.Expr) -> Sql:
        if isinstance(day, ir.Convert) and day.operand.type == TIMESTAMP:
            return cast(self.local(self.value(day.operand)), "DATE")
        return self.value(day)

    def test_yearless(self, e: ir.Yearless, exact: bool) -> Sql:
        first, last = self._local_day(e.first), self._local_day(e.last)
        if e.skip in ("first", "both"):
            first = paren(exp.Add(this=first, expression=number(1)))
        if e.skip in ("last", "both"):
            last = paren(exp.Sub(this=last, expression=number(1)))
        day = month_day(cast(self.local(self.value(e.operand)), "DATE"))
        low, high = month_day(first), month_day(last)
        if e.shape == "before":
            return self._exact(paren(exp.LT(this=day, expression=low)), exact)
        if e.shape in ("after", "from"):
            node = exp.GT if e.shape == "after" else exp.GTE
            return self._exact(paren(node(this=day, expression=high if e.shape == "after" else low)), exact)
        if e.whole_months:
            tomorrow = month_day(paren(exp.Add(this=last.copy(), expression=number(1))))
            high = exp.Case(
                ifs=[exp.If(this=exp.EQ(this=tomorrow, expression=number(301)), true=number(229))], default=high
            )
        above, below = exp.GTE(this=day.copy(), expression=low.copy()), exp.LTE(this=day, expression=high.copy())
        straight = exp.LTE(this=low, expression=high)
        either = both(not_null(low), not_null(high), paren(exp.Or(this=above.copy(), expression=below.copy())))
        ring = exp.Case(ifs=[exp.If(this=straight, true=both(above, below))], default=paren(either))
        span = paren(exp.Sub(this=last.copy(), expression=first.copy()))
        whole = exp.GTE(this=span.copy(), expression=number(365))
        none = exp.And(this=exp.LT(this=span, expression=number(0)), expression=exp.Boolean(this=bool(e.skip)))
        known = not_null(month_day(cast(self.value(e.operand), "DATE")))
        cases = [exp.If(this=paren(none), true=exp.false()), exp.If(this=whole, true=known)]
        return self._exact(paren(exp.Case(ifs=cases, default=ring)), exact)

    def test_chain(self, e: ir.Chain, exact: bool) -> Sql:
        return chain_test(self, e)

    def test_insegment(self, e: ir.InSegment, exact: bool) -> Sql:
        return self.test(self.segment(e.segment), exact=exact)


def month_day(day: Sql) -> Sql:
    month = paren(exp.Mul(this=call("month", day.copy()), expression=number(100)))
    return paren(exp.Add(this=month, expression=call("day", day)))


def struct(entries: list[tuple[str, Sql]]) -> Sql:
    entries = entries or [("_", cast(exp.Null(), "BOOLEAN"))]
    return exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(k, quoted=True), expression=v) for k, v in entries]
    )


def empty(t: Type) -> Sql:
    """The empty list of a type; of a list of objects untyped, because the other side has the exact type."""
    return exp.Array(expressions=[])


def average(total: Sql, count: Sql, element: Type) -> Sql:
    """Exact sum over count, rounded once: a decimal's sum is scaled to a whole number first."""
    divisor: Sql = call("nullif", count, number(0))
    if element == NUMBER:
        total = paren(exp.Mul(this=cast(total, "DECIMAL(38, 6)"), expression=number(1_000_000)))
        divisor = paren(exp.Mul(this=divisor, expression=number(1_000_000)))
    quotient = exp.Div(this=cast(total, "DOUBLE"), expression=cast(divisor, "DOUBLE"), typed=False, safe=False)
    return paren(quotient)
