"""Stitching real files against union-find written for the test: Luma's sample data, and records with known duplicates."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pql.api import Store, read_short
from pql.identity.settings import identity_from
from pql.store.unify import unify
from tests.identity.layers import put

ROOT = Path(__file__).parent.parent.parent
LUMA, FAKE = ROOT / "profiles" / "luma", ROOT / "profiles" / "splink-fake-1000" / "fake_1000.csv"
TENANT = "_yourOrganizationID"


def groups(rows: Iterable[list[str]]) -> list[set[str]]:
    """The components of rows of names, by plain union-find."""
    parent: dict[str, str] = {}

    def find(x: str) -> str:
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for row in rows:
        for name in row:
            parent[find(name)] = find(row[0])
    found: dict[str, set[str]] = {}
    for name in parent:
        found.setdefault(find(name), set()).add(name)
    return list(found.values())


def name(namespace: str, value: Any) -> list[str]:
    """One identity, or none: null and empty values are nobody."""
    return [f"{namespace}:{str(value).strip()}"] if value is not None and str(value).strip() else []


def luma(file: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((LUMA / f"luma-{file}.json").read_text())
    return rows


def luma_rows() -> dict[str, list[list[str]]]:
    """The identities of every row, by dataset."""

    def system(row: dict[str, Any], key: str) -> Any:
        return row[TENANT]["systemIdentifier"].get(key)

    def mail(row: dict[str, Any]) -> list[str]:
        address = (row.get("personalEmail") or {}).get("address")
        return name("Email", address.lower() if address else None)

    def mapped(row: dict[str, Any], key: str, namespace: str) -> list[str]:
        return [n for i in row["identityMap"].get(key) or [] for n in name(namespace, i.get("id"))]

    return {
        "crm": [name("crmId", system(r, "crmId")) + mail(r) for r in luma("crm")],
        "loyalty": [name("loyaltyId", system(r, "loyaltyId")) + name("crmId", system(r, "crmId")) for r in luma("loyalty")],
        "tests": [name("crmId", system(r, "crmId")) + mail(r) for r in luma("test-profiles")],
        "web": [mapped(r, "ECID", "ECID") + mapped(r, "lumaCrmId", "crmId") for r in luma("web-events")],
        "shop": [name("loyaltyId", system(r, "loyaltyId")) for r in luma("offline-purchases")],
    }  # fmt: skip


def test_luma() -> None:
    schema, _ = read_short({"profile": {"person.name": "string"}, "event": {}})
    settings, found = identity_from("namespaces: {crmId: {}, loyaltyId: {}}\npriority: [crmId, loyaltyId, Email, ECID]")
    assert not found
    store, rows = Store.memory(schema), luma_rows()
    for dataset, own in rows.items():
        kind = "event" if dataset in ("web", "shop") else "record"
        at = datetime(2022, 11, 1) if kind == "event" else None
        put(store, dataset, kind, ({"ids": ids, "at": at, "key": f"{dataset} {n}"} for n, ids in enumerate(own)))
    report = unify(store, settings)
    want = groups(ids for own in rows.values() for ids in own if ids)
    sizes = store.query(
        "SELECT n, count(*) FROM (SELECT count(*) AS n FROM graph.member GROUP BY pid) GROUP BY n ORDER BY n", {}
    )
    assert sizes == sorted(Counter(map(len, want)).items())
    assert report.profiles == len(want)
    assert report.without_identity == {d: n for d, own in rows.items() if (n := sum(not ids for ids in own))}
    stitched = store.query(
        "SELECT list_sort(list(namespace || ':' || id)) FROM graph.node JOIN graph.member USING (node) GROUP BY pid", {}
    )
    assert {frozenset(x) for (x,) in stitched} == {frozenset(g) for g in want}


@pytest.mark.parametrize("by_name", [False, True])
def test_records_with_known_duplicates(by_name: bool) -> None:
    rows = list(csv.DictReader(FAKE.open(encoding="utf-8")))
    identities = []
    for r in rows:
        whole = [r["first_name"].strip().lower(), r["surname"].strip().lower(), r["dob"]]
        composite = name("person", "|".join(whole)) if by_name and all(whole) else []
        identities.append(name("record", r["unique_id"]) + name("Email", r["email"]) + composite)
    schema, _ = read_short({"profile": {"person.name": "string"}, "event": {}})
    store = Store.memory(schema)
    put(store, "people", "record", ({"ids": ids, "key": ids[0]} for ids in identities))
    settings, _ = identity_from("namespaces: {record: {}, person: {}}")
    unify(store, settings)
    want = groups(identities)
    got = store.query(
        "SELECT list_sort(list(namespace || ':' || id)) FROM graph.node JOIN graph.member USING (node) GROUP BY pid", {}
    )
    assert {frozenset(x) for (x,) in got} == {frozenset(g) for g in want}
    true = {r["unique_id"]: r["cluster"] for r in rows}
    stitched = [[x.partition(":")[2] for x in g if x.startswith("record:")] for (g,) in got]
    pairs = [true[a] == true[b] for g in stitched for a, b in combinations(g, 2)]
    every = sum(n * (n - 1) // 2 for n in Counter(true.values()).values())
    assert sum(pairs) / len(pairs) > 0.99 and sum(pairs) / every > (0.6 if by_name else 0.5)
