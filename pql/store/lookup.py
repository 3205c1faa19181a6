"""One person out of a store: found by any identity or by name, with everything that is known and where it came from. Read `find_people`,
then `read_person`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from pql.identity.graph import Identity, Link, Refused
from pql.identity.merging import Fragment, Merged, merge
from pql.identity.policy import MergePolicy
from pql.identity.settings import IdentitySettings, split_name
from pql.store.layers import datasets
from pql.store.layout import quote
from pql.store.store import Store, StoreError

NEAR_MOST = 5
NAMES_MOST = 20
SIMILAR = 0.86


@dataclass(frozen=True)
class Node:
    identity: Identity
    first_seen: datetime | None
    last_seen: datetime | None
    dataset: str
    state: str


@dataclass(frozen=True)
class Seen:
    """A link as one dataset saw it."""

    link: Link
    dataset: str


@dataclass(frozen=True)
class ComputedValue:
    """A computed attribute. `labels`, `reads`: of what it reads, as it was when it was kept. `since`: where that is known."""

    value: Any
    labels: frozenset[str] = frozenset()
    reads: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass
class Person:
    """`name`: the identity of the highest namespace. `refused`: links that a guard kept away. `events`: the latest first.
    `computed`: the attributes that are not null, as of `computed_at`, from
    a `run` that was kept or the `state` of a stream."""

    pid: int
    name: str
    merged: Merged = field(default_factory=Merged)
    nodes: list[Node] = field(default_factory=list)
    links: list[Seen] = field(default_factory=list)
    refused: list[tuple[Seen, Refused]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    computed: dict[str, ComputedValue] = field(default_factory=dict)
    computed_at: datetime | None = None
    computed_from: str = "run"
    events: list[dict[str, Any]] = field(default_factory=list)
    event_count: int = 0


def _rows(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    try:
        found: list[tuple[Any, ...]] = store.connection.execute(sql, list(values)).fetchall()
        return found
    except duckdb.CatalogException:
        raise StoreError("PQL0843", "no identity graph is in it") from None


def _member(stitched: bool) -> str:
    """SQL of `node` and `pid`: of the graph, or every identity by itself."""
    return "graph.member" if stitched else "(SELECT node, node AS pid FROM graph.node)"


def find_people(store: Store, text: str, settings: IdentitySettings, stitched: bool = True) -> list[tuple[int, str]]:
    """The people that `namespace:value` or a name stands for, as (pid, name of the profile); by name at most 20."""
    parts = split_name(text, settings)
    if parts is not None:
        rows = _rows(store, f"SELECT m.pid, p.id FROM graph.node JOIN {_member(stitched)} AS m USING (node) LEFT JOIN pql_profile AS p ON p._pid = m.pid"
                     " WHERE namespace = ? AND graph.node.id = ?", *parts)  # fmt: skip
        if rows:
            return [(int(pid), str(name or text)) for pid, name in rows]
    columns = _name_columns(store)
    if not columns:
        return []
    test = " OR ".join(f"lower(trim({c})) = lower(trim($1))" for c in columns)
    rows = _rows(
        store,
        f"SELECT _pid, p.id FROM profile JOIN pql_profile AS p USING (_pid) WHERE {test} ORDER BY p.id LIMIT {NAMES_MOST}",
        text,
    )
    return [(int(pid), str(name)) for pid, name in rows]


def _name_columns(store: Store) -> list[str]:
    """SQL of the ways in which a profile's name is written."""
    person = store.schema.profile.fields.get("person")
    name = getattr(getattr(person, "type", None), "fields", {}).get("name")
    fields = getattr(getattr(name, "type", None), "fields", {})
    found = ['person."name"."fullName"'] if "fullName" in fields else []
    if {"firstName", "lastName"} <= set(fields):
        found.append('concat_ws(\' \', person."name"."firstName", person."name"."lastName")')
    return found


def near_names(store: Store, text: str) -> list[str]:
    """Identities and names that look like a text, best first."""
    likeness = "jaro_winkler_similarity(lower(w), lower(?))"
    names = [f"SELECT {c} AS w FROM profile" for c in _name_columns(store)]
    source = " UNION ALL ".join(["SELECT namespace || ':' || id AS w FROM graph.node", *names])
    rows = _rows(
        store,
        f"SELECT DISTINCT w, {likeness} AS s FROM ({source}) WHERE s >= {SIMILAR} ORDER BY s DESC, w LIMIT {NEAR_MOST}",
        text,
    )
    return [str(w) for w, _ in rows]


def near_profiles(store: Store, text: str) -> list[str]:
    """Names of profiles that look like a text, best first, of a store that has no identities."""
    sql = f"""SELECT id, jaro_winkler_similarity(lower(id), lower($text)) AS s FROM pql_profile
        WHERE s >= {SIMILAR} ORDER BY s DESC, id LIMIT {NEAR_MOST}"""
    return [str(id) for id, _ in store.query(sql, {"text": text})] if store.has_names() else []


def read_person(store: Store, pid: int, policy: MergePolicy, events: int = 100) -> Person:
    """Everything about one person; the attributes merged by `policy` in Python. The store must `use` the policy's place."""
    member = _member(policy.stitched)
    name = _rows(store, "SELECT id FROM pql_profile WHERE _pid = ?", pid)
    person = Person(pid, str(name[0][0]) if name else str(pid))
    person.nodes = [
        Node(Identity(r[0], r[1]), *r[2:])
        for r in _rows(store, f"SELECT namespace, id, first_seen, last_seen, dataset, state FROM graph.node JOIN {member} AS m USING (node)"
                       " WHERE pid = ? ORDER BY namespace, id", pid)
    ]  # fmt: skip
    if not person.nodes:
        raise StoreError("PQL0844", f"no profile {pid}")
    if not name:
        person.name = str(person.nodes[0].identity)
    if policy.stitched:
        _read_links(store, person)
    person.merged = merge(
        read_fragments(store, pid, "pid" if policy.stitched else "node"), policy, store.schema.profile
    )
    _read_events(store, person, events)
    _read_results(store, person)
    return person


def _read_links(store: Store, person: Person) -> None:
    rows = _rows(store, """SELECT x.namespace, x.id, y.namespace, y.id, k.first_seen, k.last_seen, k.last_authenticated, k.seen, k.dataset, k.kept, k.reason
        FROM graph.link AS k JOIN graph.node AS x ON x.node = k.a JOIN graph.node AS y ON y.node = k.b
        WHERE k.a IN (SELECT node FROM graph.member WHERE pid = $1) OR k.b IN (SELECT node FROM graph.member WHERE pid = $1)
        ORDER BY k.first_seen NULLS FIRST, 1, 2, 3, 4, k.dataset""", person.pid)  # fmt: skip
    for r in rows:
        a, b = sorted((Identity(r[0], r[1]), Identity(r[2], r[3])))
        seen = Seen(Link(a, b, r[4], r[5], r[6], r[7]), r[8])
        if r[9]:
            person.links.append(seen)
        else:
            reason, _, words = str(r[10]).partition(": ")
            person.refused.append((seen, Refused(seen.link, reason, words)))


def read_fragments(store: Store, pid: int, who: str = "pid") -> list[Fragment]:
    """What every record dataset says of a person. `who`: the column of `graph.fragment` with their number."""
    found = []
    names = {d.number: d for d in datasets(store.connection)}
    rows = _rows(store, f"SELECT dataset, _row FROM graph.fragment WHERE {who} = ? ORDER BY ALL", pid)
    for number, row in rows:
        d = names[number]
        columns = [c for c in d.columns if c in store.schema.profile.fields]
        wanted = ", ".join(map(quote, ("_key", "_ordered", "_arrived", *(["_times"] if d.has_times else []), *columns)))
        document = _documents(store, f"SELECT {wanted} FROM {d.table} WHERE _row = ?", [row])
        if document:
            key, ordered, arrived = (document[0].pop(n) for n in ("_key", "_ordered", "_arrived"))
            times = document[0].pop("_times", None) or {}
            found.append(Fragment(d.name, key, ordered, document[0], ordered != arrived, times))
    return found


def _documents(store: Store, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = store.connection.execute(sql, list(values))
    names = [c[0] for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def present(value: Any) -> Any:
    """A value without the fields that are null: the document that it came from."""
    if isinstance(value, dict):
        return {k: present(v) for k, v in value.items() if v is not None and present(v) != {}}
    if isinstance(value, list):
        return [present(v) for v in value]
    return value


def _read_events(store: Store, person: Person, most: int) -> None:
    rows = _rows(store, "SELECT count(*) FROM event WHERE _pid = ?", person.pid)
    person.event_count = int(rows[0][0])
    fields = ", ".join(quote(n) for n in store.schema.event.fields)
    found = {r[0] for r in _rows(store, "DESCRIBE event")}
    dataset = ", _dataset" if "_dataset" in found else ""
    sql = f'SELECT {fields}{dataset} FROM event WHERE _pid = ? ORDER BY "timestamp" DESC NULLS LAST, "_id" DESC LIMIT {int(most)}'
    person.events = [present(d) for d in _documents(store, sql, [person.pid])]


def _read_results(store: Store, person: Person) -> None:
    """Memberships and computed attributes, as the last runs that were kept left them."""
    sql = 'SELECT segment, status, "lastQualificationTime" FROM membership WHERE _pid = ? ORDER BY segment'
    person.memberships = _documents(store, sql, [person.pid])
    try:
        known = {
            r[0]: r[1:]
            for r in store.connection.execute('SELECT attribute, "at", labels, reads FROM computed_run').fetchall()
        }
        rows = _documents(store, "SELECT * FROM computed_attribute WHERE _pid = ?", [person.pid])
    except duckdb.CatalogException:
        return
    for name, value in rows[0].items() if rows else ():
        if name in known and value is not None:
            person.computed_at, labels, reads = known[name]
            person.computed[name] = ComputedValue(present(value), frozenset(labels), tuple(reads))
