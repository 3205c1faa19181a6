"""Laws of pql/json: text and JSON give the same tree both ways, and any JSON value whatever gives a tree or findings."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import expression, file

from pql.source import Source
from pql.syntax import ast
from pql.syntax.format_plain import plain_text
from pql.syntax.json_document import document_to_text, looks_like_json, text_to_document, value_to_text
from pql.syntax.json_form import to_json
from pql.syntax.json_read import from_json
from pql.syntax.parser import parse_expression, parse_file


def tree_of(text):
    tree, found = parse_expression(Source("law", text))
    assert tree is not None, (text, found)
    return tree


@pytest.mark.parametrize("block", range(6))
def test_text_to_json_and_back(block):
    for seed in range(block * 150, block * 150 + 150):
        r = random.Random(seed)
        tree = tree_of(expression(r, r.choice([0, 1, 2, 2]), whole=True))
        document = json.loads(json.dumps(to_json(tree)))
        assert from_json(document) == (tree, []), seed
        assert tree_of(plain_text(tree)) == tree, seed


@pytest.mark.parametrize("block", range(2))
def test_files_to_json_and_back(block):
    for seed in range(block * 100, block * 100 + 100):
        r = random.Random(seed)
        text = file(r, r.choice([0, 1]))
        source = Source("law.pql", text)
        before, found = parse_file(source)
        assert not [d for d in found if d.is_error], text
        document, found = text_to_document(source)
        assert found == []
        written = Source("law.json", json.dumps(document))
        assert looks_like_json(written)
        after, found = document_to_text(written)
        assert found == [], (text, found)
        again, _ = parse_file(Source("law.pql", after))
        for kind in (ast.Segment, ast.Define, ast.Attribute, ast.Test):
            pair = ([d for d in f.declarations if isinstance(d, kind)] for f in (before, again))
            assert next(pair) == next(pair), text


def must_be_sound(document):
    """What is true of every JSON value, and of the tree if there is one."""
    tree, found = from_json(document)
    assert (tree is None) == bool(found)
    assert all("`$" in d.message and "\n" not in d.message for d in found)
    if tree is None:
        return False
    assert from_json(json.loads(json.dumps(to_json(tree)))) == (tree, [])
    again, found = parse_expression(Source("law", plain_text(tree)))
    assert again == tree or {d.code for d in found} <= {"PQL0002", "PQL0003"}, plain_text(tree)
    return True


KEYS = st.sampled_from(
    ["nodeType", "fnName", "params", "literalType", "value", "fieldName", "object", "quantifier", "variables", "varName", "from", "where", "position", "body", "name", "levels", "items", "entries", "key", "operand", "phrase", "kind", "reference", "direction", "operator", "amount", "unit", "steps", "what", "when", "count", "low", "high", "x-form", "x-written"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["fnApply", "fnCreate", "literal", "fieldLookup", "quantification", "select", "varDecl", "varRef", "parameterReference", "x-name", "x-this", "x-up", "x-list", "x-object", "x-occurs", "x-let", "x-chain", "x-time", "x-comprehension", "and", "NOT", "=", "in", "+", "if", "x-filter", "some", "String", "Integer", "Number", "List", "a", "b", "X", "now", "prefix", "method", "on", "distance", "day", "<=", "before"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=400, deadline=None)
def test_any_json_gives_a_tree_or_findings(document):
    must_be_sound(document)
    text, found = value_to_text(document, Source("law", ""))
    assert (text is None) == bool(found)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_document_or_findings(text):
    text_, found = document_to_text(Source("law", text))
    assert (text_ is None) == bool(found)


def spoil(value, r):
    """The document with one thing in it changed, taken away or put elsewhere."""
    places = []

    def walk(inner):
        for key in inner if isinstance(inner, dict) else range(len(inner)):
            places.append((inner, key))
            if isinstance(inner[key], dict | list):
                walk(inner[key])

    walk(value)
    holder, key = r.choice(places)
    other, theirs = r.choice(places)
    what = r.randrange(4)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = json.loads(json.dumps(other[theirs]))
    elif what == 2:
        odd = [
            "",
            "and",
            "xdm:@id",
            "a`b",
            "\ud800",
            "\n",
            0,
            -1,
            2**70,
            1e300,
            float("nan"),
            None,
            True,
            [],
            {},
            "if",
            "x-filter",
            "5",
        ]
        holder[key] = r.choice(odd)
    elif isinstance(holder, dict):
        holder[r.choice(["where", "x-form", "x-written", "object", "extra"])] = holder.pop(key)
    else:
        holder.insert(key, holder[key])


@pytest.mark.parametrize("block", range(6))
def test_spoilt_documents(block):
    read = 0
    for seed in range(block * 200, block * 200 + 200):
        r = random.Random(seed)
        document = json.loads(json.dumps(to_json(tree_of(expression(r, r.choice([0, 1, 2]), whole=True)))))
        for _ in range(r.choice([1, 1, 2, 3])):
            spoil(document, r) if document else None
        read += must_be_sound(document)
    assert read > 10


def test_bounds():
    deep = {"nodeType": "literal", "value": 1}
    for _ in range(3000):
        deep = {"nodeType": "fnApply", "fnName": "NOT", "params": [deep]}
    assert [d.code for d in from_json(deep)[1]] == ["PQL0002"]
    wide = {"nodeType": "literal", "value": [1] * 30_000}
    assert [d.code for d in from_json(wide)[1]] == ["PQL0003"]
    many = {"nodeType": "fnApply", "fnName": "and", "params": [{"nodeType": "literal", "value": [1] * 15_000}] * 2}
    assert [d.code for d in from_json(many)[1]] == ["PQL0003"]
    text = '{"nodeType": ' + "[" * 100_000
    assert document_to_text(Source("x", text))[1]
    assert [d.code for d in document_to_text(Source("x", "[" * 200_000 + "]" * 200_000))[1]] == ["PQL0002"]
    assert [d.code for d in document_to_text(Source("x", '{"value": ' + "9" * 10_000 + "}"))[1]] == ["PQL0106"]
    assert [d.code for d in document_to_text(Source("x", '{"value": NaN}'))[1]] == ["PQL0106"]
    assert [d.code for d in document_to_text(Source("x", " " * 4_000_001))[1]] == ["PQL0001"]
