"""Descriptors laid over a schema: identities, data usage labels, deprecations. Read `apply_descriptors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pql.labels import bare_label
from pql.types import Field, ListType, MapType, ObjectType, Type, make_object
from pql.xdm.compose import field_path
from pql.xdm.registry import Registry

IDENTITY = "xdm:descriptorIdentity"
LABEL = "xdm:descriptorLabel"
DEPRECATED = "xdm:descriptorDeprecated"


@dataclass(frozen=True)
class IdentityField:
    """A field that holds an identity: its path, its namespace and whether it is the schema's primary one."""

    path: tuple[str, ...]
    namespace: str
    primary: bool


def pointer_path(pointer: str) -> tuple[str, ...]:
    """`/xdm:person/xdm:name` (also with `properties` steps, `/*` for elements) as a path."""
    names: list[str] = []
    for part in pointer.replace(".", "/").split("/"):
        if part and part not in ("properties", "items", "*"):
            names.extend(field_path(part.removesuffix("[*]")))
    return tuple(names)


def apply_descriptors(
    kind: ObjectType, descriptors: list[Mapping[str, Any]], registry: Registry
) -> tuple[ObjectType, tuple[IdentityField, ...]]:
    """The object with labels and deprecations on its fields, and its identities. Unknown paths are said."""
    identities: list[IdentityField] = []
    for descriptor in descriptors:
        word = descriptor.get("@type")
        pointers = descriptor.get("xdm:sourceProperty", descriptor.get("sourceProperty", ""))
        for pointer in pointers if isinstance(pointers, list) else [pointers]:
            path = pointer_path(str(pointer))
            if word not in (IDENTITY, LABEL, DEPRECATED):
                continue
            if _find(kind, path) is None:
                continue
            if word == IDENTITY:
                namespace = str(descriptor.get("xdm:namespace", descriptor.get("namespace", "")))
                primary = descriptor.get("xdm:isPrimary", descriptor.get("isPrimary", False)) is True
                identities.append(IdentityField(path, namespace, primary))
            elif word == LABEL:
                labels = descriptor.get("xdm:labels", descriptor.get("labels", ()))
                if not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
                    registry.wrong("PQL0801", str(pointer), "`xdm:labels` is a list of strings")
                    continue
                kind = _changed(kind, path, lambda f, own=frozenset(map(bare_label, labels)): _labelled(f, own))
            else:
                kind = _changed(kind, path, lambda f: replace(f, deprecated=True))
    return kind, tuple(identities)


def _find(kind: Type, path: tuple[str, ...]) -> Field | None:
    found: Field | None = None
    for name in path:
        while isinstance(kind, ListType | MapType):
            kind = kind.element if isinstance(kind, ListType) else kind.value
        if not isinstance(kind, ObjectType) or name not in kind.fields:
            return None
        found = kind.fields[name]
        kind = found.type
    return found


def _changed(kind: ObjectType, path: tuple[str, ...], change: Any) -> ObjectType:
    field = kind.fields[path[0]]
    new = change(field) if len(path) == 1 else replace(field, type=_inside(field.type, path[1:], change))
    return make_object(kind.name, {**kind.fields, path[0]: new})


def _inside(kind: Type, path: tuple[str, ...], change: Any) -> Type:
    if isinstance(kind, ListType):
        return ListType(_inside(kind.element, path, change))
    if isinstance(kind, MapType):
        return MapType(_inside(kind.value, path, change))
    assert isinstance(kind, ObjectType)
    return _changed(kind, path, change)


def _labelled(field: Field, labels: frozenset[str]) -> Field:
    """A field with labels; what is inside it has them too."""
    return replace(field, labels=field.labels | labels, type=_labelled_type(field.type, labels))


def _labelled_type(kind: Type, labels: frozenset[str]) -> Type:
    if isinstance(kind, ListType):
        return ListType(_labelled_type(kind.element, labels))
    if isinstance(kind, MapType):
        return MapType(_labelled_type(kind.value, labels))
    if isinstance(kind, ObjectType):
        return make_object(kind.name, {n: _labelled(f, labels) for n, f in kind.fields.items()})
    return kind
