"""Plays a life: undisturbed; with crashes and restarts; and what the evaluators say of it. Read `differences`."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pql.api import Advance, Event, Merge, Record, Split, Store, write_value
from pql.api import streams as api
from pql.cli.conform import equal
from pql.runtime import Evaluator
from pql.runtime.hosting import instant_of
from pql.streams import shard
from pql.streams.errors import BadMessage
from pql.streams.state import Commit
from pql.xdm.values import read_instant
from tests.property.live import Model
from tests.simulation.life import Life

MICRO = timedelta(microseconds=1)
AFTERWARDS = timedelta(days=60)
LIVES_MOST = 400


class Crash(BaseException):
    """The process is gone."""


class CrashingState(api.SqliteState):
    """Dies before, within or after a commit, as chance has it."""

    r = random.Random(0)
    rate = 0.0

    def commit(self, commit: Commit) -> None:
        dies = self.r.random() < self.rate
        when = self.r.choice(("before", "within", "after"))
        if dies and when == "before":
            raise Crash
        if dies and when == "within":
            self.db.execute("BEGIN IMMEDIATE")
            self.write(commit)
            raise Crash
        super().commit(commit)
        if dies:
            raise Crash


class CrashingOutlet(api.FileOutlet):
    """Dies in the middle of writing."""

    r = random.Random(0)
    rate = 0.0

    def write(self, lines: list[str]) -> None:
        if lines and self.r.random() < self.rate:
            kept = lines[: self.r.randrange(len(lines) + 1)]
            super().write(kept)
            raise Crash
        super().write(lines)


OUTLETS = (api.TRANSITIONS, api.QUARANTINE, api.ATTRIBUTES)


def undisturbed(life: Life, file: Path, until: datetime) -> list[list[str]]:
    """The transitions, the quarantine and the changes of attributes of a run that nothing happens to."""
    state, outlets = api.Unkept(), {name: api.Collected() for name in OUTLETS}
    made = shard.Shard(life.plan(), state)
    reader = api.Reader(life.environment.schema)
    api.Stream(made, state, api.FileSource(file), reader, outlets, api.Options(until=until)).run()
    return [outlet.lines for outlet in outlets.values()]


def disturbed(life: Life, file: Path, until: datetime, r: random.Random, folder: Path) -> tuple[list[list[str]], int]:
    """The same with crashes, restarts, tiny batches and hardly any memory; and how often it died."""
    deaths = 0
    CrashingState.r = CrashingOutlet.r = r
    for life_number in range(LIVES_MOST):
        CrashingState.rate = CrashingOutlet.rate = 0.0 if life_number >= LIVES_MOST - 1 else 0.12
        state = CrashingState(folder)
        state.db.execute("PRAGMA synchronous = OFF")
        try:
            plan = life.plan()
            api.belongs(state, plan)
            made = api.Shard(plan, state, most=r.choice((1, 2, 100)))
            outlets = {name: CrashingOutlet(folder / name) for name in OUTLETS}
            options = api.Options(commit_every=r.choice((1, 2, 5, 100)), until=until)
            stream = api.Stream(
                made, state, api.FileSource(file), api.Reader(life.environment.schema), outlets, options
            )
            if r.random() < 0.3:
                stream.report = lambda figures, s=stream: s.stop() if r.random() < 0.3 else None  # type: ignore[misc]
            figures = stream.run()
            if not stream.stopping or figures.clock >= until:
                break
        except Crash:
            deaths += 1
        finally:
            state.db.close()
            state._unlock()
    return [(folder / name).read_text().splitlines() for name in OUTLETS], deaths


def differences(life: Life) -> Iterator[str]:
    """What is not as it should be in a life, in words."""
    r = random.Random(life.seed)
    with (
        tempfile.TemporaryDirectory() as name,
        patch.multiple(shard, WINDOW=2, CHUNK=2, TIES_MOST=8),
        patch("os.fsync"),
    ):
        folder = Path(name)
        file = folder / "events.jsonl"
        file.write_text("\n".join(life.lines) + ("\n" if life.seed % 2 else ""), encoding="utf-8")
        until = last_clock(life) + AFTERWARDS
        plain = undisturbed(life, file, until)
        lived, deaths = disturbed(life, file, until, r, folder)
        for mine, other, what in zip(plain, lived, OUTLETS, strict=True):
            if mine != other:
                yield f"{what} after {deaths} crashes differ at {_first(mine, other)}"
        yield from against_evaluator(life, plain[0], plain[2], until, r)


def _first(a: list[str], b: list[str]) -> str:
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f"{at} of {len(a)} and {len(b)}:\n  {a[at : at + 1]}\n  {b[at : at + 1]}"


def items(life: Life) -> Iterator[Any]:
    reader = api.Reader(life.environment.schema)
    for line in life.lines:
        if line.strip():
            try:
                yield reader.read(line.encode())
            except BadMessage:
                continue


def last_clock(life: Life) -> datetime:
    return max((at for at in map(instant_of, items(life)) if at is not None), default=datetime(2026, 1, 1))


def against_evaluator(
    life: Life, lines: list[str], changes: list[str], until: datetime, r: random.Random
) -> Iterator[str]:
    """Memberships and attributes as the lines say, against the plain evaluator over the documents that had arrived, at many instants."""
    transitions = [(read_instant(t["at"]), t) for t in map(json.loads, lines)]
    told = [(read_instant(c["at"]), c) for c in map(json.loads, changes)]
    yield from adding_up(transitions)
    yield from changing(told)
    model, clock, met = Model(), datetime.min, set[str]()
    found = [*items(life), Advance(until)]
    for item in found:
        at = instant_of(item)
        if at is not None and at > clock:
            if clock > datetime.min:
                yield from compare(life, model, met, transitions, told, clock, at, r)
            clock = at
        if isinstance(item, Split):
            item = replace(item, profile=model.real(item.profile))
        met |= about(model, item)
        model.take(item)
    yield from compare(life, model, met, transitions, told, clock, clock + MICRO, r)
    yield from against_sql(life, model, met, transitions, until)


def about(model: Model, item: Any) -> set[str]:
    """The profiles that are known from an input on: a deletion makes nobody known."""
    match item:
        case Event() | Record():
            return {model.real(item.profile)}
        case Merge() if item.record is None and model.real(item.profile) == model.real(item.source):
            return set()
        case Merge():
            return {model.real(item.profile), item.source}
        case Split():
            return {model.real(item.profile), item.target}
        case _:
            return set()


def adding_up(transitions: list[tuple[Any, dict[str, Any]]]) -> Iterator[str]:
    """Each transition changes something, numbers have no gaps, instants do not go back."""
    members: set[tuple[str, str]] = set()
    sequences: dict[str, int] = {}
    last = datetime.min
    for at, t in transitions:
        pair = (t["profile"], t["segment"])
        sequences[t["profile"]] = sequences.get(t["profile"], 0) + 1
        if (pair in members) == (t["status"] == "realized") or t["sequence"] != sequences[t["profile"]] or at < last:
            yield f"does not add up: {t}"
        members ^= {pair}
        last = at


def changing(changes: list[tuple[Any, dict[str, Any]]]) -> Iterator[str]:
    """Each change is to another value, numbers have no gaps, instants do not go back."""
    values: dict[tuple[str, str], Any] = {}
    sequences: dict[str, int] = {}
    last = datetime.min
    for at, c in changes:
        pair = (c["profile"], c["attribute"])
        sequences[c["profile"]] = sequences.get(c["profile"], 0) + 1
        numbered = c["key"] == f"{c['profile']}/attribute/{c['sequence']}" and c["sequence"] == sequences[c["profile"]]
        if not numbered or values.get(pair) == c["value"] or at < last:
            yield f"does not add up: {c}"
        values[pair] = c["value"]
        last = at


def memberships(transitions: list[tuple[Any, dict[str, Any]]], at: datetime) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for when, t in transitions:
        if when <= at:
            found ^= {(t["profile"], t["segment"])}
    return found


def compare(
    life: Life,
    model: Model,
    met: set[str],
    transitions: Any,
    changes: Any,
    low: datetime,
    high: datetime,
    r: random.Random,
) -> Iterator[str]:
    """At instants in [low, high), in which no message arrived but those at `low`."""
    near = [at + step for at, _ in (*transitions, *changes) for step in (-MICRO, timedelta(0))]
    instants = {low, high - MICRO, low + (high - low) * r.random(), *near}
    evaluator = Evaluator(life.conditions)
    for at in sorted(i for i in instants if low <= i < high):
        held = memberships(transitions, at)
        values = {(c["profile"], c["attribute"]): c["value"] for when, c in changes if when <= at}
        for profile in sorted(met):
            record, documents = model.records.get(profile) or {}, model.documents(profile)
            for name, value in life.attributes.items():
                whole = None if profile in model.into else evaluator.evaluate(value, record, documents, at)
                if not equal(values.get((profile, name)), write_value(whole)):
                    yield f"at {at} `{name}` of `{profile}`: stream {values.get((profile, name))}, evaluator {whole}"
                    return
            for id, condition in life.conditions.items():
                wanted = profile not in model.into and evaluator.evaluate(condition, record, documents, at) is True
                if wanted != ((profile, id) in held):
                    yield f"at {at} `{profile}` in `{id}`: stream {(profile, id) in held}, evaluator {wanted}"
                    return


def against_sql(life: Life, model: Model, met: set[str], transitions: Any, at: datetime) -> Iterator[str]:
    """The same at the end, against SQL."""
    people = sorted(p for p in met if p not in model.into)
    store = Store.memory(life.environment.schema)
    store.load(
        [(i, model.records.get(p) or {}) for i, p in enumerate(people)],
        [(i, d) for i, p in enumerate(people) for d in model.documents(p)],
    )
    query = life.environment.sql(list(life.conditions.values()), life.conditions, "values", store.layout)
    held = memberships(transitions, at)
    for row in store.query(query.sql(), {"now": at}):
        for id, member in zip(life.conditions, row[1:], strict=True):
            if bool(member) != ((people[row[0]], id) in held):
                yield f"at {at} `{people[row[0]]}` in `{id}`: stream {not member}, SQL {member}"
