"""The store's second copies: events flat and sorted by type and time, list elements taken apart. Read `build_indexes`.

The plain tables stay the truth; these are what the compiler's fast plans read. They are made anew after a load, and
described as a `Layout`. Must not know expressions.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from pql.compiler.layout import Layout, Path, Table, nested_layout
from pql.store.layout import quote
from pql.types import ListType, ObjectType, ScalarType
from pql.xdm.schema import Schema

ORDER = '"timestamp" NULLS LAST, "_id" NULLS LAST, _seq'
FLAT = "event_by_type"
COLUMNS_MOST = 2000
"""More scalar paths than this are not copied: the plain table answers for the others."""


def scalar_paths(kind: ObjectType, prefix: Path = (), depth: int = 0) -> Iterator[Path]:
    """The paths of an object that hold plain values, through objects."""
    for name, field in kind.fields.items():
        path = (*prefix, name)
        if isinstance(field.type, ScalarType):
            yield path
        elif isinstance(field.type, ObjectType) and depth < 12:
            yield from scalar_paths(field.type, path, depth + 1)


def list_paths(kind: ObjectType, prefix: Path = (), depth: int = 0) -> Iterator[tuple[Path, ObjectType]]:
    """The paths that hold lists of objects, through objects."""
    for name, field in kind.fields.items():
        path = (*prefix, name)
        if isinstance(field.type, ListType) and isinstance(field.type.element, ObjectType):
            yield path, field.type.element
        elif isinstance(field.type, ObjectType) and depth < 12:
            yield from list_paths(field.type, path, depth + 1)


def _read(path: Path, root: str = "") -> str:
    return ".".join(filter(None, (root, *(quote(p) for p in path))))


def _column(path: Path) -> str:
    return ".".join(path)


def element_table(path: Path) -> str:
    return "event_" + "__".join(path)


def describe_indexes(schema: Schema, ties: bool) -> Layout:
    """The layout of a store that has been indexed. `ties`: some profile has two events at one instant."""
    plain = nested_layout(schema.profile, schema.event)
    latest = "_late" if ties else "_pos"
    complete = Table("event", "_pid", plain.events[0].columns, {}, "_pos", latest)
    flat = {p: _column(p) for p in list(scalar_paths(schema.event))[:COLUMNS_MOST]}
    by_time = Table(FLAT, "_pid", flat, {}, "_pos", latest, "time")
    elements = {}
    for path, element in list_paths(schema.event):
        columns = {p: _column(("x", *p)) for p in list(scalar_paths(element))[:COLUMNS_MOST]}
        copied: dict[Path, str] = {("timestamp",): "timestamp", ("eventType",): "eventType"}
        elements[path] = Table(element_table(path), "_pid", columns, copied, "_pos")
    return Layout(plain.profile, (complete, by_time), elements, indexed=True)


def build_indexes(connection: duckdb.DuckDBPyConnection, schema: Schema, place: str = "main") -> Layout:
    """Sort the events, make the copies, and give every event's profile a row."""
    run = connection.execute
    run("INSERT INTO profile (_pid) SELECT DISTINCT _pid FROM event ANTI JOIN profile USING (_pid)")
    found = {row[0] for row in run("DESCRIBE event").fetchall()}
    kept = ["_dataset"] if "_dataset" in found else []
    known = ", ".join(["_pid", "_seq", *(quote(n) for n in schema.event.fields), *kept])
    ordered = f"SELECT {known} FROM event ORDER BY _pid, {ORDER}"
    run(f"CREATE OR REPLACE TABLE event_sorted AS SELECT *, row_number() OVER () AS _pos FROM ({ordered})")
    tied = run(
        """SELECT count(*) FROM (SELECT _pid, "timestamp" IS NOT DISTINCT FROM lag("timestamp") OVER w AND _pid = lag(_pid) OVER w AS t
           FROM event_sorted WINDOW w AS (ORDER BY _pos)) WHERE t"""
    ).fetchone()
    ties = bool(tied and tied[0])
    drop_events(connection, place)
    run("ALTER TABLE event_sorted RENAME TO event")
    if ties:
        _add_latest(connection)
    layout = describe_indexes(schema, ties)
    extra = ", _late" if ties else ""
    flat = "".join(f", {_read(p)} AS {quote(c)}" for p, c in layout.by_time().columns.items())
    order = 'ORDER BY "eventType", "timestamp"'
    run(f"CREATE OR REPLACE TABLE {FLAT} AS SELECT _pid, _pos{extra}{flat} FROM event {order}")
    for path, table in layout.elements.items():
        _build_elements(connection, path, table)
    run("CREATE OR REPLACE TABLE pql_index AS SELECT ? AS ties", [ties])
    return layout


def drop_events(connection: duckdb.DuckDBPyConnection, place: str = "main") -> None:
    """Drop `event`, be it a table, or the view that merging leaves for the indexes to be made from."""
    rows = connection.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_name = 'event' AND table_schema = ?"
        " AND table_catalog = current_database()",
        [place],
    ).fetchall()
    for (kind,) in rows:
        connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {quote(place)}.event")


def _add_latest(connection: duckdb.DuckDBPyConnection) -> None:
    """`_late` orders by time with the first of equal instants last; rows without an instant come before all."""
    connection.execute(
        """CREATE OR REPLACE TABLE event_late AS SELECT *, CASE WHEN "timestamp" IS NULL THEN -_pos
             ELSE min(_pos) OVER w + max(_pos) OVER w - _pos END AS _late
           FROM event WINDOW w AS (PARTITION BY _pid, "timestamp") ORDER BY _pos"""
    )
    connection.execute("DROP TABLE event")
    connection.execute("ALTER TABLE event_late RENAME TO event")


def _build_elements(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> None:
    columns = "".join(f", {_read(p, 'x')} AS {quote(c)}" for p, c in table.columns.items())
    taken = f'SELECT _pid, "timestamp", "eventType", unnest({_read(path)}) AS x FROM event ORDER BY _pos'
    numbered = f"SELECT *, row_number() OVER () AS _pos FROM ({taken})"
    connection.execute(
        f"""CREATE OR REPLACE TABLE {quote(table.name)} AS SELECT _pid, _pos, "timestamp", "eventType"{columns}
            FROM ({numbered}) WHERE x IS NOT NULL ORDER BY "eventType", _pid, _pos"""
    )


def find_indexes(connection: duckdb.DuckDBPyConnection, schema: Schema, place: str = "main") -> Layout:
    """The layout that a store has: with its copies, or plain."""
    try:
        row = connection.execute(f"SELECT ties FROM {quote(place)}.pql_index").fetchone()
    except duckdb.CatalogException:
        row = None
    return describe_indexes(schema, bool(row[0])) if row else nested_layout(schema.profile, schema.event)


def drop_copies(connection: duckdb.DuckDBPyConnection, place: str = "main") -> None:
    """Drop the copies, and what says that they are there: what they hold may be gone from the events."""
    connection.execute(f"DROP TABLE IF EXISTS {quote(place)}.pql_index")
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'event_') AND schema_name = ? AND database_name = current_database()",
        [place],
    ).fetchall()
    for (name,) in rows:
        connection.execute(f"DROP TABLE {quote(place)}.{quote(name)}")
