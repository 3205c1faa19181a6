"""Questions asked of a settings file that `pql.xdm.documents` has read. Read `Document`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.suggest import did_you_mean
from pql.source import Source, Span
from pql.xdm.documents import parse_document


class Document:
    """The object in a file, and the findings about it. `code` is the register's code for everything wrong in it."""

    def __init__(self, text: str, name: str, code: str) -> None:
        self.code, self.text = code, text
        self.findings = Findings(Source(name, text))
        self.keys: Mapping[Any, Span] = {}
        self.values: Mapping[str, Any] = {}
        found = parse_document(self.findings.source, self.findings.items, code)
        if found is None or found.data is None:
            return
        self.keys = found.keys
        if not isinstance(found.data, dict):
            self.findings.report(code, Span(0, min(1, len(text))), "an object of settings is wanted")
            return
        self.values = found.data

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
        """The first key of that name, else the first place of the word where it stands alone."""
        key = next((span for path, span in self.keys.items() if path[-1] == str(word)), None)
        if key is not None:
            return key
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
