"""Layer 1 of the store: one table a dataset, filled batch by batch, each batch one transaction. docs/STORE.md.

A batch stages typed rows chunk by chunk, finds their identities and keys, and settles them: inserted, updated, duplicate,
or refused. Mapping is done elsewhere: a SELECT over the table `incoming`, or documents. Read `DatasetLoad`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from pql.store.identify import IdentityPlan
from pql.store.identity_slots import EVENT_IDENTITY_TYPE, IDENTITY_TYPE, MapShape, Place
from pql.store.layout import arrow_type, duckdb_type, quote
from pql.store.ledger import (
    DELETED,
    Counts,
    Refused,
    arrival,
    create_ledger,
    describe_dataset,
    free,
    next_number,
    next_row,
    one,
    record_batch,
    refuse,
)
from pql.store.load_settings import reset_after_loads, set_for_loads
from pql.store.settling import settle_events, settle_records
from pql.store.store import Store, StoreError
from pql.store.straight import STRAIGHT_ROWS, forget, put_straight
from pql.store.tombstones import deleted_rows, lines_of_deleted
from pql.types import ObjectType

Path = tuple[str, ...]
NAMED = f"_key VARCHAR, _primary VARCHAR, _identities {IDENTITY_TYPE}"
EVENT_NAMED = f"""_key VARCHAR AS ("_id"), _primary VARCHAR AS (struct_extract(_identities[1], 'namespace') || ':' || struct_extract(_identities[1], 'id')),
_identities {EVENT_IDENTITY_TYPE}"""
"""What is worked out when it is read takes no place and no time when it is written."""

PARALLEL_ROWS = 61_440
"""Rows of a chunk that one thread maps at a time: half a row group."""
SAMPLE_ROWS = 2_000
BEYOND_MOST = 100
"""Rows of a chunk whose identity map holds more than expected that are worked out singly; with more of them the chunk is mapped again."""


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset as its sources declare it. `kind`: record, event or lookup; `columns`: the schema's object; `leaves`:
    the paths that any of its sources fills; `by_order`: rows say themselves when they were true (`order_by`)."""

    name: str
    title: str
    kind: str
    owner: str
    labels: tuple[str, ...]
    columns: ObjectType
    leaves: tuple[Path, ...]
    identities: IdentityPlan
    mode: str = "upsert"
    by_order: bool = False

    @property
    def table(self) -> str:
        return f"data.{quote(self.name)}"

    @property
    def is_event(self) -> bool:
        return self.kind == "event"

    @property
    def nobody(self) -> str:
        """SQL that is true of a row without a key or a primary identity."""
        return f"_key IS NULL OR {'len(_identities) = 0' if self.is_event else '_primary IS NULL'}"


def create_dataset(connection: duckdb.DuckDBPyConnection, spec: DatasetSpec) -> None:
    """Make the table, or add the columns that it lacks. Raises StoreError PQL0832 when a column has another type."""
    columns = {n: duckdb_type(f.type) for n, f in spec.columns.fields.items()}
    fields = "".join(f", {quote(n)} {t}" for n, t in columns.items())
    named = EVENT_NAMED if spec.is_event else f"{NAMED}, _times MAP(VARCHAR, TIMESTAMP)"
    own = f"_row BIGINT, _batch BIGINT, _line BIGINT, _arrived TIMESTAMP, _ordered TIMESTAMP, {named}"
    connection.execute(f"CREATE TABLE IF NOT EXISTS {spec.table} ({own}{fields})")
    found = {r[0]: r[1] for r in connection.execute(f"DESCRIBE {spec.table}").fetchall()}
    if spec.is_event and one(connection, f"SELECT typeof(NULL::{EVENT_IDENTITY_TYPE})") != found["_identities"]:
        raise StoreError(
            "PQL0832", f"dataset `{spec.name}` was written by another version of PQL: load its sources into a new store"
        )
    if spec.is_event:
        columns["_told"] = "BOOLEAN"
    for name, kind in columns.items():
        if name not in found:
            connection.execute(f"ALTER TABLE {spec.table} ADD COLUMN {quote(name)} {kind}")
            continue
        if one(connection, f"SELECT typeof(NULL::{kind})") != found[name]:
            raise StoreError(
                "PQL0832", f"dataset `{spec.name}` has `{name}` with another type: the schema has changed since"
            )


def _nulls(kinds: Mapping[str, str]) -> str:
    return "".join(f", NULL::{t} AS {quote(n)}" for n, t in kinds.items())


def _for_threads(table: pa.Table, rows: int = PARALLEL_ROWS) -> pa.Table:
    """The table in pieces of exactly so many rows for several threads, but for the last: a thread that takes pieces of another size leaves
    a row group unfinished, and the next checkpoint writes it and its neighbours anew, together. Nested columns stay as they are: the
    database does not read cut ones."""
    if any(pa.types.is_nested(kind) for kind in table.schema.types):
        return table
    pieces = table.to_batches(max_chunksize=rows)
    if any(p.num_rows != rows for p in pieces[:-1]):
        pieces = table.combine_chunks().to_batches(max_chunksize=rows)
    return pa.Table.from_batches(pieces, table.schema)


class DatasetLoad:
    """One batch: `with DatasetLoad(…) as load`, then for each chunk `stage`, `add`, `settle`. Leaving commits; an error rolls back."""

    def __init__(self, store: Store, spec: DatasetSpec, source: str, file: str) -> None:
        self.connection, self.spec, self.source, self.file = store.connection, spec, source, file
        self.counts = Counts()
        self.refused: list[Refused] = []
        """Of the last chunk."""
        self.batch, self.rows = 0, 0
        self.shape: MapShape | None = None
        self.chunks = 0
        """Settled so far."""
        self.remembered: int | None = None
        """The first row whose key is not among the hashes of `stored_keys`; None when there are none."""
        self.met = False
        """Did a row of this load meet another, or a stored one?"""
        self.tells: bool | None = None
        """Are identity maps left out that the identities of their rows tell? None before the first chunk."""
        self.first, self.appended = 0, 0
        self.offset: int | None = None
        """Of a chunk that went straight (`pql.store.straight`): its first row, how many rows were appended, and what is added to a line to
        make a row's number."""
        self.arrived = datetime.now(UTC).replace(tzinfo=None)

    def __enter__(self) -> DatasetLoad:
        set_for_loads(self.connection)
        self.connection.execute("BEGIN")
        create_ledger(self.connection)
        create_dataset(self.connection, self.spec)
        self.arrived = arrival(self.connection)
        self.batch = next_number(self.connection, "meta.batch", "batch")
        self.rows = next_row(self.connection)
        spec = self.spec
        describe_dataset(self.connection, spec.name, spec.title, spec.kind, spec.owner, spec.labels, self.source)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.connection.execute("ROLLBACK")
            reset_after_loads(self.connection)
            return
        c = self.counts.check()
        finished = datetime.now(UTC).replace(tzinfo=None)
        row = [
            self.batch,
            self.spec.name,
            self.source,
            self.file,
            self.arrived,
            finished,
            c.read,
            c.stored,
            c.duplicates,
            c.quarantined,
        ]
        record_batch(self.connection, row)
        self.connection.execute("COMMIT")
        reset_after_loads(self.connection)

    def look_up(self, name: str, rows: Mapping[str, Mapping[str, Any]], text: Any) -> None:
        """Make the rows of a look-up available to the SELECT, as the temporary table `lookup_<name>`. `text`: a row as JSON."""
        table = pa.table(
            {"key": pa.array(list(rows), pa.string()), "doc": pa.array([text(r) for r in rows.values()], pa.string())}
        )
        self.connection.register("look_up_rows", table)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {quote('lookup_' + name)} AS SELECT key, doc::JSON AS doc FROM look_up_rows"
        )
        self.connection.unregister("look_up_rows")

    def stage(
        self, incoming: pa.Table | None, select: str | None, columns: Sequence[str], odd: str | None = None,
        places: Sequence[Place] = (),
    ) -> list[int]:  # fmt: skip
        """Map a chunk with a SELECT over `incoming` (or begin an empty one). The lines that SQL does not vouch for, those that the
        SELECT `odd` finds among them. `places`: further columns of the SELECT, each with an identity of the `identityMap`."""
        kinds = self._kinds(columns)
        run = self.connection.execute
        free(self.connection, "ready")
        if incoming is None or select is None:
            empty = f"SELECT * FROM (SELECT NULL::BIGINT AS _line, FALSE AS _doubtful{_nulls(kinds)}) WHERE FALSE"
            self._begin(kinds)
            run(f"INSERT INTO ready BY NAME {self._identified(empty)}")
            return []
        incoming = _for_threads(incoming)
        self._map(select, incoming, kinds, places)
        found = run("SELECT _line FROM ready WHERE _doubtful OR _beyond").fetchall()
        if found:
            run("DELETE FROM ready WHERE _doubtful OR _beyond")
        doubtful = {line for (line,) in found}
        strange = {line for (line,) in run(odd).fetchall()} - doubtful if odd is not None else set()
        self.leave(strange)
        return sorted(doubtful | strange)

    def put(
        self,
        incoming: pa.Table,
        select: str,
        columns: Sequence[str],
        odd: str | None = None,
        places: Sequence[Place] = (),
    ) -> list[int] | None:
        """Map a chunk and append its rows at once, if none of them meets another; the lines that are left then, else None."""
        self._kinds(columns)
        incoming = _for_threads(incoming, STRAIGHT_ROWS)
        strange = [line for (line,) in self.connection.execute(odd).fetchall()] if odd is not None else []
        if self._by_shape(places) and self.shape is None:
            self.shape = self._shape(f"{select} LIMIT {SAMPLE_ROWS}", incoming)
        tells = self._tells(select, incoming, places)
        mapped = self._identified(select, self.shape if self._by_shape(places) else None, places, tells)
        left = put_straight(self, mapped, incoming, strange)
        self.tells = tells and (left is None or len(left) <= BEYOND_MOST)
        return left

    def _kinds(self, columns: Sequence[str]) -> dict[str, str]:
        fields = self.spec.columns.fields
        kinds = {n: duckdb_type(fields[n].type) if n in fields else "TIMESTAMP" for n in columns}
        self.columns = tuple(kinds)
        return kinds

    def _by_shape(self, places: Sequence[Place]) -> bool:
        """Are identity maps taken apart, and what they hold at most asked before?"""
        plan = self.spec.identities
        if "identityMap" not in self.columns or plan.is_repeated(self.spec, self.columns):
            return False
        return not (places and plan.by_places(self.spec, self.columns, places))

    def leave(self, lines: Iterable[int]) -> None:
        """Take rows out of the staged ones."""
        given = list(lines)
        if given:
            self.connection.register("left_lines", pa.table({"line": pa.array(given, pa.int64())}))
            self.connection.execute("DELETE FROM ready WHERE _line IN (SELECT line FROM left_lines)")
            self.connection.unregister("left_lines")

    def _begin(self, kinds: Mapping[str, str]) -> None:
        """Make `ready`, empty. The key of events is worked out where it is asked for."""
        named = NAMED
        if self.spec.is_event:
            named = EVENT_NAMED if "_id" in kinds else EVENT_NAMED.replace('("_id")', "(NULL)")
        fields = "".join(f", {quote(n)} {t}" for n, t in kinds.items() if n != "_ordered")
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE ready (_line BIGINT, {named}, _told BOOLEAN, _doubtful BOOLEAN, _beyond BOOLEAN, _ordered TIMESTAMP{fields})"
        )

    def _map(self, select: str, incoming: pa.Table, kinds: Mapping[str, str], places: Sequence[Place]) -> None:
        """Fill `ready`. Identity maps are expected to hold what those before held; when many hold more, all are looked at.

        The statements find `incoming` by its name in this function: a registered table would be held until the transaction ends.
        """
        by_shape = self._by_shape(places)
        if by_shape and self.shape is None:
            self.shape = self._shape(f"{select} LIMIT {SAMPLE_ROWS}", incoming)
        tells = self._tells(select, incoming, places)
        made = self._identified(select, self.shape if by_shape else None, places, tells)
        self._begin(kinds)
        if tells:
            self.connection.execute(
                f"INSERT INTO ready BY NAME SELECT * EXCLUDE (identityMap), TRUE AS _told FROM ({made})"
            )
            if int(one(self.connection, "SELECT count(*) FROM ready WHERE _beyond")) <= BEYOND_MOST:
                return
            self.tells = False
            self._begin(kinds)
            made = self._identified(select, None, places)
        self.connection.execute(f"INSERT INTO ready BY NAME {made}")
        if by_shape and int(one(self.connection, "SELECT count(*) FROM ready WHERE _beyond")) > BEYOND_MOST:
            self.shape = self._shape(select, incoming) | (self.shape or MapShape())
            free(self.connection, "ready")
            self._begin(kinds)
            self.connection.execute(f"INSERT INTO ready BY NAME {self._identified(select, self.shape)}")

    def _shape(self, select: str, incoming: pa.Table) -> MapShape:
        """What the identity maps of mapped rows hold at most."""
        run = self.connection.execute
        run(f"CREATE OR REPLACE TEMP TABLE maps AS SELECT identityMap FROM ({select})")
        keys = int(one(self.connection, "SELECT coalesce(max(cardinality(identityMap)), 0) FROM maps"))
        found = run("""SELECT k, max(len(v)) FROM (SELECT unnest(map_keys(identityMap)) AS k, unnest(map_values(identityMap)) AS v FROM maps)
                       GROUP BY k""").fetchall()  # fmt: skip
        free(self.connection, "maps")
        return MapShape(frozenset(str(k) for k, _ in found), keys, max((int(n or 0) for _, n in found), default=0))

    def _identified(
        self, rows: str, shape: MapShape | None = None, places: Sequence[Place] = (), told: bool = False
    ) -> str:
        return self.spec.identities.select(self.spec, self.columns, self.arrived, rows, shape, places, told)

    def _tells(self, select: str, incoming: pa.Table, places: Sequence[Place]) -> bool:
        """Do the identities of the first mapped rows tell their identity maps, but for one in a hundred? `incoming` is found by its name."""
        if self.tells is None and self.spec.identities.tells(self.spec, self.columns, places):
            few = self._identified(f"{select} LIMIT {SAMPLE_ROWS}", None, places, True)
            found = self.connection.execute(f"SELECT count(*) FROM ({few}) WHERE _beyond AND NOT _doubtful").fetchall()
            self.tells = int(found[0][0]) <= SAMPLE_ROWS // 100
        return bool(self.tells)

    def add(self, lines: Sequence[int], documents: Sequence[Mapping[str, Any]]) -> None:
        """Stage documents that were mapped in Python."""
        if not documents:
            return
        fields = self.spec.columns.fields
        data: dict[str, pa.Array] = {
            "_line": pa.array(lines, pa.int64()),
            "_doubtful": pa.array([False] * len(lines), pa.bool_()),
        }
        for name in self.columns:
            kind = arrow_type(fields[name].type) if name in fields else pa.timestamp("us")
            data[name] = pa.array([d.get(name) for d in documents], kind)
        self.connection.register("made_rows", pa.table(data))
        self.connection.execute(f"INSERT INTO ready BY NAME {self._identified('SELECT * FROM made_rows')}")
        self.connection.unregister("made_rows")

    def of_nobody(self) -> list[int]:
        """The lines of staged rows without a usable identity or key."""
        found = self.connection.execute(f"SELECT _line FROM ready WHERE {self.spec.nobody} ORDER BY _line").fetchall()
        return [line for (line,) in found]

    def settle(self, refused: Sequence[Refused], raw: Callable[[Sequence[int]], Sequence[str]]) -> Counts:
        """Put the staged rows where they belong. `refused`: rows of the chunk that do not fit; `raw`: rows as they
        came, by their lines."""
        connection, spec = self.connection, self.spec
        lines = self.of_nobody()
        if lines:
            reason = spec.identities.reason(spec.kind)
            texts = zip(lines, raw(lines), strict=True)
            refused = [*refused, *(Refused(line, "", "PQL0828", reason, text) for line, text in texts)]
            connection.execute(f"DELETE FROM ready WHERE {spec.nobody}")
        self.refused = self._without_deleted(refused)
        refused = self.refused
        put_aside = refuse(connection, self.batch, spec.name, self.source, self.file, refused, self.arrived)
        fitting = int(one(connection, "SELECT count(*) FROM ready")) + self.appended
        settle = settle_events if spec.is_event else settle_records
        stored = settle(self) + self.appended
        forget(self)
        deleted = sum(r.code == DELETED for r in refused)
        return self._counted(Counts(fitting + put_aside, stored, fitting - stored, put_aside, deleted))

    def settle_straight(self) -> Counts:
        """The same for a chunk of which nothing is left."""
        self.refused = []
        return self._counted(Counts(self.appended, self.appended))

    def _counted(self, counts: Counts) -> Counts:
        self.chunks += 1
        self.appended, self.offset = 0, None
        self.counts += counts.check()
        return counts

    def _without_deleted(self, refused: Sequence[Refused]) -> list[Refused]:
        """The refused rows, and those among the staged that tell of deleted people; of the latter nothing is kept."""
        connection = self.connection
        named = lines_of_deleted(connection, [(r.line, r.raw) for r in refused])
        lines = set(named)
        staged = deleted_rows(connection, self.spec.identities.rules, "ready", "_line")
        if staged is not None:
            found = [line for (line,) in connection.execute(staged).fetchall()]
            lines.update(found)
            self.leave(found)
        gone = [Refused(line, "", DELETED, "the row tells of a deleted person", "") for line in sorted(lines)]
        return [*(r for r in refused if r.line not in named), *gone]
