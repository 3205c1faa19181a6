"""What a stream keeps, and the port to where it is kept. Instants are microseconds since 1970 here. Read `State`.

Must not know engines: a profile's state is bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1)
TRANSITIONS, QUARANTINE, ATTRIBUTES = "transitions", "quarantine", "attributes"


def micros(at: datetime) -> int:
    span = at - EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


@dataclass(frozen=True, slots=True)
class Row:
    """A profile: its state, when it has to be looked at again, and the profile that it was merged into."""

    profile: str
    data: bytes
    due: int | None = None
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream is. `taken`: messages, those in quarantine too; `transitions`, `quarantined`, `changes` (of attributes): lines that were made; `profiles`, `timers`: kept now."""

    clock: int
    arrivals: int = 0
    taken: int = 0
    transitions: int = 0
    quarantined: int = 0
    profiles: int = 0
    timers: int = 0
    changes: int = 0

    @property
    def at(self) -> datetime | None:
        """The clock; None: there is none yet."""
        found = instant(self.clock)
        return None if found == datetime.min else found


@dataclass(frozen=True, slots=True)
class Written:
    """How far an outlet has handed lines over: the number of the last one, which target had it, and the target's length after it
    (-1: not known, nothing was written there)."""

    line: int = 0
    length: int = -1
    target: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """An event of a profile, in place of the one with its key."""

    profile: str
    key: str | None
    document: bytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """The event of that key never happened."""

    profile: str
    key: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The events of `source` are `profile`'s."""

    profile: str
    source: str


@dataclass(frozen=True, slots=True)
class Parted:
    """The events of those keys are `target`'s."""

    profile: str
    target: str
    keys: tuple[str, ...]


Happened = Put | Dropped | Joined | Parted


@dataclass
class GraphKnown:
    """What a state knows of a store's graph. `Identities that were staged take the place of what was known of them. `forgotten`:
    (namespace, id). `digests`: of parts that are others now, None where a part is empty. `salt`, `deleted`: of deleted people's
    identities, all that there are. `silenced`: inputs of the log, by number, without what they said of the deleted."""

    version: str
    forgotten: Iterable[tuple[str, str]] = ()
    digests: Mapping[int, int | None] = field(default_factory=dict)
    salt: str = ""
    deleted: Iterable[str] = ()
    silenced: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Logged:
    """An input that was no message: how many messages were taken before, the clock, and whom it is about."""

    taken: int
    at: int
    profiles: tuple[str, ...]
    message: bytes


@dataclass
class Commit:
    """One transaction. `positions`: by source. `lines`: by outlet, those made since the last commit. `written`: by outlet, what
    was handed over before. `clock_log`: (messages taken before, what, instant), where the wall clock decided, or a deletion ended the
    clock's instant: an `advance` after those messages, or the `arrival` of the next one. `history`: what happened to the events of profiles. `pending`: the inputs of the clock's instant, which is open, as messages: new ones, in place of
    those before when `closed`. `identities`: (namespace, id, profile) that became known. `logged`: what came from the graph.
    `erased`: profiles of which nothing may stay; None: nobody was deleted."""

    progress: Progress
    rows: list[Row] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    clock_log: list[tuple[int, str, int]] = field(default_factory=list)
    history: list[Happened] = field(default_factory=list)
    pending: list[bytes] = field(default_factory=list)
    closed: bool = False
    identities: list[tuple[str, str, str]] = field(default_factory=list)
    graph: GraphKnown | None = None
    logged: list[Logged] = field(default_factory=list)
    erased: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """The plan that a state belongs to. `segments`: (id, version) of its roots, in order; `paused` those that are held; `attributes`: (name, version); `reads`:
    of each the labels and the paths of what it reads."""

    fingerprint: str
    segments: tuple[tuple[str, str], ...]
    paused: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = field(default=(), compare=False)


class State(Protocol):
    """Where a stream's state is. Used by one thread. Failures raise StreamError PQL0633."""

    keeps: bool
    writes: bool

    def kept(self) -> Kept | None:
        """The plan; None: a new state."""

    def begin(self, kept: Kept) -> None:
        """Makes a new state that of a plan."""

    def has_stored(self) -> bool:
        """Has it history that came from a store, and not live?"""

    def progress(self) -> Progress: ...

    def position(self, source: str) -> str | None: ...

    def load(self, profile: str) -> Row | None: ...

    def load_many(self, profiles: Sequence[str]) -> list[Row]:
        """Those that there are."""

    def open_inputs(self) -> list[bytes]:
        """The inputs of the instant that is open, as messages."""

    def due(self, after: tuple[int, str] | None, most: int) -> list[tuple[int, str]]:
        """The next profiles to look at after that (instant, profile), in that order."""

    def commit(self, commit: Commit) -> None:
        """All of it, or nothing."""

    def pending(self, outlet: str) -> tuple[Written, list[str]]:
        """What an outlet has handed over for certain, and the lines after it."""

    def size(self) -> int:
        """Bytes."""

    def close(self) -> None: ...


class Unkept:
    """A state that keeps nothing: for a stream that ends with its process."""

    keeps = False
    writes = True

    def __init__(self) -> None:
        self._progress = Progress(micros(datetime.min))

    def kept(self) -> Kept | None:
        return None

    def begin(self, kept: Kept) -> None:
        pass

    def has_stored(self) -> bool:
        return False

    def progress(self) -> Progress:
        return self._progress

    def position(self, source: str) -> str | None:
        return None

    def load(self, profile: str) -> Row | None:
        return None

    def load_many(self, profiles: Sequence[str]) -> list[Row]:
        return []

    def open_inputs(self) -> list[bytes]:
        return []

    def due(self, after: tuple[int, str] | None, most: int) -> list[tuple[int, str]]:
        return []

    def commit(self, commit: Commit) -> None:
        self._progress = commit.progress

    def pending(self, outlet: str) -> tuple[Written, list[str]]:
        return Written(), []

    def size(self) -> int:
        return 0

    def close(self) -> None:
        pass
