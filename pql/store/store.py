"""The profile store: typed tables in DuckDB, loaded from typed values, queried with the clock as a parameter.

The only room that holds a connection. Must not know syntax, types' rules or SQL generation. Read `Store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pql.compiler.layout import Layout
from pql.store.indexes import build_indexes, find_indexes
from pql.store.layout import arrow_type, duckdb_type, quote
from pql.store.memory_limits import limit_problem
from pql.store.opening import connect_patiently, finish_deletion, why_not_opened
from pql.types import Type
from pql.xdm.schema import Schema

Row = tuple[int, Mapping[str, Any]]


DAMAGED = ("could not read enough bytes", "checksum", "corrupt", "failed to deserialize")
"""What the database says of a file that is not as it was written."""


class StoreError(Exception):
    """A failure that the user must hear of: `code` is in the register."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def wrapped(error: duckdb.Error) -> StoreError:
    """A failure of the database with the code of the register."""
    message = str(error).split("\n")[0]
    low = message.lower()
    if any(words in low for words in DAMAGED):
        return StoreError(
            "PQL0605", f"the store's file is damaged or cut short; restore it from a copy, or load anew ({message})"
        )
    if isinstance(error, duckdb.InterruptException):
        code = "PQL0602" if "time" in low else "PQL0604"
    elif isinstance(error, duckdb.OutOfMemoryException):
        code = "PQL0603"
    elif isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        code = "PQL0601"
    else:
        code = "PQL0605"
    return StoreError(code, message)


def refusal(error: Exception) -> StoreError | None:
    """A failure of a store or of its database, wherever it comes out; None: it is something else."""
    if isinstance(error, duckdb.Error):
        return wrapped(error)
    return error if isinstance(error, StoreError) else None


class Store:
    """One DuckDB database with the tables `profile` and `event` of a schema."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        self.connection, self.schema = connection, schema
        self.arrivals = 0
        self.place = "main"
        """The database schema with the profiles that questions are about: that of a merge policy."""
        self._layout: Layout | None = None
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")

    @classmethod
    def memory(cls, schema: Schema) -> Store:
        store = cls(duckdb.connect(), schema)
        store.create()
        return store

    @classmethod
    def open(
        cls, path: Path, schema: Schema, read_only: bool = False, memory_limit: str = "4GB", timeout: float = 0
    ) -> Store:
        """A store in a file. `memory_limit` as DuckDB writes it; `timeout` in seconds for one statement (0: none).

        Raises StoreError PQL0904 when the file is no store, or somebody else has it, or the limit is none; PQL0603 when it is too small.
        """
        finish_deletion(path)
        try:
            store = cls(connect_patiently(path, read_only, memory_limit), schema)
            if timeout > 0:
                store.connection.execute(f"SET GLOBAL max_execution_time = {max(1, int(timeout * 1000))}")
            return store
        except duckdb.Error as error:
            code, message = limit_problem(memory_limit, error) or ("PQL0904", why_not_opened(path, error))
            raise StoreError(code, message) from None

    def _columns(self) -> tuple[dict[str, Type], dict[str, Type]]:
        profile = {n: f.type for n, f in self.schema.profile.fields.items() if n != "xEvent"}
        return profile, {n: f.type for n, f in self.schema.event.fields.items()}

    def create(self) -> None:
        """Make both tables, empty."""
        profile, event = self._columns()
        for table, keys, columns in (("profile", "_pid BIGINT", profile), ("event", "_pid BIGINT, _seq BIGINT", event)):
            fields = "".join(f", {quote(n)} {duckdb_type(t)}" for n, t in columns.items())
            self.connection.execute(f"CREATE OR REPLACE TABLE {table} ({keys}{fields})")

    def clear(self) -> None:
        self.connection.execute("DELETE FROM profile")
        self.connection.execute("DELETE FROM event")

    @property
    def layout(self) -> Layout:
        """Which tables there are, for the compiler."""
        if self._layout is None:
            self._layout = find_indexes(self.connection, self.schema, self.place)
        return self._layout

    def awaits_index(self) -> bool:
        """Has merging left `event` as a view, for the indexes to be made from it at the first question?"""
        rows = self.connection.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_name = 'event' AND table_schema = ?"
            " AND table_type = 'VIEW' AND table_catalog = current_database()",
            [self.place],
        ).fetchall()
        return bool(rows)

    def use(self, place: str) -> bool:
        """From here on ask the profiles of another merge policy (its `place`); False, and nothing done, when the store has none."""
        rows = self.connection.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_name = 'profile' AND table_schema = ?"
            " AND table_catalog = current_database()",
            [place],
        ).fetchall()
        if rows:
            self.connection.execute(f"SET schema = {quote(place)}")
            self.place = place
            self.forget_layout()
        return bool(rows)

    def forget_layout(self) -> None:
        """Tables were made anew: look at them again before the next question."""
        self._layout = None

    def index(self) -> Layout:
        """Sort the events and make the copies that fast plans read; worth it from a few thousand events on."""
        self._layout = build_indexes(self.connection, self.schema, self.place)
        return self._layout

    def load(self, profiles: Iterable[Row], events: Iterable[Row]) -> None:
        """Append typed rows; events keep their order of arrival."""
        if self._layout is not None and self._layout.indexed:
            raise StoreError("PQL0605", "the store is indexed already: make a new one, or load before indexing")
        profile, event = self._columns()
        self._append("profile", {"_pid": []}, profile, profiles)
        numbered = []
        for pid, document in events:
            self.arrivals += 1
            numbered.append((pid, {**document, "_seq": self.arrivals}))
        self._append("event", {"_pid": [], "_seq": []}, event, numbered)

    def _append(self, table: str, keys: dict[str, list[int]], columns: dict[str, Type], rows: Iterable[Row]) -> None:
        data: dict[str, list[Any]] = {**keys, **{n: [] for n in columns}}
        for pid, document in rows:
            data["_pid"].append(pid)
            for column, values in data.items():
                if column != "_pid":
                    values.append(_plain(document.get(column)))
        arrays = [pa.array(v, pa.int64() if n in keys else arrow_type(columns[n])) for n, v in data.items()]
        if data["_pid"]:
            self.connection.register("incoming", pa.Table.from_arrays(arrays, names=list(data)))
            self.connection.execute(f"INSERT INTO {table} SELECT * FROM incoming")
            self.connection.unregister("incoming")

    def lock(self) -> None:
        """From here on: no files, no network, no settings."""
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def query(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        used = {k: v for k, v in parameters.items() if f"${k}" in sql}
        try:
            rows: list[tuple[Any, ...]] = self.connection.execute(sql, used or None).fetchall()
            return rows
        except duckdb.Error as error:
            raise wrapped(error) from None

    refusals = (duckdb.Error,)

    def name_profiles(self, pids: Mapping[str, int]) -> None:
        """Keep the names that people's profiles came with."""
        table = pa.table({"_pid": pa.array(list(pids.values()), pa.int64()), "id": pa.array(list(pids), pa.string())})
        self.connection.register("incoming", table)
        self.connection.execute("CREATE OR REPLACE TABLE pql_profile AS SELECT * FROM incoming")
        self.connection.unregister("incoming")

    def profile_names(self) -> dict[int, str]:
        """The name of each profile; empty when the store keeps none."""
        try:
            return dict(self.connection.execute("SELECT _pid, id FROM pql_profile").fetchall())
        except duckdb.CatalogException:
            return {}

    def has_ledger(self) -> bool:
        """Does it know its datasets?"""
        found = self.connection.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'meta' AND table_name = 'dataset'"
        )
        return found.fetchone() is not None

    def has_names(self) -> bool:
        """Does it keep the names that profiles came with?"""
        found = self.connection.execute("SELECT 1 FROM information_schema.tables WHERE table_name = 'pql_profile'")
        return found.fetchone() is not None

    def rows_of(self, pid: int) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The profile of a number and its events in their order, typed as `pql.xdm.values` has it; None when there is none."""
        profile, event = self._columns()
        found = []
        for table, columns, order in (("profile", profile, ""), ("event", event, " ORDER BY _seq")):
            names = ", ".join(quote(c) for c in columns)
            rows = self.query(f"SELECT {names} FROM {table} WHERE _pid = $pid{order}", {"pid": pid})
            found.append([{n: v for n, v in zip(columns, row, strict=True) if v is not None} for row in rows])
        return (found[0][0], found[1]) if found[0] else None

    def check_tables(self) -> None:
        """Raises StoreError PQL0904 when the file does not hold the schema's tables."""
        profile, event = self._columns()
        for table, columns in (("profile", {"_pid": None, **profile}), ("event", {"_pid": None, **event})):
            try:
                found = {row[0] for row in self.connection.execute(f"DESCRIBE {table}").fetchall()}
            except duckdb.Error:
                raise StoreError("PQL0904", f"it has no table `{table}`: this is no profile store") from None
            missing = [c for c in columns if c not in found]
            if missing:
                way = "`pql load` brings it up to the schema, a store of `pql store create` is made anew"
                message = f"its table `{table}` lacks `{missing[0]}`: it was made with another schema; {way}"
                raise StoreError("PQL0904", message)

    def progress(self) -> float:
        """How far the running statement is, 0 to 1; below 0 when DuckDB cannot tell."""
        try:
            return float(self.connection.query_progress()) / 100
        except (duckdb.Error, TypeError, ValueError):
            return -1.0

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        self.connection.execute("CHECKPOINT")
        self.connection.close()

    def interrupt(self) -> None:
        self.connection.interrupt()


def _plain(value: Any) -> Any:
    """Maps nested in values become lists of pairs, which is what Arrow wants; objects stay dicts."""
    return value
