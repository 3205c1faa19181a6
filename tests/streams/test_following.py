"""A stream follows a store's graph: links, merges, splits and deletions that are found while it runs."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pql.api import Engine, Environment
from pql.api import streams as api
from pql.runtime.hosting import Carried
from pql.store.history import people_after
from pql.store.store import StoreError
from pql.streams.verifying import batch_answers
from tests.streams.project import day
from tests.streams.shop import ENVIRONMENT, SEGMENTS, Shop, follow, held, message, plan

IDS = ("crm:1", "crm:2", "Email:a@b.example", "visitor:v1", "visitor:v2")


class Dies(Exception):
    """A crash."""


def nothing() -> list[str]:
    """A batch in which nothing comes: the file is looked at."""
    return []


def transitions(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / api.TRANSITIONS).read_text().splitlines()]


def test_a_new_link_joins_profiles_that_the_stream_made(tmp_path: Path) -> None:
    shop = Shop()
    made = follow(
        tmp_path / "s", shop,
        message("1", "2026-01-02T00:00:00Z", "visitor:v1"),
        message("2", "2026-01-02T01:00:00Z", "Email:a@b.example"),
        lambda: shop.record("crm:1", "Email:a@b.example", "visitor:v1", tier="gold"),
        nothing(), nothing(),
        message("3", "2026-01-03T00:00:00Z", "visitor:v1"),
        message("4", "2026-01-03T01:00:00Z", "Email:a@b.example", profile="visitor:v1"),
    )  # fmt: skip
    assert held(tmp_path / "s") == {"crm:1": ["gold", "has4", "recent"]}
    assert made.verified == []
    assert {
        t["cause"] for t in transitions(tmp_path / "s") if t["at"] == "2026-01-02T01:00:00Z" and t["status"] == "exited"
    } == {"merge"}
    assert made.figures().graph_behind is False


def test_a_link_between_known_profiles_and_back_again(tmp_path: Path) -> None:
    shop = Shop()
    shop.record("crm:1", tier="gold")
    shop.record("Email:x@b.example", tier="silver")
    steps = [message("1", "2026-01-02T00:00:00Z", "crm:1"), message("2", "2026-01-03T00:00:00Z", "Email:x@b.example")]
    folder = tmp_path / "s"
    made = follow(folder, shop, *steps)
    assert held(folder) == {"Email:x@b.example": ["has1", "recent"], "crm:1": ["gold", "has1", "recent"]}
    made = follow(folder, shop, lambda: shop.events(message("9", "2026-01-04T00:00:00Z", "crm:1", "Email:x@b.example")),
                  nothing(), nothing(), nothing())  # fmt: skip
    assert made.verified == []
    assert held(folder) == {
        "crm:1": ["has3", "recent"] if "gold" not in held(folder)["crm:1"] else ["gold", "has3", "recent"]
    }
    made = follow(folder, shop, lambda: shop.unlink("crm:1", "Email:x@b.example"), nothing(), nothing(), nothing())
    assert made.verified == []
    assert held(folder) == {"Email:x@b.example": ["has1", "recent"], "crm:1": ["gold", "has2", "recent"]}
    assert "split" in {t["cause"] for t in transitions(folder)}
    made = follow(folder, shop, message("3", "2026-01-05T00:00:00Z", profile="Email:x@b.example"))
    assert held(folder)["Email:x@b.example"] == ["has2", "recent"]


def test_identities_of_events_need_not_be_in_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a load takes an `identityMap`: owners, splits and deletions go by it, expressions do not see it."""
    bare = Environment.from_short({"profile": {"tier": "string"}, "event": {"price": "number"}})
    monkeypatch.setattr("tests.streams.shop.ENVIRONMENT", bare)
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", tier="gold")
    shop.record("Email:x@b.example", tier="silver")
    shop.record("Email:y@b.example")
    steps = [message("1", "2026-01-02T00:00:00Z", "crm:1"), message("2", "2026-01-02T00:00:00Z", "Email:x@b.example"),
             message("3", "2026-01-02T00:00:00Z", "crm:1", "Email:y@b.example")]  # fmt: skip
    link = message("9", "2026-01-04T00:00:00Z", "crm:1", "Email:x@b.example")
    made = follow(folder, shop, *steps, lambda: shop.events(link), nothing(), nothing())
    assert made.verified == [] and len(held(folder)) == 1
    made = follow(folder, shop, lambda: shop.unlink("crm:1", "Email:x@b.example"), nothing(), nothing(), nothing())
    assert made.verified == []
    assert held(folder) == {"Email:x@b.example": ["has1", "recent"], "crm:1": ["gold", "has3", "recent"]}
    made = follow(folder, shop, lambda: shop.delete("Email:y@b.example"), nothing(), nothing(),
                  message("4", "2026-01-05T00:00:00Z", "Email:y@b.example"))  # fmt: skip
    assert (made.verified, made.figures().deleted_here) == ([], 1)
    assert held(folder)["crm:1"] == ["gold", "has2", "recent"], "the event that named them is gone"


def test_a_profile_that_is_called_otherwise_and_back(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    shop.record("Email:a@b.example", tier="gold")
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "Email:a@b.example"),
           lambda: shop.record("crm:1", "Email:a@b.example"), nothing(), nothing())  # fmt: skip
    assert held(folder) == {"crm:1": ["gold", "has1", "recent"]}

    def only_mail() -> None:
        shop.store.connection.execute("DELETE FROM data.people WHERE _key = 'crm:1'")
        shop.stitch()

    made = follow(
        folder, shop, only_mail, nothing(), nothing(), message("2", "2026-01-03T00:00:00Z", "Email:a@b.example")
    )
    assert held(folder) == {"Email:a@b.example": ["gold", "has2", "recent"]}
    assert made.verified == []


def test_a_name_that_left_the_graph_and_comes_back_is_a_person_again(tmp_path: Path) -> None:
    """No identity moves and no stored event: the state has always known whose the name's identity is."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("Email:a@b.example")
    shop.record("crm:1", "Email:a@b.example")
    follow(folder, shop, message("1", "2026-01-02T00:00:00Z", "Email:a@b.example"))
    assert held(folder) == {"crm:1": ["has1", "recent"]}
    shop.store.connection.execute("DELETE FROM data.people WHERE _key = 'crm:1'")
    shop.stitch()
    follow(folder, shop)
    assert held(folder) == {"Email:a@b.example": ["has1", "recent"]}
    shop.record("crm:1")
    made = follow(folder, shop, message("2", "2026-01-03T00:00:00Z", "crm:1"))
    assert held(folder) == {"Email:a@b.example": ["has1", "recent"], "crm:1": ["has1", "recent"]}
    assert made.verified == []


def test_a_login_of_which_the_store_has_not_heard_stays_a_person(tmp_path: Path) -> None:
    """An event names two logins; the store knows one of them, and later the other: it does not link them. Whatever the graph says of the
    one, the other is nobody's part."""
    shop, folder = Shop(), tmp_path / "s"
    both = message("1", "2026-01-02T00:00:00Z", "crm:2", "crm:1")
    steps = [both, message("2", "2026-01-02T00:00:00Z", "crm:2"), lambda: shop.record("crm:2"), nothing(), nothing(),
             message("3", "2026-01-03T00:00:00Z", "crm:1")]  # fmt: skip
    follow(folder, shop, *steps)
    assert held(folder) == {"crm:1": ["has2", "recent"], "crm:2": ["has1", "recent"]}
    shop.record("crm:1")
    follow(folder, shop, message("4", "2026-01-03T00:00:00Z", "crm:1"))
    assert held(folder) == {"crm:1": ["has3", "recent"], "crm:2": ["has1", "recent"]}
    shop.events(both)
    follow(folder, shop, message("5", "2026-01-03T00:00:00Z", "crm:2"))
    assert held(folder) == {"crm:1": ["has3", "recent"], "crm:2": ["has2", "recent"]}


def test_a_device_that_goes_from_one_person_to_another_is_part_of_the_other(tmp_path: Path) -> None:
    """It was a profile of its own first: the profile follows, so that it goes with the person whose it is."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:a@b.example")
    shop.record("crm:2")
    follow(
        folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"), message("2", "2026-01-02T00:00:00Z", "crm:2")
    )
    shop.record("crm:1", "visitor:v1")
    follow(folder, shop)
    assert held(folder) == {"crm:1": ["has1", "recent"], "crm:2": ["has1", "recent"]}
    shop.unlink("crm:1", "visitor:v1")
    shop.record("crm:2", "visitor:v1")
    follow(folder, shop)
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    shop.delete("crm:1")
    shop.unlink("crm:2", "visitor:v1")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "visitor:v1"))
    assert held(folder) == {"crm:2": ["has1", "recent"], "visitor:v1": ["has2", "recent"]}
    assert made.verified == []


def test_who_is_part_of_another_by_way_of_somebody_who_leaves_stays(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    follow(
        folder,
        shop,
        message("1", "2026-01-02T00:00:00Z", "visitor:v2"),
        message("2", "2026-01-02T00:00:00Z", "Email:a@b.example"),
    )
    shop.record("Email:a@b.example", "visitor:v2")
    follow(folder, shop)
    shop.record("crm:2", "visitor:v2")
    follow(folder, shop)
    assert held(folder) == {"crm:2": ["has2", "recent"]}
    for other in ("crm:2", "visitor:v2"):
        shop.unlink("Email:a@b.example", other)
    shop.record("crm:1", "Email:a@b.example")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "visitor:v2"))
    assert held(folder) == {"crm:1": ["has1", "recent"], "crm:2": ["has2", "recent"]}
    assert made.verified == []


def test_who_leaves_takes_no_events_of_a_device_that_came_with_them(tmp_path: Path) -> None:
    """The stream gave the device to the e-mail that was named with it; the graph gives it to the person who has both, and then parts them."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:1", "Email:b@b.example")
    steps = [
        message("1", "2026-01-02T00:00:00Z", "Email:a@b.example", "visitor:v2"),
        message("2", "2026-01-02T00:00:00Z", "visitor:v2"),
    ]
    follow(folder, shop, *steps)
    assert held(folder) == {"Email:a@b.example": ["has2", "recent"]}
    shop.record("crm:1", "Email:a@b.example")
    follow(folder, shop)
    shop.unlink("crm:1", "Email:a@b.example")
    shop.record("crm:2", "Email:a@b.example")
    shop.record("crm:1", "visitor:v2")
    made = follow(folder, shop, message("3", "2026-01-03T00:00:00Z", "crm:2"))
    assert held(folder) == {"crm:1": ["has1", "recent"], "crm:2": ["has2", "recent"]}
    assert made.verified == []


def test_a_profile_that_a_message_names_owns_its_name_before_its_instant_is_judged(tmp_path: Path) -> None:
    """The graph is read meanwhile, or the process starts again: no row has the profile yet."""
    shop, folder = Shop(), tmp_path / "s"
    shop.record("crm:2", "visitor:v2")

    def crash(stream: Any) -> None:
        raise Dies

    named = message("1", "2026-01-02T00:00:00Z", profile="Email:a@b.example")
    both = [message(n, "2026-01-02T00:00:00Z", "Email:a@b.example", "visitor:v2") for n in "23"]
    with pytest.raises(Dies):
        follow(folder, shop, named, lambda: shop.record("crm:3"), nothing(), nothing(), both[0], crash)
    follow(folder, shop, both[1])
    assert held(folder) == {"Email:a@b.example": ["has3", "recent"]}


def test_a_shared_device_goes_with_the_last_login(tmp_path: Path) -> None:
    """The event names a login: it is that person's, whoever has the device."""
    shop, folder = Shop(), tmp_path / "s"
    one = message("1", "2026-01-02T00:00:00Z", "visitor:v1", "crm:1")
    two = message("2", "2026-01-03T00:00:00Z", "visitor:v1", "crm:2")
    alone = message("3", "2026-01-04T00:00:00Z", "visitor:v1")
    made = follow(folder, shop, one, two, alone, lambda: shop.events(one, two, alone), nothing(), nothing())
    names = {p: [s for s in ss if s.startswith("has")] for p, ss in held(folder).items()}
    people = dict(
        shop.store.connection.execute(
            "SELECT id, count(*) FROM event JOIN pql_profile USING (_pid) GROUP BY id"
        ).fetchall()
    )
    assert names == {p: [f"has{n}"] for p, n in people.items()}
    assert made.verified == []


def test_a_store_that_somebody_has_is_read_later_and_nothing_waits(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    seen: list[Any] = []

    def busy() -> None:
        shop.record("crm:1", "visitor:v1")
        shop.busy = True

    def look(stream: Any) -> None:
        seen.append((stream.figures().graph_behind, stream.taken, sorted(held(folder))))

    def free(stream: Any) -> None:
        shop.busy = False

    follow(
        folder, shop, look,
        message("1", "2026-01-02T00:00:00Z", "visitor:v1"), busy, nothing(), nothing(), nothing(),
        message("2", "2026-01-02T01:00:00Z", "visitor:v1"), message("3", "2026-01-02T02:00:00Z", "visitor:v1"), look,
        free, nothing(), look,
    )  # fmt: skip
    assert seen == [(False, 0, []), (True, 3, ["visitor:v1"]), (False, 3, ["visitor:v1"])]
    assert held(folder) == {"crm:1": ["has3", "recent"]}


def test_a_store_that_breaks_off_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in the middle, nothing of the stream is lost, and what was found is found again."""
    from pql.streams import restitching

    shop, folder = Shop(), tmp_path / "s"
    broken = [True]
    real = restitching.people_named

    def named(store: Any, names: Any) -> Any:
        if broken[0]:
            raise StoreError("PQL0605", "the file is gone")
        return real(store, names)

    monkeypatch.setattr(restitching, "people_named", named)
    monkeypatch.setattr("pql.streams.following.AFTER_FAILURE", 0)
    follow(
        folder, shop, message("1", "2026-01-02T00:00:00Z", "visitor:v1"), lambda: shop.record("crm:1", "visitor:v1"),
        nothing(), nothing(), message("2", "2026-01-02T01:00:00Z", "visitor:v1"), lambda: broken.clear() or broken.append(False),
        nothing(), nothing(),
    )  # fmt: skip
    assert held(folder) == {"crm:1": ["has2", "recent"]}


def test_a_replay_reads_the_graph_once(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    steps = [
        message("1", "2026-01-02T00:00:00Z", "visitor:v1"),
        lambda: shop.record("crm:1", "visitor:v1"),
        nothing(),
        nothing(),
    ]
    follow(folder, shop, *steps, once=True)
    assert held(folder) == {"visitor:v1": ["has1", "recent"]}
    follow(folder, shop, once=True)
    assert held(folder) == {"crm:1": ["has1", "recent"]}


def test_what_the_graph_gave_is_in_the_log_and_replays(tmp_path: Path) -> None:
    shop, folder = Shop(), tmp_path / "s"
    lines = [
        message(str(n), f"2026-01-0{n}T00:00:00Z", who)
        for n, who in enumerate(["crm:1", "visitor:v1", "visitor:v1", "crm:1"], 2)
    ]
    made = follow(folder, shop, *lines[:2], lambda: shop.record("crm:1", "visitor:v1", tier="gold"), nothing(), nothing(),
                  lines[2], lambda: shop.unlink("crm:1", "visitor:v1"), nothing(), nothing(), lines[3])  # fmt: skip
    state, reader = api.SqliteState(folder), api.Reader(ENVIRONMENT.schema)
    log = [(taken, reader.read(m)) for taken, m in state.graph_log()]
    state.close()
    assert {type(item).__name__ for _, item in log} >= {"Merge", "Split"}
    engine, out = Engine(plan(SEGMENTS), day("2026-01-01T00:00:00Z")), []
    for number, item in enumerate([*made.read, None]):
        out += engine.apply([i for taken, i in log if taken == number])
        out += engine.apply([item]) if item is not None else engine.advance(engine.clock)
    told = [(t["profile"], t["segment"], t["status"], t["at"], t["cause"]) for t in transitions(folder)]
    assert [(t.profile, t.segment, t.status, f"{t.at.isoformat()}Z", t.cause) for t in out] == told


@pytest.mark.parametrize("what", ["merge", "split", "delete"])
def test_a_crash_while_the_graph_is_read_neither_loses_nor_repeats(tmp_path: Path, what: str) -> None:
    def play(folder: Path, moment: str) -> dict[str, list[str]]:
        shop = Shop()
        shop.record("crm:1", "visitor:v1", tier="gold")
        shop.record("crm:2", tier="silver")
        first = [message("1", "2026-01-02T00:00:00Z", "visitor:v1"), message("2", "2026-01-02T00:00:00Z", "crm:2")]
        change = {
            "merge": lambda: shop.record("crm:2", "visitor:v2") or shop.record("crm:2", "visitor:v3"),
            "split": lambda: shop.unlink("crm:1", "visitor:v1"),
            "delete": lambda: shop.delete("crm:1"),
        }[what]
        more = [message("3", "2026-01-03T00:00:00Z", "visitor:v2"), message("4", "2026-01-03T00:00:00Z", "visitor:v3")]

        def die(stream: Any) -> None:
            if not moment:
                return
            graph, commit = stream.graph, stream.state.commit
            if moment == "read":
                graph.change = lambda *_: fail()
            elif moment == "applied":
                stream.state.commit = lambda c: fail() if c.graph is not None else commit(c)
            else:
                stream.state.commit = lambda c: (commit(c), fail() if c.graph is not None else None)

        def fail() -> None:
            raise Dies

        steps = [
            first,
            *more,
            nothing(),
            nothing(),
            change,
            die,
            nothing(),
            nothing(),
            message("5", "2026-01-04T00:00:00Z", "crm:2"),
        ]
        try:
            made = follow(folder, shop, *steps)
        except Dies:
            made = follow(folder, shop, message("5", "2026-01-04T00:00:00Z", "crm:2"))
        assert made.verified == []
        return held(folder)

    undisturbed = play(tmp_path / "undisturbed", "")
    keys = [t["key"] for t in transitions(tmp_path / "undisturbed")]
    for moment in ("read", "applied", "committed"):
        assert play(tmp_path / moment, moment) == undisturbed
        assert [t["key"] for t in transitions(tmp_path / moment)] == keys


@pytest.mark.parametrize("seed", range(5))
def test_in_any_order_of_events_and_links_it_ends_at_the_batch_answer(tmp_path: Path, seed: int) -> None:
    life(tmp_path / "s", seed)


def life(folder: Path, seed: int) -> None:
    """Events that are sent, and loaded sooner, later or never; records that link; decisions that part; a restart."""
    r, shop = random.Random(seed), Shop()
    sent: list[str] = []

    def event() -> str:
        at = f"2026-01-{r.randint(2, 12):02}T00:00:00Z"
        sent.append(message(f"e{len(sent)}", at, *r.sample(IDS, r.choice([1, 1, 2]))))
        return sent[-1]

    def parting(a: str, b: str) -> Any:
        def part() -> None:
            with suppress(StoreError):
                shop.unlink(a, b)

        return part

    steps: list[Any] = []
    for kind in r.choices(["event", "record", "unlink", "first", "load"], [5, 3, 1, 1, 2], k=r.randint(4, 12)):
        if kind == "event":
            steps.append(event())
        elif kind == "record":
            ids, tier = r.sample(IDS, r.choice([1, 2])), r.choice(["gold", "silver"])
            if not ids[0].startswith("visitor"):
                steps.append(lambda ids=ids, tier=tier: shop.record(*ids, tier=tier))
        elif kind == "unlink":
            steps.append(parting(*r.sample(IDS, 2)))
        elif kind == "first":
            steps.append(lambda line=event(): shop.events(line))
        elif sent:
            steps.append(lambda lines=r.sample(sent, min(len(sent), r.randint(1, 3))): shop.events(*lines))
        if r.random() < 0.5:
            steps += [nothing(), nothing()]
    restart, most = r.randint(0, len(steps)), r.choice([1, 100])
    follow(folder, shop, *steps[:restart], most=most)
    ending = [*r.sample(sent, len(sent)), nothing(), nothing(), nothing()]
    made = follow(folder, shop, *steps[restart:], *ending, most=most)
    assert made.verified == []
    shop.events(*sent)
    people = people_after(shop.reader(), None, 100)
    records = [
        json.dumps({"kind": "profile", "profile": p.name, "record": {"tier": p.record.get("tier")}})
        for p in people
        if p.record
    ]
    after = follow(folder, shop, *records)
    assert after.verified == []
    batch = answers(shop, after.shard.clock)
    assert {p: s for p, s in held(folder).items() if p in batch} == batch
    assert {s for p, ss in held(folder).items() if p not in batch for s in ss} <= {"gold"}


def answers(shop: Shop, at: datetime) -> dict[str, list[str]]:
    """What the batch engine says of the people of the store who have events."""
    state_free = plan(SEGMENTS)
    store = shop.reader()
    found: dict[str, list[str]] = {}
    pid = None
    while people := people_after(store, pid, 100):
        pid = people[-1].pid
        carried = [Carried(p.name, p.record, [(d.get("_id"), d) for d in p.events]) for p in people if p.events]
        for person, told in zip(carried, batch_answers(state_free, carried, at), strict=True):
            if names := sorted(r.segment for r, holds in zip(state_free.roots, told, strict=True) if holds):
                found[str(person.profile)] = names
    return found
