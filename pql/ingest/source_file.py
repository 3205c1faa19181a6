"""`sources/*.yaml`: what a source is and how it becomes a dataset. docs/STORE.md has the form, docs/INGESTION.md explains it.

Everything wrong in a file is a finding with its place. Must not know the store. Read `read_source`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.ingest.lower import read_expression
from pql.ingest.schedule import schedule_problem
from pql.ingest.tree import Mapping as FieldMapping
from pql.ingest.tree import Node, Target, tidy_identities
from pql.source import Span
from pql.types import TIMESTAMP, ListType, MapType, ObjectType, Type
from pql.xdm.catalog import paths
from pql.xdm.documents import Document, read_document
from pql.xdm.schema import Schema

FORMATS = ("json", "jsonl", "csv", "parquet", "http")
KINDS = ("record", "event", "lookup")
MODES = ("upsert", "replace", "delete")
KEYS = (
    "source",
    "format",
    "path",
    "options",
    "dataset",
    "schedule",
    "mode",
    "order_by",
    "identities",
    "mapping",
    "lookups",
    "entity",
    "key",
)
DATASET_KEYS = ("name", "title", "kind", "owner", "labels")
OPTIONS = {
    "json": ("encoding",),
    "jsonl": ("encoding",),
    "csv": ("encoding", "delimiter", "quote", "escape", "header", "columns", "null_values"),
    "parquet": (),
    "http": ("max_bytes", "max_messages"),
}
PLACES = {"json": "record", "parquet": "record", "http": "message"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
MAPPING_MOST = 2000


@dataclass(frozen=True)
class Identity:
    """A field that holds an identity, beside those that the schema declares."""

    path: tuple[str, ...]
    namespace: str
    primary: bool = False


@dataclass(frozen=True)
class LookUpTable:
    """Rows by key: from a file (with `key`), or written out (`values`; their field is `value`)."""

    path: Path | None = None
    format: str = "json"
    key: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceFile:
    """A source as declared. `path`: a file or a glob, beside the source file; empty for `http`."""

    id: str
    file: Path
    format: str
    path: str
    options: Mapping[str, Any]
    dataset: str
    title: str
    kind: str
    owner: str
    labels: tuple[str, ...]
    mapping: FieldMapping
    identities: tuple[Identity, ...] = ()
    schedule: str = ""
    mode: str = "upsert"
    order_by: Node | None = None
    look_ups: Mapping[str, LookUpTable] = field(default_factory=dict)
    entity: str = ""
    key: tuple[str, ...] = ()

    def files(self) -> list[Path]:
        """The files that there are now, in the order of their names."""
        if not self.path:
            return []
        if any(c in self.path for c in "*?["):
            whole = Path(self.path)
            base = Path(whole.anchor) if whole.is_absolute() else self.file.parent
            return sorted(
                p
                for p in base.glob(str(whole.relative_to(whole.anchor)) if whole.is_absolute() else self.path)
                if p.is_file()
            )
        return [self.file.parent / self.path]


def place_word(format: str) -> str:
    """What a record's number counts: lines of the file, its records, or the messages of a call."""
    return PLACES.get(format, "line")


def columns_of(schema: Schema, kind: str, entity: str = "") -> ObjectType | None:
    """The object whose fields a dataset of this kind has; None for an unknown entity."""
    if kind == "lookup":
        return schema.entities.get(entity)
    return schema.event if kind == "event" else schema.profile


def read_source(path: Path, schema: Schema) -> tuple[SourceFile | None, list[Diagnostic]]:
    """The source of a file; None when it has errors."""
    found: list[Diagnostic] = []
    document = read_document(path, found, "PQL0820")
    if document is None:
        return None, found
    reader = _Reader(path, document, schema)
    return reader.read(document.data), reader.findings.items


class _Reader:
    def __init__(self, path: Path, document: Document, schema: Schema) -> None:
        self.path, self.document, self.schema = path, document, schema
        self.findings = Findings(document.source)

    def start(self, at: tuple[str, ...]) -> int:
        """Where the text of a value begins, behind its quote."""
        start = self.document.at(*at).start
        return start + (self.document.source.text[start : start + 1] in ("'", '"'))

    def wrong(self, at: tuple[str, ...], message: str, help: str = "", code: str = "PQL0820") -> None:
        path = [int(k) if k.isdigit() else k for k in at]
        self.findings.report(code, self.document.key(*path) if path else Span(0, 0), message, help=help)

    def known(self, value: Any, keys: Iterable[str], at: tuple[str, ...]) -> dict[str, Any]:
        """An object with these keys only."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(at, f"`{'.'.join(at) or self.path.name}` is an object of settings")
            return {}
        for key in value:
            if str(key) not in keys:
                help = did_you_mean(str(key), keys) or "the settings here are " + ", ".join(keys)
                self.wrong((*at, str(key)), f"unknown setting `{str(key)[:60]}`", help)
        return {str(k): v for k, v in value.items()}

    def choice(self, value: Any, words: tuple[str, ...], at: tuple[str, ...], usual: str) -> str:
        if value is None:
            return usual
        if str(value) not in words:
            self.wrong(
                at,
                f"`{'.'.join(at)}` cannot be `{str(value)[:60]}`",
                did_you_mean(str(value), words) or "one of " + ", ".join(words),
            )
            return usual
        return str(value)

    def read(self, document: Any) -> SourceFile | None:
        values = self.known(document if document is not None else {}, KEYS, ())
        format = self.choice(values.get("format"), FORMATS, ("format",), "json")
        if "format" not in values:
            self.wrong((), "`format` is missing", "one of " + ", ".join(FORMATS))
        path = str(values.get("path") or "")
        if not path and format != "http":
            self.wrong((), "`path` is missing", "name the file of the source, relative to this one")
        id = str(values.get("source") or self.path.stem)
        dataset = self.known(values.get("dataset"), DATASET_KEYS, ("dataset",))
        kind = self.choice(dataset.get("kind"), KINDS, ("dataset", "kind"), "record")
        name = str(dataset.get("name") or id.replace("-", "_"))
        if not NAME.fullmatch(name):
            self.wrong(
                ("dataset", "name"),
                f"`{name[:70]}` is no name for a dataset",
                "letters, digits and `_`, a letter first, at most 63",
            )
        entity = str(values.get("entity") or "")
        columns = columns_of(self.schema, kind, entity)
        if columns is None:
            self.wrong(
                ("entity",),
                f"no entity `{entity}` in the schema",
                did_you_mean(entity, self.schema.entities) or "declare it below `entities`",
            )
            columns = self.schema.profile
        look_ups = self.look_ups(values.get("lookups"))
        mapping = self.mapping(values.get("mapping"), document_type(columns, kind), tuple(look_ups))
        if kind == "event" and mapping.targets:
            for need in ("_id", "timestamp"):
                if not any(t.name == need for t in mapping.targets):
                    self.wrong(("mapping",), f"no line fills `{need}`", "every event needs it", "PQL0821")
        schedule = str(values.get("schedule") or "")
        problem = schedule_problem(schedule) if schedule else ""
        if problem:
            self.wrong(
                ("schedule",), problem, 'seconds minutes hours day month weekday, such as "0 0 2 * * ?"', "PQL0829"
            )
        made = SourceFile(
            id, self.path, format, path, self.options(values.get("options"), format), name, str(dataset.get("title") or name), kind,
            str(dataset.get("owner") or ""), self.labels(dataset.get("labels")), mapping, self.identities(values.get("identities"), columns),
            schedule, self.choice(values.get("mode"), MODES, ("mode",), "upsert"), self.order_by(values.get("order_by"), mapping, tuple(look_ups)),
            look_ups, entity, self.key(values.get("key"), columns, kind),
        )  # fmt: skip
        return None if self.findings.has_errors else made

    def labels(self, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.wrong(("dataset", "labels"), "`labels` is a list of data usage labels, such as [C2, I1]")
            return ()
        return tuple(value)

    def options(self, value: Any, format: str) -> dict[str, Any]:
        made = self.known(value, OPTIONS[format], ("options",))
        for key in ("delimiter", "quote", "escape"):
            if key in made and (not isinstance(made[key], str) or len(made[key].encode()) > 1):
                self.wrong(("options", key), f"`{key}` is one sign")
        for key in ("columns", "null_values"):
            if key in made and (not isinstance(made[key], list) or not all(isinstance(v, str) for v in made[key])):
                self.wrong(("options", key), f"`{key}` is a list of texts")
        for key in ("max_bytes", "max_messages"):
            if key in made and (not isinstance(made[key], int) or made[key] < 1):
                self.wrong(("options", key), f"`{key}` is a whole number above 0")
        return made

    def mapping(self, value: Any, columns: ObjectType, look_ups: tuple[str, ...]) -> FieldMapping:
        if not isinstance(value, dict) or not value:
            self.wrong(
                ("mapping",),
                "`mapping` says which source field fills which XDM path",
                "`pql source map --auto` proposes one",
            )
            return FieldMapping(())
        if len(value) > MAPPING_MOST:
            self.wrong(("mapping",), f"more than {MAPPING_MOST} lines")
            return FieldMapping(())
        targets: list[Target] = []
        for key, text in value.items():
            at = ("mapping", str(key))
            path = tuple(p.removeprefix("xdm:") for p in str(key).split("."))
            kind = self.target_type(path, columns, at)
            node = self.expression(text, at, look_ups)
            if kind is not None and node is not None:
                clash = next(
                    (t.name for t in targets if t.path[: len(path)] == path or path[: len(t.path)] == t.path), ""
                )
                if clash:
                    self.wrong(at, f"`{key}` and `{clash}` fill the same field")
                targets.append(Target(path, kind, tidy_identities(node) if path == ("identityMap",) else node))
        return FieldMapping(tuple(targets))

    def target_type(self, path: tuple[str, ...], columns: ObjectType, at: tuple[str, ...]) -> Type | None:
        kind: Type = columns
        for index, step in enumerate(path):
            if not isinstance(kind, ObjectType):
                word = "a list: fill it whole, with `map(list, x => {…})`" if isinstance(kind, ListType) else "a map: fill it whole, with `{\"key\": …}`" \
                    if isinstance(kind, MapType) else "no object"  # fmt: skip
                self.wrong(at, f"`{'.'.join(path[:index])}` is {word}", code="PQL0821")
                return None
            if step not in kind.fields or step == "xEvent":
                whole = ".".join(path)
                near = did_you_mean(whole, [p.path for p in paths(columns, 5)])
                self.wrong(at, f"the schema has no field `{whole[:120]}`", near, "PQL0821")
                return None
            kind = kind.fields[step].type
        return kind

    def expression(self, text: Any, at: tuple[str, ...], look_ups: tuple[str, ...]) -> Node | None:
        if isinstance(text, dict | list) or text is None:
            self.wrong(
                at,
                "an expression is wanted",
                "a source field, a function of fields, or a text such as '\"web\"'",
                "PQL0821",
            )
            return None
        written = str(text).lower() if isinstance(text, bool) else str(text)
        node, found = read_expression(written, self.findings.source.name, look_ups)
        start = self.start(at)
        source = self.findings.source
        for item in found.items:
            span = item.span.shift(start)
            inside = source.text[start : start + len(written)] == written
            self.findings.report(
                item.code,
                span if inside else self.document.at(*at),
                item.message,
                help=item.help,
                severity=item.severity,
            )
        return None if found.has_errors else node

    def identities(self, value: Any, columns: ObjectType) -> tuple[Identity, ...]:
        made: list[Identity] = []
        if value is not None and not isinstance(value, list):
            self.wrong(("identities",), "`identities` is a list of {field, namespace, primary}")
            return ()
        for index, item in enumerate(value or []):
            at = ("identities", str(index))
            values = self.known(item, ("field", "namespace", "primary"), at)
            path = tuple(str(values.get("field") or "").split("."))
            kind = field_type(columns, path)
            if kind is None:
                near = did_you_mean(".".join(path), [p.path for p in paths(columns, 5)])
                self.wrong((*at, "field"), f"the schema has no field `{'.'.join(path)[:120]}`", near, "PQL0821")
            elif isinstance(kind, ObjectType | MapType):
                self.wrong((*at, "field"), f"`{'.'.join(path)}` holds no single value")
            if not values.get("namespace"):
                self.wrong(at, "`namespace` is missing", "such as Email, or one that identity.yaml declares")
            made.append(Identity(path, str(values.get("namespace") or ""), values.get("primary") is True))
        if sum(i.primary for i in made) > 1:
            self.wrong(("identities",), "more than one identity is primary")
        return tuple(made)

    def order_by(self, value: Any, mapping: FieldMapping, look_ups: tuple[str, ...]) -> Node | None:
        if value is None:
            return None
        filled = next((t.node for t in mapping.targets if t.name == str(value)), None)
        return filled or self.expression(value, ("order_by",), look_ups)

    def key(self, value: Any, columns: ObjectType, kind: str) -> tuple[str, ...]:
        path = tuple(str(value or "").split("."))
        if kind != "lookup":
            return ()
        if field_type(columns, path) is None:
            self.wrong(("key",) if value else (), "`key` names the field of the entity by which it is looked up")
        return path

    def look_ups(self, value: Any) -> dict[str, LookUpTable]:
        made: dict[str, LookUpTable] = {}
        if value is not None and not isinstance(value, dict):
            self.wrong(("lookups",), "`lookups` is an object: name, then {path, format, key} or {values}")
            return made
        for name, item in (value or {}).items():
            at = ("lookups", str(name))
            if not NAME.fullmatch(str(name)):
                self.wrong(
                    at, f"`{str(name)[:60]}` is no name for a look-up", "letters, digits and `_`, a letter first"
                )
                continue
            values = self.known(item, ("path", "format", "key", "values", "options"), at)
            table = values.get("values")
            if isinstance(table, dict):
                made[str(name)] = LookUpTable(values={str(k): {"value": v} for k, v in table.items()})
                continue
            format = self.choice(values.get("format"), FORMATS[:4], (*at, "format"), "json")
            for need in ("path", "key"):
                if not values.get(need):
                    self.wrong(
                        at, f"`{need}` is missing", "the file of the look-up, and the source field that is its key"
                    )
            options = self.known(values.get("options"), OPTIONS[format], (*at, "options"))
            made[str(name)] = LookUpTable(
                self.path.parent / str(values.get("path")), format, str(values.get("key")), {}, options
            )
        return made


def field_type(root: ObjectType, path: tuple[str, ...]) -> Type | None:
    """The type at a path, through lists."""
    kind: Type = root
    for step in path:
        while isinstance(kind, ListType):
            kind = kind.element
        if not isinstance(kind, ObjectType) or step not in kind.fields:
            return None
        kind = kind.fields[step].type
    return kind


def document_type(columns: ObjectType, kind: str) -> ObjectType:
    """What a mapping fills: the schema's object; events may have an identityMap, whether the schema says so or not."""
    from pql.types import Field, make_object
    from pql.xdm.schema import IDENTITY_MAP

    fields = {n: f for n, f in columns.fields.items() if n not in ("xEvent",)}
    if kind == "event" and "identityMap" not in fields:
        fields["identityMap"] = Field("identityMap", IDENTITY_MAP)
    if kind == "record":
        fields.pop("segmentMembership", None)
    return make_object(columns.name, fields)


ORDERED = Target(("_ordered",), TIMESTAMP, None)  # type: ignore[arg-type]
