r"""Findings for programs: one JSON object whose shape is stable.

    {"version": 1,
     "diagnostics": [{"code": "PQL0201", "severity": "error|warning|hint", "message": "…", "file": "segments/vip.pql",
                      "range": {"start": {"line": 3, "column": 16, "offset": 40}, "end": {…}},
                      "label": "…", "help": ["…"],
                      "labels": [{"file": "…", "range": {…}, "message": "…"}],
                      "fixes": [{"message": "…", "range": {…}, "text": "…"}]}],
     "summary": {"errors": 1, "warnings": 0, "hints": 0, "files": 1}}

Lines and columns count from 1, offsets from 0, all in Unicode code points; `end` is the first place behind the range.
`files` counts the files that were checked or have a finding. Every key is always there. Keys may be added; a change of
meaning raises `version`. The text is ASCII: other characters are written as `\uXXXX`. Read `render_json` first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pql.diagnostics.model import Diagnostic, Severity
from pql.source import Source, Span

VERSION = 1


def render_json(diagnostics: Sequence[Diagnostic], files: Sequence[str] = (), indent: int | None = 2) -> str:
    """The object of this module's docstring; `indent=None` puts it on one line."""
    return json.dumps(
        {
            "version": VERSION,
            "diagnostics": [as_json(d) for d in diagnostics],
            "summary": {
                "errors": sum(d.severity is Severity.ERROR for d in diagnostics),
                "warnings": sum(d.severity is Severity.WARNING for d in diagnostics),
                "hints": sum(d.severity is Severity.HINT for d in diagnostics),
                "files": len({*files, *(d.source.name for d in diagnostics)}),
            },
        },
        indent=indent,
    )


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One finding as plain data, for whoever sends findings in an envelope of their own."""
    source = diagnostic.source
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "file": source.name,
        "range": _range(source, diagnostic.span),
        "label": diagnostic.label,
        "help": list(diagnostic.help),
        "labels": [
            {"file": label.source.name, "range": _range(label.source, label.span), "message": label.message}
            for label in diagnostic.labels
        ],
        "fixes": [
            {"message": fix.message, "range": _range(source, fix.span), "text": fix.text} for fix in diagnostic.fixes
        ],
    }


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(source, span.start), "end": _position(source, max(span.start, span.end))}


def _position(source: Source, offset: int) -> dict[str, int]:
    offset = max(0, min(offset, len(source.text)))
    place = source.location(offset)
    return {"line": place.line, "column": place.column, "offset": offset}
