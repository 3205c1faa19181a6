"""The first records of a source, raw and mapped: for previews, tests of sources, and proposals. Stores nothing. Read `sample_source`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pql.ingest.files import read_chunks
from pql.ingest.functions import Misfit
from pql.ingest.load import Plan, map_record
from pql.ingest.records import parse_record, table_records
from pql.ingest.source_file import SourceFile
from pql.store.ledger import Refused
from pql.xdm.values import write_value

BLOCK = 1 << 20


@dataclass(frozen=True)
class Sampled:
    """A record as it came and what the mapping makes of it, or why nothing."""

    line: int
    raw: Any
    mapped: dict[str, Any] | None
    refused: Refused | None


def raw_records(file: Path, format: str, options: dict[str, Any], most: int) -> Iterator[tuple[int, Any]]:
    """Records (JSON texts or column records) with their lines; refused stretches as `Refused`. Raises BadFile."""

    def all_of_them() -> Iterator[tuple[int, Any]]:
        for chunk in read_chunks(file, format, options, BLOCK):
            yield from ((r.line, r) for r in chunk.refused)
            if "raw" in chunk.table.column_names:
                yield from zip(chunk.table["__line"].to_pylist(), chunk.table["raw"].to_pylist(), strict=True)
            else:
                yield from table_records(chunk.table.slice(0, most))

    yield from islice(all_of_them(), most)


def sample_source(plan: Plan, most: int = 5) -> list[Sampled]:
    """The first records of the source's first file. Raises BadFile."""
    evaluator = plan.evaluator()
    made: list[Sampled] = []
    for file in plan.source.files()[:1]:
        for line, record in raw_records(file, plan.source.format, dict(plan.source.options), most):
            if isinstance(record, Refused):
                made.append(Sampled(line, record.raw, None, record))
                continue
            document, refused = map_record(evaluator, record, line)
            made.append(Sampled(line, _shown(record), None if refused else write_value(document), refused))
    return made


def _shown(record: Any) -> Any:
    if not isinstance(record, str):
        return write_value(record)
    try:
        return write_value(parse_record(record))
    except Misfit:
        return record.strip()


def source_fields(
    file: Path, source: SourceFile | None, format: str, options: dict[str, Any], most: int = 1000
) -> dict[str, list[Any]]:
    """The fields of the first records by dotted path, lists as `path[]`, with the values seen (nulls left out)."""
    del source
    found: dict[str, list[Any]] = {}
    for _, record in raw_records(file, format, options, most):
        if isinstance(record, Refused):
            continue
        try:
            _collect(parse_record(record) if isinstance(record, str) else record, "", found, format == "csv")
        except Misfit:
            continue
    return found


def _collect(value: Any, path: str, found: dict[str, list[Any]], flat: bool) -> None:
    if isinstance(value, dict) and len(path) < 400:
        for key, inner in value.items():
            _collect(inner, f"{path}.{key}" if path else key, found, flat)
    elif isinstance(value, list):
        found.setdefault(path, []).append(value)
    elif len(found) < 2000:
        values = found.setdefault(path, [])
        if value is not None:
            values.append(value)
