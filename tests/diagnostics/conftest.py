"""Findings to render, and the comparison with `golden/*.txt` (`PQL_UPDATE_GOLDEN=1 pytest …` writes them anew)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pql.diagnostics.model import Diagnostic, Fix, Label, Severity
from pql.source import NOWHERE, Source, Span

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "PQL_UPDATE_GOLDEN"

VIP = 'segment vip "Best, 100% sure" {\n  owner: "luma"\n  where person.nmae = "x"\n    and orders.price > 100\n}\n'


def span_of(source: Source, first: str, last: str | None = None) -> Span:
    start = source.text.index(first)
    end = start + len(first) if last is None else source.text.index(last, start) + len(last)
    return Span(start, end)


def _basic() -> list[Diagnostic]:
    vip, schema = (
        Source("segments/vip.pql", VIP),
        Source("schema/profile.json", '{\n  "person": {\n    "name": 1\n  }\n}'),
    )
    name, price = span_of(vip, "nmae"), span_of(vip, "orders.price")
    return [
        Diagnostic(
            "PQL0201",
            Severity.ERROR,
            "no field `nmae` in `person`",
            vip,
            name,
            "unknown field",
            ("did you mean `name`?",),
            (Label(schema, span_of(schema, '"person"'), "`person` is described here"),),
            (Fix("replace it with the field's name", name, "name"),),
        ),
        Diagnostic(
            "PQL0401",
            Severity.HINT,
            "`orders.price` is a list: this means some element",
            vip,
            price,
            "a list",
            labels=(Label(vip, span_of(vip, "100\n"), "a single value"),),
            fixes=(
                Fix("write `exists`", span_of(vip, "orders.price > 100"), "exists X from orders where X.price > 100"),
            ),
        ),
        Diagnostic(
            "PQL0212", Severity.WARNING, "no segment `a,b: [c](http://d)`", Source("<expression>", "x"), Span(0, 1)
        ),
        Diagnostic("PQL0901", Severity.ERROR, "`gone.pql` is not there", Source("gone.pql", ""), NOWHERE),
    ]


def _spans() -> list[Diagnostic]:
    text = (
        'segment wide {\r\n\twhere homeAddress.city = "東京🏙" and cafe\u0301 = naïve\r\n'
        "    and exists X from orders\r\n        where X.price > 1\r\n          and X.id = 2\r\n}\r\n"
    )
    wide = Source("wide.pql", text)
    lines = Source("lines.pql", "select X\n" + "".join(f"  and line{n}\n" for n in range(1, 12)) + "end")
    error = Severity.ERROR

    def at(first: str, last: str | None = None) -> Span:
        return span_of(wide, first, last)

    return [
        Diagnostic(
            "PQL0301", error, "wide characters", wide, at('"東京🏙"'), labels=(Label(wide, at("naïve"), "this"),)
        ),
        Diagnostic("PQL0201", error, "combining characters", wide, at("cafe\u0301"), "five, shown as four"),
        Diagnostic("PQL0101", error, "a combining character alone", wide, at("\u0301"), "stands on its base"),
        Diagnostic("PQL0305", error, "from the middle of a line", wide, at("exists X", "id = 2"), "all of this"),
        Diagnostic(
            "PQL0305",
            error,
            "one place in another",
            wide,
            at("where homeAddress", "id = 2"),
            "outer",
            labels=(Label(wide, at("exists X", "price"), "inner"), Label(wide, at("city"), "field")),
        ),
        Diagnostic("PQL0102", error, "the text ends", wide, Span(len(text), len(text)), "something is missing"),
        Diagnostic("PQL0108", error, "many lines", lines, Span(0, len(lines.text)), "whole"),
        Diagnostic("PQL0108", error, "a line break alone", lines, Span(8, 9), "here"),
        Diagnostic(
            "PQL0501", error, "far apart", lines, span_of(lines, "line1"), "first",
            labels=(Label(lines, span_of(lines, "line3"), "near"), Label(lines, span_of(lines, "line9"), "far")),
        ),
    ]  # fmt: skip


def _long() -> list[Diagnostic]:
    text = "a" * 500 + " bad " + "b" * 30 + " worse " + "c" * 5000 + " worst"
    source, wide = Source("long.pql", text), Source("wide.pql", "漢" * 300)
    labels = (Label(source, span_of(source, "worse"), "near"), Label(source, span_of(source, "worst"), "far"))
    return [
        Diagnostic("PQL0101", Severity.ERROR, "long line", source, span_of(source, "bad"), "here", (), labels),
        Diagnostic("PQL0101", Severity.ERROR, "start of it", source, Span(0, 3)),
        Diagnostic("PQL0101", Severity.ERROR, "wider than the screen", source, Span(400, 5000), "cut"),
        Diagnostic("PQL0102", Severity.ERROR, "its end", source, Span(len(text), len(text)), "ends here"),
        Diagnostic("PQL0101", Severity.ERROR, "wide and long", wide, Span(150, 152)),
    ]


def _hostile() -> list[Diagnostic]:
    text = 'a = "\x1b[31mred\x07" and \u202eb\u202c = "\ud800\u2028\ufeff" ]]> <b>&amp;\x00'
    text += " na\u200dme \U0001f468\u200d\U0001f469"
    source = Source('ev\x1b]0;il,a:b%"<\n.pql', text)
    return [
        Diagnostic(
            "PQL0103",
            Severity.ERROR,
            'bad\n::error::"injected" \x1b[2J 100% <x> \ufffe',
            source,
            Span(4, 14),
            "la\x1bbel\r\n",
            ("he\x9blp\nsecond ::warning::line",),
            (Label(source, span_of(source, "\u200d\U0001f469"), "joined"),),
            (Fix("fix\x00", Span(4, 5), "\x1b[0m"),),
        )
    ]


@pytest.fixture
def samples() -> dict[str, list[Diagnostic]]:
    return {"basic": _basic(), "spans": _spans(), "long": _long(), "hostile": _hostile(), "none": []}


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    def check(name: str, got: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get(UPDATE):
            GOLDEN.mkdir(exist_ok=True)
            path.write_bytes(got.encode() + b"\n")
        assert path.exists(), f"no {path}; run with {UPDATE}=1 and read what it writes"
        assert got + "\n" == path.read_bytes().decode()

    return check
