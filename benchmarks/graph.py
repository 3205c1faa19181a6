"""How long a stream waits for a store's graph: `python -m benchmarks.graph [--profiles N]`. CPU time, and the process's peak memory.

A graph of N profiles with three identities each is read for the first time; again when it has not changed; again when a thousand profiles
have got a new link, some of which the stream knows; again when one person was deleted.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.streams import ENVIRONMENT, SEGMENTS
from pql.api import Store
from pql.api import streams as api
from pql.source import Source

NODES = """
CREATE SCHEMA graph; CREATE SCHEMA meta; CREATE TABLE meta.unified AS SELECT '1' AS fingerprint;
CREATE TABLE meta.salt AS SELECT 'salt' AS value; CREATE TABLE meta.tombstone (id VARCHAR);
CREATE TABLE graph.node AS SELECT {first} + i AS node, ['crm', 'Email', 'visitor'][i % 3 + 1] AS namespace, 'number-' || i AS id FROM range({all}) AS t(i);
CREATE TABLE graph.member AS SELECT node, (node - {first}) // 3 AS pid FROM graph.node;
CREATE TABLE pql_profile AS SELECT i AS _pid, 'crm:number-' || 3 * i AS id FROM range({profiles}) AS t(i);
INSERT INTO profile BY NAME SELECT i AS _pid, 'gold' AS tier FROM range({profiles}) AS t(i);
INSERT INTO event BY NAME SELECT i % {profiles} AS _pid, i AS _seq, 'e' || i AS _id, 'a' AS "eventType", TIMESTAMP '2026-01-01' AS "timestamp",
  1.0 AS price FROM range({all}) AS t(i);
"""
FIRST = 10**15
"""Numbers of nodes are far from those of people, as hashes are."""


class File:
    """A store in a file, written to by this process now and then."""

    def __init__(self, path: Path) -> None:
        self.path, self.writes = path, 0

    def stamp(self) -> object:
        return self.writes

    def open(self) -> Store:
        return Store(duckdb.connect(str(self.path), read_only=True, config={"memory_limit": "1GB"}), ENVIRONMENT.schema)

    def write(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
        self.writes += 1


def timed(what: str, action: Callable[[], Any]) -> None:
    started, begun = time.process_time(), time.monotonic()
    action()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {time.process_time() - started:.2f} s of CPU, {time.monotonic() - begun:.2f} s, peak {peak:,.0f} MB",
        flush=True,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--profiles", type=int, default=1_000_000)
    profiles = options.parse_args().profiles
    project = ENVIRONMENT.project([Source("segments.pql", SEGMENTS)])
    plan = ENVIRONMENT.live_plan(project.conditions)
    with tempfile.TemporaryDirectory() as name:
        file, messages = File(Path(name) / "store.duckdb"), Path(name) / "events.jsonl"
        made = Store.open(file.path, ENVIRONMENT.schema)
        made.create()
        made.close()
        file.write(*NODES.format(all=3 * profiles, profiles=profiles, first=FIRST).strip().split(";\n"))
        with messages.open("w", encoding="utf-8") as out:
            for i in range(0, min(profiles, 20_000)):
                event = {
                    "profileId": f"crm:number-{3 * i}",
                    "_id": f"l{i}",
                    "eventType": "a",
                    "timestamp": "2026-02-01T00:00:00Z",
                }
                out.write(json.dumps(event) + "\n")
        state = api.SqliteState(Path(name) / "state")
        api.belongs(state, plan)
        owners = api.Owners(state, ENVIRONMENT.schema)
        outlets = {n: api.Collected() for n in (api.TRANSITIONS, api.QUARANTINE)}
        graph = api.Graph(file, state, owners, every=0)
        reader = api.Reader(ENVIRONMENT.schema, "profileId", owners, owners.named, owners.parted)
        stream = api.Stream(api.Shard(plan, state), state, api.FileSource(messages), reader, outlets, graph=graph)
        graph.look()
        timed(f"the first time, {3 * profiles:,} identities", stream.follow_graph)
        stream.run()
        file.write("UPDATE meta.unified SET fingerprint = '2'")
        graph.look()
        timed("stitched anew, with the same outcome", stream.follow_graph)
        file.write("UPDATE meta.unified SET fingerprint = '3'",
                   "UPDATE graph.member SET pid = pid + 1 WHERE pid < 2000 AND pid % 2 = 0",
                   "DELETE FROM pql_profile WHERE _pid < 2000 AND _pid % 2 = 0", "DELETE FROM profile WHERE _pid < 2000 AND _pid % 2 = 0",
                   "UPDATE event SET _pid = _pid + 1 WHERE _pid < 2000 AND _pid % 2 = 0")  # fmt: skip
        graph.look()
        before = stream.made[api.TRANSITIONS]
        timed("1,000 profiles merged into others", stream.follow_graph)
        stream._advance(stream.shard.clock)
        stream.commit()
        print(f"  {stream.made[api.TRANSITIONS] - before:,} transitions, {len(state.graph_log()):,} inputs")
        file.write("UPDATE meta.unified SET fingerprint = '4'", "INSERT INTO meta.tombstone SELECT sha256('saltcrm:number-30003')",
                   "DELETE FROM graph.member WHERE pid = 10001", f"DELETE FROM graph.node WHERE (node - {FIRST}) // 3 = 10001")  # fmt: skip
        graph.look()
        timed("a person deleted", stream.follow_graph)
        state.close()


if __name__ == "__main__":
    main()
