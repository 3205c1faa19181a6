"""What was accepted when activation was last asked for, and what has changed since. Read `standings`, then `since`.

It is for telling people and services what stopped and why. It never allows anything: decisions are made anew from the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pql.ir.english import sentence
from pql.policies.consent import Consents
from pql.policies.evaluation import Unknown
from pql.policies.expression import words
from pql.policies.govern import Decision, Governed
from pql.policies.judge import Judge, Subject
from pql.policies.report import message, trail_words

FORM = 1
BYTES_MOST = 50_000_000
Key = tuple[str, str]
"""Segment, and the destination or `purpose <action>`."""


@dataclass(frozen=True)
class Standing:
    """One decision. `why`: what refuses it; `basis`: what it rests on, as lists of words by kind, for telling what has changed."""

    allowed: bool
    why: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    basis: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """`kind`: stopped, refused (new, and forbidden), allowed, reason (forbidden before and after, by other policies), consent (allowed before
    and after, to other people), new or gone. `use`: the destination, or the purpose. `because`: what differs in what it rests on."""

    kind: str
    segment: str
    use: str
    why: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


ORDER = ("stopped", "refused", "allowed", "reason", "consent", "new", "gone")


def standings(governed: Governed) -> dict[Key, Standing]:
    """Where every segment and use of a project stands."""
    consents = Consents(governed.judge)
    return {
        (d.segment, d.destination or f"purpose {d.actions[0]}"): _standing(governed, consents, d)
        for d in governed.decisions
    }


def since(before: Mapping[Key, Standing], after: Mapping[Key, Standing]) -> tuple[Change, ...]:
    """Over all segments, purposes and destinations: what becomes forbidden first."""
    found = [c for key in after for c in _one(key, before.get(key), after[key])]
    found += [Change("gone", *key) for key in before if key not in after]
    return tuple(sorted(found, key=lambda c: ORDER.index(c.kind)))


def _one(key: Key, old: Standing | None, new: Standing) -> list[Change]:
    if old is None:
        return [Change("new" if new.allowed else "refused", *key, new.why, new.trail)]
    because = _differences(old.basis, new.basis)
    if old.allowed and not new.allowed:
        return [Change("stopped", *key, new.why, new.trail, because)]
    if not old.allowed and new.allowed:
        return [Change("allowed", *key, tuple(f"no longer: {w}" for w in old.why), (), because)]
    if not new.allowed and set(old.why) != set(new.why):
        return [Change("reason", *key, new.why, new.trail, because)]
    if new.allowed and old.consents != new.consents:
        left = ", ".join(new.consents)
        said = f"left to those with {left}" if left else "no consent policy applies any more"
        return [Change("consent", *key, (said,), (), because)]
    return []


NAMES = {"labels": "label", "actions": "marketing action", "fields": "mapped field", "policies": "policy", "consent": "consent policy",
         "merge": "merge policy", "exemptions": "exemption"}  # fmt: skip


def _differences(old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    found = [f"new {NAMES[k]}: {w}" for k in NAMES for w in new.get(k, ()) if w not in old.get(k, ())]
    found += [f"{NAMES[k]} no longer: {w}" for k in NAMES for w in old.get(k, ()) if w not in new.get(k, ())]
    if old.get("rule") != new.get("rule"):
        found.append("the rule of the segment, or of one that it refers to, is another")
    return tuple(found)


# --- what a decision rests on ---
def _standing(governed: Governed, consents: Consents, decision: Decision) -> Standing:
    judge = governed.judge
    segment = judge.project.segments.get(decision.segment)
    reasons = [message(v) for v in decision.violations] + [f"`{name}` is not known" for name in decision.unknown]
    if not judge.governance.sound:
        reasons.append("the governance files have errors")
    if segment is None or not segment.ok:
        return Standing(False, tuple(reasons))
    place = judge.governance.destinations.get(decision.destination)
    subject = judge.activation(segment.id, place) if place is not None else judge.segment(segment.id)
    audience = consents.audience(subject, decision.actions)
    trail = tuple(dict.fromkeys(trail_words(c) for v in decision.violations for c in v.trail))
    basis = _basis(judge, subject, decision)
    basis["consent"] = tuple(f"`{c.name}`: {' '.join(c.source.text.split())}" for c in audience.consents)
    return Standing(not reasons, tuple(reasons), trail, tuple(c.name for c in audience.consents), basis)


def _basis(judge: Judge, subject: Subject, decision: Decision) -> dict[str, tuple[str, ...]]:
    carried = judge.carried(subject)
    labels = dict.fromkeys(f"`{c.label}` on the {c.origin.kind} `{c.origin.name or 'default'}`" for c in carried)
    merges = {m.name: m for m in (subject.merge, subject.export_merge) if m is not None and m.name}
    policies = [
        p
        for p in judge.governance.active(judge.drafts)
        if set(p.actions) & set(decision.actions) or (p.hard and subject.destination is not None)
    ]
    return {
        "labels": tuple(sorted(labels)),
        "actions": tuple(f"`{a}`" for a in decision.actions),
        "fields": tuple(f"`{e.row.target}` from `{e.row.source}`" for e in subject.exports),
        "policies": tuple(f"`{p.name}`, version {p.version}, denies {words(p.deny)}" for p in policies),
        "merge": tuple(f"`{m.name}`, graph {m.graph}, {_datasets(m.order)}" for m in merges.values()),
        "exemptions": tuple(f"`{e.policy}` until {e.until.isoformat()}, by {e.approved_by}" for _, e in decision.exempt),
        "rule": (_digest(judge, subject),),
    }  # fmt: skip


def _datasets(order: tuple[str, ...] | None) -> str:
    return "all datasets" if order is None else "datasets " + ", ".join(order)


def _digest(judge: Judge, subject: Subject) -> str:
    """Of what the rule says, with the segments that it refers to."""
    conditions = judge.project.conditions
    said = [
        sentence(subject.condition),
        *(f"{i}: {sentence(conditions[i])}" for i in judge.carrier.segments_in(subject.condition)),
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


# --- the file ---
def accepted_json(found: Mapping[Key, Standing]) -> dict[str, Any]:
    rows = [
        {"segment": s, "use": u, "allowed": x.allowed, "why": list(x.why), "trail": list(x.trail), "consents": list(x.consents),
         "basis": {k: list(v) for k, v in x.basis.items()}}
        for (s, u), x in found.items()
    ]  # fmt: skip
    return {"form": FORM, "activations": rows}


def read_accepted(path: Path) -> dict[Key, Standing]:
    """What was accepted. Raises Unknown (PQL0552) where the file is not what was written: nothing is taken for accepted then."""
    try:
        if path.stat().st_size > BYTES_MOST:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["form"] != FORM:
            raise ValueError("another form")
        return {(_text(r["segment"]), _text(r["use"])): _read(r) for r in data["activations"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        help = "it is written by `pql policy enforce`; take it out to begin anew"
        raise Unknown("PQL0552", f"`{path}` is not what was accepted", help) from None


def _read(row: Mapping[str, Any]) -> Standing:
    basis = {_text(k): _texts(v) for k, v in row["basis"].items()}
    return Standing(row["allowed"] is True, _texts(row["why"]), _texts(row["trail"]), _texts(row["consents"]), basis)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("no list")
    return tuple(_text(v) for v in value)
