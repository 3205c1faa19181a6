"""CSV as chunks of text columns with the lines that the rows stand on. Blocks without surprises are parsed by Arrow; others
record by record, so that ragged rows and open quotes are refused one at a time. An empty cell is null. Read `csv_chunks`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from pql.store.ledger import Refused

Piece = tuple[pa.Table, list[Refused], int]
LINES_MOST = 1000
"""A quoted cell goes over at most so many lines."""


def csv_chunks(file: IO[bytes], options: dict[str, Any], block: int, most: int) -> Iterator[Piece]:
    """Tables of text columns and `line`. Raises ValueError for a header that cannot be used."""
    dialect = Dialect(options)
    names, rest, number = _header(file, options, dialect, most)
    if not names:
        return
    size = len(rest)
    while True:
        data = file.read(block)
        size += len(data)
        whole = rest + data
        if not whole:
            return
        cut = len(whole) if not data else dialect.boundary(whole, most)
        if cut == 0 and data:
            rest = whole
            continue
        rest, piece = whole[cut:], whole[:cut]
        table, refused, number = _piece(piece, names, dialect, number, most)
        yield table, refused, size
        size = 0
        if not data:
            return


class Dialect:
    """How the file is written: delimiter, quote, escape."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.delimiter = str(options.get("delimiter", ","))
        self.quote = str(options.get("quote", '"'))
        self.escape = str(options.get("escape", "") or "")
        self.nulls = [str(n) for n in options.get("null_values", [])]

    def boundary(self, data: bytes, most: int) -> int:
        """The end of the last record that surely ends here: the last line break outside quotes."""
        end = data.rfind(b"\n") + 1
        quote = self.quote.encode()
        if not quote or self.escape or quote not in data:
            return end
        limit = max(0, end - most)
        while end > limit and data.count(quote, 0, end) % 2:
            end = data.rfind(b"\n", 0, end - 1) + 1
        return end if end > limit else data.rfind(b"\n") + 1

    def reader(self, lines: Any) -> Any:
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote or None, escapechar=self.escape or None,
                          quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE, strict=True)  # fmt: skip

    def parse(self) -> pc.ParseOptions:
        return pc.ParseOptions(
            delimiter=self.delimiter,
            quote_char=self.quote or False,
            escape_char=self.escape or False,
            newlines_in_values=True,
        )


def _header(file: IO[bytes], options: dict[str, Any], dialect: Dialect, most: int) -> tuple[list[str], bytes, int]:
    """The columns, what was read beyond the header, and the number of the next line."""
    given = options.get("columns")
    if given and not options.get("header", False):
        return [str(c) for c in given], b"", 1
    data = file.read(1 << 20)
    while b"\n" not in data and len(data) < most and (block := file.read(1 << 20)):
        data += block
    line, _, rest = data.partition(b"\n")
    while line and not line.strip() and rest:
        line, _, rest = rest.partition(b"\n")
    if not line.strip():
        return [], b"", 1
    names = [n.strip() for n in next(dialect.reader([line.decode("utf-8")]))]
    if len(set(names)) != len(names) or "" in names:
        twice = next((n for n in names if names.count(n) > 1), "")
        raise ValueError(f"the header has `{twice}` twice" if twice else "the header has a column without a name")
    if len(names) > 2000:
        raise ValueError("more than 2000 columns")
    if given:
        names = [str(c) for c in given]
    return names, rest, data[: len(data) - len(rest)].count(b"\n") + 1


def _piece(
    data: bytes, names: list[str], dialect: Dialect, number: int, most: int
) -> tuple[pa.Table, list[Refused], int]:
    count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    try:
        if b"\0" in data:
            raise ValueError("NUL")
        read = pc.ReadOptions(column_names=names, block_size=max(len(data) + 1, 1 << 20), use_threads=False)
        kinds = pc.ConvertOptions(
            column_types={n: pa.string() for n in names}, strings_can_be_null=True, null_values=["", *dialect.nulls],
            quoted_strings_can_be_null=True,
        )  # fmt: skip
        table = pc.read_csv(io.BytesIO(data), read_options=read, parse_options=dialect.parse(), convert_options=kinds)
        if table.num_rows == count:
            lines = pa.array(np.arange(number, number + count), pa.int64())
            return table.append_column("__line", lines), [], number + count
    except (pa.ArrowInvalid, ValueError):
        pass
    table, refused = _slowly(data, names, dialect, number, most)
    return table, refused, number + count


def _slowly(data: bytes, names: list[str], dialect: Dialect, number: int, most: int) -> tuple[pa.Table, list[Refused]]:
    """Record by record."""
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    rows: list[list[str | None]] = []
    places: list[int] = []
    refused: list[Refused] = []
    at = 0
    while at < len(lines):
        used, cells, wrong = _record(lines, at, dialect, most)
        text = b"\n".join(lines[at : at + used]).decode("utf-8", "backslashreplace").rstrip("\r")
        if wrong:
            refused.append(Refused(number + at, "", "PQL0823", wrong, text))
        elif cells is not None and len(cells) != len(names):
            refused.append(
                Refused(number + at, "", "PQL0823", f"{len(cells)} cells where the header has {len(names)}", text)
            )
        elif cells is not None:
            rows.append([None if c == "" or c in dialect.nulls else c for c in cells])
            places.append(number + at)
        at += used
    table = {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(names)}
    return pa.table({**table, "__line": pa.array(places, pa.int64())}), refused


def _record(lines: list[bytes], at: int, dialect: Dialect, most: int) -> tuple[int, list[str] | None, str]:
    """The record that begins on a line: lines used, cells (None: a blank line), what is wrong."""
    text = ""
    for used in range(1, min(LINES_MOST, len(lines) - at) + 1):
        line = lines[at + used - 1]
        if b"\0" in line:
            return 1, None, "a NUL byte"
        try:
            text += line.decode("utf-8").rstrip("\r") + "\n"
        except UnicodeDecodeError as error:
            return 1, None, f"not UTF-8: {error.reason}"
        if len(text) > most:
            break
        try:
            parsed = list(dialect.reader([text.removesuffix("\n")]))
            return used, parsed[0] if parsed and parsed[0] else None, ""
        except csv.Error as error:
            if "unexpected end" not in str(error):
                return 1, None, f"no CSV: {error}"
    return 1, None, "a quotation mark is not closed"
