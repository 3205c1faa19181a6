"""Components are the same in memory and in the database, and those of a plain union of sets."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pql.store import components, stitching

NODE = st.integers(0, 60).map(lambda n: (n * 0x9E3779B97F4A7C15) % 2**63)
PAIRS = st.lists(st.tuples(NODE, NODE), max_size=80)


def united(pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    group = {n: {n} for pair in pairs for n in pair}
    for a, b in pairs:
        for n in (whole := group[a] | group[b]):
            group[n] = whole
    return {(n, min(g)) for n, g in group.items()}


def found(pairs: list[tuple[int, int]]) -> tuple[set[tuple[int, int]], int]:
    connection = duckdb.connect()
    table = pa.table({n: pa.array([p[i] for p in pairs], pa.int64()) for i, n in enumerate("ab")})
    connection.register("pairs", table)
    count = components.find_components(connection, "SELECT a, b FROM pairs")
    left = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert left == [("s_root",)]
    return set(connection.execute("SELECT node, root FROM s_root").fetchall()), count


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_both_ways(pairs: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for most in (components.IN_MEMORY_MOST, -1):
            patch.setattr(components, "IN_MEMORY_MOST", most)
            assert found(pairs) == (united(pairs), len({*pairs}))


@pytest.mark.parametrize("most", [components.IN_MEMORY_MOST, -1])
def test_long_chain(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nodes in an order that leaves most of the links for later rounds."""
    monkeypatch.setattr(components, "IN_MEMORY_MOST", most)
    chain = [(i * 7919) % 4001 for i in range(4001)]
    roots, count = found([(min(p), max(p)) for p in zip(chain, chain[1:], strict=False)])
    assert (roots, count) == ({(n, 0) for n in range(4001)}, 4000)


@pytest.mark.parametrize("most", [stitching.SORTED_MOST, 0])
@pytest.mark.parametrize("nodes", [[], [5], [3, 1, 2], [7, 1, 7], [2**62, 0, 2**62]])
def test_nodes_that_collide(nodes: list[int], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stitching, "SORTED_MOST", most)
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA graph")
    connection.execute("CREATE TABLE graph.node (node BIGINT)")
    if nodes:
        connection.executemany("INSERT INTO graph.node VALUES (?)", [[n] for n in nodes])
    assert stitching._collide(connection) == (len({*nodes}) < len(nodes))
