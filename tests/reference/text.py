"""Strings of the reference evaluator. SEMANTICS section 12."""

from __future__ import annotations

from typing import Any

import re2


def lower(text: str) -> str:
    """Full lower-casing, with the final sigma."""
    return text.lower()


def upper(text: str) -> str:
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def like(text: str, pattern: str) -> bool:
    """A whole match; tried by hand, character by character."""
    parts: list[tuple[str, str]] = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and pattern[i + 1 : i + 2] in ("%", "_", "\\"):
            parts.append(("is", pattern[i + 1]))
            i += 2
            continue
        parts.append(("any", "") if c == "%" else ("one", "") if c == "_" else ("is", c))
        i += 1
    reached = {0}
    for kind, c in parts:
        if kind == "any":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {p + 1 for p in reached if p < len(text) and (kind == "one" or text[p] == c)}
    return len(text) in reached


def search(text: str, pattern: str) -> Any:
    return re2.search(pattern, text)


def group(text: str, pattern: str, index: int) -> str | None:
    match = re2.search(pattern, text)
    if match is None:
        return None
    try:
        return match.group(index)  # type: ignore[no-any-return]
    except IndexError:
        return None


TESTS = {
    "startsWith": lambda a, b: a.startswith(b),
    "doesNotStartWith": lambda a, b: not a.startswith(b),
    "endsWith": lambda a, b: a.endswith(b),
    "doesNotEndWith": lambda a, b: not a.endswith(b),
    "contains": lambda a, b: b in a,
    "doesNotContain": lambda a, b: b not in a,
    "equals": lambda a, b: a == b,
    "notEqualTo": lambda a, b: a != b,
}


def test(name: str, text: str | None, part: str | None, flag: bool | None) -> bool:
    """A boolean string function; `flag`: case-sensitive. A null anywhere: false."""
    if text is None or part is None or flag is None:
        return False
    if not flag:
        text, part = lower(text), lower(part)
    return TESTS[name](text, part)


def substring(text: str, start: int, end: int | None) -> str:
    start = max(start, 0)
    return text[start:] if end is None else text[start : max(end, start)]
