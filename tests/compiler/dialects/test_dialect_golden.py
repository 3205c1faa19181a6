"""Every dialect's text of every shape: DuckDB's in full, the others as what differs; and each parses in its dialect.

Write them anew with `PQL_UPDATE_GOLDENS=1 python -m pytest tests/compiler/dialects/test_dialect_golden.py`, and read the difference.
"""

import difflib
import os

import pytest
import sqlglot
from dialect_people import ENVIRONMENT, HERE, SHAPES, refused

from pql.api import Settings
from pql.compiler.dialects import DIALECTS, Refusal, compile_dialect

GOLDEN = [
    "equal", "not_among", "starts", "like_signs", "quotes", "matches", "arithmetic", "decimals", "remainder", "weekday",
    "birthday_month", "joined_window", "joined_week", "map_value", "member_elsewhere", "list_some", "order_total",
    "order_mean", "counted", "pages", "least_page", "same_item", "same_item_exists", "item_total", "items_per_event",
    "profile_in_item", "last_page", "look_back", "excluded", "abandoned", "top",
]  # fmt: skip


def render(id: str, dialect: str) -> str:
    try:
        made = compile_dialect(ENVIRONMENT.check(SHAPES[id]["pql"]).ir, dialect, Settings())
    except Refusal as refusal:
        return f"-- refused: {refusal.construct}: {refusal.reason}\n"
    return f"{made.sql()};\n-- parameters: {', '.join(made.parameters) or 'none'}\n"


def shown(dialect: str) -> str:
    parts = []
    for id in GOLDEN:
        text, base = render(id, dialect), render(id, "duckdb")
        if dialect != "duckdb":
            pairs = [x.replace("`", '"') for x in (base, text)]
            lines = difflib.ndiff(*(p.splitlines() for p in pairs))
            text = "".join(line + "\n" for line in lines if line[0] in "+-") or "-- the same\n"
        parts.append(f"-- {id}: {SHAPES[id]['pql']}\n{text}")
    return "\n".join(parts)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_golden(dialect):
    path = HERE / f"{dialect}.sql"
    if os.environ.get("PQL_UPDATE_GOLDENS"):
        path.write_text(shown(dialect), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_parses(dialect):
    for id in SHAPES:
        if refused(id, dialect):
            continue
        text = compile_dialect(ENVIRONMENT.check(SHAPES[id]["pql"]).ir, dialect, Settings()).sql()
        sqlglot.parse_one(text, read=dialect)
        assert '"".' not in text and "``." not in text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("id", [i for i, s in SHAPES.items() if "refused" in s])
def test_refusals_name_the_construct(id, dialect):
    checked = ENVIRONMENT.check(SHAPES[id]["pql"])
    if not refused(id, dialect):
        assert compile_dialect(checked.ir, dialect, Settings()).columns == ("pid",)
        return
    made = ENVIRONMENT.compile(checked, dialect) if dialect != "duckdb" else None
    if made is None:
        with pytest.raises(Refusal):
            compile_dialect(checked.ir, dialect, Settings())
        return
    (found,) = made.diagnostics
    assert (found.code, made.sql, made.ok) == ("PQL0701", "", False)
    assert f"is not available in `{dialect}`" in found.message
    assert found.source.text[found.span.start : found.span.end]
