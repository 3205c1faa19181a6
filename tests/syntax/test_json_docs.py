"""The blocks of docs/PQL-JSON.md are documents that read, and its tables name what the code knows."""

import re
from pathlib import Path

import pytest

from pql.source import Source
from pql.syntax import json_form, json_read
from pql.syntax.json_document import document_to_text

PAGE = (Path(__file__).parent.parent.parent / "docs" / "PQL-JSON.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block(block):
    text, found = document_to_text(Source("docs", block))
    assert found == [] and text


def test_every_node_of_ours_is_described():
    rows = set(re.findall(r"^\| `(x-[a-z]+)` \|", PAGE, re.MULTILINE))
    assert rows == set(json_read._OWN) | {"x-time"}


def test_functions_with_a_form_of_their_own_are_described():
    assert not [name for name in json_form.PREFIX if f"`{name}`" not in PAGE]
