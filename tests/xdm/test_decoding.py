"""Fast reading gives what the slow reader gives, or refuses; and it does not refuse what is as it should be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from pql.types import NUMBER, TIMESTAMP, ListType, Type
from pql.xdm import decoding
from pql.xdm.values import read_value
from tests.xdm.json_texts import KIND, obj, texts

DEEP: Type = NUMBER
for _ in range(30):
    DEEP = ListType(obj(a=DEEP, b=ListType(TIMESTAMP)))


def _refused(data: bytes) -> Any:
    return decoding.Misfit


OPEN = decoding.make_reader(KIND, 1_000_000, _refused)
MEND = decoding.make_mend(KIND)
LOOSE = decoding.make_struct_reader(decoding.struct_shape(KIND, closed=False), MEND)
CLOSED = decoding.make_struct_reader(decoding.struct_shape(KIND, closed=True), MEND)


def slowly(data: bytes, ignore_unknown: bool) -> Any:
    """(value, problems), or None where there is no reading it."""
    try:
        found = _EXACT.decode(data)
    except ValueError:
        return None
    return read_value(found, KIND, "event", ignore_unknown)


_EXACT = msgspec.json.Decoder(float_hook=decoding.exact_number)


def fast(reader: Any, data: bytes) -> Any:
    try:
        return reader(data)
    except decoding.REFUSALS:
        return decoding.Misfit


@settings(max_examples=600, deadline=None)
@given(texts(KIND, wild=True))
def test_what_is_accepted_is_what_the_slow_reader_gives(text: str) -> None:
    data = text.encode()
    for reader, ignore in ((OPEN, True), (LOOSE, True), (CLOSED, False)):
        got = fast(reader, data)
        if got is not decoding.Misfit:
            slow = slowly(data, ignore)
            assert slow is not None
            assert slow[1] == []
            assert repr(got) == repr(_ordered_as(slow[0], got))


def _ordered_as(value: Any, other: Any) -> Any:
    """A value with the keys of its objects in the order of another's: their order means nothing."""
    if isinstance(value, dict) and isinstance(other, dict):
        assert value.keys() == other.keys()
        return {k: _ordered_as(value[k], other[k]) for k in other}
    if isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        return [_ordered_as(a, b) for a, b in zip(value, other, strict=True)]
    return value


@settings(max_examples=200, deadline=None)
@given(texts(KIND, wild=False))
def test_what_is_as_it_should_be_is_accepted(text: str) -> None:
    data = text.encode()
    for reader in (OPEN, LOOSE, CLOSED):
        assert fast(reader, data) is not decoding.Misfit


@pytest.mark.parametrize(
    ("text", "open", "loose", "closed"),
    [
        ('{"number": null, "inner": {"at": null, "yes": true}}', False, True, True),
        ('{"number": null, "double": null}', True, True, True),
        ('{"number": 1, "unknown": 2}', True, True, False),
        ('{"inner": {"unknown": 2}}', True, True, False),
        ('{"empty": {"unknown": 2}}', True, True, True),
        ('{"number": true}', False, False, False),
        ('{"number": "1"}', False, False, False),
        ('{"double": false}', False, False, False),
        ('{"numbers": [1, null, 2.5]}', True, True, True),
        ('{"maps": {"xsegmentMembership": {"A": 1}}}', False, False, False),
        ('{"segmentMembership": {"B": {"a": {"at": "x"}}, "b": null}}', False, False, False),
        ("[]", False, False, False),
        ("null", False, False, False),
    ],
)
def test_what_each_way_takes(text: str, open: bool, loose: bool, closed: bool) -> None:
    taken = [fast(reader, text.encode()) is not decoding.Misfit for reader in (OPEN, LOOSE, CLOSED)]
    assert taken == [open, loose, closed]


def test_nesting_deeper_than_python_can_write_in_one_function() -> None:
    kind = obj(deep=DEEP)
    text = "0.5"
    for _ in range(30):
        text = f'[{{"a": {text}, "b": ["2026-03-01T10:00:00Z"]}}]'
    data = f'{{"deep": {text}}}'.encode()
    slow, problems = read_value(_EXACT.decode(data), kind, "event")
    assert not problems
    assert decoding.make_reader(kind, 1_000_000, _refused)(data) == slow


def test_numbers_are_remembered_within_bounds() -> None:
    known = decoding._Numbers()
    for n in range(decoding.NUMBERS_MOST + 5):
        known[str(n)]
        known["0." + "1" * (n % 100 + decoding.NUMBER_LONG)]
    assert len(known) == 5
