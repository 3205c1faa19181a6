"""All governance files of a project at once. Read `load_governance`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pql.diagnostics.model import Diagnostic
from pql.labels import CORE, UsageLabel
from pql.policies.data_files import Tree, parts_of, read_datasets, read_merge_policies
from pql.policies.expression import lint
from pql.policies.model import (
    ConsentPolicy,
    Destination,
    Exemption,
    Governance,
    Labelled,
    MarketingAction,
    Place,
    Policy,
)
from pql.policies.policy_files import core_actions, core_policies, read_actions, read_policy, unknown_label
from pql.policies.project_files import (
    Choices,
    enabled_core,
    read_choices,
    read_consent,
    read_destination,
    read_exemption,
    read_labels_file,
)
from pql.policies.reading import Part, listed
from pql.xdm.documents import Document
from pql.xdm.label_places import LabelPlace, label_places


def load_governance(project: Tree, schema: Path | None = None) -> tuple[Governance, list[Diagnostic]]:
    """What a project's governance files say, with what is wrong in them. `project`: its folder, or the files' texts by name, such as
    `{"policies/ads.yaml": "…"}`. `schema`: the schema's file or folder, read for the places of labels. Without such files: the
    core actions and policies, none of them enabled."""
    return _Loading(project).load(schema)


class _Loading:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.findings: list[Diagnostic] = []
        self.labels: dict[str, UsageLabel] = dict(CORE)
        self.segments: dict[str, tuple[Labelled, ...]] = {}
        self.actions: dict[str, MarketingAction] = core_actions()

    def parts(self, *names: str) -> list[tuple[str, Part]]:
        return list(parts_of(self.tree, self.findings, *names))

    def load(self, schema: Path | None) -> tuple[Governance, list[Diagnostic]]:
        for _, part in self.parts("labels"):
            read_labels_file(part, self.labels, self.segments)
        for _, part in self.parts("actions"):
            for name, action in read_actions(part).items():
                if name in self.actions:
                    Part(part.document, (), None, self.findings).say(
                        f"the marketing action `{name}` is declared already", code="PQL0501", span=action.place.span
                    )
                self.actions.setdefault(name, action)
        choices, project = self._choices()
        core, aliases = core_policies(self.labels, self.actions)
        policies = (*enabled_core(choices, core, aliases, project), *self._policies(core))
        places = label_places(schema) if schema is not None else ()
        governance = Governance(
            self.labels, self.segments, self.actions, policies, self._destinations(), self._consent(), self._exemptions(),
            read_datasets(self.tree, self.labels, self.findings, choices.sources), read_merge_policies(self.tree, self.findings),
            self._field_labels(places), choices.conservative,
        )  # fmt: skip
        self.findings += lint(governance)
        return replace(governance, sound=not any(d.is_error for d in self.findings)), self.findings

    def _choices(self) -> tuple[Choices, Part | None]:
        have = (self.tree / "pql.yaml").is_file() if isinstance(self.tree, Path) else "pql.yaml" in self.tree
        parts = [part for _, part in self.parts("pql")] if have else []
        if not parts:
            return Choices(), None
        part = parts[0]
        return read_choices(part), part

    def _policies(self, core: dict[str, Policy]) -> list[Policy]:
        found: dict[str, Policy] = {}
        names = {p.name for p in core.values()}
        for stem, part in self.parts("policies"):
            for i, item in enumerate(listed(part, "policies")):
                id = stem if part.data is item.data else f"{stem}.{i + 1}"
                policy = read_policy(item, self.labels, self.actions, id)
                if policy is None:
                    continue
                if policy.id in found or policy.id in core:
                    item.say(f"the policy `{policy.id}` is declared twice", code="PQL0501")
                elif policy.name in names:
                    item.say(f"two policies are called `{policy.name}`", code="PQL0501", span=policy.place.span)
                names.add(policy.name)
                found.setdefault(policy.id, policy)
        return list(found.values())

    def _destinations(self) -> dict[str, Destination]:
        found: dict[str, Destination] = {}
        for stem, part in self.parts("destinations"):
            for item in listed(part, "destinations"):
                destination = read_destination(item, self.actions, stem)
                if destination is not None and destination.id in found:
                    item.say(f"the destination `{destination.id}` is declared twice", code="PQL0501")
                elif destination is not None:
                    found[destination.id] = destination
        return found

    def _consent(self) -> tuple[ConsentPolicy, ...]:
        read = (
            read_consent(item, self.labels, self.actions)
            for _, part in self.parts("consent")
            for item in listed(part, "consent")
        )
        return tuple(policy for policy in read if policy is not None)

    def _exemptions(self) -> tuple[Exemption, ...]:
        read = (read_exemption(i) for _, part in self.parts("exemptions") for i in listed(part, "exemptions"))
        return tuple(exemption for exemption in read if exemption is not None)

    def _field_labels(self, places: tuple[LabelPlace, ...]) -> dict[tuple[str, str], Place]:
        """The place of each label of a field, by path from the profile and label; unknown labels are errors."""
        found: dict[tuple[str, str], Place] = {}
        for p in places:
            if p.label not in self.labels:
                document = Document(p.source, None)
                help = unknown_label(p.label, self.labels)
                Part(document, (), None, self.findings).say(
                    f"there is no label `{p.label[:60]}`", help, "PQL0521", p.span
                )
            path = ".".join(p.path)
            for full in {"profile": [path], "event": [f"xEvent.{path}"]}.get(p.section, [path, f"xEvent.{path}"]):
                found.setdefault((full, p.label), Place(p.source, p.span))
        return found
