"""Does a state belong to a plan, and what differs if not. Read `belongs`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pql.ir.lineage import labels, lineage
from pql.runtime.plan import Plan
from pql.streams.errors import StreamError
from pql.streams.state import Kept, State


@dataclass(frozen=True)
class Difference:
    """Segment ids, and names of attributes: what a hand-over has to do. `resumed` were paused before, `paused` were not."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    added_attributes: tuple[str, ...] = ()
    changed_attributes: tuple[str, ...] = ()
    removed_attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = (
            (self.added, "new"),
            (self.changed, "changed"),
            (self.removed, "removed"),
            (self.paused, "paused"),
            (self.resumed, "resumed"),
        )
        said = [f"{_named(ids)} {'is' if len(ids) == 1 else 'are'} {word}" for ids, word in parts if ids]
        values = (
            (self.added_attributes, "new"),
            (self.changed_attributes, "changed"),
            (self.removed_attributes, "removed"),
        )
        for ids, word in values:
            if ids:
                said.append(f"attribute{'s' * (len(ids) > 1)} {_named(ids)} {'is' if len(ids) == 1 else 'are'} {word}")
        return ", ".join(said) or "the calendar or the order of definitions is another"


def _named(ids: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{i}`" for i in ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"


def kept_of(plan: Plan, paused: Iterable[str] = ()) -> Kept:
    """What a state keeps of its plan."""
    reads = []
    for a in plan.attributes:
        paths = {r.path for r in lineage(a.value, plan.conditions)}
        reads.append((a.name, tuple(sorted(labels(a.value, plan.conditions))), tuple(sorted(paths))))
    segments = tuple((r.segment, r.version) for r in plan.roots)
    attributes = tuple((a.name, a.version) for a in plan.attributes)
    return Kept(plan.fingerprint, segments, tuple(sorted(paused)), attributes, tuple(reads))


def difference(before: Kept, after: Kept) -> Difference:
    old, new = dict(before.segments), dict(after.segments)
    had, has = dict(before.attributes), dict(after.attributes)
    return Difference(
        tuple(s for s in new if s not in old and s not in before.paused),
        tuple(s for s in new if s in old and old[s] != new[s]),
        tuple(s for s in (*old, *before.paused) if s not in new and s not in after.paused),
        tuple(s for s in after.paused if s in old),
        tuple(s for s in new if s in before.paused),
        tuple(a for a in has if a not in had),
        tuple(a for a in has if a in had and had[a] != has[a]),
        tuple(a for a in had if a not in has),
    )


def bounded(plan: Plan) -> None:
    """Raises StreamError PQL0640 with the names of what keeps every event for good."""
    segments, attributes = plan.unbounded()
    if not segments and not attributes:
        return
    parts = [(segments, "segment"), (attributes, "attribute")]
    named = " and ".join(f"{word}{'s' * (len(ids) > 1)} {_named(ids)}" for ids, word in parts if ids)
    one = len(segments) + len(attributes) == 1
    raise StreamError(
        "PQL0640",
        f"{named} {'keeps' if one else 'keep'} every event for good",
        "`--allow-unbounded` if that is meant; or look at events of a window (`timestamp occurs <= 90 days before now`), or leave a segment "
        "to `pql run` (`evaluate: batch`). `pql explain --cost` says what each would keep",
    )


def belongs(state: State, plan: Plan, paused: Iterable[str] = ()) -> None:
    """A new state becomes that of the plan. Raises StreamError PQL0631 with what differs when it is that of another."""
    before, after = state.kept(), kept_of(plan, paused)
    if before is None or (before == after and before.reads != after.reads and state.writes):
        state.begin(after)
    elif before != after:
        other = difference(before, after)
        help = "name the store with `--store FILE` to hand over from its history"
        if not state.has_stored():
            help += ", or `--migrate` to use the state's own events"
        if other.paused or other.resumed:
            help = f"a pause begins and ends with a hand-over: {help}"
        raise StreamError("PQL0631", f"the state was kept for other segments: {other}", help)
