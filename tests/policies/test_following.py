"""Every way out that is offered, over both tables of decisions, is followed by its edits in the files, and judged again from the files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pql.policies.enforcement import way_json
from pql.policies.following import Edit, Patch, TextEdit
from pql.policies.judge import Violation
from pql.policies.ways_out import WayOut, ways_out
from tests.policies.projects import Made, Plain, judge, write
from tests.policies.test_decisions import CASES, project


def follow(folder: Path, edits: Sequence[Edit]) -> None:
    """The edits in the files of a folder, as a service would make them."""
    for edit in edits:
        path = Path(edit.source.name) if Path(edit.source.name).is_absolute() else folder / edit.source.name
        text = path.read_text(encoding="utf-8")
        if isinstance(edit, TextEdit):
            path.write_text(text[: edit.span.start] + edit.text + text[edit.span.end :], encoding="utf-8")
            continue
        data = yaml.safe_load(text)
        for operation in edit.operations:
            patch(data, operation)
        path.write_text(yaml.dump(data, Dumper=Plain, sort_keys=False), encoding="utf-8")


def patch(data: Any, operation: dict[str, Any]) -> None:
    *steps, last = (s.replace("~1", "/").replace("~0", "~") for s in operation["path"].split("/")[1:])
    for step in steps:
        data = data[int(step) if isinstance(data, list) else step]
    key: Any = int(last) if isinstance(data, list) else last
    if operation["op"] == "remove":
        del data[key]
    else:
        assert operation["op"] == "replace" and key in data
        data[key] = operation["value"]


def offered(made: Made) -> list[tuple[Violation, tuple[str, ...], WayOut]]:
    return [
        (v, d.actions, w)
        for d in made.governed.decisions
        for v in d.violations
        for w in ways_out(made.governed.judge, v, d.actions)
    ]


def standing(made: Made, violation: Violation, way: WayOut) -> set[str]:
    """The policies that the segment violates there (at a purpose: for any of its purposes)."""
    place = violation.subject.destination
    here = [d for d in made.governed.decisions if d.segment == violation.subject.segment]
    here = [d for d in here if d.destination == (place.id if place else "")]
    if place is None and way.kind != "action":
        here = [d for d in here if set(d.actions) & set(violation.actions)]
    return {
        v.policy.id
        for d in here
        for v in d.violations
        if set(v.actions) & set(violation.actions) or place or way.kind == "action"
    }


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_every_way_out_works_when_followed(case: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "as-it-is"
    folder.mkdir()
    project(case, folder)
    made = judge(folder)
    for number, (violation, _, way) in enumerate(offered(made)):
        told = way_json(way, violation.subject)
        assert told["verified"] is True and told["targets"] and told["words"]
        if not way.edits:
            continue
        changed = tmp_path / str(number)
        shutil.copytree(folder, changed)
        follow(changed, [_there(e, folder, changed) for e in way.edits])
        after = judge(changed)
        assert not {d.code for d in after.project.diagnostics if d.is_error}, (told, [d.message for d in after.found])
        before = standing(made, violation, way)
        left = standing(after, violation, way)
        assert left <= before, (told, left)
        if way.kind == "action" and violation.subject.destination is None:
            assert not any(
                d.segment == violation.subject.segment
                and set(d.actions) & set(violation.actions)
                and d.destination == ""
                for d in after.governed.decisions
            ), told
        else:
            assert violation.policy.id not in left, told


def _there(edit: Edit, old: Path, new: Path) -> Edit:
    """The edit for the copy of its file."""
    from dataclasses import replace

    from pql.source import Source

    name = edit.source.name.replace(str(old), str(new))
    source = Source(name, edit.source.text)
    return Patch(source, edit.operations) if isinstance(edit, Patch) else replace(edit, source=source)


def test_the_tables_offer_ways_of_every_kind(tmp_path: Path) -> None:
    kinds: dict[str, int] = {}
    bare = 0
    for i, case in enumerate(CASES):
        folder = tmp_path / str(i)
        folder.mkdir()
        project(case, folder)
        for _, _, way in offered(judge(folder)):
            kinds[way.kind] = kinds.get(way.kind, 0) + bool(way.edits)
            bare += not way.edits
    assert set(kinds) == {"segment", "mapping", "action", "merge policy"} and min(kinds.values()) > 0, kinds
    assert bare <= 3, bare


SCHEMA = {
    "profile": {
        "a": {"type": "string", "labels": ["C5"]},
        "b": "integer",
        "c": "string",
        "m": {"type": "string", "labels": ["I1"]},
    }
}
POLICY = {"policies": [{"name": "P", "status": "ENABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "C5"}},
                       {"name": "Q", "status": "ENABLED", "marketingActionRefs": ["crossSiteTargeting"], "deny": {"operator": "AND", "operands": [{"label": "C5"}, {"label": "I1"}]}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ('a = "x" and b > 1', "b > 1"),
        ('b > 1 and a = "x"', "b > 1"),
        ('b > 1 and a = "x" and c = "y"', 'b > 1 and c = "y"'),
        ('a = "x" and a = "y" and b > 1', "b > 1"),
        ('b > 1 or (c = "y" and (a = "x"))', 'b > 1 or (c = "y")'),
        ('b > 1 and not (a = "x" or c = "y")', 'b > 1 and not (c = "y")'),
        ('b > 1 and (a = "x" or (a = "y"))', "b > 1"),
        ('(a = "x") and (b > 1)', "(b > 1)"),
        ('b > 1 and not a = "x" // why\n and c = "y"', 'b > 1 // why and c = "y"'),
        ('(((a = "x"))) and b > 1', "b > 1"),
    ],
)
def test_what_is_left_of_a_text(where: str, left: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "schema.yaml": SCHEMA,
            "policies/p.yaml": POLICY,
            "s.pql": f"segment s {{ purpose: [emailTargeting] where {where} }}\n",
        },
    )
    ways = [w for _, _, w in offered(judge(tmp_path)) if w.kind == "segment"]
    (edit,) = ways[0].edits
    assert isinstance(edit, TextEdit) and " ".join(edit.text.split()) == left
    follow(tmp_path, [edit])
    assert judge(tmp_path).codes == []


@pytest.mark.parametrize(
    "destination",
    [
        "{id: d, marketingActions: [crossSiteTargeting], fields: [b, m, {source: m, destination: again}], segments: [s]}",
        "destinations:\n  - {id: d, marketingActions: crossSiteTargeting, fields: [{source: m, destination: again}, m, b], segments: [s]}",
        "- id: d\n  marketingActions: [crossSiteTargeting]\n  mapping: {again: m, m: m, n/b: b}\n  segments: [s]",
    ],
)
def test_rows_of_a_destination(destination: str, tmp_path: Path) -> None:
    files = {
        "schema.yaml": SCHEMA,
        "policies/p.yaml": POLICY,
        "s.pql": 'segment s { where a = "x" and b > 1 }',
        "destinations/d.yaml": destination,
    }
    write(tmp_path, files)
    ways = {w.kind: w for _, _, w in offered(judge(tmp_path))}
    assert ways["mapping"].drop == ("→again", "→m")
    for way in ways.values():
        write(tmp_path, files)
        follow(tmp_path, way.edits)
        assert judge(tmp_path).codes == [], way.words
