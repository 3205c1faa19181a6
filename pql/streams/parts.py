"""Who is part of whom, while a look at the store's graph goes on: as the state has it, and as the engine has it since. Read `Parts`."""

from __future__ import annotations

from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState


class Parts:
    """The state does not know yet what happened at the open instant, the engine does not know who is not loaded. To be made anew when
    others were merged."""

    def __init__(self, state: SqliteState, shard: Shard) -> None:
        self.state, self.shard = state, shard
        self._sources = shard.sources()

    def of(self, profile: str) -> list[str]:
        """Who is part of a profile, directly or not, in the order of their names."""
        found, new = set[str](), {profile}
        while new:
            new = {p for n in new for p in (*self.state.merged_into(n), *self._sources.get(n, ()))} - found - {profile}
            found |= new
        return sorted(p for p in found if self.shard.is_part(p, profile))
