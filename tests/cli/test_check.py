"""`pql check` over files that cannot be read: a finding each, and the others are checked all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pql.cli import app


@pytest.mark.parametrize("project", [False, True])
def test_a_file_that_is_not_utf8_is_a_finding(tmp_path: Path, project: bool) -> None:
    (tmp_path / "schema.yaml").write_text("profile:\n  city: string\n", encoding="utf-8")
    if project:
        (tmp_path / "pql.yaml").write_text("schema: schema.yaml\n", encoding="utf-8")
    (tmp_path / "a.pql").write_bytes(b'segment a "A" { where city = "Z\xfcrich" }\n')
    (tmp_path / "b.pql").write_text('segment b "B" { where town = "Rome" }\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "PQL0004" in done.output and "a.pql:1:32" in done.output and "byte 0xFC" in done.output
    assert "PQL0201" in done.output
    assert "2 errors in 2 files" in done.output


def test_explain_says_what_a_segment_costs_live() -> None:
    shop = str(Path(__file__).parents[2] / "examples" / "online-retail")
    done = CliRunner().invoke(app, ["explain", shop, "--segment", "lapsed", "--cost"])
    assert done.exit_code == 0, done.output
    assert "live: class history, unbounded" in done.output and "bytes a profile" in done.output
    told = json.loads(CliRunner().invoke(app, ["explain", shop, "--cost", "-f", "json"]).output)
    assert {t["live"]["class"] for t in told} >= {"stateless", "bucketed", "history"}


def test_what_is_found_of_an_element_is_said_of_its_list(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("profile: {city: string}\nevent:\n  'items[]': {price: number}\n")
    rule = "where (sum I.price over X from xEvent, I from X.items > 300) > 0"
    (tmp_path / "a.pql").write_text(f'define rome = city = "Rome"\n\nsegment a {{ {rule} }}\n')
    found = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "-f", "json"]).output)
    lines = [d["range"]["start"]["line"] for d in found["diagnostics"] if d["code"] == "PQL0301"]
    assert lines == [3]


@pytest.mark.parametrize(
    ("phrase", "hinted"),
    [
        ('between "2026-03-01" and "2026-03-31"', "the window ends as that day begins"),
        ('"2026-03-31"', "only that instant is meant"),
        ('after "2026-03-31"', "the day itself comes after it"),
        ('between "2026-03-01" and "2026-03-31T23:59:59Z"', ""),
        ('between "2026-03-01" and date(2026, 3, 31)', ""),
        ('before "2026-03-31"', ""),
        ('from "2026-03-31"', ""),
        ('between "2026-03-01" and "2026-03-31" ignoring year', ""),
    ],
)
def test_a_day_as_a_text_that_is_no_whole_day_is_said(tmp_path: Path, phrase: str, hinted: str) -> None:
    (tmp_path / "schema.yaml").write_text("profile: {born: date}\nevent: {x: string}\n")
    (tmp_path / "a.pql").write_text(f"segment a {{ where xEvent[timestamp occurs {phrase}].count() > 0 }}\n")
    done = CliRunner().invoke(app, ["check", str(tmp_path), "-f", "json"])
    found = json.loads(done.output)["diagnostics"]
    assert done.exit_code == 0 and [d["code"] for d in found] == (["PQL0408"] if hinted else [])
    if hinted:
        assert hinted in found[0]["message"] and "date(2026, 3, 31)" in str(found[0]["help"])
    (tmp_path / "a.pql").write_text(f"segment a {{ where born occurs {phrase} }}\n")
    assert "PQL0408" not in CliRunner().invoke(app, ["check", str(tmp_path), "-f", "json"]).output, "a date has no time"


@pytest.mark.parametrize(
    ("test", "hinted"),
    [
        ('timestamp <= "2026-03-31"', "`occurs before date(2026, 4, 1)`"),
        ("timestamp <= date(2026, 3, 31)", "`occurs before date(2026, 4, 1)`"),
        ('timestamp > "2026-12-31"', "`occurs after date(2026, 12, 31)`"),
        ('timestamp = "2026-12-31"', "`occurs date(2026, 12, 31)`"),
        ('timestamp <= "9999-12-31"', "`occurs before date(9999, 12, 31)`"),
        ('timestamp < "2026-03-31"', ""),
        ('timestamp >= "2026-03-31"', ""),
        ('timestamp <= "2026-03-31T00:00:00Z"', ""),
        ('x <= "2026-03-31"', ""),
    ],
)
def test_an_instant_that_is_compared_with_a_day(tmp_path: Path, test: str, hinted: str) -> None:
    (tmp_path / "schema.yaml").write_text("event: {x: string}\n")
    (tmp_path / "a.pql").write_text(f"segment a {{ where xEvent[{test}].count() > 0 }}\n")
    found = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "-f", "json"]).output)["diagnostics"]
    assert [d["code"] for d in found] == (["PQL0408"] if hinted else [])
    assert hinted in str(found)


def test_a_path_that_is_not_there_gets_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["check", "nowhere"])
    assert done.exit_code == 2 and "name a `.pql` file, or a folder that holds some" in done.output
    (tmp_path / "segments.pql").write_text("segment a { where true }\n")
    done = CliRunner().invoke(app, ["check", "nowhere"])
    assert done.exit_code == 2 and "there are `segments.pql`" in done.output
    assert "did you mean `segments.pql`?" in CliRunner().invoke(app, ["check", "segmets.pql"]).output
    done = CliRunner().invoke(app, ["check", "below/segments.pql"])
    assert done.exit_code == 2 and "segments.pql" in done.output.split("help: ")[1]
