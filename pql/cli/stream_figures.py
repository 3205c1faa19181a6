"""The figures of a running stream on standard error: a line that is kept up to date, JSON lines, or nothing. Read `reporter`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import typer


class Report(Protocol):
    def show(self, figures: Any) -> None: ...

    def end(self, figures: Any) -> None: ...


def reporter(format: str) -> Report:
    """For `text` (a live line on a terminal), `json` or `none`."""
    if format == "json":
        return _Json()
    return _Text() if format == "text" else _Silent()


def progress(what: str) -> Callable[[int], None]:
    """Says on a terminal how many people are done."""
    live = sys.stderr.isatty() and "CI" not in os.environ

    def told(people: int) -> None:
        if live:
            sys.stderr.write(f"\r\x1b[K{what}: {people:,} profiles\r")
            sys.stderr.flush()

    return told


def document(figures: Any) -> dict[str, Any]:
    """The figures as JSON."""
    rate = figures.messages_here / figures.seconds if figures.seconds > 0 else 0.0
    return {
        "messages": figures.messages,
        "messages_per_second": round(rate, 1),
        "transitions": figures.transitions,
        "quarantined": figures.quarantined,
        "lag_seconds": figures.lag_seconds,
        "waiting": figures.waiting,
        "profiles": figures.profiles,
        "timers": figures.timers,
        "state_bytes": figures.state_bytes,
        "graph_behind": figures.graph_behind,
        "clock": None if figures.clock == datetime.min else f"{figures.clock.isoformat()}Z",
    }


class _Silent:
    def show(self, figures: Any) -> None:
        pass

    def end(self, figures: Any) -> None:
        pass


class _Json:
    def __init__(self) -> None:
        self._next = time.monotonic() + 1

    def show(self, figures: Any) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            self.end(figures)

    def end(self, figures: Any) -> None:
        typer.echo(json.dumps(document(figures)), err=True)


class _Text:
    def __init__(self) -> None:
        self._live = sys.stderr.isatty() and "CI" not in os.environ
        self._next = 0.0

    def show(self, figures: Any) -> None:
        if self._live and time.monotonic() >= self._next:
            self._next = time.monotonic() + 0.25
            sys.stderr.write("\r\x1b[K" + line(figures))
            sys.stderr.flush()

    def end(self, figures: Any) -> None:
        typer.echo(("\r\x1b[K" if self._live else "") + line(figures), err=True)


def line(figures: Any) -> str:
    """The figures in one line."""
    shown = document(figures)
    parts = [
        f"{shown['messages']:,} messages ({shown['messages_per_second']:,.0f}/s)",
        f"{shown['transitions']:,} transitions",
        *([f"{shown['quarantined']:,} quarantined"] if shown["quarantined"] else []),
        *([f"lag {shown['lag_seconds']:,.1f} s"] if shown["lag_seconds"] is not None else []),
        *([f"{shown['waiting']:,} waiting"] if shown["waiting"] else []),
        f"{shown['profiles']:,} profiles",
        f"{shown['timers']:,} timers",
        *([f"state {shown['state_bytes'] / 1e6:,.1f} MB"] if shown["state_bytes"] else []),
        *(["the store's graph waits to be read"] if shown["graph_behind"] else []),
        *([f"clock {shown['clock']}"] if shown["clock"] else []),
    ]
    return " · ".join(parts)
