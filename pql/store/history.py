"""People of a store with all their events, as typed values: where the live engine starts from. Read `people_after`.

Set-based: a statement for the records of a chunk of people, one for their events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.store.layout import quote
from pql.store.store import Store
from pql.types import ListType, MapType, ObjectType, Type


@dataclass
class StoredPerson:
    """`name` as the profile came with. `events` in the order of arrival."""

    pid: int
    name: str
    record: dict[str, Any] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)


def typed(value: Any, kind: Type) -> Any:
    """A value as DuckDB gives it, as `pql.xdm.values` has it: objects have present fields only."""
    if value is None:
        return None
    match kind:
        case ListType():
            return [typed(v, kind.element) for v in value]
        case MapType():
            return {k: typed(v, kind.value) for k, v in value.items()}
        case ObjectType():
            found = {n: typed(value.get(n), f.type) for n, f in kind.fields.items()}
            return {n: v for n, v in found.items() if v is not None}
        case _:
            return value


def people_after(store: Store, pid: int | None, most: int) -> list[StoredPerson]:
    """The next people in the order of `_pid`; None: from the first."""
    found = store.query(
        "SELECT _pid FROM (SELECT _pid FROM profile UNION SELECT _pid FROM event) "
        "WHERE $after IS NULL OR _pid > $after ORDER BY _pid LIMIT $most",
        {"after": pid, "most": most},
    )
    return _people(store, [row[0] for row in found])


def people_named(store: Store, names: Iterable[str]) -> dict[str, StoredPerson]:
    """Those of some names who are in the store."""
    wanted = list(names)
    if store.has_names():
        rows = store.query(
            "SELECT _pid FROM pql_profile WHERE id IN (SELECT unnest($names::VARCHAR[]))", {"names": wanted}
        )
        pids = [row[0] for row in rows]
    else:
        pids = [int(n) for n in wanted if n.lstrip("-").isdigit() and len(n) < 19]
    return {p.name: p for p in _people(store, pids)}


def latest_event(store: Store) -> datetime | None:
    """The last timestamp of any event."""
    at: datetime | None = store.query('SELECT max("timestamp") FROM event', {})[0][0]
    return at


def count_people(store: Store) -> int:
    return int(store.query("SELECT count(*) FROM (SELECT _pid FROM profile UNION SELECT _pid FROM event)", {})[0][0])


def _people(store: Store, pids: list[int]) -> list[StoredPerson]:
    if not pids:
        return []
    found = {p: StoredPerson(p, str(p)) for p in pids}
    chosen = "(SELECT unnest($pids::BIGINT[]))"
    if store.has_names():
        for pid, name in store.query(f"SELECT _pid, id FROM pql_profile WHERE _pid IN {chosen}", {"pids": pids}):
            found[pid].name = name
    profile = {n: f.type for n, f in store.schema.profile.fields.items() if n != "xEvent"}
    event = {n: f.type for n, f in store.schema.event.fields.items()}
    for pid, document in _rows(store, f"profile WHERE _pid IN {chosen}", profile, pids):
        if pid in found:
            found[pid].record = document
    for pid, document in _rows(store, f"event WHERE _pid IN {chosen} ORDER BY _pid, _seq", event, pids):
        if pid in found:
            found[pid].events.append(document)
    return [p for p in found.values() if p.record is not None or p.events]


def _rows(
    store: Store, tail: str, columns: Mapping[str, Type], pids: list[int]
) -> Iterable[tuple[int, dict[str, Any]]]:
    names = "".join(f", {quote(n)}" for n in columns)
    for row in store.query(f"SELECT _pid{names} FROM {tail}", {"pids": pids}):
        values = {n: typed(v, t) for (n, t), v in zip(columns.items(), row[1:], strict=True)}
        yield row[0], {n: v for n, v in values.items() if v is not None}
