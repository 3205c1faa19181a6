"""The live engine against the plain evaluators: `python -m tests.property.live --seed N --cases M`.

A run is some segments, some profiles and a script of inputs in a generated order of arrival: events in order, late, future, again,
corrected and deleted; records; merges and splits. A model keeps the documents in the plainest way. Whenever the clock stands, each
profile's memberships must be what the evaluators say of the model's documents as of that instant: at every input, between, and a
microsecond before and after whatever the engine says is next. Read `run`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pql.api import (
    Advance,
    Deletion,
    Engine,
    Environment,
    Event,
    Input,
    Merge,
    Record,
    Settings,
    Split,
    read_short,
    write_value,
)
from pql.check.base import Catalog
from pql.cli.conform import equal
from pql.clock import Zone
from pql.runtime import Evaluator, OutOfRange
from pql.types import BOOLEAN
from pql.xdm.values import read_event, read_profile
from tests.property import live_shapes, segment_texts
from tests.property.differential import ZONES
from tests.property.generate import Texts
from tests.property.worlds import SCHEMA, World, random_now
from tests.reference.evaluate import evaluate
from tests.reference.values import SumOutOfRange

MICRO = timedelta(microseconds=1)
PROFILES = (1, 2, 3)
HERE = (
    "UTC",
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Beirut",
)
"""Zones; in some the clock changes at midnight, or by half an hour."""


@dataclass
class Model:
    """What each profile has, by key of event, with the arrival of each; `into`: merged profiles."""

    records: dict[int, Any] = field(default_factory=dict)
    events: dict[int, dict[Any, tuple[int, Any]]] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)
    arrivals: int = 0

    def real(self, profile: int) -> int:
        while profile in self.into:
            profile = self.into[profile]
        return profile

    def own(self, profile: int) -> dict[Any, tuple[int, Any]]:
        return self.events.setdefault(self.real(profile), {})

    def take(self, item: Input) -> None:
        match item:
            case Event():
                self.arrivals += 1
                key = item.key or item.document.get("_id") or self.arrivals
                self.own(item.profile)[key] = (self.arrivals, item.document)
            case Deletion():
                self.own(item.profile).pop(item.key, None)
            case Record():
                self.own(item.profile)
                self.records[self.real(item.profile)] = item.document
            case Merge():
                self.merge(item)
            case Split():
                target, source = self.events.setdefault(item.target, {}), self.own(item.profile)
                self.into.pop(item.target, None)
                for key in [k for k in source if k in item.keys]:
                    kept = source.pop(key)
                    if key not in target or target[key][0] < kept[0]:
                        target[key] = kept
                self.records[self.real(item.profile)], self.records[item.target] = item.record, item.target_record
            case _:
                pass

    def merge(self, item: Merge) -> None:
        target, source = self.real(item.profile), self.real(item.source)
        if target == source:
            if item.record is not None:
                self.records[target] = item.record
            return
        mine = self.own(target)
        for key, kept in self.events.pop(source, {}).items():
            if key not in mine or mine[key][0] < kept[0]:
                mine[key] = kept
        record = item.record or self.records.get(target) or self.records.get(source)
        self.records[target] = record
        self.records.pop(source, None)
        self.into[source] = target

    def documents(self, profile: int) -> list[Any]:
        return [d for _, d in sorted(self.events.get(profile, {}).values(), key=lambda p: p[0])]


@dataclass
class Setting:
    """Segments and people of one run."""

    environment: Environment
    zone: Zone
    checked: dict[str, Any]
    now: datetime
    name: str
    attributes: dict[str, Any] = field(default_factory=dict)


def deep_setting(r: random.Random, seed: int, count: int) -> tuple[Setting, World]:
    schema, _ = read_short(SCHEMA)
    settings = Settings(r.choice(ZONES), r.choice(("monday", "sunday")))
    environment, now = Environment(schema, settings), random_now(r)
    checked: dict[str, Any] = {}
    known = Catalog(segments={"s1": "s1"} if r.random() < 0.7 else {})
    while len(checked) < count:
        texts = Texts(r, schema)
        text = texts.segment() if r.random() < 0.7 else texts.test(r.choice((1, 2)))
        if not checked and "inSegment" in text:
            continue
        found = environment.check(text, catalog=known)
        if found.ok and found.type == BOOLEAN:
            checked["s1" if not checked and known.segments else f"t{len(checked)}"] = found
    world = World(r, schema, now, r.choice((0.1, 0.3)))
    return Setting(
        environment, Zone(settings.zone, settings.week_start), checked, now, f"seed {seed} {settings}"
    ), world


def attributes(r: random.Random, setting: Setting, schema: Any, count: int) -> dict[str, Any]:
    """Attributes of any type."""
    found: dict[str, Any] = {}
    known = Catalog(segments={"s1": "s1"} if "s1" in setting.checked else {})
    while len(found) < count:
        text = live_shapes.value(r) if schema is None else Texts(r, schema).whole()
        checked = setting.environment.check(text, catalog=known)
        if checked.ok and not setting.environment.changes_always(checked.ir):
            found[f"a{len(found)}"] = checked
    return found


class Segments:
    """People of `segment_texts`, with the interface of World."""

    def __init__(self, r: random.Random) -> None:
        self.r, self.now = r, segment_texts.NOW

    def events(self) -> list[dict[str, Any]]:
        return [segment_texts._event(self.r, i) for i in range(4)]

    def profile(self) -> dict[str, Any]:
        return segment_texts.people(self.r, 1)[0][0]

    def instant(self) -> datetime:
        hours = self.r.choice([0, 0, 1, 12, 13, 24, 24, 25, 36, 48, 60, 72, 100, 167, 168, 169, 400, 900])
        return datetime(2026, 3, 1) + timedelta(hours=hours, microseconds=self.r.choice([0, 0, 0, 1, -1]))


def plain_setting(r: random.Random, seed: int, count: int) -> tuple[Setting, Any]:
    schema, _ = read_short(segment_texts.SCHEMA)
    settings = Settings(r.choice(HERE), r.choice(("monday", "monday", "sunday", "saturday")))
    environment = Environment(schema, settings)
    checked: dict[str, Any] = {}
    shaped = r.choice((0.2, 1.0, 1.0))
    while len(checked) < count:
        found = environment.check(live_shapes.text(r) if r.random() < shaped else segment_texts.Texts(r).one())
        if found.ok:
            checked[f"s{len(checked)}"] = found
    zone = Zone(settings.zone, settings.week_start)
    return Setting(environment, zone, checked, segment_texts.NOW, f"seed {seed} plain {settings}"), Segments(r)


def script(r: random.Random, setting: Setting, world: Any, length: int, disorder: float) -> list[Input]:
    """Inputs in the order of arrival."""
    low, high = setting.now - timedelta(days=500), setting.now + timedelta(days=500)
    instants = sorted(min(max(world.instant(), low), high) for _ in range(length))
    schema, found, sent = setting.environment.schema, [], []
    for at in instants:
        k, profile = r.random(), r.choice(PROFILES)
        if k < 0.12:
            found.append(Record(profile, read_profile(world.profile(), schema)[0], at))
        elif k < 0.12 + 0.16 * disorder and sent:
            found.append(again(r, r.choice(sent), world, schema, at))
        elif k < 0.3 and r.random() < 0.25 * disorder:
            found.append(identity(r, sent, world, schema, at))
        elif k > 0.94:
            found.append(Advance(at))
        else:
            documents = world.events()
            if not documents:
                continue
            document = read_event(r.choice(documents), schema)[0]
            if r.random() > 0.35 * disorder:
                document["timestamp"] = at
            elif document.get("timestamp") is not None and r.random() < 0.5:
                document["timestamp"] = world.instant()
            event = Event(profile, document, at)
            sent.append(event)
            found.append(event)
    return found


def again(r: random.Random, old: Event, world: Any, schema: Any, at: datetime) -> Input:
    """A duplicate, a correction or a deletion of an event that was sent."""
    k, key = r.random(), old.document.get("_id")
    if k < 0.3 and key is not None:
        return Deletion(old.profile, key, at)
    document = dict(old.document)
    if k < 0.7 and key is not None:
        other = world.events()
        document = {**(read_event(r.choice(other), schema)[0] if other else {}), "_id": key}
        if r.random() < 0.5 and old.document.get("timestamp") is not None:
            document["timestamp"] = old.document["timestamp"]
    return Event(old.profile, document, at)


def identity(r: random.Random, sent: list[Event], world: Any, schema: Any, at: datetime) -> Input:
    a, b = r.sample(PROFILES, 2)
    record = read_profile(world.profile(), schema)[0]
    if r.random() < 0.5:
        return Merge(a, b, record if r.random() < 0.5 else None, at)
    keys = frozenset(e.document["_id"] for e in sent if e.document.get("_id") and r.random() < 0.5)
    return Split(a, b, keys, record, read_profile(world.profile(), schema)[0], at)


def check(setting: Setting, engine: Engine, model: Model, at: datetime, deep: bool) -> Iterator[str]:
    """What differs at an instant that is closed."""
    conditions = {id: c.ir for id, c in setting.checked.items()}
    evaluator = Evaluator(conditions, setting.zone)
    known = {*model.records, *model.events, *model.into} & set(engine.people)
    for profile in sorted(known):
        members = engine.members(profile)
        failed = {f.segment for f in engine.failures if f.profile == profile}
        record, documents = model.records.get(profile) or {}, model.documents(profile)
        for id, found in setting.checked.items():
            try:
                wanted = profile not in model.into and evaluator.evaluate(conditions[id], record, documents, at) is True
                if deep and profile not in model.into:
                    other = reference(setting, found, record, documents, at)
                    if other is not None and other != wanted:
                        yield f"evaluators differ at {at} profile {profile} {id}: {found.source.text}"
            except OutOfRange:
                continue
            if wanted != (id in members) and id not in failed:
                shown = f"live {id in members} evaluator {wanted}"
                yield f"at {at} profile {profile} {id}: {shown}\n  {found.source.text}\n  {record}\n  {documents}"
        values = engine.values(profile)
        for name, found in setting.attributes.items():
            try:
                value = None if profile in model.into else evaluator.evaluate(found.ir, record, documents, at)
            except OutOfRange:
                value = None
            if not equal(write_value(values[name]), write_value(value)):
                shown = f"live {values[name]!r} evaluator {value!r}"
                yield f"at {at} profile {profile} {name}: {shown}\n  {found.source.text}\n  {record}\n  {documents}"


def reference(setting: Setting, found: Any, record: Any, documents: list[Any], at: datetime) -> bool | None:
    trees = {id: c.tree for id, c in setting.checked.items() if id == "s1"}
    schema, zone = setting.environment.schema, setting.zone
    try:
        value = evaluate(found.tree, schema, record, documents, at, trees, zone=zone.name, week_start=zone.week_start)
        return value is True
    except SumOutOfRange:
        return None


def moves_between(r: random.Random, engine: Engine, to: datetime) -> Iterator[datetime]:
    """Instants before `to` at which to look: around what the engine says is next, and in between."""
    for _ in range(4):
        due = engine.next_due()
        if due is None or due > to or r.random() < 0.3:
            break
        yield from (x for x in (due - MICRO, due, due + MICRO) if engine.clock < x < to)
    if engine.clock + MICRO < to and engine.clock > datetime(2, 1, 1):
        yield engine.clock + (to - engine.clock) * r.random()


def run(seed: int, segments: int = 6, length: int = 16, deep: bool = False, values: int = 0) -> list[str]:
    """The differences of one run: no more than the first instant's. `values`: so many attributes beside the segments."""
    r = random.Random(seed)
    setting, world = (deep_setting if r.random() < 0.4 else plain_setting)(r, seed, segments)
    schema = world.schema if isinstance(world, World) else None
    setting.attributes = attributes(random.Random(f"attributes {seed}"), setting, schema, values)
    asked = ({id: c.ir for id, c in these.items()} for these in (setting.checked, setting.attributes))
    engine = Engine(setting.environment.live_plan(next(asked), attributes=next(asked)))
    model = Model()
    inputs = script(r, setting, world, length, r.choice((0.0, 0.5, 1.0, 1.5)))
    inputs.append(Advance(inputs[-1].to if isinstance(inputs[-1], Advance) else inputs[-1].arrival))  # type: ignore[arg-type]
    state: dict[tuple[int, str], bool] = {}
    tail = [Advance(setting.now + timedelta(days=d)) for d in (501, 530, 900)]
    for item in [*inputs, *tail]:
        at = item.to if isinstance(item, Advance) else item.arrival
        assert at is not None
        for then in moves_between(r, engine, at):
            if then > engine.clock:
                note(state, engine.advance(then), engine)
                found = list(check(setting, engine, model, then, False))
                if found:
                    return [f"{setting.name}: between: {found[0]}"]
        note(state, engine.apply([item]), engine)
        model.take(item)
        if r.random() < 0.7 or isinstance(item, Advance):
            note(state, engine.advance(at), engine)
            found = list(check(setting, engine, model, at, deep))
            if found:
                return [f"{setting.name}: after {type(item).__name__}: {found[0]}"]
            if r.random() < 0.15:
                reload(engine)
    wrong = [k for k, v in state.items() if v != (k[1] in engine.members(k[0]))]
    if wrong:
        return [f"{setting.name}: transitions do not add up for {wrong}"]
    return [f"{setting.name}: {d}" for d in replayed(engine)]


def reload(engine: Engine) -> None:
    """Every profile out to bytes and back."""
    for profile in list(engine.people):
        engine.load_profile(engine.dump_profile(profile))


def note(state: dict[tuple[int, str], bool], transitions: Any, engine: Engine) -> None:
    """The transitions add up: each changes what it says it changes, in order of instants."""
    last = None
    for t in transitions:
        assert state.get((t.profile, t.segment), False) != (t.status == "realized"), t
        assert last is None or last <= t.at <= engine.clock, t
        last, state[t.profile, t.segment] = t.at, t.status == "realized"


def replayed(engine: Engine) -> Iterator[str]:
    """Changes of attributes, replayed, are the values; each is another one than before, and their numbers have no gap."""
    held: dict[Any, Any] = {}
    counts: dict[Any, int] = {}
    for change in engine.changes:
        counts[change.profile] = counts.get(change.profile, 0) + 1
        if change.sequence != counts[change.profile]:
            yield f"number {change.sequence} is not the next: {change}"
        if held.get((change.profile, change.attribute)) == change.value:
            yield f"nothing changed: {change}"
        held[change.profile, change.attribute] = change.value
    for profile in engine.people:
        for name, value in engine.values(profile).items():
            if held.get((profile, name)) != value:
                yield f"changes do not add up for {profile} {name}: {held.get((profile, name))!r}, {value!r}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--cases", type=int, default=1000, help="runs, each of several segments and profiles")
    options.add_argument("--deep", action="store_true", help="compare with the reference evaluator too")
    options.add_argument("--values", type=int, default=3, help="attributes beside the segments of each run")
    given, found = options.parse_args(), 0
    for seed in range(given.seed, given.seed + given.cases):
        for difference in run(seed, deep=given.deep, values=given.values):
            found += 1
            print(difference, flush=True)
    print(f"{given.cases} runs, seeds {given.seed} to {given.seed + given.cases - 1}: {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
