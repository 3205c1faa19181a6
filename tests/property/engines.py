"""SQL against the plain evaluator on generated people and expressions: `python -m tests.property.engines --cases N`.

Each block has one store: some people, some expressions, all in one statement, in the complete and in the fast form. A
difference is printed with its seed and person; exit code 1.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator
from typing import Any

from pql.api import Environment, Expression, Store, StoreError, write_value
from pql.ir import nodes as ir
from pql.runtime import Evaluator, OutOfRange
from pql.xdm.values import read_event, read_profile
from tests.property.expressions import NOW, SCHEMA, Expressions, person

PEOPLE, TEXTS = 12, 25
ENVIRONMENT = Environment.from_short(SCHEMA)
Person = tuple[dict[str, Any], list[dict[str, Any]]]


def same(a: Any, b: Any) -> bool:
    """Equal as JSON; doubles may differ in the last digits where an engine adds in another order."""
    if isinstance(a, float) and isinstance(b, float | int) or isinstance(b, float) and isinstance(a, int):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def drawn(r: random.Random) -> list[tuple[str, Expression]]:
    """Texts that check, with their IR."""
    texts, found = Expressions(r), []
    while len(found) < TEXTS:
        text = texts.value(r.choice([0, 1, 1, 2, 2, 3]))
        checked = ENVIRONMENT.check(text)
        if checked.ok:
            found.append((text, checked))
    return found


def answers(store: Store, conditions: list[ir.Expr], fast: bool) -> list[tuple[Any, ...] | str]:
    """The rows, or the failing code where a statement cannot run: then expression by expression."""
    layout = store.layout if fast else None
    try:
        rows = store.query(ENVIRONMENT.sql(conditions, layout=layout).sql(), {"now": NOW})
        by_person = dict((row[0], row[1:]) for row in rows)
        return [tuple(by_person[p][i] for p in range(PEOPLE)) for i in range(len(conditions))]
    except StoreError as error:
        if len(conditions) == 1:
            return [f"{error.code}: {error}"]
        half = len(conditions) // 2
        return answers(store, conditions[:half], fast) + answers(store, conditions[half:], fast)


def differences(seed: int) -> Iterator[str]:
    """What differs in the block of one seed, in words."""
    r = random.Random(seed)
    schema, people, evaluator = ENVIRONMENT.schema, [person(r) for _ in range(PEOPLE)], Evaluator()
    typed: list[Person] = [
        (read_profile(p, schema)[0], [read_event(e, schema)[0] for e in events]) for p, events in people
    ]
    store = Store.memory(schema)
    store.load(
        [(i, p) for i, (p, _) in enumerate(typed)], [(i, e) for i, (_, events) in enumerate(typed) for e in events]
    )
    texts = drawn(r)
    conditions = [c.ir for _, c in texts]
    plain = answers(store, conditions, fast=False)
    store.index()
    fast = answers(store, conditions, fast=True)
    for (text, checked), *forms in zip(texts, plain, fast, strict=True):
        yield from _compare(seed, text, checked, typed, people, evaluator, forms)


def _compare(
    seed: int,
    text: str,
    checked: Expression,
    typed: list[Person],
    people: list[Person],
    evaluator: Evaluator,
    forms: list[Any],
) -> Iterator[str]:
    for name, form in zip(("complete", "fast"), forms, strict=True):
        for i, (profile, events) in enumerate(typed):
            try:
                expected = write_value(evaluator.evaluate(checked.ir, profile, events, NOW))
            except OutOfRange:
                return
            got = form if isinstance(form, str) else write_value(form[i])
            if not same(got, expected):
                yield f"seed {seed} {name}\n  {text}\n  sql: {got!r}\n  plain: {expected!r}\n  person: {people[i]}"
                break


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--cases", type=int, default=10_000, help="expressions, each over several people")
    options.add_argument("--minutes", type=float, default=0)
    given = options.parse_args()
    started, found, cases, seed = time.monotonic(), 0, 0, given.seed
    while cases < given.cases and (not given.minutes or time.monotonic() - started < given.minutes * 60):
        for difference in differences(seed):
            found += 1
            print(difference, flush=True)
        seed, cases = seed + 1, cases + TEXTS
    print(f"{cases} expressions over {PEOPLE} people each, seeds {given.seed} to {seed - 1}: {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
