"""The table of decisions: each with labels, violated policies, exemptions and the whole trail; and every way out is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pql.policies.govern import Decision
from pql.policies.report import trail_words
from tests.policies.projects import judge, write

TABLES = [
    yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
    for name in ("decisions.yaml", "bank.yaml")
]
CASES = [{**{k: v for k, v in table.items() if k != "cases"}, **case} for table in TABLES for case in table["cases"]]


def project(case: dict[str, Any], folder: Path) -> None:
    policies = case["policies"]
    write(folder, {"schema.yaml": case["schema"], "segments.pql": case["source"]})
    if policies:
        write(folder, {"policies/table.yaml": {"policies": policies}})
    if "core" in case:
        write(folder, {"pql.yaml": {"policies": {"enabled": case["core"]}}})
    write(folder, case.get("files", {}))


def told(d: Decision) -> dict[str, Any]:
    said: dict[str, Any] = {"segment": d.segment, "use": d.destination or d.actions[0], "labels": sorted(d.labels)}
    if d.violations:
        said["violated"] = sorted(v.policy.name for v in d.violations)
        said["trail"] = sorted({trail_words(c) for v in d.violations for c in v.trail})
    if d.exempt:
        said["exempt"] = [v.policy.name for v, _ in d.exempt]
    if d.unknown:
        said["unknown"] = list(d.unknown)
    return said


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_decision(case: dict[str, Any], tmp_path: Path) -> None:
    project(case, tmp_path)
    made = judge(tmp_path)
    wanted = [{**d, "trail": sorted(d["trail"])} if "trail" in d else d for d in case["decisions"]]
    assert [told(d) for d in made.governed.decisions] == wanted
    refused = any(d.violations for d in made.governed.decisions)
    assert made.codes == sorted({*(["PQL0520"] if refused else []), *case.get("errors", [])})
    assert all(d.allowed == (not d.violations and not d.unknown) for d in made.governed.decisions)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_every_way_of_a_trail_has_places(case: dict[str, Any], tmp_path: Path) -> None:
    project(case, tmp_path)
    for finding in (d for d in judge(tmp_path).found if d.code == "PQL0520"):
        texts = [label.source.slice(label.span) for label in finding.labels]
        assert all(texts), [label.message for label in finding.labels]
        assert any(label.message.startswith("the policy") for label in finding.labels)
        assert any("is given to" in label.message for label in finding.labels)
