"""CSV as chunks of text columns with the lines that the rows stand on. Stretches without surprises are parsed by Arrow; others
record by record, so that ragged rows and open quotes are refused one at a time. An empty cell is null. Read `csv_chunks`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pac
import pyarrow.csv as pc

from pql.store.ledger import Refused

Piece = tuple[pa.Table, list[Refused], int]
csv.field_size_limit(16 << 20)  # records are bounded here, not cells there
LINES_MOST = 1000
"""A quoted cell goes over at most so many lines."""
OPEN = "a quotation mark is not closed"
STRETCH = 256 << 10
"""Where a block has surprises, so many bytes of it are tried at once, so that only rows beside them are read one by one."""


def csv_chunks(file: IO[bytes], options: dict[str, Any], block: int, most: int) -> Iterator[Piece]:
    """Tables of text columns and `line`. Raises ValueError for a header that cannot be used."""
    dialect = Dialect(options)
    names, rest, number = _header(file, options, dialect, most)
    if not names:
        return
    reader = _Reader(names, dialect, most, number)
    size, ended = len(rest), False
    while not ended:
        data = file.read(block)
        ended = not data
        size += len(data)
        whole = rest + data
        if not whole:
            return
        if not ended and b"\n" not in whole:
            rest = whole
            if len(whole) > most:
                rest, taken = _skip_line(file, block)
                refused = reader.too_long(whole)
                yield reader.table([]), [refused], size + taken
                size = 0
            continue
        tables, refused_rows, rest = reader.read(whole, ended)
        yield pa.concat_tables(tables) if tables else reader.table([]), refused_rows, size
        size = 0


def _skip_line(file: IO[bytes], block: int) -> tuple[bytes, int]:
    """What follows the end of a line that is passed over, and the bytes read."""
    taken = 0
    while data := file.read(block):
        taken += len(data)
        _, end, rest = data.partition(b"\n")
        if end:
            return rest, taken
    return b"", taken


DELIMITERS = (",", ";", "\t", "|")
GUESSED = 20
"""So many rows say what the delimiter is."""


def guess_delimiter(file: IO[bytes]) -> str:
    """The delimiter that gives the header and the first rows one number of cells, the most; a comma when none does."""
    text = file.read(1 << 20).decode("utf-8", "replace")
    best, most = ",", 1
    for delimiter in DELIMITERS:
        rows = (row for row in Dialect({"delimiter": delimiter}).reader(io.StringIO(text, newline="")) if row)
        try:
            cells = {len(row) for row in islice(rows, GUESSED)}
        except csv.Error:
            continue
        if len(cells) == 1 and (one := cells.pop()) > most:
            best, most = delimiter, one
    return best


class Dialect:
    """How the file is written: delimiter, quote, escape."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.delimiter = str(options.get("delimiter", ","))
        self.quote = str(options.get("quote", '"'))
        self.escape = str(options.get("escape", "") or "")
        self.nulls = [str(n) for n in options.get("null_values", [])]

    def boundary(self, data: bytes, most: int) -> int:
        """The end of the last record that surely ends here: the last line break outside quotes."""
        last = data.rfind(b"\n") + 1
        quote = self.quote.encode()
        if not quote or self.escape or quote not in data:
            return last
        end, limit = last, max(0, last - most)
        is_open = data.count(quote, 0, end) % 2
        while is_open and end > limit:
            before = data.rfind(b"\n", 0, end - 1) + 1
            is_open ^= data.count(quote, before, end) % 2
            end = before
        return end if end > limit else last

    def reader(self, lines: Any) -> Any:
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote or None, escapechar=self.escape or None,
                          quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE, strict=True)  # fmt: skip

    def parse(self, ragged: Any) -> pc.ParseOptions:
        return pc.ParseOptions(
            delimiter=self.delimiter,
            quote_char=self.quote or False,
            escape_char=self.escape or False,
            newlines_in_values=True,
            invalid_row_handler=ragged,
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


class _Reader:
    """Reads blocks one after the other; `number` is that of the next line."""

    def __init__(self, names: list[str], dialect: Dialect, most: int, number: int) -> None:
        self.names, self.dialect, self.most, self.number = names, dialect, most, number
        self.kinds = pc.ConvertOptions(
            column_types={n: pa.string() for n in names}, strings_can_be_null=True, null_values=["", *dialect.nulls],
            quoted_strings_can_be_null=True, check_utf8=False,
        )  # fmt: skip

    def read(self, data: bytes, ended: bool) -> tuple[list[pa.Table], list[Refused], bytes]:
        """The records of a block, and its end, where a record is that goes on in the next one."""
        cut = len(data) if ended else self.dialect.boundary(data, self.most)
        found = self.quick(data[:cut])
        if found is not None:
            return [found[0]], found[1], data[cut:]
        tables: list[pa.Table] = []
        refused: list[Refused] = []
        at = 0
        while at < cut:
            stretch = data[at : min(at + STRETCH, cut)]
            stop = at + (len(stretch) if at + len(stretch) == cut else self.dialect.boundary(stretch, self.most))
            found = self.quick(data[at:stop]) if stop > at else None
            if found is None:
                table, wrong, stop = self.slowly(data, at, max(stop, at + 1), ended)
                found = table, wrong
            if stop == at:
                break
            tables.append(found[0])
            refused += found[1]
            at = stop
        return tables, refused, data[at:]

    def quick(self, data: bytes) -> tuple[pa.Table, list[Refused]] | None:
        """The records of a stretch, if Arrow reads them as `slowly` would and tells their lines; else nothing has happened."""
        if data and not data.endswith(b"\n"):
            data += b"\n"  # so that an open quote has a line break in its cell
        count = data.count(b"\n")
        ragged: list[int] = []

        def skip(row: Any) -> str:
            ragged.append(row.number)
            return "skip"

        if b"\0" in data or not _is_utf8(data):
            return None
        try:
            read = pc.ReadOptions(column_names=self.names, block_size=max(len(data) + 1, 1 << 20), use_threads=False)
            parse = self.dialect.parse(skip)
            table = pc.read_csv(io.BytesIO(data), read_options=read, parse_options=parse, convert_options=self.kinds)
        except (pa.ArrowInvalid, ValueError):
            return None
        if table.num_rows + len(ragged) == count:
            if table.num_rows and any("\n" in (c[-1].as_py() or "") for c in table.columns):
                return None
            places: Any = np.arange(self.number, self.number + count)
            refused = self._ragged(data, np.array(ragged, np.int64) - 1) if ragged else []
            if refused is None:
                return None
            places = np.delete(places, np.array(ragged, np.int64) - 1)
        elif ragged:
            return None
        else:
            lines = _places(table, data, count, self.dialect, self.most)
            if lines is None:
                return None
            table, offsets = lines
            places, refused = self.number + offsets, []
        self.number += count
        return table.append_column("__line", pa.array(places, pa.int64())), refused

    def _ragged(self, data: bytes, lines: Any) -> list[Refused] | None:
        """What is wrong with lines; None when one of them is no record of its own."""
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
        refused = []
        for line in lines.tolist():
            start = int(ends[line - 1]) + 1 if line else 0
            one = data[start : int(ends[line]) + 1]
            record = _record(one, 0, True, self.dialect, self.most)
            problem = self._problem(record, self.number + line, one)
            if problem is None or record.wrong == OPEN:
                return None
            refused.append(problem)
        return refused

    def _problem(self, record: _Record, line: int, text: bytes) -> Refused | None:
        wrong, cells = record.wrong, record.cells
        if not wrong and cells is not None and len(cells) != len(self.names):
            wrong = f"{len(cells)} cells where the header has {len(self.names)}"
        if not wrong:
            return None
        raw = text[: self.most].rstrip(b"\n").decode("utf-8", "backslashreplace").rstrip("\r")
        return Refused(line, "", "PQL0823", wrong, raw)

    def slowly(self, data: bytes, at: int, stop: int, ended: bool) -> tuple[pa.Table, list[Refused], int]:
        """Record by record up to the first that begins at `stop` or later, or goes on in the next block."""
        rows: list[list[str | None]] = []
        places: list[int] = []
        refused: list[Refused] = []
        nulls = {"", *self.dialect.nulls}
        while at < stop:
            record = _record(data, at, ended, self.dialect, self.most)
            if record.lines == 0:
                break
            problem = self._problem(record, self.number, data[at : record.end])
            if problem is not None:
                refused.append(problem)
            elif record.cells is not None:
                rows.append([None if c in nulls else c for c in record.cells])
                places.append(self.number)
            self.number += record.lines
            at = record.end
        return self.table(rows, places), refused, at

    def table(self, rows: list[list[str | None]], places: list[int] | None = None) -> pa.Table:
        columns = {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(self.names)}
        return pa.table({**columns, "__line": pa.array(places or [], pa.int64())})

    def too_long(self, line: bytes) -> Refused:
        """The next line, of which this is the beginning."""
        self.number += 1
        text = line[: self.most].decode("utf-8", "replace")
        return Refused(self.number - 1, "", "PQL0823", f"a line of more than {self.most:,} bytes", text)


def _is_utf8(data: bytes) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _places(table: pa.Table, data: bytes, count: int, dialect: Dialect, most: int) -> tuple[pa.Table, Any] | None:
    """Rows that go over several lines, or have blank lines between them (not both), with the lines on which they begin, from 0. As
    everywhere, a line break inside a cell is one sign."""
    breaks = np.zeros(table.num_rows, np.int64)
    for place, name in enumerate(table.column_names):
        column = table.column(name)
        inside = pac.fill_null(pac.count_substring(column, "\n"), 0).to_numpy()
        if inside.any():
            breaks += inside
            table = table.set_column(place, name, pac.replace_substring_regex(column, r"\r+\n", "\n"))
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    if breaks.any():
        lines = np.cumsum(breaks + 1) - breaks - 1
        if table.num_rows + int(breaks.sum()) != count:
            return None
        for row in np.flatnonzero(
            breaks
        ):  # Arrow takes what comes after a closing quotation mark, and so may join two records
            record = _record(data, int(starts[lines[row]]), True, dialect, most)
            if record.wrong or record.lines != breaks[row] + 1:
                return None
        return table, lines
    short = ends - starts
    blank = short == 0
    for at in np.flatnonzero(short == 1):
        blank[at] = data[starts[at] : ends[at]] == b"\r"
    lines = np.flatnonzero(~blank)
    return (table, lines) if len(lines) == table.num_rows else None


@dataclass(frozen=True)
class _Record:
    """`lines` that it took (0: it goes on where there is no data yet), where it ends, its cells (None: a blank line), what is wrong."""

    lines: int
    end: int
    cells: list[str] | None = None
    wrong: str = ""


class _Broken(Exception):
    """A record ends here; the message says why."""


class _Lines:
    """The lines from a place on, as far as one record may go."""

    def __init__(self, data: bytes, at: int, ended: bool, most: int) -> None:
        self.data, self.start, self.at, self.ended, self.most = data, at, at, ended, most
        self.taken, self.first = 0, at
        self.is_short = False
        """Was the record still open where the data ends, for now?"""

    def __iter__(self) -> Iterator[str]:
        while self.taken < LINES_MOST and self.at < len(self.data):
            found = self.data.find(b"\n", self.at)
            if found < 0 and not self.ended:
                if len(self.data) - self.start > self.most:
                    raise _Broken(OPEN)
                break
            end = found + 1 if found >= 0 else len(self.data)
            line, self.at, self.taken = self.data[self.at : end], end, self.taken + 1
            if self.taken == 1:
                self.first = end
            if b"\0" in line:
                raise _Broken("a NUL byte")
            if end - self.start > self.most:
                raise _Broken(f"a line of more than {self.most:,} bytes" if self.taken == 1 else OPEN)
            try:
                yield line.rstrip(b"\n").decode("utf-8").rstrip("\r") + "\n"
            except UnicodeDecodeError as error:
                raise _Broken(f"not UTF-8: {error.reason}") from None
        self.is_short = self.taken < LINES_MOST and not self.ended


def _record(data: bytes, at: int, ended: bool, dialect: Dialect, most: int) -> _Record:
    """The record that begins at a place. A wrong one is its first line only; what follows is read as if nothing had been."""
    lines = _Lines(data, at, ended, most)
    try:
        cells = next(dialect.reader(iter(lines)), None)
    except _Broken as broken:
        return _Record(1, lines.first, wrong=str(broken))
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return _Record(1, lines.first, wrong=f"no CSV: {error}")
        return _Record(0, at) if lines.is_short else _Record(1, lines.first, wrong=OPEN)
    if cells is None:
        return _Record(0, at)
    return _Record(lines.taken, lines.at, cells or None)
