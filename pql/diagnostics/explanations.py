"""The long explanations of the register, in Markdown: what it means, an example, what to do."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {}
