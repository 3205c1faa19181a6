"""`pql stream` and `pql verify` as commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pql.cli import app
from tests.streams.project import SCHEMA, SEGMENTS, event, write

RUNNER = CliRunner()
STREAM = ("stream", "--allow-unbounded")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(SCHEMA))
    (tmp_path / "segments.pql").write_text(SEGMENTS)
    write(tmp_path / "e.jsonl", event("ann", "1", "2026-01-01T00:00:00Z"), event("bob", "2", "2026-01-03T00:00:00Z"))
    write(tmp_path / "people.jsonl", '{"_id": "ann", "tier": "gold"}')
    return tmp_path


def run(*words: object) -> tuple[int, str, str]:
    done = RUNNER.invoke(app, [str(w) for w in words])
    return done.exit_code, done.stdout, done.stderr


def test_from_a_store_to_a_verified_stream(project: Path) -> None:
    segments, state, store = project / "segments.pql", project / "state", project / "s.duckdb"
    made = run("store", "create", store, "--profiles", project / "people.jsonl", "--schema", project / "schema.yaml")
    assert made[0] == 0
    code, out, err = run(
        *STREAM, segments, "--state", state, "--store", store, "--from", "2026-01-01", "--events", project / "e.jsonl"
    )
    assert code == 0, err
    assert [json.loads(line)["key"] for line in out.splitlines()] == ["ann/1", "ann/2", "bob/1"]
    assert "started from the store: 1 profiles, 1 transitions" in err
    assert "2 messages" in err
    assert run("verify", segments, "--state", state, "--store", store)[:2] == (
        0,
        "2 people, 6 memberships as of 2026-01-03T00:00:00Z (3 in): all equal\n",
    )
    again = (*STREAM, segments, "--state", state, "--store", store, "--from", "2026-01-02")
    code, out, err = run(*again)
    assert (code, out) == (0, "") and "`--from` is left out" in err and "2026-01-03T00:00:00Z" in err
    segments.write_text(SEGMENTS.replace('"gold"', '"silver"'))
    code, _, err = run(*again)
    assert code == 2 and "`--from` is for a new state" in err
    code, _, err = run(*STREAM, segments, "--state", state, "--events", project / "e.jsonl")
    assert code == 2
    assert "PQL0631: the state was kept for other segments: `gold` is changed" in err and "--migrate" not in err
    code, _, err = run(*STREAM, segments, "--state", state, "--migrate")
    assert code == 2 and "would be forgotten" in err and "`--store FILE`" in err
    code, out, _ = run(*STREAM, segments, "--state", state, "--store", store, "--format", "json")
    assert (code, [json.loads(line)["cause"] for line in out.splitlines()]) == (0, ["definition"])


def test_a_pause_begins_and_ends_with_a_hand_over(project: Path) -> None:
    words = (*STREAM, project / "segments.pql", "--state", project / "state", "--events", project / "e.jsonl")
    assert run(*words)[0] == 0
    for pause, word in ((("--pause", "gold"), "paused"), ((), "resumed")):
        code, _, err = run(*words, *pause)
        assert code == 2 and f"`gold` is {word}" in err
        assert "a pause begins and ends with a hand-over" in err and "`--migrate`" in err and "`--store FILE`" in err
        assert run(*words, *pause, "--migrate")[0] == 0
        assert run(*words, *pause)[0] == 0


def test_a_bad_line_is_a_finding(project: Path) -> None:
    write(project / "e.jsonl", "nonsense")
    code, _, err = run(
        *STREAM, project / "segments.pql", "--events", project / "e.jsonl", "--quarantine", project / "q"
    )
    assert code == 1
    assert "1 quarantined" in err
    assert json.loads((project / "q").read_text())["place"] == "line 1"


def test_a_half_written_last_line_waits_for_its_end(project: Path) -> None:
    file, state = project / "e.jsonl", project / "state"
    words = (*STREAM, project / "segments.pql", "--state", state, "--events", file)
    whole, start = file.read_bytes(), file.read_bytes().splitlines(keepends=True)[0]
    rest = whole[len(start) :]
    for cut in (10, len(rest) - 2):  # the second is all but `}` and the newline
        file.write_bytes(start + rest[:cut])
        code, _, err = run(*words)
        assert (code, "1 messages" in err) == (0, True), err
        assert f"the last line of `{file}` has no end yet: it waits" in err
    file.write_bytes(whole[:-1])
    code, _, err = run(*words)
    assert (code, "2 messages" in err, "it waits" in err) == (0, True, False), err
    write(project / "third.jsonl", event("ann", "3", "2026-01-04T00:00:00Z"))
    file.write_bytes(whole + (project / "third.jsonl").read_bytes())
    code, _, err = run(*words)
    assert (code, "3 messages" in err) == (0, True), err
    assert (state / "quarantine.jsonl").read_bytes() == b""


def test_a_last_line_that_is_too_long_is_set_aside_once_it_ends(project: Path) -> None:
    file, state = project / "e.jsonl", project / "state"
    words = (*STREAM, project / "segments.pql", "--state", state, "--events", file)
    file.write_bytes(b"x" * 2_500_000)
    code, _, err = run(*words)
    assert (code, "it waits" in err) == (0, True), err
    with file.open("ab") as out:
        out.write(b"y\n")
    assert run(*words)[0] == 1
    assert len((state / "quarantine.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no events to read"),
        (("--events", "nowhere.jsonl"), "PQL0636"),
        (("--events", "https://x.example"), "the endpoint speaks HTTP alone"),
        (("--events", "nats://x.example"), "PQL0636"),
        (("--store", "s.duckdb"), "a hand-over needs a state"),
        (("--events", "e.jsonl", "--state", "s", "--resume"), "`--resume` is for standard input"),
        (("--events", "-", "--resume"), "`--resume` needs a state"),
        (("--events", "e.jsonl", "--state", "s", "--from", "2026-01-01"), "`--from` is the clock of a state"),
        (("--events", "-", "--clock", "sun"), "no clock `sun`"),
        (("--events", "-", "--format", "xml"), "no format `xml`"),
        (("--events", "-", "--pause", "golt"), "did you mean `gold`?"),
        (("--events", "-", "--until", "soon"), "`soon` is not a date"),
    ],
)
def test_what_cannot_be_done_is_said(project: Path, words: tuple[str, ...], said: str) -> None:
    code, _, err = run(*STREAM, project / "segments.pql", *words)
    assert code == 2
    assert said in err


def test_what_keeps_every_event_wants_a_word(project: Path) -> None:
    """Said before anything is read or made; what is paused, or for batch, does not run and needs none."""
    segments = project / "segments.pql"
    segments.write_text(SEGMENTS + "attribute visits = xEvent.count()\n")
    words = ("stream", segments, "--events", project / "e.jsonl", "--state", project / "state")
    code, out, err = run(*words)
    assert (code, out) == (2, "") and "PQL0640: segment `lapsed` keeps every event for good" in err
    assert "`--allow-unbounded` if that is meant" in err and not (project / "state").exists()
    code, _, err = run(*words, "--attributes", project / "a.jsonl")
    assert code == 2 and "segment `lapsed` and attribute `visits` keep every event" in err
    assert run(*words, "--allow-unbounded")[0] == 0
    assert run(*words)[0] == 2, "a state that is there changes nothing about it"
    assert run(*words, "--pause", "lapsed", "--migrate")[0] == 0
    segments.write_text(SEGMENTS.replace("lapsed { where", "lapsed { evaluate: batch where"))
    assert run(*words[:-1], project / "other")[0] == 0


def test_an_interrupt_ends_with_everything_committed(project: Path) -> None:
    words = [sys.executable, "-c", "from pql.cli import main; main()", *STREAM, str(project / "segments.pql"), "--follow",
             "--events", str(project / "e.jsonl"), "--state", str(project / "state"), "--format", "json"]  # fmt: skip
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0
    assert json.loads(first)["key"] == "ann/1"
    assert json.loads(err.splitlines()[-1])["messages"] == 2
    assert run("verify", project / "segments.pql", "--state", project / "state")[0] == 0


def test_batch_segments_are_left_to_batch(project: Path) -> None:
    (project / "segments.pql").write_text(
        'segment a { evaluate: batch where tier = "x" } segment b { where not inSegment("a") }'
    )
    code, out, _ = run(*STREAM, project / "segments.pql", "--events", project / "e.jsonl")
    assert (code, {json.loads(line)["segment"] for line in out.splitlines()}) == (0, {"b"})


def test_a_stream_follows_what_is_loaded_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pql load`, `identity unlink` and `profile delete` beside a running stream, on one file."""
    import pql.api
    from tests.streams.shop import ENVIRONMENT, SETTINGS, follow, held, message

    source = {
        "source": "people", "format": "jsonl", "path": "../people*.jsonl", "dataset": {"name": "people", "kind": "record"},
        "identities": [{"field": "personID", "namespace": "crm", "primary": True}, {"field": "mail", "namespace": "Email"}],
        "mapping": {"personID": "id", "mail": "mail", "tier": "tier"},
    }  # fmt: skip
    schema = {
        "profile": {"tier": "string", "personID": "string", "mail": "string"},
        "event": {"price": "number", "identityMap": "map<object[]>"},
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(schema))
    (tmp_path / "identity.yaml").write_text("namespaces: {crm: {unique: true}}\npriority: [crm, Email]\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "people.yaml").write_text(yaml.safe_dump(source))
    (tmp_path / "pql.yaml").write_text("schema: schema.yaml\nstore: s.duckdb\nidentity: identity.yaml\n")

    def load(*lines: str) -> None:
        write(tmp_path / f"people{len(list(tmp_path.iterdir()))}.jsonl", *lines)
        done("load", "--project", tmp_path, "--store", tmp_path / "s.duckdb")

    def done(*words: object) -> None:
        code, out, err = run(*words)
        assert code == 0, out + err

    load('{"id": "1", "tier": "gold"}', '{"id": "2", "mail": "two@b.example"}')

    class File(pql.api.streams.StoreFile):
        settings = SETTINGS

        def reader(self) -> object:
            return self.open()

    held_then: list[dict[str, list[str]]] = []
    at = ("--store", tmp_path / "s.duckdb")
    made = follow(
        tmp_path / "state", File(tmp_path / "s.duckdb", ENVIRONMENT.schema),
        message("1", "2026-01-02T00:00:00Z", "crm:1"), message("2", "2026-01-03T00:00:00Z", "Email:one@b.example"),
        lambda: load('{"id": "1", "mail": "one@b.example"}'), [], [],
        lambda: held_then.append(held(tmp_path / "state")),
        message("3", "2026-01-04T00:00:00Z", "crm:2"),
        lambda: held_then.append(held(tmp_path / "state")),
        lambda: done("identity", "unlink", "crm:1", "Email:one@b.example", *at), [], [],
        lambda: done("profile", "delete", "crm:2", *at, "--reason", "request", "--yes"), [], [],
        message("4", "2026-01-05T00:00:00Z", "Email:two@b.example"),
    )  # fmt: skip
    assert held_then[1] == {"crm:1": ["gold", "has2", "recent"]}
    assert held(tmp_path / "state") == {"Email:one@b.example": ["has1", "recent"], "crm:1": ["gold", "has1", "recent"]}
    assert made.figures().deleted_here == 1


@pytest.mark.parametrize("state", [True, False])
def test_an_event_without_a_timestamp_is_refused_as_a_load_refuses_it(project: Path, state: bool) -> None:
    bare, dated = '{"profileId": "ann", "_id": "1"}', event("ann", "2", "2026-01-01T00:00:00Z")
    told = '{"kind": "event", "profile": "ann", "event": {"_id": "3", "timestamp": null}}'
    write(project / "e.jsonl", bare, dated, told)
    words = [*STREAM, project / "segments.pql", "--events", project / "e.jsonl", "--quarantine", project / "q.jsonl"]
    code, out, err = run(*words, *(["--state", project / "state"] if state else []))
    refused = [json.loads(line) for line in (project / "q.jsonl").read_text().splitlines()]
    assert code == 1 and "3 messages" in err
    assert [(r["code"], r["reason"]) for r in refused] == [("PQL0826", "`timestamp`: an event needs this field")] * 2


def test_an_identity_map_names_the_profile_of_an_event_though_the_schema_lacks_it(project: Path) -> None:
    ids = '{"Email": [{"id": "Ann@x.example", "primary": true}]}'
    one = f'{{"_id": "1", "timestamp": "2026-01-01T00:00:00Z", "identityMap": {ids}}}'
    two = f'{{"kind": "event", "event": {{"_id": "2", "timestamp": "2026-01-02T00:00:00Z", "identityMap": {ids}}}}}'
    words = (*STREAM, project / "segments.pql", "--events", project / "e.jsonl", "--state", project / "state")
    write(project / "e.jsonl", one)
    assert run(*words)[0] == 0
    write(project / "e.jsonl", one, two, one.replace('"id"', '"it"').replace('"1"', '"3"'))
    code, out, err = run(*words)
    (refused,) = [json.loads(line) for line in (project / "state" / "quarantine.jsonl").read_text().splitlines()]
    assert code == 1 and refused["code"] == "PQL0811" and "identityMap" in refused["reason"], "one that does not fit"
    assert run("verify", project / "segments.pql", "--state", project / "state")[:1] == (0,)
    assert "1 people" in run("verify", project / "segments.pql", "--state", project / "state")[1]


def test_an_event_that_moves_the_clock_very_far_is_named_once(project: Path) -> None:
    days = ("2026-01-01", "2026-11-01", "9998-01-01", "2026-11-02", "9999-12-01")
    write(project / "e.jsonl", *(event("ann", f"e{n}", f"{day}T00:00:00Z") for n, day in enumerate(days)))
    words = (*STREAM, project / "segments.pql", "--events", project / "e.jsonl")
    code, _, err = run(*words)
    assert code == 0 and err.count("warning: ") == 1
    assert "line 3 (`_id` e2) moves the clock from 2026-11-01T00:00:00Z to 9998-01-01T00:00:00Z" in err
    assert "warning" not in run(*words, "--clock", "wall")[2], "it does not move it"
    write(
        project / "e.jsonl",
        event("ann", "1", "2026-01-01T00:00:00Z"),
        '{"kind": "advance", "to": "2030-01-01T00:00:00Z"}',
    )
    assert "warning" not in run(*words)[2], "that was asked for"
