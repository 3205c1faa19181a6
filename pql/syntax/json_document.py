"""pql/json documents: one expression, one segment definition as the public API has it, or all of a `.pql` file.

Turns them into text and text into them. Comments, and the order of a file's kinds of declaration, are not kept. Must not
know types. Read `document_to_text` and `text_to_document`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pql.diagnostics.model import Diagnostic
from pql.source import Source, Span
from pql.syntax import ast
from pql.syntax.format import format_expression, format_source, normal_breaks
from pql.syntax.format_plain import name_text, plain_text, string_text
from pql.syntax.json_form import Node, to_json
from pql.syntax.json_parts import Parts, Wrong, shown
from pql.syntax.json_read import from_json
from pql.syntax.parser import name_from_file, parse_expression, parse_file
from pql.syntax.scan import MAX_CHARACTERS

_WORDS = (
    "tags",
    "purpose",
    "evaluate",
    "labels",
    "mergePolicy",
    "excludeOptOut",
)  # properties whose values are words, not sentences
_OPENS = re.compile(r"^\s*[\[{]")


def looks_like_json(source: Source) -> bool:
    """Is this text a pql/json document, and not PQL text that happens to begin with a bracket?"""
    if not _OPENS.match(source.text):
        return False
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError):
        return '"nodeType"' in source.text or '"expression"' in source.text
    entries = document if isinstance(document, list) else [document]
    return any(isinstance(e, dict) and not e.keys().isdisjoint(_KEYS) for e in entries)


_KEYS = frozenset(("nodeType", "literalType", "expression", "segments"))


def read_json(source: Source) -> tuple[object, list[Diagnostic]]:
    """The JSON value of a text, numbers exact; the value counts when there are no findings."""
    parts = Parts(source)
    if len(source.text) > MAX_CHARACTERS:
        parts.report(Wrong("$", f"text of more than {MAX_CHARACTERS:,} characters", code="PQL0001"))
        return None, parts.found
    try:
        return json.loads(source.text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once), []
    except _Twice as error:
        parts.report(Wrong("$", f"the key {shown(error.args[0])} stands twice in one object"))
    except json.JSONDecodeError as error:
        span = Span(error.pos, min(error.pos + 1, len(source.text)))
        said = error.msg[:1].lower() + error.msg[1:]
        parts.report(Wrong("$", f"this is not JSON: {said}"))
        parts.found[-1] = _moved(parts.found[-1], span)
    except RecursionError:
        parts.report(Wrong("$", "the document is nested too deeply", code="PQL0002"))
    except ValueError:
        parts.report(Wrong("$", "a number in this document is out of range", code="PQL0106"))
    return None, parts.found


class _Twice(Exception):
    """A key that an object has two values for: which one counts would be a guess."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Twice(key)
        made[key] = value
    return made


def _refuse(word: str) -> None:
    raise ValueError(word)


def _moved(found: Diagnostic, span: Span) -> Diagnostic:
    return Diagnostic(found.code, found.severity, found.message, found.source, span, help=found.help)


# --- text to document ---
def text_to_document(source: Source) -> tuple[object, list[Diagnostic]]:
    """A bare expression becomes a node; declarations become a document with the list of segments."""
    file, found = parse_file(source)
    errors = [d for d in found if d.is_error]
    if errors:
        return None, errors
    first = file.declarations[0]
    if isinstance(first, ast.Segment) and first.bare:
        return to_json(first.where), []
    return _document(file, source), []


def _document(file: ast.File, source: Source) -> Node:
    document: Node = {"segments": [_definition(d) for d in file.declarations if isinstance(d, ast.Segment)]}
    kinds: tuple[tuple[str, type[ast.Define] | type[ast.Attribute]], ...]
    kinds = (("x-definitions", ast.Define), ("x-attributes", ast.Attribute))
    for key, kind in kinds:
        named = [{"name": d.name, "expression": _expression(d.value)} for d in file.declarations if isinstance(d, kind)]
        if named:
            document[key] = named
    tests = [source.slice(d.span) for d in file.declarations if isinstance(d, ast.Test)]
    if tests:
        document["x-tests"] = [(format_source(Source(source.name, t))[0] or t).rstrip("\n") for t in tests]
    return document


def _definition(segment: ast.Segment) -> Node:
    form: Node = {"id": segment.id}
    if segment.display:
        form["name"] = segment.display
    described = [p for p in segment.properties if p.name == "description" and not p.is_list]
    if described:
        form["description"] = described[0].values[0]
    form["expression"] = _expression(segment.where)
    if segment.properties:
        rows = [{"name": p.name, "value": list(p.values) if p.is_list else p.values[0]} for p in segment.properties]
        form["x-properties"] = rows
    return form


def _expression(expr: ast.Expr) -> Node:
    value = json.dumps(to_json(expr), ensure_ascii=False, separators=(",", ":"))
    return {"type": "PQL", "format": "pql/json", "value": value}


# --- document to text ---
def document_to_text(source: Source) -> tuple[str | None, list[Diagnostic]]:
    """A node becomes an expression, a definition or a document becomes declarations; all laid out."""
    document, found = read_json(source)
    if found:
        return None, found
    return value_to_text(document, source)


def value_to_text(document: object, source: Source) -> tuple[str | None, list[Diagnostic]]:
    """The same for what `json.loads` returned; `source` is where it came from."""
    if isinstance(document, dict) and document.keys().isdisjoint(("expression", "segments")):
        expr, found = from_json(document, source)
        if expr is None:
            return None, found
        text, found = format_expression(Source(source.name, plain_text(expr)))
        return (None if text is None else f"{text}\n"), found
    reader = _Documents(source)
    declarations = reader.attempt(lambda: reader.document(document))
    if declarations is None or reader.found:
        return None, reader.found
    return format_source(Source(source.name, "\n".join(declarations) + "\n"))


def to_json_format(document: object, source: Source) -> tuple[object, list[Diagnostic]]:
    """The same document, its expressions in our writing of pql/json, whichever of both formats they have now."""
    if isinstance(document, dict) and "expression" in document:
        reader = _Documents(source)
        expr = reader.attempt(lambda: reader.expression(document["expression"], "$.expression"))
        return (None, reader.found) if expr is None else ({**document, "expression": _expression(expr)}, [])
    text, found = value_to_text(document, source)
    if text is None:
        return None, found
    if isinstance(document, dict) and "segments" not in document:
        expr, found = parse_expression(Source(source.name, text))
        return (None, found) if expr is None else (to_json(expr), [])
    return text_to_document(Source(source.name, text))


def _word_text(value: str) -> str:
    return value if re.fullmatch(r"[^\W\d]\w*", value) else string_text(value)


class _Documents(Parts):
    """Definitions and documents as texts of declarations. Keys of the public API that say nothing of people are passed over."""

    def document(self, document: object) -> Sequence[str]:
        if isinstance(document, dict) and "segments" not in document:
            return [self.definition(document, "$")]
        if not isinstance(document, dict):
            return self.all_of(document, "$", self.definition, least=1)
        self.keys(document, "$", "segments", "x-definitions", "x-attributes", "x-tests")
        out: list[str] = []
        for key, word in (("x-definitions", "define"), ("x-attributes", "attribute")):
            named = document.get(key, [])
            out += self.all_of(named, f"$.{key}", lambda v, p, word=word: self.named(word, v, p))  # type: ignore[misc]
        out += self.all_of(document["segments"], "$.segments", self.definition)
        out += self.all_of(document.get("x-tests", []), "$.x-tests", self.test)
        if not out:
            raise Wrong("$.segments", "there is nothing in this document")
        return out

    def definition(self, value: object, path: str) -> str:
        one = self.record(value, path)
        display = self.text(one["name"], f"{path}.name") if "name" in one else ""
        if "id" not in one and not display:
            raise Wrong(path, "a segment definition needs an `id` or a `name`")
        id = self.name(one["id"], f"{path}.id") if "id" in one else name_from_file(display)
        where = plain_text(self.expression(self.part(one, "expression", path), f"{path}.expression"))
        head = f"segment {name_text(id, frozenset())}" + (f" {string_text(display)}" if display else "")
        return f"{head} {{ {' '.join(self.properties(one, path))} where {where} }}"

    def properties(self, one: dict[str, Any], path: str) -> Sequence[str]:
        if "x-properties" in one:
            return self.all_of(one["x-properties"], f"{path}.x-properties", self.property)
        description = one.get("description")
        if description is None or description == "":
            return []
        return [f"description: {string_text(self.text(description, f'{path}.description'))}"]

    def property(self, value: object, path: str) -> str:
        one = self.record(value, path)
        self.keys(one, path, "name", "value")
        name = name_text(self.name(self.part(one, "name", path), f"{path}.name"), frozenset(("where",)))
        given = self.part(one, "value", path)
        word = _word_text if name in _WORDS else string_text
        if isinstance(given, list):
            values = self.all_of(given, f"{path}.value", lambda v, p: word(self.text(v, p)))
            return f"{name}: [{', '.join(values)}]"
        return f"{name}: {word(self.text(given, f'{path}.value'))}"

    def named(self, word: str, value: object, path: str) -> str:
        one = self.record(value, path)
        self.keys(one, path, "name", "expression")
        name = name_text(self.name(self.part(one, "name", path), f"{path}.name"), frozenset())
        expr = self.expression(self.part(one, "expression", path), f"{path}.expression")
        return f"{word} {name} = {plain_text(expr)}"

    def test(self, value: object, path: str) -> str:
        text = self.text(value, path)
        file, found = parse_file(Source(self.source.name, text))
        if found or len(file.declarations) != 1 or not isinstance(file.declarations[0], ast.Test):
            raise Wrong(path, "this is not the text of one test" + (f": {found[0].message}" if found else ""))
        return text

    def expression(self, value: object, path: str) -> ast.Expr:
        one = self.record(value, path)
        self.keys(one, path, "type", "format", "value", "meta")
        if one.get("type", "PQL") != "PQL":
            raise Wrong(f"{path}.type", f"`PQL` is expected, not {shown(one['type'])}")
        format = self.choice(self.part(one, "format", path), f"{path}.format", ("pql/text", "pql/json"))
        given = self.part(one, "value", path)
        if format == "pql/text":
            inner = Source(f"{self.source.name}: {path}.value", normal_breaks(self.text(given, f"{path}.value")))
            expr, found = parse_expression(inner)
        elif isinstance(given, str):
            inner = Source(f"{self.source.name}: {path}.value", given)
            document, found = read_json(inner)
            expr = None
            if not found:
                expr, found = from_json(document, inner)
        else:
            expr, found = from_json(given, self.source)
        if expr is None:
            self.found += found
            raise Wrong(path, "")
        return expr
