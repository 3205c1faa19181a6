"""Layer 2, set-based: identities and links out of the datasets' rows, and the components that they make. Read `extract`, then
`find_components`.

Rows are grouped before anything else is asked of them: first by identity, then by pair, so that what follows works on
distinct things and on integers. Temporary tables: `s_node`, `s_link`, `s_root`. Must not know expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from pql.identity.settings import IdentitySettings
from pql.store.layers import Dataset
from pql.store.owners import Owners, text

UNKNOWN = "NULL::TIMESTAMP"
ROUNDS_MOST = 64


@dataclass
class Extracted:
    """`unusable`: distinct identities that are junk. `crowded`: records with too many identities, by dataset."""

    owners: Owners
    unusable: int
    crowded: dict[str, int]


def extract(
    connection: duckdb.DuckDBPyConnection, found: Sequence[Dataset], settings: IdentitySettings, tombstones: str | None
) -> Extracted:
    """Fill `s_node` (usable identities) and `s_link` (pairs by dataset) from all datasets.

    `tombstones`: SQL that is true of a deleted identity, over `namespace` and `id`.
    """
    run = connection.execute
    plain = Owners(settings)
    run("CREATE OR REPLACE TEMP TABLE s_seen (dataset SMALLINT, namespace VARCHAR, id VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP,"
        " state UTINYINT, alone BOOLEAN)")  # fmt: skip
    for d in found:
        run(f"""INSERT INTO s_seen SELECT {d.number}, {plain.namespace("i")}, i.id, min(t), max(t),
                  max(CASE i.state WHEN 'authenticated' THEN 2 WHEN 'loggedOut' THEN 1 ELSE 0 END), bool_or(n = 1)
                FROM (SELECT unnest(_identities) AS i, len(_identities) AS n, {d.time} AS t FROM {d.table}) GROUP BY ALL""")
    codes = tuple(r[0] for r in run("SELECT DISTINCT namespace FROM s_seen WHERE namespace IS NOT NULL ORDER BY 1").fetchall())
    owners = Owners(settings, codes)
    owners, unusable = _nodes(connection, owners, [d.name for d in found], tombstones)
    _links(connection, owners, found)
    return Extracted(owners, unusable, _crowded(connection, owners, found))


def _nodes(
    connection: duckdb.DuckDBPyConnection, owners: Owners, names: Sequence[str], tombstones: str | None
) -> tuple[Owners, int]:
    """`s_node(node, namespace, id, first_seen, last_seen, dataset, state, space)`; `space` is the namespace's place in `owners.codes`."""
    run = connection.execute
    bad = owners.junk("namespace", "id") + (f" OR {tombstones}" if tombstones else "")
    never = [c for c in owners.codes if not owners.settings.namespace(c).kind.owns]
    spaces = " ".join(f"WHEN {text(c)} THEN {i}" for i, c in enumerate(owners.codes)) or "WHEN NULL THEN 0"
    count = run(f"SELECT count(*) FROM (SELECT DISTINCT namespace, id FROM s_seen WHERE {bad})").fetchone()
    unusable = int(count[0]) if count else 0
    kept = f"NOT ({bad})" if unusable else "true"
    if never:
        kept += f" AND namespace NOT IN ({', '.join(map(text, never))})"
    for attempt in range(5):
        node = owners.node_of("namespace", "id")
        run(f"""CREATE OR REPLACE TEMP TABLE s_node AS
                SELECT {node} AS node, namespace, id, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
                  (min(coalesce(epoch_us(first_seen), 9223372036854775807)::HUGEINT * 65536 + dataset) % 65536)::SMALLINT AS dataset,
                  max(state) AS state, bool_or(alone) AS alone, CASE namespace {spaces} END::SMALLINT AS space
                FROM s_seen WHERE {kept} GROUP BY namespace, id""")
        clash = run("SELECT count(*) - count(DISTINCT node) FROM s_node").fetchone()
        if not clash or not clash[0]:
            break
        owners = replace(owners, salt=f"{attempt}{run('SELECT uuid()').fetchall()[0][0]}")
    run("DROP TABLE s_seen")
    return replace(owners, clean=not unusable), unusable


def _links(connection: duckdb.DuckDBPyConnection, owners: Owners, found: Sequence[Dataset]) -> None:
    """`s_link(a, b, dataset, first_seen, last_seen, last_authenticated, seen)`, and `s_owner(node)`: nodes that own events."""
    run = connection.execute
    run("""CREATE OR REPLACE TEMP TABLE s_link (a BIGINT, b BIGINT, dataset SMALLINT, first_seen TIMESTAMP, last_seen TIMESTAMP,
             last_authenticated TIMESTAMP, seen BIGINT)""")
    run("CREATE OR REPLACE TEMP TABLE s_owner (node BIGINT)")
    one, two = "_identities[1]", "_identities[2]"
    for d in found:
        run(f"""INSERT INTO s_link SELECT least(a, b), greatest(a, b), {d.number}, min(t), max(t), max(CASE WHEN au THEN t END), count(*)
                FROM (SELECT {owners.node(one)} AS a, {owners.node(two)} AS b, {d.time} AS t,
                        {one}.state = 'authenticated' OR {two}.state = 'authenticated' AS au
                      FROM {d.table} WHERE len(_identities) = 2) GROUP BY 1, 2""")
        if d.is_event:
            run(f"""INSERT INTO s_owner SELECT CASE WHEN coalesce({_better("y", "x", owners)}, x.node IS NULL) THEN y.node ELSE x.node END
                    FROM (SELECT a, b FROM s_link WHERE dataset = {d.number}) AS k
                    LEFT JOIN s_node AS x ON x.node = k.a LEFT JOIN s_node AS y ON y.node = k.b""")
        _wide(connection, owners, d)
    _drop_unlinkable(connection, owners)
    run("INSERT INTO s_owner SELECT node FROM s_node WHERE alone")


def _drop_unlinkable(connection: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """Leave out links to oneself, to junk, and to identities whose kind never links."""
    run = connection.execute
    run("DELETE FROM s_link WHERE a = b")
    never = [i for i, c in enumerate(owners.codes) if not owners.settings.namespace(c).kind.links]
    if owners.clean and not never:
        return
    linking = "SELECT node FROM s_node" + (f" WHERE space NOT IN ({', '.join(map(str, never))})" if never else "")
    run(f"""CREATE OR REPLACE TEMP TABLE s_rest AS SELECT s_link.* FROM s_link
            SEMI JOIN ({linking}) AS x ON x.node = a SEMI JOIN ({linking}) AS y ON y.node = b""")
    run("DROP TABLE s_link")
    run("ALTER TABLE s_rest RENAME TO s_link")


def _better(y: str, x: str, owners: Owners) -> str:
    whens = " ".join(f"WHEN {owners.codes.index(c)} THEN {i}" for i, c in enumerate(owners.ranked)) or "WHEN NULL THEN 0"
    one, two = f"CASE {x}.space {whens} END", f"CASE {y}.space {whens} END"
    return f"{two} < {one} OR ({two} = {one} AND {y}.id < {x}.id)"


def _wide(connection: duckdb.DuckDBPyConnection, owners: Owners, d: Dataset) -> None:
    """Rows of three and more identities: grouped by the whole set, then paired."""
    run = connection.execute
    most = owners.settings.record_most
    run(f"""CREATE OR REPLACE TEMP TABLE s_set AS
            SELECT row_number() OVER () AS number, * FROM (
              SELECT list_transform(_identities, lambda x: {owners.node("x")}) AS nodes, {owners.owner(not d.is_event)} AS owner,
                list_contains(list_transform(_identities, lambda x: x.state), 'authenticated') AS au, min({d.time}) AS f, max({d.time}) AS l,
                count(*) AS n
              FROM {d.table} WHERE len(_identities) > 2 AND len(_identities) <= {most} GROUP BY 1, 2, 3)""")
    run("""INSERT INTO s_link
           WITH single AS (SELECT DISTINCT number, unnest(nodes) AS node FROM s_set)
           SELECT x.node, y.node, $d, min(f), max(l), max(CASE WHEN au THEN l END), sum(n)::BIGINT
           FROM single AS x JOIN single AS y ON x.number = y.number AND x.node < y.node JOIN s_set ON s_set.number = x.number
           GROUP BY 1, 2""", {"d": d.number})  # fmt: skip
    if d.is_event:
        run("INSERT INTO s_owner SELECT DISTINCT owner FROM s_set WHERE owner IS NOT NULL")
        run(f"INSERT INTO s_owner SELECT DISTINCT {owners.owner()} FROM {d.table} WHERE len(_identities) > {most}")
    run("DROP TABLE s_set")


def _crowded(connection: duckdb.DuckDBPyConnection, owners: Owners, found: Sequence[Dataset]) -> dict[str, int]:
    counts = {}
    for d in found:
        row = connection.execute(
            f"SELECT count(*) FROM {d.table} WHERE len(_identities) > {owners.settings.record_most}"
        ).fetchone()
        if row and row[0]:
            counts[d.name] = int(row[0])
    return counts


def find_components(connection: duckdb.DuckDBPyConnection, links: str) -> None:
    """Fill `s_root(node, root)` for the nodes of `links` (a query of pairs `a`, `b`): the smallest node of each component.

    Each round every node takes its smallest neighbour, the chains are shortened by pointer jumping, and what is left of
    the links joins the next round's nodes; rounds and jumps are logarithmic in the number of nodes.
    """
    run = connection.execute
    run(f"CREATE OR REPLACE TEMP TABLE s_edge AS SELECT DISTINCT a, b FROM ({links})")
    run("CREATE OR REPLACE TEMP TABLE s_root AS SELECT node, node AS root FROM (SELECT a AS node FROM s_edge UNION SELECT b FROM s_edge)")
    for _ in range(ROUNDS_MOST):
        if not run("SELECT 1 FROM s_edge LIMIT 1").fetchone():
            break
        run("""CREATE OR REPLACE TEMP TABLE s_step AS SELECT node, least(node, min(near)) AS root
               FROM (SELECT a AS node, b AS near FROM s_edge UNION ALL SELECT b, a FROM s_edge) GROUP BY node""")
        while _jump(connection):
            pass
        run("""CREATE OR REPLACE TEMP TABLE s_next AS SELECT s_root.node, coalesce(s_step.root, s_root.root) AS root
               FROM s_root LEFT JOIN s_step ON s_step.node = s_root.root""")
        run("DROP TABLE s_root")
        run("ALTER TABLE s_next RENAME TO s_root")
        run("""CREATE OR REPLACE TEMP TABLE s_rest AS SELECT DISTINCT least(x.root, y.root) AS a, greatest(x.root, y.root) AS b
               FROM s_edge JOIN s_step AS x ON x.node = s_edge.a JOIN s_step AS y ON y.node = s_edge.b WHERE x.root <> y.root""")
        run("DROP TABLE s_edge")
        run("ALTER TABLE s_rest RENAME TO s_edge")
    for table in ("s_edge", "s_step"):
        run(f"DROP TABLE IF EXISTS {table}")


def _jump(connection: duckdb.DuckDBPyConnection) -> bool:
    """Replace every node's root by its root's root; true while something changes."""
    run = connection.execute
    changed = run("SELECT 1 FROM s_step AS x JOIN s_step AS y ON y.node = x.root WHERE y.root <> x.root LIMIT 1").fetchone()
    if not changed:
        return False
    run("CREATE OR REPLACE TEMP TABLE s_jumped AS SELECT x.node, y.root FROM s_step AS x JOIN s_step AS y ON y.node = x.root")
    run("DROP TABLE s_step")
    run("ALTER TABLE s_jumped RENAME TO s_step")
    return True
