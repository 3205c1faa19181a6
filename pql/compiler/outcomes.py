"""What can be told of a test over leaves without running it: which leaves it reads, its answer where they have no row.

Knows the IR and leaves; must not know how relations are combined. Read `outcome`, then `Parts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from pql.compiler.leaves import AnyLeaf, Leaf, referenced
from pql.compiler.sql import Sql, coalesce
from pql.functions.record import number
from pql.ir import nodes as ir
from pql.ir.walk import parts, rebuild, walk
from pql.types import INTEGER


def leaf_names(e: ir.Expr) -> set[str]:
    return {name for n in walk(e) if (name := referenced(n)) is not None}


def profile_reads(e: ir.Expr) -> bool:
    """Does it read the profile beside its leaves?"""
    if referenced(e) is not None:
        return False
    if isinstance(e, ir.Var):
        return e.id == ir.PROFILE
    return any(profile_reads(p) for p in parts(e))


def with_defaults(e: ir.Expr, leaves: Mapping[str, AnyLeaf]) -> ir.Expr:
    """The expression for a profile that has no row in any leaf."""
    name = referenced(e)
    if name is not None:
        return ir.Const(leaves[name].default, e.type)
    result: ir.Expr = rebuild(e, lambda n: with_defaults(n, leaves))
    return result


def outcome(e: ir.Expr) -> bool | None:
    """The truth of a test over constants; None when it cannot be told here."""
    match e:
        case ir.Const():
            return bool(e.value) if isinstance(e.value, bool) or e.value is None else None
        case ir.Not():
            inner = outcome(e.operand)
            return None if inner is None else not inner
        case ir.And() | ir.Or():
            found = [outcome(o) for o in e.operands]
            decisive = isinstance(e, ir.Or)
            if decisive in found:
                return decisive
            return None if None in found else not decisive
        case ir.Compare() if isinstance(e.left, ir.Const) and isinstance(e.right, ir.Const):
            return _compare(e.op, e.left.value, e.right.value)
        case ir.Compare():
            return False if any(isinstance(o, ir.Const) and o.value is None for o in (e.left, e.right)) else None
        case ir.Within():
            return False if isinstance(e.operand, ir.Const) and e.operand.value is None else None
        case ir.IsNull():
            return e.operand.value is None if isinstance(e.operand, ir.Const) else None
        case ir.Truth():
            return outcome(e.operand)
        case _:
            return None


def _compare(op: str, a: ir.Value, b: ir.Value) -> bool | None:
    if a is None or b is None:
        return False
    try:
        table = {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}  # type: ignore[operator]
    except TypeError:
        return None
    return table[op]


def at_least_one(e: ir.Expr, leaves: Mapping[str, AnyLeaf]) -> bool:
    """Is it `count of rows >= 1`, which any row satisfies?"""
    if not (isinstance(e, ir.Compare) and (e.op, e.right) in ((">=", ONE), (">", ZERO))):
        return False
    name = referenced(e.left)
    leaf = leaves[name] if name else None
    return isinstance(leaf, Leaf) and leaf.function == "count" and leaf.value is None


ONE, ZERO = ir.Const(1, INTEGER), ir.Const(0, INTEGER)


def default(value: Sql, leaf: AnyLeaf) -> Sql:
    """The leaf's column, with the answer of a profile that has no row in it."""
    if leaf.default is None:
        return value
    constant = exp.false() if leaf.default is False else number(int(leaf.default))  # type: ignore[arg-type]
    return coalesce(value, constant)


class Parts:
    """What the parts of expressions say of leaves, worked out once: each relation asks it again of most of them."""

    def __init__(self, leaves: Mapping[str, AnyLeaf]) -> None:
        self.leaves = leaves
        self._names: dict[int, tuple[ir.Expr, frozenset[str]]] = {}
        self._decided: dict[int, tuple[ir.Expr, bool]] = {}

    def names(self, e: ir.Expr) -> frozenset[str]:
        """The leaves below an expression. The expression is kept with the answer, so that its id stays its own."""
        known = self._names.get(id(e))
        if known is None:
            own = referenced(e)
            below = [self.names(p) for p in parts(e)]
            known = self._names[id(e)] = (e, frozenset(() if own is None else (own,)).union(*below))
        return known[1]

    def decided(self, e: ir.Expr) -> bool:
        """Do leaves alone decide the test, and is its answer known for a profile without rows in them?"""
        known = self._decided.get(id(e))
        if known is None:
            alone = not profile_reads(e) and outcome(with_defaults(e, self.leaves)) is not None
            known = self._decided[id(e)] = (e, alone)
        return known[1]

    def only(self, e: ir.Expr, names: set[str]) -> bool:
        """Can one relation alone decide the test?"""
        return isinstance(e, ir.TESTS) and bool(own := self.names(e)) and own <= names and self.decided(e)

    def tests(self, expressions: Sequence[ir.Expr], names: set[str]) -> int:
        """How many different tests one relation alone decides."""
        found: set[ir.Expr] = set()

        def collect(e: ir.Expr) -> None:
            if names.isdisjoint(self.names(e)):
                return
            if self.only(e, names):
                found.add(e)
                return
            for p in parts(e):
                collect(p)

        for e in expressions:
            collect(e)
        return len(found)
