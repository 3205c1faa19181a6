"""Statements made of leaves: the members of one segment, or many expressions over shared scans.

One segment becomes the most selective form: its conjuncts are semi and anti joins of grouped relations. Many
expressions read each group once, left-joined to the profiles; above a few tests, these are packed as bits of a word. What has
no leaf reads the gathered list of events (`statement`). Read `members` and `Together`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from pql.clock import Settings
from pql.compiler.groups import PID, Group, make_groups, relation
from pql.compiler.layout import Layout
from pql.compiler.leaves import MARK, AnyLeaf, Leaf, Leaves, leaf_reference, referenced
from pql.compiler.outcomes import ONE, Parts, at_least_one, default, leaf_names, outcome, profile_reads, with_defaults
from pql.compiler.rows import RowRenderer, Unfit, column, named, reader, reads_profile, type_of
from pql.compiler.sql import Sql, both
from pql.compiler.words import Bit, attribute_bits, bit_test, packed_relation
from pql.ir import nodes as ir
from pql.ir.walk import rebuild, walk
from pql.types import BOOLEAN, INTEGER

PACK_FROM = 12
"""Above this many tests over leaves, packing them into words pays (benchmarks/together.py)."""


def rewrite(
    expressions: Sequence[ir.Expr], layout: Layout, settings: Settings, segment: Callable[[str], ir.Expr]
) -> tuple[list[ir.Expr], dict[str, AnyLeaf]]:
    """The expressions with leaves taken out, and the leaves. A leaf that the layout cannot answer stays where it was."""
    refused: set[AnyLeaf] = set()
    while True:
        leaves = Leaves(segment, refused=refused)
        done = [leaves.rewrite(e) for e in expressions]
        bad = {leaf for leaf, name in leaves.names.items() if not _answers(name, leaf, layout, settings)}
        if not bad:
            return done, {name: leaf for leaf, name in leaves.names.items()}
        refused |= bad


def _answers(name: str, leaf: AnyLeaf, layout: Layout, settings: Settings) -> bool:
    try:
        relation(Group({name: leaf}), layout, settings)
    except Unfit:
        return False
    return True


def flat_conjuncts(e: ir.Expr) -> list[ir.Expr]:
    """The parts of a conjunction, through nested ones and negated disjunctions."""
    if isinstance(e, ir.And):
        return [p for o in e.operands for p in flat_conjuncts(o)]
    if isinstance(e, ir.Not) and isinstance(e.operand, ir.Or):
        return [p for o in e.operand.operands for p in flat_conjuncts(ir.Not(o))]
    if isinstance(e, ir.Not) and isinstance(e.operand, ir.Not):
        return flat_conjuncts(e.operand.operand)
    return [] if e == ir.TRUE else [e]


@dataclass
class _Selected:
    """A conjunct as a relation: profiles that satisfy it (`negative`: that do not)."""

    test: ir.Expr
    group: Group
    negative: bool
    leaves: Mapping[str, AnyLeaf]


@dataclass
class Members:
    """The members of one segment. `profiles` gives the FROM item for the profiles, with or without gathered events."""

    layout: Layout
    settings: Settings
    leaves: Mapping[str, AnyLeaf]
    selected: list[_Selected] = field(default_factory=list)
    rest: list[ir.Expr] = field(default_factory=list)

    def classify(self, test: ir.Expr) -> None:
        for part in flat_conjuncts(test):
            names = leaf_names(part)
            groups = make_groups({n: self.leaves[n] for n in sorted(names)})
            if len(groups) != 1 or profile_reads(part):
                self.rest.append(part)
                continue
            truth = outcome(with_defaults(part, self.leaves))
            if truth is None:
                self.rest.append(part)
            else:
                wanted = ir.Not(part) if truth else part
                inner = _plain(wanted)
                self.selected.append(_Selected(inner, groups[0], truth, self.leaves))
        self.selected.sort(key=lambda s: (s.negative, not s.group.typed))

    def one(self, chosen: _Selected, among: exp.Select | None = None) -> exp.Select:
        """`SELECT pid` of the profiles for which the conjunct's test holds."""
        first = chosen.group.first
        if chosen.group.correlated and at_least_one(chosen.test, self.leaves) and isinstance(first, Leaf):
            return self.correlated(first)
        made = relation(chosen.group, self.layout, self.settings)
        select = made.select
        if made.source is not None and among is not None:
            select = select.where(exp.In(this=made.source.key, query=among.subquery()), copy=False)
        if not at_least_one(chosen.test, self.leaves) and referenced(chosen.test) is None:
            render = RowRenderer(self.settings, {}, made.values)
            select = select.having(render.test(chosen.test, exact=False), copy=False)
        return select

    def correlated(self, leaf: Leaf) -> exp.Select:
        """Existence that compares with the profile's attributes: a semi join on all of it."""
        from pql.compiler.rows import choose

        source = choose(self.layout, leaf.levels, leaf.tests, type_of(leaf.tests) is not None, False)
        rows = {**source.rows, ir.PROFILE: reader(self.layout.profile.columns, "p")}
        render = RowRenderer(self.settings, rows)
        own = column(self.layout.profile.key, "p")
        on = both(exp.EQ(this=source.key, expression=own), *(render.test(t, exact=False) for t in leaf.tests))
        outer = exp.Select(expressions=[exp.alias_(own.copy(), PID)]).from_(named(self.layout.profile, "p"))
        outer.append("joins", exp.Join(this=source.item, on=on, kind="SEMI"))
        return outer

    def necessary(self, chosen: _Selected) -> exp.Select | None:
        """Profiles outside cannot satisfy the test on the picked row: some row must satisfy it."""
        test, leaf = chosen.test, chosen.group.first
        if not isinstance(leaf, Leaf) or leaf.function != "pick" or leaf.value is None or len(chosen.group.leaves) > 1:
            return None
        if not isinstance(test, ir.Compare) or referenced(test.left) is None or not isinstance(test.right, ir.Const):
            return None
        row = ir.Compare(test.op, leaf.value, test.right)
        tests = (*leaf.tests, row)
        if type_of(leaf.tests) is not None or type_of(tests) is None:
            return None
        some = Leaf((), tests, "count", None, INTEGER, "", 0)
        return relation(Group({"n": some}), self.layout, self.settings).select

    def select(self, profiles: Callable[[bool], Sql]) -> exp.Select:
        """The whole statement: one column, `pid`."""
        positive = [s for s in self.selected if not s.negative]
        parts: list[exp.Select] = []
        for s in positive:
            among = self._among(parts, s) if not s.group.typed and not s.group.correlated else None
            parts.append(self.one(s, among))
        if self.rest or not positive:
            result = self._over_profiles(profiles)
            sets = parts
        else:
            result, sets = exp.Select(expressions=[exp.column(PID, table="m")]).from_(parts[0].subquery("m")), parts[1:]
            if not sets and len(self.selected) == 1:
                return parts[0]
        key = result.expressions[0].unalias()
        for i, part in enumerate(sets):
            result = _joined(result, part, key, f"s{i}", "SEMI")
        for i, s in enumerate(s for s in self.selected if s.negative):
            result = _joined(result, self.one(s), key, f"a{i}", "ANTI")
        return result

    def _among(self, parts: list[exp.Select], chosen: _Selected) -> exp.Select | None:
        found = [p.copy() for p in parts]
        needed = self.necessary(chosen)
        if needed is not None:
            found.append(needed)
        if not found:
            return None
        result = exp.Select(expressions=[exp.column(PID, table="m")]).from_(found[0].subquery("m"))
        for i, part in enumerate(found[1:]):
            result = _joined(result, part, exp.column(PID, table="m"), f"n{i}", "SEMI")
        return result

    def _over_profiles(self, profiles: Callable[[bool], Sql]) -> exp.Select:
        together = Together(self.layout, self.settings, {n: self.leaves[n] for e in self.rest for n in leaf_names(e)})
        values, source = together.over(self.rest, profiles, pack=False)
        key = exp.alias_(column(self.layout.profile.key, "p"), PID)
        result = source.select(key, copy=False)
        for v in values:
            result = result.where(v, copy=False)
        return result


def _plain(e: ir.Expr) -> ir.Expr:
    """Without a double negation."""
    if isinstance(e, ir.Not) and isinstance(e.operand, ir.Not):
        return e.operand.operand
    return e


def _joined(select: exp.Select, part: exp.Select, key: Sql, alias: str, kind: str) -> exp.Select:
    on = exp.EQ(this=key.copy(), expression=exp.column(PID, table=alias))
    select.append("joins", exp.Join(this=part.subquery(alias, copy=False), on=on, kind=kind))
    return select


@dataclass
class Together:
    """Many expressions over the profiles, with the leaves that they share."""

    layout: Layout
    settings: Settings
    leaves: Mapping[str, AnyLeaf]

    def over(
        self, expressions: Sequence[ir.Expr], profiles: Callable[[bool], Sql], pack: bool
    ) -> tuple[list[Sql], exp.Select]:
        """The SQL of each expression (tests as tests), and the FROM clause that they stand on."""
        leaves: Mapping[str, AnyLeaf] = self.leaves
        if pack:
            expressions, leaves = existence(expressions, leaves)
        groups = make_groups(leaves)
        listed = any(_gathers(e) for e in expressions)
        rows = {ir.PROFILE: _profile_reader(self.layout, listed)}
        columns: dict[str, Sql] = {}
        bits: dict[str, Bit] = {}
        done: list[ir.Expr] = list(expressions)
        source: exp.Select = exp.Select()
        known = Parts(leaves)
        for i, group in enumerate(groups):
            made = relation(group, self.layout, self.settings)
            alias = f"g{i}"
            if pack and not group.correlated and known.tests(done, set(group.leaves)) > 1:
                select, done, packed = packed_relation(made, group, done, self.settings, known, alias)
                bits |= packed
            else:
                select = made.select.select(*(exp.alias_(v, n, copy=False) for n, v in made.values.items()), copy=False)
            for name, leaf in group.leaves.items():
                columns.setdefault(name, default(column(name, alias), leaf))
            own, other = column(self.layout.profile.key, "p"), exp.column(PID, table=alias)
            source.append(
                "joins",
                exp.Join(this=select.subquery(alias, copy=False), on=exp.EQ(this=own, expression=other), side="LEFT"),
            )
        people = profiles(listed)
        if pack:
            people, done, own_bits = attribute_bits(people, done, RowRenderer(self.settings, rows))
            bits |= own_bits
        source = source.from_(people, copy=False)
        columns |= {name: bit.test() for name, bit in bits.items()}
        render = RowRenderer(self.settings, rows, columns)
        values = [bit_test(e, bits, render) if _is_test(e) else render.value(e) for e in done]
        return values, source


def _is_test(e: ir.Expr) -> bool:
    return isinstance(e, ir.TESTS) or referenced(e) is not None and e.type == BOOLEAN


def _profile_reader(layout: Layout, listed: bool) -> Callable[[tuple[str, ...]], Sql]:
    plain = reader(layout.profile.columns, "p")

    def read(path: tuple[str, ...]) -> Sql:
        if listed and path[:1] == ("xEvent",) and len(path) == 1:
            return column("xEvent", "p")
        return plain(path)

    return read


def _gathers(e: ir.Expr) -> bool:
    from pql.compiler.leaves import is_events

    return any(is_events(n) for n in walk(e))


def existence(
    expressions: Sequence[ir.Expr], leaves: Mapping[str, AnyLeaf]
) -> tuple[list[ir.Expr], dict[str, AnyLeaf]]:
    """Tests on a greatest or least value as the existence of a row: one bit for all, instead of an aggregate each."""
    made: dict[AnyLeaf, str] = {leaf: name for name, leaf in leaves.items()}

    def some(leaf: Leaf, test: ir.Expr) -> ir.Expr:
        own = Leaf(leaf.levels, (*leaf.tests, test), "count", None, INTEGER, "", 0)
        name = made.setdefault(own, f"e{len(made)}")
        return ir.Compare(">=", leaf_reference(name, INTEGER), ONE)

    def change(e: ir.Expr) -> ir.Expr:
        if isinstance(e, ir.Compare) and (leaf := _extreme(e.left, leaves)) and _constant(e.right):
            if e.op in ((">", ">=") if leaf.function == "max" else ("<", "<=")):
                assert leaf.value is not None
                return some(leaf, ir.Compare(e.op, leaf.value, e.right))
        if isinstance(e, ir.Within) and (leaf := _extreme(e.operand, leaves)) and leaf.function == "max" and e.lower:
            assert leaf.value is not None
            if _constant(e.lower.instant) and (e.upper is None or _constant(e.upper.instant)):
                reached = some(leaf, ir.Within(leaf.value, e.lower, None))
                if e.upper is None:
                    return reached
                beyond = ir.Compare(">" if e.upper.inclusive else ">=", leaf.value, e.upper.instant)
                if beyond_never(leaf, e.upper):
                    return reached
                return ir.And((reached, ir.Not(some(leaf, beyond))))
        result: ir.Expr = rebuild(e, change)
        return result

    done = [change(e) for e in expressions]
    used = {n for e in done for n in leaf_names(e)}
    return done, {name: leaf for leaf, name in made.items() if name in used}


def beyond_never(leaf: Leaf, upper: ir.Edge) -> bool:
    """Do the leaf's own tests already keep its instants below the edge?"""
    return any(isinstance(t, ir.Within) and t.operand == leaf.value and t.upper == upper for t in leaf.tests)


def _extreme(e: ir.Expr, leaves: Mapping[str, AnyLeaf]) -> Leaf | None:
    name = referenced(e)
    leaf = leaves.get(name or "")
    return leaf if isinstance(leaf, Leaf) and leaf.function in ("min", "max") else None


def _constant(e: ir.Expr) -> bool:
    return not any(isinstance(n, ir.Var) for n in walk(e))


__all__ = ["MARK", "Leaves", "Members", "Together", "reads_profile", "rewrite"]
