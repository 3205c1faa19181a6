"""Chains of steps that follow each other, kept event by event: what each event and each instant says is what the plain evaluator says."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from pql.api import Deletion, Engine, Environment, Event, read_short
from pql.clock import Zone
from pql.runtime import Evaluator
from pql.runtime.cells import Thens, Trail
from pql.runtime.shapes import Plain, Then

SCHEMA, _ = read_short({"profile": {}, "event": {}})
T, HOUR, MICRO = datetime(2026, 3, 1), timedelta(hours=1), timedelta(microseconds=1)


def chain(*steps: str) -> str:
    """Steps as `kind` or `kind: window`, or with `not` before, named by their places."""
    made = []
    for name, step in zip("ABCDE", steps, strict=False):
        kind, _, window = step.partition(": ")
        kind = kind.removeprefix("not ")
        made.append(
            f'{name}: {"not " if step.startswith("not ") else ""}WHAT(eventType = "{kind}"){f" WHEN({window})" if window else ""}'
        )
    return f"chain(xEvent, timestamp, [{', '.join(made)}])"


def condition(text: str) -> Any:
    checked = Environment(SCHEMA).check(text)
    assert checked.ok, checked.diagnostics
    return checked.ir


def engine(text: str) -> Engine:
    """An engine whose test has a form."""
    plan = Environment(SCHEMA).live_plan({"s": condition(text)})
    assert plan.network.leaves and not any(isinstance(leaf, Plain) for leaf in plan.network.leaves)
    return Engine(plan)


def event(kind: str, at: datetime, id: str | None = None) -> Event:
    return Event("p", {"timestamp": at, "eventType": kind, **({} if id is None else {"_id": id})}, at)


def turns(live: Engine, inputs: list[Any], to: datetime) -> list[tuple[str, datetime]]:
    return [(t.status, t.at) for t in live.apply(inputs) + live.advance(to)]


SHAPES = [
    chain("a", "b", "c"),
    chain("a", "a: <= 6 hours after A", "b: > 1 hour after B", "a"),
    chain("a", "b: <= 5 hours after A", "c: < 30 hours before now"),
    chain("a: <= 20 hours before now", "b: <= 20 hours before now", "c: <= 20 hours before now"),
    chain("a: <= 10 hours before now", "b: >= 2 hours after A", "a: < 30 hours before now"),
    chain("a", "b: < 9 hours before now", "c: <= 3 hours after B", "b: before now"),
    chain("a: <= 24 hours before now", "b: before now"),
    chain("a: <= 24 hours before now", "a: <= 48 hours before now and >= 3 hours before now"),
    chain("a", "b", "c: today"),
    chain("a", "not b", "c"),
    chain("a", "b", "not c"),
    chain("a", "b: <= 5 hours after A", "not c: <= 3 hours after B"),
    chain("a", "not c", "a: < 30 hours before now", "not b"),
    chain("a", "a", "b: <= 30 hours before now", "not a: < 6 hours after C"),
    chain("a", "not b", "a: before now"),
    chain("a: <= 20 hours before now", "not c", "b", "not a", "c: <= 6 hours after C and <= 30 hours before now"),
    chain("a", "not b", "not c", "a: <= 20 hours before now"),
    chain("b", "not a", "b: >= 2 hours after A", "c: < 9 hours before now"),
    chain("a", "b: >= 5 hours after A and <= 6 hours after A and <= 2 hours before now"),
    chain("a: <= 40 hours before now", "b", "a: >= 2 hours after B and <= 9 hours after B", "c: before now"),
]


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_each_instant_of_a_long_life_is_the_evaluators(text: str, seed: int) -> None:
    """In order, many at one instant; some late, again or gone at the end."""
    r, live, tree = random.Random(seed), engine(text), condition(text)
    evaluator, documents, now = Evaluator({"s": tree}, Zone()), {}, T

    def same(at: datetime) -> None:
        live.advance(at)
        wanted = evaluator.evaluate(tree, {}, list(documents.values()), at) is True
        assert (live.members("p") == {"s"}) is wanted, (at, documents)

    for number in range(60):
        then = now + r.choice((0, 0, 1, 1, 2, 3, 12)) * HOUR
        while (due := live.next_due()) is not None and due + MICRO < then and due - MICRO > now:
            for now in (due - MICRO, due, due + MICRO):
                same(now)
        now = max(now, then)
        sent = event(r.choice("aabbbc"), now, f"e{number}")
        if number > 45 and r.random() < 0.4:
            old = r.choice(list(documents))
            if r.random() < 0.5:
                live.apply([Deletion("p", old, now)])
                del documents[old]
                same(now)
                continue
            sent = event(r.choice("abc"), now - r.choice((1, 5, 20)) * HOUR, old)
            sent = Event("p", sent.document, now)
        live.apply([sent])
        documents.pop(sent.document["_id"], None)
        documents[sent.document["_id"]] = sent.document
        same(now)


def test_whoever_is_in_leaves_when_the_first_window_that_ends_does() -> None:
    live = engine(chain("a: <= 24 hours before now", "b: <= 48 hours before now", "c: <= 30 hours before now"))
    inputs = [event("a", T), event("b", T + HOUR), event("c", T + 2 * HOUR)]
    assert turns(live, inputs, T + 100 * HOUR) == [
        ("realized", T + 2 * HOUR),
        ("exited", T + 24 * HOUR + MICRO),
    ]


def test_a_step_whose_first_is_over_lets_nobody_in() -> None:
    live = engine(chain("a: < 2 hours before now", "b", "c: before now"))
    inputs = [event("a", T), event("b", T + HOUR), event("c", T + 2 * HOUR)]
    assert turns(live, inputs, T + 100 * HOUR) == []


def test_equal_beginnings_are_kept_once() -> None:
    texts = [chain("a", "b", "c"), chain("a", "b", "c: <= 2 hours after B"), chain("a", "b")]
    plan = Environment(SCHEMA).live_plan({f"s{i}": condition(t) for i, t in enumerate(texts)})
    kinds = [type(cell) for cell in plan.network.cells]
    assert (kinds.count(Trail), kinds.count(Thens)) == (2, 3)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        (chain("a", "b: <= 3 hours after A", "c: <= 3 hours after B and <= 10 hours before now"), 16),
        (chain("a: <= 12 hours before now", "b: <= 20 hours before now", "c: <= 5 hours before now"), 12),
        (chain("a: <= 12 hours before now", "b", "c: before now"), 12),
        (chain("a: before now", "b", "c: <= 5 hours before now"), None),
    ],
)
def test_how_long_events_matter(text: str, hours: int | None) -> None:
    retention = Environment(SCHEMA).live_plan({"s": condition(text)}).network.retention
    assert retention == (None if hours is None else hours * 3_600_000_000 + 1)


@pytest.mark.parametrize(
    "text",
    [
        chain("a: > 2 hours before now", "b", "c: before now"),
        chain("a: <= 24 hours before now", "b"),
        chain("a: today", "b: before now"),
        chain("a", "not b: <= 1 hour after A", "c"),
        chain("a: < 9 hours before now", "b: before now", "not c"),
        "chain(xEvent, timestamp, [A: WHAT(eventType = \"a\"), B: WHAT(eventType = \"b\"), C: WHAT(eventType = \"c\") WHEN(<= 3 hours after A)])",
    ],
)  # fmt: skip
def test_what_has_no_form_is_left_to_the_evaluator(text: str) -> None:
    (leaf,) = Environment(SCHEMA).live_plan({"s": condition(text)}).network.leaves
    assert isinstance(leaf, Plain) and not isinstance(leaf, Then)
