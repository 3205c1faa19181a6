"""What the public documentation shows parses, checks, compiles, formats, and goes to pql/json and back."""

from pathlib import Path

import pytest

from pql.api import Environment
from pql.source import Source
from pql.syntax import parse_expression
from pql.syntax.format import format_expression
from pql.syntax.format_plain import plain_text
from pql.syntax.json_form import to_json
from pql.syntax.json_read import from_json
from pql.xdm.yaml_text import read_yaml

DOCUMENT = read_yaml((Path(__file__).parent / "documented.yaml").read_text(encoding="utf-8"))
ENVIRONMENT = Environment.from_short(DOCUMENT["schema"])
VALID = [(page, text) for page, texts in DOCUMENT["valid"].items() for text in texts]


@pytest.mark.parametrize(("page", "text"), VALID)
def test_valid(page: str, text: str) -> None:
    checked = ENVIRONMENT.check(text)
    assert [f"{d.code} {d.message}" for d in checked.diagnostics if d.is_error] == []
    assert checked.tree is not None
    laid_out, found = format_expression(Source("documented", text))
    assert laid_out is not None, found
    assert parse_expression(Source("laid out", laid_out))[0] == checked.tree
    assert format_expression(Source("laid out", laid_out))[0] == laid_out
    assert parse_expression(Source("plain", plain_text(checked.tree)))[0] == checked.tree
    if not any(sign in text for sign in ("@{", "$")):
        assert from_json(to_json(checked.tree), Source("json", ""))[0] == checked.tree


def test_all_in_one_statement() -> None:
    conditions = [ENVIRONMENT.check(text).ir for _, text in VALID if text[-16:] != "groupBy(storeId)"]
    assert ENVIRONMENT.sql(conditions).sql()


@pytest.mark.parametrize("case", DOCUMENT["rejected"], ids=lambda c: c["pql"])
def test_rejected(case: dict[str, str]) -> None:
    errors = [d for d in ENVIRONMENT.check(case["pql"]).diagnostics if d.is_error]
    assert errors
    assert case["code"] in ("*", *(d.code for d in errors))
