"""Which tables hold a schema's profiles and events, and in which order: what the compiler may choose from.

Pure data: a store describes itself so, and so can a service that has tables of its own. Must not know connections.
Read `Layout`, then `nested_layout` (the plain one that every store has).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pql.types import ObjectType

Path = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with a row a profile, an event, or an element of a list in an event.

    `columns` gives the column of a path (in an element table: of the element; `event`: of its event); a path below one of these is a field of that STRUCT. `key` is the profile's
    number. `position` is unique and in the order of `xEvent` (of an element table: of its elements); `latest` too, but in
    the order of time with the first of equal instants last. `clustered` says what neighbours share: `time` (sorted by
    event type and instant) or `profile`.
    """

    name: str
    key: str
    columns: Mapping[Path, str]
    event: Mapping[Path, str] = field(default_factory=dict)
    position: str | None = None
    latest: str | None = None
    clustered: str = "profile"


def find(columns: Mapping[Path, str], path: Path) -> tuple[str, Path] | None:
    """The column that holds a path, and the STRUCT fields below it."""
    for length in range(len(path), 0, -1):
        column = columns.get(path[:length])
        if column is not None:
            return column, path[length:]
    return None


@dataclass(frozen=True)
class Layout:
    """`events`: copies of the events, the first is complete (all fields, nested). `elements`: tables of list elements by
    the list's path in an event; they leave null elements out. `indexed`: there is more than the plain tables.
    `complete`: every event belongs to a row of the profile table.
    """

    profile: Table
    events: tuple[Table, ...]
    elements: Mapping[Path, Table] = field(default_factory=dict)
    indexed: bool = False
    complete: bool = True

    def by_time(self) -> Table:
        return next((t for t in self.events if t.clustered == "time"), self.events[0])

    def by_profile(self) -> Table:
        return next((t for t in self.events if t.clustered == "profile"), self.events[0])


def nested_layout(profile: ObjectType, event: ObjectType) -> Layout:
    """The two plain tables: a column for each top field, `_pid`, and `_seq` for an event's arrival."""
    fields: dict[Path, str] = {(n,): n for n in profile.fields if n != "xEvent"}
    own: dict[Path, str] = {(n,): n for n in event.fields}
    return Layout(Table("profile", "_pid", fields), (Table("event", "_pid", own),))
