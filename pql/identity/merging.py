"""Merging fragments of one person in plain Python: the value of each leaf, and where it came from. Read `merge`.

The store merges all profiles set-based by the same rules (`pql.store.merging`); tests hold the two equal. This one serves
`pql profile`, since it knows the dataset and the time of everything it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.identity.leaves import Leaf, Path, leaves
from pql.identity.policy import MergePolicy
from pql.types import ObjectType

RESTRICTIVE = ("n", "dn", "u", "p")
"""Values of a consent from the most restrictive on; others come next, `dy` and `y` last."""
PERMISSIVE = ("dy", "y")


def restriction(val: Any) -> int:
    """The place of a consent's value, smallest the most restrictive."""
    if val in RESTRICTIVE:
        return RESTRICTIVE.index(val)
    return len(RESTRICTIVE) + (1 + PERMISSIVE.index(val) if val in PERMISSIVE else 0)


@dataclass(frozen=True)
class Fragment:
    """What one dataset says of one primary identity (`key`). `ordered`: when the record was true or, if nobody says so
    (`timed` is false), when it arrived. `document`: typed values, objects as dicts. `times`: of leaves, by dotted path, that are
    older than the record."""

    dataset: str
    key: str
    ordered: datetime | None
    document: Mapping[str, Any]
    timed: bool = True
    times: Mapping[str, datetime] = field(default_factory=dict)

    def at(self, leaf: Leaf) -> datetime | None:
        """When a leaf was true."""
        return self.times.get(leaf.key, self.ordered)


@dataclass(frozen=True)
class Origin:
    dataset: str
    at: datetime | None
    key: str = ""


@dataclass
class Merged:
    """`values`: nested, present values only. `origins`: by leaf path (of a map: with the key)."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Origin] = field(default_factory=dict)


def at_path(document: Any, path: Iterable[str]) -> Any:
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def merge(fragments: Sequence[Fragment], policy: MergePolicy, profile: ObjectType) -> Merged:
    """The merged attributes of one person.

    A leaf has the value of the best fragment that has one: declared before inferred, then by the policy's order of
    datasets if it has one, then the newest, then by dataset and key in the order of the alphabet. Nulls never count.
    Consents go by their own time, the most restrictive first where times are equal, whatever the policy.
    """
    result = Merged()
    for leaf in leaves(profile):
        taking = [
            f
            for f in fragments
            if policy.takes(f.dataset, leaf.path) and _given(at_path(f.document, leaf.val or leaf.path))
        ]
        if not taking:
            continue
        best = sorted(taking, key=lambda f: order_key(f, policy, leaf))
        if leaf.kind == "map":
            _merge_map(result, leaf, best)
            continue
        if leaf.kind == "consent":
            best.sort(key=lambda f: _consent_key(f, leaf))
        _put(result.values, leaf.path, at_path(best[0].document, leaf.path))
        result.origins[leaf.path] = Origin(best[0].dataset, _said_at(best[0], leaf), best[0].key)
    return result


def _given(value: Any) -> bool:
    """Is there anything? An object whose fields are all null says nothing."""
    if isinstance(value, Mapping):
        return any(_given(v) for v in value.values())
    return value is not None


def order_key(f: Fragment, policy: MergePolicy, leaf: Leaf) -> tuple[Any, ...]:
    """Smallest is best."""
    at = f.at(leaf)
    age = -(at - datetime.min).total_seconds() if at is not None else 1.0
    micro = -at.microsecond if at is not None else 0
    return f.dataset in policy.inferred, policy.rank(f.dataset, leaf.path), age // 1, micro, f.dataset, f.key


def _consent_time(f: Fragment, leaf: Leaf) -> datetime | None:
    own = at_path(f.document, leaf.time) if leaf.time else None
    return own if own is not None else f.at(leaf) if f.timed else None


def _consent_key(f: Fragment, leaf: Leaf) -> tuple[Any, ...]:
    at = _consent_time(f, leaf)
    val = at_path(f.document, leaf.val) if leaf.val else None
    return (at is None, -(at - datetime.min).total_seconds() // 1 if at else 0, -at.microsecond if at else 0,
            restriction(val) if leaf.val else 0)  # fmt: skip


def _said_at(f: Fragment, leaf: Leaf) -> datetime | None:
    return (_consent_time(f, leaf) if leaf.kind == "consent" else None) or f.at(leaf)


def _merge_map(result: Merged, leaf: Leaf, best: Sequence[Fragment]) -> None:
    found: dict[str, Any] = {}
    for f in best:
        for key, value in at_path(f.document, leaf.path).items():
            if value is not None and key not in found:
                found[key] = value
                result.origins[(*leaf.path, key)] = Origin(f.dataset, f.at(leaf), f.key)
    if found:
        _put(result.values, leaf.path, found)


def _put(values: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def flat(values: Mapping[str, Any], profile: ObjectType) -> Iterator[tuple[Path, Any]]:
    """The leaves of a merged document that are there, with their values."""
    for leaf in leaves(profile):
        value = at_path(values, leaf.path)
        if _given(value):
            yield leaf.path, value
