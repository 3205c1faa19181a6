"""What `pql why` answers: each part of a condition with what it comes to for one person. Read `answer`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from pql.api import Environment, Store, StoreError, Unknown, write_value
from pql.check.project import Project
from pql.cli.governing import Judged, judged
from pql.cli.inputs import fail, instant, no_such, open_store, show
from pql.cli.people import identity_settings, unknown_profile
from pql.clock import Zone
from pql.diagnostics.suggest import did_you_mean
from pql.ir import nodes as ir
from pql.ir.walk import rebuild, walk
from pql.policies.consent import OPT_OUT
from pql.runtime import Evaluator, OutOfRange
from pql.source import NOWHERE, Source, Span, UsedSpan
from pql.types import is_scalar
from pql.xdm.values import read_event, read_profile

Person = tuple[Mapping[str, Any], list[dict[str, Any]]]
DEEP = 12
VALUES_MOST = 8


@dataclass(frozen=True)
class Part:
    """A part of a condition: its text, whether it holds, and its own parts where it is made of several."""

    text: str
    holds: bool
    parts: tuple[Part, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        made: dict[str, Any] = {"text": self.text, "holds": self.holds}
        if self.values:
            made["values"] = dict(self.values)
        return {**made, "parts": [p.as_json() for p in self.parts]} if self.parts else made


@dataclass(frozen=True)
class Answer:
    """`sent` is None where nobody asked for an activation; `refused`: why nobody of the segment is sent there."""

    segment: str
    member: bool
    rule: Part
    use: str = ""
    consents: tuple[tuple[str, Part], ...] = ()
    refused: str = ""
    sent: bool | None = None
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        made: dict[str, Any] = {"segment": self.segment, "member": self.member, "rule": self.rule.as_json()}
        if self.use:
            consents = [{"name": n, **p.as_json()} for n, p in self.consents]
            made |= {"for": self.use, "sent": self.sent, "refused": self.refused or None, "consents": consents}
        return made


class _Telling:
    """Puts a condition into parts, each with its own text and truth."""

    def __init__(self, environment: Environment, project: Project, person: Person, now: datetime) -> None:
        zone = Zone(environment.settings.zone, environment.settings.week_start)
        self.evaluator = Evaluator(project.conditions, zone)
        self.project, self.person, self.now = project, person, now

    def holds(self, e: ir.Expr) -> bool:
        profile, events = self.person
        try:
            return self.evaluator.evaluate(e, profile, [dict(x) for x in events], self.now) is True
        except OutOfRange:
            raise fail("PQL0601: a sum lies outside its range") from None

    def tell(self, e: ir.Expr, source: Source, depth: int = 0) -> Part:
        """`source`: the text that `e`'s places lie in."""
        inner = tuple(self._inner(e, source, depth)) if depth < DEEP else ()
        named = _name(e)
        text = f"{named[0]} `{named[1]}`" if named is not None else _text(e, source)
        return Part(text, self.holds(e), inner, () if inner else self._values(e))

    def _inner(self, e: ir.Expr, source: Source, depth: int) -> Iterator[Part]:
        if isinstance(e.span, UsedSpan):
            if isinstance(e, ir.TESTS):
                yield self.tell(_unused(e), e.span.source, depth + 1)
        elif isinstance(e, ir.And | ir.Or):
            if any(o.span != e.span for o in e.operands):  # else it is one word of the text, such as `consented`
                yield from (self.tell(o, source, depth + 1) for o in e.operands)
        elif isinstance(e, ir.Not) and (
            isinstance(e.operand, ir.And | ir.Or | ir.InSegment | ir.Not) or isinstance(e.operand.span, UsedSpan)
        ):
            if e.operand.span != e.span:
                yield self.tell(e.operand, source, depth + 1)
        elif isinstance(e, ir.InSegment) and e.segment in self.project.segments:
            segment = self.project.segments[e.segment]
            yield self.tell(segment.condition, segment.source, depth + 1)

    def _values(self, e: ir.Expr) -> tuple[tuple[str, Any], ...]:
        """The plain fields of the profile that a part reads, with what the person has there."""
        profile, events = self.person
        found: dict[str, Any] = {}
        for n in walk(e):
            path = _profile_path(n)
            if path and is_scalar(n.type) and len(found) < VALUES_MOST:
                found[path] = write_value(self.evaluator.evaluate(n, profile, [dict(x) for x in events], self.now))
        return tuple(found.items())


def _profile_path(e: ir.Expr) -> str:
    names = []
    while isinstance(e, ir.Field):
        names.append(e.name)
        e = e.object
    return ".".join(reversed(names)) if names and isinstance(e, ir.Var) and e.id == ir.PROFILE else ""


def _name(e: ir.Expr) -> tuple[str, str] | None:
    """The definition or attribute that a part is the use of."""
    if isinstance(e.span, UsedSpan):
        return e.span.kind, e.span.name
    if isinstance(e, ir.InSegment):
        return "segment", e.segment
    return None


def _unused(e: ir.Expr) -> ir.Expr:
    """A definition's test with the places that it has in its own text."""

    def change(n: ir.Expr) -> ir.Expr:
        inner: ir.Expr = rebuild(n, change)
        return replace(inner, span=n.span.inner) if isinstance(n.span, UsedSpan) else inner

    return change(e)


def _text(e: ir.Expr, source: Source) -> str:
    span = e.span
    if span == NOWHERE or not source.text:
        spans = [n.span for n in walk(e) if n.span != NOWHERE and not isinstance(n.span, UsedSpan)]
        span = Span(min(s.start for s in spans), max(s.end for s in spans)) if spans and source.text else NOWHERE
    if span == NOWHERE or not source.text:
        from pql.ir.english import sentence

        return sentence(e).removeprefix("People for whom ").rstrip(".")
    return " ".join(source.slice(span).split())


def answer(
    segment: str, profile: str, events: Path | None, for_: str | None, project: Path, schema: Path | None, store: Path | None, now: datetime,
    policy: str | None = None,
) -> Answer:  # fmt: skip
    """Everything that is known of one person and one segment."""
    made = judged(project, schema, instant(None))
    checked = made.project.segments.get(segment)
    if checked is None:
        raise fail(f"no segment `{segment}`", did_you_mean(segment, made.project.segments))
    if not checked.ok:
        show([d for d in made.project.diagnostics if d.is_error], "text", err=True)
        raise typer.Exit(2)
    person = (
        _from_store(made.environment, profile, store, project, policy)
        if store is not None
        else _from_files(made.environment, Path(profile), events)
    )
    telling = _Telling(made.environment, made.project, person, now)
    rule = telling.tell(checked.condition, checked.source)
    if for_ is None:
        return Answer(segment, rule.holds, rule)
    return _activated(made, telling, segment, rule, for_)


def _activated(made: Judged, telling: _Telling, segment: str, rule: Part, use: str) -> Answer:
    destination, actions = audience_words(made, use)
    if made.unsound:
        show([d for d in made.found if d.is_error], "text", err=True)
        raise typer.Exit(2)
    try:
        audience = made.environment.audience(made.governed, segment, destination, actions)
    except Unknown as error:
        return Answer(segment, rule.holds, rule, use, refused=f"{error.code}: {error}", sent=False)
    parts = tuple((c.name, telling.tell(c.test, c.source)) for c in audience.consents)
    return Answer(segment, rule.holds, rule, use, parts, sent=rule.holds and all(p.holds for _, p in parts))


def audience_words(made: Judged, use: str) -> tuple[str, tuple[str, ...]]:
    """What `--for` names: a destination, or else a marketing action."""
    if use in made.governance.destinations:
        return use, ()
    if use in made.governance.actions:
        return "", (use,)
    known = [*made.governance.destinations, *made.governance.actions]
    raise fail(f"`{use}` is neither a destination nor a marketing action", did_you_mean(use, known))


# --- people ---
def _from_files(environment: Environment, profile: Path, events: Path | None) -> Person:
    from pql.cli.documents import Unreadable, read_person

    if str(profile) != "-" and not profile.is_file():
        raise no_such("file", profile, "name a JSON file; for a name in a store give `--store` too")
    try:
        given, history = read_person(profile, events, environment.schema)
    except Unreadable as error:
        raise fail(str(error), error.help) from None
    document, problems = read_profile(_object(given, profile), environment.schema)
    rows = []
    for index, event in enumerate(history):
        value, more = read_event(event, environment.schema)
        problems += [(f"events[{index}].{path}", message) for path, message in more]
        rows.append(value)
    if problems:
        raise fail(f"PQL0811: `{problems[0][0]}`: {problems[0][1]}")
    return document, rows


def _object(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise fail(f"`{path}` is not a JSON object", "a profile is one object")
    return value


def _from_store(environment: Environment, name: str, store: Path, near: Path, policy: str | None) -> Person:
    """A person of a store, by the name that the profile came with, or by number."""
    opened: Store = open_store(store, environment, near, policy=policy)
    names = {v: k for k, v in opened.profile_names().items()}
    pid = names.get(name, int(name) if name.isdigit() else None)
    try:
        found = None if pid is None else opened.rows_of(pid)
        if found is None:
            raise unknown_profile(opened, name, identity_settings(near))
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    return found


# --- words ---
def said(answer: Answer) -> str:
    head = f"in the segment `{answer.segment}`" if answer.member else f"not in the segment `{answer.segment}`"
    if answer.use:
        if answer.refused:
            head += f", and nobody of it is sent to `{answer.use}`: {answer.refused}"
        elif answer.sent:
            head += f", and sent to `{answer.use}`"
        elif answer.member:
            missing = ", ".join(_no(n) for n, p in answer.consents if not p.holds)
            head += f", but not sent to `{answer.use}`: {missing}"
    lines = [head, "", "the rule:", *_lines(answer.rule, 1)]
    if answer.consents:
        lines += ["", "consent:"]
        for name, part in answer.consents:
            own = replace(part, text=name if name == OPT_OUT else f"{name}: {part.text}")
            lines += _lines(own, 1)
    return "\n".join(lines)


def _no(name: str) -> str:
    return "general opt-out" if name == OPT_OUT else f"the consent policy `{name}` does not hold"


def _lines(part: Part, depth: int) -> Iterator[str]:
    have = "".join(
        f"; `{path}` is {'missing' if v is None else json.dumps(v, ensure_ascii=False)}" for path, v in part.values
    )
    yield "  " * depth + f"{'yes' if part.holds else 'no':3}  {part.text}" + (f"   ({have[2:]})" if have else "")
    for inner in part.parts:
        yield from _lines(inner, depth + 1)
