"""Mapping functions that read and reckon numbers. `number` is exact: 12 digits before the point, six after, halves
rounded away from zero. Read `RECORDS`.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from pql.functions.record import call, cast, text
from pql.ingest.functions.record import Example, MappingFunction, Misfit, Sql
from pql.types import BOOLEAN, INTEGER, NUMBER, STRING

MICRO = Decimal("0.000001")
LIMIT = 10**12
NUMERAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
PLAIN = r"[+-]?[0-9]+(\.[0-9]+)?"
WHOLE = r"[+-]?[0-9]+"
DECIMAL = "DECIMAL(18, 6)"


def exact(value: Any) -> Decimal:
    """A number with six digits after the point. Raises Misfit when it is out of range."""
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite() or abs(number) >= LIMIT:
            raise Misfit("the number is out of range")
        return number.quantize(MICRO, ROUND_HALF_UP)
    except InvalidOperation:
        raise Misfit("a number is wanted") from None


def to_decimal(value: Any, point: str = ".", group: str = "") -> Decimal:
    """From text such as `1.234,56` with the signs that it uses, or from a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Misfit(f"`{str(value)[:60]}` is no number")
    if not isinstance(value, str):
        return exact(value)
    plain = value.strip()
    if group:
        plain = plain.replace(group, "")
    if point != ".":
        if "." in plain:
            raise Misfit(f"`{value[:60]}` is no number")
        plain = plain.replace(point, ".")
    if len(plain) > 60 or not NUMERAL.fullmatch(plain):
        raise Misfit(f"`{value[:60]}` is no number")
    return exact(plain)


def _to_decimal_sql(value: Sql, point: Sql | None = None, group: Sql | None = None) -> Sql | None:
    if point is not None or group is not None:
        return None
    return guarded(value, PLAIN, DECIMAL)


def guarded(value: Sql, pattern: str, kind: str) -> Sql:
    """A cast of texts that match a pattern only; null otherwise."""
    known = call("regexp_full_match", value.copy(), text(pattern))
    return exp.Case(ifs=[exp.If(this=known, true=cast(value, kind, safe=True))])


def to_integer(value: Any) -> int:
    """Any 64-bit whole number; also `12.0`."""
    plain = value.strip() if isinstance(value, str) else value
    if isinstance(value, bool) or isinstance(plain, str) and (len(plain) > 60 or not NUMERAL.fullmatch(plain)):
        raise Misfit(f"`{str(value)[:60]}` is no whole number")
    if isinstance(plain, date):
        raise Misfit("a number is wanted")
    exactly = Decimal(repr(plain)) if isinstance(plain, float) else Decimal(plain)
    if not exactly.is_finite() or abs(exactly) >= 2**63 or exactly != exactly.to_integral_value():
        raise Misfit(f"`{str(value)[:60]}` is no whole number")
    return int(exactly)


def to_string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = f"{value.normalize():f}"
        return "0" if plain == "-0" else plain
    if isinstance(value, int | str):
        return str(value)
    return str(value.isoformat()) + ("Z" if hasattr(value, "hour") else "")


def to_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise Misfit(f"`{str(value)[:60]}` is neither true nor false")


TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def _to_boolean_sql(value: Sql) -> Sql:
    low = call("lower", value.copy())

    def among(words: tuple[str, ...]) -> Sql:
        return exp.In(this=low.copy(), expressions=[text(w) for w in words])

    return exp.Case(ifs=[exp.If(this=among(TRUE), true=exp.true()), exp.If(this=among(FALSE), true=exp.false())])


def _arithmetic(name: str, python: Any, node: Any, doc: str, example: Example) -> MappingFunction:
    def sql(a: Sql, b: Sql) -> Sql:
        made = node(this=exp.Paren(this=a), expression=exp.Paren(this=b))
        return cast(made, DECIMAL, safe=True)

    def safe(a: Any, b: Any) -> Any:
        return exact(python(exact(a), exact(b)))

    return MappingFunction(
        name, doc, "number", ("number", "number"), NUMBER, safe, sql, partial=True, examples=(example,), operator=True
    )


def _compare(name: str, python: Any, node: Any, doc: str, example: Example) -> MappingFunction:
    return MappingFunction(
        name, doc, "logic", ("scalar", "scalar"), BOOLEAN, python, lambda a, b: node(this=a, expression=b),
        examples=(example,), operator=True,
    )  # fmt: skip


def comparable(a: Any, b: Any) -> bool:
    """Values of one kind: two numbers, two texts, two booleans, two dates or two moments."""
    numbers = (int, Decimal)
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool)
    return isinstance(a, numbers) and isinstance(b, numbers) or type(a) is type(b)


def _ordered(test: Any) -> Any:
    def compare(a: Any, b: Any) -> bool:
        if not comparable(a, b):
            raise Misfit(f"`{to_string(a)[:40]}` and `{to_string(b)[:40]}` cannot be compared")
        return bool(test(a, b))

    return compare


def _divide(a: Any, b: Any) -> Decimal:
    if b == 0:
        raise Misfit("division by zero")
    return exact(Decimal(a) / Decimal(b))


_E = Example
RECORDS = (
    MappingFunction("to_integer", "A whole number from text or a number; a fraction does not fit.", "number", ("scalar",), INTEGER, to_integer,
                    lambda x: guarded(x, WHOLE, "BIGINT"), partial=True, examples=(_E('to_integer("12")', 12),), also=("to_bigint",)),
    MappingFunction("to_decimal", "A number from text or a number; the signs for the decimal point and for groups may be named.", "number",
                    ("scalar", "text", "text"), NUMBER, to_decimal, _to_decimal_sql, optional=2, partial=True, literal=(1, 2),
                    examples=(_E('to_decimal("1.234,5", ",", ".")', 1234.5),), also=("to_float", "to_number")),
    MappingFunction("to_boolean", "true from `true t yes y 1`, false from `false f no n 0`, in any case.", "number", ("scalar",), BOOLEAN, to_boolean,
                    _to_boolean_sql, partial=True, examples=(_E('to_boolean("True")', True),)),
    MappingFunction("to_string", "The text of a number, boolean, date or moment.", "text", ("scalar",), STRING, to_string, None,
                    examples=(_E("to_string(12.5)", "12.5"),)),
    _arithmetic("+", lambda a, b: a + b, exp.Add, "The sum.", _E("1 + 2.5", 3.5)),
    _arithmetic("-", lambda a, b: a - b, exp.Sub, "The difference.", _E("3 - 1", 2)),
    _arithmetic("*", lambda a, b: a * b, exp.Mul, "The product.", _E("2 * 1.5", 3)),
    MappingFunction("/", "The quotient; division by zero does not fit.", "number", ("number", "number"), NUMBER, _divide, None, partial=True,
                    examples=(_E("1 / 8", 0.125),), operator=True),
    _compare("=", _ordered(lambda a, b: a == b), exp.EQ, "Are two values of one kind equal?", _E('"a" = "a"', True)),
    _compare("!=", _ordered(lambda a, b: a != b), exp.NEQ, "Do two values of one kind differ?", _E('"a" != "a"', False)),
    _compare("<", _ordered(lambda a, b: a < b), exp.LT, "Is the first smaller?", _E("1 < 2", True)),
    _compare("<=", _ordered(lambda a, b: a <= b), exp.LTE, "Is the first not greater?", _E("2 <= 2", True)),
    _compare(">", _ordered(lambda a, b: a > b), exp.GT, "Is the first greater?", _E("1 > 2", False)),
    _compare(">=", _ordered(lambda a, b: a >= b), exp.GTE, "Is the first not smaller?", _E("2 >= 2", True)),
)  # fmt: skip
