"""A person is deleted, and the stream took somebody of whom the store knows nothing for them: what tells of nobody deleted stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pql.api import streams as api
from pql.streams import running
from tests.streams.shop import Shop, follow, held, message
from tests.streams.test_following import Dies, nothing
from tests.streams.test_following_deletions import names_in

BOTH = message("1", "2026-01-02T00:00:00Z", "crm:1", "crm:2")
SECOND = message("2", "2026-01-03T00:00:00Z", "crm:2")


def known(folder: Path, namespace: str, id: str) -> str | None:
    state = api.SqliteState(folder, exclusive=False)
    try:
        return state.owner(namespace, id)
    finally:
        state.close()


@pytest.mark.parametrize("others", ["crm:2", "visitor:v2"])
def test_events_of_an_identity_that_came_with_a_deleted_person_stay(tmp_path: Path, others: str) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:one@b.example", tier="gold")
    both, second = message("1", "2026-01-02T00:00:00Z", "crm:1", others), message("2", "2026-01-03T00:00:00Z", others)
    follow(folder, shop, both, second)
    assert held(folder) == {"crm:1": ["gold", "has2", "recent"]}
    made = follow(folder, shop, lambda: shop.delete("crm:1"), nothing(), nothing())
    assert held(folder) == {others: ["has1", "recent"]}
    assert names_in(folder) == [others]
    shop.events(second)
    made = follow(folder, shop, second, message("3", "2026-01-04T00:00:00Z", others))
    assert held(folder) == {others: ["has2", "recent"]}
    assert made.verified == []


def test_identities_that_came_together_stay_together(tmp_path: Path) -> None:
    """As if the deletion had come before them."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1")
    rest = [
        message("2", "2026-01-03T00:00:00Z", "crm:2", "visitor:v2"),
        message("3", "2026-01-04T00:00:00Z", "visitor:v2"),
    ]
    follow(folder, shop, BOTH, *rest)
    made = follow(folder, shop, lambda: shop.delete("crm:1"), nothing(), nothing())
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    assert known(folder, "visitor", "v2") == "crm:2"
    assert made.verified == []


def test_what_a_message_gave_to_the_deleted_by_name_goes_with_them(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1")
    named = message("2", "2026-01-03T00:00:00Z", "visitor:v2", profile="crm:1")
    merge = '{"kind": "merge", "profile": "crm:1", "source": "visitor:v3"}'
    follow(folder, shop, named, message("3", "2026-01-03T00:00:00Z", "visitor:v3"), merge)
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    made = follow(folder, shop, lambda: shop.delete("crm:1"), nothing(), nothing())
    assert (held(folder), names_in(folder), made.verified) == ({}, [], [])


@pytest.mark.parametrize("moment", ["a part is committed", "all is committed"])
def test_they_stay_once_whenever_a_kill_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1")
    follow(folder, shop, BOTH, SECOND)

    def die(stream: Any) -> None:
        commit = stream.state.commit

        def dying(c: Any) -> None:
            commit(c)
            if c.graph is not None if moment == "all is committed" else c.logged:
                raise Dies

        stream.state.commit = dying

    with monkeypatch.context() as patched:
        if moment == "a part is committed":
            patched.setattr(running, "PART", 1)  # each input of the graph is a commit
        with pytest.raises(Dies):
            follow(folder, shop, die, lambda: shop.delete("crm:1"), nothing(), nothing())
    made = follow(folder, shop, message("3", "2026-01-04T00:00:00Z", "crm:2"))
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    assert (names_in(folder), made.verified) == (["crm:2"], [])
