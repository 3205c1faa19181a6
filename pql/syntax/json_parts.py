"""pql/json, reading: the parts of a document that are no expressions, each checked, and what is said when one is wrong.

Must not know nodes (`json_read`). Read `Parts.all_of` and `Wrong`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeGuard, TypeVar

from pql.diagnostics.codes import CODES
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.source import NOWHERE, Source, Span
from pql.syntax import ast
from pql.syntax.build import INTEGER_LIMIT, MAX_AMOUNT, MICRO, NUMBER_LIMIT
from pql.syntax.format_plain import writable
from pql.syntax.scan import MAX_TOKENS

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
UNITS = (
    "millisecond", "second", "minute", "hour", "day", "week", "month", "year", "decade", "century", "millennium",
)  # fmt: skip
MOST = 50
T = TypeVar("T")


class Wrong(Exception):
    """A part that is not what it has to be; caught at the nearest list, so that what stands beside it is read too."""

    def __init__(self, path: str, message: str, help: str = "", code: str = "PQL0812") -> None:
        super().__init__(message)
        self.path, self.help, self.code = path, help, code


class Parts:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def report(self, wrong: Wrong) -> None:
        once = wrong.code == "PQL0003" and any(d.code == wrong.code for d in self.found)
        if len(self.found) < MOST and not once:
            helps = (wrong.help,) if wrong.help else ()
            path = wrong.path if len(wrong.path) < 120 else f"…{wrong.path[-110:]}"
            span = place(self.source.text, wrong.path) if self.source.text else NOWHERE
            severity = CODES[wrong.code].severity
            self.found.append(Diagnostic(wrong.code, severity, f"`{path}`: {wrong}", self.source, span, help=helps))

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What `read` returns; when the document is wrong there, None, and it is reported."""
        try:
            return read()
        except Wrong as wrong:
            if str(wrong):
                self.report(wrong)
            return None

    # --- collections ---
    def all_of(self, items: object, path: str, read: Callable[[object, str], T], least: int = 0) -> tuple[T, ...]:
        """Each item of a list; all of them are looked at, even if some are wrong."""
        if not isinstance(items, list | tuple):
            raise Wrong(path, f"a list is expected, not {shown(items)}")
        if len(items) < least:
            raise Wrong(path, f"at least {least} {'item is' if least == 1 else 'items are'} expected here")
        if len(items) > MAX_TOKENS:
            raise Wrong(path, f"more than {MAX_TOKENS:,} items", code="PQL0003")
        before, out = len(self.found), list[T]()
        for at, item in enumerate(items):
            try:
                out.append(read(item, f"{path}[{at}]"))
            except Wrong as wrong:
                if str(wrong):
                    self.report(wrong)
        if len(self.found) > before or len(out) < len(items):
            raise Wrong(path, "")  # said already
        return tuple(out)

    def record(self, value: object, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong(path, f"an object is expected, not {shown(value)}")
        return value

    def keys(self, value: dict[str, Any], path: str, *known: str) -> None:
        """No other keys than these: one that nobody reads could be a mistyped one that matters."""
        for key in value:
            if key not in known:
                raise Wrong(path, f"unknown key {shown(key)}", did_you_mean(str(key)[:60], known))

    def part(self, value: dict[str, Any], key: str, path: str) -> object:
        if key not in value:
            raise Wrong(path, f"the key `{key}` is missing")
        return value[key]

    # --- values ---
    def text(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            raise Wrong(path, f"a string is expected, not {shown(value)}")
        if _SURROGATE.search(value):
            raise Wrong(path, "this string is not valid Unicode: it holds half a surrogate pair")
        return value

    def name(self, value: object, path: str) -> str:
        name = self.text(value, path)
        if not writable(name):
            raise Wrong(
                path, f"{shown(name)} cannot be a name", "a name is not empty, and has no back-quote or line break"
            )
        return name

    def field_name(self, value: object, path: str, quoted: bool) -> str:
        """A field's name; the older notations `xdm:name` and `xdm:@name` are accepted, as in text."""
        name = self.name(value, path)
        if quoted or not name.startswith("xdm:"):
            return name
        return self.name("_" + name[5:] if name.startswith("xdm:@") else name[4:], path)

    def entity(self, value: object, path: str) -> str:
        text = self.text(value, path)
        if "}" in text or "\n" in text:
            raise Wrong(path, "an entity's name cannot hold `}` or a line break")
        return text

    def choice(self, value: object, path: str, known: Iterable[str]) -> str:
        if isinstance(value, str) and value in known:
            return value
        help = did_you_mean(value, known) if isinstance(value, str) else ""
        raise Wrong(path, f"{shown(value)} is not known here", help or "known are " + ", ".join(known))

    def flag(self, value: dict[str, Any], key: str, path: str) -> bool:
        return self.truth(value.get(key, False), f"{path}.{key}")

    def truth(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            raise Wrong(path, f"true or false is expected, not {shown(value)}")
        return value

    def whole(self, value: object, path: str, most: int = MAX_AMOUNT, least: int = 0) -> int:
        if not is_integer(value) or not least <= value <= most:
            raise Wrong(path, f"a whole number from {least} to {most:,} is expected, not {shown(value)}")
        return value

    def number(self, value: object, path: str, integer: bool) -> ast.Literal:
        """A number, or a string of its digits: JSON's own numbers are not exact everywhere."""
        number = _decimal(value)
        if number is None:
            raise Wrong(path, f"a number is expected, not {shown(value)}")
        if not integer:
            if abs(number) >= NUMBER_LIMIT:
                raise Wrong(
                    path, "number outside the range of `number`: at most 12 digits before the point", code="PQL0106"
                )
            return ast.Literal("number", number.quantize(MICRO, ROUND_HALF_UP).normalize() + 0)
        if abs(number) > INTEGER_LIMIT:
            raise Wrong(
                path, "number outside the 64-bit range", "write it as a string if it is an identifier", "PQL0106"
            )
        if number != int(number):
            raise Wrong(path, f"{shown(value)} is not a whole number", "its `literalType` is Number")
        return ast.Literal("integer", int(number))

    def plain(self, value: object, path: str) -> ast.Literal:
        """A value without a type beside it."""
        if value is None:
            return ast.Literal("null", None)
        if isinstance(value, bool):
            return ast.Literal("boolean", value)
        if isinstance(value, str):
            return ast.Literal("string", self.text(value, path))
        return self.number(value, path, is_integer(value))

    def count(self, value: object, path: str) -> ast.Count:
        one = self.record(value, path)
        known = (*COMPARISONS, "between", "all")
        operator = self.choice(self.part(one, "operator", path), f"{path}.operator", known)
        wanted = {"all": (), "between": ("low", "high")}.get(operator, ("value",))
        self.keys(one, path, "operator", *wanted)
        numbers = [self.whole(self.part(one, key, path), f"{path}.{key}") for key in wanted]
        low, high = (*numbers, 0, 0)[:2]
        return ast.Count(operator, low, high)


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?")


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) and value.isascii() else None
    if isinstance(value, int):
        return Decimal(value) if abs(value) <= 10**40 else Decimal(10**40)
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else value
    except InvalidOperation:  # pragma: no cover - a float's own text is always a number
        return None
    return number if isinstance(number, Decimal) and number.is_finite() else None


def is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: object) -> str:
    """A value as a message shows it: in back-quotes, on one line, not long."""
    match value:
        case str():
            text = json.dumps(value, ensure_ascii=bool(_SURROGATE.search(value)))[1:-1] or '""'
        case None | bool():
            text = json.dumps(value)
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case int() if abs(value) >= 10**40:
            return "a very large number"
        case _:
            text = str(value)
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


_KEY = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_SPACE = re.compile(r"[ \t\r\n]*")


def place(text: str, path: str) -> Span:
    """Where the value at a JSON path stands in a JSON text; the nearest value around it that is there."""
    decoder, at = json.JSONDecoder(), _skip(text, 0)
    try:
        for match in _KEY.finditer(path):
            found = _enter(text, at, decoder, match.group(1), int(match.group(2) or 0))
            if found is None:
                break
            at = found
        _, end = decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        return Span(at, min(at + 1, len(text)))
    return Span(at, end if end - at <= 80 else at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _enter(text: str, at: int, decoder: json.JSONDecoder, key: str | None, index: int) -> int | None:
    """The offset of an object's or a list's value, both given by the offset of their first sign."""
    if text[at : at + 1] != ("[" if key is None else "{"):
        return None
    at, seen = _skip(text, at + 1), 0
    while text[at : at + 1] not in ("]", "}", ""):
        if key is not None:
            name, at = decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
            if name == key:
                return at
        elif seen == index:
            return at
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + (text[at : at + 1] == ","))
        seen += 1
    return None
