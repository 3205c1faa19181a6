"""The pure identity graph: the published examples, the laws of order, limits and eviction."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pql.identity.graph import Identity, Link, Stitched, fits, merge_links, pair, stitch
from pql.identity.settings import IdentitySettings, identity_from

LUMA = """
namespaces:
  CRMID: {type: CROSS_DEVICE, unique: true}
  Email: {unique: true}
  Store: {type: NON_PEOPLE}
  Ads: {type: PARTNER}
priority: [CRMID, Email, IDFA, ECID]
"""
DAY = datetime(2026, 3, 1)


def settings(text: str = LUMA) -> IdentitySettings:
    made, found = identity_from(text)
    assert not found
    return made


def one(text: str) -> Identity:
    namespace, id = text.split(":")
    return Identity(namespace, id)


def link(a: str, b: str, day: int, login: bool = True) -> Link:
    at = DAY + timedelta(days=day)
    return Link(*pair(one(a), one(b)), at, at, at if login else None)


def people(done: Stitched) -> set[frozenset[str]]:
    return {frozenset(map(str, p)) for p in done.people}


def group(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_a_shared_laptop_ends_with_the_last_login() -> None:
    links = [link("CRMID:jane", "Email:jane@x", 1), link("CRMID:john", "Email:john@x", 1),
             link("ECID:laptop", "CRMID:jane", 2), link("ECID:laptop", "CRMID:john", 3)]  # fmt: skip
    done = stitch(links, settings())
    assert people(done) == {group("CRMID:jane", "Email:jane@x"), group("CRMID:john", "Email:john@x", "ECID:laptop")}
    assert [(str(r.link.a), str(r.link.b), r.reason) for r in done.refused] == [("CRMID:jane", "ECID:laptop", "unique")]


def test_b_a_shared_bad_email_leaves_the_earlier_person() -> None:
    links = [
        link("ECID:1", "CRMID:jane", 1),
        link("CRMID:jane", "Email:bad@x", 1),
        link("ECID:2", "CRMID:john", 2),
        link("CRMID:john", "Email:bad@x", 2),
    ]
    done = stitch(links, settings())
    assert people(done) == {group("CRMID:jane", "ECID:1"), group("CRMID:john", "Email:bad@x", "ECID:2")}
    assert [str(r.link.b) for r in done.refused] == ["Email:bad@x"]


@pytest.mark.parametrize("logins, owner", [("KNK", "kevin"), ("KNKN", "nora"), ("KKN", "nora"), ("NK", "kevin")])
def test_c_a_tablet_of_two_belongs_to_the_last_login(logins: str, owner: str) -> None:
    names = {"K": "kevin", "N": "nora"}
    done = stitch([link("ECID:tablet", f"CRMID:{names[w]}", day) for day, w in enumerate(logins)], settings())
    assert group(f"CRMID:{owner}", "ECID:tablet") in people(done)


def test_a_link_seen_later_without_a_login_does_not_take_the_device() -> None:
    links = [
        link("ECID:1", "CRMID:jane", 1),
        link("ECID:1", "CRMID:john", 2),
        link("ECID:1", "CRMID:jane", 9, login=False),
    ]
    assert group("CRMID:john", "ECID:1") in people(stitch(links, settings()))


def test_namespaces_that_never_link() -> None:
    links = [
        link("Store:7", "CRMID:a", 1),
        link("Store:7", "CRMID:b", 1),
        link("Ads:1", "CRMID:a", 1),
        link("Ads:1", "CRMID:b", 1),
    ]
    assert people(stitch(links, settings())) == set()


def test_equal_times_go_by_rank_then_by_value() -> None:
    done = stitch([link("Email:x", "CRMID:b", 1), link("Email:x", "CRMID:a", 1)], settings())
    assert group("CRMID:a", "Email:x") in people(done)
    done = stitch(
        [link("ECID:x", "CRMID:a", 1), link("Email:m", "CRMID:b", 1), link("ECID:x", "Email:m", 1)], settings()
    )
    assert people(done) == {group("CRMID:b", "Email:m"), group("CRMID:a", "ECID:x")}


def test_a_limit_of_its_own() -> None:
    few = settings("namespaces: {card: {limit: 2}}")
    done = stitch([link("Email:x", f"card:{n}", n) for n in range(4)], few)
    assert people(done) == {group("Email:x", "card:2", "card:3"), group("card:0"), group("card:1")}
    assert {r.reason for r in done.refused} == {"limit"}


def test_unlinked_identities_stay_apart_by_every_way() -> None:
    a, b = one("CRMID:a"), one("Email:b")
    links = [link("CRMID:a", "Email:b", 5), link("CRMID:a", "ECID:1", 3), link("ECID:1", "Email:b", 4)]
    done = stitch(links, settings(), [(b, a)])
    assert people(done) == {group("CRMID:a"), group("ECID:1", "Email:b")}
    assert {r.reason for r in done.refused} == {"unlinked"}


def test_eviction_goes_by_kind_then_by_age() -> None:
    tight = settings("limits: {graph: 3}\npriority: [crm, Email, IDFA, ECID]\nnamespaces: {crm: {}}")
    star = [
        link("crm:a", "ECID:old", 1),
        link("crm:a", "ECID:new", 9),
        link("crm:a", "IDFA:1", 2),
        link("crm:a", "Email:m", 1),
    ]
    assert group("crm:a", "IDFA:1", "Email:m") in people(stitch(star, tight))
    loose = settings("limits: {graph: 4}\npriority: [crm, Email, IDFA, ECID]\nnamespaces: {crm: {}}")
    assert group("crm:a", "IDFA:1", "Email:m", "ECID:new") in people(stitch(star, loose))


def test_losing_a_hub_leaves_whole_people_behind() -> None:
    links = [link(f"CRMID:{n}", f"Email:{n}@x", 1) for n in range(60)] + [
        link(f"Email:{n}@x", "ECID:kiosk", 2, login=False) for n in range(60)
    ]
    done = stitch(links, settings("priority: [Email, ECID]"))
    assert people(done) == {group(f"CRMID:{n}", f"Email:{n}@x") for n in range(60)} | {group("ECID:kiosk")}


def test_a_component_of_a_million_identities_is_bounded() -> None:
    links = [link(f"a:{n}", f"a:{n + 1}", n % 7) for n in range(20_000)]
    done = stitch(links, settings())
    assert max(map(len, done.people)) <= 50 and sum(map(len, done.people)) == 20_001


NAMES = st.sampled_from([f"{n}:{i}" for n in ("CRMID", "Email", "ECID", "IDFA") for i in range(4)])
LINKS = st.lists(st.tuples(NAMES, NAMES, st.integers(0, 6), st.booleans()).filter(lambda t: t[0] != t[1]), max_size=25)


@given(LINKS, st.randoms(), st.integers(1, 4))
def test_any_order_and_split_gives_the_same_people(
    made: list[tuple[str, str, int, bool]], random: object, parts: int
) -> None:
    tight = settings(LUMA + "limits: {graph: 5}\n")
    links = [link(*t) for t in made]
    first = stitch(links, tight, [(one("ECID:1"), one("Email:1"))])
    again = list(links)
    random.shuffle(again)  # type: ignore[attr-defined]
    batches = [merge_links(again[i::parts]) for i in range(parts)]
    second = stitch([k for b in batches for k in b], tight, [(one("ECID:1"), one("Email:1"))])
    assert (first.people, first.kept, first.refused) == (second.people, second.kept, second.refused)


@given(LINKS)
def test_every_person_is_within_the_limits_and_connected(made: list[tuple[str, str, int, bool]]) -> None:
    tight = settings(LUMA + "limits: {graph: 5}\n")
    done = stitch([link(*t) for t in made], tight)
    kept = {k.pair for k in done.kept}
    assert kept.isdisjoint(r.link.pair for r in done.refused)
    for person in done.people:
        assert fits(person, tight)
        reached, todo = set(), [min(person)]
        while todo:
            node = todo.pop()
            if node not in reached:
                reached.add(node)
                todo += [b if a == node else a for a, b in kept if node in (a, b)]
        assert reached == person


@given(LINKS)
def test_without_limits_people_are_the_connected_components(made: list[tuple[str, str, int, bool]]) -> None:
    links = [link(*t) for t in made]
    done = stitch(links, settings("limits: {graph: 1000}"))
    groups: list[set[Identity]] = []
    for k in links:
        joined = {k.a, k.b}.union(*(g for g in groups if g & {k.a, k.b}))
        groups = [g for g in groups if not g & joined] + [joined]
    assert {frozenset(g) for g in groups} == set(done.people) and not done.refused
