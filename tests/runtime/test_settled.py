"""What a record alone settles: idle leaves decide nothing, nothing is kept for them, and they wake with the record."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from pql.api import Engine, Environment, Event, Record, Transition
from pql.ir import nodes as ir
from pql.runtime.settled import IDLE, Parts, Settler
from pql.runtime.shapes import Plain

T = datetime(2026, 3, 1)
ENVIRONMENT = Environment.from_short({"profile": {"country": "string"}, "event": {"price": "number"}})
RECORDS, EVENTS = 3, 4
LEAVES = [Plain(ir.Const(f"leaf {i}", ir.BOOLEAN), i >= RECORDS, False) for i in range(RECORDS + EVENTS)]
TREES = st.recursive(
    st.sampled_from([*LEAVES, True, False]),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def holds(tree, truth) -> bool:
    if isinstance(tree, bool):
        return tree
    if not isinstance(tree, tuple):
        return truth[LEAVES.index(tree)]
    if tree[0] == "not":
        return not holds(tree[1], truth)
    return (all if tree[0] == "and" else any)([holds(part, truth) for part in tree[1]])


@given(
    st.lists(TREES, min_size=1, max_size=4), st.tuples(*[st.booleans()] * RECORDS), st.binary(min_size=4, max_size=4)
)
def test_idle_leaves_decide_nothing(trees, values, first) -> None:
    start = [0] * RECORDS + [byte & 1 for byte in first]
    events = range(RECORDS, RECORDS + EVENTS)
    parts = Parts(
        trees,
        {leaf: i for i, leaf in enumerate(LEAVES)},
        list(range(RECORDS)),
        {n: (n - RECORDS,) for n in events},
        list(events),
        bytes(start),
        EVENTS,
    )
    base = Settler(parts).base(tuple((i, int(value)) for i, value in enumerate(values)))
    idle = {n for n in events if base.truth[n] == IDLE}
    assert [base.alive[n - RECORDS] for n in events] == [int(n not in idle) for n in events]
    for tree, held in zip(trees, base.held, strict=True):
        assert holds(tree, [*values, *(bool(start[n]) for n in events)]) == bool(held)
        for truths in product((False, True), repeat=EVENTS):
            whole = [*values, *truths]
            for n in idle:
                assert holds(tree, whole) == holds(tree, [*whole[:n], not whole[n], *whole[n + 1 :]])
    assert base.holding == tuple(i for i, held in enumerate(base.held) if held)


def engine(text: str) -> Engine:
    checked = ENVIRONMENT.check(text)
    assert checked.ok
    return Engine(ENVIRONMENT.live_plan({"s": checked.ir}))


def visit(at: datetime, kind: str = "visit") -> Event:
    return Event("a", {"_id": f"{kind}{at}", "timestamp": at, "eventType": kind})


def told(out: list[Transition]) -> list[tuple[str, datetime, str]]:
    return [(t.status, t.at, t.cause) for t in out]


RECENT = 'country = "CH" and xEvent[eventType = "visit" and timestamp occurs < 7 days before now].count() >= 1'


def test_nothing_is_kept_for_a_leaf_that_cannot_matter() -> None:
    live = engine(RECENT)
    live.apply([Record("a", {"country": "FR"}, T), visit(T)])
    assert live.advance(T + timedelta(days=1)) == []
    assert not live.people["a"].cells
    assert live.next_due() is None


def test_a_leaf_wakes_with_the_record_and_sleeps_again() -> None:
    live = engine(RECENT)
    live.apply([Record("a", {"country": "FR"}, T), visit(T)])
    moved, back = T + timedelta(days=3), T + timedelta(days=5)
    assert told(live.apply([Record("a", {"country": "CH"}, moved)]) + live.advance(moved)) == [
        ("realized", moved, "profile")
    ]
    assert live.next_due() == T + timedelta(days=7)
    assert told(live.apply([Record("a", {"country": "FR"}, back)]) + live.advance(back)) == [
        ("exited", back, "profile")
    ]
    assert live.next_due() is None
    again = T + timedelta(days=6)
    live.apply([Record("a", {"country": "CH"}, again)])
    assert told(live.advance(T + timedelta(days=8))) == [
        ("realized", again, "profile"),
        ("exited", T + timedelta(days=7), "timer"),
    ]


def test_chains_share_what_comes_first_and_wake_with_it() -> None:
    step = 'chain(xEvent, timestamp, [A: WHAT(eventType = "visit"), B: WHAT(eventType = "buy") WHEN(<= {} days after A and < 30 days before now)])'
    live = engine(f'(country = "CH" and {step.format(1)}) or {step.format(5)}')
    live.apply([Record("a", {"country": "FR"}, T), visit(T), visit(T + timedelta(days=6), "buy")])
    assert live.advance(T + timedelta(days=7)) == []
    late = visit(T + timedelta(days=5, hours=12))
    assert told(live.apply([late]) + live.advance(T + timedelta(days=7))) == [
        ("realized", T + timedelta(days=7), "event")
    ]
    both = [cell for cell in live.net.cells if type(cell).__name__ == "Trail"]
    assert len(both) == 1
