"""Mirrors sandbox/quickbooks/: a client that others wrote, python-quickbooks, reads and writes the practice company."""

from datetime import datetime

import pytest

from tests.sandbox.quickbooks_app import RETURN_TO, QuickBooksApp

pytest.importorskip("quickbooks", reason="python-quickbooks is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def client(company, monkeypatch):
    from intuitlib.client import AuthClient
    from quickbooks import QuickBooks

    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # plain HTTP, on this machine alone
    back = QuickBooksApp(company).ask_consent()
    auth = AuthClient("sandbox-app", "sandbox-secret", RETURN_TO, company.quickbooks.discovery_url)
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])
    client = QuickBooks(auth_client=auth, refresh_token=auth.refresh_token, company_id=back["realmId"], minorversion=75)
    client.api_url_v3 = client.sandbox_api_url_v3 = f"{company.quickbooks.api_url}/v3"
    return client


def test_its_typed_methods_read_every_invoice_and_customer(client, company):
    from quickbooks.objects import Customer, Invoice

    control = company.control
    shown = [x for x in control.invoices() if x["status"] not in ("DRAFT", "SUBMITTED", "DELETED")]
    invoices = Invoice.all(qb=client, max_results=1000)
    assert Invoice.count(qb=client) == len(invoices) == len(shown)
    open_ones = Invoice.where("Balance > '0'", order_by="DueDate", max_results=1000, qb=client)
    assert sorted(f"{x.Balance:.2f}" for x in open_ones) == sorted(control.balances().values())
    assert invoices[0].CustomerRef.name in {x.DisplayName for x in Customer.all(qb=client, max_results=1000)}
    assert Invoice.get(invoices[0].Id, qb=client).DocNumber == invoices[0].DocNumber


def test_its_change_data_capture_finds_what_was_paid(client, company):
    from quickbooks.cdc import change_data_capture
    from quickbooks.objects import Customer, Invoice, Payment

    control = company.control
    invoice = control.invoices("AUTHORISED")[0]
    control.pay(invoice["id"])
    changes = change_data_capture([Invoice, Customer, Payment], datetime(2026, 1, 5, 0, 59), qb=client)
    paid = next(x for x in changes.Invoice if x.DocNumber == invoice["number"])
    assert paid.Balance == 0 and invoice["contact"] in {x.DisplayName for x in changes.Customer}


def test_it_saves_a_customer_and_attaches_a_note(client, company):
    from quickbooks.objects import Attachable, AttachableRef, Customer, Invoice

    customer = Customer.all(qb=client)[0]
    customer.Notes = "Pays on Fridays."
    customer.save(qb=client)
    assert Customer.get(customer.Id, qb=client).Notes == "Pays on Fridays."
    invoice, note, reference = Invoice.all(qb=client)[0], Attachable(), AttachableRef()
    reference.EntityRef = invoice.to_ref()
    note.AttachableRef.append(reference)
    note.Note = "A reminder was sent."
    note.save(qb=client)
    assert [x.Note for x in Attachable.all(qb=client)] == ["A reminder was sent."]
    assert Invoice.download_pdf(invoice, qb=client).startswith(b"%PDF-")


def test_it_renews_its_keys(client):
    client.auth_client.refresh()
    assert client.auth_client.expires_in == 3600
