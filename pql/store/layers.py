"""Where the layers of a store are: the datasets that were loaded, and the tables of graph and ledger. Read `datasets`.

docs/STORE.md is the contract. Must not know expressions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from pql.store.layout import quote

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS data",
    "CREATE SCHEMA IF NOT EXISTS graph",
    "CREATE SCHEMA IF NOT EXISTS meta",
    "CREATE TABLE IF NOT EXISTS meta.dataset (name VARCHAR, title VARCHAR, kind VARCHAR, owner VARCHAR, labels VARCHAR[], source VARCHAR)",
    'CREATE TABLE IF NOT EXISTS meta.tombstone (namespace VARCHAR, id VARCHAR, "at" TIMESTAMP, reason VARCHAR)',
    "CREATE TABLE IF NOT EXISTS meta.gone_with (id VARCHAR, tombstone VARCHAR)",
    'CREATE TABLE IF NOT EXISTS meta.unified (fingerprint VARCHAR, "at" TIMESTAMP, report VARCHAR)',
    "CREATE TABLE IF NOT EXISTS graph.node (node BIGINT, namespace VARCHAR, id VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP,"
    " dataset VARCHAR, state VARCHAR, space SMALLINT, alone BOOLEAN)",
    "CREATE TABLE IF NOT EXISTS graph.link (a BIGINT, b BIGINT, dataset VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP,"
    " last_authenticated TIMESTAMP, seen BIGINT, kept BOOLEAN, reason VARCHAR)",
    "CREATE TABLE IF NOT EXISTS graph.member (node BIGINT, pid BIGINT)",
    "CREATE TABLE IF NOT EXISTS graph.fragment (_row BIGINT, node BIGINT, pid BIGINT, dataset SMALLINT)",
    'CREATE TABLE IF NOT EXISTS graph.history ("at" TIMESTAMP, kind VARCHAR, pid BIGINT, other BIGINT, because VARCHAR)',
    'CREATE TABLE IF NOT EXISTS graph.unlinked (namespace_a VARCHAR, id_a VARCHAR, namespace_b VARCHAR, id_b VARCHAR, "at" TIMESTAMP,'
    " reason VARCHAR)",
    'CREATE TABLE IF NOT EXISTS membership (_pid BIGINT, segment VARCHAR, status VARCHAR, "lastQualificationTime" TIMESTAMP)',
)

OWN = ("_row", "_batch", "_line", "_arrived", "_ordered", "_key", "_primary", "_identities", "_times", "_told")
"""The columns of a dataset that are not fields of the schema."""


@dataclass(frozen=True)
class Dataset:
    """A table of layer 1. `number`: its place in the order of names. `columns`: the schema's fields that it has.

    `has_seen`: a record's identities say when each was brought last. `has_times`: leaves may be older than their row.
    `has_marks`: they say which of them arrived together. `has_told`: an event's `identityMap` may be left out where its identities tell it.
    """

    name: str
    kind: str
    number: int
    columns: tuple[str, ...] = ()
    has_seen: bool = False
    has_times: bool = False
    has_marks: bool = False
    has_told: bool = False

    @property
    def table(self) -> str:
        return f"data.{quote(self.name)}"

    @property
    def is_event(self) -> bool:
        return self.kind == "event"

    @property
    def time(self) -> str:
        """SQL of when a row was true, NULL where only its arrival is known."""
        if self.is_event and "timestamp" in self.columns:
            return 'coalesce("timestamp", CASE WHEN _ordered IS DISTINCT FROM _arrived THEN _ordered END)'
        return "CASE WHEN _ordered IS DISTINCT FROM _arrived THEN _ordered END"

    def seen(self, *identities: str) -> str:
        """SQL of when all of some identities of a row were last true: a record keeps former ones with their own times."""
        if not self.has_seen:
            return self.time
        oldest = ", ".join(f"coalesce({i}.seen, _ordered)" for i in identities)
        return f"CASE WHEN _ordered IS DISTINCT FROM _arrived THEN least({oldest}) END"


def make_layers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what is missing of the tables of layers 2 and up, and of the ledger's part that stitching owns."""
    for statement in TABLES:
        connection.execute(statement)


def datasets(connection: duckdb.DuckDBPyConnection) -> list[Dataset]:
    """The datasets that have a table, by name. One that `meta.dataset` does not know is an event dataset if it has event times."""
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'data' AND database_name = current_database()"
        " ORDER BY table_name, column_index"
    ).fetchall()
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    kinds = dict(connection.execute("SELECT name, kind FROM meta.dataset").fetchall())
    result: list[Dataset] = []
    for name in sorted(found):
        columns = found[name]
        if "_identities" in columns:
            kind = kinds.get(name) or ("event" if "timestamp" in columns else "record")
            if kind in ("event", "record"):
                own = tuple(c for c in columns if c not in OWN)
                seen = kind == "record" and "seen" in columns["_identities"]
                marks = seen and re.search(r'"?row"? UBIGINT', columns["_identities"]) is not None
                result.append(
                    Dataset(
                        name,
                        kind,
                        len(result),
                        own,
                        seen,
                        "_times" in columns and kind == "record",
                        marks,
                        "_told" in columns,
                    )
                )
    return result
