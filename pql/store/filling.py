"""Fills a store from files: JSON Lines row by row with rejects set aside, Parquet set-based. Read `fill_lines`, `fill_parquet`.

A profile names itself, an event its profile, by one field each. A person without a profile line gets an empty profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from pql.store.layout import duckdb_type, quote
from pql.store.store import Store, StoreError, wrapped
from pql.types import ObjectType
from pql.xdm.values import read_event, read_profile

LINE_MOST = 4_000_000
CHUNK = 20_000


@dataclass
class Filled:
    """read = stored + rejected, for each kind of line; of events + `repeated`: a later event of the person with the same `_id` stands for them."""

    profiles: int = 0
    events: int = 0
    rejected: int = 0
    repeated: int = 0


class _Lines:
    def __init__(self, store: Store, rejects: TextIO) -> None:
        self.store, self.rejects = store, rejects
        self.pids: dict[str, int] = {}
        self.filled = Filled()

    def pid(self, id: str) -> int:
        return self.pids.setdefault(id, len(self.pids) + 1)

    def reject(self, path: Path, number: int, raw: str, reason: str) -> None:
        self.filled.rejected += 1
        row = {"file": str(path), "line": number, "reason": reason, "raw": raw[:LINE_MOST]}
        self.rejects.write(json.dumps(row, ensure_ascii=False) + "\n")

    def rows(self, path: Path, key: str, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        read = read_profile if kind == "profile" else read_event
        fields = self.store.schema.profile.fields if kind == "profile" else self.store.schema.event.fields
        seen: set[int] = set()
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, raw in enumerate(file, 1):
                line = raw.strip()
                if not line:
                    continue
                document, reason = _document(line, key)
                if document is None:
                    self.reject(path, number, line, reason)
                    continue
                id = str(document[key])
                body = {k: v for k, v in document.items() if k != key or key in fields}
                value, problems = read(body, self.store.schema)
                if problems:
                    self.reject(path, number, line, "; ".join(f"{p}: {m}" for p, m in problems[:3]))
                    continue
                pid = self.pid(id)
                if kind == "profile" and pid in seen:
                    self.reject(path, number, line, f"a second profile `{id[:60]}`")
                    continue
                seen.add(pid)
                yield pid, value


def _document(line: str, key: str) -> tuple[dict[str, Any] | None, str]:
    if len(line) > LINE_MOST:
        return None, f"a line of more than {LINE_MOST:,} characters"
    try:
        document = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {str(error)[:100]}"
    if not isinstance(document, dict):
        return None, "a JSON object is wanted"
    id = document.get(key)
    if not isinstance(id, str | int) or isinstance(id, bool) or id == "":
        return None, f"no `{key}`"
    return document, ""


def fill_lines(
    store: Store,
    profiles: Path | None,
    events: Path | None,
    rejects: TextIO,
    profile_key: str = "_id",
    event_key: str = "profileId",
) -> Filled:
    """Load JSON Lines; what does not fit goes to `rejects` with its reason. Indexes the store."""
    lines = _Lines(store, rejects)
    if profiles is not None:
        for chunk in _chunks(lines.rows(profiles, profile_key, "profile")):
            store.load(chunk, [])
            lines.filled.profiles += len(chunk)
    if events is not None:
        for chunk in _chunks(lines.rows(events, event_key, "event")):
            store.load([], chunk)
            lines.filled.events += len(chunk)
    store.name_profiles(lines.pids)
    lines.filled.repeated = _drop_repeated(store)
    lines.filled.events -= lines.filled.repeated
    store.index()
    return lines.filled


def _chunks(rows: Iterator[tuple[int, Mapping[str, Any]]]) -> Iterator[list[tuple[int, Mapping[str, Any]]]]:
    chunk: list[tuple[int, Mapping[str, Any]]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def fill_parquet(
    store: Store, profiles: str, events: str, profile_key: str = "_id", event_key: str = "profileId"
) -> Filled:
    """Load Parquet files (or globs) set-based: columns named as in the schema, nested ones as STRUCT and LIST."""
    run = store.connection.execute
    try:
        run("CREATE OR REPLACE TEMP TABLE people AS SELECT id, row_number() OVER () AS _pid FROM (SELECT DISTINCT id FROM ("
            f"SELECT {quote(profile_key)}::VARCHAR AS id FROM read_parquet($p) UNION ALL SELECT {quote(event_key)}::VARCHAR FROM read_parquet($e)"
            ") WHERE id IS NOT NULL)", {"p": profiles, "e": events})  # fmt: skip
        for table, source, key, kind in (
            ("profile", profiles, profile_key, store.schema.profile),
            ("event", events, event_key, store.schema.event),
        ):
            columns = _selected(store, source, kind)
            extra = ", row_number() OVER () AS _seq" if table == "event" else ""
            run(f"INSERT INTO {table} BY NAME SELECT people._pid{extra}{columns} FROM read_parquet($s) AS s "
                f"JOIN people ON people.id = s.{quote(key)}::VARCHAR", {"s": source})  # fmt: skip
        run("CREATE OR REPLACE TABLE pql_profile AS SELECT _pid, id FROM people")
        run("DROP TABLE people")
        repeated = _drop_repeated(store)
    except store.refusals as error:
        raise StoreError("PQL0605", str(error).split("\n")[0]) from None
    store.index()

    def count(table: str) -> int:
        return int(store.query(f"SELECT count(*) FROM {table}", {})[0][0])

    return Filled(count("profile"), count("event"), 0, repeated)


def _drop_repeated(store: Store) -> int:
    """Of a person's events with one `_id` the last one counts, as it does live; how many went."""
    if "_id" not in store.schema.event.fields:
        return 0
    try:
        (gone,) = store.connection.execute(
            """DELETE FROM event WHERE _seq IN (SELECT _seq FROM event WHERE _id IS NOT NULL
               QUALIFY row_number() OVER (PARTITION BY _pid, _id ORDER BY _seq DESC) > 1)"""
        ).fetchall()[0]
    except store.refusals as error:
        raise wrapped(error) from None
    return int(gone)


def _selected(store: Store, source: str, kind: ObjectType) -> str:
    """The schema's columns that a file has, cast to the schema's types."""
    found = {
        row[0] for row in store.connection.execute("DESCRIBE SELECT * FROM read_parquet($s)", {"s": source}).fetchall()
    }
    fields = [(n, f.type) for n, f in kind.fields.items() if n in found and n != "xEvent"]
    return "".join(f", CAST(s.{quote(n)} AS {duckdb_type(t)}) AS {quote(n)}" for n, t in fields)
