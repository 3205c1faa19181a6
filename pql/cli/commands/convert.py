"""`pql convert`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pql.cli.inputs import fail

if TYPE_CHECKING:
    from pql.diagnostics.model import Diagnostic
    from pql.source import Source


def convert(
    file: Annotated[str | None, typer.Argument(help="A `.pql` or JSON file; - reads standard input.")] = None,
    to: Annotated[str, typer.Option("--to", help="json or text.")] = "json",
    expression: Annotated[
        str | None, typer.Option("-e", help="An expression, or a pql/json node, instead of a file.")
    ] = None,
) -> None:
    """Turn PQL text into pql/json, or pql/json into text. Example: pql convert -e 'person.age > 18' --to json"""
    import json

    from pql.syntax.json_document import document_to_text, looks_like_json, read_json, text_to_document, to_json_format

    if to not in ("json", "text"):
        raise fail(f"no form `{to}`", "use `--to json` or `--to text`")
    source = _read(file, expression)
    is_json = looks_like_json(source)
    if to == "text":
        text, found = document_to_text(source) if is_json else _laid_out(source)
    else:
        document, found = read_json(source) if is_json else text_to_document(source)
        if is_json and not found:
            document, found = to_json_format(document, source)
        text = None if found else json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if text is None:
        _show(found)
        raise typer.Exit(1)
    if to == "json" and not is_json:
        _tell_of_comments(source)
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _laid_out(source: Source) -> tuple[str | None, list[Diagnostic]]:
    """Text to text: as `pql fmt` has it."""
    from pql.syntax.format import format_source

    return format_source(source)


def _tell_of_comments(source: Source) -> None:
    from pql.syntax.parser import parse_file

    count = len(parse_file(source)[0].comments)
    if count:
        one = count == 1
        said = f"note: {count} comment{' is' if one else 's are'} left out: pql/json has no place for {'it' if one else 'them'}"
        typer.echo(said, err=True)


def _read(file: str | None, expression: str | None) -> Source:
    from pql.source import Source
    from pql.syntax.format import normal_breaks

    if (file is None) == (expression is None):
        raise fail("one input is wanted", "name a file, `-` for standard input, or give an expression with `-e`")
    if expression is not None:
        return Source("<expression>", expression)
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(str(file)).read_bytes()
        return Source("<stdin>" if file == "-" else str(file), normal_breaks(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise fail(f"`{file}` cannot be read: it is not UTF-8 text") from None
    except OSError as error:
        raise fail(f"`{file}` cannot be read: {error.strerror}") from None


def _show(found: list[Diagnostic]) -> None:
    from pql.diagnostics.render import FORMATS

    color = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    typer.echo(FORMATS["text"](found, color=color), err=True)
