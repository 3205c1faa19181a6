"""Where the data usage labels of a schema are written: file and line, for people who look for them. Read `label_places`.

Reads the schema's files a second time, for places alone: types and labels themselves are `load`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pql.labels import bare_label
from pql.source import Source, Span
from pql.xdm.descriptors import LABEL, pointer_path
from pql.xdm.documents import Document, Key, read_document

FILES_MOST = 2000


@dataclass(frozen=True)
class LabelPlace:
    """A label as it stands in a schema's file. `section`: `profile`, `event`, or empty where both are meant."""

    section: str
    path: tuple[str, ...]
    label: str
    source: Source
    span: Span


def label_places(path: Path) -> tuple[LabelPlace, ...]:
    """Every label in a schema's files. What cannot be read has no places; `load_schema` says what is wrong with it."""
    if path.is_dir():
        manifest = next((path / n for n in ("schema.yaml", "schema.json") if (path / n).is_file()), None)
        if manifest is not None:
            return label_places(manifest)
        files = (sorted(path.rglob("*.schema.json")) or sorted(path.rglob("*.json")))[:FILES_MOST]
        return tuple(place for file in files for place in _in_descriptors(file))
    if not _mentions(path, "labels") and not _mentions(path, "descriptors"):
        return ()
    document = read_document(path, [])
    if document is None or not isinstance(document.data, dict):
        return ()
    xdm = document.data.get("xdm")
    if isinstance(xdm, dict):
        return tuple(_of_manifest(document, xdm, path.parent))
    return tuple(
        place
        for section in ("profile", "event")
        if isinstance(document.data.get(section), dict)
        for place in _short(document, document.data[section], section, (section,), ())
    )


def _short(document: Document, value: Any, section: str, key: Key, path: tuple[str, ...]) -> Iterator[LabelPlace]:
    if not isinstance(value, dict):
        return
    names = value.get("labels")
    if isinstance(names, list):
        for i, name in enumerate(names):
            yield LabelPlace(section, path, bare_label(str(name)), document.source, document.at(*key, "labels", i))
        if set(value) <= {"type", "labels"}:
            yield from _short(document, value.get("type"), section, (*key, "type"), path)
            return
    for name, inner in value.items():
        steps = tuple(s.removesuffix("[]") for s in name.split("."))
        yield from _short(document, inner, section, (*key, name), (*path, *steps))


def _of_manifest(document: Document, xdm: dict[str, Any], folder: Path) -> Iterator[LabelPlace]:
    listed = xdm.get("descriptors")
    for i, item in enumerate(listed if isinstance(listed, list) else [] if listed is None else [listed]):
        key: Key = ("xdm", "descriptors", i) if isinstance(listed, list) else ("xdm", "descriptors")
        if isinstance(item, dict):
            yield from _of_descriptor(document, item, key)
        else:
            yield from _in_descriptors(folder / str(item))


def _in_descriptors(file: Path) -> Iterator[LabelPlace]:
    if not _mentions(file, LABEL):
        return
    document = read_document(file, [])
    if document is None:
        return
    if isinstance(document.data, list):
        for i, item in enumerate(document.data):
            yield from _of_descriptor(document, item, (i,))
    else:
        yield from _of_descriptor(document, document.data, ())


def _of_descriptor(document: Document, item: Any, key: Key) -> Iterator[LabelPlace]:
    if not isinstance(item, dict) or item.get("@type") != LABEL:
        return
    word = "xdm:labels" if "xdm:labels" in item else "labels"
    pointers = item.get("xdm:sourceProperty", item.get("sourceProperty", ""))
    names = item.get(word)
    for pointer in pointers if isinstance(pointers, list) else [pointers]:
        for i, name in enumerate(names if isinstance(names, list) else []):
            place = document.at(*key, word, i)
            yield LabelPlace("", pointer_path(str(pointer)), bare_label(str(name)), document.source, place)


def _mentions(file: Path, word: str) -> bool:
    """Is there anything to look for? Places are read slowly, and most documents of a schema have none."""
    try:
        return word in file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
