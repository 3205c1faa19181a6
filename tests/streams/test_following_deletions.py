"""A running stream beside deletions in its store: who is deleted goes, and nobody and nothing else does. Read `tests/streams/test_following.py` first."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pql.api import streams as api
from tests.streams.shop import Shop, follow, held, message
from tests.streams.test_following import Dies, answers, nothing, transitions


def test_a_deleted_person_goes_and_does_not_come_back(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:secret@b.example", "visitor:v7", tier="gold")
    shop.record("crm:2", tier="gold")
    made = follow(
        folder, shop,
        message("1", "2026-01-02T00:00:00Z", "Email:secret@b.example"),
        message("2", "2026-01-02T01:00:00Z", "crm:2"),
        lambda: shop.delete("crm:1"), nothing(), nothing(),
        [message("3", "2026-01-03T00:00:00Z", "Email:secret@b.example"),
         message("4", "2026-01-03T00:00:00Z", "crm:2", "Email:secret@b.example"),
         message("5", "2026-01-03T00:00:00Z", "crm:2", "visitor:v7"),
         message("6", "2026-01-03T00:00:00Z", "visitor:v7"),
         message("7", "2026-01-03T00:00:00Z", "crm:2", profile="crm:1"),
         json.dumps({"kind": "profile", "profile": "crm:1", "record": {"tier": "secret@b.example"}}),
         json.dumps({"kind": "merge", "profile": "crm:2", "source": "crm:1"})],
    )  # fmt: skip
    assert held(folder) == {"crm:2": ["gold", "has2", "recent"]}
    assert [(t["status"], t["segment"]) for t in transitions(folder) if t["cause"] == "deletion"] == [
        ("exited", "gold"), ("exited", "has1"), ("exited", "recent"),
    ]  # fmt: skip
    refused = [json.loads(line) for line in (folder / api.QUARANTINE).read_text().splitlines()]
    assert [(q["place"], q["code"], q["state"], q["raw"]) for q in refused] == [
        (f"message {n}", "PQL0847", "deleted", "") for n in (3, 4, 6, 7, 8, 9)
    ]
    assert made.figures().deleted_here == made.figures().quarantined_here == 6
    assert made.verified == []
    for file in folder.iterdir():
        if file.name != api.TRANSITIONS:
            assert b"secret" not in file.read_bytes(), file
    again = follow(folder, shop, message("8", "2026-01-04T00:00:00Z", "crm:1"))
    assert again.figures().deleted_here == 1


def test_a_deleted_person_does_not_come_back_by_a_timer(tmp_path: Path) -> None:
    """A part of the person, which is erased after it, must not load it again."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:2")
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"))
    shop.record("crm:1", "visitor:v1")
    follow(folder, shop)
    assert held(folder) == {"crm:1": ["has1", "recent"]}
    follow(
        folder, shop, lambda: shop.delete("crm:1"), nothing(), nothing(), message("2", "2026-01-20T00:00:00Z", "crm:2")
    )
    assert held(folder) == {"crm:2": ["has1", "recent"]}
    assert names_in(folder) == ["crm:2"]


def test_what_is_not_judged_yet_goes_with_the_deleted(tmp_path: Path) -> None:
    """The instant is open: its inputs are in the state as they came."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:secret@b.example")
    shop.record("crm:2")
    secret = message("1", "2026-01-02T00:00:00Z", "Email:secret@b.example")
    open_now = [secret, message("2", "2026-01-02T00:00:00Z", "crm:2")]

    def crash(stream: Any) -> None:
        raise Dies

    with pytest.raises(Dies):
        follow(folder, shop, open_now, lambda: shop.delete("crm:1"), nothing(), nothing(), crash)
    for file in folder.iterdir():
        assert b"secret" not in file.read_bytes(), file
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "crm:2"), secret)
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    assert (made.verified, made.figures().deleted_here, made.figures().profiles) == ([], 1, 1)


def test_a_deleted_device_is_nobodys_when_others_name_it(tmp_path: Path) -> None:
    """Such events stay; as in stitching, the device neither names a profile nor says whose an event is."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "visitor:v1")
    shop.record("crm:2")
    shop.delete("crm:1")
    later = [
        message("1", "2026-01-02T00:00:00Z", "visitor:v1", "visitor:v2"),
        message("2", "2026-01-02T01:00:00Z", "crm:2", "visitor:v1"),
        message("3", "2026-01-02T02:00:00Z", "Email:a@b.example", "visitor:v1"),
    ]
    made = follow(folder, shop, *later)
    assert held(folder) == {p: ["has1", "recent"] for p in ("visitor:v2", "crm:2", "Email:a@b.example")}
    assert (made.verified, made.figures().deleted_here) == ([], 0)
    state = api.SqliteState(folder)
    assert "visitor:v1" not in {f"{n}:{i}" for n, i, _ in state.known_identities()}
    state.close()
    shop.events(*later)
    assert answers(shop, made.shard.clock) == held(folder)


def test_an_event_given_to_a_deleted_device_is_whose_it_names_besides(tmp_path: Path) -> None:
    """The store does not look at whom a message gives it to."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "visitor:v1")
    shop.record("crm:2")
    shop.delete("crm:1")
    given = message("1", "2026-01-02T00:00:00Z", "visitor:v1", "visitor:v2", profile="visitor:v1")
    alone = message("2", "2026-01-02T00:00:00Z", "visitor:v1", profile="visitor:v1")
    login = message("3", "2026-01-02T00:00:00Z", "crm:2", profile="crm:1")
    made = follow(folder, shop, given, alone, login, message("4", "2026-01-03T00:00:00Z", "visitor:v2"))
    assert held(folder) == {"visitor:v2": ["has2", "recent"]}
    assert (made.verified, made.figures().deleted_here) == ([], 2)
    shop.events(given, message("4", "2026-01-03T00:00:00Z", "visitor:v2"))
    assert answers(shop, made.shard.clock) == held(folder)


@pytest.mark.parametrize("known", [True, False])
def test_events_of_others_that_name_a_deleted_login_go(tmp_path: Path, known: bool) -> None:
    """As the store's rows do. `known`: the state has heard of the login before it was deleted."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1")
    both = message("1", "2026-01-02T00:00:00Z", "crm:1", "Email:Secret@b.example", profile="" if known else "crm:1")
    follow(folder, shop, both, message("2", "2026-01-02T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    shop.record("Email:secret@b.example")
    if known:
        follow(folder, shop)
    shop.delete("Email:secret@b.example")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    assert made.verified == []
    assert [f.name for f in folder.iterdir() if b"ecret" in f.read_bytes()] == []


def test_what_comes_to_somebody_in_the_look_at_a_deletion_stays(tmp_path: Path) -> None:
    """The event came live and is in no store: the state has to be asked of it when it has moved."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "visitor:v1")
    shop.record("crm:2", "visitor:v9")
    follow(
        folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"), message("2", "2026-01-02T00:00:00Z", "crm:2")
    )
    shop.unlink("crm:1", "visitor:v1")
    shop.unlink("crm:2", "visitor:v9")
    shop.events(message("9", "2026-01-01T00:00:00Z", "visitor:v9"))
    shop.delete("visitor:v9")
    shop.record("crm:2", "visitor:v1")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "crm:2"))
    assert held(folder) == {"crm:2": ["has3", "recent"]}
    assert made.verified == []


def secret_in(folder: Path) -> list[str]:
    return [f.name for f in folder.iterdir() if f.name != api.TRANSITIONS and b"secret" in f.read_bytes()]


@pytest.mark.parametrize("ends", ["killed", "looked at"])
def test_what_is_erased_is_not_in_the_journal_though_something_comes_between(tmp_path: Path, ends: str) -> None:
    """After the commit a process is killed, or the journal cannot be emptied, for somebody looks at the state."""
    shop, folder, seen = Shop(), tmp_path / "s", list[list[str]]()
    shop.record("crm:1", "Email:secret@b.example")
    shop.record("crm:2")

    def between(stream: Any) -> None:
        truncate = stream.state._truncate

        def fail(patience: int) -> bool:
            shutil.copytree(folder, tmp_path / "killed")  # what a process that is killed leaves behind
            raise Dies

        def late(patience: int) -> bool:
            stream.state._truncate = truncate
            other = sqlite3.connect(stream.state.path, isolation_level=None)
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM profile").fetchone()
            done = truncate(0)
            assert not done
            other.close()
            return bool(done)

        stream.state._truncate = fail if ends == "killed" else late

    steps = [
        message("1", "2026-01-02T00:00:00Z", "Email:secret@b.example"),
        lambda: shop.delete("crm:1"),
        between,
        nothing(),
        nothing(),
    ]
    look = lambda stream: seen.append(secret_in(folder))  # noqa: E731
    after = [look, message("2", "2026-01-03T00:00:00Z", "crm:2"), look]
    if ends == "looked at":
        follow(folder, shop, *steps, *after)
        assert seen == [["state.sqlite-wal"], []]
        return
    with pytest.raises(Dies):
        follow(folder, shop, *steps)
    shutil.rmtree(folder)
    (tmp_path / "killed").rename(folder)
    assert secret_in(folder) == ["state.sqlite-wal"]
    follow(folder, shop, *after)
    assert seen == [[], []]


def test_a_device_that_leaves_in_the_look_at_its_persons_deletion_stays(tmp_path: Path) -> None:
    """The instant is open, so no row says yet that they parted."""
    shop, folder = Shop(), tmp_path / "s"
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"))
    shop.record("crm:1", "visitor:v1")
    follow(folder, shop, message("2", "2026-01-03T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    shop.events(message("1", "2026-01-02T00:00:00Z", "visitor:v1"))
    shop.unlink("crm:1", "visitor:v1")
    shop.delete("crm:1")
    made = follow(folder, shop, message("3", "2026-01-04T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"visitor:v1": ["has2", "recent"]}
    assert made.verified == []


@pytest.mark.parametrize("after", ["a kill", "nothing"])
def test_what_comes_to_others_from_who_is_deleted_outlasts_a_kill(tmp_path: Path, after: str) -> None:
    """The instant is open: what the deleted gave to others stands among its inputs, which go."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "visitor:v1")
    mine = message("1", "2026-01-02T00:00:00Z", "visitor:v1")
    follow(folder, shop, mine)
    assert held(folder) == {"crm:1": ["has1", "recent"]}

    def change() -> None:
        shop.events(mine)
        shop.unlink("crm:1", "visitor:v1")
        shop.delete("crm:1")

    def crash(stream: Any) -> None:
        if after == "a kill":
            raise Dies

    with suppress(Dies):
        follow(folder, shop, change, nothing(), nothing(), crash)
    made = follow(folder, shop, message("2", "2026-01-03T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"visitor:v1": ["has2", "recent"]}
    assert made.verified == []


def names_in(folder: Path) -> list[str]:
    state = api.SqliteState(folder, exclusive=False)
    try:
        return sorted({*state.names("", 100), *(f"{n}:{i}" for n, i, _ in state.known_identities())})
    finally:
        state.close()


def test_a_deleted_device_that_was_a_profile_leaves_no_name_with_others(tmp_path: Path) -> None:
    """It had become part of somebody who stays, and somebody had become part of it."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:2")
    follow(
        folder,
        shop,
        message("1", "2026-01-02T00:00:00Z", "visitor:v2"),
        message("2", "2026-01-02T00:00:00Z", "visitor:v1"),
    )
    shop.events(message("9", "2026-01-01T00:00:00Z", "visitor:v1", "visitor:v2"))
    follow(folder, shop)
    shop.record("crm:2", "visitor:v1")
    follow(folder, shop)
    assert held(folder) == {"crm:2": ["has3", "recent"]}
    shop.events(message("2", "2026-01-02T00:00:00Z", "visitor:v1"))
    shop.unlink("crm:2", "visitor:v1")
    shop.unlink("visitor:v1", "visitor:v2")
    shop.record("crm:2", "visitor:v2")
    shop.delete("visitor:v1")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "visitor:v2"))
    assert names_in(folder) == ["crm:2", "visitor:v2"]
    assert made.verified == []


def test_a_person_of_whom_the_store_knows_nothing_stays_when_their_device_is_deleted(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    both = message("1", "2026-01-02T00:00:00Z", "crm:1", "visitor:v1")
    follow(folder, shop, both, message("2", "2026-01-02T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    shop.events(message("2", "2026-01-02T00:00:00Z", "visitor:v1"))
    shop.delete("visitor:v1")
    made = follow(
        folder, shop, message("3", "2026-01-03T00:00:00Z", "crm:1"), message("4", "2026-01-03T00:00:00Z", "visitor:v1")
    )
    assert held(folder) == {"crm:1": ["has2", "recent"]}
    assert names_in(folder) == ["crm:1"]
    assert (made.verified, made.figures().deleted_here) == ([], 1)


def test_events_of_a_deleted_device_leave_whom_they_were_given_to(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:2", "visitor:v1", at="2026-01-01T00:00:00Z")
    follow(
        folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"), message("2", "2026-01-02T00:00:00Z", "crm:2")
    )
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    shop.unlink("crm:2", "visitor:v1")
    shop.events(message("9", "2026-01-01T00:00:00Z", "visitor:v1"))
    shop.delete("visitor:v1")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"crm:2": ["has1", "recent"]}
    assert made.verified == []
