"""Paths of variables: which parts of a bound element an expression reads. Must not know any engine. Read `paths`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set

from pql.ir import nodes as ir
from pql.ir.walk import bound_variables, parts, rebuild


def root(e: ir.Expr) -> int | None:
    """The variable that a plain path begins with; None for any other expression."""
    while isinstance(e, ir.Field):
        e = e.object
    return e.id if isinstance(e, ir.Var) else None


def paths(e: ir.Expr, variables: Set[int]) -> Iterator[ir.Expr]:
    """The longest paths that begin with one of the variables; the variable itself where it is used whole.

    A variable that is bound inside is another one of the same number: an excluded step's tests may bind the number of a later step.
    """
    yield from _paths(e, variables - set(bound_variables(e)))


def _paths(e: ir.Expr, variables: Set[int]) -> Iterator[ir.Expr]:
    if root(e) in variables:
        yield e
    else:
        for part in parts(e):
            yield from _paths(part, variables)


def replace_paths(e: ir.Expr, change: Callable[[ir.Expr], ir.Expr | None]) -> ir.Expr:
    """The expression with its longest paths changed; None keeps one."""
    if root(e) is not None:
        return change(e) or e
    result: ir.Expr = rebuild(e, lambda n: replace_paths(n, change))
    return result


def replace_variables(e: ir.Expr, by: Mapping[int, ir.Expr]) -> ir.Expr:
    """The expression with several variables replaced at once."""
    if isinstance(e, ir.Var):
        return by.get(e.id, e)
    result: ir.Expr = rebuild(e, lambda n: replace_variables(n, by))
    return result


def step_parts(step: ir.Step) -> tuple[ir.Expr, ...]:
    """What a chain's step looks at."""
    return (step.match, step.window) if step.closes is None else (step.match, step.window, step.closes)


def must_bind(step: ir.Step) -> bool:
    """Does the step bind at least one element wherever it holds?"""
    if step.excluded:
        return False
    return step.op == "all" or step.op in (">=", "=", "between") and step.low > 0


def may_pend(chain: ir.Chain, at: int) -> tuple[int, ...]:
    """Positions of excluded steps before `at` with, perhaps, no bound step between."""
    found: list[int] = []
    for i, step in enumerate(chain.steps[:at]):
        found = [*found, i] if step.excluded else [] if must_bind(step) else found
    return tuple(found)


def carried(chain: ir.Chain, at: int) -> tuple[ir.Expr, ...]:
    """The paths of steps before `at` that steps from `at` on, or excluded steps still pending, read."""
    earlier = {s.var for s in chain.steps[:at] if not s.excluded}
    reading = [*(chain.steps[i] for i in may_pend(chain, at)), *chain.steps[at:]]
    return tuple(dict.fromkeys(p for s in reading for part in step_parts(s) for p in paths(part, earlier)))
