"""Layer 3, set-based: merges all fragments of all people by a policy. Read `merge_profiles`.

The rules are those of `pql.identity.merging`, which does the same for one person in Python; tests hold the two equal. Every
fragment gets its place in its person's order once for each order of datasets that the policy names; a leaf is then the
value of the first place that has one. Nested leaves take part by place alone and are fetched at the end, since DuckDB is
slow at aggregating them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from pql.identity.leaves import Leaf, Path, leaves
from pql.identity.merging import PERMISSIVE, RESTRICTIVE
from pql.identity.policy import MergePolicy
from pql.store.layers import Dataset
from pql.store.layout import duckdb_type, quote
from pql.types import ListType, ObjectType
from pql.xdm.schema import Schema

DIALECT = "duckdb"
Tree = exp.Expression


def name(identifier: str, table: str = "") -> exp.Column:
    return exp.column(exp.to_identifier(identifier, quoted=True), table=table or None)


def read(path: Path) -> Tree:
    """The value at a path of a row."""
    tree: Tree = name(path[0])
    for step in path[1:]:
        tree = exp.Dot(this=tree, expression=exp.to_identifier(step, quoted=True))
    return tree


def call(function: str, *args: Tree) -> Tree:
    return exp.Anonymous(this=function, expressions=list(args))


def number(value: int) -> Tree:
    return exp.Literal.number(value)


def given(value: Tree) -> Tree:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def typed(value: Tree, kind: str) -> Tree:
    return exp.Cast(this=value, to=exp.DataType.build(kind, dialect=DIALECT, udt=True))


@dataclass(frozen=True)
class Live:
    """A leaf that some dataset fills. `column` is its name on the way; `order` which of the orders decides it."""

    leaf: Leaf
    column: str
    order: int
    datasets: frozenset[str]

    @property
    def is_plain(self) -> bool:
        return self.leaf.kind == "value" or (self.leaf.kind == "consent" and self.leaf.val is None)


@dataclass(frozen=True)
class Merging:
    """One policy over some record datasets. `orders`: the orders of datasets that it names, None for timestamp order."""

    policy: MergePolicy
    schema: Schema
    datasets: tuple[Dataset, ...]
    orders: tuple[tuple[str, ...] | None, ...]
    live: tuple[Live, ...]


def plan(connection: duckdb.DuckDBPyConnection, policy: MergePolicy, schema: Schema, found: Sequence[Dataset]) -> Merging:
    """Which leaves are filled by which datasets that take part."""
    records = tuple(d for d in found if not d.is_event and policy.takes(d.name))
    every = leaves(schema.profile)
    filled = {d.name: _filled(connection, d, every) for d in records}
    orders: list[tuple[str, ...] | None] = []
    live = []
    for leaf in every:
        names = frozenset(d for d, paths in filled.items() if leaf.path in paths and policy.takes(d, leaf.path))
        if names:
            order = policy.order_for(leaf.path)
            if order not in orders:
                orders.append(order)
            live.append(Live(leaf, f"c{len(live)}", orders.index(order), names))
    return Merging(policy, schema, records, tuple(orders), tuple(live))


def _filled(connection: duckdb.DuckDBPyConnection, d: Dataset, every: Sequence[Leaf]) -> frozenset[Path]:
    """The leaves that are not null in every row of a dataset: top fields are asked first, for most are empty."""
    tops = [t for t in dict.fromkeys(leaf.path[0] for leaf in every) if t in d.columns]
    there = _counted(connection, d, [(t,) for t in tops])
    inner = [leaf.path for leaf in every if (leaf.path[0],) in there]
    return _counted(connection, d, inner)


def _counted(connection: duckdb.DuckDBPyConnection, d: Dataset, paths: Sequence[Path]) -> frozenset[Path]:
    if not paths:
        return frozenset()
    counts = exp.select(*(exp.Count(this=read(p)) for p in paths)).from_(d.table)
    row = connection.execute(counts.sql(DIALECT)).fetchone() or ()
    return frozenset(p for p, n in zip(paths, row, strict=True) if n)


def place_fragments(connection: duckdb.DuckDBPyConnection, m: Merging, fragments: str) -> None:
    """`s_place(_row, pid, r0, r1, …)`: the places of every fragment in its person's orders, 1 is the best.

    `fragments`: a table of `_row`, `pid`, `dataset` (number), `_key`, `_ordered`, `declared`.
    """
    numbers = {d.name: d.number for d in m.datasets}
    places: list[Tree] = []
    for index, order in enumerate(m.orders):
        keys: list[Tree] = [exp.Ordered(this=name("inferred"))]
        if order is not None:
            whens = [(exp.EQ(this=name("dataset"), expression=number(numbers[o])), number(i))
                     for i, o in enumerate(order) if o in numbers]  # fmt: skip
            case = exp.Case(default=number(len(order)))
            for test, value in whens:
                case = case.when(test, value)
            keys.append(exp.Ordered(this=case if whens else number(0)))
        keys.append(exp.Ordered(this=name("_ordered"), desc=True, nulls_first=False))
        keys += [exp.Ordered(this=name("dataset")), exp.Ordered(this=name("_key"))]
        over = exp.Window(this=exp.RowNumber(), partition_by=[name("pid")], order=exp.Order(expressions=keys))
        places.append(exp.alias_(over, f"r{index}"))
    select = exp.select(name("_row"), name("pid"), name("timed"), name("_ordered"), *places).from_(fragments)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE s_place AS {select.sql(DIALECT)}")


def _part(m: Merging, d: Dataset, wanted: Sequence[Live], nested: bool = False) -> exp.Select:
    """The leaves of one dataset's fragments, with their places; leaves that it does not fill are null."""
    columns: list[Tree] = [name("pid", "p"), *(name(f"r{i}", "p") for i in range(len(m.orders)))]
    for w in wanted:
        filled = d.name in w.datasets
        value: Tree = read(w.leaf.path) if filled else typed(exp.Null(), duckdb_type(w.leaf.type))
        if not w.is_plain and not nested:
            tested = read(w.leaf.val) if filled and w.leaf.val else value
            if w.leaf.kind == "map" and filled:
                tested = exp.Case().when(exp.GT(this=call("cardinality", value), expression=number(0)), exp.true())
            value = given(tested) if filled else exp.false()
        columns.append(exp.alias_(value, w.column))
        if w.leaf.kind == "consent":
            columns.append(exp.alias_(_consent_place(w, filled), f"{w.column}_k"))
    return exp.select(*columns).from_(f"{d.table} AS d").join("s_place AS p", on="p._row = d._row")


def _consent_place(w: Live, filled: bool) -> Tree:
    """A number, smallest is best: the newest time, then the most restrictive value, then the fragment's place."""
    if not filled:
        return typed(exp.Null(), "HUGEINT")
    known = exp.Case().when(name("timed", "p"), name("_ordered", "p"))
    at: Tree = exp.Coalesce(this=read(w.leaf.time), expressions=[known]) if w.leaf.time else known
    latest = number(2**63 - 1)
    age = exp.Coalesce(this=exp.Sub(this=latest, expression=typed(call("epoch_us", at), "HUGEINT")),
                       expressions=[number(2**64)])  # fmt: skip
    rank: Tree = number(0)
    if w.leaf.val:
        case = exp.Case(default=number(len(RESTRICTIVE)))
        for i, word in enumerate(RESTRICTIVE):
            case = case.when(exp.EQ(this=read(w.leaf.val), expression=exp.Literal.string(word)), number(i))
        for i, word in enumerate(PERMISSIVE):
            case = case.when(exp.EQ(this=read(w.leaf.val), expression=exp.Literal.string(word)), number(len(RESTRICTIVE) + 1 + i))
        rank = exp.Paren(this=case)
    top = exp.Add(this=exp.Mul(this=exp.Paren(this=age), expression=number(16)), expression=rank)
    place = name(f"r{w.order}", "p")
    return exp.Add(this=exp.Mul(this=exp.Paren(this=typed(exp.Paren(this=top), "HUGEINT")), expression=number(2**40)), expression=place)


def merge_values(connection: duckdb.DuckDBPyConnection, m: Merging, target: str, people: str, identities: str) -> None:
    """Fill the table `target` with a merged row for every `pid` of the table `people`; `identities(pid, value)` has the identity maps."""
    aggregates: list[Tree] = []
    for w in m.live:
        place: Tree = name(f"{w.column}_k") if w.leaf.kind == "consent" else name(f"r{w.order}")
        if w.is_plain:
            aggregates.append(exp.alias_(call("arg_min", name(w.column), place), w.column))
        elif w.leaf.kind != "map":
            got = call("arg_min", name(f"r{w.order}"), place) if w.leaf.kind == "consent" else exp.Min(this=place)
            aggregates.append(exp.alias_(exp.Filter(this=got, expression=exp.Where(this=name(w.column))), w.column))
    wanted = [w for w in m.live if w.leaf.kind != "map"]
    if wanted:
        union = _union([_part(m, d, wanted) for d in m.datasets])
        grouped = exp.select(name("pid"), *aggregates).from_(union.subquery("f")).group_by(name("pid"))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE s_merged AS {grouped.sql(DIALECT)}")
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE s_merged (pid BIGINT)")
    _insert(connection, m, target, people, identities)
    connection.execute("DROP TABLE s_merged")


def _union(parts: Sequence[exp.Select]) -> exp.Query:
    whole: exp.Query = parts[0]
    for part in parts[1:]:
        whole = exp.union(whole, part, distinct=False)
    return whole


def _insert(connection: duckdb.DuckDBPyConnection, m: Merging, target: str, people: str, identities: str) -> None:
    values: dict[Path, Tree] = {("identityMap",): name("value", "ids")}
    select = exp.select().from_(f"{people} AS who").join("s_merged AS m", on="m.pid = who.pid", join_type="left")
    select = select.join(f"{identities} AS ids", on="ids.pid = who.pid", join_type="left")
    for w in m.live:
        if w.is_plain:
            values[w.leaf.path] = name(w.column, "m")
            continue
        side = f"n{w.column}"
        select = select.join(_fetched(m, w).subquery(side), on=_joined(w, side), join_type="left")
        values[w.leaf.path] = name("value", side)
    columns = [exp.alias_(name("pid", "who"), "_pid", quoted=True)]
    for field, kind in ((n, f.type) for n, f in m.schema.profile.fields.items()):
        built = _built((field,), kind, values)
        if built is not None:
            columns.append(exp.alias_(typed(built, duckdb_type(kind)), field, quoted=True))
    connection.execute(f"INSERT INTO {target} BY NAME {select.select(*columns).sql(DIALECT)}")


def _fetched(m: Merging, w: Live) -> exp.Select:
    """`pid`, `place`, `value` of a nested leaf; of a map the merged maps, by `pid` alone."""
    parts = [_part(m, d, [w], nested=True) for d in m.datasets if d.name in w.datasets]
    place = f"r{w.order}"
    union = _union(parts).subquery("f")
    if w.leaf.kind != "map":
        return exp.select(name("pid"), exp.alias_(name(place), "place"), exp.alias_(name(w.column), "value")).from_(union).where(given(name(w.column)))
    entries = exp.select(name("pid"), name(place), exp.alias_(call("unnest", call("map_entries", name(w.column))), "e")).from_(union)
    key, value = (exp.Dot(this=name("e"), expression=exp.to_identifier(n, quoted=True)) for n in ("key", "value"))
    best = (exp.select(name("pid"), exp.alias_(key, "k"), exp.alias_(call("arg_min", value, name(place)), "v"))
            .from_(entries.subquery("u")).where(given(value)).group_by(name("pid"), exp.column("k")))  # fmt: skip
    entry = exp.Struct(expressions=[exp.PropertyEQ(this=exp.to_identifier(n), expression=exp.column(n)) for n in ("k", "v")])
    ordered = exp.Order(this=entry, expressions=[exp.Ordered(this=exp.column("k"))])
    listed = exp.select(name("pid"), exp.alias_(call("map_from_entries", call("list", ordered)), "value"))
    return listed.from_(best.subquery("b")).group_by(name("pid"))


def _joined(w: Live, side: str) -> Tree:
    same = exp.EQ(this=name("pid", side), expression=name("pid", "who"))
    if w.leaf.kind == "map":
        return same
    return exp.and_(same, exp.EQ(this=name("place", side), expression=name(w.column, "m")))


def _built(path: Path, kind: object, values: dict[Path, Tree]) -> Tree | None:
    """The value of a path put together from its leaves; an object is null when all of it is."""
    if path in values:
        return values[path].copy()
    if not isinstance(kind, ObjectType):
        return None
    parts = {n: built for n, f in kind.fields.items() if (built := _built((*path, n), f.type, values)) is not None}
    if not parts:
        return None
    struct = exp.Struct(expressions=[exp.PropertyEQ(this=exp.to_identifier(n, quoted=True), expression=b) for n, b in parts.items()])
    inside = [given(v.copy()) for p, v in values.items() if p[: len(path)] == path]
    return exp.Case().when(exp.or_(*inside), struct)


def column_types(schema: Schema) -> dict[str, str]:
    """The columns of a profile table."""
    return {n: duckdb_type(f.type) for n, f in schema.profile.fields.items() if n != "xEvent"}


def make_profiles(connection: duckdb.DuckDBPyConnection, schema: Schema, place: str) -> str:
    """Make an empty profile table in a schema of the database; its name."""
    target = f"{quote(place)}.profile"
    fields = "".join(f", {quote(n)} {t}" for n, t in column_types(schema).items())
    connection.execute(f"CREATE OR REPLACE TABLE {target} (_pid BIGINT{fields})")
    return target


def is_list(leaf: Leaf) -> bool:
    return isinstance(leaf.type, ListType)
