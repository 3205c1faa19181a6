"""Does a value fit its field? Types by `pql.xdm.values`, then what the schema demands: enum, pattern, bounds, required.

What is a coercion and what is a misfit (docs/INGESTION.md): a number sent as text does not fit, except in CSV, where
every cell is text (`loose`); a date fits a date-time (midnight UTC). Must not know SQL. Read `fit`.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2

from pql.ingest.functions.number import NUMERAL
from pql.types import BOOLEAN, DOUBLE, INTEGER, NUMBER, Bounds, Field, ListType, MapType, ObjectType, Type
from pql.xdm.values import read_value

Problem = tuple[str, str, str]
"""Path, code, message."""


def fit(value: Any, kind: Type, path: str, loose: bool = False) -> tuple[Any, list[Problem]]:
    """The value as the type's, and what is wrong. `path`: the XDM path, for messages."""
    if loose:
        value = _loosened(value, kind)
    typed, wrong = read_value(value, kind, path, ignore_unknown=True)
    problems = [(p, "PQL0825", message) for p, message in wrong]
    return typed, problems


def _loosened(value: Any, kind: Type) -> Any:
    if isinstance(value, list) and isinstance(kind, ListType):
        return [_loosened(v, kind.element) for v in value]
    if isinstance(value, dict) and isinstance(kind, ObjectType):
        return {k: _loosened(v, kind.fields[k].type) if k in kind.fields else v for k, v in value.items()}
    if not isinstance(value, str):
        return value
    if kind == BOOLEAN and value in ("true", "false"):
        return value == "true"
    if kind in (INTEGER, NUMBER, DOUBLE) and len(value) < 60 and NUMERAL.fullmatch(value):
        return Decimal(value)
    return value


def demands(value: Any, field: Field, path: str) -> list[Problem]:
    """What the schema demands of a typed value beyond its type, and of everything inside it."""
    if value is None:
        return []
    problems = _bounded(value, field, path)
    return problems + _inside(value, field.type, path)


def _inside(value: Any, kind: Type, path: str) -> list[Problem]:
    if isinstance(kind, ListType) and isinstance(value, list):
        return [p for i, v in enumerate(value) for p in _inside(v, kind.element, f"{path}[{i}]")]
    if isinstance(kind, MapType) and isinstance(value, dict):
        return [p for k, v in value.items() for p in _inside(v, kind.value, f"{path}.{k}")]
    if isinstance(kind, ObjectType) and isinstance(value, dict):
        return object_demands(value, kind, path)
    return []


def object_demands(value: dict[str, Any], kind: ObjectType, path: str) -> list[Problem]:
    problems: list[Problem] = []
    for name, field in kind.fields.items():
        at = f"{path}.{name}" if path else name
        inner = value.get(name)
        if inner is None:
            if field.bounds is not None and field.bounds.required:
                problems.append((at, "PQL0826", "the schema requires this field"))
            continue
        problems += demands(inner, field, at)
    return problems


def _bounded(value: Any, field: Field, path: str) -> list[Problem]:
    if field.enum is not None and isinstance(value, str) and value not in field.enum:
        return [(path, "PQL0827", f"`{value[:60]}` is not one of the field's values ({', '.join(field.enum[:8])})")]
    bounds = field.bounds
    if bounds is None:
        return []
    if isinstance(value, str):
        return _text_bounds(value, bounds, path)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        for limit, beyond, word in ((bounds.minimum, -1, "least"), (bounds.maximum, 1, "most")):
            if limit is not None and (Decimal(value) - Decimal(repr(limit))) * beyond > 0:
                return [(path, "PQL0827", f"{value} is out of bounds: at {word} {limit:g}")]
    return []


def _text_bounds(value: str, bounds: Bounds, path: str) -> list[Problem]:
    if bounds.min_length is not None and len(value) < bounds.min_length:
        return [(path, "PQL0827", f"the text is shorter than {bounds.min_length} characters")]
    if bounds.max_length is not None and len(value) > bounds.max_length:
        return [(path, "PQL0827", f"the text is longer than {bounds.max_length} characters")]
    if bounds.pattern and is_pattern(bounds.pattern) and re2.search(bounds.pattern, value) is None:
        return [(path, "PQL0827", f"`{value[:60]}` does not match `{bounds.pattern[:60]}`")]
    return []


@lru_cache(maxsize=1024)
def is_pattern(text: str) -> bool:
    """Can RE2 read it? Patterns of other dialects demand nothing."""
    try:
        re2.compile(text)
        return len(text) <= 500
    except re2.error:
        return False
