"""The mapping of a source, checked: which expression over source fields fills which XDM path.

A small closed set of frozen nodes; every call names a record of `functions`. Must not know SQL, files or the store.
Read `Mapping`, then `Node`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from pql.source import NOWHERE, Span
from pql.types import Type


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Constant:
    value: str | int | Decimal | bool | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of the source record (`variable` empty), or of a lambda's variable; no steps: the variable itself."""

    steps: tuple[str, ...]
    variable: str = ""
    span: Span = _span()

    @property
    def path(self) -> str:
        return ".".join((self.variable, *self.steps) if self.variable else self.steps)


@dataclass(frozen=True, slots=True)
class Apply:
    """A call of a function of the table; operators are functions too."""

    function: str
    args: tuple[Node, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Each:
    """`map(list, x => body)`, or with `test` the elements that pass: `filter(list, x => test)`."""

    list: Node
    variable: str
    body: Node
    test: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Build:
    """An object (or map) from named values; a value that is null is left out."""

    entries: tuple[tuple[str, Node], ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Listing:
    """A list from values; null ones are left out. `or_nothing`: null when none is left."""

    items: tuple[Node, ...]
    or_nothing: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LookUp:
    """The value of `field` in the row of a look-up source whose key is `key`."""

    table: str
    key: Node
    field: str
    span: Span = _span()


Node = Constant | Reference | Apply | Each | Build | Listing | LookUp


def tidy_identities(node: Node) -> Node:
    """An `identityMap` that is written out: its keys in order, and none without an identity. So two that say the same are the same,
    and it can be told from the identities of a row."""
    if not isinstance(node, Build):
        return node
    entries = [(k, replace(n, or_nothing=True) if isinstance(n, Listing) else n) for k, n in node.entries]
    return replace(node, entries=tuple(sorted(entries, key=lambda e: e[0])))


@dataclass(frozen=True)
class Target:
    """One line of a mapping: the XDM path, its type in the schema, and the expression that fills it."""

    path: tuple[str, ...]
    type: Type
    node: Node

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class Mapping:
    """All lines. No path is inside another one."""

    targets: tuple[Target, ...]

    def references(self) -> frozenset[str]:
        """The source fields that some line reads."""
        return frozenset(".".join(r.steps) for t in self.targets for r in references(t.node) if not r.variable)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Apply():
            return node.args
        case Each():
            return (node.list, node.body)
        case Build():
            return tuple(v for _, v in node.entries)
        case Listing():
            return node.items
        case LookUp():
            return (node.key,)
        case _:
            return ()


def references(node: Node) -> tuple[Reference, ...]:
    if isinstance(node, Reference):
        return (node,)
    return tuple(r for c in children(node) for r in references(c))
