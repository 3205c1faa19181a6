"""A condition without the parts that read something: as a tree, and as the text with those parts cut out. Read `prune`, then `spliced`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pql.ir import nodes as ir
from pql.ir.lineage import reads
from pql.ir.walk import parts, rebuild
from pql.policies.judge import Judge
from pql.source import Span


@dataclass(frozen=True)
class Cut:
    """Operands of one `and` or `or`, in the order of the text, and which of them were left out."""

    operands: tuple[Span, ...]
    out: frozenset[int]


def prune(e: ir.Expr, judge: Judge, paths: frozenset[str], cuts: list[Cut] | None = None) -> ir.Expr | None:
    """The condition without the parts that read one of the paths (or refer to one of the segments); None when nothing is left.
    `cuts`: gets what was left out."""
    if not _touches(e, judge, paths):
        return e
    if isinstance(e, ir.And | ir.Or):
        left = [prune(o, judge, paths, cuts) for o in e.operands]
        kept = [p for p in left if p is not None]
        if not kept:
            return None
        if cuts is not None and len(kept) < len(left):
            cuts.append(Cut(tuple(o.span for o in e.operands), frozenset(i for i, p in enumerate(left) if p is None)))
        return kept[0] if len(kept) == 1 else replace(e, operands=tuple(kept))
    if isinstance(e, ir.Not):
        inner = prune(e.operand, judge, paths, cuts)
        return None if inner is None else replace(e, operand=inner)
    if isinstance(e, ir.Filter | ir.Exists) and not _touches(e.list, judge, paths) and isinstance(e.condition, ir.And):
        kept_condition = prune(e.condition, judge, paths, cuts)
        return None if kept_condition is None else replace(e, condition=kept_condition)
    if isinstance(e, ir.Compare | ir.Truth | ir.Call | ir.Aggregate | ir.Transform | ir.Exists | ir.ForAll):
        return _around(e, judge, paths, cuts)
    return None


def _around(e: ir.Expr, judge: Judge, paths: frozenset[str], cuts: list[Cut] | None) -> ir.Expr | None:
    """A test or value around a filter: the filter's condition may lose a part."""
    lost = False

    def change(n: ir.Expr) -> ir.Expr:
        nonlocal lost
        if not _touches(n, judge, paths):
            return n
        if isinstance(n, ir.Filter | ir.Transform | ir.Aggregate | ir.Call):
            inner = prune(n, judge, paths, cuts)
            if inner is not None:
                return inner
        lost = True
        return n

    changed: ir.Expr = rebuild(e, change)
    return None if lost or changed is e else changed


def _touches(e: ir.Expr, judge: Judge, paths: frozenset[str]) -> bool:
    """Does anything below read one of the paths? Variables' paths are worked out from the whole, so fields go by their name too."""
    wanted = {p.removeprefix("segment ") for p in paths if p.startswith("segment ")}
    if isinstance(e, ir.InSegment):
        own = reads(e, judge.project.conditions)
        return e.segment in wanted or any(r.path in paths or wanted & set(r.via) for r in own)
    if isinstance(e, ir.Field):
        tail = _tail(e)
        if any(p == tail or p.endswith("." + tail) or tail == p for p in paths):
            return True
        if tail.startswith("xEvent") and "xEvent" in paths:
            return True
    if (
        isinstance(e, ir.Call)
        and e.function == "get"
        and any(p.split(".")[0] in ("identityMap", "segmentMembership") for p in paths)
    ):
        if any(r.path in paths for r in reads(e, judge.project.conditions)):
            return True
    return any(_touches(p, judge, paths) for p in parts(e))


def _tail(e: ir.Field) -> str:
    names = [e.name]
    inner = e.object
    while isinstance(inner, ir.Field):
        names.append(inner.name)
        inner = inner.object
    return ".".join(reversed(names))


def spliced(text: str, span: Span, cuts: Sequence[Cut]) -> str:
    """What stands at `span` of a text, without the operands that were cut, their parentheses and the words that joined them."""
    out = sorted({g for cut in cuts for g in _gaps(text, span, cut)}, key=lambda g: (g[0], -g[1]))
    kept, at = [], span.start
    for start, end in out:
        if start >= at:
            kept.append(text[at:start])
        at = max(at, end)
    return "".join([*kept, text[at : span.end]]).strip()


def _gaps(text: str, whole: Span, cut: Cut) -> Iterator[tuple[int, int]]:
    around = [_with_parentheses(text, whole, s) for s in cut.operands]
    for i in sorted(cut.out):
        if any(k not in cut.out for k in range(i)):
            yield around[i - 1][1], around[i][1]
        elif i + 1 < len(around):
            yield around[i][0], around[i + 1][0]


def _with_parentheses(text: str, whole: Span, span: Span) -> tuple[int, int]:
    start, end = span.start, span.end
    while True:
        before, after = len(text[:start].rstrip()) - 1, end + len(text[end:]) - len(text[end:].lstrip())
        if before < whole.start or after >= whole.end or text[before] != "(" or text[after] != ")":
            return start, end
        start, end = before, after + 1
