"""What runs leave in a store: memberships since when, and computed attributes. Read `save_memberships`, `save_attributes`.

`membership` has a row for every segment that a person is or was in. `status` becomes `realized` on entry and `exited` on leaving;
`lastQualificationTime` is the instant of that change and does not move in between. Must not know expressions: it is given SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from pql.store.layers import make_layers
from pql.store.layout import arrow_type, duckdb_type, quote
from pql.store.store import Store, wrapped
from pql.types import Type


@dataclass(frozen=True)
class Saved:
    """How many entered, left and stayed in a segment."""

    segment: str
    entered: int
    exited: int
    stayed: int


def save_memberships(store: Store, sql: str, segments: Sequence[str], at: datetime) -> list[Saved]:
    """Keep who is in which segment. `sql` gives `pid` and a boolean for each segment, in their order, and may read `$now`."""
    run = store.connection.execute
    make_layers(store.connection)
    try:
        run("BEGIN TRANSACTION")
        run(f"CREATE OR REPLACE TEMP TABLE s_run AS {sql}", {"now": at} if "$now" in sql else None)
        columns = [str(r[0]) for r in run("DESCRIBE s_run").fetchall()]
        saved = [
            _save(store, quote(c), segment, at, quote(columns[0]))
            for c, segment in zip(columns[1:], segments, strict=True)
        ]
        run("DROP TABLE s_run")
        run("COMMIT")
        return saved
    except duckdb.Error as error:
        run("ROLLBACK")
        raise wrapped(error) from None


def _save(store: Store, column: str, segment: str, at: datetime, pid: str) -> Saved:
    run = store.connection.execute
    values = {"s": segment, "at": at}
    inside = f"SELECT {pid} FROM s_run WHERE {column}"
    left = run(f"""UPDATE membership SET status = 'exited', "lastQualificationTime" = $at
                   WHERE segment = $s AND status = 'realized' AND _pid NOT IN ({inside})""", values).fetchone()  # fmt: skip
    stayed = run(
        "SELECT count(*) FROM membership WHERE segment = $s AND status = 'realized'", {"s": segment}
    ).fetchone()
    run("DELETE FROM membership WHERE segment = $s AND status = 'exited' AND _pid IN (" + inside + ")", {"s": segment})
    entered = run(f"""INSERT INTO membership SELECT {pid}, $s, 'realized', $at FROM s_run
                      WHERE {column} AND {pid} NOT IN (SELECT _pid FROM membership WHERE segment = $s)""", values).fetchone()  # fmt: skip
    return Saved(segment, _n(entered), _n(left), _n(stayed))


def _n(row: tuple[int, ...] | None) -> int:
    return int(row[0]) if row else 0


@dataclass(frozen=True)
class Attribute:
    """A computed attribute to be kept. `labels`, `reads`: the labels and paths of what it reads.
    `values`: (pid, value) in chunks, where no statement can say it for all; `...` stands for a sum out of range."""

    name: str
    type: Type
    labels: Sequence[str]
    reads: Sequence[str]
    values: Iterable[list[tuple[int, Any]]] | None = None


def save_attributes(
    store: Store, sql: str | None, attributes: Sequence[Attribute], at: datetime
) -> tuple[int, list[str]]:
    """Keep the values of computed attributes, a column each, in `computed_attribute(_pid, …)`, and what is known of them in
    `computed_run`; of how many people, and which attributes are null for somebody because a sum is out of range. `sql` gives `pid` and the
    value of each attribute without `values`, in their order. Raises StoreError, PQL0601 for a sum out of range: nothing is kept then."""
    run = store.connection.execute
    failed: list[str] = []
    try:
        run("BEGIN TRANSACTION")
        if sql is None:
            sql = "SELECT DISTINCT _pid FROM (SELECT _pid FROM profile UNION SELECT _pid FROM event)"
        run(f"CREATE OR REPLACE TEMP TABLE s_run AS {sql}", {"now": at} if "$now" in sql else None)
        columns = iter([str(r[0]) for r in run("DESCRIBE s_run").fetchall()])
        pid = quote(next(columns))
        named = [
            f"NULL::{duckdb_type(a.type)} AS {quote(a.name)}" if a.values is not None else f"{quote(next(columns))} AS {quote(a.name)}"
            for a in attributes
        ]  # fmt: skip
        run(f"CREATE OR REPLACE TABLE computed_attribute AS SELECT {pid} AS _pid, {', '.join(named)} FROM s_run")
        run("DROP TABLE s_run")
        for a in attributes:
            if a.values is not None and not _fill(store, a):
                failed.append(a.name)
        run(
            'CREATE OR REPLACE TABLE computed_run (attribute VARCHAR, "at" TIMESTAMP, labels VARCHAR[], reads VARCHAR[], failed BOOLEAN)'
        )
        for a in attributes:
            row = [a.name, at, sorted(a.labels), sorted(a.reads), a.name in failed]
            run("INSERT INTO computed_run VALUES (?, ?, ?, ?, ?)", row)
        run("COMMIT")
    except duckdb.Error as error:
        run("ROLLBACK")
        raise wrapped(error) from None
    return _n(run("SELECT count(*) FROM computed_attribute").fetchone()), failed


def _fill(store: Store, attribute: Attribute) -> bool:
    """Values that come in chunks; was there none that is out of range (`Ellipsis`)?"""
    whole = True
    for chunk in attribute.values or ():
        pairs = [(pid, value) for pid, value in chunk if value is not None and value is not ...]
        whole = whole and all(value is not ... for _, value in chunk)
        arrays = [
            pa.array([p for p, _ in pairs], pa.int64()),
            pa.array([v for _, v in pairs], arrow_type(attribute.type)),
        ]
        store.connection.register("incoming", pa.Table.from_arrays(arrays, names=["_pid", "value"]))
        name = quote(attribute.name)
        store.connection.execute(
            f"UPDATE computed_attribute SET {name} = i.value FROM incoming AS i WHERE i._pid = computed_attribute._pid"
        )
        store.connection.unregister("incoming")
    return whole
