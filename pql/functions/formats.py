"""Dates and numbers written for people: the formatting functions of the personalization library.

Patterns are those of Java's DateTimeFormatter and must be literals, as locales must: both are resolved when the SQL is
built. Names of days and months are English. Locales come from `LANGUAGES` and `CURRENCIES`. Read `PIECES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from pql.functions.record import call, cast, number, paren, text
from pql.functions.trees import exp

Sql: TypeAlias = "exp.Expression"
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_WEST, _EAST = "0123456789", "٠١٢٣٤٥٦٧٨٩"
_NARROW = "\u202f"

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

PIECES: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "yy": ("%y", lambda t: f"{t.year % 100:02d}"), "yyyy": ("%Y", lambda t: f"{t.year:04d}"),
    "YY": ("", lambda t: f"{t.isocalendar()[0] % 100:02d}"), "YYYY": ("%G", lambda t: f"{t.isocalendar()[0]:04d}"),
    "M": ("%-m", lambda t: str(t.month)), "MM": ("%m", lambda t: f"{t.month:02d}"),
    "MMM": ("%b", lambda t: MONTHS[t.month - 1][:3]), "MMMM": ("%B", lambda t: MONTHS[t.month - 1]),
    "d": ("%-d", lambda t: str(t.day)), "dd": ("%d", lambda t: f"{t.day:02d}"),
    "D": ("%-j", lambda t: str(t.timetuple().tm_yday)), "DDD": ("%j", lambda t: f"{t.timetuple().tm_yday:03d}"),
    "E": ("%a", lambda t: DAYS[t.weekday()][:3]), "EEEE": ("%A", lambda t: DAYS[t.weekday()]),
    "H": ("%-H", lambda t: str(t.hour)), "HH": ("%H", lambda t: f"{t.hour:02d}"),
    "h": ("%-I", lambda t: str((t.hour + 11) % 12 + 1)), "hh": ("%I", lambda t: f"{(t.hour + 11) % 12 + 1:02d}"),
    "m": ("%-M", lambda t: str(t.minute)), "mm": ("%M", lambda t: f"{t.minute:02d}"),
    "s": ("%-S", lambda t: str(t.second)), "ss": ("%S", lambda t: f"{t.second:02d}"),
    "SSS": ("%g", lambda t: f"{t.microsecond // 1000:03d}"), "SSSSSS": ("%f", lambda t: f"{t.microsecond:06d}"),
    "a": ("%p", lambda t: "AM" if t.hour < 12 else "PM"),
}  # fmt: skip
"""A run of a pattern's letters: the database's own pattern (empty: none), and the same in Python."""

SAME = {"y": "yyyy", "u": "yyyy", "uuuu": "yyyy", "uu": "yy", "Y": "YYYY", "L": "M", "LL": "MM", "LLL": "MMM", "LLLL": "MMMM",
        "DD": "D", "EE": "E", "EEE": "E", "k": "H", "kk": "HH", "n": "SSSSSS"}  # fmt: skip
CONSTANT = {
    "z": "UTC",
    "VV": "UTC",
    "X": "Z",
    "XX": "Z",
    "XXX": "Z",
    "Z": "+0000",
    "xxx": "+00:00",
    "x": "+00",
    "xx": "+0000",
}
ISO = "yyyy-MM-dd'T'HH:mm:ss'Z'"

LANGUAGES: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(("en", "ja", "zh", "ko", "he", "th"), (",", ".", _WEST)),
    **dict.fromkeys(("de", "es", "it", "nl", "pt", "da", "id", "tr", "el", "hr", "ro", "sl"), (".", ",", _WEST)),
    **dict.fromkeys(("fr",), (_NARROW, ",", _WEST)),
    **dict.fromkeys(("sv", "nb", "no", "fi", "pl", "cs", "sk", "hu", "ru", "uk", "bg"), ("\u00a0", ",", _WEST)),
    "ar": ("٬", "٫", _EAST),
}  # fmt: skip
"""Language: sign between thousands, decimal sign, digits. Other languages are written as English is."""

CURRENCIES: dict[str, tuple[str, int]] = {
    "US": ("$", 2), "CA": ("$", 2), "AU": ("$", 2), "NZ": ("$", 2), "MX": ("$", 2), "GB": ("£", 2), "JP": ("¥", 0), "CN": ("¥", 2),
    "IN": ("₹", 2), "KR": ("₩", 0), "BR": ("R$", 2), "CH": ("CHF", 2), "SE": ("kr", 2), "NO": ("kr", 2), "DK": ("kr.", 2), "PL": ("zł", 2),
    "CZ": ("Kč", 2), "HU": ("Ft", 2), "TR": ("₺", 2), "IL": ("₪", 2), "EG": ("ج.م.", 2), "ZA": ("R", 2), "UA": ("₴", 2), "RU": ("₽", 2),
    **dict.fromkeys(("DE", "FR", "ES", "IT", "NL", "AT", "BE", "IE", "PT", "FI", "GR", "SI", "SK", "HR", "EE", "LV", "LT", "LU"), ("€", 2)),
}  # fmt: skip
"""Region: sign of its currency and digits after the point. Other regions are written with `¤`, the sign of no currency."""
_FIRST = ("en", "ja", "zh", "ko", "he", "th", "pt", "nl", "tr")
"""Languages that put the sign of the currency before the amount."""


def pieces(pattern: str) -> list[str | tuple[str, Callable[[datetime], str]]]:
    """The parts of a pattern: constant texts and moving ones. One that cannot be read is written as ISO, as documented."""
    found: list[str | tuple[str, Callable[[datetime], str]]] = []
    end = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            return pieces(ISO)
        end, run = match.end(), match.group()
        if match.group(1) is not None:
            found.append(match.group(1).replace("''", "'") or "'")
        elif not match.group(2):
            found.append(run)
        elif run in CONSTANT:
            found.append(CONSTANT[run])
        elif SAME.get(run, run) in PIECES:
            found.append(PIECES[SAME.get(run, run)])
        else:
            return pieces(ISO)
    return found if end == len(pattern) else pieces(ISO)


def format_date_sql(t: Sql, pattern: Sql, locale: Sql | None = None) -> Sql:
    if not isinstance(pattern, exp.Literal) or not (locale is None or isinstance(locale, exp.Literal)):
        return exp.Null()
    parts: list[Sql] = []
    for piece in pieces(str(pattern.this)):
        if isinstance(piece, str):
            parts.append(text(piece))
        elif piece[0]:
            parts.append(call("strftime", t.copy(), text(piece[0])))
        else:
            parts.append(call("right", call("strftime", t.copy(), text("%G")), number(2)))
    made = parts[0] if parts else text("")
    for part in parts[1:]:
        made = exp.DPipe(this=made, expression=part)
    return exp.Case(ifs=[exp.If(this=paren(exp.Not(this=exp.Is(this=t, expression=exp.Null()))), true=paren(made))])


def format_date(t: datetime, pattern: str, locale: str = "en") -> str:
    return "".join(p if isinstance(p, str) else p[1](t) for p in pieces(pattern))


def _signs(locale: str) -> tuple[str, str, str]:
    return LANGUAGES.get(re.split("[_-]", locale)[0].lower(), LANGUAGES["en"])


def _in_signs(sql: Sql, locale: str) -> Sql:
    return call("translate", sql, text(",." + _WEST), text("".join(_signs(locale))))


def _grouped(x: Sql, digits: int) -> Sql:
    rounded = call("round", x, number(digits))
    return call("format", text(f"{{:,.{digits}f}}"), cast(rounded, "DOUBLE"))


def _group(x: Decimal, digits: int) -> str:
    return f"{x.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,f}"


def format_number_sql(x: Sql, locale: Sql) -> Sql:
    if not isinstance(locale, exp.Literal):
        return exp.Null()
    short = call("rtrim", call("rtrim", _grouped(x, 3), text("0")), text("."))
    return _in_signs(short, str(locale.this))


def format_number(x: Decimal, locale: str) -> str:
    return _group(x, 3).rstrip("0").rstrip(".").translate(str.maketrans(",." + _WEST, "".join(_signs(locale))))


def _currency(locale: str) -> tuple[str, str, int]:
    """What stands before and after an amount, and its digits."""
    language, *rest = re.split("[_-]", locale)
    sign, digits = CURRENCIES.get(rest[-1].upper() if rest else "", ("¤", 2))
    gap = "\u00a0" if sign[-1].isalpha() or language.lower() in ("pt", "nl") else ""
    return (sign + gap, "", digits) if language.lower() in _FIRST else ("", "\u00a0" + sign, digits)


def format_currency_sql(x: Sql, locale: Sql) -> Sql:
    if not isinstance(locale, exp.Literal):
        return exp.Null()
    before, after, digits = _currency(str(locale.this))
    minus = exp.Case(ifs=[exp.If(this=exp.LT(this=x.copy(), expression=number(0)), true=text("-"))], default=text(""))
    amount = _in_signs(_grouped(call("abs", x), digits), str(locale.this))
    made: Sql = exp.DPipe(this=minus, expression=text(before))
    made = exp.DPipe(this=made, expression=amount)
    return paren(exp.DPipe(this=made, expression=text(after)))


def format_currency(x: Decimal, locale: str) -> str:
    before, after, digits = _currency(locale)
    amount = _group(abs(x), digits).translate(str.maketrans(",." + _WEST, "".join(_signs(locale))))
    return f"{'-' if x < 0 else ''}{before}{amount}{after}"


def percentage_sql(x: Sql) -> Sql:
    hundred = cast(paren(exp.Mul(this=cast(x, "DECIMAL(30, 6)"), expression=number(100))), "VARCHAR")
    short = call("rtrim", call("rtrim", hundred, text("0")), text("."))
    return paren(exp.DPipe(this=short, expression=text("%")))


def percentage(x: Decimal) -> str:
    return f"{x * 100:.6f}".rstrip("0").rstrip(".") + "%"


def zoned_sql(t: Sql, zone: Sql) -> Sql:
    return t if isinstance(zone, exp.Literal) else exp.Case(ifs=[exp.If(this=exp.false(), true=t)])


# --- reading a date by a pattern ---
_READ = {"yyyy": ("[0-9]{4}", "%Y"), "MM": ("[0-9]{2}", "%m"), "dd": ("[0-9]{2}", "%d"), "HH": ("[0-9]{2}", "%H"), "mm": ("[0-9]{2}", "%M"),
         "ss": ("[0-9]{2}", "%S"), "M": ("[0-9]{1,2}", "%m"), "d": ("[0-9]{1,2}", "%d"), "H": ("[0-9]{1,2}", "%H")}  # fmt: skip


def reading(pattern: str) -> tuple[str, str] | None:
    """A regular expression and a strptime pattern for what a date pattern reads; None when it holds other letters."""
    regex, made = "", ""
    for match in _TOKEN.finditer(pattern):
        run = match.group()
        if match.group(2) is None:
            plain = (match.group(1).replace("''", "'") or "'") if match.group(1) is not None else run
            regex, made = regex + re.escape(plain), made + plain.replace("%", "%%")
            continue
        part = _READ.get(SAME.get(run, run))
        if part is None or part[1] in made:
            return None
        regex, made = regex + part[0], made + part[1]
    return (regex, made) if made else None


def read_date_sql(value: Sql, pattern: Sql) -> Sql:
    read = reading(str(pattern.this)) if isinstance(pattern, exp.Literal) else None
    if read is None:
        return exp.Cast(this=exp.Null(), to=exp.DataType.build("TIMESTAMP"))
    fits = call("regexp_full_match", value.copy(), text(read[0]))
    return exp.Case(ifs=[exp.If(this=fits, true=call("try_strptime", value, text(read[1])))])


def read_date(value: str, pattern: str) -> datetime | None:
    read = reading(pattern)
    if read is None or not re.fullmatch(read[0], value):
        return None
    try:
        return datetime.strptime(value, read[1])
    except ValueError:
        return None
