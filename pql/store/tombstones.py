"""Deleted people's identities, kept as digests so that a reload does not bring them back. Read `tombstoned`.

`meta.tombstone.id` is the SHA-256 of the store's own salt with `namespace:value`, so the value itself is gone; `namespace` is kept for
the record. Whoever loads rows asks `row_is_deleted`.
"""

from __future__ import annotations

import duckdb

from pql.identity.settings import IdentitySettings
from pql.store.owners import Owners, text


def salt(connection: duckdb.DuckDBPyConnection) -> str:
    """The store's salt; made on first use."""
    connection.execute("CREATE TABLE IF NOT EXISTS meta.salt (value VARCHAR)")
    row = connection.execute("SELECT value FROM meta.salt").fetchone()
    if row is None:
        connection.execute("INSERT INTO meta.salt SELECT uuid()::VARCHAR")
        row = connection.execute("SELECT value FROM meta.salt").fetchone()
    return str(row[0]) if row else ""


def digest(connection: duckdb.DuckDBPyConnection, namespace: str, id: str) -> str:
    """SQL for the digest of an identity, over SQL for its namespace and value."""
    return f"sha256(concat({text(salt(connection))}, {namespace}, ':', {id}))"


def has_tombstones(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        return connection.execute("SELECT 1 FROM meta.tombstone LIMIT 1").fetchone() is not None
    except duckdb.CatalogException:
        return False


def tombstoned(connection: duckdb.DuckDBPyConnection, namespace: str, id: str) -> str | None:
    """SQL that is true of a deleted identity; None when there is none."""
    if not has_tombstones(connection):
        return None
    return f"{digest(connection, namespace, id)} IN (SELECT id FROM meta.tombstone)"


def row_is_deleted(
    connection: duckdb.DuckDBPyConnection, settings: IdentitySettings, identities: str = "_identities"
) -> str | None:
    """SQL over a row's `_identities` that is true when the row tells of a deleted person and must not be stored again; None
    when nobody was deleted.

    It does when it names a deleted identity of a person (a login, an e-mail, a phone), or when all that it names was deleted.
    A row of somebody else on a deleted person's device stays; stitching leaves the device out.
    """
    if not has_tombstones(connection):
        return None
    owners = Owners(settings)
    deleted = "(SELECT list(id) FROM meta.tombstone)"
    codes = [c for c in (*settings.namespaces, *settings.aliases) if not settings.namespace(c).kind.is_person]
    person = f"x.namespace NOT IN ({', '.join(map(text, codes))})" if codes else "true"
    digests = digest(connection, owners.namespace("x"), "x.id")
    some = (
        f"list_has_any({deleted}, list_transform(list_filter({identities}, lambda x: {person}), lambda x: {digests}))"
    )
    every = f"len({identities}) > 0 AND list_has_all({deleted}, list_transform({identities}, lambda x: {digests}))"
    return f"coalesce(({some}) OR ({every}), false)"
