"""What a stream's state costs: `python -m benchmarks.streams [--profiles N]`. Ratios side by side in one run.

Messages of N profiles through the same stream, without a state and with one; then how long a restart takes until the first message
is committed, and the bytes of a profile in the state.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pql.api import Environment
from pql.api import streams as api
from pql.source import Source

SEGMENTS = """
segment busy { where xEvent[eventType = "a" and timestamp occurs <= 7 days before now].count() >= 2 }
segment away { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 20 days before now) }
segment big { where xEvent[timestamp occurs <= 30 days before now].sum(price) > 20 }
segment gold { where tier = "gold" }
"""
ENVIRONMENT = Environment.from_short({"profile": {"tier": "string"}, "event": {"price": "number"}})


def write_events(path: Path, profiles: int) -> None:
    at = datetime(2026, 1, 1)
    with path.open("w", encoding="utf-8") as file:
        for i in range(profiles * 2):
            at += timedelta(microseconds=50_000)
            event = {
                "profileId": f"p{i * 7919 % profiles}",
                "_id": f"e{i}",
                "eventType": "ab"[i % 2],
                "timestamp": f"{at.isoformat()}Z",
                "price": i % 30,
            }
            file.write(json.dumps(event) + "\n")


def run(plan: Any, state: Any, file: Path) -> float:
    api.belongs(state, plan)
    outlets = {api.TRANSITIONS: api.Collected(), api.QUARANTINE: api.Collected()}
    started = time.process_time()
    api.Stream(api.Shard(plan, state), state, api.FileSource(file), api.Reader(ENVIRONMENT.schema), outlets).run()
    return time.process_time() - started


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--profiles", type=int, default=20_000)
    profiles = options.parse_args().profiles
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # as the command line does
    project = ENVIRONMENT.project([Source("segments.pql", SEGMENTS)])
    plan = ENVIRONMENT.live_plan(project.conditions)
    with tempfile.TemporaryDirectory() as name:
        file, folder = Path(name) / "events.jsonl", Path(name) / "state"
        write_events(file, profiles)
        plain = run(plan, api.Unkept(), file)
        state = api.SqliteState(folder)
        kept = run(plan, state, file)
        size, timers = state.size(), state.progress().timers
        state.close()
        with file.open("a", encoding="utf-8") as more:
            more.write('{"kind": "profile", "profile": "p1", "record": {"tier": "gold"}}\n')
        state = api.SqliteState(folder)
        again = run(plan, state, file)
        state.close()
    print(
        f"{2 * profiles:,} messages, CPU time: {2 * profiles / plain:,.0f}/s without a state, {2 * profiles / kept:,.0f}/s with one ({plain / kept:.2f})"
    )
    print(
        f"restart over {profiles:,} profiles with {timers:,} timers, until the next message is committed: {again * 1000:,.0f} ms"
    )
    print(f"state: {size / profiles:,.0f} bytes a profile, its events included")


if __name__ == "__main__":
    main()
