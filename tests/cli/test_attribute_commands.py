"""Computed attributes as a user meets them: `pql stream --attributes`, `pql profile --state`, `pql run --save`, `pql verify`, `pql explain`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from pql.api import Store, load_schema
from tests.cli.test_people_commands import pql, shop  # noqa: F401

SCHEMA = """
profile:
  loyalty.tier: string
event:
  price: number
  ward: {type: string, labels: [S1]}
  contact: string
"""
SEGMENTS = """
segment gold { where loyalty.tier = "gold" }
attribute spent = xEvent[eventType = "p"].sum(price)
attribute lately = xEvent[timestamp occurs <= 7 days before now].count()
attribute last_ward = xEvent.topN(timestamp, 1).head().ward
attribute last_contact = xEvent.topN(timestamp, 1).head().contact
attribute asked_at = now
"""
EVENTS = (
    {"profileId": "ann", "_id": "1", "eventType": "p", "price": 12.5, "timestamp": "2026-01-01T10:00:00Z"},
    {"profileId": "ann", "_id": "2", "eventType": "p", "price": 0.1, "timestamp": "2026-01-03T10:00:00Z", "ward": "B7", "contact": "ann@luma.example"},
    {"kind": "profile", "profile": "ann", "record": {"loyalty": {"tier": "gold"}}},
)  # fmt: skip
STREAM = ("stream", "--allow-unbounded", "segments.pql", "--events", "e.jsonl", "--state", "live", "--format", "none")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "pql.yaml").write_text("schema: schema.yaml\n")
    (tmp_path / "segments.pql").write_text(SEGMENTS)
    (tmp_path / "e.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in EVENTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changes(file: Path) -> list[tuple[object, ...]]:
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [(c["key"], c["attribute"], c["value"], c["at"], c["cause"]) for c in found]


def test_changes_go_to_their_file_and_time_alone_makes_some(project: Path) -> None:
    code, out, err = pql(*STREAM, "--attributes", "a.jsonl")
    assert code == 0 and json.loads(out)["segment"] == "gold"
    assert "PQL0612: attribute `asked_at` is another value at every instant; it is left out" in err
    assert changes(project / "a.jsonl") == [
        ("ann/attribute/1", "spent", 12.5, "2026-01-01T10:00:00Z", "event"),
        ("ann/attribute/2", "lately", 1, "2026-01-01T10:00:00Z", "event"),
        ("ann/attribute/3", "spent", 12.6, "2026-01-03T10:00:00Z", "profile"),
        ("ann/attribute/4", "lately", 2, "2026-01-03T10:00:00Z", "profile"),
        ("ann/attribute/5", "last_ward", "B7", "2026-01-03T10:00:00Z", "profile"),
        ("ann/attribute/6", "last_contact", "ann@luma.example", "2026-01-03T10:00:00Z", "profile"),
    ]
    line = (project / "a.jsonl").read_text().splitlines()[2]
    assert line.startswith(
        '{"key": "ann/attribute/3", "profile": "ann", "sequence": 3, "attribute": "spent", "value": 12.6, "at": '
    )
    assert json.loads(line)["offset"] == 3
    code, _, err = pql(*STREAM, "--attributes", "a.jsonl", "--until", "2026-02-01", "--format", "text")
    assert code == 0 and "8 attribute changes" in err
    assert changes(project / "a.jsonl")[6:] == [
        ("ann/attribute/7", "lately", 1, "2026-01-08T10:00:00.000001Z", "timer"),
        ("ann/attribute/8", "lately", 0, "2026-01-10T10:00:00.000001Z", "timer"),
    ]
    code, out, _ = pql("verify", "segments.pql", "--state", "live")
    assert (code, out) == (
        0,
        "1 people, 1 memberships, 4 values of attributes as of 2026-02-01T00:00:00Z (1 in): all equal\n",
    )


def test_an_attribute_that_comes_changes_or_goes_is_handed_over(project: Path) -> None:
    assert pql(*STREAM)[0] == 0
    code, _, err = pql(*STREAM, "--attributes", "a.jsonl")
    assert code == 2 and "PQL0631" in err and "attributes `spent`, `lately`, `last_ward`, `last_contact` are new" in err
    code, _, err = pql(*STREAM, "--attributes", "a.jsonl", "--migrate")
    assert code == 0 and "1 profiles, 0 transitions, 4 attribute changes" in err
    assert {c[4] for c in changes(project / "a.jsonl")} == {"definition"}
    other = SEGMENTS.replace("<= 7 days", "<= 1 day").replace("attribute last_ward", "attribute ward")
    (project / "segments.pql").write_text(other)
    assert pql(*STREAM, "--attributes", "a.jsonl", "--migrate")[0] == 0
    assert [c[:3] for c in changes(project / "a.jsonl")[4:]] == [
        ("ann/attribute/5", "last_ward", None),
        ("ann/attribute/6", "lately", 1),
        ("ann/attribute/7", "ward", "B7"),
    ]
    assert pql(*STREAM, "--migrate")[0] == 0
    assert pql(*STREAM, "--attributes", "a.jsonl", "--migrate")[0] == 0
    assert [c[0] for c in changes(project / "a.jsonl")] == [f"ann/attribute/{n}" for n in range(1, 16)]


def test_a_destination_is_told_no_attributes(project: Path) -> None:
    code, _, err = pql(*STREAM, "--attributes", "-", "--for", "newsletter")
    assert code == 2 and "memberships, no attributes" in err


def test_a_profile_of_a_state_alone(project: Path) -> None:
    pql(*STREAM, "--attributes", "a.jsonl")
    code, out, _ = pql("profile", "ann", "--state", "live", "-f", "json")
    person = json.loads(out)
    assert code == 0 and (person["profile"], person["computed_from"]) == ("ann", "state")
    assert person["computed"] == {"spent": 12.6, "lately": 2, "last_ward": "•••", "last_contact": "a•••@•••"}
    assert person["computed_as_of"] == "2026-01-03T10:00:00Z"
    assert person["computed_since"]["spent"] == "2026-01-03T10:00:00Z"
    assert [m["segment"] for m in person["memberships"]] == ["gold"]
    assert person["attributes"][0]["value"] == "gold"
    code, out, _ = pql("profile", "ann", "--state", "live")
    assert code == 0 and "computed attributes, live, as of 2026-01-03 10:00:00Z" in out
    assert "B7" not in out and "masked: `--unmask`" in out
    assert "since" in out.split("segments")[0] and "gold" in out.split("segments")[1]
    assert "since" not in out.split("segments")[1]  # a state does not keep it
    assert "B7" in pql("profile", "ann", "--state", "live", "--unmask")[1]
    code, _, err = pql("profile", "bob", "--state", "live")
    assert code == 1 and "PQL0844" in err
    assert pql("profile", "ann", "--state", "nowhere")[0] == 2


def test_verify_hides_what_is_labelled(project: Path) -> None:
    pql(*STREAM, "--attributes", "a.jsonl")
    schema, _ = load_schema(project / "schema.yaml")
    store = Store.open(project / "s.duckdb", schema)
    store.create()
    store.load([(1, {})], [(1, {"_id": "9", "timestamp": datetime(2026, 1, 3, 11), "ward": "C9"})])
    store.name_profiles({"ann": 1})
    store.close()
    code, out, _ = pql("verify", "segments.pql", "--state", "live", "--store", "s.duckdb", "--as-of", "2026-01-04")
    assert code == 1 and "attribute `lately` of `ann`: live says 2, SQL says 3, the evaluator says 3" in out
    assert 'attribute `last_ward` of `ann`: live says "•••"' in out and "C9" not in out
    code, out, _ = pql(
        "verify", "segments.pql", "--state", "live", "--store", "s.duckdb", "--as-of", "2026-01-04", "-f", "json"
    )
    found = json.loads(out)
    assert (code, found["equal"], found["values"], len(found["otherwise"])) == (1, False, 4, 3)


def test_what_it_costs_is_said_before(project: Path) -> None:
    code, out, _ = pql("explain", "segments.pql", "--cost")
    assert code == 0 and "attribute spent\n===============" in out and "events are kept for good" in out
    assert "another value at every instant (PQL0612)" in out
    rows = {r["id"]: r["live"] for r in json.loads(pql("explain", "segments.pql", "--cost", "-f", "json")[1])}
    assert (rows["spent"]["class"], rows["lately"]["class"], rows["asked_at"]) == ("history", "bucketed", None)
    assert "attribute lately" in pql("explain", "segments.pql", "--segment", "lately")[1]


def test_a_run_keeps_null_for_a_sum_out_of_range(shop: Path) -> None:  # noqa: F811
    (shop / "segments.pql").write_text(
        "segment all { where xEvent.count() >= 0 }\nattribute visits = xEvent.count()\n"
        "attribute huge = xEvent.sum(999999999999.0)\nattribute kinds = xEvent.device.type\n"
    )
    code, _, err = pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    assert code == 0 and "3 attributes of 2 profiles" in err
    assert "PQL0601: `huge` is null for some profiles" in err
    person = json.loads(pql("profile", "crm:1", "-f", "json")[1])
    assert person["computed"] == {"visits": 2, "kinds": ["mobile"]} and person["computed_from"] == "run"
    assert person["computed_as_of"] == "2026-01-05T00:00:00Z"
    other = json.loads(pql("profile", "crm:2", "-f", "json")[1])
    assert other["computed"] == {"visits": 0, "huge": 0, "kinds": []}
    assert "computed attributes as of 2026-01-05 00:00:00Z" in pql("profile", "crm:1")[1]


def test_a_dataset_s_labels_hide_what_is_computed_of_it(shop: Path) -> None:  # noqa: F811
    (shop / "segments.pql").write_text(
        "segment all { where xEvent.count() >= 0 }\nattribute kinds = xEvent.device.type\n"
    )
    pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    schema, _ = load_schema(shop / "schema.yaml")
    store = Store.open(shop / "shop.duckdb", schema)
    store.connection.execute("INSERT INTO meta.dataset VALUES ('web', 'Web', 'event', 'web', ['S1'], 'web')")
    store.close()
    assert json.loads(pql("profile", "crm:1", "-f", "json")[1])["computed"] == {"kinds": "•••"}
    assert json.loads(pql("profile", "crm:1", "-f", "json", "--unmask")[1])["computed"] == {"kinds": ["mobile"]}


def test_a_person_of_the_store_with_the_state_s_attributes(shop: Path) -> None:  # noqa: F811
    pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    more = {"kind": "event", "profile": "crm:1", "event": {"_id": "n", "timestamp": "2026-01-09T00:00:00Z"}}
    (shop / "e.jsonl").write_text(json.dumps(more) + "\n")
    code, _, err = pql(*STREAM, "--store", "shop.duckdb", "--attributes", "a.jsonl")
    assert code == 0, err
    for words, wanted in ((("crm:1",), 2), (("crm:1", "--state", "live"), 3), (("ECID:9", "--state", "live"), 3)):
        assert json.loads(pql("profile", *words, "-f", "json")[1])["computed"] == {"visits": wanted}, words
    assert pql("verify", "segments.pql", "--state", "live", "--store", "shop.duckdb")[0] == 0
