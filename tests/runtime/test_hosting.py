"""The engine as a host has it: profiles loaded when they are due, and written back."""

from __future__ import annotations

from datetime import datetime, timedelta

from pql.api import Engine, Environment, Event
from pql.runtime.hosting import HostedEngine
from pql.runtime.inputs import Record

ENVIRONMENT = Environment.from_short({"profile": {"tier": "string"}, "event": {"price": "number"}})
T = datetime(2026, 3, 1)


def plan(*texts: str):
    conditions = {}
    for i, text in enumerate(texts):
        checked = ENVIRONMENT.check(text)
        assert checked.ok
        conditions[f"s{i}"] = checked.ir
    return ENVIRONMENT.live_plan(conditions)


def event(profile: str, at: datetime, type: str = "p") -> Event:
    return Event(profile, {"timestamp": at, "eventType": type, "_id": f"{profile}{at}"})


def test_judging_an_instant_may_set_a_timer_before_the_next_one() -> None:
    engine = Engine(
        plan(
            "forall E from xEvent where (E.timestamp occurs before now)",
            "xEvent.count(timestamp occurs <= 1 day before now) > 0",
        )
    )
    out = engine.apply([event("b", T - timedelta(hours=1)), event("a", T), event("c", T + timedelta(days=9))])
    times = [(t.segment, t.status, t.at) for t in out if t.profile == "a"]
    assert ("s0", "realized", T + timedelta(microseconds=1)) in times


def test_a_timer_that_is_due_at_the_open_instant_outlasts_a_dump() -> None:
    made = plan("xEvent.count(timestamp occurs <= 1 day before now) > 0")
    engine = HostedEngine(made)
    engine.apply([event("a", T)])
    end = T + timedelta(days=1, microseconds=1)
    engine.move(end)
    assert not engine.is_open("a")
    other = HostedEngine(made)
    other.resume(end, engine.arrivals)
    other.take_over(engine.dump("a"))
    assert [(t.status, t.at) for t in other.advance(end)] == [("exited", end)]
    assert other.due("a") is None


def test_timers_of_a_profile_that_was_let_go_hold_nothing_of_it() -> None:
    engine = HostedEngine(
        plan('xEvent[price > 1 and timestamp occurs <= 9 days before now].count() > 0 and tier != "x"')
    )
    engine.apply([Record("a", {"tier": "gold"}), Event("a", {"timestamp": T, "_id": "e", "price": 5})])
    engine.advance(T + timedelta(days=1))
    gone, due = engine.people["a"], engine.due("a")
    assert due is not None
    assert gone.events
    engine.discard("a")
    assert not (gone.events or gone.cells or gone.keys or gone.record or gone.armed)
    assert engine.advance(T + timedelta(days=20)) == []
