"""Privacy requests: takes a person out of every layer, for good. Read `delete_person`.

What goes: rows of datasets, quarantined rows, memberships, computed attributes, and through stitching anew, identities, links, profile and
events. What stays: a tombstone for each identity, as a digest, so that a reload does not bring the person back; and digests of others whom
those rows named, so that a stream that has them knows where.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pql.identity.policy import DEFAULT, MergePolicy
from pql.identity.settings import IdentitySettings
from pql.store import opening
from pql.store.graph_reading import tombstone_of
from pql.store.layers import datasets, make_layers
from pql.store.owners import text
from pql.store.store import Store, StoreError
from pql.store.tombstones import deleted_rows, digest, note_others, salt
from pql.store.unify import unify

PARTS_MOST = 6
"""Characters of an identity from which on it is looked for inside quarantined rows without quotes around it."""


@dataclass
class Deleted:
    """How much went: rows by dataset, and the rest by kind."""

    rows: dict[str, int] = field(default_factory=dict)
    identities: int = 0
    links: int = 0
    memberships: int = 0
    quarantined: int = 0


def delete_person(
    store: Store, pid: int, reason: str, settings: IdentitySettings, policies: Sequence[MergePolicy] = DEFAULT
) -> Deleted:
    """Remove the person with this number, all identities with it, and stitch and merge anew. The file is marked to be written anew:
    `rewrite`, or else whoever opens it next."""
    run = store.connection.execute
    make_layers(store.connection)
    gone = Deleted()
    file = run("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()[0][0]
    own = run("SELECT namespace, id FROM graph.node JOIN graph.member USING (node) WHERE pid = ?", [pid]).fetchall()
    if not own:
        raise StoreError("PQL0844", f"no profile {pid}")
    try:
        run("BEGIN TRANSACTION")
        gone.identities = len(own)
        gone.links = _one(store, "SELECT count(*) FROM graph.link WHERE a IN (SELECT node FROM graph.member WHERE pid = $p)"
                          " OR b IN (SELECT node FROM graph.member WHERE pid = $p)", pid)  # fmt: skip
        owned = _owned_rows(store, pid)
        now = datetime.now(UTC).replace(tzinfo=None)
        made = digest(store.connection, "n.namespace", "n.id")
        run(f"""INSERT INTO meta.tombstone SELECT n.namespace, {made}, $at, $r FROM graph.node AS n JOIN graph.member AS m USING (node)
                WHERE m.pid = $p""", {"at": now, "r": reason, "p": pid})  # fmt: skip
        one = tombstone_of(salt(store.connection), ":".join(own[0]))
        for d in datasets(store.connection):
            told = deleted_rows(store.connection, settings, d.table, "_row") or "SELECT NULL"
            rows = ", ".join(map(str, owned.get(d.name, ()))) or "NULL"
            run(f"""CREATE OR REPLACE TEMP TABLE deleted_rows AS
                    SELECT _row FROM {d.table} WHERE _row IN ({rows}) OR _row IN ({told})""")
            count = _one(store, "SELECT count(*) FROM deleted_rows")
            if count:
                gone.rows[d.name] = count
                note_others(store.connection, settings, d.table, "SELECT _row FROM deleted_rows", one)
                run(f"DELETE FROM {d.table} WHERE _row IN (SELECT _row FROM deleted_rows)")
        gone.quarantined = _quarantine(store, own)
        gone.memberships = _one(store, "SELECT count(*) FROM membership WHERE _pid = $p", pid)
        run("DELETE FROM membership WHERE _pid = ?", [pid])
        if run("SELECT 1 FROM duckdb_tables() WHERE table_name = 'computed_attribute'").fetchone():
            run("DELETE FROM computed_attribute WHERE _pid = ?", [pid])
        run("DELETE FROM graph.history WHERE pid = $p OR other = $p", {"p": pid})
        for namespace, id in own:
            run(
                "DELETE FROM graph.unlinked WHERE (namespace_a = $n AND id_a = $i) OR (namespace_b = $n AND id_b = $i)",
                {"n": namespace, "i": id},
            )
        unify(store, settings, policies, within=True)
        if file:
            opening.mark_deletion(Path(file))
        run("COMMIT")
    except duckdb.Error as error:
        run("ROLLBACK")
        raise StoreError("PQL0605", str(error).split("\n")[0]) from None
    return gone


def _one(store: Store, sql: str, pid: int | None = None) -> int:
    row = store.connection.execute(sql, {"p": pid} if pid is not None else None).fetchone()
    return int(row[0]) if row else 0


def _owned_rows(store: Store, pid: int) -> dict[str, list[int]]:
    """The rows of every dataset that feed the person's profile."""
    run = store.connection.execute
    names = {d.number: d.name for d in datasets(store.connection)}
    found: dict[str, list[int]] = {}
    for number, row in run("SELECT dataset, _row FROM graph.fragment WHERE pid = ?", [pid]).fetchall():
        found.setdefault(names[number], []).append(row)
    columns = {r[0] for r in run("DESCRIBE event").fetchall()}
    if "_dataset" in columns:
        for name, row in run("SELECT _dataset, _seq FROM event WHERE _pid = ?", [pid]).fetchall():
            found.setdefault(name, []).append(row)
    return found


def _quarantine(store: Store, own: list[tuple[str, str]]) -> int:
    """Quarantined rows that name one of the identities."""
    if not store.connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'meta' AND table_name = 'quarantine'"
    ).fetchone():
        return 0
    words = [id if len(id) >= PARTS_MOST else json.dumps(id, ensure_ascii=False) for _, id in own]
    where = " OR ".join(f"contains(lower(raw), {text(w.lower())})" for w in words)
    count = _one(store, f"SELECT count(*) FROM meta.quarantine WHERE {where}")
    if count:
        store.connection.execute(f"DELETE FROM meta.quarantine WHERE {where}")
    return count


def rewrite(path: Path) -> None:
    """Write a closed store's file anew: only so are the bytes of deleted rows gone from it. All or nothing."""
    try:
        opening.rewrite(path)
    except duckdb.Error as error:
        raise StoreError("PQL0605", f"the file could not be written anew: {str(error).splitlines()[0]}") from None
