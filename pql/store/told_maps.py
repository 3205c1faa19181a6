"""An event's `identityMap` that its identities tell: not stored a second time, put together where it is asked for. Read `stored_field`.

Where it is so, the column `_told` is true and the map null. Must not know connections.
"""

from __future__ import annotations

from collections.abc import Sequence

from pql.store.identity_slots import Place
from pql.store.layout import duckdb_type, quote
from pql.store.owners import text
from pql.types import BOOLEAN, STRING, ListType, MapType, ObjectType, Type


def unlike(places: Sequence[Place], fields: Sequence[str], first: int) -> str:
    """SQL that is true of a row whose identities do not tell its `identityMap`. `first`: the slot of the first place."""
    tests = []
    for i, (_, column) in enumerate(places, first):
        plain = f" AND {column}.{quote('primary')} IS NULL" if "primary" in fields else ""
        tests.append(f"{column} IS NULL OR (_v{i} IS NOT NULL AND _v{i} = _r{i}{plain})")
    return f"NOT ({' AND '.join(f'({t})' for t in tests)})"


def told_map(kind: MapType, identities: str) -> str:
    """SQL of the `identityMap` that the identities of an event tell, where they tell it (`unlike`)."""
    element = kind.value.element if isinstance(kind.value, ListType) else None
    assert isinstance(element, ObjectType)
    given = {"id": "id", "authenticatedState": "state"}

    def entry(x: str) -> str:
        fields = ", ".join(
            f"{text(n)}: {f'{x}.{given[n]}' if n in given else f'NULL::{duckdb_type(f.type)}'}"
            for n, f in element.fields.items()
        )
        return f"[{{{fields}}}]"

    one = f"{identities}[1]"
    several = f"list_sort(list_transform({identities}, lambda x: {{'k': x.namespace, 'v': {entry('x')}}}))"
    return (f"CASE WHEN len({identities}) = 1 THEN MAP([{one}.namespace], [{entry(one)}])"
            f" ELSE map_from_entries({several}) END")  # fmt: skip


def stored_field(name: str, kind: Type, row: str, has_told: bool) -> str:
    """SQL of a field of an event; `row` is its table or alias. `has_told`: there is a column `_told`, true where the `identityMap` is left
    out because the identities tell it."""
    dot = f"{row}." if row else ""
    plain = f"{dot}{quote(name)}"
    if name != "identityMap" or not has_told or not tells_map(kind):
        return plain
    assert isinstance(kind, MapType)
    return f"CASE WHEN {dot}_told THEN {told_map(kind, f'{dot}_identities')} ELSE {plain} END"


def same_field(name: str, kind: Type, one: str, two: str) -> str:
    """SQL that is true when two events have the same value of a field."""
    a, b = stored_field(name, kind, one, True), stored_field(name, kind, two, True)
    same = f"{a} IS NOT DISTINCT FROM {b}"
    if name != "identityMap" or not tells_map(kind):
        return same
    return f"CASE WHEN {one}._told AND {two}._told THEN {one}._identities = {two}._identities ELSE {same} END"


def tells_map(kind: Type) -> bool:
    """May the identities of an event tell its `identityMap`? Not when entries have further fields."""
    element = kind.value.element if isinstance(kind, MapType) and isinstance(kind.value, ListType) else None
    if not isinstance(element, ObjectType) or not {"id", "primary"} >= {*element.fields} - {"authenticatedState"}:
        return False
    return all(f.type == (BOOLEAN if n == "primary" else STRING) for n, f in element.fields.items())
