"""The cost certificate against what engines keep: `python -m benchmarks.cost [--profiles 4000]`.

For plans of each class, alone and a hundred rules together: profiles whose events come at a steady rate for some days, each plan in a process of its own.
Prints bytes a profile as the certificate has them for that traffic and as the process grew, and their ratio. Read `PLANS`, `measure`.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import subprocess
import sys
from datetime import timedelta
from typing import Any

from benchmarks import live_rules as rules
from benchmarks.live import resident

WEEK = "timestamp occurs < 7 days before now"
PLANS = {
    "record": ['loyalty.tier = "gold" and person.age > 30'],
    "count": [f'xEvent[eventType = "productView" and {WEEK}].count() >= 3'],
    "sum": ['xEvent[eventType = "purchase" and timestamp occurs < 30 days before now].sum(commerce.price) >= 100'],
    "chain": [
        'chain(xEvent, timestamp, [A: WHAT(eventType = "productView"), B: WHAT(eventType = "addToCart")'
        " WHEN(<= 3 days after A and < 7 days before now)])"
    ],
    "steps": [
        'chain(xEvent, timestamp, [A: WHAT(eventType = "productView") WHEN(< 30 days before now), N: not WHAT(eventType = "purchase"),'
        ' B: WHAT(eventType = "addToCart") WHEN(< 30 days before now), C: WHAT(eventType = "purchase") WHEN(< 30 days before now)])'
    ],
    "today": ["xEvent[timestamp occurs today].count() >= 1"],
    "this month": ['xEvent[eventType = "purchase" and timestamp occurs this month].sum(commerce.price) >= 100'],
    "last week": ['xEvent[eventType = "productView" and timestamp occurs last week].count() >= 2'],
    "history": ['xEvent[eventType = "purchase"].count() >= 5'],
    "average": ['xEvent[eventType = "purchase"].average(commerce.price) >= 50'],
}
ATTRIBUTES = {
    "lifetime value": ['xEvent[eventType = "purchase"].sum(commerce.price)'],
    "week's events": [f"xEvent[{WEEK}].count()"],
    "last purchase": ['xEvent[eventType = "purchase"].topN(timestamp, 1).head()'],
}


def texts(name: str) -> list[str]:
    if name in PLANS or name in ATTRIBUTES:
        return PLANS.get(name) or ATTRIBUTES[name]
    return [rules.text(node) for node in rules.segments(100, name.removeprefix("100 "))]


def measure(name: str, profiles: int, a_day: float, days: int) -> dict[str, float]:
    from pql.api import Engine, Environment, Event, Record, Traffic

    environment = Environment.from_short(rules.SCHEMA)
    conditions = {}
    for i, text in enumerate(texts(name)):
        checked = environment.check(text)
        assert checked.ok, text
        conditions[f"s{i}"] = checked.ir
    plan = environment.live_plan({}, attributes=conditions) if name in ATTRIBUTES else environment.live_plan(conditions)
    people, chance = rules.people(profiles), random.Random(5)
    moments = sorted(
        (chance.random() * days * 86_400, chance.randrange(profiles)) for _ in range(int(profiles * a_day * days))
    )
    made = rules.happenings(len(moments), "broad" if "broad" in name else "selective", profiles)
    engine = Engine(plan)
    gc.collect()
    before = resident()
    engine.apply(Record(pid, rules.record(one), rules.START) for pid, one in enumerate(people))

    def arriving() -> Any:
        for number, (at, pid) in enumerate(moments):
            document = rules.document(made[number], number)
            document["timestamp"] = rules.START + timedelta(seconds=int(at))
            yield Event(pid, document)

    stream = arriving()
    while batch := [event for event, _ in zip(stream, range(200), strict=False)]:
        engine.apply(batch)
        engine.changes.clear()
    batch = []
    gc.collect()
    kept = (resident() - before) / profiles
    sample = [rules.document(one, i) for i, one in enumerate(made[:2_000])]
    records = [rules.record(one) for one in people[:500]]
    return {"kept": kept, "said": plan.cost(traffic=Traffic(a_day, days, sample, records)).bytes}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--profiles", type=int, default=10_000)
    options.add_argument("--plans", nargs="*", default=[*PLANS, *ATTRIBUTES, "100 broad", "100 selective"])
    options.add_argument("--traffic", nargs="*", default=["0.5:60", "0.2:14", "3:30"], help="events a day and days")
    options.add_argument("--one", default="", help="measure one plan here")
    given = options.parse_args()
    if given.one:
        a_day, days = given.traffic[0].split(":")
        print(json.dumps(measure(given.one, given.profiles, float(a_day), int(days))))
        return
    for name in given.plans:
        for traffic in given.traffic:
            words = ["--one", name, "--traffic", traffic, "--profiles", str(given.profiles)]
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.cost", *words], capture_output=True, text=True, check=True
            )
            found = json.loads(done.stdout)
            line = f"{name:14s} {traffic:8s} kept {found['kept']:9,.0f} said {found['said']:9,.0f} bytes a profile, {found['said'] / found['kept']:.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
