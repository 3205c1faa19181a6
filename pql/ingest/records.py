"""One source record at a time: the text of a JSON record read strictly, rows of columns as records and back to text. Read `parse_record`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pql.ingest.functions import Misfit

DEEP = 100
"""Objects and lists inside one another."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [k for k, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise Misfit(f"`{twice[:60]}` stands twice in one object", "PQL0822")
    return made


def _number(text: str) -> Any:
    value = float(text)
    return Decimal(repr(value)) if abs(value) < 1e300 else value


def parse_record(text: str) -> dict[str, Any]:
    """A JSON object. Raises Misfit PQL0822 for anything else, for keys that stand twice and for what cannot be text."""
    try:
        record = json.loads(text, object_pairs_hook=_pairs, parse_float=_number)
    except RecursionError:
        raise Misfit("nested too deeply", "PQL0822") from None
    except ValueError as error:
        raise Misfit(f"no JSON: {str(error)[:120]}", "PQL0822") from None
    if not isinstance(record, dict):
        raise Misfit("a JSON object is wanted", "PQL0822")
    if "\\u" in text.lower():
        _check_text(record)
    return record


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Misfit("half of a surrogate pair is no text", "PQL0822") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)


def table_records(table: pa.Table) -> list[tuple[int, dict[str, Any]]]:
    """The rows of columns as records without their nulls, each with its line."""
    made = []
    for row in table.to_pylist(maps_as_pydicts="lossy"):
        line = row.pop("__line")
        made.append((line, {k: _plain(v) for k, v in row.items() if v is not None}))
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


def record_text(record: dict[str, Any]) -> str:
    """A record of columns as JSON, for quarantine."""
    return json.dumps(record, ensure_ascii=False, default=_written)


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)
