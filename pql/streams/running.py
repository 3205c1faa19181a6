"""The stream: takes messages, applies them, commits, hands over, answers; again. Read `Stream.run`.

One micro-batch is one commit: profile states, position, transitions. What is told to anybody was committed before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pql.runtime.hosting import instant_of
from pql.runtime.inputs import Advance, AttributeChange, Event, Input, Transition
from pql.streams.errors import BadMessage
from pql.streams.messages import Reader, write_exactly, write_message
from pql.streams.outlets import Outlet
from pql.streams.shard import Shard
from pql.streams.sources import Message, Source
from pql.streams.state import (
    ATTRIBUTES,
    QUARANTINE,
    TRANSITIONS,
    Commit,
    GraphKnown,
    Logged,
    Progress,
    State,
    Written,
    micros,
)

if TYPE_CHECKING:
    from pql.streams.following import Graph

PART = 20_000
"""Changed profiles after which a long advance is committed on the way."""
RAW_MOST = 1_000_000
_text = json.encoder.encode_basestring
"""A string as JSON, not in ASCII."""
REPORT_SECONDS = 0.1
LEAP = timedelta(days=366)
"""An event that moves the clock by more is spoken of: it is more likely to be dated wrongly than to come after such a pause."""


def wall_clock() -> datetime:
    """Now, as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Options:
    """`until`: stop before the first later message, and move the clock there. `clock`, `lateness`: docs/STREAMING.md."""

    commit_every: int = 1_000
    until: datetime | None = None
    clock: Literal["event", "wall"] = "event"
    lateness: timedelta = timedelta(seconds=10)
    patience: float = 0.2


@dataclass(frozen=True)
class Figures:
    """What a stream shows of itself. Counts are those of the state's life, `here` those of this run."""

    messages: int
    transitions: int
    quarantined: int
    profiles: int
    timers: int
    state_bytes: int
    clock: datetime
    messages_here: int = 0
    transitions_here: int = 0
    quarantined_here: int = 0
    deleted_here: int = 0
    failures_here: int = 0
    seconds: float = 0.0
    waiting: int | None = None
    lag_seconds: float | None = None
    graph_behind: bool | None = None
    changes: int = 0


@dataclass
class _Batch:
    """What has been done since the last commit."""

    logged: list[Logged] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=lambda: {TRANSITIONS: [], QUARANTINE: [], ATTRIBUTES: []})
    clock_log: list[tuple[int, str, int]] = field(default_factory=list)


class Stream:
    """`outlets`: for `transitions`, `quarantine` and, when the plan has some, `attributes`. `report`: called with figures now and then. `latest`: those figures.
    `graph`: a store's, that is followed. `leapt`: told once in a run, of the first event that moves the clock very far: the message, the event, and
    the clock before."""

    def __init__(
        self,
        shard: Shard,
        state: State,
        source: Source,
        reader: Reader,
        outlets: Mapping[str, Outlet],
        options: Options | None = None,
        now: Callable[[], datetime] = wall_clock,
        report: Callable[[Figures], None] | None = None,
        graph: Graph | None = None,
        leapt: Callable[[Message, Event, datetime], None] | None = None,
    ) -> None:
        self.shard, self.state, self.source, self.reader, self.outlets = shard, state, source, reader, outlets
        self.options, self.now, self.report, self.leapt = options or Options(), now, report, leapt
        progress = state.progress()
        self.taken = progress.taken
        self.made = {
            TRANSITIONS: progress.transitions,
            QUARANTINE: progress.quarantined,
            ATTRIBUTES: progress.changes,
        }
        self.begun = {**self.made, "messages": self.taken}
        self.failures = self.deleted = 0
        self.graph = graph
        self._position: str | None = None
        self._batch = _Batch()
        self._written: dict[str, Written] = {}
        self.stopping = False
        self._started, self._told = time.monotonic(), 0.0
        self.latest = self.figures()

    def stop(self) -> None:
        """End after the batch that is being done. May be called from a signal handler or another thread."""
        self.stopping = True

    def run(self, from_start: bool = False) -> Figures:
        """Until the source ends, `until` is reached, or `stop`. Everything is committed and handed over then."""
        try:
            self._open_outlets()
            self.follow_graph()
            self.commit()
            self._position = None if from_start else self.state.position(self.source.name)
            self.source.open(self._position)
            while not self.stopping:
                messages = self.source.take(self.options.commit_every, self.options.patience)
                if messages is None or not self._take(messages):
                    self._finish()
                    break
                self.follow_graph()
                self._tell()
            self._settle()
            return self.figures()
        finally:
            self.source.close()
            if self.graph is not None:
                self.graph.close()
            for outlet in self.outlets.values():
                outlet.close()

    # --- the store's graph ---
    def follow_graph(self) -> None:
        """What a store's graph says otherwise, if it is time to look, happens at the clock's instant. To be called after a commit."""
        if self.graph is None or (store := self.graph.look()) is None:
            return
        from pql.store.graph_reading import reading
        from pql.store.store import StoreError

        try:
            with reading(store):
                change = self.graph.change(store, self.shard)
                if change is not None:
                    for inputs in change.stages():
                        if self._batch.logged:
                            self.commit()
                        for item, live in inputs:
                            self._take_over(item, live)
                    erased = change.erased
                    if self._batch.logged and erased is not None:
                        self.commit()
                    known = change.known()
                    if erased is not None:
                        self._emit(self.shard.erase(erased), self.taken)
                        if self.shard.clock > datetime.min:
                            self._batch.clock_log.append((self.taken, "advance", micros(self.shard.clock)))
                    self.commit(known, None if erased is None else sorted(erased))
        except StoreError:
            self.graph.failed()
        else:
            self.graph.done()

    def _take_over(self, item: Input, live: bool) -> None:
        """An input that is no message. Many are committed on the way: found again, they change nothing."""
        profiles = tuple(str(p) for n in ("profile", "source", "target") if (p := getattr(item, n, None)) is not None)
        self._batch.logged.append(Logged(self.taken, micros(self.shard.clock), profiles, write_message(item)))
        self._apply(item, counts=False, live=live)
        if len(self._batch.logged) >= PART:
            self.commit()

    # --- messages ---
    def _take(self, messages: list[Message]) -> bool:
        """A batch, committed. False: a message is later than `until`, and neither it nor any after it was taken."""
        read, ended = self._read(messages)
        settling = self._last_to_leave(messages, read)
        self.shard.fetch(item for item in read if not isinstance(item, BadMessage))
        for number, (message, item) in enumerate(zip(messages, read, strict=False)):
            if isinstance(item, BadMessage):
                self._set_aside(message, item)
                self.taken += 1
            else:
                self._apply(item, settles=number == settling)
            self._position = message.position
        if not ended and len(messages) < self.options.commit_every:
            self._follow_wall_clock()
        if read or self._batch.clock_log or self.shard.waiting:
            self.commit()
        if messages:
            self.source.answer([(i.code, str(i)) if isinstance(i, BadMessage) else None for i in read])
        return not ended

    def _read(self, messages: list[Message]) -> tuple[list[Input | BadMessage], bool]:
        """The inputs of messages, up to the first that is later than `until`; is there one?"""
        found: list[Input | BadMessage] = []
        for message in messages:
            try:
                item = self._timed(self.reader.read(message.raw), len(found))
            except BadMessage as bad:
                found.append(bad)
                continue
            if self._is_later(item):
                return found, True
            found.append(item)
        return found, False

    def _last_to_leave(self, messages: list[Message], items: list[Input | BadMessage]) -> int | None:
        """The number of the last input that ends an instant: what comes after it is open when the batch is committed."""
        clock, last = self.shard.clock, None
        for number, item in enumerate(items):
            if not isinstance(item, BadMessage):
                to = instant_of(item)
                if self.shard.leaves(item, to, clock):
                    last = number
                if to is not None and to > clock:
                    if (
                        self.leapt is not None
                        and clock > datetime.min
                        and to - clock > LEAP
                        and isinstance(item, Event)
                    ):
                        self.leapt(messages[number], item, clock)
                        self.leapt = None
                    clock = to
        return last

    def _apply(self, item: Input, counts: bool = True, settles: bool = True, live: bool = True) -> None:
        for transitions in self.shard.reach(item, settles):
            self._emit(transitions, self.taken + counts)
            if self.shard.changed > PART and self.shard.settled:
                self.commit()
        self._emit(self.shard.take(item, settles, live), self.taken + counts)
        self.taken += counts

    def _emit(self, transitions: list[Transition], offset: int) -> None:
        if transitions:
            self._batch.lines[TRANSITIONS] += [transition_line(t, offset) for t in transitions]
        if self.shard.changes:
            self._batch.lines[ATTRIBUTES] += [change_line(c, offset) for c in self.shard.changes]
            self.shard.changes.clear()
        if not self.shard.failures:
            return
        for failure in self.shard.failures:
            self.failures += 1
            row = {
                "code": failure.code,
                "reason": failure.message,
                "profile": failure.profile,
                **({"attribute": failure.attribute} if failure.attribute else {"segment": failure.segment}),
            }
            self._batch.lines[QUARANTINE].append(
                json.dumps({**row, "at": f"{failure.at.isoformat()}Z"}, ensure_ascii=False)
            )
        self.shard.failures.clear()

    def _set_aside(self, message: Message, bad: BadMessage) -> None:
        """A line of the quarantine; nothing of what was said of a deleted person is kept."""
        gone = bad.code == "PQL0847"
        self.deleted += gone
        raw = "" if gone else message.raw[:RAW_MOST].decode("utf-8", "replace")
        row = {"source": self.source.name, "place": message.place, "code": bad.code, "reason": str(bad), "raw": raw}
        row |= {"state": "deleted"} if gone else {}
        self._batch.lines[QUARANTINE].append(json.dumps(row, ensure_ascii=False))

    def _is_later(self, item: Input) -> bool:
        if self.options.until is None:
            return False
        at = instant_of(item)
        return at is not None and at > self.options.until

    # --- the clock ---
    def _timed(self, item: Input, after: int) -> Input:
        """With the wall clock, an event from the future happens when it arrives."""
        if self.options.clock == "event" or not isinstance(item, Event) or item.arrival is not None:
            return item
        stamp, now = item.document.get("timestamp"), self.now()
        if stamp is None or stamp <= now:
            return item
        arrival = max(self.shard.clock, now)
        self._batch.clock_log.append((self.taken + after, "arrival", micros(arrival)))
        return replace(item, arrival=arrival)

    def _follow_wall_clock(self) -> None:
        """The source has nothing more: what is due by the wall clock, less the lateness, is due."""
        if self.options.clock == "event":
            return
        to = self.now() - self.options.lateness
        if self.options.until is not None:
            to = min(to, self.options.until)
        if self.shard.has_work(to):
            self._advance(to)

    def _advance(self, to: datetime) -> None:
        self._batch.clock_log.append((self.taken, "advance", micros(to)))
        self._apply(Advance(to), counts=False)

    def _finish(self) -> None:
        """The end of the source closes the clock's instant; or `until` is reached."""
        to = self.options.until or self.shard.clock
        if to > self.shard.clock or self.shard.has_work(to):
            self._advance(to)
            self.commit()

    # --- commits ---
    def commit(self, graph: GraphKnown | None = None, erased: list[str] | None = None) -> None:
        """Everything done so far, in one transaction; then the lines are handed over. `graph`: what is known of it from now on;
        `erased`: profiles of which nothing may stay; None: nobody was deleted."""
        batch, self._batch = self._batch, _Batch()
        for name, lines in batch.lines.items():
            self.made[name] += len(lines)
        rows = self.shard.rows()
        progress = self._progress()
        positions = {} if self._position is None else {self.source.name: self._position}
        pending, closed = self.shard.open_inputs()
        history, self.shard.history = self.shard.history, []
        self.state.commit(
            Commit(
                progress,
                rows,
                positions,
                batch.lines,
                self._written,
                batch.clock_log,
                history,
                pending,
                closed,
                self._identities(),
                graph,
                batch.logged,
                erased,
            )
        )
        self._hand_over(batch.lines)
        self.shard.let_go()

    def _identities(self) -> list[tuple[str, str, str]]:
        """Those that the reader's owner came to know."""
        found = getattr(self.reader.owner, "fresh", None)
        if not found:
            return []
        known = list(found)
        found.clear()
        return known

    def _hand_over(self, lines: Mapping[str, list[str]]) -> None:
        self._written = {}
        for name, made in lines.items():
            if made and name in self.outlets:
                self.outlets[name].write(made)
                self._written[name] = self._mark(name)

    def _mark(self, name: str) -> Written:
        outlet = self.outlets[name]
        return Written(self.made[name], outlet.length, outlet.target)

    def _open_outlets(self) -> None:
        """Hands over what the last run may not have; from then on the state knows where each outlet stands."""
        pending = {name: self.state.pending(name) for name in self.outlets}
        for name, (written, _) in pending.items():
            self.outlets[name].open(written)
        marks = {
            name: Written(w.line, self.outlets[name].length, self.outlets[name].target)
            for name, (w, _) in pending.items()
        }
        self.state.commit(Commit(self.state.progress(), written=marks))
        self._hand_over({name: lines for name, (_, lines) in pending.items()})

    def _settle(self) -> None:
        """The last lines are known to have been handed over."""
        if self._written:
            self.state.commit(Commit(self.state.progress(), written=self._written))
            self._written = {}

    # --- figures ---
    def _progress(self) -> Progress:
        made = self.made
        return self.shard.progress(self.taken, made[TRANSITIONS], made[QUARANTINE], made[ATTRIBUTES])

    def figures(self) -> Figures:
        progress = self._progress()
        clock = self.shard.clock
        lag = (self.now() - clock).total_seconds() if self.options.clock == "wall" and clock > datetime.min else None
        return Figures(
            progress.taken,
            progress.transitions,
            progress.quarantined,
            progress.profiles,
            progress.timers,
            self.state.size(),
            clock,
            self.taken - self.begun["messages"],
            self.made[TRANSITIONS] - self.begun[TRANSITIONS],
            self.made[QUARANTINE] - self.begun[QUARANTINE],
            self.deleted,
            self.failures,
            time.monotonic() - self._started,
            self.source.waiting(),
            lag,
            None if self.graph is None else self.graph.behind,
            progress.changes,
        )

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= REPORT_SECONDS:
            self._told, self.latest = now, self.figures()
            if self.report is not None:
                self.report(self.latest)


def transition_line(t: Transition, offset: int) -> str:
    """A transition as a JSON line. `offset`: the number of the message at which it was found."""
    profile = str(t.profile)
    named = _text(profile) if isinstance(t.profile, str) else profile
    return (
        f'{{"key": {_text(f"{profile}/{t.sequence}")}, "profile": {named}, "sequence": {t.sequence}, '
        f'"segment": {_text(t.segment)}, "status": "{t.status}", "at": "{t.at.isoformat()}Z", "cause": "{t.cause}", '
        f'"version": {_text(t.version)}, "offset": {offset}}}'
    )


def change_line(c: AttributeChange, offset: int) -> str:
    """A change of an attribute as a JSON line."""
    row = {
        "key": c.key,
        "profile": c.profile,
        "sequence": c.sequence,
        "attribute": c.attribute,
        "value": c.value,
        "at": c.at,
    }
    return write_exactly({**row, "cause": c.cause, "version": c.version, "offset": offset})
