"""`test` blocks of `.pql` files as trials: people, events and expectations with their instants. Read `read_trial`.

What does not fit the schema or the calendar is a finding at its place. Must not know engines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pql.clock import shift
from pql.diagnostics.findings import Findings
from pql.source import Source, Span
from pql.syntax import ast
from pql.xdm.schema import Schema
from pql.xdm.values import read_event, read_instant, read_profile


@dataclass(frozen=True)
class Expectation:
    """Membership of a segment at an instant, with the events that have arrived by then."""

    segment: str
    member: bool
    at: datetime
    events: tuple[Mapping[str, Any], ...]
    span: Span


@dataclass(frozen=True)
class Trial:
    """A `test` block that can be run."""

    name: str
    profile: Mapping[str, Any]
    expectations: tuple[Expectation, ...]
    source: Source
    span: Span


def document_of(node: ast.Expr) -> Any:
    """An object literal of JSON values as a document."""
    match node:
        case ast.Literal():
            return node.value
        case ast.ListLiteral():
            return [document_of(i) for i in node.items]
        case ast.ObjectLiteral():
            return {e.key: document_of(e.value) for e in node.entries}
        case ast.Negate():
            inner = document_of(node.operand)
            return -inner if isinstance(inner, int) or hasattr(inner, "quantize") else None
        case _:
            return None


class _Reader:
    def __init__(self, schema: Schema, findings: Findings) -> None:
        self.schema, self.findings = schema, findings

    def instant(self, text: str, span: Span) -> datetime | None:
        value = read_instant(text)
        if value is None:
            self.findings.report("PQL0313", span, f"`{text[:40]}` is not an instant of the calendar")
        return value

    def problems(self, found: list[tuple[str, str]], node: ast.ObjectLiteral) -> None:
        """Each misfit at the literal's own entry, as far as its path leads there."""
        for path, message in found:
            self.findings.report("PQL0811", _place(node, path), f"`{path}`: {message}")


def _place(node: ast.ObjectLiteral, path: str) -> Span:
    here: ast.Expr = node
    for part in path.replace("[", ".[").split(".")[1:]:
        if isinstance(here, ast.ObjectLiteral):
            found = next((e for e in here.entries if e.key == part), None)
            if found is None:
                break
            here = found.value
        elif isinstance(here, ast.ListLiteral) and part.startswith("["):
            here = here.items[int(part.strip("[]"))]
    return here.span


def read_trial(test: ast.Test, schema: Schema, findings: Findings) -> Trial:
    """The trial of a block; what cannot be read is reported and left out."""
    reader = _Reader(schema, findings)
    profile: Mapping[str, Any] = {}
    events: tuple[Mapping[str, Any], ...] = ()
    expectations: list[Expectation] = []
    clock: datetime | None = None
    last_at: datetime | None = None
    for step in test.steps:
        if isinstance(step, ast.GivenProfile):
            profile, found = read_profile(document_of(step.document), schema)
            reader.problems(found, step.document)
        elif isinstance(step, ast.At):
            clock = last_at = reader.instant(step.instant, step.span) or clock
            if step.event is not None and clock is not None:
                event, found = read_event({**document_of(step.event), "timestamp": clock}, schema)
                reader.problems(found, step.event)
                events = (*events, event)
        else:
            clock = _expected_at(step, clock, last_at, reader)
            if clock is None:
                findings.report("PQL0508", step.span, "the test has no clock yet", help="begin with `at INSTANT`")
                continue
            expectations.append(Expectation(step.segment, step.member, clock, events, step.span))
    return Trial(test.name, profile, tuple(expectations), findings.source, test.span)


def _expected_at(
    step: ast.Expect, clock: datetime | None, last_at: datetime | None, reader: _Reader
) -> datetime | None:
    if step.instant:
        return reader.instant(step.instant, step.span) or clock
    moment = last_at if step.after else clock
    for amount, unit in step.after:
        if moment is not None:
            moment = shift(moment, amount, unit)
    return moment
