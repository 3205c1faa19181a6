"""Laws of the formatter over random texts: same tree, same comments in the same order, and twice is once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import comments, expression, file, scatter

from pql.source import Source
from pql.syntax.format import WIDTH, format_expression, format_source
from pql.syntax.parser import parse_expression, parse_file


def lawful(text):
    source = Source("law.pql", text)
    tree, found = parse_file(source)
    if any(d.is_error for d in found):
        return False
    once, none = format_source(source)
    assert once is not None, (text, none)
    assert parse_file(Source("law.pql", once))[0] == tree, text
    assert comments(once) == comments(text), text
    assert format_source(Source("law.pql", once))[0] == once, text
    assert once.endswith("\n") and not any(line != line.rstrip() for line in once.split("\n")), text
    return True


@pytest.mark.parametrize("block", range(8))
def test_files_with_comments_anywhere(block):
    kept = 0
    for seed in range(block * 100, block * 100 + 100):
        r = random.Random(seed)
        text = file(r, r.choice([0, 1, 1, 2]))
        assert lawful(text), text
        kept += lawful(scatter(text, r, r.choice([0.05, 0.2, 0.6])))
    assert kept > 45  # a comment in some places makes a text that does not parse


@pytest.mark.parametrize("block", range(4))
def test_expressions(block):
    for seed in range(block * 100, block * 100 + 100):
        r = random.Random(seed)
        text = expression(r, r.choice([1, 2, 3]), whole=True)
        source = Source("law", text)
        tree, found = parse_expression(source)
        assert tree is not None, (text, found)
        once, _ = format_expression(source)
        assert once is not None
        assert parse_expression(Source("law", once))[0] == tree, text
        assert format_expression(Source("law", once))[0] == once, text
        assert max(map(len, once.split("\n"))) <= WIDTH, text  # no name or string in these is long


def test_lines_are_short_where_they_can_break():
    r = random.Random(7)
    text = "define d = " + " and ".join(f"a.b{n} in [{n}, {n}]" for n in range(r.randint(50, 60)))
    once, _ = format_source(Source("x.pql", text))
    assert max(map(len, once.split("\n"))) <= WIDTH


WORDS = st.sampled_from(
    ["a", ".", "(", ")", "[", "]", "and", "not", '"x"', "1", "2.5", "=", "in", "exists", "from", "where", "sum", "over", "chain(", "WHAT(",
     "occurs", "on", "now", "last", "week", ",", ":", "=>", "^", "this", "segment", "define", "test", "// c\n", "/* d */", "\n", "!", "-",
     "if", "let", "xdm:", "`b`", "$1", "{", "}", "\r\n", "\ufeff", "\f", "5", "count", "()", "true"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=12), st.sampled_from(["", " "]))
@settings(max_examples=1500, deadline=None)
def test_any_words(words, between):
    text = between.join(words)
    formatted, found = format_source(Source("x.pql", text))
    assert (formatted is None) == bool(found)
    if formatted is not None:
        assert format_source(Source("x.pql", formatted)) == (formatted, [])
