"""The checker of expressions: syntax tree in, typed IR and findings out. Read `Checker.expr`.

Built of the parts `names`, `calls`, `times`, `chains`; this module has operators, quantifiers and the dispatch.
"""

from __future__ import annotations

from collections.abc import Callable

from pql.check.advice import advise
from pql.check.base import one_of
from pql.check.calls import QUANTIFIERS, Calls
from pql.check.chains import Chains
from pql.check.names import Names
from pql.check.scope import VariableScope, is_unknown
from pql.functions import FUNCTIONS
from pql.ir import nodes as ir
from pql.ir.walk import too_nested
from pql.source import Span
from pql.syntax import ast
from pql.types import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Field,
    ListType,
    MapType,
    ObjectType,
    Type,
    describe,
    is_numeric,
    is_ordered,
    make_object,
    unify,
    wider,
)

LITERALS = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "null": NULL}
ARITHMETIC = ("+", "-", "*", "/", "%")
MAX_LISTS_NESTED = 10
"""DuckDB binds the body of a function of list elements more than once, so each level inside another multiplies what a statement costs
before it reads a row. At ten that is not felt yet; a few levels more take seconds and gigabytes."""


class Checker(Chains, Names, Calls):  # type: ignore[misc]  # `key` is Names' own, Calls only declares it
    """Checks expressions of one source against one schema."""

    def expr(self, node: ast.Expr) -> ir.Expr:
        handler: Callable[[ast.Expr], ir.Expr] = _HANDLERS[type(node)].__get__(self)
        return handler(node)

    def literal(self, node: ast.Literal) -> ir.Expr:
        if node.kind == "integer" and isinstance(node.value, int) and not -(2**63) <= node.value < 2**63:
            return self.report("PQL0106", node.span, "number outside the 64-bit range")
        return ir.Const(node.value, LITERALS[node.kind], span=node.span)

    def list_literal(self, node: ast.ListLiteral) -> ir.Expr:
        items = [self.expr(i) for i in node.items]
        kind: Type = NULL
        for item in items:
            if is_unknown(item):
                return item
            joined = unify(kind, item.type)
            if joined is None:
                return self.report("PQL0308", item.span, f"{describe(item.type)} in a list of {describe(kind)}")
            kind = joined
        return ir.MakeList(tuple(self.coerce(i, kind) for i in items), ListType(kind), span=node.span)

    def object_literal(self, node: ast.ObjectLiteral) -> ir.Expr:
        entries: dict[str, ir.Expr] = {}
        for entry in node.entries:
            if entry.key in entries:
                self.report("PQL0208", entry.span, f"the key `{entry.key}` stands twice")
            entries[entry.key] = self.expr(entry.value)
        kind = make_object("", {k: Field(k, v.type) for k, v in entries.items()})
        return ir.MakeObject(tuple(entries.items()), kind, span=node.span)

    def filter(self, node: ast.Filter) -> ir.Expr:
        return self.filtered(self.expr(node.list), node.condition, node)

    def negate(self, node: ast.Negate) -> ir.Expr:
        operand = self.expr(node.operand)
        return self.arithmetic("-", ir.Const(0, INTEGER, span=node.span), operand, node)

    def not_(self, node: ast.Not) -> ir.Expr:
        return ir.Not(self.test(node.operand), span=node.span)

    def and_(self, node: ast.And) -> ir.Expr:
        return ir.And(tuple(self.test(o) for o in node.operands), span=node.span)

    def or_(self, node: ast.Or) -> ir.Expr:
        return ir.Or(tuple(self.test(o) for o in node.operands), span=node.span)

    def binary(self, node: ast.Binary) -> ir.Expr:
        left, right = self.expr(node.left), self.expr(node.right)
        if is_unknown(left) or is_unknown(right):
            return left if is_unknown(left) else right
        if node.op in ARITHMETIC:
            return self.arithmetic(node.op, left, right, node)
        if node.op == "like":
            return self.scalar(
                FUNCTIONS["like"], ast.Call(node.left, "like", (node.right,), span=node.span), left, (node.right,)
            )
        return self.comparison(node.op, left, right, node)

    def arithmetic(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        if is_unknown(left) or is_unknown(right):
            return left if is_unknown(left) else right
        for side in (left, right):
            if not is_numeric(side.type) and side.type != NULL:
                return self.report("PQL0311", side.span, f"`{op}` needs numbers, this is {describe(side.type)}")
        kinds = [s.type for s in (left, right) if s.type != NULL] or [INTEGER]
        kind = DOUBLE if op == "/" else wider(kinds[0], kinds[-1])
        return ir.Call(op, (self.coerce(left, kind), self.coerce(right, kind)), kind, span=node.span)

    # --- comparison ---
    def comparison(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        if is_unknown(left) or is_unknown(right):
            return left if is_unknown(left) else right
        if op in ("in", "notIn"):
            return self._membership(op, left, right, node)
        lists = [isinstance(s.type, ListType) for s in (left, right)]
        if all(lists):
            return self._lists(op, left, right, node)
        if any(lists):
            items, flip = (left, False) if lists[0] else (right, True)
            self._advise_some(op, items, node)
            return self.some_element(
                items, lambda e: self._scalars(op, left, e, node) if flip else self._scalars(op, e, right, node)
            )
        return self._scalars(op, left, right, node)

    def _advise_some(self, op: str, items: ir.Expr, node: ast.Expr) -> None:
        if op == "!=":
            message, help = (
                "`!=` with a list is true if some element differs",
                "for `no element equals`, write `not (… = …)`",
            )
            self.findings.report("PQL0402", node.span, message, help=help)
        else:
            help = "write `exists X from … where X …` to say so"
            self.findings.report("PQL0401", node.span, "a comparison with a list means some element", help=help)

    def _scalars(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        for side in (left, right):
            if isinstance(side.type, ObjectType | MapType | ListType) or side.type.__class__.__name__ in (
                "GroupsType",
                "EntryType",
            ):
                return self.report("PQL0301", side.span, f"`{op}` cannot compare {describe(side.type)}")
        if NULL in (left.type, right.type):
            return ir.FALSE
        if is_numeric(left.type) and is_numeric(right.type):
            kind = wider(left.type, right.type)
            if DOUBLE in (left.type, right.type):
                left, right = self.coerce(left, kind), self.coerce(right, kind)
        else:
            self.day_compared(op, left, right)
            why = f"the other side is {describe(left.type)}"
            right = self.coerce(right, left.type, why=why)
        if is_unknown(right) or is_unknown(left):
            return right if is_unknown(right) else left
        if op not in ("=", "!=") and not is_ordered(left.type):
            return self.report(
                "PQL0309", node.span, f"`{op}` needs values with an order, these are {describe(left.type)}"
            )
        self._enum(left, right)
        return ir.Compare(op, left, right, span=node.span)

    def _enum(self, left: ir.Expr, right: ir.Expr) -> None:
        if (
            not isinstance(left, ir.Field)
            or not isinstance(right, ir.Const)
            or not isinstance(left.object.type, ObjectType)
        ):
            return
        field = left.object.type.fields[left.name]
        if field.enum is not None and isinstance(right.value, str) and right.value not in field.enum:
            values = ", ".join(f"`{v}`" for v in field.enum[:8])
            self.report(
                "PQL0317", right.span, f"`{left.name}` is never `{right.value[:40]}`", f"its values are {values}"
            )

    def _lists(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        if op not in ("=", "!="):
            return self.report("PQL0309", node.span, f"`{op}` needs values with an order, these are lists")
        kind = self.common_numbers(left, right) or left.type
        left, right = self.coerce(left, kind), self.coerce(right, kind)
        if is_unknown(right):
            return right
        equal = ir.Truth(ir.Call("listEqual", (left, right), BOOLEAN), span=node.span)
        if op == "=":
            return equal
        present = (ir.Not(ir.IsNull(left)), ir.Not(ir.IsNull(right)), ir.Not(equal))
        return ir.And(present, span=node.span)

    def _membership(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        if not isinstance(right.type, ListType):
            if right.type == NULL:
                return ir.FALSE
            return self.report(
                "PQL0306", right.span, f"`{op}` needs a list on its right, this is {describe(right.type)}"
            )
        if isinstance(left.type, ListType):
            return self.some_element(left, lambda e: self._membership(op, e, right, node))
        if left.type == NULL:
            return ir.FALSE
        if isinstance(left.type, ObjectType | MapType):
            return self.report(
                "PQL0301",
                node.left.span if isinstance(node, ast.Binary) else left.span,
                f"`{op}` cannot compare {describe(left.type)}",
            )
        kind: Type = left.type
        if is_numeric(kind) and is_numeric(right.type.element):
            kind = self.comparable(left, right)
            left = self.coerce(left, kind)
        right = self.coerce(right, ListType(kind), why=f"the left side is {describe(left.type)}")
        if is_unknown(right):
            return right
        return ir.Truth(ir.Call(op, (left, right), BOOLEAN), span=node.span)

    # --- binders ---
    def _nest(
        self, variables: tuple[ast.Variable, ...], finish: Callable[[], ir.Expr], kind: str, node: ast.Expr
    ) -> ir.Expr:
        """Quantifies `finish` over all the variables, outermost first. `kind`: exists or forall."""
        if not variables:
            return finish()
        first, *rest = variables
        items = self.list_of(self.expr(first.list), first.list.span, "a variable")
        if items is None:
            return ir.FALSE
        assert isinstance(items.type, ListType)
        with self.binding() as var, self.scope(VariableScope({first.name: ir.Var(var, items.type.element)})):
            own = self.test(first.condition) if first.condition is not None else ir.TRUE
            inner = self._nest(tuple(rest), finish, kind, node)
            condition = ir.conjunction([own, inner], node.span)
            if kind == "forall":
                return ir.ForAll(items, var, condition, span=node.span)
            return ir.Exists(items, var, condition, span=node.span)

    def quantifier(self, node: ast.Quantifier) -> ir.Expr:
        kind = QUANTIFIERS[node.kind]
        if kind == "one":
            return one_of(self.select(ast.Select(node.variables, span=node.span)), node)
        test = self._nest(node.variables, lambda: ir.TRUE, "forall" if kind == "forall" else "exists", node)
        return ir.Not(test, span=node.span) if kind == "none" else test

    def select(self, node: ast.Select) -> ir.Expr:
        first, *rest = node.variables
        items = self.list_of(self.expr(first.list), first.list.span, "`select`")
        if items is None:
            return ir.MakeList((), ListType(NULL))
        assert isinstance(items.type, ListType)
        with self.binding() as var, self.scope(VariableScope({first.name: ir.Var(var, items.type.element)})):
            own = self.test(first.condition) if first.condition is not None else ir.TRUE
            inner = self._nest(tuple(rest), lambda: ir.TRUE, "exists", node)
            return ir.Filter(items, var, ir.conjunction([own, inner], node.span), items.type, span=node.span)

    def comprehension(self, node: ast.Comprehension) -> ir.Expr:
        values = self._values(node.variables, node)
        return values if is_unknown(values) else self.aggregated(node.function, values, node)

    def _values(self, variables: tuple[ast.Variable, ...], node: ast.Comprehension) -> ir.Expr:
        if not variables:
            body = self.expr(node.body)
            if is_unknown(body) or isinstance(body.type, ListType):
                return body
            return ir.MakeList((body,), ListType(body.type), span=node.body.span)
        first, *rest = variables
        items = self.list_of(self.expr(first.list), first.list.span, "a variable")
        if items is None:
            return ir.Const(None, ListType(NULL))
        assert isinstance(items.type, ListType)
        with self.binding() as var, self.scope(VariableScope({first.name: ir.Var(var, items.type.element)})):
            if first.condition is not None:
                items = ir.Filter(items, var, self.test(first.condition), items.type, span=first.span)
            if rest or not self._is_scalar_body(node):
                body = self._values(tuple(rest), node)
                return (
                    body if is_unknown(body) else ir.Transform(items, var, body, True, True, body.type, span=node.span)
                )
            body = self.expr(node.body)
            return (
                body
                if is_unknown(body)
                else ir.Transform(items, var, body, False, True, ListType(body.type), span=node.span)
            )

    def _is_scalar_body(self, node: ast.Comprehension) -> bool:
        before = len(self.findings.items)
        scalar = not isinstance(self.expr(node.body).type, ListType)
        del self.findings.items[before:]
        return scalar

    def let(self, node: ast.Let) -> ir.Expr:
        value = self.expr(node.value)
        with self.binding() as var, self.scope(VariableScope({node.name: ir.Var(var, value.type)})):
            body = self.expr(node.body)
            if is_unknown(value) or is_unknown(body):
                return value if is_unknown(value) else body
            return ir.Let(var, value, body, body.type, span=node.span)

    def if_(self, node: ast.If) -> ir.Expr:
        condition, then, otherwise = self.test(node.condition), self.expr(node.then), self.expr(node.otherwise)
        if is_unknown(then) or is_unknown(otherwise):
            return then if is_unknown(then) else otherwise
        kind = unify(then.type, otherwise.type)
        if kind is None:
            return self.no_common(then, otherwise, node)
        return ir.If(condition, self.coerce(then, kind), self.coerce(otherwise, kind), kind, span=node.span)

    def lambda_(self, node: ast.Lambda) -> ir.Expr:
        help = "a lambda is an argument of `map` and its kin, or the whole expression: `(P) => …`"
        return self.report("PQL0315", node.span, "a lambda cannot stand here", help)

    def whole(self, node: ast.Expr) -> ir.Expr:
        """A whole expression, with advice: a lambda here names the profile."""
        result = self._whole(node)
        if is_unknown(result):
            return result
        deep = too_nested(result, MAX_LISTS_NESTED)
        if deep is not None:
            span = Span(deep.span.start, deep.span.end) if deep.span.end else node.span
            message = f"more than {MAX_LISTS_NESTED} quantifiers, filters or chains inside each other"
            return self.report("PQL0002", span, message, "a quantifier reaches as far to the right as it can: put each into brackets, `(exists …) and (exists …)`")  # fmt: skip
        advise(result, self.findings)
        return result

    def _whole(self, node: ast.Expr) -> ir.Expr:
        if isinstance(node, ast.Lambda):
            if len(node.parameters) > 1:
                return self.report("PQL0205", node.span, "only the first parameter has a schema: the profile")
            with self.scope(VariableScope({node.parameters[0]: self.profile})):
                return self.expr(node.body)
        return self.expr(node)


_HANDLERS: dict[type, Callable[..., ir.Expr]] = {
    ast.Name: Checker.name,
    ast.Parameter: Checker.parameter,
    ast.This: Checker.this,
    ast.Up: Checker.up,
    ast.Entity: Checker.entity,
    ast.Literal: Checker.literal,
    ast.ListLiteral: Checker.list_literal,
    ast.ObjectLiteral: Checker.object_literal,
    ast.Member: Checker.member,
    ast.Call: Checker.call,
    ast.Filter: Checker.filter,
    ast.Negate: Checker.negate,
    ast.Not: Checker.not_,
    ast.And: Checker.and_,
    ast.Or: Checker.or_,
    ast.Binary: Checker.binary,
    ast.Occurs: Checker.occurs,
    ast.Quantifier: Checker.quantifier,
    ast.Select: Checker.select,
    ast.Comprehension: Checker.comprehension,
    ast.Let: Checker.let,
    ast.If: Checker.if_,
    ast.Lambda: Checker.lambda_,
    ast.Chain: Checker.chain,
}
