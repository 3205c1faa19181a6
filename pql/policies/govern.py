"""A whole project judged: every segment for its purposes, every destination for its segments. Read `govern`.

Fails closed: what is unknown (a label, an action, a policy, a segment elsewhere) is an error, and only an exemption that somebody
signed, and that has not run out, turns a violation into a warning. `now` is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pql.check.project import CheckedSegment, Project
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.policies.carrying import schema_labels
from pql.policies.consent import Consents
from pql.policies.judge import Judge, Subject, Violation
from pql.policies.model import Exemption, Governance, Place
from pql.policies.policy_files import bare, unknown_action, unknown_label
from pql.policies.report import describe, exempted, expired
from pql.policies.ways_out import WayOut, ways_out
from pql.source import Source, Span
from pql.xdm.schema import Schema


@dataclass(frozen=True)
class Decision:
    """The answer for one segment and purpose, or one segment and destination. `exemptions`: those that excuse violations."""

    segment: str
    destination: str
    actions: tuple[str, ...]
    labels: frozenset[str]
    violations: tuple[Violation, ...]
    exempt: tuple[tuple[Violation, Exemption], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.violations and not self.unknown


@dataclass
class Governed:
    """`decisions`: purposes first, then destinations. `diagnostics`: everything to be said, errors where something is forbidden."""

    judge: Judge
    today: date = date.min
    decisions: list[Decision] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)

    def judged(self, subject: Subject, actions: Sequence[str]) -> Decision:
        """One subject, asked now: violations without those that an exemption excuses."""
        standing, excused = [], []
        for violation in self.judge.violations(subject, actions):
            exemption = excuse(self.judge, violation, self.today)
            if exemption is None:
                standing.append(violation)
            else:
                excused.append((violation, exemption))
        unknown = self.judge.unknown(subject, actions)
        destination = subject.destination.id if subject.destination else ""
        labels = self.judge.labels(subject)
        return Decision(subject.segment, destination, tuple(actions), labels, tuple(standing), tuple(excused), unknown)

    def decision(self, segment: str, destination: str) -> Decision | None:
        """The answer for a segment at a destination, if it is activated there."""
        return next((d for d in self.decisions if d.segment == segment and d.destination == destination), None)


def govern(
    schema: Schema, governance: Governance, project: Project, now: datetime, drafts: bool = False, explain: bool = True
) -> Governed:
    """All decisions of a project with their diagnostics. `now`: naive UTC, for exemptions alone. `explain`: ways out are looked for.

    The findings of reading the files are not repeated."""
    return _Governing(schema, governance, project, now.date(), drafts, explain).run()


class _Governing:
    def __init__(
        self, schema: Schema, governance: Governance, project: Project, today: date, drafts: bool, explain: bool
    ) -> None:
        self.schema, self.governance, self.project, self.today, self.explain = (
            schema,
            governance,
            project,
            today,
            explain,
        )
        self.judge = Judge(schema, governance, project, drafts)
        self.result = Governed(self.judge, today)
        self.used: set[int] = set()
        self.said: set[tuple[str, str]] = set()

    def run(self) -> Governed:
        self._labels()
        for segment in self.project.segments.values():
            self._names(segment)
            if segment.ok:
                self._purposes(segment)
        for destination in self.governance.destinations.values():
            self._destination(destination.id)
        self._exemptions()
        self.result.diagnostics += [*self.judge.findings, *Consents(self.judge).findings]
        return self.result

    def say(self, code: str, place: Place, message: str, help: str | tuple[str, ...] = "") -> None:
        findings = Findings(place.source)
        findings.report(code, place.span, message, help=help)
        self.result.diagnostics += findings.items

    # --- names ---
    def _labels(self) -> None:
        for path, label in schema_labels(self.schema):
            event = path.startswith("xEvent.")
            placed = (path, label) in self.governance.field_labels
            if label not in self.governance.labels and not placed:
                source = Source("schema", "")
                message = f"there is no label `{label}`, which `{path}` has"
                self.say(
                    "PQL0521", Place(source, Span(event, event)), message, unknown_label(label, self.governance.labels)
                )

    def _names(self, segment: CheckedSegment) -> None:
        """Names in the properties of a segment."""
        g = self.governance
        for p in segment.tree.properties:
            for value, span in zip(p.values, p.value_spans, strict=True):
                place = Place(segment.source, span)
                if p.name == "purpose" and bare(value) not in g.actions:
                    self.say(
                        "PQL0522",
                        place,
                        f"there is no marketing action `{value}`",
                        unknown_action(bare(value), g.actions),
                    )
                elif p.name == "labels" and bare(value) not in g.labels:
                    self.say("PQL0521", place, f"there is no label `{value}`", unknown_label(bare(value), g.labels))
                elif p.name == "mergePolicy" and value not in g.merge_policies:
                    self._no_merge_policy(value, place)

    def _no_merge_policy(self, name: str, place: Place) -> None:
        known = self.governance.merge_policies
        help = did_you_mean(name, known) or (
            "there are " + ", ".join(f"`{n}`" for n in known) if known else "declare it in `merge.yaml`"
        )
        self.say("PQL0536", place, f"there is no merge policy `{name}`", help)

    # --- decisions ---
    def _purposes(self, segment: CheckedSegment) -> None:
        purposes = self.judge.purposes(segment.id)
        if not purposes:
            return
        subject = self.judge.segment(segment.id)
        self._say_unknown(segment, subject)
        labels = self.judge.labels(subject)
        first: dict[str, Span] = {}
        for action, span in purposes:
            first.setdefault(action, span)
        for action, span in first.items():
            found = self.judge.violations(subject, [action])
            self._decide(subject, [action], labels, found, Place(segment.source, span))

    def _destination(self, id: str) -> None:
        destination = self.governance.destinations[id]
        if destination.merge_policy and destination.merge_policy not in self.governance.merge_policies:
            self._no_merge_policy(destination.merge_policy, destination.at("mergePolicy"))
        self.judge.exports(destination)
        for name in destination.segments:
            place = destination.at("segment", name)
            segment = self.project.segments.get(name) or self._by_name(name)
            if segment is None:
                help = did_you_mean(name, self.project.segments)
                self.say("PQL0529", place, f"no segment `{name}` in this project", help)
                self._unjudged(name, id)
            elif not segment.ok:
                self._unjudged(segment.id, id)
            else:
                subject = self.judge.activation(segment.id, destination)
                self._say_unknown(segment, subject)
                found = self.judge.violations(subject, destination.actions)
                self._decide(subject, destination.actions, self.judge.labels(subject), found, place)
                self._beyond(segment, id, place)

    def _unjudged(self, segment: str, destination: str) -> None:
        """A segment that is missing, or has errors: nothing of it is allowed anywhere."""
        actions = self.governance.destinations[destination].actions
        self.result.decisions.append(Decision(segment, destination, actions, frozenset(), (), (), (segment,)))

    def _by_name(self, name: str) -> CheckedSegment | None:
        found = [s for s in self.project.segments.values() if s.display == name]
        return found[0] if len(found) == 1 else None

    def _beyond(self, segment: CheckedSegment, id: str, place: Place) -> None:
        destination = self.governance.destinations[id]
        purposes = [a for a, _ in self.judge.purposes(segment.id)]
        beyond = [a for a in destination.actions if a not in purposes]
        if purposes and beyond:
            words = ", ".join(f"`{a}`" for a in beyond)
            message = f"`{id}` uses `{segment.id}` for {words}, which is not among its purposes"
            self.say("PQL0534", place, message, "name the purpose in the segment, or do not send it there")

    def _say_unknown(self, segment: CheckedSegment, subject: Subject) -> None:
        """Segments elsewhere whose labels nobody has declared: nothing that refers to them can be judged."""
        places = [(segment.source, 0, subject.condition)]
        places += [
            (e.home.source, e.home.span.start, e.expression) for e in subject.exports if e.expression is not None
        ]
        for source, offset, expression in places:
            for id, read in self.judge.carrier.unknown_segments(expression):
                if (source.name, id) not in self.said:
                    self.said.add((source.name, id))
                    help = f"declare them in `labels.yaml`: `segments: {{{id}: []}}`, with its labels in the list"
                    message = f"the labels of the segment `{id}`, which is not in this project, are not known"
                    span = read.trail[0].span if read.trail else read.span  # where the segment's own text leads there
                    self.say("PQL0535", Place(source, span.shift(offset)), message, help)

    def _decide(
        self, subject: Subject, actions: Sequence[str], labels: frozenset[str], found: tuple[Violation, ...], place: Place
    ) -> None:  # fmt: skip
        standing, excused = [], []
        for violation in found:
            exemption = self._exemption(violation)
            if exemption is None:
                standing.append(violation)
                self.result.diagnostics.append(describe(violation, place, self._ways(violation, actions)))
            else:
                excused.append((violation, exemption))
                self.result.diagnostics.append(exempted(violation, exemption, place))
        destination = subject.destination.id if subject.destination else ""
        decision = Decision(
            subject.segment,
            destination,
            tuple(actions),
            labels,
            tuple(standing),
            tuple(excused),
            self.judge.unknown(subject, actions),
        )
        self.result.decisions.append(decision)

    def _ways(self, violation: Violation, actions: Sequence[str]) -> tuple[WayOut, ...]:
        return ways_out(self.judge, violation, actions) if self.explain else ()

    # --- exemptions ---
    def _exemption(self, violation: Violation) -> Exemption | None:
        named = tuple(exempting(self.judge, violation))
        self.used |= {index for index, _ in named}
        found = excuse(self.judge, violation, self.today)
        if found is None:
            ended = (expired(violation, e, self.today) for _, e in named if not holds(e, violation, self.today))
            self.result.diagnostics += ended
        return found

    def _exemptions(self) -> None:
        """Exemptions that name what does not exist, or exempt nothing."""
        policies = {p.id for p in self.governance.policies} | {p.name for p in self.governance.policies}
        for index, e in enumerate(self.governance.exemptions):
            if e.policy not in policies:
                self.say("PQL0524", e.place, f"there is no policy `{e.policy}`", did_you_mean(e.policy, policies))
            elif e.segment not in self.project.segments:
                self.say(
                    "PQL0529",
                    e.place,
                    f"no segment `{e.segment}` in this project",
                    did_you_mean(e.segment, self.project.segments),
                )
            elif e.destination and e.destination not in self.governance.destinations:
                known = self.governance.destinations
                self.say(
                    "PQL0529", e.place, f"there is no destination `{e.destination}`", did_you_mean(e.destination, known)
                )
            elif e.action and e.action not in self.governance.actions:
                self.say(
                    "PQL0522",
                    e.place,
                    f"there is no marketing action `{e.action}`",
                    unknown_action(e.action, self.governance.actions),
                )
            elif index not in self.used:
                self.say("PQL0531", e.place, f"this exemption from `{e.policy}` exempts nothing", "take it out")


def excuse(judge: Judge, violation: Violation, today: date) -> Exemption | None:
    """The exemption that excuses a violation: one for the destination, or one for each of the actions (the first that ends of these)."""
    standing = [e for _, e in exempting(judge, violation) if holds(e, violation, today)]
    if violation.subject.destination is None and set(violation.actions) - {e.action for e in standing}:
        return None
    return min(standing, key=lambda e: e.until, default=None)


def exempting(judge: Judge, violation: Violation) -> Iterator[tuple[int, Exemption]]:
    """The exemptions that name a violation, whether they hold or not; nothing exempts from a rule outside of policies."""
    destination = violation.subject.destination
    for index, e in enumerate(judge.governance.exemptions):
        named = e.policy in (violation.policy.id, violation.policy.name) and e.segment == violation.subject.segment
        there = (
            e.destination == destination.id
            if destination is not None
            else bool(e.action) and e.action in violation.actions
        )
        if named and there and not violation.policy.hard:
            yield index, e


def holds(exemption: Exemption, violation: Violation, today: date) -> bool:
    """It has not run out, and the policy is still at the version that it was signed for."""
    return exemption.until >= today and exemption.policy_version in (None, violation.policy.version)
