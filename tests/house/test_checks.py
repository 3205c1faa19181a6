"""`make check` as tests: layout, lint, floors, types."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
COMMANDS = {
    "format": ["ruff", "format", "--check", "pql", "tests", "benchmarks"],
    "lint": ["ruff", "check", "pql", "tests", "benchmarks"],
    "floors": ["lint-imports"],
    "types": ["mypy"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_check(name):
    tool, *words = COMMANDS[name]
    done = subprocess.run([str(BIN / tool), *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_starts_light():
    """`pql --help` loads no room but the commands: what a command needs is imported when it runs."""
    heavy = ["lark", "sqlglot", "duckdb", "pyarrow", "pydantic", "yaml", "rich", "fastapi", "numpy", "msgspec"]
    rooms = [p.name for p in (ROOT / "pql").iterdir() if p.is_dir() and p.name not in ("cli", "__pycache__")]
    code = f"import sys, pql.cli; print([m for m in {heavy} + ['pql.' + r for r in {rooms}] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
