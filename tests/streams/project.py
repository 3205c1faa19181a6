"""A small project for the tests of streams."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pql.api import Environment
from pql.api import streams as api
from pql.source import Source
from pql.xdm.values import read_instant

SCHEMA = {"profile": {"tier": "string"}, "event": {"price": "number"}}
SEGMENTS = """
segment gold { where tier = "gold" }
segment bought { where xEvent[eventType = "p" and timestamp occurs <= 7 days before now].count() >= 1 }
segment lapsed { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 10 days before now) }
"""
ENVIRONMENT = Environment.from_short(SCHEMA)


def plan(text: str = SEGMENTS, without: tuple[str, ...] = ()) -> Any:
    project = ENVIRONMENT.project([Source("segments.pql", text)])
    assert project.ok, project.diagnostics
    return ENVIRONMENT.live_plan(project.conditions, [s for s in project.segments if s not in without])


def event(profile: str, id: str, at: str, type: str = "p", **more: Any) -> str:
    return json.dumps({"profileId": profile, "_id": id, "eventType": type, "timestamp": at, **more})


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def stream(
    state: Any, source: Any, out: Any = None, text: str = SEGMENTS, aside: Any = None, now: Any = None, **options: Any
) -> Any:
    """A stream over the project, with lines collected."""
    made = plan(text)
    api.belongs(state, made)
    outlets = {api.TRANSITIONS: out or api.Collected(), api.QUARANTINE: aside or api.Collected()}
    more = {} if now is None else {"now": now}
    return api.Stream(
        api.Shard(made, state, options.pop("most", 100)),
        state,
        source,
        api.Reader(ENVIRONMENT.schema),
        outlets,
        api.Options(**options),
        **more,
    )


def told(lines: list[str]) -> list[tuple[str, str, str, str, str]]:
    """Transitions in short: profile, segment, status, instant, cause."""
    found = [json.loads(line) for line in lines]
    return [(t["profile"], t["segment"], t["status"], t["at"], t["cause"]) for t in found]


def day(text: str) -> datetime:
    found = read_instant(text)
    assert found is not None
    return found
