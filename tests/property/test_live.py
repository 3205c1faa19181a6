"""The live engine agrees with the evaluators on generated histories and orders of arrival; traces agree with sampling."""

import pytest

from pql.runtime.cells import Count
from pql.runtime.tracing import Tracing
from tests.property import flips, live


@pytest.mark.parametrize("block", range(8))
def test_runs(block):
    found = [
        d for seed in range(200 + block * 4, 204 + block * 4) for d in live.run(seed, length=12, deep=seed % 4 == 0)
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


def test_a_window_a_microsecond_too_long_is_noticed(monkeypatch):
    whole = Count.look

    def long(self, watch, state, now):
        value, until = whole(self, watch, state, now - 1)
        return value, until + 1

    monkeypatch.setattr(Count, "look", long)
    assert any(live.run(seed) for seed in range(1000, 1020))
