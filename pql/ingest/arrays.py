"""A JSON array cut into the texts of its elements, without reading it whole. A broken element does not take the others with it.

Small files are cut by msgspec at once; large or broken ones by following strings and brackets. Read `split_array`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

import msgspec

from pql.store.ledger import Refused

Piece = tuple[list[str], list[int], list[Refused], int]
SIGN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|["\[\]{}]', re.DOTALL)
START = re.compile(rb"[^\s,]")
AGAIN = re.compile(rb"[}\]]\s*,\s*(?=\{)|\n\s*(?=\{)")
PAIRS = {b"}": b"{", b"]": b"["}
ONCE = 64 << 20


def split_array(file: IO[bytes], block: int, most: int) -> Iterator[Piece]:
    """Texts of elements, their numbers from 1, what is refused, and the bytes read."""
    data = file.read(ONCE + 1)
    if len(data) <= ONCE:
        try:
            raws = msgspec.json.decode(data, type=list[msgspec.Raw])
            texts = [bytes(r).decode() for r in raws]
            yield texts, list(range(1, len(texts) + 1)), [], len(data)
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    yield from _Cutter(file, data, block, most).pieces()


class _Cutter:
    def __init__(self, file: IO[bytes], data: bytes, block: int, most: int) -> None:
        self.file, self.data, self.block, self.most = file, data, block, most
        self.at, self.number, self.size, self.ended = 0, 0, len(data), False

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        if self.ended:
            return False
        block = self.file.read(self.block)
        self.ended = not block
        self.size += len(block)
        self.data = self.data[self.at :] + block
        self.at = 0
        return bool(block)

    def pieces(self) -> Iterator[Piece]:
        while not (start := self.data[self.at :].lstrip()) and self.more():
            pass
        if not start:
            yield [], [], [], self.size
            return
        self.at = len(self.data) - len(start)
        if start[:1] == b"[":
            self.at += 1
        elif start[:1] != b"{":
            text = start[:200].decode("utf-8", "backslashreplace")
            yield [], [], [Refused(1, "", "PQL0822", "a JSON array of objects is wanted", text)], self.size
            return
        yield from self._elements()

    def _elements(self) -> Iterator[Piece]:
        texts: list[str] = []
        lines: list[int] = []
        refused: list[Refused] = []
        held = 0
        while (element := self.next()) is not None:
            self.number += 1
            raw, wrong = element
            text = raw.decode("utf-8", "backslashreplace")
            if wrong:
                refused.append(Refused(self.number, "", "PQL0822", wrong, text))
            else:
                try:
                    texts.append(raw.decode("utf-8"))
                    lines.append(self.number)
                except UnicodeDecodeError as error:
                    refused.append(Refused(self.number, "", "PQL0823", f"not UTF-8: {error.reason}", text))
            held += len(raw)
            if held > self.block:
                yield texts, lines, refused, self.size
                texts, lines, refused, held, self.size = [], [], [], 0, 0
        yield texts, lines, refused, self.size

    def next(self) -> tuple[bytes, str] | None:
        """The next element, with what is wrong with it; None after the last."""
        while (found := START.search(self.data, self.at)) is None:
            self.at = len(self.data)
            if not self.more():
                return None
        self.at = found.start()
        if self.data[self.at : self.at + 1] == b"]":
            rest = self.data[self.at + 1 :].strip()
            self.at = len(self.data)
            if rest and rest != b"]":
                return rest[: self.most], "there is something after the end of the array"
            return None
        return self.element()

    def element(self) -> tuple[bytes, str]:
        while True:
            end, wrong = self.end_of_element()
            if end >= 0:
                raw, self.at = self.data[self.at : end], end
                return raw.rstrip(), wrong
            if len(self.data) - self.at > self.most or not self.more():
                return self.broken()

    def end_of_element(self) -> tuple[int, str]:
        """Where the element ends (-1: further on), and what is wrong with it."""
        depth: list[bytes] = []
        first = self.data[self.at : self.at + 1]
        if first not in (b"{", b"["):
            found = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[^",\]\s][^,\]]*').match(self.data, self.at)
            if found is None:
                return -1, ""
            return (found.end(), "") if found.end() < len(self.data) or self.ended else (-1, "")
        for sign in SIGN.finditer(self.data, self.at):
            word = sign.group()
            if word in (b"{", b"["):
                depth.append(word)
            elif word in PAIRS:
                if not depth or depth[-1] != PAIRS[word]:
                    return -1, ""
                depth.pop()
                if not depth:
                    return sign.end(), ""
            elif word == b'"':
                return -1, ""
        return -1, ""

    def broken(self) -> tuple[bytes, str]:
        """An element whose end cannot be found: it ends where the next one seems to begin."""
        found = AGAIN.search(self.data, self.at + 1)
        if found is not None:
            cut = found.start() + 1
            raw, self.at = self.data[self.at : cut], cut
            return raw[: self.most].strip(), "the record is broken: a bracket or a quotation mark is missing"
        raw, self.at = self.data[self.at :], len(self.data)
        while self.more():
            self.at = len(self.data)
        return raw[: self.most].strip(), "the file ends inside a record"
