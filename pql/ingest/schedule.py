"""Schedules in Quartz form: `seconds minutes hours day-of-month month day-of-week [year]`. Checked here, run by whoever
operates the store. Read `schedule_problem`.
"""

from __future__ import annotations

import re

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (
    ("seconds", 0, 59, ()),
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 1, 7, DAYS),
    ("year", 1970, 2099, ()),
)


def schedule_problem(text: str) -> str:
    """What is wrong with a schedule; empty when nothing is."""
    parts = text.upper().split()
    if len(parts) not in (6, 7):
        return f"a schedule has six or seven parts, `{text[:80]}` has {len(parts)}"
    for part, (name, low, high, words) in zip(parts, FIELDS, strict=False):
        if not _fits(part, name, low, high, words):
            return f"`{part[:40]}` is no value for {name}"
    if (parts[3] == "?") == (parts[5] == "?"):
        return "one of day of month and day of week is `?`, and only one"
    return ""


def _fits(part: str, name: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    if name == "day of month" and (
        part in ("?", "L", "LW") or re.fullmatch(r"L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W", part)
    ):
        return True
    if name == "day of week" and (part == "?" or re.fullmatch(r"([1-7]|" + "|".join(DAYS) + r")(L|#[1-5])", part)):
        return True
    return all(_item(item, low, high, words) for item in part.split(","))


def _item(item: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    span, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= high):
        return False
    if span == "*":
        return True
    ends = [_number(e, low, words) for e in span.split("-")]
    return 1 <= len(ends) <= 2 and all(e is not None and low <= e <= high for e in ends)


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isdecimal() and len(text) <= 4 else None
