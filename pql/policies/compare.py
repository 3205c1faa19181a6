"""What a change of labels, policies, segments, mappings or merge policies would stop or allow. Read `compare`.

Both sides are judged anew from their files; nothing is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass

from pql.policies.govern import Decision, Governed
from pql.policies.report import message, trail_words


@dataclass(frozen=True)
class Change:
    """`kind`: stopped, refused (new, and forbidden), allowed, reason (forbidden before and after, by other policies), new or gone. `use`: the destination, or the
    purpose."""

    kind: str
    segment: str
    use: str
    why: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()


def compare(old: Governed, new: Governed) -> tuple[Change, ...]:
    """Over all segments, purposes and destinations: what becomes forbidden first."""
    before, after = _decisions(old), _decisions(new)
    found = [c for key in after for c in _one(key, before.get(key), after[key])]
    found += [Change("gone", *key) for key in before if key not in after]
    order = {"stopped": 0, "refused": 1, "allowed": 2, "reason": 3, "new": 4, "gone": 5}
    return tuple(sorted(found, key=lambda c: order[c.kind]))


def _decisions(governed: Governed) -> dict[tuple[str, str], Decision]:
    return {(d.segment, d.destination or f"purpose {d.actions[0]}"): d for d in governed.decisions}


def _one(key: tuple[str, str], old: Decision | None, new: Decision) -> list[Change]:
    reasons, trail = _why(new)
    if old is None:
        return [Change("new" if new.allowed else "refused", *key, reasons, trail)]
    if old.allowed and not new.allowed:
        return [Change("stopped", *key, reasons, trail)]
    if not old.allowed and new.allowed:
        before, _ = _why(old)
        return [Change("allowed", *key, tuple(f"no longer: {r}" for r in before))]
    if {v.policy.name for v in old.violations} != {v.policy.name for v in new.violations}:
        return [Change("reason", *key, reasons, trail)]
    return []


def _why(decision: Decision) -> tuple[tuple[str, ...], tuple[str, ...]]:
    reasons = [message(v) for v in decision.violations]
    reasons += [f"the labels of `{id}` are not known" for id in decision.unknown]
    trails = dict.fromkeys(trail_words(c) for v in decision.violations for c in v.trail)
    return tuple(reasons), tuple(trails)
