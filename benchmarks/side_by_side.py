"""Timing in turns: every way once, then again, so that a slow minute of the machine hits all of them. Read `in_turns`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from pql.api import Environment, Project, Store
from pql.source import Source

HERE = Path(__file__).parent
AT = datetime(2026, 3, 31)


def in_turns(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, tuple[float, Any]]:
    """Median seconds and last result of each way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            results[name] = way()
            times[name].append(time.perf_counter() - started)
    return {name: (statistics.median(spent), results[name]) for name, spent in times.items()}


def environment() -> Environment:
    return Environment.from_short(yaml.safe_load((HERE / "schema.yaml").read_text(encoding="utf-8")))


def opened(folder: Path, env: Environment) -> Store:
    store = Store.open(folder / "store.duckdb", env.schema, read_only=True, memory_limit="4GB")
    assert store.layout.indexed
    return store


def checked(env: Environment, text: str) -> Project:
    project = env.project([Source("benchmark", text)])
    if not project.ok:
        raise SystemExit("\n".join(d.message for d in project.diagnostics if d.is_error))
    return project
