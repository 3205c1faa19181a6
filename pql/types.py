"""The types of PQL and the questions that can be asked of them.

Ground floor: knows no schema format, no SQL. A scalar type is one of the constants below; the others are built.
Object types are compared by identity: a schema makes each one once. Read `describe` for how users see them.
Numbers: `integer` is 64-bit, `number` an exact decimal with 12 + 6 digits, `double` what `/` and `average` give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ScalarType:
    name: str

    def __repr__(self) -> str:
        return self.name.upper()


BOOLEAN = ScalarType("boolean")
INTEGER = ScalarType("integer")
NUMBER = ScalarType("number")
DOUBLE = ScalarType("double")
STRING = ScalarType("string")
DATE = ScalarType("date")
TIMESTAMP = ScalarType("date-time")
NULL = ScalarType("null")
EXACT = ScalarType("exact number")
"""What integers and numbers are compared as among list elements: holds both exactly. No expression of the user's has it."""

NUMERIC = (INTEGER, NUMBER, DOUBLE)


@dataclass(frozen=True, slots=True)
class ListType:
    element: Type


@dataclass(frozen=True, slots=True)
class MapType:
    """A map; its keys are always strings."""

    value: Type


@dataclass(frozen=True, slots=True)
class EntryType:
    """What `mapEntry(key, value)` gives; a list of these becomes a map."""

    value: Type


@dataclass(frozen=True, slots=True)
class GroupsType:
    """What `groupBy` gives: keys, each with the elements that share it."""

    key: Type
    element: Type


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a schema demands of a value besides its type. `pattern`: a regular expression found somewhere in the text;
    lengths in characters; `required`: the object that holds the field is wrong without it."""

    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One named field of an object.

    `labels`: data usage labels. `enum`: the only values allowed; `suggested`: values that are usual (XDM
    `meta:enum`). `origin`: where the field is declared, for lineage and messages. `format`: JSON Schema's, such as `email`.
    """

    name: str
    type: Type
    labels: frozenset[str] = frozenset()
    enum: tuple[str, ...] | None = None
    suggested: tuple[str, ...] | None = None
    deprecated: bool = False
    title: str = ""
    origin: str = ""
    bounds: Bounds | None = None
    format: str = ""


@dataclass(frozen=True, eq=False)
class ObjectType:
    """An object with named fields. `name` is for people: `profile`, `event`, a path, or empty for a literal."""

    name: str
    fields: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        return f"ObjectType({self.name!r}, {len(self.fields)} fields)"


Type = ScalarType | ListType | MapType | EntryType | GroupsType | ObjectType


def is_numeric(t: Type) -> bool:
    return t in NUMERIC


def is_ordered(t: Type) -> bool:
    """Can `<` compare two of these? Booleans, lists, maps and objects have no order."""
    return t in (INTEGER, NUMBER, DOUBLE, STRING, DATE, TIMESTAMP)


def is_scalar(t: Type) -> bool:
    return isinstance(t, ScalarType)


def wider(a: Type, b: Type) -> Type:
    """The type that holds both numeric types exactly enough: integer < number < double."""
    return max(a, b, key=NUMERIC.index)


def same(a: Type, b: Type) -> bool:
    """Structural equality, objects included."""
    if a is b:
        return True
    if isinstance(a, ObjectType) and isinstance(b, ObjectType):
        return a.fields.keys() == b.fields.keys() and all(same(a.fields[k].type, b.fields[k].type) for k in a.fields)
    if isinstance(a, ListType) and isinstance(b, ListType):
        return same(a.element, b.element)
    if isinstance(a, MapType | EntryType) and isinstance(b, MapType | EntryType) and type(a) is type(b):
        return same(a.value, b.value)
    if isinstance(a, GroupsType) and isinstance(b, GroupsType):
        return same(a.key, b.key) and same(a.element, b.element)
    return a == b


def unify(a: Type, b: Type) -> Type | None:
    """The one type that both branches of a choice can have, or None. `null` fits everything."""
    if a == NULL:
        return b
    if b == NULL:
        return a
    if is_numeric(a) and is_numeric(b):
        return wider(a, b)
    if isinstance(a, ListType) and isinstance(b, ListType):
        element = unify(a.element, b.element)
        return None if element is None else ListType(element)
    if isinstance(a, MapType) and isinstance(b, MapType):
        value = unify(a.value, b.value)
        return None if value is None else MapType(value)
    return a if same(a, b) else None


def describe(t: Type) -> str:
    """The type in the user's words: `integer`, `list of string`, `map of number`, `object`."""
    match t:
        case ScalarType():
            return t.name
        case ListType():
            return f"list of {describe(t.element)}"
        case MapType():
            return f"map of {describe(t.value)}"
        case EntryType():
            return f"map entry of {describe(t.value)}"
        case GroupsType():
            return f"groups of {describe(t.element)} by {describe(t.key)}"
        case ObjectType():
            return f"object `{t.name}`" if t.name else "object"


def make_object(name: str, fields: Mapping[str, Field]) -> ObjectType:
    return ObjectType(name, MappingProxyType(dict(fields)))
