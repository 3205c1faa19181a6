"""The store's ledger: datasets, batches, quarantine, conflicts, in the DuckDB schema `meta`. docs/STORE.md has the tables.

Read `create_ledger`, then `Batch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from pql.store.layout import quote

TABLES = """
CREATE SCHEMA IF NOT EXISTS data;
CREATE SCHEMA IF NOT EXISTS meta;
CREATE TABLE IF NOT EXISTS meta.dataset(name VARCHAR, title VARCHAR, kind VARCHAR, owner VARCHAR, labels VARCHAR[], source VARCHAR);
CREATE TABLE IF NOT EXISTS meta.batch(batch BIGINT, dataset VARCHAR, source VARCHAR, file VARCHAR, started TIMESTAMP, finished TIMESTAMP,
  read BIGINT, stored BIGINT, duplicates BIGINT, quarantined BIGINT);
CREATE TABLE IF NOT EXISTS meta.quarantine(id BIGINT, batch BIGINT, dataset VARCHAR, source VARCHAR, file VARCHAR, line BIGINT, path VARCHAR,
  code VARCHAR, message VARCHAR, raw VARCHAR, state VARCHAR, changed TIMESTAMP);
CREATE TABLE IF NOT EXISTS meta.conflict(dataset VARCHAR, event_id VARCHAR, primary_a VARCHAR, primary_b VARCHAR, batch BIGINT);
CREATE TABLE IF NOT EXISTS meta.tombstone(namespace VARCHAR, id VARCHAR, "at" TIMESTAMP, reason VARCHAR);
"""


@dataclass(frozen=True)
class Refused:
    """A row that does not fit. `raw`: as it came, cut at RAW_MOST characters; `path`: of the first thing wrong."""

    line: int
    path: str
    code: str
    message: str
    raw: str


RAW_MOST = 4 << 20
DELETED = "PQL0847"
"""The code of a row that tells of a deleted person: it is counted in quarantine, and nothing of it is kept."""


@dataclass(frozen=True)
class Counts:
    """read = stored + duplicates + quarantined, always. `deleted`: those of the quarantined that tell of deleted people."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            self.deleted + other.deleted,
        )

    def check(self) -> Counts:
        assert self.read == self.stored + self.duplicates + self.quarantined, self
        assert self.deleted <= self.quarantined, self
        return self


def create_ledger(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what is missing of the ledger's tables."""
    connection.execute(TABLES)


def one(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Any = None) -> Any:
    """The first value of the first row, or None; the result is read to its end."""
    rows = connection.execute(sql, parameters).fetchall()
    return rows[0][0] if rows else None


def free(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop a temporary table, if it is there. Within a transaction the database holds on to the rows of dropped tables until the end,
    but not to those of dropped columns: all but the first go before."""
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'main' AND database_name = 'temp' ORDER BY column_index",
        [table],
    ).fetchall()
    for (column,) in rows[1:]:
        connection.execute(f"ALTER TABLE temp.{quote(table)} DROP COLUMN {quote(column)}")
    connection.execute(f"DROP TABLE IF EXISTS temp.{quote(table)}")


def next_number(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    return int(one(connection, f"SELECT coalesce(max({column}), 0) + 1 FROM {table}"))


def next_row(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the next row of any dataset: one is never used by two of them, so that fragments are named by it alone."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE schema_name = 'data' AND column_name = '_row'"
    ).fetchall()
    return max((next_number(connection, f"data.{quote(t)}", "_row") for (t,) in tables), default=1)


def arrival(connection: duckdb.DuckDBPyConnection) -> datetime:
    """Now, but later than every batch before: arrivals have an order even when the clock stands still."""
    now = datetime.now(UTC).replace(tzinfo=None)
    last = one(connection, "SELECT max(started) + INTERVAL 1 MICROSECOND FROM meta.batch")
    return max(now, last) if last is not None else now


def refuse(
    connection: duckdb.DuckDBPyConnection,
    batch: int,
    dataset: str,
    source: str,
    file: str,
    rows: Sequence[Refused],
    at: datetime,
) -> int:
    """Put rows into quarantine; those that lie there already, open and the same, are not put twice. The number of rows. Those of
    deleted people are never `open`, and have no raw data."""
    if not rows:
        return 0
    first = next_number(connection, "meta.quarantine", "id")
    table = pa.table(
        {
            "line": pa.array([r.line for r in rows], pa.int64()),
            "path": pa.array([r.path for r in rows], pa.string()),
            "code": pa.array([r.code for r in rows], pa.string()),
            "message": pa.array([r.message for r in rows], pa.string()),
            "raw": pa.array(["" if r.code == DELETED else r.raw[:RAW_MOST] for r in rows], pa.string()),
            "state": pa.array(["deleted" if r.code == DELETED else "open" for r in rows], pa.string()),
        }
    )
    connection.register("refused_rows", table)
    connection.execute(
        """INSERT INTO meta.quarantine
           SELECT $first - 1 + row_number() OVER (ORDER BY line), $batch, $dataset, $source, $file, line, path, code, message, raw, state, $at
           FROM refused_rows r WHERE NOT EXISTS (SELECT 1 FROM meta.quarantine q WHERE q.source = $source AND q.file = $file
             AND q.line = r.line AND q.raw = r.raw AND q.state = r.state AND q.batch <> $batch)""",
        {"first": first, "batch": batch, "dataset": dataset, "source": source, "file": file, "at": at},
    )
    connection.unregister("refused_rows")
    return len(rows)


def describe_dataset(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    title: str,
    kind: str,
    owner: str,
    labels: Sequence[str],
    source: str,
) -> None:
    """Write a dataset down, or what is new about it. Several sources may feed one: `source` is the last that did."""
    connection.execute("DELETE FROM meta.dataset WHERE name = ?", [name])
    connection.execute(
        "INSERT INTO meta.dataset VALUES (?, ?, ?, ?, ?, ?)", [name, title, kind, owner, list(labels), source]
    )


def record_batch(connection: duckdb.DuckDBPyConnection, row: Sequence[Any]) -> None:
    connection.execute("INSERT INTO meta.batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(row))
