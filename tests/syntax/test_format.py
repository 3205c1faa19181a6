"""The formatter's looks, one golden a file of `format/`, and its borders."""

from pathlib import Path

import pytest

from pql.source import Source
from pql.syntax.format import format_expression, format_source

FOLDER = Path(__file__).parent / "format"
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "before", sorted(FOLDER.glob("*.before.pql")), ids=lambda p: p.name.removesuffix(".before.pql")
)
def test_golden(before):
    after = before.with_name(before.name.replace(".before.", ".after."))
    text, found = format_source(Source("golden.pql", before.read_text(encoding="utf-8")))
    assert found == []
    assert text == after.read_text(encoding="utf-8")
    assert format_source(Source("golden.pql", text)) == (text, [])


@pytest.mark.parametrize("text", ["a = ", "segment x { where a }\nsegment y { where }", 'a = "\\q"', "define a = (b"])
def test_a_text_with_errors_is_left_alone(text):
    formatted, found = format_source(Source("x.pql", text))
    assert formatted is None
    assert all(d.is_error for d in found) and found
    assert format_expression(Source("x", text))[0] is None


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("", ""),
        (" \n\n", ""),
        ("\ufeffa=1", "a = 1\n"),
        ("// x\r\na\r\n  = 1 // y\r\n", "// x\na = 1  // y\n"),
        ("a=1\n\n\n", "a = 1\n"),
        ("/* a\r\n   b */\r\na", "/* a\n   b */\na\n"),
    ],
)
def test_line_ends_and_marks(text, formatted):
    assert format_source(Source("x.pql", text)) == (formatted, [])


def test_a_word_that_begins_declarations_is_kept_from_the_margin():
    text, _ = format_source(Source("x.pql", " test and b"))
    assert text == "  test and b\n"


def test_an_expression_has_no_line_break_at_its_end():
    assert format_expression(Source("x", "a=1 and\n b // c")) == ("a = 1 and b  // c", [])


def test_the_deepest_text_that_parses_is_formatted():
    text = "(" * 55 + "a" + " and b)" * 55
    assert format_source(Source("x.pql", text))[0] is not None
    text = "not " * 80 + "a"
    assert format_source(Source("x.pql", text))[0] == text + "\n"
    wide = "a in [" + ", ".join(["1"] * 9000) + "]"
    assert format_source(Source("x.pql", wide))[0] is not None


@pytest.mark.parametrize("broken", ["a = 2\n", "a = \n"])
def test_a_text_that_would_say_something_else_is_not_given_out(monkeypatch, broken):
    monkeypatch.setattr("pql.syntax.format._lay_out", lambda source, file: broken)
    text, found = format_source(Source("x.pql", "a = 1"))
    assert (text, [d.code for d in found]) == (None, ["PQL0905"])
