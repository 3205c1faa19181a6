"""Waiting for a statement: progress on a terminal after a second, and Ctrl-C that stops it cleanly. Read `waited`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def waited(store: Any, label: str, work: Callable[[], Result]) -> Result:
    """`work()` in a thread while this one shows progress; an interrupt stops the statement and is raised again."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        _watch(store, label, thread)
    except KeyboardInterrupt:
        _stop(store, thread)
        raise
    if failure:
        raise failure[0]
    result: Result = outcome[0]
    return result


def _stop(store: Any, thread: threading.Thread) -> None:
    """Interrupt until the thread has ended: one call between two statements, or before the first, would be lost."""
    for _ in range(200):
        store.interrupt()
        thread.join(0.05)
        if not thread.is_alive():
            return


def _watch(store: Any, label: str, thread: threading.Thread) -> None:
    thread.join(1.0)
    if not thread.is_alive():
        return
    if not sys.stderr.isatty() or "CI" in os.environ:
        while thread.is_alive():
            thread.join(0.1)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        while thread.is_alive():
            thread.join(0.1)
            done = store.progress()
            if done > 0:
                bar.update(task, total=1.0, completed=done)
            time.sleep(0.02)
