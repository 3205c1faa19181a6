"""Arithmetic. Rules: SEMANTICS section 6. Operators are records too; the checker has made operand types equal."""

from __future__ import annotations

from pql.functions.record import Example, Function, call, cast, overload, paren
from pql.functions.trees import exp
from pql.types import DOUBLE, INTEGER, NUMBER

WIDE = {INTEGER: "HUGEINT", NUMBER: "DECIMAL(38, 6)"}
NARROW = {INTEGER: "BIGINT", NUMBER: "DECIMAL(18, 6)"}


def finite(value: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=call("isfinite", value.copy()), true=value)])


def _arithmetic(name: str):  # type: ignore[no-untyped-def]
    """The builder for a node class of `exp`: Add, Sub or Mul."""

    def build(left: exp.Expression, right: exp.Expression, kind: object = INTEGER) -> exp.Expression:
        node = getattr(exp, name)
        if kind == DOUBLE:
            return finite(paren(node(this=left, expression=right)))
        wide = WIDE[kind]  # type: ignore[index]
        # a product of two wide decimals would not fit: one side is enough, 24 digits before the point and 12 after it
        other = NARROW[kind] if name == "Mul" else wide  # type: ignore[index]
        value = paren(node(this=cast(left, wide), expression=cast(right, other)))
        return cast(value, NARROW[kind], safe=True)  # type: ignore[index]

    return build


def _divide(left: exp.Expression, right: exp.Expression, kind: object = DOUBLE) -> exp.Expression:
    divisor = call("nullif", cast(right, "DOUBLE"), exp.Literal.number("0"))
    return finite(paren(exp.Div(this=cast(left, "DOUBLE"), expression=divisor, typed=False, safe=False)))


def _remainder(left: exp.Expression, right: exp.Expression, kind: object = INTEGER) -> exp.Expression:
    divisor = call("nullif", right, exp.Literal.number("0"))
    if kind == INTEGER:
        return cast(call("mod", cast(left, "HUGEINT"), cast(divisor, "HUGEINT")), "BIGINT", safe=True)
    return call("mod", left, divisor)


_PAIR = tuple(overload((("a", t), ("b", t)), t) for t in (INTEGER, NUMBER, DOUBLE))
_REAL = (overload((("a", DOUBLE), ("b", DOUBLE)), DOUBLE),)
_SAME = tuple(overload((("x", t),), t) for t in (INTEGER, NUMBER, DOUBLE))

NUMBER_FUNCTIONS = (
    Function("+", "Sum; null outside the type's range.", "arithmetic", _PAIR, _arithmetic("Add"), examples=(Example("1 + 2", 3),)),
    Function("-", "Difference.", "arithmetic", _PAIR, _arithmetic("Sub"), examples=(Example("1 - 2", -1),)),
    Function("*", "Product; decimals are rounded half away from zero to six digits.", "arithmetic", _PAIR, _arithmetic("Mul"),
             examples=(Example("0.5 * 3", 1.5),)),
    Function("/", "Quotient as a double; null when the divisor is 0.", "arithmetic", _REAL, _divide, examples=(Example("7 / 2", 3.5),)),
    Function("%", "Remainder with the sign of the dividend; null when the divisor is 0.", "arithmetic", _PAIR, _remainder,
             examples=(Example("-7 % 3", -1),)),
    Function("absolute", "The number without its sign.", "arithmetic", _SAME, lambda x: call("try", call("abs", x)), documented=False,
             examples=(Example("absolute(-3)", 3),)),
)  # fmt: skip
