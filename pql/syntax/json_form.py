"""pql/json, writing: a syntax tree as the published node form, and our own `x-…` nodes where none is published.

`docs/PQL-JSON.md` is the description; `json_read` the way back. Must not know types: a bare name is written as a field
of the first parameter, `x-name` where an element could have it, or `varRef` where a variable is certain. Read `to_json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, assert_never

from pql.syntax import ast

Node = dict[str, Any]

ROOT = "profile"
DAYS = ("now", "today", "yesterday", "tomorrow")
OPERATORS = frozenset(("=", "!=", "<", "<=", ">", ">=", "in", "notIn", "like", "+", "-", "*", "/", "%"))
TAKEN = OPERATORS | {"and", "or", "not", "if"}
# Functions that are written `f(x)`; all others `x.f()`.
PREFIX = frozenset(
    (
        "inSegment",
        "date",
        "mapEntry",
        "orElse",
        "now",
        "modelInstances",
        "currentYear",
        "currentMonth",
        "currentDayOfMonth",
    )
)
# Methods whose arguments are read with the fields of an element in sight.
OVER_ELEMENTS = frozenset(
    (
        "filter",
        "map",
        "sum",
        "average",
        "min",
        "max",
        "topN",
        "bottomN",
        "groupBy",
        "exists",
        "forall",
        "count",
        "some",
        "all",
        "none",
        "one",
    )
)
QUANTIFIERS = {"exists": "some", "forall": "all", "none": "none", "one": "one", "some": "some", "all": "all"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a bare name can be: `certain` are variables that no element's field hides, `variables` are all in sight."""

    certain: frozenset[str] = field(default_factory=frozenset)
    variables: frozenset[str] = field(default_factory=frozenset)
    inside: bool = False  # in sight of an element's fields

    def element(self) -> Scope:
        return Scope(frozenset(), self.variables, True)

    def having(self, *names: str) -> Scope:
        return Scope(self.certain | set(names), self.variables | set(names), self.inside)

    def is_profile_field(self, name: str) -> bool:
        """Is a bare `name` here a field of the first parameter for sure?"""
        return not self.inside and name not in self.variables and name not in DAYS


def to_json(node: ast.Expr) -> Node:
    """The node form of an expression: dictionaries, lists, texts, numbers. The same tree comes back from `from_json`."""
    return _node(node, Scope())


def call_form(name: str, params: int) -> str:
    """How a call is written when the node does not say: `prefix` or `method`."""
    return "prefix" if params == 0 or name in PREFIX else "method"


def _node(node: ast.Expr, scope: Scope) -> Node:
    match node:
        case ast.Literal(kind, value):
            return _literal(kind, value)
        case ast.Name(text):
            return _name(text, scope)
        case ast.Parameter(position):
            return {"nodeType": "parameterReference", "position": position}
        case ast.This():
            return {"nodeType": "x-this"}
        case ast.Up(levels):
            return {"nodeType": "x-up", "levels": levels}
        case ast.Entity(text):
            return {"nodeType": "x-entity", "value": text}
        case ast.ListLiteral(items):
            return _list(items, scope)
        case ast.ObjectLiteral(entries):
            return {
                "nodeType": "x-object",
                "entries": [{"key": e.key, "value": _node(e.value, scope)} for e in entries],
            }
        case ast.Member():
            return _member(node, scope)
        case ast.Call():
            return _call(node, scope)
        case ast.Filter(items, condition):
            return _apply("x-filter", [_node(items, scope), _node(condition, scope.element())])
        case ast.Negate(operand):
            return _apply("x-negate", [_node(operand, scope)])
        case ast.Not(operand):
            return _apply("NOT", [_node(operand, scope)])
        case ast.And(operands):
            return _apply("and", _nodes(operands, scope))
        case ast.Or(operands):
            return _apply("or", _nodes(operands, scope))
        case ast.Binary(op, left, right):
            return _apply(op, _nodes((left, right), scope))
        case ast.If(condition, then, otherwise):
            return _apply("if", _nodes((condition, then, otherwise), scope))
        case _:
            return _construct(node, scope)


def _construct(
    node: ast.Occurs | ast.Quantifier | ast.Select | ast.Comprehension | ast.Let | ast.Lambda | ast.Chain, scope: Scope
) -> Node:
    match node:
        case ast.Occurs(operand, phrase):
            return {"nodeType": "x-occurs", "operand": _node(operand, scope), "phrase": _phrase(phrase, scope)}
        case ast.Quantifier(kind, variables):
            quantification: Node = {"nodeType": "quantification", "quantifier": QUANTIFIERS[kind]}
            if kind in ("some", "all"):
                quantification["x-written"] = kind
            return {**quantification, "variables": _variables(variables, scope)[0]}
        case ast.Select(variables):
            return {"nodeType": "select", "variables": _variables(variables, scope)[0]}
        case ast.Comprehension(function, body, variables):
            declared, inner = _variables(variables, scope)
            form = {"nodeType": "x-comprehension", "function": function, "body": _node(body, inner)}
            return {**form, "variables": declared}
        case ast.Let(name, value, body):
            form = {"nodeType": "x-let", "varName": name, "value": _node(value, scope)}
            return {**form, "body": _node(body, scope.having(name))}
        case ast.Lambda(parameters, body):
            params = [{"varName": p} for p in parameters]
            return {"nodeType": "fnCreate", "params": params, "body": _node(body, scope.having(*parameters))}
        case ast.Chain(items, stamp, steps):
            form = {"nodeType": "x-chain", "from": _node(items, scope), "timestamp": _node(stamp, scope.element())}
            return {**form, "steps": [_step(s, scope) for s in steps]}
        case _:
            assert_never(node)


def _apply(name: str, params: list[Node]) -> Node:
    return {"nodeType": "fnApply", "fnName": name, "params": params}


def _nodes(nodes: Iterable[ast.Expr], scope: Scope) -> list[Node]:
    return [_node(n, scope) for n in nodes]


def _literal(kind: str, value: object) -> Node:
    match value:
        case None:
            return {"nodeType": "literal", "literalType": "x-Null", "value": None}
        case Decimal():
            number = float(value)
            exact = Decimal(repr(number)) == value
            return {"nodeType": "literal", "literalType": "Number", "value": number if exact else f"{value:f}"}
        case _:
            types = {"string": "String", "integer": "Integer", "boolean": "Boolean"}
            return {"nodeType": "literal", "literalType": types[kind], "value": value}


def _name(text: str, scope: Scope) -> Node:
    if text in scope.certain:
        return {"nodeType": "varRef", "varName": text}
    if not scope.is_profile_field(text):
        return {"nodeType": "x-name", "name": text}
    if text == ROOT:
        return {"nodeType": "literal", "literalType": "XDMObject", "value": text}
    return _field(text, {"nodeType": "parameterReference", "position": 1})


def _member(node: ast.Member, scope: Scope) -> Node:
    inner = _node(node.object, scope)
    if node.object == ast.Parameter(1) and scope.is_profile_field(node.name) and node.name != ROOT:
        inner["x-written"] = True  # `$1.age`, and not `age` alone
    return _field(node.name, inner)


def _field(name: str, inner: Node) -> Node:
    lookup: Node = {"nodeType": "fieldLookup", "fieldName": name}
    if name.startswith("xdm:"):
        lookup["x-quoted"] = True  # the name itself, and not a prefix to it
    return {**lookup, "object": inner}


def _list(items: Sequence[ast.Expr], scope: Scope) -> Node:
    texts = [i.value for i in items if isinstance(i, ast.Literal) and i.kind == "string"]
    if items and len(texts) == len(items):
        return {"nodeType": "literal", "literalType": "List", "value": texts}
    return {"nodeType": "x-list", "items": _nodes(items, scope)}


def _call(node: ast.Call, scope: Scope) -> Node:
    args = node.args if node.receiver is None else (node.receiver, *node.args)
    inner = scope.element() if node.name in OVER_ELEMENTS else scope
    params = _nodes(args[:1], scope) + _nodes(args[1:], inner)
    form = "prefix" if node.receiver is None else "method"
    call = _apply(node.name, params)
    if form != call_form(node.name, len(params)) or node.name.lower() in TAKEN or node.name.startswith("x-"):
        call["x-form"] = form
    return call


def _variables(variables: Sequence[ast.Variable], scope: Scope) -> tuple[list[Node], Scope]:
    """The declarations, and the scope in which all of them are seen."""
    declared: list[Node] = []
    for variable in variables:
        form: Node = {"nodeType": "varDecl", "varName": variable.name, "from": _node(variable.list, scope)}
        scope = scope.having(variable.name)
        if variable.condition is not None:
            form["where"] = _node(variable.condition, scope)
        declared.append(form)
    return declared, scope


# --- time and chains ---
def _phrase(phrase: ast.Phrase, scope: Scope) -> Node:
    form: Node
    match phrase:
        case ast.On(ref):
            form = {"kind": "on", "reference": _reference(ref, scope)}
        case ast.Towards(direction, ref):
            form = {"kind": "towards", "direction": direction, "reference": _reference(ref, scope)}
        case ast.Between(start, end):
            form = {"kind": "between", "start": _reference(start, scope), "end": _reference(end, scope)}
        case ast.Distance(op, amount, unit, direction, ref):
            form = {"kind": "distance", "operator": op, "amount": amount, "unit": unit, "direction": direction}
            form["reference"] = _reference(ref, scope)
        case _:
            assert_never(phrase)
    return {**form, "ignoringYear": True} if phrase.ignoring_year else form


def _reference(ref: ast.Ref, scope: Scope) -> Node:
    match ref:
        case ast.RefWord(word):
            return {"nodeType": "x-time", "word": word}
        case ast.RefUnit(which, unit):
            return {"nodeType": "x-time", "which": which, "unit": unit}
        case ast.RefExpr(expr):
            return _node(expr, scope)
        case _:
            assert_never(ref)


def _step(step: ast.Step, scope: Scope) -> Node:
    inner = scope.element()
    form: Node = {"name": step.name}
    if step.excluded:
        form["excluded"] = True
    form["what"] = _node(step.what, inner)
    if step.when:
        form["when"] = [_phrase(p, inner) for p in step.when]
    if step.count is not None:
        form["count"] = _count(step.count)
    if step.where:
        form["where"] = _nodes(step.where, inner)
    return form


def _count(count: ast.Count) -> Node:
    if count.op == "all":
        return {"operator": "all"}
    if count.op == "between":
        return {"operator": "between", "low": count.low, "high": count.high}
    return {"operator": count.op, "value": count.low}
