"""Calendar arithmetic on naive UTC instants. SEMANTICS section 9. Read `shift`, `truncate` and `calendar_start`. A result outside the
years 1 to 9999 is None, which makes every test false.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
CALENDAR = ("day", "week", *MONTHS)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Settings:
    """Project settings that change meaning: the zone of calendar words and the first day of the week."""

    zone: str = "UTC"
    week_start: str = "monday"


@dataclass(frozen=True)
class Zone:
    """The project's zone and the first day of its week."""

    name: str = "UTC"
    week_start: str = "monday"

    def local(self, instant: datetime) -> datetime:
        if self.name == "UTC":
            return instant
        return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(self.name)).replace(tzinfo=None)

    def utc(self, wall: datetime) -> datetime:
        """The instant of a wall clock: the first of two, and where the clock goes on for one that never comes."""
        if self.name == "UTC":
            return wall
        return wall.replace(tzinfo=ZoneInfo(self.name)).astimezone(UTC).replace(tzinfo=None)


def add_months(instant: datetime, months: int) -> datetime | None:
    index = instant.year * 12 + instant.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        return None
    return instant.replace(year=year, month=month, day=min(instant.day, calendar.monthrange(year, month)[1]))


def shift(instant: datetime, amount: int, unit: str) -> datetime | None:
    """An instant moved by units, or a day's midnight on the wall clock."""
    try:
        if unit in MONTHS:
            return add_months(instant, amount * MONTHS[unit])
        return instant + timedelta(microseconds=amount * MICROSECONDS[unit])
    except OverflowError:
        return None


def truncate(instant: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the unit below a day that contains an instant: by the wall clock, and as long as ever when that goes back."""
    try:
        wall = zone.local(instant)
        return instant - (wall - _floor(wall, unit, zone))
    except OverflowError:
        return None


def calendar_start(instant: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the day or longer unit that contains an instant, on the zone's wall clock."""
    try:
        return _floor(zone.local(instant), unit, zone)
    except (OverflowError, ValueError):
        return None


def _floor(wall: datetime, unit: str, zone: Zone) -> datetime:
    if unit in ("decade", "century", "millennium"):
        return datetime(wall.year - wall.year % (MONTHS[unit] // 12), 1, 1)
    if unit == "week":
        back = (wall.weekday() - WEEKDAYS.index(zone.week_start)) % 7
        return datetime.combine(wall.date() - timedelta(days=back), time())
    if unit == "millisecond":
        return wall.replace(microsecond=wall.microsecond // 1000 * 1000)
    fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    kept = fields[: fields.index(unit) + 1]
    whole = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    zeroed = {k: v for k, v in whole.items() if k not in kept}
    return wall.replace(fold=0, **zeroed)  # type: ignore[arg-type]  # of a midnight that comes twice, the first


def month_day(day: date) -> int:
    return day.month * 100 + day.day
