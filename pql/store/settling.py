"""Where ready rows go: events are kept once for each `_id` and primary identity, records are merged leaf by leaf.

All set-based over the temporary table `ready`. Which of two rows wins never hangs on the order of arrival, except where
arrival is the order (records without `order_by`). Read `settle_events`, `settle_records`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pql.store.folding import fold_records
from pql.store.known_rows import count, find_known, leave_out, same_event, same_record
from pql.store.layout import quote
from pql.store.ledger import one
from pql.store.told_maps import stored_field

if TYPE_CHECKING:
    from pql.store.datasets import DatasetLoad


def insert_ready(load: DatasetLoad) -> int:
    """Append all of `ready`, numbered by their lines, so that no thread waits for another. The number of rows."""
    if load.offset is not None:  # the numbers of rows that were left when the others of the chunk were appended
        return _insert(load, "ready", f"{load.offset} + _line", 0)
    found = load.connection.execute("SELECT min(_line), max(_line) FROM ready").fetchall()[0]
    if found[0] is None:
        return 0
    return _insert(load, "ready", f"{load.rows - found[0]} + _line", found[1] - found[0] + 1)


def insert(load: DatasetLoad, rows: str, times: bool = False) -> int:
    """Append rows (a query with the columns of `ready`) in the order of their lines. The number of rows."""
    return _insert(load, f"({rows})", f"{load.rows} - 1 + row_number() OVER (ORDER BY _line)", None, times)


def _insert(load: DatasetLoad, rows: str, number: str, taken: int | None, times: bool = False) -> int:
    """`number`: SQL of a row's number; `taken`: how many numbers are gone then, as many as rows when left out."""
    fields = "".join(f", {quote(c)}" for c in load.columns if c != "_ordered")
    extra = ", _times" if times else ""
    named = "_identities, _told" if load.spec.is_event else "_key, _primary, _identities"
    done = one(
        load.connection,
        f"""INSERT INTO {load.spec.table} BY NAME SELECT {number} AS _row, {load.batch} AS _batch, _line,
            $at AS _arrived, _ordered, {named}{extra}{fields} FROM {rows}""",
        {"at": load.arrived},
    )
    stored = int(done or 0)
    load.rows += stored if taken is None else taken
    return stored


def content(load: DatasetLoad, alias: str = "") -> str:
    """The mapped part of a row as text, for telling copies apart and for ties."""
    fields = load.spec.columns.fields

    values = {c: stored_field(c, fields[c].type, alias, load.spec.is_event) for c in load.columns if c != "_ordered"}
    pairs = ", ".join(f"{quote(c)}: {value}" for c, value in values.items())
    return f"CAST(to_json({{{pairs}}}) AS VARCHAR)"


def settle_events(load: DatasetLoad) -> int:
    """The number of rows inserted or updated. Of rows with one `_id` and primary identity the earliest stays, of equally early ones
    the first by content."""
    run = load.connection.execute
    known = find_known(load)
    if known:
        known = leave_out(load, same_event(load))
    twice = count(load, "SELECT count(*) - count(DISTINCT hash(_key)) FROM ready")
    if not known and not twice:
        return insert_ready(load)
    load.met = True
    _conflicts(load)
    moment = '"timestamp"' if "timestamp" in load.columns else "NULL::TIMESTAMP"
    run("DROP TABLE IF EXISTS temp.best")
    run(f"""CREATE TEMP TABLE best AS SELECT * FROM ready QUALIFY row_number() OVER (
              PARTITION BY _key, _primary ORDER BY {moment}, {content(load)}, _line) = 1""")
    stored = insert(load, "SELECT * FROM best ANTI JOIN known USING (_key, _primary)")
    if known:
        stored += _replaced(load, moment)
    return stored


def _replaced(load: DatasetLoad, moment: str) -> int:
    """Rows that are there already, but come after their new version in the order."""
    table = load.spec.table
    fresh = f"(SELECT *, {content(load)} AS _text FROM best)"
    old = f"(SELECT t._row, t._key, t._primary, t.{moment} AS _moment, {content(load, 't')} AS _text FROM {table} t SEMI JOIN known USING (_row))"
    run = load.connection.execute
    run("DROP TABLE IF EXISTS temp.better")
    run(f"""CREATE TEMP TABLE better AS SELECT o._row AS _old, b.* EXCLUDE (_text) FROM {fresh} b JOIN {old} o USING (_key, _primary)
            WHERE b._text <> o._text AND (b.{moment}, b._text) < (o._moment, o._text)""")
    if not count(load, "SELECT count(*) FROM better"):
        return 0
    run(f"DELETE FROM {table} WHERE _row IN (SELECT _old FROM better)")
    return insert(load, "SELECT * EXCLUDE (_old) FROM better")


def _conflicts(load: DatasetLoad) -> None:
    """One `_id` with several people: every pair is written down once."""
    load.connection.execute(
        """INSERT INTO meta.conflict
           WITH people AS (SELECT DISTINCT _key, _primary FROM (SELECT _key, _primary FROM known UNION ALL SELECT _key, _primary FROM ready)),
                many AS (SELECT _key FROM people GROUP BY _key HAVING count(*) > 1)
           SELECT $dataset, a._key, a._primary, b._primary, $batch FROM people a JOIN people b ON a._key = b._key AND a._primary < b._primary
           WHERE a._key IN (SELECT _key FROM many) AND NOT EXISTS (SELECT 1 FROM meta.conflict c
             WHERE c.dataset = $dataset AND c.event_id = a._key AND c.primary_a = a._primary AND c.primary_b = b._primary)
           ORDER BY ALL""",
        {"dataset": load.spec.name, "batch": load.batch},
    )


def settle_records(load: DatasetLoad) -> int:
    """The number of rows that changed something."""
    run = load.connection.execute
    known = find_known(load)
    if load.spec.mode == "delete":
        return _deleted(load)
    if known and load.spec.mode == "upsert":
        known = leave_out(load, same_record(load))
    twice = count(load, "SELECT count(*) - count(DISTINCT hash(_key)) FROM ready")
    if not known and not twice:
        return insert_ready(load)
    load.met = True
    run("DROP TABLE IF EXISTS temp.meeting")
    run("""CREATE TEMP TABLE meeting AS SELECT * FROM ready WHERE _key IN (SELECT _key FROM known)
             OR _key IN (SELECT _key FROM ready GROUP BY _key HAVING count(*) > 1)""")
    stored = insert(load, "SELECT * FROM ready WHERE _key NOT IN (SELECT _key FROM meeting)")
    return stored + fold_records(load)


def _deleted(load: DatasetLoad) -> int:
    changed = count(load, "SELECT count(DISTINCT _key) FROM ready SEMI JOIN known USING (_key)")
    load.connection.execute(f"DELETE FROM {load.spec.table} WHERE _key IN (SELECT _key FROM known)")
    return changed
