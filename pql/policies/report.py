"""Violations as findings: what is refused, why, by which way the data got there, and what to do. Read `describe`.

Places are labels: in the segment (and what it refers to), where the label is given, in the policy, at the destination.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic, Label
from pql.policies.carrying import Carried
from pql.policies.expression import words
from pql.policies.judge import Violation
from pql.policies.model import Exemption, Place
from pql.policies.ways_out import WayOut
from pql.source import Span

LABELS_MOST = 60
TRAILS_MOST = 12


def describe(violation: Violation, place: Place, ways: tuple[WayOut, ...]) -> Diagnostic:
    """PQL0520. The main place is the purpose, or the segment's line in the destination."""
    findings = Findings(place.source)
    labels = tuple(_labels(violation))
    findings.report(
        "PQL0520", place.span, message(violation), label="this is refused", labels=labels[:LABELS_MOST], help=_help(violation, ways)
    )  # fmt: skip
    return findings.items[0]


def message(violation: Violation) -> str:
    """`the policy … does not allow `emailTargeting` with the data of `vip``."""
    subject = violation.subject
    what = f"the data of `{subject.segment}`"
    if subject.destination is not None and subject.exports:
        what += f" and the fields mapped to `{subject.destination.id}`"
    if not violation.actions:
        where = f"`{subject.destination.id}`" if subject.destination else "outside"
        return f"the policy `{violation.policy.name}` lets nothing of {what} go to {where}"
    actions = " and ".join(f"`{a}`" for a in violation.actions)
    where = f" at `{subject.destination.id}`" if subject.destination and not subject.exports else ""
    return f"the policy `{violation.policy.name}` does not allow {actions} with {what}{where}"


def _help(violation: Violation, ways: tuple[WayOut, ...]) -> tuple[str, ...]:
    policy = violation.policy
    reason = f": {policy.description.rstrip('.')}" if policy.description else ""
    lines = [f"`{policy.name}` denies data with {words(policy.deny)}{reason}"]
    trails = list(dict.fromkeys(trail_words(c) for c in violation.trail))
    lines += [f"trail: {t}" for t in trails[:TRAILS_MOST]]
    if len(trails) > TRAILS_MOST:
        lines.append(f"trail: and {len(trails) - TRAILS_MOST} more; `pql policy check --format json` has all")
    lines += [f"way out: {w.words}" for w in ways]
    if not ways:
        lines.append(
            "no small change would do: the segment is about this data, or its use is; a data steward may exempt it"
        )
    return tuple(lines)


def trail_words(carried: Carried) -> str:
    """One way, from where the label is given to where the data ends: `C4 on field x ← definition d ← segment s`."""
    origin = carried.origin
    start = f"`{carried.label}` on the {origin.kind} `{origin.name or 'default'}`"
    way = []
    for step in reversed(carried.steps):
        if step.kind == "field":
            same = origin.kind == "field" and step.name == origin.name
            way.append("" if same else f"read as `{step.name}`")
        elif step.kind == "identity":
            way.append("" if step.name == origin.name else f"the identity `{step.name}`")
        else:
            way.append(f"the {step.kind} `{step.name}`")
    ends = "the exported fields" if carried.part == "export" else "the rule"
    middle = "".join(f" → {w}" for w in way if w)
    return f"{start}{middle} → {ends}" + (" (under `not`)" if carried.negated else "")


def _labels(violation: Violation) -> Iterator[Label]:
    """Places, each once, in the order in which one looks: the text, what it refers to, where labels are given, the policy."""
    seen: dict[tuple[str, Span], str] = {}
    found: dict[tuple[str, Span], Label] = {}

    def add(place: Place, said: str) -> None:
        if not place.source.name and not place.source.text:
            return
        key = (place.source.name, place.span)
        if key in found:
            if said not in seen[key].split("; "):
                seen[key] += f"; {said}"
                found[key] = Label(place.source, place.span, seen[key])
            return
        seen[key] = said
        found[key] = Label(place.source, place.span, said)

    for carried in violation.trail:
        for step in carried.steps:
            if step.kind == "field":
                add(step.place, f"`{step.name}` is read here" + (", under `not`" if carried.negated else ""))
            elif step.kind == "mapped field":
                add(step.place, f"exported as `{step.name}`")
            elif step.kind != "identity":
                add(step.place, f"through the {step.kind} `{step.name}`")
    for carried in violation.trail:
        implied = _implied(violation, carried)
        add(
            carried.origin.place,
            f"`{carried.label}` is given to the {carried.origin.kind} `{carried.origin.name or 'default'}`{implied}",
        )
    subject = violation.subject
    if subject.destination is not None:
        for action in violation.actions:
            add(
                subject.destination.at("action", action),
                f"`{action}` is a marketing action of `{subject.destination.id}`",
            )
    add(violation.policy.place, "the policy")
    for reason in violation.reasons:
        add(reason.wanted.place, f"denies `{reason.wanted.label}`")
    yield from found.values()


def _implied(violation: Violation, carried: Carried) -> str:
    wanted = [r.wanted.label for r in violation.reasons if carried in r.carried]
    if carried.label in wanted:
        return ""
    return f", which implies {' and '.join(f'`{w}`' for w in wanted)}" if wanted else ""


def exempted(violation: Violation, exemption: Exemption, place: Place) -> Diagnostic:
    """PQL0532: a violation that somebody answers for."""
    findings = Findings(place.source)
    labels = (
        Label(exemption.place.source, exemption.place.span, "the exemption"),
        Label(violation.policy.place.source, violation.policy.place.span, "the policy"),
    )
    help = f"exempted by {exemption.approved_by} until {exemption.until.isoformat()}: {exemption.reason}"
    findings.report("PQL0532", place.span, message(violation), label="exempted", labels=labels, help=help)
    return findings.items[0]


def expired(violation: Violation, exemption: Exemption, today: date) -> Diagnostic:
    """PQL0530: an exemption that holds no longer."""
    findings = Findings(exemption.until_place.source)
    if exemption.until < today:
        said = f"ended with {exemption.until.isoformat()}"
    else:
        said = f"is for version {exemption.policy_version} of it, and it is at version {violation.policy.version}"
    text = f"the exemption of `{exemption.segment}` from `{exemption.policy}` {said}"
    help = f"{exemption.approved_by} signed it: have it renewed, or take a way out"
    findings.report("PQL0530", exemption.until_place.span, text, help=help)
    return findings.items[0]
