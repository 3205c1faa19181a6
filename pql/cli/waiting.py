"""Waiting for a statement: progress on a terminal after a second, and Ctrl-C that stops it cleanly. Read `waited`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pql.cli.consoles import console

Result = TypeVar("Result")


def waited(store: Any, label: str, work: Callable[[], Result]) -> Result:
    """`work()` in a thread while this one shows progress; an interrupt stops the statement and is raised again.

    The end is told by an event of our own: an interrupted `Thread.join` may count a thread that goes on as ended (CPython
    3.11, `_wait_for_tstate_lock`), and then a statement would run on behind a prompt that takes the next.
    """
    outcome: list[Any] = []
    failure: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failure.append(error)
        finally:
            ended.set()

    try:
        threading.Thread(target=run, daemon=True).start()
        _watch(store, label, ended)
    except KeyboardInterrupt:
        _stop(store, ended)
        raise
    if failure:
        raise failure[0]
    result: Result = outcome[0]
    return result


def _stop(store: Any, ended: threading.Event) -> None:
    """Interrupt until the work has ended: one call between two statements, or before the first, would be lost."""
    for _ in range(200):
        store.interrupt()
        if ended.wait(0.05):
            return


def _watch(store: Any, label: str, ended: threading.Event) -> None:
    if ended.wait(1.0):
        return
    if not sys.stderr.isatty() or "CI" in os.environ:
        while not ended.wait(0.1):
            pass
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        while not ended.wait(0.1):
            done = store.progress()
            if done > 0:
                bar.update(task, total=1.0, completed=done)
            time.sleep(0.02)
