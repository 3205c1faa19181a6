"""Layer 3, set-based: merges all fragments of all people by a policy. Read `merge_profiles`.

The rules are those of `pql.identity.merging`, which does the same for one person in Python; tests hold the two equal. Most
people have at most one fragment in each dataset: for them datasets are joined side by side and each leaf picks a side
(`pql.store.side_by_side`). For the others every fragment gets its place in its person's order, once for each order of datasets
that the policy names, and a leaf is the value of the first place that has one. Nested leaves take part by place alone and are
fetched at the end, since DuckDB is slow at aggregating them.
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
from pql.types import ObjectType
from pql.xdm.schema import Schema

DIALECT = "duckdb"
SIDES_MOST = 6
"""Datasets that fill one leaf, up to which they are joined side by side."""
Tree = exp.Expr
Order = tuple[tuple[str, ...] | None, str | None]


def name(identifier: str, table: str = "") -> exp.Column:
    return exp.column(exp.to_identifier(identifier, quoted=True), table=table or None)


def read(path: Path, table: str = "") -> Tree:
    """The value at a path of a row."""
    tree: Tree = name(path[0], table)
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
    """A leaf that some dataset fills. `column` is its name on the way; `order` which of the orders decides it; `timed`: datasets in
    which it may be older than its record."""

    leaf: Leaf
    column: str
    order: int
    datasets: frozenset[str]
    timed: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        return self.leaf.kind == "value" or (self.leaf.kind == "consent" and self.leaf.val is None)


@dataclass(frozen=True)
class Merging:
    """One policy over some record datasets. `orders`: the orders of datasets that it names, None for timestamp order; each with
    the key of the leaf that has times of its own, if it is for such a leaf."""

    policy: MergePolicy
    schema: Schema
    datasets: tuple[Dataset, ...]
    orders: tuple[Order, ...]
    live: tuple[Live, ...]


def plan(
    connection: duckdb.DuckDBPyConnection, policy: MergePolicy, schema: Schema, found: Sequence[Dataset]
) -> Merging:
    """Which leaves are filled by which datasets that take part."""
    records = tuple(d for d in found if not d.is_event and policy.takes(d.name))
    every = leaves(schema.profile)
    filled = {d.name: _filled(connection, d, every) for d in records}
    older = {d.name: _older(connection, d) for d in records}
    orders: list[Order] = []
    live: list[Live] = []
    for leaf in every:
        names = frozenset(d for d, paths in filled.items() if leaf.path in paths and policy.takes(d, leaf.path))
        if names:
            timed = frozenset(d for d in names if leaf.key in older[d])
            order = (policy.order_for(leaf.path), leaf.key if timed else None)
            if order not in orders:
                orders.append(order)
            live.append(Live(leaf, f"c{len(live)}", orders.index(order), names, timed))
    return Merging(policy, schema, records, tuple(orders), tuple(live))


def _older(connection: duckdb.DuckDBPyConnection, d: Dataset) -> frozenset[str]:
    """The leaves of a dataset that are older than their record in some row."""
    if not d.has_times:
        return frozenset()
    rows = connection.execute(
        f"SELECT DISTINCT unnest(map_keys(_times)) FROM {d.table} WHERE _times IS NOT NULL"
    ).fetchall()
    return frozenset(str(r[0]) for r in rows)


def _own_time(key: str | None, has_times: bool, table: str) -> Tree:
    """When a leaf of a row was true."""
    ordered = name("_ordered", table)
    if key is None or not has_times:
        return ordered
    own = exp.Bracket(this=name("_times", table), expressions=[exp.Literal.string(key)])
    return exp.Coalesce(this=own, expressions=[ordered])


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
    """`s_place(_row, pid, timed, r0, r1, …)`: the places of every fragment in its person's orders, 1 is the best.

    `fragments`: SQL of `_row`, `pid`, `dataset` (number).
    """
    numbers = {d.name: d.number for d in m.datasets}
    parts = []
    for d in m.datasets:
        timed = exp.NullSafeNEQ(this=name("_ordered", "d"), expression=name("_arrived", "d"))
        inferred = exp.true() if d.name in m.policy.inferred else exp.false()
        times = [exp.alias_(_own_time(key, d.has_times, "d"), f"t{i}") for i, (_, key) in enumerate(m.orders)]
        columns = [name("_row", "f"), name("pid", "f"), name("dataset", "f"), name("_key", "d"), name("_ordered", "d")]
        part = exp.select(*columns, exp.alias_(timed, "timed"), exp.alias_(inferred, "inferred"), *times)
        part = part.from_(f"{fragments} AS f", dialect=DIALECT).join(
            f"{d.table} AS d", on="d._row = f._row", dialect=DIALECT
        )
        parts.append(part.where(exp.EQ(this=name("dataset", "f"), expression=number(d.number))))
    places: list[Tree] = []
    for index, (order, _) in enumerate(m.orders):
        keys: list[Tree] = [exp.Ordered(this=name("inferred"))]
        if order is not None:
            case = exp.Case(default=number(len(order)))
            for i, o in enumerate(o for o in order if o in numbers):
                case = case.when(exp.EQ(this=name("dataset"), expression=number(numbers[o])), number(i))
            keys += [exp.Ordered(this=case)] if case.args.get("ifs") else []
        keys.append(exp.Ordered(this=name(f"t{index}"), desc=True, nulls_first=False))
        keys += [exp.Ordered(this=name("dataset")), exp.Ordered(this=name("_key"))]
        over = exp.Window(this=exp.RowNumber(), partition_by=[name("pid")], order=exp.Order(expressions=keys))
        places.append(exp.alias_(over, f"r{index}"))
    select = exp.select(name("_row"), name("pid"), name("timed"), *places).from_(_union(parts).subquery("u"))
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
            columns.append(exp.alias_(_consent_place(w, d), f"{w.column}_k"))
    return exp.select(*columns).from_(f"{d.table} AS d", dialect=DIALECT).join("s_place AS p", on="p._row = d._row")


def consent_key(leaf: Leaf, at: Tree, val: Tree | None) -> Tree:
    """A number, smallest is best: the newest time, then the most restrictive value. `at` and `val` are of the row."""
    latest = number(2**63 - 1)
    age = exp.Coalesce(
        this=exp.Sub(this=latest, expression=typed(call("epoch_us", at), "HUGEINT")), expressions=[number(2**64)]
    )
    rank: Tree = number(0)
    if leaf.val and val is not None:
        case = exp.Case(default=number(len(RESTRICTIVE)))
        for place, word in (*enumerate(RESTRICTIVE), *enumerate(PERMISSIVE, len(RESTRICTIVE) + 1)):
            case = case.when(exp.EQ(this=val.copy(), expression=exp.Literal.string(word)), number(place))
        rank = exp.Paren(this=case)
    return typed(
        exp.Paren(this=exp.Add(this=exp.Mul(this=exp.Paren(this=age), expression=number(16)), expression=rank)),
        "HUGEINT",
    )


def said_at(leaf: Leaf, own: Tree | None, ordered: Tree, timed: Tree) -> Tree:
    """When a consent was given: its own time, else the record's, if that is known."""
    known = exp.Case().when(timed, ordered)
    return exp.Coalesce(this=own, expressions=[known]) if own is not None else known


def _consent_place(w: Live, d: Dataset) -> Tree:
    if d.name not in w.datasets:
        return typed(exp.Null(), "HUGEINT")
    own = read(w.leaf.time) if w.leaf.time else None
    key = consent_key(
        w.leaf,
        said_at(
            w.leaf, own, _own_time(w.leaf.key if d.name in w.timed else None, d.has_times, "d"), name("timed", "p")
        ),
        read(w.leaf.val) if w.leaf.val else None,
    )
    return exp.Add(
        this=exp.Mul(this=exp.Paren(this=key), expression=number(2**40)), expression=name(f"r{w.order}", "p")
    )


def merge_profiles(connection: duckdb.DuckDBPyConnection, m: Merging, target: str) -> None:
    """Fill the table `target` with a merged row for every person of `s_who(pid)`, with the identity map of `s_map(pid, value)`.

    The policy's fragments are `s_fragment(_row, pid, dataset)`.
    """
    run = connection.execute
    maps = any(w.leaf.kind == "map" for w in m.live)
    crowded = any(len(w.datasets) > SIDES_MOST for w in m.live)
    run("""CREATE OR REPLACE TEMP TABLE s_many AS SELECT DISTINCT pid FROM (
             SELECT pid FROM s_fragment GROUP BY pid, dataset HAVING count(*) > 1)""")
    if crowded:
        run("INSERT INTO s_many SELECT pid FROM s_who ANTI JOIN s_many USING (pid)")
    many = run("SELECT 1 FROM s_many LIMIT 1").fetchone() is not None
    if many:
        run("CREATE OR REPLACE TEMP VIEW s_single AS SELECT pid FROM s_who ANTI JOIN s_many USING (pid)")
    if maps or many:
        place_fragments(connection, m, "s_fragment" if maps else "(FROM s_fragment SEMI JOIN s_many USING (pid))")
    if not crowded:
        side_by_side(connection, m, target, "s_single" if many else "s_who")
    if many:
        merge_values(connection, m, target, "s_many")
    run("DROP VIEW IF EXISTS s_single")
    for table in ("s_many", "s_place"):
        run(f"DROP TABLE IF EXISTS {table}")


def side_by_side(connection: duckdb.DuckDBPyConnection, m: Merging, target: str, people: str) -> None:
    """People with at most one fragment in each dataset: the datasets joined, each leaf picked from them."""
    # the maps of all people are read as they come, and what is known of some is looked up: the other way they would be copied
    every = people == "s_who"
    who = "s_map" if every else f"(FROM s_map SEMI JOIN {people} USING (pid))"
    select = exp.select().from_(f"{who} AS who", dialect=DIALECT)
    for d in m.datasets:
        tops = sorted(
            {w.leaf.path[0] for w in m.live if d.name in w.datasets}
            | {w.leaf.time[0] for w in m.live if w.leaf.time and d.name in w.datasets}
        )
        if tops:
            timed = exp.alias_(exp.NullSafeNEQ(this=name("_ordered", "d"), expression=name("_arrived", "d")), "timed")
            own = ["_times"] if any(d.name in w.timed for w in m.live) else []
            columns = (name(t, "d") for t in ("_ordered", *own, *tops))
            side = exp.select(name("pid", "f"), timed, *columns).from_("s_fragment AS f")
            side = side.join(f"{d.table} AS d", on="d._row = f._row", dialect=DIALECT).where(
                exp.EQ(this=name("dataset", "f"), expression=number(d.number))
            )
            select = select.join(side.subquery(f"d{d.number}"), on=f"d{d.number}.pid = who.pid", join_type="left")
    values: dict[Path, Tree] = {("identityMap",): name("value", "who")}
    for w in m.live:
        if w.leaf.kind == "map":
            side_name = f"n{w.column}"
            select = select.join(_fetched(m, w).subquery(side_name), on=_joined(w, side_name), join_type="left")
            values[w.leaf.path] = name("value", side_name)
        else:
            values[w.leaf.path] = pick(m, w)
    _fill(connection, m, target, select, values)


@dataclass(frozen=True)
class Side:
    """A leaf as one dataset has it: its value, whether there is one, and the keys by which it is chosen (smallest `key`, then
    latest `ordered`)."""

    value: Tree
    given: Tree
    key: Tree
    fixed: int
    ordered: Tree


def pick(m: Merging, w: Live) -> Tree:
    """The value of the side that the rules choose."""
    sides = [_side(m, w, d) for d in m.datasets if d.name in w.datasets]
    if len(sides) == 1:
        return exp.Case().when(sides[0].given, sides[0].value) if w.leaf.val else sides[0].value
    tests: list[Tree] = [s.given for s in sides]
    if w.leaf.kind == "consent" or len({s.fixed for s in sides}) > 1:
        best = call("least", *(exp.Case().when(t.copy(), s.key) for t, s in zip(tests, sides, strict=True)))
        tests = [
            exp.and_(t, exp.EQ(this=s.key.copy(), expression=best.copy())) for t, s in zip(tests, sides, strict=True)
        ]
    latest = call("greatest", *(exp.Case().when(t.copy(), s.ordered) for t, s in zip(tests, sides, strict=True)))
    case = exp.Case()
    for t, s in zip(tests, sides, strict=True):
        case = case.when(exp.and_(t.copy(), exp.EQ(this=s.ordered.copy(), expression=latest.copy())), s.value)
    return case


def _side(m: Merging, w: Live, d: Dataset) -> Side:
    table = f"d{d.number}"

    def at(path: Path) -> Tree:
        return read(path, table)

    value = at(w.leaf.path)
    val = at(w.leaf.val) if w.leaf.val else None
    said = _own_time(w.leaf.key if d.name in w.timed else None, d.has_times, table)
    ordered = exp.Coalesce(this=said.copy(), expressions=[typed(exp.Literal.string("-infinity"), "TIMESTAMP")])
    fixed = (1000 if d.name in m.policy.inferred else 0) + m.policy.rank(d.name, w.leaf.path)
    key: Tree = number(fixed)
    if w.leaf.kind == "consent":
        own = at(w.leaf.time) if w.leaf.time else None
        when = said_at(w.leaf, own, said, name("timed", table))
        key = exp.Add(
            this=exp.Mul(this=consent_key(w.leaf, when, val), expression=number(2048)), expression=number(fixed)
        )
    return Side(value, given(val if val is not None else at(w.leaf.path)), key, fixed, ordered)


def merge_values(connection: duckdb.DuckDBPyConnection, m: Merging, target: str, people: str) -> None:
    """People with any number of fragments, by the places of `s_place`."""
    aggregates: list[Tree] = []
    for w in m.live:
        place: Tree = name(f"{w.column}_k") if w.leaf.kind == "consent" else name(f"r{w.order}")
        if w.is_plain:
            aggregates.append(exp.alias_(call("arg_min", name(w.column), place), w.column))
        elif w.leaf.kind != "map":
            got = call("arg_min", name(f"r{w.order}"), place) if w.leaf.kind == "consent" else exp.Min(this=place)
            aggregates.append(exp.alias_(exp.Filter(this=got, expression=exp.Where(this=name(w.column))), w.column))
    union = _union([_part(m, d, [w for w in m.live if w.leaf.kind != "map"]) for d in m.datasets])
    grouped = exp.select(name("pid"), *aggregates).from_(union.subquery("f")).group_by(name("pid"))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE s_merged AS {grouped.sql(DIALECT)}")
    select = exp.select().from_(f"{people} AS who").join("s_merged AS m", on="m.pid = who.pid", join_type="left")
    select = select.join("s_map AS ids", on="ids.pid = who.pid", join_type="left")
    values: dict[Path, Tree] = {("identityMap",): name("value", "ids")}
    for w in m.live:
        if w.is_plain:
            values[w.leaf.path] = name(w.column, "m")
            continue
        side = f"n{w.column}"
        select = select.join(_fetched(m, w).subquery(side), on=_joined(w, side), join_type="left")
        values[w.leaf.path] = name("value", side)
    _fill(connection, m, target, select, values)
    connection.execute("DROP TABLE s_merged")


def _union(parts: Sequence[exp.Select]) -> exp.Query:
    whole: exp.Query = parts[0]
    for part in parts[1:]:
        whole = exp.union(whole, part, distinct=False)
    return whole


def _fill(
    connection: duckdb.DuckDBPyConnection, m: Merging, target: str, select: exp.Select, values: dict[Path, Tree]
) -> None:
    """Put the leaves together to columns, and insert the rows."""
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
        return (
            exp.select(name("pid"), exp.alias_(name(place), "place"), exp.alias_(name(w.column), "value"))
            .from_(union)
            .where(given(name(w.column)))
        )
    entries = exp.select(
        name("pid"), name(place), exp.alias_(call("unnest", call("map_entries", name(w.column))), "e")
    ).from_(union)
    key, value = (exp.Dot(this=name("e"), expression=exp.to_identifier(n, quoted=True)) for n in ("key", "value"))
    best = (exp.select(name("pid"), exp.alias_(key, "k"), exp.alias_(call("arg_min", value, name(place)), "v"))
            .from_(entries.subquery("u")).where(given(value)).group_by(name("pid"), exp.column("k")))  # fmt: skip
    entry = exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(n), expression=exp.column(n)) for n in ("k", "v")]
    )
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
    struct = exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(n, quoted=True), expression=b) for n, b in parts.items()]
    )
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
