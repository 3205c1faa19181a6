"""The laws of label sets: union of closed sets is a join, implication a closure, functions join unless a reviewed rule says otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pql.functions import FUNCTIONS
from pql.functions.table import LABEL_RULES
from pql.ir import nodes as ir
from pql.ir.lineage import labels as labels_of
from pql.labels import CORE, IMPLIES, JOIN, NONE, LabelRule, below, closed, join, said_by
from pql.types import STRING

SETS = st.frozensets(st.sampled_from([*CORE, "own", "other"]))


@given(SETS, SETS, SETS)
def test_join_is_associative_commutative_and_idempotent(
    a: frozenset[str], b: frozenset[str], c: frozenset[str]
) -> None:
    assert join(a, join(b, c)) == join(join(a, b), c)
    assert join(a, b) == join(b, a)
    assert join(a, a) == closed(a)
    assert join(a, NONE) == closed(a)


@given(SETS, SETS)
def test_closure(a: frozenset[str], b: frozenset[str]) -> None:
    assert a <= closed(a) == closed(closed(a))
    assert closed(a) <= closed(a | b)
    assert closed(a | b) == closed(a) | closed(b)


@given(SETS, SETS, SETS)
def test_order(a: frozenset[str], b: frozenset[str], c: frozenset[str]) -> None:
    assert below(a, a) and below(NONE, a)
    assert not (below(a, b) and below(b, c)) or below(a, c)
    assert (below(a, b) and below(b, a)) == (closed(a) == closed(b))
    assert below(a, join(a, b)) and below(b, join(a, b))
    assert not (below(a, c) and below(b, c)) or below(join(a, b), c)


def test_implication_is_transitive_and_without_circles() -> None:
    for label, implied in IMPLIES.items():
        assert label not in implied
        assert all(IMPLIES.get(i, NONE) <= implied for i in implied)
        assert implied <= set(CORE)
    assert closed(frozenset({"C12"})) == {"C12", "C2", "C1"}
    assert closed(frozenset({"C4"})) == {"C4", "C5", "C6", "C7"}
    assert said_by("C1", {"C12", "C1", "C4"}) == ("C1", "C12")


def test_core_labels() -> None:
    assert set(CORE) == {*(f"C{n}" for n in range(1, 13)), "I1", "I2", "S1", "S2", "PSPD", "RHD", "Third-Party"}


def test_no_function_drops_a_label() -> None:
    """An exception is added here, in the function's record, and on the page, or not at all."""
    assert LABEL_RULES == {}
    assert all(f.label_rule is JOIN for f in FUNCTIONS.values())


def test_a_rule_that_drops_is_reviewed_and_drops_what_it_names() -> None:
    with pytest.raises(ValueError):
        LabelRule(frozenset({"I1"}))
    rule = LabelRule(frozenset({"I1"}), "says only whether it is one", "the privacy board")
    field = ir.Field(ir.Var(ir.PROFILE, STRING), "email", STRING, frozenset({"I1", "C2"}))
    call = ir.Call("md5", (field,), STRING)
    assert labels_of(call) == {"I1", "C2"}
    assert labels_of(call, rules={"md5": rule}) == {"C2"}
    assert labels_of(ir.Compare("=", call, field), rules={"md5": rule}) == {"I1", "C2"}
