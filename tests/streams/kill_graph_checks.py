"""What has to be so when a stream that was killed has come to its end: `kill_graph` asks. Read `all_of`.

`world` is a `kill_graph.World`: what was sent, loaded and deleted. Only reads.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from pql.api import streams as api
from pql.cli import app
from pql.cli.people import identity_settings
from pql.cli.streaming import checked_project, plan_for
from pql.store.graph_reading import StoreFile, graph_version, tombstone_of, tombstones
from pql.store.history import people_after
from pql.streams.state import instant
from tests.streams.agreement import differences

PERSONS = ("crm:", "Email:")
Rows = list[dict[str, Any]]


def opened(folder: Path) -> api.SqliteState | None:
    """A state, to look at. None: there is none yet."""
    try:
        return api.SqliteState(folder, exclusive=False) if (folder / api.STATE_FILE).exists() else None
    except api.StreamError:
        return None


def store_of(world: Any, busy: bool = False) -> Any:
    """The store, to look at. `busy`: somebody may have it; None then. Else a stream that starts may, for a moment."""
    env, _ = checked_project([world.path("segments.pql")], world.path("schema.yaml"))
    file = StoreFile(world.path("s.duckdb"), env.schema)
    for _ in range(1 if busy else 200):
        if (store := file.open()) is not None or busy:
            return store
        time.sleep(0.1)
    raise AssertionError("nobody else may have the store now")


# --- on the way ---
def notice_deleted(world: Any) -> None:
    """Which identities does the store call deleted?"""
    if not world.counts["delete"]:
        return
    store = store_of(world)
    found = tombstones(store)
    store.connection.close()
    everybody = [i for h in range(100) for i in world.ids(h)] if found.digests else []
    world.gone = {i for i in everybody if tombstone_of(found.salt, i) in found.digests}
    world.counts["identities deleted"] = len(world.gone)


def notice(world: Any) -> None:
    """The stream does not run: what does its state know? From now on it may not tell of who is gone; whoever waits for that goes on."""
    state = opened(world.state)
    if state is None:
        return
    salt = state.salt()
    for name in world.gone - world.told.keys():
        if salt is not None and state.is_deleted(tombstone_of(salt, name)):
            world.told[name] = state.progress().transitions
    if (store := store_of(world, busy=True)) is not None:
        if state.graph_version() == graph_version(store):
            world.held.clear()
        else:
            world.counts["killed before the graph was read"] += 1
        store.connection.close()
    state.close()


def records(world: Any) -> list[str]:
    """The records of the store as messages, null for those who have none: records that change are messages."""
    store = store_of(world)
    found, pid = dict[str, Any](), None
    while people := people_after(store, pid, 1_000):
        pid = people[-1].pid
        found |= {p.name: p.record for p in people}
    store.connection.close()
    state = opened(world.state)
    assert state is not None, world.path("stream.log").read_text()
    for name in state.sample(10_000, 0):
        found.setdefault(name, None)
    state.close()
    return [
        json.dumps({"kind": "profile", "profile": name, "record": {"tier": r.get("tier")} if r else None})
        for name, r in sorted(found.items())
        if name not in world.gone
    ]


# --- at the end ---
def all_of(world: Any) -> list[str]:
    """What is wrong."""
    env, project = checked_project([world.path("segments.pql")], world.path("schema.yaml"))
    plan, _ = plan_for(env, project, world.path("segments.pql"), None, "", (), True)
    state = opened(world.state)
    assert state is not None
    try:
        names = state.sample(10_000, 0)
        clock = instant(state.progress().clock)
        looked = api.Shard(plan, state).look(names, clock)
        told, values = (read(world.path(n)) for n in ("out.jsonl", "values.jsonl"))
        world.counts.update(f"transitions by {t['cause']}" for t in told)
        world.counts["people at the end"] = len(names)
        members = {n: set(found.members) for n, found in looked.items()}
        at_the_end = {n: {a: v for a, (v, _) in found.values.items()} for n, found in looked.items()}
        return [
            *log_of_members(told, members),
            *log_of_values(values, at_the_end),
            *(f"{len(told)} transitions, {made} made" for made in [state.progress().transitions] if made != len(told)),
            *(f"{taken} messages taken of {world.lines}" for taken in [state.progress().taken] if taken != world.lines),
            *quarantine(world),
            *deleted(world, told, state),
            *agreed(world, plan, state),
            *verified(world, len(names)),
            *batch(world, members, f"{clock.isoformat()}Z"),
        ]
    finally:
        state.close()


def read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keys(rows: Rows) -> Iterator[str]:
    """Each exactly once, without a gap, and nothing after a profile's deletion."""
    count, last, ended = Counter(r["key"] for r in rows), Counter[str](), dict[str, str]()
    yield from (f"the key {key} is there {n} times" for key, n in count.items() if n > 1)
    for row in rows:
        profile, sequence = row["profile"], row["sequence"]
        if sequence != last[profile] + 1:
            yield f"{row['key']} follows {profile}/{last[profile]}"
        last[profile] = sequence
        if profile in ended and row["cause"] != "deletion":
            yield f"{row['key']} ({row['cause']}) comes after the deletion {ended[profile]}"
        if row["cause"] == "deletion":
            ended[profile] = row["key"]


def log_of_members(rows: Rows, members: dict[str, set[str]]) -> Iterator[str]:
    """Statuses alternate, and replayed they are what the state holds."""
    yield from keys(rows)
    held: dict[str, set[str]] = defaultdict(set)
    for t in rows:
        if (t["segment"] in held[t["profile"]]) is not (t["status"] == "exited"):
            yield f"{t['key']}: {t['status']} of {t['segment']} twice"
        held[t["profile"]] ^= {t["segment"]}
    for name in sorted(held.keys() | members.keys()):
        if held[name] != members.get(name, set()):
            yield f"{name}: transitions say {sorted(held[name])}, the state {sorted(members.get(name, ()))}"


def log_of_values(rows: Rows, values: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield from keys(rows)
    held: dict[str, dict[str, Any]] = defaultdict(dict)
    for c in rows:
        if c["attribute"] in held[c["profile"]] and held[c["profile"]][c["attribute"]] == c["value"]:
            yield f"{c['key']}: no change"
        held[c["profile"]][c["attribute"]] = c["value"]
    for name in sorted(held.keys() | values.keys()):
        told, holds = ({a: v for a, v in m.get(name, {}).items() if v is not None} for m in (held, values))
        if told != holds:
            yield f"{name}: changes say {told}, the state {holds}"


def quarantine(world: Any) -> Iterator[str]:
    """Messages that tell of deleted people, each once, without what they said; nothing else."""
    rows = read(world.state / "quarantine.jsonl")
    world.counts["messages refused"] = len(rows)
    for row in rows:
        if row.get("code") != "PQL0847" or row.get("raw") or row.get("state") != "deleted":
            yield f"quarantine has {row}"
    for place, n in Counter(r.get("place") for r in rows).items():
        if n > 1:
            yield f"quarantine has {place} {n} times"


def deleted(world: Any, told: Rows, state: api.SqliteState) -> Iterator[str]:
    """Of deleted people the state has nothing, and no transition names them once it knew."""
    there = set(state.names("", 100_000))
    known = {f"{n}:{i}" for n, i, _ in state.known_identities()}
    salt = state.salt()
    for name in sorted(world.gone):
        if salt is None or not state.is_deleted(tombstone_of(salt, name)):
            yield f"the state does not know that {name} was deleted"
        if name in there:
            yield f"{name} was deleted and has a profile"
        if name in known:
            yield f"{name} was deleted and is a known identity"
        after = [t["key"] for n, t in enumerate(told) if t["profile"] == name and n >= world.told.get(name, len(told))]
        if after:
            yield f"{after} were told when {name} was known to be deleted"
    for file in world.state.iterdir():
        content = file.read_bytes()
        for name in sorted(n for n in world.gone if n.startswith(PERSONS)):
            if name.split(":")[1].encode() in content:
                yield f"{name} was deleted and is in the bytes of {file.name}"


def agreed(world: Any, plan: Any, state: api.SqliteState) -> Iterator[str]:
    store = store_of(world)
    yield from differences(state, plan, store, identity_settings(world.path("segments.pql")))
    store.connection.close()


def verified(world: Any, people: int) -> Iterator[str]:
    words = ["verify", "segments.pql", "--schema", "schema.yaml", "--state", "state", "--store", "s.duckdb"]
    words = [str(world.path(w)) if world.path(w).exists() else w for w in words]
    done = CliRunner().invoke(app, [*words, "--sample", "10000", "--format", "json"])
    found = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    if done.exit_code != 0 or not found.get("equal"):
        yield f"verify ends with {done.exit_code}: {found.get('disagreements')} {found.get('otherwise')} {done.stderr[-500:]}"
    elif found["people"] != people:
        yield f"verify asked {found['people']} people of {people}"


def batch(world: Any, members: dict[str, set[str]], at: str) -> Iterator[str]:
    """`pql run` over the store, which has all events, says the same: of households in which nobody was deleted while events came."""
    words = [
        "run",
        str(world.path("segments.pql")),
        "--schema",
        str(world.path("schema.yaml")),
        "--store",
        str(world.path("s.duckdb")),
    ]
    done = CliRunner().invoke(app, [*words, "--as-of", at, "--format", "json"])
    if done.exit_code != 0:
        yield f"run ends with {done.exit_code}: {done.stderr[-500:]}"
        return
    answers: dict[str, set[str]] = defaultdict(set)
    for line in map(json.loads, done.stdout.splitlines()):
        answers[line["profile"]].add(line["segment"])
    loud = {i for h in world.loud for i in world.ids(h)}
    for name in sorted((answers.keys() | members.keys()) - loud):
        if answers[name] != members.get(name, set()):
            yield f"{name}: batch says {sorted(answers[name])}, the stream {sorted(members.get(name, ()))}"
