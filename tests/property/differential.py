"""One batch of the differential test: generated people and expressions, the engine's answers against the reference's.

A statement evaluates many expressions for many profiles. When it raises, it is bisected to the expressions that do.
Read `run_batch`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pql.api import Environment, Settings, Store, StoreError, read_short, write_value
from pql.check.base import Catalog
from pql.cli.conform import equal
from pql.ir import nodes as ir
from pql.syntax import ast
from pql.types import BOOLEAN
from pql.xdm.schema import Schema
from pql.xdm.values import read_event, read_profile
from tests.property.generate import Texts
from tests.property.worlds import SCHEMA, World, random_now
from tests.reference.evaluate import evaluate
from tests.reference.scopes import Refused
from tests.reference.values import SumOutOfRange

ZONES = ("UTC", "UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


@dataclass(frozen=True)
class Person:
    profile: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    seed: int
    text: str
    person: Person
    now: datetime
    settings: Settings
    expected: Any
    got: Any

    def __str__(self) -> str:
        at = self.now.isoformat()
        shown = json.dumps(self.person.profile), json.dumps(self.person.events)
        settings = "" if self.settings == Settings() else f"\n  {self.settings}"
        return (
            f"seed {self.seed}: {self.text}\n  profile {shown[0]}\n  events {shown[1]}\n  now {at}Z{settings}\n"
            f"  reference {write_value(self.expected)!r}\n  engine    {self.got!r}"
        )


def as_member(test: ir.Expr) -> ir.Expr:
    """The test where its null may stand for false, as in the condition of a membership query."""
    return ir.If(test, ir.TRUE, ir.FALSE, BOOLEAN)


def referred(world: Bench, r: random.Random, environment: Environment) -> dict[str, Any]:
    """A segment that `inSegment("s1")` refers to, and that refers to none."""
    text = Texts(r, world.schema).shape()
    found = environment.check(text)
    return {"s1": found} if found.ok and found.type == BOOLEAN and "inSegment" not in text else {}


class Bench:
    """The schema and a store, shared by the batches."""

    def __init__(self) -> None:
        self.schema, findings = read_short(SCHEMA)
        assert not findings
        self.store = Store.memory(self.schema)
        self.segments: dict[str, Any] = {}

    def load(self, people: Sequence[Person]) -> None:
        self.store.clear()
        typed = [typed_person(p, self.schema) for p in people]
        self.store.load(
            [(i, p) for i, (p, _) in enumerate(typed)], [(i, e) for i, (_, es) in enumerate(typed) for e in es]
        )


def typed_person(person: Person, schema: Schema) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    profile, problems = read_profile(person.profile, schema)
    events = [read_event(e, schema) for e in person.events]
    assert not problems and not any(p for _, p in events), (problems, events)
    return profile, [e for e, _ in events]


def reference(tree: ast.Expr, world: Bench, person: Person, now: datetime, settings: Settings) -> Any:
    profile, events = typed_person(person, world.schema)
    try:
        segments = {s: c.tree for s, c in world.segments.items()}
        return evaluate(
            tree, world.schema, profile, events, now, segments, zone=settings.zone, week_start=settings.week_start
        )
    except SumOutOfRange:
        return "PQL0601"
    except Refused as refusal:
        return f"the reference refuses: {refusal}"


def engine(world: Bench, environment: Environment, irs: Sequence[Any], now: datetime, people: int) -> list[list[Any]]:
    """For each expression the answers for each person; an error's text for all of them where it raises."""
    try:
        query = environment.sql(list(irs), {s: c.ir for s, c in world.segments.items()})
        rows = {row[0]: row[1:] for row in world.store.query(query.sql(), {"now": now})}
        return [[write_value(rows[p][i]) for p in range(people)] for i in range(len(irs))]
    except StoreError as error:
        failure = error.code if error.code == "PQL0601" and "sum" not in str(error) else f"{error.code} {error}"
        if error.code == "PQL0601":
            failure = "PQL0601"
    except Exception as error:
        failure = f"engine raised {type(error).__name__}: {error}"[:600]
    if len(irs) == 1:
        return [[failure] * people]
    middle = len(irs) // 2
    return [
        *engine(world, environment, irs[:middle], now, people),
        *engine(world, environment, irs[middle:], now, people),
    ]


SKIPPED = object()


def one_by_one(
    world: Bench, environment: Environment, checked: Any, now: datetime, people: Sequence[Person], text: str
) -> list[Any]:
    """A sum out of range in one profile fails the statement for all: ask for each alone.

    Whether an operand that does not decide is evaluated is left open, so a failure below `and`, `or` and their kin is
    not compared.
    """
    found: list[Any] = []
    decided = re.search(r"\b(and|or|if|exists|forall|some|all|none|one|orElse|where)\b|\[", text)
    for person in people:
        world.load([person])
        answer = engine(world, environment, [checked], now, 1)[0][0]
        found.append(SKIPPED if answer == "PQL0601" and decided else answer)
    return found


def agree(expected: Any, got: Any) -> bool:
    return equal(got, write_value(expected))


def run_batch(
    world: Bench, seed: int, people_count: int = 10, texts: int = 30, shrink: bool = True
) -> tuple[int, list[Difference]]:
    """(cases run, differences). A case is one expression for one person."""
    r = random.Random(seed)
    now = random_now(r)
    settings = Settings(r.choice(ZONES), r.choice(("monday", "monday", "sunday", "saturday")))
    environment = Environment(world.schema, settings)
    segments = referred(world, r, environment) if r.random() < 0.4 else {}
    catalog = Catalog(segments={s: s for s in segments})
    made = World(r, world.schema, now, r.choice((0.1, 0.3, 0.5)))
    people = [Person(made.profile(), made.events()) for _ in range(people_count)]
    checked = []
    for _ in range(texts):
        text = Texts(r, world.schema).whole()
        found = environment.check(text, catalog=catalog)
        if found.ok and found.tree is not None:
            checked.append((text, found))
    world.load(people)
    world.segments = segments
    irs = [c.ir for _, c in checked]
    tests = [(text, found) for text, found in checked if isinstance(found.ir, ir.TESTS)]
    answers = engine(world, environment, [*irs, *(as_member(t.ir) for _, t in tests)], now, people_count)
    for text, found in tests:
        checked.append((text, replace(found, ir=as_member(found.ir))))
    differences = []
    for (text, found), got in zip(checked, answers, strict=True):
        assert found.tree is not None
        expected = [reference(found.tree, world, p, now, settings) for p in people]
        if "PQL0601" in got:
            got = one_by_one(world, environment, found.ir, now, people, text)
            world.load(people)
        for person, want, have in zip(people, expected, got, strict=True):
            if have is not SKIPPED and not agree(want, have):
                differences.append(Difference(seed, text, person, now, settings, want, have))
                break
    if shrink and differences:
        differences = [smaller(world, d) for d in differences]
    return len(checked) * people_count, differences


def smaller(world: Bench, difference: Difference, rounds: int = 60) -> Difference:
    """The same difference with events and profile fields left out while it lasts."""
    environment = Environment(world.schema, difference.settings)
    found = environment.check(difference.text, catalog=Catalog(segments={s: s for s in world.segments}))
    best = difference
    for _ in range(rounds):
        for person in simpler(best.person):
            world.load([person])
            got = engine(world, environment, [found.ir], best.now, 1)[0][0]
            assert found.tree is not None
            expected = reference(found.tree, world, person, best.now, best.settings)
            if not agree(expected, got):
                best = replace(best, person=person, expected=expected, got=got)
                break
        else:
            break
    return best


def simpler(person: Person) -> list[Person]:
    found = [Person(person.profile, [*person.events[:i], *person.events[i + 1 :]]) for i in range(len(person.events))]
    for key in person.profile:
        found.append(Person({k: v for k, v in person.profile.items() if k != key}, person.events))
    for i, event in enumerate(person.events):
        for key in event:
            kept = {k: v for k, v in event.items() if k != key}
            found.append(Person(person.profile, [*person.events[:i], kept, *person.events[i + 1 :]]))
    return found
