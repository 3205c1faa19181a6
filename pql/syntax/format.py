"""The formatter: one look for `.pql` files, in which comments and meaning stay as they are.

A declaration is a paragraph; lines are at most 100 columns where the language lets them break; indents are of two.
The layout of expressions is in `format_expression`, what happens to comments in `comments`. Must not know names or
types. Read `format_source`.
"""

from __future__ import annotations

import re
from typing import assert_never

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.source import Source, Span
from pql.syntax import ast
from pql.syntax.comments import Lost
from pql.syntax.format_expression import INTEGER, NAME, Printer, sign, word
from pql.syntax.layout import HARD, LINE, SPACE, Doc, cat, group, must_break, nest, render
from pql.syntax.parser import parse_expression, parse_file

WIDTH = 100

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?")
_STARTER = re.compile(r"^(?:segment|define|attribute|test)(?!\w)", re.IGNORECASE | re.MULTILINE)


def format_source(source: Source) -> tuple[str | None, list[Diagnostic]]:
    """The text of a `.pql` file, laid out; None, and the errors, when it does not parse.

    A text with no declaration in it, only comments, is formatted too.
    """
    source = Source(source.name, normal_breaks(source.text))
    file, found = parse_file(source)
    errors = [d for d in found if d.is_error]
    if errors and not (_has_no_code(file, source)):
        return None, errors
    return _checked(source, file)


def format_expression(source: Source) -> tuple[str | None, list[Diagnostic]]:
    """The text of one expression, laid out; None, and the errors, when it does not parse. No line break at the end."""
    source = Source(source.name, normal_breaks(source.text))
    tree, found = parse_expression(source)
    if tree is None:
        return None, found
    printer = DeclarationPrinter(source.text)
    doc = cat(printer.expression(tree), printer.own_lines(blanks=True))
    return render(doc, WIDTH), []


def normal_breaks(text: str) -> str:
    """Without a byte order mark, lines ended by a line feed."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _has_no_code(file: ast.File, source: Source) -> bool:
    code = source.text
    for comment in reversed(file.comments):
        code = code[: comment.span.start] + code[comment.span.end :]
    return not code.strip()


def _checked(source: Source, file: ast.File) -> tuple[str | None, list[Diagnostic]]:
    """Lays the file out and reads the result again: it must say the same."""
    try:
        text = _lay_out(source, file)
        again, _ = parse_file(Source(source.name, text))
        if again == file:
            return text, []
    except Lost:  # pragma: no cover - a bug of ours; the file stays as it is
        pass
    findings = Findings(source)
    message = "this file is left alone: laid out anew, it would not say the same"
    findings.report("PQL0905", Span(0, 0), message, help="this is a defect of the formatter; please report the file")
    return None, findings.items


def _lay_out(source: Source, file: ast.File) -> str:
    printer = DeclarationPrinter(source.text)
    doc = printer.file(file)
    text = render(doc, WIDTH)
    if any(isinstance(d, ast.Segment) and d.bare for d in file.declarations) and _STARTER.search(text):
        text = render(doc, WIDTH, indent=2)  # at the margin the word would begin a declaration
    return text + "\n" if text else ""


class DeclarationPrinter(Printer):
    """Declarations, one method a kind. `blank` says what becomes of empty lines above, as in `Reader.take`."""

    def file(self, file: ast.File) -> Doc:
        docs: list[Doc] = []
        for declaration in file.declarations:
            docs.append(self.declaration(declaration, "force" if docs else "first"))
        return cat(*docs, self.own_lines(blanks=True))

    def declaration(self, node: ast.Declaration, blank: str) -> Doc:
        match node:
            case ast.Segment():
                return self.bare(node, blank) if node.bare else self.segment(node, blank)
            case ast.Define() | ast.Attribute():
                keyword = "define" if isinstance(node, ast.Define) else "attribute"
                head = cat(self.take(word(keyword), keyword, blank), SPACE, self.name(), SPACE, self.sign("="))
                return cat(head, group(nest(LINE, self.expression(node.value))))
            case ast.Test():
                return self.test(node, blank)
            case _:
                assert_never(node)

    def bare(self, node: ast.Segment, blank: str) -> Doc:
        return self.expression(node.where)

    def segment(self, node: ast.Segment, blank: str) -> Doc:
        head: list[Doc] = [self.take(word("segment"), "segment", blank), SPACE, self.name(), SPACE]
        if not self.sees(sign("{")):
            head += [self.string(), SPACE]
        head.append(self.sign("{"))
        rows: list[Doc] = []
        for one in node.properties:
            rows.append(self.property(one, "keep" if rows else "first"))
        where = self.take(word("where"), "where", "force" if rows else "first")
        flat = isinstance(node.where, ast.And | ast.Or) and not self.wrapped(node.where)
        rows.append(cat(where, nest(SPACE, self.expression(node.where), by=2 if flat else 0)))
        return cat(*head, nest(*rows, self.own_lines()), HARD, self.sign("}"))

    def property(self, node: ast.Property, blank: str) -> Doc:
        head = cat(self.take(NAME, "", blank), self.sign(":"), SPACE)
        if not node.is_list:
            return cat(head, self.value())
        values = [self.value for _ in node.values]
        return cat(head, self.bracket("[", (lambda: self.separated(values, fill=True)) if values else None, "]"))

    def value(self) -> Doc:
        return self.name() if self.sees(NAME) else self.string()

    def test(self, node: ast.Test, blank: str) -> Doc:
        head = cat(self.take(word("test"), "test", blank), SPACE, self.string(), SPACE, self.sign("{"))
        steps: list[Doc] = []
        for step in node.steps:
            steps.append(self.test_step(step, "keep" if steps else "first"))
        inside = nest(*steps, self.own_lines())
        return cat(head, inside, HARD if must_break(inside) else "", self.sign("}"))

    def test_step(self, step: ast.TestStep, blank: str) -> Doc:
        match step:
            case ast.GivenProfile(document):
                given = self.take(word("given"), "given", blank)
                return cat(given, SPACE, self.word("profile"), SPACE, self.expression(document))
            case ast.At(_, event):
                at = cat(self.take(word("at"), "at", blank), SPACE, self.take(_INSTANT))
                return at if event is None else cat(at, SPACE, self.word("event"), SPACE, self.expression(event))
            case ast.Expect():
                return self.expect(step, blank)
            case _:
                assert_never(step)

    def expect(self, step: ast.Expect, blank: str) -> Doc:
        docs: list[Doc] = []
        if step.instant:
            docs += [self.take(word("at"), "at", blank), SPACE, self.take(_INSTANT), SPACE, self.word("expect")]
        elif step.after:
            docs.append(self.take(word("after"), "after", blank))
            for _ in step.after:
                docs += [SPACE, self.take(INTEGER), SPACE, self.lower(NAME)]
            docs += [SPACE, self.word("expect")]
        else:
            docs.append(self.take(word("expect"), "expect", blank))
        if not step.member:
            docs += [SPACE, self.word("not")]
        return cat(*docs, SPACE, self.word("in"), SPACE, self.name())
