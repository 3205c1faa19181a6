"""Rows in quarantine: listed, shown, and what became of them. Must not know mappings. Read `list_refused`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pql.store.ledger import DELETED, Refused, create_ledger
from pql.store.store import Store


@dataclass(frozen=True)
class Quarantined:
    """A row of `meta.quarantine`. `state`: open, replayed, dropped, or deleted (of a deleted person, without raw data)."""

    id: int
    batch: int
    dataset: str
    source: str
    file: str
    line: int
    path: str
    code: str
    message: str
    raw: str
    state: str
    changed: datetime


@dataclass(frozen=True)
class Heap:
    """Rows alike: how many of a source have one code at one path, with a message that differs at most in what it quotes and in numbers.
    `message`: of one of them; `messages`: how many different ones there are."""

    source: str
    code: str
    path: str
    message: str
    rows: int
    messages: int = 1


_SHAPE = "regexp_replace(regexp_replace(message, '`[^`]*`', '``', 'g'), '-?[0-9][0-9.,]*', '0', 'g')"
"""SQL of a message without what it quotes and without numbers."""
_COLUMNS = "id, batch, dataset, source, file, line, path, code, message, raw, state, changed"


def list_refused(
    store: Store,
    source: str | None = None,
    code: str | None = None,
    state: str | None = "open",
    ids: Sequence[int] = (),
    most: int | None = None,
) -> list[Quarantined]:
    """Rows in the order of their ids."""
    if not has_ledger(store):
        return []
    tests, values = _tests(source, code, state)
    if ids:
        tests.append("id IN (SELECT unnest($ids::BIGINT[]))")
        values["ids"] = [id for id in ids if abs(id) < 2**63]
    limit = "" if most is None else f" LIMIT {int(most)}"
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    rows = store.connection.execute(
        f"SELECT {_COLUMNS} FROM meta.quarantine{where} ORDER BY id{limit}", values
    ).fetchall()
    return [Quarantined(*row) for row in rows]


def count_refused(
    store: Store, source: str | None = None, code: str | None = None, state: str | None = "open"
) -> list[Heap]:
    """The same rows in heaps, the largest first."""
    if not has_ledger(store):
        return []
    tests, values = _tests(source, code, state)
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    rows = store.connection.execute(
        f"""SELECT source, code, path, min(message), count(*), count(DISTINCT message) FROM meta.quarantine{where}
            GROUP BY source, code, path, {_SHAPE} ORDER BY 5 DESC, 1, 2, 3, 4""",
        values,
    ).fetchall()
    return [Heap(*row) for row in rows]


def codes_present(store: Store) -> list[str]:
    """The codes of all rows, replayed ones too."""
    if not has_ledger(store):
        return []
    return [
        str(c) for (c,) in store.connection.execute("SELECT DISTINCT code FROM meta.quarantine ORDER BY 1").fetchall()
    ]


def _tests(source: str | None, code: str | None, state: str | None) -> tuple[list[str], dict[str, object]]:
    wanted = {"source": source, "code": code, "state": state}
    values: dict[str, object] = {k: v for k, v in wanted.items() if v is not None}
    return [f"{k} = ${k}" for k in values], values


def has_ledger(store: Store) -> bool:
    found = store.connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'meta' AND table_name = 'quarantine'"
    )
    return bool(found.fetchall())


def settle_refused(store: Store, done: Sequence[int], still: Sequence[tuple[int, Refused]], at: datetime) -> None:
    """Rows that were replayed, and those that do not fit still, with the reason of today. Inside the replay's transaction."""
    create_ledger(store.connection)
    if done:
        store.connection.execute(
            "UPDATE meta.quarantine SET state = 'replayed', changed = ? WHERE id IN (SELECT unnest(?::BIGINT[]))",
            [at, list(done)],
        )
    for id, refused in still:
        if refused.code == DELETED:  # the load has written down that it came; what it was must not stay
            store.connection.execute("DELETE FROM meta.quarantine WHERE id = ?", [id])
            continue
        store.connection.execute(
            "UPDATE meta.quarantine SET path = ?, code = ?, message = ?, changed = ? WHERE id = ?",
            [refused.path, refused.code, refused.message, at, id],
        )
