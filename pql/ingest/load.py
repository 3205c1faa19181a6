"""Loading a source: its files, chunk by chunk, into its dataset; one batch a file, one transaction a batch.

Files are read ahead in a thread; SQL maps the rows that it vouches for, Python the others. Read `load_file`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pql.identity.settings import IdentitySettings
from pql.ingest.columns import arrow_kinds
from pql.ingest.compile import Compiled, compile_mapping
from pql.ingest.evaluate import Evaluator, LookUps
from pql.ingest.files import BLOCK, BLOCKS, Chunk, in_row_groups, read_chunks
from pql.ingest.functions import Misfit
from pql.ingest.records import parse_record, record_text, table_records
from pql.ingest.shapes import ColumnFields, JsonFields, Unvectorised
from pql.ingest.source_file import LookUpTable, SourceFile, columns_of, document_type
from pql.ingest.tree import Mapping, Target
from pql.store.datasets import DatasetLoad, DatasetSpec
from pql.store.identify import IdentityField, IdentityPlan
from pql.store.ledger import Counts, Refused
from pql.store.store import Store
from pql.store.straight import may_go_straight, staged_meet, take_back
from pql.types import STRING, TIMESTAMP, Field, ObjectType, Type, make_object
from pql.xdm.schema import Schema

Progress = Callable[[int, Counts], None]
"""Bytes read so far, and the counts so far."""
EVENT_NEEDS = ("_id", "timestamp")


@dataclass(frozen=True)
class Plan:
    """A source with everything that loading needs."""

    source: SourceFile
    spec: DatasetSpec
    mapping: Mapping
    document: ObjectType
    required: tuple[str, ...]
    look_ups: LookUps
    made: dict[str, Compiled | None] = field(default_factory=dict, compare=False, repr=False)
    """SELECTs by the columns of their rows, made once."""

    @property
    def is_text(self) -> bool:
        return self.source.format in ("json", "jsonl", "http")

    def evaluator(self) -> Evaluator:
        return Evaluator(self.mapping, self.document, self.required, self.look_ups, self.source.format == "csv")


def plan_source(source: SourceFile, schema: Schema, rules: IdentitySettings, others: Sequence[SourceFile] = ()) -> Plan:
    """`others`: the sources that feed the same dataset. Reads look-up files: BadFile."""
    columns = columns_of(schema, source.kind, source.entity)
    assert columns is not None
    document = document_type(columns, source.kind)
    leaves = dict.fromkeys(
        leaf for s in (source, *others) for t in s.mapping.targets for leaf in _leaves(t.path, t.type)
    )
    spec = DatasetSpec(
        source.dataset, source.title, source.kind, source.owner, source.labels, document, tuple(leaves),
        _identities(source, schema, rules), source.mode, source.order_by is not None,
    )  # fmt: skip
    mapping = source.mapping
    if source.order_by is not None:
        mapping = Mapping((*mapping.targets, Target(("_ordered",), TIMESTAMP, source.order_by)))
        document = make_object(document.name, {**document.fields, "_ordered": Field("_ordered", TIMESTAMP)})
    look_ups = {name: read_look_up(table) for name, table in source.look_ups.items()}
    return Plan(source, spec, mapping, document, EVENT_NEEDS if source.kind == "event" else (), look_ups)


def _leaves(path: tuple[str, ...], kind: Type) -> Iterator[tuple[str, ...]]:
    if isinstance(kind, ObjectType) and kind.fields:
        for name, field in kind.fields.items():
            yield from _leaves((*path, name), field.type)
    else:
        yield path


def _identities(source: SourceFile, schema: Schema, rules: IdentitySettings) -> IdentityPlan:
    declared = schema.event_identities if source.kind == "event" else schema.identities
    own = [IdentityField(i.path, i.namespace, i.primary) for i in source.identities]
    takes_over = any(i.primary for i in own)
    known = {(i.path, i.namespace) for i in own}
    inherited = [
        IdentityField(i.path, i.namespace, i.primary and not takes_over)
        for i in declared
        if (i.path, i.namespace) not in known
    ]
    codes = {*rules.namespaces, *(rules.aliases.get(i.namespace, i.namespace) for i in (*own, *inherited))}
    ranked = sorted(codes, key=rules.order)
    unknown = sum(rules.order(c) < rules.order("\0") for c in ranked)
    ranks = tuple((c, 2 * i) for i, c in enumerate(ranked))
    return IdentityPlan((*own, *inherited), rules, ranks, 2 * unknown - 1, source.key)


def read_look_up(table: LookUpTable) -> dict[str, dict[str, Any]]:
    """The rows of a look-up by their key; of rows with one key the last. Rows without a key are left out."""
    if table.path is None:
        return {k: dict(v) for k, v in table.values.items()}
    made: dict[str, dict[str, Any]] = {}
    for chunk in read_chunks(table.path, table.format, dict(table.options)):
        for _, record in _records(chunk, table.format in ("json", "jsonl")):
            key: Any = record if isinstance(record, dict) else {}
            for step in table.key.split(".") if table.key not in record else [table.key]:
                key = key.get(step) if isinstance(key, dict) else None
            if isinstance(key, str | int):
                made[str(key)] = record
    return made


def _records(chunk: Chunk, is_text: bool) -> Iterator[tuple[int, Any]]:
    if not is_text:
        yield from table_records(chunk.table)
        return
    for line, raw in zip(chunk.table["__line"].to_pylist(), chunk.table["raw"].to_pylist(), strict=True):
        try:
            yield line, parse_record(raw)
        except Misfit:
            continue


def load_file(store: Store, plan: Plan, path: Path, progress: Progress | None = None, block: int = BLOCK) -> Counts:
    """One batch. Raises BadFile (nothing is stored then) and StoreError."""
    with DatasetLoad(store, plan.spec, plan.source.id, str(path)) as load:
        read = 0
        for name, rows in plan.look_ups.items():
            load.look_up(name, rows, record_text)
        for chunk in read_ahead(lambda: _chunks(path, plan, block)):
            load_chunk(load, plan, chunk)
            read += chunk.size
            if progress is not None:
                progress(read, load.counts)
    return load.counts


def _chunks(path: Path, plan: Plan, block: int) -> Iterator[Chunk]:
    chunks = read_chunks(path, plan.source.format, dict(plan.source.options), block)
    return chunks if plan.source.format == "parquet" else in_row_groups(chunks, BLOCKS * block)


def load_chunk(load: DatasetLoad, plan: Plan, chunk: Chunk) -> Counts:
    """Map, stage and settle the rows of a chunk; the counts add up to its rows and refused records."""
    compiled = _compiled(plan, chunk.table.schema)
    counts = _straight(load, plan, chunk, compiled) if compiled is not None and may_go_straight(load) else None
    if counts is None:
        counts = _staged(load, plan, chunk, compiled)
    assert counts.read == chunk.table.num_rows + len(chunk.refused), (counts, chunk.table.num_rows, len(chunk.refused))
    return counts


def _straight(load: DatasetLoad, plan: Plan, chunk: Chunk, compiled: Compiled) -> Counts | None:
    """Append a chunk whose rows meet nobody; None when they do, and nothing was done."""
    odd = compiled.odd.sql("duckdb") if compiled.odd is not None else None
    left = load.put(chunk.table, compiled.select.sql("duckdb"), compiled.columns, odd, compiled.places)
    if left is None:
        return None
    refused = list(chunk.refused)
    if not left and not refused:
        return load.settle_straight()
    load.stage(None, None, compiled.columns)
    if left:
        refused += _worked_out(load, plan, chunk.table, left)
        if staged_meet(load):
            take_back(load)
            return None
    return load.settle(refused, lambda lines: _raw(chunk.table, lines))


def _staged(load: DatasetLoad, plan: Plan, chunk: Chunk, compiled: Compiled | None) -> Counts:
    top = tuple(dict.fromkeys(t.path[0] for t in plan.mapping.targets))
    if compiled is None:
        load.stage(None, None, top)
        doubtful = chunk.table["__line"].to_pylist()
    else:
        odd = compiled.odd.sql("duckdb") if compiled.odd is not None else None
        doubtful = load.stage(chunk.table, compiled.select.sql("duckdb"), compiled.columns, odd, compiled.places)
    refused = list(chunk.refused)
    if doubtful:
        refused += _worked_out(load, plan, chunk.table, doubtful)
    return load.settle(refused, lambda lines: _raw(chunk.table, lines))


def _worked_out(load: DatasetLoad, plan: Plan, table: pa.Table, lines: Sequence[int]) -> list[Refused]:
    """Map rows in Python, stage those that fit; the others."""
    evaluator = plan.evaluator()
    wanted = (
        table.filter(pc.is_in(table["__line"], pa.array(lines, pa.int64()))) if len(lines) < table.num_rows else table
    )
    good_lines: list[int] = []
    documents: list[dict[str, Any]] = []
    refused: list[Refused] = []
    if plan.is_text:
        pairs: Any = zip(wanted["__line"].to_pylist(), wanted["raw"].to_pylist(), strict=True)
    else:
        pairs = table_records(wanted)
    for line, record in pairs:
        document, problem = map_record(evaluator, record, line)
        if problem is not None:
            refused.append(problem)
        else:
            good_lines.append(line)
            documents.append(document)
    load.add(good_lines, documents)
    return refused


def map_record(evaluator: Evaluator, record: Any, line: int) -> tuple[dict[str, Any], Refused | None]:
    """The document of a record (JSON text, or an object), or why it has none."""
    raw = record.strip() if isinstance(record, str) else record_text(record)
    try:
        document, problems = evaluator.map(parse_record(record) if isinstance(record, str) else record)
    except Misfit as misfit:
        return {}, Refused(line, misfit.path, misfit.code, str(misfit), raw)
    if not problems:
        return document, None
    problems = [("order_by" if p == "_ordered" else p, c, m) for p, c, m in problems]
    path, code, message = problems[0]
    more = "".join(f"; `{p}`: {m}" for p, _, m in problems[1:4])
    return {}, Refused(line, path, code, message + more, raw)


def _raw(table: pa.Table, lines: Sequence[int]) -> list[str]:
    """The rows of these lines as they came."""
    rows = table.filter(pc.is_in(table["__line"], pa.array(lines, pa.int64())))
    if "raw" in table.column_names:
        pairs = zip(rows["__line"].to_pylist(), (str(r).strip() for r in rows["raw"].to_pylist()), strict=True)
        found = dict(pairs)
    else:
        found = {line: record_text(record) for line, record in table_records(rows)}
    return [found[line] for line in lines]


def _compiled(plan: Plan, schema: pa.Schema) -> Compiled | None:
    """The SELECT for rows of these columns; None when SQL cannot work the mapping out."""
    key = "" if plan.is_text else str(schema)
    if key not in plan.made:
        plan.made[key] = _compile(plan, schema)
    return plan.made[key]


def _compile(plan: Plan, schema: pa.Schema) -> Compiled | None:
    try:
        if plan.is_text:
            fields: JsonFields | ColumnFields = JsonFields()
        elif plan.source.format == "csv":
            fields = ColumnFields({n: STRING for n in schema.names if n != "__line"}, flat=True)
        else:
            fields = ColumnFields(arrow_kinds(schema), flat=False)
        return compile_mapping(plan.mapping, plan.document, fields, plan.required, plan.source.format == "csv")
    except Unvectorised:
        return None


def read_ahead(make: Callable[[], Iterator[Chunk]]) -> Iterator[Chunk]:
    """The chunks, made by a thread that is one ahead."""
    ready: queue.Queue[Any] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def run() -> None:
        try:
            for chunk in make():
                put(chunk)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001  (raised again by the reader)
            put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
