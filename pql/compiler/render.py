"""IR to SQL expressions over one row a profile: columns of the profile, and `xEvent` as a list.

This is the complete form: every IR node has a rendering here. Lists become list functions with lambdas; a variable
is a lambda parameter. Must not know tables (`statement` does) nor the live engine. Read `Renderer.value` and
`Renderer.test`: a test may come out null for false unless `exact` is asked, which only a negation or a result does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.chains import chain_test
from pql.compiler.render_lists import Lists
from pql.compiler.render_times import Times, near_now
from pql.compiler.sql import Sql, coalesce, empty, is_null, lam, name, size, sql_type, struct, variable
from pql.functions import FUNCTIONS
from pql.functions.record import call, cast, number, paren, text
from pql.ir import nodes as ir
from pql.ir.paths import replace_variables
from pql.ir.walk import free_variables
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
    make_object,
)

__all__ = ["Renderer", "Settings", "Sql"]

_DAY = r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
_HOUR = r"([01][0-9]|2[0-3])"
_DECIMAL = r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?"
_TEXT_FORMS = {
    INTEGER: r"[+-]?[0-9]{1,19}",
    NUMBER: _DECIMAL,
    DOUBLE: _DECIMAL,
    DATE: _DAY,
    TIMESTAMP: rf"{_DAY}([Tt ]{_HOUR}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?([Zz]|[+-]{_HOUR}:?[0-5][0-9])?)?",
    BOOLEAN: r"(?i)true|false",
}


_COMPARE: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


class Renderer(Lists, Times):
    """Renders one expression. `fields` gives the columns of the profile row by field name."""

    def __init__(self, settings: Settings, fields: Callable[[str], Sql], segment: Callable[[str], ir.Expr]) -> None:
        self.settings, self.fields, self.segment = settings, fields, segment

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
            return cast(text(format(v, "f")), sql_type(e.type))
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
            args[0] = self.local(args[0], near_now(e.args[0]))
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

    def value_if(self, e: ir.If) -> Sql:
        branch = exp.If(this=self.test(e.condition, exact=False), true=self.value(e.then))
        return paren(exp.Case(ifs=[branch], default=self.value(e.otherwise)))

    def value_let(self, e: ir.Let) -> Sql:
        own, body = ir.Var(e.var, e.value.type), e.body
        if isinstance(body, ir.If) and (body.condition, body.otherwise) == (ir.IsNull(own), own):
            return coalesce(self.value(e.value), self.value(body.then))
        return call("list_extract", self._bound_in_turn(e), number(1))

    def _bound_in_turn(self, e: ir.Let) -> Sql:
        """Lets within lets as lambdas in a row, each over the values so far: nested ones double what the database binds."""
        row, known = variable(e.var), ir.Var(e.var, make_object("", {}))
        named = {e.var: ir.Field(known, f"p{e.var}", e.value.type)}
        rows, body = call("list_value", struct([(f"p{e.var}", self.value(e.value))])), e.body

        def over(x: ir.Expr) -> Sql:
            return self.value(replace_variables(x, named))

        while isinstance(body, ir.Let):
            used = free_variables(body.body)
            values = [(f.name, self.value(f)) for var, f in named.items() if var in used]
            rows = call("list_transform", rows, lam([row], struct([*values, (f"p{body.var}", over(body.value))])))
            named = {var: f for var, f in named.items() if var in used}
            named[body.var], body = ir.Field(known, f"p{body.var}", body.value.type), body.body
        return call("list_transform", rows, lam([row], over(body)))

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

    # --- conversion ---
    def value_convert(self, e: ir.Convert) -> Sql:
        if e.local:
            return self.midnight(e)
        return self._convert(self.value(e.operand), e.operand.type, e.type)

    def _convert(self, value: Sql, source: Type, target: Type) -> Sql:
        if isinstance(source, ListType) and isinstance(target, ListType):
            x = self.new_name()
            return call("list_transform", value, lam([x], self._convert(name(x), source.element, target.element)))
        if source == STRING:
            kind = "TIMESTAMPTZ" if target == TIMESTAMP else sql_type(target)
            letters = exp.Upper(this=value.copy()) if target == TIMESTAMP else value.copy()
            made = cast(letters, kind, safe=True)
            made = self._in_calendar(call("timezone", text("UTC"), made)) if target == TIMESTAMP else made
            fits = call("regexp_full_match", value, text(_TEXT_FORMS[target]))  # type: ignore[index]
            return paren(exp.Case(ifs=[exp.If(this=fits, true=made)]))
        if target == STRING and source == NUMBER:
            return call("rtrim", call("rtrim", cast(value, "TEXT"), text("0")), text("."))
        if target == STRING and source == BOOLEAN:
            return cast(value, "TEXT")
        if target == INTEGER:
            whole = exp.EQ(this=call("trunc", value.copy()), expression=value)
            return paren(exp.Case(ifs=[exp.If(this=whole, true=cast(value.copy(), "BIGINT", safe=True))]))
        return cast(value, sql_type(target), safe=target == NUMBER)

    # --- tests ---
    def test(self, e: ir.Expr, *, exact: bool) -> Sql:
        if isinstance(e, ir.Const):
            return exp.Boolean(this=bool(e.value))
        method: Callable[[ir.Expr, bool], Sql] = getattr(self, "test_" + type(e).__name__.lower())
        return method(e, exact)

    def test_truth(self, e: ir.Truth, exact: bool) -> Sql:
        return self._exact(self.value(e.operand), exact)

    def test_compare(self, e: ir.Compare, exact: bool) -> Sql:
        compare: Any = _COMPARE[e.op]
        sql = paren(compare(this=self.value(e.left), expression=self.value(e.right)))
        return self._exact(sql, exact)

    def _join(self, kind: Any, operands: tuple[ir.Expr, ...], exact: bool) -> Sql:
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

    def test_chain(self, e: ir.Chain, exact: bool) -> Sql:
        return chain_test(self, e)

    def test_insegment(self, e: ir.InSegment, exact: bool) -> Sql:
        return self.test(self.segment(e.segment), exact=exact)
