"""House rules as tests: sizes, docstrings, floors, names."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted((ROOT / "pql").rglob("*.py"))
FLOORS = [
    {"cli", "server", "lsp"},
    {"api"},
    {"ingest", "activation", "streams"},
    {"store"},
    {"identity"},
    {"compiler", "runtime"},
    {"policies"},
    {"check"},
    {"syntax", "xdm", "functions", "ir"},
    {"diagnostics"},
    {"source", "types", "clock", "labels"},
]
LIBRARIES = {
    "lark": {"syntax"},
    "duckdb": {"store"},
    "sqlglot": {"compiler", "functions", "identity", "ingest", "store"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "pql").parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module if node.module != "pql" else f"pql.{node.names[0].name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is"
    assert text.count("\n") <= 600
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, node.name
    assert path.stem not in {"utils", "helpers", "common", "manager", "base_utils"}


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.parent != ROOT / "pql" or p.stem != "__init__"],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_floors(path):
    own = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "pql" and len(parts) > 1 and parts[1] != own:
            assert floor(parts[1]) > floor(own), f"{own} must not import {name}"
        if parts[0] in LIBRARIES:
            assert own in LIBRARIES[parts[0]], f"{parts[0]} is not at home in {own}"
