"""Messages of a stream: read from a call's body, mapped one by one in Python, stored in one transaction a call. Knows no HTTP
framework: `service` is that. Read `Stream.take`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import msgspec

from pql.ingest.load import Plan, map_record
from pql.store.datasets import DatasetLoad
from pql.store.ledger import DELETED, Counts, Refused
from pql.store.store import Store

BYTES_MOST = 1 << 20
MESSAGES_MOST = 1000


@dataclass(frozen=True)
class Answer:
    """Of one message: 200 and what became of it, or 400 with a code, the path and what is wrong."""

    status: int
    state: str
    code: str = ""
    path: str = ""
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            k: v
            for k, v in (
                ("status", self.status),
                ("state", self.state),
                ("code", self.code),
                ("path", self.path),
                ("message", self.message),
            )
            if v
        }


class Refusal(Exception):
    """The call as a whole is refused: `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_messages(body: bytes, lines: bool, most: int) -> tuple[list[str], bool]:
    """The messages of a body as JSON texts, and whether it was a call for several. Raises Refusal."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8") from None
    if lines:
        messages = [line for line in text.split("\n") if line.strip()]
    else:
        messages, several = _json_messages(text)
        if not several:
            return messages, False
    if not messages:
        raise Refusal(400, "the body holds no message")
    if len(messages) > most:
        raise Refusal(413, f"more than {most:,} messages in one call")
    return messages, True


def _json_messages(text: str) -> tuple[list[str], bool]:
    """Messages as they were written, so that nothing about them is lost on the way."""
    body = text.encode("utf-8")
    start = text.lstrip()[:1]
    try:
        if start == "[":
            return [bytes(m).decode() for m in msgspec.json.decode(body, type=list[msgspec.Raw])], True
        whole = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if "messages" not in whole:
            return [text], False
        return [_entity(bytes(m)) for m in msgspec.json.decode(whole["messages"], type=list[msgspec.Raw])], True
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return [text], False


def _entity(message: bytes) -> str:
    """The record inside `{"header": …, "body": {"xdmEntity": …}}`; other messages are the record."""
    inner = message
    for step in ("body", "xdmEntity"):
        try:
            parts = msgspec.json.decode(inner, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
            break
        if step not in parts:
            break
        inner = bytes(parts[step])
    return inner.decode()


class Stream:
    """A source of the format `http` over a store. One call at a time writes; `take` may be called from threads."""

    def __init__(self, store: Store, plan: Plan, lock: threading.Lock | None = None) -> None:
        self.store, self.plan, self.lock = store, plan, lock or threading.Lock()
        self.evaluator = plan.evaluator()
        options = plan.source.options
        self.bytes_most = int(options.get("max_bytes", BYTES_MOST))
        self.messages_most = int(options.get("max_messages", MESSAGES_MOST))

    def take(self, body: bytes, lines: bool = False) -> tuple[list[Answer], bool, Counts]:
        """Answers in the order of the messages, whether the call was for several, and the counts. Committed when it returns."""
        if len(body) > self.bytes_most:
            raise Refusal(413, f"more than {self.bytes_most:,} bytes in one call")
        messages, several = read_messages(body, lines, self.messages_most)
        with self.lock:
            answers, counts = self._store(messages)
        return answers, several, counts

    def _store(self, messages: list[str]) -> tuple[list[Answer], Counts]:
        refused: list[Refused] = []
        numbers: list[int] = []
        documents: list[dict[str, Any]] = []
        for number, text in enumerate(messages, 1):
            document, problem = map_record(self.evaluator, text, number)
            if problem is None:
                numbers.append(number)
                documents.append(document)
            else:
                refused.append(problem)
        with DatasetLoad(self.store, self.plan.spec, self.plan.source.id, "http") as load:
            load.stage(None, None, tuple(dict.fromkeys(t.path[0] for t in self.plan.mapping.targets)))
            load.add(numbers, documents)
            load.settle(refused, lambda lines: [messages[n - 1] for n in lines])
            wrong = {r.line: r for r in load.refused}
        answers = [self._answer(wrong.get(n)) for n in range(1, len(messages) + 1)]
        return answers, load.counts

    def _answer(self, refused: Refused | None) -> Answer:
        if refused is None:
            return Answer(200, "taken")
        if refused.code == DELETED:
            return Answer(400, "deleted", refused.code, message=refused.message)
        return Answer(400, "quarantined", refused.code, refused.path, refused.message)
