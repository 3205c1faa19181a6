"""The `identityMap` of every merged profile, all identities of its graph, and its name. Read `name_people`.

DuckDB sorts the identities; Arrow cuts the sorted column into lists and maps without moving a value, which is many times
faster than aggregates of sorted lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pql.store.layout import arrow_type, duckdb_type
from pql.types import STRING, ListType, MapType, ObjectType

STEP = 65536
"""More than there may be namespaces."""
PIECE = 61_440
"""People whose maps one thread reads at a time."""


def name_people(
    connection: duckdb.DuckDBPyConnection, nodes: str, ranked: Sequence[str], kind: MapType, target: str
) -> None:
    """Make `s_map(pid, value)`, all the people of `s_who`, and the table `target(_pid, id)` of their names: the identity of the
    highest namespace, the smallest of its values. `s_map` stays outside the database, which reads it as it comes.

    `nodes` is SQL of `pid`, `namespace`, `id`, `state`; `ranked` the namespaces, the highest first; `kind` the column's type.
    """
    run = connection.execute
    connection.register(
        "incoming",
        pa.table({"namespace": pa.array(ranked, pa.string()), "space": pa.array(range(len(ranked)), pa.int64())}),
    )
    given = run("SELECT DISTINCT state FROM graph.node LIMIT 2").fetchall()
    state = ", state" if len(given) > 1 else ""  # one that all have need not be sorted with them
    table: pa.Table = connection.sql(
        f"""SELECT pid * {STEP} + space AS key, id{state} FROM {nodes} JOIN incoming USING (namespace)
            SEMI JOIN s_who USING (pid) ORDER BY key, id"""
    ).to_arrow_table()
    connection.unregister("incoming")
    if not state:
        only = pa.scalar(given[0][0] if given else None, pa.string())
        table = table.append_column("state", pa.repeat(only, len(table)))
    keys, ids, states = (_whole(table.column(n)) for n in ("key", "id", "state"))
    del table
    pieces = [_piece(k, i, t, ranked, kind) for k, i, t in _parts(keys, ids, states)]
    none = [_piece(keys, ids, states, ranked, kind)] if not pieces else []
    named = pa.Table.from_batches(pieces or none)
    del keys, ids, states
    connection.register("s_map", named)
    run(f"CREATE OR REPLACE TABLE {target} AS SELECT pid AS _pid, space || ':' || first AS id FROM s_map")


def _parts(keys: pa.Array, ids: pa.Array, states: pa.Array) -> Iterator[tuple[pa.Array, pa.Array, pa.Array]]:
    """The same columns in pieces of whole people, copied: what several threads read must not be cut from one nested column."""
    if not len(keys):
        return
    _, ends = _runs(pc.divide(keys, STEP))
    for start, end in pairwise([*ends.to_numpy()[:-1:PIECE].tolist(), len(keys)]):
        made = [pa.concat_arrays([c.slice(start, end - start), c.slice(0, 0)]) for c in (keys, ids, states)]
        yield made[0], made[1], made[2]


def _piece(keys: pa.Array, ids: pa.Array, states: pa.Array, ranked: Sequence[str], kind: MapType) -> pa.RecordBatch:
    people, maps, spaces, firsts = _cut(keys, ids, states, ranked, kind)
    return pa.RecordBatch.from_arrays([people, maps, spaces, firsts], ["pid", "value", "space", "first"])


def name_identities(connection: duckdb.DuckDBPyConnection, kind: MapType, target: str) -> None:
    """The same where every identity is a person by itself, and its node the person's number."""
    entry = """MAP([namespace], [[{'id': id, 'authenticatedState': state}]])"""
    known = "graph.node SEMI JOIN s_who ON pid = node"
    connection.unregister("s_map")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE s_map AS SELECT node AS pid, {entry}::{duckdb_type(kind)} AS value FROM {known}"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT node AS _pid, namespace || ':' || id AS id FROM {known}"
    )


def drop_maps(connection: duckdb.DuckDBPyConnection, stitched: bool) -> None:
    """Let go of `s_map`."""
    if stitched:
        connection.unregister("s_map")
    else:
        connection.execute("DROP TABLE s_map")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _cut(
    keys: pa.Array, ids: pa.Array, states: pa.Array, ranked: Sequence[str], kind: MapType
) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """People, their maps, and namespace and value of their first identities, from identities sorted by person and namespace."""
    entries = _entries(ids, states, kind)
    group, ends = _runs(keys)
    lists = pa.ListArray.from_arrays(ends, entries)
    person = pc.divide(group, STEP)
    space = pc.subtract(group, pc.multiply(person, STEP))
    names = pc.take(pa.array(ranked, pa.string()), space)
    who, people_ends = _runs(person)
    starts = people_ends.slice(0, len(who))
    first = pc.take(ids, pc.take(ends, starts))
    return who, pa.MapArray.from_arrays(people_ends, names, lists), pc.take(names, starts), first


def _entries(ids: pa.Array, states: pa.Array, kind: MapType) -> pa.Array:
    """Identities as the schema has the entries of an `identityMap`, so that nobody has to cast them."""
    element = kind.value.element if isinstance(kind.value, ListType) else None
    given = {"id": ids, "authenticatedState": states}
    fields = list(element.fields.items()) if isinstance(element, ObjectType) else []
    if not all(n in dict(fields) and dict(fields)[n].type == STRING for n in given):
        return pa.StructArray.from_arrays([ids, states], list(given))
    return pa.StructArray.from_arrays(
        [given.get(n, pa.nulls(len(ids), arrow_type(f.type))) for n, f in fields], [n for n, _ in fields]
    )


def _runs(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The distinct neighbours of a sorted column, and the offsets where each begins, with the end."""
    encoded = pc.run_end_encode(values)
    return encoded.values, pa.concat_arrays([pa.array([0], pa.int32()), encoded.run_ends])
