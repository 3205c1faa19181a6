"""Expressions on the page: the layout of every construct, one method each.

The tree says where lines may break; the words come from the text itself, so sugar, numbers and brackets stay as their
author wrote them. Keywords are lower case, but WHAT, WHEN, WHERE and COUNT of a step are upper case; strings stand in
double quotes. Must not know declarations (`format`). Read `Printer.expression`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import assert_never

from pql.syntax import ast
from pql.syntax.comments import Lost, Reader
from pql.syntax.layout import LINE, SOFT, SPACE, Doc, cat, group, must_break, nest
from pql.syntax.parser import children

NAME = re.compile(r"(xdm:@?)?[^\W\d]\w*|`[^`\n]+`")
STRING = re.compile(r'"(\\.|[^"\\\n])*"|' r"'(\\.|[^'\\\n])*'", re.DOTALL)
INTEGER = re.compile(r"\d+L?")
_NUMBER = re.compile(r"\d+(\.\d+([eE][+-]?\d+)?|[eE][+-]?\d+)?L?")
_UP = re.compile(r"\^+")
_UP_DOT = re.compile(r"\^+\.?")
_PARAMETER = re.compile(r"\$\d+")
_ENTITY = re.compile(r"@\{[^}\n]*\}")
_COMPARE = re.compile(r"!=|<=|>=|<|>|=(?![=>])")
_CLAUSE = re.compile(r"(when|where|count)(?!\w)", re.IGNORECASE)
_SUMS, _PRODUCTS = frozenset("+-"), frozenset("*/%")
_SCALARS = (ast.Literal, ast.Name, ast.Negate)

Link = ast.Member | ast.Call | ast.Filter


@cache
def word(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text) + r"(?!\w)", re.IGNORECASE)


@cache
def sign(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def in_double_quotes(text: str) -> str:
    """The string token in double quotes, unless that would need escapes that it has not now."""
    if text[0] == '"' or '"' in text:
        return text
    return '"' + re.sub(r"\\(.)", lambda m: "'" if m.group(1) == "'" else m.group(), text[1:-1]) + '"'


class Printer(Reader):
    # --- tokens ---
    def word(self, text: str, shown: str = "") -> Doc:
        return self.take(word(text), shown or text)

    def sign(self, text: str) -> Doc:
        return self.take(sign(text), text)

    def name(self) -> Doc:
        return self.take(NAME)

    def string(self) -> Doc:
        match = STRING.match(self.text, self.at)
        return self.take(STRING, in_double_quotes(match.group()) if match else "")

    def lower(self, pattern: re.Pattern[str]) -> Doc:
        match = pattern.match(self.text, self.at)
        return self.take(pattern, match.group().lower() if match else "")

    def bracket(self, opening: str, inner: Callable[[], Doc] | None, closing: str, manner: str = "") -> Doc:
        """`(inner)`, its inside on lines of its own when it does not fit.

        `manner`: "broken" always breaks, "open" leaves it to the group around the bracket.
        """
        first = self.sign(opening)
        if inner is None:
            inside = nest(self.own_lines())
            return group(first, inside, SOFT if must_break(inside) else "", self.sign(closing))
        parts = (first, nest(SOFT, inner(), self.own_lines()), SOFT, self.sign(closing))
        return cat(*parts) if manner == "open" else group(*parts, broken=manner == "broken")

    def separated(self, items: Iterable[Callable[[], Doc]], fill: bool = False) -> Doc:
        """Items with commas between them, one a line, or as many on a line as there is room for."""
        out: list[Doc] = []
        for item in items:
            if not out:
                out.append(cat(self.lead(), item()))
                continue
            out.append(self.sign(","))
            out.append(group(LINE, self.lead(), item()) if fill else cat(LINE, self.lead(), item()))
        return cat(*out)

    def each(self, nodes: Sequence[ast.Expr]) -> list[Callable[[], Doc]]:
        return [lambda node=node: self.expression(node) for node in nodes]  # type: ignore[misc]

    # --- expressions ---
    def wrapped(self, node: ast.Expr) -> bool:
        """Does the next token open a parenthesis around `node`, which the tree forgets?"""
        return self.text.startswith("(", self.at) and self.at < node.span.start

    def expression(self, node: ast.Expr) -> Doc:
        if self.gap.forced:
            return cat(self.lead(), self.expression(node))
        if self.wrapped(node):
            return self.parenthesised(node)
        match node:
            case ast.Literal() | ast.Name() | ast.Parameter() | ast.This() | ast.Up() | ast.Entity():
                return self.atom(node)
            case ast.ListLiteral() | ast.ObjectLiteral():
                return self.collection(node)
            case ast.Member() | ast.Filter():
                return self.postfix(node)
            case ast.Call():
                return self.call(node) if node.receiver is None else self.postfix(node)
            case ast.Negate() | ast.Not():
                return self.prefix(node)
            case ast.And():
                return self.connected("and", node.operands)
            case ast.Or():
                return self.connected("or", node.operands)
            case ast.Binary():
                return self.binary(node)
            case ast.Occurs():
                breakable = self.breakable(node.operand)
                operand = self.expression(node.operand)
                gap = SPACE if breakable else LINE
                return group(operand, nest(gap, self.word("occurs"), SPACE, self.phrase(node.phrase)))
            case ast.Quantifier():
                return self.quantified(self.word(node.kind), node.variables)
            case ast.Select():
                return self.quantified(self.word("select"), node.variables)
            case ast.Comprehension() | ast.Let() | ast.If() | ast.Lambda():
                return self.construct(node)
            case ast.Chain():
                return self.chain(node)
            case _:
                assert_never(node)

    def parenthesised(self, node: ast.Expr) -> Doc:
        """In one pair of parentheses, however many there are around it, if no comment stands between them."""
        text, span = self.text, node.span
        opening = text[self.at : span.start]
        more = opening.count("(") - 1
        closing = re.compile(r"(\s*\)){" + str(more + 1) + "}")
        once = not opening.replace("(", "").strip() and closing.match(text, span.end)
        again = more if once else 0

        def inner() -> Doc:
            self.skip(again)
            doc = self.expression(node)
            self.skip(again)
            return doc

        return self.bracket("(", inner, ")")

    def atom(self, node: ast.Literal | ast.Name | ast.Parameter | ast.This | ast.Up | ast.Entity) -> Doc:
        match node:
            case ast.Literal(kind):
                if kind == "string":
                    return self.string()
                if kind == "null" or kind == "boolean":
                    return self.lower(NAME)
                signs: list[Doc] = []
                while self.sees(sign("-")):
                    signs.append(self.sign("-"))
                number = self.take(_NUMBER)
                return cat(*signs, number) if signs else number
            case ast.Name():
                return self.name()
            case ast.Parameter():
                return self.take(_PARAMETER)
            case ast.This():
                return self.word("this")
            case ast.Up():
                return self.take(_UP_DOT)
            case ast.Entity():
                return self.take(_ENTITY)
            case _:
                assert_never(node)

    def collection(self, node: ast.ListLiteral | ast.ObjectLiteral) -> Doc:
        if isinstance(node, ast.ListLiteral):
            if not node.items:
                return self.bracket("[", None, "]")
            fill = len(node.items) > 5 and all(isinstance(i, _SCALARS) for i in node.items)
            return self.bracket("[", lambda: self.separated(self.each(node.items), fill), "]")
        if not node.entries:
            return self.bracket("{", None, "}")
        return self.bracket("{", lambda: self.separated([lambda e=e: self.entry(e) for e in node.entries]), "}")  # type: ignore[misc]

    def entry(self, entry: ast.Entry) -> Doc:
        return cat(self.string(), self.sign(":"), SPACE, self.expression(entry.value))

    def call(self, node: ast.Call) -> Doc:
        return cat(self.name(), self.arguments(node.args))

    def arguments(self, args: Sequence[ast.Expr], manner: str = "") -> Doc:
        return self.bracket("(", (lambda: self.separated(self.each(args))) if args else None, ")", manner)

    def postfix(self, node: ast.Member | ast.Call | ast.Filter) -> Doc:
        """`a.b[c].d(e).f()`: breaks inside brackets; before dots when there are three calls or more."""
        links: list[Link] = []
        head: ast.Expr = node
        while isinstance(head, Link) and not self.wrapped(head):
            inner = _inner(head)
            if inner is None:
                break
            links.append(head)
            head = inner
        links.reverse()
        first = self.take(_UP) if isinstance(head, ast.Up) and not self.wrapped(head) else self.expression(head)
        calls = sum(isinstance(link, ast.Call) for link in links)
        widest = max((_size(link) for link in links), default=0) if calls < 3 else 0
        docs: list[Doc] = []
        for link in links:
            manner = "open" if widest and _size(link) == widest else ""
            widest = 0 if manner else widest
            docs.append(self.link(link, head if not docs else None, SOFT if calls > 2 else "", manner))
        return group(first, nest(*docs) if calls > 2 else cat(*docs))

    def link(self, link: Link, head: ast.Expr | None, before: Doc, manner: str) -> Doc:
        """One of `[b]`, `.c` and `.d(e)`; `head` is what the first of them follows."""
        if isinstance(link, ast.Filter):
            return self.bracket("[", lambda: self.expression(link.condition), "]", manner)
        if isinstance(link, ast.Member):
            if isinstance(head, ast.Up):
                return cat(self.sign(".") if self.sees(sign(".")) else "", self.name())
            return cat(SPACE if _is_number(head) else "", self.sign("."), self.name())
        # `^.f()` and `5.f()` do not read as calls, `^ .f()` and `5 .f()` do
        apart = SPACE if isinstance(head, ast.Up) or _is_number(head) else ""
        return cat(before, apart, self.sign("."), self.name(), self.arguments(link.args, manner))

    def prefix(self, node: ast.Negate | ast.Not) -> Doc:
        if isinstance(node, ast.Negate):
            return cat(self.sign("-"), self.expression(node.operand))
        if self.sees(sign("!")):
            return cat(self.sign("!"), self.expression(node.operand))
        return cat(self.word("not"), SPACE, self.expression(node.operand))

    def connected(self, connective: str, operands: Sequence[ast.Expr]) -> Doc:
        """`a and b and c`, one operand a line when they do not fit on one."""
        docs: list[Doc] = [self.operand(operands[0])]
        for operand in operands[1:]:
            docs += [LINE, self.word(connective), SPACE, self.operand(operand)]
        return group(*docs)

    def operand(self, node: ast.Expr) -> Doc:
        return (
            nest(self.expression(node))
            if isinstance(node, ast.And) and not self.wrapped(node)
            else self.expression(node)
        )

    def binary(self, node: ast.Binary) -> Doc:
        kind = _SUMS if node.op in _SUMS else _PRODUCTS if node.op in _PRODUCTS else frozenset((node.op,))
        chain: list[ast.Binary] = []
        left: ast.Expr = node
        while isinstance(left, ast.Binary) and left.op in kind and not self.wrapped(left):
            chain.append(left)
            left = left.left
        docs: list[Doc] = []
        breakable = self.breakable(left)
        first = self.expression(left)
        hugged = isinstance(node.right, ast.ListLiteral) or isinstance(node.right, _SCALARS) and breakable
        gap = SPACE if hugged and kind not in (_SUMS, _PRODUCTS) else LINE
        for link in reversed(chain):
            operator = self.operator(link.op)
            docs += [gap, operator, SPACE, self.expression(link.right)]
        return group(first, nest(*docs) if gap == LINE else cat(*docs))

    def breakable(self, node: ast.Expr | None) -> bool:
        """Does `node`, which is next, have something in brackets, where its line can break?"""
        while node is not None and not self.wrapped(node):
            if not isinstance(node, Link):
                return False
            if isinstance(node, ast.Filter) or isinstance(node, ast.Call) and node.args:
                return True
            node = _inner(node)
        return node is not None

    def operator(self, op: str) -> Doc:
        return self.word(op, op) if op[0].isalpha() else self.sign(op)

    # --- constructs ---
    def quantified(self, keyword: Doc, variables: Sequence[ast.Variable]) -> Doc:
        if len(variables) == 1:
            return cat(keyword, SPACE, self.variable(variables[0]))
        return group(keyword, nest(LINE, self.variables(variables)))

    def variables(self, variables: Sequence[ast.Variable]) -> Doc:
        return self.separated([lambda v=v: self.variable(v) for v in variables])  # type: ignore[misc]

    def variable(self, node: ast.Variable) -> Doc:
        start = cat(self.name(), SPACE, self.word("from"), SPACE, self.expression(node.list))
        if node.condition is None:
            return start
        join = self.sign(":") if self.sees(sign(":")) else cat(SPACE, self.word("where"))
        return group(start, join, nest(LINE, self.expression(node.condition)))

    def construct(self, node: ast.Comprehension | ast.Let | ast.If | ast.Lambda) -> Doc:
        match node:
            case ast.Comprehension(function, body, variables):
                head = self.word(function)
                if self.sees(sign("(")) and re.compile(r"\s*\)").match(self.text, body.span.end):
                    head = cat(head, self.bracket("(", lambda: self.expression(body), ")"))
                else:
                    head = cat(head, SPACE, self.expression(body))
                over = self.word("over")
                return group(head, nest(LINE, over, SPACE, nest(self.variables(variables))))
            case ast.Let(_, value, body):
                head = cat(self.word("let"), SPACE, self.name(), SPACE, self.sign("="), SPACE, self.expression(value))
                return group(head, SPACE, self.word("in"), LINE, self.expression(body))
            case ast.If(condition, then, otherwise):
                parts = self.each((condition, then, otherwise))
                return cat(self.word("if"), self.bracket("(", lambda: self.separated(parts), ")"))
            case ast.Lambda(parameters, body):
                if self.sees(sign("(")):
                    head = self.bracket("(", lambda: self.separated([self.name for _ in parameters]), ")")
                else:
                    head = self.name()
                head = cat(head, SPACE, self.sign("=>"))
                if isinstance(body, ast.And | ast.Or) and not self.wrapped(body):
                    return group(head, nest(LINE, self.expression(body)))
                return cat(head, SPACE, self.expression(body))
            case _:
                assert_never(node)

    # --- time ---
    def phrase(self, node: ast.Phrase) -> Doc:
        doc = self._phrase(node)
        if not node.ignoring_year:
            return doc
        return cat(doc, SPACE, self.word("ignoring"), SPACE, self.word("year"))

    def _phrase(self, node: ast.Phrase) -> Doc:
        match node:
            case ast.On(ref):
                on = cat(self.word("on"), SPACE) if self.sees(word("on")) else ""
                return cat(on, self.reference(ref))
            case ast.Towards(direction, ref):
                return cat(self.word(direction), SPACE, self.reference(ref))
            case ast.Between(start, end):
                first = cat(self.word("between"), SPACE, self.reference(start))
                return group(first, nest(LINE, self.word("and"), SPACE, self.reference(end)))
            case ast.Distance(op, _, _, direction, ref):
                amount = cat(self.sign(op), SPACE, self.take(INTEGER), SPACE, self.lower(NAME), SPACE)
                return cat(amount, self.word(direction), SPACE, self.reference(ref))
            case _:
                assert_never(node)

    def reference(self, ref: ast.Ref) -> Doc:
        match ref:
            case ast.RefWord(text):
                return self.word(text)
            case ast.RefUnit(which):
                return cat(self.word(which), SPACE, self.lower(NAME))
            case ast.RefExpr(expr):
                return self.expression(expr)
            case _:
                assert_never(ref)

    # --- chain ---
    def chain(self, node: ast.Chain) -> Doc:
        head = cat(self.word("chain"), self.sign("("), self.expression(node.list), self.sign(","), SPACE)
        head = cat(head, self.expression(node.timestamp), self.sign(","), SPACE)
        steps = [lambda s=s: self.step(s) for s in node.steps]
        many = len(node.steps) > 1
        return cat(
            head, self.bracket("[", lambda: self.separated(steps), "]", "broken" if many else ""), self.sign(")")
        )

    def step(self, node: ast.Step) -> Doc:
        name = cat(self.name(), self.sign(":"))
        excluded = cat(self.word("not"), SPACE) if node.excluded else ""
        what = cat(excluded, self.word("what", "WHAT"), self.bracket("(", lambda: self.expression(node.what), ")"))
        clauses: list[Doc] = []
        when, where = iter(node.when), iter(node.where)
        while self.sees(_CLAUSE):
            clauses += [LINE, self.clause(node, when, where)]
        if not clauses:
            return cat(name, SPACE, what)
        return group(name, nest(LINE, what, *clauses))

    def clause(self, node: ast.Step, when: Iterable[ast.Phrase], where: Iterable[ast.Expr]) -> Doc:
        phrases, conditions = iter(when), iter(where)
        if self.sees(word("when")):
            return cat(self.word("when", "WHEN"), self.bracket("(", lambda: self.phrases(phrases), ")"))
        if self.sees(word("where")):
            condition = next(conditions)
            return cat(self.word("where", "WHERE"), self.bracket("(", lambda: self.expression(condition), ")"))
        if node.count is None:
            raise Lost(f"COUNT at {self.at}")
        return cat(self.word("count", "COUNT"), self.bracket("(", self.count, ")"))

    def phrases(self, phrases: Iterable[ast.Phrase]) -> Doc:
        rest = iter(phrases)
        docs = [self.phrase(next(rest))]
        while self.sees(word("and")):
            docs += [LINE, self.word("and"), SPACE, self.phrase(next(rest))]
        return cat(*docs)

    def count(self) -> Doc:
        if self.sees(word("all")):
            return self.word("all")
        if self.sees(word("between")):
            low = cat(self.word("between"), SPACE, self.take(INTEGER), SPACE)
            return cat(low, self.word("and"), SPACE, self.take(INTEGER))
        operator = cat(self.take(_COMPARE), SPACE) if self.sees(_COMPARE) else ""
        return cat(operator, self.take(INTEGER))


def _inner(link: Link) -> ast.Expr | None:
    match link:
        case ast.Filter(items, _):
            return items
        case ast.Call(receiver, _, _):
            return receiver
        case ast.Member(inner, _):
            return inner
        case _:
            assert_never(link)


def _size(link: Link) -> int:
    """How much stands in the brackets of a link, in nodes."""
    todo: list[object] = [link.condition] if isinstance(link, ast.Filter) else []
    todo += link.args if isinstance(link, ast.Call) else []
    size = 0
    while todo:
        node = todo.pop()
        size += 1
        todo += children(node)
    return size


def _is_number(node: ast.Expr | None) -> bool:
    return isinstance(node, ast.Literal) and node.kind in ("integer", "number")
