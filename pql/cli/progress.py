"""Progress of a load on a terminal: a bar for the file, the counts and the rate. Silent elsewhere. Read `LoadProgress`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from pql.cli.consoles import console


class LoadProgress:
    """`note` is called after every chunk with the source, its file, the bytes read and the counts so far."""

    def __init__(self, quiet: bool = False) -> None:
        self.bar: Any = None
        self.tasks: dict[Path, Any] = {}
        self.started = time.perf_counter()
        if not quiet and sys.stderr.isatty() and "CI" not in os.environ:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=console(stderr=True), transient=True)

    def __enter__(self) -> LoadProgress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def note(self, source: str, file: Path, size: int, counts: Any) -> None:
        if self.bar is None:
            return
        if file not in self.tasks:
            self.tasks[file] = (
                self.bar.add_task(source, total=max(file.stat().st_size, 1), note=""),
                time.perf_counter(),
            )
        task, begun = self.tasks[file]
        rate = counts.read / max(time.perf_counter() - begun, 0.001)
        aside = f", {counts.quarantined:,} in quarantine" if counts.quarantined else ""
        self.bar.update(task, completed=size, note=f"{counts.read:,} rows, {rate:,.0f}/s{aside}")
