"""The plan of an expression in words: which relations it is answered from. Read `describe_plan`."""

from __future__ import annotations

from collections.abc import Callable

from pql.clock import Settings
from pql.compiler.groups import make_groups
from pql.compiler.layout import Layout
from pql.compiler.leaves import AnyLeaf, Leaf, LinkLeaf, is_events
from pql.compiler.outcomes import leaf_names, profile_reads
from pql.compiler.plan import rewrite
from pql.compiler.rows import Unfit, choose, type_of
from pql.ir import nodes as ir
from pql.ir.walk import walk


def describe_plan(e: ir.Expr, layout: Layout, settings: Settings, segment: Callable[[str], ir.Expr]) -> list[str]:
    """One line a step: scans, what is grouped or joined, and what is left to the complete form."""
    if not layout.indexed:
        return [
            f"scan {layout.profile.name}",
            f"gather the events of each profile from {layout.events[0].name}",
            "evaluate with list functions",
        ]
    try:
        (rest,), leaves = rewrite([e], layout, settings, segment)
    except Unfit:
        return ["gather all events of each profile", "evaluate with list functions"]
    lines = []
    for group in make_groups(leaves):
        lines += [_leaf(leaf, layout) for leaf in group.leaves.values()]
    names = leaf_names(rest)
    if profile_reads(rest) or not names:
        lines.append(f"scan {layout.profile.name} for attributes")
    if any(is_events(n) for n in walk(rest)):
        lines.append(f"gather the events of each profile from {layout.events[0].name} for what has no faster form")
    if len(names) > 1 or names and profile_reads(rest):
        lines.append("combine by profile")
    return lines


def _leaf(leaf: AnyLeaf, layout: Layout) -> str:
    kind = type_of(leaf.tests)
    levels = leaf.levels if not isinstance(leaf, LinkLeaf) else ()
    try:
        table = choose(layout, levels, leaf.tests, kind is not None, False).table.name
    except Unfit:
        table = layout.events[0].name
    rows = f"scan {table}" + (f" for type `{kind}`" if kind else "")
    if isinstance(leaf, LinkLeaf):
        return f"{rows}, look up the nearest of {len(leaf.links)} other kind{'s' if len(leaf.links) != 1 else ''} of event (ASOF join)"
    if isinstance(leaf, Leaf):
        return f"{rows}, {leaf.function} a profile"
    return f"{rows}, groups of a profile, then the best of them"
