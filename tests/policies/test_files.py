"""Governance files: what is wrong in them is said with a code, a place and what to do; and they are bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.policies.projects import judge, underlined, write

SCHEMA = {"profile": {"a": {"type": "string", "labels": ["I1"]}, "b": "string"}}
POLICY: dict[str, Any] = {
    "name": "P",
    "status": "ENABLED",
    "marketingActionRefs": ["emailTargeting"],
    "deny": {"label": "I1"},
}
SEGMENT = 'segment s { where b = "x" }'

CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    # name, files, code, underlined, help
    ("unknown label in a policy", {"policies/p.yaml": {**POLICY, "deny": {"label": "i1"}}}, "PQL0521", "i1", "case-sensitive: write `I1`"),
    ("unknown label near one", {"policies/p.yaml": {**POLICY, "deny": {"label": "Third-Part"}}}, "PQL0521", "Third-Part", "did you mean `Third-Party`?"),
    ("unknown label in the schema", {"schema.yaml": {"profile": {"a": {"type": "string", "labels": ["X9"]}}}}, "PQL0521", "X9", "declare it"),
    ("unknown label of a dataset", {"sources/d.yaml": {"dataset": {"name": "d", "labels": ["C13"]}}}, "PQL0521", "C13", "did you mean"),
    ("unknown label of a segment", {"segments.pql": 'segment s { labels: [C99] where b = "x" }'}, "PQL0521", "C99", "did you mean"),
    ("unknown action of a policy", {"policies/p.yaml": {**POLICY, "marketingActionRefs": ["emailTargetting"]}}, "PQL0522", "emailTargetting", "did you mean `emailTargeting`"),
    ("unknown purpose", {"segments.pql": 'segment s { purpose: [emailtargeting] where b = "x" }'}, "PQL0522", "emailtargeting", "did you mean `emailTargeting`"),
    ("unknown action of a destination", {"destinations/d.yaml": {"marketingActions": ["ads"]}}, "PQL0522", "ads", "declare it"),
    ("unknown key of a policy", {"policies/p.yaml": {**POLICY, "denied": 1}}, "PQL0523", "denied", "did you mean `deny`?"),
    ("misspelt key of a destination", {"destinations/d.yaml": {"marketingAction": ["emailTargeting"], "marketingActions": []}}, "PQL0523", "marketingAction", "did you mean `marketingActions`?"),
    ("label and operator", {"policies/p.yaml": {**POLICY, "deny": {"label": "I1", "operator": "OR", "operands": []}}}, "PQL0523", None, ""),  # type: ignore[list-item]
    ("no NOT", {"policies/p.yaml": {**POLICY, "deny": {"operator": "NOT", "operands": []}}}, "PQL0523", "NOT", "there is no negation"),
    ("status", {"policies/p.yaml": {**POLICY, "status": "ON"}}, "PQL0523", "'ON'", "DRAFT, ENABLED or DISABLED"),
    ("without deny", {"policies/p.yaml": {k: v for k, v in POLICY.items() if k != "deny"}}, "PQL0523", None, ""),  # type: ignore[list-item]
    ("not YAML", {"policies/p.yaml": "name: [x"}, "PQL0523", "", ""),
    ("aliases", {"policies/p.yaml": "a: &x 1\nb: *x"}, "PQL0523", "&x 1", ""),
    ("twice", {"policies/p.yaml": "name: x\nname: y"}, "PQL0523", "name", ""),
    ("unknown core policy", {"pql.yaml": {"policies": ["core.combinin"]}}, "PQL0524", "core.combinin", "did you mean `core.combining`?"),
    ("version", {"policies/p.yaml": {**POLICY, "version": "two"}}, "PQL0524", "two", ""),
    ("never applies", {"policies/p.yaml": {**POLICY, "deny": {"operator": "OR", "operands": []}}}, "PQL0526", "P", ""),
    ("no action", {"policies/p.yaml": {**POLICY, "marketingActionRefs": []}}, "PQL0526", "P", ""),
    ("mapped field", {"destinations/d.yaml": "marketingActions: []\nfields: [{source: bb, destination: x}]"}, "PQL0528", "bb", "did you mean `b`?"),
    ("mapped syntax", {"destinations/d.yaml": "marketingActions: []\nfields: ['a =']"}, "PQL0528", "", ""),
    ("unknown segment", {"destinations/d.yaml": "marketingActions: []\nsegments: [ss]"}, "PQL0529", "ss", "did you mean `s`?"),
    ("exemption without reason", {"exemptions.yaml": "- {policy: P, segment: s, action: emailTargeting, approvedBy: x, until: 2026-12-31}"}, "PQL0523", None, ""),  # type: ignore[list-item]
    ("exemption without end", {"exemptions.yaml": "- {policy: P, segment: s, action: emailTargeting, approvedBy: x, reason: y}"}, "PQL0523", None, ""),  # type: ignore[list-item]
    ("exemption of nothing", {"policies/p.yaml": POLICY, "exemptions.yaml": "- {policy: P, segment: s, action: emailTargeting, approvedBy: x, reason: y, until: 2026-12-31}"}, "PQL0531", "P", "take it out"),
    ("exemption from an unknown policy", {"exemptions.yaml": "- {policy: Q, segment: s, action: emailTargeting, approvedBy: x, reason: y, until: 2026-12-31}"}, "PQL0524", "Q", ""),
    ("no marketing action", {"destinations/d.yaml": "id: d\nsegments: [s]"}, "PQL0533", "id", "an empty list says"),
    ("beyond the purpose", {"segments.pql": 'segment s { purpose: [analytics] where b = "x" }', "destinations/d.yaml": "marketingActions: [dataScience]\nsegments: [s]"}, "PQL0534", "s", ""),
    ("unknown merge policy", {"segments.pql": 'segment s { mergePolicy: mine where b = "x" }', "merge.yaml": "[{name: main, default: true}]"}, "PQL0536", "mine", "did you mean `main`"),
    ("unknown merge policy of a destination", {"destinations/d.yaml": "marketingActions: []\nmergePolicy: mine"}, "PQL0536", "mine", ""),
    ("consent condition", {"consent/c.yaml": "name: C\nmarketingActionRefs: [emailTargeting]\ncondition: bb = 'x'"}, "PQL0537", "bb", "did you mean `b`?"),
    ("consent of no use", {"consent/c.yaml": "name: C\ncondition: b = 'x'"}, "PQL0523", None, ""),  # type: ignore[list-item]
    ("consent that is a text", {"consent/c.yaml": "name: C\nmarketingActionRefs: [emailTargeting]\ncondition: b"}, "PQL0537", "b", ""),
    ("custom label of a core name", {"labels.yaml": "labels: [C1]"}, "PQL0523", "C1", "another name"),
    ("graph", {"merge.yaml": "[{name: main, identityGraph: {type: pgd}}]"}, "PQL0523", None, "`none` or `pdg`"),  # type: ignore[list-item]
]  # fmt: skip


@pytest.mark.parametrize(("name", "files", "code", "text", "help"), CASES, ids=[c[0] for c in CASES])
def test_finding(name: str, files: dict[str, Any], code: str, text: str | None, help: str, tmp_path: Path) -> None:
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT, **files})
    made = judge(tmp_path)
    found = [d for d in made.found if d.code == code]
    assert found, [(d.code, d.message) for d in made.found]
    if text:
        assert underlined(found[0]) == text
    assert any(help in h for h in (*found[0].help, *([""] if not help else [])))


def test_nothing_is_wrong_in_an_empty_project(tmp_path: Path) -> None:
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT})
    assert judge(tmp_path).found == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{a: " * 3000 + "1" + "}" * 3000,
        "x: " + "[1, " * 100 + "]" * 100,
        "- a\n" * 60_000,
        "a" * 1_100_000,
        "!!python/object:os.system [x]",
        "\x00",
        "name: P\nstatus: ENABLED\nmarketingActionRefs: [emailTargeting]\ndeny: "
        + "{operator: OR, operands: [" * 12
        + "{label: I1}"
        + "]}" * 12,
        "{name: P, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {operator: OR, operands: ["
        + ", ".join(["{label: I1}"] * 101)
        + "]}}",
    ],
    ids=["open", "deep", "deeper", "many", "large", "tag", "nul", "levels", "labels"],
)
def test_a_file_is_bounded(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT, "policies/p.yaml": text})
    assert judge(tmp_path).codes == ["PQL0523"]


def test_comparing_policies_is_bounded(tmp_path: Path) -> None:
    """A conjunction of many disjunctions has too many least sets to compare; it is judged all the same."""
    pair = {"operator": "OR", "operands": [{"label": f"C{n}"} for n in range(1, 10)]}
    deny = {"operator": "AND", "operands": [pair] * 11}
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT, "policies/p.yaml": {**POLICY, "deny": deny}})
    assert judge(tmp_path).found == []


def test_subsumed_and_equal_policies(tmp_path: Path) -> None:
    policies = [
        POLICY,
        {**POLICY, "name": "Q", "deny": {"operator": "OR", "operands": [{"label": "I1"}, {"label": "C5"}]}},
        {**POLICY, "name": "R", "deny": {"operator": "AND", "operands": [{"label": "C4"}, {"label": "S1"}]}},
        {**POLICY, "name": "S", "marketingActionRefs": ["analytics"]},
        {**POLICY, "name": "T", "status": "DISABLED"},
    ]
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT, "policies/p.yaml": policies})
    said = [d.message for d in judge(tmp_path).found if d.code == "PQL0527"]
    assert said == [
        "the policy `P` says nothing that is not said by `Q`",
        "the policy `R` says nothing that is not said by `Q`",
    ]


def test_json_with_tabs_has_places(tmp_path: Path) -> None:
    text = '{\n\t"name": "P",\n\t"status": "ENABLED",\n\t"marketingActionRefs": ["emailTargeting"],\n\t"deny": {"label": "I3"}\n}'
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": SEGMENT, "policies/p.json": text})
    found = judge(tmp_path).one("PQL0521")
    assert found.source.location(found.span.start).line == 5


def test_files_may_be_texts(tmp_path: Path) -> None:
    """What a service holds in memory is read like a folder."""
    from pql.api import load_governance
    from pql.policies.judge import violated_by

    files = {
        "pql.yaml": "policies: [core.combining]",
        "policies/p.yaml": "{name: P, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {label: I1}}",
        "policies/deep/er.yaml": "not read",
        "labels.yaml": "labels: [own]",
        "notes.txt": "not read",
    }
    write(tmp_path, files)
    for tree in (files, tmp_path):
        governance, found = load_governance(tree)
        assert not found and "own" in governance.labels
        assert [
            p.name for p in violated_by(governance, ["C3", "I1"], ["combineDirectlyIdentifiable", "emailTargeting"])
        ] == [
            "No combining with directly identifiable data",
            "P",
        ]


def test_an_unknown_segment_is_shown_where_the_own_text_leads_to_it(tmp_path: Path) -> None:
    text = 'segment between {\n  where b = "x" and b.isNotNull() and inSegment("elsewhere")\n}\n'
    text += 'segment s { purpose: [analytics] where inSegment("between") }'
    write(tmp_path, {"schema.yaml": SCHEMA, "segments.pql": text})
    assert underlined(judge(tmp_path).one("PQL0535")) == 'inSegment("between")'
