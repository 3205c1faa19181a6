"""Is the live engine right? People of a running state, asked of SQL and of the plain evaluator over the same history. Read `verify`.

Only reads. History is the store's joined with what arrived live, as a hand-over has it: an event that the stream did not get shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.clock import Settings
from pql.compiler import compile_query
from pql.runtime.evaluate import Evaluator, OutOfRange
from pql.runtime.hosting import Carried
from pql.runtime.plan import Plan
from pql.store.store import Store, StoreError
from pql.streams.errors import StreamError
from pql.streams.handover import Histories
from pql.streams.plans import belongs
from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState
from pql.streams.state import instant

CHUNK = 500


@dataclass(frozen=True)
class Disagreement:
    """Three answers to one question. None: it could not be judged (a sum out of range), which counts as not a member."""

    profile: str
    segment: str
    live: bool
    batch: bool | None
    plain: bool | None


@dataclass
class Verification:
    """`memberships`: (profile, segment) pairs that were compared. `missing`: events of the store that the stream does not know, of
    the people who were asked."""

    at: datetime
    people: int = 0
    memberships: int = 0
    members: int = 0
    missing: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)


def verify(
    state: SqliteState,
    plan: Plan,
    store: Store | None = None,
    sample: int = 1_000,
    at: datetime | None = None,
    seed: int = 0,
    told: Callable[[int], None] | None = None,
) -> Verification:
    """Compares the memberships of people drawn at random. Raises StreamError PQL0631, PQL0639."""
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
        self.found.missing += self.histories.join([c for c, _ in people])
        batch = batch_answers(self.plan, [c for c, _ in people], self.found.at)
        for (carried, held), asked in zip(people, batch, strict=True):
            self.found.people += 1
            for root, answer in zip(self.plan.roots, asked, strict=True):
                live, plain = root.segment in held, self._plain(root.condition, carried)
                self.found.memberships += 1
                self.found.members += live
                if not live == bool(answer) == bool(plain):
                    self.found.disagreements.append(
                        Disagreement(str(carried.profile), root.segment, live, answer, plain)
                    )

    def _live(self, names: list[str]) -> list[tuple[Carried, frozenset[str]]]:
        """People with their memberships when the clock runs on to the instant asked about, in memory."""
        shard = Shard(self.plan, self.state)
        found = shard.look(names, self.found.at)
        return [(Carried(name, record), members) for name, (record, members) in found.items()]

    def _plain(self, condition: Any, carried: Carried) -> bool | None:
        try:
            evaluator = Evaluator(self.plan.conditions, self.plan.zone)
            return (
                evaluator.evaluate(condition, carried.record or {}, [dict(d) for _, d in carried.events], self.found.at)
                is True
            )
        except OutOfRange:
            return None


def batch_answers(plan: Plan, people: list[Carried], at: datetime) -> list[list[bool | None]]:
    """What SQL says of people's histories: for each a list of answers, in the order of the plan's roots."""
    store, settings = Store.memory(plan.schema), Settings(plan.zone.name, plan.zone.week_start)
    try:
        conditions = [r.condition for r in plan.roots]
        query = compile_query(conditions, plan.schema.profile, settings, plan.conditions, "values", store.layout)
        return list(_answers(store, query.sql(), people, at, len(conditions)))
    finally:
        store.connection.close()


def _answers(store: Store, sql: str, people: list[Carried], at: datetime, roots: int) -> Iterator[list[bool | None]]:
    store.clear()
    store.load(
        [(i, c.record or {}) for i, c in enumerate(people)],
        [(i, d) for i, c in enumerate(people) for _, d in c.events],
    )
    try:
        rows = {row[0]: [bool(v) for v in row[1:]] for row in store.query(sql, {"now": at})}
        for i in range(len(people)):
            yield list(rows[i])
    except StoreError as error:
        if error.code != "PQL0601":
            raise StreamError(error.code, str(error)) from None
        if len(people) == 1:
            yield [None] * roots
            return
        half = len(people) // 2
        yield from _answers(store, sql, people[:half], at, roots)
        yield from _answers(store, sql, people[half:], at, roots)
