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


DEEP = {
    "quantifiers": lambda inner, n: f"exists E{n} from xEvent where E{n}.x > 0 and ({inner})",
    "filters": lambda inner, n: f"xEvent[x > 0 and {inner}].count() > 0",
    "topN": lambda inner, n: f"xEvent.topN(if({inner}, 1, 2), 1).head().x > 0",
    "groupBy": lambda inner, n: f"xEvent.groupBy(if({inner}, 1, 2)).map((k, g) => k).count() > 0",
    "chain": lambda inner, n: f"chain(xEvent, timestamp, [A{n}: WHAT(x > 0), B{n}: WHAT({inner})])",
}


@pytest.mark.parametrize("shape", DEEP)
def test_lists_inside_lists_are_bounded(shape: str) -> None:
    """Each level multiplies what DuckDB needs to bind a statement; beside each other they cost nothing."""
    environment = Environment.from_short({"event": {"x": "integer"}})
    text, levels = "true", 0
    while environment.check(text).ok:
        levels += 1
        assert levels < 12
        text = DEEP[shape](text, levels)
    (found,) = [d for d in environment.check(text).diagnostics if d.is_error]
    assert found.code == "PQL0002" and found.span.end > found.span.start
    assert levels >= 3
    wide = " and ".join(f"({DEEP[shape]('true', n)})" for n in range(20))
    assert environment.check(wide).ok


def test_segments_inside_quantifiers_are_bounded() -> None:
    """A segment asked for within a quantifier is written out there, and its own quantifiers count."""
    lines = ["segment s0 { where xEvent[x > 0].count() > 0 }"]
    lines += [
        f'segment s{n} {{ where exists E from xEvent where E.x > 0 and inSegment("s{n - 1}") }}' for n in range(1, 12)
    ]
    project = Environment.from_short({"event": {"x": "integer"}}).project(
        [Source("deep.pql", "\n".join(reversed(lines)))]
    )
    assert [d.code for d in project.diagnostics if d.is_error] == ["PQL0002"]
    beside = [
        line.replace("E.x > 0 and", "E.x > 0) and (").replace("where exists", "where (exists").replace(" }", ") }")
        for line in lines[1:]
    ]
    project = Environment.from_short({"event": {"x": "integer"}}).project(
        [Source("beside.pql", "\n".join([lines[0], *beside]))]
    )
    assert project.ok, project.diagnostics


def test_a_name_of_several_segments_is_no_reference() -> None:
    """It says whose name it is, and refers to none of them."""
    text = 'segment a "Twins" { where true }\nsegment b "Twins" { where true }\nsegment c { where inSegment("Twins") }'
    (found,) = ENVIRONMENT.project([Source("twins.pql", text)]).diagnostics
    assert (found.code, found.message) == ("PQL0206", "`Twins` is the name of 2 segments")
    assert found.help == ("write the id of one of them: `a`, `b`",)
