"""`pql profile`, `pql identity` and `pql run --save` as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pql.api import Store, load_schema, read_identity, read_policies, unify
from pql.cli import app
from tests.identity.layers import put

DAY = datetime(2026, 1, 1)
SCHEMA = """
profile:
  person.name: {firstName: string, lastName: string}
  personalEmail.address: string
  mobilePhone.number: string
  loyalty.tier: string
  consents.marketing.email: {val: string, time: date-time}
event:
  device.type: string
  channel.mediaType: string
"""
SEGMENTS = """
segment gold { where loyalty.tier = "gold" }
segment seen { where xEvent.exists(timestamp occurs <= 10 days before now) }
attribute visits = xEvent.count()
"""


def pql(*words: str, input: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words), input=input)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "pql.yaml").write_text("schema: schema.yaml\nstore: shop.duckdb\n")
    (tmp_path / "identity.yaml").write_text(
        'namespaces: {crm: {unique: true}, ECID: {pattern: "[0-9]+"}}\npriority: [crm, Email, ECID]\n'
    )
    (tmp_path / "segments.pql").write_text(SEGMENTS)
    monkeypatch.chdir(tmp_path)
    schema, _ = load_schema(tmp_path / "schema.yaml")
    store = Store.open(tmp_path / "shop.duckdb", schema)
    store.create()
    name = {"firstName": "Sarah", "lastName": "Rose"}
    put(store, "crm", "record", [{"ids": ["crm:1", "Email:sarah@luma.example"], "at": DAY, "fields": {
        "person": {"name": name}, "personalEmail": {"address": "sarah@luma.example"}, "mobilePhone": {"number": "719-933-0478"},
        "consents": {"marketing": {"email": {"val": "y", "time": DAY}}}}},
        {"ids": ["crm:2"], "at": DAY, "fields": {"person": {"name": {"firstName": "Tom", "lastName": "Rose"}}}}])  # fmt: skip
    put(store, "club", "record", [{"ids": ["crm:1"], "at": DAY, "key": "c", "fields": {"loyalty": {"tier": "gold"}}}])
    put(store, "web", "event", [{"ids": ["ECID:9", "crm*:1"], "at": DAY + timedelta(days=1), "fields": {"device": {"type": "mobile"}, "channel": {"mediaType": "owned"}}},
                                {"ids": ["ECID:9"], "at": DAY}])  # fmt: skip
    unify(store, read_identity(tmp_path / "identity.yaml")[0])
    store.close()
    return tmp_path


def test_a_person_by_identity_and_by_name(shop: Path) -> None:
    for asked in ("Email:sarah@luma.example", "ecid:9", "sarah rose"):
        code, out, _ = pql("profile", asked, "--format", "json", "--unmask")
        person = json.loads(out)
        assert code == 0 and person["profile"] == "crm:1", asked
    values = {a["path"]: (a["value"], a["dataset"], a["time"]) for a in person["attributes"]}
    assert values["personalEmail.address"] == ("sarah@luma.example", "crm", "2026-01-01T00:00:00Z")
    assert values["loyalty.tier"] == ("gold", "club", "2026-01-01T00:00:00Z")
    assert person["consents"][0]["value"] == {"val": "y", "time": "2026-01-01T00:00:00Z"}
    assert [(e["timestamp"], e["device"], e["channel"]) for e in person["events"]] == [
        ("2026-01-02T00:00:00Z", "mobile", "owned"),
        ("2026-01-01T00:00:00Z", None, None),
    ]
    assert [i["namespace"] for i in person["identities"]] == ["ECID", "Email", "crm"]
    assert json.loads(pql("profile", "crm:1", "-f", "json", "--events", "1")[1])["event_count"] == 2


def test_masking_is_the_default(shop: Path) -> None:
    for words in (
        ["profile", "crm:1"],
        ["profile", "crm:1", "-f", "json"],
        ["identity", "show", "crm:1"],
        ["identity", "history", "crm:1"],
    ):
        code, out, err = pql(*words)
        assert code == 0 and "sarah@" not in out + err and "719-933" not in out, words
    assert "sarah@luma.example" in pql("profile", "crm:1", "--unmask")[1]


def test_masked_identities_can_be_told_apart(shop: Path) -> None:
    schema, _ = load_schema(shop / "schema.yaml")
    store = Store.open(shop / "shop.duckdb", schema)
    mails = ["Email:sam@luma.example", "Email:sue@luma.example", "Email:tom@luma.example"]
    put(store, "club", "record", [{"ids": ["crm:1", *mails], "at": DAY, "key": "d", "fields": {
        "personalEmail": {"address": "Sue@luma.example"}}}])  # fmt: skip
    unify(store, read_identity(shop / "identity.yaml")[0])
    store.close()
    shown = json.loads(pql("profile", "crm:1", "-f", "json")[1])
    hidden = [i["id"] for i in shown["identities"] if i["namespace"] == "Email"]
    assert hidden == ["s•••@•••", "s•••@••• (2)", "s•••@••• (3)", "t•••@•••"]
    (mail,) = [a["value"] for a in shown["attributes"] if a["path"] == "personalEmail.address"]
    assert mail == "S•••@••• (3)", "the same value has the same number wherever it stands"
    same = json.loads(pql("identity", "show", "crm:1", "-f", "json")[1])
    assert same["identities"] == shown["identities"] and same["links"] == shown["links"]
    for command in (("profile", "crm:1"), ("identity", "show", "crm:1"), ("identity", "history", "crm:1")):
        out = pql(*command)[1]
        assert "s•••@••• (2)" in out and "sam@" not in out and "sue@" not in out.lower(), command
    assert "(2)" not in pql("profile", "crm:1", "--unmask")[1]


def test_unknown_and_ambiguous_people(shop: Path) -> None:
    code, out, err = pql("profile", "Email:sara@luma.example")
    assert (code, out) == (1, "") and "PQL0844" in err and "near: `Email:s•••e`" in err
    code, _, err = pql("profile", "crm:11")
    assert code == 1 and "`crm:1`" in err
    assert pql("profile", "crm:1", "-f", "xml")[0] == 2
    (shop / "identity.yaml").write_text("namespaces: {crm: {uniq: true}}")
    code, _, err = pql("profile", "crm:1")
    assert code == 2 and "did you mean `unique`?" in err


def test_a_store_of_files_shows_what_it_has(shop: Path) -> None:
    (shop / "people.jsonl").write_text('{"_id": "p8", "loyalty": {"tier": "gold"}}\n')
    (shop / "events.jsonl").write_text(
        '{"profileId": "p8", "_id": "e1", "timestamp": "2026-01-01T00:00:00Z", "device": {"type": "phone"}}\n'
        '{"profileId": "p8", "_id": "e2", "timestamp": "2026-01-02T00:00:00Z"}\n'
    )
    made = ("store", "create", "plain.duckdb", "--profiles", "people.jsonl", "--events", "events.jsonl")
    assert pql(*made)[0] == 0
    asked = ("profile", "p8", "--store", "plain.duckdb")
    code, out, _ = pql(*asked, "--format", "json")
    found = json.loads(out)
    assert code == 0 and [(r["path"], r["value"]) for r in found["attributes"]] == [("loyalty.tier", "gold")]
    assert [e["event"]["_id"] for e in found["events"]] == ["e2", "e1"] and found["memberships"] == []
    saved = pql("run", "segments.pql", "--store", "plain.duckdb", "--save", "--as-of", "2026-01-03")
    assert saved[0] == 0, saved
    found = json.loads(pql(*asked, "--format", "json")[1])
    assert [m["segment"] for m in found["memberships"]] == ["gold", "seen"] and found["computed"] == {"visits": 2}
    code, out, _ = pql(*asked)
    attributes, segments = out.split("segments")
    assert code == 0 and "dataset" not in out and "since" not in attributes and "since" in segments


@pytest.mark.parametrize("command", ["profile crm:1", "identity show crm:1", "identity list", "run segments.pql"])
def test_no_color_leaves_no_codes(shop: Path, command: str) -> None:
    def codes(**more: str) -> int:
        terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", **more}
        return CliRunner().invoke(app, command.split(), env=terminal, color=True).stdout.count("\x1b")

    assert codes() > 0
    assert codes(NO_COLOR="1") == 0


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("store create n.duckdb --events .", "file"),
        ("run segments.pql --store .", "store"),
        ("why gold --profile .", "file"),
    ],
)
def test_a_folder_is_called_a_folder(shop: Path, command: str, what: str) -> None:
    code, _, err = pql(*command.split())
    assert code == 2 and err.startswith(f"error: `.` is a folder, no {what}\n")


def test_a_store_that_cannot_be_written_is_said_so(shop: Path) -> None:
    (shop / "people.jsonl").write_text('{"_id": "a"}\n')
    (shop / "n.rejected.jsonl").mkdir()
    code, _, err = pql("store", "create", "n.duckdb", "--profiles", "people.jsonl")
    assert code == 2 and "error: `n.duckdb` cannot be written: `n.rejected.jsonl`: Is a directory" in err
    assert not (shop / "n.duckdb").exists() and not (shop / "n.duckdb.partial").exists()


def test_who_is_not_there_is_said_alike(shop: Path) -> None:
    (shop / "people.jsonl").write_text('{"_id": "person-8"}\n')
    assert pql("store", "create", "plain.duckdb", "--profiles", "people.jsonl")[0] == 0
    words = "error: PQL0844: there is no profile `person-9`\n  = help: near: `person-8`\n"
    assert pql("profile", "person-9", "--store", "plain.duckdb") == (1, "", words)
    assert pql("why", "gold", "--profile", "person-9", "--store", "plain.duckdb") == (1, "", words)
    code, _, err = pql("identity", "show", "person-8", "--store", "plain.duckdb")
    assert code == 2 and "made by `pql store create`" in err and "`pql why`" in err


def test_identity_commands(shop: Path) -> None:
    code, out, _ = pql("identity", "show", "ECID:9", "-f", "json", "--unmask")
    links = {(k["a"], k["b"]): k for k in json.loads(out)["links"]}
    assert code == 0 and links["ECID:9", "crm:1"]["last_authenticated"] == "2026-01-02T00:00:00Z"
    steps = json.loads(pql("identity", "history", "ECID:9", "-f", "json")[1])["history"]
    assert [(s["kind"], s["time"][:10], s["dataset"]) for s in steps] == [
        ("merge", "2026-01-01", "crm"),
        ("merge", "2026-01-02", "web"),
    ]
    rows = {r["namespace"]: r for r in json.loads(pql("identity", "list", "-f", "json")[1])}
    assert rows["crm"]["limit"] == 1 and rows["ECID"]["identities"] == 1
    assert (
        pql("identity", "unlink", "crm:1", "ECID:9", "--reason", "kiosk")[1]
        == "`crm:1` and `ECID:9` are kept apart: 3 profiles\n"
    )
    assert "already" in pql("identity", "unlink", "ECID:9", "crm:1")[1]
    assert json.loads(pql("identity", "refused", "-f", "json")[1])["counts"] == {"unlinked": 1}
    assert pql("identity", "refused")[2] == "links refused: 1 unlinked\n"
    assert json.loads(pql("profile", "ECID:9", "-f", "json")[1])["profile"] == "ECID:9"
    code, _, err = pql("identity", "unlink", "crm:1", "ECID:7")
    assert code == 2 and "PQL0845" in err


def test_saved_runs(shop: Path) -> None:
    code, _, err = pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    assert code == 0 and "gold: 1 entered, 0 left, 0 stayed" in err and "1 attributes of 2 profiles" in err
    assert (
        "seen: 0 entered, 1 left, 0 stayed"
        in pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-02-01")[2]
    )
    assert (
        "gold: 0 entered, 0 left, 1 stayed"
        in pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-02-02")[2]
    )
    person = json.loads(pql("profile", "crm:1", "-f", "json")[1])
    assert [(m["segment"], m["status"], m["since"]) for m in person["memberships"]] == [
        ("gold", "realized", "2026-01-05T00:00:00Z"),
        ("seen", "exited", "2026-02-01T00:00:00Z"),
    ]
    assert person["computed"] == {"visits": 2}


def test_a_deleted_person_is_gone_from_every_byte(shop: Path) -> None:
    pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    assert pql("profile", "delete", "crm:1", "--reason", "r", input="n\n")[0] == 1
    code, out, _ = pql("profile", "delete", "crm:1", "--reason", "request 4711", "--yes", "-f", "json")
    gone = json.loads(out)
    assert (
        code == 0
        and gone["rows"] == {"crm": 1, "club": 1, "web": 2}
        and (gone["identities"], gone["memberships"]) == (3, 2)
    )
    raw = (shop / "shop.duckdb").read_bytes()
    assert b"sarah@luma" not in raw and b"Sarah" not in raw
    assert pql("profile", "crm:1")[0] == 1 and pql("profile", "crm:2")[0] == 0
    schema, _ = load_schema(shop / "schema.yaml")
    store = Store.open(shop / "shop.duckdb", schema)
    put(store, "web", "event", [{"ids": ["ECID:9", "crm*:2"], "at": DAY}, {"ids": ["crm:1"], "at": DAY}], batch=2)
    unify(store, read_identity(shop / "identity.yaml")[0])
    assert store.query("SELECT id FROM pql_profile", {}) == [("crm:2",)]
    from pql.store.tombstones import deleted_rows

    told = deleted_rows(store.connection, read_identity(shop / "identity.yaml")[0], "data.web", "_row")
    rows = store.query(f"SELECT _identities[1].id, _row IN ({told}) FROM data.web ORDER BY _row", {})
    assert rows == [("9", False), ("1", True)]


def test_a_deletion_that_is_killed_is_finished_at_the_next_open(shop: Path) -> None:
    """Killed in earnest between the commit and the writing anew: the person is gone, and at the next open so are the bytes."""
    pql("run", "segments.pql", "--save", "--counts", "--as-of", "2026-01-05")
    words = ["profile", "delete", "crm:1", "--reason", "request 4711", "--yes"]
    script = f"""
import os, signal
from pql.store import opening
opening.rewrite = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from typer.testing import CliRunner
from pql.cli import app
CliRunner().invoke(app, {words!r})
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=shop, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    mark, file = shop / "shop.duckdb.deleting", shop / "shop.duckdb"
    assert mark.exists()
    assert pql("profile", "crm:1")[0] == 1
    assert not mark.exists()
    raw = file.read_bytes()
    assert b"sarah@luma" not in raw and b"Sarah" not in raw
    assert pql("profile", "crm:2")[0] == 0


MERGE = """
merge_policies:
  - {name: newest, default: true}
  - {name: club_first, attributeMerge: {type: dataSetPrecedence, order: [club]}}
  - {name: alone, identityGraph: none}
"""


def test_merge_policies_side_by_side(shop: Path) -> None:
    (shop / "merge.yaml").write_text(MERGE)
    schema, _ = load_schema(shop / "schema.yaml")
    store = Store.open(shop / "shop.duckdb", schema)
    unify(store, read_identity(shop / "identity.yaml")[0], read_policies(shop / "merge.yaml", schema)[0])
    store.close()

    def values(person: str, *more: str) -> dict[str, object]:
        code, out, err = pql("profile", person, "-f", "json", "--unmask", *more)
        assert code == 0, err
        return {a["path"]: a["value"] for a in json.loads(out)["attributes"]}

    assert values("crm:1")["personalEmail.address"] == "sarah@luma.example"
    assert values("crm:1", "--policy", "club_first") == {"loyalty.tier": "gold"}
    alone = json.loads(pql("profile", "ECID:9", "-f", "json", "--policy", "alone")[1])
    assert (alone["profile"], len(alone["identities"]), alone["event_count"]) == ("ECID:9", 1, 1)
    segment = 'personalEmail.address.isNotNull() or loyalty.tier = "gold"'
    for policy, members, total in (("newest", 1, 2), ("club_first", 1, 1), ("alone", 1, 3)):
        code, out, err = pql("estimate", "-e", segment, "-f", "json", "--policy", policy)
        assert (code, *[json.loads(out)[k] for k in ("members", "profiles")]) == (0, members, total), (policy, err)
    for policy, visits in (("newest", "crm:1"), ("alone", "crm:1 ECID:9")):
        code, out, _ = pql(
            "run", "segments.pql", "-f", "csv", "--as-of", "2026-01-05", "--segment", "seen", "--policy", policy
        )
        assert (
            code == 0 and all(f"seen,{v}" in out for v in visits.split()) and out.count("seen,") == len(visits.split())
        ), policy
    why = ["why", "gold", "--profile", "crm:1", "--store", "shop.duckdb"]
    assert pql(*why)[0] == pql(*why, "--policy", "club_first")[0] == 0
    code, _, err = pql("estimate", "-e", segment, "--policy", "club_frist")
    assert code == 2 and "did you mean `club_first`?" in err
    assert pql("run", "segments.pql", "--save", "--policy", "alone")[0] == 2
    (shop / "merge.yaml").write_text(MERGE + "  - {name: later}\n")
    code, _, err = pql("estimate", "-e", segment, "--policy", "later")
    assert code == 2 and "PQL0843" in err and "`later`" in err


def test_what_is_no_store_is_said_so(shop: Path) -> None:
    for content in (b"", b"hello", b"PAR1" * 20, bytes(5000)):
        (shop / "other.duckdb").write_bytes(content)
        for words in (["run", "segments.pql"], ["profile", "crm:1"], ["estimate", "-e", 'loyalty.tier = "gold"']):
            code, out, err = pql(*words, "--store", "other.duckdb")
            assert (
                code == 2
                and "PQL0904" in err
                and "other.duckdb" in err
                and "DuckDB" not in err.replace("other.duckdb", "")
            ), err
            assert "IO Error" not in err and len(err.splitlines()) < 6
    damaged = bytearray((shop / "shop.duckdb").read_bytes())
    damaged[4096:12288] = bytes(8192)
    (shop / "other.duckdb").write_bytes(damaged)
    code, _, err = pql("profile", "crm:1", "--store", "other.duckdb")
    assert code == 2 and "PQL0904" in err
