"""One profile as a stream's state has it, for people who ask. Only reads. Read `held`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pql.identity.settings import IdentitySettings, split_name
from pql.runtime.hosting import read_state
from pql.runtime.inputs import Document
from pql.runtime.state import OUT_OF_RANGE, StateError, instant
from pql.streams.errors import StreamError
from pql.streams.sqlite import SqliteState
from pql.streams.state import Kept, Row
from pql.streams.state import instant as clock_of


@dataclass(frozen=True)
class HeldValue:
    """A computed attribute that is not null, since when it is so, and the labels and paths of what it reads."""

    value: Any
    since: datetime | None
    labels: frozenset[str]
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """`profile`: its name. `clock`: the state's, as of which everything is."""

    profile: str
    clock: datetime
    record: Document | None
    members: frozenset[str]
    values: dict[str, HeldValue]


def held(state: SqliteState, text: str, settings: IdentitySettings) -> Held | None:
    """The profile of a name or of an identity; the one that it was merged into. Raises StreamError."""
    kept, clock = state.kept(), clock_of(state.progress().clock)
    row = state.load(text) or _by_identity(state, text, settings)
    while row is not None and row.into is not None:
        row = state.load(row.into)
    if kept is None or row is None:
        return None
    return _held(row, kept, clock)


def _by_identity(state: SqliteState, text: str, settings: IdentitySettings) -> Row | None:
    parts = split_name(text, settings)
    owner = None if parts is None else state.owner(*parts)
    return None if owner is None else state.load(owner)


def _held(row: Row, kept: Kept, clock: datetime) -> Held:
    names = [name for name, _ in kept.attributes]
    try:
        found = read_state(kept.fingerprint, [id for id, _ in kept.segments], names, row.data)
    except StateError as error:
        raise StreamError(error.code, f"profile `{row.profile}`: {error}") from None
    known = {name: (frozenset(labels), tuple(reads)) for name, labels, reads in kept.reads}
    values = {
        name: HeldValue(value, None if at is None else instant(at), *known[name])
        for name, (value, at) in found.values.items()
        if value is not None and value is not OUT_OF_RANGE
    }
    return Held(row.profile, clock, found.record, frozenset(found.members), values)
