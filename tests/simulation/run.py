"""`python -m tests.simulation.run --seed N [--lives M]`: plays lives of a stream; exit code 1 when one goes wrong."""

from __future__ import annotations

import argparse

from tests.simulation.life import make_life
from tests.simulation.play import differences


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--lives", type=int, default=1)
    options.add_argument("--length", type=int, default=40, help="messages of a life")
    given, failed = options.parse_args(), 0
    for seed in range(given.seed, given.seed + given.lives):
        found = list(differences(make_life(seed, given.length, values=2)))
        failed += bool(found)
        for difference in found[:3]:
            print(f"seed {seed}: {difference}", flush=True)
        if found:
            print(f"to replay: python -m tests.simulation.run --seed {seed} --length {given.length}", flush=True)
    print(f"{given.lives} lives, seeds {given.seed} to {given.seed + given.lives - 1}: {failed} went wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
