"""What governance files say, as frozen data with places. Read `Governance`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pql.labels import UsageLabel
from pql.source import NOWHERE, Source, Span


@dataclass(frozen=True)
class Place:
    """A place in a file; a source without text has no lines to show."""

    source: Source = Source("", "")
    span: Span = NOWHERE


@dataclass(frozen=True)
class LabelIs:
    label: str
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Combined:
    """`operator`: AND or OR."""

    operator: str
    operands: tuple[Deny, ...]


Deny = LabelIs | Combined


@dataclass(frozen=True)
class MarketingAction:
    name: str
    description: str = ""
    core: bool = False
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Policy:
    """`actions`: names of marketing actions, any of them. `status`: DRAFT, ENABLED or DISABLED. `hard`: holds for every export,
    outside of the project's choices. `extra`: keys of the published shape that are kept as they came."""

    id: str
    name: str
    status: str
    actions: tuple[str, ...]
    deny: Deny
    description: str = ""
    version: int = 1
    core: bool = False
    hard: bool = False
    template: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class MappedField:
    """A row of a destination's mapping: PQL over the profile, and the name that the destination gives it."""

    source: str
    target: str
    place: Place = field(default_factory=Place, compare=False)
    key: tuple[str | int, ...] = field(default=(), compare=False)
    """The way to it in its file."""


@dataclass(frozen=True)
class Destination:
    id: str
    name: str
    kind: str
    actions: tuple[str, ...]
    fields: tuple[MappedField, ...]
    segments: tuple[str, ...]
    merge_policy: str = ""
    place: Place = field(default_factory=Place, compare=False)
    places: Mapping[tuple[str, ...], Place] = field(default_factory=dict, compare=False)
    key: tuple[str | int, ...] = field(default=(), compare=False)

    def at(self, *path: str) -> Place:
        """The place of `("action", name)`, `("segment", id)` or `("mergePolicy",)`; else of the destination."""
        return self.places.get(path, self.place)


@dataclass(frozen=True)
class ConsentPolicy:
    """People whom the actions may address: those for whom `condition`, PQL over the profile, holds."""

    name: str
    status: str
    actions: tuple[str, ...]
    condition: str
    labels: Deny | None = None
    place: Place = field(default_factory=Place, compare=False)
    condition_place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Exemption:
    """A violation that somebody answers for, up to and including a day."""

    policy: str
    segment: str
    destination: str
    action: str
    approved_by: str
    reason: str
    until: date
    policy_version: int | None = None
    place: Place = field(default_factory=Place, compare=False)
    until_place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Labelled:
    """A label with the place where it is given."""

    label: str
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Dataset:
    """What one source brings to a dataset. `contributes`: paths from the profile (events below `xEvent`); empty with `everything`
    set. `identities`: path and namespace. `connection`: labels of the source itself."""

    name: str
    source: str
    kind: str
    labels: tuple[Labelled, ...]
    connection: tuple[Labelled, ...]
    contributes: frozenset[str]
    everything: bool
    identities: tuple[tuple[str, str], ...] = ()
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class MergePolicy:
    """`order`: the datasets of `dataSetPrecedence`, or None when all are merged."""

    name: str
    graph: str
    order: tuple[str, ...] | None
    default: bool
    place: Place = field(default_factory=Place, compare=False)
    graph_place: Place = field(default_factory=Place, compare=False)

    @property
    def stitched(self) -> bool:
        return self.graph == "pdg"

    def merges(self, dataset: Dataset) -> bool:
        return self.order is None or dataset.name in self.order


ALL_DATA = MergePolicy("", "none", None, True)
"""What holds when a project has no merge policies: everything merged, no private graph."""


@dataclass(frozen=True)
class Governance:
    """Everything that a project's files say. `policies`: enabled or not; `conservative`: labels of whole datasets count; `sound`: the
    files could be read without errors (else nothing may be activated)."""

    labels: Mapping[str, UsageLabel]
    segment_labels: Mapping[str, tuple[Labelled, ...]]
    actions: Mapping[str, MarketingAction]
    policies: tuple[Policy, ...]
    destinations: Mapping[str, Destination]
    consent: tuple[ConsentPolicy, ...]
    exemptions: tuple[Exemption, ...]
    datasets: tuple[Dataset, ...]
    merge_policies: Mapping[str, MergePolicy]
    field_labels: Mapping[tuple[str, str], Place]
    conservative: bool = False
    sound: bool = True

    @property
    def default_merge_policy(self) -> MergePolicy:
        found = [m for m in self.merge_policies.values() if m.default]
        return found[0] if found else next(iter(self.merge_policies.values()), ALL_DATA)

    def active(self, drafts: bool = False) -> tuple[Policy, ...]:
        """The policies that are judged."""
        return tuple(p for p in self.policies if p.hard or p.status == "ENABLED" or (drafts and p.status == "DRAFT"))
