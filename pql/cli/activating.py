"""Who may be addressed for a destination or marketing action: asked when a run or a stream starts, and again while a stream runs.

Read `Activation.ask`, then `Guard`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import typer

from pql.api import Unknown
from pql.cli.governing import Judged, judged, project_folder
from pql.cli.inputs import find_schema, instant, show
from pql.cli.whying import audience_words
from pql.ir import nodes as ir

SECONDS = 1.0
"""How often a running stream looks whether a file has changed."""


@dataclass(frozen=True)
class Activation:
    """`audiences`: segment and consent as one condition, by id. `refused`: why others are not sent. `notes`: what consent leaves."""

    use: str
    audiences: dict[str, ir.Expr] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def ask(cls, near: Path, schema: Path | None, use: str, wanted: Sequence[str]) -> Activation:
        """Of `wanted`, those that the destination names (all for an action), judged by the files as they are now. Whatever the question's
        instant, exemptions are asked about today: one that has ended stays ended. Errors in the files: exit code 2."""
        made = judged(near, schema, instant(None))
        if made.unsound:
            show([d for d in made.found if d.is_error], "text", err=True)
            raise typer.Exit(2)
        destination, actions = audience_words(made, use)
        listed = made.governance.destinations[destination].segments if destination else tuple(wanted)
        chosen = [id for id in wanted if id in made.project.segments]
        chosen = [id for id in chosen if id in listed or made.project.segments[id].display in listed]
        return cls._of(made, use, destination, actions, chosen)

    @classmethod
    def _of(
        cls, made: Judged, use: str, destination: str, actions: tuple[str, ...], chosen: Sequence[str]
    ) -> Activation:
        audiences: dict[str, ir.Expr] = {}
        refused: dict[str, str] = {}
        notes = []
        for id in chosen:
            try:
                audience = made.environment.audience(made.governed, id, destination, actions)
            except Unknown as error:
                refused[id] = f"{error.code}: {error}; {error.help}".rstrip("; ")
                continue
            audiences[id] = audience.condition
            names = ", ".join(c.name for c in audience.consents)
            notes.append(
                f"`{id}` for `{use}`: " + (f"left to those with {names}" if names else "no consent policy applies")
            )
        return cls(use, audiences, refused, tuple(notes))

    def say(self) -> None:
        """On standard error: who is left, and what is not sent."""
        for line in (*(f"not sent: {why}" for why in self.refused.values()), *self.notes):
            typer.echo(line, err=True)
        if not self.audiences and not self.refused:
            typer.echo(f"no segment of these is activated to `{self.use}`", err=True)


class Guard:
    """Asks again while a stream runs, when a file of the project has changed or a new day (UTC) has begun, and stops it when the answer is
    another. `stop` ends the stream; `why` is then what is to be said."""

    def __init__(
        self,
        near: Path,
        schema: Path | None,
        activation: Activation,
        ask: Callable[[], Activation],
        stop: Callable[[], None],
    ) -> None:
        self.folder, self.schema = project_folder(near), find_schema(schema, near)
        self.activation, self.ask, self.stop = activation, ask, stop
        self.why = ""
        self._seen, self._looked = self._files(), time.monotonic()

    def look(self) -> None:
        """Called between batches."""
        if self.why or time.monotonic() - self._looked < SECONDS:
            return
        self._looked = time.monotonic()
        files = self._files()
        if files != self._seen:
            self._seen = files
            self.why = self._changed()
            if self.why:
                self.stop()

    def _changed(self) -> str:
        try:
            now = self.ask()
        except typer.Exit:
            return "PQL0550: the project's files cannot be read any more, so nothing is let through"
        gone = [why for id, why in now.refused.items() if id in self.activation.audiences]
        if gone:
            return "PQL0550: " + "; ".join(gone)
        if now.audiences != self.activation.audiences:
            return f"PQL0551: who may be addressed for `{now.use}` has changed in the files"
        return ""

    def _files(self) -> tuple[object, ...]:
        """The day, and name, time and size of the project's files."""
        found = []
        for root in (self.folder, self.schema if self.schema.is_dir() else self.schema.parent):
            for path in root.rglob("*"):
                if path.suffix.lower() in (".pql", ".yaml", ".yml", ".json") and path.is_file():
                    stat = path.stat()
                    found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return (datetime.now(UTC).date(), *sorted(set(found)))
