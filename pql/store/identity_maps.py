"""The `identityMap` of every merged profile: all identities of its graph. Read `identity_maps`.

DuckDB sorts the identities; Arrow cuts the sorted column into lists and maps without moving a value, which is many times
faster than aggregates of sorted lists.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

STEP = 65536
"""More than there may be namespaces."""


def identity_maps(connection: duckdb.DuckDBPyConnection, nodes: str, people: str, kind: str) -> None:
    """Fill `s_map(pid, value)`; `nodes` is SQL of `pid`, `namespace`, `id`, `state`, `kind` the column's type."""
    run = connection.execute
    codes = [r[0] for r in run(f"SELECT DISTINCT namespace FROM {nodes} ORDER BY namespace").fetchall()]
    connection.register("incoming", pa.table({"namespace": pa.array(codes, pa.string()), "space": pa.array(range(len(codes)), pa.int64())}))
    table: pa.Table = connection.sql(
        f"""SELECT pid * {STEP} + space AS key, id, state FROM {nodes} JOIN incoming USING (namespace)
            SEMI JOIN {people} USING (pid) ORDER BY key, id"""
    ).to_arrow_table()
    connection.unregister("incoming")
    columns = {n: _whole(table.column(n)) for n in ("key", "id", "state")}
    del table
    people_, maps = _cut(columns["key"], pa.StructArray.from_arrays([columns["id"], columns["state"]], ["id", "authenticatedState"]), codes)
    connection.register("incoming", pa.table({"pid": people_, "value": maps}))
    run(f"CREATE OR REPLACE TEMP TABLE s_map AS SELECT pid, value::{kind} AS value FROM incoming")
    connection.unregister("incoming")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _cut(keys: pa.Array, identities: pa.Array, codes: list[str]) -> tuple[pa.Array, pa.Array]:
    """People and their maps, from identities sorted by person and namespace."""
    if not len(keys):
        item = pa.list_(identities.type)
        return pa.array([], pa.int64()), pa.array([], pa.map_(pa.string(), item))
    group, ends = _runs(keys)
    lists = pa.ListArray.from_arrays(ends, identities)
    person = pc.divide(group, STEP)
    space = pc.subtract(group, pc.multiply(person, STEP))
    names = pc.take(pa.array(codes, pa.string()), space)
    who, ends = _runs(person)
    return who, pa.MapArray.from_arrays(ends, names, lists)


def _runs(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The distinct neighbours of a sorted column, and the offsets where each begins, with the end."""
    encoded = pc.run_end_encode(values)
    return encoded.values, pa.concat_arrays([pa.array([0], pa.int32()), encoded.run_ends])
