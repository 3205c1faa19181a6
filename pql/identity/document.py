"""Reading a YAML settings file with bounds; places of keys for findings. Read `Document`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pql.diagnostics.findings import Findings
from pql.diagnostics.suggest import did_you_mean
from pql.source import Source, Span

BYTES_MOST = 1_000_000


class Document:
    """The object in a file, and the findings about it. `code` is the register's code for everything wrong in it."""

    def __init__(self, text: str, name: str, code: str) -> None:
        self.findings = Findings(Source(name, text))
        self.code, self.text = code, text
        self.values: Mapping[Any, Any] = {}
        try:
            if len(text) > BYTES_MOST:
                raise ValueError(f"more than {BYTES_MOST:,} characters")
            values = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            place = Span(mark.index, mark.index) if mark else Span(0, 0)
            why = getattr(error, "problem", None) or str(error).split("\n")[0]
            self.findings.report(code, place, f"this is no YAML: {why}")
            return
        if values is None:
            return
        if not isinstance(values, dict):
            self.findings.report(code, Span(0, min(1, len(text))), "an object of settings is wanted")
            return
        self.values = values

    @classmethod
    def read(cls, path: Path, code: str) -> Document:
        try:
            return cls(path.read_text(encoding="utf-8"), str(path), code)
        except (OSError, UnicodeDecodeError) as error:
            document = cls("", str(path), code)
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            document.findings.report(code, Span(0, 0), f"`{path}` cannot be read: {reason}")
            return document

    def place(self, word: object) -> Span:
        """The first place of a word that stands alone."""
        found = re.search(rf"(?<![\w.-]){re.escape(str(word))}(?![\w.-])", self.text)
        return Span(*found.span()) if found else Span(0, 0)

    def wrong(self, word: object, message: str, help: str = "") -> None:
        self.findings.report(self.code, self.place(word), message, help=help)

    def known(self, values: Mapping[Any, Any], keys: Iterable[str], where: str = "") -> None:
        """Report the keys that nobody reads."""
        names = tuple(keys)
        for key in values:
            if key not in names:
                help = did_you_mean(str(key), names) or "the settings are " + ", ".join(names)
                self.wrong(key, f"unknown setting `{key}`" + (f" of `{where}`" if where else ""), help)

    def words(self, value: Any, where: str) -> tuple[str, ...]:
        """A list of words; a single one may stand alone."""
        items = value if isinstance(value, list) else [] if value is None else [value]
        bad = [i for i in items if not isinstance(i, str | int | float) or isinstance(i, bool)]
        if bad:
            self.wrong(where, f"`{where}` is a list of words")
            return ()
        return tuple(str(i) for i in items)

    def whole(self, value: Any, where: str, least: int, most: int) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(where, f"`{where}` is a whole number from {least} to {most:,}")
            return None
        return value

    def object(self, value: Any, where: str) -> Mapping[Any, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(where, f"`{where}` is an object")
            return {}
        return value
