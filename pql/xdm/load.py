"""A schema from a file or folder, in whatever form it is written. Read `load_schema`; docs/SCHEMAS.md says the forms.

- the short form (YAML or JSON): `profile:` and `event:` with paths and type words;
- a manifest: `xdm:` with `profile:` and `event:` (lists of classes and field groups by `$id` or short name),
  `schemas:` (files and folders with more documents) and `descriptors:`;
- a JSON Schema document, or a folder of them: those that extend the profile's or the event's class are composed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.source import Source, Span
from pql.types import ObjectType
from pql.xdm.compose import Composer
from pql.xdm.descriptors import apply_descriptors
from pql.xdm.registry import Node, Registry, load_registry
from pql.xdm.schema import Schema, make_schema
from pql.xdm.short import read_short
from pql.xdm.yaml_text import read_yaml

PROFILE_CLASS = "https://ns.adobe.com/xdm/context/profile"
EVENT_CLASS = "https://ns.adobe.com/xdm/context/experienceevent"
KEYS = ("profile", "event", "schemas", "descriptors", "entities")


def load_schema(path: Path) -> tuple[Schema, list[Diagnostic]]:
    """The schema of a file or folder, with what is wrong in it. I/O errors are findings too."""
    if path.is_dir():
        manifest = next((path / n for n in ("schema.yaml", "schema.json") if (path / n).is_file()), None)
        return load_schema(manifest) if manifest else _folder(path)
    try:
        document = read_yaml(path.read_text(encoding="utf-8")) if path.suffix != ".json" else _json(path)
    except RecursionError:
        return _unreadable(path, "it is nested too deeply")
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    except UnicodeDecodeError:
        return _unreadable(path, "it is not UTF-8 text")
    except ValueError as error:
        return _unreadable(path, str(error).split("\n")[0])
    if isinstance(document, dict) and isinstance(document.get("xdm"), dict):
        return compose_manifest(document["xdm"], path.parent)
    if isinstance(document, dict) and ("$id" in document or "allOf" in document or "properties" in document):
        registry = load_registry()
        registry.add(document, str(path))
        return _composed(registry, [document], [])
    return read_short(document, str(path))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _unreadable(path: Path, why: str) -> tuple[Schema, list[Diagnostic]]:
    findings = Findings(Source(str(path), ""))
    findings.report("PQL0801", Span(0, 0), f"schema `{path}` cannot be read: {why[:160]}")
    return make_schema({}, {}), findings.items


def _folder(folder: Path) -> tuple[Schema, list[Diagnostic]]:
    registry = load_registry()
    documents = registry.read_folder(folder)
    if not documents:
        registry.wrong("PQL0801", str(folder), "there is no schema in this folder")
    return _composed(registry, documents, [d for d in documents if "@type" in d])


def compose_manifest(manifest: Mapping[str, Any], folder: Path = Path(".")) -> tuple[Schema, list[Diagnostic]]:
    """A schema from a manifest's parts; its paths are relative to `folder`."""
    registry = load_registry(*(folder / str(p) for p in _list(manifest.get("schemas"))))
    for key in manifest:
        if key not in KEYS:
            registry.wrong(
                "PQL0801", f"xdm.{key}", f"unknown key; {did_you_mean(str(key), KEYS) or 'one of ' + ', '.join(KEYS)}"
            )
    descriptors: list[Mapping[str, Any]] = []
    for item in _list(manifest.get("descriptors")):
        if isinstance(item, dict):
            descriptors.append(item)
            continue
        read = Registry()
        document = read.read(folder / str(item))
        registry.findings.items.extend(read.diagnostics)
        if (
            document is None
            and not read.diagnostics
            or read.diagnostics
            and "object is wanted" in read.diagnostics[0].message
        ):
            descriptors += [d for d in _json(folder / str(item)) if isinstance(d, dict)]
            registry.findings.items[:] = [d for d in registry.findings.items if d not in read.diagnostics]
        elif document is not None:
            descriptors.append(document)
    kinds = {
        "profile": _union(registry, "profile", [PROFILE_CLASS, *_list(manifest.get("profile"))]),
        "event": _union(registry, "event", [EVENT_CLASS, *_list(manifest.get("event"))]),
    }
    entities = {
        str(name): _union(registry, str(name), _list(parts)) for name, parts in (manifest.get("entities") or {}).items()
    }
    return _finished(registry, kinds["profile"], kinds["event"], descriptors, entities)


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _union(registry: Registry, name: str, ids: list[Any]) -> ObjectType:
    places = []
    for id in ids:
        document = registry.find(str(id))
        if document is None:
            known = [k.rsplit("/", 1)[-1] for k in registry.documents]
            help = did_you_mean(str(id).rsplit("/", 1)[-1], known)
            registry.wrong("PQL0802", str(id), "no document has this `$id`" + (f"; {help}" if help else ""))
        else:
            places.append((document, document))
    return Composer(registry).object_type("" if name in ("profile", "event") else name, places)


def _extends(document: Node, registry: Registry, wanted: str, busy: tuple[str, ...] = ()) -> bool:
    """Does a document belong to a class: by what it says, or by what it is made of?"""
    named = [document.get("meta:class"), document.get("$id")]
    named += [x for k in ("meta:extends", "meta:intendedToExtend") for x in _list(document.get(k))]
    if wanted in named:
        return True
    refs = [p.get("$ref") for p in _list(document.get("allOf")) if isinstance(p, dict)]
    inner = [r for r in (*refs, document.get("$ref")) if isinstance(r, str) and not r.startswith("#") and r not in busy]
    return any(
        (found := registry.find(r.split("#")[0])) is not None and _extends(found, registry, wanted, (*busy, r))
        for r in inner[:50]
        if len(busy) < 8
    )


def _composed(
    registry: Registry, documents: list[Node], descriptors: list[Mapping[str, Any]]
) -> tuple[Schema, list[Diagnostic]]:
    """From whole documents: each goes where its class says; one of no class is taken for a profile's."""
    parts: dict[str, list[Node]] = {PROFILE_CLASS: [], EVENT_CLASS: []}
    for document in documents:
        if "@type" in document and "properties" not in document:
            continue
        classes = [c for c in parts if _extends(document, registry, c)] or [PROFILE_CLASS]
        for c in classes:
            parts[c].append(document)
    composer = Composer(registry)
    made = []
    for c, own in parts.items():
        base = registry.find(c)
        places = [(d, d) for d in ([base] if base is not None else []) + own]
        made.append(composer.object_type("", places))
    return _finished(registry, made[0], made[1], descriptors, {})


def _finished(
    registry: Registry,
    profile: ObjectType,
    event: ObjectType,
    descriptors: list[Mapping[str, Any]],
    entities: dict[str, ObjectType],
) -> tuple[Schema, list[Diagnostic]]:
    profile, of_profile = apply_descriptors(profile, descriptors, registry)
    event, of_event = apply_descriptors(event, descriptors, registry)
    made = make_schema(profile.fields, event.fields, entities)
    return replace(made, identities=of_profile, event_identities=of_event), list(registry.diagnostics)
