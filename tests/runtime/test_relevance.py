"""Which events a test without a form of its own looks at, and that the others leave it alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from pql.api import Engine, Environment, Event
from pql.runtime.relevance import looked_at

SCHEMA = {
    "profile": {"tier": "string"},
    "event": {"timestamp": "date-time", "eventType": "string", "commerce.total": "number"},
}
ENVIRONMENT = Environment.from_short(SCHEMA)
AT = datetime(2026, 3, 1, 12)
NARROW = [
    'xEvent[eventType = "a"].average(commerce.total) > 5',
    'xEvent[eventType = "a" and timestamp occurs this month].average(commerce.total) >= 2',
    'xEvent[eventType = "a"][timestamp occurs today].average(commerce.total) > 5',
    'chain(xEvent, timestamp, [x: WHAT(eventType = "a"), y: WHAT(eventType = "a"), z: WHAT(eventType = "a") WHEN(<= 1 day after x)])',
    'chain(xEvent, timestamp, [x: WHAT(eventType = "a") COUNT(>= 3) WHEN(this month), y: WHAT(eventType = "a")])',
]
WIDE = [
    "xEvent.average(commerce.total) > 5",
    'xEvent.topN(timestamp, 1).head().eventType = "a"',
    'chain(xEvent, timestamp, [x: WHAT(eventType = "a") COUNT(all) WHEN(today)])',
    'xEvent[eventType = "a"].average(commerce.total) > xEvent.average(commerce.total)',
    "xEvent[timestamp occurs today].count() >= 1",
]


def condition(text: str) -> Any:
    checked = ENVIRONMENT.check(text)
    assert checked.ok, checked.diagnostics
    return checked.ir


@pytest.mark.parametrize("text", NARROW)
def test_what_filters_and_steps_let_through(text: str) -> None:
    streams = looked_at(condition(text), {})
    assert streams and all(stream.tests for stream in streams)


@pytest.mark.parametrize("text", WIDE)
def test_every_event_where_no_test_stands_before_it(text: str) -> None:
    streams = looked_at(condition(text), {})
    assert streams is None or any(not stream.tests for stream in streams)


@pytest.mark.parametrize("text", NARROW)
def test_other_events_keep_no_document_and_ask_nothing(text: str) -> None:
    engine = Engine(ENVIRONMENT.live_plan({"s": condition(text)}))
    asked = []
    probe = engine._evaluator.probe
    engine._evaluator.probe = lambda *given: asked.append(given) or probe(*given)  # type: ignore[method-assign]

    def event(number: int, kind: str) -> Event:
        at = AT + timedelta(minutes=number)
        return Event("p", {"_id": f"e{number}", "timestamp": at, "eventType": kind}, at)

    engine.apply([event(0, "a")])
    engine.advance(AT)
    before = len(asked)
    engine.apply([event(n, "b") for n in range(1, 5)])
    engine.advance(AT + timedelta(minutes=5))
    assert len(asked) == before
    assert [k.document is not None for k in engine.people["p"].events] == [True, False, False, False, False]
    engine.apply([event(6, "a")])
    engine.advance(AT + timedelta(minutes=6))
    assert len(asked) > before


def test_an_event_that_becomes_another_is_seen_on_both_sides() -> None:
    engine = Engine(ENVIRONMENT.live_plan({"s": condition('xEvent[eventType = "a"].average(commerce.total) > 5')}))
    seen: dict[str, Any] = {"_id": "e", "timestamp": AT, "eventType": "a", "commerce": {"total": 9}}
    engine.apply([Event("p", seen, AT)])
    engine.advance(AT)
    assert engine.members("p") == {"s"}
    engine.apply([Event("p", {**seen, "eventType": "b"}, AT + timedelta(minutes=1))])
    engine.advance(AT + timedelta(minutes=1))
    assert not engine.members("p")
    engine.apply([Event("p", seen, AT + timedelta(minutes=2))])
    engine.advance(AT + timedelta(minutes=2))
    assert engine.members("p") == {"s"}
