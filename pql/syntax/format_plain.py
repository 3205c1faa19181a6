"""A tree as text, on one line, with the brackets that it needs: for trees that no text was read from.

`format_expression` of `pql.syntax.format` lays the text out. Reading it again gives the same tree. Must not know names or
types. Read `plain_text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from pql.syntax import ast

# Precedence, loosest first; a part is put into parentheses where something tighter is wanted.
WHOLE, PART, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POSTFIX = range(9)

_WORD = re.compile(r"[^\W\d]\w*")
_DAYS = frozenset(("now", "today", "yesterday", "tomorrow"))
_CALLED = frozenset(
    ("sum", "count", "average", "min", "max", "exists", "forall", "some", "all", "none", "one", "select")
)
_RESERVED = _CALLED | frozenset(
    (
        "and",
        "or",
        "not",
        "in",
        "notin",
        "like",
        "occurs",
        "ignoring",
        "on",
        "between",
        "before",
        "after",
        "from",
        "last",
        "next",
        "this",
        "true",
        "false",
        "null",
        "if",
        "let",
        "chain",
        "where",
        "over",
        "what",
        "when",
        "as",
        "year",
    )
)
_PLURALS = {"century": "centuries", "millennium": "millennia"}
_PRODUCTS, _SUMS = frozenset("*/%"), frozenset("+-")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def plain_text(node: ast.Expr, level: int = WHOLE) -> str:
    """The text of `node`, fit to stand where an expression of that precedence or a tighter one is wanted."""
    text, own = _text(node)
    open_ended = isinstance(node, ast.Quantifier | ast.Select | ast.Comprehension | ast.Let | ast.Lambda)
    return f"({text})" if own < level or open_ended and level > WHOLE else text


def string_text(value: str) -> str:
    """A string literal in double quotes."""
    out = (_ESCAPES.get(c) or (c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}") for c in value)
    return '"' + "".join(out) + '"'


def name_text(name: str, reserved: frozenset[str] = _RESERVED) -> str:
    """A name, in back-quotes where it could be taken for something else."""
    return name if _WORD.fullmatch(name) and name.lower() not in reserved else f"`{name}`"


def field_text(name: str) -> str:
    """A name behind a dot, where every word is a field."""
    return name_text(name, frozenset())


def writable(name: str) -> bool:
    """Can this be written as a name at all?"""
    return bool(name) and "`" not in name and "\n" not in name


def _text(node: ast.Expr) -> tuple[str, int]:
    """The text and its precedence."""
    match node:
        case ast.Literal():
            return _literal(node)
        case ast.Name(text):
            return name_text(text), POSTFIX
        case ast.Parameter(position):
            return f"${position}", POSTFIX
        case ast.This():
            return "this", POSTFIX
        case ast.Up(levels):
            return "^" * levels, POSTFIX
        case ast.Entity(text):
            return "@{" + text + "}", POSTFIX
        case ast.ListLiteral(items):
            return f"[{_parts(items)}]", POSTFIX
        case ast.ObjectLiteral(entries):
            inner = ", ".join(f"{string_text(e.key)}: {plain_text(e.value, PART)}" for e in entries)
            return "{" + inner + "}", POSTFIX
        case ast.Member() | ast.Call() | ast.Filter():
            return _postfix(node), POSTFIX
        case ast.Negate(operand):
            inner = plain_text(operand, UNARY)
            number = isinstance(operand, ast.Literal) and operand.kind in ("integer", "number")
            return (f"-({inner})" if number else f"-{inner}"), UNARY
        case ast.Not(operand):
            return f"not {plain_text(operand, NOT)}", NOT
        case ast.And(operands):
            return " and ".join(plain_text(o, NOT) for o in operands), AND
        case ast.Or(operands):
            return " or ".join(plain_text(o, AND) for o in operands), PART
        case ast.Binary():
            return _binary(node)
        case ast.Occurs(operand, phrase):
            return f"{plain_text(operand, SUM)} occurs {phrase_text(phrase)}", COMPARISON
        case ast.Quantifier(kind, variables):
            return f"{kind} {_variables(variables)}", POSTFIX
        case ast.Select(variables):
            return f"select {_variables(variables)}", POSTFIX
        case ast.Comprehension(function, body, variables):
            return f"{function}({plain_text(body)}) over {_variables(variables)}", POSTFIX
        case ast.Let(name, value, body):
            return f"let {name_text(name)} = {plain_text(value, SUM)} in {plain_text(body)}", POSTFIX
        case ast.If(condition, then, otherwise):
            return f"if({_parts((condition, then, otherwise))})", POSTFIX
        case ast.Lambda(parameters, body):
            head = f"({', '.join(parameters)})" if len(parameters) > 1 else name_text(parameters[0])
            return f"{head} => {plain_text(body)}", POSTFIX
        case ast.Chain():
            return _chain(node), POSTFIX
        case _:
            assert_never(node)


def _literal(node: ast.Literal) -> tuple[str, int]:
    match node.value:
        case None:
            return "null", POSTFIX
        case bool():
            return ("true" if node.value else "false"), POSTFIX
        case int():
            text = str(node.value)
        case Decimal():
            text = f"{node.value:f}"
            text = text if "." in text else f"{text}.0"
        case str():
            return string_text(node.value), POSTFIX
    return text, UNARY  # not POSTFIX: `5.f()` does not read as a call


def _parts(nodes: Sequence[ast.Expr]) -> str:
    return ", ".join(plain_text(n, PART) for n in nodes)


def _postfix(node: ast.Member | ast.Call | ast.Filter) -> str:
    match node:
        case ast.Filter(items, condition):
            return f"{plain_text(items, POSTFIX)}[{plain_text(condition)}]"
        case ast.Member(ast.Up(levels), name):
            return "^" * levels + field_text(name)
        case ast.Member(inner, name):
            return f"{plain_text(inner, POSTFIX)}.{field_text(name)}"
        case ast.Call(None, name, args):
            return f"{name_text(name, _RESERVED - _CALLED)}({_parts(args)})"
        case ast.Call(receiver, name, args):
            assert receiver is not None
            text = plain_text(receiver, POSTFIX)
            head = f"({text})" if isinstance(receiver, ast.Up) else text  # `^.f()` does not read as a call
            return f"{head}.{field_text(name)}({_parts(args)})"
        case _:
            assert_never(node)


def _binary(node: ast.Binary) -> tuple[str, int]:
    if node.op in _SUMS:
        own, left, right = SUM, SUM, PRODUCT
    elif node.op in _PRODUCTS:
        own, left, right = PRODUCT, PRODUCT, UNARY
    else:
        own, left, right = COMPARISON, SUM, SUM
    return f"{plain_text(node.left, left)} {node.op} {plain_text(node.right, right)}", own


def _variables(variables: Sequence[ast.Variable]) -> str:
    out = []
    for variable in variables:
        condition = f" where {plain_text(variable.condition, PART)}" if variable.condition is not None else ""
        out.append(f"{name_text(variable.name)} from {plain_text(variable.list, PART)}{condition}")
    return ", ".join(out)


# --- time ---
def phrase_text(phrase: ast.Phrase) -> str:
    """What follows `occurs`, or stands in WHEN."""
    match phrase:
        case ast.On(ref):
            text = f"on {_reference(ref)}"
        case ast.Towards(direction, ref):
            text = f"{direction} {_reference(ref)}"
        case ast.Between(start, end):
            text = f"between {_reference(start)} and {_reference(end)}"
        case ast.Distance(op, amount, unit, direction, ref):
            units = unit if amount == 1 else _PLURALS.get(unit, f"{unit}s")
            text = f"{op} {amount} {units} {direction} {_reference(ref)}"
        case _:
            assert_never(phrase)
    return f"{text} ignoring year" if phrase.ignoring_year else text


def _reference(ref: ast.Ref) -> str:
    match ref:
        case ast.RefWord(word):
            return word
        case ast.RefUnit(which, unit):
            return f"{which} {unit}"
        case ast.RefExpr(expr):
            return plain_text(expr, POSTFIX) if _is_path(expr) else f"({plain_text(expr)})"
        case _:
            assert_never(ref)


def _is_path(expr: ast.Expr) -> bool:
    """A path that begins with a name which is no word of time."""
    while isinstance(expr, ast.Member):
        expr = expr.object
    return isinstance(expr, ast.Name) and expr.text.lower() not in _DAYS


# --- chain ---
def _chain(node: ast.Chain) -> str:
    steps = ", ".join(_step(s) for s in node.steps)
    return f"chain({plain_text(node.list, PART)}, {plain_text(node.timestamp, PART)}, [{steps}])"


def _step(step: ast.Step) -> str:
    parts = [f"{name_text(step.name)}: {'not ' if step.excluded else ''}WHAT({plain_text(step.what)})"]
    if step.when:
        parts.append(f"WHEN({' and '.join(phrase_text(p) for p in step.when)})")
    if step.count is not None:
        parts.append(f"COUNT({_count(step.count)})")
    parts += [f"WHERE({plain_text(w)})" for w in step.where]
    return " ".join(parts)


def _count(count: ast.Count) -> str:
    if count.op == "all":
        return "all"
    if count.op == "between":
        return f"between {count.low} and {count.high}"
    return str(count.low) if count.op == ">=" else f"{count.op} {count.low}"
