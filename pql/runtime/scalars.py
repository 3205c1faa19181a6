"""Scalar functions in Python: the live half of the function table. SEMANTICS sections 5, 6 and 12.

Each takes values that are not null and gives a value or None; `call_scalar` handles null arguments. Read `SCALARS`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

import re2

from pql.functions.text import lower
from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, Type

MICRO = Decimal("0.000001")
EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
INTEGER_LIMIT = 2**63
NUMBER_LIMIT = Decimal(10) ** 12


def fit(value: Any, kind: Type) -> Any:
    """A number in its type's range, or None."""
    if kind == INTEGER:
        return value if -INTEGER_LIMIT <= value < INTEGER_LIMIT else None
    if kind == NUMBER:
        exact = EXACT.quantize(Decimal(value), MICRO)
        return exact if abs(exact) < NUMBER_LIMIT else None
    return value if math.isfinite(value) else None


def arithmetic(op: str, a: Any, b: Any, kind: Type) -> Any:
    """`+ - * / %` on operands of one type."""
    if op == "/":
        a, b, kind = float(a), float(b), DOUBLE
    if kind == DOUBLE:
        return _double(op, float(a), float(b))
    if op == "%":
        if b == 0:
            return None
        rest = abs(a) % abs(b) if kind == INTEGER else EXACT.remainder(abs(Decimal(a)), abs(Decimal(b)))
        return fit(-rest if a < 0 else rest, kind)
    if kind == NUMBER:
        a, b = Decimal(a), Decimal(b)
        made = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}[op](a, b)
    else:
        made = a + b if op == "+" else a - b if op == "-" else a * b
    return fit(made, kind)


def _double(op: str, a: float, b: float) -> float | None:
    try:
        if op in "/%":
            if b == 0:
                return None
            result = a / b if op == "/" else math.fmod(a, b)
        else:
            result = a + b if op == "+" else a - b if op == "-" else a * b
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def _like(text: str, pattern: str) -> bool:
    return _like_pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _like_pattern(pattern: str) -> re.Pattern[str]:
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and pattern[i + 1 : i + 2] in ("%", "_", "\\") and i + 1 < len(pattern):
            out.append(re.escape(pattern[i + 1]))
            i += 2
            continue
        out.append(".*" if c == "%" else "." if c == "_" else re.escape(c))
        i += 1
    return re.compile("".join(out), re.DOTALL)


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _group(text: str, pattern: str, group: int = 1) -> str | None:
    compiled = _regex(pattern)
    if not 0 <= group <= compiled.groups:
        return None
    found = compiled.search(text)
    return None if found is None else found.group(group)


def _substring(text: str, start: int, end: int | None = None) -> str:
    first = max(start, 0)
    return text[first:] if end is None else text[first : max(end, first)]


def _flagged(test: Callable[[str, str], bool]) -> Callable[..., bool]:
    def check(text: str, part: str, case: bool = True) -> bool:
        return test(text, part) if case else test(lower(text), lower(part))

    return check


def _made_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


SCALARS: dict[str, Callable[..., Any]] = {
    "startsWith": _flagged(lambda t, p: t.startswith(p)),
    "doesNotStartWith": _flagged(lambda t, p: not t.startswith(p)),
    "endsWith": _flagged(lambda t, p: t.endswith(p)),
    "doesNotEndWith": _flagged(lambda t, p: not t.endswith(p)),
    "contains": _flagged(lambda t, p: p in t),
    "doesNotContain": _flagged(lambda t, p: p not in t),
    "equals": _flagged(lambda t, p: t == p),
    "notEqualTo": _flagged(lambda t, p: t != p),
    "like": _like,
    "matches": lambda t, p: _regex(p).search(t) is not None,
    "regexGroup": _group,
    "lowerCase": lower,
    "upperCase": lambda t: "".join(u if len(u := c.upper()) == 1 else c for c in t),
    "trim": lambda t: t.strip(" "),
    "length": len,
    "isEmpty": lambda t: t == "",
    "isNotEmpty": lambda t: t != "",
    "concat": lambda *parts: "".join(parts),
    "substring": _substring,
    "substr": _substring,
    "absolute": lambda x: None if x == -INTEGER_LIMIT else abs(x),
    "getYear": lambda t: t.year,
    "getMonth": lambda t: t.month,
    "getDayOfMonth": lambda t: t.day,
    "dayOfWeek": lambda t: t.isoweekday(),
    "date": _made_date,
}


def convert(value: Any, source: Type, target: Type) -> Any:
    """A value of one scalar type as another; None when it does not fit."""
    from pql.runtime.texts import number_text, string_to

    if value is None or source == target:
        return value
    if source == STRING:
        return string_to(value, target)
    if target == STRING:
        if isinstance(value, bool):
            return "true" if value else "false"
        return (
            number_text(value)
            if isinstance(value, Decimal | float)
            else value.isoformat()
            if source == DATE
            else str(value)
        )
    if target == TIMESTAMP and source == DATE:
        return datetime.combine(value, time())
    if target == DATE and source == TIMESTAMP:
        return value.date()
    if target == DOUBLE:
        return float(value)
    if target == NUMBER:
        return fit(Decimal(repr(value)) if isinstance(value, float) else value, NUMBER)
    if target == INTEGER:
        return fit(int(value), INTEGER) if value == int(value) else None
    return value if target == BOOLEAN else value
