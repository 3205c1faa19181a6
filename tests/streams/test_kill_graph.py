"""A few kills in earnest while the store's graph changes; `make kill-graph-test` does many."""

from tests.streams.kill_graph import torture


def test_a_killed_stream_that_follows_a_graph_ends_at_the_batch_answer() -> None:
    killed, counts, wrong = torture(3, kills=3, first=("load", "unlink", "delete"))
    assert wrong == []
    assert killed >= 3
    assert all(counts[kind] == 1 for kind in ("load", "unlink", "delete"))
    assert counts["transitions by event"] > 0
