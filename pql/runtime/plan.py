"""A plan: segments made ready to be kept up to date live. Pure, immutable, shared by all profiles and engines.

Must not know inputs or state. Read `make_plan`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from pql.clock import Zone
from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime.attributes import Computed, computed
from pql.runtime.cost import Cost, Traffic, cost_of, kind_of
from pql.runtime.network import Network, make_network
from pql.xdm.schema import Schema

FORM = 4
"""The form of plans and of the state that engines keep for them; another form refuses the state."""


@dataclass(frozen=True)
class Root:
    """A segment whose transitions are wanted."""

    segment: str
    condition: ir.Expr
    version: str


@dataclass(frozen=True, eq=False)
class Plan:
    """`roots` in the order of judging; `attributes` in the order of telling. `fingerprint` names the plan: two plans of one fingerprint read each other's state."""

    roots: tuple[Root, ...]
    conditions: Mapping[str, ir.Expr]
    schema: Schema
    zone: Zone
    fingerprint: str
    network: Network
    index: Mapping[str, int] = field(default_factory=dict)
    attributes: tuple[Computed, ...] = ()

    def cost(self, segment: str | None = None, traffic: Traffic | None = None, attribute: str | None = None) -> Cost:
        """What keeping a segment, an attribute, or the whole plan, will cost: see `cost_of`."""
        return cost_of(self, segment, traffic, attribute)

    def unbounded(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The segments, and the attributes, that keep every event for good: those of the class `history`."""
        kinds = [kind_of(leaf) for leaf in self.network.leaves]
        below = zip(self.roots, self.network.below, strict=True)
        segments = (root.segment for root, numbers in below if any(kinds[n] == "history" for n in numbers))
        return tuple(segments), tuple(a.name for a in self.attributes if kind_of(a) == "history")


def make_plan(
    conditions: Mapping[str, ir.Expr],
    schema: Schema,
    zone: Zone | None = None,
    wanted: Iterable[str] | None = None,
    attributes: Mapping[str, ir.Expr] | None = None,
) -> Plan:
    """A plan for segments given as id → condition, a test over the profile. `wanted`: the ids whose transitions are wanted (all when
    left out); the others may be referred to by `inSegment`. `attributes`: name → value, those whose changes are wanted. Raises PlanError."""
    zone = zone or Zone()
    ids = list(conditions) if wanted is None else list(wanted)
    roots = tuple(Root(id, conditions[id], version_of(id, conditions, zone)) for id in ids)
    kept = tuple(
        computed(name, value, version_of("", {**conditions, "": value}, zone), conditions, zone)
        for name, value in (attributes or {}).items()
    )
    named = [*(f"{r.segment} {r.version}" for r in roots), *(f"attribute {a.name} {a.version}" for a in kept)]
    text = "\n".join([f"form {FORM}", zone.name, zone.week_start, *named])
    network = make_network([r.condition for r in roots], conditions, zone, kept)
    index = {r.segment: i for i, r in enumerate(roots)}
    return Plan(roots, dict(conditions), schema, zone, _hash(text), network, index, kept)


def version_of(segment: str, conditions: Mapping[str, ir.Expr], zone: Zone) -> str:
    """The fingerprint of what a segment means: its condition, those of the segments it refers to, and the calendar."""
    seen: dict[str, str] = {}

    def add(id: str) -> None:
        if id in seen or id not in conditions:
            return
        seen[id] = canonical(conditions[id])
        for node in walk(conditions[id]):
            if isinstance(node, ir.InSegment):
                add(node.segment)

    add(segment)
    parts = [seen.pop(segment, ""), *(f"{id} {seen[id]}" for id in sorted(seen)), zone.name, zone.week_start]
    return _hash("\n".join(parts))


def canonical(node: Any) -> str:
    """The IR as text that is the same in every process: spans and labels, which take no part in meaning, left out."""
    if isinstance(node, tuple):
        return "(" + ",".join(map(canonical, node)) + ")"
    if is_dataclass(node) and not isinstance(node, type):
        parts = (f"{f.name}={canonical(getattr(node, f.name))}" for f in fields(node) if f.compare and f.repr)
        return f"{type(node).__name__}({','.join(parts)})"
    return repr(node)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
