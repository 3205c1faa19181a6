"""Findings as JUnit XML, for build servers that count tests: a suite a file, a case a finding.

An error is a failed case. A warning or a hint is a passed case with its text in `system-out`, so that advice never
breaks a build that only counts failures. A checked file without findings is one passed case. Characters that XML 1.0
cannot hold are shown as escapes. Read `render_junit` first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.render_cells import safe
from pql.diagnostics.render_text import render_text

SUITES = "pql"


def render_junit(diagnostics: Sequence[Diagnostic], files: Sequence[str] = ()) -> str:
    """Suites in the order of `files`, then of the findings; inside a suite the findings keep their order."""
    suites: dict[str, list[Diagnostic]] = {name: [] for name in files}
    for diagnostic in diagnostics:
        suites.setdefault(diagnostic.source.name, []).append(diagnostic)
    counts = _counts(list(suites.values()))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_attributes(name=SUITES, **counts)}>"]
    for name, found in suites.items():
        lines.append(f"  <testsuite{_attributes(name=name, **_counts([found]))}>")
        lines += (_case(d) for d in found)
        if not found:
            lines.append(f"    <testcase{_attributes(name='no findings', classname=name, file=name)}/>")
        lines.append("  </testsuite>")
    return "\n".join((*lines, "</testsuites>"))


def _counts(suites: Sequence[Sequence[Diagnostic]]) -> dict[str, str]:
    tests = sum(max(1, len(found)) for found in suites)
    failures = sum(d.is_error for found in suites for d in found)
    return {"tests": str(tests), "failures": str(failures), "errors": "0", "skipped": "0"}


def _case(diagnostic: Diagnostic) -> str:
    source = diagnostic.source
    start = source.location(diagnostic.span.start)
    attributes = {"name": diagnostic.code, "classname": source.name, "file": source.name}
    if source.text:
        attributes["name"] += f" at {start.line}:{start.column}"
        attributes["line"] = str(start.line)
    from xml.sax.saxutils import escape  # here, because it loads an HTTP client

    text = escape(render_text([diagnostic]), {"\r": "&#13;"})
    head = f"    <testcase{_attributes(**attributes)}>"
    if diagnostic.is_error:
        failure = _attributes(type=diagnostic.code, message=diagnostic.message)
        return f"{head}\n      <failure{failure}>{text}</failure>\n    </testcase>"
    return f"{head}\n      <system-out>{text}</system-out>\n    </testcase>"


def _attributes(**values: str) -> str:
    return "".join(_each(values))


def _each(values: dict[str, str]) -> Iterator[str]:
    from xml.sax.saxutils import quoteattr

    for name, value in values.items():
        yield f" {name}={quoteattr(safe(value))}"
