"""`pql fmt`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pql.cli.inputs import fail, other_files

if TYPE_CHECKING:
    from pql.source import Source


def fmt(
    paths: Annotated[list[str] | None, typer.Argument(help="Files or folders; - reads standard input.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a file would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; print what would change. Exit code as --check.")
    ] = False,
) -> None:
    """Lay out `.pql` files in the one style, comments and meaning unchanged. Example: pql fmt segments/ --check"""
    if paths and "-" in paths:
        if len(paths) > 1:
            raise fail("`-` stands alone: standard input and files cannot be formatted together")
        raise typer.Exit(_standard_input(check, diff))
    changed = broken = 0
    files = _files([Path(p) for p in paths or ["."]])
    for file in files:
        source = _read(file)
        text = _formatted(source) if source is not None else None
        if source is None or text is None:
            broken += 1
        elif text != source.text:
            changed += 1
            if diff:
                typer.echo(_diff(source, text), nl=False)
            elif check:
                typer.echo(f"would reformat: {file}")
            elif not _write(file, text):
                changed, broken = changed - 1, broken + 1
    _summary(changed, len(files) - changed - broken, broken, check or diff)
    raise typer.Exit(2 if broken else 1 if changed and (check or diff) else 0)


def _files(paths: list[Path]) -> list[Path]:
    """The files named, and those in the folders named that end in `.pql`; each once, hidden folders left out."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("*.pql")) if path.is_dir() else [path]
        for file in inside:
            if not any(part.startswith(".") for part in file.relative_to(path).parts):
                found[file] = None
    if not found:
        raise fail("no `.pql` file found", "name a file, or a folder that holds some")
    return list(found)


def _read(file: Path) -> Source | None:
    from pql.source import Source

    try:
        return Source(str(file), file.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        reason, help = "it is not UTF-8 text", ""
    except OSError as error:
        reason, help = str(error.strerror), f"\n  = help: {other_files(file)}"
    typer.echo(f"error: `{file}` cannot be read: {reason}{help}", err=True)
    return None


def _formatted(source: Source) -> str | None:
    from pql.syntax.format import format_source

    text, found = format_source(source)
    if text is None:
        from pql.diagnostics.render import FORMATS

        typer.echo(FORMATS["text"](found, color=sys.stderr.isatty() and "NO_COLOR" not in os.environ), err=True)
    return text


def _write(file: Path, text: str) -> bool:
    """Puts the text in the file's place in one step, so that nobody ever sees half a file; keeps its permissions."""
    import tempfile

    target = file.resolve()
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
        os.chmod(temporary, target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        typer.echo(f"error: `{file}` cannot be written: {error.strerror}", err=True)
        return False
    return True


def _diff(source: Source, text: str) -> str:
    from difflib import unified_diff

    before, after = (t.splitlines(keepends=True) for t in (source.text, text))
    lines = unified_diff(before, after, source.name, f"{source.name} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(changed: int, same: int, broken: int, only_looked: bool) -> None:
    def files(count: int) -> str:
        return f"{count} file{'' if count == 1 else 's'}"

    parts = []
    if changed:
        parts.append(f"{files(changed)} {'would be reformatted' if only_looked else 'reformatted'}")
    if same:
        parts.append(f"{files(same)} {'already formatted' if only_looked else 'left unchanged'}")
    if broken:
        parts.append(f"{files(broken)} could not be formatted")
    typer.echo(", ".join(parts), err=True)


def _standard_input(check: bool, diff: bool) -> int:
    from pql.source import Source

    try:
        source = Source("<stdin>", sys.stdin.buffer.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise fail("standard input cannot be read: it is not UTF-8 text") from None
    text = _formatted(source)
    if text is None:
        return 2
    if diff:
        typer.echo(_diff(source, text), nl=False)
    elif not check:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    return 1 if (check or diff) and text != source.text else 0
