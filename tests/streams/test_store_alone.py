"""Events that a stream has from its store alone, and did not see come: they follow the store's graph and its deletions too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pql.api import streams as api
from pql.streams.following import Change
from tests.streams.project import day
from tests.streams.shop import Shop, follow, held, message, plan
from tests.streams.test_following import Dies, answers
from tests.streams.test_following_deletions import names_in, secret_in

OLD = "2026-01-01T00:00:00Z"


def hand_over(folder: Path, shop: Shop) -> None:
    """A new state, whose process is killed before it looks at the graph."""
    state = api.SqliteState(folder)
    api.hand_over(state, plan(), store=shop.reader(), at=day(OLD))
    state.close()


def households() -> Shop:
    """Two logins that stitching keeps apart, and events that name both."""
    shop = Shop()
    shop.record("crm:1", "Email:a@b.example")
    shop.record("crm:2", "visitor:v1")
    shop.events(
        message("both", OLD, "crm:1", "crm:2"),
        message("mail", OLD, "crm:2", "Email:a@b.example"),
        message("device", OLD, "Email:a@b.example", "visitor:v1"),
    )
    return shop


@pytest.mark.parametrize("killed", [True, False])
def test_events_of_others_that_name_a_deleted_login_go(tmp_path: Path, killed: bool) -> None:
    """They are in no journal of what came live. `killed`: between the hand-over and the first look."""
    shop, folder = households(), tmp_path / "s"
    if killed:
        hand_over(folder, shop)
    else:
        follow(folder, shop)
        assert held(folder) == {"crm:1": ["has2", "recent"], "crm:2": ["has1", "recent"]}
    shop.delete("crm:2")
    made = follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "crm:1"))
    assert held(folder) == answers(shop, made.shard.clock) | {"crm:1": ["has2", "recent"]}
    assert names_in(folder) == ["Email:a@b.example", "crm:1"]
    assert made.verified == []


def test_they_go_from_whom_their_login_left_in_the_look_at_the_deletion(tmp_path: Path) -> None:
    """The graph has the login apart, and the store has no event by which it would be asked where it was."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:a@b.example")
    shop.record("crm:2")
    shop.events(message("both", OLD, "Email:a@b.example", "Email:z@b.example"), message("own", OLD, "crm:1"))
    shop.unlink("Email:a@b.example", "Email:z@b.example")
    follow(folder, shop)
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    shop.unlink("crm:1", "Email:a@b.example")
    shop.delete("Email:z@b.example")
    made = follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "crm:2"))
    assert held(folder) == {"crm:1": ["has1", "recent"], "crm:2": ["has1", "recent"]}
    assert made.verified == []


def test_what_a_message_gave_away_stays_when_others_events_go(tmp_path: Path) -> None:
    """The store still has it as the other's."""
    shop, folder = households(), tmp_path / "s"
    shop.record("crm:3")
    shop.events(message("given", OLD, "crm:3"), message("parted", OLD, "crm:3"))
    split = {"kind": "split", "profile": "crm:3", "target": "crm:1", "keys": ["given"]}
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "crm:3"), json.dumps(split))
    assert held(folder)["crm:1"] == ["has3", "recent"]
    shop.delete("crm:2")
    made = follow(folder, shop, message("2", "2026-01-02T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has3", "recent"], "crm:3": ["has2", "recent"]}
    assert made.verified == []


def test_whoever_loses_the_last_event_stays(tmp_path: Path) -> None:
    """The graph has them no more, and nobody deleted them."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:2")
    shop.events(message("both", OLD, "crm:1", "crm:2"))
    follow(folder, shop)
    assert held(folder) == {"crm:1": ["has1", "recent"]}
    shop.delete("crm:2")
    made = follow(folder, shop)
    assert (held(folder), names_in(folder), made.verified) == ({}, ["crm:1"], [])
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has1", "recent"]}


def test_a_kill_after_the_hand_over_forgets_no_graph(tmp_path: Path) -> None:
    """What parts before the first look is otherwise than what was handed over."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "visitor:v1")
    shop.events(message("device", OLD, "visitor:v1"), message("login", OLD, "crm:1"))
    hand_over(folder, shop)
    shop.unlink("crm:1", "visitor:v1")
    made = follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"crm:1": ["has1", "recent"], "visitor:v1": ["has2", "recent"]}
    assert made.verified == []


def test_a_record_that_says_a_deleted_address_makes_way_for_the_stores(tmp_path: Path) -> None:
    """The row that named it went from the store."""
    shop, folder = Shop(), tmp_path / "s"
    shop.records({"ids": ("crm:1",), "at": day(OLD), "fields": {"tier": "gold"}, "key": "own"})
    shop.record("crm:1", "Email:secret@b.example", tier="Secret@b.example", at="2026-01-01T01:00:00Z")
    shop.unlink("crm:1", "Email:secret@b.example")
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has1", "recent"]}
    shop.delete("Email:secret@b.example")
    made = follow(folder, shop)
    assert held(folder) == answers(shop, made.shard.clock) | {"crm:1": ["gold", "has1", "recent"]}
    assert (secret_in(folder), made.verified) == ([], [])


@pytest.mark.parametrize("named", [True, False])
def test_the_log_says_nothing_of_the_deleted(tmp_path: Path, named: bool) -> None:
    """What the graph gave to others before, and what it gives in the look at the deletion. `named`: the stream had heard of the address."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:secret@b.example", tier="gold")
    first = [message("1", "2026-01-02T00:00:00Z", "visitor:v1")]
    follow(folder, shop, *first, *[message("2", "2026-01-02T00:00:00Z", "Email:Secret@b.example")] * named)
    shop.record("crm:1", "visitor:v1")
    follow(folder, shop)
    assert secret_in(folder) == ["state.sqlite"]
    shop.unlink("crm:1", "Email:secret@b.example")
    shop.delete("Email:secret@b.example")
    made = follow(folder, shop)
    assert held(folder) == {"crm:1": ["has1", "recent"]}, "the record that named it went"
    assert (secret_in(folder), made.verified) == ([], [])
    state, reader = api.SqliteState(folder), api.Reader(plan().schema)
    assert "Merge" in {type(reader.read(m)).__name__ for _, m in state.graph_log()}, "it can be replayed"
    state.close()


@pytest.mark.parametrize("killed", [True, False])
def test_an_open_instant_says_nothing_of_the_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """Nobody goes as a whole: the stream had an event of somebody else that named them. `killed`: when that event is gone, and before it is
    known why."""
    shop, folder, seen = Shop(), tmp_path / "s", list[list[str]]()
    shop.record("crm:1")
    both = message("1", "2026-01-02T00:00:00Z", "crm:1", "Email:secret@b.example")
    look = lambda stream: seen.append(secret_in(folder))  # noqa: E731

    def gone() -> None:
        shop.record("Email:secret@b.example")
        shop.delete("Email:secret@b.example")

    def dies(stream: Any) -> None:
        def known(change: Any) -> Any:
            raise Dies

        monkeypatch.setattr(Change, "known", known)

    if killed:
        with pytest.raises(Dies):
            follow(folder, shop, both, look, gone, dies, [], [])
        monkeypatch.undo()
        follow(folder, shop, look)
    else:
        follow(folder, shop, both, look, gone, [], [], look)
    assert "state.sqlite-wal" in seen[0] and seen[1] == []
