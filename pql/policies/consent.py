"""Whom an action may address: consent policies as conditions over the profile, which engines get as IR. Read `Audience`.

A consent policy never blocks an action. Its own reading of consent fields is not judged: it protects those whom it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pql.check.consents import general_opt_out
from pql.check.expressions import Checker
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.ir import nodes as ir
from pql.ir.walk import rebuild
from pql.labels import closed
from pql.policies.expression import violates
from pql.policies.judge import Judge, Subject
from pql.policies.model import ConsentPolicy
from pql.source import Source
from pql.syntax import parse_expression
from pql.types import BOOLEAN

OPT_OUT = "general opt-out"


@dataclass(frozen=True)
class Condition:
    """One thing that must hold for a person to be addressed: `name` and the test, with the text it comes from."""

    name: str
    test: ir.Expr
    source: Source


@dataclass(frozen=True)
class Audience:
    """A segment and what consent adds to it. `condition` is both, one test for every engine."""

    segment: str
    rule: ir.Expr
    consents: tuple[Condition, ...]

    @property
    def condition(self) -> ir.Expr:
        return ir.conjunction([self.rule, *(c.test for c in self.consents)])


def with_audiences(conditions: Mapping[str, ir.Expr], audiences: Mapping[str, ir.Expr]) -> dict[str, ir.Expr]:
    """Conditions by id for an engine that keeps audiences under their segments' ids. `inSegment` goes on meaning the rule alone: consent
    takes people out of what is sent, never out of a segment."""
    rules = {id: f"{id} (rule)" for id in audiences}

    def change(e: ir.Expr) -> ir.Expr:
        if isinstance(e, ir.InSegment) and e.segment in rules:
            return replace(e, segment=rules[e.segment])
        changed: ir.Expr = rebuild(e, change)
        return changed

    found = {rules.get(id, id): change(condition) for id, condition in conditions.items()}
    return {**found, **{id: change(condition) for id, condition in audiences.items()}}


class Consents:
    """The consent policies of a project, checked. `findings`: what is wrong with them (PQL0537); a policy with errors lets nobody
    through."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.findings: list[Diagnostic] = []
        found = (
            (p, self._checked(p))
            for p in judge.governance.consent
            if p.status == "ENABLED" or (p.status == "DRAFT" and judge.drafts)
        )
        self.policies = tuple(found)
        self.opt_out = general_opt_out(judge.schema)

    def _checked(self, policy: ConsentPolicy) -> Condition:
        text = policy.condition
        place = policy.condition_place
        offset = max(place.source.text[place.span.start : place.span.end].find(text), 0)
        source = Source(place.source.name, text)
        tree, found = parse_expression(source)
        test: ir.Expr = ir.FALSE
        if tree is not None:
            findings = Findings(source)
            checker = Checker(self.judge.schema, findings, self.judge.project.catalog)
            value = checker.whole(tree)
            found = [*found, *findings.items]
            if value.type == BOOLEAN or isinstance(value, ir.TESTS):
                test = checker.as_test(value, tree.span)
            elif not any(d.is_error for d in found):
                findings.report("PQL0316", tree.span, "a consent condition is true or false")
                found = [*found, *findings.items]
        for d in [d for d in found if d.is_error][:1]:
            own = Findings(place.source)
            help = d.help or ("a condition is PQL over the profile",)
            own.report(
                "PQL0537",
                d.span.shift(place.span.start + offset),
                f"the condition of `{policy.name}`: {d.message}",
                help=help,
            )
            self.findings += own.items
            test = ir.FALSE
        return Condition(policy.name, test, source)

    def applying(self, subject: Subject, actions: Sequence[str]) -> Iterator[Condition]:
        """The conditions of the policies that apply to the actions and to the labels of the data."""
        have: frozenset[str] | None = None
        for policy, condition in self.policies:
            if policy.actions and not set(policy.actions) & set(actions):
                continue
            if policy.labels is not None:
                have = closed(self.judge.labels(subject)) if have is None else have
                if not violates(policy.labels, have):
                    continue
            yield condition

    def audience(self, subject: Subject, actions: Sequence[str]) -> Audience:
        """The segment with what consent, and the general opt-out, take away."""
        found = list(self.applying(subject, actions))
        segment = self.judge.project.segments[subject.segment]
        keeps = segment.properties.get("excludeOptOut", ("true",))[0] == "false"
        if self.opt_out is not None and not keeps:
            found.append(Condition(OPT_OUT, ir.Not(self.opt_out), Source("", "no general opt-out")))
        return Audience(subject.segment, subject.condition, tuple(found))
