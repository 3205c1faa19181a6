"""Windows of the calendar, kept event by event: exact to the microsecond, on days of 23 and 25 hours, at the ends of months and of the calendar."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pql.api import Deletion, Engine, Environment, Event, Settings, read_short
from pql.clock import Zone
from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime import Evaluator, dates
from pql.runtime.cells import Dated
from pql.runtime.dates import Dates
from pql.runtime.evaluate import NOW
from pql.runtime.shapes import EVENT, AtLeast, Plain
from pql.runtime.state import instant, microseconds

SCHEMA, _ = read_short({"profile": {}, "event": {"price": "number"}})
MICRO, DAY = timedelta(microseconds=1), timedelta(days=1)
T = datetime(2026, 3, 10, 10)


def environment(zone="UTC", week_start="monday"):
    return Environment(SCHEMA, Settings(zone, week_start))


def plan_of(text, zone="UTC", week_start="monday"):
    checked = environment(zone, week_start).check(text)
    assert checked.ok, checked.diagnostics
    return environment(zone, week_start).live_plan({"s": checked.ir})


def engine(text, zone="UTC", week_start="monday"):
    """An engine whose test has a form."""
    plan = plan_of(text, zone, week_start)
    assert any(isinstance(cell, Dated) for cell in plan.network.cells)
    assert not any(isinstance(leaf, Plain) for leaf in plan.network.leaves)
    return Engine(plan)


def at(*stamp):
    return datetime(*stamp)


def event(stamp, id=None, arrival=None, price=1):
    document = {"timestamp": stamp, "price": Decimal(price), **({} if id is None else {"_id": id})}
    return Event("p", document, arrival)


def told(live, inputs, to):
    out = live.apply(inputs) + live.advance(to)
    return [(t.status, t.at, t.cause) for t in out]


TODAY = "xEvent[timestamp occurs today].count() >= 1"


@pytest.mark.parametrize(
    ("window", "zone", "week_start", "stamp", "leaves"),
    [
        ("today", "UTC", "monday", at(2026, 3, 10, 10), at(2026, 3, 11)),
        ("today", "Europe/Berlin", "monday", at(2026, 3, 28, 23), at(2026, 3, 29, 22)),
        ("today", "Europe/Berlin", "monday", at(2026, 10, 24, 22), at(2026, 10, 25, 23)),
        ("today", "America/Havana", "monday", at(2026, 11, 1, 4, 30), at(2026, 11, 2, 5)),
        ("today", "Asia/Beirut", "monday", at(2026, 3, 28, 12), at(2026, 3, 28, 22)),
        ("today", "Pacific/Apia", "monday", at(2011, 12, 30, 1), at(2011, 12, 30, 10)),
        ("this hour", "Australia/Lord_Howe", "monday", at(2026, 4, 4, 14, 45), at(2026, 4, 4, 15, 30)),
        ("this week", "UTC", "monday", at(2026, 3, 10, 10), at(2026, 3, 16)),
        ("this week", "America/New_York", "sunday", at(2026, 3, 8, 5), at(2026, 3, 15, 4)),
        ("this week", "UTC", "saturday", at(2026, 3, 10, 10), at(2026, 3, 14)),
        ("this month", "UTC", "monday", at(2028, 2, 29, 23, 59, 59, 999_999), at(2028, 3, 1)),
        ("this month", "Europe/Berlin", "monday", at(2026, 3, 31, 21, 59, 59, 999_999), at(2026, 3, 31, 22)),
        ("this month", "Europe/Berlin", "monday", at(2026, 3, 31, 22), at(2026, 4, 30, 22)),
        ("this year", "Asia/Kolkata", "monday", at(2026, 12, 31, 18, 29, 59, 999_999), at(2026, 12, 31, 18, 30)),
        ("this decade", "UTC", "monday", at(2026, 3, 10, 10), at(2030, 1, 1)),
        ("between last week and now", "UTC", "monday", at(2026, 3, 10, 10), at(2026, 3, 23)),
        ("<= 2 days before today", "UTC", "monday", at(2026, 3, 10), at(2026, 3, 13)),
        ("< 2 days before today", "UTC", "monday", at(2026, 3, 10), at(2026, 3, 12)),
    ],
)  # fmt: skip
def test_an_event_leaves_by_a_timer(window, zone, week_start, stamp, leaves):
    live = engine(f"xEvent[timestamp occurs {window}].count() >= 1", zone, week_start)
    assert told(live, [event(stamp)], leaves + 400 * DAY) == [
        ("realized", stamp, "event"),
        ("exited", leaves, "timer"),
    ]


@pytest.mark.parametrize(
    ("window", "zone", "stamp", "comes", "leaves"),
    [
        ("yesterday", "UTC", T, at(2026, 3, 11), at(2026, 3, 12)),
        ("yesterday", "Europe/Berlin", at(2026, 10, 24, 10), at(2026, 10, 24, 22), at(2026, 10, 25, 23)),
        ("last month", "America/New_York", at(2026, 2, 1, 5), at(2026, 3, 1, 5), at(2026, 4, 1, 4)),
        ("= 3 days before now", "UTC", T, at(2026, 3, 13), at(2026, 3, 14)),
        ("= 1 month before now", "UTC", at(2026, 1, 31), at(2026, 2, 1), at(2026, 3, 1)),
    ],
)
def test_an_event_comes_in_by_a_timer(window, zone, stamp, comes, leaves):
    live = engine(f"xEvent[timestamp occurs {window}].count() >= 1", zone)
    assert told(live, [event(stamp)], leaves + 400 * DAY) == [("realized", comes, "timer"), ("exited", leaves, "timer")]


def test_what_has_no_end_stays():
    assert told(engine("xEvent[timestamp occurs before today].count() >= 1"), [event(T)], T + 999 * DAY) == [
        ("realized", at(2026, 3, 11), "timer")
    ]


def test_late_events_count_from_their_arrival_and_not_at_all_when_their_day_is_over():
    live = engine("xEvent[timestamp occurs today].count() >= 2")
    inputs = [event(T, "a"), event(T - DAY, "b", T + MICRO), event(T - timedelta(hours=3), "c", T + 2 * MICRO)]
    assert told(live, inputs, T + 3 * DAY) == [
        ("realized", T + 2 * MICRO, "event"),
        ("exited", at(2026, 3, 11), "timer"),
    ]


def test_future_events_count_today_and_else_from_their_day_on():
    live = engine("xEvent[timestamp occurs today].count() >= 2")
    inputs = [
        event(T, "a"),
        event(T + timedelta(hours=9), "b", T),
        event(T + 3 * DAY, "c", T),
        event(T + 3 * DAY, "d", T),
    ]
    assert told(live, inputs, T + 30 * DAY) == [
        ("realized", T, "event"),
        ("exited", at(2026, 3, 11), "timer"),
        ("realized", at(2026, 3, 13), "timer"),
        ("exited", at(2026, 3, 14), "timer"),
    ]


@pytest.mark.parametrize(
    ("window", "comes", "leaves"),
    [
        ("today", at(2026, 3, 11, 9), at(2026, 3, 12)),
        ("yesterday", at(2026, 3, 12), at(2026, 3, 13)),
    ],
)
def test_a_chain_whose_last_step_lies_in_a_window_of_the_calendar(window, comes, leaves):
    steps = f'A: WHAT(eventType = "a"), B: WHAT(eventType = "b") WHEN(<= 1 day after A and {window})'

    def kind(stamp, kind, id=None, arrival=None):
        return Event("p", {"timestamp": stamp, "eventType": kind, "_id": id or f"{stamp} {kind}"}, arrival)

    inputs = [kind(T, "b"), kind(T, "a"), kind(T + 23 * timedelta(hours=1), "b"), kind(T + 3 * DAY, "b")]
    live = engine(f"chain(xEvent, timestamp, [{steps}])")
    cause = "event" if comes == T + 23 * timedelta(hours=1) else "timer"
    assert told(live, inputs, T + 30 * DAY) == [("realized", comes, cause), ("exited", leaves, "timer")]
    late = engine(f"chain(xEvent, timestamp, [{steps}])")
    inputs = [
        kind(T + timedelta(hours=1), "b", "x"),
        kind(T, "a", "y", T + timedelta(hours=2)),
        Deletion("p", "y", T + timedelta(hours=3)),
    ]
    told_late = told(late, inputs, T + 30 * DAY)
    assert told_late == (
        []
        if window == "yesterday"
        else [("realized", T + timedelta(hours=2), "event"), ("exited", T + timedelta(hours=3), "event")]
    )


def test_corrections_and_deletions():
    live = engine("xEvent[timestamp occurs this week].count() >= 2")
    inputs = [
        event(T, "a"),
        event(T + MICRO, "b"),
        event(T - 7 * DAY, "b", T + timedelta(hours=1)),
        event(T, "b", T + timedelta(hours=2)),
        Deletion("p", "a", T + timedelta(hours=3)),
    ]
    assert told(live, inputs, T + 30 * DAY) == [
        ("realized", T + MICRO, "event"),
        ("exited", T + timedelta(hours=1), "event"),
        ("realized", T + timedelta(hours=2), "event"),
        ("exited", T + timedelta(hours=3), "event"),
    ]


def test_sums_with_negative_weights_that_wait():
    live = engine("xEvent[timestamp occurs yesterday].sum(price) >= 10")
    inputs = [event(T, "a", price=12), event(T + DAY, "b", price=11), event(T + DAY, "c", price=-5)]
    assert told(live, inputs, T + 30 * DAY) == [
        ("realized", at(2026, 3, 11), "timer"),
        ("exited", at(2026, 3, 12), "timer"),
    ]
    both = engine("xEvent[timestamp occurs between yesterday and now].sum(price) >= 10")
    inputs = [event(T, "a", price=12), event(T + DAY, "b", price=-5), event(T + DAY, "c", price=4)]
    assert told(both, inputs, T + 30 * DAY) == [
        ("realized", T, "event"),
        ("exited", at(2026, 3, 12), "timer"),
    ]


def test_a_sum_that_starts_with_none_and_one_that_is_out_of_range():
    live = engine("xEvent[timestamp occurs this month].sum(price) >= 0")
    huge = [event(T, str(n), price=900_000_000_000) for n in range(2)]
    assert told(live, huge, at(2026, 5, 1)) == [("realized", at(2026, 4, 1), "timer")]
    assert [f.code for f in live.failures] == ["PQL0601"]


def test_an_attribute_is_added_up_without_documents():
    here = environment("Europe/Berlin")
    plan = here.live_plan({}, attributes={"month": here.check("xEvent[timestamp occurs this month].sum(price)").ir})
    live = Engine(plan)
    live.apply([event(T, "a", price=2), event(T + DAY, "b", price=3), event(at(2026, 4, 1), "c", price=7)])
    live.advance(T + 99 * DAY)
    assert [(c.value, c.at) for c in live.changes] == [
        (Decimal(2), T),
        (Decimal(5), T + DAY),
        (Decimal(0), at(2026, 3, 31, 22)),
        (Decimal(7), at(2026, 4, 1)),
        (Decimal(0), at(2026, 4, 30, 22)),
    ]
    assert plan.attributes[0].tally and all(k.document is None for k in live.people["p"].events)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "window", ["today", "this week", "this month", "last year", "next day", "between last month and tomorrow"]
)
def test_the_ends_of_the_calendar(window, zone):
    text = f"xEvent[timestamp occurs {window}].count() >= 1"
    plan = plan_of(text, zone)
    ends = [datetime.min, datetime.min + DAY, at(1, 2, 1), at(9998, 12, 31, 23), datetime.max - DAY, datetime.max]
    live, evaluator = Engine(plan), Evaluator({}, Zone(zone))
    documents = [{"timestamp": end, "_id": str(n)} for n, end in enumerate(ends)]
    live.apply([Event("p", document, T) for document in documents])
    condition = plan.conditions["s"]
    for now in (
        T,
        at(9997, 12, 31),
        at(9998, 12, 30),
        at(9999, 1, 1),
        *(datetime.max - back * DAY for back in (32, 8, 3, 2, 1, 0)),
    ):
        live.advance(now)
        assert ("s" in live.members("p")) == evaluator.evaluate(condition, {}, documents, now), now


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Tehran"]
)
def test_from_when_until_when_is_what_the_evaluator_says(zone):
    r, asked = random.Random(zone), 0
    evaluator = Evaluator({}, Zone(zone, "sunday"))
    for unit in ("day", "week", "month", "year"):
        for window in (
            f"this {unit}",
            f"last {unit}",
            f"between last {unit} and now",
            f"<= 3 {unit} after next {unit}",
            f"> 1 {unit} before this {unit}",
        ):
            (leaf,) = plan_of(f"xEvent[timestamp occurs {window}].count() >= 1", zone, "sunday").network.leaves
            assert isinstance(leaf, AtLeast)
            within = next(
                n
                for n in walk(environment(zone, "sunday").check(f"xEvent.exists(timestamp occurs {window})").ir)
                if isinstance(n, ir.Within)
            )
            spans = Dates(leaf.span, evaluator)
            for _ in range(6):
                stamp = datetime(2011, 1, 1) + timedelta(
                    hours=r.randrange(24 * 366), microseconds=r.choice((-1, 0, 0, 1))
                )
                enter, leave = spans.of(microseconds(stamp))
                near = [n + d for n in (enter, leave) if abs(n) <= dates.LAST for d in (-1, 0)] + [microseconds(stamp)]
                for now in near:
                    own = within.operand.object.id
                    holds = evaluator.test(within, {NOW: instant(now), own: {"timestamp": stamp}, EVENT: None})
                    assert holds is (enter <= now < leave), (window, stamp, instant(now))
                    asked += 1
    assert asked > 300


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Phoenix"])
def test_where_the_clock_goes_back_over_midnight_the_plain_evaluator_answers(zone):
    plan = plan_of(TODAY, zone)
    assert [type(leaf) for leaf in plan.network.leaves] == [Plain]
    if zone == "America/St_Johns":  # 00:01 on the seventh is 23:01 on the sixth
        back = at(2010, 11, 7, 2, 31)
        assert told(Engine(plan), [event(back - timedelta(hours=1))], back + 3 * DAY) == [
            ("realized", back - timedelta(hours=1), "event"),
            ("exited", back - timedelta(minutes=1), "timer"),
            ("realized", back, "timer"),
            ("exited", back + timedelta(minutes=59), "timer"),
        ]


def test_months_of_times_of_day_have_no_form_in_zones():
    text = "xEvent[timestamp occurs = 1 month before now].count() >= 1"
    assert [type(leaf) for leaf in plan_of(text, "Europe/Berlin").network.leaves] == [Plain]
    assert [type(leaf) for leaf in plan_of(text).network.leaves] == [AtLeast]


def test_a_unit_begins_with_the_first_of_two_midnights():
    """In the hour that comes a second time, too."""
    live = engine(TODAY, "Atlantic/Azores")
    assert told(
        live, [event(at(2026, 10, 24, 23, 59, 59)), event(at(2026, 10, 25, 0, 30))], at(2026, 10, 25, 1, 30)
    ) == [
        ("realized", at(2026, 10, 24, 23, 59, 59), "event"),
        ("exited", at(2026, 10, 25), "timer"),
        ("realized", at(2026, 10, 25, 0, 30), "event"),
    ]
    assert live.members("p")
    assert Evaluator({}, Zone("Atlantic/Azores")).evaluate(
        environment().check(TODAY).ir, {}, [{"timestamp": at(2026, 10, 25, 0, 30)}], at(2026, 10, 25, 1, 30)
    )


def test_no_more_stretches_are_remembered_than_may_be(monkeypatch):
    monkeypatch.setattr(dates, "MOST", 5)
    (leaf,) = plan_of(TODAY).network.leaves
    assert isinstance(leaf, AtLeast)
    spans = Dates(leaf.span, Evaluator({}, Zone()))
    for n in [*range(20), *reversed(range(20))]:
        day = datetime(2026, 1, 1) + n * DAY
        assert spans.of(microseconds(day + timedelta(hours=n))) == (microseconds(day), microseconds(day + DAY))
    assert len(spans._known) <= 6 and spans._known == sorted(spans._known)


def test_a_profile_keeps_no_more_than_the_threshold_asks_for():
    live = engine("xEvent[timestamp occurs this year].count() >= 3")
    live.apply([event(T + n * timedelta(minutes=1)) for n in range(50)])
    assert len(live.people["p"].cells[0][0]) == 3
    summed = engine("xEvent[timestamp occurs today].sum(price) >= 3")
    summed.apply([event(T + n * DAY) for n in range(50)])
    assert len(summed.people["p"].cells[0][0][0]) < 8
