"""A quick look at a text before it is parsed: comments, brackets, bounds, and where declarations begin.

It is what lets one broken segment not hide the next, and it keeps hostile text away from the parser. It knows strings,
comments, brackets and the words that begin a declaration; nothing else of the grammar. Read `scan`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pql.diagnostics.findings import Findings
from pql.source import Source, Span
from pql.syntax.ast import Comment

MAX_CHARACTERS = 4_000_000
MAX_TOKENS = 20_000
MAX_BRACKETS = 60

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*(?s:.)*?\*/)
      | (?P<string>"(?:\\(?s:.)|[^"\\\n])*"|'(?:\\(?s:.)|[^'\\\n])*'|`[^`\n]+`)
      | (?P<entity>@\{[^}\n]{0,200}\})
      | (?P<word>[\w$]+)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<broken>/\*|["'`])
      | (?P<sign>[^\s\w])""",
    re.VERBOSE,
)
_DECLARATION = re.compile(
    r"""(?:segment\s+(?:[^\W\d]\w*|`[^`\n]+`)\s*(?:"(?:\\.|[^"\\\n])*"\s*)?\{
      | (?:define|attribute)\s+(?:[^\W\d]\w*|`[^`\n]+`)\s*=
      | test\s+["'])""",
    re.VERBOSE | re.IGNORECASE,
)
_LOOSE = re.compile(r"(?:segment|define|attribute|test)\s+[\w`\"']", re.IGNORECASE)
_STARTERS = frozenset(("segment", "define", "attribute", "test"))
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass
class Chunk:
    """A stretch of the text that the parser takes at once; `sound` is false when it must not be parsed."""

    start: int
    end: int
    declaration: bool
    sound: bool = True
    tokens: int = 0


@dataclass
class Scan:
    chunks: list[Chunk] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


class _Scanner:
    def __init__(self, source: Source, findings: Findings) -> None:
        self.source, self.findings, self.result = source, findings, Scan()
        self.brackets: list[tuple[str, int]] = []
        self.chunk: Chunk | None = None

    def begin(self, start: int, declaration: bool) -> Chunk:
        self.finish(start)
        self.chunk = Chunk(start, start, declaration)
        self.result.chunks.append(self.chunk)
        return self.chunk

    def finish(self, end: int) -> None:
        if self.chunk is None:
            return
        if self.brackets and self.chunk.sound:
            sign, at = self.brackets[-1]
            self.findings.report("PQL0108", Span(at, at + 1), f"`{sign}` is never closed", label="opened here")
            self.chunk.sound = False
        self.brackets.clear()

    def spoil(self, code: str, span: Span, message: str, help: str = "") -> None:
        if self.chunk is not None and self.chunk.sound:
            self.findings.report(code, span, message, help=help)
            self.chunk.sound = False

    def run(self, expression_only: bool) -> Scan:
        text = self.source.text
        for match in _TOKEN.finditer(text):
            kind, start, end = match.lastgroup, match.start(), match.end()
            if kind == "comment":
                self.result.comments.append(Comment(match.group(), span=Span(start, end)))
                continue
            if kind == "word" and not expression_only and self._starts_declaration(match):
                self.begin(start, True)
            chunk = self.chunk or self.begin(start, False)
            chunk.end, chunk.tokens = end, chunk.tokens + 1
            if chunk.tokens > MAX_TOKENS and chunk.sound:
                message = f"more than {MAX_TOKENS:,} words and signs in one declaration"
                self.spoil("PQL0003", Span(start, end), message, "split it with `define`, or move long lists into data")
            if kind == "open":
                self._open(match.group(), start)
            elif kind == "close":
                self._close(match.group(), start)
            elif kind == "broken":
                self._broken(match.group(), start)
        self.finish(len(text))
        return self.result

    def _starts_declaration(self, match: re.Match[str]) -> bool:
        if match.group().lower() not in _STARTERS:
            return False
        text, start = self.source.text, match.start()
        at_margin = start == 0 or text[start - 1] == "\n"
        if self.brackets and not at_margin:
            return False
        if _DECLARATION.match(text, start):
            return True
        return at_margin and not self.brackets and _LOOSE.match(text, start) is not None

    def _open(self, sign: str, at: int) -> None:
        self.brackets.append((sign, at))
        if len(self.brackets) > MAX_BRACKETS:
            self.spoil("PQL0002", Span(at, at + 1), f"brackets nested more than {MAX_BRACKETS} deep")

    def _close(self, sign: str, at: int) -> None:
        if self.brackets and self.brackets[-1][0] == _PAIRS[sign]:
            self.brackets.pop()
            return
        if self.brackets:
            opened, where = self.brackets[-1]
            message = f"`{sign}` does not close the `{opened}` before it"
            self.spoil("PQL0108", Span(at, at + 1), message, f"the `{opened}` was opened {self._place(where)}")
            self.brackets.pop()
        else:
            self.spoil("PQL0108", Span(at, at + 1), f"`{sign}` closes nothing")

    def _place(self, offset: int) -> str:
        location = self.source.location(offset)
        return f"on line {location.line}, column {location.column}"

    def _broken(self, sign: str, at: int) -> None:
        line_end = self.source.text.find("\n", at)
        span = Span(at, line_end if line_end >= 0 else len(self.source.text))
        if sign == "/*":
            self.spoil("PQL0109", Span(at, at + 2), "comment is never closed", "end it with `*/`")
        elif sign == "`":
            self.spoil("PQL0104", span, "back-quoted name is never closed", "end it with a back-quote")
        else:
            self.spoil("PQL0104", span, "string is never closed", f"end it with `{sign}` on the same line")


def scan(source: Source, findings: Findings, *, expression_only: bool = False) -> Scan:
    """Comments and chunks of `source`; what is broken at this level is reported to `findings`.

    With `expression_only` the whole text is one chunk.
    """
    if len(source.text) > MAX_CHARACTERS:
        findings.report(
            "PQL0001", Span(0, 0), f"text of {len(source.text):,} characters: the limit is {MAX_CHARACTERS:,}"
        )
        return Scan()
    return _Scanner(source, findings).run(expression_only)
