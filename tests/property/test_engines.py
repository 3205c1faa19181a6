"""A slice of the fuzzing (`make fuzz`): SQL, in both forms, gives what the plain evaluator gives."""

from __future__ import annotations

import pytest

from tests.property.engines import differences


@pytest.mark.parametrize("seed", range(24))
def test_no_difference(seed: int) -> None:
    assert list(differences(seed)) == []
