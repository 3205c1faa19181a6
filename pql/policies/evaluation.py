"""Whether labels, or fields of datasets, may be used for a marketing action, in the published JSON shape. Read `evaluate`.

Shape: the policy service's `/constraints` response. Segments and destinations: `enforcement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pql.policies.carrying import schema_labels
from pql.policies.judge import violated_by
from pql.policies.model import Deny, Governance, LabelIs, MarketingAction, Policy
from pql.policies.policy_files import bare, unknown_action, unknown_label
from pql.xdm.catalog import look_up
from pql.xdm.schema import Schema

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
    schema: Schema | None = None,
) -> Json:
    """May data with these labels, or these fields of datasets, be used for a marketing action? No `violatedPolicies`: yes.

    Exactly one of `labels` and `entities` (`{entityType: "dataSet", entityId, entityMeta: {fields: [pointer]}}`; `schema` has their fields'
    labels). Raises Unknown for a name that is not known, and where the governance files have errors. `now`: naive UTC, for the answer's
    time stamp alone."""
    if not governance.sound:
        raise Unknown("PQL0523", "the governance files have errors, so nothing is let through", "see `pql check`")
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
        if schema is None:
            raise Unknown(
                "PQL0523", "the labels of fields stand in a schema, and none was given", "give it as `schema`"
            )
        discovered = [_discovered(governance, schema, entity) for entity in entities or ()]
        have = [label for d in discovered for label in _all_labels(d)]
    violated = violated_by(governance, have, [name], drafts)
    return answer(governance, name, have, discovered, violated, now)


def answer(
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


def _discovered(governance: Governance, schema: Schema, entity: Mapping[str, Any]) -> Json:
    """The labels of a dataset and of some of its fields, or of all that have labels."""
    id = str(entity.get("entityId", ""))
    own = [d for d in governance.datasets if d.name == id]
    if not own:
        raise Unknown("PQL0529", f"there is no dataset `{id}`")
    meta = entity.get("entityMeta")
    pointers = [str(p) for p in meta.get("fields", ())] if isinstance(meta, Mapping) else []
    event = any(d.kind == "event" for d in own)
    wanted = ["xEvent." * event + _path(p) for p in pointers]
    for path, pointed in zip(wanted, pointers, strict=True):
        if look_up(schema.profile, path) is None:
            raise Unknown("PQL0529", f"the schema has no field `{pointed}`")
    given: dict[str, set[str]] = {}
    for path, label in schema_labels(schema):
        if path.startswith("xEvent.") == event and (not wanted or any(_related(path, w) for w in wanted)):
            given.setdefault(path, set()).add(label)
    fields = [
        {"path": pointer(p.removeprefix("xEvent.")), "labels": sorted(names)} for p, names in sorted(given.items())
    ]
    return dataset_json(
        id, {x.label for d in own for x in d.connection}, {x.label for d in own for x in d.labels}, fields
    )  # fmt: skip


def _path(pointer: str) -> str:
    """`/properties/a/properties/b`, or `/a/b`, as a path."""
    steps = pointer.strip("/").split("/")
    return ".".join(s for i, s in enumerate(steps) if s != "properties" or i % 2)


def _related(a: str, b: str) -> bool:
    return a == b or a.startswith(b + ".") or b.startswith(a + ".")


def dataset_json(id: str, connection: Iterable[str], labels: Iterable[str], fields: list[Json]) -> Json:
    own = {"connection": {"labels": sorted(connection)}, "dataSet": {"labels": sorted(labels)}, "fields": fields}
    return {"entityType": "dataSet", "entityId": id, "dataSetLabels": own}


def _all_labels(discovered: Json) -> list[str]:
    own = discovered["dataSetLabels"]
    return [*own["connection"]["labels"], *own["dataSet"]["labels"], *(x for f in own["fields"] for x in f["labels"])]


def pointer(path: str) -> str:
    """A path as the published JSON pointer: `/properties/a/properties/b`."""
    return "".join(f"/properties/{step}" for step in path.split("."))
