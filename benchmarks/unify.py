"""Stitching and merging at size: a store with layer 1 made by SQL, then `unify`, timed step by step.

    python -m benchmarks.unify --profiles 1000000 --events 10000000 --store /tmp/unify.duckdb

Three sources: a CRM and a loyalty programme (a record a person each, sharing some fields), a newsletter (a record an e-mail
address), and web events, 40 % of them by cookie alone.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from pql.api import Store, read_short
from pql.identity.policy import DEFAULT
from pql.identity.settings import identity_from
from pql.store.layers import make_layers
from pql.store.unify import unify

SCHEMA = {
    "profile": {
        "person.name": {"firstName": "string", "lastName": "string"},
        "person.gender": "string",
        "personalEmail.address": "string",
        "mobilePhone.number": "string",
        "homeAddress": {"street1": "string", "city": "string", "state": "string", "postalCode": "string"},
        "loyalty": {"tier": "string", "points": "integer", "joinDate": "date-time"},
        "consents.marketing.email": {"val": "string", "time": "date-time"},
    },
    "event": {
        "web.webPageDetails.name": "string",
        "commerce.order.priceTotal": "number",
        "productListItems[]": {"SKU": "string", "quantity": "integer", "priceTotal": "number"},
    },
}
SETTINGS = """
namespaces: {crmId: {unique: true}, loyaltyId: {}}
priority: [crmId, loyaltyId, Email, ECID]
"""
ONE = "{'namespace': %s, 'id': %s, 'state': %s, 'is_primary': %s, 'field': 'f'}"
ECID = "lpad((hash(%s) %% 1000000007)::VARCHAR || hash(%s, 2)::VARCHAR, 38, '7')"


def one(namespace: str, id: str, state: str, primary: bool) -> str:
    return ONE % (f"'{namespace}'", id, f"'{state}'", str(primary).lower())


def make(store: Store, profiles: int, events: int) -> None:
    run = store.connection.execute
    make_layers(store.connection)
    crm, mail = "md5(r::VARCHAR)", "'user' || r || '@example.com'"
    front = """r + {0} AS _row, 1::BIGINT AS _batch, r AS _line, TIMESTAMP '2026-06-01' AS _arrived,
               TIMESTAMP '2026-01-01' + to_seconds((hash(r, {0}) % 10000000)::BIGINT) AS _ordered"""
    run(f"""CREATE TABLE data.crm AS SELECT {front.format(0)}, 'crmId:' || {crm} AS _key,
          [{one("crmId", crm, "ambiguous", True)}, {one("Email", mail, "ambiguous", False)}] AS _identities,
          {{'name': {{'firstName': 'First' || r % 5000, 'lastName': 'Last' || r % 50000}}, 'gender': ['male', 'female'][r % 2 + 1]}} AS person,
          {{'address': {mail}}} AS "personalEmail", {{'number': (6000000000 + r)::VARCHAR}} AS "mobilePhone",
          {{'street1': r || ' High Street', 'city': 'City' || r % 900, 'state': 'S' || r % 50, 'postalCode': (10000 + r % 80000)::VARCHAR}} AS "homeAddress"
        FROM range({profiles}) AS t(r)""")
    run(f"""CREATE TABLE data.loyalty AS SELECT {front.format(10**9)}, 'loyaltyId:L' || r AS _key,
          [{one("loyaltyId", "'L' || r", "ambiguous", True)}, {one("crmId", crm, "ambiguous", False)}] AS _identities,
          {{'name': {{'firstName': 'First' || r % 4999, 'lastName': 'Last' || r % 50000}}, 'gender': NULL::VARCHAR}} AS person,
          {{'tier': ['bronze', 'silver', 'gold'][r % 3 + 1], 'points': (hash(r) % 9000)::BIGINT, 'joinDate': TIMESTAMP '2020-01-01' + to_days((r % 2000)::INTEGER)}} AS loyalty
        FROM range({profiles}) AS t(r)""")
    run(f"""CREATE TABLE data.newsletter AS SELECT {front.format(2 * 10**9)}, 'Email:' || {mail} AS _key,
          [{one("Email", mail, "ambiguous", True)}] AS _identities, {{'address': {mail}}} AS "personalEmail",
          {{'marketing': {{'email': {{'val': ['y', 'n'][r % 2 + 1], 'time': TIMESTAMP '2026-01-01'}}}}}} AS consents
        FROM range({profiles}) AS t(r)""")
    known = one("ECID", ECID % ("p", "p"), "ambiguous", True)
    login = one("crmId", "md5(p::VARCHAR)", "authenticated", False)
    run(f"""CREATE TABLE data.web AS SELECT {front.format(3 * 10**9)}, 'e' || r AS _key,
          CASE WHEN hash(r, 1) % 10 < 4 THEN [{known}] ELSE [{known}, {login}] END AS _identities, 'e' || r AS _id, _ordered AS "timestamp",
          ['commerce.productViews', 'web.webpagedetails.pageViews', 'commerce.purchases'][r % 3 + 1] AS "eventType",
          {{'webPageDetails': {{'name': 'page' || r % 400}}}} AS web,
          CASE WHEN r % 3 = 2 THEN {{'order': {{'priceTotal': (r % 90000 / 100)::DECIMAL(18, 6)}}}} END AS commerce,
          [{{'SKU': 'S' || r % 3000, 'quantity': 1::BIGINT, 'priceTotal': (r % 9000 / 100)::DECIMAL(18, 6)}}] AS "productListItems"
        FROM (SELECT r, (hash(r, 5) % {profiles})::BIGINT AS p FROM range({events}) AS t(r))""")
    run("INSERT INTO meta.dataset SELECT n, n, k, 'owner', [], n FROM (VALUES ('crm', 'record'), ('loyalty', 'record'),"
        " ('newsletter', 'record'), ('web', 'event')) AS t(n, k)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, default=Path("/tmp/pql-unify.duckdb"))
    parser.add_argument("--index", action="store_true", help="Time the copies for fast plans as well.")
    words = parser.parse_args()
    schema, _ = read_short(SCHEMA)
    fresh = not words.store.exists()
    store = Store.open(words.store, schema)
    if fresh:
        store.create()
        make(store, words.profiles, words.events)
        store.connection.execute("CHECKPOINT")
    settings, found = identity_from(SETTINGS)
    assert not found
    start = last = time.perf_counter()

    def progress(step: str) -> None:
        nonlocal last
        now = time.perf_counter()
        print(f"{now - last:7.2f} s until: {step}", flush=True)
        last = now

    report = unify(store, settings, DEFAULT, progress, force=True)
    progress("done")
    spent = time.perf_counter() - start
    rows = sum(report.rows.values())
    print(f"{rows:,} rows in {spent:.1f} s: {rows / spent:,.0f} rows/s; {report}")
    start = time.perf_counter()
    again = unify(store, settings, DEFAULT)
    print(f"again: changed {again.changed}, {time.perf_counter() - start:.2f} s")
    if words.index:
        start = time.perf_counter()
        store.index()
        print(f"indexes: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    store.close()
    print(
        f"closing: {time.perf_counter() - start:.1f} s; most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"
    )


if __name__ == "__main__":
    main()
