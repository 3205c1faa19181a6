"""Changing data that is forbidden for an action never changes what an accepted segment (or value) gives: batch SQL in both forms, the
plain evaluator and, for tests, the live engine. Over generated schemas' labels, expressions and people."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pql.api import Advance, Engine, Environment, Event, Governance, Input, Record, Store, StoreError, load_governance
from pql.check.project import Project
from pql.ir import nodes as ir
from pql.policies.judge import Judge
from pql.policies.model import ALL_DATA, Place
from pql.runtime import Evaluator, OutOfRange
from pql.source import Source
from pql.types import ListType, MapType, ObjectType, Type
from pql.xdm.catalog import paths
from pql.xdm.descriptors import LABEL, apply_descriptors
from pql.xdm.registry import Registry
from pql.xdm.schema import Schema, make_schema
from pql.xdm.short import read_short
from pql.xdm.values import read_event, read_profile
from tests.property.expressions import NOW, SCHEMA, Expressions, person

PEOPLE, TEXTS, SEEDS = 10, 30, 8
FORBIDDEN = "C5"
Document = tuple[dict[str, Any], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def governance(tmp_path_factory: pytest.TempPathFactory) -> Governance:
    folder = tmp_path_factory.mktemp("project")
    (folder / "policies").mkdir()
    text = "{name: P, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {label: C5}}"
    (folder / "policies" / "p.yaml").write_text(text, encoding="utf-8")
    found, problems = load_governance(folder)
    assert not problems
    return found


def labelled(r: random.Random) -> tuple[Schema, list[tuple[bool, tuple[str, ...]]]]:
    """The schema with the forbidden label on a few fields; which: in an event or not, and the path."""
    plain, _ = read_short(SCHEMA)
    skipped = ("xEvent", "segmentMembership")
    own = [(False, f.path) for f in paths(plain.profile) if f.path.split(".")[0] not in skipped]
    events = [(True, f.path) for f in paths(plain.event)]
    chosen = r.sample(own, r.choice((1, 2, 3))) + r.sample(events, r.choice((0, 1, 2)))
    registry = Registry()

    def with_labels(kind: ObjectType, event: bool) -> ObjectType:
        marks = [
            {"@type": LABEL, "xdm:sourceProperty": "/" + p.replace(".", "/"), "xdm:labels": [FORBIDDEN]}
            for e, p in chosen
            if e == event
        ]
        return apply_descriptors(kind, marks, registry)[0]

    profile, event = with_labels(plain.profile, False), with_labels(plain.event, True)
    return make_schema(profile.fields, event.fields), [(e, tuple(p.split("."))) for e, p in chosen]


def changed(
    people: list[Document], marks: list[tuple[bool, tuple[str, ...]]], schema: Schema, r: random.Random
) -> list[Document]:
    """The people with other values, or none, wherever the label is."""
    new = copy.deepcopy(people)
    others = [person(r) for _ in range(4 * PEOPLE)]
    for event, path in marks:
        root: Type = schema.event if event else schema.profile
        pool = [v for p, es in others for d in (es if event else [p]) for v in found(d, path)]
        for profile, events in new:
            for document in events if event else [profile]:
                put(document, path, root, pool, r)
    return new


def found(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from found(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from found(value[path[0]], path[1:]) if len(path) > 1 else [value[path[0]]]


def put(value: Any, path: tuple[str, ...], kind: Type, pool: list[Any], r: random.Random) -> None:
    if isinstance(kind, ListType):
        for item in value if isinstance(value, list) else ():
            put(item, path, kind.element, pool, r)
    elif isinstance(kind, MapType):
        for item in value.values() if isinstance(value, dict) else ():
            put(item, path, kind.value, pool, r)
    elif isinstance(kind, ObjectType) and isinstance(value, dict):
        if len(path) > 1:
            put(value.get(path[0]), path[1:], kind.fields[path[0]].type, pool, r)
        elif pool and r.random() < 0.8:
            value[path[0]] = copy.deepcopy(r.choice(pool))
        else:
            value.pop(path[0], None)


def typed(people: list[Document], schema: Schema) -> list[Document]:
    return [(read_profile(p, schema)[0], [read_event(e, schema)[0] for e in events]) for p, events in people]


def answers(environment: Environment, people: list[Document], conditions: list[Any]) -> list[list[Any]]:
    """For each condition what the plain evaluator gives, SQL in the complete and the fast form, and the live engine."""
    store, evaluator = Store.memory(environment.schema), Evaluator()
    store.load(
        [(i, p) for i, (p, _) in enumerate(people)], [(i, e) for i, (_, events) in enumerate(people) for e in events]
    )

    def plain(condition: Any) -> list[Any]:
        try:
            return [evaluator.evaluate(condition, p, [dict(e) for e in events], NOW) for p, events in people]
        except OutOfRange:
            return ["PQL0601"]

    def batch(wanted: list[Any], fast: bool) -> list[Any]:
        try:
            query = environment.sql(wanted, layout=store.layout if fast else None)
            rows = {row[0]: row[1:] for row in store.query(query.sql(), {"now": NOW})}
            return [tuple(rows[i][n] for i in range(len(people))) for n in range(len(wanted))]
        except StoreError as error:
            if len(wanted) == 1:
                return [error.code]
            half = len(wanted) // 2
            return batch(wanted[:half], fast) + batch(wanted[half:], fast)

    def live(condition: Any) -> list[Any]:
        """Who is a member when everything has arrived; values have no members."""
        if not isinstance(condition, ir.TESTS):
            return []
        engine = Engine(environment.live_plan({"asked": condition}))
        inputs: list[Input] = []
        for i, (profile, events) in enumerate(people):
            inputs.append(Record(i, profile, NOW))
            inputs += [Event(i, event, NOW, str(n)) for n, event in enumerate(events)]
        engine.apply([*inputs, Advance(NOW)])
        return [bool(engine.members(i)) for i in range(len(people))]

    direct = [plain(c) for c in conditions]
    complete = batch(conditions, False)
    store.index()
    return [list(x) for x in zip(direct, complete, batch(conditions, True), map(live, conditions), strict=True)]


def block(seed: int, governance: Governance) -> tuple[list[tuple[str, bool, bool]], int]:
    """Texts with: accepted, and whether the answers changed."""
    r = random.Random(seed)
    schema, marks = labelled(r)
    environment = Environment(schema)
    project = Project({}, {}, (), ())
    judge = Judge(schema, governance, project)
    texts, drawn = Expressions(r), []
    while len(drawn) < TEXTS:
        text = texts.value(r.choice((0, 1, 1, 2, 2, 3)))
        checked = environment.check(text)
        if checked.ok:
            drawn.append((text, checked.ir))
    people = [person(r) for _ in range(PEOPLE)]
    before = answers(environment, typed(people, schema), [e for _, e in drawn])
    after = answers(environment, typed(changed(people, marks, schema, r), schema), [e for _, e in drawn])
    out = []
    for (text, e), a, b in zip(drawn, before, after, strict=True):
        carried = {c.label for c in judge.carrier.items(e, ALL_DATA, Place(Source("x", text)))}
        out.append((f"{text}\n  labels on {marks}\n  {a}\n  {b}", FORBIDDEN not in carried, repr(a) != repr(b)))
    return out, len(marks)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_forbidden_does_not_show(seed: int, governance: Governance) -> None:
    out, _ = block(seed, governance)
    assert [text for text, accepted, differs in out if accepted and differs] == []


def test_the_law_can_fail(governance: Governance) -> None:
    """Some segments are accepted and some refused, and what is refused would have shown."""
    out = [x for seed in range(4) for x in block(seed, governance)[0]]
    assert sum(accepted for _, accepted, _ in out) > 30
    assert sum(not accepted and differs for _, accepted, differs in out) > 5


def test_a_segment_is_judged_by_the_same_labels(governance: Governance, tmp_path: Path) -> None:
    schema, _ = read_short({"profile": {"a": {"type": "string", "labels": [FORBIDDEN]}, "b": "string"}})
    environment = Environment(schema)
    project = environment.project([Source("s.pql", 'segment s { where a = "x" }\nsegment t { where b = "x" }')])
    judge = Judge(schema, governance, project)
    assert [bool(judge.violations(judge.segment(i), ["emailTargeting"])) for i in ("s", "t")] == [True, False]
