"""Answers in the published JSON shapes: evaluation of a marketing action, and the violations of a refused activation.

Shapes: the policy service's `/constraints` response (labels, or datasets with fields) and its 409 with `violations`. Read
`evaluate`, then `refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pql.labels import closed
from pql.policies.carrying import Carried
from pql.policies.judge import Judge, Subject, Violation, violated_by
from pql.policies.model import Deny, Governance, LabelIs, MarketingAction, Policy
from pql.policies.policy_files import bare, unknown_action, unknown_label
from pql.policies.ways_out import ways_out

Json = dict[str, Any]


class Unknown(Exception):
    """A name that is not known, by which nothing may be decided: `code` and `help` are for people."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code, self.help = code, help


def deny_json(deny: Deny) -> Json:
    if isinstance(deny, LabelIs):
        return {"label": deny.label}
    return {"operator": deny.operator, "operands": [deny_json(o) for o in deny.operands]}


def action_ref(action: MarketingAction) -> str:
    return f"marketingActions/{'core' if action.core else 'custom'}/{action.name}"


def policy_json(policy: Policy, governance: Governance) -> Json:
    """A policy in the published shape."""
    refs = [action_ref(governance.actions[a]) for a in policy.actions if a in governance.actions]
    own = {"id": policy.id, "name": policy.name, "status": policy.status, "marketingActionRefs": refs}
    return {
        **own,
        "description": policy.description,
        "deny": deny_json(policy.deny),
        "version": policy.version,
        **policy.extra,
    }


def evaluate(
    governance: Governance,
    action: str,
    labels: Iterable[str] | None = None,
    entities: Sequence[Mapping[str, Any]] | None = None,
    now: datetime | None = None,
    drafts: bool = False,
) -> Json:
    """May data with these labels, or these fields of datasets, be used for a marketing action? No `violatedPolicies`: yes.

    Exactly one of `labels` and `entities` (`{entityType: "dataSet", entityId, entityMeta: {fields: [pointer]}}`). Raises Unknown for a
    name that is not known. `now`: naive UTC, for the answer's time stamp alone."""
    name = bare(action)
    if name not in governance.actions:
        raise Unknown("PQL0522", f"there is no marketing action `{name}`", unknown_action(name, governance.actions))
    if (labels is None) == (entities is None):
        raise Unknown("PQL0523", "exactly one of labels and entities is wanted")
    discovered: list[Json] = []
    if labels is not None:
        have = [bare(label) for label in labels]
        for label in have:
            if label not in governance.labels:
                raise Unknown("PQL0521", f"there is no label `{label}`", unknown_label(label, governance.labels))
    else:
        discovered = [_discovered(governance, entity) for entity in entities or ()]
        have = [label for d in discovered for label in _all_labels(d)]
    violated = violated_by(governance, have, [name], drafts)
    return _answer(governance, name, have, discovered, violated, now)


def _answer(
    governance: Governance, action: str, labels: Iterable[str], discovered: list[Json], violated: Iterable[Policy], now: datetime | None
) -> Json:  # fmt: skip
    return {
        "timestamp": _milliseconds(now),
        "clientId": "pql",
        "userId": "",
        "marketingActionRef": action_ref(governance.actions[action]),
        "duleLabels": sorted(set(labels)),
        "discoveredLabels": discovered,
        "violatedPolicies": [policy_json(p, governance) for p in violated],
    }


def _milliseconds(now: datetime | None) -> int:
    return 0 if now is None else int(now.replace(tzinfo=UTC).timestamp() * 1000)


def _discovered(governance: Governance, entity: Mapping[str, Any]) -> Json:
    """The labels of a dataset and of some of its fields, or of all that have labels."""
    id = str(entity.get("entityId", ""))
    own = [d for d in governance.datasets if d.name == id]
    if not own:
        raise Unknown("PQL0529", f"there is no dataset `{id}`")
    meta = entity.get("entityMeta")
    pointers = [str(p) for p in meta.get("fields", ())] if isinstance(meta, Mapping) else []
    event = any(d.kind == "event" for d in own)
    wanted = ["xEvent." * event + ".".join(p.strip("/").split("/")).replace("properties.", "") for p in pointers]
    given: dict[str, set[str]] = {}
    for path, label in governance.field_labels:
        if path.startswith("xEvent.") == event and (not wanted or any(_related(path, w) for w in wanted)):
            given.setdefault(path, set()).add(label)
    fields = [
        {"path": pointer(p.removeprefix("xEvent.")), "labels": sorted(names)} for p, names in sorted(given.items())
    ]
    return _dataset_json(
        id, {x.label for d in own for x in d.connection}, {x.label for d in own for x in d.labels}, fields
    )  # fmt: skip


def _related(a: str, b: str) -> bool:
    return a == b or a.startswith(b + ".") or b.startswith(a + ".")


def _dataset_json(id: str, connection: Iterable[str], labels: Iterable[str], fields: list[Json]) -> Json:
    own = {"connection": {"labels": sorted(connection)}, "dataSet": {"labels": sorted(labels)}, "fields": fields}
    return {"entityType": "dataSet", "entityId": id, "dataSetLabels": own}


def _all_labels(discovered: Json) -> list[str]:
    own = discovered["dataSetLabels"]
    return [*own["connection"]["labels"], *own["dataSet"]["labels"], *(x for f in own["fields"] for x in f["labels"])]


def pointer(path: str) -> str:
    """A path as the published JSON pointer: `/properties/a/properties/b`."""
    return "".join(f"/properties/{step}" for step in path.split("."))


# --- a segment at a destination ---
def evaluate_subject(judge: Judge, subject: Subject, actions: Sequence[str], now: datetime | None = None) -> Json:
    """The answer for a segment (at a destination): one evaluation an action, and `violations` in the shape of the published 409 when
    something is violated."""
    carried = judge.carried(subject)
    violations = judge.violations(subject, actions)
    unknown = judge.unknown(subject)
    discovered = discovered_labels(judge, carried)
    labels = {c.label for c in carried}
    made: Json = {
        "segment": subject.segment,
        "destination": subject.destination.id if subject.destination else None,
        "allowed": not violations and not unknown,
        "evaluations": [
            _answer(
                judge.governance,
                a,
                labels,
                discovered,
                [v.policy for v in violations if a in v.actions or not v.actions],
                now,
            )
            for a in actions
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
            _dataset_json(
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
    """One violation in the published shape: a graph of dataset → merge policy → segment → destination. `options`: ways out."""
    subject = violation.subject
    ways = [w.words for w in ways_out(judge, violation, actions)]
    entities: list[Json] = []
    used = {c.path for c in violation.trail if c.path}
    datasets = []
    for dataset in judge.governance.datasets:
        if dataset.name not in datasets and any(judge.carrier.contributes(dataset, p) for p in used):
            datasets.append(dataset.name)
            own = [d for d in judge.governance.datasets if d.name == dataset.name]
            given = {x.label for d in own for x in (*d.labels, *d.connection)}
            fields = {
                c.label
                for c in violation.trail
                if c.origin.kind == "field" and any(judge.carrier.contributes(d, c.origin.name) for d in own)
            }
            entities.append(_entity(dataset.name, "dataset", [], given, given | fields))
    merge = subject.merge.name or "default"
    c10 = {"C10"} if subject.merge.stitched else set()
    flat = {c.label for c in violation.trail}
    entities.append(
        _entity(merge, "merge-policy", datasets, c10, {x for e in entities for x in e["flattenedLabels"]} | c10)
    )
    own_labels = {x.label for x in judge.carrier.segment_labels(subject.segment)}
    through = dict.fromkeys(
        (s.kind, s.name) for c in violation.trail for s in c.steps if s.kind in ("segment", "definition", "attribute")
    )
    for kind, name in through:
        inner = {c.label for c in violation.trail if any(s.kind == kind and s.name == name for s in c.steps)}
        entities.append(_entity(name, kind, [merge], set(), inner))
    parents = [merge, *(name for _, name in through)]
    rule = {c.label for c in violation.trail if c.part == "rule"}
    options = [] if subject.destination else ways
    entities.append(_entity(subject.segment, "segment", parents, own_labels, rule | own_labels, options))
    if subject.destination is not None:
        mapped = {c.label for c in violation.trail if c.part == "export"}
        entities.append(_entity(subject.destination.id, "destination", [subject.segment], mapped, flat, ways))
    where = f"destination/{subject.destination.id}" if subject.destination else f"segment/{subject.segment}"
    return {
        "enforcementRef": where,
        "marketingActions": list(violation.actions),
        "entities": entities,
        "trail": [trail_json(c) for c in violation.trail],
        "violatedPolicies": [policy_json(violation.policy, judge.governance)],
    }


def _entity(
    name: str,
    kind: str,
    parents: list[str],
    labels: Iterable[str],
    flat: Iterable[str],
    options: list[str] | None = None,
) -> Json:
    return {
        "name": name,
        "entityId": {"namespace": "pql", "type": kind, "id": name},
        "parents": parents,
        "labels": sorted(labels),
        "options": options or [],
        "flattenedLabels": sorted(set(flat)),
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
