"""The REPL: a line in, an answer out. `Session.answer` is all of its behaviour; `converse` puts a prompt before it.

Over a store, a segment answers with its number of members; otherwise expressions are evaluated over one person.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pql.api import Environment, Expression, Store, StoreError
from pql.cli.documents import Unreadable, read_document
from pql.cli.inputs import stop_words
from pql.diagnostics.render import FORMATS
from pql.diagnostics.suggest import did_you_mean
from pql.functions import FUNCTIONS
from pql.ir.nodes import TESTS
from pql.source import Source
from pql.types import describe
from pql.xdm.catalog import complete
from pql.xdm.values import read_instant

KEYWORDS = ("and", "or", "not", "in", "notIn", "like", "occurs", "before", "after", "from", "between", "now", "today", "this", "last", "next",
            "days", "weeks", "months", "exists", "forall", "select", "where", "chain", "WHAT", "WHEN", "COUNT", "ignoring year", "true", "false", "null")  # fmt: skip
HELP = """an expression     its type, and its value for the loaded person or its members in the store
:type EXPR        the type alone
:sql EXPR         the SQL
:explain EXPR     in words, with lineage and plan
:as-of INSTANT    the instant asked about (`:as-of now` for this moment)
:profile FILE     load a profile, a JSON object; its events may be in it as `xEvent`
:events FILE      load its events, a JSON list or JSON Lines
:load FILE.pql    declare the segments of a file: `inSegment("id")` then knows them
:help  :quit      a line that ends with an open bracket goes on in the next"""


class Session:
    """What is loaded, and the answers. No terminal needed."""

    def __init__(self, environment: Environment, store: Store | None, at: datetime) -> None:
        self.environment, self.store, self.at = environment, store, at
        self.profile: dict[str, Any] = {}
        self.events: list[Any] = []
        self.sources: list[Source] = []
        self.done = False
        self.commands: dict[str, Callable[[str], str]] = {
            ":type": self.type, ":sql": self.sql, ":explain": self.explain, ":as-of": self.as_of, ":profile": self.load_profile,
            ":events": self.load_events, ":load": self.load, ":help": lambda _: HELP, ":quit": self.quit,
        }  # fmt: skip

    def answer(self, line: str) -> str:
        """The answer to one complete input; findings are answers too."""
        line = line.strip()
        if not line:
            return ""
        if line.startswith(":"):
            word, _, rest = line.partition(" ")
            command = self.commands.get(word)
            if command is None:
                return f"no command `{word}`; {did_you_mean(word, self.commands) or ':help lists them'}"
            return command(rest.strip())
        return self._checked(line, self.evaluate)

    def _checked(self, text: str, use: Callable[[Expression], str]) -> str:
        checked = self.environment.check_either(text) if not self.sources else self._in_project(text)
        shown = FORMATS["text"](list(checked.diagnostics)) if checked.diagnostics else ""
        if not checked.ok:
            return shown
        return "\n".join(filter(None, (shown, use(checked))))

    def _in_project(self, text: str) -> Expression:
        from pql.check.base import Catalog

        project = self.environment.project(self.sources)
        names = {id: id for id in project.segments} | {s.display: id for id, s in project.segments.items() if s.display}
        return self.environment.check(text, catalog=Catalog(segments=names))

    def _segments(self) -> Any:
        return self.environment.project(self.sources).conditions if self.sources else {}

    def evaluate(self, e: Expression) -> str:
        kind = describe(e.type)
        try:
            if self.store is not None and isinstance(e.ir, TESTS) and not self.profile:
                sql = self.environment.sql([e.ir], self._segments(), "counts", self.store.layout).sql()
                members = self.store.query(sql, {"now": self.at})[0][0]
                total = self.store.query("SELECT count(*) FROM profile", {})[0][0]
                return f"{members:,} of {total:,} profiles : {kind}"
            value = self.environment.evaluate(e.ir, self.profile, self.events, self.at, self._segments())
            return f"{json.dumps(value, ensure_ascii=False)} : {kind}"
        except StoreError as error:
            return stop_words(error)

    def type(self, text: str) -> str:
        return self._checked(text, lambda e: describe(e.type))

    def sql(self, text: str) -> str:
        layout = self.store.layout if self.store is not None else None

        def shown(e: Expression) -> str:
            output = "members" if isinstance(e.ir, TESTS) else "values"
            query = self.environment.sql([e.ir], self._segments(), output, layout)  # type: ignore[arg-type]
            return query.tree.sql("duckdb", pretty=True)

        return self._checked(text, shown)

    def explain(self, text: str) -> str:
        from pql.cli.explaining import explained

        return self._checked(
            text, lambda e: explained(self.environment, "expression", e.ir, self._segments(), self.store)
        )

    def as_of(self, text: str) -> str:
        from datetime import UTC

        at = datetime.now(UTC).replace(tzinfo=None) if text in ("", "now") else read_instant(text)
        if at is None:
            return f"`{text}` is not a date or date-time; write it like 2026-03-01T10:00:00Z"
        self.at = at
        return f"as of {at.isoformat()}Z"

    def load_profile(self, name: str) -> str:
        document, why = _json(name)
        if why or not isinstance(document, dict):
            return why or f"`{name}` is not a JSON object"
        if isinstance(document.get("xEvent"), list):
            self.events = document.pop("xEvent")
        self.profile = document
        return f"profile of {name}: {', '.join(document) or 'empty'}"

    def load_events(self, name: str) -> str:
        document, why = _json(name)
        if why or not isinstance(document, list):
            return why or f"`{name}` is not a JSON list"
        self.events = document
        return f"{len(document)} event" + ("s" if len(document) != 1 else "")

    def load(self, name: str) -> str:
        try:
            source = Source(name, Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            return f"`{name}` cannot be read: {error}"
        project = self.environment.project([*self.sources, source])
        errors = [d for d in project.diagnostics if d.is_error]
        if errors:
            return FORMATS["text"](errors)
        self.sources.append(source)
        return f"segments: {', '.join(project.segments)}"

    def quit(self, _: str) -> str:
        self.done = True
        return ""

    def completions(self, text: str) -> Iterable[tuple[str, str]]:
        """What may stand for the last word, each with a note."""
        word = text[max((text.rfind(c) for c in " ([{,=<>!+-*/%^\"'"), default=-1) + 1 :]
        if text.startswith(":") and " " not in text:
            yield from ((c, "command") for c in self.commands if c.startswith(text))
            return
        for prefix, root in ((word, None), (word.removeprefix("xEvent."), self.environment.schema.event)):
            if root is None or word.startswith("xEvent.") or "[" in text or "WHAT" in text:
                for found in complete(self.environment.schema, prefix, root):
                    start = "xEvent." if root is not None and word.startswith("xEvent.") else ""
                    yield start + found.path, found.type
        if "." in word:
            head, _, tail = word.rpartition(".")
            yield from ((f"{head}.{n}(", "function") for n in FUNCTIONS if n.isidentifier() and n.startswith(tail))
        elif word:
            yield from ((f"{n}(", "function") for n in FUNCTIONS if n.isidentifier() and n.startswith(word))
            yield from ((k, "") for k in KEYWORDS if k.lower().startswith(word.lower()))


def _json(name: str) -> tuple[Any, str]:
    try:
        return read_document(Path(name)), ""
    except Unreadable as error:
        return None, str(error)


def is_open(text: str) -> bool:
    """Does the input go on in the next line: an open bracket, or a backslash at the end?"""
    depth, quote = 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        else:
            depth += (c in "([{") - (c in ")]}")
    return depth > 0 or text.endswith("\\")


def _history() -> Path:
    folder = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "pql"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / "history"


def converse(session: Session) -> int:
    """Read, answer, repeat: with a prompt on a terminal, plainly from a pipe."""
    if not sys.stdin.isatty():
        return _plain(session)
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Schema(Completer):
        def get_completions(self, document: Any, _: Any) -> Iterable[Completion]:
            text = document.text_before_cursor
            word = text[max((text.rfind(c) for c in " ([{,=<>!+-*/%^\"'"), default=-1) + 1 :]
            for found, note in session.completions(text):
                yield Completion(found, start_position=-len(word), display_meta=note)

    try:
        history: Any = FileHistory(str(_history()))
    except OSError:
        history = InMemoryHistory()
    prompt: Any = PromptSession(history=history, completer=Schema(), complete_while_typing=False)
    print("PQL; :help for help, Ctrl-D to leave")
    pending = ""
    while not session.done:
        try:
            line = prompt.prompt("...> " if pending else "pql> ")
        except KeyboardInterrupt:
            pending = ""
            continue
        except EOFError:
            return 0
        pending = f"{pending}\n{line}" if pending else line
        if is_open(pending):
            continue
        try:
            print(session.answer(pending))
        except KeyboardInterrupt:
            print("interrupted")
        pending = ""
    return 0


def _plain(session: Session) -> int:
    pending = ""
    for line in sys.stdin:
        pending += line
        if is_open(pending.rstrip("\n")):
            continue
        answer = session.answer(pending)
        if answer:
            print(answer)
        pending = ""
        if session.done:
            break
    return 0
