"""What a record alone settles: the roots that hold without events, and the leaves over events that can still turn a root.

A root that asks for `country = "CH"` and three visits cannot turn by the visits of a person in France. Records that no test tells apart share a
`Base`; in it, a leaf that can turn no root is idle: nothing is kept for it, nothing is looked at, no timer waits, until the record
changes. Leaves that may fail (sums, the plain evaluator) are never idle, because a failure is reported whatever it decides. Must not
know state. Read `Base`, then `Settler.base`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from pql.runtime.cells import FAILED
from pql.runtime.shapes import Leaf, Tree

IDLE = 3
_MOST = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class Base:
    """`values`: the leaves over the record with their truth. `truth`: of all leaves of a profile without events, IDLE where nobody can
    ask. `alive`: a byte for each cell, 1 when a leaf that is not idle needs it. `holding`, `held`: the roots that hold without events, as
    numbers and as a byte each. `failing`: those with a leaf over the record that is out of range."""

    values: tuple[tuple[int, int], ...]
    truth: bytes
    alive: bytes
    holding: tuple[int, ...]
    held: bytes
    failing: tuple[int, ...]


class _Part(NamedTuple):
    """What the roots over the same leaves of the record come to; bytes as whole numbers, a byte for each leaf, cell and root."""

    leaves: int
    cells: int
    held: int
    holding: tuple[int, ...]
    failing: tuple[int, ...]


@dataclass
class _Group:
    """Roots over the same leaves of the record (`records`, by number)."""

    records: tuple[int, ...]
    roots: list[int]
    known: dict[tuple[int, ...], _Part]


@dataclass(frozen=True)
class Parts:
    """Of a network: the trees of the roots, the number of each leaf, leaves over the record, the cells that a leaf needs, leaves that may be idle, and
    the truth of every leaf without record and events."""

    trees: Sequence[Tree]
    numbers: Mapping[Leaf, int]
    records: Sequence[int]
    cells_of: Mapping[int, tuple[int, ...]]
    idleable: Iterable[int]
    first: bytes
    cells: int


class Settler:
    """`base` for the values of the leaves over the record, in the order of `Parts.records`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.place = {number: i for i, number in enumerate(parts.records)}
        groups: dict[tuple[int, ...], _Group] = {}
        for root, tree in enumerate(parts.trees):
            records = tuple(sorted({n for n in self._below(tree) if n in self.place}))
            groups.setdefault(records, _Group(records, [], {})).roots.append(root)
        bare = groups.pop((), None)
        self.bare = _Part(0, 0, 0, (), ()) if bare is None else self._part(bare, {})
        self.groups = [(group, self._picker(group.records)) for group in groups.values()]
        self.idleable = sum(IDLE << (8 * n) for n in parts.idleable)
        self.first = int.from_bytes(parts.first, "little")
        kept = set(parts.cells_of) - set(parts.idleable)
        self.always = sum(1 << (8 * cell) for cell in {cell for n in kept for cell in parts.cells_of[n]})

    def base(self, values: tuple[tuple[int, int], ...]) -> Base:
        """`values`: (leaf, 1, 0 or 2) of each leaf over the record."""
        truths = tuple(value for _, value in values)
        leaves, cells, held, holding, failing = self.bare
        cells |= self.always
        for group, pick in self.groups:
            key = pick(truths)
            part = group.known.get(key)
            if part is None:
                if len(group.known) > _MOST:
                    group.known.clear()
                part = group.known[key] = self._part(group, dict(zip(group.records, key, strict=True)))
            leaves |= part.leaves
            cells |= part.cells
            held |= part.held
            holding += part.holding
            failing += part.failing
        parts = self.parts
        truth = bytearray((self.first | (self.idleable & ~(leaves * IDLE))).to_bytes(len(parts.first), "little"))
        for number, value in values:
            truth[number] = value
        return Base(
            values,
            bytes(truth),
            cells.to_bytes(parts.cells, "little"),
            tuple(sorted(holding)),
            held.to_bytes(len(parts.trees), "little"),
            failing,
        )

    def _picker(self, records: tuple[int, ...]) -> Any:
        places = [self.place[n] for n in records]
        if len(places) == 1:
            only = places[0]
            return lambda truths: (truths[only],)
        return itemgetter(*places)

    def _part(self, group: _Group, values: dict[int, int]) -> _Part:
        """What the roots of a group come to, for those values of their leaves over the record."""
        leaves: set[int] = set()
        holding, failing = [], []
        for root in group.roots:
            tree = self.parts.trees[root]
            found = self._open(tree, values)
            if isinstance(found, set):
                leaves |= found
            if FAILED in values.values():
                failing.append(root)
            elif self._holds(tree, values):
                holding.append(root)
        cells = {cell for n in leaves for cell in self.parts.cells_of.get(n, ())}
        return _Part(
            sum(1 << (8 * n) for n in leaves),
            sum(1 << (8 * n) for n in cells),
            sum(1 << (8 * n) for n in holding),
            tuple(holding),
            tuple(failing),
        )

    def _open(self, tree: Tree, values: dict[int, int]) -> bool | set[int]:
        """What a tree comes to whatever the events are, or the leaves over events that decide it. A leaf that is out of range decides nothing."""
        if isinstance(tree, bool):
            return tree
        if not isinstance(tree, tuple):
            number = self.parts.numbers[tree]
            value = values.get(number)
            return {number} if value is None else set() if value == FAILED else bool(value)
        if tree[0] == "not":
            inner = self._open(tree[1], values)
            return not inner if isinstance(inner, bool) else inner
        decides = tree[0] == "or"
        found: set[int] = set()
        settled = True
        for part in tree[1]:
            one = self._open(part, values)
            if isinstance(one, set):
                found |= one
                settled = False
            elif one is decides:
                return decides
        return (not decides) if settled else found

    def _holds(self, tree: Tree, values: dict[int, int]) -> bool:
        """Does a tree hold without events?"""
        if isinstance(tree, bool):
            return tree
        if not isinstance(tree, tuple):
            number = self.parts.numbers[tree]
            return values.get(number, self.parts.first[number]) == 1
        if tree[0] == "not":
            return not self._holds(tree[1], values)
        return (all if tree[0] == "and" else any)(self._holds(t, values) for t in tree[1])

    def _below(self, tree: Tree) -> Iterable[int]:
        if isinstance(tree, bool):
            return
        if not isinstance(tree, tuple):
            yield self.parts.numbers[tree]
        elif tree[0] == "not":
            yield from self._below(tree[1])
        else:
            for part in tree[1]:
                yield from self._below(part)
