"""The trace of the clock against sampling: `python -m tests.property.flips --seed N --cases M`.

For a generated expression and person: from an instant on, the plain evaluator's value must stay what it was up to the horizon of the
trace, sampled at random, at a microsecond before it, and at every edge near it. Read `differences`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pql.api import Environment, Settings, read_short
from pql.clock import Zone
from pql.runtime import Evaluator, OutOfRange
from pql.runtime.evaluate import ordered_events
from pql.runtime.tracing import Tracing
from tests.property.differential import ZONES, Person, typed_person
from tests.property.generate import Texts
from tests.property.worlds import SCHEMA, World, random_now

MICRO = timedelta(microseconds=1)
END = timedelta(days=800)


def samples(r: random.Random, now: datetime, horizon: datetime | None) -> list[datetime]:
    """Instants in [now, horizon), near both ends, near midnights and month ends."""
    last = now + END if horizon is None else horizon - MICRO
    span = last - now
    found = [now, last, now + min(MICRO, span), now + span * r.random(), now + span * r.random()]
    for _ in range(3):
        near = (now + span * r.random()).replace(hour=0, minute=0, second=0, microsecond=0)
        found += [near - MICRO, near, near.replace(day=1), near.replace(day=28) + timedelta(days=r.choice((0, 1, 2)))]
    for unit in (1, 3600, 86400):
        found.append(now + timedelta(seconds=unit * r.randrange(0, 40)))
    return [x for x in found if now <= x <= last]


def differences(seed: int, steps: int = 12) -> Iterator[str]:
    r = random.Random(seed)
    schema, _ = read_short(SCHEMA)
    settings = Settings(r.choice(ZONES), r.choice(("monday", "sunday")))
    zone = Zone(settings.zone, settings.week_start)
    environment, now = Environment(schema, settings), random_now(r)
    for _ in range(12):
        texts = Texts(r, schema)
        text = texts.whole() if r.random() < 0.7 else texts.shape()
        checked = environment.check(text)
        if not checked.ok:
            continue
        world = World(r, schema, now, 0.2)
        profile, events = typed_person(Person(world.profile(), world.events()), schema)
        person: dict[str, Any] = {**profile, "xEvent": ordered_events([dict(e) for e in events])}
        yield from walk(r, checked.ir, person, now, zone, steps, f"seed {seed} {settings} {now}\n  {text}")


def walk(
    r: random.Random, e: Any, person: dict[str, Any], now: datetime, zone: Zone, steps: int, name: str
) -> Iterator[str]:
    tracing, plain = Tracing({}, zone), Evaluator({}, zone)
    events = person["xEvent"]
    at: datetime | None = now
    for _ in range(steps):
        if at is None or at > now + END:
            return
        try:
            value, horizon = tracing.trace(e, person, at)
            if horizon is not None and horizon <= at:
                yield f"{name}\n  horizon {horizon} not after {at}"
                return
            for then in samples(r, at, horizon):
                other = plain.evaluate(e, person, events, then)
                if not still(value, other):
                    yield f"{name}\n  at {at}: {value!r}, at {then}: {other!r}, horizon {horizon}\n  person {person}"
                    return
        except OutOfRange:
            return
        at = horizon


def still(a: Any, b: Any) -> bool:
    """Equal, where a value that is itself an instant of the clock may have moved on."""
    if isinstance(a, datetime) or isinstance(b, datetime):
        return True
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(still, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(still(a[k], b[k]) for k in a)
    if type(a).__name__ == "MovingDay":
        return True
    return bool(a == b)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--cases", type=int, default=1000)
    given, found = options.parse_args(), 0
    for seed in range(given.seed, given.seed + given.cases // 12):
        for difference in differences(seed):
            found += 1
            print(difference, flush=True)
    print(f"{given.cases} expressions: {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
