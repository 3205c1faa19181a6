"""YAML and JSON files with the place of every key and value, bounded. Must not know what the files mean. Read `read_document`.

JSON is read as the YAML that it also is. Aliases, anchors, tags and doubled keys are refused: a file says one thing, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pql.diagnostics.findings import Findings
from pql.source import Source, Span

BYTES_MOST = 1_000_000
DEPTH_MOST = 40
VALUES_MOST = 50_000
INVALID = "PQL0523"

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """`data` is what `yaml.safe_load` would give, with dates as text. `places`: the span of the value at a path of keys and
    positions; `keys`: the span of the key itself."""

    source: Source
    data: Any
    places: dict[Key, Span] = field(default_factory=dict)
    keys: dict[Key, Span] = field(default_factory=dict)

    def at(self, *path: str | int) -> Span:
        """The place of a value, or of the nearest thing around it that has one."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Span(0, 0))

    def key(self, *path: str | int) -> Span:
        """The place of a key, or of its value."""
        return self.keys.get(path) or self.at(*path)


class _Refused(Exception):
    def __init__(self, span: Span, message: str) -> None:
        super().__init__(message)
        self.span = span


def read_document(path: Path, findings: list[Any], code: str = INVALID, name: str = "") -> Document | None:
    """A file; what is wrong with it is added to `findings`, and then there is no document. An empty file holds None."""
    shown = name or str(path)
    try:
        if path.stat().st_size > BYTES_MOST:
            _say(findings, Source(shown, ""), Span(0, 0), f"`{shown}` has more than {BYTES_MOST:,} bytes", code)
            return None
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        _say(findings, Source(shown, ""), Span(0, 0), f"`{shown}` cannot be read: {error.strerror}", code)
        return None
    except UnicodeDecodeError:
        _say(findings, Source(shown, ""), Span(0, 0), f"`{shown}` cannot be read: it is not UTF-8 text", code)
        return None
    return parse_document(Source(shown, text), findings, code)


def parse_document(source: Source, findings: list[Any], code: str = INVALID) -> Document | None:
    """A text; see `read_document`."""
    document = Document(source, None)
    if len(source.text.encode("utf-8", "surrogatepass")) > BYTES_MOST:
        _say(findings, Source(source.name, ""), Span(0, 0), f"`{source.name}` has more than {BYTES_MOST:,} bytes", code)
        return None
    try:
        node = yaml.compose(_spaced(source), Loader=_Loader)
        data = None if node is None else _Reading(document).value(node, (), 0)
    except _Refused as error:
        _say(findings, source, error.span, str(error), code)
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = mark.index if mark is not None else 0
        _say(findings, source, Span(at, min(at + 1, len(source.text))), _problem(error), code)
        return None
    except yaml.YAMLError as error:
        _say(findings, source, Span(0, 0), f"this cannot be read: {str(error).splitlines()[0][:120]}", code)
        return None
    except RecursionError:
        _say(findings, source, Span(0, 0), f"nested more than {DEPTH_MOST} deep", code)
        return None
    return Document(source, data, document.places, document.keys)


class _Loader(yaml.SafeLoader):
    """Refuses aliases as they are read, before anything is built of them."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            span = Span(event.start_mark.index, event.end_mark.index)
            raise _Refused(span, "anchors and aliases are not allowed here: write the value out")
        return super().compose_node(parent, index)


def _problem(error: yaml.MarkedYAMLError) -> str:
    said = (error.problem or error.context or "it is not YAML").split("\n")[0]
    return f"this is neither YAML nor JSON: {said[:120]}"


def _spaced(source: Source) -> str:
    """JSON may be indented with tabs, which YAML refuses: they become spaces, at the same places."""
    start = source.text.lstrip()[:1]
    if start not in ("{", "[") or "\t" not in source.text:
        return source.text
    return source.text.replace("\t", " ")


def _say(findings: list[Any], source: Source, span: Span, message: str, code: str) -> None:
    own = Findings(source)
    own.report(code, span, message)
    findings.extend(own.items)


class _Reading:
    def __init__(self, document: Document) -> None:
        self.document, self.count = document, 0

    def value(self, node: yaml.Node, path: Key, depth: int) -> Any:
        span = Span(node.start_mark.index, _end(node))
        self.count += 1
        if depth > DEPTH_MOST:
            raise _Refused(span, f"nested more than {DEPTH_MOST} deep")
        if self.count > VALUES_MOST:
            raise _Refused(span, f"more than {VALUES_MOST:,} values")
        self.document.places[path] = span
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return _scalar(node, span)

    def _mapping(self, node: yaml.MappingNode, path: Key, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            span = Span(key_node.start_mark.index, _end(key_node))
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Refused(span, "a key is a plain word")
            key = _text(key_node.value)
            if key in made:
                raise _Refused(span, f"`{key[:60]}` stands twice")
            self.document.keys[(*path, key)] = span
            made[key] = self.value(value_node, (*path, key), depth + 1)
        return made


def _end(node: yaml.Node) -> int:
    return int(node.end_mark.index)


def _text(value: str) -> str:
    """Surrogate pairs written as two escapes, as JSON does, are one character."""
    if any("\ud800" <= c <= "\udfff" for c in value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


_YES, _NO = ("true", "True", "TRUE"), ("false", "False", "FALSE")


def _scalar(node: yaml.Node, span: Span) -> Any:
    """Text, whole numbers, booleans, null, decimals; `yes`, `on`, dates and the like stay text."""
    assert isinstance(node, yaml.ScalarNode)
    tag, text = str(node.tag).rpartition(":")[2], node.value
    if str(node.tag).startswith("!"):
        raise _Refused(span, f"the tag `{str(node.tag)[:40]}` is not known here")
    if node.style is not None:
        return _text(text)
    if tag == "null":
        return None
    if tag == "bool" and text in _YES + _NO:
        return text in _YES
    if tag == "int" and text.lstrip("+-").isdigit() and len(text) < 20:
        return int(text)
    if tag == "float":
        try:
            return float(text)
        except ValueError:
            return text
    return _text(text)
