"""Policy tests: a file of labels (or segments) and actions with the decision that is expected. Read `try_file`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.policies.judge import Judge, Subject
from pql.policies.policy_files import read_action, read_label
from pql.policies.reading import Part, listed
from pql.xdm.documents import read_document

KEYS = ("name", "labels", "segment", "destination", "actions", "expect", "violated")


@dataclass(frozen=True)
class Tried:
    """`ran`: how many lines; `failures`: those that came out otherwise (PQL0539); `broken`: what cannot be read."""

    ran: int
    failures: tuple[Diagnostic, ...]
    broken: tuple[Diagnostic, ...]


def try_file(path: Path, judge: Judge) -> Tried:
    """Every line of a file. `{labels, actions, expect: allow | deny, violated: [policy]}`, or `segment` with `destination` or `actions`."""
    broken: list[Diagnostic] = []
    failures: list[Diagnostic] = []
    ran = 0
    document = read_document(path, broken)
    if document is None:
        return Tried(0, (), tuple(broken))
    for item in listed(Part(document, (), document.data, broken), "tests"):
        ran += 1
        before = len(broken)
        got = _decide(item, judge)
        if got is None or len(broken) > before:
            continue
        said = _wrong(item, got)
        if said:
            own = Part(document, item.key, item.data, failures)
            own.say(f"{_name(item, ran)}: {said}", code="PQL0539", span=document.at(*item.key, "expect"))
    return Tried(ran, tuple(failures), tuple(broken))


def _name(item: Part, number: int) -> str:
    return f"test `{item.data.get('name') or number}`"


def _decide(item: Part, judge: Judge) -> tuple[str, ...] | None:
    """The names of the violated policies."""
    if not item.is_object("a policy test"):
        return None
    item.known(KEYS, "a policy test")
    g = judge.governance
    actions = [read_action(p, g.actions) for p in item.words("actions")]
    if item.text("expect", what="a policy test") not in ("allow", "deny"):
        item.say("`expect` is `allow` or `deny`", span=item.document.at(*item.key, "expect"))
        return None
    if not item.has("segment"):
        labels = [read_label(p, g.labels) for p in item.words("labels")]
        if not actions:
            item.say("a policy test needs `actions`")
            return None
        return tuple(p.name for p in judge.of_labels(labels, actions))
    segment, id = item.text("segment"), item.text("destination", "")
    if segment not in judge.project.segments or not judge.project.segments[segment].ok:
        item.part("segment").say(
            f"no segment `{segment}` that checks", did_you_mean(segment, judge.project.segments), "PQL0529"
        )
        return None
    if id and id not in g.destinations:
        item.part("destination").say(f"there is no destination `{id}`", did_you_mean(id, g.destinations), "PQL0529")
        return None
    if id:
        return _refusals(judge, judge.activation(segment, g.destinations[id]), actions or g.destinations[id].actions)
    return _refusals(judge, judge.segment(segment), actions)


def _refusals(judge: Judge, subject: Subject, actions: Sequence[str]) -> tuple[str, ...]:
    """What refuses it: policies by name, and what is not known."""
    unknown = (f"what is not known: {name}" for name in judge.unknown(subject, actions))
    return (*(v.policy.name for v in judge.violations(subject, actions)), *unknown)


def _wrong(item: Part, got: tuple[str, ...]) -> str:
    expect = item.data["expect"]
    if expect == "allow" and got:
        return "expected to be allowed, but denied by " + ", ".join(f"`{n}`" for n in got)
    if expect == "deny" and not got:
        return "expected to be denied, but no policy denies it"
    wanted = [p.data for p in item.words("violated")]
    if wanted and sorted(wanted) != sorted(got):
        return (
            "expected "
            + ", ".join(f"`{n}`" for n in wanted)
            + " to be violated, but it is "
            + ", ".join(f"`{n}`" for n in got)
        )
    return ""
