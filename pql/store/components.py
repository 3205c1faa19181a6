"""Components of the identity graph, whatever its limits are: in memory, or in the database where there are too many links. Read
`find_components`.

Both ways do the same: each round every node takes its smallest neighbour, the chains are shortened by pointer jumping, and what is left
of the links joins the next round's nodes; rounds and jumps are logarithmic in the number of nodes. Must not know what nodes stand for.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

ROUNDS_MOST = 64
IN_MEMORY_MOST = 4_000_000
"""Pairs up to which components are found in memory, which takes less time. With more of them the database does it, which spills to disk."""


def find_components(connection: duckdb.DuckDBPyConnection, links: str) -> int:
    """Fill `s_root(node, root)` for the nodes of `links` (a query of pairs `a`, `b`): the smallest node of each component. How
    many distinct pairs there are."""
    run = connection.execute
    run(f"CREATE OR REPLACE TEMP TABLE s_edge AS SELECT DISTINCT a, b FROM ({links})")
    count = int(run("SELECT count(*) FROM s_edge").fetchall()[0][0])
    if count > IN_MEMORY_MOST:
        _in_database(connection)
    else:
        pairs = run("SELECT a, b FROM s_edge").fetchnumpy()
        nodes, roots = components(pairs["a"], pairs["b"])
        connection.register("incoming", pa.table({"node": nodes, "root": roots}))
        run("CREATE OR REPLACE TEMP TABLE s_root AS SELECT node, root FROM incoming")
        connection.unregister("incoming")
    for table in ("s_edge", "s_step"):
        run(f"DROP TABLE IF EXISTS {table}")
    return count


def components(a: Any, b: Any) -> tuple[Any, Any]:
    """The nodes of pairs, ascending, and the smallest of each one's component. Arrays of 64-bit numbers."""
    nodes = np.concatenate([a, b])
    nodes.sort()
    fresh = np.ones(len(nodes), bool)
    np.not_equal(nodes[1:], nodes[:-1], out=fresh[1:])
    nodes = nodes[fresh]
    x, y = _places(nodes, a), _places(nodes, b)
    root = np.arange(len(nodes), dtype=np.int32)
    while len(x):
        np.minimum.at(root, np.maximum(x, y), np.minimum(x, y))
        while not np.array_equal(jumped := root[root], root):
            root = jumped
        x, y = root[x], root[y]
        apart = x != y
        x, y = x[apart], y[apart]
    return nodes, nodes[root]


def _places(nodes: Any, some: Any) -> Any:
    """Where numbers stand among sorted ones that hold them all; looked up in their order, for memory is far."""
    order = np.argsort(some)
    places = np.empty(len(some), np.int32)
    places[order] = np.searchsorted(nodes, some[order])
    return places


def _in_database(connection: duckdb.DuckDBPyConnection) -> None:
    """The same from `s_edge(a, b)`, which is used up."""
    run = connection.execute
    for round in range(ROUNDS_MOST):
        if round and not run("SELECT 1 FROM s_edge LIMIT 1").fetchone():
            break
        run("""CREATE OR REPLACE TEMP TABLE s_step AS SELECT node, least(node, min(near)) AS root
               FROM (SELECT a AS node, b AS near FROM s_edge UNION ALL SELECT b, a FROM s_edge) GROUP BY node""")
        while _jump(connection):
            pass
        if round == 0:
            run("CREATE OR REPLACE TEMP TABLE s_root AS SELECT * FROM s_step")
        else:
            run("""CREATE OR REPLACE TEMP TABLE s_next AS SELECT s_root.node, coalesce(s_step.root, s_root.root) AS root
                   FROM s_root LEFT JOIN s_step ON s_step.node = s_root.root""")
            run("DROP TABLE s_root")
            run("ALTER TABLE s_next RENAME TO s_root")
        run("""CREATE OR REPLACE TEMP TABLE s_rest AS SELECT DISTINCT least(x.root, y.root) AS a, greatest(x.root, y.root) AS b
               FROM s_edge JOIN s_step AS x ON x.node = s_edge.a JOIN s_step AS y ON y.node = s_edge.b WHERE x.root <> y.root""")
        run("DROP TABLE s_edge")
        run("ALTER TABLE s_rest RENAME TO s_edge")


def _jump(connection: duckdb.DuckDBPyConnection) -> bool:
    """Replace every node's root by its root's root; true while something changes."""
    run = connection.execute
    changed = run(
        "SELECT 1 FROM s_step AS x JOIN s_step AS y ON y.node = x.root WHERE y.root <> x.root LIMIT 1"
    ).fetchone()
    if not changed:
        return False
    run(
        "CREATE OR REPLACE TEMP TABLE s_jumped AS SELECT x.node, y.root FROM s_step AS x JOIN s_step AS y ON y.node = x.root"
    )
    run("DROP TABLE s_step")
    run("ALTER TABLE s_jumped RENAME TO s_step")
    return True
