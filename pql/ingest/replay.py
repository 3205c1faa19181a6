"""Quarantine replayed: rows as they came, mapped by what the source file says today. Read `replay`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from pql.ingest.csv_rows import csv_chunks
from pql.ingest.files import LINE_MOST
from pql.ingest.load import Plan, map_record
from pql.ingest.project import SourceProject
from pql.ingest.records import table_records
from pql.store.datasets import DatasetLoad
from pql.store.ledger import Counts, Refused
from pql.store.quarantine import Quarantined, settle_refused
from pql.store.store import Store


def replay(store: Store, project: SourceProject, rows: Sequence[Quarantined]) -> Counts:
    """Try rows again, one batch for each source and file. Rows that fit leave quarantine; the others get today's reason."""
    total = Counts()
    for group in _groups(r for r in rows if r.state == "open" and r.source in project.sources):
        total += _replay_group(store, project.plan(group[0].source), group)
    return total


def _groups(rows: Any) -> Iterator[list[Quarantined]]:
    """Rows of one source and file, no line twice."""
    groups: dict[tuple[str, str, int], list[Quarantined]] = {}
    seen: dict[tuple[str, str, int], int] = {}
    for row in rows:
        turn = seen.get((row.source, row.file, row.line), 0)
        seen[row.source, row.file, row.line] = turn + 1
        groups.setdefault((row.source, row.file, turn), []).append(row)
    yield from groups.values()


def _replay_group(store: Store, plan: Plan, rows: list[Quarantined]) -> Counts:
    evaluator = plan.evaluator()
    with DatasetLoad(store, plan.spec, plan.source.id, rows[0].file) as load:
        load.stage(None, None, tuple(dict.fromkeys(t.path[0] for t in plan.mapping.targets)))
        by_line = {r.line: r for r in rows}
        refused: list[Refused] = []
        lines, documents = [], []
        for row in rows:
            record = _record(plan, row)
            document, problem = ({}, record) if isinstance(record, Refused) else map_record(evaluator, record, row.line)
            if problem is not None:
                refused.append(Refused(row.line, problem.path, problem.code, problem.message, row.raw))
            else:
                lines.append(row.line)
                documents.append(document)
        load.add(lines, documents)
        load.settle(refused, lambda lines: [by_line[n].raw for n in lines])
        still = {r.line: r for r in load.refused}
        done = [r.id for r in rows if r.line not in still]
        settle_refused(store, done, [(by_line[line].id, r) for line, r in still.items()], load.arrived)
    return load.counts


def _record(plan: Plan, row: Quarantined) -> Any:
    """The record to map: JSON text, or for a CSV row that was none, its cells."""
    if plan.source.format != "csv" or row.code != "PQL0823":
        return row.raw
    options = dict(plan.source.options)
    if not options.get("columns"):
        with plan.source.files()[0].open("rb") as file:
            header = file.readline()
    else:
        header = b""
    for table, refused, _ in csv_chunks(BytesIO(header + row.raw.encode() + b"\n"), options, 1 << 20, LINE_MOST):
        for problem in refused:
            return problem
        for _, record in table_records(table):
            return record
    return Refused(row.line, row.path, row.code, row.message, row.raw)
