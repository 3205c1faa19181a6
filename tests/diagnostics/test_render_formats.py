"""The formats for programs: goldens, their parts read back, and sources that try to break out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from pql.diagnostics.codes import CODES
from pql.diagnostics.model import Diagnostic, Fix, Severity
from pql.diagnostics.render import FORMATS, render_github, render_json, render_junit, render_sarif
from pql.diagnostics.render_sarif import uri
from pql.source import Source, Span

Samples = dict[str, list[Diagnostic]]
Golden = Callable[[str, str], None]

FILES = ("segments/vip.pql", "segments/clean.pql")


@pytest.mark.parametrize("name", ["basic", "spans", "hostile", "none"])
@pytest.mark.parametrize("form", ["json", "sarif", "github", "junit"])
def test_golden(form: str, name: str, samples: Samples, golden: Golden) -> None:
    out = FORMATS[form](samples[name], files=FILES)
    golden(f"{form}-{name}", without_explanations(out) if form == "sarif" else out)


def without_explanations(out: str) -> str:
    """A log whose golden does not change with the wording of the register."""
    log = json.loads(out)
    assert json.dumps(log, indent=2) == out
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        rule |= {"fullDescription": "…", "help": "…"}
    return json.dumps(log, indent=2)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_one_signature(form: str, samples: Samples) -> None:
    for found in samples.values():
        assert FORMATS[form](found) == FORMATS[form](tuple(found), files=(), color=False)
        assert not FORMATS[form](found).endswith("\n")
        FORMATS[form](found, files=FILES, color=True).encode()


def test_json_ranges_and_keys(samples: Samples) -> None:
    got = json.loads(render_json(samples["basic"], FILES))
    assert list(got) == ["version", "diagnostics", "summary"]
    assert got["version"] == 1
    assert got["summary"] == {"errors": 2, "warnings": 1, "hints": 1, "files": 4}
    keys = ["code", "severity", "message", "file", "range", "label", "help", "labels", "fixes"]
    assert [list(d) for d in got["diagnostics"]] == [keys] * 4
    first, source = got["diagnostics"][0], samples["basic"][0].source
    start, end = first["range"]["start"], first["range"]["end"]
    assert (start["line"], start["column"], end["line"], end["column"]) == (3, 16, 3, 20)
    assert source.text[start["offset"] : end["offset"]] == "nmae"
    assert first["labels"][0]["file"] == "schema/profile.json"
    assert first["fixes"] == [{"message": "replace it with the field's name", "range": first["range"], "text": "name"}]


def test_json_is_ascii_and_keeps_every_character(samples: Samples) -> None:
    out = render_json(samples["hostile"])
    assert out.isascii()
    assert "\x1b" not in out
    got = json.loads(out)["diagnostics"][0]
    assert got["file"] == samples["hostile"][0].source.name
    assert got["message"] == samples["hostile"][0].message


def _run(found: list[Diagnostic], files: tuple[str, ...] = ()) -> dict[str, Any]:
    log = json.loads(render_sarif(found, files))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_sarif_rules_come_from_the_register(samples: Samples) -> None:
    run = _run(samples["basic"] * 2)
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "pql"
    assert [r["id"] for r in rules] == ["PQL0201", "PQL0401", "PQL0212", "PQL0901"]
    for rule in rules:
        assert rule["help"]["markdown"] == CODES[rule["id"]].explanation
        assert rule["shortDescription"]["text"] == CODES[rule["id"]].title
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert [r["level"] for r in run["results"]][:3] == ["error", "note", "warning"]


def test_sarif_regions_and_fixes(samples: Samples) -> None:
    run = _run(samples["basic"], FILES)
    assert run["columnKind"] == "unicodeCodePoints"
    assert [a["location"]["uri"] for a in run["artifacts"]] == list(FILES)
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    region = {"startLine": 3, "startColumn": 16, "endLine": 3, "endColumn": 20}
    assert place["artifactLocation"] == {"uri": "segments/vip.pql"}
    assert place["region"] == {**region, "message": {"text": "unknown field"}}
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "schema/profile.json"}
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "name"}}]
    assert "region" not in run["results"][3]["locations"][0]["physicalLocation"]


def test_sarif_region_over_lines_ends_behind_its_last_character() -> None:
    found = Diagnostic("PQL0108", Severity.ERROR, "m", Source("f", "a (\n b\n"), Span(2, 7))
    place = _run([found])["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 1, "startColumn": 3, "endLine": 3, "endColumn": 1}


def test_sarif_insertion_is_an_empty_region() -> None:
    source = Source("f", "a b")
    found = Diagnostic("PQL0101", Severity.ERROR, "m", source, Span(2, 3), fixes=(Fix("add", Span(2, 2), "and "),))
    region = _run([found])["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]
    assert region == {"startLine": 1, "startColumn": 3, "endLine": 1, "endColumn": 3}


def test_sarif_makes_no_links_of_what_users_wrote(samples: Samples) -> None:
    text = _run(samples["basic"])["results"][2]["message"]["text"]
    assert text == "no segment `a,b: \\[c](http://d)`"


def test_sarif_takes_a_code_that_is_not_in_the_register() -> None:
    run = _run([Diagnostic("PQL9999", Severity.ERROR, "m", Source("f", "x"), Span(0, 1))])
    assert run["tool"]["driver"]["rules"] == [{"id": "PQL9999"}]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b c.pql", "a/b%20c.pql"),
        ("a:b.pql", "a%3Ab.pql"),
        ("/abs/é.pql", "file:///abs/%C3%A9.pql"),
        ("C:\\x\\y.pql", "file:///C:/x/y.pql"),
        ("<expression>", "%3Cexpression%3E"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_sarif_uris(name: str, expected: str) -> None:
    assert uri(name) == expected


def test_github_commands(samples: Samples) -> None:
    lines = render_github(samples["basic"]).split("\n")
    place = "file=segments/vip.pql,line=3,endLine=3,col=16,endColumn=20,title=PQL0201"
    assert lines[0] == f"::error {place}::no field `nmae` in `person`%0Aunknown field%0Ahelp: did you mean `name`?"
    assert lines[1].startswith("::notice ")
    assert lines[2] == "::warning line=1,endLine=1,col=1,endColumn=2,title=PQL0212::no segment `a,b: [c](http://d)`"
    assert lines[3] == "::error file=gone.pql,title=PQL0901::`gone.pql` is not there"


def test_github_leaves_columns_out_over_lines() -> None:
    found = Diagnostic("PQL0108", Severity.ERROR, "m", Source("f", "a\nb"), Span(0, 3))
    assert render_github([found]) == "::error file=f,line=1,endLine=2,title=PQL0108::m"


def test_github_cannot_be_made_to_say_more() -> None:
    source = Source("a,b:c%\n::error::x", "text\n::set-output::")
    found = Diagnostic("PQL0101", Severity.ERROR, "50%\r\n::warning::y", source, Span(0, 1))
    out = render_github([found])
    assert "\n" not in out
    assert "\r" not in out
    assert out.startswith("::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax,line=1,")
    assert out.endswith("::50%25%0D%0A::warning::y")


def test_junit_suites(samples: Samples) -> None:
    root = ElementTree.fromstring(render_junit(samples["basic"], FILES))
    assert [s.get("name") for s in root] == [*FILES, "<expression>", "gone.pql"]
    assert root.attrib == {"name": "pql", "tests": "5", "failures": "2", "errors": "0", "skipped": "0"}
    vip, clean = root[0], root[1]
    assert (vip.get("tests"), vip.get("failures")) == ("2", "1")
    assert [c.get("name") for c in vip] == ["PQL0201 at 3:16", "PQL0401 at 4:9"]
    failure = vip[0].find("failure")
    assert failure is not None
    assert failure.get("type") == "PQL0201"
    assert "^^^^ unknown field" in (failure.text or "")
    assert vip[1].find("failure") is None
    assert vip[1].find("system-out") is not None
    assert (clean.get("tests"), clean.get("failures"), len(clean[0])) == ("1", "0", 0)


def test_junit_is_xml_whatever_the_source_holds() -> None:
    every = "".join(map(chr, [*range(0x100), 0x2028, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1F600])) + "]]></failure>"
    source = Source(every, every)
    found = Diagnostic("PQL0101", Severity.ERROR, every, source, Span(0, len(every)), every, (every,))
    root = ElementTree.fromstring(render_junit([found], (every, "b")).encode())
    assert root.get("tests") == "2"
    case = root[0][0]
    assert case.tag == "testcase"
    assert [child.tag for child in case] == ["failure"]
