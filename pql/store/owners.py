"""SQL that says which identity of a row owns it. Read `Owners`.

An identity's node is a hash of namespace and value (`node`), so rows find their nodes without a join on text; stitching checks that
no two identities share one. An event belongs to its highest identity, a record to the one declared primary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pql.identity.namespaces import VALUE_MOST
from pql.identity.settings import IdentitySettings
from pql.identity.values import BLANKS

RECORD_STEP = 10_000


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def blank_free(value: str) -> str:
    """SQL of a value without its outer blanks, as `clean_value` cuts them."""
    return f"trim({value}, {text(BLANKS)})"


def one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(map(text, values))})"


@dataclass(frozen=True)
class Owners:
    """Expressions over an identity `x` (a STRUCT) and a row's `_identities`.

    `codes`: the namespaces that occur, by their codes. `salt`: None for the fast hash; else a keyed digest, for the day when
    two identities collide in the fast one. `bad`: the junk that occurs, by namespace (as the rows spell it) and value; None when it is
    too much to be named, and rows are asked by the rules.
    """

    settings: IdentitySettings
    codes: tuple[str, ...] = ()
    salt: str | None = None
    bad: tuple[tuple[str, str], ...] | None = ()
    ranked: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        owning = (c for c in self.codes if self.settings.namespace(c).kind.owns)

        def order(code: str) -> tuple[object, ...]:
            return not self.settings.namespace(code).kind.links, self.settings.order(code)

        object.__setattr__(self, "ranked", tuple(sorted(owning, key=order)))

    def code(self, namespace: str) -> str:
        """The code of a namespace, from SQL for how a row spells it."""
        whens = " ".join(f"WHEN {text(a)} THEN {text(c)}" for a, c in self.settings.aliases.items())
        return f"CASE {namespace} {whens} ELSE {namespace} END" if whens else namespace

    def namespace(self, x: str) -> str:
        """The code of an identity's namespace."""
        return self.code(f"{x}.namespace")

    def node_of(self, namespace: str, id: str) -> str:
        if self.salt is None:
            return f"(hash({namespace}, {id}) >> 1)::BIGINT"
        return f"(md5_number_lower(concat({text(self.salt)}, {namespace}, chr(0), {id})) >> 1)::BIGINT"

    def node(self, x: str) -> str:
        return self.node_of(self.namespace(x), f"{x}.id")

    def junk(self, namespace: str, id: str) -> str:
        """Can the value not stand for a person? By the rules; takes the namespace's code."""
        word = f"lower({blank_free(id)})"
        tests = [f"{id} IS NULL", f"{namespace} IS NULL", f"{word} = ''", f"length({blank_free(id)}) > {VALUE_MOST}"]
        tests.append(one_of(word, self.settings.junk))
        for code in self.codes:
            own = sorted(self.settings.junk_values(code) - set(self.settings.junk))
            parts = [one_of(word, own)] if own else []
            pattern = self.settings.namespace(code).pattern
            if pattern is not None:
                parts.append(f"NOT regexp_full_match({blank_free(id)}, {text(pattern)})")
            if parts:
                tests.append(f"{namespace} = {text(code)} AND ({' OR '.join(parts)})")
        return "coalesce(" + " OR ".join(f"({t})" for t in tests) + ", true)"

    def _is_bad(self, x: str) -> str | None:
        """Is an identity of a row junk? None when none is."""
        if self.bad is None:
            return self.junk(self.namespace(x), f"{x}.id")
        by_namespace: dict[str, list[str]] = {}
        for namespace, id in self.bad:
            by_namespace.setdefault(namespace, []).append(id)
        tests = [f"({self.namespace(x)} = {text(n)} AND {one_of(f'{x}.id', ids)})" for n, ids in by_namespace.items()]
        return f"({' OR '.join(tests)})" if tests else None

    def rank(self, x: str) -> str:
        """The place of an identity among those that may own a row; NULL for one that may not."""
        whens = " ".join(f"WHEN {text(c)} THEN {i}" for i, c in enumerate(self.ranked))
        rank = f"CASE {self.namespace(x)} {whens} END" if whens else "NULL::INTEGER"
        bad = self._is_bad(x)
        return rank if bad is None else f"CASE WHEN NOT {bad} THEN {rank} END"

    def owner(self, primary: bool = False) -> str:
        """The node that owns a row, NULL when none may. `primary`: one that is declared primary goes first (records)."""

        def rank(x: str) -> str:
            own = self.rank(x)
            return f"({own}) + CASE WHEN {x}.is_primary THEN 0 ELSE {RECORD_STEP} END" if primary else f"({own})"

        one, two = "_identities[1]", "_identities[2]"
        first, second = rank(one), rank(two)
        better = f"{second} < {first} OR ({second} = {first} AND {two}.id < {one}.id) OR {first} IS NULL"
        both = f"CASE WHEN coalesce({better}, false) THEN {self._owned(two, second)} ELSE {self._owned(one, first)} END"
        return (f"CASE len(_identities) WHEN 1 THEN {self._owned(one, first)} WHEN 2 THEN {both} "
                f"WHEN 0 THEN NULL ELSE {self._best(rank)} END")  # fmt: skip

    def _owned(self, x: str, rank: str) -> str:
        return f"CASE WHEN {rank} IS NOT NULL THEN {self.node(x)} END"

    def _best(self, rank: object) -> str:
        of = rank("x")  # type: ignore[operator]
        lowest = f"list_min(list_transform(_identities, lambda x: {of}))"
        ids = f"list_transform(list_filter(_identities, lambda x: {of} = {lowest}), lambda x: x.id)"
        whens = " ".join(f"WHEN {i} THEN {text(c)}" for i, c in enumerate(self.ranked))
        code = f"CASE {lowest} % {RECORD_STEP} {whens} END" if whens else "NULL::VARCHAR"
        return f"CASE WHEN {lowest} IS NOT NULL THEN {self.node_of(code, f'list_min({ids})')} END"
