"""Findings as GitHub workflow commands, one a line, which the runner turns into annotations on the changed files.

`::error file=…,line=…,endLine=…,col=…,endColumn=…,title=PQL0201::message`. The runner drops columns when a place spans
lines, so they are left out there; a source without text or a file name has only what is known of it. Hints are notices.
Everything that could end the command, or begin another, is percent-encoded. Read `render_github` first.
"""

from __future__ import annotations

from collections.abc import Sequence

from pql.diagnostics.model import Diagnostic, Severity
from pql.diagnostics.render_cells import safe

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """One command a finding; label and help stand in the message, below the finding's own line."""
    return "\n".join(_command(d) for d in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    source, span = diagnostic.source, diagnostic.span
    properties: dict[str, str | int] = {}
    if source.name and not source.name.startswith("<"):
        properties["file"] = source.name
    if source.text:
        start, end = source.location(span.start), source.location(max(span.start, span.end))
        properties |= {"line": start.line, "endLine": end.line}
        if start.line == end.line:
            properties |= {"col": start.column, "endColumn": end.column}
    properties["title"] = diagnostic.code
    lines = [diagnostic.message]
    if diagnostic.label:
        lines.append(diagnostic.label)
    lines += [f"help: {line}" for line in diagnostic.help]
    settings = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {settings}::{_escaped(chr(10).join(lines), _DATA)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in safe(text, keep="\r\n"))
