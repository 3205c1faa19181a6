"""Conformance cases on the live engine. Knows the case format and `pql.api`; nothing deeper.

Events are fed in time order; those later than the instant asked about, before the clock is advanced past it. Read `StreamRunner`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pql.api import Advance, Engine, Environment, Event, Input, Record, StoreError, write_value
from pql.cli.conform import People, Runner
from pql.ir import nodes as ir
from pql.types import BOOLEAN

ROOT = "asked"
LONG_AGO = timedelta(days=1000)
STATUS = {"realized": "entered", "exited": "exited"}


class StreamRunner(Runner):
    """One engine a person and instant: every case is fed from its first event on."""

    engine = "stream"

    def answers(
        self, environment: Environment, target: Any, segments: Mapping[str, Any], people: People, instants: list[Any]
    ) -> list[list[Any]]:
        return [[self._answer(environment, target, segments, p, at) for p in people] for at in instants]

    def _answer(
        self, environment: Environment, target: Any, segments: Mapping[str, Any], person: Any, at: datetime
    ) -> Any:
        value = None
        if not isinstance(target, ir.TESTS):
            value = environment.value(target, person[0], person[1], at, segments)
            if target.type != BOOLEAN:
                return write_value(value)
        engine = Engine(environment.live_plan({**segments, ROOT: target}, [ROOT]))
        engine.apply(inputs(person, at, at - LONG_AGO))
        if engine.failures:
            raise StoreError(engine.failures[-1].code, engine.failures[-1].message)
        member = ROOT in engine.members(0)
        return member if isinstance(target, ir.TESTS) or (value is True) != member else value

    def transitions(
        self, environment: Environment, target: Any, segments: Mapping[str, Any], people: People, instants: list[Any]
    ) -> list[list[str]] | None:
        engine = Engine(environment.live_plan({**segments, ROOT: target}, [ROOT]))
        emitted = engine.apply(inputs(people[0], max(instants)))
        return [[write_value(t.at), STATUS[t.status]] for t in emitted]


def inputs(person: tuple[Mapping[str, Any], list[Any]], at: datetime, first: datetime = datetime.min) -> list[Input]:
    """A person's documents as the engine's inputs: the record with the first event, all judged up to `at`. The documents are
    different events even where two have one `_id`. `first`: earlier events arrive then (where only the end is asked about)."""
    profile, events = person
    timed = [(e["timestamp"], i, e) for i, e in enumerate(events) if e.get("timestamp") is not None]
    past = sorted((t for t in timed if t[0] <= at), key=lambda t: t[:2])
    start = max(past[0][0], first) if past else at
    found: list[Input] = [Record(0, profile, start)]
    found += [Event(0, e, max(stamp, first), str(i)) for stamp, i, e in past]
    rest = [(i, e) for i, e in enumerate(events) if e.get("timestamp") is None or e["timestamp"] > at]
    found += [Event(0, e, at, str(i)) for i, e in rest]
    return [*found, Advance(at)]
