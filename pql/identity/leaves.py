"""The parts of a profile that merging decides one by one. Read `leaves`.

A leaf is a plain value, a whole list, a map (decided key by key), or a consent (an object with `val` below `consents`,
decided as one). System-owned fields have no leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pql.types import TIMESTAMP, Field, ListType, MapType, ObjectType, ScalarType, Type

Path = tuple[str, ...]
SYSTEM = ("identityMap", "segmentMembership", "xEvent")
CONSENTS = "consents"
METADATA = (CONSENTS, "metadata", "time")
DEPTH_MOST = 40


@dataclass(frozen=True)
class Leaf:
    """`kind`: `value`, `list`, `map` or `consent`. `time`: of a consent, the path that says when it was given."""

    path: Path
    type: Type
    kind: str
    time: Path | None = None
    val: Path | None = None

    @property
    def key(self) -> str:
        """The name under which a record keeps the leaf's own time."""
        return ".".join(self.val or self.path)


def leaves(profile: ObjectType) -> tuple[Leaf, ...]:
    """The leaves of a profile, in the order of the schema."""
    fields = {n: f for n, f in profile.fields.items() if n not in SYSTEM}
    metadata = METADATA if _has_metadata(fields) else None
    return tuple(_leaves(fields, (), metadata))


def _has_metadata(fields: dict[str, Field]) -> bool:
    kind: Type | None = fields[CONSENTS].type if CONSENTS in fields else None
    for name in METADATA[1:]:
        kind = kind.fields[name].type if isinstance(kind, ObjectType) and name in kind.fields else None
    return kind == TIMESTAMP


def _leaves(fields: dict[str, Field], prefix: Path, metadata: Path | None) -> Iterator[Leaf]:
    if len(prefix) > DEPTH_MOST:
        return
    for name, field in fields.items():
        path = (*prefix, name)
        consent = path[0] == CONSENTS and len(path) > 1
        kind = field.type
        if isinstance(kind, ObjectType):
            if consent and isinstance(getattr(kind.fields.get("val"), "type", None), ScalarType):
                own = kind.fields.get("time")
                time = (*path, "time") if own is not None and own.type == TIMESTAMP else metadata
                yield Leaf(path, kind, "consent", time, (*path, "val"))
            else:
                yield from _leaves(dict(kind.fields), path, metadata)
        elif isinstance(kind, MapType):
            yield Leaf(path, kind, "map")
        elif isinstance(kind, ListType):
            yield Leaf(path, kind, "list")
        elif consent:
            yield Leaf(path, kind, "consent", path if path == METADATA else metadata)
        else:
            yield Leaf(path, kind, "value")
