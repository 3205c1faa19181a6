"""A synthetic store: profiles, skewed events over 90 days, order lines. The same data for the same sizes.

`python -m benchmarks.generate FOLDER --profiles N --events N`. Values come from hashes of row numbers, so that threads and
order do not matter. Read `main`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import yaml

from pql.api import Store, read_short

SCHEMA = Path(__file__).parent / "schema.yaml"
NOW = "2026-03-31T00:00:00Z"

MACROS = """
CREATE OR REPLACE TEMP MACRO rnd(i, k) AS (hash(i * 97 + k) % 1000003) / 1000003.0;
CREATE OR REPLACE TEMP MACRO one_of(i, k, l) AS l[1 + (hash(i * 97 + k) % len(l))::INT];
"""
CATEGORIES = "['shoes','shirts','bags','toys','books','garden','music','sport','food','health']"

PROFILES = """
INSERT INTO profile BY NAME SELECT i AS _pid,
  {'birthDate': DATE '1940-01-01' + (rnd(i, 1) * 25000)::INT, 'gender': one_of(i, 2, ['f', 'm', 'x', NULL]),
    'firstName': 'F' || (rnd(i, 3) * 5000)::INT, 'lastName': 'L' || (rnd(i, 4) * 20000)::INT} AS person,
  {'countryCode': one_of(i, 5, ['US','US','US','DE','FR','GB','JP','BR','IN','DK']), 'city': 'C' || (rnd(i, 6) * 3000)::INT,
    'postalCode': lpad(((rnd(i, 7) * 99999)::INT)::VARCHAR, 5, '0')} AS "homeAddress",
  {'tier': one_of(i, 8, ['none','none','bronze','silver','gold','platinum']), 'points': (rnd(i, 9) * rnd(i, 10) * 20000)::BIGINT,
    'joined': DATE '2015-01-01' + (rnd(i, 11) * 4000)::INT} AS loyalty,
  {'email': rnd(i, 12) < 0.6, 'push': rnd(i, 13) < 0.3, 'sms': rnd(i, 14) < 0.2} AS consents,
  {'category': one_of(i, 15, :categories), 'size': one_of(i, 16, ['XS','S','M','L','XL'])} AS preference,
  round(rnd(i, 17) * 1000, 2)::DECIMAL(18, 6) AS ltv
FROM range(:profiles) t(i)"""

EVENTS = """
INSERT INTO event BY NAME
WITH raw AS (
  SELECT i, (((:profiles * pow(rnd(i, 20), 2.5))::BIGINT) * 7368787) % :profiles AS _pid,
    TIMESTAMP '2026-03-31' - INTERVAL 90 DAY + to_microseconds(((i / :events.0) * 7775000000000 + rnd(i, 21) * 60000000)::BIGINT) AS "timestamp",
    rnd(i, 22) AS kind FROM range(:low, :high) t(i)
), typed AS (
  SELECT *, CASE WHEN kind < 0.55 THEN 'pageView' WHEN kind < 0.75 THEN 'productView' WHEN kind < 0.83 THEN 'addToCart' WHEN kind < 0.87 THEN 'checkout'
    WHEN kind < 0.91 THEN 'purchase' WHEN kind < 0.97 THEN 'search' WHEN kind < 0.99 THEN 'emailOpen' ELSE 'login' END AS "eventType" FROM raw
)
SELECT _pid, i AS _seq, 'e' || i AS _id, "timestamp", "eventType",
  CASE WHEN "eventType" IN ('purchase', 'checkout') THEN {'orderId': 'O' || i, 'total': round(5 + rnd(i, 30) * 295, 2)::DECIMAL(18, 6),
    'currency': one_of(i, 31, ['USD','USD','EUR','GBP'])} END AS commerce,
  {'url': '/p/' || (rnd(i, 32) * 2000)::INT, 'device': one_of(i, 33, ['ios','android','web','web'])} AS web,
  CASE WHEN "eventType" IN ('productView', 'addToCart', 'checkout', 'purchase') THEN [{'SKU': 'S' || (rnd(i * 8 + j, 40) * rnd(i * 8 + j, 41) * 50000)::INT,
    'category': one_of(i * 8 + j, 42, :categories), 'size': one_of(i * 8 + j, 43, ['XS','S','M','L','XL']),
    'price': round(1 + rnd(i * 8 + j, 44) * 99, 2)::DECIMAL(18, 6), 'quantity': (1 + (rnd(i * 8 + j, 45) * 2)::INT)::BIGINT}
    FOR j IN range(CASE "eventType" WHEN 'productView' THEN 1 WHEN 'addToCart' THEN 1 + (hash(i) % 2)::INT ELSE 1 + (hash(i) % 4)::INT END)] END AS "productListItems"
FROM typed"""


def filled(sql: str, **values: object) -> str:
    """The statement with its sizes in place."""
    for name, value in {"categories": CATEGORIES, **values}.items():
        sql = sql.replace(f":{name}", str(value))
    return sql


FLAT = (
    """CREATE OR REPLACE TABLE flat_profile AS SELECT _pid AS pid, person."birthDate" AS birth_date, person.gender AS gender,
         "homeAddress"."countryCode" AS country, loyalty.tier AS tier, loyalty.points AS points, consents.email AS c_email,
         consents.push AS c_push, preference.category AS pref_category, preference.size AS pref_size, ltv FROM profile ORDER BY 1""",
    """CREATE OR REPLACE TABLE flat_event AS SELECT _pid AS pid, _pos AS pos, "timestamp" AS ts, "eventType" AS type, commerce.total AS total,
         web.device AS device FROM event ORDER BY type, ts""",
    "CREATE OR REPLACE TABLE flat_event_by_profile AS SELECT * FROM flat_event ORDER BY pid, pos",
    """CREATE OR REPLACE TABLE flat_item AS SELECT pid, row_number() OVER () AS pos, type, x."SKU" AS sku, x.category AS category, x.quantity AS quantity
         FROM (SELECT _pid AS pid, "eventType" AS type, unnest("productListItems") AS x FROM event ORDER BY _pos) ORDER BY type, pid, pos""",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--profiles", type=int, default=1_000_000)
    options.add_argument("--events", type=int, default=20_000_000)
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    path = given.folder / "store.duckdb"
    path.unlink(missing_ok=True)
    schema, _ = read_short(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    store = Store.open(path, schema, memory_limit="8GB")
    store.create()
    run = store.connection.execute
    started = time.monotonic()
    for macro in filter(str.strip, MACROS.split("\n")):
        run(macro)
    run(filled(PROFILES, profiles=given.profiles))
    for low in range(0, given.events, 2_000_000):
        high = min(low + 2_000_000, given.events)
        run(filled(EVENTS, profiles=given.profiles, events=given.events, low=low, high=high))
    print(f"rows: {time.monotonic() - started:.0f} s", flush=True)
    store.index()
    print(f"indexes: {time.monotonic() - started:.0f} s", flush=True)
    for statement in FLAT:
        run(statement)
    run("CHECKPOINT")
    print(f"done: {time.monotonic() - started:.0f} s, {path.stat().st_size / 1e6:,.0f} MB at {path}")


if __name__ == "__main__":
    main()
