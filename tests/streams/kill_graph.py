"""Kills a stream that follows a store's graph: `python -m tests.streams.kill_graph --kills 100`. Exit code 1 when something differs.

A child process reads a file that grows; SIGKILL comes at random moments, before, while and after other processes change the store's graph:
`pql load` links identities, `pql identity unlink` parts them, `pql profile delete` takes people out. At the end the state must be the batch
answer, the transitions must be whole, and of deleted people nothing may be left. Read `torture`, then `tests.streams.kill_graph_checks`.

Processes are forked from one that has everything imported (a start costs 0.1 s instead of 2 s), and the stream looks at the store's file
each 0.1 s instead of each 5 s. Some kill themselves at moments that a random kill seldom meets (`TRAPS`). Nothing else is other than in
`pql stream`.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

from tests.streams import kill_graph_checks as checks
from tests.streams.project import write
from tests.streams.shop import message

SEGMENTS = "".join(f"segment has{n} {{ where xEvent.count() = {n} }}\n" for n in range(1, 9)) + (
    """
segment gold { where tier = "gold" }
segment busy { where xEvent[eventType = "p" and timestamp occurs <= 7 days before now].count() >= 2 }
segment away { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 9 days before now) }
attribute seen = xEvent.count()
attribute lately = xEvent[timestamp occurs <= 7 days before now].count()
"""
)
SCHEMA = {
    "profile": {"tier": "string", "personID": "string", "mail": "string", "device": "string"},
    "event": {"price": "number", "identityMap": "map<object[]>"},
}
PEOPLE = {
    "source": "people", "format": "jsonl", "path": "../people*.jsonl", "dataset": {"name": "people", "kind": "record"},
    "identities": [
        {"field": "personID", "namespace": "crm", "primary": True}, {"field": "mail", "namespace": "Email"},
        {"field": "device", "namespace": "visitor"},
    ],
    "mapping": {"personID": "id", "mail": "mail", "device": "device", "tier": "tier"},
}  # fmt: skip
LOG = {
    "source": "log", "format": "jsonl", "path": "../log*.jsonl", "dataset": {"name": "log", "kind": "event"},
    "mapping": {n: n for n in ("_id", "eventType", "timestamp", "identityMap")},
}  # fmt: skip
IDENTITY = "namespaces: {crm: {unique: true}, visitor: {type: COOKIE}}\npriority: [crm, Email, visitor]\n"
PRELOAD = [
    "pql.cli.streaming",
    "pql.cli.verifying",
    "pql.cli.running",
    "pql.api",
    "pql.streams",
    "pql.ingest",
    "duckdb",
]
BUSY = "another process has it open"
HOUSEHOLDS = 14
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(PRELOAD)


# --- processes ---
def command(folder: Path, words: list[str], said: Path, trap: str = "", number: int = 1) -> None:
    """What a forked process does: `pql …` in the folder; what it says goes to a file. `trap`: where it kills itself, the n-th time."""
    from pql.api import streams as api
    from pql.cli import app
    from pql.streams import following

    os.chdir(folder)
    log = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.register(signal.SIGUSR1, log)
    api.Graph, following.AFTER_FAILURE = partial(api.Graph, every=0.1), 0.5
    if trap:
        set_trap(trap, number)
    app(words)


def wait(process: Any, steps: int = 12) -> None:
    """For a process's end. One that does nothing for two minutes hangs: it says where it stands, and is killed. How long it takes says nothing,
    for others may have the machine."""
    used, idle = 0.0, 0
    while idle < steps:
        process.join(10)
        if process.exitcode is not None:
            return
        now = busy_seconds(process.pid)
        used, idle = now, 0 if now - used >= 0.05 else idle + 1
    os.kill(process.pid, signal.SIGUSR1)
    process.join(2)
    process.kill()
    process.join()


def busy_seconds(pid: int) -> float:
    """For how long a process has had a processor."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0  # it has just ended
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


TRAPS = ("part", "known", "inside", "committed", "erased", "half")
"""Moments that a random kill seldom meets: a part of what a graph says is committed; all of it is applied; in the transaction that says what is
known; after it, when nothing was handed over; before the journal is emptied; half of a batch's lines are written."""


def set_trap(trap: str, number: int) -> None:
    """SIGKILL from within."""
    from pql.streams import following, outlets, running, sqlite

    state = sqlite.SqliteState
    left = [number]

    def die(*_: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, name: str, before: Any = None, after: Any = None) -> None:
        real = getattr(owner, name)

        def call(self: Any, *args: Any, **more: Any) -> Any:
            if before is not None:
                before(self, *args)
            found = real(self, *args, **more)
            if after is not None:
                after(self, *args)
            return found

        setattr(owner, name, call)

    def half(self: Any, lines: list[str]) -> None:
        if lines and left[0] == 1:
            real_write(self, lines[: len(lines) // 2])
        die()

    real_write = outlets.FileOutlet.write
    if trap == "part":
        running.PART = 1  # each input of a graph is a commit
        around(running.Stream, "_take_over", after=die)
    elif trap == "known":
        around(following.Change, "known", after=die)
    elif trap == "inside":
        around(state, "_know", after=die)
    elif trap == "committed":
        around(state, "commit", after=lambda _, c, *__: die() if c.graph is not None else None)
    elif trap == "erased":
        around(state, "_truncate", before=lambda _, patience: die() if patience else None)
    else:
        around(outlets.FileOutlet, "write", before=half)


@dataclass
class World:
    """A project, what was sent and loaded, and what is known of deletions."""

    folder: Path
    r: random.Random
    first: list[str] = field(default_factory=lambda: ["load"])
    """The kinds of changes to begin with."""
    sent: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    lines: int = 0
    gone: set[str] = field(default_factory=set)
    """Identities that were deleted, as the store has them."""
    told: dict[str, int] = field(default_factory=dict)
    """The number of transitions when the state was seen to know of a deletion: later ones may not name who is gone."""
    loud: set[int] = field(default_factory=set)
    """Households that events reached while somebody of them was deleted: what went with them depends on when."""
    held: set[int] = field(default_factory=set)
    """Households that have to be quiet until the stream knows of a deletion."""
    counts: Counter[str] = field(default_factory=Counter)
    files: int = 0
    events: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def path(self, name: str) -> Path:
        return self.folder / name

    # --- what is sent ---
    def ids(self, household: int) -> list[str]:
        h = f"{household:02}"
        return [f"crm:kunde-{h}-a", f"crm:kunde-{h}-b", f"Email:post-{h}@b.example", f"visitor:v{h}", f"visitor:w{h}"]

    def household(self) -> int:
        return self.r.choice([h for h in range(HOUSEHOLDS) if h not in self.held])

    def event(self) -> str:
        """One more event; time goes on, some are late."""
        self.events += 1
        hours = max(0, 3 * self.events - self.r.choice([0, 0, 0, 30, 200]))
        at = f"2026-{1 + hours // 672:02}-{1 + hours // 24 % 28:02}T{hours % 24:02}:00:00Z"
        ids = self.r.sample(self.ids(self.household()), self.r.choice([1, 1, 2]))
        named = min(ids, key=lambda i: (["crm", "Email", "visitor"].index(i.split(":")[0]), i))
        return message(f"e{self.events}", at, *ids, profile=named if self.r.random() < 0.15 else "")

    def send(self, count: int) -> None:
        """Appends to the file that the stream reads: new events, some that were loaded before they are sent, some again."""
        lines = []
        for _ in range(count):
            kind = self.r.choices(["new", "waiting", "again"], [8, 3, 1])[0]
            pool = {"waiting": self.waiting, "again": self.sent, "new": []}[kind]
            line = self.r.choice(pool) if pool else self.event()
            if household_of(line) in self.held:
                continue
            if line in self.waiting:
                self.waiting.remove(line)
            lines.append(line)
        self.append(lines)
        self.sent += lines

    def append(self, lines: list[str]) -> None:
        self.lines += len(lines)
        with self.path("events.jsonl").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    # --- what changes the graph ---
    def files_to_load(self, households: set[int] | None = None, everything: bool = False) -> None:
        """Writes source files: records that link, events that were sent, or will be."""
        self.files += 1
        records = []
        for _ in range(0 if everything or households else self.r.randint(1, 4)):
            ids = self.ids(self.household())
            record = {"id": self.r.choice(ids[:2]).split(":")[1], "tier": self.r.choice(["gold", "silver"])}
            if self.r.random() < 0.6:
                record["mail"] = ids[2].split(":")[1]
            if self.r.random() < 0.5:
                record["device"] = self.r.choice(ids[3:]).split(":")[1]
            records.append(json.dumps(record))
        fresh = list(dict.fromkeys(line for line in self.sent if line not in self.loaded))
        if not everything and households is None:
            fresh = self.r.sample(fresh, self.r.randint(0, min(len(fresh), 12)))
            first = [self.event() for _ in range(self.r.randint(0, 3))]
            self.waiting += first
            fresh += first
        elif households is not None:
            fresh = [line for line in fresh if household_of(line) in households]
        self.loaded |= set(fresh)
        if records:
            write(self.path(f"people{self.files:04}.jsonl"), *records)
        if fresh:
            write(self.path(f"log{self.files:04}.jsonl"), *fresh)

    def change(self) -> list[list[str]]:
        """The words of commands that change the graph, in order."""
        kind = self.first.pop(0) if self.first else self.r.choices(["load", "unlink", "delete"], [5, 3, 3])[0]
        self.counts[kind] += 1
        load = ["load", "--project", ".", "--store", "s.duckdb"]
        household = self.household()
        ids = self.ids(household)
        if kind == "load":
            self.files_to_load()
            return [load]
        if kind == "unlink":
            return [["identity", "unlink", *self.r.sample(ids, 2), "--reason", "told so"]]
        delete = ["profile", "delete", self.r.choice(ids), "--reason", "request", "--yes"]
        if self.r.random() < 0.4:
            self.loud.add(household)
            return [delete]
        self.held.add(household)
        self.files_to_load({household})
        return [load, delete]


def household_of(line: str) -> int:
    ids = [i["id"] for items in json.loads(line)["identityMap"].values() for i in items]
    return int("".join(c for c in ids[0] if c.isdigit())[:2])


def write_project(folder: Path) -> None:
    for name, content in (("schema.yaml", SCHEMA), ("sources/people.yaml", PEOPLE), ("sources/log.yaml", LOG)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(content))
    (folder / "segments.pql").write_text(SEGMENTS)
    (folder / "identity.yaml").write_text(IDENTITY)
    (folder / "pql.yaml").write_text("schema: schema.yaml\nstore: s.duckdb\nidentity: identity.yaml\n")
    write(
        folder / "people0000.jsonl",
        '{"id": "kunde-00-a", "tier": "gold"}',
        '{"id": "kunde-01-a", "mail": "post-01@b.example"}',
    )
    write(folder / "log0000.jsonl")
    write(folder / "events.jsonl")


class Lives:
    """The processes of a round. `wrong`: what no process may do."""

    def __init__(self, world: World) -> None:
        self.world, self.r, self.wrong = world, world.r, list[str]()
        self.child: Any = None
        self.killed = self.numbers = 0
        self.trap = ""

    def start(self, words: list[str], said: str, trap: str = "", number: int = 1) -> Any:
        process = PROCESSES.Process(
            target=command, args=(self.world.folder, words, self.world.path(said), trap, number)
        )
        process.start()
        return process

    def stream(self, to_end: bool = False) -> None:
        words = ["stream", "--allow-unbounded", "segments.pql", "--events", "events.jsonl", "--state", "state", "--store", "s.duckdb", "--output", "out.jsonl",
                 "--attributes", "values.jsonl", "--from", "2026-01-01", "--follow-graph", "--format", "none", "--commit-every", "10",
                 "--profiles-in-memory", "12"]  # fmt: skip
        if self.world.state.exists() and self.begun():
            words = [w for w in words if w not in ("--from", "2026-01-01")]
        trap = self.r.choice(TRAPS) if not to_end and self.r.random() < 0.4 else ""
        self.child = self.start(
            [*words, *([] if to_end else ["--follow"])], "stream.log", trap, self.r.choice([1, 1, 2, 3])
        )
        self.trap = trap

    def begun(self) -> bool:
        state = checks.opened(self.world.state)
        return state is not None and state.kept() is not None

    def taken(self) -> int:
        """Messages that are committed."""
        state = checks.opened(self.world.state)
        if state is None:
            return 0
        try:
            return state.progress().taken
        finally:
            state.close()

    def alive(self) -> bool:
        """Does the stream run? One that found the store in use is started again."""
        if self.child is None:
            return False
        if self.child.exitcode is None:
            return True
        self.ended()
        return False

    def ended(self) -> bool:
        """The stream has ended: well, or because the store was in use, which is said and costs nothing. True: well."""
        code, log = self.child.exitcode, self.world.path("stream.log")
        said = log.read_text() if log.exists() else ""
        self.child = None
        if code == -signal.SIGKILL and self.trap:
            self.killed += 1
            self.world.counts[f"killed by the trap `{self.trap}`"] += 1
            return False
        if code == 0:
            return True
        if code == 2 and BUSY in said[-400:]:
            self.world.counts["stream found the store in use"] += 1
            return False
        self.wrong.append(f"the stream ended with {code}: {said[-1500:]}")
        return False

    def kill(self) -> None:
        if self.child is None:
            return
        if self.alive():
            self.child.kill()
            self.child.join()
        if self.child is None:
            pass
        elif self.child.exitcode == -signal.SIGKILL:
            self.killed, self.child = self.killed + 1, None
        else:
            self.ended()
        checks.notice(self.world)

    def finish(self, words: list[str], process: Any = None) -> None:
        """A command that changes the graph, to its end; again when the store was in use."""
        for attempt in range(20):
            self.numbers += 1
            said = self.world.path(f"change-{self.numbers:04}.log")
            process = process or self.start(words, said.name)
            wait(process)
            text = said.read_text() if said.exists() else ""
            if process.exitcode == 0 or (words[0] != "load" and process.exitcode in (1, 2) and "PQL084" in text):
                return
            process = None
            if BUSY not in text or attempt == 19:
                self.wrong.append(f"`pql {' '.join(words)}` ended badly: {text[-1500:]}")
                return
            self.world.counts["a change found the store in use"] += 1


def disturb(lives: Lives) -> None:
    """One change or none, and one kill."""
    world, r = lives.world, lives.r
    if not lives.alive() and r.random() < 0.7:
        lives.stream()
    world.send(r.randint(0, 12))
    how = r.choices(["before", "during", "after", "none"], [2, 4, 4, 0 if world.first else 1])[0]
    commands = [] if how == "none" else world.change()
    if how == "during":
        for words in commands[:-1]:
            lives.finish(words)
        world.send(r.randint(0, 6))
        process = lives.start(commands[-1], f"change-{lives.numbers + 1:04}.log")
        if not lives.alive():
            lives.stream()
        time.sleep(r.uniform(0.0, 2.0))
        lives.kill()
        if r.random() < 0.5:
            lives.stream()
        lives.finish(commands[-1], process)
    else:
        if how == "before":
            lives.kill()
        for words in commands:
            lives.finish(words)
    checks.notice_deleted(world)
    if not lives.alive():
        lives.stream()
    world.send(r.randint(0, 6))
    time.sleep(r.choice([r.uniform(0.0, 0.6), r.uniform(0.0, 2.0), r.uniform(0.8, 3.0)]))
    lives.kill()


def torture(
    seed: int, kills: int, keep: Path | None = None, first: tuple[str, ...] = ("load",)
) -> tuple[int, Counter[str], list[str]]:
    """(kills, what happened, what is wrong) of one round. `keep`: where its files stay when something is wrong. `first`: the kinds of changes
    to begin with."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder)
        world = World(folder, random.Random(seed), list(first))
        lives = Lives(world)
        lives.finish(["load", "--project", ".", "--store", "s.duckdb"])
        while (lives.killed < kills or world.first) and not lives.wrong:
            disturb(lives)
        live_long_enough(lives)
        if not lives.wrong:
            last(lives)
        wrong = [f"seed {seed}: {w}" for w in lives.wrong or checks.all_of(world)]
        if wrong and keep is not None:
            shutil.copytree(folder, keep / f"seed-{seed}", dirs_exist_ok=True)
        return lives.killed, world.counts, wrong


def live_long_enough(lives: Lives) -> None:
    """However slow the machine is, one life of a round has taken messages before everything is loaded."""
    for _ in range(20):
        if lives.wrong or lives.taken():
            return
        lives.stream()
        lives.world.send(12)
        for _ in range(600):
            if not lives.alive() or lives.taken():
                break
            time.sleep(0.1)
        lives.kill()


def last(lives: Lives) -> None:
    """Everything is loaded, and the stream comes to its end; then the records that the store has are sent, for those are messages."""
    world = lives.world
    lives.kill()
    world.held = set()
    world.append(world.waiting)
    world.sent += world.waiting
    world.files_to_load(everything=True)
    lives.finish(["load", "--project", ".", "--store", "s.duckdb"])
    checks.notice_deleted(world)
    to_the_end(lives)
    if not lives.wrong:
        world.append(checks.records(world))
        to_the_end(lives)


def to_the_end(lives: Lives) -> None:
    """Killed once more on the way."""
    lives.stream(to_end=True)
    time.sleep(lives.r.uniform(0.0, 1.0))
    lives.kill()
    for _ in range(20):
        lives.stream(to_end=True)
        wait(lives.child)
        if lives.ended() or lives.wrong:
            return
    lives.wrong.append("the stream does not come to its end")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--each", type=int, default=25, help="kills of a round")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="a folder for the files of rounds in which something is wrong")
    given, killed, seed, wrong = options.parse_args(), 0, 0, list[str]()
    while killed < given.kills and len(wrong) < 50:
        more, counts, found = torture(given.seed + seed, min(given.each, given.kills - killed), given.keep)
        killed, seed, wrong = killed + more, seed + 1, wrong + found
        said = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
        print(
            f"round {seed} (seed {given.seed + seed - 1}): {more} kills; {said}{''.join(f'; {w}' for w in found)}",
            flush=True,
        )
    print(f"{killed} kills: {len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
