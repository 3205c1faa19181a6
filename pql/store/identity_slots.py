"""The identities of staged rows without list functions: every place where a row may have one is a column on the way, a slot.

Functions inside lambdas are worked out anew for every vector, regular expressions included, so lists are only put together at the
end. What an `identityMap` has room for is measured on rows before (`MapShape`); rows beyond that are marked `_beyond` and go the
long way of `pql.store.identify`. Must not know connections. Read `slots_select`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from pql.identity.settings import IdentitySettings
from pql.identity.values import FOLDED, plain_value_sql, usable_value_sql
from pql.store.layout import quote
from pql.store.owners import text

IDENTITY_TYPE = "STRUCT(namespace VARCHAR, id VARCHAR, state VARCHAR, is_primary BOOLEAN, field VARCHAR, seen TIMESTAMP, row UBIGINT)[]"
SLOTS_MOST = 24
NAMESPACES_MOST = 40


@dataclass(frozen=True)
class MapShape:
    """What maps of identities hold at most: `namespaces` as rows spell them, `keys` in one map, `each` identities below one key."""

    namespaces: frozenset[str] = frozenset()
    keys: int = 0
    each: int = 0

    def __or__(self, other: MapShape) -> MapShape:
        return MapShape(self.namespaces | other.namespaces, max(self.keys, other.keys), max(self.each, other.each))

    @property
    def is_small(self) -> bool:
        return self.keys * self.each <= SLOTS_MOST and len(self.namespaces) <= NAMESPACES_MOST


@dataclass(frozen=True)
class Slot:
    """A place of an identity: SQL of its value as it came, of its state, and of whether it is declared primary; `code` when its
    namespace is known beforehand, else `namespace` is SQL of the code that a row has there."""

    raw: str
    field: str
    code: str | None = None
    namespace: str = ""
    state: str = "NULL::VARCHAR"
    primary: str = "FALSE"


def map_slots(shape: MapShape, fields: Sequence[str], code: str) -> list[Slot]:
    """The places in an `identityMap`, whose keys and values are in `_mk` and `_mv`. `fields`: of its entries; `code`: SQL of a code
    over `_key_`."""
    made = []
    for k in range(1, shape.keys + 1):
        for i in range(1, shape.each + 1):
            entry = f"_mv[{k}][{i}]"
            made.append(
                Slot(
                    f"{entry}.id",
                    "identityMap",
                    namespace=code.replace("_key_", f"_mk[{k}]"),
                    state=f"{entry}.{quote('authenticatedState')}"
                    if "authenticatedState" in fields
                    else "NULL::VARCHAR",
                    primary=f"coalesce({entry}.{quote('primary')}, FALSE)" if "primary" in fields else "FALSE",
                )
            )
    return made


def beyond(shape: MapShape) -> str:
    """SQL that is true of a row whose map does not fit into a shape."""
    tests = [f"len(_mk) > {shape.keys}"]
    known = ", ".join(map(text, sorted(shape.namespaces))) or "NULL"
    for k in range(1, shape.keys + 1):
        tests.append(f"len(_mv[{k}]) > {shape.each}")
        tests.append(f"(_mk[{k}] IS NOT NULL AND _mk[{k}] NOT IN ({known}))")
    return f"coalesce({' OR '.join(tests)}, FALSE)"


def slots_select(
    rows: str,
    slots: Sequence[Slot],
    settings: IdentitySettings,
    ranks: Mapping[str, tuple[int, str]],
    key: str,
    is_record: bool,
) -> str:
    """`rows` with `_key`, `_primary`, `_identities`. `ranks`: of every namespace that occurs, its sort key, smallest the highest;
    `key`: SQL of an event's key."""
    order = {code: place for place, code in enumerate(sorted(ranks, key=lambda c: (ranks[c], c)))}
    numbers = range(len(slots))
    raw = [f"CAST({s.raw} AS VARCHAR) AS _r{i}" for i, s in enumerate(slots)]
    raw += [f"{s.namespace} AS _n{i}" for i, s in enumerate(slots) if s.code is None]
    raw += [f"{s.state} AS _s{i}, {s.primary} AS _p{i}" for i, s in enumerate(slots)]
    plain = [f"{_plain(s, i, order)} AS _t{i}" for i, s in enumerate(slots)]
    values = [f"{_usable(s, i, order, settings)} AS _v{i}" for i, s in enumerate(slots)]
    made = f"SELECT *, {', '.join(raw)} FROM ({rows})"
    made = f"SELECT *, {', '.join(plain)} FROM ({made})"
    made = f"SELECT *, {', '.join(values)} FROM ({made})"
    names = {i: text(s.code) if s.code is not None else f"_n{i}" for i, s in enumerate(slots)}
    if is_record:
        whens = " ".join(f"WHEN _p{i} AND _v{i} IS NOT NULL THEN {i}" for i in numbers)
        made = f"SELECT *, CASE {whens} END AS _best FROM ({made})"
        chosen = " ".join(f"WHEN {i} THEN {names[i]} || ':' || _v{i}" for i in numbers)
        primary = f"CASE _best {chosen} END"
        mine = {i: f"{names[i]} || ':' || _v{i} = _primary" for i in numbers}
    else:
        places = [f"CASE WHEN _v{i} IS NOT NULL THEN {_place(s, i, order)} END AS _k{i}" for i, s in enumerate(slots)]
        made = f"SELECT *, {', '.join(places)} FROM ({made})"
        made = f"SELECT *, {_least([f'_k{i}' for i in numbers])} AS _best FROM ({made})"
        first = _least([f"CASE WHEN _k{i} = _best THEN _v{i} END" for i in numbers])
        made = f"SELECT *, {first} AS _first FROM ({made})"
        chosen = " ".join(f"WHEN {place} THEN {text(code + ':')} || _first" for code, place in order.items())
        primary = f"CASE _best {chosen} END"
        mine = {i: f"_k{i} = _best AND _v{i} = _first" for i in numbers}
    made = f"SELECT *, {primary} AS _primary FROM ({made})"
    entries = [
        f"{{'namespace': {names[i]}, 'id': _v{i}, 'state': _s{i}, 'is_primary': coalesce({mine[i]}, FALSE),"
        f" 'field': {text(s.field)}, 'seen': _ordered, 'row': NULL::UBIGINT}}"
        for i, s in enumerate(slots)
    ]
    made = f"SELECT *, {_gathered(entries)} AS _identities FROM ({made})"
    drop = [f"_{c}{i}" for i in numbers for c in "rspvt"] + [f"_n{i}" for i, s in enumerate(slots) if s.code is None]
    drop += ["_best"] + ([] if is_record else ["_first", *(f"_k{i}" for i in numbers)])
    return f"SELECT * EXCLUDE ({', '.join(drop)}), {'_primary' if is_record else key} AS _key FROM ({made})"


def _least(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"least({', '.join(values)})"


def _gathered(entries: Sequence[str]) -> str:
    """The list of the entries whose slot has a value."""
    if len(entries) == 1:
        return f"CASE WHEN _v0 IS NULL THEN [] ELSE [{entries[0]}] END"
    if len(entries) == 2:
        one, two = entries
        none = f"CASE WHEN _v0 IS NULL THEN [] ELSE [{one}] END"
        return f"CASE WHEN _v1 IS NULL THEN {none} WHEN _v0 IS NULL THEN [{two}] ELSE [{one}, {two}] END"
    return f"list_filter([{', '.join(entries)}], lambda x: x.id IS NOT NULL)"


def _plain(slot: Slot, number: int, codes: Mapping[str, int]) -> str:
    value = exp.column(f"_r{number}")
    if slot.code is not None:
        return plain_value_sql(slot.code, value).sql("duckdb")
    usual = plain_value_sql("", value).sql("duckdb")
    folded = [c for c in FOLDED if c in codes]
    if not folded:
        return usual
    low = plain_value_sql(folded[0], value).sql("duckdb")
    return f"CASE WHEN _n{number} IN ({', '.join(map(text, folded))}) THEN {low} ELSE {usual} END"


def _usable(slot: Slot, number: int, codes: Mapping[str, int], settings: IdentitySettings) -> str:
    """The value, or null where it is no identity. Namespaces with the same rule stand together."""
    value = exp.column(f"_t{number}")
    if slot.code is not None:
        return usable_value_sql(settings, slot.code, value).sql("duckdb")
    return by_rule(f"_n{number}", {c: usable_value_sql(settings, c, value).sql("duckdb") for c in sorted(codes)})


def by_rule(namespace: str, rules: Mapping[str, str], usual: str | None = None) -> str:
    """SQL that takes the rule of the code in `namespace`; `usual` for codes without one. Codes with one rule stand together."""
    groups: dict[str, list[str]] = {}
    for code, sql in rules.items():
        groups.setdefault(sql, []).append(code)
    if usual is not None:
        groups.pop(usual, None)
    whens = [f"WHEN {namespace} IN ({', '.join(map(text, codes))}) THEN {sql}" for sql, codes in groups.items()]
    rest = f" ELSE {usual}" if usual is not None else ""
    return f"CASE {' '.join(whens)}{rest} END" if whens else usual or "NULL"


def _place(slot: Slot, number: int, order: Mapping[str, int]) -> str:
    if slot.code is not None:
        return str(order[slot.code])
    whens = " ".join(f"WHEN {text(c)} THEN {p}" for c, p in order.items())
    return f"CASE _n{number} {whens} END"
