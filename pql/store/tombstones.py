"""Deleted people's identities, kept as digests so that a reload does not bring them back. Read `tombstoned`.

`meta.tombstone.id` is the SHA-256 of the store's own salt with `namespace:value`, so the value itself is gone; `namespace` is kept for
the record. Loading asks `deleted_rows`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import duckdb
import pyarrow as pa

from pql.functions.text import lower
from pql.identity.settings import IdentitySettings
from pql.identity.values import BLANKS
from pql.store.owners import Owners, text


def salt(connection: duckdb.DuckDBPyConnection) -> str:
    """The store's salt; made on first use."""
    connection.execute("CREATE TABLE IF NOT EXISTS meta.salt (value VARCHAR)")
    found = connection.execute("SELECT value FROM meta.salt").fetchall()
    if not found:
        connection.execute("INSERT INTO meta.salt SELECT uuid()::VARCHAR")
        found = connection.execute("SELECT value FROM meta.salt").fetchall()
    return str(found[0][0])


def digest(connection: duckdb.DuckDBPyConnection, namespace: str, id: str) -> str:
    """SQL for the digest of an identity, over SQL for its namespace and value."""
    return f"sha256(concat({text(salt(connection))}, {namespace}, ':', {id}))"


def has_tombstones(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        return bool(connection.execute("SELECT 1 FROM meta.tombstone LIMIT 1").fetchall())
    except duckdb.CatalogException:
        return False


def tombstoned(connection: duckdb.DuckDBPyConnection, namespace: str, id: str) -> str | None:
    """SQL that is true of a deleted identity; None when there is none."""
    if not has_tombstones(connection):
        return None
    return f"{digest(connection, namespace, id)} IN (SELECT id FROM meta.tombstone)"


def deleted_rows(connection: duckdb.DuckDBPyConnection, settings: IdentitySettings, table: str, key: str) -> str | None:
    """SQL of the `key`s of a table's rows that tell of a deleted person and must not be stored again; None when nobody was deleted.

    A row does when it names a deleted identity of a person (a login, an e-mail, a phone), or when all that it names was deleted.
    A row of somebody else on a deleted person's device stays; stitching leaves the device out.
    """
    if not has_tombstones(connection):
        return None
    owners = Owners(settings)
    devices = [c for c in (*settings.namespaces, *settings.aliases) if not settings.namespace(c).kind.is_person]
    person = f"x.namespace NOT IN ({', '.join(map(text, devices))})" if devices else "true"
    gone = f"{digest(connection, owners.namespace('x'), 'x.id')} IN (SELECT id FROM meta.tombstone)"
    return f"""SELECT k FROM (SELECT k, coalesce({person}, true) AS person, {gone} AS gone
                              FROM (SELECT {key} AS k, unnest(_identities) AS x FROM {table}))
               GROUP BY k HAVING bool_or(person AND gone) OR bool_and(gone)"""


def note_others(
    connection: duckdb.DuckDBPyConnection, settings: IdentitySettings, table: str, rows: str, tombstone: str
) -> None:
    """Rows are about to go with a deleted person: which others do they name? Digests stay in `meta.gone_with`, for whoever was given those
    rows before and has to give them up. `rows`: SQL of their numbers; `tombstone`: one of the deleted person's, already kept."""
    made = digest(connection, Owners(settings).namespace("x"), "x.id")
    connection.execute(
        f"""INSERT INTO meta.gone_with SELECT DISTINCT id, $t FROM
            (SELECT {made} AS id FROM (SELECT unnest(_identities) AS x FROM {table} WHERE _row IN ({rows})))
            ANTI JOIN meta.tombstone USING (id) WHERE id IS NOT NULL""",
        {"t": tombstone},
    )


WORDS = re.compile(r'"((?:[^"\\]|\\.){1,1024})"|([^\s",;|{}\[\]]{1,1024})')
"""What may be an identity in a row that could not be read: a text in quotes, or a cell."""
WORDS_MOST = 10_000


def lines_of_deleted(connection: duckdb.DuckDBPyConnection, rows: Sequence[tuple[int, str]]) -> set[int]:
    """The lines whose raw text, which nobody could map, holds an identity of a deleted person."""
    if not rows or not has_tombstones(connection):
        return set()
    lines: list[int] = []
    words: list[str] = []
    for line, raw in rows:
        found = {m.group(1) or m.group(2) for m in islice(WORDS.finditer(raw), WORDS_MOST)}
        found |= {cell for cell in raw.split(",", 1000) if len(cell) <= 1024}
        every = {w.strip(BLANKS) for w in found}
        every |= {lower(w) for w in every}
        lines += [line] * len(every)
        words += every
    connection.register(
        "raw_words", pa.table({"line": pa.array(lines, pa.int64()), "word": pa.array(words, pa.string())})
    )
    made = digest(connection, "namespace", "word")
    rows_found = connection.execute(
        f"""SELECT DISTINCT line FROM raw_words, (SELECT DISTINCT namespace FROM meta.tombstone)
            WHERE {made} IN (SELECT id FROM meta.tombstone)"""
    ).fetchall()
    connection.unregister("raw_words")
    return {int(line) for (line,) in rows_found}
