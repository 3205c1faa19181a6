"""The engine and the reference evaluator agree on generated people and expressions; `make fuzz` runs many more."""

import pytest

from tests.property.differential import Bench, run_batch


@pytest.fixture(scope="module")
def bench():
    return Bench()


@pytest.mark.parametrize("seed", range(12))
def test_batch(bench, seed):
    cases, differences = run_batch(bench, seed, people_count=8, texts=12)
    assert cases > 40
    assert not differences, "\n\n".join(map(str, differences))


def test_a_wrong_engine_is_noticed(bench, monkeypatch):
    monkeypatch.setattr("tests.reference.evaluate.compare", lambda op, a, b: False)
    assert any(run_batch(bench, seed, people_count=4, shrink=False)[1] for seed in range(3))
