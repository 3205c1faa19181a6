"""The live engine's rate, latency and memory: `python -m benchmarks.live [--yardstick FOLDER]`.

Process CPU time, each engine in a process of its own, in turns: a chunk of events here, then the same chunk there, so that both see the machine
as it is at that moment. With `--yardstick`, a folder whose `workload.py` and `rete.py` make and run the same kind of rules: both engines then take its
rules, profiles and events. Read `Measured`, then `serve` and `main`.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks import live_rules as rules

WARM, SINGLE, WARM_CHUNK, PROFILES = 200_000, 10_000, 5_000, 100_000
KINDS = ["ours", "yardstick"]


def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


class Ours:
    """The engine of `pql.api`, fed typed documents; a profile's record comes with its first event."""

    def __init__(self, nodes: list[Any], people: list[dict[str, Any]], happenings: list[Any]) -> None:
        from pql.api import Engine, Environment, Event, Record

        environment = Environment.from_short(rules.SCHEMA)
        conditions = {}
        for i, node in enumerate(nodes):
            checked = environment.check(rules.text(node))
            assert checked.ok, rules.text(node)
            conditions[f"s{i}"] = checked.ir
        self.engine, self.record, self.event = Engine(environment.live_plan(conditions)), Record, Event
        self.people, self.happenings, self.seen = people, happenings, set[int]()

    def made(self, low: int, high: int) -> list[Any]:
        """The inputs of some events, as a decoder would hand them over."""
        found: list[Any] = []
        for number in range(low, high):
            e = self.happenings[number]
            if e.pid not in self.seen:
                self.seen.add(e.pid)
                found.append(self.record(e.pid, rules.record(self.people[e.pid])))
            found.append(self.event(e.pid, rules.document(e, number)))
        return found

    def run(self, inputs: Any) -> int:
        return len(self.engine.apply(inputs))

    def one(self, inputs: Any) -> None:
        self.engine.apply(inputs)
        self.engine.advance(inputs[-1].document["timestamp"])

    def profiles(self) -> int:
        return len(self.engine.people)


class Yardstick:
    def __init__(self, nodes: list[Any], people: list[dict[str, Any]], happenings: list[Any]) -> None:
        import rete  # type: ignore[import-not-found]

        self.engine, self.events = rete.Engine(nodes, people), happenings

    def made(self, low: int, high: int) -> list[Any]:
        return self.events[low:high]

    def run(self, inputs: Any) -> int:
        self.engine.run(inputs)
        return int(self.engine.drain())

    def one(self, inputs: Any) -> None:
        self.engine.process(inputs[0])

    def profiles(self) -> int:
        return int(self.engine.n_profiles())


class Measured:
    """One engine in this process, warm: events, profiles and rules are made, and the first events are in."""

    def __init__(self, kind: str, count: int, mix: str, yardstick: str, chunk: int, chunks: int) -> None:
        self.chunk, self.at = chunk, WARM
        total = WARM + chunks * chunk + SINGLE
        if yardstick:
            sys.path.insert(0, yardstick)
            import workload  # type: ignore[import-not-found]

            nodes, people = workload.make_segments(max(count, 1000), mix=mix)[:count], workload.make_profiles(PROFILES)
            happenings = workload.make_events(total, days=14 if mix == "broad" else 60, mix=mix)
        else:
            nodes, people = rules.segments(count, mix), rules.people(PROFILES)
            happenings = rules.happenings(total, mix, PROFILES)
        self.engine: Any = (Ours if kind == "ours" else Yardstick)(nodes, people, happenings)
        gc.collect()
        before = resident()
        for i in range(0, WARM, WARM_CHUNK):
            self.engine.run(self.engine.made(i, i + WARM_CHUNK))
        gc.collect()
        gc.freeze()
        gc.disable()
        self.bytes = (resident() - before) / self.engine.profiles()

    def run(self) -> tuple[float, float]:
        """The next chunk: microseconds and transitions an event."""
        inputs = self.engine.made(self.at, self.at + self.chunk)
        self.at += self.chunk
        started = time.process_time()
        out = self.engine.run(inputs)
        return 1e6 * (time.process_time() - started) / self.chunk, out / self.chunk

    def alone(self) -> dict[str, float]:
        """Microseconds of an event that comes alone, until its transitions are out; bytes a profile."""
        found = []
        for i in range(self.at, self.at + SINGLE):
            inputs = self.engine.made(i, i + 1)
            began = time.process_time_ns()
            self.engine.one(inputs)
            found.append((time.process_time_ns() - began) / 1e3)
        found.sort()
        return {"bytes": self.bytes, "p50": found[SINGLE // 2], "p99": found[SINGLE * 99 // 100], "max": found[-1]}


def serve(given: argparse.Namespace) -> None:
    """Answers each line of standard input: `run` by a chunk, `alone` by the rest."""
    measured = Measured(given.one, given.rules[0], given.mix[0], given.yardstick, given.chunk, given.chunks)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(measured.run() if line.strip() == "run" else measured.alone()), flush=True)


class Process:
    def __init__(self, kind: str, count: int, mix: str, given: argparse.Namespace) -> None:
        words = ["--one", kind, "--rules", str(count), "--mix", mix, "--yardstick", given.yardstick]
        words += ["--chunk", str(given.chunk), "--chunks", str(given.chunks)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    def ask(self, what: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate()


def compared(count: int, mix: str, given: argparse.Namespace) -> dict[str, float]:
    """Prints a line for each engine; gives the microseconds an event of each."""
    processes = {kind: Process(kind, count, mix, given) for kind in KINDS[: 2 if given.yardstick else 1]}
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in processes}
    for i in range(given.chunks):
        for kind in processes if i % 2 else reversed(processes):
            found[kind].append(tuple(processes[kind].ask("run")))
    costs = {kind: statistics.median(cost for cost, _ in chunks) for kind, chunks in found.items()}
    for kind, process in processes.items():
        alone, out = process.ask("alone"), statistics.fmean(n for _, n in found[kind])
        process.end()
        line = f"{count:5d} {mix:9s} {kind:9s} {1e6 / costs[kind]:9,.0f} events/s, {out:5.2f} transitions an event, {alone['bytes']:6,.0f} bytes a profile, "
        line += f"alone p50 {alone['p50']:.0f} p99 {alone['p99']:.0f} max {alone['max']:.0f} us"
        if kind == "ours" and given.yardstick:
            each = sorted(
                theirs / ours for (ours, _), (theirs, _) in zip(found["ours"], found["yardstick"], strict=True)
            )
            line += f", {statistics.median(each):.2f} of the yardstick ({each[len(each) // 4]:.2f} to {each[3 * len(each) // 4]:.2f})"
        print(line, flush=True)
    return costs


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--yardstick", default="")
    options.add_argument("--chunk", type=int, default=1000, help="events of a turn")
    options.add_argument("--chunks", type=int, default=60, help="turns of each engine")
    options.add_argument("--rules", type=int, nargs="*", default=[100, 1000])
    options.add_argument("--mix", nargs="*", default=["broad", "selective"])
    options.add_argument("--one", default="", help="be one engine's process: ours or yardstick")
    given = options.parse_args()
    if given.one:
        serve(given)
        return
    for mix in given.mix:
        costs = {count: compared(count, mix, given) for count in given.rules}
        few, many = min(costs), max(costs)
        if few < many:
            for kind in costs[few]:
                further = (costs[many][kind] - costs[few][kind]) / (many - few)
                print(f"{mix} {kind}: a further segment costs {further:.3f} us an event", flush=True)


if __name__ == "__main__":
    main()
