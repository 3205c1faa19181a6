"""`python -m tests.property.fuzz --seed N --cases M [--minutes T]`: engine against reference until the cases are run.

Prints each difference (seed, expression, person, instant, both answers); exit 1 when there is one.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.property.differential import Bench, run_batch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--profiles", type=int, default=10)
    parser.add_argument("--most", type=int, default=20, help="stop after so many differences")
    options = parser.parse_args()
    world, done, seed, found = Bench(), 0, options.seed * 1_000_000, 0
    start = time.monotonic()
    while done < options.cases and found < options.most:
        if options.minutes and time.monotonic() - start > options.minutes * 60:
            break
        cases, differences = run_batch(world, seed, options.profiles)
        done, seed, found = done + cases, seed + 1, found + len(differences)
        for difference in differences:
            print(f"{difference}\n", flush=True)
    print(f"{done:,} cases, {found} differences, {time.monotonic() - start:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
