"""Text to syntax tree. Never raises for what a user wrote: a tree, or none, and findings.

Uses Lark's LALR parser on each chunk that `scan` cut out. Must not know names or types. Read `parse_file`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError
from lark.utils import TextSlice

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.source import Source, Span
from pql.syntax import ast
from pql.syntax.build import Builder, collecting
from pql.syntax.scan import Chunk, scan

MAX_DEPTH = 90
MAX_BROKEN = 50

_FOREIGN = {
    "==": "equality is written `=`",
    "<>": "`not equal` is written `!=`",
    "&&": "write `and`",
    "||": "write `or`",
}
_WORDS = (
    "and",
    "or",
    "not",
    "in",
    "notIn",
    "like",
    "occurs",
    "where",
    "from",
    "segment",
    "define",
    "attribute",
    "test",
)


@cache
def _lark() -> Lark:
    grammar = files("pql").joinpath("grammar.lark").read_text(encoding="utf-8")
    options: dict[str, Any] = {
        "parser": "lalr",
        "lexer": "contextual",
        "start": ["expression", "declaration"],
        "transformer": Builder(),
        "keep_all_tokens": True,
        "maybe_placeholders": True,
    }
    try:
        return Lark(grammar, cache=_kept_tables or False, **options)
    except Exception:  # a damaged cache must not keep anyone from parsing: the tables are made anew
        return Lark(grammar, **options)


_kept_tables = ""


def keep_tables(folder: str) -> None:
    """Keep the parser's tables in a folder between runs, which saves a command its slowest moment.

    Lark checks that they are of this grammar. They are loaded with pickle, so the folder must be the user's alone; where
    it is not, or cannot be written, nothing is kept. Without this call nothing is written anywhere.
    """
    global _kept_tables
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        info = os.stat(folder)
    except OSError:
        return
    mine = not hasattr(os, "getuid") or info.st_uid == os.getuid() and not info.st_mode & 0o022
    if mine and os.access(folder, os.W_OK):
        _kept_tables = os.path.join(folder, f"grammar-{sys.version_info[0]}{sys.version_info[1]}.tables")


def parse_expression(source: Source) -> tuple[ast.Expr | None, list[Diagnostic]]:
    """The text as one expression. The tree is None when there is an error."""
    findings = Findings(source)
    scanned = scan(source, findings, expression_only=True)
    if not scanned.chunks:
        if not findings.items:
            findings.report("PQL0102", Span(0, len(source.text)), "there is no expression here")
        return None, findings.items
    expr = _parse(scanned.chunks[0], "expression", findings)
    return (None if findings.has_errors else expr), findings.items


def parse_file(source: Source) -> tuple[ast.File, list[Diagnostic]]:
    """A `.pql` file: declarations, or one bare expression, which becomes a segment named after the file."""
    findings = Findings(source)
    scanned = scan(source, findings)
    declarations: list[ast.Declaration] = []
    chunks = scanned.chunks
    broken = 0
    for chunk in chunks:
        if broken >= MAX_BROKEN:
            break
        if not chunk.declaration and len(chunks) > 1:
            _report_stray(chunk, findings)
            continue
        before = len(findings.items)
        node = _parse(chunk, "declaration" if chunk.declaration else "expression", findings)
        if len(findings.items) > before:
            broken += 1
        if node is not None and not chunk.declaration:
            span = Span(chunk.start, chunk.end)
            node = ast.Segment(
                name_from_file(source.name), "", (), node, bare=True, span=span, id_span=Span(span.start, span.start)
            )
        if node is not None:
            declarations.append(node)
    if not chunks and not findings.items:
        findings.report("PQL0102", Span(0, len(source.text)), "there is nothing to evaluate in this file")
    file = ast.File(tuple(declarations), tuple(scanned.comments), span=Span(0, len(source.text)))
    return file, findings.items


def name_from_file(name: str) -> str:
    """The segment id that a file name stands for: its stem with odd characters turned into `_`."""
    stem = re.sub(r"\W+", "_", PurePath(name).name.removesuffix(".pql")).strip("_")
    return stem if re.match(r"[^\W\d]", stem) else f"segment_{stem}".rstrip("_")


def _report_stray(chunk: Chunk, findings: Findings) -> None:
    text = findings.source.text[chunk.start : chunk.end]
    word = text.split(None, 1)[0][:40]
    help = did_you_mean(word, ("segment", "define", "attribute", "test"))
    span = Span(chunk.start, min(chunk.end, chunk.start + len(word)))
    message = f"a declaration is expected here, not `{word}`"
    findings.report(
        "PQL0101", span, message, help=help or "a file holds segment, define, attribute and test declarations"
    )


def _parse(chunk: Chunk, start: str, findings: Findings) -> Any:
    if not chunk.sound:
        return None
    collecting(findings)
    try:
        node = _lark().parse(TextSlice(findings.source.text, chunk.start, chunk.end), start=start)
    except UnexpectedInput as error:
        _explain(error, chunk, findings)
        return None
    except VisitError as error:  # pragma: no cover - a bug of ours, kept from becoming a user's stack trace
        findings.report("PQL0101", Span(chunk.start, chunk.end), f"this could not be read: {error.orig_exc}")
        return None
    if too_deep(node):
        message = f"expression nested more than {MAX_DEPTH} levels deep"
        findings.report("PQL0002", Span(chunk.start, chunk.end), message, help="give a name to a part with `define`")
        return None
    return node


def children(node: Any) -> Iterator[Any]:
    """The AST nodes directly below a node."""
    for f in fields(node):
        value = getattr(node, f.name)
        if isinstance(value, tuple):
            yield from (v for v in value if is_dataclass(v))
        elif is_dataclass(value) and not isinstance(value, Span):
            yield value


def too_deep(node: Any, limit: int = MAX_DEPTH) -> bool:
    """Is the tree deeper than `limit`? Works level by level, so it cannot itself overflow."""
    level = [node]
    for _ in range(limit):
        level = [c for n in level for c in children(n) if not isinstance(c, Span)]
        if not level:
            return False
    return True


# --- what to say about a syntax error ---

_KINDS = {
    "NAME": "a name",
    "STRING": "a string",
    "INTEGER": "a number",
    "UNIT": "a time unit",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "LBRACE": "`{`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "FROM": "`from`",
    "OVER": "`over`",
    "WHERE": "`where`",
    "WHAT": "`WHAT(…)`",
    "EQ": "`=`",
    "IN": "`in`",
    "EXPECT": "`expect`",
    "INSTANT": "a date and time",
    "DIRECTION": "`before` or `after`",
}
_OPERAND = {"NAME", "STRING", "INTEGER", "DECIMAL", "NULL"}


def _expected(names: set[str]) -> str:
    if names >= _OPERAND:
        return "an expression"
    words = [text for name, text in _KINDS.items() if name in names]
    if not words or len(words) > 5:
        return ""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _explain(error: UnexpectedInput, chunk: Chunk, findings: Findings) -> None:
    text = findings.source.text
    if isinstance(error, UnexpectedToken) and error.token.type == "$END" or isinstance(error, UnexpectedEOF):
        names = set(getattr(error, "accepts", None) or error.expected)
        wanted = _expected(names) or "more"
        span = Span(chunk.end, chunk.end)
        last = text[chunk.start : chunk.end].split()[-1][-30:] if chunk.end > chunk.start else ""
        findings.report("PQL0102", span, f"{wanted} is expected after `{last}`, but the text ends", label="ends here")
        return
    if isinstance(error, UnexpectedToken):
        at, found, names = error.token.start_pos or 0, str(error.token), set(error.accepts or error.expected)
    else:
        assert isinstance(error, UnexpectedCharacters)
        at, names = error.pos_in_stream or 0, set(error.allowed or ())
        word = re.compile(r"\w+|\S").match(text, at)
        found = word.group() if word else text[at : at + 1]
    _explain_at(at, found, names, findings, chunk)


def _explain_at(at: int, found: str, names: set[str], findings: Findings, chunk: Chunk) -> None:
    text = findings.source.text
    for pair, advice in _FOREIGN.items():
        begin = at - 1 if text[at - 1 : at + 1] == pair and at > chunk.start else at
        if text[begin : begin + 2] == pair:
            message = f"`{pair}` is not an operator here"
            findings.report("PQL0107", Span(begin, begin + 2), message, help=advice)
            return
    span = Span(at, at + max(1, len(found)))
    shown = found if len(found) <= 30 else found[:27] + "…"
    if not re.match(r"[\w\"'`(\[{)\]}.,:=<>!+\-*/%^$@]", found):
        findings.report("PQL0103", span, f"`{shown}` is not part of the language")
        return
    wanted = _expected(names)
    message = f"`{shown}` is not expected here" + (f": {wanted} should follow" if wanted else "")
    findings.report("PQL0101", span, message, help=_advice(at, found, names, findings.source))


def _advice(at: int, found: str, names: set[str], source: Source) -> str:
    before = source.text[:at].rstrip()
    previous = re.search(r"(\w+|\S)$", before)
    if previous and previous.group().lower() == "not" and found.lower() == "in":
        return "write `a notIn [...]`, or `not (a in [...])`"
    if previous and previous.group().lower() == "not" and found.lower() == "what":
        return "a step that must not happen has a name too: write `NAME: not WHAT(…)`"
    if found.lower() in ("within", "afterwards") or (found.lower() == "after" and "RPAR" in names):
        return "a gap is written `WHEN(<= 24 hours after STEP)`"
    if previous and previous.group() == "," and "NAME" in names and "STRING" not in names:
        return "put the quantifier before the comma in parentheses: a comma inside it starts another `NAME from LIST`"
    if found == "=" and names & {"AND", "OR"}:
        return "comparisons do not chain: write `a = b and b = c`"
    if re.match(r"[A-Za-z]\w+$", found):
        return did_you_mean(found, _WORDS)
    return ""
