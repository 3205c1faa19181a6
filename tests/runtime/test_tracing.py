"""Horizons: no answer changes before them by time alone, whatever the clock, the zone and the instants; and they are not needlessly near."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pql.api import Environment, Settings, read_short
from pql.clock import Zone
from pql.runtime import Evaluator
from pql.runtime.offsets import changes
from pql.runtime.tracing import Tracing

MICRO = timedelta(microseconds=1)
EDGES = datetime(1, 1, 5), datetime(9999, 12, 27)
"""Outside, the clock has to raise nothing, no more."""
SCHEMA, _ = read_short({"profile": {"at": "date-time", "day": "date"}, "event": {"price": "number"}})
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo")
UNITS = (
    "millisecond", "second", "minute", "hour", "day", "week", "month", "year", "decade", "century", "millennium",
)  # fmt: skip


@cache
def condition(text: str, zone: str) -> Any:
    found = Environment(SCHEMA, Settings(zone)).check(text)
    return found.ir if found.ok else None


def trace(text: str, zone: str, now: datetime, at: datetime) -> tuple[Any, datetime | None]:
    test = condition(text, zone)
    assert test is not None, text
    return Tracing({}, Zone(zone)).trace(test, person(at), now)


def person(at: datetime) -> dict[str, Any]:
    return {"at": at, "day": at.date(), "xEvent": []}


def holds(text: str, zone: str, now: datetime, at: datetime) -> Any:
    return Evaluator({}, Zone(zone)).evaluate(condition(text, zone), person(at), [], now)


references = st.one_of(
    st.sampled_from(("now", "today", "yesterday", "tomorrow")),
    st.tuples(st.sampled_from(("this", "last", "next")), st.sampled_from(UNITS)).map(" ".join),
)
spans = st.tuples(
    st.sampled_from(("<", "<=", ">", ">=", "=", "!=")),
    st.sampled_from(("0", "1", "3", "12", "2025", "7999")),
    st.sampled_from(UNITS),
    st.sampled_from(("before", "after")),
    references,
).map(" ".join)
yearless = st.tuples(
    st.sampled_from(("<", "=")),
    st.sampled_from(("1", "3", "36")),
    st.sampled_from(UNITS),
    st.sampled_from(("before", "after", "from")),
    references,
).map(lambda parts: " ".join(parts) + " ignoring year")
windows = st.one_of(
    spans, spans, yearless, st.tuples(references, references).map(lambda p: f"between {p[0]} and {p[1]}")
)
tests = st.one_of(
    st.tuples(st.sampled_from(("at", "at", "day", "now", "today")), windows).map(" occurs ".join),
    st.sampled_from(("getYear(today) = 1", "getMonth(now) < 3", "dayOfWeek(now) = 1")),
)
distances = st.builds(
    lambda unit, n, more: timedelta(microseconds=unit * n + more),
    st.sampled_from((1, 1_000, 1_000_000, 1_800_000_000, 3_600_000_000, 86_400_000_000, 30 * 86_400_000_000)),
    st.integers(-4, 4),
    st.integers(-1, 1),
)
YEARS = st.sampled_from((1883, 1945, 2011, 2020, 2024, 2026, 2037, 2100, 9990))


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """Near the ends of the calendar, near a change of the offset, near a month's end."""
    kind, year = draw(st.integers(0, 3)), draw(YEARS)
    if kind == 0:
        return _moved(draw(st.sampled_from((datetime.min, datetime.max))), draw(distances))
    near = changes(zone, year) if kind < 3 else ()
    base = draw(st.sampled_from(near)).instant if near else datetime(year, draw(st.sampled_from((3, 12))), 1)
    return _moved(base, draw(distances))


def _moved(instant: datetime, distance: timedelta) -> datetime:
    try:
        return instant + distance
    except OverflowError:
        return instant


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, datetime, datetime]:
    zone, text = draw(st.sampled_from(ZONES)), draw(tests)
    now = draw(instants(zone))
    at = draw(st.one_of(instants(zone), distances.map(lambda d: _moved(now, d))))
    if draw(st.booleans()):
        at = at.replace(year=draw(st.sampled_from((1, 2, 1999, now.year, now.year))), day=min(at.day, 28))
    return text, zone, now, at


@settings(max_examples=250, deadline=None)
@given(case=cases(), places=st.lists(st.floats(0, 1), min_size=4, max_size=4))
@example(
    case=("at occurs < 7 months before now", "Europe/Berlin", datetime(2024, 1, 1, 0, 0, 0, 1), datetime.max), places=[]
)
@example(
    case=("at occurs > 3 months after this second", "UTC", datetime(2024, 11, 28, 23), datetime(2025, 2, 28, 12)),
    places=[0.0],
)
@example(
    case=("at occurs = 1 century from last millennium ignoring year", "America/Sao_Paulo", datetime(1994, 11, 1), datetime(1994, 1, 1)),
    places=[],
)  # fmt: skip
def test_nothing_changes_before_the_horizon(case: tuple[str, str, datetime, datetime], places: list[float]) -> None:
    text, zone, now, at = case
    assume(condition(text, zone) is not None)
    value, horizon = trace(text, zone, now, at)
    assert horizon is None or horizon > now
    if not EDGES[0] <= now <= EDGES[1]:
        return
    assert value == holds(text, zone, now, at)
    end = EDGES[1] if horizon is None else min(horizon - MICRO, EDGES[1])
    near = [_moved(c.instant, timedelta(hours=h)) for c in changes(zone, now.year) for h in (-1, 0, 1)]
    around = [now + (end - now) * p for p in places] + [end, end - timedelta(minutes=40), *near, at, _moved(at, MICRO)]
    for then in around:
        if now <= then <= end:
            assert holds(text, zone, then, at) == value, (then, horizon)


@pytest.mark.parametrize(
    ("text", "zone", "now", "at", "horizon"),
    [
        # the wall clock before New Year of year 1 and after, seen from a window of as many years
        ("at occurs <= 2025 years before now", "Europe/Berlin", datetime(2025, 12, 31, 20), datetime(2, 1, 1), datetime(2025, 12, 31, 23, 53, 28)),
        # the day is clamped: from midnight on, the edge is hours earlier
        ("at occurs > 3 months after this second", "UTC", datetime(2024, 11, 28, 23), datetime(2025, 2, 28, 12), datetime(2024, 11, 29)),
        ("at occurs > 3 months after this second", "UTC", datetime(2024, 11, 29), datetime(2025, 2, 28, 12), datetime(2024, 11, 29, 12)),
        # an hour that comes twice, and one that never comes
        ("at occurs after this millisecond", "Europe/Berlin", datetime(2022, 10, 30, 0, 30), datetime(2022, 10, 30, 1, 30, 0, 5), datetime(2022, 10, 30, 1, 30)),
        ("at occurs after this millisecond", "Europe/Berlin", datetime(2026, 3, 29, 0, 30), datetime(2026, 3, 29, 1, 30, 0, 5), datetime(2026, 3, 29, 1, 30)),
        # what cannot be, until the calendar ends
        ("now occurs from next minute", "America/New_York", datetime(2024, 11, 3, 5), datetime.max, datetime(9999, 12, 27, 23, 58, 59, 999_999)),
    ],
)  # fmt: skip
def test_horizons(text: str, zone: str, now: datetime, at: datetime, horizon: datetime | None) -> None:
    assert trace(text, zone, now, at)[1] == horizon


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    "text",
    [
        "at occurs <= 2 millennium after this millisecond",
        "at occurs < 3 years before last millisecond",
        "at occurs <= 3 months after this second",
        "at occurs = 1 year before next hour",
        "day occurs = 3 months before this minute ignoring year",
        "day occurs < 3 days after this millisecond ignoring year",
        "now occurs from next second",
        "now occurs > 0 years before last second and now occurs this second and at occurs last second",
        "at occurs = 3 weeks after this millisecond",
    ],
)
def test_the_clock_is_looked_at_a_few_times_a_month(text: str, zone: str) -> None:
    at, now, looks = datetime(2026, 3, 29, 1, 30), datetime(2025, 10, 1), 0
    while now < datetime(2026, 12, 1):
        _, horizon = trace(text, zone, now, at)
        if horizon is None:
            break
        now, looks = horizon, looks + 1
        assert looks <= 70, now
