"""Mirrors connector/_quickbooks_client.py: the package builds calls, and the seam by which it makes none holds."""

import json
import subprocess
import sys

from connector._quickbooks_client import Client

REALM = "310687"


def client() -> Client:
    return Client(realm=REALM, api_url="https://quickbooks.example/")


def test_a_query_is_posted_as_text():
    call = client().query("SELECT * FROM Invoice")

    assert (call.method, call.url) == ("POST", "https://quickbooks.example/v3/company/310687/query?minorversion=75")
    assert (call.body, call.content_type, call.asks_only) == (b"SELECT * FROM Invoice", "application/text", True)


def test_the_change_feed_is_asked_with_its_offset_escaped():
    call = client().change_data_capture("Invoice,Payment", "2026-01-05T08:55:00+00:00")

    assert (call.method, call.body, call.asks_only) == ("GET", None, True)
    assert call.url.endswith(
        "/v3/company/310687/cdc?entities=Invoice%2CPayment&changedSince=2026-01-05T08%3A55%3A00%2B00%3A00&minorversion=75"
    )


def test_a_write_has_its_name_and_is_not_one_that_only_asks():
    call = client().update_object("Customer", json.dumps({"Id": "1"}), request_id="a-name")

    assert (call.method, call.content_type, call.asks_only) == ("POST", "application/json", False)
    assert call.url.endswith("/company/310687/customer?minorversion=75&requestid=a-name")


def test_one_row_is_asked_for_by_its_id():
    call = client().get_single_object("invoice", "10", params={"include": "invoiceLink"})

    assert (call.method, call.body) == ("GET", None)
    assert call.url.endswith("/company/310687/invoice/10?include=invoiceLink&minorversion=75")


def test_two_clients_share_nothing_and_neither_has_a_session_of_the_packages_own():
    one, other = client(), Client(realm="2", api_url="https://quickbooks.example")

    assert (one.company_id, other.company_id) == (REALM, "2")
    assert one.session is None and one.auth_client is None


def test_a_firm_with_another_ledger_does_not_load_the_package():
    code = (
        "import sys; from connector import settings_of, open_authoriser\n"
        "open_authoriser('quickbooks', settings_of('quickbooks')(), clock=None)\n"
        "sys.exit(any(name.split('.')[0] in ('quickbooks', 'oauthlib', 'requests') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
