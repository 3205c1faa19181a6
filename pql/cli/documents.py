"""One person as JSON documents: a profile and its events, from files or standard input. Read `read_person`."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from pql.xdm.schema import Schema

MOST_BYTES = 100_000_000
PROFILE_KEY, EVENT_KEY = "_id", "profileId"
"""Where files for `pql store create` and `pql stream` name the person."""


class Unreadable(Exception):
    """The message names the file and says why, `help` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def read_person(profile: Path | None, events: Path | None, schema: Schema) -> tuple[Any, Any]:
    """The profile's document and the list of its events, which may also stand in the profile as `xEvent`; without the name of the
    person, where the schema has no such field.

    Raises Unreadable, also when the events are of several people.
    """
    if profile is not None and events is not None and "-" == str(profile) == str(events):
        raise Unreadable(
            "standard input cannot be both the profile and its events", "put the events into it as `xEvent`"
        )
    document = read_document(profile) if profile is not None else {}
    history = read_document(events, lines=True) if events is not None else []
    if isinstance(document, dict) and "xEvent" in document:
        if events is not None:
            raise Unreadable(f"the events are in `{profile}` as `xEvent` and in `{events}`", "leave one of them out")
        history = document["xEvent"]
        document = {name: value for name, value in document.items() if name != "xEvent"}
    if not isinstance(history, list):
        raise Unreadable(f"the events of `{events or profile}` are no list", "write them like [{...}, {...}]")
    return _unnamed(document, history, str(events or profile), schema)


def _unnamed(document: Any, history: list[Any], file: str, schema: Schema) -> tuple[Any, Any]:
    names: list[Any] = []
    if isinstance(document, dict) and PROFILE_KEY in document and PROFILE_KEY not in schema.profile.fields:
        names.append(document[PROFILE_KEY])
        document = {k: v for k, v in document.items() if k != PROFILE_KEY}
    if EVENT_KEY not in schema.event.fields:
        names += [e[EVENT_KEY] for e in history if isinstance(e, dict) and EVENT_KEY in e]
        history = [{k: v for k, v in e.items() if k != EVENT_KEY} if isinstance(e, dict) else e for e in history]
    different = list(dict.fromkeys(json.dumps(n, ensure_ascii=False, default=str)[:80] for n in names))
    if len(different) > 1:
        said = ", ".join(f"`{n}`" for n in different[:3]) + (" …" if len(different) > 3 else "")
        raise Unreadable(
            f"the events of `{file}` are not of one profile: {said}",
            "keep those of one profile; `pql store create` and `pql run` answer for many",
        )
    return document, history


def read_document(path: Path, lines: bool = False) -> Any:
    """A JSON document; JSON Lines, in a file so named or (`lines`) anywhere, as a list. `-` is standard input. Raises Unreadable."""
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
        if path.suffix == ".jsonl" or (lines and _is_lines(text)):
            return [json.loads(line, parse_float=Decimal) for line in text.split("\n") if line.strip()]
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        raise Unreadable(f"`{name}` cannot be read: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable(f"`{name}` cannot be read: it is not UTF-8 text") from None
    except OSError as error:
        raise Unreadable(f"`{name}` cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise Unreadable(f"`{name}` cannot be read: it is no JSON: {error}") from None


def _is_lines(text: str) -> bool:
    """Does the first line hold an object of its own?"""
    first = text.lstrip().split("\n", 1)[0]
    try:
        return first.startswith("{") and isinstance(json.loads(first), dict)
    except ValueError:
        return False
