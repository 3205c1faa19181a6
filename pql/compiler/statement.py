"""From IR to one SQL statement over the store's tables. Read `compile_query`.

The store has `profile(_pid, field…)` and `event(_pid, _seq, field…)`. Events are gathered into one ordered list a profile, with
only the fields that the query reads. The instant is the parameter `$now`. Must not know how statements are run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.layout import Layout, nested_layout
from pql.compiler.plan import PACK_FROM, Members, Together, rewrite
from pql.compiler.render import Renderer
from pql.compiler.rows import Unfit, column
from pql.compiler.sql import coalesce, struct
from pql.functions.record import call, cast, number
from pql.ir import nodes as ir
from pql.ir.walk import parts
from pql.types import ListType, ObjectType, ScalarType


@dataclass(frozen=True)
class Query:
    """A statement with columns `pid` and one for each expression, in order (`c0`, `c1`, …). Parameter: `now`."""

    tree: exp.Expression
    columns: tuple[str, ...]

    def sql(self, dialect: str = "duckdb") -> str:
        return self.tree.sql(dialect=dialect)


class UnknownSegment(Exception):
    """A reference to a segment that the caller did not supply: the caller's bug."""


def _reads_events(e: ir.Expr, segments: Mapping[str, ir.Expr]) -> bool:
    """Does it read `xEvent`, or the profile as a whole, here or in a segment that it refers to?"""
    if isinstance(e, ir.Field) and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE:
        return e.name == "xEvent"
    if isinstance(e, ir.Var):
        return e.id == ir.PROFILE
    if isinstance(e, ir.InSegment) and _reads_events(segments[e.segment], segments):
        return True
    return any(_reads_events(part, segments) for part in parts(e))


Output = Literal["values", "members", "counts"]


def compile_query(
    expressions: Sequence[ir.Expr],
    profile: ObjectType,
    settings: Settings,
    segments: Mapping[str, ir.Expr] | None = None,
    output: Output = "values",
    layout: Layout | None = None,
) -> Query:
    """One statement that evaluates all the expressions for every profile.

    `segments`: IR of the segments that may be referenced, by id. `output`: `values`, a column for each expression and
    `pid`; `members` (one boolean expression), only the members' `pid`; `counts` (boolean expressions), one row with the
    number of members of each. `layout`: the tables; the plain ones when it is left out.
    """
    known = dict(segments or {})

    def segment(id: str) -> ir.Expr:
        if id not in known:
            raise UnknownSegment(id)
        return known[id]

    event = profile.fields["xEvent"].type
    assert isinstance(event, ListType) and isinstance(event.element, ObjectType)
    layout = layout or nested_layout(profile, event.element)
    statement = _Statement(tuple(expressions), profile, settings, known, segment, output, layout)
    if layout.indexed:
        try:
            return statement.planned()
        except Unfit:
            pass
    return statement.complete()


@dataclass(frozen=True)
class _Statement:
    expressions: tuple[ir.Expr, ...]
    profile: ObjectType
    settings: Settings
    segments: Mapping[str, ir.Expr]
    segment: Callable[[str], ir.Expr]
    output: Output
    layout: Layout

    def planned(self) -> Query:
        """Made of leaves (`plan`)."""
        rest, leaves = rewrite(self.expressions, self.layout, self.settings, self.segment)

        def profiles(listed: bool) -> exp.Expression:
            needed = _event_fields(rest, self.profile, self.segments) if listed else None
            return _source(self.layout, self.profile, needed)

        if self.output == "members":
            members = Members(self.layout, self.settings, leaves)
            members.classify(rest[0])
            return Query(members.select(profiles), ())
        together = Together(self.layout, self.settings, leaves)
        values, source = together.over(rest, profiles, pack=len(rest) >= PACK_FROM)
        return self.projected(values, source)

    def complete(self) -> Query:
        """The complete form: list functions over the gathered events."""
        renderer = Renderer(self.settings, lambda field: column(field, "p"), self.segment)
        reads = any(_reads_events(e, self.segments) for e in self.expressions)
        needed = _event_fields(self.expressions, self.profile, self.segments) if reads else None
        source = exp.Select().from_(_source(self.layout, self.profile, needed))
        if self.output == "members":
            pid = exp.alias_(column(self.layout.profile.key, "p"), "pid")
            return Query(source.select(pid).where(renderer.test(self.expressions[0], exact=False)), ())
        return self.projected([renderer.value(e) for e in self.expressions], source)

    def projected(self, values: list[exp.Expression], source: exp.Select) -> Query:
        columns = tuple(f"c{i}" for i in range(len(values)))
        if self.output == "counts":
            made = [_counted(v) for v in values]
        else:
            source = source.select(exp.alias_(column(self.layout.profile.key, "p"), "pid"), copy=False)
            tests = [isinstance(e, ir.TESTS) for e in self.expressions]
            made = [coalesce(v, exp.false()) if t else v for v, t in zip(values, tests, strict=True)]
        named = [exp.alias_(v, c, copy=False) for v, c in zip(made, columns, strict=True)]
        return Query(source.select(*named, copy=False), columns)


def _counted(test: exp.Expression) -> exp.Expression:
    """How many rows satisfy it. With `and` or `or` by a CASE, which stops where it is decided; any other test is summed up as it is."""
    if isinstance(test.unnest(), exp.And | exp.Or):
        return call("count", exp.Case(ifs=[exp.If(this=test, true=number(1))]))
    return cast(coalesce(exp.CountIf(this=test), number(0)), "BIGINT")


def _event_fields(
    expressions: Sequence[ir.Expr], profile: ObjectType, segments: Mapping[str, ir.Expr]
) -> frozenset[str]:
    """The event fields that are read; all of them when an event is used as a whole."""
    event = profile.fields["xEvent"].type
    assert isinstance(event, ListType) and isinstance(event.element, ObjectType)
    every, read = frozenset(event.element.fields), set()
    pending: list[ir.Expr] = list(expressions)
    seen: set[str] = set()
    if any(not isinstance(e.type, ScalarType) for e in expressions):
        return every
    while pending:
        e = pending.pop()
        if isinstance(e, ir.Field) and e.object.type is event.element:
            read.add(e.name)
            if isinstance(e.object, ir.Var):
                continue
        if isinstance(e, ir.Var) and (e.id == ir.PROFILE or e.type is event.element):
            return every
        if isinstance(e, ir.MakeList | ir.MakeObject | ir.If) and not isinstance(e.type, ScalarType):
            return every
        if isinstance(e, ir.InSegment) and e.segment not in seen:
            seen.add(e.segment)
            pending.append(segments[e.segment])
        if isinstance(e, ir.Field) and isinstance(e.object, ir.Var) and e.object.id == ir.PROFILE:
            continue
        pending.extend(parts(e))
    return frozenset(read)


def _source(layout: Layout, profile: ObjectType, needed: frozenset[str] | None) -> exp.Expression:
    """The profile rows as `p`; with `needed`, their events as `xEvent`, each with these fields."""
    if needed is None:
        plain: exp.Expression = exp.alias_(exp.to_table(layout.profile.name), "p", table=True)  # type: ignore[assignment]
        return plain
    event = profile.fields["xEvent"].type
    assert isinstance(event, ListType) and isinstance(event.element, ObjectType)
    table = layout.events[0]
    if table.columns.get(("timestamp",)) != "timestamp":
        raise Unfit
    row = struct([(f, exp.column(f, quoted=True)) for f in event.element.fields if f in needed or f == "timestamp"])
    order = [_ordered("timestamp"), _ordered("_id"), _ordered("_seq")]
    gathered = exp.alias_(call("list", exp.Order(this=row, expressions=order)), "xEvent", quoted=True)
    key = exp.column(table.key)
    events = exp.Select(expressions=[key, gathered]).from_(table.name).group_by(key.copy())
    kept = [exp.Column(this=exp.Star(), table=exp.to_identifier("b"))]
    items = exp.Coalesce(this=exp.column("xEvent", table="e", quoted=True), expressions=[exp.Array(expressions=[])])
    on = exp.EQ(this=exp.column(layout.profile.key, table="b"), expression=exp.column(table.key, table="e"))
    joined = (
        exp.Select(expressions=[*kept, exp.alias_(items, "xEvent", quoted=True)])
        .from_(exp.alias_(exp.to_table(layout.profile.name), "b", table=True))
        .join(events.subquery("e"), on=on, join_type="left")
    )
    return joined.subquery("p")


def _ordered(column: str) -> exp.Expression:
    return exp.Ordered(this=exp.column(column, quoted=True), desc=False, nulls_first=False)
