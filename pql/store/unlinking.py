"""Unlinking: a recorded decision that two identities are not one person. Read `unlink`."""

from __future__ import annotations

from datetime import UTC, datetime

from pql.identity.settings import IdentitySettings, split_name
from pql.store.layers import make_layers
from pql.store.store import Store, StoreError


def unlink(store: Store, one: str, two: str, reason: str, settings: IdentitySettings) -> bool:
    """Keep two identities (`namespace:value`) apart from now on; stitch anew afterwards. False when they already were.

    Raises StoreError PQL0845 when one is no identity of the store, or both are the same.
    """
    make_layers(store.connection)
    run = store.connection.execute
    parts = []
    for word in (one, two):
        found = split_name(word, settings)
        if found is None or not run("SELECT 1 FROM graph.node WHERE namespace = ? AND id = ?", list(found)).fetchone():
            raise StoreError("PQL0845", f"there is no identity `{word}`")
        parts.append(found)
    if parts[0] == parts[1]:
        raise StoreError("PQL0845", f"`{one}` and `{two}` are the same identity")
    (a, x), (b, y) = sorted(parts)
    known = "SELECT 1 FROM graph.unlinked WHERE (namespace_a, id_a, namespace_b, id_b) = (?, ?, ?, ?)"
    if run(known, [a, x, b, y]).fetchone():
        return False
    run(
        "INSERT INTO graph.unlinked VALUES (?, ?, ?, ?, ?, ?)",
        [a, x, b, y, datetime.now(UTC).replace(tzinfo=None), reason],
    )
    return True
