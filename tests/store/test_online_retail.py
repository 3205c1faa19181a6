"""The demo's segments against independent SQL over the invoice lines themselves."""

from pathlib import Path

import duckdb
import pytest
import yaml

from pql.api import Environment, Store, read_short
from pql.source import Source
from pql.store.online_retail import load_online_retail
from pql.xdm.values import read_instant

ROOT = Path(__file__).parent.parent.parent
PARQUET = ROOT / "profiles/online-retail/online_retail.parquet"
NOW = "TIMESTAMP '2011-12-10'"
ORDERS = "SELECT customer_id c, invoice_no i, min(invoice_date) t, sum(unit_price::DECIMAL(18,6) * quantity) s FROM lines GROUP BY 1, 2"
BOUGHT = f"SELECT * FROM ({ORDERS}) WHERE i NOT LIKE 'C%'"
ANSWERS = {
    "frequent_quarter": f"SELECT c FROM ({BOUGHT}) WHERE t BETWEEN {NOW} - INTERVAL 90 DAY AND {NOW} GROUP BY c HAVING count(*) >= 3",
    "big_spenders": f"SELECT c FROM ({BOUGHT}) WHERE year(t) = 2011 GROUP BY c HAVING sum(s) > 5000",
    "lapsed": f"SELECT c FROM ({BOUGHT}) GROUP BY c HAVING max(t) < {NOW} - INTERVAL 180 DAY",
    "new_this_month": f"SELECT c FROM ({BOUGHT}) GROUP BY c HAVING min(t) >= {NOW} - INTERVAL 30 DAY",
    "cancelled_after_buying": f"""SELECT DISTINCT a.c FROM ({BOUGHT}) a JOIN ({ORDERS}) b ON a.c = b.c AND b.i LIKE 'C%'
        AND b.t > a.t AND b.t <= a.t + INTERVAL 14 DAY""",
    "quick_repeat": f"""SELECT DISTINCT a.c FROM ({BOUGHT}) a JOIN ({BOUGHT}) b ON a.c = b.c
        AND b.t BETWEEN a.t + INTERVAL 1 DAY AND a.t + INTERVAL 7 DAY""",
    "wide_range": "SELECT customer_id FROM lines WHERE invoice_no NOT LIKE 'C%' GROUP BY 1 HAVING count(DISTINCT stock_code) >= 100",
    "bulk_hearts": "SELECT DISTINCT customer_id FROM lines WHERE invoice_no NOT LIKE 'C%' AND stock_code = '85123A' AND quantity >= 100",
    "christmas_shoppers": "SELECT DISTINCT customer_id FROM lines WHERE invoice_no NOT LIKE 'C%' AND description ILIKE '%christmas%'",
    "high_average": f"SELECT c FROM ({BOUGHT}) GROUP BY c HAVING count(*) >= 2 AND sum(s) / count(*) > 500",
}


@pytest.fixture(scope="module")
def members():
    schema, found = read_short(yaml.safe_load((ROOT / "profiles/online-retail/schema.yaml").read_text()))
    assert not found
    store = Store.memory(schema)
    counts = load_online_retail(store, PARQUET)
    assert (counts.lines, counts.anonymous, counts.profiles) == (541_909, 135_080, 4_372)
    assert counts.loaded + counts.anonymous == counts.lines
    file = ROOT / "examples/online-retail/segments.pql"
    project = Environment(schema).project([Source(str(file), file.read_text())])
    assert project.ok, [d.message for d in project.diagnostics]
    query = Environment(schema).sql([s.condition for s in project.segments.values()], project.conditions)
    rows = store.query(query.sql(), {"now": read_instant("2011-12-10T00:00:00Z")})
    return {id: {row[0] for row in rows if row[i]} for i, id in enumerate(project.segments, 1)}


@pytest.mark.parametrize("segment", ANSWERS)
def test_members(members, segment):
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW lines AS SELECT * FROM '{PARQUET}' WHERE customer_id IS NOT NULL")
    assert members[segment] == {row[0] for row in connection.execute(ANSWERS[segment]).fetchall()}
