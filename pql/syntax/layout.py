"""A small pretty printer: documents of text, lines and groups, laid out within a width (Wadler, Oppen).

A group stands on one line when it fits and has nothing in it that must break; otherwise its own lines break. Must not
know PQL. Read `render`, then the constructors `text`, `line`, `group`, `nest`, `align`, `suffix`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A place where the line may break; `flat` stands there when it does not."""

    flat: str = " "
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple[Doc, ...]
    breaks: bool


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines inside are indented by `by` more; with `by` of None, to the column where the document starts."""

    by: int | None
    inner: Doc
    breaks: bool


@dataclass(frozen=True, slots=True)
class Group:
    inner: Doc
    breaks: bool


@dataclass(frozen=True, slots=True)
class Suffix:
    """Text that waits for the end of the line it is on: a comment that runs to the line's end."""

    value: str
    breaks: bool = True


Doc = Text | Line | Concat | Nest | Group | Suffix

LINE = Line(" ")
SOFT = Line("")
HARD = Line(" ", breaks=True)
EMPTY = Text("")


def text(value: str) -> Doc:
    return Text(value, "\n" in value)


def concat(*parts: Doc) -> Doc:
    return Concat(parts, any(p.breaks for p in parts))


def nest(by: int, inner: Doc) -> Doc:
    return Nest(by, inner, inner.breaks)


def align(inner: Doc) -> Doc:
    return Nest(None, inner, inner.breaks)


def group(inner: Doc, broken: bool = False) -> Doc:
    return Group(inner, inner.breaks or broken)


def suffix(value: str) -> Doc:
    return Suffix(value)


def join(separator: Doc, parts: Iterable[Doc]) -> Doc:
    joined: list[Doc] = []
    for part in parts:
        if joined:
            joined.append(separator)
        joined.append(part)
    return concat(*joined)


def flat_text(doc: Doc) -> str:
    """The document on one line, whatever its length; only a line break inside a text breaks it."""
    out: list[str] = []
    todo = [doc]
    while todo:
        match todo.pop():
            case Text(value):
                out.append(value)
            case Suffix(value):
                out.append("  " + value)
            case Line(flat):
                out.append(flat)
            case Concat(parts):
                todo.extend(reversed(parts))
            case Nest(_, inner) | Group(inner):
                todo.append(inner)
    return "".join(out)


def render(doc: Doc, width: int, indent: int = 0, column: int | None = None) -> str:
    """Lay `doc` out; the first line starts at `column` (default: `indent`), broken lines at `indent` or deeper."""
    out: list[str] = []
    waiting: list[str] = []
    pending = 0
    column = indent if column is None else column
    stack: list[tuple[int, bool, Doc]] = [(indent, True, doc)]
    while stack:
        margin, broken, part = stack.pop()
        match part:
            case Text(value):
                if value:
                    out.append(" " * pending + value)
                    pending = 0
                column = len(value) - value.rfind("\n") - 1 if "\n" in value else column + len(value)
            case Suffix(value):
                waiting.append("  " + value)
            case Line(flat):
                if broken:
                    out.extend(waiting)
                    waiting.clear()
                    out.append("\n")
                    pending = column = margin
                else:
                    out.append(flat)
                    column += len(flat)
            case Concat(parts):
                stack.extend((margin, broken, p) for p in reversed(parts))
            case Nest(by, inner):
                stack.append((column if by is None else margin + by, broken, inner))
            case Group(inner, breaks):
                fits = not breaks and _fits(inner, width - column, stack)
                stack.append((margin, not fits, inner))
            case _:
                assert_never(part)
    return "".join([*out, *waiting])


def _fits(doc: Doc, room: int, rest: list[tuple[int, bool, Doc]]) -> bool:
    """Whether `doc` on one line, and what follows it up to the next broken line, needs at most `room` columns."""
    todo: list[tuple[bool, Doc]] = [(False, doc)]
    beyond = len(rest)
    while room >= 0:
        if not todo:
            if beyond == 0:
                return True
            beyond -= 1
            _, broken, part = rest[beyond]
            todo.append((broken, part))
        broken, part = todo.pop()
        match part:
            case Text(value):
                room -= len(value)
            case Line(flat):
                if broken:
                    return True
                room -= len(flat)
            case Concat(parts):
                todo.extend((broken, p) for p in reversed(parts))
            case Nest(_, inner):
                todo.append((broken, inner))
            case Group(inner, breaks):
                todo.append((broken and breaks, inner))
            case Suffix():
                pass
    return False
