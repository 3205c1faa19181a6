"""Identities found by slots are those found by lists, whatever rows hold; rows beyond the measured shape are marked."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pql.identity.settings import identity_from
from pql.identity.values import clean_value
from pql.store.identify import IdentityField, IdentityPlan
from pql.store.identity_slots import MapShape
from pql.store.layout import arrow_type
from pql.types import ObjectType
from pql.xdm.short import read_short

SETTINGS, _ = identity_from("""
namespaces:
  crmId: {aliases: [lumaCrmId]}
  card: {pattern: "[0-9]{3}", junk: ["000"]}
priority: [crmId, Email]
""")
SCHEMA, _ = read_short(
    {"profile": {"a": "string"}, "event": {"mail": "string", "crm": "string", "identityMap": "map<object[]>"}}
)
FIELDS = (IdentityField(("mail",), "Email"), IdentityField(("crm",), "lumaCrmId", True))
VALUES = st.sampled_from(["", " ", "1", "2 ", "\tX", "NULL", "unknown ", "ΑΣ", "İx@y.z", "A@B.c", "a@b.c", "test@test.com", "000", "123",
                          "0" * 38, "1" * 39, "x" * 1025, "0000000", None])  # fmt: skip
SPACES = st.sampled_from(["ECID", "Email", "crmId", "lumaCrmId", "card", "new", "Phone", "it's"])
ENTRY = st.fixed_dictionaries(
    {
        "id": VALUES,
        "authenticatedState": st.sampled_from([None, "authenticated"]),
        "primary": st.sampled_from([None, True, False]),
    }
)
ROWS = st.lists(
    st.fixed_dictionaries({"mail": VALUES, "crm": VALUES, "identityMap": st.none() | st.dictionaries(SPACES, st.lists(ENTRY, max_size=3), max_size=4)}),
    min_size=20, max_size=80,
)  # fmt: skip


def plan() -> IdentityPlan:
    ranked = sorted({*SETTINGS.namespaces}, key=SETTINGS.order)
    unknown = sum(SETTINGS.order(c) < SETTINGS.order("\0") for c in ranked)
    return IdentityPlan(FIELDS, SETTINGS, tuple((c, 2 * i) for i, c in enumerate(ranked)), 2 * unknown - 1)


def found(rows: list[dict[str, Any]], shape: MapShape | None, kind: str) -> list[tuple[Any, ...]]:
    columns = ("mail", "crm", "identityMap")
    event: ObjectType = SCHEMA.event
    table: dict[str, Any] = {
        "_line": pa.array(range(len(rows)), pa.int64()),
        "_doubtful": pa.array([False] * len(rows)),
    }
    for c in columns:
        values = [list(r[c].items()) if c == "identityMap" and r[c] is not None else r[c] for r in rows]
        table[c] = pa.array(values, arrow_type(event.fields[c].type))
    connection = duckdb.connect()
    connection.register("rows", pa.table(table))
    spec = SimpleNamespace(kind=kind, columns=event)
    sql = plan().select(spec, columns, datetime(2026, 1, 1), "SELECT * FROM rows", shape)
    names = "_line, _beyond, _identities" + (", _primary, _key" if kind == "record" else "")
    return connection.execute(f"SELECT {names} FROM ({sql}) ORDER BY _line").fetchall()


@settings(deadline=None, max_examples=5)
@given(ROWS, st.sampled_from(["event", "record"]))
def test_slots_find_what_lists_find(rows: list[dict[str, Any]], kind: str) -> None:
    maps = [r["identityMap"] or {} for r in rows]
    shape = MapShape(
        frozenset(k for m in maps for k in m),
        max(map(len, maps)),
        max((len(v) for m in maps for v in m.values()), default=0),
    )
    assert found(rows, shape, kind) == found(rows, None, kind)


@settings(deadline=None, max_examples=5)
@given(ROWS)
def test_rows_beyond_the_shape_are_marked(rows: list[dict[str, Any]]) -> None:
    shape = MapShape(frozenset({"ECID", "Email"}), 1, 1)
    by_lists = found(rows, None, "event")
    for row, (line, beyond, *rest), (_, _, *want) in zip(rows, found(rows, shape, "event"), by_lists, strict=True):
        held = row["identityMap"] or {}
        assert beyond == (len(held) > 1 or any(len(v) > 1 or k not in shape.namespaces for k, v in held.items()))
        assert beyond or rest == want, line


@settings(deadline=None, max_examples=5)
@given(st.lists(VALUES, min_size=1, max_size=8), st.sampled_from(["Email", "ECID", "card", "Phone", "crmId"]))
def test_the_rule_in_sql_is_the_rule(values: list[str | None], code: str) -> None:
    rows = [
        {"mail": None, "crm": None, "identityMap": {code: [{"id": v, "authenticatedState": None, "primary": None}]}}
        for v in values
    ]
    want = [[c] if (c := clean_value(SETTINGS, code, v)) is not None else [] for v in values]
    got = found(rows, MapShape(frozenset({code}), 1, 1), "event")
    assert [[i["id"] for i in r[2]] for r in got] == want
