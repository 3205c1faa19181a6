"""One source line as it is printed: cut to the room there is, with the columns of what is marked in it.

Knows characters and their widths, nothing of findings. Read `strips` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pql.diagnostics.render_cells import cells

DOTS = "…"
_WHOLE = 2000  # a line with more characters is never measured as a whole
_BEFORE = 20  # columns kept to the left of a mark that is wider than the room


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters `[start, stop)` of a line, for `owner`'s sake; `stop` may lie one past the end of the line."""

    start: int
    stop: int
    owner: object


@dataclass(frozen=True, slots=True)
class Strip:
    """A part of a line from character `low` on. `edges[i]` is the column where the i-th of its characters begins."""

    text: str
    low: int
    edges: tuple[int, ...]
    marks: tuple[Mark, ...]

    def columns(self, mark: Mark) -> tuple[int, int]:
        """The columns that the mark covers here: at least one, cut at the strip's right end."""
        most = len(self.edges) - 1
        first = max(0, min(mark.start - self.low, most))
        last = max(0, min(mark.stop - self.low, most))
        while 0 < first < most and self.edges[first] == self.edges[first + 1]:
            first -= 1  # a combining character stands where its base stands
        return self.edges[first], max(self.edges[last], self.edges[first] + 1)

    def holds(self, mark: Mark) -> bool:
        return self.low <= mark.start and mark.stop <= self.low + len(self.edges) - 1


def strips(line: str, marks: list[Mark], room: int) -> Iterator[Strip]:
    """The line as one strip when it fits, else one strip round each mark; marks near each other share one.

    A line without marks that does not fit is cut on the right.
    """
    order = sorted(marks, key=lambda m: (m.start, m.stop))
    if len(line) <= _WHOLE:
        whole = cells(line)
        if sum(width for _, width in whole) <= room:
            yield _strip(whole, 0, tuple(order), False, False)
            return
    if not marks:
        yield _window(line, Mark(0, 1, None), room)
    left = list(marks)
    while left:
        window = _window(line, left[0], room)
        inside = tuple(m for m in order if m in left and (m is left[0] or window.holds(m)))
        yield Strip(window.text, window.low, window.edges, inside)
        left = [m for m in left if m not in inside]


def _window(line: str, mark: Mark, room: int) -> Strip:
    """The part of the line round the mark that fits; the mark in the middle, or its start when it is too wide."""
    base = max(0, min(mark.start, len(line)) - room)
    limit = min(len(line), mark.start + 2 * room)
    part = cells(line[base:limit])
    first = min(mark.start, len(line)) - base
    last = min(max(mark.stop - base, first), len(part))
    inner = sum(width for _, width in part[first:last])
    budget = room - 2
    wanted = max(0, budget - inner) // 2 if inner < budget else min(_BEFORE, budget // 4)
    low, used = first, 0
    while low > 0 and used + part[low - 1][1] <= wanted:
        low -= 1
        used += part[low][1]
    high = first
    while high < len(part) and used + part[high][1] <= budget:
        used += part[high][1]
        high += 1
    while low > 0 and used + part[low - 1][1] <= budget:
        low -= 1
        used += part[low][1]
    return _strip(part[low:high], base + low, (), base + low > 0, base + high < len(line))


def _strip(part: list[tuple[str, int]], low: int, marks: tuple[Mark, ...], cut: bool, more: bool) -> Strip:
    """The characters of `part` in a row, with dots on the side where something was cut off."""
    column = 1 if cut else 0
    edges = [column]
    for _, width in part:
        column += width
        edges.append(column)
    text = "".join(text for text, _ in part)
    return Strip((DOTS if cut else "") + text + (DOTS if more else ""), low, tuple(edges), marks)
