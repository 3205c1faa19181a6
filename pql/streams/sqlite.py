"""A stream's state in SQLite: one file, one transaction a micro-batch. Read `SqliteState.commit`.

WAL with `synchronous=FULL`: what was committed survives the process and, as far as SQLite and the disk keep their word, power loss.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from pql.streams.errors import StreamError
from pql.streams.past import write_history
from pql.streams.state import (
    ATTRIBUTES,
    QUARANTINE,
    TRANSITIONS,
    Commit,
    GraphKnown,
    Kept,
    Progress,
    Row,
    Written,
    micros,
)

FORM = 2
"""The form of the tables and of what is in them; another one is refused."""
NAME = "state.sqlite"
DAY = 86_400_000_000
PATIENCE = 10_000
"""Milliseconds for which somebody else may be in the way."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE profile (id TEXT PRIMARY KEY, data BLOB NOT NULL, due INTEGER, merged TEXT);
CREATE INDEX profile_due ON profile (due, id) WHERE due IS NOT NULL;
CREATE INDEX profile_merged ON profile (merged) WHERE merged IS NOT NULL;
CREATE TABLE identity (namespace TEXT, id TEXT, profile TEXT NOT NULL, PRIMARY KEY (namespace, id)) WITHOUT ROWID;
CREATE TABLE pending (n INTEGER PRIMARY KEY, message BLOB NOT NULL);
CREATE TABLE history (n INTEGER PRIMARY KEY, profile TEXT NOT NULL, key TEXT, document BLOB NOT NULL);
CREATE UNIQUE INDEX history_key ON history (profile, key) WHERE key IS NOT NULL;
CREATE INDEX history_profile ON history (profile);
CREATE TABLE gone (profile TEXT NOT NULL, key TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (profile, key)) WITHOUT ROWID;
CREATE INDEX gone_target ON gone (target) WHERE target <> '';
CREATE TABLE position (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outlet (name TEXT PRIMARY KEY, line INTEGER NOT NULL, length INTEGER NOT NULL, target TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (outlet TEXT, n INTEGER, line TEXT NOT NULL, PRIMARY KEY (outlet, n));
CREATE TABLE clock_log (taken INTEGER NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE graph_part (part INTEGER PRIMARY KEY, digest INTEGER NOT NULL);
CREATE TABLE graph_log (n INTEGER PRIMARY KEY, taken INTEGER NOT NULL, at INTEGER NOT NULL, message BLOB NOT NULL);
CREATE TABLE graph_log_profile (n INTEGER NOT NULL, profile TEXT NOT NULL);
CREATE TABLE deleted (digest TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE paused (profile TEXT NOT NULL, segment TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (profile, segment)) WITHOUT ROWID;
"""

P = ParamSpec("P")
R = TypeVar("R")


def _guarded(method: Callable[P, R]) -> Callable[P, R]:
    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except sqlite3.Error as error:
            raise _refused(error) from None

    return call


def _refused(error: sqlite3.Error) -> StreamError:
    return StreamError(
        "PQL0633", f"the state cannot be read or written: {error}", "is the disk full, or the file damaged?"
    )


def _may_say(column: str) -> str:
    """SQL that is true of JSON with one of the words `?1`, and of what is not plain ASCII; of all where that is null."""
    return f"""(?1 IS NULL OR CAST({column} AS TEXT) GLOB '*[^ -~]*' OR instr({column}, char(92))
        OR EXISTS (SELECT 1 FROM json_each(?1) WHERE instr(lower(CAST({column} AS TEXT)), lower(value))))"""


def _plain_words(words: list[str] | None) -> str | None:
    """Words as JSON. None where one of them may be written in several ways."""
    plain = words is not None and all(w.isascii() and w.isprintable() and not set(w) & set('"\\/') for w in words)
    return json.dumps(words) if plain else None


class SqliteState:
    """`folder` is made when it is not there. `exclusive`: this process alone may write."""

    keeps = True

    def __init__(self, folder: Path, exclusive: bool = True, keep_log: int = 7 * DAY, cache_mb: int = 64) -> None:
        self.path, self.keep_log, self.writes = folder / NAME, keep_log, exclusive
        self._lock = _locked(folder) if exclusive else None
        try:
            self.db = self._connect(exclusive, cache_mb)
            self._prepare(exclusive)
            self._truncated = not exclusive or self._truncate(0)
        except StreamError:
            self._unlock()
            raise

    @_guarded
    def _connect(self, exclusive: bool, cache_mb: int) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, timeout=PATIENCE / 1000, check_same_thread=False)
        if exclusive:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")
        else:
            db.execute("PRAGMA query_only = ON")
        db.execute(f"PRAGMA cache_size = -{cache_mb * 1024}")
        return db

    @_guarded
    def _prepare(self, exclusive: bool) -> None:
        found = self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not found and exclusive:
            self.db.executescript(f"BEGIN; {_TABLES} INSERT INTO meta VALUES ('form', '{FORM}'); COMMIT;")
        row = self._meta("form") if found or exclusive else None
        if row != str(FORM):
            said = "no state of this program" if row is None else f"of form {row}; this program reads form {FORM}"
            raise StreamError(
                "PQL0630", f"`{self.path}` is {said}", "start a new state, from a store's history if need be"
            )

    def _meta(self, name: str) -> str | None:
        try:
            row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        except sqlite3.OperationalError:
            return None
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # --- the plan ---
    @_guarded
    def kept(self) -> Kept | None:
        text = self._meta("plan")
        if text is None:
            return None
        found = json.loads(text)
        segments, attributes = (tuple((i, v) for i, v in found[of]) for of in ("segments", "attributes"))
        reads = tuple((name, tuple(labels), tuple(paths)) for name, labels, paths in found["reads"])
        return Kept(found["fingerprint"], segments, tuple(found["paused"]), attributes, reads)

    @_guarded
    def begin(self, kept: Kept) -> None:
        self._set("plan", json.dumps(asdict(kept)))

    @_guarded
    def note_store(self) -> None:
        self._set("store", "1")

    @_guarded
    def has_stored(self) -> bool:
        return self._meta("store") is not None or self._meta("graph") is not None

    # --- reading ---
    @_guarded
    def progress(self) -> Progress:
        text = self._meta("progress")
        return Progress(micros(datetime.min)) if text is None else Progress(**json.loads(text))

    @_guarded
    def position(self, source: str) -> str | None:
        row = self.db.execute("SELECT value FROM position WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    @_guarded
    def load(self, profile: str) -> Row | None:
        row = self.db.execute("SELECT id, data, due, merged FROM profile WHERE id = ?", (profile,)).fetchone()
        return None if row is None else Row(*row)

    @_guarded
    def load_many(self, profiles: Sequence[str]) -> list[Row]:
        chosen = json.dumps(profiles)
        found = self.db.execute(
            "SELECT id, data, due, merged FROM profile WHERE id IN (SELECT value FROM json_each(?))", (chosen,)
        )
        return [Row(*row) for row in found]

    @_guarded
    def open_inputs(self) -> list[bytes]:
        return [message for (message,) in self.db.execute("SELECT message FROM pending ORDER BY n").fetchall()]

    @_guarded
    def due(self, after: tuple[int, str] | None, most: int) -> list[tuple[int, str]]:
        later, values = ("AND (due, id) > (?, ?)", after) if after else ("", ())
        sql = f"SELECT due, id FROM profile WHERE due IS NOT NULL {later} ORDER BY due, id LIMIT ?"
        found: list[tuple[int, str]] = self.db.execute(sql, (*values, most)).fetchall()
        return found

    @_guarded
    def pending(self, outlet: str) -> tuple[Written, list[str]]:
        row = self.db.execute("SELECT line, length, target FROM outlet WHERE name = ?", (outlet,)).fetchone()
        written = Written(*row) if row else Written()
        lines = self.db.execute("SELECT line FROM outbox WHERE outlet = ? AND n > ? ORDER BY n", (outlet, written.line))
        return written, [line for (line,) in lines.fetchall()]

    @_guarded
    def size(self) -> int:
        return sum(f.stat().st_size for f in (self.path, self.path.with_name(NAME + "-wal")) if f.exists())

    @_guarded
    def owner(self, namespace: str, id: str) -> str | None:
        """The profile of an identity."""
        row = self.db.execute("SELECT profile FROM identity WHERE namespace = ? AND id = ?", (namespace, id)).fetchone()
        return None if row is None else str(row[0])

    # --- the store's graph ---
    @_guarded
    def graph_version(self) -> str | None:
        """Of the graph that the state knows."""
        return self._meta("graph")

    @_guarded
    def graph_digests(self) -> dict[int, int]:
        return dict(self.db.execute("SELECT part, digest FROM graph_part").fetchall())

    @_guarded
    def stage(self, identities: Iterable[tuple[str, str, str]]) -> None:
        """Puts (namespace, id, profile) of a graph aside, for the next commit that has a `graph`: whatever goes wrong in reading them
        does so before anything is written."""
        self.db.execute("CREATE TEMP TABLE IF NOT EXISTS staged (namespace TEXT, id TEXT, profile TEXT)")
        self.db.execute("DELETE FROM temp.staged")
        self.db.execute("BEGIN")
        try:
            self.db.executemany("INSERT INTO temp.staged VALUES (?, ?, ?)", identities)
            self.db.execute("COMMIT")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    @_guarded
    def knows_identities(self) -> bool:
        return self.db.execute("SELECT 1 FROM identity LIMIT 1").fetchone() is not None

    @_guarded
    def known_otherwise(self, identities: list[tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
        """(namespace, id, profile, profile that the state knows it as) of those that the state knows otherwise: as another's, as
        the name of a profile that is not part of that one (of its own, or of another's), or where that profile is part of another."""
        rows = self.db.execute(
            """WITH asked AS MATERIALIZED (SELECT value ->> 0 AS n, value ->> 1 AS i, value ->> 2 AS p FROM json_each(?))
            SELECT n, i, p, o.profile FROM asked CROSS JOIN identity AS o ON o.namespace = n AND o.id = i WHERE o.profile <> p
            UNION SELECT n, i, p, o.id FROM asked CROSS JOIN profile AS o ON o.id = n || ':' || i WHERE o.merged IS NOT p AND o.id <> p
            UNION SELECT n, i, p, o.id FROM asked CROSS JOIN profile AS o ON o.id = p WHERE o.merged IS NOT NULL""",
            (json.dumps(identities),),
        )
        return rows.fetchall()

    @_guarded
    def known_identities(self) -> Iterator[tuple[str, str, str]]:
        """(namespace, id, profile) of all; nothing may be written meanwhile."""
        return self.db.execute("SELECT namespace, id, profile FROM identity")

    @_guarded
    def has(self, profile: str) -> bool:
        return self.db.execute("SELECT 1 FROM profile WHERE id = ?", (profile,)).fetchone() is not None

    @_guarded
    def stands_alone(self, profile: str) -> bool:
        """Is there a profile of that name that is not merged into another?"""
        row = self.db.execute("SELECT merged IS NULL FROM profile WHERE id = ?", (profile,)).fetchone()
        return row is not None and bool(row[0])

    @_guarded
    def salt(self) -> str | None:
        """Of the digests of deleted people's identities; None: nobody was deleted."""
        return self._meta("salt")

    @_guarded
    def is_deleted(self, digest: str) -> bool:
        return self.db.execute("SELECT 1 FROM deleted WHERE digest = ?", (digest,)).fetchone() is not None

    @_guarded
    def graph_log(self) -> list[tuple[int, bytes]]:
        """(messages taken before, message) of the inputs that the graph gave, in order."""
        return self.db.execute("SELECT taken, message FROM graph_log ORDER BY n").fetchall()

    # --- for a hand-over, and for looking ---
    @_guarded
    def names(self, after: str, most: int) -> list[str]:
        """The next profiles in the order of their names."""
        rows = self.db.execute("SELECT id FROM profile WHERE id > ? ORDER BY id LIMIT ?", (after, most))
        return [id for (id,) in rows.fetchall()]

    @_guarded
    def sample(self, most: int, seed: int) -> list[str]:
        """Some profiles, drawn evenly, that are not merged into others; the same for the same seed."""
        count = self.db.execute("SELECT count(*) FROM profile WHERE merged IS NULL").fetchone()[0]
        rows = self.db.execute("SELECT id FROM profile WHERE merged IS NULL ORDER BY id")
        if count <= most:
            return [id for (id,) in rows]
        chosen = set(random.Random(seed).sample(range(count), most))
        return [id for n, (id,) in enumerate(rows) if n in chosen]

    @_guarded
    def merged_into(self, profile: str) -> list[str]:
        """The profiles that became part of one, directly or not."""
        rows = self.db.execute(
            "WITH RECURSIVE parts(id) AS (SELECT id FROM profile WHERE merged = ?1 UNION "
            "SELECT p.id FROM profile AS p JOIN parts ON p.merged = parts.id) SELECT id FROM parts WHERE id <> ?1 ORDER BY id",
            (profile,),
        )
        return [id for (id,) in rows.fetchall()]

    @_guarded
    def events(self, profile: str) -> list[tuple[str | None, bytes]]:
        """The events that arrived live and are a profile's: key and document, in the order of arrival."""
        rows = self.db.execute("SELECT key, document FROM history WHERE profile = ? ORDER BY n", (profile,))
        return rows.fetchall()

    @_guarded
    def events_with(self, words: list[str] | None) -> list[tuple[str, str, bytes]]:
        """(profile, key, document) of live events with a key that may have one of some words in them, written large or small; those that
        are not plain ASCII may have any. None: all."""
        rows = self.db.execute(
            f"SELECT profile, key, document FROM history WHERE key IS NOT NULL AND {_may_say('document')} ORDER BY n",
            (_plain_words(words),),
        )
        return rows.fetchall()

    @_guarded
    def log_with(self, words: list[str] | None) -> list[tuple[int, bytes]]:
        """(number, message) of the inputs that the graph gave; those that may have one of some words in them, likewise."""
        rows = self.db.execute(
            f"SELECT n, message FROM graph_log WHERE {_may_say('message')} ORDER BY n", (_plain_words(words),)
        )
        return rows.fetchall()

    @_guarded
    def gone(self, profile: str) -> set[str]:
        """The keys of events that left a profile or never happened."""
        return {key for (key,) in self.db.execute("SELECT key FROM gone WHERE profile = ?", (profile,)).fetchall()}

    @_guarded
    def left(self, profile: str) -> list[tuple[str, str]]:
        """(key, profile) of events that left a profile, and where they went: an empty name for those that never happened."""
        return self.db.execute("SELECT key, target FROM gone WHERE profile = ?", (profile,)).fetchall()

    @_guarded
    def moved_to(self, profile: str) -> list[tuple[str, str]]:
        """(profile, key) of events that came to a profile with a split."""
        rows = self.db.execute("SELECT profile, key FROM gone WHERE target = ? AND target <> ''", (profile,))
        return rows.fetchall()

    @_guarded
    def paused(self, profile: str) -> dict[str, str]:
        """The memberships of a profile that are held: segment and version."""
        return dict(self.db.execute("SELECT segment, version FROM paused WHERE profile = ?", (profile,)).fetchall())

    @_guarded
    def hold(self, profile: str, memberships: Mapping[str, str]) -> None:
        """Held memberships in place of those before."""
        self.db.execute("DELETE FROM paused WHERE profile = ?", (profile,))
        rows = ((profile, segment, version) for segment, version in memberships.items())
        self.db.executemany("INSERT INTO paused VALUES (?, ?, ?)", rows)

    # --- writing ---
    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _refused(error) from None
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def commit(self, commit: Commit) -> None:
        with self.transaction():
            self.write(commit)
        if commit.erased is not None or not self._truncated:
            self._truncated = self._truncate(0 if commit.erased is None else PATIENCE)

    @_guarded
    def _truncate(self, patience: int) -> bool:
        """What was erased is not in the journal either, nor what a process erased that was killed before it came to this. False: somebody
        looks at the state and has not done so within some milliseconds; to be tried again after the next commit."""
        self.db.execute(f"PRAGMA busy_timeout = {patience}")
        busy: int = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self.db.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        return not busy

    def write(self, commit: Commit) -> None:
        """The statements of a commit, inside a transaction."""
        many = self.db.executemany
        many(
            "INSERT INTO profile VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET data = ?2, due = ?3, merged = ?4",
            ((r.profile, r.data, r.due, r.into) for r in commit.rows),
        )
        many("INSERT OR REPLACE INTO position VALUES (?, ?)", commit.positions.items())
        write_history(self.db, commit.history)
        many("INSERT OR IGNORE INTO identity VALUES (?, ?, ?)", commit.identities)
        if commit.closed:
            self.db.execute("DELETE FROM pending")
        many("INSERT INTO pending (message) VALUES (?)", ((message,) for message in commit.pending))
        many("INSERT INTO clock_log VALUES (?, ?, ?)", commit.clock_log)
        made = commit.progress
        totals = {TRANSITIONS: made.transitions, QUARANTINE: made.quarantined, ATTRIBUTES: made.changes}
        for outlet, lines in commit.lines.items():
            first = totals[outlet] - len(lines) + 1
            many("INSERT INTO outbox VALUES (?, ?, ?)", ((outlet, n, line) for n, line in enumerate(lines, first)))
        for outlet, written in commit.written.items():
            self.db.execute("INSERT OR REPLACE INTO outlet VALUES (?, ?, ?, ?)", (outlet, *astuple(written)))
            self.db.execute("DELETE FROM outbox WHERE outlet = ? AND n <= ?", (outlet, written.line))
        if commit.clock_log:
            self.db.execute("DELETE FROM clock_log WHERE at < ?", (commit.progress.clock - self.keep_log,))
        self._log(commit)
        if commit.graph is not None:
            self._know(commit.graph)
        self._erase(commit.erased or [])
        self._set("progress", json.dumps(asdict(commit.progress)))

    def _log(self, commit: Commit) -> None:
        for item in commit.logged:
            n = self.db.execute(
                "INSERT INTO graph_log (taken, at, message) VALUES (?, ?, ?)", (item.taken, item.at, item.message)
            ).lastrowid
            self.db.executemany("INSERT INTO graph_log_profile VALUES (?, ?)", ((n, p) for p in item.profiles))
        if commit.logged:
            self.db.execute("DELETE FROM graph_log WHERE at < ?", (commit.progress.clock - self.keep_log,))
            self.db.execute("DELETE FROM graph_log_profile WHERE n NOT IN (SELECT n FROM graph_log)")

    def _know(self, graph: GraphKnown) -> None:
        many = self.db.executemany
        self.db.execute("INSERT OR REPLACE INTO identity SELECT * FROM temp.staged ORDER BY rowid")
        self.db.execute("DELETE FROM temp.staged")
        many("DELETE FROM identity WHERE namespace = ? AND id = ?", graph.forgotten)
        many("DELETE FROM graph_part WHERE part = ?", ((p,) for p in graph.digests))
        many("INSERT INTO graph_part VALUES (?, ?)", ((p, d) for p, d in graph.digests.items() if d is not None))
        if graph.salt:
            self._set("salt", graph.salt)
            many("INSERT OR IGNORE INTO deleted VALUES (?)", ((d,) for d in graph.deleted))
        many("UPDATE graph_log SET message = ?2 WHERE n = ?1", graph.silenced.items())
        self._set("graph", graph.version)

    def _erase(self, profiles: list[str]) -> None:
        """Of these nothing stays; the places are overwritten (`secure_delete`)."""
        if not profiles:
            return
        chosen = "IN (SELECT value FROM json_each(?))"
        names = json.dumps(profiles)
        self.db.execute(
            f"DELETE FROM graph_log WHERE n IN (SELECT n FROM graph_log_profile WHERE profile {chosen})", (names,)
        )
        for table, column in (
            ("graph_log_profile", "profile"), ("profile", "id"), ("history", "profile"), ("gone", "profile"), ("gone", "target"),
            ("identity", "profile"), ("paused", "profile"),
        ):  # fmt: skip
            self.db.execute(f"DELETE FROM {table} WHERE {column} {chosen}", (names,))

    def close(self) -> None:
        try:
            self.db.close()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path) -> int:
    """The folder's lock, held until it is closed or the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StreamError("PQL0633", f"`{folder}` cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StreamError(
            "PQL0632", f"the state `{folder}` is in use by another stream", "end that one first, or name another folder"
        ) from None
    return lock
