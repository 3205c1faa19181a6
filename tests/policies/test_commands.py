"""The governance commands: exit codes, formats, and the trail in every format of `pql check`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pql.cli import app
from tests.policies.projects import write

SEGMENTS = """define ill = health.code.isNotNull()
attribute spent = xEvent.sum(total)
segment base { where ill and points > 1 }
segment s {
  purpose: [crossSiteTargeting]
  where points > 3 and not inSegment("base")
}
segment plain { where points > 3 }
"""
FILES: dict[str, Any] = {
    "pql.yaml": "schema: schema.yaml\npolicies: [core.health]\n",
    "schema.yaml": "profile:\n  points: integer\n  mail: {type: string, labels: [I1]}\n  health: {type: {code: string}, labels: [RHD]}\n  emailAddress: string\n"
    "  consents: {marketing: {email: {val: string}}}\nevent:\n  total: number\n",
    "segments.pql": SEGMENTS,
    "destinations/mail.yaml": "marketingActions: [emailTargeting]\nfields: [mail]\nsegments: [plain]\n",
    "consent/mail.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.email\")'}",
}


def pql(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_golden(folder: Path) -> None:
    code, said = pql("check", ".")
    assert code == 1
    golden = Path(__file__).parent / "golden" / "refused.txt"
    assert said == golden.read_text(encoding="utf-8")


def test_check_carries_the_trail_in_json(folder: Path) -> None:
    code, said = pql("check", ".", "--format", "json")
    (found,) = [d for d in json.loads(said)["diagnostics"] if d["code"] == "PQL0520"]
    assert code == 1
    places = [(x["file"], x["range"]["start"]["line"]) for x in found["labels"]]
    assert places[:4] == [("segments.pql", 6), ("segments.pql", 3), ("segments.pql", 1), ("schema.yaml", 4)]
    assert [file for file, _ in places[4:]] == ["<core policies>", "<core policies>"]


def test_check_carries_the_trail_in_sarif(folder: Path) -> None:
    code, said = pql("check", ".", "--format", "sarif")
    (found,) = json.loads(said)["runs"][0]["results"]
    assert code == 1 and found["ruleId"] == "PQL0520"
    related = [
        (x["physicalLocation"]["artifactLocation"]["uri"], x["message"]["text"]) for x in found["relatedLocations"]
    ]
    assert ("segments.pql", "through the segment `base`") in related
    assert ("segments.pql", "through the definition `ill`") in related
    assert ("schema.yaml", "`RHD` is given to the field `health`") in related


def test_check_of_one_file_says_what_concerns_it(folder: Path) -> None:
    write(folder, {"other.pql": "segment other { where points > 9 }"})
    assert pql("check", "other.pql")[0] == 0
    assert pql("check", "segments.pql")[0] == 1


def test_an_exemption_is_a_warning_until_its_last_day(folder: Path) -> None:
    write(
        folder,
        {
            "exemptions.yaml": "- {policy: core.health, segment: s, action: crossSiteTargeting, approvedBy: dpo@x, reason: study, until: 8998-03-01}"
        },
    )
    code, said = pql("check", ".", "--as-of", "8998-03-01")
    assert code == 0 and "warning[PQL0532]" in said and "exempted by dpo@x until 8998-03-01: study" in said
    code, said = pql("check", ".", "--as-of", "8998-03-03")
    assert code == 1 and "error[PQL0530]" in said and "error[PQL0520]" in said
    assert pql("check", ".", "--as-of", "2020-01-01")[0] == 2


def test_labels(folder: Path) -> None:
    code, said = pql("labels", "s")
    assert code == 0
    assert said.splitlines() == [
        "segment s: RHD",
        "  `RHD` on the field `health` → read as `health.code` → the definition `ill` → the segment `base` → the rule (under `not`)  [schema.yaml:4]",
    ]
    assert pql("labels", "health.code")[1].startswith("path health.code: RHD")
    assert pql("labels", "spent")[1].startswith("attribute spent: no labels")
    assert pql("labels", "mail")[1].startswith("destination mail: I1")
    assert pql("labels", "nothing")[0] == 2
    assert "emailAddress  I1   an e-mail address reaches a person directly" in pql("labels", "--suggest")[1]
    assert json.loads(pql("labels", "s", "--format", "json")[1])[0]["trail"][0]["origin"]["line"] == 4
    assert "Third-Party" in pql("labels", "--all")[1]
    assert [x["name"] for x in json.loads(pql("labels", "segments.pql", "--format", "json")[1])] == [
        "base",
        "s",
        "plain",
    ]


def test_policy_list(folder: Path) -> None:
    code, said = pql("policy", "list")
    assert code == 0 and "core.health" in said and "core.combining" not in said and "core.no-export" in said
    known = json.loads(pql("policy", "list", "--all", "--format", "json")[1])
    assert {p["status"] for p in known} == {"ENABLED", "DISABLED"} and len(known) == 14
    assert all(set(p) >= {"id", "name", "status", "marketingActionRefs", "description", "deny"} for p in known)


def test_policy_check_in_the_published_shape(folder: Path) -> None:
    code, said = pql("policy", "check", "--format", "json")
    refused, allowed = json.loads(said)
    assert code == 1 and not refused["allowed"] and allowed["allowed"]
    (evaluation,) = refused["evaluations"]
    assert set(evaluation) == {
        "timestamp",
        "clientId",
        "userId",
        "marketingActionRef",
        "duleLabels",
        "discoveredLabels",
        "violatedPolicies",
    }
    assert evaluation["duleLabels"] == ["RHD"]
    assert evaluation["violatedPolicies"][0]["id"] == "core.health"
    (violation,) = refused["violations"]
    kinds = [e["entityId"]["type"] for e in violation["entities"]]
    assert kinds == ["schema", "merge-policy", "definition", "segment", "segment"]
    chain = [(e["name"], e["parents"], e["labels"]) for e in violation["entities"]]
    assert chain == [
        ("schema", [], ["RHD"]),
        ("default", ["schema"], []),
        ("ill", ["default"], []),
        ("base", ["ill"], []),
        ("s", ["base"], []),
    ]
    assert all(e["flattenedLabels"] == ["RHD"] for e in violation["entities"])
    assert all(
        set(e) == {"name", "entityId", "parents", "labels", "options", "flattenedLabels"} for e in violation["entities"]
    )
    assert violation["entities"][-1]["options"]
    code, said = pql("policy", "check", "--destination", "mail")
    assert code == 0 and "allowed" in said
    code, said = pql("policy", "check", "--segment", "plain", "--action", "crossSiteTargeting")
    assert code == 0 and "plain   │ (purpose)   │ crossSiteTargeting │ none   │ allowed" in said
    assert pql("policy", "check", "--segment", "s", "--action", "crossSiteTargeting")[0] == 1
    assert pql("policy", "check", "--action", "nothing")[0] == 2
    assert pql("policy", "check", "--destination", "nothing")[0] == 2


def test_policy_check_of_labels(folder: Path) -> None:
    code, said = pql("policy", "check", "--labels", "C1,RHD", "--action", "exportToThirdParty")
    answer = json.loads(said)
    assert (
        code == 1
        and answer["duleLabels"] == ["C1", "RHD"]
        and [p["name"] for p in answer["violatedPolicies"]] == ["No advertising on health and sensitive data"]
    )
    assert pql("policy", "check", "--labels", "C1", "--action", "exportToThirdParty")[0] == 0
    assert pql("policy", "check", "--labels", "c1", "--action", "exportToThirdParty")[0] == 2
    assert pql("policy", "check", "--labels", "C12", "--action", "exportToThirdParty")[0] == 1


def test_policy_test(folder: Path) -> None:
    lines = [
        {"labels": ["RHD"], "actions": ["crossSiteTargeting"], "expect": "deny"},
        {
            "segment": "s",
            "actions": ["crossSiteTargeting"],
            "expect": "deny",
            "violated": ["No advertising on health and sensitive data"],
        },
        {"segment": "plain", "destination": "mail", "expect": "allow"},
    ]
    write(folder, {"tests.yaml": {"tests": lines}})
    assert pql("policy", "test", "tests.yaml") == (0, "3 passed, 0 failed\n")
    write(
        folder, {"tests.yaml": {"tests": [{**lines[0], "expect": "allow"}, {**lines[2], "violated": ["X"]}, lines[1]]}}
    )
    code, said = pql("policy", "test", "tests.yaml")
    assert code == 1 and "1 passed, 2 failed" in said and "error[PQL0539]" in said
    write(folder, {"tests.yaml": {"tests": [{"labels": ["Q"], "actions": ["crossSiteTargeting"], "expect": "allow"}]}})
    assert pql("policy", "test", "tests.yaml")[0] == 1


def test_policy_diff_of_folders_and_revisions(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x.example", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as it is"]):
        subprocess.run([*git, *words], cwd=folder, check=True, capture_output=True)
    assert pql("policy", "diff", "HEAD", ".") == (0, "no decision changes\n")
    write(
        folder,
        {
            "policies/own.yaml": "{name: No mail, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {label: I1}}"
        },
    )
    code, said = pql("policy", "diff", "HEAD", ".")
    assert code == 1 and said.startswith("would stop: `plain` → mail\n") and said.endswith("1 would stop\n")
    assert "trail: `I1` on the field `mail` → the mapped field `mail` → the exported fields" in said
    assert pql("policy", "diff", "nothing", ".")[0] == 2
    other = tmp_path_factory.mktemp("other")
    write(other, FILES)
    assert pql("policy", "diff", str(folder), str(other))[0] == 0
    assert json.loads(pql("policy", "diff", str(folder), str(other), "--format", "json")[1])[0]["change"] == "allowed"


PEOPLE = [
    {"k": "a", "points": 5, "consents": {"marketing": {"email": {"val": "y"}}}},
    {"k": "b", "points": 5},
    {"k": "c", "points": 1, "consents": {"marketing": {"email": {"val": "y"}}}},
]


@pytest.fixture
def store(folder: Path) -> Path:
    (folder / "people.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PEOPLE), encoding="utf-8")
    events = [{"timestamp": "2026-03-01T00:00:00Z", "total": 3, "profileId": "a"}]
    (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
    words = (
        "store",
        "create",
        "s.duckdb",
        "--profiles",
        "people.jsonl",
        "--events",
        "events.jsonl",
        "--profile-key",
        "k",
    )
    assert pql(*words, "-s", "schema.yaml")[0] == 0
    return folder / "s.duckdb"


def members(said: str) -> list[str]:
    return [json.loads(line)["profile"] for line in said.splitlines() if line.startswith("{")]


def test_run_for_a_destination_leaves_out_those_without_consent(store: Path) -> None:
    code, said = pql("run", "segments.pql", "--store", "s.duckdb", "--segment", "plain", "-f", "json")
    assert members(said) == ["a", "b"]
    code, said = pql("run", "segments.pql", "--store", "s.duckdb", "--for", "mail", "-f", "json")
    assert code == 0 and members(said) == ["a"] and "`plain` for `mail`: left to those with Mail" in said


def test_run_for_refuses_what_a_policy_forbids(store: Path) -> None:
    code, said = pql(
        "run", "segments.pql", "--store", "s.duckdb", "--segment", "s", "--for", "crossSiteTargeting", "-f", "json"
    )
    assert code == 1 and members(said) == [] and "not sent: PQL0520" in said
    assert pql("run", "segments.pql", "--store", "s.duckdb", "--for", "nowhere")[0] == 2
    write(
        store.parent,
        {"consent/more.yaml": "{name: Broken, marketingActionRefs: [emailTargeting], condition: 'points'}"},
    )
    code, said = pql("run", "segments.pql", "--store", "s.duckdb", "--for", "mail", "-f", "json")
    assert code == 1 and members(said) == [] and "PQL0537" in said
    write(store.parent, {"consent/more.yaml": "{name: Broken}"})
    assert pql("run", "segments.pql", "--store", "s.duckdb", "--for", "mail", "-f", "json")[0] == 2


def test_why(store: Path) -> None:
    write(store.parent, {"b.json": json.dumps({k: v for k, v in PEOPLE[1].items() if k != "k"}), "e.jsonl": ""})
    code, said = pql("why", "plain", "--profile", "b.json", "--events", "e.jsonl", "--for", "mail")
    assert code == 1
    assert (
        said.splitlines()[0]
        == "in the segment `plain`, but not sent to `mail`: the consent policy `Mail` does not hold"
    )
    assert "  yes  points > 3   (`points` is 5)" in said
    assert pql("why", "plain", "--profile", "a", "--store", "s.duckdb", "--for", "mail")[0] == 0
    code, said = pql("why", "s", "--profile", "c", "--store", "s.duckdb")
    assert code == 1 and said.splitlines()[0] == "not in the segment `s`"
    assert "no   points > 3   (`points` is 1)" in said and "segment `base`" in said and "definition `ill`" in said
    answer = json.loads(
        pql("why", "plain", "--profile", "b", "--store", "s.duckdb", "--for", "mail", "--format", "json")[1]
    )
    assert (answer["member"], answer["sent"], answer["consents"][0]["holds"]) == (True, False, False)
    code, said = pql("why", "s", "--profile", "a", "--store", "s.duckdb", "--for", "crossSiteTargeting")
    assert code == 1 and "nobody of it is sent to `crossSiteTargeting`: PQL0520" in said
    assert pql("why", "nothing", "--profile", "b.json")[0] == 2
    code, said = pql("why", "plain", "--profile", "zz", "--store", "s.duckdb")
    assert code == 1 and "error: PQL0844: there is no profile `zz`" in said
