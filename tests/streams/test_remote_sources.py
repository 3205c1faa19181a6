"""HTTP and NATS: answers after the commit, nothing lost or doubled over restarts."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pql.api import streams as api
from pql.streams.endpoint import BODY_MOST
from pql.streams.errors import StreamError
from tests.streams.project import event, stream

SERVER = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def served(state: Any) -> Iterator[tuple[str, Any]]:
    source = api.HttpSource("127.0.0.1", 0)
    made, ready = stream(state, source, patience=0.02), threading.Event()
    source.opened = lambda port: ready.set()
    source.metrics = lambda: {"messages": made.latest.messages}
    thread = threading.Thread(target=made.run)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{source.port}", made
    finally:
        made.stop()
        thread.join(20)
        assert not thread.is_alive()


def post(url: str, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}/messages", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def test_http_answers_message_by_message(tmp_path: Path) -> None:
    good, bad = event("a", "1", "2026-01-01T00:00:00Z").encode(), b'{"prize": 1}'
    with served(api.Unkept()) as (url, made):
        assert post(url, good) == (202, {"messages": [{"status": 202}]})
        status, answer = post(url, good + b"\n" + bad + b"\n{", "application/x-ndjson")
        assert status == 207
        assert [m["status"] for m in answer["messages"]] == [202, 400, 400]
        assert answer["messages"][1]["code"] == "PQL0811"
        assert post(url, b"[" + good + b"," + good + b"]")[0] == 202
        assert post(url, bad)[0] == 400
        assert post(url, b"")[0] == 400
        assert post(url, b"[1")[0] == 400
        assert post(url, b"[" * 100_000)[0] == 400
        assert post(url, b"[]")[0] == 400
        assert post(url, b" " * (BODY_MOST + 1))[0] == 413
        assert post(url, b"\n".join([b"{}"] * 10_001), "application/x-ndjson")[0] == 413
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as metrics:
            assert json.loads(metrics.read()).keys() == {"messages"}
    assert (made.figures().messages, made.figures().quarantined) == (7, 3)


def test_http_messages_at_once_are_all_taken(tmp_path: Path) -> None:
    state = api.SqliteState(tmp_path / "state")
    with served(state) as (url, made):
        answers: list[int] = []

        def send(n: int) -> None:
            for i in range(5):
                answers.append(post(url, event(f"p{n}", f"{i}", "2026-01-01T00:00:00Z").encode())[0])

        threads = [threading.Thread(target=send, args=(n,)) for n in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(30)
    assert answers == [202] * 30
    assert state.progress().taken == 30
    state.close()


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(StreamError) as caught:
        stream(api.Unkept(), api.HttpSource("127.0.0.1", busy.getsockname()[1])).run()
    assert caught.value.code == "PQL0636"


# --- NATS ---
@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    if SERVER is None:
        pytest.skip("no `nats-server` here: Debian's package has it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [SERVER, "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(tmp_path / "js")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def publish(address: str, lines: list[str], make: bool = False) -> None:
    import nats

    async def work() -> None:
        client = await nats.connect(address)
        context = client.jetstream()
        if make:
            await context.add_stream(name="EVENTS", subjects=["pql.>"])
        for line in lines:
            await context.publish("pql.events", line.encode())
        await client.close()

    asyncio.run(work())


def read(address: str, state: Any, out: Any, enough: int, **options: Any) -> Any:
    """Runs until so many messages were taken in all."""
    made = stream(state, api.NatsSource(f"{address}/EVENTS/pql.events"), out, patience=0.05, **options)
    made.report = lambda figures: made.stop() if figures.messages >= enough else None
    return made.run()


def test_nats_continues_after_the_last_commit(tmp_path: Path, broker: str) -> None:
    lines = [event(f"p{i % 3}", str(i), f"2026-01-{1 + i // 2:02}T00:00:00Z") for i in range(40)]
    publish(broker, [*lines[:15], "nonsense", *lines[15:20]], make=True)
    out = api.FileOutlet(tmp_path / "out")
    for enough, more in ((21, lines[20:40]), (41, [])):
        state = api.SqliteState(tmp_path / "state")
        figures = read(broker, state, out, enough, commit_every=7)
        state.close()
        assert figures.messages == enough
        publish(broker, more)
    assert figures.quarantined == 1
    got = [json.loads(line)["key"] for line in (tmp_path / "out").read_text().splitlines()]
    assert len(got) == len(set(got)) == 3


def test_a_broker_or_stream_that_is_not_there(broker: str) -> None:
    before = threading.active_count()
    for address in (f"{broker}/NOTHING", "nats://127.0.0.1:1/EVENTS"):
        with pytest.raises(StreamError) as caught:
            stream(api.Unkept(), api.NatsSource(address)).run()
        assert caught.value.code == "PQL0636"
    with pytest.raises(StreamError):
        api.NatsSource(broker)
    assert threading.active_count() == before
