"""The engine's rules about arrival, ties, identity and state, one by one."""

from datetime import datetime, timedelta

import pytest

from pql.api import Advance, Deletion, Engine, Environment, Event, Merge, Record, Split, StateError
from pql.runtime.state import microseconds

ENVIRONMENT = Environment.from_short(
    {"profile": {"tier": "string"}, "event": {"value": "integer", "eventType": "string"}}
)
T = datetime(2026, 3, 1, 10)
DAY, MICRO = timedelta(days=1), timedelta(microseconds=1)


def engine(*texts, clock=None):
    conditions = {f"s{i}": ENVIRONMENT.check(t).ir for i, t in enumerate(texts)}
    plan = ENVIRONMENT.live_plan(conditions)
    return Engine(plan) if clock is None else Engine(plan, clock)


def event(at, id=None, profile=1, arrival=None, **more):
    document = {"timestamp": at, **more} if id is None else {"_id": id, "timestamp": at, **more}
    return Event(profile, document, arrival)


def short(transitions):
    return [(t.profile, t.segment, t.status, t.at, t.cause) for t in transitions]


TWICE = "xEvent[timestamp occurs <= 7 days before now].count() >= 2"


def test_a_duplicate_changes_nothing():
    live = engine(TWICE)
    live.apply([event(T, "a"), event(T, "a", arrival=T + DAY)])
    assert live.advance(T + DAY) == []


def test_a_correction_moves_the_timer():
    live = engine(TWICE)
    live.apply([event(T, "a"), event(T + DAY, "b")])
    assert live.next_due() is None or live.next_due() > T
    live.advance(T + DAY)
    live.apply([event(T + 2 * DAY, "a")])
    assert short(live.advance(T + 30 * DAY))[-1] == (1, "s0", "exited", T + 8 * DAY + MICRO, "timer")


def test_a_deletion_exits():
    live = engine(TWICE)
    live.apply([event(T, "a"), event(T + DAY, "b"), Deletion(1, "a", T + 2 * DAY), Deletion(1, "nobody", T + 2 * DAY)])
    assert short(live.advance(T + 30 * DAY)) == [(1, "s0", "exited", T + 2 * DAY, "event")]


def test_a_late_event_counts_from_its_arrival():
    live = engine(TWICE)
    live.apply([event(T + 2 * DAY, "b"), event(T, "a", arrival=T + 3 * DAY)])
    assert short(live.advance(T + 4 * DAY)) == [(1, "s0", "realized", T + 3 * DAY, "event")]
    assert live.next_due() == T + 7 * DAY + MICRO


def test_one_instant_is_judged_once():
    live = engine("xEvent[value = 1].count() > xEvent[value = 2].count()")
    live.apply([event(T, "a", value=1)])
    assert short(live.apply([event(T, "b", value=2), event(T + DAY, "c")])) == []


def test_batches_do_not_matter():
    inputs = [event(T, "a", value=1), event(T, "b", value=2), event(T + DAY, "c", value=1), Advance(T + 9 * DAY)]
    one, many = (
        engine("xEvent[timestamp occurs <= 2 days before now].sum(value) >= 2"),
        engine("xEvent[timestamp occurs <= 2 days before now].sum(value) >= 2"),
    )
    assert one.apply(inputs) == [t for i in inputs for t in many.apply([i])]


def test_a_record_without_an_instant_waits_for_the_first():
    live = engine('tier = "gold"')
    live.apply([Record(1, {"tier": "gold"}), event(T)])
    assert short(live.advance(T)) == [(1, "s0", "realized", T, "event")]


@pytest.mark.parametrize("again, remains", [(1, {"s0"}), (2, {"s1"})])
def test_of_two_events_with_one_key_the_one_that_came_last_stays_be_it_again(again, remains):
    live = engine('xEvent[eventType = "x"].count() >= 1', 'xEvent[eventType = "y"].count() >= 1')
    one, other = event(T, "a", 1, eventType="x"), event(T, "a", 2, eventType="y")
    live.apply([one, other, Event(again, (one if again == 1 else other).document, T + DAY), Merge(1, 2, None, T + DAY)])
    live.advance(T + DAY)
    assert live.members(1) == remains


@pytest.mark.parametrize("many", [3, 40, 400])
def test_a_key_is_known_however_many_events_there_are(many):
    live = engine("xEvent.count() >= 2")
    live.apply([event(T + i * timedelta(minutes=1), f"e{i}") for i in range(many)])
    live.apply([event(T + DAY, f"e{i}") for i in range(many)])  # each at another time
    assert [k.stamp for k in live.people[1].events] == [microseconds(T + DAY)] * many
    live.apply([Deletion(1, f"e{i}", T + DAY) for i in range(many)])
    assert not live.people[1].events
    live.apply([event(T + DAY, "e0"), event(T + DAY, "e0")])
    assert len(live.people[1].events) == 1


def test_a_merge_compensates():
    live = engine(TWICE, "xEvent.count() = 1")
    live.apply([event(T, "a", 1), event(T + DAY, "b", 2), Advance(T + DAY)])
    out = short(live.apply([Merge(1, 2, None, T + 2 * DAY), Advance(T + 2 * DAY)]))
    assert out == [
        (1, "s0", "realized", T + 2 * DAY, "merge"),
        (1, "s1", "exited", T + 2 * DAY, "merge"),
        (2, "s1", "exited", T + 2 * DAY, "merge"),
    ]
    live.apply([event(T + 3 * DAY, "c", 2), Deletion(1, "a", T + 3 * DAY)])
    assert live.advance(T + 3 * DAY) == []
    assert live.members(2) == frozenset()
    out = live.apply([Split(1, 2, frozenset({"b"}), None, None, T + 4 * DAY), Advance(T + 4 * DAY)])
    assert [(t.profile, t.segment, t.status, t.cause) for t in out] == [
        (1, "s0", "exited", "split"),
        (1, "s1", "realized", "split"),
        (2, "s1", "realized", "split"),
    ]
    assert [t.sequence for t in out] == [4, 5, 3]


def test_state_goes_round_and_is_refused_elsewhere():
    live = engine(TWICE)
    live.apply([event(T, "a"), event(T + DAY, "b"), Record(1, {"tier": "x"}, T + DAY), Advance(T + DAY)])
    again = engine(TWICE, clock=T + DAY)
    assert again.load_profile(live.dump_profile(1)) == 1
    assert again.next_due() == live.next_due()
    assert again.advance(T + 30 * DAY) == live.advance(T + 30 * DAY)
    for bad in (live.dump_profile(1)[:-2], b"", b"\xc1", b"\x90"):
        with pytest.raises(StateError):
            again.load_profile(bad)
    with pytest.raises(StateError):
        engine("xEvent.count() = 1").load_profile(live.dump_profile(1))


def test_a_seeded_profile_emits_the_difference():
    live = engine(TWICE, 'tier = "gold"', clock=T + DAY)
    live.seed(1, {"tier": "gold"}, [{"_id": "a", "timestamp": T}, {"_id": "b", "timestamp": T}], ["s1"])
    live.seed(2, None, [], ["s0"])
    assert short(live.advance(T + DAY)) == [
        (1, "s0", "realized", T + DAY, "definition"),
        (2, "s0", "exited", T + DAY, "definition"),
    ]


def test_a_sum_out_of_range_is_a_failure_with_a_code():
    live = engine("xEvent.sum(value) > 1")
    live.apply([event(T, "a", value=2**63 - 1), event(T + DAY, "b", value=2**63 - 1), Advance(T + DAY)])
    assert live.members(1) == frozenset()
    assert [(f.code, f.segment) for f in live.failures] == [("PQL0601", "s0")]


def test_versions_follow_meaning():
    def version(text, other='tier = "a"'):
        conditions = {"x": ENVIRONMENT.check(other).ir, "s0": ENVIRONMENT.check(text).ir}
        return {r.segment: r.version for r in ENVIRONMENT.live_plan(conditions).roots}["s0"]

    assert version('tier = "a" and tier.isNotNull()') == version('tier="a"   and (tier.isNotNull())')
    assert version('tier = "a"') != version('tier = "b"')
    assert version('tier = "a"') == version('tier = "a"', 'tier = "q"')


def test_a_timer_beyond_the_calendar_is_never_due():
    live = engine("xEvent[timestamp occurs <= 7 days before now].count() >= 1", "xEvent.count() >= 1")
    last = datetime.max - DAY
    live.apply([event(last, "a"), event(last + MICRO, "b", arrival=last + MICRO), Advance(last + MICRO)])
    assert live.members(1) == {"s0", "s1"}
    assert live.next_due() is None
