"""What a screen does not show of a profile unless it is asked to: labelled fields, e-mail addresses, phone numbers. Read `Mask`.

Values that look alike when masked are told apart by a number, in the order in which they are met: it says that they differ and nothing of
what they are. A piece of the value would say more, and so would a digest: addresses can be tried against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pql.identity.namespaces import Kind
from pql.identity.settings import IdentitySettings
from pql.types import ListType, MapType, ObjectType, Type

LABELS = frozenset(("I1", "I2", "S1", "S2", "PSPD", "RHD"))
HIDDEN = "•••"
MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
PHONE_FIELD = re.compile(r"(phone|fax|mobile|msisdn)", re.IGNORECASE)
PHONE = re.compile(r"^[+(]?[0-9][0-9 ()./-]{5,}$")


@dataclass(frozen=True)
class Mask:
    """`labels`: of datasets, by name; a dataset's labels are those of all its fields. `events`: the names of those of events. `on` is false after `--unmask`."""

    profile: ObjectType
    event: ObjectType
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    on: bool = True
    settings: IdentitySettings = field(default_factory=IdentitySettings)
    events: frozenset[str] = frozenset()
    met: dict[str, dict[str, int]] = field(default_factory=dict, compare=False, repr=False)
    """The values behind each masked text, with their numbers."""

    def hides(self, path: tuple[str, ...], dataset: str = "") -> bool:
        """Is a leaf of the profile hidden as a whole?"""
        return self.on and bool(LABELS & (_labels(self.profile, path) | self.labels.get(dataset, frozenset())))

    def attribute(self, path: tuple[str, ...], value: Any, dataset: str = "") -> Any:
        if not self.on:
            return value
        return HIDDEN if self.hides(path, dataset) else self.value(value, ".".join(path), _type(self.profile, path))

    def computed(self, value: Any, labels: frozenset[str], datasets: Iterable[str], kind: str) -> Any:
        """A computed attribute, with the labels of what it reads, and the datasets that this comes from."""
        if not self.on:
            return value
        own = labels.union(*(self.labels.get(d, frozenset()) for d in datasets))
        return HIDDEN if LABELS & own else self.value(value, kind)

    def document(self, value: Mapping[str, Any], dataset: str = "") -> dict[str, Any]:
        """An event."""
        if not self.on:
            return dict(value)
        whole = bool(LABELS & self.labels.get(dataset, frozenset()))
        kept = ("_id", "timestamp", "eventType", "_dataset")
        return {k: v if k in kept else HIDDEN if whole or self._labelled(k) else self.value(v, k, _type(self.event, (k,)))
                for k, v in value.items()}  # fmt: skip

    def _labelled(self, name: str) -> bool:
        return bool(LABELS & _labels(self.event, (name,)))

    def value(self, value: Any, path: str = "", kind: Type | None = None) -> Any:
        """A value with what is inside it."""
        if not self.on:
            return value
        if isinstance(value, Mapping):
            return {
                k: HIDDEN if LABELS & _own(kind, k) else self.value(v, f"{path}.{k}", _type(kind, (k,)))
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self.value(v, path, getattr(kind, "element", None)) for v in value]
        return self.text(value, path) if isinstance(value, str) else value

    def identity(self, namespace: str, id: str) -> str:
        """An identity's value: of an e-mail or phone namespace it is hidden whatever it looks like."""
        kind = self.settings.namespace(namespace).kind
        if not self.on or kind not in (Kind.EMAIL, Kind.PHONE):
            return self.text(id, namespace)
        if MAIL.match(id):
            return self.text(id, namespace)
        return self._told_apart(HIDDEN + (id[-2:] if kind is Kind.PHONE else ""), id)

    def text(self, value: str, path: str = "") -> str:
        if not self.on:
            return value
        if MAIL.match(value):
            return self._told_apart(value[0] + HIDDEN + "@" + HIDDEN, value)
        if PHONE_FIELD.search(path) and PHONE.match(value):
            return self._told_apart(HIDDEN + value[-2:], value)
        return value

    def _told_apart(self, hidden: str, value: str) -> str:
        """The masked text; of a second value that has it too, with ` (2)`, and so on."""
        known = self.met.setdefault(hidden.lower(), {})
        number = known.setdefault(value.strip().lower(), len(known) + 1)
        return hidden if number == 1 else f"{hidden} ({number})"


def _own(kind: Type | None, name: str) -> frozenset[str]:
    if isinstance(kind, ObjectType) and name in kind.fields:
        return kind.fields[name].labels
    return frozenset()


def _labels(root: ObjectType, path: tuple[str, ...]) -> frozenset[str]:
    """The labels of a path and of everything above it."""
    found: frozenset[str] = frozenset()
    kind: Type | None = root
    for name in path:
        found |= _own(kind, name)
        kind = _type(kind, (name,))
    return found


def _type(kind: Type | None, path: tuple[str, ...]) -> Type | None:
    for name in path:
        while isinstance(kind, ListType):
            kind = kind.element
        if isinstance(kind, MapType):
            kind = kind.value
        elif isinstance(kind, ObjectType) and name in kind.fields:
            kind = kind.fields[name].type
        else:
            return None
    return kind
