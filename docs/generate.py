"""Writes docs/generated from the code: functions, diagnostics, command line, grammar. `python docs/generate.py`

The test in tests/docs fails when a page is not what this writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import typer.main

from pql.cli import app
from pql.diagnostics.codes import CODES
from pql.functions import FUNCTIONS
from pql.functions.record import Function
from pql.ingest.functions import RECORDS
from pql.types import describe

ROOT = Path(__file__).parent.parent
HEAD = "<!-- written by docs/generate.py; do not edit -->\n\n"


def _signature(f: Function) -> str:
    shapes = []
    for o in f.overloads:
        words = [f"{p.name}: {describe(p.type)}" for p in o.parameters]
        for i in range(o.optional):
            words[-1 - i] += "?"
        shapes.append(f"({', '.join(words)}{'…' if o.variadic else ''}) → {describe(o.result)}")
    return "; ".join(shapes) or "see SEMANTICS"


def functions() -> str:
    out = [HEAD + "# Functions\n\nEvery function is a method of its first argument too: `f(a, b)` is `a.f(b)`.\n"]
    for category in dict.fromkeys(f.category for f in FUNCTIONS.values()):
        out.append(
            f"\n## {category.capitalize()}\n\n| name | arguments → result | meaning | example |\n| --- | --- | --- | --- |\n"
        )
        for f in (f for f in FUNCTIONS.values() if f.category == category):
            shown = "; ".join(
                f"`{e.pql}` → `{json.dumps(e.value, ensure_ascii=False)}`" for e in f.examples[:1]
            ).replace("|", "\\|")
            marks = (
                "" if f.documented else " *(extension)*" if f.available_in == "pql" else " *(personalization library)*"
            )
            out.append(f"| `{f.name}` | {_signature(f)} | {f.doc}{marks} | {shown} |\n")
    return "".join(out)


def mapping() -> str:
    out = [HEAD + "# Mapping functions\n\nWhat the mappings of sources may call. `map(list, x => …)`, `filter(list, x => …)`, `to_array(…)` and\n"
           "`lookup(table, key, field)` belong to the syntax of mappings.\n"]  # fmt: skip
    for category in dict.fromkeys(r.category for r in RECORDS):
        out.append(f"\n## {category.capitalize()}\n\n| function | meaning | example |\n| --- | --- | --- |\n")
        for r in (r for r in RECORDS if r.category == category):
            name = f"`a {r.name} b`" if r.operator else f"`{r.signature}`"
            also = f" Also: {', '.join(f'`{n}`' for n in r.also)}." if r.also else ""
            shown = "; ".join(f"`{e.expression}` → `{json.dumps(e.value, ensure_ascii=False)}`" for e in r.examples[:1])
            out.append(f"| {name} | {r.doc}{also} | {shown} |\n")
    return "".join(out)


def diagnostics() -> str:
    rows = (f"| {c.code} | {c.severity.value} | {c.title} |\n" for c in CODES.values())
    pages = (f"\n## {c.code}: {c.title}\n\n{c.explanation.strip()}\n" for c in CODES.values())
    return HEAD + "# Diagnostics\n\n| code | severity | title |\n| --- | --- | --- |\n" + "".join(rows) + "".join(pages)


def command_line() -> str:
    group = typer.main.get_command(app)
    out = [HEAD + "# Command line\n\nExit codes: 0 fine, 1 findings, 2 could not run.\n"]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        for path, c in [(f"{name} {n}", c) for n, c in sorted(inner.items())] if inner else [(name, command)]:
            out.append(f"\n## pql {path}\n\n{(c.help or '').strip()}\n\n| option | meaning |\n| --- | --- |\n")
            for p in c.params:
                names = (
                    ", ".join(f"`{o}`" for o in (*p.opts, *p.secondary_opts))
                    if p.param_type_name == "option"
                    else f"`{p.name.upper()}`"
                )
                out.append(f"| {names} | {getattr(p, 'help', '') or ''} |\n".replace("\n |", " |"))
    return "".join(out)


def grammar() -> str:
    text = (ROOT / "pql" / "grammar.lark").read_text(encoding="utf-8")
    return HEAD + "# Grammar\n\nThe one grammar, as Lark reads it.\n\n```\n" + text + "```\n"


PAGES = {
    "functions": functions,
    "mapping": mapping,
    "diagnostics": diagnostics,
    "cli": command_line,
    "grammar": grammar,
}


def main() -> None:
    folder = ROOT / "docs" / "generated"
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
