"""pql/json: the published form to the letter, loose variants, our own nodes, what is said of wrong ones; documents."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pql.api import Environment
from pql.cli import app
from pql.source import Source
from pql.syntax.json_document import document_to_text, looks_like_json
from pql.syntax.json_form import to_json
from pql.syntax.json_parts import place
from pql.syntax.json_read import from_json
from pql.syntax.parser import parse_expression

FOLDER = Path(__file__).parent
CASES = yaml.safe_load((FOLDER / "json_cases.yaml").read_text(encoding="utf-8"))


def tree_of(text):
    tree, found = parse_expression(Source("case", text))
    assert tree is not None, found
    return tree


@pytest.mark.parametrize("case", CASES["both"], ids=lambda c: c["pql"])
def test_both_ways(case):
    assert to_json(tree_of(case["pql"])) == case["json"]
    assert from_json(case["json"]) == (tree_of(case["pql"]), [])
    text, _ = document_to_text(Source("case", json.dumps(case["json"])))
    assert " ".join(text.split()).replace("[ ", "[").replace(" ]", "]") == case["pql"]


@pytest.mark.parametrize("case", CASES["reads"], ids=lambda c: c["pql"])
def test_loose_reading(case):
    assert from_json(case["json"]) == (tree_of(case["pql"]), [])


@pytest.mark.parametrize("case", CASES["wrong"], ids=lambda c: c["says"][0])
def test_wrong_documents(case):
    tree, found = from_json(case["json"])
    assert tree is None
    assert [d.message for d in found] == case["says"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("$", "{"),
        ("$.a[1].b", '"x"'),
        ("$.a[0]", "[1, 2]"),
        ("$.c", "3"),
        ("$.a[7]", '[[1, 2], { "b" : "x" }]'),
        ("$.no", "{"),
    ],
)
def test_places(path, shown):
    text = ' { "a": [[1, 2], { "b" : "x" }],\n "c":3, "long": "' + "y" * 90 + '"}'
    span = place(text, path)
    assert text[span.start : span.end] == shown


def test_findings_point_into_the_text():
    text = '{"nodeType": "fnApply", "fnName": "NOT", "params": [{"nodeType": "literal"}]}'
    _, found = document_to_text(Source("x.json", text))
    assert text[found[0].span.start : found[0].span.end] == '{"nodeType": "literal"}'


DEFINITION = {
    "id": "4afe34ae-8c98",
    "name": "Adults",
    "profileInstanceId": "ups",
    "schema": {"name": "profile"},
    "expression": {"type": "PQL", "format": "pql/text", "value": "person.age>=18"},
    "description": "All of age",
}
SEGMENT = 'segment `4afe34ae-8c98` "Adults" {\n  description: "All of age"\n\n  where person.age >= 18\n}\n'


def test_a_definition_of_the_public_api_in_both_formats():
    assert document_to_text(Source("x", json.dumps(DEFINITION))) == (SEGMENT, [])
    node = to_json(tree_of("person.age >= 18"))
    for value in (node, json.dumps(node)):
        document = {**DEFINITION, "expression": {"type": "PQL", "format": "pql/json", "value": value}}
        assert document_to_text(Source("x", json.dumps(document))) == (SEGMENT, [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"expression": {"type": "PQL", "format": "pql/xml", "value": ""}},
            "`$.expression.format`: `pql/xml` is not known here",
        ),
        (
            {"expression": {"type": "SQL", "format": "pql/text", "value": ""}},
            "`$.expression.type`: `PQL` is expected, not `SQL`",
        ),
        (
            {"expression": {"format": "pql/text", "value": "a ="}},
            "an expression is expected after `=`, but the text ends",
        ),
        (
            {"expression": {"format": "pql/json", "value": "{"}},
            "`$`: this is not JSON: expecting property name enclosed in double quotes",
        ),
        ({"name": 3}, "`$.name`: a string is expected, not `3`"),
        ({"id": "a`b"}, "`$.id`: `a`b` cannot be a name"),
    ],
)
def test_wrong_definitions(change, says):
    text, found = document_to_text(Source("x", json.dumps({**DEFINITION, **change})))
    assert text is None
    assert [d.message for d in found] == [says]


def test_a_key_that_stands_twice():
    text = '{"nodeType": "literal", "value": 1, "value": 2}'
    assert [d.message for d in document_to_text(Source("x", text))[1]] == [
        "`$`: the key `value` stands twice in one object"
    ]


def test_text_that_begins_with_a_bracket_is_not_json():
    assert not looks_like_json(Source("x", '{"a": 1}'))
    assert not looks_like_json(Source("x", '["a"].includes(b)'))
    assert looks_like_json(Source("x", '{"nodeType": broken'))


def test_a_node_is_checked_like_its_text():
    document = yaml.safe_load((FOLDER.parent / "conformance" / "values.yaml").read_text(encoding="utf-8"))
    environment = Environment.from_short(document["schema"])
    good = environment.check_json(to_json(tree_of("person.age >= 18")))
    assert good.ok and good.ir.type == environment.check("person.age >= 18").type
    bad = environment.check_json(to_json(tree_of("person.agee >= 18")))
    assert [d.code for d in bad.diagnostics] == ["PQL0201"]
    assert bad.diagnostics[0].source.slice(bad.diagnostics[0].span) == "agee"
    assert not environment.check_json({"nodeType": "literal"}).ok


# --- the command ---
def convert(*args, text=None):
    return CliRunner().invoke(app, ["convert", *map(str, args)], input=text)


def test_convert_a_file_there_and_back(tmp_path):
    before = (FOLDER / "format" / "declarations.after.pql").read_text(encoding="utf-8")
    (tmp_path / "a.pql").write_text(before)
    there = convert(tmp_path / "a.pql", "--to", "json")
    assert there.exit_code == 0
    document = json.loads(there.stdout)
    assert [s["id"] for s in document["segments"]] == ["gift", "plain", "odd name", "parens"]
    assert document["segments"][0]["expression"]["format"] == "pql/json"
    back = convert("-", "--to", "text", text=there.stdout)
    assert back.exit_code == 0
    assert convert("-", "--to", "json", text=back.stdout).stdout == there.stdout
    assert convert("-", "--to", "json", text=there.stdout).stdout == there.stdout


def test_convert_tells_of_comments():
    assert (
        convert("-e", "a // one\n = /* two */ 1").stderr
        == "note: 2 comments are left out: pql/json has no place for them\n"
    )
    assert convert("-e", "a = 1").stderr == ""


def test_convert_expressions_and_definitions():
    node = convert("-e", "a = 1").stdout
    assert json.loads(node) == to_json(tree_of("a = 1"))
    assert convert("-e", node, "--to", "text").stdout == "a = 1\n"
    assert convert("-e", node, "--to", "json").stdout == node
    definition = json.loads(convert("-e", json.dumps(DEFINITION), "--to", "json").stdout)
    value = definition.pop("expression")["value"]
    assert definition == {k: v for k, v in DEFINITION.items() if k != "expression"}
    assert json.loads(value) == to_json(tree_of("person.age >= 18"))


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ([], 2, "one input is wanted"),
        (["-e", "a", "--to", "xml"], 2, "no form `xml`"),
        (["missing.pql"], 2, "cannot be read"),
        (["-e", "a ="], 1, "PQL0102"),
        (["-e", '{"nodeType": "x"}', "--to", "text"], 1, "PQL0812"),
    ],
)
def test_convert_fails(args, code, says):
    result = convert(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr


def test_other_commands_read_pql_json(tmp_path):
    (tmp_path / "schema.yaml").write_text("profile:\n  age: integer\n")
    node = json.dumps(to_json(tree_of("age >= 18")))
    (tmp_path / "adults.json").write_text(node)
    (tmp_path / "broken.json").write_text('{"nodeType": "literal"}')
    (tmp_path / "segments.json").write_text(json.dumps({"segments": [DEFINITION, {**DEFINITION, "id": "b"}]}))

    def pql(*args):
        return CliRunner().invoke(app, [*map(str, args), "--schema", str(tmp_path / "schema.yaml")])

    assert pql("check", tmp_path / "adults.json").exit_code == 0
    assert pql("check", "-e", node).exit_code == 0
    assert "PQL0812" in pql("check", tmp_path / "broken.json").output
    unknown = pql("check", tmp_path / "segments.json")
    assert unknown.exit_code == 1 and unknown.output.count("error[PQL0201]") == 2
    assert "18" in pql("compile", tmp_path / "adults.json").output
    assert pql("eval", node).output.strip() == "false"
