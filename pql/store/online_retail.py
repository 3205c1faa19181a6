"""Loads the online-retail invoice lines into a store, set-based: an event an invoice, an item a line.

The data's own facts are in `profiles/online-retail/README.md`. Read `load_online_retail`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pql.store.store import Store


@dataclass(frozen=True)
class Counts:
    """`lines` = `loaded` + `anonymous`: no line is lost unsaid."""

    lines: int
    loaded: int
    anonymous: int
    profiles: int
    events: int


_PROFILES = """
INSERT INTO profile BY NAME
SELECT customer_id AS _pid, customer_id::VARCHAR AS "customerId", {'country': arg_max(country, (invoice_date, line_no))} AS "homeAddress"
FROM lines WHERE customer_id IS NOT NULL GROUP BY customer_id"""

_EVENTS = """
INSERT INTO event BY NAME
SELECT _pid, row_number() OVER (ORDER BY timestamp, _id) AS _seq, _id, timestamp, "eventType", commerce, "productListItems" FROM (
  SELECT customer_id AS _pid, invoice_no AS _id, min(invoice_date) AS timestamp,
    CASE WHEN invoice_no LIKE 'C%' THEN 'commerce.backofficeOrderCancelled' ELSE 'commerce.purchases' END AS "eventType",
    {'order': {'purchaseID': invoice_no, 'priceTotal': sum(line_total)::DECIMAL(18,6), 'currencyCode': 'GBP'}} AS commerce,
    list({'SKU': stock_code, 'name': description, 'quantity': quantity::BIGINT, 'price': price, 'priceTotal': line_total}
         ORDER BY line_no) AS "productListItems"
  FROM lines WHERE customer_id IS NOT NULL GROUP BY customer_id, invoice_no)"""


def load_online_retail(store: Store, parquet: Path) -> Counts:
    """Fill the store's tables from the Parquet file. Prices are rounded to six digits before anything is added up."""
    run = store.connection.execute
    run(
        """CREATE OR REPLACE TEMP TABLE lines AS SELECT *, unit_price::DECIMAL(18,6) AS price,
           (unit_price::DECIMAL(18,6) * quantity)::DECIMAL(18,6) AS line_total FROM read_parquet(?)""",
        [str(parquet)],
    )
    run(_PROFILES)
    run(_EVENTS)

    def count(sql: str) -> int:
        row = run(sql).fetchone()
        return int(row[0]) if row else 0

    counts = Counts(
        count("SELECT count(*) FROM lines"),
        count("""SELECT sum(len("productListItems")) FROM event"""),
        count("SELECT count(*) FROM lines WHERE customer_id IS NULL"),
        count("SELECT count(*) FROM profile"),
        count("SELECT count(*) FROM event"),
    )
    run("DROP TABLE lines")
    return counts
