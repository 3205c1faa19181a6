"""The one "did you mean" of the project: the nearest of the names that exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice

CUTOFF = 0.6
MOST_CANDIDATES = 2000


def nearest(name: str, candidates: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Up to `most` candidates that look like `name`, best first; case is ignored, ties go by the alphabet."""
    wanted = name.lower()
    scored = []
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    for candidate in islice(candidates, MOST_CANDIDATES):
        matcher.set_seq1(candidate.lower())
        if matcher.real_quick_ratio() < CUTOFF or matcher.quick_ratio() < CUTOFF:
            continue
        score = matcher.ratio()
        if score >= CUTOFF:
            scored.append((-score, candidate))
    return tuple(candidate for _, candidate in sorted(scored)[:most])


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A help line, or an empty string when nothing is near."""
    near = nearest(name, candidates)
    if not near:
        return ""
    words = [f"`{n}`" for n in near]
    return "did you mean " + (words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]) + "?"
