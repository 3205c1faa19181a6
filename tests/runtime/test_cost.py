"""The cost certificate: classes and retention."""

from datetime import datetime
from typing import Any

import pytest

from pql.api import Environment, Traffic

ENVIRONMENT = Environment.from_short(
    {"profile": {"tier": "string", "joined": "date-time"}, "event": {"value": "integer"}}
)
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("text", "kind", "days"),
    [
        ('tier = "gold"', "stateless", 0),
        ("joined occurs <= 7 days before now", "constant", 0),
        ("xEvent[timestamp occurs < 7 days before now].count() >= 2", "bucketed", 7),
        ('chain(xEvent, timestamp, [A: WHAT(eventType = "a"), B: WHAT(eventType = "b") WHEN(<= 1 day after A and < 7 days before now)])', "bucketed", 8),
        ("xEvent.count() >= 2", "history", None),
        ("xEvent[timestamp occurs <= 1 month before now].count() >= 2", "bucketed", 33),
        ("xEvent[timestamp occurs < 30 days before now].average(value) > 3", "bucketed", 32),
        ("xEvent[timestamp occurs this year].max(value) > 3", "bucketed", 368),
        ("xEvent[timestamp occurs this year].count() >= 3", "bucketed", 368),
        ("xEvent[timestamp occurs between yesterday and now].sum(value) >= 3", "bucketed", 6),
        ('chain(xEvent, timestamp, [A: WHAT(eventType = "a"), B: WHAT(eventType = "b") WHEN(<= 1 day after A and today)])', "bucketed", 4),
        ("xEvent[timestamp occurs before today].count() >= 3", "history", None),
        ("xEvent[timestamp > joined].average(value) > 3", "history", None),
        ("xEvent[value > 3 or timestamp occurs <= 3 days before now].average(value) > 3", "history", None),
    ],
)  # fmt: skip
def test_class_and_retention(text, kind, days):
    checked = ENVIRONMENT.check(text)
    assert checked.ok
    plan = ENVIRONMENT.live_plan({"s": checked.ir, "other": ENVIRONMENT.check('tier = "x"').ir})
    cost = plan.cost("s")
    assert (cost.kind, cost.unbounded) == (kind, kind == "history")
    assert cost.retention == (None if days is None else days * DAY)
    assert plan.cost().leaves == cost.leaves + 1
    assert plan.cost("other").bytes < plan.cost().bytes or kind == "stateless"


def test_a_window_of_the_calendar_needs_no_documents():
    def cost(text: str) -> Any:
        return ENVIRONMENT.live_plan({"s": ENVIRONMENT.check(text).ir}).cost("s", Traffic(2, 90))

    today, yesterday = (cost(f"xEvent[timestamp occurs {day}].count() >= 1") for day in ("today", "yesterday"))
    largest = cost("xEvent[timestamp occurs today].average(value) >= 1")
    assert (today.plain, today.timers, largest.plain) == (0, 1, 1)
    assert today.bytes < 0.75 * largest.bytes
    assert today.bytes < yesterday.bytes


def test_equal_leaves_are_kept_once():
    texts = (
        "xEvent[timestamp occurs < 7 days before now].count() >= 2",
        "not (xEvent[timestamp occurs < 7 days before now].count() < 2)",
    )
    plan = ENVIRONMENT.live_plan({f"s{i}": ENVIRONMENT.check(t).ir for i, t in enumerate(texts)})
    assert plan.cost().leaves == plan.cost("s0").leaves == 1


def test_bytes_follow_the_traffic():
    checked = ENVIRONMENT.check(
        'tier = "gold" and xEvent[eventType = "buy" and timestamp occurs < 30 days before now].count() >= 2'
    )
    plan = ENVIRONMENT.live_plan({"s": checked.ir})
    buys, visits = ([{"eventType": kind, "timestamp": datetime(2026, 3, 1)}] for kind in ("buy", "visit"))
    gold, none = [{"tier": "gold"}], [{"tier": "none"}]

    def size(a_day: float = 1.0, days: float = 90.0, events: Any = (), records: Any = ()) -> int:
        return plan.cost("s", Traffic(a_day, days, events, records)).bytes

    assert size(2.0) > 1.5 * size(1.0) > size(0.0)
    assert size(days=10) < size(days=30) <= size(days=365) == size(days=3650)
    assert size(events=visits) < size() < size(events=buys)
    assert size(events=buys, records=none) < size(events=buys, records=gold)
