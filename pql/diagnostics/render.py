"""How findings are shown: the table of output formats, each a pure function from findings to text.

Must not print and must not know who prints. The faces look a format up in `FORMATS` and write what it returns, with a
line break behind it; to see how people's output is made, read `render_text.render_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.render_github import render_github
from pql.diagnostics.render_json import as_json, render_json
from pql.diagnostics.render_junit import render_junit
from pql.diagnostics.render_sarif import render_sarif
from pql.diagnostics.render_text import render_text, summary

__all__ = [
    "FORMATS",
    "Format",
    "as_json",
    "render_github",
    "render_json",
    "render_junit",
    "render_sarif",
    "render_text",
    "summary",
]


class Format(Protocol):
    """An output format. `files` are the names of what was checked; `color` is heeded by `text` alone."""

    def __call__(self, diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str: ...


def _text(diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str:
    """The findings, an empty line, the summary."""
    return "\n\n".join(filter(None, (render_text(diagnostics, color), summary(diagnostics, files))))


def _json(diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str:
    return render_json(diagnostics, files)


def _sarif(diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str:
    return render_sarif(diagnostics, files)


def _github(diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str:
    return render_github(diagnostics)


def _junit(diagnostics: Sequence[Diagnostic], *, files: Sequence[str] = (), color: bool = False) -> str:
    return render_junit(diagnostics, files)


FORMATS: dict[str, Format] = {"text": _text, "json": _json, "sarif": _sarif, "github": _github, "junit": _junit}
