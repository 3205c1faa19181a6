"""Look-ups in a schema: a path's field, all paths, completion. Read `look_up` and `complete`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pql.types import Field, ListType, MapType, ObjectType, Type, describe
from pql.xdm.schema import Schema


@dataclass(frozen=True)
class Found:
    """A field at a path; `repeated`: a list or map lies on the way, so there may be many values."""

    path: str
    field: Field
    repeated: bool

    @property
    def type(self) -> str:
        return describe(self.field.type)


def _element(kind: Type) -> Type:
    while isinstance(kind, ListType | MapType):
        kind = kind.element if isinstance(kind, ListType) else kind.value
    return kind


def look_up(root: ObjectType, path: str) -> Found | None:
    """The field at a dotted path; `[*]` or `[]` after a list's name may be written; below a map any key is a step."""
    field, repeated = None, False
    kind: Type = root
    for name in path.replace("[*]", "").replace("[]", "").split("."):
        name = name.removeprefix("xdm:")
        while isinstance(kind, ListType):
            kind, repeated = kind.element, True
        if isinstance(kind, MapType):
            kind, repeated = kind.value, True
            field = Field(name, kind)
            continue
        if not isinstance(kind, ObjectType) or name not in kind.fields:
            return None
        field = kind.fields[name]
        kind = field.type
    return None if field is None else Found(path, field, repeated)


def paths(root: ObjectType, depth: int = 12, prefix: str = "", repeated: bool = False) -> Iterator[Found]:
    """Every field below an object, depth first, in the order of the schema."""
    for name, field in root.fields.items():
        path = f"{prefix}.{name}" if prefix else name
        yield Found(path, field, repeated)
        inner = _element(field.type)
        if isinstance(inner, ObjectType) and depth > 1:
            yield from paths(inner, depth - 1, path, repeated or inner is not field.type)


def complete(schema: Schema, prefix: str, root: ObjectType | None = None) -> list[Found]:
    """The fields that a half-written path may go on to: those whose last part begins with what stands there."""
    head, dot, tail = prefix.rpartition(".")
    kind: Type = root or schema.profile
    if dot:
        found = look_up(root or schema.profile, head)
        if found is None:
            return []
        kind = _element(found.field.type)
    if not isinstance(kind, ObjectType):
        return []
    start = f"{head}." if dot else ""
    return [Found(start + n, f, False) for n, f in kind.fields.items() if n.lower().startswith(tail.lower())]
