"""CSV, whichever way a stretch of it is read: the same rows on the same lines, and the same refused."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

import pytest

from pql.ingest import csv_rows
from pql.ingest.csv_rows import csv_chunks

MOST = 1 << 16
CELLS = [
    "",
    "a",
    "12",
    "x y",
    "\u00e9",
    '5" pipe',
    '"q"',
    '"say ""hi"""',
    '"a,b"',
    '"two\nlines"',
    '"two\r\nlines"',
    '"\n"',
    '""',
]
STRANGE = ["", "\r", "a", "a,b,c,d", '"open', 'a,"open', 'a,b,"open', "a\0,b,c", '"a"b,c,d', " "]


def read(data: bytes, block: int, most: int = MOST, **options: Any) -> tuple[list[Any], list[Any]]:
    rows: list[Any] = []
    refused: list[Any] = []
    for table, wrong, _ in csv_chunks(BytesIO(data), {"columns": ["x", "y", "z"], **options}, block, most):
        rows += [tuple(r[n] for n in ("__line", "x", "y", "z")) for r in table.to_pylist()]
        refused += [(r.line, r.message, r.raw) for r in wrong]
    return rows, sorted(refused)


def written(r: random.Random, strange: float) -> bytes:
    end = r.choice(["\n", "\r\n"])
    lines = []
    for _ in range(r.randint(0, 30)):
        plain = r.random() >= strange
        lines.append(",".join(r.choice(CELLS) for _ in range(3)) if plain else r.choice(STRANGE))
    data = end.join(lines).encode() + (end.encode() if r.random() < 0.8 else b"")
    return data.replace(b"12", b"1\xff", 1) if r.random() < strange else data


@pytest.mark.parametrize("strange", [0.0, 0.05, 0.3])
def test_rows_do_not_hang_on_how_they_are_read(strange: float, monkeypatch: pytest.MonkeyPatch) -> None:
    r, compared = random.Random(strange), 0
    for _ in range(60):
        data = written(r, strange)
        with monkeypatch.context() as patch:
            patch.setattr(csv_rows._Reader, "quick", lambda self, data: None)
            slow = read(data, 1 << 20)
        if any("expected after" in message for _, message, _ in slow[1]):
            continue  # Arrow takes what comes after a closing quotation mark
        compared += 1
        for block, stretch in ((1 << 20, 1 << 18), (1 << 20, 16), (40, 16), (7, 1 << 18)):
            monkeypatch.setattr(csv_rows, "STRETCH", stretch)
            assert read(data, block) == slow, (data, block, stretch)
    assert compared > 15


def test_every_line_is_a_row_refused_or_blank() -> None:
    data = b'a,b,c\n\nd,"e\ne",f\nshort\n"open,1,2\n4,"last\n'
    rows, refused = read(data, 1 << 20)
    assert rows == [(1, "a", "b", "c"), (3, "d", "e\ne", "f")]
    assert refused == [
        (5, "1 cells where the header has 3", "short"),
        (6, "no CSV: ',' expected after '\"'", '"open,1,2'),
        (7, "a quotation mark is not closed", '4,"last'),
    ]


def test_an_open_quote_at_the_end_of_the_file_is_refused() -> None:
    for data in (b'a,b,c\n1,2,"3\n', b'a,b,c\n1,2,"3'):
        assert read(data, 1 << 20) == ([(1, "a", "b", "c")], [(2, "a quotation mark is not closed", '1,2,"3')])


def test_an_open_quote_costs_its_line_alone_and_no_time() -> None:
    """Two hundred thousand lines after it; work that grows with their square would not end."""
    lines = 200_000
    data = b'1,"open,3\n' + b"1,2,3\n" * lines
    for block in (1 << 20, 32 << 20):
        rows, refused = read(data, block, most=4 << 20)
        assert len(rows) == lines and rows[-1] == (lines + 1, "1", "2", "3")
        assert refused == [(1, "a quotation mark is not closed", '1,"open,3')]


def test_a_line_without_end_is_passed_over_in_bounded_memory() -> None:
    class Endless(BytesIO):
        """A long line that is made while it is read, then a good one."""

        left, most = 1000, 0

        def read(self, size: int | None = -1) -> bytes:
            self.left -= 1
            if self.left > 0:
                return b"x" * (1 << 16)
            return b"x\n1,2,3\n" if self.left == 0 else b""

    rows: list[Any] = []
    refused: list[Any] = []
    for table, wrong, _ in csv_chunks(Endless(), {"columns": ["x", "y", "z"]}, 1 << 16, MOST):
        rows += table.to_pylist()
        refused += wrong
    assert rows == [{"x": "1", "y": "2", "z": "3", "__line": 2}]
    assert [(r.line, r.code, len(r.raw)) for r in refused] == [(1, "PQL0823", MOST)]
