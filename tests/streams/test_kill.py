"""A few kills in earnest; `make kill-test` does many."""

import pytest

from tests.streams.kill import torture


@pytest.mark.parametrize("seed", [0, 1])
def test_a_killed_stream_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    killed, transitions, wrong = torture(seed, kills=3, messages=500)
    assert wrong == []
    assert transitions > 100
