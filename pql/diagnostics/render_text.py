"""Findings for people: the source line, the place underlined, the advice below.

    error[PQL0201]: no field `nmae` in `person`
      --> segments/vip.pql:3:16
       |
     3 |   where person.nmae = "x"
       |                ^^^^ unknown field
       = help: did you mean `name`?

Places that span lines get a bar on their left; a label in another source gets a block of its own, begun with `:::`.
Read `render_text`, then `_Block.rows`; `render_lines` lays out one source line and its markers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pql.diagnostics.model import Diagnostic, Fix, Severity
from pql.diagnostics.render_cells import safe
from pql.diagnostics.render_lines import Mark, strips
from pql.source import Source, Span

_RESET = "\x1b[0m"
_STYLES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "hint": "\x1b[1;36m",
    "frame": "\x1b[1;34m",
    "bold": "\x1b[1m",
}
_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "hint"}
_LONGEST = 6  # a place over more lines than this is shown by its first and last lines
_LEAST = 20  # columns of source that are shown however narrow the terminal
_FIX_SHOWN = 60


def render_text(diagnostics: Sequence[Diagnostic], color: bool = False, width: int = 100) -> str:
    """All findings in the given order, an empty line between two; no line break at the end."""
    return "\n\n".join("\n".join(_one(d, _Paint(color), width)) for d in diagnostics)


def summary(diagnostics: Sequence[Diagnostic], files: Sequence[str] = ()) -> str:
    """`2 errors, 1 warning`, or `no findings`; with `files` also `in 3 files`."""
    counts = [(sum(d.severity is s for d in diagnostics), _NAMES[s]) for s in Severity]
    found = ", ".join(_many(n, word) for n, word in counts if n) or "no findings"
    return f"{found} in {_many(len(files), 'file')}" if files else found


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@dataclass(frozen=True, slots=True)
class _Paint:
    on: bool

    def __call__(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.on and text else text


@dataclass(frozen=True, slots=True)
class _Place:
    """Something to underline: where it begins and where its last character stands (columns from 0)."""

    line: int
    column: int
    last_line: int
    stop: int
    char: str
    style: str
    message: str

    @property
    def many(self) -> bool:
        return self.last_line > self.line

    @property
    def tail(self) -> str:
        return f" {self.message}" if self.message else ""


def _place(source: Source, span: Span, char: str, style: str, message: str) -> _Place:
    start = source.location(span.start)
    column = min(start.column - 1, len(source.line(start.line)))
    if span.end <= span.start:
        return _Place(start.line, column, start.line, column + 1, char, style, safe(message))
    last = source.location(max(span.start, min(span.end, len(source.text)) - 1))
    stop = min(last.column, max(1, len(source.line(last.line))))
    if last.line == start.line:
        stop = max(stop, column + 1)
    return _Place(start.line, column, last.line, stop, char, style, safe(message))


def _one(diagnostic: Diagnostic, paint: _Paint, width: int) -> Iterator[str]:
    name = _NAMES[diagnostic.severity]
    head = f"{name}[{safe(diagnostic.code)}]"
    yield paint(name, head) + paint("bold", f": {safe(diagnostic.message)}")
    blocks = [_Block(diagnostic.source, [_place(diagnostic.source, diagnostic.span, "^", name, diagnostic.label)])]
    for label in diagnostic.labels:
        place = _place(label.source, label.span, "-", "frame", label.message)
        block = next((b for b in blocks if b.source is label.source or b.source == label.source), None)
        if block is None:
            blocks.append(_Block(label.source, [place]))
        else:
            block.places.append(place)
    gutter = max(len(str(place.last_line)) for block in blocks for place in block.places)
    for number, block in enumerate(blocks):
        yield from block.rows(paint, gutter, width, first=number == 0)
    for line in _advice(diagnostic):
        first, *rest = line.split("\n")
        yield " " * (gutter + 2) + paint("frame", "=") + paint("bold", " help") + f": {safe(first)}"
        yield from (" " * (gutter + 10) + safe(more) for more in rest)


def _advice(diagnostic: Diagnostic) -> list[str]:
    lines = list(diagnostic.help)
    lines += [line for line in map(_fix, diagnostic.fixes) if line not in lines]
    return lines


def _fix(fix: Fix) -> str:
    if not fix.text or f"`{fix.text}`" in fix.message or "\n" in fix.text or len(fix.text) > _FIX_SHOWN:
        return fix.message
    return f"{fix.message}: `{fix.text}`"


@dataclass(frozen=True, slots=True)
class _Block:
    """One source with the places in it that a finding names; the first place gives the arrow's position."""

    source: Source
    places: list[_Place]

    def rows(self, paint: _Paint, gutter: int, width: int, first: bool) -> Iterator[str]:
        arrow = "-->" if first else ":::"
        where = safe(self.source.name)
        if self.source.text:
            start = self.places[0]
            where += f":{start.line}:{start.column + 1}"
        yield " " * (gutter + 1) + paint("frame", arrow) + " " + where
        if not self.source.text:
            return
        bar = " " * (gutter + 2) + paint("frame", "|")
        lanes = _Lanes(self.places, paint)
        room = max(_LEAST, width - gutter - 4 - (len(lanes.places) + 1 if lanes.places else 0))
        yield bar
        before = 0
        for line in self._lines():
            if before and line > before + 1:
                yield (paint("frame", "...".ljust(gutter + 2)) + "  " + lanes.gap()).rstrip()
            before = line
            number = paint("frame", f" {line:>{gutter}} |")
            for row, is_source in self._line_rows(line, lanes, room, paint):
                yield f"{number if is_source else bar} {row}".rstrip()

    def _lines(self) -> list[int]:
        """The lines to show; a single hidden line between two is shown too."""
        wanted: set[int] = set()
        for place in self.places:
            if place.last_line - place.line < _LONGEST:
                wanted.update(range(place.line, place.last_line + 1))
            else:
                wanted.update((place.line, place.line + 1, place.line + 2, place.last_line - 1, place.last_line))
        return sorted(wanted | {n + 1 for n in wanted if n + 2 in wanted})

    def _line_rows(self, line: int, lanes: _Lanes, room: int, paint: _Paint) -> Iterator[tuple[str, bool]]:
        """A source line and the marker rows below it; the flag tells the two apart."""
        text = self.source.line(line)
        marks = [Mark(p.column, p.stop, p) for p in self.places if not p.many and p.line == line]
        marks += lanes.enter(line, text)
        for strip in strips(text, marks, room):
            yield lanes.prefix(line) + strip.text, True
            for mark in strip.marks:
                place = mark.owner
                assert isinstance(place, _Place)
                at, stop = strip.columns(mark)
                if place.many:
                    yield lanes.tie(line, place, at), False
                else:
                    row = " " * at + paint(place.style, place.char * (stop - at) + place.tail)
                    yield lanes.prefix(line) + row, False


class _Lanes:
    """The bars left of a block's lines, one for each place of several lines, and which of them are drawn now."""

    def __init__(self, places: list[_Place], paint: _Paint) -> None:
        self.places = [p for p in places if p.many]
        self.paint = paint
        self.drawn: list[bool] = [False] * len(self.places)
        self.corners: set[int] = set()

    def enter(self, line: int, text: str) -> list[Mark]:
        """Begin a source line: the marks of the places that open in its middle, or close in it."""
        marks = []
        for lane, place in enumerate(self.places):
            if place.line == line and not text[: place.column].strip():
                self.corners.add(lane)
            elif place.line == line:
                marks.append(Mark(place.column, place.column + 1, place))
            elif place.last_line == line:
                marks.append(Mark(place.stop - 1, place.stop, place))
        return marks

    def prefix(self, line: int) -> str:
        """The bars before a row; a place that opens at its line's indent gets its corner once."""
        if not self.places:
            return ""
        for lane in self.corners:
            self.drawn[lane] = True
        row = self._bars(len(self.places), self.corners)
        self.corners = set()
        return row + " "

    def _bars(self, count: int, corners: set[int]) -> str:
        return "".join(
            self.paint(self.places[lane].style, "/" if lane in corners else "|") if self.drawn[lane] else " "
            for lane in range(count)
        )

    def gap(self) -> str:
        return self._bars(len(self.places), set())

    def tie(self, line: int, place: _Place, at: int) -> str:
        """The row that ties a bar to the first or the last character of its place."""
        lane = next(i for i, p in enumerate(self.places) if p is place)
        closing = place.last_line == line
        self.drawn[lane] = not closing
        run = "_" * (len(self.places) - lane + at) + place.char
        row = f"|{run}{place.tail}" if closing else f" {run}"
        return self._bars(lane, set()) + self.paint(place.style, row)
