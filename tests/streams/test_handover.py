"""Other definitions, live; starting from a store; and verification."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pql.api import Store
from pql.api import streams as api
from pql.streams.errors import StreamError
from pql.streams.state import Commit, GraphKnown, Row
from pql.xdm.values import read_instant
from tests.property import segment_texts
from tests.simulation.life import make_life
from tests.simulation.play import changing
from tests.streams.project import ENVIRONMENT, SEGMENTS, day, event, plan, stream, told, write

HISTORY = [
    ("ann", {"_id": "1", "eventType": "p", "timestamp": day("2026-01-01T00:00:00Z")}),
    ("ann", {"eventType": "v", "timestamp": day("2026-01-02T00:00:00Z")}),
    ("bob", {"_id": "2", "eventType": "p", "timestamp": day("2026-01-09T00:00:00Z")}),
]


def store(history: Any = HISTORY, records: Any = (("ann", {"tier": "gold"}), ("cid", {"tier": "gold"}))) -> Store:
    made = Store.memory(ENVIRONMENT.schema)
    names = dict.fromkeys([n for n, _ in records] + [n for n, _ in history])
    pids = {name: 10 + i for i, name in enumerate(names)}
    made.load([(pids[n], r) for n, r in records], [(pids[n], d) for n, d in history])
    made.name_profiles(pids)
    made.index()
    return made


def lines(state: api.SqliteState) -> list[tuple[str, ...]]:
    """The transitions that wait to be handed over."""
    return told(state.pending(api.TRANSITIONS)[1])


def test_a_new_state_starts_from_the_store(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    done = api.hand_over(state, plan(), store=store())
    assert (done.at, done.people, done.transitions) == (day("2026-01-09T00:00:00Z"), 3, 3)
    assert lines(state) == [
        ("ann", "gold", "realized", "2026-01-09T00:00:00Z", "definition"),
        ("bob", "bought", "realized", "2026-01-09T00:00:00Z", "definition"),
        ("cid", "gold", "realized", "2026-01-09T00:00:00Z", "definition"),
    ]
    repeated = write(
        tmp_path / "e.jsonl",
        event("bob", "2", "2026-01-09T00:00:00Z"),
        '{"kind": "event", "profile": "ann", "event": {"eventType": "v", "timestamp": "2026-01-03T00:00:00Z"}}',
        '{"kind": "advance", "to": "2026-02-01T00:00:00Z"}',
    )
    made = stream(state, api.FileSource(repeated))
    made.run()
    assert told(made.outlets[api.TRANSITIONS].lines)[3:] == [
        ("ann", "lapsed", "realized", "2026-01-13T00:00:00.000001Z", "timer"),
        ("bob", "bought", "exited", "2026-01-16T00:00:00.000001Z", "timer"),
        ("bob", "lapsed", "realized", "2026-01-19T00:00:00.000001Z", "timer"),
    ]
    state.close()


def test_exactly_the_difference_of_changed_new_and_removed_segments(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    api.hand_over(state, plan(), store=store())
    file = write(
        tmp_path / "e.jsonl", event("cid", "3", "2026-01-10T00:00:00Z"), event("dan", "4", "2026-01-10T00:00:00Z")
    )
    stream(state, api.FileSource(file)).run()
    other = 'segment bought { where xEvent[eventType = "p"].count() >= 1 } segment lapsed { where xEvent.count() = 2 }'
    before = dict(zip(*[iter(["ann", 1, "bob", 1, "cid", 2, "dan", 1])] * 2, strict=True))
    done = api.hand_over(state, plan(other), store=store())
    assert (done.at, done.people) == (day("2026-01-10T00:00:00Z"), 4)
    found = [json.loads(line) for line in state.pending(api.TRANSITIONS)[1]]
    assert [(t["profile"], t["segment"], t["status"]) for t in found] == [
        ("ann", "gold", "exited"),
        ("cid", "gold", "exited"),
        ("ann", "bought", "realized"),
        ("ann", "lapsed", "realized"),
    ]
    assert {t["cause"] for t in found} == {"definition"}
    assert min(t["sequence"] for t in found if t["profile"] == "cid") == before["cid"] + 1
    assert not api.verify(state, plan(other), store()).disagreements
    state.close()


def test_a_killed_hand_over_has_not_begun(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")

    def die(people: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.hand_over(state, plan(), store=store(), told=die)
    assert state.kept() is None
    assert state.names("", 9) == []
    assert api.hand_over(state, plan(), store=store()).people == 3
    state.close()


def test_a_paused_segment_is_held_and_resumed_with_the_difference(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    api.hand_over(state, plan(), store=store())
    held = plan(without=("bought",))
    with pytest.raises(StreamError, match="what the state has from a store would be forgotten"):
        api.hand_over(state, held, ("bought",))
    assert api.hand_over(state, held, ("bought",), store()).transitions == 0
    api.belongs(state, held, ("bought",))
    file = write(tmp_path / "e.jsonl", event("cid", "3", "2026-01-17T00:00:00Z"))
    outlets = {n: api.Collected() for n in (api.TRANSITIONS, api.QUARANTINE)}
    reader = api.Reader(ENVIRONMENT.schema)
    api.Stream(api.Shard(held, state), state, api.FileSource(file), reader, outlets).run()
    assert not [t for t in told(outlets[api.TRANSITIONS].lines) if t[1] == "bought" and t[4] != "definition"]
    api.hand_over(state, plan(), store=store())
    assert lines(state) == [
        ("bob", "bought", "exited", "2026-01-17T00:00:00Z", "definition"),
        ("cid", "bought", "realized", "2026-01-17T00:00:00Z", "definition"),
    ]
    state.close()


def test_what_was_deleted_merged_or_split_live_stays_so(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    api.hand_over(state, plan(), store=store())
    file = write(
        tmp_path / "e.jsonl",
        '{"kind": "delete", "profile": "ann", "key": "1", "arrival": "2026-01-10T00:00:00Z"}',
        '{"kind": "merge", "profile": "ann", "source": "bob", "arrival": "2026-01-10T00:00:00Z"}',
        event("ann", "7", "2026-01-11T00:00:00Z"),
        event("bob", "8", "2026-01-11T00:00:00Z"),
        '{"kind": "split", "profile": "ann", "target": "eve", "keys": ["2", "7"], "record": null, "arrival": "2026-01-12T00:00:00Z"}',
    )
    stream(state, api.FileSource(file)).run()
    counted = "".join(f"segment has{n} {{ where xEvent.count() = {n} }}" for n in range(5))
    api.hand_over(state, plan(counted), store=store())
    assert {(t[0], t[1]) for t in lines(state) if t[2] == "realized"} == {
        ("ann", "has2"),
        ("eve", "has2"),
        ("cid", "has0"),
    }
    found = api.verify(state, plan(counted), store())
    assert (found.disagreements, found.members) == ([], 3)
    state.close()


@pytest.mark.parametrize("seed", range(6))
def test_a_hand_over_in_the_middle_of_a_life_ends_at_the_batch_answer(tmp_path: Path, seed: int) -> None:
    life = make_life(seed, values=3)
    other = make_life(seed + 1000, environment=life.environment, values=3)
    renamed = {f"t{i}": c for i, c in enumerate(other.conditions.values())} | {"s0": life.conditions["s0"]}
    values = {**other.attributes, "a0": life.attributes["a0"], "new": other.attributes["a0"]}
    del values["a2"]
    plans = [life.plan(), life.environment.live_plan(renamed, attributes=values)]
    reader = api.Reader(life.environment.schema)
    half = random.Random(seed).randrange(5, 35)
    file, state = tmp_path / "e.jsonl", api.SqliteState(tmp_path / "state")
    out = api.FileOutlet(tmp_path / "out")
    for number, made in enumerate(plans):
        write(file, *(life.lines if number else life.lines[:half]))
        if number:
            api.hand_over(state, made)
        api.belongs(state, made)
        changes = api.FileOutlet(tmp_path / "changes")
        outlets = {api.TRANSITIONS: out, api.QUARANTINE: api.Collected(), api.ATTRIBUTES: changes}
        api.Stream(api.Shard(made, state, 2), state, api.FileSource(file), reader, outlets, api.Options(3)).run()
        found = api.verify(state, made)
        assert found.equal and found.values == 3 * found.people, (found.disagreements, found.otherwise)
    told = [json.loads(line) for line in (tmp_path / "changes").read_text().splitlines()]
    assert list(changing([(read_instant(c["at"]), c) for c in told])) == []
    last = {(c["profile"], c["attribute"]): c["value"] for c in told}
    assert all(v is None for (_, a), v in last.items() if a == "a2")
    members = set[tuple[str, str]]()
    for line in map(json.loads, (tmp_path / "out").read_text().splitlines()):
        members ^= {(line["profile"], line["segment"])}
    assert len(members) == found.members
    assert {s for _, s in members} <= renamed.keys()
    state.close()


def test_verify_finds_an_event_that_the_stream_did_not_get(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    api.hand_over(state, plan(), store=store())
    more = store([*HISTORY, ("ann", {"_id": "9", "eventType": "p", "timestamp": day("2026-01-08T00:00:00Z")})])
    found = api.verify(state, plan(), more)
    assert found.stored > 0
    assert [(d.profile, d.segment, d.live, d.batch, d.plain) for d in found.disagreements] == [
        ("ann", "bought", False, True, True)
    ]
    state.close()


def test_verify_runs_the_clock_on_in_memory_and_not_back(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    api.hand_over(state, plan(), store=store())
    found = api.verify(state, plan(), store(), at=day("2026-01-16T00:00:00.000001Z"))
    assert (found.people, found.memberships, found.disagreements) == (3, 9, [])
    with pytest.raises(StreamError) as caught:
        api.verify(state, plan(), at=day("2026-01-01T00:00:00Z"))
    assert caught.value.code == "PQL0639"
    with pytest.raises(StreamError) as caught:
        api.verify(state, plan(SEGMENTS.replace("gold", "silver")))
    assert caught.value.code == "PQL0631"
    state.close()


def test_values_of_every_type_come_back_from_the_store() -> None:
    r = random.Random(3)
    from pql.api import Environment
    from pql.store.history import people_after, people_named
    from pql.xdm.values import read_event, read_profile

    environment = Environment.from_short(segment_texts.SCHEMA)
    profiles, events = segment_texts.people(r, 12)
    typed = [read_profile(p, environment.schema)[0] for p in profiles]
    rows = [(i, read_event(e, environment.schema)[0]) for i, e in events]
    made = Store.memory(environment.schema)
    made.load(list(enumerate(typed)), rows)
    found = people_after(made, None, 100)
    assert [p.record for p in found] == [_present(t) for t in typed]
    assert [(p.pid, e) for p in found for e in p.events] == sorted(
        ((i, _present(e)) for i, e in rows), key=lambda x: x[0]
    )
    assert list(people_named(made, ["3", "none"])) == ["3"]


def _present(value: Any) -> Any:
    """Without the fields that are null, which a store does not tell from missing ones."""
    if isinstance(value, dict):
        return {k: _present(v) for k, v in value.items() if v is not None}
    return [_present(v) for v in value] if isinstance(value, list) else value


def test_events_find_their_profile_by_identities(tmp_path: Path) -> None:
    from pql.api import Environment

    environment = Environment.from_short({"profile": {}, "event": {"identityMap": "map<object[]>"}})
    state = api.SqliteState(tmp_path / "state")
    state.stage([("Email", "a@b.example", "crmId:c1")])
    state.commit(Commit(state.progress(), [Row("loyaltyId:77", b"")], graph=GraphKnown("v")))
    owners = api.Owners(state, environment.schema)

    def owner(**spaces: str) -> str | None:
        return owners({"identityMap": {n: [{"id": i, "primary": n == "ECID"}] for n, i in spaces.items()}})

    assert owner(Email=" A@b.example", loyaltyId="9") == "crmId:c1"
    assert owner(loyaltyId="9") == "crmId:c1"
    assert owner(phone="1", crmId="10") == "crmId:10"
    assert owner(phone="1") == "crmId:10"
    assert owner(ECID="1" * 38, Email="a@b.example") == "crmId:c1"
    assert owner(Email="  ", ECID="too short") is None
    assert owner(loyaltyId="77") == "loyaltyId:77"
    assert owners({}) is None
    fresh = [("loyaltyId", "9", "crmId:c1"), ("crmId", "10", "crmId:10"), ("phone", "1", "crmId:10")]
    assert owners.fresh == [*fresh, ("ECID", "1" * 38, "crmId:c1")]
    named = {
        "Email:A@b.example": "crmId:c1",
        "sarah": "sarah",
        "crmId:new": "crmId:new",
        "loyaltyId:77": "loyaltyId:77",
    }
    assert {n: owners.named(n) for n in named} == named
    owners.parted("Email:a@b.example")
    assert owners.named("Email:a@b.example") == "Email:a@b.example"
    state.close()
