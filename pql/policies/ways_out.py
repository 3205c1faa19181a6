"""What would make a violation go away: each way is tried, by judging the changed segment or destination, before it is offered.

Read `ways_out`. A way is offered when this policy is then no longer violated and no other is that was not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pql.ir import nodes as ir
from pql.ir.lineage import reads
from pql.ir.walk import parts, rebuild
from pql.policies.carrying import Carried
from pql.policies.judge import Judge, Subject, Violation

OFFERED_MOST = 6


@dataclass(frozen=True)
class WayOut:
    """`kind`: segment, mapping, segment and mapping, action or merge policy. `drop`: paths or targets that are left out;
    `instead`: the action or merge policy to take."""

    kind: str
    words: str
    drop: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def ways_out(judge: Judge, violation: Violation, actions: Sequence[str]) -> tuple[WayOut, ...]:
    """The ways that work, those that change least first. `actions`: all that the subject is judged for."""
    before = {v.policy.id for v in judge.violations(violation.subject, actions)}

    def works(subject: Subject, for_: Sequence[str]) -> bool:
        after = {v.policy.id for v in judge.violations(subject, for_)}
        return violation.policy.id not in after and after <= before

    found: list[WayOut] = []
    for candidate, subject, for_ in _candidates(judge, violation, actions):
        if (
            not any(set(w.drop) <= set(candidate.drop) and w.drop and w.kind != "action" for w in found)
            or not candidate.drop
        ):
            if works(subject, for_):
                found.append(candidate)
    return tuple(dict.fromkeys(found))[:OFFERED_MOST]


Candidate = tuple[WayOut, Subject, Sequence[str]]


def _candidates(judge: Judge, violation: Violation, actions: Sequence[str]) -> Iterator[Candidate]:
    yield from _dropping(judge, violation, actions)
    yield from _merging(judge, violation, actions)
    yield from _acting(judge, violation, actions)


# --- leaving fields out ---
def _dropping(judge: Judge, violation: Violation, actions: Sequence[str]) -> Iterator[Candidate]:
    """Fewest first: one exported field, one field of the rule; all that carry one label; all that carry any."""
    subject = violation.subject
    groups: list[tuple[frozenset[str], frozenset[str]]] = []
    rule = [c for c in violation.trail if c.part == "rule" and c.origin.kind != "merge policy"]
    export = [c for c in violation.trail if c.part == "export" and c.steps]
    for target in dict.fromkeys(c.steps[0].name for c in export):
        groups.append((frozenset(), frozenset({target})))
    for path in dict.fromkeys(c.path or "segment " + c.steps[-1].name for c in rule if c.path or c.steps):
        groups.append((frozenset({path}), frozenset()))
    for reason in violation.reasons:
        mine = [c for c in reason.carried if c.origin.kind != "merge policy"]
        groups.append((_paths(mine), frozenset()))
        groups.append((frozenset(), _targets(mine)))
        groups.append((_paths(mine), _targets(mine)))
    groups.append((_paths(rule), _targets(export)))
    for paths, targets in dict.fromkeys(groups):
        if paths or targets:
            changed = _without(judge, subject, paths, targets)
            if changed is not None:
                yield _drop_words(violation, paths, targets), changed, actions


def _paths(carried: Sequence[Carried]) -> frozenset[str]:
    own = [c for c in carried if c.part == "rule"]
    return frozenset(c.path or "segment " + c.steps[-1].name for c in own if c.path or c.steps)


def _targets(carried: Sequence[Carried]) -> frozenset[str]:
    return frozenset(c.steps[0].name for c in carried if c.part == "export" and c.steps)


def _without(judge: Judge, subject: Subject, paths: frozenset[str], targets: frozenset[str]) -> Subject | None:
    condition = subject.condition
    if paths:
        pruned = prune(subject.condition, judge, paths)
        if pruned is None or pruned == ir.TRUE:
            return None
        condition = pruned
    exports = tuple(e for e in subject.exports if e.row.target not in targets)
    if targets and not exports and subject.exports and len(subject.exports) == len(targets) and not subject.destination:
        return None
    return replace(subject, condition=condition, exports=exports)


def prune(e: ir.Expr, judge: Judge, paths: frozenset[str]) -> ir.Expr | None:
    """The condition without the parts that read one of the paths (or refer to one of the segments); None when nothing is left."""
    if not _touches(e, judge, paths):
        return e
    if isinstance(e, ir.And | ir.Or):
        kept = [p for o in e.operands if (p := prune(o, judge, paths)) is not None]
        if not kept:
            return None
        return kept[0] if len(kept) == 1 else replace(e, operands=tuple(kept))
    if isinstance(e, ir.Not):
        inner = prune(e.operand, judge, paths)
        return None if inner is None else replace(e, operand=inner)
    if isinstance(e, ir.Filter | ir.Exists) and not _touches(e.list, judge, paths) and isinstance(e.condition, ir.And):
        kept_condition = prune(e.condition, judge, paths)
        return None if kept_condition is None else replace(e, condition=kept_condition)
    if isinstance(e, ir.Compare | ir.Truth | ir.Call | ir.Aggregate | ir.Transform | ir.Exists | ir.ForAll):
        return _around(e, judge, paths)
    return None


def _around(e: ir.Expr, judge: Judge, paths: frozenset[str]) -> ir.Expr | None:
    """A test or value around a filter: the filter's condition may lose a part."""
    lost = False

    def change(n: ir.Expr) -> ir.Expr:
        nonlocal lost
        if not _touches(n, judge, paths):
            return n
        if isinstance(n, ir.Filter | ir.Transform | ir.Aggregate | ir.Call):
            inner = prune(n, judge, paths)
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


def _drop_words(violation: Violation, paths: frozenset[str], targets: frozenset[str]) -> WayOut:
    subject = violation.subject
    segments = sorted(p.removeprefix("segment ") for p in paths if p.startswith("segment "))
    fields = sorted(p for p in paths if not p.startswith("segment "))
    said = []
    if fields:
        own = [c for c in violation.trail if c.part == "rule" and c.path in paths and c.steps]
        through = dict.fromkeys(f"the {c.steps[0].kind} `{c.steps[0].name}`" for c in own if c.steps[0].kind != "field")
        said.append(
            f"leave out of the segment what reads {_and(fields)}"
            + (f" (through {', '.join(through)})" if through else "")
        )
    if segments:
        said.append(f"leave out the reference to {_and(segments)}")
    if targets:
        name = subject.destination.id if subject.destination else ""
        said.append(f"do not map {_and(sorted(targets))} to `{name}`")
    kind = "segment and mapping" if paths and targets else "segment" if paths else "mapping"
    return WayOut(kind, " and ".join(said), tuple(sorted(paths | {f"→{t}" for t in targets})))


def _and(names: Sequence[str]) -> str:
    words = [f"`{n}`" for n in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


# --- another merge policy, another action ---
def _merging(judge: Judge, violation: Violation, actions: Sequence[str]) -> Iterator[Candidate]:
    subject = violation.subject
    for name, merge in judge.governance.merge_policies.items():
        if name != subject.merge.name:
            changed = replace(subject, merge=merge, export_merge=merge if subject.exports else subject.export_merge)
            where = f"in the segment{' and the destination' if subject.exports and subject.destination and subject.destination.merge_policy else ''}"
            words = f"use the merge policy `{name}`: `mergePolicy: {name}` {where}"
            yield WayOut("merge policy", words, instead=(name,)), changed, actions


def _acting(judge: Judge, violation: Violation, actions: Sequence[str]) -> Iterator[Candidate]:
    """Other marketing actions in place of those that the policy concerns, offered together."""
    if not violation.actions:
        return
    subject = violation.subject
    rest = [a for a in actions if a not in violation.actions]
    allowed = [
        a for a in judge.governance.actions
        if a not in actions and not judge.violations(subject, [*rest, a])
    ]  # fmt: skip
    if allowed:
        where = f"in the destination `{subject.destination.id}`" if subject.destination else "as the segment's purpose"
        shown = allowed[:4]
        words = f"if it is meant for something else, say so {where}: {_or(shown)} would be allowed"
        yield WayOut("action", words, instead=tuple(shown)), subject, [*rest, shown[0]]


def _or(names: Sequence[str]) -> str:
    words = [f"`{n}`" for n in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
