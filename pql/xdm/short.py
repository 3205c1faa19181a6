"""The short form of a schema: dotted paths and type words. Must not know files. Read `read_short`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.labels import bare_label
from pql.source import Source, Span
from pql.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    Field,
    ListType,
    MapType,
    ObjectType,
    Type,
    make_object,
)
from pql.xdm.schema import IDENTITY_MAP, SEGMENT_MEMBERSHIP, Schema, make_schema

WORDS: dict[str, Type] = {
    "string": STRING,
    "integer": INTEGER,
    "long": INTEGER,
    "int": INTEGER,
    "short": INTEGER,
    "byte": INTEGER,
    "number": NUMBER,
    "double": NUMBER,
    "float": NUMBER,
    "boolean": BOOLEAN,
    "date": DATE,
    "date-time": TIMESTAMP,
}
SECTIONS = ("profile", "event", "entities")
STANDARD = {"identityMap": IDENTITY_MAP, "segmentMembership": SEGMENT_MEMBERSHIP}


class _Reader:
    def __init__(self, name: str) -> None:
        self.findings = Findings(Source(name, ""))

    def wrong(self, code: str, path: str, message: str, help: str = "") -> None:
        place = Span(len(self.findings.items), len(self.findings.items))
        self.findings.report(code, place, f"schema path `{path}`: {message}", help=help)

    def word(self, text: str, path: str) -> Type:
        text = text.strip()
        if text.endswith("[]"):
            return ListType(self.word(text[:-2], path))
        inner = re.fullmatch(r"map<(.*)>", text, re.DOTALL)
        if inner:
            return MapType(self.word(inner.group(1), path))
        if text == "object":
            return make_object(path, {})
        if text not in WORDS:
            self.wrong("PQL0804", path, f"unknown type `{text[:60]}`", did_you_mean(text, WORDS))
            return STRING
        return WORDS[text]

    def type(self, value: Any, path: str) -> Type:
        if isinstance(value, str):
            return self.word(value, path)
        if isinstance(value, dict):
            return make_object(path, self.fields(value, path))
        self.wrong("PQL0801", path, "a type is a word such as `string`, or an object of fields")
        return STRING

    def described(self, value: Any, path: str) -> tuple[Any, frozenset[str]]:
        """A type as it is written, and the labels beside it: `{type: T, labels: […]}`, or `labels: […]` among an object's
        fields. A list is no type, so a field that is called `labels` is never meant by it."""
        if not isinstance(value, dict) or not isinstance(value.get("labels"), list):
            return value, frozenset()
        names = value["labels"]
        if not all(isinstance(n, str) and n for n in names):
            self.wrong("PQL0801", f"{path}.labels", "`labels` is a list of names of data usage labels")
            names = [n for n in names if isinstance(n, str) and n]
        rest = {k: v for k, v in value.items() if k != "labels"}
        return rest["type"] if set(rest) == {"type"} else rest, frozenset(map(bare_label, names))

    def fields(self, section: dict[Any, Any], prefix: str) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for key, value in section.items():
            steps = str(key).split(".")
            path = f"{prefix}.{key}" if prefix else str(key)
            if len(steps) > 40:
                self.wrong("PQL0801", path[:80], "path too deep")
                continue
            self.place(found, steps, value, prefix, path)
        return found

    def place(self, found: dict[str, Field], steps: list[str], value: Any, prefix: str, path: str) -> None:
        head, is_list = (steps[0][:-2], True) if steps[0].endswith("[]") else (steps[0], False)
        here = f"{prefix}.{head}" if prefix else head
        labels: frozenset[str] = frozenset()
        if len(steps) == 1:
            value, labels = self.described(value, here)
            kind = STANDARD[head] if not prefix and head in STANDARD else self.type(value, here)
        else:
            inner: dict[str, Field] = {}
            self.place(inner, steps[1:], value, here, path)
            kind = make_object(here, inner)
        kind = ListType(kind) if is_list else kind
        old = found.get(head)
        if old is not None:
            kind, labels = self.merge(old.type, kind, path), labels | old.labels
        found[head] = Field(head, kind, labels, origin=here)

    def merge(self, a: Type, b: Type, path: str) -> Type:
        if isinstance(a, ListType) and isinstance(b, ListType):
            return ListType(self.merge(a.element, b.element, path))
        if isinstance(a, ObjectType) and isinstance(b, ObjectType):
            fields = dict(a.fields)
            for name, field in b.fields.items():
                old = fields.get(name)
                fields[name] = (
                    Field(name, self.merge(old.type, field.type, path), old.labels | field.labels) if old else field
                )
            return make_object(a.name, fields)
        if a != b:
            self.wrong("PQL0803", path, "declared with two types")
        return a


def read_short(document: Any, name: str = "<schema>") -> tuple[Schema, list[Diagnostic]]:
    """A schema from `{profile: {path: type}, event: {path: type}}`, with what is wrong in it."""
    reader = _Reader(name)
    if not isinstance(document, dict):
        reader.wrong("PQL0801", "schema", "an object with `profile` and `event` is wanted")
        document = {}
    if isinstance(document.get("schema"), str) and not any(key in document for key in SECTIONS):
        help = f"give the schema that they name: `{document['schema']}`"
        reader.wrong("PQL0801", "schema", "these are the settings of a project, not a schema", help)
        document = {}
    sections: dict[str, dict[str, Field]] = {"profile": {}, "event": {}}
    entities: dict[str, ObjectType] = {}
    for key, value in document.items():
        if key not in SECTIONS:
            reader.wrong("PQL0801", str(key), "unknown section", did_you_mean(str(key), SECTIONS))
        elif value is not None and not isinstance(value, dict):
            reader.wrong("PQL0801", str(key), "an object of paths and types is wanted")
        elif key == "entities":
            entities = {str(k): make_object(str(k), reader.fields(v, "")) for k, v in (value or {}).items()}
        else:
            sections[key] = reader.fields(value or {}, "")
    made = {name: handed_down(fields) for name, fields in sections.items()}
    return make_schema(made["profile"], made["event"], entities), reader.findings.items


def handed_down(fields: Mapping[str, Field], labels: frozenset[str] = frozenset()) -> dict[str, Field]:
    """The fields with their own labels and those of what they stand in."""
    return {n: replace(f, labels=f.labels | labels, type=_down(f.type, f.labels | labels)) for n, f in fields.items()}


def _down(kind: Type, labels: frozenset[str]) -> Type:
    if isinstance(kind, ListType):
        return ListType(_down(kind.element, labels))
    if isinstance(kind, MapType):
        return MapType(_down(kind.value, labels))
    return make_object(kind.name, handed_down(kind.fields, labels)) if isinstance(kind, ObjectType) else kind
