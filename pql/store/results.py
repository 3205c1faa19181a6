"""What runs leave in a store: memberships since when, and computed attributes. Read `save_memberships`, `save_attributes`.

`membership` has a row for every segment that a person is or was in. `status` becomes `realized` on entry and `exited` on leaving;
`lastQualificationTime` is the instant of that change and does not move in between. Must not know expressions: it is given SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pql.store.layers import make_layers
from pql.store.layout import quote
from pql.store.store import Store, StoreError


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
        raise StoreError("PQL0605", str(error).split("\n")[0]) from None


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


def save_attributes(store: Store, sql: str, names: Sequence[str], at: datetime) -> int:
    """Keep the values of computed attributes, a column each, in `computed_attribute(_pid, …)`; of how many people."""
    run = store.connection.execute
    try:
        run("BEGIN TRANSACTION")
        run(f"CREATE OR REPLACE TEMP TABLE s_run AS {sql}", {"now": at} if "$now" in sql else None)
        columns = [str(r[0]) for r in run("DESCRIBE s_run").fetchall()]
        named = ", ".join(f"{quote(c)} AS {quote(n)}" for c, n in zip(columns[1:], names, strict=True))
        run(f"CREATE OR REPLACE TABLE computed_attribute AS SELECT {quote(columns[0])} AS _pid, {named} FROM s_run")
        run("DROP TABLE s_run")
        run("COMMIT")
    except duckdb.Error as error:
        run("ROLLBACK")
        raise StoreError("PQL0605", str(error).split("\n")[0]) from None
    return _n(run("SELECT count(*) FROM computed_attribute").fetchone())
