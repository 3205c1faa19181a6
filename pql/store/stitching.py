"""Layer 2, set-based: identities and links out of the datasets' rows. Read `extract`; `pql.store.components` says what they make.

Rows are grouped before anything else is asked of them: first by identity, then by pair, so that what follows works on
distinct things and on integers. Temporary tables: `s_link`, `s_owner`. Must not know expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from pql.identity.namespaces import VALUE_MOST
from pql.identity.settings import IdentitySettings
from pql.store.layers import Dataset
from pql.store.owners import Owners, blank_free, text

SORTED_MOST = 20_000_000
"""Identities up to which nodes are sorted in memory: 8 bytes each."""
BAD_NAMED = 40
"""Junk values that are named one by one in the statements over rows; with more of them rows are asked by the rules."""


@dataclass(frozen=True)
class Width:
    """Rows of a dataset: all, without identities, with more than two, with more than a record may have."""

    rows: int
    empty: int
    wide: int
    crowded: int


@dataclass
class Extracted:
    """`unusable`: distinct identities that are junk."""

    owners: Owners
    unusable: int
    widths: Mapping[str, Width]


def extract(
    connection: duckdb.DuckDBPyConnection, found: Sequence[Dataset], settings: IdentitySettings, tombstones: str | None
) -> Extracted:
    """Write `graph.node` (usable identities), fill `s_link` (pairs by dataset) and `s_owner` (nodes that own events).

    `tombstones`: SQL that is true of a deleted identity, over `namespace` and `id`.
    """
    widths = {d.name: _width(connection, d, settings) for d in found}
    owners, unusable = _nodes(connection, Owners(settings), found, tombstones)
    _links(connection, owners, found, widths, tombstones is not None)
    return Extracted(owners, unusable, widths)


def _width(connection: duckdb.DuckDBPyConnection, d: Dataset, settings: IdentitySettings) -> Width:
    row = connection.execute(
        f"""SELECT count(*), count_if(n IS NULL OR n = 0), count_if(n > 2), count_if(n > {settings.record_most})
            FROM (SELECT len(_identities) AS n FROM {d.table})"""
    ).fetchone()
    width = Width(*(int(n or 0) for n in row)) if row else Width(0, 0, 0, 0)
    if width.crowded and d.has_marks:
        crowded = connection.execute(
            f"SELECT count(DISTINCT _row) FROM ({_too_many(d, settings.record_most)})"
        ).fetchone()
        return replace(width, crowded=int(crowded[0]) if crowded else 0)
    return width


def _too_many(d: Dataset, most: int) -> str:
    """Rows in which more than `most` identities arrived together."""
    return f"""SELECT _row FROM (SELECT _row, unnest(_identities) AS x FROM {d.table} WHERE len(_identities) > {most})
               GROUP BY _row, x.row HAVING count(*) > {most}"""


def _nodes(
    connection: duckdb.DuckDBPyConnection, owners: Owners, found: Sequence[Dataset], tombstones: str | None
) -> tuple[Owners, int]:
    """Write `graph.node`. `alone`: it was all the identities of some event; `space`: the namespace's place in `owners.codes`."""
    run = connection.execute
    parts = []
    for d in found:
        fields = "_ordered, _arrived, " if d.has_seen else ""
        inner = f"SELECT unnest(_identities) AS i, {fields}len(_identities) = 1 AND {d.is_event} AS alone, {d.time} AS row_time FROM {d.table}"
        parts.append(
            f"SELECT i.namespace AS n, i.id AS id, i.state AS s, alone, {d.seen('i') if d.has_seen else 'row_time'} AS t, {d.number} AS d FROM ({inner})"
        )
    code = owners.code("n")
    union = (
        " UNION ALL ".join(parts)
        or "SELECT NULL::VARCHAR AS n, NULL::VARCHAR AS id, NULL::VARCHAR AS s, false AS alone, NULL::TIMESTAMP AS t, 0 AS d"
    )
    run(f"""CREATE OR REPLACE TEMP TABLE s_seen AS
            SELECT {code} AS namespace, id, min(t) AS first_seen, max(t) AS last_seen, bool_or(alone) AS alone,
              max(CASE s WHEN 'authenticated' THEN 2 WHEN 'loggedOut' THEN 1 ELSE 0 END) AS state,
              min(coalesce(epoch_ms(t) // 1000, 1000000000000) * 1024 + d) & 1023 AS dataset
            FROM ({union}) GROUP BY 1, 2""")
    codes = tuple(
        r[0] for r in run("SELECT DISTINCT namespace FROM s_seen WHERE namespace IS NOT NULL ORDER BY 1").fetchall()
    )
    owners = replace(owners, codes=codes)
    owners, unusable = _find_bad(connection, owners, tombstones)
    never = [c for c in codes if not owners.settings.namespace(c).kind.owns]
    kept = f"namespace NOT IN ({', '.join(map(text, never))})" if never else "true"
    anti = "ANTI JOIN s_bad USING (namespace, id)" if run("SELECT 1 FROM s_bad LIMIT 1").fetchone() else ""
    for attempt in range(5):
        run(f"""CREATE OR REPLACE TABLE graph.node AS
                SELECT {owners.node_of("namespace", "id")} AS node, namespace, id, first_seen, last_seen, {_name("dataset", [d.name for d in found])} AS dataset,
                  ['ambiguous', 'loggedOut', 'authenticated'][state + 1] AS state, {_place("namespace", codes)} AS space, alone
                FROM s_seen {anti} WHERE {kept} AND namespace IS NOT NULL AND id IS NOT NULL""")
        if not _collide(connection):
            break
        owners = replace(owners, salt=f"{attempt}{run('SELECT uuid()').fetchall()[0][0]}")
    for table in ("s_seen", "s_bad"):
        run(f"DROP TABLE {table}")
    return owners, unusable


def _collide(connection: duckdb.DuckDBPyConnection) -> bool:
    """Do two identities share a node? Sorting the numbers takes less than counting distinct ones in the database."""
    run = connection.execute
    if run("SELECT count(*) FROM graph.node").fetchall()[0][0] > SORTED_MOST:
        return bool(run("SELECT count(*) - count(DISTINCT node) FROM graph.node").fetchall()[0][0])
    nodes = run("SELECT node FROM graph.node").fetchnumpy()["node"]
    nodes.sort()
    return bool((nodes[1:] == nodes[:-1]).any())


def _name(number: str, names: Sequence[str]) -> str:
    return f"CASE {number} {' '.join(f'WHEN {i} THEN {text(n)}' for i, n in enumerate(names)) or 'WHEN NULL THEN NULL'} END"


def _place(word: str, words: Sequence[str]) -> str:
    return f"(CASE {word} {' '.join(f'WHEN {text(w)} THEN {i}' for i, w in enumerate(words)) or 'WHEN NULL THEN 0'} END)::SMALLINT"


def _find_bad(connection: duckdb.DuckDBPyConnection, owners: Owners, tombstones: str | None) -> tuple[Owners, int]:
    """`s_bad(namespace, id)`: junk and deleted identities among those of `s_seen`; the owners who know the junk, and how much it is.

    Junk words are found by a join, which costs one look-up an identity however many words there are; most are told by their length.
    """
    run = connection.execute
    settings = owners.settings
    words = [(w, code) for code in owners.codes for w in sorted(settings.junk_values(code))]
    table = {"word": pa.array([w for w, _ in words], pa.string()), "code": pa.array([c for _, c in words], pa.string())}
    connection.register("incoming", pa.table(table))
    tests = [f"id IS NULL OR namespace IS NULL OR (id < '!' AND {blank_free('id')} = '') OR "
             f"(length(id) > {VALUE_MOST} AND length({blank_free('id')}) > {VALUE_MOST})"]  # fmt: skip
    for code in owners.codes:
        pattern = settings.namespace(code).pattern
        if pattern is not None:
            bare = f"CASE WHEN id < '!' OR right(id, 1) <= ' ' THEN {blank_free('id')} ELSE id END"
            tests.append(f"namespace = {text(code)} AND NOT regexp_full_match({bare}, {text(pattern)})")
    lengths = ", ".join(map(str, sorted({len(w) for w, _ in words}))) or "NULL"
    alike = f"(SELECT * FROM s_seen WHERE length(id) IN ({lengths}) OR id < '!' OR right(id, 1) <= ' ')"
    run(f"""CREATE OR REPLACE TEMP TABLE s_bad AS
            SELECT namespace, id FROM {alike} JOIN incoming ON lower({blank_free("id")}) = word AND namespace = code
            UNION SELECT namespace, id FROM s_seen WHERE {" OR ".join(f"({t})" for t in tests)}""")
    connection.unregister("incoming")
    rows = run(f"SELECT namespace, id FROM s_bad ORDER BY ALL LIMIT {BAD_NAMED + 1}").fetchall()
    count = run("SELECT count(*) FROM s_bad").fetchone()
    unnamed = len(rows) > BAD_NAMED or any(n is None or i is None or len(i) > 100 for n, i in rows)
    if tombstones:
        run(f"INSERT INTO s_bad SELECT namespace, id FROM s_seen WHERE {tombstones}")
    return replace(owners, bad=None if unnamed else tuple((n, i) for n, i in rows)), int(count[0]) if count else 0


def _links(
    connection: duckdb.DuckDBPyConnection,
    owners: Owners,
    found: Sequence[Dataset],
    widths: Mapping[str, Width],
    deleted: bool,
) -> None:
    """`s_link(a, b, dataset, first_seen, last_seen, last_authenticated, seen)`, and `s_owner(node)`."""
    run = connection.execute
    run("""CREATE OR REPLACE TEMP TABLE s_link (a BIGINT, b BIGINT, dataset SMALLINT, first_seen TIMESTAMP, last_seen TIMESTAMP,
             last_authenticated TIMESTAMP, seen BIGINT)""")
    run("CREATE OR REPLACE TEMP TABLE s_owner AS SELECT node FROM graph.node WHERE alone")
    one, two = "_identities[1]", "_identities[2]"
    for d in found:
        run(f"""INSERT INTO s_link SELECT least(a, b), greatest(a, b), {d.number}, min(t), max(t), max(CASE WHEN au THEN t END), count(*)
                FROM (SELECT {owners.node(one)} AS a, {owners.node(two)} AS b, {d.seen(one, two)} AS t,
                        {one}.state = 'authenticated' OR {two}.state = 'authenticated' AS au
                      FROM {d.table} WHERE len(_identities) = 2) GROUP BY 1, 2""")
        if d.is_event:
            run(f"""INSERT INTO s_owner SELECT DISTINCT CASE WHEN coalesce({_better("y", "x", owners)}, x.node IS NULL) THEN y.node ELSE x.node END
                    FROM (SELECT a, b FROM s_link WHERE dataset = {d.number}) AS k
                    LEFT JOIN graph.node AS x ON x.node = k.a LEFT JOIN graph.node AS y ON y.node = k.b""")
        if widths[d.name].wide:
            _wide(connection, owners, d, widths[d.name])
    _drop_unlinkable(connection, owners, deleted)


def _drop_unlinkable(connection: duckdb.DuckDBPyConnection, owners: Owners, deleted: bool) -> None:
    """Leave out links to oneself, to junk and deleted identities, and to those whose kind never links."""
    run = connection.execute
    run("DELETE FROM s_link WHERE a = b")
    never = [i for i, c in enumerate(owners.codes) if not owners.settings.namespace(c).kind.links]
    if owners.bad == () and not never and not deleted:
        return
    linking = "SELECT node FROM graph.node" + (f" WHERE space NOT IN ({', '.join(map(str, never))})" if never else "")
    run(f"""CREATE OR REPLACE TEMP TABLE s_rest AS SELECT s_link.* FROM s_link
            SEMI JOIN ({linking}) AS x ON x.node = a SEMI JOIN ({linking}) AS y ON y.node = b""")
    run("DROP TABLE s_link")
    run("ALTER TABLE s_rest RENAME TO s_link")


def _better(y: str, x: str, owners: Owners) -> str:
    whens = (
        " ".join(f"WHEN {owners.codes.index(c)} THEN {i}" for i, c in enumerate(owners.ranked)) or "WHEN NULL THEN 0"
    )
    one, two = f"CASE {x}.space {whens} END", f"CASE {y}.space {whens} END"
    return f"{two} < {one} OR ({two} = {one} AND {y}.id < {x}.id)"


def _wide(connection: duckdb.DuckDBPyConnection, owners: Owners, d: Dataset, width: Width) -> None:
    """Rows of three and more identities: grouped by the whole set, then paired. One that is too crowded makes no links."""
    run = connection.execute
    most = owners.settings.record_most
    if d.has_seen:
        _wide_records(connection, owners, d)
        return
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
        if width.crowded:
            run(f"INSERT INTO s_owner SELECT DISTINCT {owners.owner()} FROM {d.table} WHERE len(_identities) > {most}")
    run("DROP TABLE s_set")


def _wide_records(connection: duckdb.DuckDBPyConnection, owners: Owners, d: Dataset) -> None:
    """Records whose identities have times of their own: every pair that arrived together is as old as the older of the two."""
    mark = "x.row" if d.has_marks else "NULL::UBIGINT"
    connection.execute(
        f"""INSERT INTO s_link
            WITH each AS (SELECT _row, _ordered, _arrived, unnest(_identities) AS x FROM {d.table} WHERE len(_identities) > 2),
            fit AS (SELECT *, {mark} AS mark, bool_or(coalesce(x.state, '') = 'authenticated') OVER w AS login FROM each
                    WINDOW w AS (PARTITION BY _row, {mark}) QUALIFY count(*) OVER w <= {owners.settings.record_most}),
            single AS (SELECT _row, mark, {owners.node("x")} AS node, max({d.seen("x")}) AS t, bool_or(login) AS login FROM fit GROUP BY ALL)
            SELECT a, b, {d.number}, min(t), max(t), max(CASE WHEN au THEN t END), count(*) FROM (
              SELECT x.node AS a, y.node AS b, least(x.t, y.t) AS t, x.login AS au
              FROM single AS x JOIN single AS y ON x._row = y._row AND x.mark IS NOT DISTINCT FROM y.mark AND x.node < y.node) GROUP BY a, b"""
    )
