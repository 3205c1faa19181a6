"""Rows that meet nobody go straight into their dataset: mapped and appended by one statement, without being staged. Read `put_straight`.

Whether they met anybody is asked afterwards, by hashes of keys. When one of them did (a key that is stored already, or stands twice in the
chunk, or a hash that two keys share) all of the chunk is taken back, and the chunk is staged and settled as ever. So a file without
copies costs one pass, and what is stored is the same by either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pql.store.known_rows import count, remember
from pql.store.layout import quote
from pql.store.tombstones import has_tombstones

if TYPE_CHECKING:
    from pql.store.datasets import DatasetLoad

STRAIGHT_ROWS = 122_880
"""Rows of a chunk that one thread maps and appends at a time: a row group of the store, so that none is written in parts."""


def may_go_straight(load: DatasetLoad) -> bool:
    """Is it likely that the next chunk meets nobody? Not where rows of a file met others once, nor where people were deleted."""
    if load.spec.mode == "delete" or load.met or has_tombstones(load.connection):
        return False
    return load.chunks > 0 or not count(load, f"SELECT count(*) FROM (SELECT 1 FROM {load.spec.table} LIMIT 1)")


def put_straight(load: DatasetLoad, mapped: str, incoming: pa.Table, strange: Sequence[int]) -> list[int] | None:
    """Append the rows of a chunk that a SELECT over `incoming` (`mapped`, with identities) vouches for; the lines that are left, or None when
    some row met another and nothing was appended.

    `strange`: lines that are left in any case. The statement finds `incoming` by its name in this function.
    """
    spec, run = load.spec, load.connection.execute
    lines = incoming.column("__line").to_numpy()
    if not len(lines):
        return []
    remember(load)
    first, lowest = load.rows, int(lines.min())
    told = ", TRUE AS _told" if load.tells else ""
    fields = "".join(f", {quote(c)}" for c in load.columns if c not in ("_ordered", *(["identityMap"] if told else ())))
    named = "_identities" if spec.is_event else "_key, _primary, _identities"
    unknown = "_id IS NULL OR len(_identities) = 0" if spec.is_event else spec.nobody
    without = f" AND _line NOT IN ({', '.join(map(str, strange))})" if strange else ""
    # `random` keeps the test where it stands: moved down to the source, all that it asks about would be worked out twice. Turning that
    # off with `disabled_optimizers` costs the same and would be the plain word for it, but it holds for the whole statement, where joins with look-ups need the pushdown.
    tested = f"SELECT *, NOT (_doubtful OR _beyond OR {unknown}) AND random() < 2 AS _fit FROM ({mapped})"
    (done,) = run(
        f"""INSERT INTO {spec.table} BY NAME SELECT {first - lowest} + _line AS _row, {load.batch} AS _batch, _line, $at AS _arrived, _ordered,
            {named}{told}{fields} FROM ({tested}) WHERE _fit{without}""",
        {"at": load.arrived},
    ).fetchall()[0]
    load.rows = first + int(lines.max()) - lowest + 1
    load.first, load.offset = first, first - lowest
    remember(load)
    hashes = run(f"SELECT h FROM stored_keys WHERE row >= {first}").fetchnumpy()["h"]
    hashes.sort()  # takes less than counting distinct ones in the database
    twice = (hashes[1:] == hashes[:-1]).any()
    known = twice or count(load, f"""SELECT count(*) FROM (SELECT 1 FROM stored_keys WHERE row < {first}
                                     AND h IN (SELECT h FROM stored_keys WHERE row >= {first}) LIMIT 1)""")  # fmt: skip
    if known:
        take_back(load)
        return None
    load.appended = done
    if done == len(lines):
        return []
    there = run(f"SELECT row FROM stored_keys WHERE row >= {first}").fetchnumpy()["row"]
    left: list[int] = np.setdiff1d(lines, np.asarray(there) - first + lowest).tolist()
    return left


def staged_meet(load: DatasetLoad) -> bool:
    """Do rows of the chunk that were staged after all meet each other, or rows that are stored?"""
    fit = f"(SELECT hash(_key) AS h FROM ready WHERE NOT ({load.spec.nobody}))"
    twice = count(load, f"SELECT count(*) - count(DISTINCT h) FROM {fit}")
    met = f"SELECT count(*) FROM (SELECT 1 FROM stored_keys WHERE h IN (SELECT h FROM {fit}) LIMIT 1)"
    return bool(twice or count(load, met))


def forget(load: DatasetLoad) -> None:
    """Let the next chunk look at the keys of this one again, when there are more of them now."""
    if load.offset is not None:
        load.connection.execute(f"DELETE FROM stored_keys WHERE row >= {load.first}")
        load.remembered = load.first


def take_back(load: DatasetLoad) -> None:
    """Remove what was appended of this chunk; chunks after it are staged."""
    run = load.connection.execute
    run(f"DELETE FROM {load.spec.table} WHERE _row >= {load.first}")
    run(f"DELETE FROM stored_keys WHERE row >= {load.first}")
    load.rows = load.remembered = load.first
    load.appended, load.offset, load.met = 0, None, True
