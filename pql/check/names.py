"""Names and paths: what a word refers to, and what a dot does. SEMANTICS sections 3 and 4. Read `Names.name`."""

from __future__ import annotations

from pql.check.base import MAX_WRITTEN_OUT, Base, names_in_scope
from pql.check.scope import ElementScope, VariableScope, is_unknown, unknown
from pql.diagnostics.suggest import did_you_mean
from pql.ir import nodes as ir
from pql.ir.walk import deepen, used
from pql.source import Source, Span
from pql.syntax import ast
from pql.types import DATE, INTEGER, STRING, ListType, MapType, ObjectType, Type, describe


class Names(Base):
    def name(self, node: ast.Name) -> ir.Expr:
        for depth, scope in enumerate(reversed(self.scopes)):
            if isinstance(scope, VariableScope):
                if node.text in scope.names:
                    return scope.names[node.text]
            elif node.text in scope.fields():
                self._outer(node, depth, scope)
                return self.field(ir.Var(scope.var, scope.type), node.text, node.span)
        return self._last_resort(node)

    def _outer(self, node: ast.Name, depth: int, scope: ElementScope) -> None:
        inner = [s for s in self.scopes[len(self.scopes) - depth :] if isinstance(s, ElementScope)]
        if inner and isinstance(inner[-1].type, ObjectType):
            up = "^" * len(inner)
            message = f"`{node.text}` is no field of {inner[-1].title}; {scope.title}'s is used"
            self.findings.report("PQL0209", node.span, message, help=f"write `{up}{node.text}` to say so")

    def _last_resort(self, node: ast.Name) -> ir.Expr:
        text = node.text
        for kind, named in (("attribute", self.catalog.attributes), ("definition", self.catalog.definitions)):
            if text in named:
                value = self._written_out(named[text], node)
                home = self.catalog.homes.get(text, Source("", ""))
                return value if is_unknown(value) else used(value, node.span, kind, text, home)
        if text == "profile":
            return self.profile
        if text.lower() == "now":
            return ir.Clock(span=node.span)
        if text.lower() in ("today", "yesterday", "tomorrow"):
            midnight = day_start(text.lower())
            parts = tuple(ir.Call(p, (midnight,), INTEGER) for p in ("getYear", "getMonth", "getDayOfMonth"))
            return ir.Call("date", parts, DATE, span=node.span)
        known = [*names_in_scope(self.scopes), *self.catalog.definitions, *self.catalog.attributes]
        where = next(s.title for s in reversed(self.scopes) if isinstance(s, ElementScope))
        message = f"no field or variable `{text}` in {where}"
        return self.report("PQL0201", node.span, message, did_you_mean(text, known), "unknown name")

    def _written_out(self, value: ir.Expr, node: ast.Name) -> ir.Expr:
        """A definition's expression in its place; definitions of definitions must not grow without bounds."""
        self.written_out += self.catalog.sizes(node.text)
        if self.written_out <= MAX_WRITTEN_OUT:
            return deepen(value, self.depth)
        if self.written_out - self.catalog.sizes(node.text) <= MAX_WRITTEN_OUT:
            message = f"with its definitions written out, this is longer than {MAX_WRITTEN_OUT:,} characters"
            self.report(
                "PQL0003",
                node.span,
                message,
                "use fewer definitions of definitions, or segments that refer to each other",
            )
        return unknown()

    def this(self, node: ast.This) -> ir.Expr:
        scope = next(s for s in reversed(self.scopes) if isinstance(s, ElementScope))
        return ir.Var(scope.var, scope.type, span=node.span)

    def up(self, node: ast.Up) -> ir.Expr:
        elements = [s for s in self.scopes if isinstance(s, ElementScope)]
        if node.levels >= len(elements):
            here = len(elements) - 1
            message = f"`{'^' * node.levels}` goes {node.levels} levels up, but there {'is' if here == 1 else 'are'} {here} here"
            return self.report(
                "PQL0204", node.span, message, "one `^` for each `[ ]`, method argument or WHAT around it"
            )
        scope = elements[-1 - node.levels]
        return ir.Var(scope.var, scope.type, span=node.span)

    def parameter(self, node: ast.Parameter) -> ir.Expr:
        if node.position == 1:
            return self.profile
        message = f"no parameter `${node.position}`: a segment has one, the profile"
        return self.report("PQL0205", node.span, message, "write `$1`, or leave it out")

    def entity(self, node: ast.Entity) -> ir.Expr:
        """A context entity: null where a segment is asked, for nothing is passed then.

        Declared in the schema by its name, or as a path of the profile (`_xdm.context.additionalParameters`).
        """
        name = node.text.split(";")[0].strip()
        declared = self.schema.entities.get(name)
        if declared is not None:
            return ir.Const(None, declared, span=node.span)
        value: ir.Expr = self.profile
        for step in name.split("."):
            if not isinstance(value.type, ObjectType) or step not in value.type.fields:
                message = f"no context entity `{name}` is declared"
                help = did_you_mean(name, self.schema.entities) or "the schema declares them below `entities`"
                return self.report("PQL0207", node.span, message, help)
            value = self.field(value, step, node.span)
        return value

    def member(self, node: ast.Member) -> ir.Expr:
        return self.path(self.expr(node.object), node.name, node.name_span)

    def path(self, value: ir.Expr, name: str, span: Span) -> ir.Expr:
        """`value.name`: a field, a flattening, or a key of a map."""
        if is_unknown(value):
            return value
        kind: Type = value.type
        if isinstance(kind, ObjectType):
            return self.field(value, name, span)
        if isinstance(kind, MapType):
            return self.key(value, ir.Const(name, STRING, span=span), span)
        if isinstance(kind, ListType):
            with self.binding() as var:
                body = self.path(ir.Var(var, kind.element), name, span)
                if is_unknown(body):
                    return body
                nested = isinstance(body.type, ListType)
                result = body.type if nested else ListType(body.type)
                return ir.Transform(value, var, body, nested, True, result, span=value.span.to(span))
        message = f"{describe(kind)} has no fields, so no `{name}`"
        return self.report("PQL0307", span, message)

    def field(self, value: ir.Expr, name: str, span: Span) -> ir.Expr:
        kind = value.type
        assert isinstance(kind, ObjectType)
        field = kind.fields.get(name)
        if field is None:
            title = f"`{kind.name}`" if kind.name else "this object"
            return self.report(
                "PQL0201", span, f"no field `{name}` in {title}", did_you_mean(name, kind.fields), "unknown field"
            )
        if field.deprecated:
            self.findings.report("PQL0211", span, f"`{name}` is deprecated in the schema")
        return ir.Field(value, name, field.type, field.labels, span=span)

    def key(self, value: ir.Expr, key: ir.Expr, span: Span) -> ir.Expr:
        """`map.get(key)`; the first key of `segmentMembership` is compared in lower case."""
        assert isinstance(value.type, MapType)
        if value == ir.Field(self.profile, "segmentMembership", value.type):
            if isinstance(key, ir.Const) and isinstance(key.value, str):
                key = ir.Const(key.value.lower(), key.type, span=key.span)
            else:
                key = ir.Call("lowerCase", (key,), key.type, span=key.span)
        return ir.Call("get", (value, key), value.type.value, span=span)


def day_start(word: str) -> ir.Expr:
    """Midnight of today, yesterday or tomorrow in the project's zone."""
    today = ir.Truncate(ir.Clock(), "day")
    shift = {"today": 0, "yesterday": -1, "tomorrow": 1}[word]
    return today if shift == 0 else ir.Shift(today, shift, "day", local=True)
