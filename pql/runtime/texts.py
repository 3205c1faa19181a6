"""Text to values and back, as coercion does it. SEMANTICS section 5. Read `string_to`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, Type

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def string_to(text: str, target: Type) -> Any:
    """What a text stands for as a value of a type; None when it stands for none."""
    try:
        if target == BOOLEAN:
            return {"true": True, "false": False}.get(text.lower())
        if target == INTEGER and _INTEGER.fullmatch(text):
            whole = int(text)
            return whole if -(2**63) <= whole < 2**63 else None
        if target == NUMBER and _NUMBER.fullmatch(text):
            exact = Decimal(text)
            if exact.adjusted() > 13:
                return None
            exact = exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)
            return exact if abs(exact) < Decimal(10) ** 12 else None
        if target == DOUBLE and _NUMBER.fullmatch(text):
            return float(text)
        if target == DATE and _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if target == TIMESTAMP:
            return _instant(text)
    except (ValueError, OverflowError, ArithmeticError):
        return None
    return text if target == STRING else None


def _instant(text: str) -> datetime | None:
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    day, minutes, seconds, fraction, offset = found.groups()
    if minutes is None:
        return datetime.combine(date.fromisoformat(day), time())
    stamp = datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}")
    stamp = stamp.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
    if offset and offset not in "Zz":
        shown = offset if ":" in offset else offset[:3] + ":" + offset[3:]
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{shown}").tzinfo
        stamp = stamp.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    return stamp


def number_text(value: Decimal | float) -> str:
    """A number without trailing zeros or point; a double as its shortest digits."""
    if isinstance(value, float):
        return repr(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
