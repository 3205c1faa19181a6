"""pql/json, reading: any JSON value to a syntax tree, or findings that name the place by its JSON path. Never raises.

Reads the published nodes, the loose variants seen in the wild, and the `x-…` nodes of `json_form`; `docs/PQL-JSON.md` is
the description. Parts that are no expressions (phrases, steps, values) are read in `json_parts`. Must not know types.
Read `from_json`.
"""

from __future__ import annotations

import re

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.source import Source
from pql.syntax import ast
from pql.syntax.json_form import (
    DAYS,
    OPERATORS,
    OVER_ELEMENTS,
    QUANTIFIERS,
    ROOT,
    TAKEN,
    Node,
    Scope,
    call_form,
)
from pql.syntax.json_parts import COMPARISONS, UNITS, Parts, Wrong, shown
from pql.syntax.parser import MAX_DEPTH, too_deep
from pql.syntax.scan import MAX_TOKENS

_PARAMETER = re.compile(r"[A-Za-z_]\w*")
_LEVELS = MAX_DEPTH + 10
_SPECIAL = {"x-filter": 2, "x-negate": 1}
_KINDS = {"some": "exists", "all": "forall", "none": "none", "one": "one"}


def from_json(document: object, source: Source | None = None) -> tuple[ast.Expr | None, list[Diagnostic]]:
    """The tree of a pql/json node given as what `json.loads` returns; None and findings when it is not one.

    `source` is the text that the document was read from, where the findings point; without it they name the path alone.
    """
    reader = Reader(source or Source("<pql/json>", ""))
    expr = reader.attempt(lambda: reader.expression(document, "$", Scope()))
    if expr is not None and not reader.found and too_deep(expr):
        reader.report(Wrong("$", f"expression nested more than {MAX_DEPTH} levels deep", code="PQL0002"))
    return (None if reader.found else expr), reader.found


class Reader(Parts):
    """Nodes, one method a kind. `scope` is kept as `json_form` keeps it: it decides what a bare field lookup means."""

    depth = 0
    nodes = 0

    def expression(self, value: object, path: str, scope: Scope) -> ast.Expr:
        self.one_more(path)
        if self.depth >= _LEVELS:
            raise Wrong(path, f"expression nested more than {MAX_DEPTH} levels deep", code="PQL0002")
        self.depth += 1
        try:
            if isinstance(value, list | tuple):  # loose: a list as it is
                return ast.ListLiteral(self.all_of(value, path, lambda v, p: self.loose(v, p, scope)))
            return self.node(self.record(value, path), path, scope)
        finally:
            self.depth -= 1

    def loose(self, value: object, path: str, scope: Scope) -> ast.Expr:
        """An item of a bare list: a node, or a plain value."""
        if isinstance(value, dict | list):
            return self.expression(value, path, scope)
        self.one_more(path)
        return self.plain(value, path)

    def one_more(self, path: str) -> None:
        self.nodes += 1
        if self.nodes > MAX_TOKENS:
            raise Wrong(path, f"more than {MAX_TOKENS:,} nodes in one expression", code="PQL0003")

    def node(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        kind = node.get("nodeType")
        if kind is None and "literalType" in node:
            kind = "literal"
        readers = {
            "fnApply": self.apply,
            "fnCreate": self.create,
            "literal": self.literal,
            "fieldLookup": self.lookup,
            "quantification": self.quantification,
            "select": self.select,
            "varRef": self.var_ref,
            "parameterReference": self.parameter,
        }
        if isinstance(kind, str) and kind in readers:
            return readers[kind](node, path, scope)
        if isinstance(kind, str) and kind in _OWN:
            return self.own(kind, node, path, scope)
        if kind is None:
            raise Wrong(path, "a node with a `nodeType` is expected")
        known = (*readers, *_OWN)
        help = did_you_mean(kind, known) if isinstance(kind, str) else ""
        raise Wrong(f"{path}.nodeType", f"unknown node type {shown(kind)}", help or "known are " + ", ".join(known))

    # --- published nodes ---
    def literal(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "literalType", "value")
        kind = node.get("literalType")
        at = f"{path}.value"
        if "value" not in node:
            raise Wrong(path, "a literal needs a `value`")
        value = node["value"]
        if kind is None:
            return self.expression(value, at, scope) if isinstance(value, list) else self.plain(value, at)
        if kind == "String":
            return ast.Literal("string", self.text(value, at))
        if kind in ("Integer", "Number"):
            return self.number(value, at, kind == "Integer")
        if kind == "Boolean":
            return ast.Literal("boolean", self.truth(value, at))
        if kind == "List":
            return ast.ListLiteral(self.all_of(value, at, lambda v, p: self.loose(v, p, scope)))
        if kind == "XDMObject":
            return ast.Name(self.name(value, at))
        if kind == "x-Null" and value is None:
            return ast.Literal("null", None)
        raise Wrong(f"{path}.literalType", f"unknown literal type {shown(kind)}", _LITERALS)

    def lookup(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "fieldName", "object", "x-quoted")
        quoted = self.flag(node, "x-quoted", path)
        name = self.field_name(self.part(node, "fieldName", path), f"{path}.fieldName", quoted)
        under: object = node.get("object", {"nodeType": "parameterReference", "position": 1})
        explicit = isinstance(under, dict) and under.get("x-written") is True
        inner = self.expression(under, f"{path}.object", scope)
        if inner == ast.Parameter(1) and not explicit and scope.is_profile_field(name) and name != ROOT:
            return ast.Name(name)
        return ast.Member(inner, name)

    def parameter(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "position", "x-written")
        self.flag(node, "x-written", path)
        return ast.Parameter(self.whole(self.part(node, "position", path), f"{path}.position", 99_999))

    def var_ref(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "varName")
        name = self.name(self.part(node, "varName", path), f"{path}.varName")
        if name not in scope.variables:
            help = did_you_mean(name, scope.variables) or "declare it with a `varDecl` or in an `fnCreate` around it"
            raise Wrong(f"{path}.varName", f"no variable `{name[:60]}` is declared here", help)
        return ast.Name(name)

    def quantification(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "quantifier", "variables", "x-written")
        kind = self.choice(self.part(node, "quantifier", path), f"{path}.quantifier", tuple(_KINDS))
        written = node.get("x-written", _KINDS[kind])
        if not isinstance(written, str) or QUANTIFIERS.get(written) != kind:
            raise Wrong(f"{path}.x-written", f"{shown(written)} is no word for the quantifier `{kind}`")
        return ast.Quantifier(written, self.variables(node, path, scope)[0])

    def select(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "variables")
        return ast.Select(self.variables(node, path, scope)[0])

    def variables(self, node: Node, path: str, scope: Scope) -> tuple[tuple[ast.Variable, ...], Scope]:
        def declaration(value: object, at: str) -> ast.Variable:
            nonlocal scope
            one = self.record(value, at)
            self.keys(one, at, "nodeType", "varName", "from", "where")
            if one.get("nodeType", "varDecl") != "varDecl":
                raise Wrong(f"{at}.nodeType", f"a `varDecl` is expected, not {shown(one['nodeType'])}")
            name = self.name(self.part(one, "varName", at), f"{at}.varName")
            items = self.expression(self.part(one, "from", at), f"{at}.from", scope)
            scope = scope.having(name)
            where = self.expression(one["where"], f"{at}.where", scope) if "where" in one else None
            return ast.Variable(name, items, where)

        read = self.all_of(self.part(node, "variables", path), f"{path}.variables", declaration, least=1)
        return read, scope

    def create(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "params", "body")

        def parameter(value: object, at: str) -> str:
            one = self.record(value, at)
            self.keys(one, at, "varName")
            return self.name(self.part(one, "varName", at), f"{at}.varName")

        at = f"{path}.params"
        names = self.all_of(self.part(node, "params", path), at, parameter, least=1)
        if len(names) > 1 and not all(_PARAMETER.fullmatch(n) for n in names):
            raise Wrong(at, "of several parameters, each must begin with a letter or `_`, and hold no other signs")
        return ast.Lambda(names, self.expression(self.part(node, "body", path), f"{path}.body", scope.having(*names)))

    def apply(self, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", "fnName", "params", "x-form")
        at = f"{path}.params"
        name = self.text(self.part(node, "fnName", path), f"{path}.fnName")
        form = node.get("x-form")
        operator = form is None and (name in OPERATORS or name.lower() in TAKEN or name in _SPECIAL)
        if form not in (None, "prefix", "method"):
            raise Wrong(f"{path}.x-form", f"`prefix` or `method` is expected, not {shown(form)}")
        elements = name in OVER_ELEMENTS and not operator or name == "x-filter"

        def param(value: object, place: str) -> ast.Expr:
            inner = scope.element() if elements and not place.endswith(".params[0]") else scope
            return self.expression(value, place, inner)

        params = self.all_of(self.part(node, "params", path), at, param)
        if operator:
            return self.operator(name, params, at)
        if name.startswith("x-") and form is None:
            raise Wrong(f"{path}.fnName", f"unknown function `{name[:60]}`", did_you_mean(name, _SPECIAL))
        self.name(name, f"{path}.fnName")
        if (form or call_form(name, len(params))) == "prefix":
            return ast.Call(None, name, params)
        if not params:
            raise Wrong(at, "a method needs what it is called on as its first parameter")
        return ast.Call(params[0], name, params[1:])

    def operator(self, name: str, params: tuple[ast.Expr, ...], path: str) -> ast.Expr:
        word = name.lower()
        if word in ("and", "or"):
            if not params:
                raise Wrong(path, f"`{word}` needs an operand")
            whole: ast.Expr = ast.And(params) if word == "and" else ast.Or(params)
            return whole if len(params) > 1 else params[0]
        count = 1 if word == "not" else 3 if word == "if" else _SPECIAL.get(name, 2)
        if len(params) == 1 and name == "-":
            return ast.Negate(params[0])
        if len(params) != count:
            raise Wrong(path, f"`{name}` takes {count} parameter{'s' if count > 1 else ''}, not {len(params)}")
        if word == "not":
            return ast.Not(params[0])
        if word == "if":
            condition, then, otherwise = params
            return ast.If(condition, then, otherwise)
        if name == "x-negate":
            return ast.Negate(params[0])
        left, right = params
        if name == "x-filter":
            return ast.Filter(left, right)
        return ast.Binary("notIn" if word == "notin" else word, left, right)

    # --- our own nodes ---
    def own(self, kind: str, node: Node, path: str, scope: Scope) -> ast.Expr:
        self.keys(node, path, "nodeType", *_OWN[kind])

        def sub(key: str, inner: Scope = scope) -> ast.Expr:
            return self.expression(self.part(node, key, path), f"{path}.{key}", inner)

        match kind:
            case "x-name":
                return ast.Name(self.name(self.part(node, "name", path), f"{path}.name"))
            case "x-this":
                return ast.This()
            case "x-up":
                return ast.Up(self.whole(self.part(node, "levels", path), f"{path}.levels", 100, least=1))
            case "x-entity":
                return ast.Entity(self.entity(self.part(node, "value", path), f"{path}.value"))
            case "x-list":
                items = self.part(node, "items", path)
                return ast.ListLiteral(self.all_of(items, f"{path}.items", lambda v, p: self.expression(v, p, scope)))
            case "x-object":
                entries = self.part(node, "entries", path)
                return ast.ObjectLiteral(self.all_of(entries, f"{path}.entries", lambda v, p: self.entry(v, p, scope)))
            case "x-occurs":
                operand = sub("operand")
                return ast.Occurs(operand, self.phrase(self.part(node, "phrase", path), f"{path}.phrase", scope))
            case "x-comprehension":
                names = ("sum", "count", "average", "min", "max")
                function = self.choice(self.part(node, "function", path), f"{path}.function", names)
                variables, inner = self.variables(node, path, scope)
                return ast.Comprehension(function, sub("body", inner), variables)
            case "x-let":
                name = self.name(self.part(node, "varName", path), f"{path}.varName")
                return ast.Let(name, sub("value"), sub("body", scope.having(name)))
            case _:
                items, stamp = sub("from"), sub("timestamp", scope.element())
                return ast.Chain(items, stamp, self.steps(node, path, scope))

    def entry(self, value: object, path: str, scope: Scope) -> ast.Entry:
        one = self.record(value, path)
        self.keys(one, path, "key", "value")
        key = self.text(self.part(one, "key", path), f"{path}.key")
        return ast.Entry(key, self.expression(self.part(one, "value", path), f"{path}.value", scope))

    def steps(self, node: Node, path: str, scope: Scope) -> tuple[ast.Step, ...]:
        seen = scope

        def step(value: object, at: str) -> ast.Step:
            nonlocal seen
            one = self.record(value, at)
            self.keys(one, at, "name", "excluded", "what", "when", "count", "where")
            name, inner = self.name(self.part(one, "name", at), f"{at}.name"), seen.element()
            what = self.expression(self.part(one, "what", at), f"{at}.what", inner)
            when = self.all_of(one.get("when", []), f"{at}.when", lambda v, p: self.phrase(v, p, inner))
            where = self.all_of(one.get("where", []), f"{at}.where", lambda v, p: self.expression(v, p, inner))
            count = self.count(one["count"], f"{at}.count") if "count" in one else None
            seen = seen.having(name)
            return ast.Step(name, self.flag(one, "excluded", at), what, when, count, where)

        return self.all_of(self.part(node, "steps", path), f"{path}.steps", step, least=1)

    # --- time ---
    def phrase(self, value: object, path: str, scope: Scope) -> ast.Phrase:
        one = self.record(value, path)
        kind = self.choice(self.part(one, "kind", path), f"{path}.kind", tuple(_PHRASES))
        self.keys(one, path, "kind", "ignoringYear", *_PHRASES[kind])
        year = self.flag(one, "ignoringYear", path)

        def ref(key: str = "reference") -> ast.Ref:
            return self.reference(self.part(one, key, path), f"{path}.{key}", scope)

        if kind == "on":
            return ast.On(ref(), year)
        if kind == "between":
            return ast.Between(ref("start"), ref("end"), year)
        towards = ("before", "after", "from")
        direction = self.choice(self.part(one, "direction", path), f"{path}.direction", towards)
        if kind == "towards":
            return ast.Towards(direction, ref(), year)
        operator = self.choice(self.part(one, "operator", path), f"{path}.operator", COMPARISONS)
        amount = self.whole(self.part(one, "amount", path), f"{path}.amount")
        unit = self.choice(self.part(one, "unit", path), f"{path}.unit", UNITS)
        return ast.Distance(operator, amount, unit, direction, ref(), year)

    def reference(self, value: object, path: str, scope: Scope) -> ast.Ref:
        if not isinstance(value, dict) or value.get("nodeType") != "x-time":
            return ast.RefExpr(self.expression(value, path, scope))
        self.keys(value, path, "nodeType", "word", "which", "unit")
        if "word" in value:
            return ast.RefWord(self.choice(value["word"], f"{path}.word", DAYS))
        which = self.choice(self.part(value, "which", path), f"{path}.which", ("this", "last", "next"))
        return ast.RefUnit(which, self.choice(self.part(value, "unit", path), f"{path}.unit", UNITS))


_LITERALS = "known are String, Number, Integer, Boolean, List, XDMObject and x-Null"
_OWN: dict[str, tuple[str, ...]] = {
    "x-name": ("name",),
    "x-this": (),
    "x-up": ("levels",),
    "x-entity": ("value",),
    "x-list": ("items",),
    "x-object": ("entries",),
    "x-occurs": ("operand", "phrase"),
    "x-comprehension": ("function", "body", "variables"),
    "x-let": ("varName", "value", "body"),
    "x-chain": ("from", "timestamp", "steps"),
}
_PHRASES: dict[str, tuple[str, ...]] = {
    "on": ("reference",),
    "between": ("start", "end"),
    "towards": ("direction", "reference"),
    "distance": ("operator", "amount", "unit", "direction", "reference"),
}
