"""What every part of the checker shares: scopes, variables, findings, and the step from value to test.

Read `Base.as_test` and `Base.some_element`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pql.check.coerce import Unfit, can_convert, convert
from pql.check.scope import UNKNOWN, ElementScope, Scope, VariableScope, is_unknown, unknown
from pql.diagnostics.findings import Findings
from pql.ir import nodes as ir
from pql.source import Source, Span
from pql.syntax import ast
from pql.types import BOOLEAN, INTEGER, NULL, ListType, MapType, ObjectType, Type, describe
from pql.xdm.schema import Schema


@dataclass(frozen=True)
class Catalog:
    """What a project declares besides the schema: typed definitions, attributes, and the segments that exist.

    `segments`: id or unique display name → id. `homes`: the source of a definition or attribute, by name.
    """

    definitions: Mapping[str, ir.Expr] = field(default_factory=dict)
    attributes: Mapping[str, ir.Expr] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, Source] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The display names that several segments have, with their ids."""
    sizes: Callable[[str], int] = lambda name: 0
    """How many characters a definition or attribute has, written out."""


MAX_WRITTEN_OUT = 100_000


class Base:
    def __init__(self, schema: Schema, findings: Findings, catalog: Catalog) -> None:
        self.schema, self.findings, self.catalog = schema, findings, catalog
        self.profile = ir.Var(ir.PROFILE, schema.profile)
        self.scopes: list[Scope] = [ElementScope(ir.PROFILE, schema.profile, "the profile")]
        self.depth = 0
        self.written_out = 0

    def expr(self, node: ast.Expr) -> ir.Expr:
        raise NotImplementedError

    def report(self, code: str, span: Span, message: str, help: str = "", label: str = "") -> ir.Expr:
        self.findings.report(code, span, message, help=help, label=label)
        return unknown()

    @contextmanager
    def scope(self, scope: Scope) -> Iterator[None]:
        self.scopes.append(scope)
        try:
            yield
        finally:
            self.scopes.pop()

    @contextmanager
    def binding(self) -> Iterator[int]:
        """A fresh variable; its number is its binding depth."""
        self.depth += 1
        try:
            yield self.depth
        finally:
            self.depth -= 1

    @contextmanager
    def element(self, items: Type, title: str) -> Iterator[int]:
        """A fresh variable whose element's fields are visible bare."""
        with self.binding() as var, self.scope(ElementScope(var, items, title)):
            yield var

    @contextmanager
    def over(self, node: ast.Expr, items: Type, title: str) -> Iterator[int]:
        """A fresh variable for an argument over elements: bare fields, or none where a lambda names the element."""
        if not isinstance(node, ast.Lambda):
            with self.element(items, title) as var:
                yield var
            return
        with self.binding() as var:
            yield var

    def some_element(self, items: ir.Expr, test: Callable[[ir.Expr], ir.Expr]) -> ir.Expr:
        """True if some element satisfies the test. What is found of the element is said of the list."""
        assert isinstance(items.type, ListType)
        with self.binding() as var:
            return ir.Exists(items, var, test(ir.Var(var, items.type.element, span=items.span)), span=items.span)

    def as_test(self, expr: ir.Expr, span: Span) -> ir.Expr:
        """A boolean or a list as a test; anything else is an error."""
        if is_unknown(expr) or expr.type == NULL:
            return ir.FALSE
        if isinstance(expr, ir.TESTS):
            return expr
        if expr.type == BOOLEAN:
            if isinstance(expr, ir.Const):
                return ir.TRUE if expr.value else ir.FALSE
            return ir.Truth(expr, span=span)
        if isinstance(expr.type, ListType):
            with self.binding() as var:
                return ir.Exists(expr, var, ir.TRUE, span=span)
        self.report("PQL0305", span, f"a condition must be true or false, this is {describe(expr.type)}")
        return ir.FALSE

    def test(self, node: ast.Expr) -> ir.Expr:
        return self.as_test(self.expr(node), node.span)

    def list_of(self, expr: ir.Expr, span: Span, what: str) -> ir.Expr | None:
        """A receiver as a list: an object counts as the list of itself. None after an error."""
        if is_unknown(expr):
            return None
        if isinstance(expr.type, ListType):
            return expr
        if isinstance(expr.type, ObjectType):
            single = ir.MakeList((expr,), ListType(expr.type), span=span)
            with self.binding() as var:
                present = ir.Not(ir.IsNull(ir.Var(var, expr.type)))
                return ir.Filter(single, var, present, single.type, span=span)
        if expr.type == NULL:
            return ir.MakeList((), ListType(NULL), span=span)
        self.report("PQL0306", span, f"{what} needs a list, this is {describe(expr.type)}")
        return None

    def coerce(self, expr: ir.Expr, target: Type, code: str = "PQL0301", why: str = "") -> ir.Expr:
        """`expr` as `target` (lists element by element), or a finding."""
        if is_unknown(expr) or target == UNKNOWN:
            return expr
        source = expr.type
        if isinstance(target, ListType) and isinstance(source, ListType):
            if not can_convert_element(source.element, target.element):
                return self._mismatch(expr, target, code, why)
        elif isinstance(source, ListType | MapType | ObjectType) or isinstance(target, ListType | MapType | ObjectType):
            if source == NULL:
                return ir.Const(None, target, span=expr.span)
            return self._mismatch(expr, target, code, why)
        elif not can_convert(source, target):
            return self._mismatch(expr, target, code, why)
        try:
            return convert(expr, target)
        except Unfit as unfit:
            text = str(unfit)[:40]
            return self.report("PQL0302", expr.span, f"`{text}` is not a value of type {describe(target)}", help=why)

    def _mismatch(self, expr: ir.Expr, target: Type, code: str, why: str) -> ir.Expr:
        message = f"{describe(expr.type)} does not fit where {describe(target)} is wanted"
        return self.report(code, expr.span, message, help=why)


def can_convert_element(source: Type, target: Type) -> bool:
    from pql.types import is_scalar, same

    if is_scalar(source) and is_scalar(target):
        return can_convert(source, target)
    return same(source, target)


def names_in_scope(scopes: list[Scope]) -> Iterator[str]:
    for scope in reversed(scopes):
        if isinstance(scope, VariableScope):
            yield from scope.names
        else:
            yield from scope.fields()


def one_of(items: ir.Expr, node: ast.Expr) -> ir.Expr:
    """Exactly one element."""
    return ir.Compare("=", ir.Call("size", (items,), INTEGER), ir.Const(1, INTEGER), span=node.span)
