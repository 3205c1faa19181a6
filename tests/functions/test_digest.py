"""What the documented language calls valid checks; what it does not is a finding with a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pql.api import Environment

DIGEST = yaml.safe_load((Path(__file__).parent / "digest.yaml").read_text(encoding="utf-8"))
ENVIRONMENT = Environment.from_short(DIGEST["schema"])


@pytest.mark.parametrize("text", [str(t) for t in DIGEST["valid"]])
def test_valid(text: str) -> None:
    checked = ENVIRONMENT.check(text)
    assert [d.message for d in checked.diagnostics if d.is_error] == []
    assert ENVIRONMENT.sql([checked.ir]).sql()


@pytest.mark.parametrize("case", DIGEST["invalid"], ids=lambda c: str(c["pql"]))
def test_invalid(case: dict[str, Any]) -> None:
    codes = [d.code for d in ENVIRONMENT.check(case["pql"]).diagnostics if d.is_error]
    assert codes and case["error"] in ("*", *codes)
