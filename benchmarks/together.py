"""Many segments: one compiled statement against hand-written SQL, one segment after another.

`python -m benchmarks.together FOLDER 100 500`. The mix is drawn with a fixed seed: counts, sums, greatest values and recency
over event types and windows, joined with attributes.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import AT, checked, environment, opened

KINDS = ("productView", "addToCart", "checkout", "purchase", "search", "emailOpen", "login", "pageView")
ATTRIBUTES = (
    ('homeAddress.countryCode = "US"', "country = 'US'"),
    ('homeAddress.countryCode in ["DE", "FR"]', "country IN ('DE', 'FR')"),
    ('loyalty.tier in ["gold", "platinum"]', "tier IN ('gold', 'platinum')"),
    ("consents.email", "c_email"),
    ("loyalty.points > 5000", "points > 5000"),
    ("ltv > 500", "ltv > 500"),
    ('person.gender = "f"', "gender = 'f'"),
    ('preference.category in ["books", "music"]', "pref_category IN ('books', 'music')"),
    ("person.birthDate >= date(1990, 1, 1)", "birth_date >= DATE '1990-01-01'"),
)
NOW = "TIMESTAMP '2026-03-31'"


def drawn(r: random.Random) -> tuple[str, str]:
    """One segment, in PQL and by hand."""
    pql, hand, joins = [], [], []
    for i in range(r.choice([1, 1, 2, 2, 3])):
        kind, days = r.choice(KINDS), r.choice([1, 7, 14, 30, 60, 90])
        device = r.choice(["ios", "android", "web"]) if r.random() < 0.25 else ""
        events = f'eventType = "{kind}" and timestamp occurs <= {days} days before now' + (
            f' and web.device = "{device}"' if device else ""
        )
        rows = f"type = '{kind}' AND ts >= {NOW} - INTERVAL {days} DAY" + (
            f" AND device = '{device}'" if device else ""
        )
        form = r.random()
        if form < 0.6 or form < 0.85 and kind not in ("purchase", "checkout"):
            least = r.choice([1, 1, 2, 3, 5])
            test, value, compare = f"xEvent[{events}].count() >= {least}", "count(*)", f">= {least}"
        elif form < 0.85:
            word, most = r.choice(["sum", "max"]), r.choice([50, 100, 250, 500])
            test, value, compare = f"xEvent[{events}].{word}(commerce.total) > {most}", f"{word}(total)", f"> {most}"
        else:
            near = r.choice([1, 3, 5])
            test = f"xEvent[{events}].max(timestamp) occurs <= {near} days before now"
            value, compare = "max(ts)", f">= {NOW} - INTERVAL {near} DAY"
        negated = "not " if r.random() < 0.15 else ""
        pql.append(f"{negated}({test})")
        hand.append(f"{negated}coalesce(q{i}.v {compare}, false)")
        joins.append(f"LEFT JOIN (SELECT pid, {value} AS v FROM flat_event WHERE {rows} GROUP BY pid) q{i} USING (pid)")
    for text, sql in r.sample(ATTRIBUTES, r.choice([0, 1, 1, 2])):
        pql.append(f"({text})")
        hand.append(f"({sql})")
    word = r.choice([" and ", " and ", " and ", " or "])
    return word.join(pql), f"SELECT count(*) FROM flat_profile {' '.join(joins)} WHERE {word.join(hand)}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("sizes", type=int, nargs="*", default=[100, 500])
    given = options.parse_args()
    env = environment()
    store = opened(given.folder, env)
    for size in given.sizes:
        r = random.Random(size)
        pairs = [drawn(r) for _ in range(size)]
        project = checked(
            env, "\n" + "\n".join(f'segment s{i} "S{i}" {{ where {p} }}' for i, (p, _) in enumerate(pairs))
        )
        started = time.perf_counter()
        conditions = [s.condition for s in project.segments.values()]
        sql = env.sql(conditions, project.conditions, "counts", store.layout).sql()
        compiled = time.perf_counter() - started
        started = time.perf_counter()
        ours: list[Any] = list(store.query(sql, {"now": AT})[0])
        together = time.perf_counter() - started
        started = time.perf_counter()
        by_hand = [store.query(q, {})[0][0] for _, q in pairs]
        apart = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{size} segments: together {together:.2f} s, by hand one by one {apart:.2f} s, ratio {together / apart:.2f}; "
            f"compiled in {compiled * 1000 / size:.1f} ms a segment; peak {peak:.1f} GB; {'same counts' if ours == by_hand else 'COUNTS DIFFER'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
