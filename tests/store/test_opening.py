"""Writing a store's file anew while others open it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pql.store import opening

OTHER = """
import sys
from pathlib import Path
import duckdb
from pql.store.opening import finish_deletion
path = Path(sys.argv[1])
print(finish_deletion(path))
try:
    duckdb.connect(str(path)).execute("INSERT INTO t VALUES (2)")
    print("wrote")
except duckdb.IOException:
    print("locked")
"""


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    opening.mark_deletion(path)
    return path


def rows(path: Path) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT n FROM t").fetchall()


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_opens_a_store_while_it_is_written_anew_changes_nothing(
    marked: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other would do the same, and then write: into a file that goes, or with a mark that goes."""
    said: list[str] = []
    replace = os.replace

    def other() -> None:
        words = [sys.executable, "-c", OTHER, str(marked)]
        said.append(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    def replaced(old: Path, new: Path) -> None:
        if when == "before":
            other()
        replace(old, new)
        if when == "after":
            other()

    monkeypatch.setattr(os, "replace", replaced)
    opening.rewrite(marked)
    assert said == ["False\nlocked\n"]
    assert rows(marked) == [(1,)]
    assert [f.name for f in marked.parent.iterdir()] == ["s.duckdb"]


def test_what_another_has_written_anew_is_left_alone(marked: Path) -> None:
    assert opening.finish_deletion(marked)
    number = marked.stat().st_ino
    opening.rewrite(marked)
    assert marked.stat().st_ino == number
    assert not opening.finish_deletion(marked)


def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(
    marked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, fresh = duckdb.connect, marked.with_name("fresh.duckdb")
    with connect(str(fresh)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")

    def slow(*args: Any, **more: Any) -> Any:
        made = connect(*args, **more)
        if fresh.exists():
            os.replace(fresh, marked)
        return made

    monkeypatch.setattr(duckdb, "connect", slow)
    with opening.connect_patiently(marked, True, "1GB") as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]
