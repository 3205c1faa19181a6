"""What would make a violation go away: each way is tried, by judging the changed segment or destination, before it is offered.

Read `ways_out`. A way is offered when this policy is then no longer violated and no other is that was not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pql.ir import nodes as ir
from pql.policies.carrying import Carried
from pql.policies.following import Edit, Following
from pql.policies.judge import Judge, Subject, Violation
from pql.policies.pruning import Cut, prune

OFFERED_MOST = 6


@dataclass(frozen=True)
class WayOut:
    """`kind`: segment, mapping, segment and mapping, action or merge policy. `drop`: paths or targets (`→target`) that are left out;
    `instead`: the actions (any of them) or the merge policy to take. `edits`: the changes of files that follow it; none where no change of
    the segment's own text would do, as where a part of a definition is to go."""

    kind: str
    words: str
    drop: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = field(default=(), compare=False)


def ways_out(judge: Judge, violation: Violation, actions: Sequence[str]) -> tuple[WayOut, ...]:
    """The ways that work, those that change least first. `actions`: all that the subject is judged for."""
    before = {v.policy.id for v in judge.violations(violation.subject, actions)}

    def works(subject: Subject, for_: Sequence[str]) -> bool:
        after = {v.policy.id for v in judge.violations(subject, for_)}
        return violation.policy.id not in after and after <= before

    following = Following(judge, violation.subject, lambda subject: works(subject, actions))
    found: list[WayOut] = []
    for candidate, subject, for_, cuts in _candidates(judge, violation, actions):
        if any(w.drop and set(w.drop) <= set(candidate.drop) for w in found) and candidate.drop:
            continue
        if works(subject, for_):
            found.append(replace(candidate, edits=_edits(following, violation, candidate, cuts)))
    return tuple(dict.fromkeys(found))[:OFFERED_MOST]


def _edits(following: Following, violation: Violation, way: WayOut, cuts: Sequence[Cut]) -> tuple[Edit, ...]:
    if way.kind == "action":
        return following.other_action(violation.actions, way.instead[0])
    if way.kind == "merge policy":
        return following.other_merge_policy(way.instead[0])
    targets = frozenset(d.removeprefix("→") for d in way.drop if d.startswith("→"))
    return following.without(cuts, any(not d.startswith("→") for d in way.drop), targets)


Candidate = tuple[WayOut, Subject, Sequence[str], Sequence[Cut]]


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
            cuts: list[Cut] = []
            changed = _without(judge, subject, paths, targets, cuts)
            if changed is not None:
                yield _drop_words(violation, paths, targets), changed, actions, cuts


def _paths(carried: Sequence[Carried]) -> frozenset[str]:
    own = [c for c in carried if c.part == "rule"]
    return frozenset(c.path or "segment " + c.steps[-1].name for c in own if c.path or c.steps)


def _targets(carried: Sequence[Carried]) -> frozenset[str]:
    return frozenset(c.steps[0].name for c in carried if c.part == "export" and c.steps)


def _without(
    judge: Judge, subject: Subject, paths: frozenset[str], targets: frozenset[str], cuts: list[Cut]
) -> Subject | None:
    condition = subject.condition
    if paths:
        pruned = prune(subject.condition, judge, paths, cuts)
        if pruned is None or pruned == ir.TRUE:
            return None
        condition = pruned
    exports = tuple(e for e in subject.exports if e.row.target not in targets)
    if targets and not exports and subject.exports and len(subject.exports) == len(targets) and not subject.destination:
        return None
    return replace(subject, condition=condition, exports=exports)


def _drop_words(violation: Violation, paths: frozenset[str], targets: frozenset[str]) -> WayOut:
    subject = violation.subject
    segments = sorted(p.removeprefix("segment ") for p in paths if p.startswith("segment "))
    fields = sorted(p for p in paths if not p.startswith("segment "))
    said = []
    own = [c for c in violation.trail if c.part == "rule" and c.path in fields and c.steps]
    inside = dict.fromkeys(c.steps[0].name for c in own if c.steps[0].kind == "segment")
    here = sorted({c.path for c in own if c.steps[0].kind != "segment"})
    if here:
        steps = (c.steps[0] for c in own if c.steps[0].kind not in ("field", "segment"))
        through = dict.fromkeys(f"the {s.kind} `{s.name}`" for s in steps)
        said.append(
            f"leave out of the segment what reads {_and(here)}"
            + (f" (through {', '.join(through)})" if through else "")
        )
    if inside:
        read = sorted({c.path for c in own if c.steps[0].kind == "segment"})
        said.append(f"leave out the reference to the segment {_and(list(inside))}, which reads {_and(read)}")
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
            yield WayOut("merge policy", words, instead=(name,)), changed, actions, ()


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
        yield WayOut("action", words, instead=tuple(shown)), subject, [*rest, shown[0]], ()


def _or(names: Sequence[str]) -> str:
    words = [f"`{n}`" for n in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
