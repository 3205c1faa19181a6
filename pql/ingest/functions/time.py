"""Mapping functions on dates and moments, and the date formats (letters as in Java: `yyyy-MM-dd HH:mm:ss`).

Moments are UTC without a zone inside. A format is turned into one regular expression and one strptime format, so
that both sides take the same texts. Read `Format`, then `RECORDS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from pql.functions.record import call, cast, text
from pql.ingest.functions.record import Example, MappingFunction, Misfit, Sql
from pql.types import DATE, INTEGER, STRING, TIMESTAMP
from pql.xdm.values import read_instant

LETTERS = {
    "yyyy": (r"(?P<Y>[0-9]{4})", "%Y"), "yy": (r"(?P<y>[0-9]{2})", "%y"),
    "MM": (r"(?P<m>[0-9]{2})", "%m"), "M": (r"(?P<m>[0-9]{1,2})", "%m"),
    "dd": (r"(?P<d>[0-9]{2})", "%d"), "d": (r"(?P<d>[0-9]{1,2})", "%d"),
    "HH": (r"(?P<H>[0-9]{2})", "%H"), "H": (r"(?P<H>[0-9]{1,2})", "%H"),
    "hh": (r"(?P<I>[0-9]{2})", "%I"), "h": (r"(?P<I>[0-9]{1,2})", "%I"),
    "mm": (r"(?P<M>[0-9]{2})", "%M"), "m": (r"(?P<M>[0-9]{1,2})", "%M"),
    "ss": (r"(?P<S>[0-9]{2})", "%S"), "s": (r"(?P<S>[0-9]{1,2})", "%S"),
    "SSS": (r"(?P<f>[0-9]{3})", ""), "SSSSSS": (r"(?P<f>[0-9]{6})", ""),
    "a": (r"(?P<p>AM|PM|am|pm)", "%p"),
    "MMM": (r"(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", "%b"),
    "X": (r"(?P<z>Z|[+-][0-9]{2}(?::?[0-9]{2})?)", ""), "XXX": (r"(?P<z>Z|[+-][0-9]{2}:[0-9]{2})", ""),
    "Z": (r"(?P<z>[+-][0-9]{4})", ""),
}  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UTC_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?"
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?[+-](0[0-9]|1[0-4]):[0-5][0-9]"


@dataclass(frozen=True)
class Format:
    """A date format: the pattern that texts must match whole, and the same for strptime (empty: SQL cannot)."""

    pattern: str
    strptime: str
    tokens: tuple[str, ...]

    def read(self, value: str) -> datetime:
        found = re.fullmatch(self.pattern, value, re.ASCII)
        if found is None:
            raise ValueError("another form")
        part = found.groupdict()
        year = int(part["Y"]) if part.get("Y") else _two_digits(part["y"]) if part.get("y") else 1970
        month = MONTHS.index(part["b"]) + 1 if part.get("b") else int(part.get("m") or 1)
        hour = int(part.get("H") or 0)
        if part.get("I"):
            if not 1 <= int(part["I"]) <= 12:
                raise ValueError("hour")
            hour = int(part["I"]) % 12 + (12 if (part.get("p") or "").lower() == "pm" else 0)
        second, fraction = int(part.get("S") or 0), (part.get("f") or "0").ljust(6, "0")
        moment = datetime(year, month, int(part.get("d") or 1), hour, int(part.get("M") or 0), second, int(fraction))
        return moment - _offset(part.get("z") or "Z")

    def write(self, value: datetime) -> str:
        return "".join(_written(t, value) for t in self.tokens)


def _two_digits(text: str) -> int:
    return int(text) + (2000 if int(text) < 69 else 1900)


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 18 or minutes > 59:
        raise ValueError("zone")
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _written(token: str, v: datetime) -> str:
    half = v.hour % 12 or 12
    known = {
        "yyyy": f"{v.year:04}", "yy": f"{v.year % 100:02}", "MM": f"{v.month:02}", "M": str(v.month), "dd": f"{v.day:02}",
        "d": str(v.day), "HH": f"{v.hour:02}", "H": str(v.hour), "hh": f"{half:02}", "h": str(half), "mm": f"{v.minute:02}",
        "m": str(v.minute), "ss": f"{v.second:02}", "s": str(v.second), "SSS": f"{v.microsecond // 1000:03}",
        "SSSSSS": f"{v.microsecond:06}", "a": "PM" if v.hour >= 12 else "AM", "MMM": MONTHS[v.month - 1], "X": "Z", "XXX": "Z",
        "Z": "+0000",
    }  # fmt: skip
    return known.get(token, token[1:] if token.startswith("\0") else token)


@lru_cache(maxsize=512)
def read_format(letters: str) -> Format:
    """Raises ValueError for letters that are not known. Text in single quotes stands for itself."""
    pattern, strptime, tokens = "", "", []
    vectorised = True
    for found in re.finditer(r"'([^']*)'|(([A-Za-z])\3*|.)", letters, re.DOTALL):
        quoted, run = found.group(1), found.group(2)
        if run and run[0].isalpha():
            if run not in LETTERS:
                raise ValueError(f"`{run}` is no part of a date format")
            piece, code = LETTERS[run]
            vectorised = vectorised and bool(code)
            pattern, strptime = pattern + piece, strptime + code
            tokens.append(run)
            continue
        literal = run if run else quoted
        pattern += re.escape(literal)
        strptime += literal.replace("%", "%%")
        tokens.append("\0" + literal)
    names = re.findall(r"\?P<(\w)>", pattern)
    if len(set(names)) != len(names) or {"m", "b"} <= set(names) or {"y", "Y"} <= set(names):
        raise ValueError("a part stands in the format twice")
    return Format(pattern, strptime if vectorised and "h" not in "".join(tokens) else "", tuple(tokens))


def _format(letters: str) -> Format:
    try:
        return read_format(letters)
    except ValueError as error:
        raise Misfit(str(error)) from None


def _read(value: str, letters: str | None) -> datetime:
    try:
        if letters is not None:
            return _format(letters).read(value)
        moment = read_instant(value)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise Misfit(f"`{value[:60]}` is no date" + (f" of the form `{letters}`" if letters else ""))
    return moment


def to_date(value: Any, letters: str | None = None) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else _read(str(value), letters).date()


def to_moment(value: Any, letters: str | None = None, zone: str | None = None) -> datetime:
    if isinstance(value, datetime):
        return value
    moment = datetime(value.year, value.month, value.day) if isinstance(value, date) else _read(str(value), letters)
    return moment if zone is None else to_utc(moment, zone)


def to_utc(moment: datetime, zone: str) -> datetime:
    """A local time as UTC; of two instants with the same local time the first."""
    try:
        return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    except (KeyError, ValueError, OSError, OverflowError):
        raise Misfit(f"no time zone `{zone[:60]}`") from None


def instant_sql(value: Sql) -> Sql:
    """RFC 3339 text as TIMESTAMP (UTC); null for everything unusual."""
    utc = call("regexp_full_match", value.copy(), text(UTC_INSTANT))
    offset = call("regexp_full_match", value.copy(), text(INSTANT))
    elsewhere = cast(cast(value.copy(), "TIMESTAMPTZ", safe=True), "TIMESTAMP")
    plain = cast(value, "TIMESTAMP", safe=True)
    return exp.Case(ifs=[exp.If(this=utc, true=plain), exp.If(this=offset, true=elsewhere)])


def date_sql(value: Sql) -> Sql:
    known = call("regexp_full_match", value.copy(), text("[0-9]{4}-[0-9]{2}-[0-9]{2}"))
    return exp.Case(ifs=[exp.If(this=known, true=cast(value, "DATE", safe=True))])


def _parsed_sql(value: Sql, letters: Sql | None) -> Sql | None:
    if letters is None:
        return None
    try:
        form = read_format(letters.name)
    except ValueError:
        return None
    if not form.strptime or "%y" in form.strptime:
        return None
    known = call("regexp_full_match", value.copy(), text(re.sub(r"\?P<\w>", "", form.pattern)))
    return exp.Case(ifs=[exp.If(this=known, true=call("try_strptime", value, text(form.strptime)))])


def _date_sql(value: Sql, letters: Sql | None = None) -> Sql | None:
    if letters is None:
        return date_sql(value)
    parsed = _parsed_sql(value, letters)
    return None if parsed is None else cast(parsed, "DATE")


def _moment_sql(value: Sql, letters: Sql | None = None, zone: Sql | None = None) -> Sql | None:
    if zone is not None:
        return None
    return instant_sql(value) if letters is None else _parsed_sql(value, letters)


def _part(word: str, value: Any) -> int:
    names = {"year": "year", "month": "month", "day": "day", "hour": "hour", "minute": "minute", "second": "second"}
    if word not in names:
        raise Misfit(f"no part `{word[:40]}` of a date")
    return int(getattr(value, names[word], 0))


_E = Example
RECORDS = (
    MappingFunction("date", "A date from text, in ISO form or in the form given (letters as in `yyyy-MM-dd`).", "time", ("scalar", "text"), DATE,
                    to_date, _date_sql, optional=1, partial=True, literal=(1,), examples=(_E('date("31.12.2025", "dd.MM.yyyy")', "2025-12-31"),)),
    MappingFunction("timestamp", "A moment from text, in RFC 3339 form or in the form given; local times of a zone when one is named.", "time",
                    ("scalar", "text", "text"), TIMESTAMP, to_moment, _moment_sql, optional=2, partial=True, literal=(1, 2),
                    examples=(_E('timestamp("2025-07-01 10:00", "yyyy-MM-dd HH:mm", "Europe/Berlin")', "2025-07-01T08:00:00Z"),)),
    MappingFunction("format", "A date or moment as text in the form given.", "time", ("date", "text"), STRING,
                    lambda v, f: _format(f).write(to_moment(v)), None, literal=(1,), also=("dformat",),
                    examples=(_E('format(date("2025-12-31"), "dd/MM/yyyy")', "31/12/2025"),)),
    MappingFunction("date_part", "The year, month, day, hour, minute or second.", "time", ("text", "date"), INTEGER, _part, None, literal=(0,),
                    examples=(_E('date_part("year", date("2025-12-31"))', 2025),)),
    MappingFunction("zone_date_to_utc", "The instant of a local time in a zone.", "time", ("date", "text"), TIMESTAMP,
                    lambda v, z: to_utc(to_moment(v), z), None, partial=True, literal=(1,),
                    examples=(_E('zone_date_to_utc(timestamp("2025-01-01T12:00:00"), "Asia/Seoul")', "2025-01-01T03:00:00Z"),)),
)  # fmt: skip
