"""Renders IR over rows of tables: an event's row, a list element's row, the profile's row, a plan's leaf columns.

What a table does not hold raises `Unfit`; the caller then chooses another table or the complete list form. Must not
know plans. Read `RowRenderer` and `Source`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.layout import Layout, Path, Table, find
from pql.compiler.leaves import EVENT, path_of, referenced
from pql.compiler.render import Renderer
from pql.compiler.sql import Sql
from pql.functions.record import call, text
from pql.ir import nodes as ir
from pql.ir.walk import walk

Reader = Callable[[Path], Sql]


class Unfit(Exception):
    """There is no rendering of this over these rows."""


def column(name: str, table: str | None = None) -> Sql:
    return exp.Column(
        this=exp.to_identifier(name, quoted=True), table=None if table is None else exp.to_identifier(table)
    )


def reader(columns: Mapping[Path, str], alias: str | None) -> Reader:
    """Gives the SQL of a path over a table's row."""

    def read(path: Path) -> Sql:
        found = find(columns, path) if path else None
        if found is None:
            raise Unfit
        result = column(found[0], alias)
        for name in found[1]:
            result = call("struct_extract", result, text(name))
        return result

    return read


class RowRenderer(Renderer):
    """`rows`: how to read a path of a row variable. `leaves`: the SQL of a plan's leaf columns."""

    def __init__(self, settings: Settings, rows: Mapping[int, Reader], leaves: Mapping[str, Sql] | None = None) -> None:
        super().__init__(settings, self._no_field, self._no_segment)
        self.rows, self.leaves = rows, leaves or {}

    def _no_field(self, name: str) -> Sql:
        raise Unfit

    def _no_segment(self, id: str) -> ir.Expr:
        raise Unfit

    def value_field(self, e: ir.Field) -> Sql:
        leaf = referenced(e)
        if leaf is not None:
            if leaf not in self.leaves:
                raise Unfit
            return self.leaves[leaf].copy()
        path = path_of(e)
        if path is not None and path[0] in self.rows:
            return self.rows[path[0]](path[1])
        if path is not None and path[0] == ir.PROFILE:
            raise Unfit
        return super().value_field(e)

    def test(self, e: ir.Expr, exact: bool) -> Sql:
        if referenced(e) is not None:
            return self._exact(self.value(e), exact)
        return super().test(e, exact=exact)

    def value_var(self, e: ir.Var) -> Sql:
        if e.id in self.rows:
            return self.rows[e.id](())
        if e.id == ir.PROFILE:
            raise Unfit
        return super().value_var(e)


def paths_read(es: Iterable[ir.Expr], var: int) -> set[Path]:
    """The paths of a variable that are read; a use of the whole row is the empty path."""
    found: set[Path] = set()
    pending = list(es)
    while pending:
        e = pending.pop()
        path = path_of(e)
        if path is not None:
            if path[0] == var:
                found.add(path[1])
            continue
        from pql.ir.walk import parts

        pending.extend(parts(e))
    return found


def reads_profile(es: Iterable[ir.Expr]) -> bool:
    return any(isinstance(n, ir.Var) and n.id == ir.PROFILE for e in es for n in walk(e))


def type_of(tests: tuple[ir.Expr, ...]) -> str | None:
    """The event type that the tests demand."""
    for t in tests:
        if (
            isinstance(t, ir.Compare)
            and t.op == "="
            and isinstance(t.right, ir.Const)
            and isinstance(t.right.value, str)
        ):
            if path_of(t.left) == (EVENT, ("eventType",)):
                return t.right.value
    return None


@dataclass(frozen=True)
class Source:
    """Rows to read from: a FROM item with the alias `e`, its table, and the readers of its row variables."""

    table: Table
    levels: tuple[Path, ...]
    rows: Mapping[int, Reader]
    item: Sql

    @property
    def key(self) -> Sql:
        return column(self.table.key, "e")


def _covers(columns: Mapping[Path, str], wanted: set[Path]) -> bool:
    return all(find(columns, p) is not None for p in wanted)


def choose(layout: Layout, levels: tuple[Path, ...], es: tuple[ir.Expr, ...], typed: bool, ordered: bool) -> Source:
    """The cheapest table that holds what is read. `ordered`: position or neighbourhood of a profile's rows matters."""
    if levels:
        return _elements(layout, levels, es)
    wanted = paths_read(es, EVENT)
    narrowed = typed or ("eventType",) in wanted
    first = layout.by_time() if narrowed and not ordered else layout.by_profile()
    for table in (first, *layout.events):
        if _covers(table.columns, wanted):
            return Source(table, (), {EVENT: reader(table.columns, "e")}, named(table))
    raise Unfit


def named(table: Table, alias: str = "e") -> Sql:
    aliased: Sql = exp.alias_(exp.Table(this=exp.to_identifier(table.name)), alias, table=True)  # type: ignore[assignment]
    return aliased


def _elements(layout: Layout, levels: tuple[Path, ...], es: tuple[ir.Expr, ...]) -> Source:
    table = layout.elements.get(levels[0]) if len(levels) == 1 else None
    if table is not None and _covers(table.event, paths_read(es, EVENT)):
        if _covers(table.columns, paths_read(es, EVENT + 1)):
            rows = {EVENT: reader(table.event, "e"), EVENT + 1: reader(table.columns, "e")}
            return Source(table, levels, rows, named(table))
    return _unnested(layout, levels)


def _unnested(layout: Layout, levels: tuple[Path, ...]) -> Source:
    """The complete table with its lists taken apart, one level in another."""
    table = layout.events[0]
    item = named(table)
    rows: dict[int, Reader] = {EVENT: reader(table.columns, "e")}
    for depth, path in enumerate(levels):
        items = rows[EVENT + depth](path)
        name = f"_x{depth + 1}"
        taken = exp.alias_(call("unnest", items), name)
        whole = exp.Select(expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier("e")), taken]).from_(item)
        kept = exp.Not(this=exp.Is(this=exp.column(name), expression=exp.Null()))
        item = exp.Select(expressions=[exp.Star()]).from_(whole.subquery("x")).where(kept).subquery("e")
        rows[EVENT + depth + 1] = _struct_reader(name)
    return Source(table, levels, rows, item)


def _struct_reader(name: str) -> Reader:
    def read(path: Path) -> Sql:
        result: Sql = exp.column(name, table="e")
        for part in path:
            result = call("struct_extract", result, text(part))
        return result

    return read
