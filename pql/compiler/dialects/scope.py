"""One SELECT under construction: where its rows come from, what they must satisfy, whose they are.

A scope always knows the person (`pid`) that a row belongs to, so that anything about a person can be joined to it or
tested by `IN`. Must not know IR. Read `Scope`, then `Row`, `Item`: how an element of a list is spelled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

Sql = exp.Expression


@dataclass(frozen=True)
class Row:
    """An element that is a row of a table; its fields are columns."""

    alias: str


@dataclass(frozen=True)
class Item:
    """An element that is one SQL value."""

    sql: Sql


Element = Row | Item


def column(name: str, table: str = "") -> Sql:
    """A column of the data: always quoted, because fields are case-sensitive."""
    return exp.column(exp.to_identifier(name, quoted=True), table=table or None)


def own(name: str, table: str) -> Sql:
    """A column that this compiler has named itself."""
    return exp.column(name, table=table or None)


def named(value: Sql, name: str, quoted: bool = False) -> Sql:
    """A column of the result."""
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=quoted))


def conjoin(tests: list[Sql]) -> Sql:
    result = tests[0]
    for t in tests[1:]:
        result = exp.And(this=result, expression=t)
    return result


def table(name: str, alias: str) -> Sql:
    made: Sql = exp.Table(this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias)))
    return made


@dataclass
class Scope:
    """`merge`: rows may come several times (the scope only asks whether there are any)."""

    fresh: Callable[[str], str]
    merge: bool = False
    first: Sql | None = None
    joins: list[Sql] = field(default_factory=list)
    laterals: list[Sql] = field(default_factory=list)
    where: list[Sql] = field(default_factory=list)
    owner: str = ""
    people: str = ""
    events: list[str] = field(default_factory=list)
    unnested: int = 0
    known: dict[object, Sql] = field(default_factory=dict)

    @property
    def pid(self) -> Sql:
        if not self.owner:
            self.person()
        return column("_pid", self.owner)

    def _add(self, name: str, alias: str) -> None:
        if self.first is None:
            self.first, self.owner = table(name, alias), alias
            return
        same = exp.EQ(this=column("_pid", alias), expression=self.pid)
        self.joins.insert(self._tables(), exp.Join(this=table(name, alias), on=same))

    def _tables(self) -> int:
        """Where table joins end: they come before anything that multiplies or annotates rows."""
        return sum(isinstance(j.this, exp.Table) and bool(j.args.get("on")) for j in self.joins)

    def person(self) -> str:
        """The alias of the profile in this scope."""
        if not self.people:
            self.people = self.fresh("p")
            self._add("profile", self.people)
        return self.people

    def event(self) -> str:
        alias = self.fresh("e")
        self._add("event", alias)
        self.events.append(alias)
        return alias

    def annotate(self, query: exp.Select, alias: str, more: list[Sql] | None = None) -> None:
        """Join a query that has one row a person; people without a row keep nulls."""
        on = conjoin([exp.EQ(this=column("_pid", alias), expression=self.pid), *(more or [])])
        self.joins.append(exp.Join(this=query.subquery(alias), on=on, side="LEFT"))

    def select(self, columns: list[Sql], group: bool = False) -> exp.Select:
        pid = self.pid
        assert self.first is not None
        query = exp.Select(expressions=columns).from_(self.first)
        if self.joins:
            query.set("joins", list(self.joins))
        if self.laterals:
            query.set("laterals", list(self.laterals))
        if self.where:
            query = query.where(conjoin(self.where))
        return query.group_by(pid.copy()) if group else query
