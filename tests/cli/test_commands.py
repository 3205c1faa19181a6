"""The commands as a user types them: what the screen says and the exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pql.cli import app, guarded
from pql.cli.waiting import waited
from pql.store.store import StoreError

SCHEMA = """
profile:
  person.name: string
  loyalty: {points: integer, tier: string}
event:
  commerce.order.priceTotal: number
"""
SEGMENTS = """
segment gold "Gold" { where loyalty.tier = "gold" }
segment buyers { where xEvent[eventType = "commerce.purchases"].count() >= 1 }
segment both { where inSegment("gold") and inSegment("buyers") }

test "Bought once" {
  given profile { "loyalty": {"tier": "gold"} }
  at 2026-03-01T10:00:00Z expect not in both
  at 2026-03-02T10:00:00Z event { "eventType": "commerce.purchases" }
  expect in both
}
"""
PEOPLE = [
    {"_id": "sarah", "person": {"name": "Sarah"}, "loyalty": {"points": 120, "tier": "gold"}},
    {"_id": "tom", "loyalty": {"points": "many"}},
    {"_id": "ann"},
]
EVENTS = [
    {"profileId": "sarah", "_id": "1", "timestamp": "2026-03-01T10:00:00Z", "eventType": "commerce.purchases"},
    {"profileId": "ghost", "timestamp": "2026-03-02T10:00:00Z", "eventType": "web.view"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "segments.pql").write_text(SEGMENTS)
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, PEOPLE)) + "\nnot json\n")
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, EVENTS)) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pql(*words: str, input: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words), input=input)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def shop(folder: Path) -> Path:
    code, said = pql("store", "create", "shop.duckdb", "--profiles", "people.jsonl", "--events", "events.jsonl")
    assert code == 1 and "3 profiles (2 loaded), 2 events" in said and "2 lines did not fit" in said
    return folder / "shop.duckdb"


def test_what_does_not_fit_is_set_aside(shop: Path) -> None:
    rejected = [json.loads(line) for line in (shop.parent / "shop.rejected.jsonl").read_text().splitlines()]
    assert [(r["line"], r["reason"].split(":")[0]) for r in rejected] == [(2, "profile.loyalty.points"), (4, "no JSON")]
    assert pql("store", "create", "shop.duckdb", "--profiles", "people.jsonl")[0] == 2


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_an_event_that_stands_there_again_counts_once_and_as_the_last(folder: Path, kind: str) -> None:
    schema = folder / "schema.yaml"
    schema.write_text(SCHEMA.replace("event:", "event:\n  _id: string"))
    one = {**EVENTS[0], "commerce": {"order": {"priceTotal": 5}}}
    events = [one, {**one, "commerce": {"order": {"priceTotal": 7}}}, {**one, "profileId": "ann"}]
    pq.write_table(pa.Table.from_pylist([{"_id": "sarah"}, {"_id": "ann"}]), folder / "p.parquet")
    pq.write_table(pa.Table.from_pylist(events), folder / "e.parquet")
    (folder / "p.jsonl").write_text('{"_id": "sarah"}\n{"_id": "ann"}\n')
    (folder / "e.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in events))
    (folder / "segments.pql").write_text(
        "segment seven { where xEvent.sum(commerce.order.priceTotal) = 7 }\nsegment two { where xEvent.count() > 1 }"
    )
    code, said = pql("store", "create", "s.duckdb", "--profiles", f"p.{kind}", "--events", f"e.{kind}")
    assert code == 0 and "2 profiles (2 loaded), 2 events" in said and "the last one counts): 1" in said
    said = pql("run", "segments.pql", "--store", "s.duckdb", "-f", "json")[1]
    assert [json.loads(line) for line in said.splitlines()] == [{"segment": "seven", "profile": "sarah"}]


def test_parquet_store_gives_the_same(folder: Path) -> None:
    people = [p for p in PEOPLE if p["_id"] != "tom"]
    pq.write_table(pa.Table.from_pylist(people), folder / "people.parquet")
    pq.write_table(pa.Table.from_pylist(EVENTS), folder / "events.parquet")
    code, said = pql("store", "create", "bulk.duckdb", "--profiles", "people.parquet", "--events", "events.parquet")
    assert code == 0 and "3 profiles" in said
    assert json.loads(pql("run", "segments.pql", "--store", "bulk.duckdb", "-f", "json", "--segment", "both")[1]) == {
        "segment": "both",
        "profile": "sarah",
    }


def test_run(shop: Path) -> None:
    code, said = pql("run", "segments.pql", "--store", "shop.duckdb", "--as-of", "2026-03-05")
    assert code == 0 and "gold" in said and "33.3%" in said
    code, said = pql("run", "segments.pql", "--store", "shop.duckdb", "-f", "json")
    assert [json.loads(line)["segment"] for line in said.splitlines()] == ["gold", "buyers", "both"]
    code, said = pql("run", "segments.pql", "--store", "shop.duckdb", "-f", "csv", "-o", "members.csv")
    assert code == 0 and (shop.parent / "members.csv").read_text().splitlines()[1] == "gold,sarah"
    assert pql("run", "segments.pql", "--store", "shop.duckdb", "-f", "parquet", "-o", "m.parquet")[0] == 0
    assert pq.read_table(shop.parent / "m.parquet").num_rows == 3


def test_run_says_what_is_missing(shop: Path) -> None:
    assert pql("run", "segments.pql")[0] == 2
    assert pql("run", "segments.pql", "--store", "people.jsonl")[0] == 2
    code, said = pql("run", "segments.pql", "--store", "shop.duckdb", "--segment", "glod")
    assert code == 2 and "did you mean `gold`" in said
    (shop.parent / "other.yaml").write_text("profile: {x: string}\nevent: {}\n")
    code, said = pql("run", "segments.pql", "--store", "shop.duckdb", "--schema", "other.yaml")
    assert code == 1 or code == 2


def test_one_broken_segment_does_not_hide_the_others(shop: Path) -> None:
    (shop.parent / "more.pql").write_text(
        'segment broken { where nothing = 1 }\nsegment fine { where loyalty.tier = "gold" }\n'
    )
    code, said = pql("run", "more.pql", "--store", "shop.duckdb", "--counts", "-f", "json")
    assert code == 1 and "PQL0201" in said and '"fine"' in said


def test_estimate(shop: Path) -> None:
    code, said = pql("estimate", "-e", "xEvent.count() > 0", "--store", "shop.duckdb")
    assert code == 0 and "2 of 3 profiles" in said
    assert pql("estimate", "-e", "xEvent.count()", "--store", "shop.duckdb")[0] == 2


def test_test_blocks(folder: Path) -> None:
    assert pql("test", "segments.pql") == (0, "1 passed, 0 failed\n")
    (folder / "segments.pql").write_text(SEGMENTS.replace("expect in both", "expect not in both"))
    code, said = pql("test")
    assert code == 1 and "PQL0510" in said and "expected not in `both`" in said and "0 passed, 1 failed" in said
    (folder / "segments.pql").write_text(SEGMENTS.replace('"tier": "gold"', '"tier": 3'))
    code, said = pql("test")
    assert code == 1 and "PQL0811" in said


def test_explain(folder: Path) -> None:
    code, said = pql("explain", "segments.pql", "--segment", "both")
    assert code == 0 and "the person is in the segment `gold`" in said and "through buyers" in said and "SELECT" in said
    code, said = pql("explain", "-e", "loyalty.points > 3", "--format", "json")
    assert json.loads(said)[0]["lineage"][0]["field"] == "loyalty.points"
    assert pql("explain", "PQL9999")[0] == 2
    with (folder / "segments.pql").open("a") as file:
        file.write("segment broken { where loyalty.tier = }\n")
    code, said = pql("explain", "segments.pql", "--segment", "both")
    assert code == 1 and "the person is in the segment `gold`" in said, "what can be explained is"


def test_repl(shop: Path) -> None:
    lines = ["loyalty.points > 3", ":type xEvent.head()", ":load segments.pql", 'inSegment("both")', ":as-of 2026-01-01", ":nope", "loyalty.pints", "xEvent[", 'eventType = "x"].count() > 0', ":quit", "1"]  # fmt: skip
    code, said = pql("repl", "--store", "shop.duckdb", input="\n".join(lines) + "\n")
    assert code == 0
    for wanted in (
        "1 of 3 profiles : boolean",
        "object `event`",
        "segments: gold, buyers, both",
        "as of 2026-01-01",
        "no command `:nope`",
        "did you mean `points`",
        "0 of 3 profiles",
    ):
        assert wanted in said
    assert ": integer" not in said


def test_project_file(shop: Path) -> None:
    (shop.parent / "pql.yaml").write_text("store: shop.duckdb\nzone: Europe/Copenhagen\n")
    assert pql("run", "segments.pql")[0] == 0
    (shop.parent / "pql.yaml").write_text("stor: shop.duckdb\n")
    code, said = pql("run", "segments.pql")
    assert code == 2 and "did you mean `store`" in said


@pytest.mark.parametrize(
    "run",
    ["guarded(lambda: waited(store, 'long', work))", "guarded(app)"],
    ids=["waiting", "command"],
)
def test_an_interrupt_stops_the_statement(tmp_path: Path, run: str) -> None:
    """Ctrl-C during a long statement: exit 130, one word, no trace."""
    program = tmp_path / "long.py"
    program.write_text(
        # A child of a background job inherits an ignored SIGINT, and Python then leaves it ignored: ask for it.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import typer\n"
        "from pql.cli import guarded\nfrom pql.cli.waiting import waited\nfrom pql.api import Environment, Store\n"
        "store = Store.memory(Environment.from_short({'profile': {}, 'event': {}}).schema)\n"
        "def work():\n    print('started', flush=True)\n    return store.query('SELECT sum(a.range * b.range) FROM range(10000000) a, range(1000000) b', {})\n"
        "app = typer.Typer()\napp.command()(lambda: waited(store, 'long', work))\n"
        f"{run}\n"
    )  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        assert running.stdout is not None and running.stdout.readline() == "started\n"
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130 and said == "interrupted\n"


def test_an_interrupted_wait_ends_with_its_work() -> None:
    """When `waited` gives up, nothing runs behind it: the interrupts go on until the work has noticed one."""

    class Stubborn:
        def __init__(self) -> None:
            self.calls, self.gone = 0, threading.Event()

        def interrupt(self) -> None:
            self.calls += 1
            if self.calls == 3:
                self.gone.set()

    store = Stubborn()
    ended: list[bool] = []

    def work() -> None:
        time.sleep(0.2)  # the main thread waits by now
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        store.gone.wait(30)
        ended.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            waited(store, "long", work)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [True] and store.calls == 3


def test_a_person_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads standard input, and the events may be in the profile's document."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    event = {"timestamp": "2026-01-01T00:00:00Z", "eventType": "commerce.purchases"}
    person = {"loyalty": {"points": 7}, "xEvent": [event, event]}
    asked = ["eval", "loyalty.points + xEvent.count()"]
    runner = CliRunner()
    given = runner.invoke(app, [*asked, "--profile", "-"], input=json.dumps(person))
    assert (given.exit_code, given.output) == (0, "9\n")
    (tmp_path / "person.json").write_text(json.dumps(person))
    assert pql(*asked, "--profile", "person.json") == (0, "9\n")
    (tmp_path / "events.json").write_text(json.dumps([event]))
    code, said = pql(*asked, "--profile", "person.json", "--events", "events.json")
    assert code == 2 and "leave one of them out" in said
    given = runner.invoke(app, ["eval", "xEvent.count()", "--events", "-"], input=json.dumps([event]))
    assert (given.exit_code, given.output) == (0, "1\n")
    for text, words in ((b"{", "it is no JSON"), (b"\xff", "not UTF-8"), (b"[" * 100_000, "nested too deeply")):
        given = runner.invoke(app, [*asked, "--profile", "-"], input=text)
        assert given.exit_code == 2 and "<stdin>" in given.output and words in given.output
    code, said = pql(*asked, "--profile", "nobody.json")
    assert code == 2 and "`nobody.json` cannot be read: No such file or directory" in said


def test_lines_as_other_commands_read_them_may_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the person, which the schema need not know, and JSON Lines from standard input."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    line = '{"profileId": "ann", "_id": "%s", "timestamp": "2026-01-01T00:00:00Z"}\n'
    (tmp_path / "events.jsonl").write_text(line % "e1" + line % "e2")
    (tmp_path / "ann.json").write_text('{"_id": "ann", "loyalty": {"points": 7}}')
    asked = ("eval", "loyalty.points + xEvent.count()", "--profile", "ann.json", "--events")
    assert pql(*asked, "events.jsonl") == (0, "9\n")
    given = CliRunner().invoke(app, [*asked, "-"], input=line % "e1")
    assert (given.exit_code, given.output) == (0, "8\n")
    (tmp_path / "events.jsonl").write_text(line % "e1" + (line % "e2").replace("ann", "bo"))
    code, said = pql(*asked, "events.jsonl")
    assert code == 2 and 'not of one profile: `"ann"`, `"bo"`' in said
    (tmp_path / "schema.yaml").write_text(SCHEMA + "  profileId: string\n")
    assert pql("eval", 'xEvent[profileId = "bo"].count()', "--events", "events.jsonl") == (0, "1\n"), (
        "a field of the schema"
    )


def test_counts_as_parquet(shop: Path) -> None:
    target = shop.parent / "counts.parquet"
    assert pql("run", "segments.pql", "--store", str(shop), "--counts", "-f", "parquet", "-o", str(target))[0] == 0
    rows = pq.read_table(target).to_pylist()
    assert [(r["segment"], r["name"]) for r in rows] == [("gold", "Gold"), ("buyers", ""), ("both", "")]
    assert all(isinstance(r["members"], int) and isinstance(r["share"], float) for r in rows)


def test_the_table_of_untitled_segments_has_no_names(shop: Path) -> None:
    (shop.parent / "untitled.pql").write_text('segment gold { where loyalty.tier = "gold" }')
    code, said = pql("run", "untitled.pql", "--store", str(shop), "--as-of", "2026-03-01")
    assert code == 0 and "name" not in said
    assert (
        said.startswith("segments as of 2026-03-01T00:00:00Z\n") and "profiles, one statement" in said.splitlines()[-1]
    )


def test_expression_and_files_are_not_both_read(shop: Path) -> None:
    """One of them would be left out without a word."""
    for command in ("check", "compile", "explain", "estimate"):
        code, said = pql(command, "segments.pql", "-e", "true")
        assert code == 2 and "`-e` is instead of files" in said, command


def test_a_byte_order_mark_is_no_text(shop: Path) -> None:
    """Editors of some systems put one at the start of every file."""
    text = 'segment gold { where loyalty.tier = "gold" }'
    (shop.parent / "marked.pql").write_bytes(text.encode("utf-8-sig"))
    for command in (("check",), ("fmt", "--diff"), ("convert",)):
        code, said = pql(*command, "marked.pql")
        assert "\ufeff" not in said and "feff" not in said, command
        assert code == (1 if "fmt" in command else 0), said


def test_a_sum_out_of_range_is_said_in_our_words(shop: Path) -> None:
    (shop.parent / "huge.json").write_text(json.dumps({"xEvent": [{"commerce": {"order": {"priceTotal": 9e11}}}] * 3}))
    code, said = pql("eval", "xEvent.sum(commerce.order.priceTotal)", "--profile", "huge.json")
    assert code == 2 and said.startswith("error: PQL0601: a sum lies outside its range\n"), said


def test_a_run_names_the_segments_with_a_sum_out_of_range(folder: Path) -> None:
    event = {**EVENTS[0], "commerce": {"order": {"priceTotal": 9e11}}}
    (folder / "events.jsonl").write_text("".join(json.dumps({**event, "_id": str(i)}) + "\n" for i in range(3)))
    (folder / "segments.pql").write_text(
        "segment much { where xEvent.count() = 3 or xEvent.sum(commerce.order.priceTotal) > 5 }\nsegment some { where xEvent.count() > 1 }"
    )
    assert pql("store", "create", "s.duckdb", "--events", "events.jsonl")[0] == 0
    code, said = pql("run", "segments.pql", "--store", "s.duckdb")
    assert code == 2 and "PQL0601: a sum lies outside its range for somebody, in `much`\n" in said, said
    assert "--segment some" in said
    assert pql("stream", "--allow-unbounded", "segments.pql", "--events", "events.jsonl", "--state", "st")[0] == 1
    code, said = pql("verify", "segments.pql", "--state", "st")
    assert code == 0 and "all equal" in said, said


def test_conformance_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    assert pql("conform", "cases")[0] == 2
    case = {"id": "one", "schema": {"profile": {"a": "integer"}}, "expression": "1 + 1", "value": 2}
    (tmp_path / "cases" / "a.jsonl").write_text(json.dumps(case))
    code, said = pql("conform", "cases")
    assert "No such file" not in said and "directory" not in said and code in (0, 1)
    code, said = pql("conform", "nowhere.yaml")
    assert code == 2 and "Errno" not in said


def test_an_interrupt_that_duckdb_found_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A statement in the main thread ends with a RuntimeError then."""

    def interrupted() -> None:
        raise RuntimeError("Query interrupted")

    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    guarded(interrupted)
    assert left == [130] and capsys.readouterr().err == "interrupted\n"
    with pytest.raises(SystemExit):
        guarded(lambda: sys.exit(1))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.IOException("IO Error: Could not read enough bytes from file"), "PQL0605: the store's file is damaged"),
        (duckdb.CatalogException("no such table"), "PQL0605: no such table"),
        (StoreError("PQL0904", "no store"), "PQL0904: no store"),
    ],
)
def test_a_store_that_refuses_is_no_stack_trace(
    capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    def refused() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        guarded(refused)
    assert end.value.code == 2 and f"error: {said}" in capsys.readouterr().err


def test_another_failure_goes_on_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"pql {version('pql')}\n")
