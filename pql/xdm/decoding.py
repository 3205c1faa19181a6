"""JSON bytes straight to typed values, for what is as a schema says; what is not raises `Misfit`, and `pql.xdm.values` decides.

msgspec reads into a shape made from the type, and a function written for that type does what is left: decimals of six digits, instants
in UTC. Whatever is accepted here is what `read_value` makes of the same JSON; less may be accepted. Must not know events, plans
or messages. Read `make_reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Annotated, Any, NoReturn, TypedDict

import msgspec

from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, ListType, MapType, ObjectType, Type
from pql.xdm.values import FOLDED, MICRO, read_instant

Mend = Callable[[Any], Any]
NUMBERS_MOST = 20_000
"""Numbers that are remembered, by their texts."""
NUMBER_LONG = 24
INLINE = 16
"""Indents of a function that is written; what is deeper has its own. Python allows 20 loops inside each other."""
EPOCH, EPOCH_UTC = datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)


class Misfit(Exception):
    """Not as the type says, or perhaps not."""


REFUSALS = (Misfit, ValueError, TypeError, ArithmeticError, RecursionError)
"""What is raised for what is not taken here; those of msgspec are ValueErrors."""


class _Numbers(dict[str | int, Decimal]):
    """JSON numbers by their texts, and whole ones by their values: what events say again is looked up. `__missing__` makes a new one;
    InvalidOperation when it is not below 10^12 once it is rounded."""

    # eighteen digits, of which six are after the point: one more and `quantize` refuses
    _round = Context(prec=18, rounding=ROUND_HALF_UP, traps=[InvalidOperation]).quantize

    def __missing__(self, number: str | int) -> Decimal:
        made = self._round(Decimal(number), MICRO)
        if number.__class__ is int or len(number) <= NUMBER_LONG:  # type: ignore[arg-type]
            if len(self) >= NUMBERS_MOST:
                self.clear()
            self[number] = made
        return made


NUMBERS = _Numbers()


def exact_number(text: str) -> float | Decimal:
    """A JSON number with a point or an exponent, for `read_value`: a float where that is exact, or where no decimal has such an exponent."""
    try:
        return float(text) if len(text) < 16 else Decimal(text)
    except InvalidOperation:
        return float(text)


Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_SHAPES: dict[Type, Any] = {STRING: str, BOOLEAN: bool, INTEGER: Whole, DATE: date, TIMESTAMP: str}


def make_reader(kind: ObjectType, most: int, otherwise: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A function from JSON to a typed object of the fields that the type has; others are passed over, as `read_value` does when it
    is to ignore them. What is longer than `most` bytes, no JSON or to be read the slow way is for `otherwise`."""
    decode = msgspec.json.Decoder(_open_shape(kind), float_hook=NUMBERS.__getitem__).decode
    return _Writer({"decode": decode, "most": most, "refusals": REFUSALS, "otherwise": otherwise}).made(kind, _READER)


def _open_shape(kind: Type) -> Any:
    """Objects as dicts of known fields, none of them null."""
    match kind:
        case ObjectType():
            fields = {n: _open_shape(f.type) for n, f in kind.fields.items()}
            return TypedDict("object", fields, total=False)  # type: ignore[operator]
        case ListType():
            return list[_maybe(_open_shape(kind.element))]  # type: ignore[misc]
        case MapType():
            return dict[str, _maybe(_open_shape(kind.value))]  # type: ignore[misc]
        case _:
            return _SHAPES.get(kind, Any)


def make_struct_reader(shape: Any, mend: Mend) -> Callable[[bytes], Any]:
    """The same by way of structs, which leave out what is null. It raises REFUSALS for what is to be read the slow way."""
    decode = msgspec.json.Decoder(shape, float_hook=NUMBERS.__getitem__).decode
    builtins, kept = msgspec.to_builtins, (Decimal, date)
    return lambda data: mend(builtins(decode(data), builtin_types=kept))


def struct_shape(kind: Type, closed: bool, more: Mapping[str, Any] | None = None) -> Any:
    """Objects as structs. `closed`: unknown fields are refused. `more`: fields of the outermost besides. Raises ValueError for names
    that msgspec cannot have."""
    match kind:
        case ObjectType():
            fields = {n: _maybe(struct_shape(f.type, closed)) for n, f in kind.fields.items()}
            return make_struct(fields | dict(more or {}), closed and bool(fields))
        case ListType():
            return list[_maybe(struct_shape(kind.element, closed))]  # type: ignore[misc]
        case MapType():
            return dict[str, _maybe(struct_shape(kind.value, closed))]  # type: ignore[misc]
        case _:
            return _SHAPES.get(kind, Any)


def make_struct(fields: Mapping[str, Any], closed: bool) -> type[msgspec.Struct]:
    """A struct of those fields, each null or left out by default."""
    places = {f"f{i}": name for i, name in enumerate(fields)}
    return msgspec.defstruct(
        "object",
        [(place, fields[name], None) for place, name in places.items()],
        rename=places,
        omit_defaults=True,
        forbid_unknown_fields=closed,
        gc=False,
    )


def _maybe(shape: Any) -> Any:
    return shape if shape is Any else shape | None


# --- mending ---
def make_mend(kind: ObjectType | ListType | MapType) -> Mend:
    """A function that makes what msgspec left of a value of that type what it is to be, in place. It raises REFUSALS."""
    return _Writer().made(kind)


def _refuse(value: Any) -> NoReturn:
    raise Misfit


def _instant(text: str) -> datetime:
    found = read_instant(text)
    if found is None:
        raise Misfit
    return found


_MEND = "def made(d):", 1, "    return d"
_READER = (
    "def made(data):\n    if len(data) > most: return otherwise(data)\n    try:\n        d = decode(data)",
    2,
    "        return d\n    except refusals: return otherwise(data)",
)
"""What stands around the mending: lines before, its indent, lines after."""


@dataclass
class _Writer:
    """Source of a function that mends a value. Names of fields are values of its namespace, never text of the source."""

    space: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def made(self, kind: ObjectType | ListType | MapType, around: tuple[str, int, str] = _MEND) -> Mend:
        self.space |= {"Decimal": Decimal, "NUMBERS": NUMBERS, "refuse": _refuse, "instant": _instant}
        self.space |= {"iso": datetime.fromisoformat, "EPOCH": EPOCH, "UTC0": EPOCH_UTC, "FOLDED": FOLDED}
        before, depth, after = around
        self._slot(kind, "", "d", depth, "")
        text = "\n".join([before, *self.lines, after])
        exec(compile(text, "<mend>", "exec"), self.space)  # noqa: S102
        made: Mend = self.space["made"]
        return made

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def _object(self, kind: ObjectType, var: str, depth: int) -> None:
        for name, each in kind.fields.items():
            if not _unfinished(each.type, name):
                continue
            key, value = self._fresh("n"), self._fresh("v")
            self.space[key] = name
            self._line(depth, f"{value} = {var}.get({key})")
            self._line(depth, f"if {value} is not None:")
            self._slot(each.type, f"{var}[{key}]", value, depth + 1, name)
            if each.type in (NUMBER, DOUBLE):
                self._line(depth, f"elif {key} in {var}: del {var}[{key}]")

    def _slot(self, kind: Type, place: str, value: str, depth: int, name: str) -> None:
        """Mends a value that is not null and stands in a place. `name`: of the field, when it is one's own value."""
        match kind:
            case ObjectType() | ListType() | MapType() if depth > INLINE and not name.endswith(FOLDED):
                apart = self._fresh("m")
                self.space[apart] = make_mend(kind)
                self._line(depth, f"{apart}({value})")
            case ObjectType():
                self._object(kind, value, depth)
            case ListType():
                self._each(f"enumerate({value})", kind.element, value, depth)
            case MapType():
                self._map(kind, place, value, depth, name)
            case _:
                self._scalar(kind, place, value, depth)

    def _map(self, kind: MapType, place: str, value: str, depth: int, name: str) -> None:
        if isinstance(kind.value, MapType):
            self._line(depth, f"for k in {value}:")
            self._line(depth + 1, "if k.endswith(FOLDED): refuse(k)")
        if _unfinished(kind.value, ""):
            self._each(f"{value}.items()", kind.value, value, depth)
        if name.endswith(FOLDED):  # last: what another key takes the place of must fit, too
            self._line(depth, f"{place} = {{k.lower(): x for k, x in {value}.items()}}")

    def _each(self, items: str, kind: Type, owner: str, depth: int) -> None:
        key, value = self._fresh("k"), self._fresh("v")
        self._line(depth, f"for {key}, {value} in {items}:")
        self._line(depth + 1, f"if {value} is not None:")
        self._slot(kind, f"{owner}[{key}]", value, depth + 2, "")

    def _scalar(self, kind: Type, place: str, value: str, depth: int) -> None:
        number = f"NUMBERS[{value}] if {value}.__class__ is int else refuse({value})"
        if kind == NUMBER:
            self._line(depth, f"if {value}.__class__ is not Decimal:")
            self._line(depth + 1, f"{place} = {number}")
        elif kind == DOUBLE:
            self._line(depth, f"{place} = float({value} if {value}.__class__ is Decimal else {number})")
        elif kind == TIMESTAMP:
            self._line(depth, "try:")
            self._line(depth + 1, f"at = iso({value})")
            self._line(depth + 1, f"{place} = at if at.tzinfo is None else EPOCH + (at - UTC0)")
            self._line(depth, "except (ValueError, OverflowError):")
            self._line(depth + 1, f"{place} = instant({value})")


def _unfinished(kind: Type, name: str) -> bool:
    """Is there anything to do for such values, once msgspec has read them?"""
    match kind:
        case ObjectType():
            return any(_unfinished(f.type, n) for n, f in kind.fields.items())
        case ListType():
            return _unfinished(kind.element, "")
        case MapType():
            return name.endswith(FOLDED) or isinstance(kind.value, MapType) or _unfinished(kind.value, "")
        case _:
            return kind in (NUMBER, DOUBLE, TIMESTAMP)
