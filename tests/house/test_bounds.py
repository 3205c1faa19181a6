"""Texts that would grow without bounds are refused with a code, and none raises."""

import pytest

from pql.api import Environment
from pql.source import Source
from pql.xdm.yaml_text import read_yaml

ENVIRONMENT = Environment.from_short({"profile": {"a": "integer"}})
DOUBLING = "".join(f"define d{i} = d{i + 1} + d{i + 1}\n" for i in range(28)) + "define d28 = 1\n"
TWICE = "".join(f'segment s{i} {{ where inSegment("s{i + 1}") or not inSegment("s{i + 1}") }}\n' for i in range(28))
CASES = {
    "PQL0002": [
        "".join(f"define d{i} = d{i + 1}\n" for i in range(300)) + "define d300 = 1",
        "".join(f'segment s{i} {{ where inSegment("s{i + 1}") }}\n' for i in range(300))
        + "segment s300 { where a = 1 }",
        "(" * 50_000,
        "@{" * 50_000,
    ],
    "PQL0003": [
        DOUBLING + "segment s { where d0 = 1 }",
        TWICE + "segment s28 { where a = 1 }",
        " and ".join(["a = 1"] * 9_000),
    ],
    "PQL0504": ["".join(f'segment s{i} {{ where inSegment("s{(i + 1) % 300}") }}\n' for i in range(300))],
}


@pytest.mark.parametrize(("code", "text"), [(c, t) for c, texts in CASES.items() for t in texts])
def test_refused(code: str, text: str) -> None:
    found = ENVIRONMENT.project([Source("hostile.pql", text)]).diagnostics
    assert code in [d.code for d in found]


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "- " * 5_000, "a: &x [*x]", "a: 2026-13-45", "? [1]\n: 2", "a: " + "9" * 5_000]
)
def test_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        read_yaml(text)


def test_yaml_keeps_words() -> None:
    assert read_yaml("{on: no, 1: 1e3, t: 2026-03-01T00:00:00Z}").items() >= {"on": "no", "1": 1000.0}.items()
