"""The register: every code in its range, explained, with examples that the parser reads as the text says."""

from __future__ import annotations

import re

import pytest

from pql.diagnostics.codes import _TABLE as TABLE
from pql.diagnostics.codes import CODES, explain
from pql.diagnostics.explanations import EXPLANATIONS
from pql.source import Source
from pql.syntax.parser import parse_file

RANGES = range(10)
NOT_TEXT = {"PQL0812"}  # its first block shows broken pql/json as text, which is a syntax error of its own
BLOCK = re.compile(r"^```pql\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(code: str) -> tuple[str, str]:
    """The block that triggers the code, and the one that does not."""
    before, after = EXPLANATIONS[code].split("\nInstead:")
    (bad,), (good,) = BLOCK.findall(before), BLOCK.findall(after)
    return bad, good


def test_codes_are_unique_in_order_and_in_range() -> None:
    codes = [code for code, _, _ in TABLE]
    assert len(set(codes)) == len(codes)
    assert codes == sorted(codes)
    assert all(re.fullmatch(r"PQL\d{4}", code) and int(code[3:5]) in RANGES for code in codes)
    titles = [title for _, _, title in TABLE]
    assert len(set(titles)) == len(titles)


def test_every_code_is_explained_and_nothing_else() -> None:
    assert set(EXPLANATIONS) == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_explanation(code: str) -> None:
    text = CODES[code].explanation
    lines = text.strip().split("\n")
    assert text == EXPLANATIONS[code]
    assert 6 <= len(lines) <= 20
    assert max(map(len, lines)) <= 120
    assert text.count("```") % 2 == 0
    assert not lines[0].startswith(("#", "```"))
    bad, good = blocks(code)
    assert bad.strip()
    assert good.strip()


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_good_example_is_good_syntax(code: str) -> None:
    _, found = parse_file(Source("example.pql", blocks(code)[1]))
    assert [d.message for d in found] == []


@pytest.mark.parametrize("code", sorted(c for c in CODES if c.startswith("PQL01")))
def test_the_bad_example_of_a_syntax_error_has_that_error(code: str) -> None:
    _, found = parse_file(Source("example.pql", blocks(code)[0]))
    assert [d.code for d in found] == [code]


@pytest.mark.parametrize("code", sorted(c for c in CODES if not c.startswith("PQL01") and c not in NOT_TEXT))
def test_the_bad_example_of_another_error_can_be_read(code: str) -> None:
    _, found = parse_file(Source("example.pql", blocks(code)[0]))
    allowed = {code, "PQL0101"} if code == "PQL0509" else {code}  # the grammar itself asks for a `where`
    assert {d.code for d in found} <= allowed


def test_explain_takes_any_case() -> None:
    assert explain("pql0201") is CODES["PQL0201"]
    assert explain("PQL9999") is None
