"""Every PQL text of this repository keeps its tree through the formatter and through pql/json."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pql.diagnostics.explanations import EXPLANATIONS
from pql.source import Source
from pql.syntax.format import format_expression, format_source
from pql.syntax.format_plain import plain_text
from pql.syntax.json_document import document_to_text, text_to_document
from pql.syntax.json_form import to_json
from pql.syntax.json_read import from_json
from pql.syntax.parser import parse_expression, parse_file

ROOT = Path(__file__).parent.parent.parent
CONFORMANCE = sorted((ROOT / "tests" / "conformance").glob("*.yaml"))
FILES = sorted((ROOT / "examples").rglob("*.pql"))


@pytest.mark.parametrize("path", CONFORMANCE, ids=lambda p: p.name)
def test_conformance_cases(path):
    seen = 0
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]:
        tree, _ = parse_expression(Source("case", str(case.get("pql", ""))))
        if tree is None:
            continue
        seen += 1
        text, _ = format_expression(Source("case", case["pql"]))
        assert parse_expression(Source("case", text))[0] == tree
        assert parse_expression(Source("case", plain_text(tree)))[0] == tree
        assert from_json(json.loads(json.dumps(to_json(tree)))) == (tree, [])
    assert seen


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_example_files(path):
    source = Source(path.name, path.read_text(encoding="utf-8"))
    text, found = format_source(source)
    assert found == []
    assert parse_file(Source(path.name, text))[0] == parse_file(source)[0]
    document, found = text_to_document(source)
    assert found == []
    back, found = document_to_text(Source(path.name, json.dumps(document)))
    assert found == []
    again, _ = text_to_document(Source(path.name, back))
    assert again == document


@pytest.mark.parametrize("code", sorted(EXPLANATIONS))
def test_blocks_of_the_explanations(code):
    for block in re.findall(r"^```pql\n(.*?)^```$", EXPLANATIONS[code], re.DOTALL | re.MULTILINE):
        source = Source("block.pql", block)
        file, found = parse_file(source)
        if not any(d.is_error for d in found):
            text, _ = format_source(source)
            assert parse_file(Source("block.pql", text))[0] == file


def test_the_page_on_the_formatter_is_formatted():
    (block,) = re.findall(r"```pql\n(.*?)```", (ROOT / "docs" / "FORMATTER.md").read_text(encoding="utf-8"), re.DOTALL)
    assert format_source(Source("page.pql", block)) == (block, [])
