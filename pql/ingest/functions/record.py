"""What the table holds of a mapping function: one record, read by the checker, by the SQL compiler, by the evaluator
and by the docs.

`sql` and `python` are the same function twice: over sqlglot trees in the DuckDB dialect, and over Python values that
are not null. Where SQL is not sure it gives null on arguments that are not null (`partial`); the row is then worked out
in Python, which has the last word. Must not know sources or the store. Read `MappingFunction`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from pql.types import Type

Sql = exp.Expression


class Misfit(Exception):
    """A value that a function or a field of the schema cannot take. The row goes to quarantine with this message."""

    def __init__(self, message: str, code: str = "PQL0825", path: str = "") -> None:
        super().__init__(message)
        self.code, self.path = code, path


@dataclass(frozen=True)
class Example:
    """`expression`, evaluated over an empty record, gives `value` (JSON form)."""

    expression: str
    value: Any


@dataclass(frozen=True)
class MappingFunction:
    """A function of mappings.

    `takes`: the kind of each argument, of `text number whole boolean date moment scalar list any`; `variadic` repeats
    the last one, `optional` counts trailing ones that may be left out, `literal` the positions that must be literals.
    `result`: a type, or `first` (the type of the first argument), `element` (of its elements), `list` (of the first
    argument's type). `partial`: may fail. `nulls`: `none` (null when an argument is null) or `given` (the function sees
    nulls). `sql` may be missing: rows are then worked out in Python.
    """

    name: str
    doc: str
    category: str
    takes: tuple[str, ...]
    result: Type | str
    python: Callable[..., Any]
    sql: Callable[..., Sql | None] | None = None
    optional: int = 0
    variadic: bool = False
    partial: bool = False
    nulls: str = "none"
    literal: tuple[int, ...] = ()
    examples: tuple[Example, ...] = ()
    also: tuple[str, ...] = ()
    operator: bool = False

    def kind(self, index: int) -> str:
        return self.takes[min(index, len(self.takes) - 1)]

    def accepts(self, count: int) -> bool:
        return count >= len(self.takes) - self.optional and (self.variadic or count <= len(self.takes))

    @property
    def signature(self) -> str:
        least = len(self.takes) - self.optional
        words = [k if i < least else f"[{k}]" for i, k in enumerate(self.takes)]
        return f"{self.name}({', '.join(words)}{', …' if self.variadic else ''})"
