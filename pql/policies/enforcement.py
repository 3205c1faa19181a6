"""A segment (at a destination) judged, in the published JSON shapes: evaluations, and the violations of a refused activation.

Shapes: the policy service's `/constraints` response, and its 409 with `violations`, to which ways out are added as data. Read
`evaluate_subject`, then `refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pql.labels import closed
from pql.policies.carrying import Carried
from pql.policies.evaluation import Json, answer, dataset_json, pointer, policy_json
from pql.policies.following import edit_json
from pql.policies.govern import Decision, Governed
from pql.policies.judge import Judge, Subject, Violation
from pql.policies.ways_out import WayOut, ways_out


def evaluate_decision(
    governed: Governed, decision: Decision, now: datetime | None = None, subject: Subject | None = None
) -> Json:
    """The answer for a decision of `govern`: with exemptions, and for a segment that could not be judged at all. `subject`: what was
    judged, where it is not what the files say."""
    judge = governed.judge
    segment = judge.project.segments.get(decision.segment)
    if segment is None or not segment.ok:
        made: Json = {"segment": decision.segment, "destination": decision.destination or None, "allowed": False}
        return {**made, "evaluations": [], "unknown": [decision.segment], "exemptions": []}
    place = judge.governance.destinations.get(decision.destination)
    if subject is None:
        subject = judge.activation(segment.id, place) if place is not None else judge.segment(segment.id)
    made = evaluate_subject(judge, subject, decision.actions, now)
    made["allowed"] = decision.allowed and judge.governance.sound
    made["exemptions"] = [
        {"policy": e.policy, "approvedBy": e.approved_by, "reason": e.reason, "until": e.until.isoformat()}
        for _, e in decision.exempt
    ]
    return made


def evaluate_subject(judge: Judge, subject: Subject, actions: Sequence[str], now: datetime | None = None) -> Json:
    """The answer for a segment (at a destination): one evaluation an action, and `violations` in the shape of the published 409 when
    something is violated."""
    carried = judge.carried(subject)
    violations = judge.violations(subject, actions)
    unknown = judge.unknown(subject, actions)
    discovered = discovered_labels(judge, carried)
    labels = {c.label for c in carried}
    made: Json = {
        "segment": subject.segment,
        "destination": subject.destination.id if subject.destination else None,
        "allowed": not violations and not unknown and judge.governance.sound,
        "evaluations": [
            answer(
                judge.governance,
                a,
                labels,
                discovered,
                [v.policy for v in violations if a in v.actions or not v.actions],
                now,
            )
            for a in actions
            if a in judge.governance.actions
        ],
    }
    if unknown:
        made["unknown"] = list(unknown)
    if violations:
        made["violations"] = [refused(judge, v, actions) for v in violations]
    return made


def discovered_labels(judge: Judge, carried: Iterable[Carried]) -> list[Json]:
    """The labels that were found, dataset by dataset; those of the schema alone under an entity of their own."""
    fields: dict[str, set[str]] = {}
    for c in carried:
        if c.origin.kind == "field":
            fields.setdefault(c.origin.name, set()).add(c.label)
    used = {c.path for c in carried if c.path}
    found: list[Json] = []
    taken: set[str] = set()
    for name in dict.fromkeys(d.name for d in judge.governance.datasets):
        own = [d for d in judge.governance.datasets if d.name == name]
        if not any(judge.carrier.contributes(d, p) for d in own for p in used):
            continue
        mine = sorted(p for p in fields if any(judge.carrier.contributes(d, p) for d in own))
        taken |= set(mine)
        listed = [{"path": pointer(p.removeprefix("xEvent.")), "labels": sorted(fields[p])} for p in mine]
        found.append(
            dataset_json(
                name, {x.label for d in own for x in d.connection}, {x.label for d in own for x in d.labels}, listed
            )
        )
    rest = sorted(set(fields) - taken)
    if rest:
        found.append(
            {
                "entityType": "schema",
                "entityId": "schema",
                "dataSetLabels": {
                    "connection": {"labels": []},
                    "dataSet": {"labels": []},
                    "fields": [{"path": pointer(p), "labels": sorted(fields[p])} for p in rest],
                },
            }
        )
    return found


def refused(judge: Judge, violation: Violation, actions: Sequence[str]) -> Json:
    """One violation in the published shape: a graph of dataset (or the schema, for labels that stand there alone) → merge policy →
    definitions, attributes and segments as they are read in one another → segment → destination. `options`: ways out."""
    subject = violation.subject
    ways = [way_json(w, subject) for w in ways_out(judge, violation, actions)]
    entities = _sources(judge, violation)
    merge = subject.merge.name or "default"
    c10 = {"C10"} if subject.merge.stitched else set()
    below = {x for e in entities for x in e["flattenedLabels"]}
    entities.append(_entity(merge, "merge-policy", [e["name"] for e in entities], c10, below | c10))
    own_labels = {x.label for x in judge.carrier.segment_labels(subject.segment)}
    entities += _between(violation, merge)
    rule = [c for c in violation.trail if c.part == "rule"]
    export = [c for c in violation.trail if c.part == "export"]
    held = {c.label for c in rule} | own_labels
    options = [] if subject.destination else ways
    entities.append(_entity(subject.segment, "segment", _read(rule, merge), own_labels, held, options))
    if subject.destination is not None:
        parents = dict.fromkeys([subject.segment, *(_read(export, merge) if export else ())])
        mapped, flat = {c.label for c in export}, {c.label for c in violation.trail}
        entities.append(_entity(subject.destination.id, "destination", list(parents), mapped, flat, ways))
    where = f"destination/{subject.destination.id}" if subject.destination else f"segment/{subject.segment}"
    return {
        "enforcementRef": where,
        "marketingActions": list(violation.actions),
        "entities": entities,
        "trail": [trail_json(c) for c in violation.trail],
        "violatedPolicies": [policy_json(violation.policy, judge.governance)],
    }


def _sources(judge: Judge, violation: Violation) -> list[Json]:
    """Where the labels were given: the datasets that contribute, and the schema for fields that no dataset has."""
    found: list[Json] = []
    used = {c.path for c in violation.trail if c.path}
    given = {c.origin.name for c in violation.trail if c.origin.kind == "field"}
    alone = set(given)
    for name in dict.fromkeys(d.name for d in judge.governance.datasets):
        own = [d for d in judge.governance.datasets if d.name == name]
        if not any(judge.carrier.contributes(d, p) for d in own for p in used):
            continue
        mine = {f for f in given if any(judge.carrier.contributes(d, f) for d in own)}
        alone -= mine
        labels = {x.label for d in own for x in (*d.labels, *d.connection)}
        fields = {c.label for c in violation.trail if c.origin.kind == "field" and c.origin.name in mine}
        found.append(_entity(name, "dataset", [], labels, labels | fields))
    if alone:
        rest = {c.label for c in violation.trail if c.origin.kind == "field" and c.origin.name in alone}
        found.append(_entity("schema", "schema", [], rest, rest))
    return found


THROUGH = ("segment", "definition", "attribute")


def _chain(carried: Carried) -> list[tuple[str, str]]:
    """What it is read through, outermost first."""
    return [(s.kind, s.name) for s in carried.steps if s.kind in THROUGH]


def _read(carried: Sequence[Carried], merge: str) -> list[str]:
    """The names of what is read directly: the outermost steps, and the merge policy for what is read without any."""
    return list(dict.fromkeys(chain[0][1] if (chain := _chain(c)) else merge for c in carried)) or [merge]


def _between(violation: Violation, merge: str) -> list[Json]:
    """Definitions, attributes and segments on the way, the innermost first; each has as parents what it reads in its turn."""
    parents: dict[tuple[str, str], dict[str, None]] = {}
    labels: dict[tuple[str, str], set[str]] = {}
    for carried in violation.trail:
        inner = merge
        for step in reversed(_chain(carried)):
            parents.setdefault(step, {})[inner] = None
            labels.setdefault(step, set()).add(carried.label)
            inner = step[1]
    return [_entity(name, kind, list(read), set(), labels[kind, name]) for (kind, name), read in parents.items()]


def _entity(
    name: str,
    kind: str,
    parents: list[str],
    labels: Iterable[str],
    flat: Iterable[str],
    options: list[Json] | None = None,
) -> Json:
    return {
        "name": name,
        "entityId": {"namespace": "pql", "type": kind, "id": name},
        "parents": parents,
        "labels": sorted(labels),
        "options": options or [],
        "flattenedLabels": sorted(set(flat)),
    }


def way_json(way: WayOut, subject: Subject) -> Json:
    """A way out as data. Only ways that were judged are offered: `verified` says so. `edits` follow it, where they can be given."""
    targets = [{"type": "segment", "id": subject.segment}] if way.kind != "mapping" else []
    if subject.destination is not None and way.kind != "segment":
        place = {"type": "destination", "id": subject.destination.id}
        targets = [place] if way.kind in ("mapping", "action") else [*targets, place]
    fields = [d for d in way.drop if not d.startswith(("→", "segment "))]
    return {
        "kind": way.kind,
        "words": way.words,
        "targets": targets,
        "leaveOut": {
            "fields": fields,
            "segments": [d.removeprefix("segment ") for d in way.drop if d.startswith("segment ")],
            "mapped": [d.removeprefix("→") for d in way.drop if d.startswith("→")],
        },
        "instead": list(way.instead),
        "verified": True,
        "edits": [edit_json(e) for e in way.edits],
    }


def trail_json(carried: Carried) -> Json:
    """One way of one label: where it is given, and each step outermost first, with file and line."""
    steps = [
        {
            "kind": s.kind,
            "name": s.name,
            "file": s.place.source.name,
            "line": s.place.source.location(s.place.span.start).line,
        }
        if s.place.source.text
        else {"kind": s.kind, "name": s.name}
        for s in carried.steps
    ]
    origin: Json = {"kind": carried.origin.kind, "name": carried.origin.name}
    if carried.origin.place.source.text:
        place = carried.origin.place
        origin |= {"file": place.source.name, "line": place.source.location(place.span.start).line}
    return {
        "label": carried.label,
        "implies": sorted(closed(frozenset({carried.label})) - {carried.label}),
        "origin": origin,
        "path": carried.path,
        "steps": steps,
        "part": carried.part,
        "negated": carried.negated,
    }
