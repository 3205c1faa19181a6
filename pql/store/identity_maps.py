"""The `identityMap` of every merged profile, all identities of its graph, and its name. Read `name_people`.

DuckDB sorts the identities; Arrow cuts the sorted column into lists and maps without moving a value, which is many times
faster than aggregates of sorted lists.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

STEP = 65536
"""More than there may be namespaces."""


def name_people(
    connection: duckdb.DuckDBPyConnection, nodes: str, ranked: Sequence[str], kind: str, target: str
) -> None:
    """Fill `s_map(pid, value)` for the people of `s_who`, and make the table `target(_pid, id)` of their names: the identity of the
    highest namespace, the smallest of its values.

    `nodes` is SQL of `pid`, `namespace`, `id`, `state`; `ranked` the namespaces, the highest first; `kind` the column's type.
    """
    run = connection.execute
    connection.register(
        "incoming",
        pa.table({"namespace": pa.array(ranked, pa.string()), "space": pa.array(range(len(ranked)), pa.int64())}),
    )
    table: pa.Table = connection.sql(
        f"""SELECT pid * {STEP} + space AS key, id, state FROM {nodes} JOIN incoming USING (namespace)
            SEMI JOIN s_who USING (pid) ORDER BY key, id"""
    ).to_arrow_table()
    connection.unregister("incoming")
    columns = {n: _whole(table.column(n)) for n in ("key", "id", "state")}
    del table
    people, maps, spaces, ids = _cut(columns["key"], columns["id"], columns["state"], ranked)
    connection.register("incoming", pa.table({"pid": people, "value": maps, "space": spaces, "first": ids}))
    run(f"CREATE OR REPLACE TEMP TABLE s_map AS SELECT pid, value::{kind} AS value FROM incoming")
    run(f"CREATE OR REPLACE TABLE {target} AS SELECT pid AS _pid, space || ':' || first AS id FROM incoming")
    connection.unregister("incoming")


def name_identities(connection: duckdb.DuckDBPyConnection, kind: str, target: str) -> None:
    """The same where every identity is a person by itself, and its node the person's number."""
    entry = """MAP([namespace], [[{'id': id, 'authenticatedState': state}]])"""
    known = "graph.node SEMI JOIN s_who ON pid = node"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE s_map AS SELECT node AS pid, {entry}::{kind} AS value FROM {known}"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT node AS _pid, namespace || ':' || id AS id FROM {known}"
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _cut(
    keys: pa.Array, ids: pa.Array, states: pa.Array, ranked: Sequence[str]
) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """People, their maps, and namespace and value of their first identities, from identities sorted by person and namespace."""
    identities = pa.StructArray.from_arrays([ids, states], ["id", "authenticatedState"])
    if not len(keys):
        nothing = pa.array([], pa.string())
        return pa.array([], pa.int64()), pa.array([], pa.map_(pa.string(), pa.list_(identities.type))), nothing, nothing
    group, ends = _runs(keys)
    lists = pa.ListArray.from_arrays(ends, identities)
    person = pc.divide(group, STEP)
    space = pc.subtract(group, pc.multiply(person, STEP))
    names = pc.take(pa.array(ranked, pa.string()), space)
    who, people_ends = _runs(person)
    starts = people_ends.slice(0, len(who))
    first = pc.take(ids, pc.take(ends, starts))
    return who, pa.MapArray.from_arrays(people_ends, names, lists), pc.take(names, starts), first


def _runs(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The distinct neighbours of a sorted column, and the offsets where each begins, with the end."""
    encoded = pc.run_end_encode(values)
    return encoded.values, pa.concat_arrays([pa.array([0], pa.int32()), encoded.run_ends])
