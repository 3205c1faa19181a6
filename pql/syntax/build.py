"""From grammar rules to the syntax tree: one method a rule, called by Lark while it parses.

No Lark tree ever exists: every method returns AST. Punctuation tokens arrive too, because spans are taken from the
first and the last child. What is wrong inside a token (an escape, a number's size) is reported and parsing goes on.
Must not know names or types. Read `Builder.binary` to see the pattern.
"""

from __future__ import annotations

import builtins
import re
import threading
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lark import Token, Transformer

from pql.diagnostics.findings import Findings
from pql.source import Span
from pql.syntax import ast

INTEGER_LIMIT = 2**63
NUMBER_LIMIT = Decimal(10) ** 12
MICRO = Decimal("0.000001")
MAX_AMOUNT = 10**6

UNITS = {"centuries": "century", "millennia": "millennium"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

_state = threading.local()


def collecting(findings: Findings) -> None:
    """Name the findings that token problems of this thread's next parse go to."""
    _state.findings = findings


def _report(code: str, span: Span, message: str, help: str = "") -> None:
    _state.findings.report(code, span, message, help=help)


class Paren:
    """A parenthesised expression on its way to its parent: the tree forgets parentheses, spans do not."""

    __slots__ = ("expr", "span")

    def __init__(self, expr: ast.Expr, span: Span) -> None:
        self.expr = expr
        self.span = span


def token_span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def span_of(child: Any) -> Span:
    if isinstance(child, Token):
        return token_span(child)
    if isinstance(child, list):
        return span_of(child[0]).to(span_of(child[-1]))
    span: Span = child.span
    return span


def whole(children: Sequence[Any]) -> Span:
    present = [c for c in children if c is not None and c != []]
    return span_of(present[0]).to(span_of(present[-1]))


def plain(child: Any) -> Any:
    return child.expr if isinstance(child, Paren) else child


def nodes(children: Sequence[Any]) -> builtins.list[Any]:
    """The children that are not tokens, parentheses removed."""
    return [plain(c) for c in children if c is not None and not isinstance(c, Token)]


def unit_of(token: Token) -> str:
    word = token.lower()
    return UNITS.get(word, word.removesuffix("s") if word != "century" else word)


def decode_string(token: Token) -> str:
    """The text of a string token; unknown escapes are reported."""

    def replace(match: re.Match[str]) -> str:
        body = match.group(1)
        if body[0] == "u" and len(body) == 5:
            return chr(int(body[1:], 16))
        if body in _ESCAPES:
            return _ESCAPES[body]
        at = (token.start_pos or 0) + 1 + match.start()
        _report(
            "PQL0105",
            Span(at, at + len(match.group(0))),
            f"unknown escape `\\{body}` in a string",
            f"write `\\\\{body}` for a backslash followed by `{body}`",
        )
        return body

    body = token[1:-1]
    if "\\" not in body:
        return str(body)
    text = _ESCAPE.sub(replace, body)
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined


class Builder(Transformer[Token, Any]):
    """Lark's callbacks. Method names are rule names or aliases of `grammar.lark`."""

    def expression(self, c: builtins.list[Any]) -> ast.Expr:
        result: ast.Expr = plain(c[0])
        return result

    def declaration(self, c: builtins.list[Any]) -> ast.Declaration:
        result: ast.Declaration = c[0]
        return result

    # --- operators ---
    def _flat(self, c: builtins.list[Any], make: Callable[..., Any]) -> Any:
        operands: builtins.list[Any] = []
        for child in c:
            if isinstance(child, Token):
                continue
            node = plain(child)
            if isinstance(node, make) and not isinstance(child, Paren):  # type: ignore[arg-type]
                operands.extend(node.operands)
            else:
                operands.append(node)
        return c[0] if len(c) == 1 else make(tuple(operands), span=whole(c))

    def or_(self, c: builtins.list[Any]) -> Any:
        return self._flat(c, ast.Or)

    def and_(self, c: builtins.list[Any]) -> Any:
        return self._flat(c, ast.And)

    def not_(self, c: builtins.list[Any]) -> Any:
        return ast.Not(plain(c[-1]), span=whole(c))

    bang = not_

    def binary(self, c: builtins.list[Any]) -> Any:
        left, op, right = c
        word = "notIn" if op.type == "NOTIN" else str(op).lower()
        return ast.Binary(word, plain(left), plain(right), span=whole(c), op_span=token_span(op))

    def negate(self, c: builtins.list[Any]) -> Any:
        operand = plain(c[-1])
        if isinstance(operand, ast.Literal) and operand.kind in ("integer", "number") and not isinstance(c[-1], Paren):
            value = operand.value
            assert isinstance(value, int | Decimal)
            return ast.Literal(operand.kind, -value, span=whole(c))
        return ast.Negate(operand, span=whole(c))

    def occurs(self, c: builtins.list[Any]) -> Any:
        return ast.Occurs(plain(c[0]), c[2], span=whole(c))

    # --- postfix ---
    def field(self, c: builtins.list[Any]) -> Token:
        token: Token = c[0]
        return token

    identifier = field

    def name(self, c: builtins.list[Any]) -> Any:
        return ast.Name(word_of(c[0]), span=token_span(c[0]))

    def member(self, c: builtins.list[Any]) -> Any:
        return ast.Member(plain(c[0]), word_of(c[2]), span=whole(c), name_span=token_span(c[2]))

    def method(self, c: builtins.list[Any]) -> Any:
        args = c[4] if isinstance(c[4], list) else []
        return ast.Call(plain(c[0]), word_of(c[2]), tuple(args), span=whole(c), name_span=token_span(c[2]))

    def filter(self, c: builtins.list[Any]) -> Any:
        return ast.Filter(plain(c[0]), plain(c[2]), span=whole(c))

    def args(self, c: builtins.list[Any]) -> builtins.list[Any]:
        return nodes(c)

    def call(self, c: builtins.list[Any]) -> Any:
        args = c[2] if len(c) > 2 and isinstance(c[2], list) else []
        return ast.Call(None, word_of(c[0]), tuple(args), span=whole(c), name_span=token_span(c[0]))

    # --- atoms ---
    def string(self, c: builtins.list[Any]) -> Any:
        return ast.Literal("string", decode_string(c[0]), span=token_span(c[0]))

    def integer(self, c: builtins.list[Any]) -> Any:
        digits = c[0].rstrip("L")
        value = int(digits) if len(digits) < 40 else INTEGER_LIMIT + 1
        span = token_span(c[0])
        if value > INTEGER_LIMIT:
            _report("PQL0106", span, "number outside the 64-bit range", "write it as a string if it is an identifier")
            value = 0
        return ast.Literal("integer", value, span=span)

    def decimal(self, c: builtins.list[Any]) -> Any:
        span = token_span(c[0])
        text = str(c[0])
        exponent = re.search(r"[eE]([+-]?\d+)$", text)
        value = NUMBER_LIMIT
        if len(text) < 100 and not (exponent and abs(int(exponent.group(1))) > 40):
            value = Decimal(text)
        if abs(value) >= NUMBER_LIMIT:
            _report("PQL0106", span, "number outside the range of `number`: at most 12 digits before the point")
            value = Decimal(0)
        return ast.Literal("number", value.quantize(MICRO, ROUND_HALF_UP).normalize() + 0, span=span)

    def true(self, c: builtins.list[Any]) -> Any:
        return ast.Literal("boolean", True, span=token_span(c[0]))

    def false(self, c: builtins.list[Any]) -> Any:
        return ast.Literal("boolean", False, span=token_span(c[0]))

    def null(self, c: builtins.list[Any]) -> Any:
        return ast.Literal("null", None, span=token_span(c[0]))

    def parameter(self, c: builtins.list[Any]) -> Any:
        return ast.Parameter(int(c[0][1:6]), span=token_span(c[0]))

    def this(self, c: builtins.list[Any]) -> Any:
        return ast.This(span=token_span(c[0]))

    def up(self, c: builtins.list[Any]) -> Any:
        return ast.Up(c[0].count("^"), span=token_span(c[0]))

    def up_field(self, c: builtins.list[Any]) -> Any:
        return ast.Member(self.up(c), word_of(c[1]), span=whole(c), name_span=token_span(c[1]))

    def entity(self, c: builtins.list[Any]) -> Any:
        return ast.Entity(str(c[0][2:-1]), span=token_span(c[0]))

    def parenthesised(self, c: builtins.list[Any]) -> Any:
        return Paren(plain(c[1]), whole(c))

    def list(self, c: builtins.list[Any]) -> Any:
        items = c[1] if len(c) > 1 and isinstance(c[1], list) else []
        return ast.ListLiteral(tuple(items), span=whole(c))

    def entry(self, c: builtins.list[Any]) -> Any:
        return ast.Entry(decode_string(c[0]), plain(c[2]), span=whole(c))

    def object(self, c: builtins.list[Any]) -> Any:
        return ast.ObjectLiteral(tuple(nodes(c)), span=whole(c))

    # --- constructs ---
    def if_(self, c: builtins.list[Any]) -> Any:
        condition, then, otherwise = nodes(c)
        return ast.If(condition, then, otherwise, span=whole(c))

    def variable(self, c: builtins.list[Any]) -> Any:
        condition = plain(c[4]) if len(c) > 4 and c[4] is not None else None
        return ast.Variable(word_of(c[0]), plain(c[2]), condition, span=whole(c), name_span=token_span(c[0]))

    def variables(self, c: builtins.list[Any]) -> Any:
        return nodes(c)

    def quantifier(self, c: builtins.list[Any]) -> Any:
        return ast.Quantifier(c[0].lower(), tuple(c[1]), span=whole(c))

    def select(self, c: builtins.list[Any]) -> Any:
        return ast.Select(tuple(c[1]), span=whole(c))

    def comprehension(self, c: builtins.list[Any]) -> Any:
        return ast.Comprehension(c[0].lower(), plain(c[1]), tuple(c[3]), span=whole(c))

    def comprehension_call(self, c: builtins.list[Any]) -> Any:
        args = c[2] if isinstance(c[2], list) else []
        if len(args) != 1:
            _report("PQL0304", whole(c[:4]), f"`{c[0]} … over` takes one expression, not {len(args)}")
        body = args[0] if args else ast.Literal("null", None, span=token_span(c[0]))
        return ast.Comprehension(c[0].lower(), body, tuple(c[-1]), span=whole(c))

    def let(self, c: builtins.list[Any]) -> Any:
        return ast.Let(word_of(c[1]), plain(c[3]), plain(c[5]), span=whole(c))

    def lambda_(self, c: builtins.list[Any]) -> Any:
        names = tuple(word_of(t) for t in c if isinstance(t, Token) and t.type in ("NAME", "QUOTED"))
        return ast.Lambda(names, plain(c[-1]), span=whole(c))

    def lambda_one(self, c: builtins.list[Any]) -> Any:
        return ast.Lambda((word_of(c[0]),), plain(c[-1]), span=whole(c))

    # --- time ---
    def phrase(self, c: builtins.list[Any]) -> Any:
        node = c[0]
        if len(c) > 1 and c[1] is not None:
            fields = {s: getattr(node, s) for s in type(node).__match_args__}
            return type(node)(**{**fields, "ignoring_year": True, "span": whole(c)})
        return node

    def ref_word(self, c: builtins.list[Any]) -> Any:
        return ast.RefWord(c[0].lower(), span=token_span(c[0]))

    def ref_unit(self, c: builtins.list[Any]) -> Any:
        return ast.RefUnit(c[0].lower(), unit_of(c[1]), span=whole(c))

    def ref_expr(self, c: builtins.list[Any]) -> Any:
        return ast.RefExpr(plain(c[0]), span=span_of(c[0]))

    def on(self, c: builtins.list[Any]) -> Any:
        return ast.On(c[-1], span=whole(c))

    def towards(self, c: builtins.list[Any]) -> Any:
        return ast.Towards(c[0].lower(), c[1], span=whole(c))

    def between(self, c: builtins.list[Any]) -> Any:
        return ast.Between(c[1], c[3], span=whole(c))

    def distance(self, c: builtins.list[Any]) -> Any:
        op, amount, unit, direction, ref = c
        return ast.Distance(str(op), bounded(amount), unit_of(unit), direction.lower(), ref, span=whole(c))

    # --- chain ---
    def chain(self, c: builtins.list[Any]) -> Any:
        array, stamp, *steps = nodes(c)
        return ast.Chain(array, stamp, tuple(steps), span=whole(c))

    def step(self, c: builtins.list[Any]) -> Any:
        what_at = next(i for i, t in enumerate(c) if isinstance(t, Token) and t.type == "WHAT")
        when: builtins.list[ast.Phrase] = []
        where: builtins.list[ast.Expr] = []
        count: ast.Count | None = None
        for kind, value in (x for x in c[what_at:] if isinstance(x, Clause)):
            if kind == "when":
                when.extend(value)
            elif kind == "where":
                where.append(value)
            elif count is not None:
                _report("PQL0304", value.span, "a step takes one COUNT")
            else:
                count = value
        excluded = any(isinstance(t, Token) and t.type == "NOT" for t in c[:what_at])
        what = plain(c[what_at + 2])
        name = word_of(c[0])
        if name.lower() == "not":
            _report(
                "PQL0101",
                token_span(c[0]),
                "`not` is no name of a step: an excluded one is written `NAME: not WHAT(…)`",
            )
        spans = {"span": whole(c), "name_span": token_span(c[0])}
        return ast.Step(name, excluded, what, tuple(when), count, tuple(where), **spans)

    def when(self, c: builtins.list[Any]) -> Any:
        return Clause("when", nodes(c), whole(c))

    def where(self, c: builtins.list[Any]) -> Any:
        return Clause("where", plain(c[2]), whole(c))

    def count_clause(self, c: builtins.list[Any]) -> Any:
        return Clause("count", c[2], whole(c))

    def count_least(self, c: builtins.list[Any]) -> Any:
        return ast.Count(">=", bounded(c[0]), span=whole(c))

    def count_compare(self, c: builtins.list[Any]) -> Any:
        return ast.Count(str(c[0]), bounded(c[1]), span=whole(c))

    def count_between(self, c: builtins.list[Any]) -> Any:
        return ast.Count("between", bounded(c[1]), bounded(c[3]), span=whole(c))

    def count_all(self, c: builtins.list[Any]) -> Any:
        return ast.Count("all", span=whole(c))

    # --- declarations ---
    def segment(self, c: builtins.list[Any]) -> Any:
        display = decode_string(c[2]) if c[2] is not None else ""
        properties = tuple(x for x in c if isinstance(x, ast.Property))
        name = word_of(c[1])
        return ast.Segment(name, display, properties, plain(c[-2]), span=whole(c), id_span=token_span(c[1]))

    def property(self, c: builtins.list[Any]) -> Any:
        is_list, tokens = c[2]
        texts = tuple(decode_string(t) if t.type == "STRING" else word_of(t) for t in tokens)
        spans = tuple(token_span(t) for t in tokens)
        end = spans[-1] if spans else token_span(c[0])
        name_span = token_span(c[0])
        return ast.Property(
            word_of(c[0]), texts, is_list, span=name_span.to(end), name_span=name_span, value_spans=spans
        )

    def word(self, c: builtins.list[Any]) -> Any:
        return c[0]

    def one_value(self, c: builtins.list[Any]) -> Any:
        return False, [c[0]]

    def many_values(self, c: builtins.list[Any]) -> Any:
        return True, [t for t in c if isinstance(t, Token) and t.type in ("NAME", "STRING", "QUOTED")]

    def define(self, c: builtins.list[Any]) -> Any:
        return ast.Define(word_of(c[1]), plain(c[3]), span=whole(c), name_span=token_span(c[1]))

    def attribute(self, c: builtins.list[Any]) -> Any:
        return ast.Attribute(word_of(c[1]), plain(c[3]), span=whole(c), name_span=token_span(c[1]))

    def test(self, c: builtins.list[Any]) -> Any:
        steps = tuple(x for x in c if isinstance(x, ast.GivenProfile | ast.At | ast.Expect))
        return ast.Test(decode_string(c[1]), steps, span=whole(c), name_span=token_span(c[1]))

    def given(self, c: builtins.list[Any]) -> Any:
        return ast.GivenProfile(c[2], span=whole(c))

    def at(self, c: builtins.list[Any]) -> Any:
        return ast.At(str(c[1]), c[3] if len(c) > 3 else None, span=whole(c))

    def expect(self, c: builtins.list[Any]) -> Any:
        instant = next((str(t) for t in c if isinstance(t, Token) and t.type == "INSTANT"), "")
        excluded = any(isinstance(t, Token) and t.type == "NOT" for t in c)
        return ast.Expect(word_of(c[-1]), not excluded, instant=instant, span=whole(c), segment_span=token_span(c[-1]))

    def expect_after(self, c: builtins.list[Any]) -> Any:
        tokens = [t for t in c if isinstance(t, Token)]
        amounts = [bounded(t) for t in tokens if t.type == "INTEGER"]
        units = [unit_of(t) for t in tokens if t.type == "UNIT"]
        excluded = any(t.type == "NOT" for t in tokens)
        after = tuple(zip(amounts, units, strict=True))
        return ast.Expect(word_of(c[-1]), not excluded, after=after, span=whole(c), segment_span=token_span(c[-1]))


class Clause:
    """A clause of a chain step on its way to the step."""

    __slots__ = ("kind", "span", "value")

    def __init__(self, kind: str, value: Any, span: Span) -> None:
        self.kind = kind
        self.value = value
        self.span = span

    def __iter__(self) -> Any:
        return iter((self.kind, self.value))


def word_of(token: Token) -> str:
    """An identifier's text: back-quotes off, the source notation `xdm:` and `xdm:@` normalised."""
    text = str(token)
    if text[0] == "`":
        return text[1:-1]
    if text.startswith("xdm:"):
        return "_" + text[5:] if text[4] == "@" else text[4:]
    return text


def bounded(token: Token) -> int:
    """A small count or distance; larger ones are reported and cut."""
    digits = token.rstrip("L")
    value = int(digits) if len(digits) < 20 else MAX_AMOUNT + 1
    if value > MAX_AMOUNT:
        _report("PQL0106", token_span(token), f"`{str(token)[:30]}` is too large here: at most {MAX_AMOUNT:,}")
        return MAX_AMOUNT
    return value
