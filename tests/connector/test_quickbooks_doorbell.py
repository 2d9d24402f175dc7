"""Mirrors connector/_quickbooks_doorbell.py: QuickBooks rings, in two shapes, and only QuickBooks is believed."""

import base64
import contextlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import Forged, Refused, open_doorbell, settings_of

TOKEN = "2b1b2d7e-0f5a-4c9e-9c8f-1d1f3a9d7c11"


def doorbell(token: str = TOKEN):
    return open_doorbell("quickbooks", settings_of("quickbooks")(webhook_verifier_token=token))


def signed(body: bytes, token: str = TOKEN) -> dict[str, str]:
    return {"intuit-signature": base64.b64encode(hmac.digest(token.encode(), body, "sha256")).decode()}


def event(
    number: str, realm: str, kind: str = "qbo.invoice.updated.v1", entity: str = "10", **more
) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": number,
        "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": kind,
        "datacontenttype": "application/json",
        "time": "2026-09-10T21:31:25.179550123Z",
        "intuitentityid": entity,
        "intuitaccountid": realm,
        "data": {},
    } | more


def rung(said: object):
    body = json.dumps(said).encode()
    return doorbell().rings(body, signed(body))


def test_one_post_may_ring_for_several_companies():
    rings = rung([event("e1", "310687"), event("e2", "418000", "qbo.customer.merged.v1", "5", data={"deletedid": "6"})])

    assert [(ring.event_id, ring.tenant, ring.list, ring.ledger_id) for ring in rings] == [
        ("e1", "310687", "invoices", "10"),
        ("e2", "418000", "accounts", "5"),
    ]
    assert rings[0].at == datetime(2026, 9, 10, 21, 31, 25, 179550, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "followed"),
    [
        ("qbo.payment.created.v1", "payments"),
        ("qbo.creditmemo.voided.v1", "credits"),
        ("qbo.invoice.deleted.v2", "invoices"),
    ],
)
def test_each_kind_that_we_follow_rings_for_its_list(kind, followed):
    assert [ring.list for ring in rung([event("e", "1", kind)])] == [followed]


@pytest.mark.parametrize("kind", ["qbo.bill.created.v1", "payments.charge.captured.v1", "invoice", ""])
def test_events_of_kinds_that_we_do_not_follow_ring_for_nothing(kind):
    assert rung([event("e", "1", kind)]) == ()


def test_the_older_shape_rings_too_and_the_same_event_always_has_the_same_name():
    old = {
        "eventNotifications": [
            {
                "realmId": "310687",
                "dataChangeEvent": {
                    "entities": [
                        {
                            "name": "Customer",
                            "id": "1",
                            "operation": "Create",
                            "lastUpdated": "2015-10-05T14:42:19-0700",
                        },
                        {"name": "Vendor", "id": "2", "operation": "Create", "lastUpdated": "2015-10-05T14:42:19-0700"},
                    ]
                },
            }
        ]
    }
    (ring,) = rung(old)

    assert (ring.tenant, ring.list, ring.ledger_id) == ("310687", "accounts", "1")
    assert ring.at == datetime(2015, 10, 5, 21, 42, 19, tzinfo=UTC)
    assert rung(old) == (ring,)


def test_a_test_post_without_events_is_a_good_post():
    assert rung([]) == ()
    assert rung({"eventNotifications": []}) == ()


@pytest.mark.parametrize("signature", [None, "", "AAAA", "not base64 at all ü", "😀"])
def test_a_post_without_the_right_signature_is_not_believed(signature):
    headers = {} if signature is None else {"intuit-signature": signature}

    with pytest.raises(Forged, match="verifier token"):
        doorbell().rings(b"[]", headers)


def test_a_signature_of_other_bytes_that_mean_the_same_is_not_believed():
    with pytest.raises(Forged):
        doorbell().rings(b"[ ]", signed(b"[]"))


@given(body=st.binary(max_size=60))
def test_a_signed_post_that_nobody_can_read_is_always_refused_and_never_an_accident(body):
    with contextlib.suppress(Refused):
        assert isinstance(doorbell().rings(body, signed(body)), tuple)


def test_without_a_verifier_token_there_is_no_doorbell():
    assert doorbell("") is None
    assert TOKEN not in repr(doorbell())
