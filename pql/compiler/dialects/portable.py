"""IR to standard SQL: relations instead of lists. What a dialect does not say itself, it takes from here.

Where the complete form (`pql.compiler.render`) has lists and lambdas, this one has tables: a test about events is
`_pid IN (SELECT …)`, an aggregate is a grouped query joined to the person. What has no form with exactly the meaning
of SEMANTICS raises `Refusal`. Must not know a dialect's name. Read `Portable.value` and `Portable.test`; lists are in
`rows`, chains in `chains`, functions in `words` and `clock`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.dialects.chains import Chains
from pql.compiler.dialects.clock import Clocks
from pql.compiler.dialects.refusal import Refusal
from pql.compiler.dialects.scope import Item, Row, Scope, Sql, column
from pql.compiler.dialects.words import Words
from pql.functions.record import call, number, paren, text
from pql.ir import nodes as ir
from pql.ir.walk import substitute
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    ObjectType,
    ScalarType,
    Type,
    describe,
)

_COMPARE: dict[str, type[Any]] = {
    "=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
LARGEST_DOUBLE = "1.7976931348623157e308"
_SIGNS: dict[str, type[Any]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


class Portable(Chains, Words, Clocks):
    """Renders one statement; `types` are the dialect's names of the scalar types."""

    types = {
        "boolean": "BOOLEAN",
        "integer": "BIGINT",
        "number": "DECIMAL(18, 6)",
        "double": "DOUBLE",
        "string": "TEXT",
        "date": "DATE",
        "date-time": "TIMESTAMP",
        "null": "INTEGER",
    }
    wide = {INTEGER: "DECIMAL(38, 0)", NUMBER: "DECIMAL(38, 6)"}

    def __init__(self, settings: Settings, segment: Callable[[str], ir.Expr]) -> None:
        self.settings, self.segment = settings, segment
        self.counts: dict[str, int] = {}
        self.env = {}
        self.scope = Scope(self.new)
        self.in_lambda = False

    def new(self, letter: str) -> str:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"

    def refuse(self, construct: str, reason: str, node: ir.Expr, help: str = "") -> Refusal:
        return Refusal(construct, reason, node.span, help)

    def cast(self, value: Sql, kind: Type | str) -> Sql:
        wanted = kind if isinstance(kind, str) else self.types[getattr(kind, "name", "null")]
        return exp.Cast(this=value, to=exp.DataType.build(wanted, dialect=self.sqlglot))

    # --- values ---
    def value(self, e: ir.Expr) -> Sql:
        if isinstance(e, ir.TESTS):
            return self.test(e, exact=True)
        method: Callable[[ir.Expr], Sql] | None = getattr(self, "value_" + type(e).__name__.lower(), None)
        if method is None:
            raise self.refuse(self.spoken(e), "it makes or needs a list, which this dialect's form has no value for", e)
        try:
            return method(e)
        except Refusal as refusal:
            raise refusal.located(e.span) from None

    def spoken(self, e: ir.Expr) -> str:
        """What the user would call it."""
        names = {
            "TopN": "`topN`", "GroupBy": "`groupBy`", "TransformGroups": "`groupBy(…).map`", "Transform": "`map`",
            "ToMap": "`mapEntry`", "MakeEntry": "`mapEntry`", "MakeObject": "an object", "MakeList": "a list",
            "Filter": "a filtered list", "Chain": "`chain`", "Yearless": "`ignoring year`",
        }  # fmt: skip
        if isinstance(e, ir.TopN):
            return "`topN`" if e.descending else "`bottomN`"
        return f"`{e.function}`" if isinstance(e, ir.Call) else names.get(type(e).__name__, "this expression")

    def value_const(self, e: ir.Const) -> Sql:
        v = e.value
        if v is None:
            return self.cast(exp.Null(), e.type)
        if isinstance(v, bool):
            return exp.Boolean(this=v)
        if isinstance(v, int):
            return number(v) if abs(v) < 2**31 else self.cast(number(v), INTEGER)
        if isinstance(v, Decimal):
            return self.cast(text(format(v, "f")), NUMBER)
        if isinstance(v, float):
            return self.cast(text(repr(v)), DOUBLE)
        if isinstance(v, datetime):
            return self.instant(v)
        if isinstance(v, date):
            return self.cast(text(v.isoformat()), DATE)
        return text(v)

    def value_var(self, e: ir.Var) -> Sql:
        element = self.env.get(e.id)
        if isinstance(element, Item):
            return element.sql.copy()
        raise self.refuse(f"{describe(e.type)} as a value", "only its fields have a form", e)

    def value_field(self, e: ir.Field) -> Sql:
        base: ir.Expr = e
        while isinstance(base, ir.Field):
            base = base.object
        if isinstance(base, ir.Call) and base.function == "head":
            return self.head(base, e)
        if isinstance(e.object, ir.Var):
            if e.object.id == ir.PROFILE:
                if e.name == "xEvent":
                    raise self.refuse("the list of events as a value", "events are rows of their own", e)
                return column(e.name, self.scope.person())
            element = self.env[e.object.id]
            if isinstance(element, Row):
                return column(e.name, element.alias)
            return self.field(element.sql.copy(), e.name, e.type)
        return self.field(self.value(e.object), e.name, e.type)

    def field(self, value: Sql, name: str, kind: Type) -> Sql:
        """A field of an object value."""
        return exp.Dot(this=value, expression=exp.to_identifier(name, quoted=True))

    def value_if(self, e: ir.If) -> Sql:
        if not isinstance(e.type, ScalarType):
            raise self.refuse("`if` between lists or objects", "only plain values can be chosen between", e)
        branch = exp.If(this=self.test(e.condition, exact=False), true=self.value(e.then))
        return exp.Case(ifs=[branch], default=self.value(e.otherwise))

    def value_let(self, e: ir.Let) -> Sql:
        return self.value(substitute(e.body, e.var, e.value))

    def value_call(self, e: ir.Call) -> Sql:
        method = getattr(self, f"call_{e.function.lower()}", None) if e.function.isidentifier() else self.arithmetic
        if method is None:
            raise self.refuse(f"`{e.function}`", "it has no proven form here", e)
        result: Sql = method(e)
        return result

    def call_get(self, e: ir.Call) -> Sql:
        key = e.args[1]
        if not isinstance(key, ir.Const):
            raise self.refuse("`get` with a computed key", "only a literal key has a form", e)
        return self.map_value(self.value(e.args[0]), str(key.value), e.type)

    def map_value(self, value: Sql, key: str, kind: Type) -> Sql:
        return call("element_at", value, text(key))

    def call_least(self, e: ir.Call) -> Sql:
        return call("LEAST", *(self.value(a) for a in e.args))

    # --- arithmetic: SEMANTICS section 6 ---
    def arithmetic(self, e: ir.Call) -> Sql:
        left, right = (self.value(a) for a in e.args)
        if e.function == "/" or (e.type == DOUBLE and e.function != "%"):
            return self.finite(self._double(e.function, left, right))
        if e.function == "%":
            return self.remainder(e, left, right)
        return self.narrow(self.exactly(e.function, left, right, e.type), e.type)

    def exactly(self, sign: str, left: Sql, right: Sql, kind: Type) -> Sql:
        """The exact result in a type wide enough; a product of decimals is rounded half away from zero."""
        if sign == "*" and kind == NUMBER:
            product = exp.Mul(this=self.cast(left, NUMBER), expression=self.cast(right, NUMBER))
            return call("ROUND", product, number(6))
        factor = self.wide_factor if sign == "*" else self.wide[kind]  # type: ignore[index]
        return paren(_SIGNS[sign](this=self.cast(left, factor), expression=self.cast(right, factor)))

    wide_factor = "DECIMAL(19, 0)"

    def narrow(self, value: Sql, kind: Type) -> Sql:
        """Null outside the type's range."""
        low, high = ("-9223372036854775808", "9223372036854775807") if kind == INTEGER else (
            "-999999999999.999999", "999999999999.999999")  # fmt: skip
        wide = self.wide[kind]  # type: ignore[index]
        fits = exp.Between(this=value, low=self.cast(text(low), wide), high=self.cast(text(high), wide))
        return exp.Case(ifs=[exp.If(this=fits, true=self.cast(value.copy(), kind))])

    def _double(self, sign: str, left: Sql, right: Sql) -> Sql:
        left, right = self.cast(left, DOUBLE), self.cast(right, DOUBLE)
        if sign != "/":
            return paren(_SIGNS[sign](this=left, expression=right))
        return self.quotient(left, call("NULLIF", right, number(0)))

    def quotient(self, left: Sql, right: Sql) -> Sql:
        return paren(exp.Div(this=left, expression=right, typed=True, safe=False))

    def finite(self, value: Sql) -> Sql:
        within = exp.LTE(this=call("ABS", value), expression=self.cast(text(LARGEST_DOUBLE), DOUBLE))
        return exp.Case(ifs=[exp.If(this=within, true=value.copy())])

    def remainder(self, e: ir.Call, left: Sql, right: Sql) -> Sql:
        if e.type == DOUBLE:
            raise self.refuse("`%` of doubles", "it is not the same in every engine", e)
        if e.type == INTEGER and not (
            isinstance(e.args[1], ir.Const) and e.args[1].value != -1
        ):  # the least integer divided by -1 is out of range, its remainder is not
            divisor = exp.Case(
                ifs=[exp.If(this=exp.EQ(this=right, expression=number(-1)), true=number(1))], default=right.copy()
            )
            return call("MOD", left, call("NULLIF", paren(divisor), number(0)))
        return call("MOD", left, call("NULLIF", right, number(0)))

    def call_absolute(self, e: ir.Call) -> Sql:
        return call("ABS", self.value(e.args[0]))

    # --- coercion ---
    def value_convert(self, e: ir.Convert) -> Sql:
        source, target = e.operand.type, e.type
        value = self.value(e.operand)
        if isinstance(source, ListType) or isinstance(target, ListType):
            raise self.refuse("coercion of a list", "lists have no value in this form", e)
        if (source, target) == (INTEGER, NUMBER):
            return self.narrow(self.cast(value, self.wide[NUMBER]), NUMBER)
        if (source, target) == (BOOLEAN, STRING):
            ifs = [exp.If(this=value, true=text("true")), exp.If(this=exp.Not(this=value.copy()), true=text("false"))]
            return exp.Case(ifs=ifs)
        if e.local:
            return self.utc(self.cast(value, TIMESTAMP), e)
        plain = {(INTEGER, STRING), (INTEGER, DOUBLE), (NUMBER, DOUBLE), (DATE, TIMESTAMP), (TIMESTAMP, DATE)}
        if (source, target) in plain:
            return self.cast(value, target)
        reason = f"what text counts as {describe(target)} differs" if source == STRING else "its text form differs"
        raise self.refuse(f"{describe(source)} coerced to {describe(target)}", reason, e)

    # --- tests ---
    def test(self, e: ir.Expr, *, exact: bool) -> Sql:
        if isinstance(e, ir.Const):
            return exp.Boolean(this=bool(e.value))
        method: Callable[[ir.Expr, bool], Sql] = getattr(self, "test_" + type(e).__name__.lower())
        try:
            return method(e, exact)
        except Refusal as refusal:
            raise refusal.located(e.span) from None

    def exact(self, sql: Sql, exact: bool) -> Sql:
        return exp.Coalesce(this=sql, expressions=[exp.false()]) if exact else sql

    def test_truth(self, e: ir.Truth, exact: bool) -> Sql:
        if isinstance(e.operand, ir.Call):
            test = self.set_test(e.operand, exact)
            if test is not None:
                return test
        return self.exact(self.value(e.operand), exact)

    def test_compare(self, e: ir.Compare, exact: bool) -> Sql:
        left, right = self.comparable(e.left, e.right), self.comparable(e.right, e.left)
        if e.op not in ("=", "!="):
            left, right = self.ordered(left, e.left.type), self.ordered(right, e.right.type)
        return self.exact(paren(_COMPARE[e.op](this=left, expression=right)), exact)

    def comparable(self, e: ir.Expr, other: ir.Expr) -> Sql:
        """The value as it can be compared with the other, exactly."""
        return self.value(e)

    def ordered(self, value: Sql, kind: Type) -> Sql:
        """The value as something that is ordered as PQL orders: text by code point."""
        return value

    def _join(self, kind: type[Any], operands: tuple[ir.Expr, ...], exact: bool) -> Sql:
        result = self.test(operands[0], exact=exact)
        for o in operands[1:]:
            result = kind(this=result, expression=self.test(o, exact=exact))
        return paren(result)

    def test_and(self, e: ir.And, exact: bool) -> Sql:
        return self._join(exp.And, e.operands, exact)

    def test_or(self, e: ir.Or, exact: bool) -> Sql:
        return self._join(exp.Or, e.operands, exact)

    def test_not(self, e: ir.Not, exact: bool) -> Sql:
        return exp.Not(this=paren(self.test(e.operand, exact=True)))

    def test_isnull(self, e: ir.IsNull, exact: bool) -> Sql:
        if isinstance(e.operand.type, ObjectType | ListType | MapType):
            return self.whole_is_null(e)
        return paren(exp.Is(this=self.value(e.operand), expression=exp.Null()))

    def whole_is_null(self, e: ir.IsNull) -> Sql:
        """Is a list, map or object missing? Only where the store can tell missing from empty."""
        return paren(exp.Is(this=self.value(e.operand), expression=exp.Null()))

    def test_insegment(self, e: ir.InSegment, exact: bool) -> Sql:
        try:
            return self.test(self.segment(e.segment), exact=exact)
        except Refusal as refusal:
            refusal.segment = refusal.segment or e.segment
            raise
