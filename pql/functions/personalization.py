"""The second library: functions of the personalization dialect, valid here too and marked `available_in="ajo"`.

Each brings its SQL and its Python; both give null when an argument is null or the result cannot be. Those that are only
another spelling of a conversion or of an IR node are structural (`pql.check.calls`). Must not know engines.
"""

from __future__ import annotations

import base64
import hashlib
import re
import urllib.parse
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, floor
from typing import Any, TypeAlias

import re2

from pql.clock import add_months
from pql.functions import formats
from pql.functions.record import Example, Function, Overload, call, cast, number, overload, paren, text
from pql.functions.text import lower, lower_sql, position
from pql.functions.trees import exp
from pql.types import BOOLEAN, INTEGER, NUMBER, STRING, TIMESTAMP, ListType

Sql: TypeAlias = "exp.Expression"
_HOST = r"^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/:?#]*)"
_PATH = r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*(/[^?#]*)"
_PROTOCOL = r"^([a-zA-Z][a-zA-Z0-9+.-]*)://"
_DAY = 86_400_000_000


def _try(value: Sql) -> Sql:
    """An instant, or null where it cannot be or lies outside the years 1 to 9999."""
    first, last = (cast(text(t), "TIMESTAMP") for t in ("0001-01-01", "9999-12-31 23:59:59.999999"))
    tried = call("TRY", value)
    inside = exp.Between(this=tried, low=first, high=last)
    return exp.Case(ifs=[exp.If(this=inside, true=tried.copy())])


def _sub(a: Sql, b: Sql) -> Sql:
    return paren(exp.Sub(this=a, expression=b))


def _div(a: Sql, by: int) -> Sql:
    return paren(exp.IntDiv(this=a, expression=number(by)))


def _named(name: str) -> Callable[..., Sql]:
    return lambda *args: call(name, *args)


def _make(
    name: str, doc: str, types: tuple[Overload, ...], sql: Callable[..., Sql] | None, python: Callable[..., Any] | None, *examples: Example,
    test: bool = False, clock: bool = False, literal: tuple[int, ...] = (), structural: bool = False,
) -> Function:  # fmt: skip
    return Function(name, doc, "personalization", types, sql, test=test, structural=structural, clock=clock, documented=False,
                    literal=literal, examples=examples, python=python, available_in="ajo")  # fmt: skip


# --- dates ---
_T = overload((("t", TIMESTAMP),), INTEGER)
_TN = overload((("t", TIMESTAMP), ("n", INTEGER)), TIMESTAMP)
_TT = overload((("a", TIMESTAMP), ("b", TIMESTAMP)), INTEGER)
_NOW = overload((("born", TIMESTAMP),), INTEGER)


def _added(unit: str) -> Callable[..., Sql]:
    return lambda t, n: _try(
        paren(
            exp.Add(
                this=t,
                expression=call(f"to_{unit}", cast(n, "INTEGER" if unit in ("days", "months", "years") else "BIGINT")),
            )
        )
    )


def _add(**unit: int) -> Callable[[datetime, int], datetime | None]:
    def python(t: datetime, n: int) -> datetime | None:
        try:
            if abs(n) >= 2**31 and ("days" in unit or "months" in unit):
                return None
            if "months" in unit:
                return add_months(t, n * unit["months"])
            return t + timedelta(**{k: v * n for k, v in unit.items()})
        except OverflowError:
            return None

    return python


def _turned(sql: Callable[..., Sql], python: Callable[..., Any]) -> tuple[Callable[..., Sql], Callable[..., Any]]:
    """The same with its arguments turned round: `diffIn…` name the later instant first."""
    return lambda a, b: sql(b, a), lambda a, b: python(b, a)


def _elapsed(unit: int) -> tuple[Callable[..., Sql], Callable[..., Any]]:
    def python(a: datetime, b: datetime) -> int:
        gap = (b - a) // timedelta(microseconds=1)
        return gap // unit if gap >= 0 else -(-gap // unit)

    return lambda a, b: _div(_sub(call("epoch_us", b), call("epoch_us", a)), unit), python


def _month_number(t: Sql) -> Sql:
    years = paren(exp.Mul(this=call("year", t.copy()), expression=number(12)))
    return paren(exp.Add(this=years, expression=call("month", t)))


def _in_month(t: Sql) -> Sql:
    return _sub(call("epoch_us", t.copy()), call("epoch_us", cast(call("date_trunc", text("month"), t), "TIMESTAMP")))


def _months_sql(a: Sql, b: Sql) -> Sql:
    """Whole calendar months from a to b; negative when b is earlier."""
    whole = _sub(_month_number(b.copy()), _month_number(a.copy()))
    short = exp.LT(this=_in_month(b.copy()), expression=_in_month(a.copy()))
    over = exp.GT(this=_in_month(b.copy()), expression=_in_month(a.copy()))
    later = exp.GTE(this=b, expression=a)
    one = exp.If(this=exp.And(this=later.copy(), expression=short), true=_sub(whole.copy(), number(1)))
    two = exp.If(
        this=exp.And(this=exp.Not(this=paren(later)), expression=over),
        true=paren(exp.Add(this=whole.copy(), expression=number(1))),
    )
    return cast(paren(exp.Case(ifs=[one, two], default=whole)), "BIGINT")


def months_between(a: datetime, b: datetime) -> int:
    whole = (b.year * 12 + b.month) - (a.year * 12 + a.month)

    def inside(t: datetime) -> tuple[int, Any]:
        return t.day, t.time()

    if b >= a:
        return whole - (inside(b) < inside(a))
    return whole + (inside(b) > inside(a))


def _years(build: Sql) -> Sql:
    return _div(build, 12)


def _toward_zero(months: int) -> int:
    return months // 12 if months >= 0 else -(-months // 12)


def _set_hours_sql(t: Sql, n: Sql) -> Sql:
    day = cast(call("date_trunc", text("day"), t.copy()), "TIMESTAMP")
    rest = _sub(call("epoch_us", t.copy()), call("epoch_us", cast(call("date_trunc", text("hour"), t), "TIMESTAMP")))
    made = paren(
        exp.Add(
            this=paren(exp.Add(this=day, expression=call("to_hours", n.copy()))),
            expression=call("to_microseconds", rest),
        )
    )
    return exp.Case(ifs=[exp.If(this=exp.Between(this=n, low=number(0), high=number(23)), true=made)])


def _set_days_sql(t: Sql, n: Sql) -> Sql:
    made = _try(
        paren(
            exp.Add(this=t.copy(), expression=call("to_days", cast(_sub(n.copy(), call("day", t.copy())), "INTEGER")))
        )
    )
    last = call("day", call("last_day", t))
    return exp.Case(ifs=[exp.If(this=exp.Between(this=n, low=number(1), high=last), true=made)])


def _set_days(t: datetime, n: int) -> datetime | None:
    try:
        return t.replace(day=n)
    except (ValueError, OverflowError):
        return None


def _part(name: str) -> Callable[..., Sql]:
    return lambda t: cast(call(name, t), "BIGINT")


def _trunc(unit: str) -> Callable[..., Sql]:
    return lambda t: cast(call("date_trunc", text(unit), t), "TIMESTAMP")


def _compare_sql(a: Sql, b: Sql) -> Sql:
    return cast(call("sign", _sub(call("epoch_us", a), call("epoch_us", b))), "BIGINT")


_TRUNC = (overload((("t", TIMESTAMP),), TIMESTAMP),)
DATES = (
    *(_make(f"add{w}", f"The instant {w.lower()} later.", (_TN,), _added(w.lower()), _add(**u))
      for w, u in (("Days", {"days": 1}), ("Hours", {"hours": 1}), ("Minutes", {"minutes": 1}), ("Seconds", {"seconds": 1}), ("Months", {"months": 1}), ("Years", {"months": 12}))),
    _make("dateDiff", "Whole days from the first instant to the second.", (_TT,), *_elapsed(_DAY)),
    _make("diffInSeconds", "Whole seconds from the second instant to the first.", (_TT,), *_turned(*_elapsed(1_000_000)),
          Example('diffInSeconds("2024-11-01T17:19:51Z", "2024-11-01T17:19:01Z")', 50)),
    _make("diffInMinutes", "Whole minutes from the second instant to the first.", (_TT,), *_turned(*_elapsed(60_000_000)),
          Example('diffInMinutes("2024-11-01T17:19:51Z", "2024-11-01T16:19:51Z")', 60)),
    *(_make(n, "Whole hours from the second instant to the first.", (_TT,), *_turned(*_elapsed(3_600_000_000)),
            Example(f'{n}("2024-11-01T17:19:51Z", "2024-11-01T07:19:51Z")', 10)) for n in ("hoursDifference", "diffInHours")),
    _make("diffInMonths", "Whole calendar months from the second instant to the first.", (_TT,), *_turned(_months_sql, months_between),
          Example('diffInMonths("2024-11-01T17:19:51Z", "2024-08-01T17:19:51Z")', 3)),
    _make("diffInYears", "Whole years from the second instant to the first.", (_TT,),
          *_turned(lambda a, b: _years(_months_sql(a, b)), lambda a, b: _toward_zero(months_between(a, b))),
          Example('diffInYears("2024-11-01T17:19:51Z", "2019-10-01T17:19:51Z")', 5)),
    _make("stringToDateByPattern", "What `stringToDate` and `toDateTime` with a literal pattern give; null when the text does not fit.",
          (overload((("text", STRING), ("pattern", STRING)), TIMESTAMP),), formats.read_date_sql, formats.read_date,
          Example('stringToDate("2023-01-10 23:13:26", "yyyy-MM-dd HH:mm:ss")', "2023-01-10T23:13:26Z"), literal=(1,)),
    _make("dateBetween", "Is the instant between two others, both included? A day without a time is its midnight, UTC.", (overload((("t", TIMESTAMP), ("start", TIMESTAMP), ("end", TIMESTAMP)), BOOLEAN),),
          lambda t, a, b: exp.Between(this=t, low=a, high=b), lambda t, a, b: a <= t <= b, Example('dateBetween("2024-06-15", "2024-06-01", "2024-06-30")', True), test=True),
    _make("convertZonedDateTime", "The instant: a zone changes how it is written, not which it is.", (overload((("t", TIMESTAMP), ("zone", STRING)), TIMESTAMP),),
          formats.zoned_sql, lambda t, zone: t, Example('convertZonedDateTime("2019-02-19T08:09:00Z", "Asia/Tehran")', "2019-02-19T08:09:00Z"), literal=(1,)),
    _make("formatDate", "The instant by a literal pattern of Java's letters; names in English.",
          (overload((("t", TIMESTAMP), ("pattern", STRING), ("locale", STRING)), STRING, optional=1),), formats.format_date_sql, formats.format_date,
          Example('formatDate("2020-01-01", "EEEE MMMM dd yyyy")', "Wednesday January 01 2020"), literal=(1, 2)),
    _make("age", "Whole years up to now.", (_NOW,), lambda t, now: _years(_months_sql(t, now)), lambda t, now: _toward_zero(months_between(t, now)), clock=True),
    _make("ageInMonths", "Whole months up to now.", (_NOW,), _months_sql, months_between, clock=True),
    _make("ageInDays", "Whole days up to now.", (_NOW,), *_elapsed(_DAY), clock=True),
    _make("compareDates", "-1, 0 or 1: is the first instant earlier, the same, or later?", (_TT,), _compare_sql, lambda a, b: (a > b) - (a < b)),
    _make("dayOfMonth", "The day of the month.", (_T,), _part("day"), lambda t: t.day),
    _make("dayOfYear", "The day of the year.", (_T,), _part("dayofyear"), lambda t: t.timetuple().tm_yday),
    _make("weekOfYear", "The ISO week.", (_T,), _part("week"), lambda t: t.isocalendar()[1]),
    _make("extractHours", "The hour.", (_T,), _part("hour"), lambda t: t.hour),
    _make("extractMinutes", "The minute.", (_T,), _part("minute"), lambda t: t.minute),
    _make("extractSeconds", "The second.", (_T,), _part("second"), lambda t: t.second),
    *(_make(n, "The month.", (_T,), _part("month"), lambda t: t.month) for n in ("extractMonths", "extractMonth")),
    _make("setDays", "The instant on another day of its month; null when there is none.", (_TN,), _set_days_sql, _set_days),
    _make("setHours", "The instant at another hour of its day.", (_TN,), _set_hours_sql, lambda t, n: t.replace(hour=n) if 0 <= n <= 23 else None),
    _make("toUTC", "The instant: they are all UTC.", _TRUNC, lambda t: t, lambda t: t),
    _make("truncateToStartOfDay", "Midnight of the instant's day.", _TRUNC, _trunc("day"), lambda t: t.replace(hour=0, minute=0, second=0, microsecond=0)),
    _make("truncateToStartOfWeek", "Midnight of the Monday before.", _TRUNC, _trunc("week"),
          lambda t: _midnight(t - timedelta(days=t.weekday()) if t.toordinal() > t.weekday() else t)),
    _make("truncateToStartOfQuarter", "Midnight of the quarter's first day.", _TRUNC, _trunc("quarter"), lambda t: _midnight(t.replace(month=t.month - (t.month - 1) % 3, day=1))),
    _make("truncateToStartOfYear", "Midnight of New Year's Day.", _TRUNC, _trunc("year"), lambda t: _midnight(t.replace(month=1, day=1))),
    _make("currentTimeInMillis", "Milliseconds since 1970, now.", (overload((), INTEGER),), lambda now: _div(call("epoch_us", now), 1000),
          lambda now: (now - datetime(1970, 1, 1)) // timedelta(milliseconds=1), clock=True),
    _make("getCurrentZonedDateTime", "Now.", (overload((), TIMESTAMP),), lambda now: now, lambda now: now, clock=True),
)  # fmt: skip


def _midnight(t: datetime) -> datetime:
    return t.replace(hour=0, minute=0, second=0, microsecond=0)


# --- texts ---
_S = (overload((("text", STRING),), STRING),)
_SS = (overload((("text", STRING), ("part", STRING)), INTEGER),)
_SST = (overload((("text", STRING), ("other", STRING)), BOOLEAN),)


def _found(pattern: str) -> tuple[Callable[..., Sql], Callable[..., Any]]:
    """The first group of a fixed expression; null without a match, or when it is empty."""
    compiled = re.compile(pattern)

    def python(value: str) -> str | None:
        match = compiled.search(value)
        return (match.group(1) or None) if match else None

    return lambda s: call("nullif", call("regexp_extract", s, text(pattern), number(1)), text("")), python


def _last_index_sql(s: Sql, part: Sql) -> Sql:
    start = _sub(
        _sub(call("length", s.copy()), call("length", part.copy())),
        _sub(call("instr", call("reverse", s.copy()), call("reverse", part.copy())), number(1)),
    )
    held = call("contains", s, part)
    return exp.Case(ifs=[exp.If(this=held, true=start), exp.If(this=exp.Not(this=paren(held.copy())), true=number(-1))])


def _mask_sql(s: Sql, first: Sql, last: Sql) -> Sql:
    a, b = position(first), position(last)
    hidden = position(_sub(_sub(call("length", s.copy()), a.copy()), b.copy()))
    tail = call(
        "substr",
        s.copy(),
        paren(exp.Add(this=paren(exp.Add(this=a.copy(), expression=hidden.copy())), expression=number(1))),
    )
    made: Sql = exp.DPipe(this=call("substr", s, number(1), a), expression=call("repeat", text("X"), hidden))
    return paren(exp.DPipe(this=made, expression=tail))


def _mask(s: str, first: int, last: int) -> str:
    a, b = max(first, 0), max(last, 0)
    hidden = max(len(s) - a - b, 0)
    return s[:a] + "X" * hidden + s[a + hidden :]


def _upper(s: str) -> str:
    return "".join(u if len(u := c.upper()) == 1 else c for c in s)


def _words_sql(s: Sql, glue: str) -> Sql:
    x = exp.Column(this=exp.to_identifier("w"))
    made = exp.DPipe(
        this=exp.Upper(this=call("substr", x, number(1), number(1))),
        expression=lower_sql(call("substr", x.copy(), number(2))),
    )
    each = exp.Lambda(this=paren(made), expressions=[exp.to_identifier("w")])
    return call("array_to_string", call("list_transform", call("string_split", s, text(" ")), each), text(glue))


def _words(s: str, glue: str) -> str:
    return glue.join(_upper(w[:1]) + lower(w[1:]) for w in s.split(" "))


def _camel_sql(s: Sql) -> Sql:
    made = _words_sql(s, "")
    head = lower_sql(call("substr", made.copy(), number(1), number(1)))
    return paren(exp.DPipe(this=head, expression=call("substr", made, number(2))))


def _camel(s: str) -> str:
    made = _words(s, "")
    return lower(made[:1]) + made[1:]


def _split_sql(s: Sql, separator: Sql) -> Sql:
    present = exp.Not(this=exp.Is(this=separator.copy(), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=present, true=call("string_split", s, separator))])


def _replace_all(s: str, pattern: str, by: str) -> str:
    return bytes(re2.sub(pattern.encode(), by.encode(), s.encode())).decode()


def _char_code_sql(s: Sql, i: Sql) -> Sql:
    place = position(i.copy())
    char = call("substr", s, paren(exp.Add(this=place, expression=number(1))), number(1))
    inside = exp.And(this=exp.GTE(this=i, expression=number(0)), expression=exp.NEQ(this=char, expression=text("")))
    return exp.Case(ifs=[exp.If(this=inside, true=cast(call("unicode", char.copy()), "BIGINT"))])


def _any_sql(s: Sql, *others: Sql) -> Sql:
    made: Sql = exp.In(this=lower_sql(s), expressions=[lower_sql(o) for o in others])
    return made


TEXTS = (
    _make("leftTrim", "The text without blanks at its start.", _S, lambda s: call("ltrim", s), lambda s: s.lstrip(" "), Example('leftTrim(" a ")', "a ")),
    _make("rightTrim", "The text without blanks at its end.", _S, lambda s: call("rtrim", s), lambda s: s.rstrip(" "), Example('rightTrim(" a ")', " a")),
    _make("replace", "The text with every occurrence of a part replaced.", (overload((("text", STRING), ("part", STRING), ("by", STRING)), STRING),),
          _named("replace"), lambda s, a, b: s.replace(a, b) if a else s, Example('replace("banana", "an", "o")', "booa")),
    _make("replaceAll", "The text with every match of an RE2 expression replaced.", (overload((("text", STRING), ("regex", STRING), ("by", STRING)), STRING),),
          lambda s, p, b: call("regexp_replace", s, p, b, text("g")), _replace_all, Example('replaceAll("a1b22", "[0-9]+", "-")', "a-b-"), literal=(1,)),
    _make("split", "The parts of the text between separators.", (overload((("text", STRING), ("separator", STRING)), ListType(STRING)),),
          _split_sql, lambda s, p: s.split(p) if p else list(s), Example('split("a,b", ",")', ["a", "b"])),
    _make("indexOf", "Where the part begins, counted from 0; -1 when nowhere.", _SS, lambda s, p: _sub(cast(call("instr", s, p), "BIGINT"), number(1)),
          lambda s, p: s.find(p), Example('indexOf("abc", "c")', 2)),
    _make("lastIndexOf", "Where the part begins for the last time; -1 when nowhere.", _SS, _last_index_sql, lambda s, p: s.rfind(p), Example('lastIndexOf("abab", "b")', 3)),
    _make("equalsIgnoreCase", "Equal in any letter case.", _SST, lambda a, b: exp.EQ(this=lower_sql(a), expression=lower_sql(b)), lambda a, b: lower(a) == lower(b),
          Example('equalsIgnoreCase("A", "a")', True), test=True),
    _make("notEqualWithIgnoreCase", "Present, and different in any letter case.", _SST, lambda a, b: exp.NEQ(this=lower_sql(a), expression=lower_sql(b)),
          lambda a, b: lower(a) != lower(b), Example('notEqualWithIgnoreCase("A", "a")', False), test=True),
    _make("extractEmailDomain", "What stands after the @.", _S, *_found(r"@([^@]*)$"), Example('extractEmailDomain("sarah@luma.com")', "luma.com")),
    _make("getUrlHost", "The host of a URL.", _S, *_found(_HOST), Example('getUrlHost("https://luma.com:80/p?q")', "luma.com")),
    _make("getUrlPath", "The path of a URL.", _S, *_found(_PATH), Example('getUrlPath("https://luma.com/p/1?q")', "/p/1")),
    _make("getUrlFragment", "What stands after the # of a URL.", _S, *_found(r"#(.+)$"), Example('getUrlFragment("https://luma.com/p#faq")', "faq")),
    _make("equalsAnyIgnoreCase", "Equal to any of the texts in any letter case.",
          (overload((("text", STRING), ("other", STRING)), BOOLEAN, variadic=True),), _any_sql, lambda s, *others: lower(s) in map(lower, others),
          Example('equalsAnyIgnoreCase("Icon", "icon", "ambassador")', True), test=True),
    _make("sha256", "The SHA-256 digest in hexadecimal.", _S, _named("sha256"), lambda s: hashlib.sha256(s.encode()).hexdigest(),
          Example('sha256("a")', "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")),
    _make("getUrlProtocol", "The protocol of a URL.", _S, *_found(_PROTOCOL), Example('getUrlProtocol("https://luma.com")', "https")),
    _make("charCodeAt", "The code point at a position counted from 0.", (overload((("text", STRING), ("at", INTEGER)), INTEGER),), _char_code_sql,
          lambda s, i: ord(s[i]) if 0 <= i < len(s) else None, Example('charCodeAt("abc", 0)', 97)),
    _make("titleCase", "Each word with a capital.", _S, lambda s: _words_sql(s, " "), lambda s: _words(s, " "), Example('titleCase("sarah ROSE")', "Sarah Rose")),
    _make("camelCase", "The words joined, with capitals inside.", _S, _camel_sql, _camel, Example('camelCase("sarah rose")', "sarahRose")),
    _make("mask", "The text with all but the first and last characters as X.", (overload((("text", STRING), ("first", INTEGER), ("last", INTEGER)), STRING),),
          _mask_sql, _mask, Example('mask("12345", 1, 2)', "1XX45")),
    _make("md5", "The MD5 digest in hexadecimal.", _S, _named("md5"), lambda s: hashlib.md5(s.encode(), usedforsecurity=False).hexdigest(),
          Example('md5("a")', "0cc175b9c0f1b6a831c399e269772661")),
    _make("encode64", "The text's UTF-8 in Base64.", _S, lambda s: call("base64", call("encode", s)), lambda s: base64.b64encode(s.encode()).decode(), Example('encode64("ab")', "YWI=")),
    _make("urlEncode", "The text with reserved characters escaped.", _S, _named("url_encode"), lambda s: urllib.parse.quote(s, safe="-_.~"), Example('urlEncode("a b")', "a%20b")),
    _make("urlDecode", "The text with escapes resolved.", _S, _named("url_decode"), lambda s: urllib.parse.unquote(s), Example('urlDecode("a%20b")', "a b")),
)  # fmt: skip


# --- numbers ---
def _whole(x: Any, rounded: Callable[[Any], int]) -> int | None:
    made = rounded(x)
    return made if -(2**63) <= made < 2**63 else None


def _rounded(function: str) -> Callable[..., Sql]:
    return lambda x: cast(call(function, x), "BIGINT", safe=True)


def _precision_sql(x: Sql, n: Sql) -> Sql:
    return cast(call("round", x, n), "DECIMAL(18, 6)")


def _precision(x: Decimal, n: int) -> Decimal:
    return x.quantize(Decimal(1).scaleb(-min(max(n, 0), 6)), ROUND_HALF_UP).quantize(Decimal("0.000001"))


_N = (overload((("x", NUMBER),), INTEGER),)
NUMBERS = (
    _make("roundDown", "The greatest whole number not above.", _N, _rounded("floor"), lambda x: _whole(x, floor), Example("roundDown(2.7)", 2)),
    _make("roundUp", "The least whole number not below.", _N, _rounded("ceil"), lambda x: _whole(x, ceil), Example("roundUp(2.1)", 3)),
    _make("toInt", "The number without its fraction.", _N, _rounded("trunc"), lambda x: _whole(x, int), Example("toInt(-2.7)", -2)),
    _make("toHexString", "A whole number in hexadecimal.", (overload((("x", INTEGER),), STRING),), lambda x: exp.Lower(this=call("to_hex", x)),
          lambda x: format(x & (2**64 - 1), "x"), Example("toHexString(255)", "ff")),
    _make("toPercentage", "The number in hundredths, with a percent sign.", (overload((("x", NUMBER),), STRING),), formats.percentage_sql, formats.percentage,
          Example("toPercentage(0.255)", "25.5%")),
    _make("formatNumber", "The number as a literal locale writes it, with three digits after the point at most.", (overload((("x", NUMBER), ("locale", STRING)), STRING),),
          formats.format_number_sql, formats.format_number, Example('formatNumber(123456.789, "de_DE")', "123.456,789"), literal=(1,)),
    _make("formatCurrency", "The amount as a literal locale writes money.", (overload((("x", NUMBER), ("locale", STRING)), STRING),),
          formats.format_currency_sql, formats.format_currency, Example('formatCurrency(56L, "en_GB")', "£56.00"), literal=(1,)),
    _make("toPrecision", "The number rounded to a literal number of digits, half away from zero.", (overload((("x", NUMBER), ("digits", INTEGER)), NUMBER),),
          _precision_sql, _precision, Example("toPrecision(2.345, 2)", 2.35), literal=(1,)),
)  # fmt: skip

CONVERSIONS = {
    "stringToInteger": INTEGER, "string_to_integer": INTEGER, "stringToNumber": NUMBER, "stringToDate": TIMESTAMP, "toDateTime": TIMESTAMP, "toDateTimeOnly": TIMESTAMP,
    "toBool": BOOLEAN, "toString": STRING,
}  # fmt: skip
"""Functions that are a coercion by another name."""

STRUCTURAL = tuple(
    _make(name, f"The value as a {kind.name}; null when it does not fit.", (), None, None, structural=True) for name, kind in CONVERSIONS.items()
) + (
    _make("countOnlyNull", "How many elements are null.", (), None, None, Example("countOnlyNull([4, null])", 1), structural=True),
    _make("countWithNull", "How many elements, nulls included.", (), None, None, Example("countWithNull([4, null])", 2), structural=True),
    _make("distinctCountWithNull", "How many different elements; null counts once.", (), None, None, Example("distinctCountWithNull([1, 1, null])", 2), structural=True),
)  # fmt: skip

PERSONALIZATION = (*DATES, *TEXTS, *NUMBERS, *STRUCTURAL)
