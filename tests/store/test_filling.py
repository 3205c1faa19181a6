"""What goes wrong in the database is a StoreError with its code, wherever it happens."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest

from pql.store.filling import fill_lines
from pql.store.graph_reading import reading
from pql.store.store import Store, StoreError
from pql.xdm.short import read_short

SCHEMA, _ = read_short({"profile": {"city": "string"}, "event": {"x": "string"}})


def test_a_refusal_at_the_end_of_filling_from_lines(tmp_path: Path) -> None:
    store = Store.memory(SCHEMA)
    store.connection.execute("DROP TABLE event")
    with pytest.raises(StoreError) as caught:
        fill_lines(store, None, None, io.StringIO())
    assert caught.value.code == "PQL0605" and "event" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "code"), [(duckdb.OutOfMemoryException, "PQL0603"), (duckdb.CatalogException, "PQL0605")]
)
def test_a_graph_that_cannot_be_read(error: type[duckdb.Error], code: str) -> None:
    store = Store.memory(SCHEMA)
    with pytest.raises(StoreError) as caught, reading(store):
        raise error("no\nmore")
    assert caught.value.code == code and str(caught.value) == "no"
    with pytest.raises(duckdb.Error):
        store.connection.execute("SELECT 1")
