"""The twelve segments of `twelve.pql` in SQL as a person would write it, several ways each, over the flat tables.

A way that a person would try first and that turned out slower is kept: the yardstick is the best of them.
"""

NOW = "TIMESTAMP '2026-03-31'"


def last(days: int) -> str:
    return f"ts >= {NOW} - INTERVAL {days} DAY"


CART = f"type = 'addToCart' AND {last(30)}"
ABANDONED = f"""SELECT DISTINCT pid FROM (SELECT pid, ts, type, lead(CASE WHEN type = 'purchase' THEN ts END IGNORE NULLS) OVER (PARTITION BY pid ORDER BY ts) AS bought
  FROM flat_event WHERE type IN ('addToCart', 'purchase') AND {last(30)}) WHERE type = 'addToCart' AND (bought IS NULL OR bought > ts + INTERVAL 7 DAY)"""


def steps(table: str) -> str:
    def of(kind: str) -> str:
        return f"(SELECT pid, ts FROM {table} WHERE type = '{kind}')"

    carted = f"(SELECT b.pid, b.ts FROM {of('addToCart')} b ASOF JOIN {of('productView')} a ON b.pid = a.pid AND b.ts > a.ts WHERE b.ts <= a.ts + INTERVAL 1 DAY)"
    return f"SELECT DISTINCT c.pid FROM {of('purchase')} c ASOF JOIN {carted} b ON c.pid = b.pid AND c.ts > b.ts WHERE c.ts <= b.ts + INTERVAL 3 DAY"


def first_and_last(table: str) -> str:
    chosen = "arg_max(type, pos) = 'emailOpen' AND arg_min(CASE WHEN type = 'purchase' THEN total END, CASE WHEN type = 'purchase' THEN pos END) > 200"
    return f"SELECT pid FROM {table} GROUP BY pid HAVING {chosen}"


TOP = "SELECT pid, category, sum(quantity) AS q, min(pos) AS seen FROM flat_item WHERE type = 'purchase' GROUP BY pid, category"
BIRTHDAYS = (
    f"SELECT month(d) * 100 + day(d) FROM (SELECT unnest(range({NOW}::DATE, {NOW}::DATE + 7, INTERVAL 1 DAY)) AS d)"
)
OFTEN = f"SELECT pid FROM flat_event WHERE type = 'purchase' AND {last(30)} GROUP BY pid HAVING count(*) >= 2"

BY_HAND: dict[str, tuple[str, ...]] = {
    "s01": ("SELECT pid FROM flat_profile WHERE country = 'US' AND tier IN ('gold', 'platinum') AND c_email",),
    "s02": (f"SELECT pid FROM flat_event WHERE type = 'purchase' AND {last(30)} GROUP BY pid HAVING count(*) >= 3",),
    "s03": (f"SELECT pid FROM flat_event WHERE type = 'purchase' AND {last(60)} GROUP BY pid HAVING sum(total) > 500",),
    "s04": (
        ABANDONED,
        f"SELECT DISTINCT pid FROM flat_event c WHERE {CART} AND NOT EXISTS (SELECT 1 FROM flat_event p WHERE p.type = 'purchase' AND p.pid = c.pid AND p.ts > c.ts AND p.ts <= c.ts + INTERVAL 7 DAY)",
    ),
    "s05": (steps("flat_event_by_profile"), steps("flat_event")),
    "s06": (
        "SELECT pid FROM flat_profile p WHERE EXISTS (SELECT 1 FROM flat_item i WHERE i.pid = p.pid AND i.type = 'purchase' AND i.category <> p.pref_category)",
        "SELECT DISTINCT i.pid FROM flat_item i JOIN flat_profile p ON p.pid = i.pid WHERE i.type = 'purchase' AND i.category <> p.pref_category",
    ),
    "s07": (first_and_last("flat_event_by_profile"), first_and_last("flat_event")),
    "s08": (
        f"WITH often AS ({OFTEN}), left_behind AS ({ABANDONED}) SELECT pid FROM often WHERE pid NOT IN (SELECT pid FROM left_behind)",
    ),
    "s09": (
        "SELECT pid FROM flat_item WHERE type = 'purchase' GROUP BY pid HAVING count(DISTINCT sku) >= 5",
        "SELECT pid FROM (SELECT DISTINCT pid, sku FROM flat_item WHERE type = 'purchase') GROUP BY pid HAVING count(*) >= 5",
    ),
    "s10": (
        "SELECT pid FROM flat_event WHERE type = 'purchase' AND isodow(ts) >= 6 GROUP BY pid HAVING count(*) >= 2",
    ),
    "s11": (f"SELECT pid FROM flat_profile WHERE month(birth_date) * 100 + day(birth_date) IN ({BIRTHDAYS})",),
    "s12": (
        f"SELECT pid FROM ({TOP}) GROUP BY pid HAVING arg_max(category, (q, -seen)) = 'shoes'",
        f"SELECT pid FROM (SELECT pid, category FROM ({TOP}) QUALIFY row_number() OVER (PARTITION BY pid ORDER BY q DESC, seen) = 1) WHERE category = 'shoes'",
    ),
}
