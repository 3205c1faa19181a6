"""A small pretty printer: documents of text, lines and groups, laid out within a width (after Wadler and Prettier).

A group stands on one line when it fits and nothing in it must break; otherwise its own lines break. Must not know PQL.
Read `render`, then the kinds of document above it. A document is also any plain text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Line:
    """A place where the line may break; `flat` stands there when it does not. `breaks`: it always does."""

    flat: str = " "
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Fresh:
    """What follows begins a line: breaks the line unless it is still empty. `blank`: with an empty line above."""

    blank: bool = False
    breaks: bool = True


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment behind other text. A line break follows it, so it may stick out and does not count in a line."""

    text: str
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple[Doc, ...]
    breaks: bool


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines inside are indented by `by` more."""

    by: int
    inner: Doc
    breaks: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "breaks", must_break(self.inner))


@dataclass(frozen=True, slots=True)
class Group:
    inner: Doc
    breaks: bool


Doc = str | Line | Fresh | Remark | Concat | Nest | Group

SPACE = " "
LINE = Line(" ")
SOFT = Line("")
HARD = Line(" ", breaks=True)


def must_break(doc: Doc) -> bool:
    return not isinstance(doc, str) and doc.breaks


def cat(*parts: Doc) -> Doc:
    return Concat(parts, any(not isinstance(p, str) and p.breaks for p in parts))


def group(*parts: Doc, broken: bool = False) -> Doc:
    inner = cat(*parts)
    return Group(inner, broken or must_break(inner))


def nest(*parts: Doc, by: int = 2) -> Doc:
    return Nest(by, cat(*parts))


def joined(parts: Iterable[Doc], separator: Doc) -> Doc:
    out: list[Doc] = []
    for part in parts:
        out += [separator, part] if out else [part]
    return cat(*out)


class _Page:
    """The text so far. Line breaks and single spaces wait until text follows, so none is left at a line's end."""

    def __init__(self, indent: int) -> None:
        self.out: list[str] = []
        self.column = self.margin = indent
        self.waiting = 0  # line breaks not yet written
        self.fresh = True
        self.space = False

    def text(self, value: str) -> None:
        if value == SPACE:
            if not self.fresh:
                self.space = True
                self.column += 1
            return
        if not value:
            return
        if self.fresh:
            self.out.append("\n" * self.waiting + " " * self.margin)
            self.waiting, self.fresh, self.space = 0, False, False
        elif self.space:
            self.out.append(SPACE)
            self.space = False
        self.out.append(value)
        broken = value.rfind("\n")
        self.column = self.column + len(value) if broken < 0 else len(value) - broken - 1

    def newline(self, margin: int, blank: bool = False) -> None:
        if self.out:
            self.waiting = max(self.waiting, 2 if blank else 1)
        self.margin = self.column = margin
        self.fresh, self.space = True, False


def render(doc: Doc, width: int, indent: int = 0) -> str:
    """Lay `doc` out, every line indented by `indent` or more. No line ends in white space; no final line break."""
    page = _Page(indent)
    stack: list[tuple[int, bool, Doc]] = [(indent, True, doc)]
    while stack:
        margin, broken, part = stack.pop()
        match part:
            case str():
                page.text(part)
            case Concat(parts):
                stack.extend((margin, broken, p) for p in reversed(parts))
            case Nest(by, inner):
                stack.append((margin + by, broken, inner))
            case Group(inner, breaks):
                fits = not breaks and _fits(inner, width - page.column, stack)
                stack.append((margin, not fits, inner))
            case Line(flat):
                if broken:
                    page.newline(margin)
                else:
                    page.text(flat)
            case Fresh(blank):
                page.newline(page.margin if page.fresh else margin, blank)
            case Remark(value):
                page.text(SPACE)
                page.text(SPACE + value if not page.fresh else value)
            case _:
                assert_never(part)
    return "".join(page.out)


def _fits(doc: Doc, room: int, rest: list[tuple[int, bool, Doc]]) -> bool:
    """Whether `doc` on one line, with what follows it up to the next place where the line can break, fits."""
    todo: list[tuple[bool, Doc]] = [(False, doc)]
    beyond = len(rest)
    while room >= 0:
        if not todo:
            if beyond == 0:
                return True
            beyond -= 1
            todo.append(rest[beyond][1:])
        broken, part = todo.pop()
        match part:
            case str():
                if "\n" in part:
                    return room >= part.index("\n")
                room -= len(part)
            case Concat(parts):
                todo.extend((broken, p) for p in reversed(parts))
            case Nest(_, inner) | Group(inner, _):
                todo.append((broken, inner))
            case Line(flat):
                if broken:
                    return True
                room -= len(flat)
            case Fresh() | Remark():
                return True
            case _:
                assert_never(part)
    return False
