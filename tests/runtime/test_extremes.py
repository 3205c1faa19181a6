"""A largest or smallest value against a constant is kept event by event, and no document for it."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pql.api import Deletion, Engine, Environment, Event
from pql.runtime import Evaluator
from pql.runtime.shapes import Plain

ENVIRONMENT = Environment.from_short({"profile": {"limit": "number"}, "event": {"price": "number", "name": "string"}})
T = datetime(2026, 3, 10, 10)
PRICES = {"max": [None, "3", "5", "5", "7", None, "-1", "9"], "min": [None, "7", "5", "5", "3", None, "9", "-1"]}


@pytest.mark.parametrize("op", ["<", "<=", "=", "!=", ">=", ">"])
@pytest.mark.parametrize("test", ["xEvent.max(price) {} 5", "xEvent.min(price) {} 5", "5 {} xEvent[timestamp occurs < 3 days before now].max(price)",
                                  'xEvent[timestamp occurs this week].min(name) {} "5"'])  # fmt: skip
def test_every_comparison_is_what_the_evaluator_says(test, op):
    condition = ENVIRONMENT.check(test.format(op)).ir
    plan, documents, seen = ENVIRONMENT.live_plan({"s": condition}), [], set()
    assert not any(isinstance(leaf, Plain) for leaf in plan.network.leaves)
    live, evaluator = Engine(plan), Evaluator({}, plan.zone)

    def agrees(now):
        live.advance(now)
        holds = evaluator.evaluate(condition, {}, documents, now)
        assert ("s" in live.members("p")) is holds, (now, documents)
        seen.add(holds)

    prices = PRICES["max" if "max" in test else "min"]
    for number, price in enumerate(prices):
        now = T + number * timedelta(days=1)
        values = {} if price is None else {"price": Decimal(price), "name": price}
        documents.append({"_id": str(number), "timestamp": now, **values})
        live.apply([Event("p", documents[-1], now)])
        agrees(now)
    assert all(kept.document is None for kept in live.people["p"].events)
    for number in reversed(range(len(prices))):
        now += timedelta(hours=5)
        documents.pop()
        live.apply([Deletion("p", str(number), now)])
        agrees(now)
    assert seen == {True, False}


def test_what_is_no_constant_has_no_form():
    for text in ("xEvent.max(price) > limit", "xEvent.max(price) > null", "xEvent.max(timestamp) < now"):
        checked = ENVIRONMENT.check(text)
        assert checked.ok, text
        assert all(isinstance(leaf, Plain) for leaf in ENVIRONMENT.live_plan({"s": checked.ir}).network.leaves)
