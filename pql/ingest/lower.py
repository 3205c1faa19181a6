"""From PQL's syntax tree to a mapping's tree: names are source fields, calls are resolved in the table of functions.

Mappings are written in PQL's own expression syntax (ADR 2); what has no meaning over one source record (time phrases,
chains, quantifiers, parameters) is refused here. Must not know SQL. Read `read_expression`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import re2

from pql.diagnostics.findings import Findings
from pql.diagnostics.suggest import did_you_mean
from pql.ingest.functions import TABLE, MappingFunction
from pql.ingest.functions.time import read_format
from pql.ingest.tree import Apply, Build, Constant, Each, Listing, LookUp, Node, Reference
from pql.source import Source, Span
from pql.syntax import ast, parse_expression

NOTHING = Constant(None)
FORMATS = ("date", "timestamp", "format")
STRUCTURAL = ("map", "filter", "to_array", "lookup")


def read_expression(text: str, name: str, look_ups: Sequence[str]) -> tuple[Node, Findings]:
    """The expression of one line of a mapping. `look_ups`: the names that `lookup` may use."""
    source = Source(name, text)
    findings = Findings(source)
    tree, found = parse_expression(source)
    findings.items.extend(found)
    if tree is None:
        return NOTHING, findings
    return _Lowering(findings, look_ups).node(tree, ()), findings


class _Lowering:
    def __init__(self, findings: Findings, look_ups: Sequence[str]) -> None:
        self.findings, self.look_ups = findings, look_ups

    def wrong(self, span: Span, message: str, help: str = "", code: str = "PQL0821") -> Node:
        self.findings.report(code, span, message, help=help)
        return NOTHING

    def node(self, tree: Any, variables: tuple[str, ...]) -> Node:
        match tree:
            case ast.Literal():
                return Constant(tree.value, span=tree.span)
            case ast.Name() | ast.Member():
                return self.reference(tree, variables)
            case ast.ListLiteral():
                return Listing(tuple(self.node(i, variables) for i in tree.items), span=tree.span)
            case ast.ObjectLiteral():
                return Build(tuple((e.key, self.node(e.value, variables)) for e in tree.entries), span=tree.span)
            case ast.Negate():
                return Apply("-", (Constant(0), self.node(tree.operand, variables)), span=tree.span)
            case ast.Not():
                return Apply("not", (self.node(tree.operand, variables),), span=tree.span)
            case ast.And() | ast.Or():
                word = "and" if isinstance(tree, ast.And) else "or"
                return Apply(word, tuple(self.node(o, variables) for o in tree.operands), span=tree.span)
            case ast.If():
                parts = (tree.condition, tree.then, tree.otherwise)
                return Apply("iif", tuple(self.node(p, variables) for p in parts), span=tree.span)
            case ast.Binary() if tree.op in TABLE:
                return Apply(
                    tree.op, (self.node(tree.left, variables), self.node(tree.right, variables)), span=tree.span
                )
            case ast.Call():
                return self.call(tree, variables)
            case ast.Filter():
                return self.wrong(tree.span, "`[…]` is not available in a mapping", "write `filter(list, x => …)`")
            case _:
                return self.wrong(
                    tree.span,
                    "this has no meaning over one source record",
                    "a mapping has fields, literals and functions",
                )

    def reference(self, tree: Any, variables: tuple[str, ...]) -> Node:
        steps: list[str] = []
        inner = tree
        while isinstance(inner, ast.Member):
            steps.append(inner.name)
            inner = inner.object
        if not isinstance(inner, ast.Name):
            return self.wrong(
                tree.span, "a field is read from a field only", "use `first(…)`, or `map(list, x => x.field)`"
            )
        steps.reverse()
        if inner.text in variables:
            return Reference(tuple(steps), inner.text, span=tree.span)
        return Reference((inner.text, *steps), span=tree.span)

    def call(self, tree: ast.Call, variables: tuple[str, ...]) -> Node:
        args = tree.args if tree.receiver is None else (tree.receiver, *tree.args)
        if tree.name in ("map", "filter"):
            return self.each(tree, args, variables)
        if tree.name == "to_array":
            return Listing(tuple(self.node(a, variables) for a in args), span=tree.span)
        if tree.name == "lookup":
            return self.look_up(tree, args, variables)
        function = TABLE.get(tree.name)
        if function is None:
            names = [n for n, r in TABLE.items() if not r.operator]
            help = did_you_mean(tree.name, [*names, *STRUCTURAL]) or "`pql source functions` lists them"
            return self.wrong(tree.name_span, f"no mapping function `{tree.name[:60]}`", help)
        if not function.accepts(len(args)):
            help = f"write `{function.signature}`"
            return self.wrong(tree.span, f"`{tree.name}` does not take {len(args)} arguments", help)
        made = tuple(self.node(a, variables) for a in args)
        self.literals(function, made, tree)
        return Apply(function.name, made, span=tree.span)

    def literals(self, function: MappingFunction, args: tuple[Node, ...], tree: ast.Call) -> None:
        for position in function.literal:
            if position >= len(args):
                continue
            given = args[position]
            if not isinstance(given, Constant) or not isinstance(given.value, str):
                self.wrong(tree.span, f"argument {position + 1} of `{function.name}` must be a text written out")
                continue
            try:
                if position == 1 and function.name in FORMATS:
                    read_format(given.value)
                elif function.name in ("extract_regex", "matches_regex"):
                    if len(given.value) > 500:
                        raise ValueError("longer than 500 characters")
                    re2.compile(given.value)
            except (ValueError, re2.error) as error:
                self.wrong(tree.span, f"{str(error)[:160]}", f"`{function.name}`: {function.doc}")

    def each(self, tree: ast.Call, args: tuple[Any, ...], variables: tuple[str, ...]) -> Node:
        if len(args) != 2 or not isinstance(args[1], ast.Lambda) or len(args[1].parameters) != 1:
            return self.wrong(
                tree.span, f"`{tree.name}` takes a list and what to do with each", f"write `{tree.name}(list, x => …)`"
            )
        variable = args[1].parameters[0]
        body = self.node(args[1].body, (*variables, variable))
        return Each(self.node(args[0], variables), variable, body, tree.name == "filter", span=tree.span)

    def look_up(self, tree: ast.Call, args: tuple[Any, ...], variables: tuple[str, ...]) -> Node:
        literal = [a.value if isinstance(a, ast.Literal) and isinstance(a.value, str) else None for a in args]
        if len(args) != 3 or literal[0] is None or literal[2] is None:
            return self.wrong(
                tree.span,
                "`lookup` takes a look-up source, a key and a field",
                'write `lookup("catalog", sku, "name")`',
            )
        if literal[0] not in self.look_ups:
            help = did_you_mean(literal[0], self.look_ups) or "name it below `lookups` of the source file"
            return self.wrong(tree.span, f"no look-up `{literal[0][:60]}`", help)
        return LookUp(literal[0], self.node(args[1], variables), literal[2], span=tree.span)
