"""JSON Schema nodes to types: classes, field groups and data types merged deep. Must not know files. Read `object_type`.

Names are those of the platform's data: `xdm:person` is `person`, `@id` is `_id`, and a name of another vocabulary
(`schema:latitude`) is a field of an object with its name (`_schema.latitude`). A data type inside itself ends there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pql.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    Bounds,
    Field,
    ListType,
    MapType,
    ObjectType,
    Type,
    make_object,
)
from pql.xdm.registry import Place, Registry

SCALARS: dict[str, Type] = {
    "string": STRING,
    "integer": INTEGER,
    "int": INTEGER,
    "long": INTEGER,
    "short": INTEGER,
    "byte": INTEGER,
    "number": NUMBER,
    "double": NUMBER,
    "float": NUMBER,
    "boolean": BOOLEAN,
    "date": DATE,
    "date-time": TIMESTAMP,
}
DEEP = 24
"""Objects are followed this deep."""


def field_path(name: str) -> tuple[str, ...]:
    """The names under which the platform stores a property."""
    if name.startswith("@"):
        return ("_" + name[1:],)
    prefix, colon, local = name.partition(":")
    if not colon or not local:
        return (name,)
    return (local,) if prefix == "xdm" else ("_" + prefix, local)


class Composer:
    """Makes types of nodes. Data types that are used as they stand are made once."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.made: dict[int, Type] = {}
        self.busy: list[int] = []
        self.depth = 0

    def object_type(self, name: str, places: Iterable[Place]) -> ObjectType:
        """An object with the fields of all the nodes."""
        return self._object(name, list(self.registry.fragments(places)))

    def _object(self, name: str, fragments: list[Place]) -> ObjectType:
        grouped: dict[tuple[str, ...], list[Place]] = {}
        required: set[tuple[str, ...]] = set()
        for node, document in fragments:
            if isinstance(node.get("required"), list):
                required |= {field_path(k) for k in node["required"] if isinstance(k, str)}
            properties = node.get("properties", {})
            if not isinstance(properties, dict):
                self.registry.wrong("PQL0801", str(document.get("$id", name)), "`properties` is not an object")
                continue
            for key, value in properties.items():
                if key == "@context" or not isinstance(value, dict):
                    continue
                grouped.setdefault(field_path(str(key)), []).append((value, document))
        fields: dict[str, Field] = {}
        nested: dict[str, dict[str, Field]] = {}
        for path, places in grouped.items():
            field = self.field(path[-1], places, f"{name}.{'.'.join(path)}" if name else ".".join(path))
            if path in required:
                field = replace(field, bounds=replace(field.bounds or Bounds(), required=True))
            if len(path) == 1:
                fields[path[0]] = field
            else:
                nested.setdefault(path[0], {})[path[1]] = field
        for vocabulary, own in nested.items():
            fields.setdefault(vocabulary, Field(vocabulary, make_object(f"{name}.{vocabulary}".lstrip("."), own)))
        return make_object(name, fields)

    def field(self, name: str, places: list[Place], origin: str) -> Field:
        fragments = list(self.registry.fragments(places))
        kind = self.type(places, fragments, origin)
        closed: list[str] = []
        usual: list[str] = []
        for node, _ in fragments:
            if isinstance(node.get("enum"), list):
                closed += [v for v in node["enum"] if isinstance(v, str) and v not in closed]
            if isinstance(node.get("meta:enum"), dict):
                usual += [str(v) for v in node["meta:enum"] if str(v) not in usual]
        deprecated = any(n.get("meta:status") == "deprecated" for n, _ in places)
        title = next((str(n["title"]) for n, _ in fragments if "title" in n), "")
        plain = kind == STRING
        return Field(
            name, kind, frozenset(), tuple(closed) if closed and plain else None,
            tuple(usual) if usual and not closed and plain else None, deprecated, title, origin, _bounds(fragments),
            next((str(n["format"]) for n, _ in fragments if "format" in n), "") if plain else "",
        )  # fmt: skip

    def type(self, places: list[Place], fragments: list[Place], origin: str) -> Type:
        """The type of nodes merged; the same lone data type is made once."""
        key = id(places[0][0]) if len(places) == 1 else 0
        target = self._lone_target(places)
        if target:
            key = target
        if key and key in self.made:
            return self.made[key]
        marks = {id(n) for n, _ in fragments if "properties" in n}
        if self.depth > DEEP or (marks and any(m in self.busy for m in marks)):
            return make_object(origin, {})
        before = len(self.busy)
        self.busy.extend(marks)
        self.depth += 1
        kind = self._type(fragments, origin)
        self.depth -= 1
        del self.busy[before:]
        if key and not self.busy:
            self.made[key] = kind
        return kind

    def _lone_target(self, places: list[Place]) -> int:
        if len(places) != 1 or "properties" in places[0][0] or "allOf" in places[0][0] or "$ref" not in places[0][0]:
            return 0
        found = self.registry.resolve(places[0][0]["$ref"], places[0][1])
        return id(found[0]) if found else 0

    def _type(self, fragments: list[Place], origin: str) -> Type:
        word = self._word(fragments)
        if word == "array":
            items = [(n["items"], d) for n, d in fragments if isinstance(n.get("items"), dict)]
            inner = self.type(items, list(self.registry.fragments(items)), origin) if items else STRING
            return ListType(inner)
        if word == "map":
            values = [
                (n["additionalProperties"], d) for n, d in fragments if isinstance(n.get("additionalProperties"), dict)
            ]
            return MapType(self.type(values, list(self.registry.fragments(values)), origin) if values else STRING)
        if word == "object":
            return self._object(origin, fragments)
        if word not in SCALARS:
            self.registry.wrong("PQL0804", origin, f"unknown type `{word[:60]}`")
        return SCALARS.get(word, STRING)

    def _word(self, fragments: list[Place]) -> str:
        """The type in XDM's words: `meta:xdmType` first, then `type` with `format`."""
        nodes = [n for n, _ in fragments]
        for node in nodes:
            word = node.get("meta:xdmType")
            if isinstance(word, str) and (word in SCALARS or word in ("array", "map")):
                return word
        if any("properties" in n for n in nodes):
            return "object"
        for node in nodes:
            word = _json_type(node.get("type"))
            if word == "object" and isinstance(node.get("additionalProperties"), dict):
                return "map"
            if word == "string" and node.get("format") in ("date", "date-time"):
                return str(node["format"])
            if word:
                return word
        if any("items" in n for n in nodes):
            return "array"
        return "string" if any("enum" in n or "meta:enum" in n for n in nodes) else "object"


def _bounds(fragments: list[Place]) -> Bounds | None:
    """The narrowest of what the nodes demand; None when they demand nothing."""
    nodes = [n for n, _ in fragments]

    def numbers(key: str) -> list[float]:
        return [n[key] for n in nodes if isinstance(n.get(key), int | float) and not isinstance(n[key], bool)]

    def lengths(key: str) -> list[int]:
        return [int(v) for v in numbers(key)]

    patterns = [n["pattern"] for n in nodes if isinstance(n.get("pattern"), str)]
    bounds = Bounds(
        patterns[0] if patterns else "",
        max(numbers("minimum"), default=None),
        min(numbers("maximum"), default=None),
        max(lengths("minLength"), default=None),
        min(lengths("maxLength"), default=None),
    )
    return None if bounds == Bounds() else bounds


def _json_type(value: Any) -> str:
    """`type`, or the first of several that is not null."""
    if isinstance(value, list):
        return next((str(v) for v in value if v != "null"), "")
    return value if isinstance(value, str) else ""
