"""Messages that are read in one step are read as all others are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pql.api import streams as api
from pql.runtime.inputs import Event
from pql.streams import messages
from pql.streams.errors import BadMessage
from pql.types import NUMBER, STRING, make_object
from tests.streams.project import ENVIRONMENT
from tests.xdm.json_texts import ANYTHING, INSTANTS, KIND, LUCK, TEXTS, obj, texts

SCHEMA = replace(ENVIRONMENT.schema, event=make_object("event", {**KIND.fields, **ENVIRONMENT.schema.event.fields}))
WITH_KIND = replace(SCHEMA, event=make_object("event", {**SCHEMA.event.fields, **obj(kind=STRING, odd=NUMBER).fields}))
NAMES = st.one_of(TEXTS, st.sampled_from(['"sarah"', "7", "null", "1.5", "true", '""']))


def owner(document: Any) -> str | None:
    return None if "text" in document else f"by {sorted(document)}"


def readers(schema: Any) -> list[api.Reader]:
    return [api.Reader(schema, key, owner) for key in ("profileId", "text", "number", "eventType", "kind", "event")]


READERS = readers(SCHEMA) + readers(WITH_KIND)


@st.composite
def lines(draw: st.DrawFn, wild: bool) -> str:
    """A bare event, or one with `kind`."""
    body, name = draw(texts(SCHEMA.event, wild)), draw(NAMES if wild else st.just('"sarah"'))
    if draw(st.booleans()):
        more = [('"profileId"', name)] * draw(st.integers(0 if wild else 1, 1))
        pairs = [f"{k}:{v}" for k, v in more]
        inner = body[1:-1] if body.startswith("{") else ""
        return "{" + ",".join([*pairs, *([inner] if inner else [])]) + "}"
    pairs = ['"kind":"event"', f'"event":{body}', f'"profile":{name}']
    if wild:
        others = {'"key"': NAMES, '"arrival"': st.one_of(INSTANTS, ANYTHING), '"other"': ANYTHING, '"kind"': ANYTHING}
        pairs += [f"{k}:{draw(v)}" for k, v in others.items() if draw(LUCK) < 4]
        pairs = draw(st.permutations(pairs))[draw(st.integers(0, 1)) :]
    return "{" + ",".join(pairs) + "}"


def slowly(reader: api.Reader, raw: bytes) -> Any:
    return reader.input(messages._DECODER.decode(raw))


def told(read: Any, *values: Any) -> Any:
    try:
        made = read(*values)
    except BadMessage as bad:
        return bad.code, str(bad)
    document = made.document
    return repr(replace(made, document=None)), repr(_sorted(document))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _sorted(value[k]) for k in sorted(value)}
    return [_sorted(v) for v in value] if isinstance(value, list) else value


@settings(max_examples=250, deadline=None)
@given(lines(wild=True))
def test_every_message_is_read_as_the_slow_reader_reads_it(line: str) -> None:
    raw = line.encode()
    for reader in READERS:
        assert told(reader.read, raw) == told(slowly, reader, raw)


@settings(max_examples=200, deadline=None)
@given(lines(wild=False))
def test_usual_events_are_read_in_one_step(line: str) -> None:
    assert READERS[0]._usual.read(line.encode()) is not None


@pytest.mark.parametrize(
    ("message", "step"),
    [
        ({"profileId": "a", "number": 1}, True),
        ({"profileId": "a", "number": None}, True),
        (
            {"kind": "event", "profile": "a", "event": {"number": 1}, "key": "k", "arrival": "2026-01-01T00:00:00Z"},
            True,
        ),
        ({"event": {"number": 1}, "arrival": None, "profile": "a", "kind": "event"}, True),
        ({"profileId": "a", "nothing": 1}, False),
        ({"kind": "event", "profile": "a", "event": {"nothing": 1}}, False),
        ({"kind": "event", "profile": "a", "event": None}, False),
        ({"kind": "event", "profile": "a"}, False),
        ({"kind": None, "profile": "a", "event": {}}, False),
        ({"profile": "a", "event": {}}, False),
        ({"kind": "profile", "profile": "a", "record": {}}, False),
        ({"kind": "advance", "to": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_what_is_read_in_one_step(message: dict[str, Any], step: bool) -> None:
    assert (READERS[0]._usual.read(json.dumps(message).encode()) is not None) == step


@pytest.mark.parametrize(
    ("key", "text", "said"), [("number", "7", "7"), ("whole", "4", "4"), ("at", '"2026-01-01"', "2026-01-01")]
)
def test_a_field_of_another_type_that_names_the_profile_does_so_as_it_stands(key: str, text: str, said: str) -> None:
    read = api.Reader(SCHEMA, key).read(f'{{"{key}": {text}}}'.encode())
    assert isinstance(read, Event)
    assert read.profile == said
