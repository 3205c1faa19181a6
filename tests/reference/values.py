"""Scalars of the reference evaluator: coercion, comparison, arithmetic. SEMANTICS sections 1, 5, 6.

Plain Python values: int, Decimal, float, str, bool, date, naive UTC datetime, list, dict; None is null.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, ListType, MapType, Type

MICRO = Decimal("0.000001")
EXACT = Context(prec=100)


class SumOutOfRange(Exception):
    """PQL0601."""


def six(value: Decimal) -> Decimal | None:
    """Rounded half away from zero to six digits; null outside twelve digits before the point."""
    with localcontext(EXACT):
        rounded = value.quantize(MICRO, ROUND_HALF_UP)
    return rounded if abs(rounded) < 10**12 else None


def whole(value: int) -> int | None:
    return value if -(2**63) <= value < 2**63 else None


def real(value: float) -> float | None:
    return value if math.isfinite(value) else None


def to_double(value: Any) -> float:
    return float(value)


def text_to_integer(text: str) -> int | None:
    return whole(int(text)) if re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) else None


def text_to_decimal(text: str) -> Decimal | None:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text, re.ASCII):
        return None
    with localcontext(EXACT):
        exact = Decimal(text)
        return exact if abs(exact) < Decimal(10) ** 40 else None


def text_to_date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    try:
        return date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError:
        return None


STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?"
)


def text_to_instant(text: str) -> datetime | None:
    day = text_to_date(text)
    if day is not None:
        return datetime.combine(day, time())
    match = STAMP.fullmatch(text)
    if match is None:
        return None
    day_text, hour, minute, second, fraction, _, sign, off_hour, off_minute = match.groups()
    day = text_to_date(day_text)
    if day is None:
        return None
    try:
        micro = int((fraction or "")[:6].ljust(6, "0"))
        stamp = datetime(day.year, day.month, day.day, int(hour), int(minute), int(second or 0), micro)
        if sign:
            if int(off_hour) > 23 or int(off_minute) > 59:
                return None
            offset = timedelta(hours=int(off_hour), minutes=int(off_minute))
            stamp = stamp - offset if sign == "+" else stamp + offset
        return stamp
    except (ValueError, OverflowError):
        return None


def number_text(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def coerce(value: Any, source: Type, target: Type) -> Any:
    """A value of `source` as `target`; null where it does not fit."""
    if value is None or source == target:
        return value
    if isinstance(target, ListType) and isinstance(source, ListType):
        return [coerce(v, source.element, target.element) for v in value]
    if isinstance(target, MapType) and isinstance(source, MapType):
        return {k: coerce(v, source.value, target.value) for k, v in value.items()}
    if isinstance(value, str):
        return from_text(value, target)
    if target == STRING:
        return to_text(value)
    if target == TIMESTAMP and isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    if target == DATE and isinstance(value, datetime):
        return value.date()
    if target == DOUBLE:
        return to_double(value)
    if target == NUMBER:
        return six(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    if target == INTEGER:
        return whole(int(value)) if value == int(value) else None
    return value


def from_text(text: str, target: Type) -> Any:
    if target == BOOLEAN:
        return {"true": True, "false": False}.get(text.lower()) if text.isascii() else None
    if target == INTEGER:
        return text_to_integer(text)
    if target == NUMBER:
        exact = text_to_decimal(text)
        return None if exact is None else six(exact)
    if target == DOUBLE:
        exact = text_to_decimal(text)
        return None if exact is None else real(float(text))
    if target == DATE:
        return text_to_date(text)
    if target == TIMESTAMP:
        return text_to_instant(text)
    return text


def to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Two numbers ready to compare: as doubles when one is a double, else exactly."""
    if isinstance(a, float) or isinstance(b, float):
        return to_double(a), to_double(b)
    return a, b


def compare(op: str, a: Any, b: Any) -> bool:
    """Both of one type, or both numbers. Null: false."""
    if a is None or b is None:
        return False
    if not isinstance(a, str | bool | date):
        a, b = pair(a, b)
    if op == "=":
        return bool(a == b)
    if op == "!=":
        return bool(a != b)
    if op == "<":
        return bool(a < b)
    if op == "<=":
        return bool(a <= b)
    return bool(a > b) if op == ">" else bool(a >= b)


def arithmetic(op: str, a: Any, b: Any, kind: Type) -> Any:
    """`kind`: the type of the result; `/` is always double."""
    if a is None or b is None:
        return None
    if op == "/":
        divisor = to_double(b)
        return None if divisor == 0 else divided(to_double(a), divisor)
    if kind == DOUBLE:
        return on_doubles(op, to_double(a), to_double(b))
    with localcontext(EXACT):
        if op == "%":
            if b == 0:
                return None
            result = abs(a) % abs(b)
            result = -result if a < 0 else result
        else:
            result = a + b if op == "+" else a - b if op == "-" else a * b
        return whole(result) if kind == INTEGER else six(Decimal(result))


def divided(a: float, b: float) -> float | None:
    try:
        return real(a / b)
    except OverflowError:
        return None


def on_doubles(op: str, a: float, b: float) -> float | None:
    if op == "%":
        return None if b == 0 else real(math.fmod(a, b))
    return real(a + b if op == "+" else a - b if op == "-" else a * b)


def instant_of(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp
