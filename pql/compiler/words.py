"""Tests as bits of words: what a relation, or the profile, decides alone, and conjunctions of it in one comparison.

A word is an unsigned number with a bit for each of up to `WORD` tests. `a and not b` over bits is
`(~word & A) | (word & B) = 0`, which a column engine runs without a branch for each row. What it is worth:
benchmarks/together.py. Read `packed_relation`, then `bit_test`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.groups import PID, Group, Relation
from pql.compiler.leaves import leaf_reference, path_of, referenced
from pql.compiler.outcomes import Parts, at_least_one, default, leaf_names, outcome, with_defaults
from pql.compiler.rows import RowRenderer, column
from pql.compiler.sql import Sql, coalesce
from pql.functions.record import call, cast, number, paren
from pql.ir import nodes as ir
from pql.ir.walk import rebuild
from pql.types import BOOLEAN

WORD = 60
MANY = 20
"""Above this many values a list costs too much to be looked through for every profile."""
PROFILE_WORD = "bits "
"""The name of a word beside a profile's own columns; the space keeps it apart from any field's."""


@dataclass(frozen=True)
class Bit:
    """Where a test is kept: bit `place` of column `word` of relation `alias`. `absent`: it is set where the test fails,
    because the test holds for a profile that has no row there."""

    alias: str
    word: str
    place: int
    absent: bool

    def stored(self) -> Sql:
        """The word; a profile without rows has no bit set."""
        return coalesce(column(self.word, self.alias), _word(0))

    def test(self, holds: bool = True) -> Sql:
        masked = paren(exp.BitwiseAnd(this=self.stored(), expression=_word(1 << self.place)))
        return paren((exp.EQ if self.absent == holds else exp.NEQ)(this=masked, expression=_word(0)))


def bit_test(e: ir.Expr, bits: dict[str, Bit], render: RowRenderer) -> Sql:
    """A test over bits and other things: bits that are joined by the same `and` or `or` are compared together."""
    if not isinstance(e, ir.And | ir.Or):
        literal = _literal(e, bits)
        return literal[0].test(literal[1]) if literal else render.test(e, exact=False)
    literals, rest = [], []
    for operand in e.operands:
        literal = _literal(operand, bits)
        if literal is None:
            rest.append(operand)
        else:
            literals.append(literal)
    every = isinstance(e, ir.And)
    made = [_compared(literals, every)] if len(literals) > 1 else [bit.test(holds) for bit, holds in literals]
    made += [bit_test(operand, bits, render) for operand in rest]
    result = made[0]
    for test in made[1:]:
        result = (exp.And if every else exp.Or)(this=result, expression=test)
    return result if len(made) == 1 else paren(result)


def _literal(e: ir.Expr, bits: dict[str, Bit]) -> tuple[Bit, bool] | None:
    """A bit and whether its test must hold, when the expression is nothing else."""
    holds = True
    while isinstance(e, ir.Not):
        e, holds = e.operand, not holds
    bit = bits.get(referenced(e) or "")
    return None if bit is None else (bit, holds)


def _compared(literals: Sequence[tuple[Bit, bool]], every: bool) -> Sql:
    """Do all (`every`) or some of the tests hold? What must be seen is zero for all, and not zero for some."""
    masks: dict[tuple[str, str, bool], int] = {}
    words: dict[tuple[str, str], Bit] = {}
    for bit, holds in literals:
        stands = holds != bit.absent
        key = (bit.alias, bit.word, stands != every)
        masks[key] = masks.get(key, 0) | 1 << bit.place
        words.setdefault((bit.alias, bit.word), bit)
    terms: list[Sql] = []
    for (alias, word, plain), mask in masks.items():
        stored = words[alias, word].stored()
        stored = stored if plain else exp.BitwiseNot(this=stored)
        terms.append(paren(exp.BitwiseAnd(this=stored, expression=_word(mask))))
    whole = terms[0] if len(terms) == 1 else paren(_either(terms))
    return paren((exp.EQ if every else exp.NEQ)(this=whole, expression=_word(0)))


def attribute_bits(
    people: Sql, expressions: list[ir.Expr], render: RowRenderer
) -> tuple[Sql, list[ir.Expr], dict[str, Bit]]:
    """Plain tests on the profile's attributes as bits: the profiles with their words, the expressions over the bits, the bits.

    Only tests that cost little are taken: a bit is worked out for every profile, where a conjunction stops at its first failure.
    """
    found: dict[ir.Expr, str] = {}

    def change(e: ir.Expr) -> ir.Expr:
        if isinstance(e, ir.And | ir.Or | ir.Not):
            result: ir.Expr = rebuild(e, change)
            return result
        return leaf_reference(found.setdefault(e, f"p_{len(found)}"), BOOLEAN) if _plain_attribute(e) else e

    done = [change(e) if isinstance(e, ir.TESTS) else e for e in expressions]
    if not found:
        return people, done, {}
    bits: dict[str, Bit] = {}
    columns: list[Sql] = [exp.Column(this=exp.Star(), table=exp.to_identifier("p"))]
    for w, chunk in enumerate(_chunks(list(found.items()))):
        row = [_bit(render.test(test, exact=False), i) for i, (test, _) in enumerate(chunk)]
        columns.append(exp.alias_(paren(_either(row)), f"{PROFILE_WORD}{w}", quoted=True, copy=False))  # type: ignore[arg-type]
        bits |= {name: Bit("p", f"{PROFILE_WORD}{w}", i, False) for i, (_, name) in enumerate(chunk)}
    return exp.Select(expressions=columns).from_(people).subquery("p", copy=False), done, bits


def _plain_attribute(e: ir.Expr) -> bool:
    """Is it a comparison of one field of the profile with constants?"""
    if isinstance(e, ir.Truth) and isinstance(e.operand, ir.Call) and e.operand.function == "in":
        item, items = e.operand.args
        if not isinstance(items, ir.MakeList) or len(items.items) > MANY:
            return False
        return _attribute(item) and all(isinstance(i, ir.Const) for i in items.items)
    if isinstance(e, ir.Truth | ir.IsNull):
        return _attribute(e.operand)
    return isinstance(e, ir.Compare) and _attribute(e.left) and isinstance(e.right, ir.Const)


def _attribute(e: ir.Expr) -> bool:
    path = path_of(e)
    return referenced(e) is None and path is not None and path[0] == ir.PROFILE and path[1][:1] not in ((), ("xEvent",))


def packed_relation(
    made: Relation,
    group: Group,
    expressions: Sequence[ir.Expr],
    settings: Settings,
    known: Parts,
    alias: str,
) -> tuple[exp.Select, list[ir.Expr], dict[str, Bit]]:
    """The tests that only this group decides, as bits: the relation, the expressions over bits, and the bits' SQL."""
    names, leaves = set(group.leaves), known.leaves
    found: dict[ir.Expr, str] = {}

    def change(e: ir.Expr) -> ir.Expr:
        if names.isdisjoint(known.names(e)):
            return e
        if known.only(e, names):
            name = found.setdefault(e, f"{alias}_{len(found)}")
            return leaf_reference(name, BOOLEAN)
        result: ir.Expr = rebuild(e, change)
        return result

    done = [change(e) for e in expressions]
    kept = {n for e in done for n in known.names(e)} & names
    some = {t: n for t, n in found.items() if at_least_one(t, leaves)}
    rest = {t: n for t, n in found.items() if t not in some}
    valued = kept | {n for t in rest for n in leaf_names(t)}
    inner = made.select.select(
        *(exp.alias_(v, n, copy=False) for n, v in made.values.items() if n in valued), copy=False
    )
    bits: dict[str, Bit] = {}
    columns: list[Sql] = [column(PID, "w"), *(column(n, "w") for n in sorted(kept))]
    for w, chunk in enumerate(_chunks(list(some.items()))):
        row = [_bit(made.conditions[next(iter(leaf_names(t)))], i) for i, (t, _) in enumerate(chunk)]
        inner = inner.select(exp.alias_(call("bit_or", _either(row)), f"b{w}", copy=False), copy=False)
        columns.append(column(f"b{w}", "w"))
        bits |= {name: Bit(alias, f"b{w}", i, False) for i, (_, name) in enumerate(chunk)}
    plain = RowRenderer(settings, {}, {n: default(column(n, "w"), leaves[n]) for n in valued})
    for w, chunk in enumerate(_chunks(list(rest.items()))):
        row = []
        for i, (test, name) in enumerate(chunk):
            absent = outcome(with_defaults(test, leaves))
            row.append(_bit(plain.test(ir.Not(test) if absent else test, exact=False), i))
            bits[name] = Bit(alias, f"w{w}", i, bool(absent))
        columns += [exp.alias_(paren(_either(row)), f"w{w}", copy=False)]  # type: ignore[list-item]
    return exp.Select(expressions=columns).from_(inner.subquery("w", copy=False)), done, bits


def _chunks(items: list[tuple[ir.Expr, str]]) -> list[list[tuple[ir.Expr, str]]]:
    return [items[i : i + WORD] for i in range(0, len(items), WORD)]


def _word(value: int) -> Sql:
    return cast(number(value), "UBIGINT")


def _bit(condition: Sql, place: int) -> Sql:
    if condition == exp.true():
        return _word(1 << place)
    return exp.Case(ifs=[exp.If(this=condition, true=_word(1 << place))], default=_word(0))


def _either(words: list[Sql]) -> Sql:
    result = words[0]
    for word in words[1:]:
        result = exp.BitwiseOr(this=result, expression=word)
    return result
