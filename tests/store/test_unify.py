"""Stitching and merging in DuckDB against the pure rules, for generated datasets in any order and split."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from pql.api import read_short
from pql.identity.graph import Identity, Link, Stitched, pair, stitch
from pql.identity.merging import merge
from pql.identity.policy import MergePolicy, policies_from
from pql.identity.settings import IdentitySettings, identity_from
from pql.store.lookup import present, read_fragments
from pql.store.store import Store
from pql.store.unify import unify
from tests.identity.layers import ARRIVED, put

SCHEMA, _ = read_short(
    {
        "profile": {
            "name.first": "string",
            "tags": "string[]",
            "extras": "map<integer>",
            "consents.email": {"val": "string", "time": "date-time"},
            "consents.metadata.time": "date-time",
            "consents.preferred": "string",
            "points": "integer",
        },
        "event": {"page": "string"},
    }
)
SETTINGS, FOUND = identity_from(
    """
namespaces: {crm: {unique: true}, card: {limit: 2}, store: {type: NON_PEOPLE}, ads: {type: PARTNER}, visitor: {type: COOKIE, aliases: [vid]}}
priority: [crm, card, Email, visitor]
limits: {graph: 6, record: 4}
"""
)
assert not FOUND
DAY = datetime(2026, 1, 1)
IDS = st.builds(lambda n, v, s: f"{n}{s}:{v}", st.sampled_from(["crm", "card", "Email", "visitor", "vid", "store", "ads"]),
                st.sampled_from(["0", "1", "2", "null"]), st.sampled_from(["", "*"]))  # fmt: skip
TIMES = st.one_of(st.none(), st.integers(0, 5).map(lambda d: DAY + timedelta(days=d)))
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.one_of(st.none(), st.fixed_dictionaries({"first": st.sampled_from(["Ann", "Bob", None])})),
        "tags": st.lists(st.sampled_from("xy"), max_size=2),
        "extras": st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2),
        "consents": st.fixed_dictionaries(
            {
                "email": st.fixed_dictionaries({"val": st.sampled_from(["y", "n", "dy", "LI", None]), "time": TIMES}),
                "metadata": st.fixed_dictionaries({"time": TIMES}),
                "preferred": st.sampled_from(["email", None]),
            }
        ),
        "points": st.integers(0, 3),
    },
)

OLDER = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["name.first", "points", "consents.email.val", "extras"]), st.just(DAY), min_size=1
    ),
)


@st.composite
def worlds(draw: Any) -> dict[str, list[dict[str, Any]]]:
    """Rows by dataset: three of records, one of events."""
    world: dict[str, list[dict[str, Any]]] = {}
    for name in ("crm", "loyalty", "model"):
        rows = draw(
            st.lists(
                st.fixed_dictionaries({"ids": st.lists(IDS, max_size=5), "at": TIMES, "fields": FIELDS}), max_size=4
            )
        )
        world[name] = [{**r, "key": f"{name} {i}"} for i, r in enumerate(rows)]
    rows = draw(
        st.lists(st.fixed_dictionaries({"ids": st.lists(IDS, max_size=5), "at": TIMES.filter(bool)}), max_size=8)
    )
    world["web"] = [{**r, "key": str(i), "fields": {"_id": f"e{i}"}} for i, r in enumerate(rows)]
    return world


Own = tuple[Identity, bool, datetime | None]


def usable(settings: IdentitySettings, row: dict[str, Any]) -> list[Own]:
    """The identities of a row that may stand for somebody, with whether they were authenticated and when they were seen."""
    found = []
    for place, text in enumerate(row["ids"]):
        namespace, id = text.split(":")
        code = settings.namespace(namespace.rstrip("*")).code
        if settings.is_usable(code, id) and settings.namespace(code).kind.owns:
            found.append(
                (Identity(code, id), namespace.endswith("*"), row["at"] and row.get("seen", {}).get(place, row["at"]))
            )
    return found


def expected(world: dict[str, list[dict[str, Any]]], settings: IdentitySettings) -> Stitched:
    """The graph by the pure rules."""
    links, nodes = [], dict[Identity, datetime | None]()
    for rows in world.values():
        for row in rows:
            own = usable(settings, row)
            for identity, _, seen in own:
                nodes[identity] = max((t for t in (nodes.get(identity), seen) if t), default=None)
            if len(row["ids"]) <= settings.record_most:
                links += list(row_links(own, len(row["ids"]), row["ids"]))
    return stitch(links, settings, nodes=nodes)


def row_links(own: list[Own], width: int, ids: list[str]) -> Iterator[Link]:
    """One link a pair; a login counts for the pair if it is of one of the two, and in a record of more than two if it is of any."""
    some = any(t.split(":")[0].endswith("*") for t in ids)
    seen: dict[Identity, datetime | None] = {}
    for i, _, t in own:
        seen[i] = max((x for x in (seen.get(i), t) if x), default=None)
    for a in seen:
        for b in seen:
            if a < b:
                login = some if width > 2 else any(f for i, f, _ in own if i in (a, b))
                at = min((t for t in (seen[a], seen[b]) if t), default=None)
                yield Link(a, b, at, at, at if login else None)


def owner(settings: IdentitySettings, row: dict[str, Any], primary: bool) -> Identity | None:
    """By the letter of the page: the highest namespace, the smallest value; of a record the declared primary."""
    own = [i for i, _, _ in usable(settings, row)]
    if primary and row["ids"]:
        namespace, id = row["ids"][0].replace("*", "").split(":")
        declared = Identity(settings.namespace(namespace).code, id)
        if declared in own:
            return declared
    return min(
        own,
        key=lambda i: (not settings.namespace(i.namespace).kind.links, settings.order(i.namespace), i.id),
        default=None,
    )


def load(world: dict[str, list[dict[str, Any]]], rows: list[tuple[str, dict[str, Any]]] | None = None) -> Store:
    store = Store.memory(SCHEMA)
    for name in world:
        put(store, name, "event" if name == "web" else "record", [])
    for name, row in rows if rows is not None else [(n, r) for n, rs in world.items() for r in rs]:
        put(store, name, "event" if name == "web" else "record", [row])
    return store


def people(store: Store) -> set[frozenset[Identity]]:
    found: dict[int, set[Identity]] = {}
    for pid, namespace, id in store.query(
        "SELECT pid, namespace, id FROM graph.node JOIN graph.member USING (node)", {}
    ):
        found.setdefault(pid, set()).add(Identity(namespace, id))
    return {frozenset(p) for p in found.values()}


def links(store: Store, kept: bool) -> set[tuple[Identity, Identity]]:
    rows = store.query(f"""SELECT DISTINCT x.namespace, x.id, y.namespace, y.id FROM graph.link JOIN graph.node AS x ON x.node = a
                           JOIN graph.node AS y ON y.node = b WHERE {'' if kept else 'NOT'} kept""", {})  # fmt: skip
    return {pair(Identity(r[0], r[1]), Identity(r[2], r[3])) for r in rows}


@how(max_examples=7, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.randoms(use_true_random=False))
def test_graph_owners_and_values_are_those_of_the_rules(
    world: dict[str, list[dict[str, Any]]], chance: random.Random
) -> None:
    rows = [(n, r) for n, rs in world.items() for r in rs]
    chance.shuffle(rows)
    store = load(world, rows)
    policies, found = policies_from(POLICIES, SCHEMA)
    assert not found
    report = unify(store, SETTINGS, policies)
    want = expected(world, SETTINGS)
    assert people(store) == set(want.people)
    assert links(store, True) == {k.pair for k in want.kept}
    assert links(store, False) == {r.link.pair for r in want.refused}
    check_owners(store, world, want, report)
    check_values(store, policies)


POLICIES = """
inferred: [model]
merge_policies:
  - {name: main, default: true}
  - {name: order, attributeMerge: [loyalty, crm], attributes: {points: timestamp, extras: [model, crm]}}
"""


def check_owners(store: Store, world: dict[str, list[dict[str, Any]]], want: Stitched, report: Any) -> None:
    person = {i: p for p in want.people for i in p}
    names = dict(store.query("SELECT _pid, id FROM pql_profile", {}))
    got = {e: names[pid] for pid, e in store.query("SELECT _pid, _id FROM event", {})}
    owned, lost = {}, 0
    feeding = set()
    for name, rows in world.items():
        for row in rows:
            own = owner(SETTINGS, row, name != "web")
            if own is None:
                lost += 1
                continue
            feeding.add(person[own])
            if name == "web":
                best = min(
                    person[own],
                    key=lambda i: (not SETTINGS.namespace(i.namespace).kind.links, SETTINGS.order(i.namespace), i.id),
                )
                owned[row["fields"]["_id"]] = str(best)
    assert got == owned
    assert report.profiles == len(feeding) == store.query("SELECT count(*) FROM profile", {})[0][0]
    assert sum(report.without_identity.values()) == lost
    assert sum(report.rows.values()) == sum(map(len, world.values()))


def check_values(store: Store, policies: tuple[MergePolicy, ...]) -> None:
    fields = [n for n in SCHEMA.profile.fields if n not in ("xEvent", "segmentMembership", "identityMap")]
    for policy in policies:
        cursor = store.connection.execute(f"SELECT _pid, {', '.join(fields)} FROM {policy.place}.profile")
        for row in cursor.fetchall():
            got = present(dict(zip(fields, row[1:], strict=True)))
            want = merge(read_fragments(store, row[0]), policy, SCHEMA.profile)
            assert got == present(want.values), policy.name


@how(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.randoms(use_true_random=False))
def test_any_order_and_any_split_gives_the_same(world: dict[str, list[dict[str, Any]]], chance: random.Random) -> None:
    rows = [(n, r) for n, rs in world.items() for r in rs]
    whole = load(world, rows)
    unify(whole, SETTINGS)
    chance.shuffle(rows)
    cut = chance.randint(0, len(rows))
    parts = load(world, rows[:cut])
    unify(parts, SETTINGS)
    for name, row in rows[cut:]:
        put(parts, name, "event" if name == "web" else "record", [row], batch=2)
    unify(parts, SETTINGS)
    assert people(whole) == people(parts)
    for kept in (True, False):
        assert links(whole, kept) == links(parts, kept)
    assert state(whole) == state(parts)


def state(store: Store) -> list[Any]:
    """Everything that is visible, by names."""
    profiles = store.query(
        "SELECT id, COLUMNS(* EXCLUDE (_pid, id)) FROM profile JOIN pql_profile USING (_pid) ORDER BY id", {}
    )
    events = store.query(
        "SELECT id, _id, timestamp, _dataset FROM event JOIN pql_profile USING (_pid) ORDER BY ALL", {}
    )
    return [profiles, events]


def test_running_again_changes_nothing() -> None:
    store = load(
        {"crm": [{"ids": ["crm:1", "Email:a"], "at": DAY}], "web": [{"ids": ["visitor:9", "crm:1"], "at": DAY}]}
    )
    first = unify(store, SETTINGS)
    before = state(store), store.query("SELECT * FROM graph.member ORDER BY ALL", {})
    again = unify(store, SETTINGS)
    assert first.changed and not again.changed and again.profiles == 1
    assert unify(store, SETTINGS, force=True).changed
    assert (state(store), store.query("SELECT * FROM graph.member ORDER BY ALL", {})) == before
    store.index()
    assert not unify(store, SETTINGS).changed and store.layout.indexed
    put(store, "web", "event", [{"ids": ["visitor:9"], "at": DAY}], batch=2)
    assert unify(store, SETTINGS).events == 2 and not store.layout.indexed
    assert len(store.query("SELECT * FROM event", {})) == 2


def test_people_keep_their_numbers_through_merges_and_splits() -> None:
    store = load({"web": [{"ids": ["visitor:1"], "at": DAY}, {"ids": ["crm:a"], "at": DAY}]})
    unify(store, SETTINGS)
    before = dict(store.query("SELECT id, _pid FROM pql_profile", {}))
    put(store, "web", "event", [{"ids": ["visitor:1", "crm*:a"], "at": DAY + timedelta(days=1)}], batch=2)
    report = unify(store, SETTINGS)
    after = dict(store.query("SELECT id, _pid FROM pql_profile", {}))
    assert report.merges == 1 and after == {"crm:a": min(before.values())}
    put(store, "web", "event", [{"ids": ["visitor:1", "crm*:b"], "at": DAY + timedelta(days=2)}], batch=3)
    report = unify(store, SETTINGS)
    assert dict(store.query("SELECT id, _pid FROM pql_profile", {}))["crm:a"] == after["crm:a"] and report.splits == 1
    kinds = store.query('SELECT kind, "at", because FROM graph.history ORDER BY "at"', {})
    assert [k for k, _, _ in kinds] == ["merge", "split"]
    assert kinds[0][1:] == (DAY + timedelta(days=1), "visitor:1 - crm:a in web") or "crm:a - visitor:1" in kinds[0][2]
    assert "a graph holds one `crm`" in kinds[1][2]


def test_no_graph_policy_keeps_every_identity_by_itself() -> None:
    store = load({"crm": [{"ids": ["crm:1", "Email:a"], "at": DAY, "fields": {"points": 1}}, {"ids": ["Email:a"], "at": DAY, "fields": {"points": 2}}],
                  "web": [{"ids": ["visitor:9", "crm:1"], "at": DAY}]})  # fmt: skip
    text = "{name: main, default: true, attributes: {points: [crm, cmr]}}, {name: alone, identityGraph: none}"
    policies, _ = policies_from(f"merge_policies: [{text}]")
    assert unify(store, SETTINGS, policies).unknown_datasets == {"main": ["cmr"]}
    rows = store.query(
        "SELECT id, points FROM policy_alone.profile JOIN policy_alone.pql_profile USING (_pid) ORDER BY id", {}
    )
    assert rows == [("Email:a", 2), ("crm:1", 1)]
    assert store.query("SELECT id, points FROM profile JOIN pql_profile USING (_pid)", {}) == [
        ("crm:1", 2)
    ]  # a tie goes by the key
    assert store.query("SELECT count(*) FROM policy_alone.event", {}) == [(1,)]


@pytest.mark.parametrize("width", [4, 5])
def test_a_crowded_record_makes_no_links(width: int) -> None:
    store = load({"crm": [{"ids": [f"card:{n}" for n in range(width)], "at": DAY}]})
    wide, _ = identity_from("limits: {record: 4}")
    report = unify(store, wide)
    assert (
        report.links == (6 if width == 4 else 0)
        and report.crowded == ({} if width == 4 else {"crm": 1})
        and report.profiles == 1
    )


def test_an_unlucky_hash_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from pql.store.owners import Owners

    plain = Owners.node_of
    monkeypatch.setattr(
        Owners, "node_of", lambda self, n, i: f"(hash({n}) >> 1)::BIGINT" if self.salt is None else plain(self, n, i)
    )
    world = {"web": [{"ids": ["crm:a", "visitor:1"], "at": DAY}, {"ids": ["crm:b"], "at": DAY}]}
    store = load(world)
    unify(store, SETTINGS)
    assert people(store) == set(expected(world, SETTINGS).people)


def test_a_failure_leaves_the_store_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from pql.store import unify as module

    store = load({"web": [{"ids": ["crm:a"], "at": DAY}]})
    unify(store, SETTINGS)
    before = state(store)
    put(store, "web", "event", [{"ids": ["crm:b"], "at": DAY}], batch=2)
    monkeypatch.setattr(module, "_count", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        unify(store, SETTINGS)
    assert state(store)[0] == before[0]
    assert ARRIVED
