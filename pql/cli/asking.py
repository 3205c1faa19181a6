"""What `pql policy check` asks: all that the files ask for, or one segment × destination × mapped fields × actions. Read `asked`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pql.api import evaluate_decision
from pql.cli.governing import Judged
from pql.cli.inputs import fail
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.policies.govern import Decision
from pql.policies.judge import Subject
from pql.policies.model import Destination, MappedField, Place
from pql.policies.policy_files import unknown_action
from pql.policies.report import describe
from pql.policies.ways_out import ways_out
from pql.source import Source, Span


@dataclass(frozen=True)
class Wish:
    """The options of `pql policy check`. Empty: what the files say."""

    segment: str = ""
    destination: str = ""
    actions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answered:
    """A decision with what was judged, where that is not what the files say."""

    decision: Decision
    subject: Subject | None = None


def asked(made: Judged, wish: Wish) -> list[Answered]:
    """The decisions that are wished for; a question that the files do not ask is judged as if they did."""
    _known(made, wish)
    if not wish.actions and not wish.fields:
        found = [
            Answered(d)
            for d in made.governed.decisions
            if wish.segment in ("", d.segment) and wish.destination in ("", d.destination)
        ]
        if found or not (wish.segment and wish.destination):
            return found
    place = made.governance.destinations.get(wish.destination)
    if place is None:
        ids = [wish.segment] if wish.segment else [i for i, s in made.project.segments.items() if s.ok]
        return [_judged(made, id, None, wish.actions) for id in ids]
    supposed = _supposed(place, wish)
    listed = (
        [wish.segment] if wish.segment else [d.segment for d in made.governed.decisions if d.destination == place.id]
    )
    return [_judged(made, id, supposed, supposed.actions) for id in listed]


def _judged(made: Judged, id: str, place: Destination | None, actions: Sequence[str]) -> Answered:
    segment = made.project.segments.get(id)
    if segment is None or not segment.ok:
        return Answered(Decision(id, place.id if place else "", tuple(actions), frozenset(), (), (), (id,)))
    judge = made.governed.judge
    subject = judge.activation(id, place) if place is not None else judge.segment(id)
    return Answered(made.governed.judged(subject, actions), subject)


def _supposed(place: Destination, wish: Wish) -> Destination:
    """The destination with other actions or mapped fields."""
    fields = tuple(MappedField(f, f, Place(Source("--field", f), Span(0, len(f)))) for f in wish.fields)
    return replace(place, actions=wish.actions or place.actions, fields=fields or place.fields)


def _known(made: Judged, wish: Wish) -> None:
    project, governance = made.project, made.governance
    if wish.segment and wish.segment not in project.segments:
        raise fail(f"no segment `{wish.segment}`", did_you_mean(wish.segment, project.segments))
    if wish.destination and wish.destination not in governance.destinations:
        help = did_you_mean(wish.destination, governance.destinations)
        raise fail(f"there is no destination `{wish.destination}`", help)
    for a in wish.actions:
        if a not in governance.actions:
            raise fail(f"there is no marketing action `{a}`", unknown_action(a, governance.actions))
    if wish.fields and not wish.destination:
        raise fail("fields are mapped to a destination", "name it with `--destination`")


def answers(made: Judged, found: Sequence[Answered], at: Any) -> list[dict[str, Any]]:
    """The published shape, for each."""
    return [evaluate_decision(made.governed, a.decision, at, a.subject) for a in found]


def allowed(made: Judged, found: Sequence[Answered]) -> bool:
    return not made.unsound and all(a.decision.allowed for a in found)


def findings(made: Judged, found: Sequence[Answered], wish: Wish) -> list[Diagnostic]:
    """What is to be said of the answers: the project's own findings, or those of a question that the files do not ask."""
    own = [d for d in made.found if d.is_error or d.code.startswith("PQL05")]
    if wish == Wish():
        return own
    names = [n for n in (wish.segment, wish.destination) if n]
    if any(a.subject is not None for a in found):
        judge = made.governed.judge
        said = [
            describe(v, _place(made, a), ways_out(judge, v, a.decision.actions))
            for a in found
            for v in a.decision.violations
        ]
        return [*said, *(d for d in judge.findings if d.source.name == "--field"), *(d for d in own if _of_files(d))]
    return [d for d in own if all(f"`{n}`" in d.message for n in names) or _of_files(d)]


def _of_files(d: Diagnostic) -> bool:
    """Of governance files as such: whatever is asked, it stands in the way."""
    return d.is_error and d.code in ("PQL0521", "PQL0522", "PQL0523", "PQL0524", "PQL0536", "PQL0537")


def _place(made: Judged, answered: Answered) -> Place:
    segment = made.project.segments[answered.decision.segment]
    return Place(segment.source, segment.tree.id_span)
