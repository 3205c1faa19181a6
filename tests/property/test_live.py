"""The live engine agrees with the evaluators on generated histories and orders of arrival; traces agree with sampling."""

import pytest

from pql.runtime import attributes, network
from pql.runtime.attributes import Values
from pql.runtime.cells import NEVER, Count, Dated
from pql.runtime.dates import Dates
from pql.runtime.tracing import Tracing
from tests.property import flips, live


@pytest.mark.parametrize("block", range(8))
def test_runs(block):
    found = [
        d
        for seed in range(200 + block * 4, 204 + block * 4)
        for d in live.run(seed, length=12, deep=seed % 4 == 0, values=2)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("block", range(4))
def test_horizons(block):
    found = [d for seed in range(block * 5, block * 5 + 5) for d in flips.differences(seed)]
    assert not found, "\n".join(found)


def test_a_timer_too_late_is_noticed(monkeypatch):
    whole = Tracing.probe

    def late(self, e, person, now):
        value, horizon = whole(self, e, person, now)
        return value, None if horizon is None else horizon + live.MICRO

    monkeypatch.setattr(Tracing, "probe", late)
    assert any(live.run(seed) for seed in range(12))


def test_an_attribute_s_timer_too_late_is_noticed(monkeypatch):
    whole = Values._evaluate

    def late(self, attribute, view, at):
        value, until = whole(self, attribute, view, at)
        return value, None if until is None else until + live.MICRO

    monkeypatch.setattr(Values, "_evaluate", late)
    assert any(live.run(seed, segments=1, values=4) for seed in range(12))


def test_an_event_that_an_attribute_does_not_hear_of_is_noticed(monkeypatch):
    monkeypatch.setattr(attributes, "looked_at", lambda value, segments: ())
    assert any(live.run(seed, segments=1, values=4) for seed in range(12))


def test_an_event_that_a_test_without_a_form_does_not_hear_of_is_noticed(monkeypatch):
    monkeypatch.setattr(network, "looked_at", lambda value, segments: ())
    assert any(live.run(seed) for seed in range(12))


def test_a_window_a_microsecond_too_long_is_noticed(monkeypatch):
    whole = Count.look

    def long(self, watch, state, now):
        value, until = whole(self, watch, state, now - 1)
        return value, until + 1

    monkeypatch.setattr(Count, "look", long)
    assert any(live.run(seed) for seed in range(1000, 1020))


@pytest.mark.parametrize(("enter", "leave"), [(0, 1), (1, 0)])
def test_a_window_of_the_calendar_a_microsecond_off_is_noticed(monkeypatch, enter, leave):
    whole = Dates._found

    def moved(self, at):
        found = whole(self, at)
        self._last = (at, at + 1, found[0] + enter, found[1] + leave)
        return self._last[2:]

    monkeypatch.setattr(Dates, "_found", moved)
    assert any(live.run(seed) for seed in range(1000, 1040))


def test_an_event_that_comes_into_a_window_too_late_to_be_heard_of_is_noticed(monkeypatch):
    whole = Dated.look

    def deaf(self, watch, state, now):
        value, until = whole(self, watch, state, now)
        return value, until if value else NEVER

    monkeypatch.setattr(Dated, "look", deaf)
    assert any(live.run(seed) for seed in range(1000, 1040))
