"""Calls: scalar functions by overload, structural ones by what they mean. Read `Calls.call`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import re2

from pql.check.base import Base, one_of
from pql.check.coerce import akin, can_convert, small_integers
from pql.check.consents import consent_name, consent_names, consent_test
from pql.check.scope import VariableScope, is_unknown
from pql.diagnostics.suggest import did_you_mean
from pql.functions import FUNCTIONS
from pql.functions.personalization import CONVERSIONS
from pql.functions.record import Function, Overload
from pql.functions.text import unknown_escape
from pql.ir import nodes as ir
from pql.ir.nodes import element_type
from pql.source import Span
from pql.syntax import ast
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    EXACT,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    EntryType,
    GroupsType,
    ListType,
    MapType,
    ObjectType,
    Type,
    describe,
    is_numeric,
    is_ordered,
    unify,
    wider,
)

QUANTIFIERS = {"exists": "exists", "some": "exists", "forall": "forall", "all": "forall", "none": "none", "one": "one"}
AGGREGATES = ("sum", "average", "min", "max", "count")
Arguments = tuple[ast.Expr, ...]


class Calls(Base):
    def call(self, node: ast.Call) -> ir.Expr:
        record = FUNCTIONS.get(node.name)
        if record is None:
            help = did_you_mean(node.name, FUNCTIONS)
            return self.report("PQL0202", node.name_span, f"no function `{node.name}`", help, "unknown function")
        receiver, args = node.receiver, node.args
        if receiver is None and node.name in ("currentMonth", "currentYear", "currentDayOfMonth"):
            part = "get" + node.name.removeprefix("current")
            return self._arity(node, args, 0, 0) or ir.Call(part, (ir.Clock(),), INTEGER, span=node.span)
        if node.name == "consented":
            return self._consented(node, args)
        if node.name == "modelInstances":
            return self._instances(node, args)
        if node.name in ("mapEntry", "inSegment"):
            return self._named(node, args)
        if record.clock and not record.structural and receiver is None and not args:
            kind = record.overloads[0].result
            return ir.Call(record.name, (ir.Clock(),), kind, span=node.span)
        if not record.structural and receiver is not None:
            return self.scalar(record, node, self.expr(receiver), args)
        if receiver is None and record.name == "date":
            return self._date(node, record, args)
        if receiver is None:
            if not args:
                return self.report("PQL0304", node.span, f"`{node.name}` needs a value to work on")
            receiver, args = args[0], args[1:]
        value = self.expr(receiver)
        if not record.structural:
            return self.scalar(record, node, value, args)
        if is_unknown(value):
            return value
        handler: Callable[..., ir.Expr] | None = getattr(self, f"call_{node.name.lower()}", None)
        if node.name in CONVERSIONS:
            return self._conversion(node, value, args)
        if node.name in QUANTIFIERS:
            return self._quantified(node, value, args)
        if node.name in AGGREGATES:
            return self._aggregate(node, value, args)
        if handler is None:
            return self.report("PQL0202", node.name_span, f"`{node.name}` cannot be called here")
        return handler(node, value, args)

    def _arity(self, node: ast.Call, args: Arguments, least: int, most: int) -> ir.Expr | None:
        if least <= len(args) <= most:
            return None
        wanted = str(least) if least == most else f"{least} to {most}"
        return self.report(
            "PQL0304",
            node.span,
            f"`{node.name}` takes {wanted} argument{'s' if wanted != '1' else ''}, not {len(args)}",
        )

    # --- scalar functions ---
    def scalar(self, record: Function, node: ast.Call, receiver: ir.Expr, args: Arguments) -> ir.Expr:
        if is_unknown(receiver):
            return receiver
        if record.test and isinstance(receiver.type, ListType):
            return self.some_element(receiver, lambda e: self.as_test(self._scalar(record, node, e, args), node.span))
        return self._scalar(record, node, receiver, args)

    def _scalar(self, record: Function, node: ast.Call, receiver: ir.Expr, args: Arguments) -> ir.Expr:
        values = [receiver, *(self.expr(a) for a in args)]
        if any(is_unknown(v) for v in values):
            return next(v for v in values if is_unknown(v))
        if record.name in ("equals", "notEqualTo"):
            return self._equals(record, node, values)
        chosen = self._overload(record, node, values)
        if chosen is None:
            return self.report(
                "PQL0304",
                node.span,
                f"`{record.name}` does not take {len(args)} argument{'' if len(args) == 1 else 's'}",
            )
        wanted = chosen.parameter(0).type
        if record.available_in == "pql" and not akin(receiver.type, wanted):
            message = f"`{record.name}` needs a value of type {describe(wanted)}, this is {describe(receiver.type)}"
            return self.report("PQL0303", receiver.span, message, "what stands on the left is not converted")
        for position in record.literal:
            if position < len(values) and not isinstance(values[position], ir.Const):
                what = chosen.parameter(position).name
                return self.report("PQL0303", values[position].span, f"the {what} of `{record.name}` must be a literal")
        final = [self.coerce(v, chosen.parameter(i).type, "PQL0303") for i, v in enumerate(values)]
        if any(is_unknown(v) for v in final):
            return next(v for v in final if is_unknown(v))
        if "regex" in (p.name for p in chosen.parameters) and not self._regex(final[1], node):
            return self.report("PQL0310", node.args[0].span, "this is not a regular expression that RE2 accepts")
        wrong = self._literal_ok(record, final)
        if wrong is not None:
            return wrong
        if record.clock:
            final.append(ir.Clock())
        call = ir.Call(record.name, tuple(final), chosen.result, span=node.span)
        return ir.Truth(call, span=node.span) if record.test else call

    def _overload(self, record: Function, node: ast.Call, values: list[ir.Expr]) -> Overload | None:
        fitting = [o for o in record.overloads if o.accepts(len(values))]
        exact = [o for o in fitting if all(o.parameter(i).type == v.type for i, v in enumerate(values))]
        loose = [o for o in fitting if all(can_convert(v.type, o.parameter(i).type) for i, v in enumerate(values))]
        return next(iter(exact or loose or fitting), None)

    def _literal_ok(self, record: Function, values: list[ir.Expr]) -> ir.Expr | None:
        """What the type of a literal argument does not say."""
        last = values[-1]
        if not isinstance(last, ir.Const):
            return None
        if record.name == "regexGroup" and isinstance(last.value, int) and last.value < 0:
            return self.report("PQL0303", last.span, "groups are counted from 1; 0 is the whole match")
        if record.name == "like" and isinstance(last.value, str) and (wrong := unknown_escape(last.value)) is not None:
            help = "`\\%`, `\\_` and `\\\\` stand for `%`, `_` and `\\`"
            return self.report("PQL0318", last.span, f"`{wrong}` is no escape of a `like` pattern", help)
        return None

    def _regex(self, pattern: ir.Expr, node: ast.Call) -> bool:
        assert isinstance(pattern, ir.Const)
        try:
            options = re2.Options()
            options.log_errors = False
            compiled = re2.compile(str(pattern.value), options)
            return bool(compiled.groups >= 0)
        except Exception as error:
            detail = error.args[0] if error.args else ""
            shown = detail.decode() if isinstance(detail, bytes) else str(detail)
            help = "expressions are RE2: no look-around, no back-references"
            self.findings.report("PQL0310", node.args[0].span, f"invalid regular expression: {shown}", help=help)
            return False

    def _equals(self, record: Function, node: ast.Call, values: list[ir.Expr]) -> ir.Expr:
        receiver, *rest = values
        flag: tuple[ir.Expr, ...] = ()
        if len(rest) > 1 and rest[-1].type == BOOLEAN:
            flag, rest = (rest[-1],), rest[:-1]
        if not rest:
            return self.report("PQL0304", node.span, f"`{record.name}` needs something to compare with")
        if receiver.type != STRING:
            op = "=" if record.name == "equals" else "!="
            tests = tuple(self.comparison(op, receiver, other, node) for other in rest)
        else:
            strings = [self.coerce(other, STRING, "PQL0303") for other in rest]
            made = (ir.Call(record.name, (receiver, s, *flag), BOOLEAN, span=node.span) for s in strings)
            tests = tuple(ir.Truth(c, span=node.span) for c in made)
        return tests[0] if len(tests) == 1 else ir.Or(tests, span=node.span)

    def comparison(self, op: str, left: ir.Expr, right: ir.Expr, node: ast.Expr) -> ir.Expr:
        raise NotImplementedError

    def _date(self, node: ast.Call, record: Function, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 3, 3)
        if wrong is not None:
            return wrong
        parts = [self.coerce(self.expr(a), INTEGER, "PQL0303") for a in args]
        if any(is_unknown(p) for p in parts):
            return next(p for p in parts if is_unknown(p))
        if all(isinstance(p, ir.Const) for p in parts):
            numbers = [p.value for p in parts if isinstance(p, ir.Const)]
            try:
                return ir.Const(date(*numbers), DATE, span=node.span)  # type: ignore[arg-type]
            except (ValueError, TypeError, OverflowError):
                return self.report("PQL0313", node.span, "there is no such day in the calendar")
        return ir.Call("date", tuple(parts), DATE, span=node.span)

    def _named(self, node: ast.Call, args: Arguments) -> ir.Expr:
        if node.name == "mapEntry":
            wrong = self._arity(node, args, 2, 2)
            if wrong is not None:
                return wrong
            key, value = self.coerce(self.expr(args[0]), STRING, "PQL0303"), self.expr(args[1])
            return ir.MakeEntry(key, value, EntryType(value.type), span=node.span)
        wrong = self._arity(node, args, 1, 1)
        if wrong is not None:
            return wrong
        value = self.expr(args[0])
        if not isinstance(value, ir.Const) or not isinstance(value.value, str):
            return self.report("PQL0303", args[0].span, "`inSegment` takes the segment's id as a string")
        return self._segment(value.value, node)

    def _consented(self, node: ast.Call, args: Arguments) -> ir.Expr:
        """A consent of the profile, whatever the scope; the second argument is the namespace of `idSpecific`."""
        wrong = self._arity(node, args, 1, 2)
        if wrong is not None or node.receiver is not None:
            return wrong or self.report("PQL0304", node.span, 'write `consented("marketing.email")`')
        name = consent_name(args[0])
        space = args[1].value if len(args) > 1 and isinstance(args[1], ast.Literal) else None
        if name is None or (len(args) > 1 and not isinstance(space, str)):
            return self.report(
                "PQL0538", args[-1].span, "`consented` takes the name of a consent, as text or as a path"
            )
        known = consent_names(self.schema)
        with self.binding() as var:
            test = consent_test(self.schema, name, space if isinstance(space, str) else None, var, node.span)
        if test is None:
            help = did_you_mean(name, known) or (
                "there are " + ", ".join(f"`{k}`" for k in known) if known else "the schema has no `consents`"
            )
            return self.report("PQL0538", args[0].span, f"the schema has no consent `{name[:60]}`", help)
        return test

    def _instances(self, node: ast.Call, args: Arguments) -> ir.Expr:
        """The instances of a class in the decisioning dialect: the profile, its events, or a declared entity's (none)."""
        wrong = self._arity(node, args, 1, 1)
        value = self.expr(args[0]) if args else None
        if wrong is not None or value is None:
            return wrong or self._unknown()
        if not isinstance(value, ir.Const) or not isinstance(value.value, str):
            return self.report("PQL0303", args[0].span, "`modelInstances` takes the address of a class as a string")
        name = value.value.rstrip("/").rsplit("/", 1)[-1].split("#")[0]
        if name == "profile":
            return ir.MakeList((self.profile,), ListType(self.profile.type), span=node.span)
        if name == "experienceevent":
            kind = self.schema.profile.fields["xEvent"].type
            return ir.Field(self.profile, "xEvent", kind, span=node.span)
        entity = self.schema.entities.get(value.value) or self.schema.entities.get(name)
        if entity is None:
            help = did_you_mean(name, self.schema.entities) or "the schema declares them below `entities`"
            return self.report("PQL0207", args[0].span, f"no entity `{name}` is declared", help)
        return ir.MakeList((), ListType(entity), span=node.span)

    def _segment(self, name: str, node: ast.Call) -> ir.Expr:
        target = self.catalog.segments.get(name)
        if target is not None:
            return ir.InSegment(target, span=node.span)
        shared = self.catalog.shared.get(name)
        if shared:
            help = "write the id of one of them: " + ", ".join(f"`{id}`" for id in shared[:5])
            return self.report("PQL0206", node.args[0].span, f"`{name}` is the name of {len(shared)} segments", help)
        help = did_you_mean(name, self.catalog.segments)
        if self.catalog.segments:
            code = "PQL0206" if help else "PQL0212"
            self.findings.report(code, node.args[0].span, f"no segment `{name}` in this project", help=help)
        kind = self.schema.profile.fields["segmentMembership"].type
        entry: ir.Expr = ir.Field(self.profile, "segmentMembership", kind, span=node.span)
        for key in ("ups", name):
            assert isinstance(entry.type, MapType)
            entry = ir.Call("get", (entry, ir.Const(key, STRING)), entry.type.value, span=node.span)
        status = self.field_of(entry, "status", node.span)
        tests = tuple(ir.Compare("=", status, ir.Const(s, STRING), span=node.span) for s in ("realized", "existing"))
        return ir.Or(tests, span=node.span)

    def field_of(self, value: ir.Expr, name: str, span: Span) -> ir.Expr:
        assert isinstance(value.type, ObjectType)
        return ir.Field(value, name, value.type.fields[name].type, span=span)

    # --- any value ---
    def call_isnull(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        if isinstance(value, ir.Transform):
            self.findings.report(
                "PQL0406",
                node.span,
                "a path through a list is never null, at most empty",
                help="ask for `.count() = 0`",
            )
        return self._arity(node, args, 0, 0) or ir.IsNull(value, span=node.span)

    def call_isnotnull(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        test = self.call_isnull(node, value, args)
        return test if is_unknown(test) else ir.Not(test, span=node.span)

    def call_orelse(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        if wrong is not None:
            return wrong
        with self.binding() as var:
            other = self.expr(args[0])  # below the binder, so that what it binds has numbers of its own
            kind = unify(value.type, other.type)
            if kind is None:
                return self.no_common(value, other, node)
            bound = ir.Var(var, value.type)
            choice = ir.If(ir.IsNull(bound), self.coerce(other, kind), self.coerce(bound, kind), kind)
            return ir.Let(var, value, choice, kind, span=node.span)

    def no_common(self, a: ir.Expr, b: ir.Expr, node: ast.Expr) -> ir.Expr:
        return self.report("PQL0308", node.span, f"{describe(a.type)} and {describe(b.type)} have no common type")

    def _conversion(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        """A function that is a coercion by another name."""
        if args and node.name in ("stringToDate", "toDateTime"):
            return self.scalar(FUNCTIONS["stringToDateByPattern"], node, value, args)
        return self._arity(node, args, 0, 0) or self.coerce(value, CONVERSIONS[node.name], "PQL0303")

    def _nulls(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        """Counts that see nulls."""
        items = self.list_of(value, node.span, f"`{node.name}`")
        wrong = self._arity(node, args, 0, 0)
        if wrong is not None or items is None:
            return wrong or self._unknown()
        assert isinstance(items.type, ListType)
        if node.name == "countWithNull":
            return ir.Call("size", (items,), INTEGER, span=node.span)
        with self.binding() as var:
            null = ir.IsNull(ir.Var(var, items.type.element))
            if node.name == "countOnlyNull":
                return ir.Call("size", (ir.Filter(items, var, null, items.type),), INTEGER, span=node.span)
            one = ir.If(ir.Exists(items, var, null), ir.Const(1, INTEGER), ir.Const(0, INTEGER), INTEGER)
            different = ir.Aggregate("count", ir.Call("distinct", (items,), items.type), INTEGER)
            return ir.Call("+", (different, one), INTEGER, span=node.span)

    call_countonlynull = call_countwithnull = call_distinctcountwithnull = _nulls

    # --- maps ---
    def call_get(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        if wrong is not None:
            return wrong
        if isinstance(value.type, ListType):
            with self.binding() as var:
                body = self.call_get(node, ir.Var(var, value.type.element), args)
                if is_unknown(body):
                    return body
                nested = isinstance(body.type, ListType)
                return ir.Transform(
                    value, var, body, nested, True, body.type if nested else ListType(body.type), span=node.span
                )
        if not isinstance(value.type, MapType):
            return self.report("PQL0303", node.span, f"`get` needs a map, this is {describe(value.type)}")
        return self.key(value, self.coerce(self.expr(args[0]), STRING, "PQL0303"), node.span)

    def key(self, value: ir.Expr, key: ir.Expr, span: object) -> ir.Expr:
        raise NotImplementedError

    def _map_parts(self, node: ast.Call, value: ir.Expr, args: Arguments, kind: Type | None) -> ir.Expr:
        if not isinstance(value.type, MapType):
            return self.report("PQL0303", node.span, f"`{node.name}` needs a map, this is {describe(value.type)}")
        element = kind or value.type.value
        return self._arity(node, args, 0, 0) or ir.Call(node.name, (value,), ListType(element), span=node.span)

    def call_keys(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        return self._map_parts(node, value, args, STRING)

    def call_values(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        return self._map_parts(node, value, args, None)

    # --- lists ---
    def _two_lists(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        left = self.list_of(value, node.span, f"`{node.name}`")
        right = self.list_of(self.expr(args[0]), node.span, f"`{node.name}`") if args else None
        if wrong is not None or left is None or right is None:
            return wrong or self._unknown()
        kind = self.common_numbers(left, right) or left.type
        original, left, right = left.type, self.coerce(left, kind), self.coerce(right, kind, "PQL0303")
        if is_unknown(right):
            return right
        if node.name == "intersection":
            return self.coerce(ir.Call("intersection", (left, right), kind, span=node.span), original)
        return ir.Truth(ir.Call(node.name, (left, right), BOOLEAN), span=node.span)

    def _unknown(self) -> ir.Expr:
        from pql.check.scope import unknown

        return unknown()

    def common_numbers(self, left: ir.Expr, right: ir.Expr) -> Type | None:
        """The list type that holds the numbers of both lists: numbers are compared as they are."""
        kinds = [s.type.element for s in (left, right) if isinstance(s.type, ListType)]
        return ListType(self.comparable(left, right)) if len(kinds) == 2 and all(map(is_numeric, kinds)) else None

    def comparable(self, left: ir.Expr, right: ir.Expr) -> Type:
        """The type that numbers of both sides (each a number or a list) are compared in."""
        sides = [(s, element_type(s.type)) for s in (left, right)]
        kind = wider(sides[0][1], sides[1][1])
        wide = kind == NUMBER and any(t == INTEGER and not small_integers(s) for s, t in sides)
        return EXACT if wide else kind

    call_intersects = call_intersection = call_subsetof = call_supersetof = _two_lists

    def call_in(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        return wrong or self.comparison("in" if node.name == "in" else "notIn", value, self.expr(args[0]), node)

    call_notin = call_in

    def call_includes(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        items = self.list_of(value, node.span, "`includes`")
        if wrong is not None or items is None:
            return wrong or self._unknown()
        assert isinstance(items.type, ListType)
        item, element = self.expr(args[0]), items.type.element
        if not (is_numeric(element) and is_numeric(item.type)):
            item = self.coerce(item, element, "PQL0303")
        if is_unknown(item):
            return item
        return self.some_element(items, lambda e: self.comparison("=", e, item, node))

    def call_distinct(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        items = self.list_of(value, node.span, "`distinct`")
        if items is None:
            return self._unknown()
        return self._arity(node, args, 0, 0) or ir.Call("distinct", (items,), items.type, span=node.span)

    def call_head(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        items = self.list_of(value, node.span, "`head`")
        if items is None:
            return self._unknown()
        assert isinstance(items.type, ListType)
        return self._arity(node, args, 0, 0) or ir.Call("head", (items,), items.type.element, span=node.span)

    def call_filter(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        return self._arity(node, args, 1, 1) or self.filtered(value, args[0], node)

    def filtered(self, value: ir.Expr, condition: ast.Expr, node: ast.Expr) -> ir.Expr:
        items = self.list_of(value, node.span, "a filter")
        if items is None:
            return self._unknown()
        assert isinstance(items.type, ListType)
        with self.over(condition, items.type.element, "the filtered element") as var:
            return ir.Filter(
                items, var, self._body(condition, var, items.type.element, True), items.type, span=node.span
            )

    def _body(self, node: ast.Expr, var: int, element: Type, test: bool = False) -> ir.Expr:
        """An argument evaluated with the element in scope; a one-parameter lambda names the element."""
        if isinstance(node, ast.Lambda):
            if len(node.parameters) != 1:
                return self.report(
                    "PQL0315", node.span, f"a lambda with one parameter is wanted here, not {len(node.parameters)}"
                )
            with self.scope(VariableScope({node.parameters[0]: ir.Var(var, element)})):
                return self.test(node.body) if test else self.expr(node.body)
        return self.test(node) if test else self.expr(node)

    def call_map(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        if wrong is not None:
            return wrong
        if isinstance(value.type, GroupsType):
            return self._map_groups(node, value, args[0])
        items = self.list_of(value, node.span, "`map`")
        if items is None:
            return self._unknown()
        assert isinstance(items.type, ListType)
        element = items.type.element
        with self.over(args[0], element, "the mapped element") as var:
            body = self._body(args[0], var, element)
            result = ir.Transform(items, var, body, False, False, ListType(body.type), span=node.span)
        return self._mapped(result, body)

    def _mapped(self, result: ir.Expr, body: ir.Expr) -> ir.Expr:
        if is_unknown(body):
            return body
        if isinstance(body.type, EntryType):
            return ir.ToMap(result, MapType(body.type.value), span=result.span)
        return result

    def _map_groups(self, node: ast.Call, value: ir.Expr, body_node: ast.Expr) -> ir.Expr:
        groups = value.type
        assert isinstance(groups, GroupsType)
        if not isinstance(body_node, ast.Lambda) or len(body_node.parameters) != 2:
            return self.report("PQL0315", body_node.span, "groups are mapped by a lambda `(KEY, GROUP) => …`")
        with self.binding() as key, self.binding() as group:
            names: dict[str, ir.Expr] = {
                body_node.parameters[0]: ir.Var(key, groups.key),
                body_node.parameters[1]: ir.Var(group, ListType(groups.element)),
            }
            with self.scope(VariableScope(names)):
                body = self.expr(body_node.body)
            result = ir.TransformGroups(value, key, group, body, ListType(body.type), span=node.span)
        return self._mapped(result, body)

    def call_groupby(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        items = self.list_of(value, node.span, "`groupBy`")
        if wrong is not None or items is None:
            return wrong or self._unknown()
        assert isinstance(items.type, ListType)
        element = items.type.element
        with self.over(args[0], element, "the grouped element") as var:
            key = self._body(args[0], var, element)
            if is_unknown(key):
                return key
            if isinstance(key.type, ListType | MapType | ObjectType):
                return self.report(
                    "PQL0303", args[0].span, f"the key of `groupBy` must be a plain value, not {describe(key.type)}"
                )
            return ir.GroupBy(items, var, key, GroupsType(key.type, element), span=node.span)

    def _ranked(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 2, 2)
        items = self.list_of(value, node.span, f"`{node.name}`")
        if wrong is not None or items is None:
            return wrong or self._unknown()
        assert isinstance(items.type, ListType)
        count = self.coerce(self.expr(args[1]), INTEGER, "PQL0303")
        with self.over(args[0], items.type.element, "the ranked element") as var:
            key = self._body(args[0], var, items.type.element)
            if is_unknown(key) or is_unknown(count):
                return key if is_unknown(key) else count
            if not is_ordered(key.type):
                return self.report("PQL0309", args[0].span, f"{describe(key.type)} has no order")
            return ir.TopN(items, var, key, count, node.name == "topN", items.type, span=node.span)

    call_topn = call_bottomn = _ranked

    # --- aggregates and quantifiers ---
    def _aggregate(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 0, 1)
        if wrong is not None:
            return wrong
        if node.name == "count" and isinstance(value.type, GroupsType | MapType) and not args:
            return ir.Call("size", (value,), INTEGER, span=node.span)
        items = self.list_of(value, node.span, f"`{node.name}`")
        if items is None:
            return self._unknown()
        assert isinstance(items.type, ListType)
        if args:
            element = items.type.element
            with self.over(args[0], element, "the element") as var:
                body = self._body(args[0], var, element)
                if is_unknown(body):
                    return body
                if node.name == "count" and body.type == BOOLEAN:
                    items = ir.Filter(items, var, self.as_test(body, args[0].span), items.type, span=node.span)
                    return ir.Call("size", (items,), INTEGER, span=node.span)
                nested = isinstance(body.type, ListType)
                items = ir.Transform(
                    items, var, body, nested, True, body.type if nested else ListType(body.type), span=node.span
                )
        return self.aggregated(node.name, items, node)

    def aggregated(self, name: str, items: ir.Expr, node: ast.Expr) -> ir.Expr:
        """The aggregate of a list of values, with its result type checked."""
        assert isinstance(items.type, ListType)
        element = items.type.element
        if name == "count":
            return ir.Aggregate("count", items, INTEGER, span=node.span)
        if name in ("sum", "average"):
            if not is_numeric(element) and element != NULL:
                return self.report("PQL0311", node.span, f"`{name}` needs numbers, these are {describe(element)}")
            kind = element if element != NULL else INTEGER
            return ir.Aggregate(name, items, kind if name == "sum" else DOUBLE, span=node.span)
        if not is_ordered(element) and element != NULL:
            return self.report(
                "PQL0309", node.span, f"`{name}` needs values with an order, these are {describe(element)}"
            )
        return ir.Aggregate(name, items, element, span=node.span)

    def _quantified(self, node: ast.Call, value: ir.Expr, args: Arguments) -> ir.Expr:
        wrong = self._arity(node, args, 1, 1)
        items = self.list_of(value, node.span, f"`{node.name}`")
        if wrong is not None or items is None:
            return wrong or self._unknown()
        assert isinstance(items.type, ListType)
        with self.over(args[0], items.type.element, "the element") as var:
            test = self._body(args[0], var, items.type.element, True)
            kind = QUANTIFIERS[node.name]
            if kind == "forall":
                return ir.ForAll(items, var, test, span=node.span)
            if kind == "one":
                return one_of(ir.Filter(items, var, test, items.type), node)
            found = ir.Exists(items, var, test, span=node.span)
            return found if kind == "exists" else ir.Not(found, span=node.span)
