"""Messages, sources, outlets and the clock of a stream."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pql.api import streams as api
from pql.runtime.inputs import Transition
from pql.streams.errors import BadMessage, StreamError
from pql.streams.running import transition_line
from pql.streams.sources import LINE_MOST
from tests.streams.project import ENVIRONMENT, day, event, stream, told, write

READER = api.Reader(ENVIRONMENT.schema)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("{", "PQL0634", "no JSON"),
        ("[1]", "PQL0634", "a JSON object is wanted"),
        ("{}", "PQL0634", "nothing names its profile"),
        ('{"kind": "evnt"}', "PQL0634", "did you mean `event`?"),
        ('{"kind": ["event"]}', "PQL0634", "no kind of message"),
        ('{"kind": "merge", "profile": "a", "sorce": "b"}', "PQL0634", "did you mean `source`?"),
        ('{"kind": "merge", "profile": "a"}', "PQL0634", "no `source`"),
        ('{"kind": "delete", "profile": "a", "key": true}', "PQL0634", "`key`: a name is wanted"),
        ('{"kind": "split", "profile": "a", "target": "a"}', "PQL0634", "`target` is the profile itself"),
        ('{"kind": "split", "profile": "a", "target": "b", "keys": "x"}', "PQL0634", "`keys`: a list is wanted"),
        ('{"kind": "advance"}', "PQL0634", "no `to`"),
        ('{"kind": "advance", "to": "soon"}', "PQL0634", "a date-time such as"),
        ('{"kind": "profile", "profile": "a"}', "PQL0634", "no `record`"),
        (
            '{"kind": "profile", "profile": "a", "record": {"xEvent": []}}',
            "PQL0811",
            "events are messages of their own",
        ),
        ('{"kind": "profile", "profile": "a", "record": {"tier": 3}}', "PQL0811", "`profile.tier`: a string is wanted"),
        ('{"profileId": "a", "timestamp": "x"}', "PQL0811", "`event.timestamp`"),
        ('{"profileId": "a", "prize": 1}', "PQL0811", "`event.prize`: the schema has no such field"),
        ('{"profileId": "a", "price": 1e99999999999999999999}', "PQL0811", "`event.price`: the number is out of range"),
        ('{"profileId": {"a": 1}}', "PQL0634", "`profileId`: a name is wanted"),
        ("[" * 5000, "PQL0634", "no JSON"),
        ('{"a":' * 5000, "PQL0634", "no JSON"),
        (json.dumps({"profileId": "x" * 2000}), "PQL0634", "more than 1,000 characters"),
        (" " * 1_000_001, "PQL0634", "more than 1,000,000 bytes"),
    ],
)
def test_a_bad_message_says_what_is_wrong(text: str, code: str, said: str) -> None:
    with pytest.raises(BadMessage, match=".*") as caught:
        READER.read(text.encode())
    assert caught.value.code == code
    assert said in str(caught.value)


@given(st.text(), st.text(), st.integers(1, 10**9), st.datetimes())
def test_a_transition_is_a_line_of_json(profile: str, segment: str, sequence: int, at: datetime) -> None:
    made = Transition(profile, sequence, segment, "exited", at, "timer", "8d1f")
    row = {
        "key": f"{profile}/{sequence}",
        "profile": profile,
        "sequence": sequence,
        "segment": segment,
        "status": "exited",
        "at": f"{at.isoformat()}Z",
        "cause": "timer",
        "version": "8d1f",
        "offset": 7,
    }
    line = transition_line(made, 7)
    assert "\n" not in line
    assert line == json.dumps(row, ensure_ascii=False)


def test_names_may_be_numbers() -> None:
    assert READER.read(b'{"profileId": 7}').profile == "7"  # type: ignore[union-attr]


def test_transitions_of_a_file(tmp_path: Path) -> None:
    file = write(
        tmp_path / "e.jsonl",
        event("a", "1", "2026-01-01T00:00:00Z"),
        "",
        "nonsense",
        event("b", "2", "2026-01-20T00:00:00Z"),
    )
    made = stream(api.Unkept(), api.FileSource(file))
    figures = made.run()
    assert told(made.outlets[api.TRANSITIONS].lines) == [
        ("a", "bought", "realized", "2026-01-01T00:00:00Z", "event"),
        ("a", "bought", "exited", "2026-01-08T00:00:00.000001Z", "timer"),
        ("a", "lapsed", "realized", "2026-01-11T00:00:00.000001Z", "timer"),
        ("b", "bought", "realized", "2026-01-20T00:00:00Z", "event"),
    ]
    (bad,) = map(json.loads, made.outlets[api.QUARANTINE].lines)
    assert (bad["place"], bad["code"], bad["raw"]) == ("line 3", "PQL0634", "nonsense")
    assert (figures.messages, figures.quarantined, figures.transitions, figures.profiles) == (3, 1, 4, 2)


def test_until_leaves_later_messages_for_the_next_run(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"), event("a", "2", "2026-02-01T00:00:00Z"))
    out = api.FileOutlet(tmp_path / "out")
    for until, lines in ((day("2026-01-08T00:00:00Z"), 1), (day("2026-01-08T00:00:00.000001Z"), 2), (None, 5)):
        state = api.SqliteState(tmp_path / "state")
        stream(state, api.FileSource(file), out, until=until).run()
        state.close()
        assert len((tmp_path / "out").read_text().splitlines()) == lines
    causes = [json.loads(line)["cause"] for line in (tmp_path / "out").read_text().splitlines()]
    assert causes == ["event", "timer", "timer", "event", "event"]


def test_a_restart_goes_on_where_it_was_and_a_file_is_not_doubled(tmp_path: Path) -> None:
    first = [event("a", str(i), f"2026-01-{i:02}T00:00:00Z") for i in range(1, 20)]
    file = write(tmp_path / "e.jsonl", *first)
    state = api.SqliteState(tmp_path / "state")
    stream(state, api.FileSource(file), api.FileOutlet(tmp_path / "out")).run()
    state.close()
    with (tmp_path / "out").open("a") as out:
        out.write("a line that was never committed\n")
    write(file, *first, event("b", "x", "2026-01-25T00:00:00Z"))
    state = api.SqliteState(tmp_path / "state")
    figures = stream(state, api.FileSource(file), api.FileOutlet(tmp_path / "out")).run()
    state.close()
    assert figures.messages_here == 1
    lines = told((tmp_path / "out").read_text().splitlines())
    assert [line[:3] for line in lines] == [("a", "bought", "realized"), ("b", "bought", "realized")]


def test_standard_output_is_told_again_what_it_may_not_have_read(tmp_path: Path) -> None:
    class Gone(api.Collected):
        def write(self, lines: list[str]) -> None:
            raise StreamError("PQL0637", "gone")

    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"), event("a", "2", "2026-01-02T00:00:00Z"))
    state = api.SqliteState(tmp_path / "state")
    with pytest.raises(StreamError):
        stream(state, api.FileSource(file), Gone()).run()
    state.close()
    state, out = api.SqliteState(tmp_path / "state"), api.Collected()
    stream(state, api.FileSource(file), out).run()
    state.close()
    assert [t[1] for t in told(out.lines)] == ["bought"]


@pytest.mark.parametrize("change", ["shorter", "other"])
def test_another_file_of_that_name_is_not_guessed_at(tmp_path: Path, change: str) -> None:
    file = write(tmp_path / "e.jsonl", *(event("a", str(i), "2026-01-01T00:00:00Z") for i in range(9)))
    state = api.SqliteState(tmp_path / "state")
    stream(state, api.FileSource(file)).run()
    lines = [event("b", str(i), "2026-01-01T00:00:00Z") for i in range(1 if change == "shorter" else 20)]
    write(file, *lines)
    with pytest.raises(StreamError, match="shorter" if change == "shorter" else "begins otherwise") as caught:
        stream(state, api.FileSource(file)).run()
    assert caught.value.code == "PQL0635"
    assert stream(state, api.FileSource(file)).run(from_start=True).messages_here == len(lines)
    state.close()


def test_a_file_is_followed_and_rotated(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"))
    made = stream(api.Unkept(), api.FileSource(file, follow=True), patience=0.02)
    steps = iter([
        lambda: file.open("a").write(event("b", "2", "2026-01-01T00:00:00Z")[:20]),
        lambda: file.open("a").write(event("b", "2", "2026-01-01T00:00:00Z")[20:] + "\n"),
        lambda: os.replace(write(tmp_path / "new", event("c", "3", "2026-01-02T00:00:00Z")), file),
        lambda: None,
        made.stop,
    ])  # fmt: skip

    made.report = lambda figures: next(steps)()
    figures = made.run()
    assert (figures.messages, figures.quarantined) == (3, 0)


def test_standard_input_and_resume(tmp_path: Path) -> None:
    lines = [event("a", str(i), f"2026-01-{i:02}T00:00:00Z") for i in range(1, 6)]

    def feed(count: int, **options: Any) -> Any:
        reading, writing = os.pipe()
        os.write(writing, "".join(f"{line}\n" for line in lines[:count]).encode())
        os.close(writing)
        made = stream(state, api.InputSource(reading, **options)).run()
        os.close(reading)
        return made

    state = api.SqliteState(tmp_path / "state")
    assert feed(3).messages_here == 3
    assert feed(5, resume=True).messages_here == 2
    state.close()


def test_a_line_without_end_is_cut_and_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_bytes(b"x" * (3 * LINE_MOST) + b"\n" + event("a", "1", "2026-01-01T00:00:00Z").encode())
    made = stream(api.Unkept(), api.FileSource(file))
    figures = made.run()
    assert (figures.messages, figures.quarantined) == (2, 1)
    assert len(made.outlets[api.QUARANTINE].lines[0]) < LINE_MOST + 1_000


def test_a_state_belongs_to_one_stream_and_one_plan(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    with pytest.raises(StreamError) as caught:
        api.SqliteState(tmp_path / "state")
    assert caught.value.code == "PQL0632"
    stream(state, api.NoSource())
    with pytest.raises(StreamError, match="`vip` is new, `gold`, `bought`, `lapsed` are removed") as caught:
        stream(state, api.NoSource(), text='segment vip { where tier = "vip" }')
    assert caught.value.code == "PQL0631"
    state.db.execute("UPDATE meta SET value = '0' WHERE name = 'form'")
    state.close()
    with pytest.raises(StreamError) as caught:
        api.SqliteState(tmp_path / "state")
    assert caught.value.code == "PQL0630"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / api.STATE_FILE).write_text("no database at all, but long enough to be looked at " * 9)
    with pytest.raises(StreamError) as caught:
        api.SqliteState(tmp_path / "other")
    assert caught.value.code == "PQL0633"


def test_a_cut_output_file_is_not_continued(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"))
    state = api.SqliteState(tmp_path / "state")
    stream(state, api.FileSource(file), api.FileOutlet(tmp_path / "out")).run()
    (tmp_path / "out").write_text("{")
    with pytest.raises(StreamError) as caught:
        stream(state, api.FileSource(file), api.FileOutlet(tmp_path / "out")).run()
    assert caught.value.code == "PQL0637"
    (tmp_path / "out").unlink()
    stream(state, api.FileSource(file), api.FileOutlet(tmp_path / "out")).run()
    state.close()


def test_the_wall_clock_moves_an_idle_stream_and_holds_the_future(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"), event("a", "2", "2031-01-01T00:00:00Z"))
    clock = [day("2026-01-02T00:00:00Z")]
    state = api.SqliteState(tmp_path / "state", keep_log=10**14)
    made = stream(
        state,
        api.FileSource(file, follow=True),
        clock="wall",
        lateness=timedelta(hours=1),
        patience=0.01,
        now=lambda: clock[0],
    )

    def pass_time(figures: Any) -> None:
        clock[0] += timedelta(days=4)
        if clock[0] > day("2026-01-12T00:00:00Z"):
            made.stop()

    made.report = pass_time
    made.run()
    assert told(made.outlets[api.TRANSITIONS].lines) == [
        ("a", "bought", "realized", "2026-01-01T00:00:00Z", "event"),
        ("a", "bought", "exited", "2026-01-08T00:00:00.000001Z", "timer"),
    ]
    logged = state.db.execute("SELECT taken, what FROM clock_log ORDER BY rowid").fetchall()
    assert logged[0] == (1, "arrival")
    assert (2, "advance") in logged
    state.close()


def test_an_idle_stream_with_an_open_instant_writes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", event("a", "1", "2026-01-01T00:00:00Z"))
    state, looks, commits = api.SqliteState(tmp_path / "state"), [0], []
    made = stream(state, api.FileSource(file, follow=True), patience=0.01)
    commit, take = made.commit, made._take

    def counted(*words: Any) -> None:
        commits.append(looks[0])
        commit(*words)

    def taken(messages: Any) -> bool:
        looks[0] += 1
        if looks[0] > 20:
            made.stop()
        return take(messages)  # type: ignore[no-any-return]

    made.commit, made._take = counted, taken
    made.run()
    assert looks[0] > 20 and 1 in commits and not [n for n in commits if 1 < n <= 20]
    state.close()


def test_no_thread_is_left(tmp_path: Path) -> None:
    before = threading.active_count()
    source = api.HttpSource("127.0.0.1", 0)
    made = stream(api.Unkept(), source, patience=0.01)
    made.report = lambda figures: made.stop()
    made.run()
    assert threading.active_count() == before
