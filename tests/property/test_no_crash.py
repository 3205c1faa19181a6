"""Random expressions, most of them wrong: each gives findings or runs, and nothing raises."""

import random
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from pql.api import Environment, Store

# fmt: off
A=['person.name','person.age','loyalty.points','loyalty.balance','loyalty.joined','person.birthDate','person.active','favoriteColors','scores','orders','attributes','identityMap','segmentMembership','homeAddress','xEvent','orders.price','xEvent.productListItems','this','^','$1','profile','now','today','"x"','"2020-01-01"','1','2.5','true','null','[1,2]','["a"]','[]','{"a": 1}','date(2020,2,3)','eventType','timestamp','price','X','K','orders.storeId']
M=['count()','sum({})','average({})','min({})','max({})','distinct()','head()','isNull()','isNotNull()','contains({})','startsWith({}, false)','equals({},{})','notEqualTo({})','matches("a+")','regexGroup("(a)",1)','topN({},2)','bottomN({},{})','groupBy({})','map({})','map((K, G) => mapEntry(K, G.count()))','map(X => {})','filter({})','exists({})','forall({})','none({})','one({})','get("a")','keys()','values()','intersects({})','intersection({})','subsetOf({})','supersetOf({})','includes({})','orElse({})','getMonth()','dayOfWeek()','length()','substring(1,2)','concat({})','id','price','name','x','count({})','in({})','like({})']
P=['today','last week','<= 3 days before now','>= 2 months after today','= 1 year before now','!= 3 hours before now','between yesterday and now','<= 2 weeks from today','on today ignoring year','<= 5 days after today ignoring year','before {}','from now','this decade', '< 3 days before now ignoring year','this month ignoring year']
def g(r,n):
    if n<=0: return r.choice(A)
    k=r.random(); s=lambda: g(r,n-1)
    if k<.3: return f"{s()}.{fill(r.choice(M), s)}"
    if k<.5: return f"({s()} {r.choice(['=','!=','<','<=','>','>=','+','-','*','/','%','in','notIn','like'])} {s()})"
    if k<.6: return f"({s()} {r.choice(['and','or'])} {s()})"
    if k<.65: return f"not ({s()})"
    if k<.72: return f"{s()}[{s()}]"
    if k<.79: return f"({s()} occurs {fill(r.choice(P),s)})"
    if k<.84: return f"({r.choice(['exists','forall','none','one','some','all'])} X from {s()} where {s()})"
    if k<.87: return f"(select X from {s()} where {s()})"
    if k<.9: return f"(sum {s()} over X from {s()} where {s()})" if r.random()<.3 else f"(sum X.price over X from {s()} where {s()})"
    if k<.93: return f"(let X = ({s()}) in {s()})"
    if k<.96: return f"if({s()}, {s()}, {s()})"
    return f"chain(xEvent, timestamp, [A: WHAT({s()}) {r.choice(['','COUNT(2)','WHEN(<= 3 days before now)','COUNT(= 1) WHEN(today)','COUNT(all) WHEN(today)'])}, B: {r.choice(['','not '])}WHAT({s()}) {r.choice(['','WHEN(<= 1 hour after A)','WHEN(> 1 day after A)'])}])"
def fill(t,s):
    while '{}' in t: t=t.replace('{}',s(),1)
    return t

# fmt: on
CASES = Path(__file__).parent.parent / "conformance" / "values.yaml"


@pytest.fixture(scope="module")
def world():
    environment = Environment.from_short(yaml.safe_load(CASES.read_text())["schema"])
    store = Store.memory(environment.schema)
    orders = [{"id": "a", "price": Decimal("1.5")}, {}]
    events = [{"timestamp": datetime(2026, 3, 1), "eventType": "a"}, {"timestamp": datetime(2026, 3, 2)}]
    store.load([(1, {"orders": orders, "scores": [1, None, 3]}), (2, {})], [(1, e) for e in events])
    return environment, store


@pytest.mark.parametrize("block", range(10))
def test_findings_or_answers(world, block):
    environment, store = world
    for seed in range(block * 100, block * 100 + 100):
        r = random.Random(seed)
        text = g(r, r.choice([1, 2, 2, 3]))
        checked = environment.check(text)
        if checked.ok:
            rows = store.query(environment.sql([checked.ir]).sql(), {"now": datetime(2026, 3, 15, 12)})
            assert len(rows) == 2, (seed, text)
