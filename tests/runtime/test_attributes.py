"""Computed attributes, live: instants, causes, what is kept, what is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pql.api import (
    Deletion,
    Engine,
    Environment,
    Event,
    Merge,
    Plan,
    PlanError,
    Record,
    Split,
    StateError,
    Traffic,
)
from pql.runtime.attributes import Values
from pql.runtime.hosting import HostedEngine
from pql.types import BOOLEAN

ENVIRONMENT = Environment.from_short(
    {"profile": {"tier": "string", "born": "date"}, "event": {"price": "number", "page": "string"}}
)
START = datetime(2026, 3, 1, 10)
DAY, MICRO = timedelta(days=1), timedelta(microseconds=1)
WEEK = "xEvent[timestamp occurs <= 7 days before now].count()"
SPENT = 'xEvent[eventType = "p"].sum(price)'


def plan(**texts: str) -> Plan:
    checked = {name: ENVIRONMENT.check(text) for name, text in texts.items()}
    assert all(c.ok for c in checked.values()), checked
    return ENVIRONMENT.live_plan({}, attributes={name: c.ir for name, c in checked.items()})


def event(profile: str, id: str, at: datetime, type: str = "p", **more: Any) -> Event:
    exact = {name: Decimal(value) if name == "price" else value for name, value in more.items()}
    return Event(profile, {"_id": id, "eventType": type, "timestamp": at, **exact}, max(at, START))


def told(engine: Engine) -> list[tuple[Any, ...]]:
    found = [(c.key, c.attribute, c.value, c.at, c.cause) for c in engine.changes]
    engine.changes.clear()
    return found


def test_a_count_over_seven_days_falls_with_no_event_at_all() -> None:
    engine = Engine(plan(week=WEEK))
    engine.apply([event("ann", "1", START), event("ann", "2", START + DAY, "v")])
    engine.advance(START + 30 * DAY)
    assert told(engine) == [
        ("ann/attribute/1", "week", 1, START, "event"),
        ("ann/attribute/2", "week", 2, START + DAY, "event"),
        ("ann/attribute/3", "week", 1, START + 7 * DAY + MICRO, "timer"),
        ("ann/attribute/4", "week", 0, START + 8 * DAY + MICRO, "timer"),
    ]
    assert engine.next_due() is None


def test_late_corrected_and_deleted_events_change_what_they_must() -> None:
    engine = Engine(plan(spent=SPENT, last='xEvent[eventType = "v"].topN(timestamp, 1).head().page'), START)
    engine.apply(
        [
            event("ann", "1", START, price=5),
            event("ann", "0", START - DAY, price=2),
            event("ann", "2", START + DAY, "v", page="shoes"),
            event("ann", "3", START + 2 * DAY, "v", page="shoes"),
            Event("ann", {"_id": "1", "eventType": "p", "timestamp": START, "price": Decimal(7)}, START + 3 * DAY),
            Deletion("ann", "0", START + 4 * DAY),
        ]
    )
    engine.advance(START + 5 * DAY)
    assert [c[1:] for c in told(engine)] == [
        ("spent", 7, START, "event"),
        ("last", "shoes", START + DAY, "event"),
        ("spent", 9, START + 3 * DAY, "event"),
        ("spent", 7, START + 4 * DAY, "event"),
    ]


def test_the_record_and_the_calendar() -> None:
    engine = Engine(plan(tier="tier", today="today", this_month="xEvent[timestamp occurs this month].count()"), START)
    engine.apply([Record("ann", {"tier": "gold"}), event("ann", "1", START)])
    engine.advance(START + DAY)
    engine.apply([Record("ann", None)])
    engine.advance(datetime(2026, 4, 1))
    found = told(engine)
    assert [c[1:] for c in found if c[1] != "today"] == [
        ("tier", "gold", START, "event"),
        ("this_month", 1, START, "event"),
        ("tier", None, START + DAY, "profile"),
        ("this_month", 0, datetime(2026, 4, 1), "timer"),
    ]
    days = [c[3] for c in found if c[1] == "today"]
    assert days == [START, *(datetime(2026, 3, d) for d in range(2, 32)), datetime(2026, 4, 1)]


def test_merges_and_splits() -> None:
    engine = Engine(plan(spent=SPENT), START)
    engine.apply([event("ann", "1", START, price=5), event("bob", "2", START, price=3)])
    engine.apply([Merge("ann", "bob", None, START + DAY)])
    engine.apply([Split("ann", "bob", frozenset({"2"}), None, None, START + 2 * DAY)])
    engine.advance(START + 3 * DAY)
    assert told(engine) == [
        ("ann/attribute/1", "spent", 5, START, "event"),
        ("bob/attribute/1", "spent", 3, START, "event"),
        ("ann/attribute/2", "spent", 8, START + DAY, "merge"),
        ("bob/attribute/2", "spent", None, START + DAY, "merge"),
        ("ann/attribute/3", "spent", 5, START + 2 * DAY, "split"),
        ("bob/attribute/3", "spent", 3, START + 2 * DAY, "split"),
    ]


def test_merged_and_split_off_at_one_instant_tells_nothing() -> None:
    checked = ENVIRONMENT.check("xEvent.count() >= 1").ir
    engine = Engine(ENVIRONMENT.live_plan({"any": checked}, attributes={"spent": ENVIRONMENT.check(SPENT).ir}), START)
    engine.apply([event("bob", "2", START, price=3)])
    engine.advance(START)
    engine.changes.clear()
    at = START + DAY
    engine.apply([Merge("ann", "bob", None, at), Split("ann", "bob", frozenset({"2"}), None, None, at)])
    assert [t for t in engine.advance(at) if t.profile == "bob"] == []
    assert [c for c in told(engine) if c[0].startswith("bob")] == []
    assert engine.members("bob") == {"any"} and engine.values("bob") == {"spent": 3}


def test_a_sum_out_of_range_is_null_and_noted_once() -> None:
    engine = Engine(plan(spent="xEvent.sum(price)"), START)
    big = 900_000_000_000
    engine.apply([event("ann", "1", START, price=big), event("ann", "2", START + DAY, price=big)])
    engine.apply([event("ann", "3", START + 2 * DAY, price=1)])
    engine.advance(START + 3 * DAY)
    assert [c[2] for c in told(engine)] == [big, None]
    assert [(f.profile, f.attribute, f.segment, f.at, f.code) for f in engine.failures] == [
        ("ann", "spent", "", START + DAY, "PQL0601")
    ]
    again = Engine(engine.plan)
    again.load_profile(engine.dump_profile("ann"))
    again.apply([Deletion("ann", "2")])
    again.advance(START + 3 * DAY)
    assert [c[0:3] for c in told(again)] == [("ann/attribute/3", "spent", big + 1)] and not again.failures


@pytest.mark.parametrize("text", ["xEvent.map((E) => E.items.sum(n)).sum(this)", "xEvent.exists(items.sum(n) > 3)"])
def test_a_sum_inside_of_an_event_that_is_out_of_range_is_noted(text: str) -> None:
    environment = Environment.from_short({"profile": {}, "event": {"items[]": {"n": "integer"}}})
    value = environment.check(text).ir
    test = environment.check(text if value.type == BOOLEAN else f"{text} > 3").ir
    engine = Engine(environment.live_plan({"a": test}, attributes={"b": value}))
    items = [{"n": 2**63 - 1}, {"n": 5}]
    engine.apply([Event("ann", {"_id": "1", "timestamp": START, "items": items})])
    assert engine.advance(START) == [] and engine.values("ann") == {"b": None}
    assert [(f.segment, f.attribute) for f in engine.failures] == [("a", ""), ("", "b")]


def test_state_goes_on_where_it_was_and_tells_nothing_twice() -> None:
    made = plan(week=WEEK, last="xEvent.topN(timestamp, 1).head()", pages="xEvent.page.distinct()")
    engine = Engine(made)
    engine.apply([event("ann", str(i), START + i * DAY, page="ab"[i % 2]) for i in range(5)])
    engine.advance(START + 5 * DAY)
    data = engine.dump_profile("ann")
    other = Engine(made)
    other.load_profile(data)
    assert other.dump_profile("ann") == data and other.changes == [] and other.values("ann") == engine.values("ann")
    assert other.next_due() == engine.next_due() == START + 7 * DAY + MICRO
    engine.changes.clear()
    for one in (engine, other):
        one.advance(START + 30 * DAY)
    assert told(other) == told(engine) != []
    with pytest.raises(StateError):
        Engine(plan(week=WEEK.replace("7", "8"))).load_profile(data)
    with pytest.raises(StateError):
        Engine(plan()).load_profile(data)


def test_only_what_may_have_changed_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = Values._set

    def setting(self: Values, person: Any, own: Any, number: int, *more: Any) -> None:
        asked.append(self.attributes[number].name)
        whole(self, person, own, number, *more)

    monkeypatch.setattr(Values, "_set", setting)
    engine = Engine(
        plan(spent=SPENT, tier="tier", week='xEvent[eventType = "w" and timestamp occurs <= 7 days before now].count()')
    )
    engine.apply([event("ann", "1", START, "v", page="x")])
    engine.advance(START)
    assert asked == ["spent", "tier", "week"]
    asked.clear()
    engine.apply([event("ann", str(i), START + i * DAY, "v", page="x") for i in range(2, 5)])
    engine.advance(START + 5 * DAY)
    assert asked == []
    engine.apply([event("ann", "9", START + 6 * DAY, "p", price=1), event("ann", "10", START + 6 * DAY, "w")])
    engine.advance(START + 30 * DAY)
    assert asked == ["spent", "week", "week"]
    assert [k.document is not None for k in engine.people["ann"].events] == [False] * 6


def test_a_plan_without_attributes_asks_for_nothing() -> None:
    condition = ENVIRONMENT.check('xEvent[eventType = "p"].count() >= 2').ir
    engine = Engine(ENVIRONMENT.live_plan({"often": condition}))
    engine.apply([event("ann", "1", START)])
    engine.advance(START)
    person = engine.people["ann"]
    assert person.computed is None and person.events[0].document is None and person.events[0].route.work.stale == 0
    assert engine.values("ann") == {}


def test_events_are_let_go_when_no_attribute_looks_back_so_far() -> None:
    engine = Engine(plan(week=WEEK))
    engine.apply([event("ann", str(i), START + i * DAY) for i in range(60)])
    engine.advance(START + 60 * DAY)
    assert len(engine.people["ann"].events) < 20
    assert engine.values("ann") == {"week": 7}


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("now", True),
        ('if(tier = "gold", now, now)', True),
        ('xEvent.map((E) => if(E.page = "a", now, E.timestamp)).head()', True),
        ("today", False),
        ("xEvent[timestamp occurs <= 7 days before now].max(timestamp)", False),
        ("now.getYear()", False),
        ("if(now > xEvent.max(timestamp), 1, 2)", False),
    ],
)
def test_a_value_that_is_always_another_is_refused(text: str, refused: bool) -> None:
    checked = ENVIRONMENT.check(text)
    assert checked.ok, checked.diagnostics
    assert ENVIRONMENT.changes_always(checked.ir) is refused
    if refused:
        with pytest.raises(PlanError, match="a` is another value at every instant"):
            plan(a=text)
    else:
        plan(a=text)


@pytest.mark.parametrize(
    ("text", "kind", "days", "timers"),
    [
        ("tier", "stateless", 0, 0),
        ("today", "constant", 0, 1),
        (SPENT, "history", None, 0),
        (WEEK, "bucketed", 7, 1),
        (WEEK.replace("count()", "topN(timestamp, 1).head()"), "bucketed", 9, 1),
    ],
)
def test_cost(text: str, kind: str, days: int | None, timers: int) -> None:
    made = plan(a=text, other=SPENT)
    cost = made.cost(attribute="a")
    assert (cost.kind, cost.retention, cost.timers) == (
        kind,
        None if days is None else days * 86_400_000_000 + (days == 7),
        timers,
    )
    assert made.cost().kind == "history"
    assert made.cost().bytes >= cost.bytes


def test_documents_are_kept_where_somebody_reads_them() -> None:
    last = "topN(timestamp, 1).head().page"
    texts = {"count": WEEK, "last": f'xEvent[eventType = "p"].{last}', "any": f"xEvent.{last}"}
    sizes = {n: plan(a=t, spent=SPENT).cost(traffic=Traffic(1.0, 100.0)).bytes for n, t in texts.items()}
    assert sizes["count"] < sizes["last"] < sizes["any"]
    for name, wanted in (("count", [False, False]), ("last", [False, True]), ("any", [True, True])):
        engine = Engine(plan(a=texts[name], spent=SPENT))
        engine.apply([event("ann", "1", START, "v"), event("ann", "2", START, "p")])
        assert [k.document is not None for k in engine.people["ann"].events] == wanted


def test_a_person_who_is_deleted_has_no_values() -> None:
    engine = HostedEngine(plan(spent=SPENT, week=WEEK))
    engine.apply([event("ann", "1", START, price="2.5"), event("bob", "2", START, price="1")])
    engine.advance(START)
    told(engine)
    assert engine.erase("ann") == []
    assert [c[:3] + c[4:] for c in told(engine)] == [
        ("ann/attribute/3", "spent", None, "deletion"),
        ("ann/attribute/4", "week", None, "deletion"),
    ]
    engine.advance(START + 30 * DAY)
    assert {c[0].split("/")[0] for c in told(engine)} == {"bob"}


def test_a_timer_of_an_attribute_beyond_the_calendar_is_never_due() -> None:
    engine = Engine(plan(week=WEEK))
    last = datetime.max - DAY
    engine.apply([event("ann", "1", last)])
    engine.advance(last)
    assert engine.values("ann") == {"week": 1}
    assert engine.next_due() is None
