"""The syntax tree: what was written, with spans, before any name or type is looked up.

Frozen dataclasses; `span` never takes part in equality, so two texts that say the same have equal trees. `and` and
`or` are n-ary. Keywords are kept in their canonical lower-case spelling; names as written. Must not know schemas.
Read `Expr` (the sum of expression nodes), then `Declaration` (what a `.pql` file holds).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from pql.source import NOWHERE, Span


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name: field of an enclosing element, variable, step, or field of the profile. Back-quotes removed."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$1`: positional parameter, counted from 1."""

    position: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class This:
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Up:
    """`^` repeated `levels` times: the element that many filter levels up. `^name` is Member(Up(1), name)."""

    levels: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Entity:
    """`@{name;version=1}`: a context entity; `text` is what stands between the braces."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, integer, number, boolean or null; `value` has the matching Python type."""

    kind: str
    value: str | int | Decimal | bool | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    value: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    entries: tuple[Entry, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Member:
    """`object.name`; `name_span` is the name alone."""

    object: Expr
    name: str
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """`receiver.name(args)`, or `name(args)` when there is no receiver."""

    receiver: Expr | None
    name: str
    args: tuple[Expr, ...]
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Filter:
    """`list[condition]`."""

    list: Expr
    condition: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    operand: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Binary:
    """`op`: `+ - * / %`, `= != < <= > >=`, `in`, `notIn`, `like`."""

    op: str
    left: Expr
    right: Expr
    span: Span = _span()
    op_span: Span = _span()


@dataclass(frozen=True, slots=True)
class RefWord:
    """`now`, `today`, `yesterday` or `tomorrow`."""

    word: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class RefUnit:
    """`this|last|next UNIT`; `unit` is singular: millisecond … millennium."""

    which: str
    unit: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class RefExpr:
    """Any date or timestamp expression; inside WHEN a step's name stands for that step's timestamp."""

    expr: Expr
    span: Span = _span()


Ref = RefWord | RefUnit | RefExpr


@dataclass(frozen=True, slots=True)
class On:
    """`occurs [on] REF`."""

    ref: Ref
    ignoring_year: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Towards:
    """`occurs before|after|from REF`."""

    direction: str
    ref: Ref
    ignoring_year: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Between:
    start: Ref
    end: Ref
    ignoring_year: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Distance:
    """`occurs CMP n UNIT before|after|from REF`."""

    op: str
    amount: int
    unit: str
    direction: str
    ref: Ref
    ignoring_year: bool = False
    span: Span = _span()


Phrase = On | Towards | Between | Distance


@dataclass(frozen=True, slots=True)
class Occurs:
    operand: Expr
    phrase: Phrase
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Variable:
    """`NAME from LIST [where|: CONDITION]` in a quantifier, `select` or comprehension."""

    name: str
    list: Expr
    condition: Expr | None
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`kind` as written, lower case: exists, some, forall, all, none or one."""

    kind: str
    variables: tuple[Variable, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Select:
    variables: tuple[Variable, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`sum E over X from A where C`; `function`: sum, count, average, min or max."""

    function: str
    body: Expr
    variables: tuple[Variable, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    value: Expr
    body: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Lambda:
    parameters: tuple[str, ...]
    body: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Count:
    """A COUNT clause. `op`: `>=` (also for plain COUNT(n)), `= != < <= >`, `between` (then `high`), or `all`."""

    op: str
    low: int = 0
    high: int = 0
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a chain. All WHEN phrases and all WHERE conditions hold together with WHAT."""

    name: str
    excluded: bool
    what: Expr
    when: tuple[Phrase, ...] = ()
    count: Count | None = None
    where: tuple[Expr, ...] = ()
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Chain:
    """`timestamp` is an expression resolved inside an element: usually Name("timestamp")."""

    list: Expr
    timestamp: Expr
    steps: tuple[Step, ...]
    span: Span = _span()


Expr = (
    Name
    | Parameter
    | This
    | Up
    | Entity
    | Literal
    | ListLiteral
    | ObjectLiteral
    | Member
    | Call
    | Filter
    | Negate
    | Not
    | And
    | Or
    | Binary
    | Occurs
    | Quantifier
    | Select
    | Comprehension
    | Let
    | If
    | Lambda
    | Chain
)


@dataclass(frozen=True, slots=True)
class Property:
    """`name: value` in a segment; a value is text, or a list of texts when `is_list`."""

    name: str
    values: tuple[str, ...]
    is_list: bool
    span: Span = _span()
    name_span: Span = _span()
    value_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segment:
    """`display` is empty when not given. A file that is one bare expression has one Segment with `bare` set."""

    id: str
    display: str
    properties: tuple[Property, ...]
    where: Expr
    bare: bool = False
    span: Span = _span()
    id_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Define:
    name: str
    value: Expr
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    value: Expr
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class GivenProfile:
    """`given profile { … }`: the merged profile at the start; the object literal holds JSON only."""

    document: ObjectLiteral
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class At:
    """`at INSTANT [event { … }]`: moves the clock; with an event, that event arrives with this timestamp."""

    instant: str
    event: ObjectLiteral | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Expect:
    """`[at INSTANT | after DURATION] expect [not] in SEGMENT`; `after` counts from the last `at`.

    `after`: pairs of (amount, unit), units singular. Both `instant` and `after` empty: at the clock as it stands.
    """

    segment: str
    member: bool
    instant: str = ""
    after: tuple[tuple[int, str], ...] = ()
    span: Span = _span()
    segment_span: Span = _span()


TestStep = GivenProfile | At | Expect


@dataclass(frozen=True, slots=True)
class Test:
    name: str
    steps: tuple[TestStep, ...]
    span: Span = _span()
    name_span: Span = _span()

    __test__ = False  # pytest must not collect it


Declaration = Segment | Define | Attribute | Test


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its markers; kept beside the tree for the formatter."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class File:
    """A `.pql` file. Declarations that did not parse are left out (their diagnostics say why)."""

    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    span: Span = _span()
