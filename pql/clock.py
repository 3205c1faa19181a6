"""Calendar arithmetic on naive UTC instants. SEMANTICS section 9. Read `shift` and `truncate`. A result outside the
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
        if self.name == "UTC":
            return wall
        return wall.replace(tzinfo=ZoneInfo(self.name)).astimezone(UTC).replace(tzinfo=None)


def add_months(instant: datetime, months: int) -> datetime | None:
    index = instant.year * 12 + instant.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        return None
    return instant.replace(year=year, month=month, day=min(instant.day, calendar.monthrange(year, month)[1]))


def shift(instant: datetime, amount: int, unit: str, local: bool, zone: Zone) -> datetime | None:
    """An instant moved by units; in the zone's calendar when `local`."""
    try:
        wall = zone.local(instant) if local else instant
        if unit in MONTHS:
            moved = add_months(wall, amount * MONTHS[unit])
            if moved is None:
                return None
        elif local and unit in ("day", "week"):
            moved = wall + timedelta(days=amount * (7 if unit == "week" else 1))
        else:
            return instant + timedelta(microseconds=amount * MICROSECONDS[unit])
        return zone.utc(moved) if local else moved
    except OverflowError:
        return None


def truncate(instant: datetime, unit: str, zone: Zone) -> datetime | None:
    """The start of the calendar unit that contains an instant."""
    try:
        wall = zone.local(instant)
        if unit in ("decade", "century", "millennium"):
            span = MONTHS[unit] // 12
            year = wall.year - wall.year % span
            return zone.utc(datetime(year, 1, 1)) if year >= 1 else None
        if unit == "week":
            back = (wall.weekday() - WEEKDAYS.index(zone.week_start)) % 7
            return zone.utc(datetime.combine(wall.date() - timedelta(days=back), time()))
        if unit == "millisecond":
            return zone.utc(wall.replace(microsecond=wall.microsecond // 1000 * 1000))
        fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        kept = fields[: fields.index(unit) + 1]
        whole = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
        return zone.utc(wall.replace(**{k: v for k, v in whole.items() if k not in kept}))  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        return None


def month_day(day: date) -> int:
    return day.month * 100 + day.day
