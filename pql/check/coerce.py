"""Coercion: the right side takes the left side's type, an argument its parameter's. SEMANTICS section 5.

Must not know names or schemas. Read `coerce`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pql.ir import nodes as ir
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    EXACT,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListType,
    Type,
    is_numeric,
    same,
)

MICRO = Decimal("0.000001")
INTEGER_LIMIT = 2**63
NUMBER_LIMIT = Decimal(10) ** 12
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}\Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\Z"
)


class Unfit(Exception):
    """A literal that cannot have the wanted type."""


def can_convert(source: Type, target: Type) -> bool:
    """May a value of one scalar type stand where the other is wanted?"""
    if source in (target, NULL) or all(is_numeric(t) or t == EXACT for t in (source, target)):
        return True
    if source == STRING:
        return target in (BOOLEAN, INTEGER, NUMBER, DOUBLE, DATE, TIMESTAMP)
    if target == STRING:
        return source in (INTEGER, NUMBER, DOUBLE, BOOLEAN, DATE)
    return (source, target) in ((DATE, TIMESTAMP), (TIMESTAMP, DATE))


def akin(source: Type, target: Type) -> bool:
    """May a value stand on the left where the other type is wanted? Only numbers, and dates and instants, are of one kind."""
    times = (DATE, TIMESTAMP)
    return source in (target, NULL) or is_numeric(source) and is_numeric(target) or source in times and target in times


def is_day(text: str) -> bool:
    """Is it a day of the calendar, without a time?"""
    return bool(_DATE.match(text)) and parse_timestamp(text) is not None


def parse_timestamp(text: str) -> datetime | None:
    """RFC 3339 (seconds and offset optional, a date alone is its midnight) as naive UTC; None when it is not one."""
    try:
        if _DATE.match(text):
            return datetime.combine(date.fromisoformat(text), time())
        match = _STAMP.match(text)
        if match is None:
            return None
        day, minutes, seconds, fraction, offset = match.groups()
        stamp = datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}")
        stamp = stamp.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
        if offset and offset not in "Zz":
            offset = offset if ":" in offset else offset[:3] + ":" + offset[3:]
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
            stamp = stamp.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
        return stamp
    except (ValueError, OverflowError):
        return None


def string_to(text: str, target: Type) -> ir.Value:
    """The value that a text stands for; Unfit when it stands for none."""
    value: ir.Value = None
    try:
        if target == STRING:
            return text
        if target == BOOLEAN:
            value = {"true": True, "false": False}.get(text.lower())
        elif target == INTEGER and _INTEGER.match(text) and -INTEGER_LIMIT <= int(text) < INTEGER_LIMIT:
            value = int(text)
        elif target == NUMBER and _NUMBER.match(text):
            exact = Decimal(text).quantize(MICRO, ROUND_HALF_UP)
            value = exact if abs(exact) < NUMBER_LIMIT else None
        elif target == DOUBLE and _NUMBER.match(text):
            value = float(text)
        elif target == DATE and _DATE.match(text):
            value = date.fromisoformat(text)
        elif target == TIMESTAMP:
            value = parse_timestamp(text)
    except (ValueError, InvalidOperation):
        value = None
    if value is None:
        raise Unfit(text)
    return value


def plain_number(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def convert_value(value: ir.Value, target: Type) -> ir.Value:
    """A constant as another type; Unfit when it does not fit."""
    match value:
        case None:
            return None
        case str():
            return string_to(value, target)
        case bool():
            return ("true" if value else "false") if target == STRING else value
        case datetime():
            return value.date() if target == DATE else value
        case date():
            if target == TIMESTAMP:
                return datetime.combine(value, time())
            return value.isoformat() if target == STRING else value
        case int() | Decimal() | float():
            return _convert_number(value, target)


def _convert_number(value: int | Decimal | float, target: Type) -> ir.Value:
    if target == DOUBLE:
        return float(value)
    if target == EXACT:
        return Decimal(value)
    if target == NUMBER:
        exact = Decimal(repr(value) if isinstance(value, float) else value).quantize(MICRO, ROUND_HALF_UP)
        if abs(exact) >= NUMBER_LIMIT:
            raise Unfit(str(value))
        return exact
    if target == STRING:
        return plain_number(value) if isinstance(value, Decimal) else str(value)
    if target == INTEGER and value == int(value):
        return int(value)
    raise Unfit(str(value))


def convert(expr: ir.Expr, target: Type) -> ir.Expr:
    """`expr` as `target`, which `can_convert` allows; constants at once (Unfit when one does not fit)."""
    if same(expr.type, target):
        return expr
    if isinstance(expr, ir.Const):
        return ir.Const(convert_value(expr.value, target), target, span=expr.span)
    if isinstance(expr, ir.MakeList) and isinstance(target, ListType):
        return ir.MakeList(tuple(convert(i, target.element) for i in expr.items), target, span=expr.span)
    return ir.Convert(expr, target, span=expr.span)


def small_integers(value: ir.Expr) -> bool:
    """Are these literal integers that a `number` holds too?"""
    items = value.items if isinstance(value, ir.MakeList) else (value,)
    return all(isinstance(i, ir.Const) and (i.value is None or abs(i.value) < 10**12) for i in items)  # type: ignore[arg-type,operator]
