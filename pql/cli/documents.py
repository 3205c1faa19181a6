"""One person as JSON documents: a profile and its events, from files or standard input. Read `read_person`."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

MOST_BYTES = 100_000_000


class Unreadable(Exception):
    """The message names the file and says why, `help` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def read_person(profile: Path | None, events: Path | None) -> tuple[Any, Any]:
    """The profile's document and the list of its events, which may also stand in the profile as `xEvent`.

    Raises Unreadable.
    """
    if profile is not None and events is not None and "-" == str(profile) == str(events):
        raise Unreadable(
            "standard input cannot be both the profile and its events", "put the events into it as `xEvent`"
        )
    document = read_document(profile) if profile is not None else {}
    history = read_document(events) if events is not None else []
    if isinstance(document, dict) and "xEvent" in document:
        if events is not None:
            raise Unreadable(f"the events are in `{profile}` as `xEvent` and in `{events}`", "leave one of them out")
        history = document["xEvent"]
        document = {name: value for name, value in document.items() if name != "xEvent"}
    if not isinstance(history, list):
        raise Unreadable(f"the events of `{events or profile}` are no list", "write them like [{...}, {...}]")
    return document, history


def read_document(path: Path) -> Any:
    """A JSON document; JSON Lines, in a file so named, as a list. `-` is standard input. Raises Unreadable."""
    name = "<stdin>" if str(path) == "-" else str(path)
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Unreadable(f"`{name}` cannot be read: it is longer than {MOST_BYTES:,} bytes")
        text = data.decode("utf-8-sig")
        if path.suffix == ".jsonl":
            return [json.loads(line, parse_float=Decimal) for line in text.splitlines() if line.strip()]
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        raise Unreadable(f"`{name}` cannot be read: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable(f"`{name}` cannot be read: it is not UTF-8 text") from None
    except OSError as error:
        raise Unreadable(f"`{name}` cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise Unreadable(f"`{name}` cannot be read: it is no JSON: {error}") from None
