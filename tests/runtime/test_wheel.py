"""Timers come in the order of their instants, whenever they were set, in whatever bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pql.runtime.wheel import GRAIN, NEVER, Wheel

BUCKET = 1 << GRAIN
STEPS = st.lists(
    st.tuples(st.lists(st.one_of(st.integers(0, 40), st.integers(0, 5 * BUCKET)), max_size=5), st.integers(0, 2 * BUCKET)),
    max_size=12,
)  # fmt: skip


@given(STEPS)
def test_timers_come_in_order_and_none_is_lost(steps: list[tuple[list[int], int]]) -> None:
    """`steps`: how far ahead timers are set, then how far the clock goes on."""
    wheel, now, waiting, number = Wheel(), 0, list[tuple[int, int]](), 0
    for ahead, on in steps:
        for distance in ahead:
            number += 1
            wheel.add((now + distance, None, number))
            waiting.append((now + distance, number))
        now += on
        found = []
        while (entry := wheel.peek(now))[0] < now:
            found.append((entry[0], entry[2]))
            wheel.drop()
            if len(found) % 3 == 1:  # one that is set while others are due
                number += 1
                wheel.add((entry[0] + 7, None, number))
                waiting.append((entry[0] + 7, number))
        assert [at for at, _ in found] == sorted(at for at, _ in found)
        assert sorted(found) == sorted(w for w in waiting if w[0] < now)
        waiting = [w for w in waiting if w[0] >= now]
        assert wheel.earliest <= min((at for at, _ in waiting), default=NEVER)
    assert wheel.peek(NEVER)[0] == min((at for at, _ in waiting), default=NEVER)
