"""Which identity values stand for a person: one rule, for ingestion and for the graph, in Python and in SQL.

A value is cut free of outer blanks; e-mail addresses are compared in lower case, so their identities are lower case (the
attribute stays as it came). Not usable: null, empty, longer than 1024 characters, known junk, against its namespace's
pattern (`ECID`: 38 digits, unless the settings say another). Must not know files or the store. Read `clean_value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import re2
from sqlglot import exp

from pql.functions.record import call, text
from pql.functions.text import lower, lower_sql, without_sigma
from pql.identity.namespaces import VALUE_MOST

FOLDED = ("Email",)
"""Namespaces whose values are compared in lower case."""
BLANKS = " \t\r\n\f\v"


class Rules(Protocol):
    """What the rule asks of the identity settings."""

    @property
    def aliases(self) -> Mapping[str, str]: ...

    def junk_values(self, code: str) -> frozenset[str]: ...

    def namespace(self, code: str) -> Any: ...


def pattern_of(rules: Rules, code: str) -> str | None:
    own: str | None = rules.namespace(code).pattern
    return own


def clean_value(rules: Rules, code: str, value: str | None) -> str | None:
    """The value as the graph knows it, or None when it stands for nobody. `code`: not an alias."""
    if value is None:
        return None
    plain = value.strip(BLANKS)
    plain = lower(plain) if code in FOLDED else plain
    if not plain or len(plain) > VALUE_MOST or lower(plain) in rules.junk_values(code):
        return None
    pattern = pattern_of(rules, code)
    return plain if pattern is None or re2.fullmatch(pattern, plain) is not None else None


def clean_value_sql(rules: Rules, code: str, value: exp.Expression) -> exp.Expression:
    """`clean_value` as SQL over a VARCHAR, in the DuckDB dialect."""
    return usable_value_sql(rules, code, plain_value_sql(code, value))


def plain_value_sql(code: str, value: exp.Expression) -> exp.Expression:
    """The first half: a value without outer blanks, in lower case where its namespace wants it."""
    plain = _trimmed_sql(value)
    return lower_sql(plain) if code in FOLDED else plain


def usable_value_sql(rules: Rules, code: str, plain: exp.Expression) -> exp.Expression:
    """The second half: the plain value, or null when it stands for nobody."""
    pattern = pattern_of(rules, code)
    length = call("length", plain.copy())
    refused = [exp.If(this=exp.EQ(this=plain.copy(), expression=text("")), true=exp.Null())]
    if pattern is not None:
        refused.append(
            exp.If(this=exp.Not(this=call("regexp_full_match", plain.copy(), text(pattern))), true=exp.Null())
        )
    junk = sorted(j for j in rules.junk_values(code) if j and (pattern is None or re2.fullmatch(pattern, j)))
    if junk:
        lengths = [exp.Literal.number(n) for n in sorted({len(j) for j in junk})]
        alike: exp.Expression = exp.In(this=length.copy(), expressions=lengths)
        if any("\u0307" in j for j in junk):  # the one letter that is longer in lower case
            alike = exp.LTE(this=length.copy(), expression=lengths[-1])
        low = lower_sql(plain.copy(), sigma=not all(without_sigma(text(j)) for j in junk))
        # a long `IN` becomes a join, for which `low` is worked out for every row
        known = exp.Not(
            this=exp.Is(
                this=call("list_position", exp.Array(expressions=[text(j) for j in junk]), low), expression=exp.Null()
            )
        )
        inner = exp.Case(ifs=[exp.If(this=known, true=exp.Null())], default=plain.copy())
        refused.append(exp.If(this=alike, true=inner))
    refused.append(exp.If(this=exp.GT(this=length, expression=exp.Literal.number(VALUE_MOST)), true=exp.Null()))
    return exp.Case(ifs=refused, default=plain)


def _trimmed_sql(value: exp.Expression) -> exp.Expression:
    """Without outer blanks; only values that have some are cut, for the database's `trim` with a set of signs is slow."""
    first = exp.LT(this=value.copy(), expression=text("!"))
    last = exp.LTE(this=call("substring", value.copy(), exp.Literal.number(-1)), expression=text(" "))
    cut = exp.If(this=exp.Or(this=first, expression=last), true=call("trim", value.copy(), text(BLANKS)))
    return exp.Case(ifs=[cut], default=value.copy())
