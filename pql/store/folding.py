"""Records that meet: several rows with one key become one fragment, leaf by leaf; the newest `_ordered` wins each leaf.

Ties: by the line when arrival is the order, else by the value itself, so that no order of arrival matters. A leaf that is
older than its row keeps its own time in `_times`. Read `fold_records`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pql.store.layout import quote
from pql.store.ledger import one
from pql.types import ObjectType

if TYPE_CHECKING:
    from pql.store.datasets import DatasetLoad

Path = tuple[str, ...]


def _read(path: Path, alias: str) -> str:
    return ".".join([alias, *(quote(p) for p in path)])


def _name(path: Path) -> str:
    return "'" + ".".join(path).replace("'", "''") + "'"


def rebuilt(kind: ObjectType, leaves: dict[Path, str], alias: str, prefix: Path = ()) -> str:
    """The object at a path with some of its leaves replaced; null when nothing is in it."""
    entries = []
    for name, field in kind.fields.items():
        path = (*prefix, name)
        if path in leaves:
            value = leaves[path]
        elif isinstance(field.type, ObjectType) and any(p[: len(path)] == path for p in leaves):
            value = rebuilt(field.type, leaves, alias, path)
        else:
            value = _read(path, alias)
        entries.append(f"{quote(name)}: {value}")
    inside = [v for p, v in leaves.items() if p[: len(prefix)] == prefix]
    there = " OR ".join([f"{v} IS NOT NULL" for v in inside] + [f"{_read(prefix, alias)} IS NOT NULL"])
    return f"CASE WHEN {there} THEN {{{', '.join(entries)}}} END"


def fold_records(load: DatasetLoad) -> int:
    """Fold `meeting` into the table. The number of its rows that changed something."""
    run, spec, table = load.connection.execute, load.spec, load.spec.table
    leaves = [p for p in spec.leaves if p[0] in spec.columns.fields]
    numbered = list(enumerate(leaves))
    _sources(load, numbered)
    if spec.mode == "replace":
        rows = "(SELECT * REPLACE (max(_old) OVER (PARTITION BY _key) AS _old) FROM sources QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _ordered DESC, _tie DESC, _content DESC) = 1)"
    else:
        rows = "sources"
    picks = "".join(
        f", arg_max(_l{i}, {{'t': _t{i}, 'l': {'0' if spec.by_order else '_tie'}, 'v': to_json(_l{i})::VARCHAR}}) FILTER (_l{i} IS NOT NULL) AS _l{i}"
        f", max(_t{i}) FILTER (_l{i} IS NOT NULL) AS _t{i}"
        for i, _ in numbered
    )
    run("DROP TABLE IF EXISTS temp.folded")
    run(f"""CREATE TEMP TABLE folded AS SELECT _key, any_value(_primary) AS _primary, max(_ordered) AS _ordered, max(_tie) AS _line,
              count(*) FILTER (_new) AS _rows, count(DISTINCT _content) FILTER (_new) AS _contents, max(_old) AS _old{picks} FROM {rows} GROUP BY _key""")
    _identities(load)
    _changes(load, numbered)
    changed = one(load.connection, "SELECT coalesce(sum(_contents), 0) FROM changed")
    columns = ", ".join(
        f"{rebuilt_column(load, n, {p: f'c._l{i}' for i, p in numbered})} AS {quote(n)}" for n in spec.columns.fields
    )
    times = ", ".join(f"{{'k': {_name(p)}, 'v': CASE WHEN c._t{i} < c._ordered THEN c._t{i} END}}" for i, p in numbered)
    made = f"""SELECT c._key, c._primary, c._ordered, c._line, c._all AS _identities,
                 nullif(map_from_entries(list_filter([{times}], lambda e: e.v IS NOT NULL)), MAP {{}}) AS _times, {columns}
               FROM changed c LEFT JOIN {table} o ON o._row = c._old"""
    run("DROP TABLE IF EXISTS temp.fragments")
    run(f"CREATE TEMP TABLE fragments AS {made if numbered else made.replace(', FROM', ' FROM')}")
    run(f"DELETE FROM {table} WHERE _row IN (SELECT _old FROM changed WHERE _old IS NOT NULL)")
    kept = load.columns
    load.columns = tuple(spec.columns.fields)
    from pql.store.settling import insert

    insert(load, "SELECT * FROM fragments", times=True)
    load.columns = kept
    return int(changed)


def rebuilt_column(load: DatasetLoad, name: str, leaves: dict[Path, str]) -> str:
    kind = load.spec.columns.fields[name].type
    own = {p: v for p, v in leaves.items() if p[0] == name}
    if (name,) in own:
        return own[(name,)]
    if not own:
        return f"o.{quote(name)}"
    assert isinstance(kind, ObjectType)
    return rebuilt(kind, own, "o", (name,))


def _sources(load: DatasetLoad, leaves: list[tuple[int, Path]]) -> None:
    """The rows that meet, new and old, with a column for each leaf and one for its time."""
    from pql.store.settling import content

    new = "".join(
        f", {_read(p, 'm') if p[0] in load.columns else 'NULL'} AS _l{i}, m._ordered AS _t{i}" for i, p in leaves
    )
    old = "".join(f", {_read(p, 'o')} AS _l{i}, coalesce(o._times[{_name(p)}], o._ordered) AS _t{i}" for i, p in leaves)
    run = load.connection.execute
    run("DROP TABLE IF EXISTS temp.sources")
    run(f"""CREATE TEMP TABLE sources AS
            SELECT o._key, o._primary, o._ordered, CASE WHEN o._batch = {load.batch} THEN o._line ELSE -1 END AS _tie, FALSE AS _new, o._row AS _old,
              '' AS _content{old} FROM {load.spec.table} o SEMI JOIN meeting USING (_key)
            UNION ALL
            SELECT m._key, m._primary, m._ordered, m._line, TRUE, NULL, {content(load, "m")} || m._ordered::VARCHAR{new} FROM meeting m""")


def _row_mark(identities: str) -> str:
    """SQL of a number for the set of identities that arrived together in a row."""
    names = f"list_sort(list_distinct(list_transform({identities}, lambda x: x.namespace || chr(0) || x.id)))"
    return f"md5_number_lower(array_to_string({names}, chr(1)))"


def _identities(load: DatasetLoad) -> None:
    """The identities of all rows of a key; each once for every set of identities that it arrived in, with its last sighting. Only
    those that arrived together are linked, so what never stood in one row must not look as if it had."""
    load.connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE gathered AS
            WITH rows AS (SELECT _key, _identities, {_row_mark("_identities")} AS mark FROM meeting
                          UNION ALL SELECT _key, _identities, {_row_mark("_identities")} FROM {load.spec.table} SEMI JOIN meeting USING (_key)),
                 each AS (SELECT _key, mark, unnest(_identities) AS x FROM rows),
                 one AS (SELECT _key, x.namespace AS n, x.id AS i, x.field AS f, coalesce(x.row, mark) AS r, max(x.seen) AS seen,
                           arg_max(x.state, {{'t': x.seen, 's': x.state}}) AS state, bool_or(x.is_primary) AS p FROM each GROUP BY ALL)
            SELECT _key, list({{'namespace': n, 'id': i, 'state': state, 'is_primary': p, 'field': f, 'seen': seen, 'row': r}} ORDER BY seen, n, i, f, r) AS _all,
              list({{'n': n, 'i': i, 'r': r}} ORDER BY n, i, r) AS _who FROM one GROUP BY _key"""
    )


def _changes(load: DatasetLoad, leaves: list[tuple[int, Path]]) -> None:
    """Folded rows that differ from what is stored. Without `order_by` a newer time alone is no change."""
    differ = [f"f._l{i} IS DISTINCT FROM {_read(p, 'o')}" for i, p in leaves]
    if load.spec.by_order:
        differ += [
            f"f._t{i} IS DISTINCT FROM CASE WHEN f._l{i} IS NULL THEN NULL ELSE coalesce(o._times[{_name(p)}], o._ordered) END"
            for i, p in leaves
        ]
    mark = _row_mark("o._identities")
    who = f"list_sort(list_distinct(list_transform(o._identities, lambda x: {{'n': x.namespace, 'i': x.id, 'r': coalesce(x.row, {mark})}})))"
    differ.append(f"list_sort(list_distinct(g._who)) IS DISTINCT FROM {who}")
    load.connection.execute("DROP TABLE IF EXISTS temp.changed")
    load.connection.execute(
        f"""CREATE TEMP TABLE changed AS SELECT f.*, g._all FROM folded f JOIN gathered g USING (_key)
            LEFT JOIN {load.spec.table} o ON o._row = f._old WHERE f._old IS NULL OR {" OR ".join(differ)}"""
    )
