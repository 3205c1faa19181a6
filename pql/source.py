"""A source text and places in it.

Ground floor: knows nothing of PQL. Read `Source.location` first.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets, `[start, end)`, in one source."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def shift(self, by: int) -> Span:
        return Span(self.start + by, self.end + by)


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class UsedSpan(Span):
    """A place in the text of a definition or attribute, seen from where its name is used: `start` and `end` are the
    name's place in the text that uses it, `inner` is the place in `source`, where the definition stands."""

    kind: str
    name: str
    source: Source
    inner: Span


@dataclass(frozen=True, slots=True)
class Location:
    """A place as people count it: line and column from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A named text. `name` is what diagnostics print: a path, or something like `<expression>`."""

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        object.__setattr__(self, "_starts", tuple(starts))

    def location(self, offset: int) -> Location:
        """Where the character at `offset` stands; offsets past the end are clamped."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset)
        return Location(line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line break; empty when there is no such line."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")

    def slice(self, span: Span) -> str:
        return self.text[span.start : span.end]
