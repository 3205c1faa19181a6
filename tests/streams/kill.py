"""Kills a stream in earnest: `python -m tests.streams.kill --kills 200`. Exit code 1 when a transition is lost, doubled or another.

A child process reads a file of events; SIGKILL comes at a random moment, again and again, until it has got to the end. Then its output
must be, byte for byte, that of a run that nobody disturbed. Every other round writes to standard output instead, where keys may repeat.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.property import segment_texts
from tests.simulation.life import make_life

SEGMENTS = """
segment gold { where loyalty.tier = "gold" }
segment busy { where xEvent[eventType = "a" and timestamp occurs <= 7 days before now].count() >= 2 }
segment away { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 20 days before now) }
segment big { where xEvent[timestamp occurs <= 30 days before now].sum(commerce.total) > 20 }
segment month { where xEvent[timestamp occurs this month].count() >= 2 }
segment then { where chain(xEvent, timestamp, [a: WHAT(eventType = "a"), b: WHAT(eventType = "b") WHEN(<= 9 days after a)]) }
attribute lately = xEvent[timestamp occurs <= 7 days before now].count()
attribute spent = xEvent.sum(commerce.total)
attribute last = xEvent[eventType = "a"].topN(timestamp, 1).head().productListItems.category
"""
MAIN = [sys.executable, "-c", "from pql.cli import main; main()"]


def write_project(folder: Path, seed: int, messages: int) -> list[str]:
    """A project and its events; the words of the command."""
    life = make_life(seed, messages, people=120)
    (folder / "segments.pql").write_text(SEGMENTS, encoding="utf-8")
    (folder / "schema.yaml").write_text(yaml.safe_dump(segment_texts.SCHEMA), encoding="utf-8")
    (folder / "events.jsonl").write_text("\n".join(life.lines) + "\n", encoding="utf-8")
    return [
        *MAIN,
        "stream",
        "--allow-unbounded",
        str(folder / "segments.pql"),
        "--events",
        str(folder / "events.jsonl"),
        "--format",
        "none",
    ]


def run(words: list[str], state: Path, out: Path, to_file: bool, delay: float | None) -> bool:
    """Runs the child, killed after a delay that begins with its state; true when it came to its end."""
    words = [*words, "--state", str(state), "--commit-every", "20", "--profiles-in-memory", "15"]
    with (out.with_suffix(".stdout")).open("ab") as stdout:
        values = ["--attributes", str(out.with_suffix(".attributes")) if to_file else "-"]
        child = subprocess.Popen([*words, *values, *(["--output", str(out)] if to_file else [])], stdout=stdout)
        try:
            if delay is not None:
                while child.poll() is None and not state.exists():
                    time.sleep(0.01)
                child.wait(delay)
            else:
                child.wait(600)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
    if child.returncode not in (0, 1, -signal.SIGKILL):
        raise SystemExit(f"the stream ended with {child.returncode}")
    return child.returncode != -signal.SIGKILL


def without_repeats(lines: list[str]) -> list[str]:
    """Standard output as its reader takes it: whole lines, a key once."""
    found: dict[str, str] = {}
    for line in lines:
        try:
            found.setdefault(json.loads(line)["key"], line)
        except ValueError:
            continue
    return list(found.values())


def torture(seed: int, kills: int, messages: int) -> tuple[int, int, list[str]]:
    """(kills, lines of the last output, what is wrong) of one round that goes on until the stream has ended."""
    r, to_file = random.Random(seed), seed % 2 == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = write_project(folder, seed, messages)
        run(words, folder / "plain", folder / "plain.out", to_file, None)
        state, out, done, killed = folder / "state", folder / "killed.out", False, 0
        while not done:
            done = run(words, state, out, to_file, r.uniform(0.0, 1.5) if killed < kills else None)
            killed += not done
        wrong = []
        for suffix in (".out", ".attributes") if to_file else (".stdout",):
            wanted, got = (
                (folder / n).with_suffix(suffix).read_text().splitlines() for n in ("plain.out", "killed.out")
            )
            if not to_file:  # within a batch, transitions and changes follow each other as batches are cut
                wanted, got = (sorted(lines) for lines in (wanted, without_repeats(got)))
            if got != wanted:
                wrong.append(f"seed {seed}: `{suffix}` differs: {len(got)} lines instead of {len(wanted)}")
        aside = [(folder / s / "quarantine.jsonl").read_text() for s in ("plain", "state")]
        wrong += [] if aside[0] == aside[1] else [f"seed {seed}: quarantine differs"]
        return killed, len(wanted), wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--messages", type=int, default=3_000, help="of a round")
    options.add_argument("--seed", type=int, default=0)
    given, killed, seed, wrong, transitions = options.parse_args(), 0, 0, list[str](), 0
    while killed < given.kills:
        more, made, found = torture(given.seed + seed, given.kills - killed, given.messages)
        killed, transitions, seed, wrong = killed + more, transitions + made, seed + 1, wrong + found
        print(f"round {seed}: {more} kills, {made:,} lines{''.join(f'; {w}' for w in found)}", flush=True)
    print(f"{killed} kills, {transitions:,} lines: {len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
