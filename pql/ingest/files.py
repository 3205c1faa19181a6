"""Source files as chunks of Arrow rows: JSON Lines and JSON arrays as texts, CSV and Parquet as columns.

What is no row is refused here, with its line and what is wrong: broken encoding, ragged rows, rows too long, a truncated end.
Nothing is lost: every record of a file is a row of some chunk or a refused one. Must not know mappings or the store.
Read `read_chunks`.
"""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pql.ingest.arrays import split_array
from pql.ingest.csv_rows import csv_chunks
from pql.store.ledger import Refused

BLOCK = 32 << 20
LINE_MOST = 4 << 20
"""Bytes of one record."""
ROWS = 122_880
"""Rows that are worked on at once, by one thread: a row group of the store."""
BATCHES = 4
"""So many of them are a chunk."""
BLOCKS = 4
"""So many blocks are a chunk at most, however few rows they hold."""


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass
class Chunk:
    """Rows with their lines: `raw` texts (JSON), or `columns`. `refused`: records of this stretch that are no rows. `size`: bytes
    of the file that were read for it."""

    table: pa.Table
    refused: list[Refused] = field(default_factory=list)
    size: int = 0


def open_binary(path: Path, encoding: str = "") -> IO[bytes]:
    """The file as UTF-8 bytes without a byte order mark, whatever it is written in; `.gz` is unpacked."""
    raw: Any = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115  (given away)
    start = raw.read(4)
    raw.seek(0)
    named = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}.get(start[:2], encoding)
    if start[:3] == codecs.BOM_UTF8:
        raw.read(3)
    if not named or codecs.lookup(named).name == "utf-8":
        return raw  # type: ignore[no-any-return]
    recoded: Any = Recoded(raw, named)
    return recoded  # type: ignore[no-any-return]


class Recoded(io.RawIOBase):
    """Bytes of another encoding as UTF-8; what cannot be decoded becomes bytes that are no UTF-8, so that its line is refused."""

    def __init__(self, raw: IO[bytes], encoding: str) -> None:
        super().__init__()
        self.raw, self.rest = raw, b""
        self.decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")

    def read(self, size: int = -1) -> bytes:
        wanted = BLOCK if size < 0 else size
        while len(self.rest) < wanted or size < 0:
            block = self.raw.read(wanted)
            self.rest += self.decoder.decode(block, final=not block).encode("utf-8", "surrogateescape")
            if not block:
                break
        give = self.rest if size < 0 else self.rest[:size]
        self.rest = self.rest[len(give) :]
        return give

    def close(self) -> None:
        self.raw.close()
        super().close()


def read_chunks(path: Path, format: str, options: dict[str, Any], block: int = BLOCK) -> Iterator[Chunk]:
    """The chunks of a file. Raises BadFile."""
    try:
        if format == "parquet":
            yield from _parquet(path)
            return
        with open_binary(path, str(options.get("encoding", ""))) as file:
            if format == "jsonl":
                yield from line_chunks(file, block)
            elif format == "json":
                for texts, first, refused, size in split_array(file, block, LINE_MOST):
                    lines = (
                        np.arange(first, first + len(texts))
                        if not isinstance(first, list)
                        else np.array(first, np.int64)
                    )
                    yield Chunk(
                        pa.table({"__line": pa.array(lines, pa.int64()), "raw": pa.array(texts, pa.string())}),
                        refused,
                        size,
                    )
            else:
                for table, refused, size in csv_chunks(file, options, block, LINE_MOST):
                    yield Chunk(table, refused, size)
    except (OSError, EOFError, pa.ArrowException, LookupError, UnicodeError, ValueError) as error:
        raise BadFile(str(error).split("\n")[0][:200] or type(error).__name__) from None


def in_row_groups(chunks: Iterable[Chunk], most: int, rows: int = ROWS * BATCHES) -> Iterator[Chunk]:
    """The same rows in chunks of exactly `rows` (fewer when more than `most` bytes were read for them, and at the end). What fills row
    groups of the store is written once; parts of them are written again at the end."""
    held: Chunk | None = None
    for chunk in chunks:
        held = chunk if held is None else _joined(held, chunk)
        while held is not None and held.table.num_rows >= rows:
            full, held = _cut(held, rows)
            yield full
        if held is not None and held.size >= most:
            yield held
            held = None
    if held is not None:
        yield held


def _joined(one: Chunk, other: Chunk) -> Chunk:
    if one.table.schema == other.table.schema:
        table = pa.concat_tables([one.table, other.table])
    else:  # one of them holds no rows
        table = one.table if one.table.num_rows else other.table
    return Chunk(table, [*one.refused, *other.refused], one.size + other.size)


def _cut(chunk: Chunk, rows: int) -> tuple[Chunk, Chunk | None]:
    """The first rows, with what was refused before the others; the others. The bytes are shared out by rows."""
    if chunk.table.num_rows == rows:
        return chunk, None
    after = chunk.table.slice(rows)
    line = after["__line"][0].as_py()
    before = [r for r in chunk.refused if r.line < line]
    size = chunk.size * rows // chunk.table.num_rows
    left = Chunk(after, [r for r in chunk.refused if r.line >= line], chunk.size - size)
    return Chunk(chunk.table.slice(0, rows), before, size), left


def line_chunks(file: IO[bytes], block: int) -> Iterator[Chunk]:
    """JSON Lines: a row a line that is not blank. Lines are numbered from 1."""
    rest, number = b"", 1
    while True:
        data = file.read(block)
        whole = rest + data
        cut = len(whole) if not data else whole.rfind(b"\n") + 1
        if not data and not whole:
            return
        if cut == 0:
            if len(whole) > LINE_MOST:
                rest = yield from _skip_line(file, whole, number, block)
                number += 1
            else:
                rest = whole
            continue
        rest = whole[cut:]
        piece = whole[:cut]
        chunk, number = _lines(piece if piece.endswith(b"\n") else piece + b"\n", number)
        chunk.size = len(data)
        yield chunk
        if not data:
            return


def _skip_line(file: IO[bytes], start: bytes, number: int, block: int) -> Any:
    text = start[:LINE_MOST].decode("utf-8", "replace")
    size = len(start)
    while True:
        data = file.read(block)
        at = data.find(b"\n")
        size += len(data)
        if at >= 0 or not data:
            refused = [Refused(number, "", "PQL0823", f"a line of more than {LINE_MOST:,} bytes", text)]
            yield Chunk(_texts(b"", np.zeros(1, np.int32), np.zeros(0, np.int64)), refused, size)
            return data[at + 1 :] if at >= 0 else b""


def _texts(data: bytes, offsets: Any, lines: Any) -> pa.Table:
    raw = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data))
    return pa.table({"__line": pa.array(lines, pa.int64()), "raw": raw})


def _lines(data: bytes, number: int) -> tuple[Chunk, int]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    offsets = np.concatenate([np.zeros(1, np.int64), ends])
    lines = np.arange(number, number + len(ends))
    table = _texts(data, offsets, lines)
    lengths = np.diff(offsets)
    refused: list[Refused] = []
    keep = np.ones(len(ends), bool)
    for at in np.flatnonzero(lengths <= 64):
        if not data[offsets[at] : offsets[at + 1]].strip():
            keep[at] = False
    for at in np.flatnonzero(lengths > LINE_MOST):
        keep[at] = False
        text = data[offsets[at] : offsets[at] + LINE_MOST].decode("utf-8", "replace")
        refused.append(Refused(int(lines[at]), "", "PQL0823", f"a line of more than {LINE_MOST:,} bytes", text))
    try:
        table.column("raw").validate(full=True)
    except pa.ArrowInvalid:
        for place in range(len(ends)):
            at = np.int64(place)
            try:
                data[offsets[at] : offsets[at + 1]].decode("utf-8")
            except UnicodeDecodeError as error:
                if keep[at]:
                    text = data[offsets[at] : offsets[at + 1]].decode("utf-8", "backslashreplace").rstrip("\r\n")
                    refused.append(Refused(int(lines[at]), "", "PQL0823", f"not UTF-8: {error.reason}", text))
                keep[at] = False
    if not keep.all():
        table = table.filter(pa.array(keep))
    return Chunk(table, refused), number + len(ends)


def _parquet(path: Path) -> Iterator[Chunk]:
    with pq.ParquetFile(path) as file:
        if "__line" in file.schema_arrow.names:
            raise BadFile("a column is named `__line`, which is taken")
        number, total = 1, max(file.metadata.num_rows, 1)
        size = path.stat().st_size
        batches: Iterator[pa.RecordBatch] = file.iter_batches(batch_size=ROWS)
        while taken := list(islice(batches, BATCHES)):
            table = pa.Table.from_batches(taken)
            ends = np.cumsum([number, *(b.num_rows for b in taken)])
            lines = [pa.array(np.arange(a, b), pa.int64()) for a, b in pairwise(ends)]
            number += table.num_rows
            yield Chunk(table.append_column("__line", pa.chunked_array(lines)), [], size * table.num_rows // total)
