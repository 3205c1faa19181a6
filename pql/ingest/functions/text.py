"""Mapping functions on text. Positions count from 0, in characters. Read `RECORDS`."""

from __future__ import annotations

import hashlib
from typing import Any

import re2
from sqlglot import exp

from pql.functions.record import call, number, text
from pql.functions.text import lower as fold
from pql.functions.text import lower_sql
from pql.ingest.functions.record import Example, MappingFunction, Misfit, Sql
from pql.types import BOOLEAN, INTEGER, STRING, ListType

BLANKS = " \t\r\n\f\v\u00a0"
TEXT_MOST = 1_000_000


def _trim(function: str) -> Any:
    """Only texts that begin or end with a blank are cut: the database's `trim` with a set of signs is slow."""

    def sql(value: Sql) -> Sql:
        ends = []
        for side in ("left", "right"):
            end = call(side, value.copy(), number(1))
            ends.append(exp.In(this=end, expressions=[text(b) for b in BLANKS]))
        cut = exp.If(this=exp.Or(this=ends[0], expression=ends[1]), true=call(function, value.copy(), text(BLANKS)))
        return exp.Case(ifs=[cut], default=value)

    return sql


def upper(value: str) -> str:
    """Upper case, character by character; those whose upper case is several characters stay (as in the database)."""
    return "".join(u if len(u := c.upper()) == 1 else c for c in value)


def _upper_sql(value: Sql) -> Sql:
    """Only where the two sides cannot differ: ASCII."""
    return exp.Case(ifs=[exp.If(this=_ascii(value), true=exp.Upper(this=value.copy()))])


def _ascii(value: Sql) -> Sql:
    return exp.EQ(this=call("strlen", value.copy()), expression=call("length", value.copy()))


def _substr(value: str, start: int, length: int | None = None) -> str:
    begin = max(start, 0)
    return value[begin:] if length is None else value[begin : begin + max(length, 0)]


def _plus_one(value: Sql) -> Sql:
    return exp.Add(this=call("greatest", value, number(0)), expression=number(1))


def _substr_sql(value: Sql, start: Sql, length: Sql | None = None) -> Sql:
    parts = [value, _plus_one(start)] + ([] if length is None else [call("greatest", length, number(0))])
    return call("substring", *parts)


def _pad(value: str, length: int, fill: str, left: bool) -> str:
    if length > TEXT_MOST:
        raise Misfit(f"a text of more than {TEXT_MOST:,} characters")
    if len(value) >= length or not fill:
        return value[: max(length, 0)] if len(value) > length else value
    more = (fill * ((length - len(value)) // len(fill) + 1))[: length - len(value)]
    return more + value if left else value + more


def _split(value: str, separator: str) -> list[str]:
    return value.split(separator) if separator else [value]


def _split_sql(value: Sql, separator: Sql) -> Sql | None:
    if not (isinstance(separator, exp.Literal) and separator.name):
        return None
    return call("string_split", value, separator)


def _extract(value: str, pattern: str) -> str | None:
    found = re2.search(pattern, value)
    if found is None:
        return None
    return str(found.group(1) if found.re.groups else found.group(0))


def _concat(*values: str | None) -> str | None:
    known = [v for v in values if v is not None]
    return "".join(known) if known else None


def _concat_sql(*values: Sql) -> Sql:
    joined = call("concat", *(v.copy() for v in values))
    return exp.Case(
        ifs=[exp.If(this=exp.Not(this=exp.Is(this=call("coalesce", *values), expression=exp.Null())), true=joined)]
    )


def _sha(name: str) -> Any:
    return lambda value: hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()


def _find(value: str, part: str) -> int:
    return value.find(part)


def _right(value: str, count: int) -> str:
    return value[max(len(value) - max(count, 0), 0) :]


def _replace_sql(value: Sql, part: Sql, by: Sql) -> Sql:
    return call("replace", value, part, by)


def _replace(value: str, part: str, by: str) -> str:
    return value.replace(part, by) if part else value


def _t(
    name: str,
    doc: str,
    takes: tuple[str, ...],
    python: Any,
    sql: Any,
    example: Example,
    result: Any = STRING,
    **more: Any,
) -> MappingFunction:
    return MappingFunction(name, doc, "text", takes, result, python, sql, examples=(example,), **more)


_E = Example
RECORDS = (
    _t("lower", "The text in lower case.", ("text",), fold, lower_sql, _E('lower("Ab")', "ab"), also=("lcase",)),
    _t("upper", "The text in upper case.", ("text",), upper, _upper_sql, _E('upper("Ab")', "AB"), also=("ucase",), partial=True),
    _t("trim", "The text without blanks at its ends.", ("text",), lambda x: x.strip(BLANKS), _trim("trim"), _E('trim(" a ")', "a")),
    _t("ltrim", "The text without blanks at its start.", ("text",), lambda x: x.lstrip(BLANKS), _trim("ltrim"), _E('ltrim(" a ")', "a ")),
    _t("rtrim", "The text without blanks at its end.", ("text",), lambda x: x.rstrip(BLANKS), _trim("rtrim"), _E('rtrim(" a ")', " a")),
    _t("concat", "The texts one after another; null counts as nothing, and is the result when all are null.", ("text",), _concat, _concat_sql,
       _E('concat("a", null, "b")', "ab"), variadic=True, nulls="given"),
    _t("replace", "The text with every occurrence of a part replaced.", ("text", "text", "text"), _replace, _replace_sql,
       _E('replace("a-b", "-", "+")', "a+b"), also=("replacestr",)),
    _t("substr", "The part that starts at a position, as long as said or to the end.", ("text", "whole", "whole"), _substr, _substr_sql,
       _E('substr("abcd", 1, 2)', "bc"), optional=1),
    _t("left", "The first characters.", ("text", "whole"), lambda x, n: x[: max(n, 0)], lambda x, n: _substr_sql(x, number(0), n), _E('left("abcd", 2)', "ab")),
    _t("right", "The last characters.", ("text", "whole"), _right, None, _E('right("abcd", 2)', "cd")),
    _t("lpad", "The text filled up at its start to a length; cut when longer.", ("text", "whole", "text"), lambda x, n, f: _pad(x, n, f, True), None,
       _E('lpad("7", 3, "0")', "007"), partial=True),
    _t("rpad", "The text filled up at its end to a length; cut when longer.", ("text", "whole", "text"), lambda x, n, f: _pad(x, n, f, False), None,
       _E('rpad("7", 3, "0")', "700"), partial=True),
    _t("instr", "Where a part begins, or -1.", ("text", "text"), _find,
       lambda x, p: exp.Sub(this=call("instr", x, p), expression=number(1)), _E('instr("abc", "c")', 2), result=INTEGER),
    _t("split", "The parts between the separators.", ("text", "text"), _split, _split_sql, _E('split("a:b", ":")', ["a", "b"]),
       result=ListType(STRING), also=("explode",)),
    _t("extract_regex", "The first match of an RE2 expression: its first group, or all of it; null without a match.", ("text", "text"), _extract, None,
       _E('extract_regex("a=12", "a=([0-9]+)")', "12"), literal=(1,)),
    _t("matches_regex", "Does the whole text match an RE2 expression?", ("text", "text"), lambda x, p: re2.fullmatch(p, x) is not None,
       lambda x, p: call("regexp_full_match", x, p), _E('matches_regex("ab1", "[a-z]+[0-9]")', True), result=BOOLEAN, literal=(1,)),
    _t("equals_ignore_case", "Are two texts equal but for case?", ("text", "text"), lambda a, b: fold(a) == fold(b),
       lambda a, b: exp.EQ(this=lower_sql(a), expression=lower_sql(b)), _E('equals_ignore_case("A", "a")', True), result=BOOLEAN, also=("equalsIgnoreCase",)),
    _t("sha256", "The SHA-256 digest of the text as UTF-8, in hexadecimal.", ("text",), _sha("sha256"), lambda x: call("sha256", x),
       _E('left(sha256("a"), 8)', "ca978112")),
    _t("sha1", "The SHA-1 digest, in hexadecimal.", ("text",), _sha("sha1"), lambda x: call("sha1", x), _E('left(sha1("a"), 8)', "86f7e437")),
    _t("md5", "The MD5 digest, in hexadecimal.", ("text",), _sha("md5"), lambda x: call("md5", x), _E('left(md5("a"), 8)', "0cc175b9")),
)  # fmt: skip
