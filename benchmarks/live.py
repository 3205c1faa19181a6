"""The live engine's rate, latency and memory: `python -m benchmarks.live [--yardstick FOLDER]`.

Process CPU time, in rounds. With `--yardstick`, a folder whose `workload.py` and `rete.py` make and run the same kind of rules: both engines then
take its rules, profiles and events, in turns within each round, each in a process of its own. Read `measure`.
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

WARM, MEASURED, SINGLE, CHUNK, PROFILES = 200_000, 30_000, 10_000, 5_000, 100_000


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


def measure(kind: str, count: int, mix: str, yardstick: str) -> dict[str, float]:
    """One engine in this process: events a second (median of chunks), microseconds an event alone, bytes a profile."""
    total = WARM + MEASURED + SINGLE
    if yardstick:
        sys.path.insert(0, yardstick)
        import workload  # type: ignore[import-not-found]

        nodes, people = workload.make_segments(max(count, 1000), mix=mix)[:count], workload.make_profiles(PROFILES)
        happenings = workload.make_events(total, days=14 if mix == "broad" else 60, mix=mix)
    else:
        nodes, people = rules.segments(count, mix), rules.people(PROFILES)
        happenings = rules.happenings(total, mix, PROFILES)
    engine: Any = (Ours if kind == "ours" else Yardstick)(nodes, people, happenings)
    gc.collect()
    before = resident()
    for i in range(0, WARM, CHUNK):
        engine.run(engine.made(i, i + CHUNK))
    gc.collect()
    gc.freeze()
    gc.disable()
    size = (resident() - before) / engine.profiles()
    rates, out = [], 0
    for i in range(WARM, WARM + MEASURED, CHUNK):
        inputs = engine.made(i, i + CHUNK)
        started = time.process_time()
        out += engine.run(inputs)
        rates.append(CHUNK / (time.process_time() - started))
    alone = []
    for i in range(WARM + MEASURED, total):
        inputs = engine.made(i, i + 1)
        began = time.process_time_ns()
        engine.one(inputs)
        alone.append((time.process_time_ns() - began) / 1e3)
    alone.sort()
    return {
        "rate": statistics.median(rates),
        "out": out / MEASURED,
        "bytes": size,
        "p50": alone[SINGLE // 2],
        "p99": alone[SINGLE * 99 // 100],
        "max": alone[-1],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--yardstick", default="")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rules", type=int, nargs="*", default=[100, 1000])
    options.add_argument("--mix", nargs="*", default=["broad", "selective"])
    options.add_argument("--one", default="", help="measure one engine here: ours or yardstick")
    given = options.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.rules[0], given.mix[0], given.yardstick)))
        return
    kinds = ["ours", *(["yardstick"] if given.yardstick else [])]
    found: dict[Any, list[dict[str, float]]] = {}
    for _ in range(given.rounds):
        for count in given.rules:
            for mix in given.mix:
                for kind in kinds:
                    words = ["--one", kind, "--rules", str(count), "--mix", mix, "--yardstick", given.yardstick]
                    done = subprocess.run(
                        [sys.executable, "-m", "benchmarks.live", *words], capture_output=True, text=True, check=True
                    )
                    found.setdefault((count, mix, kind), []).append(json.loads(done.stdout))
    for (count, mix, kind), rounds in found.items():
        middle = {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
        line = f"{count:5d} {mix:9s} {kind:9s} {middle['rate']:9,.0f} events/s, {middle['out']:5.2f} transitions an event, "
        line += f"{middle['bytes']:6,.0f} bytes a profile, alone p50 {middle['p50']:.0f} p99 {middle['p99']:.0f} max {middle['max']:.0f} us"
        if kind == "ours" and given.yardstick:
            other = statistics.median(r["rate"] for r in found[count, mix, "yardstick"])
            line += f", {middle['rate'] / other:.2f} of the yardstick"
        print(line)
    for mix in given.mix:
        for kind in kinds:
            if {100, 1000} <= set(given.rules):
                few, many = (statistics.median(r["rate"] for r in found[n, mix, kind]) for n in (100, 1000))
                print(f"{mix} {kind}: a further segment costs {(1e6 / many - 1e6 / few) / 900:.3f} us an event")


if __name__ == "__main__":
    main()
