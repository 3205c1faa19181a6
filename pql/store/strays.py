"""Rows whose highest identity was deleted and that name others too: whose are they then? Read `find_strays`.

Such a row stays (`pql.store.tombstones.deleted_rows` says which do not); it belongs to the highest of its identities that are left.
Where nobody was deleted there is no table `graph.stray`, and nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pql.store.layers import Dataset
from pql.store.owners import Owners
from pql.store.tombstones import has_tombstones


def find_strays(connection: duckdb.DuckDBPyConnection, owners: Owners, found: Sequence[Dataset]) -> None:
    """Make `graph.stray(dataset, _row, node)` anew, and tell `s_owner` of the nodes that own events in this way. To be called when
    `graph.node` is made."""
    run = connection.execute
    run("DROP TABLE IF EXISTS graph.stray")
    if not has_tombstones(connection):
        return
    run("CREATE TABLE graph.stray (dataset SMALLINT, _row BIGINT, node BIGINT)")
    for d in found:
        declared = "CASE WHEN x.is_primary THEN 0 ELSE 1 END" if not d.is_event else "0"
        run(f"""INSERT INTO graph.stray
                WITH lost AS (SELECT _row, _identities FROM (SELECT _row, _identities, {owners.owner(not d.is_event)} AS node
                                FROM {d.table} WHERE len(_identities) > 1) ANTI JOIN graph.node USING (node) WHERE node IS NOT NULL),
                single AS (SELECT _row, unnest(_identities) AS x FROM lost),
                ranked AS (SELECT _row, {owners.node("x")} AS node, {declared} AS declared, {owners.rank("x")} AS place, x.id AS id FROM single)
                SELECT {d.number}, _row, node FROM ranked SEMI JOIN graph.node USING (node) WHERE place IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY _row ORDER BY declared, place, id) = 1""")
        if d.is_event:
            run(f"INSERT INTO s_owner SELECT DISTINCT node FROM graph.stray WHERE dataset = {d.number}")


def numbers_of_strays(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """How many rows of a dataset, by its number, are strays."""
    if not connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'graph' AND table_name = 'stray'"
    ).fetchone():
        return {}
    return dict(connection.execute("SELECT dataset, count(*) FROM graph.stray GROUP BY dataset").fetchall())
