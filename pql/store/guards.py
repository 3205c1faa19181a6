"""Limits of the identity graph over the components: who breaks one is replayed in Python, the rest is final. Read `apply_guards`.

Writes `graph.link`, and leaves `s_root(node, root)` as the final components.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from pql.identity.graph import Identity, Link, Pair, Refused, pair, replay
from pql.store.components import find_components
from pql.store.owners import Owners, text

LINKS_MOST = 1_000_000
"""Links of one component that are replayed. In a larger one, identities with more neighbours than a graph may hold lose all
their links first; what is larger even then loses all links."""


def apply_guards(connection: duckdb.DuckDBPyConnection, owners: Owners, names: Sequence[str], repeated: bool) -> int:
    """Decide every link; how many distinct pairs are kept. `repeated`: a pair of one dataset may be in `s_link` twice."""
    run = connection.execute
    run("CREATE OR REPLACE TEMP TABLE s_refused (a BIGINT, b BIGINT, reason VARCHAR)")
    apart = _unlinked(connection, owners)
    pairs = find_components(connection, "SELECT a, b FROM s_link ANTI JOIN s_refused USING (a, b)")
    _broken(connection, owners)
    before = _count(connection)
    if run("SELECT 1 FROM s_broken LIMIT 1").fetchone():
        _cut_hubs(connection, owners)
        _replay_broken(connection, owners, apart)
    run("DROP TABLE s_broken")
    after = _count(connection)
    _write(connection, names, after > 0, repeated)
    run("DROP TABLE s_refused")
    return pairs - (after - before)


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM s_refused").fetchone()
    return int(row[0]) if row else 0


def _unlinked(connection: duckdb.DuckDBPyConnection, owners: Owners) -> set[Pair]:
    """Pairs to keep apart; their own links are refused at once. `s_apart(a, b)` holds their nodes."""
    rows = connection.execute("SELECT namespace_a, id_a, namespace_b, id_b FROM graph.unlinked").fetchall()
    node_a, node_b = owners.node_of("namespace_a", "id_a"), owners.node_of("namespace_b", "id_b")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE s_apart AS SELECT DISTINCT least(x, y) AS a, greatest(x, y) AS b"
        f" FROM (SELECT {node_a} AS x, {node_b} AS y FROM graph.unlinked)"
    )
    connection.execute(
        "INSERT INTO s_refused SELECT DISTINCT a, b, 'unlinked: the two were unlinked' FROM s_link SEMI JOIN s_apart USING (a, b)"
    )
    return {pair(Identity(r[0], r[1]), Identity(r[2], r[3])) for r in rows}


def _broken(connection: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """`s_broken(root)`: components with too many identities, or with two that were unlinked."""
    limits = [(i, owners.settings.namespace(c).limit) for i, c in enumerate(owners.codes)]
    tests = [f"count(*) > {owners.settings.graph_most}"]
    tests += [f"count_if(space = {i}) > {limit}" for i, limit in limits if limit is not None]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE s_broken AS
            SELECT root FROM s_root JOIN graph.node USING (node) GROUP BY root HAVING {" OR ".join(tests)}
            UNION SELECT x.root FROM s_apart JOIN s_root AS x ON x.node = a JOIN s_root AS y ON y.node = b WHERE x.root = y.root"""
    )
    connection.execute("DROP TABLE s_apart")


def _cut_hubs(connection: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """Components too large to replay lose the links of their hubs; their parts take their place among the broken."""
    run = connection.execute
    large = f"""SELECT root FROM s_link JOIN s_root ON node = a SEMI JOIN s_broken USING (root)
                GROUP BY root HAVING count(*) > {LINKS_MOST}"""
    if not run(f"{large} LIMIT 1").fetchone():
        return
    most = owners.settings.graph_most
    run(f"CREATE OR REPLACE TEMP TABLE s_large AS {large}")
    run(
        "CREATE OR REPLACE TEMP TABLE s_all AS SELECT DISTINCT a, b FROM s_link JOIN s_root ON node = a SEMI JOIN s_large USING (root)"
    )
    run(f"""CREATE OR REPLACE TEMP TABLE s_hub AS SELECT node FROM (SELECT a AS node FROM s_all UNION ALL SELECT b FROM s_all)
            GROUP BY node HAVING count(*) >= {most}""")
    words = f"too many links: an identity with {most} neighbours in a graph of more than {LINKS_MOST:,} links"
    run("INSERT INTO s_refused SELECT a, b, $w FROM s_all WHERE a IN (FROM s_hub) OR b IN (FROM s_hub)", {"w": words})
    run("ALTER TABLE s_root RENAME TO s_before")
    find_components(connection, "SELECT a, b FROM s_all ANTI JOIN s_refused USING (a, b)")
    run("ALTER TABLE s_root RENAME TO s_parts")
    run("""CREATE OR REPLACE TEMP TABLE s_root AS SELECT node, CASE WHEN s_large.root IS NULL THEN s_before.root
             ELSE coalesce(s_parts.root, node) END AS root
           FROM s_before LEFT JOIN s_parts USING (node) LEFT JOIN s_large ON s_large.root = s_before.root""")
    run("INSERT INTO s_broken SELECT DISTINCT root FROM s_parts")
    still = run(f"""SELECT root FROM s_all ANTI JOIN s_refused USING (a, b) JOIN s_root ON node = a
                    GROUP BY root HAVING count(*) > {LINKS_MOST}""").fetchall()
    for (root,) in still:
        run("INSERT INTO s_refused SELECT a, b, $w FROM s_all SEMI JOIN (SELECT node AS a FROM s_root WHERE root = $r) USING (a)"
            " ANTI JOIN s_refused USING (a, b)", {"w": f"too many links: a graph of more than {LINKS_MOST:,} links", "r": root})  # fmt: skip
        run("UPDATE s_root SET root = node WHERE root = $r", {"r": root})
    for table in ("s_large", "s_all", "s_hub", "s_before", "s_parts"):
        run(f"DROP TABLE {table}")


def _replay_broken(connection: duckdb.DuckDBPyConnection, owners: Owners, apart: set[Pair]) -> None:
    """Every broken component by the pure rules; its nodes get their new roots."""
    run = connection.execute
    nodes: dict[int, tuple[Identity, datetime | None]] = {
        n: (Identity(namespace, id), seen)
        for n, namespace, id, seen in run(
            "SELECT node, namespace, id, last_seen FROM graph.node JOIN s_root USING (node) SEMI JOIN s_broken USING (root)"
        ).fetchall()
    }
    number = {identity: n for n, (identity, _) in nodes.items()}
    links = run(
        """SELECT s_root.root, a, b, min(first_seen), max(last_seen), max(last_authenticated), sum(seen)::BIGINT
           FROM s_link JOIN s_root ON node = a SEMI JOIN s_broken USING (root) ANTI JOIN s_refused USING (a, b)
           GROUP BY ALL ORDER BY s_root.root"""
    ).fetchall()
    roots: list[tuple[int, int]] = []
    refused: list[Refused] = []
    start = 0
    while start < len(links):
        end = start
        while end < len(links) and links[end][0] == links[start][0]:
            end += 1
        part = [Link(*pair(nodes[a][0], nodes[b][0]), f, s, at, n) for _, a, b, f, s, at, n in links[start:end]]
        seen = {i: nodes[number[i]][1] for k in part for i in k.pair}
        inside = {p for p in apart if p[0] in seen and p[1] in seen}
        done = replay(part, owners.settings, inside, seen)
        refused += done.refused
        for person in done.people:
            members = [number[i] for i in person]
            roots += [(n, min(members)) for n in members]
        start = end
    _replace(connection, roots, [(number[r.link.a], number[r.link.b], f"{r.reason}: {r.words}") for r in refused])


def _replace(
    connection: duckdb.DuckDBPyConnection, roots: list[tuple[int, int]], refused: list[tuple[int, int, str]]
) -> None:
    run = connection.execute
    connection.register("incoming", pa.table({"node": pa.array([n for n, _ in roots], pa.int64()),
                                              "root": pa.array([r for _, r in roots], pa.int64())}))  # fmt: skip
    run(
        "CREATE OR REPLACE TEMP TABLE s_new AS SELECT s_root.node, coalesce(i.root, s_root.root) AS root FROM s_root LEFT JOIN incoming AS i USING (node)"
    )
    connection.unregister("incoming")
    run("DROP TABLE s_root")
    run("ALTER TABLE s_new RENAME TO s_root")
    columns = {"x": pa.array([a for a, _, _ in refused], pa.int64()), "y": pa.array([b for _, b, _ in refused], pa.int64()),
               "reason": pa.array([w for _, _, w in refused], pa.string())}  # fmt: skip
    connection.register("incoming", pa.table(columns))
    run("INSERT INTO s_refused SELECT least(x, y), greatest(x, y), reason FROM incoming")
    connection.unregister("incoming")


def _write(connection: duckdb.DuckDBPyConnection, names: Sequence[str], some_refused: bool, repeated: bool) -> None:
    whens = " ".join(f"WHEN {i} THEN {text(n)}" for i, n in enumerate(names)) or "WHEN NULL THEN ''"
    grouped = """SELECT a, b, dataset, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
                   max(last_authenticated) AS last_authenticated, sum(seen)::BIGINT AS seen FROM s_link GROUP BY a, b, dataset"""
    reason = "r.reason" if some_refused else "NULL::VARCHAR"
    join = "LEFT JOIN s_refused AS r USING (a, b)" if some_refused else ""
    connection.execute(f"""CREATE OR REPLACE TABLE graph.link AS
        SELECT a, b, CASE dataset {whens} END AS dataset, first_seen, last_seen, last_authenticated, seen,
          {reason} IS NULL AS kept, {reason} AS reason FROM {f"({grouped})" if repeated else "s_link"} {join}""")
