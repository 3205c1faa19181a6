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
EVENT_IDENTITY_TYPE = "STRUCT(namespace VARCHAR, id VARCHAR, state VARCHAR, is_primary BOOLEAN)[]"
Place = tuple[str, str]
"""A key of an `identityMap`, and the column that holds the one entry that it stands for."""
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


def place_slots(places: Sequence[Place], fields: Sequence[str], aliases: Mapping[str, str]) -> list[Slot]:
    """The same for an `identityMap` whose entries are columns as well. `aliases`: codes by how rows spell them."""
    made = []
    for key, column in places:
        state = f"{column}.{quote('authenticatedState')}" if "authenticatedState" in fields else "NULL::VARCHAR"
        primary = f"coalesce({column}.{quote('primary')}, FALSE)" if "primary" in fields else "FALSE"
        made.append(Slot(f"{column}.{quote('id')}", "identityMap", aliases.get(key, key), state=state, primary=primary))
    return made


def slots_select(
    rows: str, slots: Sequence[Slot], settings: IdentitySettings, ranks: Mapping[str, tuple[int, str]], is_record: bool,
    unlike: str = "",
) -> str:  # fmt: skip
    """`rows` with `_identities`; those of records also with `_key` and `_primary`. `ranks`: of every namespace that occurs, its sort
    key, smallest the highest. `unlike`: SQL over slots that becomes a column `_unlike`."""
    order = {code: place for place, code in enumerate(sorted(ranks, key=lambda c: (ranks[c], c)))}
    numbers = range(len(slots))
    raw = [f"CAST({s.raw} AS VARCHAR) AS _r{i}" for i, s in enumerate(slots)]
    raw += [f"{s.namespace} AS _n{i}" for i, s in enumerate(slots) if s.code is None]
    raw += [f"{s.state} AS _s{i}" for i, s in enumerate(slots)]
    raw += [f"{s.primary} AS _p{i}" for i, s in enumerate(slots) if is_record]
    plain = [f"{_plain(s, i, order)} AS _t{i}" for i, s in enumerate(slots)]
    values = [f"{_usable(s, i, order, settings)} AS _v{i}" for i, s in enumerate(slots)]
    made = f"SELECT *, {', '.join(raw)} FROM ({rows})"
    made = f"SELECT *, {', '.join(plain)} FROM ({made})"
    made = f"SELECT *, {', '.join(values)} FROM ({made})"
    if unlike:
        made = f"SELECT *, {unlike} AS _unlike FROM ({made})"
    drop = [f"_{c}{i}" for i in numbers for c in ("rsptv" if is_record else "rstv")]
    drop += [f"_n{i}" for i, s in enumerate(slots) if s.code is None]
    if is_record:
        return _of_records(made, slots, drop)
    return _of_events(made, slots, order, drop)


def _names(slots: Sequence[Slot]) -> list[str]:
    return [text(s.code) if s.code is not None else f"_n{i}" for i, s in enumerate(slots)]


def _are_apart(slots: Sequence[Slot]) -> bool:
    """Has every place a namespace of its own, so that no two of a row are the same identity?"""
    return len({s.code for s in slots if s.code is not None}) == len(slots)


def _of_records(made: str, slots: Sequence[Slot], drop: Sequence[str]) -> str:
    names, numbers = _names(slots), range(len(slots))
    whens = " ".join(f"WHEN _p{i} AND _v{i} IS NOT NULL THEN {i}" for i in numbers)
    chosen = " ".join(f"WHEN {i} THEN {names[i]} || ':' || _v{i}" for i in numbers)
    made = f"SELECT *, CASE {whens} END AS _best FROM ({made})"
    made = f"SELECT *, CASE _best {chosen} END AS _primary FROM ({made})"
    apart = _are_apart(slots)
    mine = [f"_best = {i}" if apart else f"{names[i]} || ':' || _v{i} = _primary" for i in numbers]
    entries = [
        f"{{'namespace': {names[i]}, 'id': _v{i}, 'state': _s{i}, 'is_primary': coalesce({mine[i]}, FALSE),"
        f" 'field': {text(s.field)}, 'seen': _ordered, 'row': NULL::UBIGINT}}"
        for i, s in enumerate(slots)
    ]
    made = f"SELECT *, {_gathered(entries)} AS _identities FROM ({made})"
    return f"SELECT * EXCLUDE ({', '.join([*drop, '_best'])}), _primary AS _key FROM ({made})"


def _of_events(made: str, slots: Sequence[Slot], order: Mapping[str, int], drop: list[str]) -> str:
    """The primary identity of an event is the one of the highest namespace, of several the smallest; it stands first."""
    names, numbers = _names(slots), list(range(len(slots)))
    if _are_apart(slots):
        ranked = sorted(numbers, key=lambda i: order[str(slots[i].code)])
        mine = {
            i: " AND ".join([f"_v{i} IS NOT NULL", *(f"_v{j} IS NULL" for j in ranked[:n])])
            for n, i in enumerate(ranked)
        }
        numbers = ranked if len(slots) == 2 else numbers
    else:
        places = [f"CASE WHEN _v{i} IS NOT NULL THEN {_place(s, i, order)} END AS _k{i}" for i, s in enumerate(slots)]
        made = f"SELECT *, {', '.join(places)} FROM ({made})"
        made = f"SELECT *, {_least([f'_k{i}' for i in numbers])} AS _best FROM ({made})"
        first = _least([f"CASE WHEN _k{i} = _best THEN _v{i} END" for i in numbers])
        made = f"SELECT *, {first} AS _first FROM ({made})"
        mine = {i: f"coalesce(_k{i} = _best AND _v{i} = _first, FALSE)" for i in numbers}
        drop = [*drop, "_best", "_first", *(f"_k{i}" for i in numbers)]
    entries = [f"{{'namespace': {names[i]}, 'id': _v{i}, 'state': _s{i}, 'is_primary': {mine[i]}}}" for i in numbers]
    if len(slots) > 2:
        made = f"SELECT *, {_gathered(entries)} AS _listed FROM ({made})"
        return f"SELECT * EXCLUDE ({', '.join([*drop, '_listed'])}), {primary_first('_listed')} AS _identities FROM ({made})"
    turned = "FALSE" if _are_apart(slots) or len(slots) == 1 else f"{mine[1]} AND NOT {mine[0]}"
    return f"SELECT * EXCLUDE ({', '.join(drop)}), {_gathered(entries, numbers, turned)} AS _identities FROM ({made})"


def primary_first(identities: str) -> str:
    """A list of identities with the primary one before the others."""
    return f"list_concat(list_filter({identities}, lambda x: x.is_primary), list_filter({identities}, lambda x: NOT x.is_primary))"


def _least(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"least({', '.join(values)})"


def _gathered(entries: Sequence[str], numbers: Sequence[int] = (0, 1), turned: str = "FALSE") -> str:
    """The list of the entries whose slot (`numbers`) has a value. `turned`: when the second of two goes first."""
    if len(entries) == 1:
        return f"CASE WHEN _v0 IS NULL THEN [] ELSE [{entries[0]}] END"
    if len(entries) == 2:
        (one, two), (a, b) = entries, numbers
        none = f"CASE WHEN _v{a} IS NULL THEN [] ELSE [{one}] END"
        turn = f" WHEN {turned} THEN [{two}, {one}]" if turned != "FALSE" else ""
        return f"CASE WHEN _v{b} IS NULL THEN {none} WHEN _v{a} IS NULL THEN [{two}]{turn} ELSE [{one}, {two}] END"
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
