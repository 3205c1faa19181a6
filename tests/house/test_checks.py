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
