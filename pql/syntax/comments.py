"""Where each comment of a file belongs, for the formatter: before, behind or after one of the file's items.

An item is a thing that can have a line of its own: a declaration, a property, a test step, an operand of `and`/`or`, an
element of a list, an argument, a chain step, a clause. Comments elsewhere move to the nearest item, and from the edge
of a group whose brackets hug it out to the item around it, so that formatting twice changes nothing. Must not know how
anything is printed. Read `attach`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pql.source import Source, Span
from pql.syntax import ast

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment in its place. `own_line`: what follows it starts on another line. `blank`: a blank line before it."""

    text: str
    own_line: bool
    blank: bool = False


@dataclass
class Item:
    """`leading`, `trailing` (on the item's last line) and `after` (own lines below it) hold the comments."""

    start: int
    end: int
    blank: bool = False
    hugged: bool = False
    children: list[Item] = field(default_factory=list)
    leading: list[Remark] = field(default_factory=list)
    trailing: list[Remark] = field(default_factory=list)
    after: list[Remark] = field(default_factory=list)

    @property
    def bare(self) -> bool:
        return not (self.leading or self.trailing or self.after)


def key(node: object, role: str = "") -> Key:
    return id(node), role


class Items:
    """The items of a file, found by the node that they stand for."""

    def __init__(self, source: Source, comments: Sequence[ast.Comment]) -> None:
        self.source = source
        self.by_key: dict[Key, Item] = {}
        self.code = _without_comments(source.text, comments)

    def add(self, parent: Item, at: Key, span: Span, hugged: bool = False) -> Item:
        item = Item(span.start, span.end, self._blank_before(span.start), hugged)
        parent.children.append(item)
        self.by_key[at] = item
        return item

    def _blank_before(self, offset: int) -> bool:
        return bool(re.search(r"\n[ \t\r]*\n[^\n]*$", self.source.text[max(0, offset - 400) : offset]))

    def remark(self, comment: ast.Comment, until: int) -> Remark:
        own_line = comment.text.startswith("//") or "\n" in self.source.text[comment.span.end : until]
        return Remark(comment.text.rstrip(), own_line, self._blank_before(comment.span.start))

    # --- declarations ---
    def file(self, file: ast.File) -> Item:
        root = Item(0, len(self.source.text))
        for declaration in file.declarations:
            item = self.add(root, key(declaration), declaration.span)
            match declaration:
                case ast.Segment():
                    self._segment(declaration, item)
                case ast.Define() | ast.Attribute():
                    self.expression(declaration.value, item)
                case ast.Test(_, steps):
                    for step in steps:
                        self._test_step(step, item)
        return root

    def _segment(self, segment: ast.Segment, item: Item) -> None:
        if segment.bare:
            self.expression(segment.where, item)
            return
        begin = segment.span.start
        for one in segment.properties:
            row = self.add(item, key(one), one.span)
            for at, span in enumerate(one.value_spans):
                self.add(row, key(one, str(at)), span)
            begin = one.span.end
        found = re.compile(r"\bwhere(?!\w)", re.IGNORECASE).search(self.code, begin, segment.where.span.start)
        start = found.start() if found else segment.where.span.start
        end = len(self.code[: segment.span.end - 1].rstrip())
        self.expression(segment.where, self.add(item, key(segment, "where"), Span(start, max(start, end))))

    def _test_step(self, step: ast.TestStep, parent: Item) -> None:
        row = self.add(parent, key(step), step.span)
        match step:
            case ast.GivenProfile(document):
                self.expression(document, row)
            case ast.At(_, event):
                if event is not None:
                    self.expression(event, row)
            case ast.Expect():
                pass

    # --- expressions ---
    def expression(self, expr: ast.Expr, parent: Item) -> None:
        match expr:
            case ast.And(operands) | ast.Or(operands):
                self._group(operands, parent, hugged=True)
            case ast.ListLiteral(items):
                self._group(items, parent)
            case ast.ObjectLiteral(entries):
                for entry in entries:
                    self.expression(entry.value, self.add(parent, key(entry), entry.span))
            case ast.Call(receiver, _, args):
                if receiver is not None:
                    self.expression(receiver, parent)
                self._group(args, parent)
            case ast.Filter(items, condition):
                self.expression(items, parent)
                self._group((condition,), parent)
            case ast.If(condition, then, otherwise):
                self._group((condition, then, otherwise), parent)
            case ast.Quantifier(_, variables) | ast.Select(variables):
                self._variables(variables, parent)
            case ast.Comprehension(_, body, variables):
                self.expression(body, parent)
                self._variables(variables, parent)
            case ast.Chain(items, stamp, steps):
                self.expression(items, parent)
                self.expression(stamp, parent)
                for step in steps:
                    self._step(step, self.add(parent, key(step), step.span))
            case _:
                self._within(expr, parent)

    def _within(self, expr: ast.Expr, parent: Item) -> None:
        match expr:
            case ast.Member(inner, _) | ast.Negate(inner) | ast.Not(inner) | ast.Lambda(_, inner):
                self.expression(inner, parent)
            case ast.Binary(_, left, right) | ast.Let(_, left, right):
                self.expression(left, parent)
                self.expression(right, parent)
            case ast.Occurs(operand, phrase):
                self.expression(operand, parent)
                self._phrase(phrase, parent)
            case _:
                pass

    def _group(self, parts: Iterable[ast.Expr], parent: Item, hugged: bool = False) -> None:
        for part in parts:
            self.expression(part, self.add(parent, key(part), part.span, hugged))

    def _variables(self, variables: Iterable[ast.Variable], parent: Item) -> None:
        for variable in variables:
            item = self.add(parent, key(variable), variable.span, hugged=True)
            self.expression(variable.list, item)
            if variable.condition is not None:
                self.expression(variable.condition, item)

    def _phrase(self, phrase: ast.Phrase, parent: Item) -> None:
        refs = (phrase.start, phrase.end) if isinstance(phrase, ast.Between) else (phrase.ref,)
        for ref in refs:
            if isinstance(ref, ast.RefExpr):
                self.expression(ref.expr, parent)

    def _step(self, step: ast.Step, parent: Item) -> None:
        self.expression(step.what, self.add(parent, key(step, "what"), step.what.span, hugged=True))
        if step.when:
            span = step.when[0].span.to(step.when[-1].span)
            row = self.add(parent, key(step, "when"), span, hugged=True)
            for phrase in step.when:
                self._phrase(phrase, row)
        if step.count is not None:
            self.add(parent, key(step, "count"), step.count.span, hugged=True)
        for at, condition in enumerate(step.where):
            self.expression(condition, self.add(parent, key(step, f"where{at}"), condition.span, hugged=True))


def _without_comments(text: str, comments: Sequence[ast.Comment]) -> str:
    """The text with comments turned into spaces: offsets stay."""
    parts: list[str] = []
    at = 0
    for comment in comments:
        parts += [text[at : comment.span.start], " " * (comment.span.end - comment.span.start)]
        at = comment.span.end
    return "".join([*parts, text[at:]])


def attach(file: ast.File, source: Source) -> tuple[Item, dict[Key, Item]]:
    """The root item, whose children are the declarations, and every item by its node; all comments are in them."""
    items = Items(source, file.comments)
    root = items.file(file)
    for comment in file.comments:
        _place(comment, root, items)
    for child in root.children:
        _hoist(child)
    return root, items.by_key


def _place(comment: ast.Comment, root: Item, items: Items) -> None:
    start, end = comment.span.start, comment.span.end
    home: Item | None = root
    inside = root
    while home is not None:
        inside = home
        home = next((c for c in inside.children if c.start <= start and end <= c.end), None)
    before = max((c for c in inside.children if c.end <= start), key=lambda c: c.end, default=None)
    behind = min((c for c in inside.children if c.start >= end), key=lambda c: c.start, default=None)
    text = items.source.text
    if before is not None and "\n" not in text[before.end : start]:
        ends_line = not items.code[end:].split("\n", 1)[0].strip() if comment.text[1] == "*" else True
        if ends_line or not items.code[before.end : start].strip():
            before.trailing.append(items.remark(comment, end))
            return
    if behind is not None:
        behind.leading.append(items.remark(comment, behind.start))
    elif before is not None:
        before.after.append(items.remark(comment, end))
    else:
        inside.leading.append(items.remark(comment, end))


def _hoist(item: Item) -> None:
    """Move comments from the edges of hugged groups to the item around them, innermost first."""
    for child in item.children:
        _hoist(child)
    hugged = [c for c in item.children if c.hugged]
    if not hugged:
        return
    first, last = hugged[0], hugged[-1]
    item.leading += [Remark(r.text, True) for r in first.leading if r.own_line]
    first.leading = [r for r in first.leading if not r.own_line]
    for child in hugged:
        if child is last:
            item.trailing = [r for r in child.trailing if r.own_line] + item.trailing
            child.trailing = [r for r in child.trailing if not r.own_line]
        item.after = child.after + item.after
        child.after = []
