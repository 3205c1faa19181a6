"""Text for people: goldens, then the parts that a golden hides."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pql.diagnostics.model import Diagnostic, Fix, Severity
from pql.diagnostics.render import FORMATS, render_text, summary
from pql.diagnostics.render_cells import cells, columns, safe
from pql.diagnostics.render_lines import Mark, strips
from pql.source import NOWHERE, Source, Span

Samples = dict[str, list[Diagnostic]]
Golden = Callable[[str, str], None]


def finding(text: str, start: int, end: int, label: str = "") -> Diagnostic:
    return Diagnostic("PQL0101", Severity.ERROR, "message", Source("f.pql", text), Span(start, end), label)


def rows(text: str, start: int, end: int, width: int = 100) -> list[str]:
    """The source and marker rows, without the gutter."""
    lines = render_text([finding(text, start, end)], width=width).split("\n")
    return [line.split("|", 1)[1].removeprefix(" ") for line in lines[3:]]


@pytest.mark.parametrize("name", ["basic", "spans", "long", "hostile"])
def test_golden(name: str, samples: Samples, golden: Golden) -> None:
    golden(f"text-{name}", render_text(samples[name]))


def test_golden_of_the_format(samples: Samples, golden: Golden) -> None:
    golden("text-format", FORMATS["text"](samples["basic"], files=("segments/vip.pql", "gone.pql")))
    golden("text-none", FORMATS["text"]([], files=("a.pql",)))


def test_golden_in_color(samples: Samples, golden: Golden) -> None:
    golden("text-color", render_text(samples["basic"], color=True))


def test_color_adds_nothing_but_color(samples: Samples) -> None:
    for found in samples.values():
        painted = render_text(found, color=True)
        plain = re.sub("\x1b\\[[0-9;]*m", "", painted)
        assert [s.rstrip() for s in plain.split("\n")] == render_text(found).split("\n")
        assert painted.count("\x1b[0m") * 2 == painted.count("\x1b")


def test_the_example_of_the_docstring() -> None:
    text = 'segment vip {\n\n  where person.nmae = "x"\n}\n'
    start = text.index("nmae")
    found = Diagnostic(
        "PQL0201",
        Severity.ERROR,
        "no field `nmae` in `person`",
        Source("segments/vip.pql", text),
        Span(start, start + 4),
        "unknown field",
        ("did you mean `name`?",),
    )
    assert render_text([found]) == "\n".join(
        (
            "error[PQL0201]: no field `nmae` in `person`",
            "  --> segments/vip.pql:3:16",
            "   |",
            ' 3 |   where person.nmae = "x"',
            "   |                ^^^^ unknown field",
            "   = help: did you mean `name`?",
        )
    )


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("abc", 1, 2, ["abc", " ^"]),
        ("abc", 3, 3, ["abc", "   ^"]),
        ("abc\n", 4, 4, ["", "^"]),
        ("abc\r\ndef", 3, 5, ["abc", "   ^"]),
        ("abc\r\ndef\r\n", 5, 10, ["def", "^^^"]),
        ("abc", 90, 99, ["abc", "   ^"]),
        ("abc", 2, 1, ["abc", "  ^"]),
        ("\ta", 1, 2, ["    a", "    ^"]),
        ("ab\tc", 2, 4, ["ab  c", "  ^^^"]),
        ("漢字 x", 0, 2, ["漢字 x", "^^^^"]),
        ("漢字 x", 3, 4, ["漢字 x", "     ^"]),
        ("e\u0301 x", 3, 4, ["e\u0301 x", "  ^"]),
        ("e\u0301 x", 0, 2, ["e\u0301 x", "^"]),
        ("e\u0301 x", 1, 2, ["e\u0301 x", "^"]),
        ("👨\u200d👩 x", 4, 5, ["👨\u200d👩 x", "   ^"]),
        ("\x1b x", 2, 3, ["\\x1b x", "     ^"]),
        ("\x1b x", 0, 1, ["\\x1b x", "^^^^"]),
        ("a\u200bb", 1, 2, ["a\\u{200b}b", " ^^^^^^^^"]),
    ],
)
def test_carets(text: str, start: int, end: int, expected: list[str]) -> None:
    assert rows(text, start, end) == expected


def test_a_place_over_lines() -> None:
    assert rows("a (\n  b\n)", 0, 9) == ["/ a (", "|   b", "| )", "|_^"]
    assert rows("a (\n  b\n)", 2, 9) == ["  a (", " ___^", "|   b", "| )", "|_^"]


@pytest.mark.parametrize("width", [0, 30, 60, 100])
@pytest.mark.parametrize("start", [0, 1, 50, 1500, 2990, 2998])
def test_long_lines_keep_to_the_width_and_show_the_place(width: int, start: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(2999))
    source, carets = rows(text, start, min(start + 3, len(text)), width)
    assert len(source) <= max(20, width - len(" 1 | "))
    at = carets.index("^")
    assert source[at : carets.rindex("^") + 1] == text[start : start + 3]


def test_windows_of_wide_characters_keep_to_the_width() -> None:
    source, carets = rows("漢" * 400 + "x" + "字" * 400, 400, 401, 40)
    assert sum(columns(c) for c in source) <= 40
    assert sum(columns(c) for c in source[: source.index("x")]) == carets.index("^")


def test_a_very_long_line_is_quick() -> None:
    text = "x" * 3_000_000
    found = [finding(text, n * 1000, n * 1000 + 5) for n in range(3)]
    assert max(map(len, render_text(found).split("\n"))) <= 100


def test_marks_near_each_other_share_a_strip() -> None:
    line = "x" * 300
    near, far = Mark(100, 101, "near"), Mark(290, 291, "far")
    got = list(strips(line, [Mark(110, 111, "first"), near, far], 60))
    assert [[m.owner for m in s.marks] for s in got] == [["near", "first"], ["far"]]


def test_no_place_in_an_empty_source() -> None:
    found = Diagnostic("PQL0901", Severity.ERROR, "no", Source("gone.pql", ""), NOWHERE, help=("look again",))
    assert render_text([found]) == "error[PQL0901]: no\n  --> gone.pql\n   = help: look again"


def test_fixes_are_help_and_said_once() -> None:
    source, span = Source("f", "abc"), Span(0, 1)

    def help_of(fix: Fix, *help: str) -> list[str]:
        found = Diagnostic("PQL0101", Severity.ERROR, "m", source, span, help=help, fixes=(fix,))
        return [line.split("= help: ")[1] for line in render_text([found]).split("\n") if "= help" in line]

    assert help_of(Fix("write it out", span, "z")) == ["write it out: `z`"]
    assert help_of(Fix("replace it with `z`", span, "z")) == ["replace it with `z`"]
    assert help_of(Fix("leave it out", span, "")) == ["leave it out"]
    assert help_of(Fix("same", span, ""), "same") == ["same"]


def test_nothing_reaches_the_terminal_unescaped(samples: Samples) -> None:
    out = render_text(samples["hostile"]) + summary(samples["hostile"])
    assert not [c for c in out if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000)]
    assert not set("\u202e\u202c\u2028\ufeff\ufffe") & set(out)
    assert sum(line.startswith("error[") for line in out.split("\n")) == 1
    out.encode()


def test_safe() -> None:
    assert safe("plain ünï `x`") == "plain ünï `x`"
    assert safe("a\nb\tc\x7f\x85") == "a\\nb\\tc\\x7f\\x85"
    assert safe("a\nb\x1b", keep="\n") == "a\nb\\x1b"
    assert safe("a\u200db") == "a\\u{200d}b"
    assert safe("क\u200dष") == "क\u200dष"


def test_cells_are_one_a_character() -> None:
    for text in ("", "a\tb", "漢\u0301\u200d", "\x1b\ud800"):
        assert len(cells(text)) == len(text)


def test_summary() -> None:
    def some(*levels: Severity) -> list[Diagnostic]:
        return [Diagnostic("PQL0101", level, "m", Source("f", "x"), NOWHERE) for level in levels]

    error, warning, hint = Severity.ERROR, Severity.WARNING, Severity.HINT
    assert summary([]) == "no findings"
    assert summary([], ["a", "b"]) == "no findings in 2 files"
    assert summary(some(warning, error, error)) == "2 errors, 1 warning"
    assert summary(some(hint, hint), ["a"]) == "2 hints in 1 file"
