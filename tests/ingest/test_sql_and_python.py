"""SQL vouches only for rows on which Python agrees, value by value; whatever it doubts, Python decides."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pql.ingest.compile import compile_mapping
from pql.ingest.evaluate import Evaluator
from pql.ingest.functions import RECORDS, Misfit
from pql.ingest.load import map_record
from pql.ingest.lower import read_expression
from pql.ingest.shapes import JsonFields, Unvectorised
from pql.ingest.tree import Mapping, Target
from pql.store.layout import duckdb_type
from pql.store.store import Store
from pql.types import BOOLEAN, DATE, INTEGER, NUMBER, STRING, TIMESTAMP, Field, ListType, MapType, Type, make_object
from pql.xdm.short import read_short
from pql.xdm.values import write_value

ITEM = make_object("i", {"k": Field("k", STRING), "n": Field("n", INTEGER), "l": Field("l", ListType(STRING))})
DATED = make_object("d", {"k": Field("k", DATE), "n": Field("n", TIMESTAMP), "l": Field("l", ITEM)})
CASES: list[tuple[str, Type]] = [
    ("a", STRING), ("a", INTEGER), ("a", NUMBER), ("a", BOOLEAN), ("a", DATE), ("a", TIMESTAMP), ("a", ListType(STRING)), ("a", ListType(INTEGER)),
    ("a", ListType(ITEM)), ("a", ITEM), ("a", MapType(STRING)), ("a", MapType(ListType(ITEM))), ("o.k", STRING), ("o.n", INTEGER),
    ("lower(trim(a))", STRING), ("upper(a)", STRING), ('concat(a, "-", b)', STRING), ('coalesce(a, b, "x")', STRING), ("to_integer(a)", INTEGER),
    ("to_decimal(a)", NUMBER), ("to_boolean(a)", BOOLEAN), ('date(a, "dd.MM.yyyy")', DATE), ('date(a, "yyyy-M-d")', DATE), ("date(a)", DATE),
    ('timestamp(a, "yyyy-MM-dd HH:mm")', TIMESTAMP), ("timestamp(a)", TIMESTAMP), ('split(a, ":")', ListType(STRING)), ('first(split(a, ":"))', STRING),
    ('iif(a = "x", b, "no")', STRING), ("iif(to_integer(a) > 5, 1, 0)", INTEGER), ('decode(a, "x", "1", "y", "2", "?")', STRING),
    ("substr(a, 1, 2)", STRING), ("left(a, 2)", STRING), ('instr(a, "x")', INTEGER), ('replace(a, "x", "yy")', STRING), ("sha256(a)", STRING),
    ('map(a, x => {"k": x.k, "n": to_integer(x.n)})', ListType(ITEM)), ("map(a, x => lower(x.k))", ListType(STRING)), ("filter(a, x => x = \"x\")", ListType(STRING)),
    ('map(a, x => {"k": x.k, "l": map(x.l, y => upper(y))})', ListType(ITEM)), ('{"p": a, "q": b}', MapType(STRING)), ('[{"k": a}]', ListType(ITEM)),
    ('{"k": a, "n": 5}', ITEM), ("a + b", NUMBER), ("a * 2", NUMBER), ("min(a, b)", NUMBER), ('matches_regex(a, "[a-z]+")', BOOLEAN), ("not a", BOOLEAN),
    ("a and b", BOOLEAN), ("a < b", BOOLEAN), ("is_null(a)", BOOLEAN), ('equals_ignore_case(a, "X")', BOOLEAN), ("first(a)", STRING), ("last(a)", STRING),
    ("format(date(a), \"d/M/yy\")", STRING), ("to_string(a)", STRING), ("trim(o.k)", STRING), ('to_decimal(a, ",", ".")', NUMBER),
    ("a", DATED), ("o", DATED), ("a", ListType(DATED)), ('map(a, x => {"k": x.k, "n": x.n})', ListType(DATED)), ('[{"k": a}, {"n": b}]', ListType(DATED)),
    ('map(a, x => {"k": date(x.k, "yyyy-M-d"), "n": timestamp(x.n)})', ListType(DATED)), ("[a]", ListType(DATE)), ('lower(concat(o.k, "", a))', STRING),
    ('date(trim(coalesce(a, o.k)), "yyyy-M-d")', DATE), ("[to_decimal(a)]", ListType(NUMBER)),
]  # fmt: skip
TEXTS = ["x", "y", "X ", " 1", "12", "7.5", "-3", "1e3", "true", "No", "31.12.2000", "1.1.2000", "2000-02-29", "2001-02-29", "2000-1-2", "null", "", "a:b::c",
         "2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00", "2024-01-01T10:00:00.1234567Z", "2024-01-01 10:00", "1.234,5", "\u0130", "\u00df", "\u00e9\U0001f600", "'", '"',
         "\\", "a\u0000b", "99999999999999999999", "0.0000005", "24:00", "\u00a0z", "\u2028", "\ufeffx"]  # fmt: skip
NUMBERS = [
    0,
    1,
    -1,
    5.0,
    5.5,
    1e3,
    1e22,
    0.1,
    0.0000005,
    2**63,
    2**63 - 1,
    123456789012.1234567,
    1e12,
    345.13,
    -0.0,
    1e-9,
    10**19,
    1.0000005,
]
SIGNS = "aZ09 .:-T\u00c4\u03a3\n"


def scalar(r: random.Random) -> Any:
    kind = r.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return r.random() < 0.5
    if kind < 0.4:
        return r.choice([r.choice(NUMBERS), r.randint(-1000, 1000), round(r.uniform(-1000, 1000), r.randint(0, 8))])
    return r.choice(TEXTS) if kind < 0.9 else "".join(r.choice(SIGNS) for _ in range(r.randint(0, 6)))


def entry(r: random.Random) -> Any:
    made = {k: scalar(r) for k in "knz" if r.random() < 0.7}
    if r.random() < 0.4:
        made["l"] = [r.choice(TEXTS) for _ in range(r.randint(0, 3))] if r.random() < 0.8 else scalar(r)
    return made


def value(r: random.Random) -> Any:
    kind = r.random()
    if kind < 0.6:
        return scalar(r)
    if kind < 0.7:
        return [scalar(r) if r.random() < 0.3 else r.choice(TEXTS) for _ in range(r.randint(0, 3))]
    if kind < 0.8:
        return [entry(r) for _ in range(r.randint(0, 3))]
    return (
        entry(r)
        if kind < 0.9
        else {r.choice(TEXTS): [entry(r)] if r.random() < 0.7 else scalar(r) for _ in range(r.randint(0, 2))}
    )


def record(r: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, part in (("a", value), ("b", scalar), ("o", entry if r.random() < 0.9 else scalar)):
        if r.random() < 0.9:
            made[name] = part(r)
    return made


def mangled(r: random.Random, text: str) -> str:
    """Now and then no strict record any more."""
    kind = r.random()
    if kind > 0.1:
        return text
    if kind < 0.03:  # a key twice
        inner = r.choice(['"a": 1', '"b": "x"', '"z": null', '"o": {}'])
        return f"{{{inner}, {inner}{', ' if text[1] != '}' else ''}{text[1:]}"
    if kind < 0.06:
        return text.replace("}", r.choice([",}", ", }", ",\t\n }"]))
    return r.choice([f"[{text}]", text[:-1], f"{text}{text}", text.replace('"', "'"), "1", "null", "", "{}"])


def mapping(expression: str, kind: Type) -> Mapping:
    node, found = read_expression(expression, "test", [])
    assert not found.items, [d.message for d in found.items]
    return Mapping((Target(("v",), kind, node),))


def plain(value: Any) -> Any:
    """A value of the database or of Python as JSON that can be compared; absent and null are one."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := plain(v)) is not None}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value + 0) if isinstance(value, Decimal) else write_value(value)


@pytest.fixture(scope="module")
def store() -> Store:
    return Store.memory(read_short({"profile": {"v": "string"}})[0])


@pytest.mark.parametrize(("expression", "kind"), CASES, ids=[f"{e} as {k}"[:60] for e, k in CASES])
def test_sql_and_python_agree(store: Store, expression: str, kind: Type) -> None:
    made = mapping(expression, kind)
    root = make_object("", {"v": Field("v", kind)})
    evaluator = Evaluator(made, root)
    try:
        compiled = compile_mapping(made, root, JsonFields())
    except Unvectorised:
        return
    sql = compiled.select.sql("duckdb")
    r = random.Random(expression)
    records = [record(r) for _ in range(400)]
    texts = [mangled(r, json.dumps(x, ensure_ascii=i % 2 == 0)) for i, x in enumerate(records)]
    store.connection.register("incoming", pa.table({"__line": range(len(texts)), "raw": texts}))
    assert compiled.odd is not None
    odd = {line for (line,) in store.connection.execute(compiled.odd.sql("duckdb")).fetchall()}
    vouched = 0
    for line, doubtful, answer in store.connection.execute(sql).fetchall():
        document, refused = map_record(evaluator, texts[line], line)
        if not doubtful and line not in odd:
            vouched += 1
            assert refused is None, (texts[line], refused)
            assert plain(answer) == plain(document.get("v")), texts[line]
    assert vouched > 0, "a mapping that SQL never vouches for is worked out row by row"


def test_every_function_has_an_example_that_holds() -> None:
    root = make_object("", {})
    for record in RECORDS:
        for example in record.examples:
            node, found = read_expression(example.expression, record.name, [])
            assert not found.items, (record.name, [d.message for d in found.items])
            value = Evaluator(Mapping(()), root).value(node, {}, {})
            assert plain_json(value) == plain_json(example.value), example.expression


def plain_json(value: Any) -> Any:
    made = write_value(value)
    return float(made) if isinstance(made, int) and not isinstance(made, bool) else made


def test_the_column_types_are_those_of_the_schema() -> None:
    assert duckdb_type(ITEM).startswith("STRUCT")
    with pytest.raises(Misfit):
        Evaluator(mapping('to_integer("x")', INTEGER), make_object("", {})).value(
            mapping('to_integer("x")', INTEGER).targets[0].node, {}, {}
        )
