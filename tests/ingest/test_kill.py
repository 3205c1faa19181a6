"""A load that is killed at any moment: the store is as before or as after, and the same load completes it.

`KILLS=50 pytest tests/ingest/test_kill.py` kills more often; `make kill` does that.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from tests.ingest.conftest import EVENTS, project

CHILD = """
import sys
from pathlib import Path
from pql.store.store import Store
from tests.ingest.conftest import EVENTS, project
import pql.ingest.load as load
made = project(Path(sys.argv[1]), events=EVENTS)
store = Store.open(Path(sys.argv[2]), made.schema, memory_limit="512MB")
print("ready", flush=True)
for file in made.sources["events"].files():
    load.load_file(store, made.plan("events"), file, block=200_000)
store.close()
"""
FILES, ROWS = 3, 6000


def state(path: Path) -> tuple[list[tuple[str, int]], int]:
    """Batches that were committed, and the rows in the dataset."""
    if not path.exists():
        return [], 0
    database = duckdb.connect(str(path))
    try:
        batches = database.execute("SELECT file, read FROM meta.batch WHERE stored > 0 ORDER BY batch").fetchall()
        return batches, database.execute("SELECT count(*) FROM data.events").fetchall()[0][0]
    except duckdb.CatalogException:
        return [], 0
    finally:
        database.close()


def test_a_killed_load_leaves_no_half_state(tmp_path: Path) -> None:
    r = random.Random(20260301)
    for number in range(FILES):
        lines = (
            json.dumps(
                {"id": f"{number}-{i}", "at": "2024-01-01T00:00:00Z", "crm": str(i), "items": [{"sku": "a" * 50}]}
            )
            for i in range(ROWS)
        )
        (tmp_path / f"events{number}.jsonl").write_text("\n".join(lines))
    path = tmp_path / "store.duckdb"
    span = 3.0
    for _ in range(int(os.environ.get("KILLS", "4"))):
        before = state(path)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        time.sleep(r.random() * span)
        child.send_signal(signal.SIGKILL)
        child.wait()
        batches, count = state(path)
        assert count == sum(n for _, n in batches)
        assert all(n == ROWS for _, n in batches)
        assert count >= before[1]
        if count == FILES * ROWS:
            for old in tmp_path.glob("store.duckdb*"):
                old.unlink()
            span *= 0.7
    subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(path)],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    assert state(path)[1] == FILES * ROWS
    assert project(tmp_path, events=EVENTS).ok
