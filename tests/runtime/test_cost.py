"""The cost certificate: classes and retention."""

import pytest

from pql.api import Environment

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
        ("xEvent[timestamp occurs <= 1 month before now].count() >= 2", "history", None),
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


def test_equal_leaves_are_kept_once():
    texts = (
        "xEvent[timestamp occurs < 7 days before now].count() >= 2",
        "not (xEvent[timestamp occurs < 7 days before now].count() < 2)",
    )
    plan = ENVIRONMENT.live_plan({f"s{i}": ENVIRONMENT.check(t).ir for i, t in enumerate(texts)})
    assert plan.cost().leaves == plan.cost("s0").leaves == 1
