"""One seeded life of a stream: segments, and messages in an order of arrival with all that happens to messages. Read `Life`.

Names of events are kept per profile unless two profiles are merged, and anything may be late, again, corrected or deleted.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pql.api import Environment, Plan
from tests.property import live_shapes, segment_texts

START = datetime(2026, 3, 1)
KINDS = ("event", "late", "future", "again", "corrected", "deleted", "record", "merge", "split", "advance", "nonsense")
WEIGHTS = (50, 10, 3, 6, 6, 4, 9, 3, 3, 4, 2)
NONSENSE = (
    "{",
    "[]",
    '{"kind": "evnt"}',
    '{"eventType": "a"}',
    '{"kind": "merge", "profile": "p1"}',
    "\x00",
    '{"profileId": "p1", "x": 1}',
)


@dataclass(frozen=True)
class Life:
    """`lines`: of a JSON Lines file."""

    seed: int
    environment: Environment
    conditions: dict[str, Any]
    lines: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)

    def plan(self) -> Plan:
        return self.environment.live_plan(self.conditions, attributes=self.attributes)


def stamp(at: datetime) -> str:
    return at.isoformat() + "Z"


class Writer:
    """Draws messages."""

    def __init__(self, r: random.Random, people: int) -> None:
        self.r, self.now = r, START
        self.people = [f"p{i}" for i in range(people)]
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.count = 0

    def message(self) -> dict[str, Any] | str:
        kind = self.r.choices(KINDS, WEIGHTS)[0]
        made: dict[str, Any] | str = getattr(self, kind)()
        return made

    def who(self) -> str:
        return self.r.choice(self.people)

    def move(self) -> datetime:
        """The next instant at which something happens: often the same one, or one at the edge of a window."""
        hours = self.r.choice([0, 0, 0, 1, 12, 12, 24, 36, 48, 167, 168, 169])
        self.now += timedelta(hours=hours, microseconds=self.r.choice([0, 0, 0, 1]))
        return self.now

    def document(self, at: datetime) -> dict[str, Any]:
        found = segment_texts._event(self.r, 0)
        self.count += 1
        found["timestamp"] = stamp(at)
        if self.r.random() < 0.9:
            found["_id"] = f"e{self.count}"
        else:
            found.pop("_id", None)
        return found

    def sending(self, profile: str, document: dict[str, Any], arrival: bool) -> dict[str, Any]:
        self.sent.append((profile, document))
        if not arrival and self.r.random() < 0.5:
            return {"profileId": profile, **document}
        made: dict[str, Any] = {"kind": "event", "profile": profile, "event": document}
        return {**made, "arrival": stamp(self.now)} if arrival else made

    def event(self) -> dict[str, Any]:
        return self.sending(self.who(), self.document(self.move()), False)

    def late(self) -> dict[str, Any]:
        at = self.now - timedelta(hours=self.r.choice([0, 1, 12, 24, 100, 168]))
        return self.sending(self.who(), self.document(at), self.r.random() < 0.5)

    def future(self) -> dict[str, Any]:
        return self.sending(self.who(), self.document(self.now + timedelta(hours=self.r.choice([1, 24, 200]))), True)

    def again(self) -> dict[str, Any] | str:
        if not self.sent:
            return self.event()
        profile, document = self.r.choice(self.sent)
        return {"kind": "event", "profile": profile, "event": document, "arrival": stamp(self.now)}

    def corrected(self) -> dict[str, Any] | str:
        if not self.sent:
            return self.event()
        profile, document = self.r.choice(self.sent)
        other = {**segment_texts._event(self.r, 0), "timestamp": document["timestamp"]}
        other.pop("_id", None)
        if "_id" in document:
            other["_id"] = document["_id"]
        return {"kind": "event", "profile": profile, "event": other, "arrival": stamp(self.move())}

    def deleted(self) -> dict[str, Any] | str:
        profile, document = self.r.choice(self.sent) if self.sent else (self.who(), {})
        return {"kind": "delete", "profile": profile, "key": document.get("_id", "e0"), "arrival": stamp(self.move())}

    def profile(self) -> dict[str, Any]:
        return segment_texts.people(self.r, 1)[0][0]

    def record(self) -> dict[str, Any]:
        record = self.profile() if self.r.random() < 0.9 else None
        made: dict[str, Any] = {"kind": "profile", "profile": self.who(), "record": record}
        return {**made, "arrival": stamp(self.move())} if self.r.random() < 0.7 else made

    def merge(self) -> dict[str, Any]:
        into, source = self.r.choice(self.people), self.r.choice(self.people)
        made: dict[str, Any] = {"kind": "merge", "profile": into, "source": source, "arrival": stamp(self.move())}
        return {**made, "record": self.profile()} if self.r.random() < 0.5 else made

    def split(self) -> dict[str, Any]:
        a, b = self.r.sample(self.people, 2)
        keys = [d["_id"] for _, d in self.sent[-60:] if "_id" in d and self.r.random() < 0.4]
        return {
            "kind": "split",
            "profile": a,
            "target": b,
            "keys": keys,
            "record": self.profile(),
            "targetRecord": self.profile() if self.r.random() < 0.8 else None,
            "arrival": stamp(self.move()),
        }

    def advance(self) -> dict[str, Any]:
        return {"kind": "advance", "to": stamp(self.move() + timedelta(hours=self.r.choice([0, 24, 400])))}

    def nonsense(self) -> str:
        return self.r.choice(NONSENSE)


def make_life(
    seed: int,
    length: int = 40,
    segments: int = 5,
    people: int = 4,
    environment: Environment | None = None,
    values: int = 0,
) -> Life:
    """The life of a seed. `values`: so many attributes beside the segments."""
    r = random.Random(seed)
    environment = environment or Environment.from_short(segment_texts.SCHEMA)
    conditions: dict[str, Any] = {}
    while len(conditions) < segments:
        found = environment.check(segment_texts.Texts(r).one())
        if found.ok:
            conditions[f"s{len(conditions)}"] = found.ir
    writer, lines = Writer(r, people), []
    for _ in range(length):
        message = writer.message()
        lines.append(message if isinstance(message, str) else json.dumps(message))
        if r.random() < 0.03:
            lines.append("")
    q = random.Random(f"attributes {seed}")
    attributes = {f"a{i}": environment.check(live_shapes.value(q)).ir for i in range(values)}
    return Life(seed, environment, conditions, lines, attributes)
