"""One segment at a time: the compiled statement against the best hand-written one. `python -m benchmarks.single FOLDER`"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

from benchmarks.by_hand import BY_HAND
from benchmarks.side_by_side import AT, HERE, checked, environment, in_turns, opened


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    env = environment()
    store = opened(given.folder, env)
    project = checked(env, (HERE / "twelve.pql").read_text(encoding="utf-8"))

    def ask(sql: str) -> Any:
        return store.query(f"SELECT count(*), bit_xor(hash(pid::BIGINT)) FROM ({sql})", {"now": AT})[0]

    ratios = []
    for name, segment in project.segments.items():
        started = time.perf_counter()
        sql = env.sql([segment.condition], project.conditions, "members", store.layout).sql()
        compiled = (time.perf_counter() - started) * 1000
        ways = {"ours": lambda sql=sql: ask(sql)}
        ways |= {f"hand {i}": lambda q=q: ask(q) for i, q in enumerate(BY_HAND[name])}
        found = in_turns(ways, given.rounds)
        hand = min((v for k, v in found.items() if k != "ours"), key=lambda v: v[0])
        ours = found["ours"]
        ratios.append(ours[0] / hand[0])
        same = "same members" if all(v[1] == ours[1] for v in found.values()) else "MEMBERS DIFFER"
        print(
            f"{name}  {segment.display:52}  {ours[0] * 1000:6.0f} ms  by hand {hand[0] * 1000:6.0f} ms  ratio {ratios[-1]:.2f}  "
            f"{ours[1][0]:>8,} {same}  compiled in {compiled:.1f} ms",
            flush=True,
        )
    print(
        f"geometric mean of the ratios: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}, worst {max(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
