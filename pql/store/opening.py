"""Before a store's file is opened: what a deletion that was cut short has left to do, and why a file cannot be opened. Read
`finish_deletion`.

A deletion marks the file with `<file>.deleting` beside it before it takes anything out, and takes the mark away when the file has been
written anew: only then are the bytes of deleted rows gone. Whoever opens a marked store does that first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from pql.store.owners import text

T = TypeVar("T")
PATIENCE = 3.0
"""Seconds for which somebody else may have a store: a stream that reads the graph lets go of it soon."""


def connect_patiently(path: Path, read_only: bool, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Opens a file as soon as nobody is in the way, within `PATIENCE`. Raises duckdb.Error."""

    def connect() -> duckdb.DuckDBPyConnection:
        while True:
            before = _number(path)
            connection = duckdb.connect(str(path), read_only=read_only, config={"memory_limit": memory_limit})
            if before in (None, _number(path)):
                return connection
            connection.close()  # it was replaced by one that was written anew while it was opened: this is the old one

    return _patiently(connect)


def _number(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _patiently(do: Callable[[], T], patience: float | None = None) -> T:
    until = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            return do()
        except duckdb.IOException as error:
            if "lock" not in str(error).lower() or time.monotonic() >= until:
                raise
            time.sleep(0.05)


def mark_of(path: Path) -> Path:
    return path.with_name(path.name + ".deleting")


def mark_deletion(path: Path) -> None:
    """Say, so that it outlives a crash, that the file has to be written anew."""
    with mark_of(path).open("w") as mark:
        mark.flush()
        os.fsync(mark.fileno())


def finish_deletion(path: Path) -> bool:
    """Write the file anew when a deletion has not come to do so. False when there was nothing to do, or when it cannot be done now, for
    somebody else has the store: the mark stays for the next who opens it."""
    if not mark_of(path).exists() or not path.is_file():
        return False
    try:
        rewrite(path, patience=0)
    except duckdb.Error:
        return False
    return True


def rewrite(path: Path, patience: float | None = None) -> None:
    """Write a closed store's file anew, and take its mark away. All or nothing. Waits `patience` seconds for who has the store. Raises
    duckdb.Error.

    Until all is done both files are locked, the old and the new: nobody writes to one that goes, nor marks one whose mark goes. Two may
    come to do this at once, the one who deleted and one who opens the store: nothing is touched before the old file is locked.
    """
    fresh = path.with_name(path.name + ".rewritten")
    with duckdb.connect() as connection:
        run = connection.execute
        before = _number(path)
        _patiently(lambda: run(f"ATTACH {text(str(path))} AS old"), patience)
        if not mark_of(path).exists() or before != _number(path):
            return  # somebody else has done it meanwhile
        _remove(fresh)
        try:
            run("CHECKPOINT old")
            run(f"ATTACH {text(str(fresh))} AS fresh")
            run("COPY FROM DATABASE old TO fresh")
            run("CHECKPOINT fresh")
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            os.replace(fresh, path)
            mark_of(path).unlink(missing_ok=True)
        finally:
            _remove(fresh)


def _remove(file: Path) -> None:
    for each in (file, file.with_name(file.name + ".wal")):
        each.unlink(missing_ok=True)


def why_not_opened(path: Path, error: duckdb.Error) -> str:
    """What is wrong with a file, in the user's words; the database's first line where nothing better is known."""
    message = str(error).split("\n")[0]
    if path.is_dir():
        return "it is a folder, not a profile store"
    if "lock" in message.lower():
        return "another process has it open"
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as problem:
        return f"it cannot be read: {problem.strerror}"
    if start[8:12] != b"DUCK":
        return "it is not a profile store: `pql load` and `pql store create` make one"
    if "version" in message.lower():
        return "it was written by a newer version: update PQL, or load the sources into a new store"
    return f"it is damaged: {message[:200]}"
