"""A few lives of a stream; `make simulate` plays many."""

import pytest

from tests.simulation.life import make_life
from tests.simulation.play import differences


@pytest.mark.parametrize("seed", [*range(15), 514])
def test_life(seed: int) -> None:
    found = list(differences(make_life(seed, values=2)))
    assert found == [], f"to replay: python -m tests.simulation.run --seed {seed}"
