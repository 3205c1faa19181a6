"""Is the live engine right? People of a running state, asked of SQL and of the plain evaluator over the same history. Read `verify`.

Only reads. History is the store's joined with what arrived live, as a hand-over has it: an event that the stream did not get shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.clock import Settings
from pql.compiler import compile_query
from pql.ir import nodes as ir
from pql.runtime.evaluate import Evaluator, OutOfRange
from pql.runtime.hosting import Carried
from pql.runtime.plan import Plan
from pql.store.store import Store, StoreError
from pql.streams.errors import StreamError
from pql.streams.handover import Histories
from pql.streams.plans import belongs
from pql.streams.shard import Looked, Shard
from pql.streams.sqlite import SqliteState
from pql.streams.state import instant

CHUNK = 500
FAILED = object()


@dataclass(frozen=True)
class Disagreement:
    """Three answers to one question. None: it could not be judged (a sum out of range), which counts as not a member."""

    profile: str
    segment: str
    live: bool
    batch: bool | None
    plain: bool | None


@dataclass(frozen=True)
class Otherwise:
    """Three values of an attribute. None: null, or it could not be evaluated (a sum out of range)."""

    profile: str
    attribute: str
    live: Any
    batch: Any
    plain: Any


@dataclass
class Verification:
    """`memberships`: (profile, segment) pairs that were compared, `values`: (profile, attribute) pairs. `stored`: of the
    events of the people who were asked, those that came from the store's history and not through the stream."""

    at: datetime
    people: int = 0
    memberships: int = 0
    members: int = 0
    stored: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    values: int = 0
    otherwise: list[Otherwise] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not self.disagreements and not self.otherwise


def verify(
    state: SqliteState,
    plan: Plan,
    store: Store | None = None,
    sample: int = 1_000,
    at: datetime | None = None,
    seed: int = 0,
    told: Callable[[int], None] | None = None,
) -> Verification:
    """Compares the memberships and attributes of people drawn at random. Raises StreamError PQL0631, PQL0639."""
    kept, clock = state.kept(), instant(state.progress().clock)
    if kept is None:
        raise StreamError("PQL0630", f"`{state.path}` is no state of a stream that has begun")
    belongs(state, plan, kept.paused)
    at = at or clock
    if at < clock:
        raise StreamError(
            "PQL0639",
            f"the state is at {clock.isoformat()}Z already",
            "leave `--as-of` out, or ask for a later instant",
        )
    found = Verification(at)
    if clock == datetime.min:
        return found
    names = state.sample(sample, seed)
    for first in range(0, len(names), CHUNK):
        _Check(state, plan, store, found).chunk(names[first : first + CHUNK])
        if told is not None:
            told(found.people)
    return found


class _Check:
    def __init__(self, state: SqliteState, plan: Plan, store: Store | None, found: Verification) -> None:
        self.state, self.plan, self.found = state, plan, found
        self.histories = Histories(state, plan.schema, store)

    def chunk(self, names: list[str]) -> None:
        people = self._live(names)
        self.found.stored += self.histories.join([c for c, _ in people])
        batch = batch_answers(self.plan, [c for c, _ in people], self.found.at)
        for (carried, looked), asked in zip(people, batch, strict=True):
            self.found.people += 1
            self._memberships(carried, looked, asked[: len(self.plan.roots)])
            self._values(carried, looked, asked[len(self.plan.roots) :])

    def _memberships(self, carried: Carried, looked: Looked, asked: list[Any]) -> None:
        for root, answer in zip(self.plan.roots, asked, strict=True):
            live, plain = root.segment in looked.members, self._plain(root.condition, carried)
            batch = None if answer is None else bool(answer)
            plain = None if plain is FAILED else plain is True
            self.found.memberships += 1
            self.found.members += live
            if batch is None and not live:
                continue  # a sum out of range: no answer, which is no membership, even where the evaluator need not come to the sum
            if not live == bool(batch) == bool(plain):
                self.found.disagreements.append(Disagreement(str(carried.profile), root.segment, live, batch, plain))

    def _values(self, carried: Carried, looked: Looked, asked: list[Any]) -> None:
        for attribute, batch in zip(self.plan.attributes, asked, strict=True):
            live, plain = looked.values[attribute.name][0], self._plain(attribute.value, carried)
            plain = None if plain is FAILED else plain
            self.found.values += 1
            if not same(live, batch) or not same(live, plain):
                self.found.otherwise.append(Otherwise(str(carried.profile), attribute.name, live, batch, plain))

    def _live(self, names: list[str]) -> list[tuple[Carried, Looked]]:
        """People with what is held of them when the clock runs on to the instant asked about, in memory."""
        shard = Shard(self.plan, self.state)
        return [(Carried(name, looked.record), looked) for name, looked in shard.look(names, self.found.at).items()]

    def _plain(self, e: ir.Expr, carried: Carried) -> Any:
        try:
            evaluator = Evaluator(self.plan.conditions, self.plan.zone)
            events = [dict(d) for _, d in carried.events]
            return evaluator.evaluate(e, carried.record or {}, events, self.found.at)
        except OutOfRange:
            return FAILED


def same(a: Any, b: Any) -> bool:
    """Are two values of an attribute the same? In objects a field that is null is as good as none; doubles are summed in any order."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        a, b = ({k: v for k, v in m.items() if v is not None} for m in (a, b))
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    return bool(a == b)


def batch_answers(plan: Plan, people: list[Carried], at: datetime) -> list[list[Any]]:
    """What SQL says of people's histories: for each a list of answers, in the order of the plan's roots, then its attributes. None: null, or it
    could not be evaluated."""
    store = Store.memory(plan.schema)
    expressions = [*(r.condition for r in plan.roots), *(a.value for a in plan.attributes)]
    try:
        return _answers(store, plan, expressions, people, at)
    finally:
        store.connection.close()


def _answers(
    store: Store, plan: Plan, expressions: list[ir.Expr], people: list[Carried], at: datetime
) -> list[list[Any]]:
    """A sum out of range ends a statement for all: it is asked again of fewer people, and of one person expression by expression."""
    store.clear()
    store.load(
        [(i, c.record or {}) for i, c in enumerate(people)],
        [(i, d) for i, c in enumerate(people) for _, d in c.events],
    )
    settings = Settings(plan.zone.name, plan.zone.week_start)
    query = compile_query(expressions, plan.schema.profile, settings, plan.conditions, "values", store.layout)
    try:
        rows = {row[0]: list(row[1:]) for row in store.query(query.sql(), {"now": at})}
        return [rows[i] for i in range(len(people))]
    except StoreError as error:
        if error.code != "PQL0601":
            raise StreamError(error.code, str(error)) from None
    if len(people) == 1 and len(expressions) == 1:
        return [[None]]
    if len(people) == 1:
        return [[answer for e in expressions for answer in _answers(store, plan, [e], people, at)[0]]]
    half = len(people) // 2
    return [
        *_answers(store, plan, expressions, people[:half], at),
        *_answers(store, plan, expressions, people[half:], at),
    ]
