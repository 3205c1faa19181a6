"""What a finding is: data, never text with colours.

Must not know how it is printed (`render`) nor which codes exist (`codes`). Read `Diagnostic` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pql.source import Source, Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Label:
    """A place that the finding talks about besides its main one, with what is to be said there."""

    source: Source
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement of `span` by `text` that would make the finding go away."""

    message: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` is one lower-case line in the user's words; advice goes into `help`."""

    code: str
    severity: Severity
    message: str
    source: Source
    span: Span
    label: str = ""
    help: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR
