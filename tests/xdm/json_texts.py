"""JSON of a type with all that a type can have: as it should be, and wild. Read `texts`."""

from __future__ import annotations

import json
from decimal import Context, Decimal

from hypothesis import strategies as st

from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    Field,
    ListType,
    MapType,
    ObjectType,
    Type,
    make_object,
)


def obj(**fields: Type) -> ObjectType:
    return make_object("o", {n: Field(n, t) for n, t in fields.items()})


SCALARS = obj(
    text=STRING, yes=BOOLEAN, whole=INTEGER, number=NUMBER, double=DOUBLE, day=DATE, at=TIMESTAMP, **{"a b/ü'": NUMBER}
)
KIND = obj(
    **dict(SCALARS.fields and {n: f.type for n, f in SCALARS.fields.items()}),
    inner=SCALARS,
    items=ListType(SCALARS),
    numbers=ListType(NUMBER),
    grid=ListType(ListType(TIMESTAMP)),
    prices=MapType(NUMBER),
    people=MapType(SCALARS),
    maps=MapType(MapType(NUMBER)),
    segmentMembership=MapType(MapType(obj(status=STRING, at=TIMESTAMP))),
    plain=MapType(ListType(obj(id=STRING))),
    empty=obj(),
)

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.integers(-100, 100).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from([
        "0.0000005", "-0.0000005", "0.00000049999", "-0.0", "-0", "1e12", "999999999999.9999994", "999999999999.9999999", "-1e12",
        "1e-7", "5e-7", "1e400", "1e-400", "123456789012.1234565", "1000000000000", "999999999999", "1e99999999999999999999",
    ]),
)  # fmt: skip
INSTANTS = st.one_of(
    st.builds(
        "{}{}{}{}{}".format,
        st.dates().map(str),
        st.sampled_from("TTTTTTTTt _"),
        st.times().map(lambda t: t.replace(microsecond=0).isoformat()),
        st.sampled_from(["", "", ".5", ".123", ".123456", ".1234567", ".9999999999", ".", ",5"]),
        st.sampled_from(["Z", "Z", "Z", "", "z", "+00:00", "-00:00", "+02:00", "-0530", "+23:59", "+01:00:30", "+24:00"]),
    ),
    st.sampled_from([
        "2026-03-01", "2026-03-01Z", "20260301T100000Z", "2026-W09-7", "2026-W09-7T10:00:00Z", "2026-03-01T10Z", "2026-03-01T10:00Z",
        "2026-03-01T10:00:00+02:00Z", "2026-03-01T10+02:00Z", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-01:00", "2026-03-01T24:00:00Z", "2026-03-01T10:00:60Z", "", "T", "٢٠٢٦-03-01T10:00:00Z",
    ]),
).map(json.dumps)  # fmt: skip
DAYS = st.one_of(st.dates().map(str), st.sampled_from(["2026-W09-7", "20260301", "2026-3-1", ""])).map(json.dumps)
TEXTS = st.one_of(st.text(max_size=5), st.text('aä"\\\n☃\U0001f600', max_size=4)).map(json.dumps)
BOOLEANS = st.sampled_from(["true", "false"])
ANYTHING = st.recursive(
    st.one_of(NUMBERS, INSTANTS, TEXTS, BOOLEANS, st.just("null")),
    lambda each: st.one_of(
        st.lists(each, max_size=2).map(lambda x: f"[{','.join(x)}]"),
        st.dictionaries(TEXTS, each, max_size=2).map(lambda x: "{" + ",".join(f"{k}:{v}" for k, v in x.items()) + "}"),
    ),
    max_leaves=4,
)
EIGHTEEN = Context(prec=18)
PLAIN = {
    NUMBER: st.integers(1 - 10**18, 10**18 - 1).map(lambda n: str(Decimal(n).scaleb(-6, EIGHTEEN))),
    DOUBLE: st.integers(-(10**11), 10**11).map(str),
    INTEGER: st.integers(-(2**63), 2**63 - 1).map(str),
    STRING: TEXTS,
    BOOLEAN: BOOLEANS,
    DATE: st.dates().map(str).map(json.dumps),
    TIMESTAMP: st.datetimes().map(lambda t: f'"{t.isoformat()}Z"'),
}
WILD = {**PLAIN, NUMBER: NUMBERS, DOUBLE: NUMBERS, INTEGER: NUMBERS, DATE: DAYS, TIMESTAMP: INSTANTS}
ODD = st.one_of(st.just("null"), ANYTHING)
LUCK, FEW = st.integers(0, 15), st.integers(0, 2)
KEYS = st.sampled_from(["a", "B", "b", "ecid", "xsegmentMembership"])


@st.composite
def texts(draw: st.DrawFn, kind: Type, wild: bool) -> str:
    """JSON of a type. `wild`: with nulls, unknown fields, repeated keys, and values of other types now and then."""

    scalars = WILD if wild else PLAIN

    def written(kind: Type) -> str:
        if wild and draw(LUCK) == 0:
            return draw(ODD)
        match kind:
            case ObjectType():
                names = [*kind.fields, "other", "kind"] if wild else list(kind.fields)
                chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique=not wild)) if names else []
                pairs = [(n, written(kind.fields[n].type) if n in kind.fields else draw(ANYTHING)) for n in chosen]
            case ListType():
                return f"[{','.join([written(kind.element) for _ in range(draw(FEW))])}]"
            case MapType():
                keys = KEYS if wild else st.sampled_from(["a", "b"])
                pairs = [(draw(keys), written(kind.value)) for _ in range(draw(FEW))]
            case _:
                return draw(scalars[kind])
        return "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in pairs) + "}"

    return written(kind)
