"""Lists as rows: events, arrays, filters, flattening; tests, aggregates and first elements over them.

`Rows.add` puts the rows of a list into the current scope and says how an element is spelled. A list that depends on the
profile alone is asked in a query of its own; a list inside an element (the items of an event) in the dialect's way:
`array_test`. Must not know chains. Read `Rows.add`, `Rows.members`, `Rows.value_aggregate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp

from pql.compiler.dialects.part import Part
from pql.compiler.dialects.scope import Element, Item, Row, Scope, Sql, column, named, own
from pql.functions.record import call, number, paren
from pql.ir import nodes as ir
from pql.ir.walk import free_variables, rebuild, substitute
from pql.types import (
    DOUBLE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    ObjectType,
    ScalarType,
    Type,
)

COUNTING = 1_000_000


def closed(e: ir.Expr) -> bool:
    """Does it depend on the profile alone?"""
    return free_variables(e) <= {ir.PROFILE}


def is_events(e: ir.Expr) -> bool:
    return isinstance(e, ir.Field) and e.name == "xEvent" and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE


def from_events(e: ir.Expr) -> bool:
    """Is it a list of events: all of them, or filtered?"""
    return is_events(e) or (isinstance(e, ir.Filter) and from_events(e.list))


def constants(e: ir.Expr) -> tuple[ir.Const, ...] | None:
    """The present items of a list of literals."""
    if not isinstance(e, ir.MakeList):
        return None
    items = tuple(i for i in e.items if isinstance(i, ir.Const))
    return tuple(i for i in items if i.value is not None) if len(items) == len(e.items) else None


class Rows(Part):
    @contextmanager
    def sub(self, merge: bool) -> Iterator[Scope]:
        """A query of its own about the same person. `merge`: only the presence of rows matters."""
        outer = (self.scope, self.env, self.in_lambda)
        self.scope, self.env, self.in_lambda = Scope(self.new, merge), {}, False
        try:
            yield self.scope
        finally:
            self.scope, self.env, self.in_lambda = outer

    # --- lists into rows ---
    def add(self, e: ir.Expr) -> Element:
        """Put the rows of a list into the scope; says how an element is spelled."""
        if is_events(e):
            return self._events(e)
        match e:
            case ir.Filter():
                element = self.add(e.list)
                self.env[e.var] = element
                self.require(e.condition)
                return element
            case ir.Transform():
                return self._transformed(e)
            case ir.MakeList(items=(item,)):
                return Item(self.value(item))
            case ir.MakeList(items=()):
                self.scope.where.append(exp.false())
                return Item(exp.Null())
            case ir.Let():
                return self.add(substitute(e.body, e.var, e.value))
            case ir.Field() | ir.Var():
                assert isinstance(e.type, ListType)
                if any(isinstance(x, ir.Call) and x.function == "head" for x in _bases(e)):
                    raise self.refuse("a list of a first element", "only its plain fields have a form", e)
                self.scope.unnested += 1
                return self.unnest(self.value(e), e.type.element)
            case ir.Call(function="distinct") if self.scope.merge:
                return self.add(e.args[0])
        raise self.refuse(self.spoken(e), "a list made like this has no rows here", e)

    def _events(self, e: ir.Expr) -> Element:
        if self.scope.events and not self.scope.merge:
            raise self.refuse("events compared with other events", "here it would count pairs of events", e)
        return Row(self.scope.event())

    def _transformed(self, e: ir.Transform) -> Element:
        self.env[e.var] = self.add(e.list)
        if not e.flatten:
            value = self.value(e.body)
            if e.drop_nulls:
                self.scope.where.append(self.present(Item(value), e.body.type))
            return Item(value)
        element = self.add(e.body)
        if e.drop_nulls and isinstance(element, Item):
            self.scope.where.append(self.present(element, getattr(e.type, "element", INTEGER)))
        return element

    def present(self, element: Element, kind: Type) -> Sql:
        """Is the element not null?"""
        if isinstance(element, Row):
            return exp.true()
        return exp.Not(this=exp.Is(this=element.sql.copy(), expression=exp.Null()))

    def require(self, condition: ir.Expr) -> None:
        """Keep the rows that satisfy the condition. Where only presence matters, an inner `exists` becomes more rows."""
        for part in ir.conjuncts(condition):
            if self.scope.merge and isinstance(part, ir.Exists) and not closed(part):
                self.env[part.var] = self.add(part.list)
                self.require(part.condition)
            else:
                self.scope.where.append(self.test(part, exact=False))

    def unnest(self, items: Sql, kind: Type) -> Element:
        """Join the elements of an array value of the scope's row."""
        alias, name = self.new("u"), self.new("x")
        made = exp.Unnest(expressions=[items], alias=alias_columns(alias, [name]))
        self.scope.joins.append(exp.Join(this=made, kind="CROSS"))
        return Item(own(name, alias))

    # --- quantifiers ---
    def test_exists(self, e: ir.Exists, exact: bool) -> Sql:
        if closed(e):
            return self.members(e.list, e.var, e.condition)
        found: Sql = self.inner(e, lambda items, kind: self.array_test(items, kind, e, exact))
        return found

    def test_forall(self, e: ir.ForAll, exact: bool) -> Sql:
        failing = ir.Exists(e.list, e.var, ir.Not(e.condition), span=e.span)
        return exp.Not(this=paren(self.test_exists(failing, True)))

    def members(self, items: ir.Expr, var: int, condition: ir.Expr) -> Sql:
        """Is the person among those who have such an element?"""
        if self.in_lambda:
            raise self.refuse(
                "a question about the profile inside a list of an element", "it would need a query", items
            )
        with self.sub(merge=True) as scope:
            self.env[var] = self.add(items)
            self.require(condition)
            query = scope.select([scope.pid])
        return exp.In(this=self.scope.pid, query=query.subquery())

    def inner(self, e: ir.Exists, use):  # type: ignore[no-untyped-def]
        """`use` on the array and type of a list inside an element; filters have gone into the condition."""
        items, condition = e.list, e.condition
        while isinstance(items, ir.Filter):
            own_part = substitute(items.condition, items.var, ir.Var(e.var, items.type.element))  # type: ignore[union-attr]
            items, condition = items.list, ir.conjunction([own_part, condition], e.span)
        if is_events(items) or not isinstance(items, ir.Field):
            return self.inner_flat(e, items, condition)
        assert isinstance(items.type, ListType)
        self._condition = condition
        found: Sql = use(self.value(items), items.type.element)
        return found

    def inner_flat(self, e: ir.Exists, items: ir.Expr, condition: ir.Expr) -> Sql:
        """A flattened path inside an element: nested questions, or a test of the mapped value."""
        if isinstance(items, ir.Transform):
            if items.flatten:
                below: ir.Expr = ir.Exists(items.body, e.var, condition, span=e.span)
            else:
                below = substitute(condition, e.var, items.body)
                if items.drop_nulls:
                    below = ir.conjunction([ir.Not(ir.IsNull(items.body)), below])
            return self.test_exists(ir.Exists(items.list, items.var, below, span=e.span), True)
        if from_events(items):
            raise self.refuse("events compared with other events", "only `exists` of both has a form", e,
                              "say it as one `exists A from xEvent, B from xEvent where …`")  # fmt: skip
        raise self.refuse(self.spoken(items), "a list made like this has no rows here", e)

    def array_test(self, items: Sql, kind: Type, e: ir.Exists, exact: bool) -> Sql:
        """Does an element of the array satisfy the condition that `inner` left? As a query over the array."""
        condition = self._condition
        return exp.Exists(this=self._array_query(items, kind, e.var, condition, number(1)))

    def _array_query(self, items: Sql, kind: Type, var: int, condition: ir.Expr, what: Sql) -> exp.Select:
        outer = self.scope
        self.scope = inner = Scope(self.new)
        inner.owner = outer.owner
        try:
            element = self.unnest(items, kind)
        finally:
            self.scope = outer
        before = dict(self.env)
        self.env[var] = element
        where = self.test(condition, exact=False)
        self.env = before
        made = inner.joins[0].this
        query = exp.Select(expressions=[what]).from_(made)
        return query if condition == ir.TRUE else query.where(where)

    def array_count(self, items: Sql, kind: Type, var: int, condition: ir.Expr) -> Sql:
        """How many elements of the array satisfy the condition? 0 for a null array."""
        query = self._array_query(items, kind, var, condition, call("COUNT", exp.Star()))
        return query.subquery()

    # --- membership and sets: SEMANTICS section 4 ---
    def set_test(self, e: ir.Call, exact: bool) -> Sql | None:
        """The tests of the table that take lists; None for other functions."""
        name = e.function
        if name not in ("in", "notIn", "intersects", "subsetOf", "supersetOf", "listEqual"):
            return None
        if name == "listEqual":
            raise self.refuse("`=` of two lists", "the order of a list is not kept in this form", e)
        left, right = e.args
        if name in ("in", "notIn"):
            return self._in(e, left, right, exact)
        if name == "supersetOf":
            left, right = right, left
        return self._set(e, name, left, right, exact)

    def _in(self, e: ir.Call, item: ir.Expr, items: ir.Expr, exact: bool) -> Sql:
        present = constants(items)
        if present is None:
            if e.function == "notIn":
                raise self.refuse("`notIn` with a list of the data", "use `not (… in …)` and say what null means", e)
            return self.test(self._some(items, lambda x: ir.Compare("=", x, item, span=e.span)), exact=exact)
        value = self.value(item)
        if e.function == "in":
            values: list[Sql] = [self.value(i) for i in present]
            return self.exact(paren(exp.In(this=value, expressions=values)), exact) if values else exp.false()
        if not present:
            return exp.Not(this=exp.Is(this=value, expression=exp.Null()))
        inside = exp.In(this=value, expressions=[self.value(i) for i in present])
        return self.exact(paren(exp.Not(this=paren(inside))), exact)

    def _some(self, items: ir.Expr, condition) -> ir.Expr:  # type: ignore[no-untyped-def]
        assert isinstance(items.type, ListType)
        var = -(self._fresh_var() + 1)
        return ir.Exists(items, var, condition(ir.Var(var, items.type.element)), span=items.span)

    def _fresh_var(self) -> int:
        self._vars = getattr(self, "_vars", 0) + 1
        return self._vars

    def _set(self, e: ir.Call, name: str, left: ir.Expr, right: ir.Expr, exact: bool) -> Sql:
        """`left` in `right`, some or every element; one of them must be literals."""
        known, of_left = constants(right), constants(left)
        if known is not None:
            kind = right.type

            def among(x: ir.Expr) -> ir.Expr:
                return ir.Truth(ir.Call("in", (x, ir.MakeList(known, kind)), ir.Truth(x).type))

            if name == "intersects":
                return self.test(self._some(left, among), exact=exact)
            outside = lambda x: ir.And((ir.Not(ir.IsNull(x)), ir.Not(among(x))))  # noqa: E731
            return self.test(ir.Not(self._some(left, outside)), exact=exact)
        if of_left is not None:
            found = [self._some(right, lambda x, i=i: ir.Compare("=", x, i)) for i in of_left]
            joined: ir.Expr = ir.FALSE if name == "intersects" else ir.TRUE
            if found:
                joined = ir.Or(tuple(found)) if name == "intersects" else ir.And(tuple(found))
            return self.test(joined, exact=exact)
        raise self.refuse(f"`{e.function}` of two lists of the data", "one of them must be literals", e)

    # --- aggregates ---
    def value_aggregate(self, e: ir.Aggregate) -> Sql:
        if closed(e):
            return self._aggregated(e.function, e.list, e.type, e)
        if e.function == "count":
            x = self._fresh_var() * -1 - 1
            assert isinstance(e.list.type, ListType)
            element = e.list.type.element
            there = ir.Not(ir.IsNull(ir.Var(x, element))) if isinstance(element, ScalarType) else ir.TRUE
            if not isinstance(element, ScalarType):
                return self.inner_count(e, x, there, nulls=False)
            return self.inner_count(e, x, there, nulls=True)
        raise self.refuse(f"`{e.function}` of a list inside an element", "only counts have a form there", e)

    def inner_count(self, e: ir.Aggregate | ir.Call, var: int, condition: ir.Expr, nulls: bool) -> Sql:
        items = e.list if isinstance(e, ir.Aggregate) else e.args[0]
        if isinstance(items, ir.Call | ir.Transform):
            raise self.refuse(f"a count of {self.spoken(items)} inside an element", "only plain lists are counted", e)
        question = ir.Exists(items, var, condition, span=e.span)

        def use(array: Sql, kind: Type) -> Sql:
            count = self.array_count(array, kind, var, self._condition)
            if nulls:
                return count
            return self.objects_only(count, e)

        result: Sql = self.inner(question, use)
        return result

    def objects_only(self, count: Sql, e: ir.Expr) -> Sql:
        """Null objects in an array are not counted; the layout says that arrays of objects hold none."""
        return count

    def call_size(self, e: ir.Call) -> Sql:
        items = e.args[0]
        if not isinstance(items.type, ListType):
            what = "a map" if isinstance(items.type, MapType) else "groups"
            raise self.refuse(f"`count` of {what}", "it has no proven form here", e)
        if closed(e):
            return self._aggregated("size", items, INTEGER, e)
        return self.inner_count(e, self._fresh_var() * -1 - 1, ir.TRUE, nulls=True)

    def _aggregated(self, function: str, items: ir.Expr, kind: Type, node: ir.Expr) -> Sql:
        distinct = isinstance(items, ir.Call) and items.function == "distinct"
        if distinct and function in ("count", "size", "min", "max"):
            assert isinstance(items, ir.Call)
            items, function = items.args[0], "distinct" if function in ("count", "size") else function
        if (function, items) not in self.scope.known:
            self.scope.known[function, items] = self._joined(function, items, node)
        found = self.scope.known[function, items].copy()
        if function in ("min", "max", "average"):
            return found
        zero = number(0) if function != "sum" else self.cast(number(0), kind)
        return exp.Coalesce(this=found, expressions=[zero])

    def _joined(self, function: str, items: ir.Expr, node: ir.Expr) -> Sql:
        """The column of a grouped query that has been joined to the scope."""
        assert isinstance(items.type, ListType)
        element_type = items.type.element
        with self.sub(merge=False) as scope:
            element = self.add(items)
            value = self.fold(function, element, element_type, node)
            pid = named(scope.pid, "_pid", quoted=True)
            query = scope.select([pid, named(value, "v")], group=True)
        alias = self.new("a")
        self.scope.annotate(query, alias)
        return own("v", alias)

    def fold(self, function: str, element: Element, kind: Type, node: ir.Expr) -> Sql:
        if function == "size" or (function == "count" and isinstance(element, Row)):
            return call("COUNT", exp.Star())
        if isinstance(element, Row) or (isinstance(kind, ObjectType) and function == "distinct"):
            raise self.refuse(f"`{function}` of objects", "objects cannot be compared", node)
        value = element.sql
        if function == "count":
            if isinstance(kind, ObjectType):
                self.scope.where.append(self.present(element, kind))
                return call("COUNT", exp.Star())
            return call("COUNT", value)
        if function == "distinct":
            return exp.Count(this=exp.Distinct(expressions=[value]))
        if kind == DOUBLE and function in ("sum", "average"):
            raise self.refuse(f"`{function}` of doubles", "its result depends on the order of adding", node)
        if function in ("min", "max"):
            return self.extreme(function, value, kind)
        return self.sum(value, kind) if function == "sum" else self.average(value, kind)

    def extreme(self, function: str, value: Sql, kind: Type) -> Sql:
        return call(function.upper(), self.ordered(value, kind))

    def total(self, value: Sql, kind: Type) -> Sql:
        """The exact sum, in a type that holds it."""
        return call("SUM", self.cast(value, self.wide[kind]))  # type: ignore[attr-defined]

    def sum(self, value: Sql, kind: Type) -> Sql:
        """Out of range must be an error, never a wrapped number."""
        return self.cast(self.total(value, kind), kind)

    def average(self, value: Sql, kind: Type) -> Sql:
        total, count = self.total(value, kind), call("COUNT", value.copy())
        if kind == NUMBER:
            total, count = (exp.Mul(this=x, expression=number(COUNTING)) for x in (total, count))
        divisor = call("NULLIF", self.cast(count, DOUBLE), number(0))
        return self.quotient(self.cast(total, DOUBLE), divisor)

    # --- first elements ---
    def call_head(self, e: ir.Call) -> Sql:
        return self.head(e, e)

    def head(self, head: ir.Call, path: ir.Expr) -> Sql:
        """The first element of a list of events, or a path from it; the order is SEMANTICS section 4's."""
        items = head.args[0]
        if not closed(items):
            raise self.refuse("`head` of a list inside an element", "only lists of the profile have a form", head)
        if not isinstance(path.type, ScalarType):
            raise self.refuse("a first element as a value", "only its plain fields have a form", head)
        if path not in self.scope.known:
            self.scope.known[path] = self._first(head, items, path)
        return self.scope.known[path].copy()

    def _first(self, head: ir.Call, items: ir.Expr, path: ir.Expr) -> Sql:
        with self.sub(merge=False) as scope:
            keys: list[Sql] = []
            element = self._ranked(items, keys)
            if scope.unnested or len(scope.events) != 1:
                raise self.refuse("`head` of an array", "the order of its elements is not kept in this form", head)
            var = self._fresh_var() * -1 - 1
            self.env[var] = element
            first = ir.Var(var, head.type)
            value = self.value(_replaced(path, head, first))
            event = scope.events[0]
            order = [*keys, *(self.rank(self._sort_key(f, event), False) for f in ("timestamp", "_id", "_seq"))]
            window = exp.Window(
                this=call("ROW_NUMBER"), partition_by=[scope.pid], order=exp.Order(expressions=order), over="OVER"
            )
            columns = [named(scope.pid, "_pid", quoted=True), named(value, "v"), named(window, "n")]
            query = scope.select(columns)
        alias = self.new("a")
        self.scope.annotate(query, alias, [exp.EQ(this=own("n", alias), expression=number(1))])
        return own("v", alias)

    def _sort_key(self, name: str, event: str) -> Sql:
        kinds = {"timestamp": TIMESTAMP, "_id": STRING, "_seq": INTEGER}
        return self.ordered(column(name, event), kinds[name])

    def rank(self, key: Sql, descending: bool) -> Sql:
        """A sort key with nulls last."""
        return exp.Ordered(this=key, desc=descending, nulls_first=False)

    def _ranked(self, items: ir.Expr, keys: list[Sql]) -> Element:
        if isinstance(items, ir.TopN) and isinstance(items.count, ir.Const) and int(items.count.value or 0) >= 1:  # type: ignore[arg-type]
            element = self._ranked(items.list, keys)
            self.env[items.var] = element
            keys.insert(0, self.rank(self.ordered(self.value(items.key), items.key.type), items.descending))
            return element
        return self.add(items)


def _bases(e: ir.Expr) -> Iterator[ir.Expr]:
    while isinstance(e, ir.Field):
        e = e.object
        yield e


def _replaced(path: ir.Expr, old: ir.Expr, new: ir.Expr) -> ir.Expr:
    if path is old:
        return new
    result: ir.Expr = rebuild(path, lambda x: _replaced(x, old, new))
    return result


def alias_columns(name: str, columns: list[str]) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name), columns=[exp.to_identifier(c) for c in columns])
