"""What a change of labels, policies, consent, segments, mappings or merge policies would stop or allow. Read `compare`.

Both sides are judged anew from their files; nothing is remembered.
"""

from __future__ import annotations

from pql.policies.accepted import Change, since, standings
from pql.policies.govern import Governed


def compare(old: Governed, new: Governed) -> tuple[Change, ...]:
    """Over all segments, purposes and destinations: what becomes forbidden first."""
    return since(standings(old), standings(new))
