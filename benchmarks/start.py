"""How long the command line takes to start, and to check 500 segments: `python -m benchmarks.start`"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import HERE
from benchmarks.together import drawn


def spent(*words: str) -> float:
    """The best of three runs of the command, in milliseconds."""
    command = [sys.executable, "-c", "from pql.cli import main; main()", *words]
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        best = min(best, time.perf_counter() - started)
    return best * 1000


def main() -> None:
    r = random.Random(1)
    bare = min(_bare() for _ in range(3))
    print(f"python alone {bare:.0f} ms, pql --help {spent('--help'):.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(f'segment s{i} "S{i}" {{ where {drawn(r)[0]} }}' for i in range(500))
        (Path(folder) / "many.pql").write_text(text, encoding="utf-8")
        print(f"pql check of 500 segments: {spent('check', folder, '--schema', str(HERE / 'schema.yaml')):.0f} ms")


def _bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
