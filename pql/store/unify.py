"""From datasets to people: stitches the identity graph, merges profiles, and says what it did. Read `unify`.

Everything is made anew from layer 1 in one transaction, and nothing is done when nothing has changed since the last time. Must not know
files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from pql.identity.policy import DEFAULT, MergePolicy
from pql.identity.settings import IdentitySettings
from pql.store.guards import apply_guards
from pql.store.identity_maps import drop_maps, name_identities, name_people
from pql.store.indexes import drop_copies, drop_events
from pql.store.layers import Dataset, datasets, make_layers
from pql.store.layout import duckdb_type, quote
from pql.store.load_settings import reset_after_loads, set_for_loads
from pql.store.merging import make_profiles, merge_profiles, plan
from pql.store.owners import Owners, text
from pql.store.people import assign_people
from pql.store.stitching import Extracted, extract
from pql.store.store import Store, StoreError
from pql.store.strays import find_strays, numbers_of_strays
from pql.store.told_maps import stored_field
from pql.store.tombstones import has_tombstones, tombstoned
from pql.types import MapType

Progress = Callable[[str], None]
VERSION = 2
"""Of what `unify` makes: another number makes every store anew."""


@dataclass
class Unified:
    """What a run did. `rows` by dataset; `without_identity`: rows that feed no profile, by dataset; `refused` links by
    reason; `changed` is false when there was nothing to do."""

    changed: bool = True
    rows: dict[str, int] = field(default_factory=dict)
    without_identity: dict[str, int] = field(default_factory=dict)
    crowded: dict[str, int] = field(default_factory=dict)
    identities: int = 0
    unusable: int = 0
    links: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    profiles: int = 0
    events: int = 0
    merges: int = 0
    splits: int = 0
    policies: dict[str, int] = field(default_factory=dict)
    unknown_datasets: dict[str, list[str]] = field(default_factory=dict)
    """By merge policy: datasets that it orders and that are not there."""


def unify(
    store: Store,
    settings: IdentitySettings | None = None,
    policies: Sequence[MergePolicy] = DEFAULT,
    progress: Progress | None = None,
    force: bool = False,
    within: bool = False,
) -> Unified:
    """Stitch and merge all datasets of a store. A second run without new data changes nothing. `within`: as a part of the
    transaction that is open already.

    Raises StoreError with a code from the register. The store is as before then.
    """
    settings = settings or IdentitySettings()
    run = store.connection.execute
    make_layers(store.connection)
    found = datasets(store.connection)
    stamp = _fingerprint(store, found, settings, policies)
    last = run("SELECT fingerprint, report FROM meta.unified").fetchone()
    if last and last[0] == stamp and not force:
        return replace(Unified(**json.loads(last[1])), changed=False, merges=0, splits=0)
    set_for_loads(store.connection)
    try:
        if within:
            return _made(store, found, settings, policies, progress, stamp)
        return _committed(store, lambda: _made(store, found, settings, policies, progress, stamp))
    finally:
        reset_after_loads(store.connection)


def _committed(store: Store, made: Callable[[], Unified]) -> Unified:
    """What is made in a transaction of its own. Its commit writes too, by the settings of whoever calls this."""
    run = store.connection.execute
    try:
        run("BEGIN TRANSACTION")
        report = made()
        run("COMMIT")
    except duckdb.Error as error:
        _undo(store.connection)
        raise StoreError("PQL0605", str(error).split("\n")[0]) from None
    except BaseException:
        _undo(store.connection)
        raise
    return report


def _made(
    store: Store,
    found: Sequence[Dataset],
    settings: IdentitySettings,
    policies: Sequence[MergePolicy],
    progress: Progress | None,
    stamp: str,
) -> Unified:
    run = store.connection.execute
    report = _unify(store, found, settings, policies, progress or (lambda _: None))
    _drop_former(store, policies)
    run("DELETE FROM meta.unified")
    run("INSERT INTO meta.unified VALUES (?, ?, ?)", [stamp, _now(), json.dumps(asdict(report))])
    store.forget_layout()
    return report


def _drop_former(store: Store, policies: Sequence[MergePolicy]) -> None:
    """The profiles of merge policies that are not there any more."""
    kept = {p.place for p in policies}
    rows = store.connection.execute(
        "SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'policy\\_%' ESCAPE '\\' AND database_name = current_database()"
    ).fetchall()
    for (name,) in rows:
        if name not in kept:
            store.connection.execute(f"DROP SCHEMA {quote(name)} CASCADE")


def _undo(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        return


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _fingerprint(
    store: Store, found: Sequence[Dataset], settings: IdentitySettings, policies: Sequence[MergePolicy]
) -> str:
    """Everything that the result depends on: data, settings, tombstones, unlinked pairs, the version of hashes."""
    run = store.connection.execute
    parts: list[Any] = [VERSION, duckdb.__version__, repr(settings), [repr(_plain(p)) for p in policies]]
    parts += [
        [(n, duckdb_type(f.type)) for n, f in kind.fields.items() if n != "xEvent"]
        for kind in (store.schema.profile, store.schema.event)
    ]
    for d in found:
        row = run(f"SELECT count(*), bit_xor(hash(_row, _batch, _arrived, _ordered)) FROM {d.table}").fetchone()
        parts.append((d.name, d.kind, d.columns, row))
    for table in ("meta.tombstone", "graph.unlinked"):
        parts.append(run(f"SELECT count(*), bit_xor(hash(t)) FROM {table} AS t").fetchone())
    digest = run("SELECT sha256(?)", [repr(parts)]).fetchone()
    return str(digest[0]) if digest else ""


def _plain(p: MergePolicy) -> Any:
    return p.name, p.default, p.stitched, p.order, sorted(p.attributes.items(), key=str), sorted(p.inferred)


def _unify(
    store: Store,
    found: Sequence[Dataset],
    settings: IdentitySettings,
    policies: Sequence[MergePolicy],
    progress: Progress,
) -> Unified:
    connection = store.connection
    report = Unified()
    progress("reading identities")
    extracted = extract(connection, found, settings, tombstoned(connection, "namespace", "id"))
    progress("stitching")
    report.links = apply_guards(
        connection, extracted.owners, [d.name for d in found], any(w.wide for w in extracted.widths.values())
    )
    find_strays(connection, extracted.owners, found)
    report.merges, report.splits = assign_people(connection, extracted.owners)
    _fragments(connection, extracted.owners, found)
    there = {d.name for d in found}
    for policy in policies:
        wanted = {*(policy.order or ()), *(o for order in policy.attributes.values() for o in order or ())}
        if wanted - there:
            report.unknown_datasets[policy.name] = sorted(wanted - there)
        progress(f"merging profiles by `{policy.name}`")
        report.policies[policy.name] = _merge(store, policy, found, extracted.owners)
    _count(connection, report, found, extracted)
    report.profiles = report.policies[policies[0].name]
    for table in ("s_link", "s_root", "s_owner"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    return report


def _fragments(connection: duckdb.DuckDBPyConnection, owners: Owners, found: Sequence[Dataset]) -> None:
    """`graph.fragment`: the rows of record datasets that have an owner."""
    run = connection.execute
    run("CREATE OR REPLACE TABLE graph.fragment (_row BIGINT, node BIGINT, pid BIGINT, dataset SMALLINT)")
    strays = numbers_of_strays(connection)
    for d in found:
        if not d.is_event and d.number in strays:
            run(f"""INSERT INTO graph.fragment SELECT s._row, m.node, m.pid, s.dataset FROM graph.stray AS s JOIN graph.member AS m USING (node)
                    WHERE s.dataset = {d.number}""")
        if not d.is_event:
            run(f"""INSERT INTO graph.fragment SELECT d._row, m.node, m.pid, {d.number}
                    FROM (SELECT _row, {owners.owner(primary=True)} AS o FROM {d.table}) AS d JOIN graph.member AS m ON m.node = d.o""")


def _merge(store: Store, policy: MergePolicy, found: Sequence[Dataset], owners: Owners) -> int:
    """Make one policy's profiles, events and names; how many profiles."""
    run = store.connection.execute
    place = policy.place
    run(f"CREATE SCHEMA IF NOT EXISTS {quote(place)}")
    who = "pid" if policy.stitched else "node"
    taking = ", ".join(str(d.number) for d in found if not d.is_event and policy.takes(d.name)) or "NULL"
    run(
        f"CREATE OR REPLACE TEMP VIEW s_fragment AS SELECT _row, {who} AS pid, dataset FROM graph.fragment WHERE dataset IN ({taking})"
    )
    run(f"""CREATE OR REPLACE TEMP TABLE s_who AS SELECT pid FROM s_fragment
            UNION SELECT m.{who} AS pid FROM graph.member AS m SEMI JOIN s_owner USING (node)""")
    target = make_profiles(store.connection, store.schema, place)
    kind, names = store.schema.profile.fields["identityMap"].type, f"{quote(place)}.pql_profile"
    assert isinstance(kind, MapType)
    if policy.stitched:
        nodes = "(SELECT pid, namespace, id, state FROM graph.node JOIN graph.member USING (node))"
        name_people(store.connection, nodes, owners.ranked, kind, names)
    else:
        name_identities(store.connection, kind, names)
    merge_profiles(store.connection, plan(store.connection, policy, store.schema, found), target)
    _events(store, place, owners, found, who)
    for temporary in ("VIEW s_fragment", "TABLE s_who"):
        run(f"DROP {temporary}")
    drop_maps(store.connection, policy.stitched)
    row = run(f"SELECT count(*) FROM {target}").fetchone()
    return int(row[0]) if row else 0


def _events(store: Store, place: str, owners: Owners, found: Sequence[Dataset], who: str) -> None:
    """`event`, a view until the store is indexed: every event of every dataset with the person of its owner."""
    run = store.connection.execute
    drop_events(store.connection, place)
    drop_copies(store.connection, place)
    parts, strays = [], numbers_of_strays(store.connection)
    for d in found:
        if d.is_event:
            fields = "".join(
                f", ({stored_field(n, f.type, 'd', d.has_told) if n in d.columns else 'NULL'})::{duckdb_type(f.type)} AS {quote(n)}"
                for n, f in store.schema.event.fields.items()
            )
            shown = f"SELECT m.{who} AS _pid, d._row AS _seq{fields}, {text(d.name)} AS _dataset"
            parts.append(f"""{shown} FROM (SELECT *, {owners.owner()} AS _owner FROM {d.table}) AS d
                JOIN graph.member AS m ON m.node = d._owner""")
            if d.number in strays:
                parts.append(f"""{shown} FROM {d.table} AS d JOIN graph.stray AS s ON s._row = d._row AND s.dataset = {d.number}
                    JOIN graph.member AS m ON m.node = s.node""")
    if parts:
        run(f"CREATE VIEW {quote(place)}.event AS " + " UNION ALL ".join(parts))
        return
    fields = "".join(f", {quote(n)} {duckdb_type(f.type)}" for n, f in store.schema.event.fields.items())
    run(f"CREATE TABLE {quote(place)}.event (_pid BIGINT, _seq BIGINT{fields}, _dataset VARCHAR)")


def _count(
    connection: duckdb.DuckDBPyConnection, report: Unified, found: Sequence[Dataset], extracted: Extracted
) -> None:
    def one(sql: str) -> int:
        row = connection.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0

    owners = extracted.owners
    easy = (
        owners.bad == ()
        and all(owners.settings.namespace(c).kind.owns for c in owners.codes)
        and not has_tombstones(connection)
    )
    strays = numbers_of_strays(connection)
    for d in found:
        width = extracted.widths[d.name]
        report.rows[d.name] = width.rows
        if easy:
            lost = width.empty
        elif d.is_event:
            owned = f"SELECT {owners.owner()} AS node FROM {d.table}"
            lost = width.rows - one(f"SELECT count(*) FROM ({owned}) JOIN graph.member USING (node)")
            lost -= strays.get(d.number, 0)
        else:
            lost = width.rows - one(f"SELECT count(*) FROM graph.fragment WHERE dataset = {d.number}")
        if lost:
            report.without_identity[d.name] = lost
        if width.crowded:
            report.crowded[d.name] = width.crowded
        report.events += width.rows - lost if d.is_event else 0
    report.unusable = extracted.unusable
    report.identities = one("SELECT count(*) FROM graph.node")
    rows = connection.execute(
        "SELECT reason, count(*) FROM (SELECT DISTINCT a, b, reason FROM graph.link WHERE NOT kept) GROUP BY 1"
    )
    for reason, n in rows.fetchall():
        short = str(reason).split(":")[0]
        report.refused[short] = report.refused.get(short, 0) + int(n)
