"""JSON documents to typed values and back. SEMANTICS section 1.

Values: int, Decimal (six digits), float, str, bool, date, naive UTC datetime, list, dict (objects: present keys
only). What does not fit is named by its path, never raised. Must not know files or stores. Read `read_value`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, ListType, MapType, ObjectType, Type
from pql.xdm.schema import Schema

Problem = tuple[str, str]
MICRO = Decimal("0.000001")
FOLDED = "segmentMembership"
"""The end of the path of maps whose keys are read in lower case."""


class _Misfit(Exception):
    pass


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _Misfit("a number is wanted")
    try:
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        if not exact.is_finite() or abs(exact) >= 10**12:
            raise _Misfit("the number is out of range")
        return exact.quantize(MICRO, ROUND_HALF_UP)
    except InvalidOperation:
        raise _Misfit("a number is wanted") from None


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _Misfit("a whole number is wanted")
    if isinstance(value, float) and value != value or abs(Decimal(value)) > 2**64 or value != int(value):
        raise _Misfit("a whole number is wanted")
    whole = int(value)
    if not -(2**63) <= whole < 2**63:
        raise _Misfit("the number is out of the 64-bit range")
    return whole


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise _Misfit("a string is wanted")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Misfit("true or false is wanted")
    return value


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) != 10:
        raise _Misfit("a date such as 2026-03-01 is wanted")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _Misfit("a date such as 2026-03-01 is wanted") from None


def _timestamp(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    stamp = read_instant(value) if isinstance(value, str) else None
    if stamp is None:
        raise _Misfit("a date-time such as 2026-03-01T10:00:00Z is wanted")
    return stamp


def read_instant(text: str) -> datetime | None:
    """RFC 3339 text as naive UTC, cut to microseconds; None when it is not one."""
    try:
        body, dot, tail = text.partition(".")
        if dot:
            digits = len(tail) - len(tail.lstrip("0123456789"))
            text = f"{body}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
        stamp = datetime.fromisoformat(text)
        return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp
    except (ValueError, OverflowError):
        return None


_SCALARS: dict[Type, Callable[[Any], Any]] = {
    INTEGER: _integer,
    NUMBER: _number,
    DOUBLE: lambda v: float(_number(v)),
    STRING: _text,
    BOOLEAN: _boolean,
    DATE: _date,
    TIMESTAMP: _timestamp,
}


def read_value(value: Any, kind: Type, path: str = "$", ignore_unknown: bool = False) -> tuple[Any, list[Problem]]:
    """A JSON value as a typed value; parts that do not fit become null and are listed as (path, message)."""
    problems: list[Problem] = []
    return _read(value, kind, path, problems, ignore_unknown), problems


def _read(value: Any, kind: Type, path: str, problems: list[Problem], loose: bool) -> Any:
    if value is None:
        return None
    if isinstance(kind, ListType):
        if not isinstance(value, list | tuple):
            problems.append((path, "a list is wanted"))
            return None
        return [_read(v, kind.element, f"{path}[{i}]", problems, loose) for i, v in enumerate(value)]
    if isinstance(kind, MapType):
        if not isinstance(value, dict):
            problems.append((path, "an object is wanted"))
            return None
        fold = path.endswith(FOLDED)
        return {_key(k, fold): _read(v, kind.value, f"{path}.{k}", problems, loose) for k, v in value.items()}
    if isinstance(kind, ObjectType):
        return _object(value, kind, path, problems, loose)
    try:
        return _SCALARS[kind](value)
    except _Misfit as misfit:
        problems.append((path, str(misfit)))
        return None


def _key(key: Any, fold: bool) -> str:
    return str(key).lower() if fold else str(key)


def _object(value: Any, kind: ObjectType, path: str, problems: list[Problem], loose: bool) -> Any:
    if not isinstance(value, dict):
        problems.append((path, "an object is wanted"))
        return None
    result = {}
    for key, item in value.items():
        field = kind.fields.get(key)
        if field is not None:
            read = _read(item, field.type, f"{path}.{key}", problems, loose)
            if read is not None:
                result[key] = read
        elif kind.fields and not loose:
            problems.append((f"{path}.{key}", "the schema has no such field"))
    return result


def read_profile(document: Any, schema: Schema, ignore_unknown: bool = False) -> tuple[dict[str, Any], list[Problem]]:
    value, problems = read_value(document if document is not None else {}, schema.profile, "profile", ignore_unknown)
    return value or {}, problems


def read_event(document: Any, schema: Schema, ignore_unknown: bool = False) -> tuple[dict[str, Any], list[Problem]]:
    value, problems = read_value(document, schema.event, "event", ignore_unknown)
    return value or {}, problems


def write_value(value: Any) -> Any:
    """A typed value as JSON: whole decimals become integers, instants end in Z."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, list | tuple):
        return [write_value(v) for v in value]
    if isinstance(value, dict):
        return {k: write_value(v) for k, v in value.items()}
    return value
