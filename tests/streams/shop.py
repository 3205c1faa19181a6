"""A store that is stitched while a stream runs, in memory, for the tests of following its graph."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import Any

from pql.api import Environment
from pql.api import streams as api
from pql.identity.namespaces import Namespace
from pql.identity.settings import IdentitySettings, identity_from
from pql.source import Source
from pql.store.deletion import delete_person
from pql.store.lookup import find_people
from pql.store.store import Store
from pql.store.unify import unify
from pql.store.unlinking import unlink
from tests.identity.layers import put
from tests.streams.agreement import differences
from tests.streams.project import day

__all__ = ["ENVIRONMENT", "Namespace", "SEGMENTS", "SETTINGS", "Shop", "follow", "held", "message", "plan"]

ENVIRONMENT = Environment.from_short(
    {"profile": {"tier": "string"}, "event": {"price": "number", "identityMap": "map<object[]>"}}
)
SEGMENTS = (
    'segment gold { where tier = "gold" }\n'
    + "".join(f"segment has{n} {{ where xEvent.count() = {n} }}\n" for n in range(1, 6))
    + "segment recent { where xEvent[timestamp occurs <= 7 days before now].count() >= 1 }\n"
)
SETTINGS, _found = identity_from(
    "namespaces: {crm: {unique: true}, visitor: {type: COOKIE}}\npriority: [crm, Email, visitor]"
)
assert not _found


def plan(text: str = SEGMENTS) -> Any:
    project = ENVIRONMENT.project([Source("segments.pql", text)])
    assert project.ok, project.diagnostics
    return ENVIRONMENT.live_plan(project.conditions, list(project.segments))


def identity_map(ids: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for text in ids:
        namespace, id = text.split(":", 1)
        found.setdefault(namespace, []).append({"id": id})
    return found


def message(id: str, at: str, *ids: str, profile: str = "") -> str:
    """An event, bare."""
    named = {"profileId": profile} if profile else {}
    return json.dumps({**named, "_id": id, "eventType": "p", "timestamp": at, "identityMap": identity_map(ids)})


class Shop:
    """A `StoreSource`. `busy`: somebody else has it."""

    def __init__(self, settings: IdentitySettings = SETTINGS) -> None:
        self.store, self.settings = Store.memory(ENVIRONMENT.schema), settings
        self.store.connection.execute("SET threads = 1")
        self.busy, self.writes, self.loaded = False, 0, set[str]()
        self.stitch()

    def stamp(self) -> object:
        return self.writes

    def open(self) -> Store | None:
        return None if self.busy else Store(self.store.connection.cursor(), self.store.schema)

    def reader(self) -> Store:
        found = Store(self.store.connection.cursor(), self.store.schema)
        return found

    def stitch(self) -> None:
        unify(self.store, self.settings)
        self.writes += 1

    def records(self, *rows: dict[str, Any]) -> None:
        put(self.store, "people", "record", rows)

    def record(self, *ids: str, at: str = "2026-01-01T00:00:00Z", **fields: Any) -> None:
        self.records({"ids": ids, "at": day(at), "fields": fields})
        self.stitch()

    def events(self, *lines: str) -> None:
        """Loads what is sent to streams."""
        rows = []
        for line in map(json.loads, lines):
            if line["_id"] in self.loaded:
                continue
            self.loaded.add(line["_id"])
            ids = [f"{n}:{i['id']}" for n, items in line["identityMap"].items() for i in items]
            fields = {"_id": line["_id"], "eventType": line["eventType"], "identityMap": line["identityMap"]}
            rows.append({"ids": ids, "at": day(line["timestamp"]), "key": line["_id"], "fields": fields})
        put(self.store, "log", "event", rows, batch=len(self.loaded))
        self.stitch()

    def unlink(self, one: str, two: str) -> None:
        unlink(self.store, one, two, "told so", self.settings)
        self.stitch()

    def delete(self, who: str) -> None:
        ((pid, _),) = find_people(self.store, who, self.settings)
        delete_person(self.store, pid, "request", self.settings)
        self.writes += 1


class Steps(api.NoSource):
    """A source of batches, with something done between them; it gets the stream when it takes something."""

    def __init__(self, *steps: Any) -> None:
        self.steps, self.taken = list(steps), 0
        self.stream: Any = None

    def open(self, position: str | None) -> None:
        self.taken = 0 if position is None else int(position)

    def take(self, most: int, wait: float) -> list[api.Message] | None:
        while self.steps:
            step = self.steps.pop(0)
            if callable(step):
                step(*[self.stream] * ("stream" in signature(step).parameters))
                continue
            found = []
            for line in [step] if isinstance(step, str) else step:
                self.taken += 1
                found.append(api.Message(line.encode(), str(self.taken), f"message {self.taken}"))
            return found
        return None


class Recorded:
    """A reader that keeps what it read."""

    def __init__(self, reader: Any, read: list[Any]) -> None:
        self.reader, self.owner, self.kept = reader, reader.owner, read

    def read(self, raw: bytes) -> Any:
        self.kept.append(self.reader.read(raw))
        return self.kept[-1]


class Asked:
    """After each look at the graph: does the state agree with it?"""

    def __init__(self, done: Any, folder: Path, made: Any, shop: Shop) -> None:
        self.done, self.folder, self.made, self.shop = done, folder, made, shop

    def __call__(self) -> None:
        self.done()
        state = api.SqliteState(self.folder, exclusive=False)
        try:
            found = list(differences(state, self.made, self.shop.reader(), self.shop.settings))
            assert not found, found
        finally:
            state.close()


def follow(folder: Path, shop: Shop, *steps: Any, text: str = SEGMENTS, most: int = 100, once: bool = False) -> Any:
    """Runs a stream over the state in a folder that follows the shop, and closes it; the stream."""
    state = api.SqliteState(folder)
    try:
        made = plan(text)
        if state.kept() is None:
            api.hand_over(state, made, store=shop.reader(), at=day("2026-01-01T00:00:00Z"))
        api.belongs(state, made)
        owners = api.Owners(state, ENVIRONMENT.schema, shop.settings)
        reader = api.Reader(ENVIRONMENT.schema, "profileId", owners, owners.named, owners.parted)
        outlets = {n: api.FileOutlet(folder / n) for n in (api.TRANSITIONS, api.QUARANTINE)}
        graph = api.Graph(shop, state, owners, shop.reader(), once, every=0)
        stream = api.Stream(
            api.Shard(made, state, most), state, Steps(*steps), reader, outlets, api.Options(), graph=graph
        )
        stream.source.stream, stream.read = stream, []
        graph.done = Asked(graph.done, folder, made, shop)  # type: ignore[method-assign]
        stream.reader = Recorded(reader, stream.read)
        stream.run()
        found = api.verify(state, made, shop.reader())
        stream.verified = found.disagreements
        return stream
    finally:
        state.close()


def held(folder: Path) -> dict[str, list[str]]:
    """The memberships that the transitions say."""
    members = set[tuple[str, str]]()
    for t in map(json.loads, (folder / api.TRANSITIONS).read_text().splitlines()):
        assert ((t["profile"], t["segment"]) in members) is (t["status"] == "exited"), t
        members ^= {(t["profile"], t["segment"])}
    found: dict[str, list[str]] = {}
    for profile, segment in sorted(members):
        found.setdefault(profile, []).append(segment)
    return found
