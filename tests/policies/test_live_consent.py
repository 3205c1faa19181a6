"""Consent, live: who has not consented is never sent, a change of consent comes and goes at its exact instant, and what becomes
forbidden while a stream runs stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pql.api import Advance, Engine, Event, Record, Store
from pql.runtime import Evaluator
from pql.xdm.values import read_profile
from tests.policies.projects import Made, judge, write
from tests.policies.test_commands import pql

START = datetime(2026, 3, 1)
FILES: dict[str, Any] = {
    "pql.yaml": "schema: schema.yaml\n",
    "schema.yaml": {
        "profile": {
            "points": "integer",
            "mail": {"type": "string", "labels": ["I1"]},
            "consents": {"marketing": {"email": {"val": "string"}, "any": {"val": "string"}}},
            "privacyOptOuts[]": {"optOutType": "string", "optOutValue": "string"},
        },
        "event": {"total": "number"},
    },
    "segments.pql": """segment rich { where points > 3 }
segment others { excludeOptOut: false where not inSegment("rich") }
segment busy { where xEvent[timestamp occurs <= 2 days before now].count() > 0 }
segment inside { where inSegment("rich") and points > 0 }
""",
    "destinations/mail.yaml": "marketingActions: [emailTargeting]\nfields: [mail]\nsegments: [rich, others, busy]\n",
    "consent/mail.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.email\")'}",
}
NO_MAIL = "{name: No mail, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {label: I1}}"


def engine(made: Made) -> Engine:
    ids = made.governance.destinations["mail"].segments
    audiences = {id: made.environment.audience(made.governed, id, "mail").condition for id in ids}
    return Engine(made.environment.live_audiences(made.project.conditions, audiences))


def person(made: Made, points: int, email: str | None, out: bool = False) -> dict[str, Any]:
    document: dict[str, Any] = {"points": points}
    if email is not None:
        document["consents"] = {"marketing": {"email": {"val": email}}}
    if out:
        document["privacyOptOuts"] = [{"optOutType": "general_opt_out", "optOutValue": "out"}]
    typed, problems = read_profile(document, made.environment.schema)
    assert not problems
    return dict(typed)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_in_the_segment_without_consent_is_not_sent(folder: Path) -> None:
    made = judge(folder)
    live = engine(made)
    people = {"yes": (5, "y"), "silent": (5, None), "no": (5, "n"), "poor": (1, "y")}
    live.apply([Record(id, person(made, *p), START) for id, p in people.items()])
    came = live.advance(START + timedelta(hours=1))
    assert {(t.profile, t.segment) for t in came} == {("yes", "rich"), ("poor", "others")}
    assert {p for p in people if "rich" in live.members(p)} == {"yes"}
    rule = made.project.conditions["rich"]
    assert [p for p, x in people.items() if Evaluator().evaluate(rule, person(made, *x), [], START)] == [
        "yes",
        "silent",
        "no",
    ]


def test_a_change_of_consent_has_its_exact_instant(folder: Path) -> None:
    made = judge(folder)
    live = engine(made)
    given, taken = START + timedelta(hours=3, microseconds=7), START + timedelta(hours=9, microseconds=1)
    live.apply(
        [Record("a", person(made, 5, None), START), Event("a", {"_id": "1", "timestamp": START + timedelta(hours=1)})]
    )
    came = live.apply([Record("a", person(made, 5, "y"), given)])
    came += live.apply([Record("a", person(made, 5, "y", out=True), taken), Advance(taken + timedelta(days=9))])
    assert [(t.segment, t.status, t.at) for t in came] == [
        ("rich", "realized", given),
        ("busy", "realized", given),
        ("rich", "exited", taken),
        ("busy", "exited", taken),
    ]


def test_a_timer_ends_what_consent_let_through(folder: Path) -> None:
    made = judge(folder)
    live = engine(made)
    live.apply([Record("a", person(made, 1, "y"), START), Event("a", {"_id": "1", "timestamp": START})])
    came = live.advance(START + timedelta(days=9))
    assert [(t.status, t.at) for t in came if t.segment == "busy"] == [
        ("realized", START),
        ("exited", START + timedelta(days=2, microseconds=1)),
    ]


def test_a_reference_means_the_rule_and_never_the_audience(folder: Path) -> None:
    """`others` is everybody who is not rich. Somebody rich without consent is not one of them."""
    made = judge(folder)
    live = engine(made)
    live.apply([Record("a", person(made, 5, None), START), Record("b", person(made, 5, "y", out=True), START)])
    assert live.advance(START + timedelta(hours=1)) == []


def test_live_is_batch_and_the_plain_evaluator(folder: Path) -> None:
    made = judge(folder)
    ids = made.governance.destinations["mail"].segments
    people = [person(made, p, e, o) for p in (1, 5) for e in (None, "y", "n", "dy") for o in (False, True)]
    live, at = engine(made), START + timedelta(hours=1)
    live.apply([Record(i, p, START) for i, p in enumerate(people)])
    live.advance(at)
    store = Store.memory(made.environment.schema)
    store.load(enumerate(people), [])
    for id in ids:
        audience = made.environment.audience(made.governed, id, "mail").condition
        query = made.environment.sql([audience], made.project.conditions, "members")
        batch = {r[0] for r in store.query(query.sql(), {"now": at})}
        direct = {i for i, p in enumerate(people) if Evaluator(made.project.conditions).evaluate(audience, p, [], at)}
        assert batch == direct == {i for i in range(len(people)) if id in live.members(i)}, id


RECORDS = [
    {"kind": "profile", "profile": "a", "record": {"points": 5, "consents": {"marketing": {"email": {"val": "y"}}}}, "arrival": "2026-03-01T00:00:00Z"},
    {"kind": "profile", "profile": "b", "record": {"points": 5}, "arrival": "2026-03-01T00:00:01Z"},
    {"kind": "profile", "profile": "a", "record": {"points": 5, "consents": {"marketing": {"email": {"val": "n"}}}}, "arrival": "2026-03-02T00:00:00.000001Z"},
    {"kind": "profile", "profile": "b", "record": {"points": 5, "consents": {"marketing": {"email": {"val": "y"}}}}, "arrival": "2026-03-02T05:00:00Z"},
    {"kind": "advance", "to": "2026-03-03T00:00:00Z"},
]  # fmt: skip


def lines(text: str) -> list[tuple[str, str, str, str]]:
    rows = [json.loads(x) for x in text.splitlines() if x.startswith("{")]
    return [(r["profile"], r["segment"], r["status"], r["at"]) for r in rows]


def stream(*words: str) -> tuple[int, str]:
    return pql("stream", "segments.pql", "--state", "live", "-o", "out.jsonl", "-f", "none", *words)


def test_stream_for_a_destination(folder: Path) -> None:
    write(folder, {"in.jsonl": "".join(json.dumps(r) + "\n" for r in RECORDS)})
    code, said = stream("--events", "in.jsonl", "--for", "mail")
    assert code == 0 and "`rich` for `mail`: left to those with Mail" in said
    wanted = [
        ("a", "rich", "realized", "2026-03-01T00:00:00Z"),
        ("a", "rich", "exited", "2026-03-02T00:00:00.000001Z"),
        ("b", "rich", "realized", "2026-03-02T05:00:00Z"),
    ]
    assert lines((folder / "out.jsonl").read_text()) == wanted
    code, said = pql("verify", "segments.pql", "--state", "live", "--for", "mail")
    assert code == 0 and "all equal" in said
    assert stream("--for", "nowhere", "--events", "in.jsonl")[0] == 2
    # another consent, or none, is another audience: the state says so, and hands over when told to
    write(folder, {"policies/p.yaml": NO_MAIL})
    code, said = stream("--events", "in.jsonl", "--for", "mail")
    assert code == 1 and "not sent: PQL0520: `rich` violates `No mail`" in said
    assert lines((folder / "out.jsonl").read_text()) == wanted
    code, said = stream("--migrate", "--for", "mail")
    assert code == 1
    assert lines((folder / "out.jsonl").read_text()) == [*wanted, ("b", "rich", "exited", "2026-03-03T00:00:00Z")]


def test_stream_for_an_action_takes_all_segments(folder: Path) -> None:
    write(folder, {"in.jsonl": "".join(json.dumps(r) + "\n" for r in RECORDS[:2] + RECORDS[-1:])})
    assert stream("--events", "in.jsonl", "--for", "emailTargeting")[0] == 0
    assert {x[:2] for x in lines((folder / "out.jsonl").read_text())} == {("a", "rich"), ("a", "inside")}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"policies/p.yaml": NO_MAIL}, "PQL0550"),
        ({"policies/p.yaml": "{nam: x}"}, "PQL0550"),
        (
            {
                "consent/mail.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.any\")'}"
            },
            "PQL0551",
        ),
    ],
)
def test_what_becomes_forbidden_stops_a_running_stream(files: dict[str, str], code: str, folder: Path) -> None:
    words = ["stream", "segments.pql", "--events", "-", "--state", "live", "--for", "mail", "-f", "none"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from pql.cli import main; main()", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write("".join(json.dumps(r) + "\n" for r in RECORDS[:2]))
        process.stdin.flush()
        assert lines(process.stdout.readline()) == [("a", "rich", "realized", "2026-03-01T00:00:00Z")]
        time.sleep(0.05)
        write(folder, files)
        process.wait(60)  # standard input is still open: it ends by itself
        rest, said = process.stdout.read(), process.stderr.read()
        assert process.returncode == 1 and f"stopped: {code}" in said, said
        assert lines(rest) == []
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
