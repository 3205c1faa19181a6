"""The ways back through calendar arithmetic: when a wall clock or an instant first reaches a unit's start, a month's end, a change of offset.

Pure functions of naive instants ("wall": the wall clock of a zone) and the zone; whatever leaves the years 1 to 9999 ends there or is
None. Must not know the moving clock. Read `pql.clock` first, then `first_of_days`, `shown_from` and `steady_until`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from pql.clock import CALENDAR, MICROSECONDS, MONTHS, Zone, add_months, calendar_start, shift, truncate
from pql.ir import nodes as ir
from pql.runtime.moving import MICRO
from pql.runtime.offsets import changes, next_change

FIRST_RULES = 1800
"""No zone of the database has a rule before this year."""
EDGE = timedelta(days=3)
"""What lies nearer to the ends of the calendar may not be shown on a wall clock."""


def shifted(start: datetime, distance: timedelta) -> datetime:
    """An instant moved by a distance; where that leaves the calendar, its end."""
    try:
        return start + distance
    except OverflowError:
        return datetime.max if distance > timedelta(0) else datetime.min


def inside(instant: datetime) -> bool:
    """Not within reach of the ends of the calendar."""
    return datetime.min + EDGE <= instant <= datetime.max - EDGE


def start_of(instant: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the unit that contains an instant, as an instant."""
    if unit not in CALENDAR:
        return truncate(instant, unit, zone)
    wall = calendar_start(instant, unit, zone)
    try:
        return None if wall is None else zone.utc(wall)
    except OverflowError:
        return None


@lru_cache(maxsize=256)
def never_falls(zone: str, unit: str) -> bool:
    """Does a unit of a later instant never start before that of an earlier one? It does where the clock goes back over the unit's start when it has shown what
    comes after it: a minute past midnight, say. Rules after 2037 are those of 2037."""
    found = (c for year in range(FIRST_RULES, 2038) for c in changes(zone, year))
    return not any(_falls(c.instant, unit, Zone(zone)) for c in found)


def _falls(change: datetime, unit: str, zone: Zone) -> bool:
    before, after = start_of(change - MICRO, unit, zone), start_of(change, unit, zone)
    return before is None or after is None or after < before


def first_reaching(to: datetime, months: int) -> datetime:
    """The first instant that, moved by months, is `to` or later. Clamping never moves a day up."""
    index = to.year * 12 + to.month - 1 - months
    if index < 12:
        return datetime.min
    if index // 12 > 9999:
        return datetime.max
    first = datetime(index // 12, index % 12 + 1, 1)
    there = first + timedelta(
        days=to.day - 1, seconds=to.hour * 3600 + to.minute * 60 + to.second, microseconds=to.microsecond
    )
    return there if there.month == first.month else add_months(first, 1) or datetime.max


def first_of_hours(to: datetime, unit: str, zone: Zone) -> datetime:
    """The first instant whose unit, shorter than a day, starts at `to` or later: offset by offset. A unit never starts after its instants."""
    at = to
    while True:
        floor = truncate(at, unit, zone)
        assert floor is not None
        first = at if floor >= to else floor + timedelta(microseconds=MICROSECONDS[unit])
        change = next_change(zone.name, at)
        if change is None or first < change:
            return first
        at = change


def first_of_days(to: datetime, unit: str, zone: Zone, slack: int) -> datetime | None:
    """The first instant whose day or longer unit starts at `to` or later: offset by offset. None: the calendar ends before. A unit may
    start after its first instants, where the clock goes on at midnight; offsets are less than a day, so what lies two days and more before
    the unit's start on one wall clock lies before it on every other."""
    at = to - timedelta(microseconds=slack)
    while True:
        wall = zone.local(at)
        start: datetime | None = start_of(wall, unit, Zone("UTC", zone.week_start))
        while start is None or zone.utc(start) < to:
            start = next_unit(wall if start is None else start, unit, zone)
            if start is None:
                return None
            if not inside(start):
                return start - EDGE
        first = max(at, at + (start - wall))
        change = next_change(zone.name, at)
        if change is None or first < change:
            return first
        at = max(change, first - EDGE)


def unit_reaching(wall: datetime, shifts: Sequence[ir.Shift], unit: str, zone: Zone) -> datetime | None:
    """The first wall time whose unit's start, moved by these shifts (the last first), is `wall` or later."""
    for s in shifts:
        if s.unit in MONTHS:
            wall = first_reaching(wall, s.amount * MONTHS[s.unit])
        else:
            wall = shifted(wall, -s.amount * MICROSECONDS[s.unit] * MICRO)
    return unit_from(wall, unit, zone)


def unit_from(wall: datetime, unit: str, zone: Zone) -> datetime | None:
    """The first start of a unit from a wall time on."""
    return wall if start_of(wall, unit, Zone("UTC", zone.week_start)) == wall else next_unit(wall, unit, zone)


def same_distance(
    wall: datetime, shifts: Sequence[ir.Shift], unit: str, zone: Zone
) -> tuple[datetime, datetime | None]:
    """(the start of the unit, the first wall time after it at which these shifts, the last first, may be another distance)"""
    start = at = start_of(wall, unit, Zone("UTC", zone.week_start)) or wall
    left: timedelta | None = None
    for s in reversed(shifts):
        if s.unit in MONTHS:
            more = steady_until(at, s.amount * MONTHS[s.unit]) - at
            left = more if left is None else min(left, more)
        moved = shift(at, s.amount, s.unit)
        assert moved is not None
        at = moved
    return start, None if left is None else shifted(start, left)


def breaks(instant: datetime, zone: Zone, slack: timedelta) -> Iterator[datetime]:
    """The wall times from which on the offset is another, near an instant and next after it: the last of the hour that is left out or comes twice."""
    for near in {next_change(zone.name, instant - slack), next_change(zone.name, instant)}:
        if near is not None and inside(near):
            yield max(zone.local(near), zone.local(near - MICRO) + MICRO)


def shown_from(to: datetime, shown: datetime, zone: Zone, slack: timedelta) -> datetime | None:
    """The first wall time after `shown` that stands for `to` or a later instant; None: where the offset changes has to be looked at. The
    instant of a wall time goes on with it, but for where the offset changes: there, or at `to`, is the first."""
    near = [
        c
        for year in {(to - 2 * slack).year, (to + 2 * slack).year}
        for c in changes(zone.name, year)
        if to - 2 * slack <= c.instant <= to + 2 * slack
    ]
    if not near:
        return zone.local(to)
    walls = {i + offset for c in near for i in (to, c.instant) for offset in (c.before, c.after)}
    return min((w for w in walls if w > shown and zone.utc(w) >= to), default=None)


def last_change(zone: str, instant: datetime) -> datetime | None:
    found = [
        c.instant for year in (instant.year - 1, instant.year) for c in changes(zone, year) if c.instant <= instant
    ]
    return found[-1] if found else None


def steady_until(wall: datetime, months: int) -> datetime:
    """The first later wall time at which adding months is another distance: where clamping begins or changes, or a new month."""
    moved = add_months(wall, months)
    assert moved is not None
    if moved.day < wall.day:
        return midnight_after(wall)
    month_start = wall.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = add_months(month_start, 1) or datetime.max
    there = add_months(month_start, months)
    assert there is not None
    following = add_months(there, 1)
    days = (following - there).days if following is not None else 31
    return min(next_month, shifted(month_start, timedelta(days=days)))


def midnight_after(wall: datetime) -> datetime:
    return shifted(wall.replace(hour=0, minute=0, second=0, microsecond=0), timedelta(days=1))


def next_unit(wall: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the next calendar unit, in wall time."""
    flat = Zone("UTC", zone.week_start)
    floor = start_of(wall, unit, flat)
    try:
        if floor is None:  # the first of the calendar has begun before it
            return (
                datetime(MONTHS[unit] // 12, 1, 1) if unit in MONTHS else start_of(wall + timedelta(days=7), unit, flat)
            )
        return add_months(floor, MONTHS[unit]) if unit in MONTHS else floor + MICROSECONDS[unit] * MICRO
    except OverflowError:
        return None
