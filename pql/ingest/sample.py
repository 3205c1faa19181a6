"""The first records of a source's files, raw and mapped: for previews, tests of sources, and proposals. Stores nothing. Read `sample_every_file`.

Whether a row has a usable identity is asked of a store in memory, for that is how a load asks: what is refused here is refused there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

from pql.diagnostics.codes import CODES
from pql.diagnostics.model import Diagnostic
from pql.ingest.files import BadFile, read_chunks
from pql.ingest.functions import Misfit
from pql.ingest.load import Plan, map_record
from pql.ingest.records import parse_record, table_records
from pql.source import Source, Span
from pql.store.datasets import DatasetLoad
from pql.store.ledger import Refused
from pql.store.store import Store
from pql.xdm.schema import Schema
from pql.xdm.values import write_value

BLOCK = 1 << 20
FILE_MOST = 1000
"""Records of one file that a test looks at."""
TEST_MOST = 10_000
"""Records of a source that a test looks at, unless it has so many files that FILE_LEAST of each are more."""
FILE_LEAST = 20


@dataclass(frozen=True)
class Sampled:
    """A record as it came and what the mapping makes of it, or why nothing."""

    line: int
    raw: Any
    mapped: dict[str, Any] | None
    refused: Refused | None


@dataclass
class FileSample:
    """What was looked at in one file. `whole`: it has no more records. `problem`: it cannot be read, or not further."""

    file: Path
    rows: list[Sampled] = field(default_factory=list)
    whole: bool = True
    problem: str = ""


def raw_records(file: Path, format: str, options: dict[str, Any], most: int) -> Iterator[tuple[int, Any]]:
    """Records (JSON texts or column records) with their lines, by line in each chunk; refused stretches as `Refused`. Raises BadFile."""

    def all_of_them() -> Iterator[tuple[int, Any]]:
        for chunk in read_chunks(file, format, options, BLOCK):
            refused = sorted(((r.line, r) for r in chunk.refused), key=_line)
            rows: Any
            if "raw" in chunk.table.column_names:
                rows = zip(chunk.table["__line"].to_pylist(), chunk.table["raw"].to_pylist(), strict=True)
            else:
                rows = table_records(chunk.table.slice(0, most))
            yield from merge(refused, rows, key=_line)

    yield from islice(all_of_them(), most)


def _line(pair: tuple[int, Any]) -> int:
    return pair[0]


def sample_every_file(plan: Plan, schema: Schema) -> list[FileSample]:
    """The first records of every file of a source. Raises BadFile when a look-up cannot be read."""
    files = plan.source.files()
    most = min(FILE_MOST, max(FILE_LEAST, TEST_MOST // max(len(files), 1)))
    return _sampled(plan, schema, ((file, most) for file in files))


def sample_first(plan: Plan, schema: Schema, most: int) -> list[FileSample]:
    """So many records of a source, dealt out evenly to its files; with fewer records than files to every so manieth of them."""
    files = plan.source.files()
    chosen = [files[i * len(files) // most] for i in range(most)] if len(files) > most else files
    made: list[FileSample] = []

    def shares() -> Iterator[tuple[Path, int]]:
        for turn, file in enumerate(chosen):
            left = most - sum(len(f.rows) for f in made)
            yield file, -(-left // (len(chosen) - turn))

    return _sampled(plan, schema, shares(), made)


def _sampled(
    plan: Plan, schema: Schema, shares: Iterable[tuple[Path, int]], made: list[FileSample] | None = None
) -> list[FileSample]:
    """The first records of files, so many of each; into `made`, if it is given, file by file."""
    evaluator = plan.evaluator()
    made = [] if made is None else made
    places: list[tuple[FileSample, int]] = []
    documents: list[dict[str, Any]] = []
    for file, most in shares:
        made.append(one := FileSample(file))
        for line, record in _until_broken(one, plan, most):
            if isinstance(record, Refused):
                one.rows.append(Sampled(line, record.raw, None, record))
                continue
            document, refused = map_record(evaluator, record, line)
            if refused is None:
                places.append((one, len(one.rows)))
                documents.append(document)
            one.rows.append(Sampled(line, _shown(record), None if refused else write_value(document), refused))
    reason = plan.spec.identities.reason(plan.spec.kind)
    for number in _of_nobody(plan, schema, documents):
        one, at = places[number]
        row = one.rows[at]
        one.rows[at] = replace(row, refused=Refused(row.line, "", "PQL0828", reason, ""))
    return made


def _until_broken(one: FileSample, plan: Plan, most: int) -> Iterator[tuple[int, Any]]:
    """The first records of a file; when it cannot be read, that is noted."""
    try:
        records = raw_records(one.file, plan.source.format, dict(plan.source.options), most + 1)
        for number, pair in enumerate(records):
            if number == most:
                one.whole = False
                return
            yield pair
    except BadFile as error:
        one.problem = str(error)


def _of_nobody(plan: Plan, schema: Schema, documents: Sequence[dict[str, Any]]) -> set[int]:
    """The places of the documents that have no usable identity."""
    if not documents:
        return set()
    store = Store.memory(schema)
    try:
        with DatasetLoad(store, plan.spec, plan.source.id, "") as load:
            load.stage(None, None, tuple(dict.fromkeys(t.path[0] for t in plan.mapping.targets)))
            load.add(range(len(documents)), documents)
            return set(load.of_nobody())
    finally:
        store.connection.close()


def sample_findings(file: str, sampled: Sequence[Sampled], in_lines: bool = True) -> list[Diagnostic]:
    """The rows that do not fit, in their order, as findings in the data file. What the rows say is no part of them, beside what a message
    quotes: findings go to build servers. Without `in_lines` records are counted, not lines, and a finding has its record's number only."""
    wrong = _in_order(sampled)
    if not wrong:
        return []
    place = Source(file, "\n" * max(wrong[-1].line, 1) if in_lines else "")
    made = []
    for r in wrong:
        at = max(r.line, 1) - 1 if in_lines else 0
        words = refusal_words(r) if in_lines else f"record {r.line}: {refusal_words(r)}"
        made.append(Diagnostic(r.code, CODES[r.code].severity, words, place, Span(at, at)))
    return made


def sample_words(sampled: Sequence[Sampled], in_lines: bool = True) -> list[str]:
    """The same in words."""
    place = "line" if in_lines else "record"
    return [f"{place} {r.line}: {r.code} {refusal_words(r)}" for r in _in_order(sampled)]


def _in_order(sampled: Sequence[Sampled]) -> list[Refused]:
    return sorted((s.refused for s in sampled if s.refused is not None), key=lambda r: r.line)


def refusal_words(refused: Refused) -> str:
    """What is wrong with a row, after the path where it is, if it has one."""
    return f"`{refused.path}`: {refused.message}" if refused.path else refused.message


def _shown(record: Any) -> Any:
    if not isinstance(record, str):
        return write_value(record)
    try:
        return write_value(parse_record(record))
    except Misfit:
        return record.strip()


def sampled_fields(files: Iterable[FileSample], format: str) -> dict[str, list[Any]]:
    """The fields of sampled records, as `source_fields` has them."""
    found: dict[str, list[Any]] = {}
    for row in (r for f in files for r in f.rows):
        if isinstance(row.raw, dict):
            _collect(row.raw, "", found, format == "csv")
    return found


def source_fields(file: Path, format: str, options: dict[str, Any], most: int = 1000) -> dict[str, list[Any]]:
    """The fields of the first records by dotted path, lists as `path[]`, with the values seen (nulls left out)."""
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
