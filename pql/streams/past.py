"""The events that arrived live, as SQLite keeps them beside the states: what a hand-over and a verification read. Read `write_history`.

A state knows what its segments need of an event; other segments need the events themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import groupby
from typing import assert_never

from pql.streams.state import Dropped, Happened, Joined, Parted, Put

_PUT = """INSERT INTO history (profile, key, document) VALUES (?1, ?2, ?3) ON CONFLICT (profile, key) WHERE key IS NOT NULL
DO UPDATE SET document = ?3, n = (SELECT max(n) + 1 FROM history)"""


def write_history(db: sqlite3.Connection, happened: Iterable[Happened]) -> None:
    """What happened, one after the other."""
    for kind, group in groupby(happened, type):
        if kind is Put:
            db.executemany(_PUT, ((p.profile, p.key, p.document) for p in group if isinstance(p, Put)))
            continue
        for item in group:
            match item:
                case Put():
                    pass
                case Dropped():
                    db.execute("DELETE FROM history WHERE profile = ? AND key = ?", (item.profile, item.key))
                    db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, '')", (item.profile, item.key))
                case Joined():
                    _move(db, item.source, item.profile, None)
                    _come_back(db, item.source, item.profile)
                case Parted():
                    for key in item.keys:
                        _move(db, item.profile, item.target, key)
                        db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", (item.profile, key, item.target))
                        db.execute("DELETE FROM gone WHERE profile = ? AND key = ?", (item.target, key))
                case _:
                    assert_never(item)


def _come_back(db: sqlite3.Connection, source: str, target: str) -> None:
    """What had left one for the other is theirs again, and what had left others for the one is the other's."""
    db.execute("DELETE FROM gone WHERE profile = ?2 AND target = ?1", (source, target))
    db.execute("DELETE FROM gone WHERE profile = ?1 AND target = ?2", (source, target))
    db.execute("UPDATE gone SET target = ?2 WHERE target = ?1", (source, target))


def _move(db: sqlite3.Connection, source: str, target: str, key: str | None) -> None:
    """One event or all go to another profile; of two with one key the one that came later stays."""
    chosen = "" if key is None else " AND h.key = ?3"
    values = (source, target) if key is None else (source, target, key)
    for loser, winner in (("?1", "?2"), ("?2", "?1")):
        db.execute(
            f"DELETE FROM history AS h WHERE h.profile = {loser} AND EXISTS (SELECT 1 FROM history AS o "
            f"WHERE o.profile = {winner} AND o.key = h.key AND o.n > h.n){chosen}",
            values,
        )
    db.execute(f"UPDATE history AS h SET profile = ?2 WHERE h.profile = ?1{chosen}", values)
