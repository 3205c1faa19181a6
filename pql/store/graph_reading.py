"""The identity graph as a stream asks for it: is it another than before, where, who is called what, who was deleted. Read `named_graph`.

Set-based: the graph stays in DuckDB; what comes out are digests of its parts, and the identities of the parts asked for, in chunks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pql.store.opening import mark_of
from pql.store.store import Store, wrapped
from pql.xdm.schema import Schema

PARTS = 65_536
"""Into so many parts the graph's identities fall by their hashes; one that moves makes its part another."""
CHUNK = 5_000
Identity = tuple[str, str, str]
"""Namespace, id, and the name of its profile."""


@dataclass(frozen=True)
class StoreFile:
    """A store that others write to."""

    path: Path
    schema: Schema
    memory_limit: str = "1GB"

    def stamp(self) -> object:
        """Another one when the file was written to. None: there is none, or a deletion is not finished."""
        if mark_of(self.path).exists():
            return None
        found: list[tuple[int, int, int] | None] = []
        for path in (self.path, self.path.with_name(self.path.name + ".wal")):
            try:
                stat = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return None if found[0] is None else tuple(found)

    def open(self) -> Store | None:
        """Read-only, and not for long. None: somebody else has it, or it cannot be read."""
        try:
            connection = duckdb.connect(str(self.path), read_only=True, config={"memory_limit": self.memory_limit})
        except duckdb.Error:
            return None
        return Store(connection, self.schema)


@contextmanager
def reading(store: Store) -> Iterator[None]:
    """Closes a store at the end, and says what goes wrong in between as StoreError."""
    try:
        yield
    except duckdb.Error as error:
        raise wrapped(error) from None
    finally:
        store.connection.close()


def graph_version(store: Store) -> str | None:
    """The fingerprint of what the last stitching saw. None: nothing was ever stitched."""
    try:
        row = store.connection.execute("SELECT fingerprint FROM meta.unified").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else str(row[0])


def named_graph(store: Store) -> bool:
    """Makes the temporary table `stream_graph(namespace, id, name)` of all identities. False: the store has no graph.

    A person without a profile is called by its smallest identity. Where the default merge policy takes every identity for a
    profile of its own, it is that profile's name.
    """
    run = store.connection.execute
    tables = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'graph' AND table_name IN ('node', 'member')"
    if len(run(tables).fetchall()) < 2:
        return False
    if not store.has_names():
        run("""CREATE OR REPLACE TEMP TABLE stream_graph AS
               SELECT n.namespace, n.id, m.pid::VARCHAR AS name FROM graph.node AS n JOIN graph.member AS m USING (node)""")
        return True
    alone = run("""SELECT 1 FROM pql_profile AS p JOIN graph.node AS n ON n.node = p._pid
                   WHERE n.namespace || ':' || n.id = p.id LIMIT 1""").fetchone()  # fmt: skip
    if alone is not None:
        run(
            "CREATE OR REPLACE TEMP TABLE stream_graph AS SELECT namespace, id, namespace || ':' || id AS name FROM graph.node"
        )
        return True
    run("""CREATE OR REPLACE TEMP TABLE stream_graph AS
           SELECT n.namespace, n.id, coalesce(p.id, u.id) AS name
           FROM graph.node AS n JOIN graph.member AS m USING (node) LEFT JOIN pql_profile AS p ON p._pid = m.pid
           LEFT JOIN (SELECT m.pid, min(n.namespace || ':' || n.id) AS id FROM graph.node AS n JOIN graph.member AS m USING (node)
                      ANTI JOIN pql_profile AS p ON p._pid = m.pid GROUP BY m.pid) AS u ON u.pid = m.pid""")
    return True


def _part() -> str:
    return f"(hash(namespace, id) % {PARTS})::INTEGER"


def part_digests(store: Store) -> dict[int, int]:
    """A digest of each part of `stream_graph` that is not empty. Another version of the database may give others for the same graph."""
    rows = store.connection.execute(
        f"SELECT {_part()} AS part, bit_xor(hash(namespace, id, name)) FROM stream_graph GROUP BY part"
    ).fetchall()
    return {part: digest - (1 << 64) if digest >> 63 else digest for part, digest in rows}


def identities_in(store: Store, parts: Sequence[int]) -> Iterator[list[Identity]]:
    """The identities of some parts of `stream_graph`, a chunk at a time; the store must not be asked anything else meanwhile."""
    chosen = "" if len(parts) >= PARTS else f"WHERE {_part()} IN (SELECT unnest($parts::INTEGER[]))"
    cursor = store.connection.execute(
        f"SELECT namespace, id, name FROM stream_graph {chosen}", {"parts": list(parts)} if chosen else None
    )
    while rows := cursor.fetchmany(CHUNK):
        yield rows


def people_called(store: Store, names: Iterable[str]) -> set[str]:
    """Those of some names that are people of `stream_graph`."""
    rows = store.connection.execute(
        "SELECT DISTINCT name FROM stream_graph SEMI JOIN (SELECT unnest($names::VARCHAR[]) AS name) USING (name)",
        {"names": list(names)},
    )
    return {name for (name,) in rows.fetchall()}


@dataclass(frozen=True)
class Tombstones:
    """Digests of deleted people's identities, and the store's salt that they were made with. `others`: digests of identities that rows
    named which went with a deleted person, each with one of that person's."""

    salt: str = ""
    digests: frozenset[str] = frozenset()
    others: frozenset[tuple[str, str]] = frozenset()


def tombstones(store: Store) -> Tombstones:
    """Of the store; none where nobody was deleted."""
    try:
        salt = store.connection.execute("SELECT value FROM meta.salt").fetchone()
        rows = store.connection.execute("SELECT id FROM meta.tombstone").fetchall()
    except duckdb.CatalogException:
        return Tombstones()
    if salt is None or not rows:
        return Tombstones()
    try:
        others = store.connection.execute("SELECT id, tombstone FROM meta.gone_with").fetchall()
    except duckdb.CatalogException:  # nobody was deleted since stores have it
        others = []
    return Tombstones(str(salt[0]), frozenset(id for (id,) in rows), frozenset(others))


def tombstone_of(salt: str, name: str) -> str:
    """The digest of an identity, `namespace:id`, as `pql.store.tombstones.digest` makes it in SQL."""
    return hashlib.sha256(f"{salt}{name}".encode()).hexdigest()


class Gravestones:
    """Which names are those of some digests: for many names at once."""

    def __init__(self, salt: str, digests: Iterable[str]) -> None:
        self._salted, self._digests = hashlib.sha256(salt.encode()), {bytes.fromhex(d) for d in digests}

    def __contains__(self, name: str) -> bool:
        if not self._digests:
            return False
        made = self._salted.copy()
        made.update(name.encode())
        return made.digest() in self._digests
