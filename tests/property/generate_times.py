"""Distances, references and windows of time, as text. A part of `generate.Texts`. Read `TimeTexts.window`."""

from __future__ import annotations

import random
from typing import Any

from pql.types import (
    DATE,
    TIMESTAMP,
)
from tests.property.worlds import (
    SHORT,
    UNITS,
)


class TimeTexts:
    r: random.Random
    steps: list[str]
    pick: Any
    value: Any
    paths: Any

    def amount(self) -> tuple[int, str]:
        r = self.r
        if r.random() < 0.1:
            return r.choice((0, 1, 2, 9, 100)), r.choice(UNITS)
        return r.choice((0, 1, 1, 2, 3, 3, 7)), r.choice(SHORT)

    def span(self) -> str:
        n, unit = self.amount()
        return f"{n} {unit}{'s' if self.r.random() < 0.5 and unit not in ('century', 'millennium') else ''}"

    def gap(self, step: str) -> str:
        r = self.r
        first = f"{r.choice(('<', '<=', '>', '>=', '=', '!='))} {self.span()} {r.choice(('after', 'after', 'after', 'before'))} {step}"
        return (
            first if r.random() < 0.8 else f"{first} and {r.choice(('<', '<=', '>', '>='))} {self.span()} after {step}"
        )

    def reference(self, depth: int = 0) -> str:
        r, k = self.r, self.r.random()
        if k < 0.4:
            return r.choice(("now", "now", "now", "today", "yesterday", "tomorrow"))
        if k < 0.6:
            return f"{r.choice(('this', 'last', 'next'))} {r.choice(UNITS[:-1])}"
        if k < 0.75:
            return r.choice(("date(2026, 3, 14)", "date(2024, 2, 29)", "date(2026, 3, 31)", "date(2025, 12, 31)"))
        if k < 0.8 and self.steps:
            return r.choice(self.steps)
        if depth > 0 and k < 0.9:
            return f"({self.value(r.choice((DATE, TIMESTAMP)), depth - 1)})"
        return self.leaf(r.choice((DATE, TIMESTAMP)))

    def window(self, yearless: bool = False, depth: int = 0) -> str:
        r, k = self.r, self.r.random()
        if yearless or r.random() < 0.05:
            if k < 0.35:
                return f"{r.choice(('<', '<=', '='))} {self.span()} {r.choice(('before', 'after', 'from'))} {self.reference(depth)} ignoring year"
            if k < 0.55:
                return f"between {self.reference(depth)} and {self.reference(depth)} ignoring year"
            return f"{r.choice(('', 'on ', 'before ', 'after ', 'from '))}{self.reference(depth)} ignoring year"
        if k < 0.6:
            op = r.choice(("<=", "<=", "<=", "<", "<", ">=", ">", "=", "!="))
            direction = r.choice(("before", "before", "before", "after", "from"))
            return f"{op} {self.span()} {direction} {r.choice(('now', 'now', self.reference(depth)))}"
        if k < 0.75:
            return f"between {self.reference(depth)} and {self.reference(depth)}"
        return f"{r.choice(('', 'on ', 'before ', 'after ', 'from '))}{self.reference(depth)}"

    # --- sources of values ---
