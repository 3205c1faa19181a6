"""The one question: may this data be used for that action? Asked of a segment with a purpose, and of a segment at a destination.

Read `Judge.violations`. A decision depends on files and expressions alone, never on data; time only ends exemptions
(`exempting`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pql.check.expressions import Checker
from pql.check.project import Project
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.ir import nodes as ir
from pql.labels import closed, said_by
from pql.policies.carrying import Carried, Carrier, Origin, Step
from pql.policies.expression import violates, why
from pql.policies.model import Destination, Governance, LabelIs, MappedField, MergePolicy, Place, Policy
from pql.policies.policy_files import bare
from pql.source import Source, Span
from pql.syntax import parse_expression
from pql.xdm.schema import Schema

CACHED_MOST = 500


@dataclass(frozen=True)
class Export:
    """A mapped field of a destination, checked. `expression` is None when it has errors."""

    row: MappedField
    expression: ir.Expr | None
    home: Place


@dataclass(frozen=True)
class Subject:
    """What is judged: a segment alone (for a purpose), or with what a destination gets. `condition` may be a changed one."""

    segment: str
    condition: ir.Expr
    merge: MergePolicy
    destination: Destination | None = None
    exports: tuple[Export, ...] = ()
    export_merge: MergePolicy | None = None


@dataclass(frozen=True)
class Reason:
    """One label that the policy names, with everything that carries it (or a label that implies it)."""

    wanted: LabelIs
    carried: tuple[Carried, ...]


@dataclass(frozen=True)
class Violation:
    """`actions`: those of the subject to which the policy applies; empty where the rule holds for every export."""

    policy: Policy
    subject: Subject
    actions: tuple[str, ...]
    reasons: tuple[Reason, ...]

    @cached_property
    def trail(self) -> tuple[Carried, ...]:
        return tuple(dict.fromkeys(c for r in self.reasons for c in r.carried))


@dataclass
class Judge:
    """A project under its governance. `drafts`: DRAFT policies are judged too."""

    schema: Schema
    governance: Governance
    project: Project
    drafts: bool = False
    findings: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.carrier = Carrier(self.schema, self.governance, self.project)
        self._exports: dict[tuple[str, tuple[MappedField, ...]], tuple[Export, ...]] = {}
        self._carried: dict[int, tuple[Subject, tuple[Carried, ...]]] = {}

    # --- subjects ---
    def segment(self, id: str, merge: MergePolicy | None = None) -> Subject:
        """A segment by itself."""
        return Subject(id, self.project.segments[id].condition, merge or self.carrier.merge_of(id))

    def activation(self, id: str, destination: Destination, merge: MergePolicy | None = None) -> Subject:
        """A segment at a destination, with the mapped fields."""
        own = merge or self.carrier.merge_of(id)
        named = self.governance.merge_policies.get(destination.merge_policy)
        exports = self.exports(destination)
        return Subject(id, self.project.segments[id].condition, own, destination, exports, merge or named or own)

    def exports(self, destination: Destination) -> tuple[Export, ...]:
        """The mapped fields as checked expressions; what is wrong with them is found once (PQL0528)."""
        key = (destination.id, destination.fields)
        if key not in self._exports:
            self._exports[key] = tuple(self._export(row, destination) for row in destination.fields)
        return self._exports[key]

    def _export(self, row: MappedField, destination: Destination) -> Export:
        text = row.source
        source, span = row.place.source, row.place.span
        written = source.text[span.start : span.end]
        offset = written.find(text)
        home = Place(source, Span(span.start + max(offset, 0), span.end))
        inner = Source(source.name, text)
        tree, found = parse_expression(inner)
        expression: ir.Expr | None = None
        if tree is not None:
            findings = Findings(inner)
            expression = Checker(self.schema, findings, self.project.catalog).whole(tree)
            found = [*found, *findings.items]
        errors = [d for d in found if d.is_error]
        if errors:
            own = Findings(source)
            message = f"`{text[:80]}` cannot be given to `{destination.id}`: {errors[0].message}"
            place = errors[0].span.shift(home.span.start) if offset >= 0 else span
            own.report("PQL0528", place, message, help=errors[0].help)
            self.findings += own.items
            return Export(row, None, home)
        return Export(row, expression, home)

    # --- labels ---
    def carried(self, subject: Subject) -> tuple[Carried, ...]:
        """Every label that reaches the subject, with its way: the rule's, the exported fields', the merge policies'."""
        known = self._carried.get(id(subject))
        if known is None or known[0] is not subject:
            if len(self._carried) > CACHED_MOST:
                self._carried.clear()
            known = self._carried[id(subject)] = (subject, self._gather(subject))
        return known[1]

    def _gather(self, subject: Subject) -> tuple[Carried, ...]:
        found: list[Carried] = []
        segment = self.project.segments[subject.segment]
        for given in self.carrier.segment_labels(subject.segment):
            found.append(
                Carried(
                    given.label,
                    Origin("segment", subject.segment, given.place),
                    "",
                    (),
                    "rule",
                    False,
                    subject.merge.name,
                )
            )
        found += self.carrier.items(subject.condition, subject.merge, Place(segment.source))
        if subject.merge.stitched:
            found.append(self.carrier.of_merge(subject.merge, (), "rule"))
        if self.governance.conservative:
            found += self.carrier.everything(subject.merge)
        for export in subject.exports:
            if export.expression is not None:
                way = (Step("mapped field", export.row.target, export.row.place),)
                merge = subject.export_merge or subject.merge
                found += self.carrier.items(export.expression, merge, export.home, "export", way)
        other = subject.export_merge
        if subject.exports and other is not None and other.name != subject.merge.name and other.stitched:
            found.append(self.carrier.of_merge(other, (), "export"))
        return tuple(dict.fromkeys(found))

    def labels(self, subject: Subject) -> frozenset[str]:
        """The labels as they are given; implied ones are not added."""
        return frozenset(c.label for c in self.carried(subject))

    def unknown(self, subject: Subject, actions: Sequence[str] = ()) -> tuple[str, ...]:
        """What keeps the subject from being judged: segments elsewhere whose labels nobody declared, mapped fields that cannot be
        read, and labels, merge policies and marketing actions that do not exist. Nothing that has any is allowed."""
        g = self.governance
        expressions = [subject.condition, *(e.expression for e in subject.exports if e.expression is not None)]
        found = [id for e in expressions for id, _ in self.carrier.unknown_segments(e)]
        found += [e.row.source for e in subject.exports if e.expression is None]
        found += sorted(self.labels(subject) - g.labels.keys())
        found += [m for m in self._merge_policies(subject, expressions) if m and m not in g.merge_policies]
        found += [a for a in actions if a not in g.actions]
        return tuple(dict.fromkeys(found))

    def _merge_policies(self, subject: Subject, expressions: Sequence[ir.Expr]) -> Iterator[str]:
        """The names of merge policies that the subject, and the segments that it refers to, ask for."""
        if subject.destination is not None and subject.exports:
            yield subject.destination.merge_policy
        nested = (id for e in expressions for id in self.carrier.segments_in(e))
        yield from (self.carrier.merge_name(id) for id in (subject.segment, *nested))

    # --- the question ---
    def violations(self, subject: Subject, actions: Sequence[str]) -> tuple[Violation, ...]:
        """The policies that deny one of the actions to the subject's data, each with all its reasons; none: it is allowed."""
        carried = self.carried(subject)
        have = closed(frozenset(c.label for c in carried))
        found = []
        for policy in self.governance.active(self.drafts):
            concerned = tuple(a for a in actions if a in policy.actions)
            everywhere = policy.hard and subject.destination is not None
            if (concerned or everywhere) and violates(policy.deny, have):
                found.append(Violation(policy, subject, concerned, _reasons(policy, have, carried)))
        return tuple(found)

    def of_labels(self, labels: Iterable[str], actions: Sequence[str]) -> tuple[Policy, ...]:
        """The policies that deny one of the actions to data with these labels."""
        return violated_by(self.governance, labels, actions, self.drafts)

    def purposes(self, id: str) -> tuple[tuple[str, Span], ...]:
        """The marketing actions that a segment says it is meant for, each with its place."""
        own = [p for p in self.project.segments[id].tree.properties if p.name == "purpose"]
        return tuple((bare(v), s) for p in own for v, s in zip(p.values, p.value_spans, strict=True))

    def changed(self, subject: Subject, **what: object) -> Subject:
        """The subject with something else in it, to be judged again."""
        return replace(subject, **what)  # type: ignore[arg-type]


def _reasons(policy: Policy, have: frozenset[str], carried: tuple[Carried, ...]) -> tuple[Reason, ...]:
    found: dict[str, Reason] = {}
    for wanted in why(policy.deny, have):
        sayers = said_by(wanted.label, {c.label for c in carried})
        found.setdefault(wanted.label, Reason(wanted, tuple(c for c in carried if c.label in sayers)))
    return tuple(found.values())


def violated_by(
    governance: Governance, labels: Iterable[str], actions: Sequence[str], drafts: bool = False
) -> tuple[Policy, ...]:
    """The policies that deny one of the actions to data with these labels, implied ones included."""
    have = closed(frozenset(labels))
    wanted = set(actions)
    return tuple(p for p in governance.active(drafts) if wanted & set(p.actions) and violates(p.deny, have))
