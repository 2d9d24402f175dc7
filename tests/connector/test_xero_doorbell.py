"""Mirrors connector/_xero_doorbell.py: believing a signed post, and nothing else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import Doorbell, Forged, Refused, Ring, open_doorbell, settings_of
from tests.sandbox.listening import Listener

KEY = "the-signing-key-of-the-app"


def doorbell() -> Doorbell:
    found = open_doorbell("xero", settings_of("xero")(webhook_key=KEY))
    assert found is not None
    return found


def signature(body, key=KEY):
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def a_post(*events, first=1):
    """As https://developer.xero.com/documentation/guides/webhooks/overview/ shows it."""
    post = {"events": list(events), "firstEventSequence": first, "lastEventSequence": first + len(events) - 1}
    return json.dumps({**post, "entropy": "S0m3r4nd0mt3xt"}).encode()


def event(category="INVOICE", resource="717f2bfc", **more):
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{resource}",
        "resourceId": resource,
        "eventDateUtc": "2017-06-21T01:15:39.902",
        "eventType": "UPDATE",
        "eventCategory": category,
        "tenantId": "c2cc9b6e",
        "tenantType": "ORGANISATION",
        **more,
    }


def rings(body):
    return doorbell().rings(body, {"x-xero-signature": signature(body)})


def test_a_signed_post_tells_which_invoice_of_which_organisation_has_changed():
    (ring,) = rings(a_post(event()))

    assert ring == Ring(
        event_id="1/2017-06-21T01:15:39.902/717f2bfc",
        tenant="c2cc9b6e",
        list="invoices",
        ledger_id="717f2bfc",
        at=datetime(2017, 6, 21, 1, 15, 39, 902_000, tzinfo=UTC),
    )


def test_each_category_rings_for_its_list_and_a_strange_one_for_nothing():
    categories = ["CONTACT", "INVOICE", "CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "SUBSCRIPTION", "WEATHER"]
    found = rings(a_post(*(event(category, data={"Type": "ACCREC"}) for category in categories), first=40))

    assert [ring.list for ring in found] == ["accounts", "invoices", "credits", "credits", "credits"]
    assert len({ring.event_id for ring in found}) == 5


def test_a_post_that_is_repeated_names_its_events_as_it_did_before():
    assert rings(a_post(event(), first=9)) == rings(a_post(event(), first=9))


def test_before_xero_believes_us_the_well_signed_test_posts_are_heard_and_the_wrongly_signed_ones_refused():
    body = a_post(first=0)

    assert rings(body) == ()
    for wrong in (signature(body, "another key"), "", "nonsense", "ü"):
        with pytest.raises(Forged):
            doorbell().rings(body, {"x-xero-signature": wrong})
    with pytest.raises(Forged, match="webhook_key"):
        doorbell().rings(body, {})


@given(st.binary(max_size=300), st.data())
def test_a_post_changed_in_any_byte_is_always_forged(body, data):
    place = data.draw(st.integers(0, len(body)))
    changed = body[:place] + data.draw(st.binary(min_size=1, max_size=3)) + body[place:]

    with pytest.raises(Forged):
        doorbell().rings(changed, {"x-xero-signature": signature(body)})


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()))
def test_a_signed_post_that_makes_no_sense_is_refused_and_never_a_crash(body):
    with pytest.raises(Refused):
        rings(body)


@pytest.mark.parametrize("when", ["", "yesterday", None])
def test_an_event_whose_time_cannot_be_read_rings_all_the_same(when):
    (ring,) = rings(a_post(event(eventDateUtc=when or "")))

    assert (ring.ledger_id, ring.at) == ("717f2bfc", None)


def test_without_a_signing_key_there_is_no_doorbell_and_the_key_is_never_shown():
    assert open_doorbell("xero", settings_of("xero")()) is None
    assert KEY not in repr((doorbell(), settings_of("xero")(webhook_key=KEY)))


# --- as the practice Xero rings


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener(KEY.encode())
    yield one
    one.stop()


def test_the_posts_of_an_intent_to_receive_are_told_apart_as_they_come(company, listener):
    company.control.xero.webhooks(listener.url, KEY)
    believed = []
    for _ in range(4):
        heard = listener.next()
        try:
            believed.append(doorbell().rings(heard.body, heard.headers) == ())
        except Forged:
            believed.append(False)

    assert believed == [True, False, True, False]


def test_a_new_due_date_rings_and_is_fetched_by_the_invoice_that_rang(company, at_the_company, clock, listener):
    world, ledger = company.control, at_the_company.ledger
    invoice = world.add_invoice(world.add_contact("Fern"), due="2026-01-19", amount="100")
    world.pay(invoice, "40")
    world.move_clock(clock.move(minutes=10))
    *_, last = ledger.pull(None)
    world.move_clock(clock.move(minutes=10))
    world.xero.webhooks(listener.url, KEY, intent=False)
    world.edit_invoice(invoice, due="2026-03-31")

    heard = listener.next()
    (ring,) = doorbell().rings(heard.body, heard.headers)
    found = [one for page in ledger.pull(last.cursor, also=[ring.ledger_id]) for one in page.invoices]

    assert (ring.list, ring.tenant, ring.at) == ("invoices", world.organisations()[0]["id"], clock())
    assert [(one.ledger_id, one.due_on) for one in found] == [(invoice, date(2026, 3, 31))]
