"""The typed tree that every engine reads: names resolved, coercions explicit, sugar gone.

A small closed set of frozen dataclasses. Every node has a `type`, and a `span` that takes no part in equality, so
equal meaning is equal value and can be shared. A *test* is a boolean node that is never null (the set `TESTS`); a
boolean *value* (a field, say) is made a test by `Truth`. Variables are numbered by binding depth, which makes
alpha-equivalent parts equal; variable 0 is the profile. Must not know syntax, SQL or events.

Read `Expr` (the sum of all), then `Exists`, `Transform` and `Chain`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pql.source import NOWHERE, Span
from pql.types import BOOLEAN, TIMESTAMP, ListType, ObjectType, Type

Value = bool | int | Decimal | float | str | date | datetime | None


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Const:
    value: Value
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Var:
    """A bound variable. `id` 0 is the profile; others are bound by the node that names them."""

    id: int
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Field:
    """A field of an object; null when the object is. `labels` are the field's data usage labels."""

    object: Expr
    name: str
    type: Type
    labels: frozenset[str] = field(default=frozenset(), compare=False)
    span: Span = _span()


@dataclass(frozen=True)
class Call:
    """A scalar function of the table, by name; its arguments have exactly the overload's types."""

    function: str
    args: tuple[Expr, ...]
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Convert:
    """Coercion to `type`; a string that does not fit gives null.

    `local`: a date as an instant is its midnight in the project's zone, as `occurs` takes it; else in UTC.
    """

    operand: Expr
    type: Type
    local: bool = False
    span: Span = _span()


@dataclass(frozen=True)
class Compare:
    """`op`: `= != < <= > >=`. Both operands have one type (or are both numeric). Null on a side: false."""

    op: str
    left: Expr
    right: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class And:
    operands: tuple[Expr, ...]
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Or:
    operands: tuple[Expr, ...]
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Not:
    operand: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class IsNull:
    operand: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Truth:
    """A boolean value as a test: null is false."""

    operand: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Let:
    var: int
    value: Expr
    body: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class MakeList:
    items: tuple[Expr, ...]
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class MakeObject:
    entries: tuple[tuple[str, Expr], ...]
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class MakeEntry:
    """`mapEntry`; the key is a string."""

    key: Expr
    value: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Filter:
    """The elements for which `condition` (a test) holds; null elements take part."""

    list: Expr
    var: int
    condition: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Exists:
    """Some element satisfies `condition` (a test)."""

    list: Expr
    var: int
    condition: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class ForAll:
    list: Expr
    var: int
    condition: Expr
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Transform:
    """`body` for each element. `flatten`: bodies are lists and are joined. `drop_nulls`: null results are left out."""

    list: Expr
    var: int
    body: Expr
    flatten: bool
    drop_nulls: bool
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Aggregate:
    """`function`: count, sum, average, min or max over the non-null elements of a list of values."""

    function: str
    list: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class TopN:
    """The first `count` elements by `key`, stable, null keys last."""

    list: Expr
    var: int
    key: Expr
    count: Expr
    descending: bool
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class GroupBy:
    list: Expr
    var: int
    key: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class TransformGroups:
    """`body` for each group; `key_var` is the key, `group_var` the list of its elements. Gives a list."""

    groups: Expr
    key_var: int
    group_var: int
    body: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class ToMap:
    """A list of entries as a map: null keys dropped, the first of a key wins."""

    entries: Expr
    type: Type
    span: Span = _span()


@dataclass(frozen=True)
class Clock:
    """`now`: the instant asked about."""

    type: Type = TIMESTAMP
    span: Span = _span()


@dataclass(frozen=True)
class Truncate:
    """Start of the calendar unit that contains an instant, in the project's zone, as an instant."""

    operand: Expr
    unit: str
    type: Type = TIMESTAMP
    span: Span = _span()


@dataclass(frozen=True)
class Shift:
    """An instant moved by `amount` units (may be negative).

    `local`: moved by days or longer units on the wall clock of the project's zone, where a day may have 23 hours and
    begin at one o'clock. The operand is the start of a calendar unit, or the unit is a month or longer.
    """

    operand: Expr
    amount: int
    unit: str
    local: bool = False
    type: Type = TIMESTAMP
    span: Span = _span()


@dataclass(frozen=True)
class Edge:
    """An end of a window."""

    instant: Expr
    inclusive: bool


@dataclass(frozen=True)
class Within:
    """`operand` (a timestamp) lies in the window. A null operand or edge: false."""

    operand: Expr
    lower: Edge | None
    upper: Edge | None
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Yearless:
    """The day of `operand`, without its year, against a window of days on the ring of the year.

    `first` and `last` are dates, inclusive; `shape`: ring, before (day < first), after (day > last) or from (day >=
    first). `whole_months`: a window that ends with February holds 29 February too. `skip`: first or last day left out.
    """

    operand: Expr
    first: Expr
    last: Expr
    shape: str
    whole_months: bool = False
    skip: str = ""
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class Step:
    """A chain step. `match` is WHAT and WHERE, `window` the WHENs, both tests over `var` and earlier steps' variables.

    `op` and `low`/`high` are COUNT's (`>=` 1 by default; `all`). `own_clock`: the WHENs look at now or fixed times
    only. `bound_end`: for an excluded step, the exclusive upper end of a WHEN relative to a step.
    """

    name: str
    var: int
    excluded: bool
    match: Expr
    window: Expr
    op: str = ">="
    low: int = 1
    high: int = 0
    closes: Expr | None = None


@dataclass(frozen=True)
class Chain:
    """`timestamp` is over `var`; each step has its own variable for the element it is named by."""

    list: Expr
    var: int
    timestamp: Expr
    steps: tuple[Step, ...]
    type: Type = BOOLEAN
    span: Span = _span()


@dataclass(frozen=True)
class InSegment:
    """Membership in another segment of the project, evaluated at the same instant."""

    segment: str
    type: Type = BOOLEAN
    span: Span = _span()


Expr = (
    Const
    | Var
    | Field
    | Call
    | Convert
    | Compare
    | And
    | Or
    | Not
    | IsNull
    | Truth
    | If
    | Let
    | MakeList
    | MakeObject
    | MakeEntry
    | Filter
    | Exists
    | ForAll
    | Transform
    | Aggregate
    | TopN
    | GroupBy
    | TransformGroups
    | ToMap
    | Clock
    | Truncate
    | Shift
    | Within
    | Yearless
    | Chain
    | InSegment
)

TESTS = (Compare, And, Or, Not, IsNull, Truth, Exists, ForAll, Within, Yearless, Chain, InSegment)

TRUE = Const(True, BOOLEAN)
FALSE = Const(False, BOOLEAN)
PROFILE = 0


def conjunction(tests: list[Expr], span: Span = NOWHERE) -> Expr:
    """All of them, flattened; true constants vanish; the empty conjunction is true."""
    flat: list[Expr] = []
    for t in tests:
        for part in t.operands if isinstance(t, And) else (t,):
            if part != TRUE and part not in flat:
                flat.append(part)
    if not flat:
        return TRUE
    return flat[0] if len(flat) == 1 else And(tuple(flat), span=span)


def conjuncts(test: Expr) -> tuple[Expr, ...]:
    """The parts of a conjunction; a true constant has none."""
    if isinstance(test, And):
        return test.operands
    return () if test == TRUE else (test,)


def element_type(t: Type) -> Any:
    return t.element if isinstance(t, ListType) else t


def is_object(t: Type) -> bool:
    return isinstance(t, ObjectType)
