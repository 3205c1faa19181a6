"""Numbers of people: every component gets a `pid`, and keeps the one that it had. Read `assign_people`."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from pql.store.owners import Owners, text


def assign_people(connection: duckdb.DuckDBPyConnection, owners: Owners) -> tuple[int, int]:
    """Write `graph.member(node, pid)` from `graph.node` and `s_root`, and the merges and splits into `graph.history`; how many.

    A component keeps the smallest number that its identities had. Where two claim one number (a split), it stays with the
    one that has the highest identity. New numbers follow the largest.
    """
    run = connection.execute
    people = "SELECT node, coalesce(s_root.root, node) AS root FROM graph.node LEFT JOIN s_root USING (node)"
    old = run("SELECT max(pid) FROM graph.member").fetchone()
    last = int(old[0]) if old and old[0] is not None else 0
    if not last:
        run(
            f"CREATE OR REPLACE TABLE graph.member AS SELECT node, dense_rank() OVER (ORDER BY root) AS pid FROM ({people})"
        )
        return 0, 0
    run(f"CREATE OR REPLACE TEMP TABLE s_people AS {people}")
    _claims(connection, owners)
    run(f"""CREATE OR REPLACE TEMP TABLE s_number AS
            SELECT root, pid FROM s_claim WHERE pid IS NOT NULL UNION ALL
            SELECT root, {last} + row_number() OVER (ORDER BY root) FROM s_claim WHERE pid IS NULL""")
    run("CREATE OR REPLACE TEMP TABLE s_before AS SELECT * FROM graph.member")
    run("CREATE OR REPLACE TABLE graph.member AS SELECT node, pid FROM s_people JOIN s_number USING (root)")
    counts = _history(connection)
    for table in ("s_people", "s_claim", "s_number", "s_before"):
        run(f"DROP TABLE {table}")
    return counts


def _claims(connection: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """`s_claim(root, pid)`: the old number of each component, NULL for a new one."""
    run = connection.execute
    run("""CREATE OR REPLACE TEMP TABLE s_claim AS
           SELECT root, min(pid) AS pid FROM s_people LEFT JOIN graph.member USING (node) GROUP BY root""")
    run(
        "CREATE OR REPLACE TEMP TABLE s_twice AS SELECT pid FROM s_claim WHERE pid IS NOT NULL GROUP BY pid HAVING count(*) > 1"
    )
    if run("SELECT 1 FROM s_twice LIMIT 1").fetchone():
        whens = " ".join(f"WHEN {text(c)} THEN '{i:05d}'" for i, c in enumerate(owners.ranked)) or "WHEN NULL THEN ''"
        run(f"""CREATE OR REPLACE TEMP TABLE s_lost AS SELECT root FROM (
              SELECT root, row_number() OVER (PARTITION BY c.pid ORDER BY best, root) AS place FROM s_claim AS c SEMI JOIN s_twice USING (pid)
              JOIN (SELECT root, min(CASE namespace {whens} END || id) AS best FROM s_people JOIN graph.node USING (node)
                    JOIN graph.member AS m USING (node) SEMI JOIN s_twice USING (pid) GROUP BY root) USING (root)) WHERE place > 1""")
        run("UPDATE s_claim SET pid = NULL WHERE root IN (FROM s_lost)")
        run("DROP TABLE s_lost")
    run("DROP TABLE s_twice")


def _history(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """What became of the numbers since the last run: `merge` (`pid` took in `other`), `split` (`pid` came out of `other`)."""
    run = connection.execute
    now = datetime.now(UTC).replace(tzinfo=None)
    run("""CREATE OR REPLACE TEMP TABLE s_moved AS
           SELECT DISTINCT b.pid AS was, m.pid AS is_now FROM s_before AS b JOIN graph.member AS m USING (node) WHERE b.pid <> m.pid""")
    if not run("SELECT 1 FROM s_moved LIMIT 1").fetchone():
        run("DROP TABLE s_moved")
        return 0, 0
    run("""CREATE OR REPLACE TEMP TABLE s_cause AS
           SELECT x.pid AS p, y.pid AS q, k.last_seen, k.kept, n.namespace || ':' || n.id || ' - ' || o.namespace || ':' || o.id
             || CASE WHEN k.kept THEN ' in ' || k.dataset ELSE ': ' || k.reason END AS words
           FROM graph.link AS k JOIN s_before AS x ON x.node = k.a JOIN s_before AS y ON y.node = k.b
             JOIN graph.member AS u ON u.node = k.a JOIN graph.member AS v ON v.node = k.b
             JOIN graph.node AS n ON n.node = k.a JOIN graph.node AS o ON o.node = k.b
           WHERE (k.kept AND x.pid <> y.pid) OR (NOT k.kept AND x.pid = y.pid AND u.pid <> v.pid)""")
    merged = (
        "m.is_now IN (SELECT pid FROM s_before) AND NOT EXISTS (SELECT 1 FROM graph.member AS g WHERE g.pid = m.was)"
    )
    counts = []
    for kind, test, pid, other, cause in (
        ("merge", merged, "m.is_now", "m.was", "c.kept AND m.was IN (c.p, c.q)"),
        ("split", f"NOT ({merged})", "m.is_now", "m.was", "NOT c.kept AND c.p = m.was"),
    ):
        rows = run(
            f"""INSERT INTO graph.history
            SELECT coalesce(min(c.last_seen), $now), {text(kind)}, {pid}, {other}, min(c.words)
            FROM s_moved AS m LEFT JOIN s_cause AS c ON {cause} WHERE {test} GROUP BY {pid}, {other} RETURNING 1""",
            {"now": now},
        )
        counts.append(len(rows.fetchall()))
    _carry_memberships(connection, merged)
    for table in ("s_moved", "s_cause"):
        run(f"DROP TABLE {table}")
    return counts[0], counts[1]


def _carry_memberships(connection: duckdb.DuckDBPyConnection, merged: str) -> None:
    """Memberships of a number that went into another go with it: realized if one of them is, since the earliest."""
    run = connection.execute
    if not run("SELECT 1 FROM membership SEMI JOIN s_moved ON _pid = was LIMIT 1").fetchone():
        return
    run(f"""CREATE OR REPLACE TEMP TABLE s_carried AS
            SELECT coalesce(m.is_now, _pid) AS _pid, segment, status, "lastQualificationTime" AS t
            FROM membership LEFT JOIN (SELECT was, min(is_now) AS is_now FROM s_moved AS m WHERE {merged} GROUP BY was) AS m ON m.was = _pid""")
    run("""CREATE OR REPLACE TABLE membership AS
           SELECT _pid, segment, CASE WHEN bool_or(status = 'realized') THEN 'realized' ELSE 'exited' END AS status,
             coalesce(min(t) FILTER (status = 'realized'), max(t)) AS "lastQualificationTime"
           FROM s_carried GROUP BY _pid, segment""")
    run("DROP TABLE s_carried")
