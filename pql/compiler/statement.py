"""From IR to one SQL statement over the store's tables. Read `compile_query`.

The store has `profile(_pid, field…)` and `event(_pid, _seq, field…)`. Events are gathered into one ordered list a profile, with
only the fields that the query reads. The instant is the parameter `$now`. Must not know how statements are run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from pql.compiler.render import Renderer, Settings
from pql.compiler.sql import Sql, struct
from pql.functions.record import call
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


def _profile_column(field: str) -> Sql:
    return exp.Column(this=exp.to_identifier(field, quoted=True), table=exp.to_identifier("p"))


def compile_query(
    expressions: Sequence[ir.Expr],
    profile: ObjectType,
    settings: Settings,
    segments: Mapping[str, ir.Expr] | None = None,
    members_only: bool = False,
) -> Query:
    """One statement that evaluates all the expressions for every profile.

    `segments`: IR of the segments that may be referenced, by id. With `members_only` (one boolean expression) only
    the members' `pid` is returned.
    """
    known = dict(segments or {})

    def segment(id: str) -> ir.Expr:
        if id not in known:
            raise UnknownSegment(id)
        return known[id]

    renderer = Renderer(settings, _profile_column, segment)
    needed = _event_fields(expressions, profile, known)
    source = _source(profile, needed if any(_reads_events(e, known) for e in expressions) else None)
    pid = exp.alias_(_profile_column("_pid"), "pid")
    if members_only:
        where = renderer.test(expressions[0], exact=False)
        return Query(exp.Select(expressions=[pid]).from_(source).where(where), ())
    columns = tuple(f"c{i}" for i in range(len(expressions)))
    values = [exp.alias_(renderer.value(e), c) for e, c in zip(expressions, columns, strict=True)]
    return Query(exp.Select(expressions=[pid, *values]).from_(source), columns)


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


def _source(profile: ObjectType, needed: frozenset[str] | None) -> exp.Expression:
    """The profile rows; with `needed`, their events as `xEvent`, each with these fields."""
    if needed is None:
        return exp.alias_(exp.to_table("profile"), "p", table=True)
    event = profile.fields["xEvent"].type
    assert isinstance(event, ListType) and isinstance(event.element, ObjectType)
    row = struct([(f, exp.column(f, quoted=True)) for f in event.element.fields if f in needed or f == "timestamp"])
    order = [_ordered("timestamp"), _ordered("_id"), _ordered("_seq")]
    gathered = exp.alias_(call("list", exp.Order(this=row, expressions=order)), "xEvent", quoted=True)
    events = exp.Select(expressions=[exp.column("_pid"), gathered]).from_("event").group_by(exp.column("_pid"))
    kept = [exp.Column(this=exp.Star(), table=exp.to_identifier("b"))]
    list_column = exp.Coalesce(
        this=exp.column("xEvent", table="e", quoted=True), expressions=[exp.Array(expressions=[])]
    )
    joined = (
        exp.Select(expressions=[*kept, exp.alias_(list_column, "xEvent", quoted=True)])
        .from_(exp.alias_(exp.to_table("profile"), "b", table=True))
        .join(events.subquery("e"), on=exp.EQ(this=_in("b"), expression=_in("e")), join_type="left")
    )
    return joined.subquery("p")


def _in(table: str) -> exp.Expression:
    return exp.column("_pid", table=table)


def _ordered(column: str) -> exp.Expression:
    return exp.Ordered(this=exp.column(column, quoted=True), desc=False, nulls_first=False)
