"""Mirrors sandbox/quickbooks/webhooks.py: signed posts of both shapes to whoever asked for them."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox import ControlRefused
from tests.sandbox.listening import Listener
from tests.sandbox.quickbooks_app import QuickBooksApp

VERIFIER = "a-verifier-token"


class Address(Listener):
    def told(self) -> Any:
        """What the next post says; it must be rightly signed over its raw bytes."""
        heard = self.next()
        assert heard.good
        return heard.post


@pytest.fixture
def address() -> Iterator[Address]:
    one = Address(VERIFIER.encode(), "intuit-signature")
    yield one
    one.stop()


def settled(world, count):
    """All posts, when so many answers have been told."""
    patience = threading.Event()
    for _ in range(2000):
        rows = world.control.quickbooks.posts()
        if sum(len(row["statuses"]) for row in rows) >= count:
            return rows
        patience.wait(0.01)
    raise AssertionError(rows)


def test_a_change_rings_as_an_array_of_cloud_events_that_say_nothing_of_its_content(world, address):
    control = world.control
    control.quickbooks.webhooks(address.url, VERIFIER)
    control.add_contact("Fern & Fig Café")
    (event,) = address.told()
    assert event["specversion"] == "1.0" and event["type"] == "qbo.customer.created.v1"
    assert event["intuitaccountid"] == control.organisations()[0]["realm_id"]
    assert (event["intuitentityid"], event["data"]) == ("1", {}) and event["time"].endswith("Z")
    assert QuickBooksApp(world).connect().get("customer/1")["Customer"]["DisplayName"] == "Fern & Fig Café"


def test_the_older_shape_names_the_realm_and_its_entities(world, address):
    control = world.control
    control.add_contact("Fern & Fig Café")
    control.quickbooks.webhooks(address.url, VERIFIER, shape="notifications")
    control.edit_contact("Fern & Fig Café", notes="Ring before noon.")
    (told,) = address.told()["eventNotifications"]
    (row,) = told["dataChangeEvent"]["entities"]
    assert told["realmId"] == control.organisations()[0]["realm_id"]
    assert (row["name"], row["operation"], row["id"]) == ("Customer", "Update", "1") and row["lastUpdated"]
    with pytest.raises(ControlRefused, match="not as “telegram”"):
        control.quickbooks.webhooks(address.url, VERIFIER, shape="telegram")


def test_voided_deleted_and_merged_papers_ring_with_verbs_of_their_own(world, address):
    control = world.control
    old, kept = control.add_contact("Fern"), control.add_contact("Fern & Fig Café")
    control.add_invoice(kept, "2026-02-01", "10.00")
    control.add_invoice(kept, "2026-02-01", "10.00")
    control.quickbooks.webhooks(address.url, VERIFIER)
    control.void("INV-0001")
    control.remove("INV-0002")
    control.edit_contact(old, merged_into=kept)
    events = []
    while len(events) < 4:
        events += address.told()
    assert [(event["type"], event["data"]) for event in events] == [
        ("qbo.invoice.voided.v1", {}),
        ("qbo.invoice.deleted.v1", {}),
        ("qbo.customer.updated.v1", {}),
        ("qbo.customer.merged.v1", {"deletedid": "1"}),
    ]


def test_what_is_not_heard_comes_again_and_what_follows_waits_for_it(world, address):
    control, address.answers = world.control, [500, 503]
    control.quickbooks.webhooks(address.url, VERIFIER)
    control.add_contact("Fern")
    settled(world, 1)
    control.add_contact("Fig")
    control.add_contact("Oak")
    assert len(control.quickbooks.posts()) == 1
    control.move_clock(control.now() + timedelta(seconds=10))
    settled(world, 2)
    control.move_clock(control.now() + timedelta(seconds=20))
    rows = settled(world, 4)
    assert [row["statuses"] for row in rows] == [[500, 503, 200], [200]]
    assert [len(row["body"]) for row in rows] == [1, 2]
    bodies = [address.told() for _ in range(4)]
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_post_may_come_twice(world, address):
    control = world.control
    control.quickbooks.webhooks(address.url, VERIFIER)
    control.add_contact("Fern")
    settled(world, 1)
    control.quickbooks.post_again(0)
    assert address.told() == address.told()
    with pytest.raises(ControlRefused, match="There is no post number 7"):
        control.quickbooks.post_again(7)


def test_without_an_address_nothing_is_posted(world, address):
    control = world.control
    control.quickbooks.webhooks(address.url, VERIFIER)
    control.quickbooks.no_webhooks()
    control.add_contact("Fern")
    assert control.quickbooks.posts() == []
