"""What `pql run` does once its inputs are read: one statement, then a table, lines or a file. Read `write`."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from pql.api import Environment, Project, Store, StoreError
from pql.cli.consoles import console
from pql.cli.inputs import fail, replaced, stop_words, stopped
from pql.cli.waiting import waited
from pql.ir import nodes as ir

ASKED_MOST = 200
"""Segments that are asked one by one when the statement of all of them met a sum out of range."""


@dataclass(frozen=True)
class Run:
    """Segments by id over a store, as of an instant."""

    environment: Environment
    project: Project
    store: Store
    at: datetime
    wanted: list[str]
    audiences: Mapping[str, ir.Expr] = field(default_factory=dict)
    """What is asked instead of a segment's condition, by id: with consent, for an activation."""

    def ask(self, output: str) -> list[tuple[Any, ...]]:
        try:
            return waited(self.store, "running", lambda: self._rows(output, self.wanted))
        except StoreError as error:
            raise self.stopped(error) from None

    def _rows(self, output: str, wanted: list[str]) -> list[tuple[Any, ...]]:
        conditions = [self.audiences.get(id, self.project.segments[id].condition) for id in wanted]
        query = self.environment.sql(conditions, self.project.conditions, output, self.store.layout)  # type: ignore[arg-type]
        return self.store.query(query.sql(), {"now": self.at})

    def stopped(self, error: StoreError) -> typer.Exit:
        """Why there is no answer; of a sum that is out of range, in which segments."""
        if error.code != "PQL0601" or len(self.wanted) > ASKED_MOST:
            return stopped(error)
        beyond = [id for id in self.wanted if self._is_beyond(id)]
        if not beyond:
            return stopped(error)
        names = ", ".join(f"`{id}`" for id in beyond)
        rest = next((id for id in self.wanted if id not in beyond), "")
        other = f"the others run: `--segment {rest}`; " if rest else ""
        return fail(f"{stop_words(error)} for somebody, in {names}", f"{other}`pql explain PQL0601` says more")

    def _is_beyond(self, id: str) -> bool:
        try:
            self._rows("counts", [id])
        except StoreError as error:
            return error.code == "PQL0601"
        return False

    def memberships(self) -> Iterator[tuple[str, str]]:
        """Segment and profile, in the order of the segments."""
        rows, names = self.ask("values"), self.store.profile_names()
        for index, id in enumerate(self.wanted):
            for row in rows:
                if row[index + 1]:
                    yield id, names.get(row[0], str(row[0]))


COUNTED = ("segment", "name", "members", "share")


def write(run: Run, format: str, output: Path | None, counts: bool) -> None:
    """Print or write what was asked for."""
    if counts or (format == "table" and output is None):
        _counts(run, format, output)
        return
    if format == "parquet":
        assert output is not None
        _parquet(run, output)
        return
    lines = _lines(run, format)
    if output is None:
        for line in lines:
            sys.stdout.write(line)
        return
    written = 0
    with replaced(output) as target, target.open("w", encoding="utf-8", newline="") as file:
        for line in lines:
            written += file.write(line) > 0
    typer.echo(f"{max(written - (format == 'csv'), 0):,} memberships written to {output}", err=True)


def _lines(run: Run, format: str) -> Iterator[str]:
    if format == "csv":
        yield "segment,profile\r\n"
    for segment, profile in run.memberships():
        if format == "csv":
            buffer = io.StringIO()
            csv.writer(buffer).writerow([segment, profile])
            yield buffer.getvalue()
        else:
            yield json.dumps({"segment": segment, "profile": profile}, ensure_ascii=False) + "\n"


def _parquet(run: Run, output: Path) -> None:
    pairs = list(run.memberships())
    _write_parquet({"segment": [s for s, _ in pairs], "profile": [p for _, p in pairs]}, ("string", "string"), output)
    typer.echo(f"{len(pairs):,} memberships written to {output}", err=True)


def _write_parquet(columns: dict[str, list[Any]], types: tuple[str, ...], output: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    typed = zip(columns.items(), types, strict=True)
    table = pa.table({name: pa.array(values, pa.type_for_alias(kind)) for (name, values), kind in typed})
    with replaced(output) as target:
        pq.write_table(table, target)


def _counts(run: Run, format: str, output: Path | None) -> None:
    started = time.perf_counter()
    found = run.ask("counts")[0]
    spent = time.perf_counter() - started
    total = int(run.store.query("SELECT count(*) FROM profile", {})[0][0])
    rows = [
        {
            "segment": id,
            "name": run.project.segments[id].display,
            "members": n,
            "share": round(n / total, 6) if total else 0.0,
        }
        for id, n in zip(run.wanted, found, strict=True)
    ]
    if format == "table" and output is None:
        _print_table(rows, total, spent, run.at)
        return
    if format == "parquet":
        assert output is not None
        columns = {name: [row[name] for row in rows] for name in COUNTED}
        _write_parquet(columns, ("string", "string", "int64", "double"), output)
        typer.echo(f"{len(rows):,} counts written to {output}", err=True)
        return
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    if format == "csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, COUNTED)
        writer.writeheader()
        writer.writerows(rows)
        text = buffer.getvalue()
    if output is None:
        sys.stdout.write(text)
        return
    with replaced(output) as target:
        target.write_text(text, encoding="utf-8")


def _print_table(rows: list[dict[str, Any]], total: int, spent: float, at: datetime) -> None:
    """The counts; a column of names when a segment has one. What is said of the whole stands around the table, where it does not wrap."""
    named = any(r["name"] for r in rows)
    table = Table()
    table.add_column("segment")
    if named:
        table.add_column("name")
    table.add_column("members", justify="right")
    table.add_column("share", justify="right")
    for r in rows:
        name = [escape(r["name"])] if named else []
        table.add_row(r["segment"], *name, f"{r['members']:,}", f"{r['share']:.1%}")
    out = console()
    out.print(f"segments as of {at.isoformat(timespec='seconds')}Z", highlight=False)
    out.print(table)
    out.print(f"{total:,} profiles, one statement, {spent * 1000:,.0f} ms", highlight=False)
