"""Loading: three sources of profiles and one of events, in each format, into a new store; then the same load again.

`python -m benchmarks.ingest [FOLDER] --profiles 1000000 --events 10000000 --formats parquet,csv,jsonl`. Small by default. Prints rows a second
for each source, the peak of memory, and that a second load stores nothing.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import duckdb
import yaml

from pql.api import Store, read_short
from pql.ingest.project import SourceProject

SCHEMA = {
    "profile": {
        "person.name": {"firstName": "string", "lastName": "string"},
        "personalEmail.address": "string",
        "homeAddress": {"city": "string", "countryCode": "string"},
        "loyalty": {"tier": "string", "points": "integer", "joinDate": "date"},
        "lifetimeValue": "number",
        "ids": {"crm": "string", "loyalty": "string"},
    },
    "event": {
        "commerce.order": {"purchaseID": "string", "priceTotal": "number"},
        "web.name": "string",
        "productListItems[]": {"SKU": "string", "quantity": "integer", "priceTotal": "number"},
        "identityMap": "map<object[]>",
    },
}
CRM = """SELECT md5('c' || i) AS crm, 'First' || (i % 997) AS "first", 'Last' || (i % 7919) AS "last", 'user' || i || '@example.com' AS email,
  'City' || (i % 500) AS city, ['DE', 'US', 'FR', 'KR'][1 + i % 4] AS country FROM range({profiles}) t(i)"""
LOYALTY = """SELECT 'L' || lpad(i::VARCHAR, 9, '0') AS loyalty, CASE WHEN i % 3 > 0 THEN md5('c' || i) END AS crm, i % 100000 AS points,
  ['gold', 'silver', 'bronze'][1 + i % 3] AS tier, DATE '2015-01-01' + (i % 4000)::INTEGER AS joined FROM range({profiles}) t(i)"""
VALUE = "SELECT 'user' || i || '@example.com' AS email, (i % 100000) / 100 AS ltv FROM range({profiles}) t(i)"
EVENTS = """SELECT md5('e' || i) AS id, strftime(TIMESTAMP '2026-01-01' + INTERVAL (i % 7000000) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS at,
  ['web.view', 'cart.add', 'commerce.purchases'][1 + i % 3] AS kind, lpad((i * 7919 % {devices})::VARCHAR, 38, '0') AS ecid,
  CASE WHEN i % 4 = 0 THEN md5('c' || ((i * 7919 % {devices} + CASE WHEN i % 997 = 0 THEN 1 ELSE 0 END) % {profiles})) END AS crm, 'o' || i AS purchase, (i % 30000) / 100 AS total, 'SKU' || (i % 5000) AS sku, 1 + i % 3 AS quantity
  FROM range({events}) t(i)"""
TABLES = {"crm": CRM, "loyalty": LOYALTY, "value": VALUE, "web": EVENTS}


def declared(format: str) -> dict[str, dict[str, object]]:
    """The source files of a format."""
    text = format != "parquet"
    items = '[{"SKU": sku, "quantity": quantity, "priceTotal": total}]'
    if format == "csv":
        items = '[{"SKU": sku, "quantity": to_integer(quantity), "priceTotal": to_decimal(total)}]'
    email = {"field": "personalEmail.address", "namespace": "Email"}
    crm = {"field": "ids.crm", "namespace": "crmId"}
    loyalty = {"field": "ids.loyalty", "namespace": "loyaltyId", "primary": True}
    joined = 'date(joined, "yyyy-MM-dd")' if text else "joined"
    profile = {
        "crm": ([{**crm, "primary": True}, email], {"ids.crm": "crm", "person.name.firstName": "first", "person.name.lastName": "last",
                "personalEmail.address": "lower(trim(email))", "homeAddress.city": "city", "homeAddress.countryCode": "country"}),
        "loyalty": ([loyalty, crm], {"ids.loyalty": "loyalty", "ids.crm": "crm", "loyalty.points": "points", "loyalty.tier": "tier", "loyalty.joinDate": joined}),
        "value": ([{**email, "primary": True}], {"personalEmail.address": "email", "lifetimeValue": "ltv"}),
    }  # fmt: skip
    made: dict[str, dict[str, object]] = {
        name: {"format": format, "path": f"../{name}.{format}", "dataset": {"name": name, "kind": "record"}, "identities": ids, "mapping": mapping}
        for name, (ids, mapping) in profile.items()
    }  # fmt: skip
    made["web"] = {
        "format": format, "path": f"../web.{format}", "dataset": {"name": "web", "kind": "event"},
        "mapping": {"_id": "id", "timestamp": "at", "eventType": "kind", "identityMap": '{"ECID": [{"id": ecid}], "crmId": [{"id": crm}]}',
                    "commerce.order.purchaseID": "purchase", "commerce.order.priceTotal": "total", "productListItems": items},
    }  # fmt: skip
    return made


def generate(folder: Path, formats: list[str], profiles: int, events: int) -> None:
    """The files, made once."""
    folder.mkdir(parents=True, exist_ok=True)
    database = duckdb.connect()
    database.execute("SET memory_limit = '2GB'")
    options = {"parquet": "(FORMAT parquet)", "csv": "(FORMAT csv, HEADER)", "jsonl": "(FORMAT json)"}
    for format in formats:
        (folder / f"{format}_sources").mkdir(exist_ok=True)
        for name, source in declared(format).items():
            file = folder / f"{name}.{format}"
            if not file.is_file():
                query = TABLES[name].format(profiles=profiles, events=events, devices=max(profiles * 3 // 2, 1))
                database.execute(f"COPY ({query}) TO '{file}' {options[format]}")
            (folder / f"{format}_sources" / f"{name}.yaml").write_text(
                yaml.safe_dump(source, sort_keys=False), encoding="utf-8"
            )


def load(folder: Path, format: str) -> None:
    schema, found = read_short(SCHEMA)
    assert not found, found
    project = SourceProject.read(folder, schema, [folder / f"{format}_sources"])
    assert project.ok, project.diagnostics
    path = folder / f"{format}.duckdb"
    for old in folder.glob(f"{format}.duckdb*"):
        old.unlink()
    store = Store.open(path, schema, memory_limit="2GB")
    rows, spent = 0, 0.0
    for name in TABLES:
        start = time.perf_counter()
        (done,) = project.load(store, [name])
        took = time.perf_counter() - start
        rows, spent = rows + done.counts.read, spent + took
        print(
            f"{format:8} {name:8} {done.counts.read:>12,} rows {took:8.2f} s {done.counts.read / took:>12,.0f} rows/s  {done.counts}"
        )
        assert done.counts.stored == done.counts.read
    start = time.perf_counter()
    again = project.load(store)
    took = time.perf_counter() - start
    assert sum(x.counts.stored for x in again) == 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    store.close()
    size = path.stat().st_size / 2**20
    print(f"{format:8} all      {rows:>12,} rows {spent:8.2f} s {rows / spent:>12,.0f} rows/s; again {took:.2f} s, nothing stored; "
          f"memory {peak:,.0f} MB at most; store {size:,.0f} MB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--formats", default="parquet,csv,jsonl")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        formats = given.formats.split(",")
        generate(folder, formats, given.profiles, given.events)
        for format in formats:
            load(folder, format)


if __name__ == "__main__":
    main()
