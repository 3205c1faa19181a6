"""Data usage labels: their names, what a label implies, and how sets of them are joined. A lattice and nothing else.

Ground floor: knows no schema, no policy, no file. Label sets are frozensets of names, closed under implication by
`closed`; closed sets under union are a join-semilattice whose least element is the empty set. Read `closed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

CATEGORIES = ("Contract", "Identity", "Sensitive", "Partner", "Custom")


@dataclass(frozen=True, slots=True)
class UsageLabel:
    """What is known of a label. `category`: one of `CATEGORIES`; a label that a project declares is `Custom`."""

    name: str
    category: str
    friendly_name: str
    description: str = ""


_CONTRACT = (
    ("C1", "Aggregate export only", "may leave only as aggregates, without identifiers of persons or devices"),
    ("C2", "No third-party export", "may not be exported to a third party"),
    ("C3", "No combining with identity", "may not be combined or used with directly identifying data"),
    ("C4", "No targeting", "may not be used for any targeting of advertisements or content"),
    ("C5", "No cross-site targeting", "may not be used for interest-based targeting across sites"),
    ("C6", "No on-site advertising", "may not be used to choose, deliver or measure advertisements on own sites"),
    ("C7", "No on-site personalization", "may not be used to choose content on own sites"),
    ("C8", "No measurement", "may not be used to measure the use of own sites and apps"),
    ("C9", "No data science", "may not be used in models and data science"),
    ("C10", "No stitched activation", "may not be used to activate stitched identities"),
    ("C11", "No segment match", "may not be shared with segment match partners"),
    ("C12", "No export", "may not be exported at all"),
)
_OTHERS = (
    ("I1", "Identity", "Directly identifying", "identifies or reaches a person by itself"),
    ("I2", "Identity", "Indirectly identifying", "identifies a person together with other data"),
    ("S1", "Sensitive", "Precise location", "a latitude and longitude, or as precise"),
    ("S2", "Sensitive", "Broad location", "an area, such as a geofence"),
    ("PSPD", "Sensitive", "Permitted sensitive data", "sensitive personal data that a contract permits, health left out"),
    ("RHD", "Sensitive", "Regulated health data", "health data under regulation that a contract permits"),
    ("Third-Party", "Partner", "Third-party data", "comes from a vendor without a relation of its own to the person"),
)  # fmt: skip

CORE = MappingProxyType(
    {
        **{n: UsageLabel(n, "Contract", f, d) for n, f, d in _CONTRACT},
        **{n: UsageLabel(n, c, f, d) for n, c, f, d in _OTHERS},
    }
)
"""The core labels by name."""

IMPLIES = MappingProxyType(
    {
        "C12": frozenset({"C2", "C1"}),
        "C2": frozenset({"C1"}),
        "C4": frozenset({"C5", "C6", "C7"}),
    }
)
"""What a label says besides itself, transitively: export C12 > C2 > C1, targeting C4 over C5, C6 and C7."""

NONE: frozenset[str] = frozenset()


def bare_label(name: str) -> str:
    """`core/C1` and `custom/x`, as the published service writes labels, by their last part; other names as they are."""
    head, slash, tail = name.partition("/")
    return tail if slash and tail and head in ("core", "custom") else name


@lru_cache(maxsize=4096)
def closed(labels: frozenset[str]) -> frozenset[str]:
    """The labels with all that they imply. Monotone, extensive and idempotent: a closure."""
    return labels.union(*(IMPLIES.get(label, NONE) for label in labels)) if labels else labels


def join(*sets: Iterable[str]) -> frozenset[str]:
    """The labels of data that is made of several: every label of every part, closed."""
    return closed(frozenset(label for labels in sets for label in labels))


def below(a: frozenset[str], b: frozenset[str]) -> bool:
    """Is data labelled `b` at least as restricted as data labelled `a`?"""
    return closed(a) <= closed(b)


def said_by(label: str, labels: Iterable[str]) -> tuple[str, ...]:
    """Which of the labels say `label`: itself and those that imply it, in alphabetical order."""
    return tuple(sorted(have for have in labels if have == label or label in IMPLIES.get(have, NONE)))


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What a function does to the labels of its arguments: joins them all, except those in `drops`.

    A rule that drops something needs a `reason` and `reviewed_by`; it holds for the named labels alone.
    """

    drops: frozenset[str] = NONE
    reason: str = ""
    reviewed_by: str = ""

    def __post_init__(self) -> None:
        if self.drops and not (self.reason and self.reviewed_by):
            raise ValueError("a label rule that drops labels needs a reason and the name of who reviewed it")

    def apply(self, labels: frozenset[str]) -> frozenset[str]:
        """The labels of the result."""
        return labels - self.drops


JOIN = LabelRule()
