"""What one segment costs an event, by the form of its test: `python -m benchmarks.forms [--events 12000]`.

People with thirty events each in two months, in order. Prints microseconds of CPU an event, transitions, and timers that fired. What comes before "average" has
a form of its own; the others are answered by the plain evaluator over the events that are kept. Read `TESTS`.
"""

from __future__ import annotations

import argparse
import random
import time
from datetime import timedelta

from benchmarks import live_rules as rules
from pql.api import Engine, Environment, Event, Record

MONTH = "timestamp occurs < 30 days before now"
PURCHASES = f'xEvent[eventType = "purchase" and {MONTH}]'
TESTS = {
    "count": f"{PURCHASES}.count() >= 3",
    "absence": f"xEvent.count() > 0 and not xEvent.exists({MONTH})",
    "24 hours": "xEvent[timestamp occurs <= 24 hours before now].count() >= 1",
    "today": "xEvent[timestamp occurs today].count() >= 1",
    "this month": 'xEvent[eventType = "purchase" and timestamp occurs this month].count() >= 2',
    "month's sum": 'xEvent[eventType = "purchase" and timestamp occurs this month].sum(commerce.price) >= 100',
    "last week": "xEvent[timestamp occurs last week].count() >= 5",
    "extreme": f"{PURCHASES}.max(commerce.price) >= 100",
    "average": f"{PURCHASES}.average(commerce.price) >= 50",
    "last event": 'xEvent.topN(timestamp, 1).head().eventType = "purchase"',
    "three steps": 'chain(xEvent, timestamp, [A: WHAT(eventType = "productView"), B: WHAT(eventType = "addToCart") WHEN(<= 3 days after A), '
    'C: WHAT(eventType = "purchase") WHEN(<= 3 days after B and < 30 days before now)])',
    "windows on all": 'chain(xEvent, timestamp, [A: WHAT(eventType = "productView") WHEN(< 30 days before now), '
    'B: WHAT(eventType = "addToCart") WHEN(< 30 days before now), C: WHAT(eventType = "purchase") WHEN(< 30 days before now)])',
    "one without another": 'chain(xEvent, timestamp, [A: WHAT(eventType = "productView"), B: not WHAT(eventType = "addToCart"), '
    'C: WHAT(eventType = "purchase") WHEN(< 30 days before now)])',
}
DAYS, EACH, CHUNK = 60, 30, 500


def measure(text: str, events: int) -> str:
    environment = Environment.from_short(rules.SCHEMA)
    checked = environment.check(text)
    assert checked.ok, text
    people = max(1, events // EACH)
    engine = Engine(environment.live_plan({"s": checked.ir}))
    engine.apply(Record(pid, {}, rules.START) for pid in range(people))
    chance, made = random.Random(1), rules.happenings(events, "broad", people)
    moments = sorted((chance.random() * DAYS * 86_400, chance.randrange(people)) for _ in range(events))
    inputs = []
    for number, (at, pid) in enumerate(moments):
        document = rules.document(made[number], number)
        document["timestamp"] = rules.START + timedelta(seconds=int(at))
        inputs.append(Event(pid, document))
    started, out = time.process_time(), 0
    for i in range(0, events, CHUNK):
        out += len(engine.apply(inputs[i : i + CHUNK]))
    cost = 1e6 * (time.process_time() - started) / events
    return f"{cost:9,.1f} us an event, {out:7,} transitions, {engine.fired:7,} timers"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=12_000)
    options.add_argument("--tests", nargs="*", default=list(TESTS))
    given = options.parse_args()
    for name in given.tests:
        print(f"{name:20s} {measure(TESTS[name], given.events)}", flush=True)


if __name__ == "__main__":
    main()
