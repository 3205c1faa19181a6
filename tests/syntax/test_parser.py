"""The parser: recovery, bounds, and that no bytes whatever make it raise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pql.source import Source
from pql.syntax import parse_expression, parse_file

PIECES = st.sampled_from(
    ["a", ".", "(", ")", "[", "]", "{", "}", "and", "not", '"x"', '"', "`", "1", "2.5", "=", "!=", "in", "exists", "from", "where",
     "chain", "WHAT", "occurs", "days", "before", "now", ",", ":", "=>", "^", "this", "segment", "define", "test", "//", "/*", "\n", "\\", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_words_give_a_tree_or_findings(pieces):
    text = " ".join(pieces)
    tree, found = parse_expression(Source("x", text))
    assert (tree is None) == any(d.is_error for d in found)
    parse_file(Source("x.pql", text))


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_tree_or_findings(text):
    file, found = parse_file(Source("x.pql", text))
    assert file.declarations or found
    assert all(0 <= d.span.start <= d.span.end <= len(text) + 1 for d in found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a ==  b", "PQL0107"),
        ("(a", "PQL0108"),
        ('"abc', "PQL0104"),
        ("/* a", "PQL0109"),
        ('"\\q"', "PQL0105"),
        ("a =", "PQL0102"),
        ("a # b", "PQL0103"),
        ("(" * 100 + ")" * 100, "PQL0002"),
        ("1" + "+1" * 300, "PQL0002"),
        ("a in [" + "1," * 30_000 + "1]", "PQL0003"),
    ],
)
def test_codes(text, code):
    assert [d.code for d in parse_expression(Source("x", text))[1]] == [code]


def test_one_broken_segment_does_not_hide_the_next():
    text = "segment a { where x = }\nsegment b { where (y }\nsegment c { where z = 1 }\n"
    file, found = parse_file(Source("x.pql", text))
    assert [d.id for d in file.declarations] == ["c"]
    assert len(found) == 2
