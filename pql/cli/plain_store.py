"""A person of a store that `pql store create` made, for `pql profile`: profiles by the names that they came with, no datasets, no
identities. Read `plain_person`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pql.api import StoreError
from pql.cli.people import is_plain, unknown_profile
from pql.identity.merging import Merged, Origin, flat
from pql.store.lookup import ComputedValue, Person, present


def plain_person(store: Any, text: str, settings: Any, most: int) -> Person | None:
    """Everything that such a store has of one profile, with at most so many events; None when the store is of another kind. Exit 1 with
    near matches when it has no such profile."""
    if not is_plain(store):
        return None
    rows = store.query("SELECT _pid FROM pql_profile WHERE id = $id", {"id": text})
    found = store.rows_of(rows[0][0]) if rows else None
    if found is None:
        raise unknown_profile(store, text, settings)
    record, events = present(found[0]), [present(e) for e in found[1]]
    origins = {path: Origin("", None, "") for path, _ in flat(record, store.schema.profile)}
    person = Person(rows[0][0], text, Merged(record, origins))
    person.event_count = len(events)
    person.events = sorted(events, key=lambda e: e.get("timestamp") or datetime.min, reverse=True)[:most]
    if store.has_ledger():  # it has one, an empty one, once a run was kept
        _add_results(store, person)
    return person


def _add_results(store: Any, person: Person) -> None:
    """Memberships and computed attributes, as the last runs that were kept left them."""
    who = {"pid": person.pid}
    sql = 'SELECT segment, status, "lastQualificationTime" FROM membership WHERE _pid = $pid ORDER BY segment'
    names = ("segment", "status", "lastQualificationTime")
    person.memberships = [dict(zip(names, row, strict=True)) for row in store.query(sql, who)]
    try:
        runs = store.query('SELECT attribute, "at", labels, reads FROM computed_run', {})
        columns = [str(r[0]) for r in store.query("DESCRIBE computed_attribute", {})]
        values = store.query("SELECT * FROM computed_attribute WHERE _pid = $pid", who)
    except StoreError:  # no run of attributes was kept
        return
    known = {name: rest for name, *rest in runs}
    for name, value in zip(columns, values[0], strict=True) if values else ():
        if name in known and value is not None:
            person.computed_at, labels, reads = known[name]
            person.computed[name] = ComputedValue(present(value), frozenset(labels), tuple(reads))
