"""The commands of examples/governance/README.md do what it says; the refusal's way out works when followed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "examples" / "governance" / "README.md"


def test_the_readme(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8").replace("/tmp/governance", str(tmp_path / "governance"))
    blocks = re.findall(r"```sh( fails)?\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 6
    said = []
    for fails, commands in blocks:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-ec", commands], cwd=ROOT, env=environment, capture_output=True, text=True)
        said.append(done.stdout + done.stderr)
        assert done.returncode == (1 if fails else 0), f"{commands}\n{said[-1]}"
    refused = said[1]
    for words in (
        "the policy `No advertising on health data` does not allow `crossSiteTargeting`",
        "the partner's contract keeps what the health app says out of advertising",
        "trail: `RHD` on the field `fitness` → read as `fitness.restingPulse` → the definition `at_rest` → the rule (under `not`)",
        "way out: leave out of the segment what reads `fitness.restingPulse` (through the definition `at_rest`)",
        "segments.pql:4:18",
        "schema.yaml:6",
    ):
        assert words in refused or words.split(":")[0] in refused, words
    assert "would stop" in said[2] or "new, and refused" in said[2]
    assert "but not sent to `newsletter`: the consent policy `E-mail needs consent` does not hold" in said[5]
    assert '"allowed": true' in said[6]
