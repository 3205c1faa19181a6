"""`pql compile`: dialects, formats, exit codes; and the API behind it."""

import json

import pytest
from dialect_people import DOCUMENT
from typer.testing import CliRunner

from pql.api import Environment, Settings
from pql.cli import app
from pql.source import Source

SEGMENTS = """
segment vip "Very important" { where homeAddress.country = "US" and person.age >= 21 }
segment busy { where xEvent[timestamp occurs <= 7 days before now].count() > 3 }
segment named { where person.name.matches("^J") }
segment both { where inSegment("vip") and inSegment("named") }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "schema.yaml").write_text(json.dumps(DOCUMENT["schema"]), encoding="utf-8")
    (tmp_path / "s.pql").write_text(SEGMENTS, encoding="utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["compile", *map(str, arguments)])


def test_default_is_the_stores_form(folder):
    result = run(folder, "--segment", "busy")
    assert result.exit_code == 0 and "$now" in result.stdout and "-- busy" in result.stdout


@pytest.mark.parametrize(
    ("dialect", "mark", "bound"),
    [("spark", ":now", 1), ("snowflake", "?", 2), ("bigquery", "@now", 1), ("trino", "?", 2), ("clickhouse", "{now:", 1),
     ("postgres", "$1", 1)],
)  # fmt: skip
def test_parameters(folder, dialect, mark, bound):
    result = run(folder, "--segment", "busy", "--dialect", dialect, "--format", "json")
    assert result.exit_code == 0
    (made,) = json.loads(result.stdout)
    assert made["parameters"] == ["now"] * bound and mark in made["sql"].replace(" ", "")
    assert (made["segment"], made["dialect"], made["columns"], made["refused"]) == ("busy", dialect, ["pid"], [])


def test_a_refusal_is_a_finding(folder):
    result = run(folder, "--dialect", "postgres")
    assert result.exit_code == 1
    assert "PQL0701" in result.stderr and "`matches` is not available in `postgres`" in result.stderr
    assert "-- vip" in result.stdout and "-- named" not in result.stdout and "-- both" not in result.stdout
    assert "Traceback" not in result.output


def test_a_refusal_in_a_referenced_segment_points_there(folder):
    environment = Environment.from_short(DOCUMENT["schema"])
    project = environment.project([Source("s.pql", SEGMENTS)])
    made = environment.compile(project.segments["both"], "trino", project)
    (found,) = made.diagnostics
    assert "matches" in found.source.text[found.span.start : found.span.end]


def test_output_file_and_mistakes(folder):
    out = folder / "out.sql"
    assert run(folder, "--segment", "vip", "-d", "bigquery", "-o", out).exit_code == 0
    assert "`homeAddress`" in out.read_text(encoding="utf-8")
    assert run(folder, "--dialect", "mysql").exit_code == 2
    assert "did you mean `spark`" in run(folder, "--dialect", "sparc").stderr
    assert run(folder, "--segment", "vipp").exit_code == 2
    assert run(folder, "--format", "xml").exit_code == 2
    assert run(folder, "-o", folder / "no" / "such").exit_code == 2


def test_an_expression_gives_a_value(folder):
    result = run("-s", folder / "schema.yaml", "-e", "orders.count()", "-d", "trino", "-f", "json")
    assert json.loads(result.stdout)[0]["columns"] == ["pid", "c0"]


def test_zones_are_refused_where_unproven():
    environment = Environment.from_short(DOCUMENT["schema"], Settings("Europe/Berlin"))
    checked = environment.check("loyalty.joined occurs today")
    assert environment.compile(checked, "postgres").ok
    assert environment.compile(checked, "snowflake").diagnostics[0].code == "PQL0701"
