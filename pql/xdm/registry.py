"""XDM JSON Schema documents by `$id`, and the resolution of `$ref`. Must not know types. Read `Registry.resolve`.

Documents are read once; a broken one becomes a finding, never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.source import Source, Span

STANDARD = Path(__file__).parent / "standard"
DOCUMENT_MOST = 4_000_000
"""A document of more bytes is refused."""

Node = Mapping[str, Any]
Place = tuple[Node, Node]
"""A node and the document that it stands in."""


@dataclass
class Registry:
    """Documents by `$id`. `findings`: what is wrong with documents and references, each once."""

    documents: dict[str, Node] = field(default_factory=dict)
    findings: Findings = field(default_factory=lambda: Findings(Source("schema", "")))
    said: set[tuple[str, str]] = field(default_factory=set)

    def wrong(self, code: str, place: str, message: str) -> None:
        if (code, place) not in self.said:
            self.said.add((code, place))
            at = Span(len(self.said), len(self.said))
            self.findings.report(code, at, f"schema `{place[:120]}`: {message}")

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self.findings.items)

    def add(self, document: Any, place: str) -> None:
        """Take a document in; one without `$id` is known by its place."""
        if not isinstance(document, dict):
            self.wrong("PQL0801", place, "a JSON object is wanted")
            return
        id = document.get("$id", place)
        self.documents[id if isinstance(id, str) else place] = document

    def read(self, path: Path) -> Node | None:
        """Read one file; what it cannot be is said."""
        try:
            if path.stat().st_size > DOCUMENT_MOST:
                self.wrong("PQL0801", str(path), f"the document has more than {DOCUMENT_MOST:,} bytes")
                return None
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            self.wrong("PQL0801", str(path), f"it cannot be read: {str(error)[:120]}")
            return None
        self.add(document, str(path))
        return document if isinstance(document, dict) else None

    def read_folder(self, folder: Path) -> list[Node]:
        """Every `*.schema.json` below a folder, or every `*.json` when none is so called."""
        files = sorted(folder.rglob("*.schema.json")) or sorted(folder.rglob("*.json"))
        return [d for d in (self.read(f) for f in files) if d is not None]

    def resolve(self, reference: Any, document: Node) -> Place | None:
        """What `$ref` names: `#/…` in the same document, a document by `$id`, or a part of one."""
        if not isinstance(reference, str):
            self.wrong("PQL0802", str(reference), "a reference is a string")
            return None
        id, _, fragment = reference.partition("#")
        target = document if not id else self.find(id)
        if target is None:
            self.wrong("PQL0802", reference, "no document has this `$id`")
            return None
        node: Any = target
        for part in filter(None, fragment.split("/")):
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            self.wrong("PQL0802", reference, "the reference leads nowhere")
            return None
        return node, target

    def find(self, id: str) -> Node | None:
        """A document by `$id`, or by the last part of it when that is unique."""
        if id in self.documents:
            return self.documents[id]
        tail = id.rstrip("/").rsplit("/", 1)[-1]
        found = [d for k, d in self.documents.items() if k.rstrip("/").rsplit("/", 1)[-1] == tail] if tail else []
        return found[0] if len(found) == 1 else None

    def fragments(self, places: Iterable[Place], busy: tuple[int, ...] = ()) -> Iterator[Place]:
        """The nodes that together make up some nodes: through `$ref` and `allOf`, each node once on the way."""
        for node, document in places:
            if id(node) in busy or len(busy) > 60:
                continue
            yield node, document
            inner: list[Place] = []
            if "$ref" in node:
                target = self.resolve(node["$ref"], document)
                inner += [target] if target is not None else []
            parts = node.get("allOf", ())
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    inner.append((part, document))
                else:
                    self.wrong("PQL0801", str(document.get("$id", "")), "`allOf` holds something that is not an object")
            yield from self.fragments(inner, (*busy, id(node)))


def load_registry(*folders: Path) -> Registry:
    """The documents of some folders, with the official ones behind them."""
    registry = Registry(dict(_standard()))
    for folder in folders:
        registry.read_folder(folder) if folder.is_dir() else registry.read(folder)
    return registry


@lru_cache(maxsize=1)
def _standard() -> dict[str, Node]:
    registry = Registry()
    registry.read_folder(STANDARD)
    return registry.documents
