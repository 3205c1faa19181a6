"""Which identities a staged row carries, and which of them is its primary one, set-based. Rules: `pql.identity.values`.

Records: the identity that the source or the schema declares primary. Events: the one of the highest namespace. Read
`IdentityPlan.select`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from pql.identity.settings import IdentitySettings
from pql.identity.values import clean_value_sql
from pql.store.identity_slots import (
    EVENT_IDENTITY_TYPE,
    IDENTITY_TYPE,
    SLOTS_MOST,
    MapShape,
    Place,
    Slot,
    beyond,
    by_rule,
    map_slots,
    place_slots,
    primary_first,
    slots_select,
)
from pql.store.layout import quote
from pql.store.told_maps import tells_map, unlike
from pql.types import Field, ListType, MapType, ObjectType, Type

UNDATED = "TIMESTAMP '1970-01-01 00:00:00'"
"""When a record was true that does not say so, where its source has `order_by`: before all that do."""


@dataclass(frozen=True)
class IdentityField:
    """An XDM path that holds an identity."""

    path: tuple[str, ...]
    namespace: str
    primary: bool = False


@dataclass(frozen=True)
class IdentityPlan:
    """The fields that hold identities, the rule for values, and the namespaces from the highest down."""

    fields: tuple[IdentityField, ...]
    rules: IdentitySettings
    ranks: tuple[tuple[str, int], ...] = ()
    unknown_rank: int = 1_000_000
    key: tuple[str, ...] = ()
    """Look-up datasets: the path of the key."""

    def reason(self, kind: str) -> str:
        if kind == "lookup":
            return f"the key `{'.'.join(self.key)}` is missing"
        if kind == "event":
            return "no usable identity: nobody to whom the event belongs"
        primary = [f for f in self.fields if f.primary]
        if not primary:
            return "no usable primary identity"
        return f"the primary identity `{'.'.join(primary[0].path)}` ({primary[0].namespace}) is missing or not usable"

    def select(
        self, spec: Any, columns: Sequence[str], arrived: datetime, mapped: str, shape: MapShape | None = None,
        places: Sequence[Place] = (), told: bool = False,
    ) -> str:  # fmt: skip
        """`mapped` (a SELECT with `_line`, `_doubtful` and the columns) with `_identities`, `_ordered`, `_beyond`; but for events, whose
        primary identity stands first and whose key is a field, also with `_key` and `_primary`.

        `shape`: what identity maps hold at most; rows that hold more are `_beyond`, and what is said of their identities is void.
        `places`: further columns of `mapped`, which hold all that stands in the identity maps. `told`: rows whose `identityMap` is not
        told by their identities are `_beyond` too (`tells`).
        """
        fields = "".join(f", {quote(c)}" for c in columns if c != "_ordered")
        ordered = (
            f"coalesce(_ordered, {UNDATED})" if "_ordered" in columns else f"TIMESTAMP '{arrived.isoformat(sep=' ')}'"
        )
        near = places if places and self.by_places(spec, columns, places) else ()
        fields += "".join(f", {p[1]}" for p in near)
        rows = f"SELECT _line, _doubtful, {ordered} AS _ordered{fields} FROM ({mapped})"
        if spec.kind == "lookup":
            key = _read(self.key) if self.key and self.key[0] in columns else "NULL"
            return (f"SELECT *, CAST({key} AS VARCHAR) AS _key, CAST({key} AS VARCHAR) AS _primary, {nobody(spec.kind)} AS _identities, FALSE AS _beyond"
                    f" FROM ({rows})")  # fmt: skip
        if near:
            return self._by_slots(spec, columns, rows, MapShape(), near, told)
        if self.is_flat(spec, columns) or shape is not None and shape.is_small:
            return self._by_slots(spec, columns, rows, shape or MapShape())
        return self._by_lists(spec, columns, rows)

    def _usable(self, columns: Sequence[str]) -> list[IdentityField]:
        return [f for f in self.fields if f.path[0] in columns]

    def is_flat(self, spec: Any, columns: Sequence[str]) -> bool:
        """Is every identity a field of its own?"""
        return "identityMap" not in columns and not self.is_repeated(spec, columns)

    def is_repeated(self, spec: Any, columns: Sequence[str]) -> bool:
        """Do identities stand in lists other than those of an `identityMap`?"""
        return any(_repeated(f.path, spec.columns) for f in self._usable(columns))

    def by_places(self, spec: Any, columns: Sequence[str], places: Sequence[Place]) -> bool:
        """Are all identities of a row fields and places of their own?"""
        return not self.is_repeated(spec, columns) and 0 < len(self._usable(columns)) + len(places) <= SLOTS_MOST

    def tells(self, spec: Any, columns: Sequence[str], places: Sequence[Place]) -> bool:
        """Can the identities of an event tell its `identityMap`? They stand nowhere else, one below each key, by the namespace's code."""
        keys = [k for k, _ in places]
        return (
            spec.kind == "event"
            and self.by_places(spec, columns, places)
            and not self._usable(columns)
            and len({*keys}) == len(keys) > 0
            and all(self.rules.aliases.get(k, k) == k for k in keys)
            and tells_map(spec.columns.fields["identityMap"].type)
        )

    def _by_slots(
        self, spec: Any, columns: Sequence[str], rows: str, shape: MapShape, places: Sequence[Place] = (),
        told: bool = False,
    ) -> str:  # fmt: skip
        slots = [
            Slot(_read(f.path), ".".join(f.path), self.rules.aliases.get(f.namespace, f.namespace), primary=str(f.primary).upper())
            for f in self._usable(columns)
        ]  # fmt: skip
        past = "FALSE"
        opened = "identityMap" in columns and not places
        if places:
            inner = _entry_fields(spec.columns.fields["identityMap"].type)
            slots += place_slots(places, list(inner), self.rules.aliases)
        elif opened:
            rows = f"SELECT *, map_keys(identityMap) AS _mk, map_values(identityMap) AS _mv FROM ({rows})"
            inner = _entry_fields(spec.columns.fields["identityMap"].type)
            slots += map_slots(shape, list(inner), self._code("_key_"))
            past = beyond(shape)
        drop = " EXCLUDE (_mk, _mv)" if opened else ""
        if not slots:
            named = "" if spec.kind == "event" else "NULL::VARCHAR AS _key, NULL::VARCHAR AS _primary, "
            return f"SELECT *{drop}, {named}{nobody(spec.kind)} AS _identities, {past} AS _beyond FROM ({rows})"
        codes = {s.code for s in slots if s.code is not None}
        codes |= {self.rules.aliases.get(n, n) for n in shape.namespaces}
        by_code = dict(self.ranks)
        ranks = {c: (by_code.get(c, self.unknown_rank), c) for c in codes}
        without = unlike(places, list(inner), 0) if told else ""
        made = slots_select(rows, slots, self.rules, ranks, spec.kind == "record", without)
        if places:
            drop = f" EXCLUDE ({', '.join([*(c for _, c in places), *(['_unlike'] if told else [])])})"
            past = "_unlike" if told else past
        return f"SELECT *{drop}, {past} AS _beyond FROM ({made})"

    def _by_lists(self, spec: Any, columns: Sequence[str], rows: str) -> str:
        """Whatever lists and maps hold; slow, see `identity_slots`."""
        usable = self._usable(columns)
        singles = [(i, f) for i, f in enumerate(usable) if not _repeated(f.path, spec.columns)]
        values = "".join(f", {self._clean(f.namespace, _read(f.path))} AS _v{i}" for i, f in singles)
        parts = (
            [f"list_filter([{', '.join(self._single(i, f) for i, f in singles)}], lambda x: x.id IS NOT NULL)"]
            if singles
            else []
        )
        parts += [self._many(f, spec.columns) for i, f in enumerate(usable) if _repeated(f.path, spec.columns)]
        if "identityMap" in columns:
            parts.append(self._map(spec.columns.fields["identityMap"].type))
        found = parts[0] if len(parts) == 1 else f"list_concat({', '.join(parts)})"
        inner = f"SELECT *, {found} AS _found FROM (SELECT *{values} FROM ({rows}))"
        primary = self._primary_of_record() if spec.kind == "record" else self._primary_of_event()
        chosen = f"SELECT *, {primary} AS _chosen FROM ({inner})"
        drop = ", ".join(["_found", "_chosen", *(f"_v{i}" for i, _ in singles)])
        if spec.kind == "event":
            marked = "list_transform(_found, lambda x: {'namespace': x.namespace, 'id': x.id, 'state': x.state, 'is_primary': " \
                     "coalesce(x.namespace = _chosen.n AND x.id = _chosen.i, FALSE)})"  # fmt: skip
            listed = f"SELECT * EXCLUDE ({drop}), {marked} AS _listed FROM ({chosen})"
            return f"SELECT * EXCLUDE (_listed), {primary_first('_listed')} AS _identities, FALSE AS _beyond FROM ({listed})"
        marked = "list_transform(_found, lambda x: {'namespace': x.namespace, 'id': x.id, 'state': x.state, 'is_primary': " \
                 "coalesce(x.namespace = _chosen.n AND x.id = _chosen.i, FALSE), 'field': x.field, 'seen': _ordered, 'row': NULL::UBIGINT})"  # fmt: skip
        named = f"SELECT * EXCLUDE ({drop}), _chosen.n || ':' || _chosen.i AS _primary, {marked} AS _identities FROM ({chosen})"
        return f"SELECT *, _primary AS _key, FALSE AS _beyond FROM ({named})"

    def _clean(self, namespace: str, value: str) -> str:
        code = self.rules.aliases.get(namespace, namespace)
        made = clean_value_sql(self.rules, code, exp.column("_value"))
        return made.sql("duckdb").replace("_value", f"CAST({value} AS VARCHAR)")

    def _single(self, index: int, field: IdentityField) -> str:
        return self._entry(repr_text(self.rules.aliases.get(field.namespace, field.namespace)), f"_v{index}", "NULL::VARCHAR",
                           str(field.primary).upper(), repr_text(".".join(field.path)))  # fmt: skip

    def _entry(self, namespace: str, id: str, state: str, primary: str, field: str) -> str:
        return f"{{'namespace': {namespace}, 'id': {id}, 'state': {state}, 'is_primary': {primary}, 'field': {field}}}"

    def _many(self, field: IdentityField, root: ObjectType) -> str:
        code = repr_text(self.rules.aliases.get(field.namespace, field.namespace))
        made = self._entry(
            code,
            self._clean(field.namespace, "x"),
            "NULL::VARCHAR",
            str(field.primary).upper(),
            repr_text(".".join(field.path)),
        )
        return f"list_filter(list_transform(coalesce({_flat(field.path, root)}, []), lambda x: {made}), lambda x: x.id IS NOT NULL)"

    def _map(self, kind: Type) -> str:
        inner = _entry_fields(kind)
        state = "x.authenticatedState" if "authenticatedState" in inner else "NULL::VARCHAR"
        primary = "coalesce(x.primary, FALSE)" if "primary" in inner else "FALSE"
        made = self._entry(self._code("e.key"), self._any_clean("e.key", "x.id"), state, primary, "'identityMap'")
        entries = f"list_transform(map_entries(identityMap), lambda e: list_transform(e.value, lambda x: {made}))"
        return f"list_filter(coalesce(flatten({entries}), []), lambda x: x.id IS NOT NULL)"

    def _code(self, key: str) -> str:
        if not self.rules.aliases:
            return key
        whens = " ".join(f"WHEN {repr_text(a)} THEN {repr_text(c)}" for a, c in sorted(self.rules.aliases.items()))
        return f"CASE {key} {whens} ELSE {key} END"

    def _any_clean(self, key: str, value: str) -> str:
        """The rule of whichever namespace."""
        return by_rule(self._code(key), {c: self._clean(c, value) for c, _ in self.ranks}, self._clean("", value))

    def _primary_of_record(self) -> str:
        return "CASE WHEN list_filter(_found, lambda x: x.is_primary)[1] IS NOT NULL THEN {'n': list_filter(_found, lambda x: x.is_primary)[1].namespace, 'i': list_filter(_found, lambda x: x.is_primary)[1].id} END"

    def _primary_of_event(self) -> str:
        whens = " ".join(f"WHEN {repr_text(c)} THEN {r}" for c, r in self.ranks)
        rank = f"CASE x.namespace {whens} ELSE {self.unknown_rank} END" if whens else "0"
        return f"list_min(list_transform(_found, lambda x: {{'r': {rank}, 'n': x.namespace, 'i': x.id}}))"


def _entry_fields(kind: Type) -> Mapping[str, Field]:
    """The fields of the entries of an `identityMap`."""
    assert isinstance(kind, MapType) and isinstance(kind.value, ListType) and isinstance(kind.value.element, ObjectType)
    return kind.value.element.fields


def nobody(kind: str) -> str:
    """SQL of no identities, for rows of a kind."""
    return f"CAST([] AS {EVENT_IDENTITY_TYPE if kind == 'event' else IDENTITY_TYPE})"


def repr_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _read(path: Sequence[str]) -> str:
    return ".".join(quote(p) for p in path)


def _repeated(path: Sequence[str], root: ObjectType) -> bool:
    kind: Type = root
    for step in path:
        if not isinstance(kind, ObjectType):
            return True
        kind = kind.fields[step].type
    return not isinstance(kind, ObjectType) and isinstance(kind, ListType | MapType)


def _flat(path: Sequence[str], root: ObjectType) -> str:
    """A list of the values at a path that goes through lists."""
    kind: Type = root
    made, many = "", False
    for step in path:
        if isinstance(kind, ListType):
            kind, many = kind.element, True
        assert isinstance(kind, ObjectType), "identities are read through objects and lists"
        kind = kind.fields[step].type
        if many:
            made = f"list_transform({made}, lambda y: y.{quote(step)})"
            made = f"flatten({made})" if isinstance(kind, ListType) else made
        else:
            made = f"{made}.{quote(step)}" if made else quote(step)
    return made
