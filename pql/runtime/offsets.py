"""Where the offset of a zone changes: the points at which calendar arithmetic stops being a fixed distance.

The zone database answers "what is the offset at this instant" only; changes are found by looking at every quarter of a day and
halving the quarter in which two answers differ, once a year and zone. Read `next_change`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

PROBE = timedelta(hours=6)
SECOND = timedelta(seconds=1)


class Change(NamedTuple):
    """At `instant` (naive UTC) the zone's offset goes from `before` to `after`."""

    instant: datetime
    before: timedelta
    after: timedelta


def _offset(zone: str, instant: datetime) -> timedelta:
    found = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert found is not None
    return found


@lru_cache(maxsize=4096)
def changes(zone: str, year: int) -> tuple[Change, ...]:
    """The changes of one year (of UTC), in order. The first and the last two days of the calendar have none."""
    if zone == "UTC" or not 1 <= year <= 9999:
        return ()
    found = []
    at, end = datetime(year, 1, 1), datetime(year, 12, 31, 23, 59, 59)
    if year == 1:
        at += timedelta(days=2)
    if year == 9999:
        end -= timedelta(days=2)
    wall_offset = ZoneInfo(zone).utcoffset
    coarse = wall_offset(at)
    while at < end:
        then = min(at + PROBE, end + SECOND) if year < 9999 else min(at + PROBE, end)
        now = wall_offset(then)
        if now != coarse:
            found += _between(zone, at - 4 * PROBE if at > datetime(1, 1, 4) else at, then)
        at, coarse = then, now
    return tuple(c for c in dict.fromkeys(found) if c.instant.year == year)


def _between(zone: str, at: datetime, end: datetime) -> list[Change]:
    """The changes in (at, end], to the second, looking at every quarter of a day."""
    found, before = [], _offset(zone, at)
    end = min(end + 4 * PROBE, datetime.max - PROBE)
    while at < end:
        then = at + PROBE
        after = _offset(zone, then)
        if after != before:
            low, high = at, then
            while high - low > SECOND:
                middle = (low + (high - low) // 2).replace(microsecond=0)
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            found.append(Change(high, before, after))
        at, before = then, after
    return found


@lru_cache(maxsize=64)
def widest(zone: str) -> int:
    """The largest change of a zone's offset, in microseconds. Rules after 2037 are those of 2037, before 1890 there are none."""
    found = [abs(c.after - c.before) for year in range(1890, 2038) for c in changes(zone, year)]
    return max(found, default=timedelta(0)) // timedelta(microseconds=1)


def next_change(zone: str, instant: datetime) -> datetime | None:
    """The first change after an instant, or an earlier instant to ask again at; None: none to come."""
    for year in (instant.year, instant.year + 1):
        for change in changes(zone, year):
            if change.instant > instant:
                return change.instant
    return _ask_again(zone, instant)


def _ask_again(zone: str, instant: datetime) -> datetime | None:
    return None if zone == "UTC" or instant.year >= 9998 else datetime(instant.year + 1, 12, 31)
