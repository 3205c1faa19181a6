"""Activation asked again: `pql policy enforce` and `diff` say what stopped and by which change; `check` answers for any segment, destination,
fields and actions; nothing unknown, and no flag, turns a violation into success."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from pql.api import Unknown, evaluate_policies
from tests.policies.projects import judge, write
from tests.policies.test_commands import pql

FILES: dict[str, Any] = {
    "pql.yaml": "schema: schema.yaml\n",
    "schema.yaml": {
        "profile": {
            "points": "integer",
            "city": "string",
            "seen": {"type": "string", "labels": ["C3"]},
            "mail": {"type": "string", "labels": ["I1"]},
            "consents": {"marketing": {"email": {"val": "string"}}},
        },
        "event": {"total": {"type": "number", "labels": ["C9"]}},
    },
    "segments.pql": 'define near = city = "x"\nsegment base { where points > 3 }\nsegment s { where inSegment("base") and near }\n',
    "policies/p.yaml": {
        "policies": [
            {"name": "Combine", "status": "ENABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"operator": "AND", "operands": [{"label": "C3"}, {"label": "I1"}]}},
            {"name": "Third", "status": "ENABLED", "marketingActionRefs": ["exportToThirdParty"], "deny": {"label": "C2"}},
            {"name": "Solo", "status": "ENABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "C10"}},
            {"name": "Later", "status": "DISABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "I1"}},
        ]
    },
    "destinations/d.yaml": {"marketingActions": ["emailTargeting"], "fields": ["mail"], "segments": ["s"]},
    "merge.yaml": [{"name": "one", "identityGraph": {"type": "none"}, "default": True}],
    "sources/crm.yaml": {"dataset": {"name": "crm", "kind": "record"}, "mapping": {"city": "c", "points": "p"}},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replaced(name: str, **what: Any) -> dict[str, Any]:
    return {name: {**FILES[name], **what}}


SCHEMA = FILES["schema.yaml"]
CHANGES: list[tuple[str, dict[str, Any], str, str]] = [
    ("a label in the schema", {"schema.yaml": {**SCHEMA, "profile": {**SCHEMA["profile"], "city": {"type": "string", "labels": ["C3"]}}}}, "Combine", "new label: `C3` on the field `city`"),
    ("a label of a dataset", {"sources/crm.yaml": {"dataset": {"name": "crm", "kind": "record", "labels": ["C3"]}, "mapping": {"city": "c"}}}, "Combine", "new label: `C3` on the dataset `crm`"),
    ("a label of a source", replaced("sources/crm.yaml", labels=["C3"]), "Combine", "new label: `C3` on the source `crm`"),
    ("a policy", {"policies/more.yaml": {"name": "More", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "I1"}}}, "More", "new policy: `More`, version 1, denies `I1`"),
    ("a policy that is enabled", {"policies/p.yaml": {"policies": [{**p, "status": "ENABLED"} for p in FILES["policies/p.yaml"]["policies"]]}}, "Later", "new policy: `Later`, version 1, denies `I1`"),
    ("a segment", {"segments.pql": 'segment base { where points > 3 }\nsegment s { where inSegment("base") and seen = "x" }'}, "Combine", "new label: `C3` on the field `seen`"),
    ("a segment referred to", {"segments.pql": 'define near = city = "x"\nsegment base { where seen = "x" }\nsegment s { where inSegment("base") and near }'}, "Combine", "the rule of the segment, or of one that it refers to, is another"),
    ("a definition", {"segments.pql": 'define near = seen = "x"\nsegment base { where points > 3 }\nsegment s { where inSegment("base") and near }'}, "Combine", "new label: `C3` on the field `seen`"),
    ("a mapping", replaced("destinations/d.yaml", fields=["mail", "seen"]), "Combine", "new mapped field: `seen` from `seen`"),
    ("a marketing action", {**replaced("destinations/d.yaml", marketingActions=["emailTargeting", "exportToThirdParty"]), "sources/crm.yaml": {"dataset": {"name": "crm", "labels": ["C2"]}, "mapping": {"city": "c"}}}, "Third", "new marketing action: `exportToThirdParty`"),
    ("a merge policy", {"merge.yaml": [{"name": "one", "identityGraph": {"type": "pdg"}, "default": True}]}, "Solo", "new merge policy: `one`, graph pdg, all datasets"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "files", "policy", "because"), CHANGES, ids=[c[0] for c in CHANGES])
def test_what_stopped_and_by_which_change(
    what: str, files: dict[str, Any], policy: str, because: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = tmp_path_factory.mktemp("before")
    write(before, FILES)
    enforce = ("policy", "enforce", ".", "--accepted", "accepted.json", "-f", "json")
    code, said = pql(*enforce)
    assert code == 0 and json.loads(said)["allowed"] is True and json.loads(said)["changes"] == []
    write(folder, files)
    code, said = pql(*enforce)
    answer = json.loads(said)
    (change,) = answer["changes"]
    assert code == 1 and answer["allowed"] is False
    assert (change["change"], change["segment"], change["use"]) == ("stopped", "s", "d")
    assert because in change["because"] and policy in change["why"][0] and change["trail"]
    (activation,) = answer["activations"]
    assert activation["allowed"] is False
    assert [p["name"] for v in activation["violations"] for p in v["violatedPolicies"]] == [policy]
    assert json.loads(pql("policy", "diff", str(before), ".", "-f", "json")[1]) == answer["changes"]
    code, said = pql(*enforce)
    assert code == 1 and json.loads(said)["changes"] == []  # still refused, and said already
    write(folder, FILES)
    (folder / "policies" / "more.yaml").unlink(missing_ok=True)
    code, said = pql(*enforce)
    assert code == 0 and [c["change"] for c in json.loads(said)["changes"]] == ["allowed"]


def test_consent_is_in_the_difference(folder: Path) -> None:
    assert pql("policy", "enforce", ".", "--accepted", "a.json")[0] == 0
    write(
        folder,
        {
            "consent/c.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.email\")'}"
        },
    )
    code, said = pql("policy", "enforce", ".", "--accepted", "a.json")
    assert code == 0 and "goes to other people: `s` → d\n    left to those with Mail" in said
    assert 'because: new consent policy: `Mail`: consented("marketing.email")' in said


def test_what_was_accepted_allows_nothing(folder: Path) -> None:
    """An accepted file that says yes is no yes, and one that is broken is not an empty one."""
    assert pql("policy", "enforce", ".", "--accepted", "a.json")[0] == 0
    accepted = (folder / "a.json").read_text()
    write(folder, CHANGES[0][1])
    assert pql("policy", "enforce", ".", "--accepted", "a.json")[0] == 1
    (folder / "a.json").write_text(accepted.replace('"allowed": false', '"allowed": true'))
    assert pql("policy", "enforce", ".", "--accepted", "a.json")[0] == 1
    for broken in ("", "[]", "{}", '{"form": 2, "activations": []}', '{"form": 1, "activations": [{}]}', "[" * 100_000):
        (folder / "a.json").write_text(broken)
        code, said = pql("policy", "enforce", ".", "--accepted", "a.json")
        assert code == 2 and "PQL0552" in said
        assert (folder / "a.json").read_text() == broken


def test_nothing_is_accepted_while_files_have_errors(folder: Path) -> None:
    write(folder, {"policies/bad.yaml": "{nam: x}"})
    code, said = pql("policy", "enforce", ".", "--accepted", "a.json")
    assert code == 1 and "PQL0523" in said and not (folder / "a.json").exists()
    answer = json.loads(pql("policy", "check", "-f", "json")[1])
    assert [a["allowed"] for a in answer] == [False]


UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    ("a merge policy of the segment", {"segments.pql": "segment s { mergePolicy: nine where points > 3 }"}),
    ("a merge policy of a nested segment", {"segments.pql": 'segment b { mergePolicy: nine where points > 3 }\nsegment s { where inSegment("b") }'}),
    ("a merge policy of the destination", replaced("destinations/d.yaml", mergePolicy="nine")),
    ("a label of the segment", {"segments.pql": "segment s { labels: [c3] where points > 3 }"}),
    ("a label of the schema", {"schema.yaml": {"profile": {"points": {"type": "integer", "labels": ["Z"]}, "city": "string", "mail": "string"}}}),
    ("an action of the destination", replaced("destinations/d.yaml", marketingActions=["mailing"])),
    ("a segment of the destination", replaced("destinations/d.yaml", segments=["t"])),
    ("a segment with errors", {"segments.pql": "segment s { where pints > 3 }"}),
    ("a mapped field", replaced("destinations/d.yaml", fields=["male"])),
    ("a segment elsewhere", {"segments.pql": 'segment s { where inSegment("imported") }'}),
    ("a policy", {"pql.yaml": "schema: schema.yaml\npolicies: [core.nothing]\n"}),
    ("a consent", {"consent/c.yaml": "{name: C, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.mail\")'}"}),
    ("an exemption's policy", {"exemptions.yaml": "[{policy: Nine, segment: s, destination: d, approvedBy: x, reason: y, until: 8998-01-01}]"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "files"), UNKNOWN, ids=[u[0] for u in UNKNOWN])
def test_what_is_unknown_lets_nothing_through(what: str, files: dict[str, Any], folder: Path) -> None:
    write(folder, files)
    for words in (
        ["check", "."],
        ["policy", "check", "."],
        ["policy", "check", ".", "-f", "json"],
        ["policy", "check", ".", "--destination", "d"],
        ["policy", "check", ".", "--destination", "d", "-f", "json"],
        ["policy", "enforce", "."],
        ["policy", "enforce", ".", "-f", "json"],
    ):
        if what != "an exemption's policy" or "--destination" not in words:
            assert pql(*words)[0] == 1, words
    if what not in ("a segment of the destination", "a segment with errors", "an exemption's policy"):
        made = judge(folder)
        with pytest.raises(Unknown):
            made.environment.audience(made.governed, "s", "d")


def test_check_of_a_segment_that_is_not_activated_there_yet(folder: Path) -> None:
    write(folder, {"segments.pql": 'segment s { where points > 3 }\nsegment t { where seen = "x" and points > 1 }'})
    code, said = pql("policy", "check", "--segment", "t", "--destination", "d", "-f", "json")
    (answer,) = json.loads(said)
    assert code == 1 and answer["violations"][0]["violatedPolicies"][0]["name"] == "Combine"
    ways = answer["violations"][0]["entities"][-1]["options"]
    assert [w["kind"] for w in ways][:2] == ["mapping", "segment"] and all(w["verified"] for w in ways)
    assert ways[0]["targets"] == [{"type": "destination", "id": "d"}] and ways[0]["leaveOut"]["mapped"] == ["mail"]
    assert ways[0]["edits"][0]["patch"] == [{"op": "remove", "path": "/fields/0"}]
    assert ways[1]["edits"][0]["text"] == "points > 1"
    code, said = pql("policy", "check", "--segment", "t", "--destination", "d")
    assert code == 1 and "way out: do not map `mail` to `d`" in said


def test_check_with_other_fields_and_actions(folder: Path) -> None:
    words = ("policy", "check", "--destination", "d", "-f", "json")
    assert pql(*words)[0] == 0
    assert pql(*words, "--field", "mail", "--field", "seen")[0] == 1
    assert pql(*words, "--field", "seen")[0] == 0
    assert pql(*words, "--field", "nothing")[0] == 1
    assert pql(*words, "--field", "mail", "--field", "seen", "--action", "analytics")[0] == 0
    assert pql("policy", "check", "--field", "mail")[0] == 2


def test_an_exemption_for_one_action_excuses_no_other(folder: Path) -> None:
    write(
        folder,
        {
            "segments.pql": "segment s { labels: [C3, I1] purpose: [emailTargeting, dataScience] where points > 3 }",
            "policies/p.yaml": "{name: Both, marketingActionRefs: [emailTargeting, dataScience], deny: {label: I1}}",
            "exemptions.yaml": "[{policy: Both, segment: s, action: emailTargeting, approvedBy: x, reason: y, until: 2026-12-31}]",
        },
    )
    made = judge(folder)
    made.environment.audience(made.governed, "s", actions=["emailTargeting"])
    for actions in (["dataScience"], ["emailTargeting", "dataScience"]):
        with pytest.raises(Unknown):
            made.environment.audience(made.governed, "s", actions=actions)


def test_an_exemption_that_was_renewed_is_no_error(folder: Path) -> None:
    line = "{{policy: Later, segment: s, destination: d, approvedBy: x, reason: y, until: {}}}"
    write(folder, {**CHANGES[4][1], "exemptions.yaml": f"[{line.format('2026-02-01')}, {line.format('2026-12-31')}]"})
    assert judge(folder).codes == []
    (decision,) = [d for d in judge(folder).governed.decisions if d.destination]
    assert [e.until for _, e in decision.exempt] == [date(2026, 12, 31)]
    assert judge(folder, datetime(2027, 1, 1)).codes == ["PQL0520", "PQL0530"]


def test_no_flag_turns_a_violation_into_success(folder: Path) -> None:
    write(folder, CHANGES[0][1])
    for words in (
        ["check", "."],
        ["check", ".", "--as-of", "8998-01-01"],
        ["policy", "check", "--include-draft"],
        ["policy", "check", "--segment", "s"],
        ["policy", "check", "--destination", "d"],
        ["policy", "enforce"],
    ):
        assert pql(*words)[0] == 1, words
    assert pql("policy", "check", "--as-of", "2020-01-01")[0] == 2


def test_datasets_with_fields_in_the_published_shape(folder: Path) -> None:
    """The labels of fields stand in the schema; without one, or for fields that it does not have, nothing is let through."""
    write(folder, {"sources/web.yaml": "{dataset: {name: web, kind: event, labels: [I1]}, mapping: {total: t}}",
                   "policies/q.yaml": "{name: Q, marketingActionRefs: [analytics], deny: {operator: AND, operands: [{label: C9}, {label: I1}]}}"})  # fmt: skip
    made = judge(folder)

    def ask(id: str, *fields: str, **more: Any) -> list[str]:
        entity = {"entityType": "dataSet", "entityId": id, "entityMeta": {"fields": list(fields)}}
        more = {"schema": made.environment.schema, **more}
        answer = evaluate_policies(made.governance, "analytics", entities=[entity], **more)
        return [p["name"] for p in answer["violatedPolicies"]]

    assert ask("web", "/properties/total") == ["Q"] and ask("web") == ["Q"]
    assert ask("crm", "/properties/city") == [] and ask("crm", "/properties/mail") == []
    for wrong in ({"id": "nothing"}, {"id": "web", "field": "/properties/nothing"}, {"id": "web", "schema": None}):
        with pytest.raises(Unknown):
            ask(wrong.pop("id"), *([wrong.pop("field")] if "field" in wrong else []), **wrong)  # type: ignore[arg-type]


def test_labels_may_be_written_as_the_policy_service_does(folder: Path) -> None:
    write(folder, {"schema.yaml": {"profile": {"points": {"type": "integer", "labels": ["core/C3"]}, "city": {"type": "string", "labels": ["custom/eu"]}, "mail": {"type": "string", "labels": ["I1"]}}}, "labels.yaml": "labels: [{name: eu}]"})  # fmt: skip
    made = judge(folder)
    (decision,) = made.governed.decisions
    assert sorted(decision.labels) == ["C3", "I1", "eu"] and made.codes == ["PQL0520"]
