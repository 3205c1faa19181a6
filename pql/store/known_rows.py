"""Stored rows that staged ones meet: found by their keys, and staged rows that say nothing new left out. Read `find_known`.

A file is settled chunk by chunk. From its second chunk on, keys are looked for among hashes (numbers, kept in a temporary table for
the time of the load), and only rows whose hash is there are read; texts of all keys are compared once a file at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pql.store.layout import quote
from pql.store.ledger import free, one
from pql.store.told_maps import same_field

if TYPE_CHECKING:
    from pql.store.datasets import DatasetLoad


def count(load: DatasetLoad, sql: str) -> int:
    return int(one(load.connection, sql) or 0)


def find_known(load: DatasetLoad) -> int:
    """Fill `known(_row, _key, _primary)`: the stored rows with a key of `ready`; how many they are."""
    run, table = load.connection.execute, load.spec.table
    source = table
    if load.chunks:
        remember(load)
        run("""CREATE OR REPLACE TEMP TABLE candidate AS
               SELECT DISTINCT row AS _row FROM stored_keys SEMI JOIN (SELECT hash(_key) AS h FROM ready) USING (h)""")
        source = f"(SELECT * FROM {table} SEMI JOIN candidate USING (_row))"
        if not count(load, "SELECT count(*) FROM candidate"):
            source = f"(SELECT * FROM {table} LIMIT 0)"
    run(f"CREATE OR REPLACE TEMP TABLE known AS SELECT _row, _key, _primary FROM {source} SEMI JOIN ready USING (_key)")
    return count(load, "SELECT count(*) FROM known")


def remember(load: DatasetLoad) -> None:
    """`stored_keys(h, row)`: the hashes of all stored keys; those of rows that are gone do no harm."""
    made = f"SELECT hash(_key) AS h, _row AS row FROM {load.spec.table}"
    if load.remembered is None:
        load.connection.execute(f"CREATE OR REPLACE TEMP TABLE stored_keys AS {made}")
    elif load.remembered < load.rows:
        load.connection.execute(f"INSERT INTO stored_keys {made} WHERE _row >= {load.remembered}")
    load.remembered = load.rows


def leave_out(load: DatasetLoad, same: str) -> int:
    """Delete from `ready` what is the same as a row of `known` (SQL over the staged `r` and the stored `o`), and from `known` what is
    not met any more; how many of `known` are left."""
    run = load.connection.execute
    first, last = run("SELECT min(_row), max(_row) FROM known").fetchall()[0]  # only row groups of that range are read
    met = (
        f"(SELECT * FROM {load.spec.table} WHERE _row BETWEEN {first} AND {last} AND _row IN (SELECT _row FROM known))"
    )
    run(f"""CREATE OR REPLACE TEMP TABLE told AS SELECT r._line FROM {met} o
            JOIN ready r ON r._key = o._key AND r._primary = o._primary WHERE {same}""")
    if not count(load, "SELECT count(*) FROM told"):
        return count(load, "SELECT count(*) FROM known")
    run("CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM ready ANTI JOIN told USING (_line)")
    free(load.connection, "ready")
    run("ALTER TABLE fresh RENAME TO ready")
    run("DELETE FROM known WHERE _key NOT IN (SELECT _key FROM ready)")
    return count(load, "SELECT count(*) FROM known")


def same_event(load: DatasetLoad) -> str:
    """A copy of a stored event."""
    fields = load.spec.columns.fields
    return " AND ".join(same_field(c, fields[c].type, "r", "o") for c in load.columns if c != "_ordered")


def same_record(load: DatasetLoad) -> str:
    """A record that would change nothing: it says what is stored, or less, is not newer where that counts, and names the same
    identities. Only of a key that is there once: of several the last one may bring an older value back."""
    tests = ["r._key IN (SELECT _key FROM ready GROUP BY _key HAVING count(*) = 1)"]
    tests += [f"(r.{quote(c)} IS NULL OR r.{quote(c)} = o.{quote(c)})" for c in load.columns if c != "_ordered"]
    if load.spec.by_order:
        tests.append("o._times IS NULL AND r._ordered <= o._ordered")
    who = "list_transform({}._identities, lambda x: {{'n': x.namespace, 'i': x.id, 'r': x.row}})"
    tests.append(f"{who.format('r')} = {who.format('o')}")
    return " AND ".join(tests)
