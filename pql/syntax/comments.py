"""Reading a text that is known to parse token by token, for the formatter, with the comments between the tokens.

A comment stays between the two tokens where its author put it, and keeps its manner: behind a token at a line's end
(`trailing`), on its own lines (`own`), or inside a line before the next token (`glued`). The formatter writes each back
in the same manner, which is why formatting twice changes nothing. Only comments in front of a comma move behind it.
Must not know the grammar. Read `Reader.take`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pql.syntax.layout import SPACE, Doc, Fresh, Remark, cat

_BLANKS = re.compile(r"\s*")
_COMMENT = re.compile(r"//[^\n]*|/\*(?s:.)*?\*/")
_TIGHT = frozenset(")]},.:")


class Lost(Exception):
    """The text is not what the tree says: a bug of the formatter, never of the user."""


@dataclass(slots=True)
class Gap:
    """What stands between two tokens. `own` pairs each comment with whether an empty line is above it."""

    trailing: list[str] = field(default_factory=list)
    own: list[tuple[bool, str]] = field(default_factory=list)
    glued: list[str] = field(default_factory=list)
    blank: bool = False  # an empty line above the next token, or above what is glued to it

    @property
    def forced(self) -> bool:
        """Must the next token begin a line?"""
        return bool(self.trailing or self.own)


class Reader:
    """A cursor over the text. `gap` is what stands between the last token taken and the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.carried: list[tuple[int, str]] = []
        self.gap = self._read_gap(0, begins=True)

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """Is the next token one of these?"""
        return pattern.match(self.text, self.at) is not None

    def take(self, pattern: re.Pattern[str], shown: str = "", blank: str = "") -> Doc:
        """The next token with its comments; printed as `shown` when that is given.

        `blank`: empty lines above the token and its comments are dropped (""), kept ("keep"), kept but for the topmost
        ("first"), or kept with one above it all ("force"). All but "" also begin a line.
        """
        match = pattern.match(self.text, self.at)
        if match is None:
            raise Lost(f"{pattern.pattern} at {self.at}: {self.text[self.at : self.at + 40]!r}")
        token = shown or match.group()
        lead = self._lead(token, blank)
        self.gap = self._read_gap(match.end())
        if not lead and not self.gap.trailing:
            return token
        return cat(*lead, token, *(Remark(t) for t in self.gap.trailing))

    def skip(self, signs: int) -> None:
        """Drops that many signs, known to have no comments between them."""
        for _ in range(signs):
            self.gap = self._read_gap(self.at + 1)

    def lead(self) -> Doc:
        """The comments before the next token that make it begin a line: out of the group that the token begins."""
        if not self.gap.forced:
            return ""
        doc = cat(*(d for _, text in self.gap.own for d in (Fresh(), text)), Fresh())
        self.gap = Gap(glued=self.gap.glued)
        return doc

    def own_lines(self, blanks: bool = False) -> Doc:
        """The comments on own lines before a closing bracket or the end: they belong inside, indented like the rest."""
        docs: list[Doc] = []
        for blank, text in self.gap.own:
            docs += [Fresh(blank and blanks), text]
        self.gap.own = []
        return cat(*docs)

    def _lead(self, token: str, blank: str) -> list[Doc]:
        gap, docs = self.gap, list[Doc]()
        if not (blank or gap.own or gap.trailing or gap.glued):
            return docs
        above = [b for b, _ in gap.own] + [gap.blank]
        if not blank:
            above = [False] * len(above)
        elif blank != "keep":
            above[0] = blank == "force"
        for (_, text), empty in zip(gap.own, above, strict=False):
            docs += [Fresh(empty), text]
        if gap.forced or blank:
            docs.append(Fresh(above[-1]))
        for text in gap.glued:
            docs += [SPACE, text] if token in _TIGHT else [text, SPACE]
        return docs

    def _read_gap(self, start: int, begins: bool = False) -> Gap:
        """Reads on to the next token and returns what it passed over."""
        text, at = self.text, _skip(self.text, start)
        breaks = text.count("\n", start, at) if at > start else 0
        if not begins and not self.carried and not text.startswith("/", at):
            self.at = at
            return Gap(blank=breaks > 1)
        found, self.carried = self.carried, []
        least = 1 if found or begins else 0  # what is carried here had a line break behind it
        while comment := _COMMENT.match(text, at):
            found.append((max(breaks, least), _clean(comment.group())))
            at = _skip(text, comment.end())
            breaks, least = text.count("\n", comment.end(), at), 0
        self.at = at
        gap, glued = _sort(found, max(breaks, least) + (at == len(text)))
        if text.startswith(",", at) and gap.forced:
            self.carried = found[: len(found) - glued]
            return Gap(glued=gap.glued)
        return gap


def _skip(text: str, start: int) -> int:
    match = _BLANKS.match(text, start)
    return match.end() if match else start


def _clean(comment: str) -> str:
    return "\n".join(line.rstrip() for line in comment.split("\n"))


def _sort(found: list[tuple[int, str]], last: int) -> tuple[Gap, int]:
    """Comments, each with the line breaks above it, and the breaks below the last; also how many of them are glued."""
    behind = 0
    while behind < len(found) and found[behind][0] == 0:
        behind += 1
    glued = 0
    below = last
    while glued < len(found) and below == 0:
        glued += 1
        below = found[-glued][0]
    if glued == len(found):
        behind = 0
    first = len(found) - glued
    gap = Gap(
        trailing=[text for _, text in found[:behind]],
        own=[(breaks > 1, text) for breaks, text in found[behind:first]],
        glued=[text for _, text in found[first:]],
        blank=(found[first][0] if glued else last) > 1,
    )
    return gap, glued
