"""Mirrors sandbox/xero/webhooks.py and sandbox/doorbells.py: signed posts to whoever asked for them."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

import sandbox
from tests.sandbox.listening import Listener

KEY = "a-signing-key"


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener(KEY.encode())
    yield one
    one.stop()


def settled(world: sandbox.Sandbox, posts: int) -> list[dict]:
    """All posts, when so many answers have been told."""
    patience = threading.Event()
    for _ in range(2000):
        rows = world.control.xero.posts()
        if sum(len(row["statuses"]) for row in rows) >= posts:
            return rows
        patience.wait(0.01)
    raise AssertionError(rows)


def test_an_address_has_to_tell_good_signatures_from_bad_ones_before_it_is_believed(world, listener):
    assert world.control.xero.webhooks(listener.url, KEY) == "waiting"

    heard = [listener.next() for _ in range(4)]

    assert [one.good for one in heard] == [True, False, True, False]
    assert all(one.post["events"] == [] and one.post["entropy"] for one in heard)
    settled(world, 4)
    assert world.control.xero.webhook_state() == "on"


def test_an_address_that_says_yes_to_everything_is_not_believed(world, listener):
    listener.answers = [200] * 4
    world.control.xero.webhooks(listener.url, KEY)
    settled(world, 4)

    assert world.control.xero.webhook_state() == "off"


def test_contacts_invoices_and_credits_ring_and_a_payment_rings_as_its_invoice(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    fern = control.add_contact("Fern")
    invoice = control.add_invoice(fern, due="2026-01-19", amount="100")
    control.pay(invoice, "40")
    control.edit_invoice(invoice, due="2026-03-01")
    credit = control.add_credit_note(fern, "5")
    control.add_overpayment(fern, "6")
    control.add_prepayment(fern, "7")

    posts = [listener.next() for _ in range(7)]
    events = [event for one in posts for event in one.post["events"] if one.good]

    assert [(event["eventCategory"], event["eventType"]) for event in events] == [
        ("CONTACT", "CREATE"),
        ("INVOICE", "CREATE"),
        ("INVOICE", "UPDATE"),
        ("INVOICE", "UPDATE"),
        ("CREDITNOTE", "CREATE"),
        ("OVERPAYMENT", "CREATE"),
        ("PREPAYMENT", "CREATE"),
    ]
    assert [event["resourceId"] for event in events[:5]] == [fern, invoice, invoice, invoice, credit]
    assert {event["tenantId"] for event in events} == {control.organisations()[0]["id"]}
    assert [one.post["firstEventSequence"] for one in posts] == [1, 2, 3, 4, 5, 6, 7]
    assert not any(b"amount" in one.body.lower() for one in posts)


def test_a_change_that_xero_does_not_stamp_may_stay_silent(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False, edits_ring=False)
    invoice = control.add_invoice(control.add_contact("Fern"), due="2026-01-19", amount="100")
    control.pay(invoice, "40")
    control.edit_invoice(invoice, due="2026-03-01")

    assert len(control.xero.posts()) == 3


def test_a_post_that_was_not_heard_comes_again_with_the_same_count_less_and_less_often(world, listener):
    control = world.control
    listener.answers = [500, 503, 500]
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    first, second = listener.next(), listener.next()
    settled(world, 2)
    assert listener.heard.empty()

    control.move_clock(control.now() + timedelta(minutes=15))
    third = listener.next()
    settled(world, 3)
    control.move_clock(control.now() + timedelta(minutes=30))
    fourth = listener.next()

    assert first.post["events"] == second.post["events"] == third.post["events"] == fourth.post["events"]
    (row,) = settled(world, 4)
    assert row["statuses"] == [500, 503, 500, 200]


def test_after_a_day_without_an_answer_the_address_is_given_up(world, listener):
    control = world.control
    listener.answers = [500] * 50
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    settled(world, 2)
    for tries in range(3, 9):
        control.move_clock(control.now() + timedelta(hours=9))
        settled(world, tries)

    assert control.xero.webhook_state() == "given up"


def test_the_same_post_can_come_twice(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    once = listener.next()
    control.xero.post_again(0)

    assert listener.next().post["events"] == once.post["events"]


def test_without_an_address_nothing_is_posted(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.xero.no_webhooks()
    control.add_contact("Fern")

    assert control.xero.posts() == []
