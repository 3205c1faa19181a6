"""Layer 1 by hand: datasets as a loader leaves them, from plain Python rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from pql.store.layers import make_layers
from pql.store.layout import arrow_type, duckdb_type, quote
from pql.store.store import Store

ARRIVED = datetime(2026, 6, 1)
IDENTITY = pa.struct([("namespace", pa.string()), ("id", pa.string()), ("state", pa.string()), ("is_primary", pa.bool_()),
                      ("field", pa.string()), ("seen", pa.timestamp("us"))])  # fmt: skip
OWN_TYPES: dict[str, pa.DataType] = {
    "_row": pa.int64(), "_batch": pa.int64(), "_line": pa.int64(), "_arrived": pa.timestamp("us"), "_ordered": pa.timestamp("us"),
    "_key": pa.string(), "_identities": pa.list_(IDENTITY), "_times": pa.map_(pa.string(), pa.timestamp("us")),
}  # fmt: skip
COLUMNS = """_row BIGINT, _batch BIGINT, _line BIGINT, _arrived TIMESTAMP, _ordered TIMESTAMP, _key VARCHAR,
  _identities STRUCT(namespace VARCHAR, id VARCHAR, state VARCHAR, is_primary BOOLEAN, field VARCHAR, seen TIMESTAMP)[],
  _primary VARCHAR, _times MAP(VARCHAR, TIMESTAMP)"""


def identity(
    text: str, state: str = "ambiguous", primary: bool = False, seen: datetime | None = None
) -> dict[str, Any]:
    namespace, id = text.split(":", 1)
    return {
        "namespace": namespace,
        "id": id,
        "state": state,
        "is_primary": primary,
        "field": "identityMap",
        "seen": seen,
    }


def put(
    store: Store, name: str, kind: str, rows: Iterable[Mapping[str, Any]], batch: int = 1, arrived: datetime = ARRIVED
) -> None:
    """Append rows to a dataset. A row: `ids` (texts `namespace:id`, `*` after the namespace's name marks authenticated; the first
    is primary), `at` (when it was true), `key`, `fields` by top name,
    `times` of older leaves by path, and `seen` of the identities by their place."""
    make_layers(store.connection)
    run = store.connection.execute
    whole = store.schema.profile.fields if kind == "record" else store.schema.event.fields
    fields = {n: f.type for n, f in whole.items() if n not in ("xEvent", "segmentMembership")}
    if not run("SELECT 1 FROM meta.dataset WHERE name = ?", [name]).fetchall():
        run("INSERT INTO meta.dataset VALUES (?, ?, ?, 'owner', [], 'source')", [name, name, kind])
    run(
        f"CREATE TABLE IF NOT EXISTS data.{quote(name)} ({COLUMNS}{''.join(f', {quote(n)} {duckdb_type(t)}' for n, t in fields.items())})"
    )
    tables = run("SELECT table_name FROM information_schema.tables WHERE table_schema = 'data'").fetchall()
    top = max(run(f"SELECT coalesce(max(_row), 0) FROM data.{quote(t)}").fetchall()[0][0] for (t,) in tables)
    made = [
        _row(row, top + n, n, kind == "event" and "timestamp" in fields, batch, arrived)
        for n, row in enumerate(rows, 1)
    ]
    types = {**OWN_TYPES, **{n: arrow_type(t) for n, t in fields.items()}}
    if made:
        names = [n for n in types if any(n in m for m in made)]
        table = pa.Table.from_arrays(
            [pa.array([_pairs(m.get(n), types[n]) for m in made], types[n]) for n in names], names=names
        )
        store.connection.register("incoming", table)
        run(f"INSERT INTO data.{quote(name)} BY NAME SELECT * FROM incoming")
        store.connection.unregister("incoming")


def _pairs(value: Any, kind: pa.DataType) -> Any:
    """Maps as lists of pairs, which is what Arrow wants."""
    if pa.types.is_map(kind) and isinstance(value, dict):
        return list(value.items())
    return value


def _row(
    row: Mapping[str, Any], row_number: int, line: int, dated: bool, batch: int, arrived: datetime
) -> dict[str, Any]:
    ids, at = [], row.get("at")
    for index, text in enumerate(row.get("ids", ())):
        namespace, id = text.split(":", 1)
        state = "authenticated" if namespace.endswith("*") else "ambiguous"
        seen = row.get("seen", {}).get(index, at)
        ids.append(identity(f"{namespace.rstrip('*')}:{id}", state, index == 0, seen))
    own = dict(row.get("fields", {}))
    if dated:
        own.setdefault("timestamp", at)
    key = row.get("key") or (row["ids"][0].replace("*", "") if row.get("ids") else f"line {line}")
    return {"_row": row_number, "_batch": batch, "_line": line, "_arrived": arrived, "_ordered": at or arrived, "_key": key,
            "_identities": ids, "_times": row.get("times"), **own}  # fmt: skip
