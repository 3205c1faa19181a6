"""Events that matter no more are let go: an engine that lets them go as soon as it can tells the same as one that keeps everything."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pql.api import Engine, Environment, Event, Transition
from pql.clock import Zone
from pql.runtime import engine, make_plan

ENVIRONMENT = Environment.from_short({"profile": {"joined": "date-time"}, "event": {"price": "number"}})
T = datetime(2026, 1, 28, 12)
BOUNDED = [
    "xEvent[timestamp occurs < 9 days before now].average(price) > 50",
    "xEvent[timestamp occurs <= 1 month before now].count() >= 4",
    "xEvent[timestamp occurs this month].sum(price) > 120",
    "xEvent[timestamp occurs this week].max(price) > 80",
    "xEvent[timestamp occurs last month].count() >= 16",
    "xEvent[timestamp occurs today].min(price) < 30",
    "xEvent[timestamp occurs yesterday].average(price) > 40",
    "xEvent[timestamp occurs <= 2 weeks before now and eventType = \"a\"].topN(timestamp, 1).head().price > 50",
    "xEvent[timestamp occurs this year and price > 90].count() = 2 and xEvent[timestamp occurs <= 1 month before now].average(price) > 45",
    'chain(xEvent, timestamp, [A: WHAT(eventType = "a") WHEN(< 9 days before now), B: WHAT(eventType = "b"), C: WHAT(price > 50)])',
    'not (exists E from xEvent where (E.eventType = "b" and E.price > 90 and E.timestamp occurs <= 1 month before now))',
    '(select E from xEvent where ((E.timestamp occurs <= 20 days before now) and E.price > 97)).average(price) > 98',
]  # fmt: skip


def told(live: Engine, seed: int) -> list[Transition]:
    chance, at, out = random.Random(seed), T, []
    for number in range(120):
        at += timedelta(hours=chance.choice((1, 12, 48, 120)), microseconds=chance.randrange(3))
        when = at - timedelta(days=chance.choice((0, 0, 0, 0, 2, 15)))
        price = Decimal(chance.randrange(10_000)) / 100
        document = {"_id": f"{number}", "timestamp": when, "eventType": chance.choice("abc"), "price": price}
        out += live.apply([Event("p", document, at)])
    return out + live.advance(at + timedelta(days=400))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("text", BOUNDED)
def test_letting_go_changes_nothing(text, zone, monkeypatch):
    checked = ENVIRONMENT.check(text)
    assert checked.ok, checked.diagnostics
    plan = make_plan({"s": checked.ir}, ENVIRONMENT.schema, Zone(zone))
    assert plan.network.retention is not None
    kept = replace(plan.network, retention=None)
    kept.router, kept.answers, kept.base = plan.network.router, plan.network.answers, plan.network.base
    monkeypatch.setattr(engine, "KEEP", 0)
    turned = 0
    for seed in range(4):
        small, whole = Engine(plan), Engine(replace(plan, network=kept))
        mine = told(small, seed)
        assert mine == told(whole, seed)
        assert (
            plan.network.retention > 300 * 86_400_000_000
            or len(small.people["p"].events) < len(whole.people["p"].events) == 120
        )
        turned += len(mine)
    assert turned > 4
