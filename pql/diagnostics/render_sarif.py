"""Findings as SARIF 2.1.0, the format that code scanning services read.

Columns count Unicode code points (`columnKind`), from 1, and ends are exclusive. A rule is listed when a finding has
its code. A finding in a source without text (a file that could not be read) has a file and no region. Hints are
notes. Read `render_sarif` first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pql.diagnostics.codes import CODES
from pql.diagnostics.model import Diagnostic, Fix, Severity
from pql.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}
_LINK = re.compile(r"\[(?=[^\]]*\]\()")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")

Json = dict[str, Any]


def render_sarif(diagnostics: Sequence[Diagnostic], files: Sequence[str] = ()) -> str:
    """A log with one run; `files` are listed as what was looked at, findings or none."""
    codes = list(dict.fromkeys(d.code for d in diagnostics))
    rules = {code: index for index, code in enumerate(codes)}
    run: Json = {
        "tool": {"driver": {"name": "pql", "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, rules[d.code]) for d in diagnostics],
    }
    if files:
        run["artifacts"] = [{"location": {"uri": uri(name)}, "roles": ["analysisTarget"]} for name in files]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def uri(name: str) -> str:
    """A file's name as a URI reference: relative names stay relative, absolute ones become `file://…`."""
    if _DRIVE.match(name):
        return f"file:///{name[:2]}" + _quoted(name[2:].replace("\\", "/"))
    return f"file://{_quoted(name)}" if name.startswith("/") else _quoted(name)


def _quoted(path: str) -> str:
    return quote(path, safe="/", errors="surrogatepass")


def _rule(code: str) -> Json:
    entry = CODES.get(code)
    if entry is None:
        return {"id": code}
    first = entry.explanation.strip().split("\n\n")[0].replace("\n", " ")
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": first or entry.title},
        "help": {"text": entry.explanation or entry.title, "markdown": entry.explanation or entry.title},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
    }


def _result(diagnostic: Diagnostic, index: int) -> Json:
    source = diagnostic.source
    text = "\n".join((diagnostic.message, *(f"help: {line}" for line in diagnostic.help)))
    result: Json = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _LEVELS[diagnostic.severity],
        "message": _message(text),
        "locations": [_location(source, diagnostic.span, diagnostic.label)],
    }
    if diagnostic.labels:
        result["relatedLocations"] = [
            {"id": number, **_location(label.source, label.span), "message": _message(label.message)}
            for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.fixes:
        result["fixes"] = [_fix(source, fix) for fix in diagnostic.fixes]
    return result


def _message(text: str) -> Json:
    """Message text; what would read as a link in SARIF is told apart from one, for it is the user's own source."""
    return {"text": _LINK.sub(r"\\[", text)}


def _location(source: Source, span: Span, label: str = "") -> Json:
    physical: Json = {"artifactLocation": {"uri": uri(source.name)}}
    if source.text:
        physical["region"] = _region(source, span)
        if label:
            physical["region"]["message"] = _message(label)
    return {"physicalLocation": physical}


def _region(source: Source, span: Span) -> Json:
    start, end = source.location(span.start), source.location(max(span.start, span.end))
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _fix(source: Source, fix: Fix) -> Json:
    replacement = {"deletedRegion": _region(source, fix.span), "insertedContent": {"text": fix.text}}
    change = {"artifactLocation": {"uri": uri(source.name)}, "replacements": [replacement]}
    return {"description": _message(fix.message), "artifactChanges": [change]}
