"""The sources of a project and what is done with them: load, replay. What faces call through `pql.api`. Read `SourceProject`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.identity.settings import IdentitySettings, read_identity
from pql.ingest.files import BadFile
from pql.ingest.load import Plan, load_file, plan_source
from pql.ingest.source_file import SourceFile, read_source
from pql.source import Source, Span
from pql.store.ledger import Counts
from pql.store.store import Store
from pql.xdm.schema import Schema

Progress = Callable[[str, Path, int, Counts], None]
"""Source, file, bytes read so far, counts so far."""


@dataclass(frozen=True)
class Loaded:
    """One file of a source: its counts, or why it was not read."""

    source: str
    file: Path
    counts: Counts = Counts()
    problem: Diagnostic | None = None


@dataclass(frozen=True)
class SourceProject:
    """Sources by id, in the order of their ids, with what is wrong in their files."""

    folder: Path
    schema: Schema
    sources: dict[str, SourceFile]
    diagnostics: tuple[Diagnostic, ...]
    rules: IdentitySettings

    @classmethod
    def read(
        cls, folder: Path, schema: Schema, places: Sequence[Path] = (), identity: Path | None = None
    ) -> SourceProject:
        """`places`: files and folders with source files; `sources/` when none is named. `identity`: the file with the identity
        settings; `identity.yaml` beside, if it is there, when left out."""
        found: list[Diagnostic] = []
        sources: dict[str, SourceFile] = {}
        files = [f for p in places or (folder / "sources",) for f in (sorted(p.glob("*.yaml")) if p.is_dir() else [p])]
        for file in files:
            source, wrong = read_source(file, schema)
            found += wrong
            if source is None:
                continue
            if source.id in sources:
                found += finding(
                    "PQL0820",
                    f"source `{source.id}` is declared twice: `{sources[source.id].file}` and `{file}`",
                    str(file),
                )
            sources[source.id] = source
        found += _disagreements(sources.values())
        file = identity or folder / "identity.yaml"
        rules, doubts = read_identity(file) if identity or file.is_file() else (IdentitySettings(), ())
        found += doubts
        return cls(folder, schema, dict(sorted(sources.items())), tuple(found), rules)

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)

    def find(self, id: str) -> SourceFile | Diagnostic:
        if id in self.sources:
            return self.sources[id]
        help = did_you_mean(id, self.sources) or "`pql source list` shows the sources"
        return finding("PQL0830", f"there is no source `{id[:80]}`", id, help)[0]

    def plan(self, id: str) -> Plan:
        """Raises BadFile when a look-up cannot be read."""
        source = self.sources[id]
        others = [s for s in self.sources.values() if s.dataset == source.dataset and s.id != id]
        return plan_source(source, self.schema, self.rules, others)

    def load(self, store: Store, ids: Iterable[str] = (), progress: Progress | None = None) -> list[Loaded]:
        """Every file of the sources (of all when none is named), each in a transaction of its own; a file that cannot be
        read does not stop the others. Sources of the format `http` have no files."""
        made: list[Loaded] = []
        for id in ids or self.sources:
            source = self.sources[id]
            if source.format == "http":
                continue
            files = source.files()
            if not files:
                made.append(
                    Loaded(
                        id,
                        Path(source.path),
                        problem=finding("PQL0824", f"source `{id}`: no file matches `{source.path}`", str(source.file))[
                            0
                        ],
                    )
                )
            for file in files:
                made.append(self._file(store, id, file, progress))
        return made

    def _file(self, store: Store, id: str, file: Path, progress: Progress | None) -> Loaded:
        try:
            note = None if progress is None else lambda size, counts: progress(id, file, size, counts)
            return Loaded(id, file, load_file(store, self.plan(id), file, note))
        except BadFile as error:
            return Loaded(id, file, problem=finding("PQL0824", f"`{file}` cannot be read: {error}", str(file))[0])


def finding(code: str, message: str, name: str, help: str = "") -> list[Diagnostic]:
    found = Findings(Source(name, ""))
    found.report(code, Span(0, 0), message, help=help)
    return found.items


def _disagreements(sources: Iterable[SourceFile]) -> list[Diagnostic]:
    """Sources of one dataset that say different things about it."""
    found: list[Diagnostic] = []
    first: dict[str, SourceFile] = {}
    for source in sources:
        other = first.setdefault(source.dataset, source)
        if (other.kind, other.entity) != (source.kind, source.entity):
            message = f"dataset `{source.dataset}` is of kind `{other.kind}` in source `{other.id}` and `{source.kind}` in `{source.id}`"
            found += finding("PQL0820", message, str(source.file))
        if (other.order_by is None) != (source.order_by is None):
            message = f"dataset `{source.dataset}`: `order_by` stands in only one of the sources `{other.id}` and `{source.id}`"
            found += finding("PQL0820", message, str(source.file), "name it in both: their rows are compared by it")
    return found
