"""Rows that name a deleted device first and somebody else too: they are whose they are without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.streams.shop import Shop, message

TWO, THREE = ("visitor:v1", "visitor:v2"), ("visitor:v1", "visitor:v3", "visitor:v2")


def owners(shop: Shop) -> dict[str, str]:
    rows = shop.store.connection.execute(
        "SELECT _id, id FROM event JOIN pql_profile USING (_pid) ORDER BY _id"
    ).fetchall()
    return dict(rows)


def report(shop: Shop) -> Any:
    from pql.store.unify import unify

    return unify(shop.store, shop.settings, force=True)


@pytest.mark.parametrize("named", [TWO, THREE])
def test_an_event_is_the_highest_of_those_who_are_left(named: tuple[str, ...]) -> None:
    shop = Shop()
    shop.record("crm:2", "visitor:v2")
    shop.record("crm:1", "visitor:v1")
    shop.delete("crm:1")
    shop.events(message("1", "2026-01-02T00:00:00Z", *named), message("2", "2026-01-02T00:00:00Z", "visitor:v2"))
    assert owners(shop) == {"1": "crm:2", "2": "crm:2"}
    made = report(shop)
    assert (made.events, made.without_identity) == (2, {})
    shop.delete("crm:2")
    assert owners(shop) == {}


def test_an_event_makes_the_person_of_a_device_that_nothing_else_names() -> None:
    shop = Shop()
    shop.record("crm:1", "visitor:v1")
    shop.delete("crm:1")
    for n, named in enumerate((TWO, ("visitor:v1", "visitor:v4", "visitor:v5"))):
        shop.events(message(str(n), "2026-01-02T00:00:00Z", *named))
    assert owners(shop) == {"0": "visitor:v2", "1": "visitor:v4"}


def test_what_names_nobody_who_is_left_is_nobodys() -> None:
    """Rows that were loaded before the devices were deleted go; what remains of them in a dataset is nobody's."""
    shop = Shop()
    shop.record("crm:1", "visitor:v1", "visitor:v2")
    shop.delete("crm:1")
    shop.events(message("1", "2026-01-02T00:00:00Z", *TWO))
    assert owners(shop) == {}
    assert report(shop).without_identity == {"log": 1}


def test_a_record_whose_own_device_is_deleted_is_the_others() -> None:
    """The one that is declared primary goes first, and is gone."""
    shop = Shop()
    shop.record("crm:2", "visitor:v2")
    shop.record("crm:1", "visitor:v1")
    shop.delete("crm:1")
    shop.record("visitor:v1", "visitor:v2", at="2026-02-01T00:00:00Z", tier="gold")
    rows = "SELECT id, tier FROM profile JOIN pql_profile USING (_pid)"
    assert shop.store.connection.execute(rows).fetchall() == [("crm:2", "gold")]
    assert report(shop).without_identity == {}
