"""The answers have the shapes that Xero publishes, and Xero's own client library can read them."""

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token

SPECS = Path(__file__).parents[2].parent / "shared/specs/xero"
published = pytest.mark.skipif(not SPECS.exists(), reason="Xero's published OpenAPI files are not on this machine")


@cache
def _schemas(file: str) -> dict:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _strict(yaml.load((SPECS / file).read_text(), loader)["components"]["schemas"])


def _strict(part):
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, `$ref` beside other words loses them, and a field that
    nobody published is an error, save for the readable twins of dates and what real answers are known to add."""
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part and isinstance(part["$ref"], str):
        return {"$ref": part["$ref"].replace("#/components/schemas/", "#/$defs/")}
    drop = ("example", "externalDocs", "default", "description", "nullable", "readOnly")
    kept = {name: _strict(value) for name, value in part.items() if name not in drop or isinstance(value, dict)}
    if part.get("nullable") and isinstance(part.get("type"), str):
        kept["type"] = [part["type"], "null"]
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        kept["patternProperties"] = {"String$": {"type": "string"}, "^(Id|Status|ProviderName|DateTimeUTC)$": {}}
        kept["patternProperties"]["^(HasErrors|HasValidationErrors|ValidationErrors|HasAccount)$"] = {}
        kept["additionalProperties"] = False
    return kept


def _check(answer: object, schema: str, file: str = "xero_accounting.yaml") -> None:
    whole = {"$ref": f"#/$defs/{schema}", "$defs": _schemas(file)}
    errors = sorted(jsonschema.Draft202012Validator(whole).iter_errors(answer), key=str)
    assert not errors, "\n".join(f"{e.json_path}: {e.message[:200]}" for e in errors[:5])


@published
@pytest.mark.parametrize("query", [{}, {"page": 1, "pageSize": 1000}, {"summaryOnly": "true", "pageSize": 1000}])
@pytest.mark.parametrize(
    "name", ["Contacts", "Invoices", "CreditNotes", "Overpayments", "Prepayments", "Payments", "Organisation"]
)
def test_every_list_has_the_published_shape(company_app, name, query):
    answer = company_app.get(name, **query)
    _check(answer, "Organisations" if name == "Organisation" else name)


@published
@pytest.mark.parametrize("name", ["Contacts", "Invoices", "CreditNotes", "Overpayments", "Prepayments", "Payments"])
def test_every_single_look_has_the_published_shape(company_app, name):
    key = name[:-1] + "ID"
    for row in company_app.get(name, page=1, pageSize=5)[name]:
        _check(company_app.get(f"{name}/{row[key]}"), name)


@published
def test_notes_links_refusals_and_connections_have_the_published_shape(company_app):
    invoice = company_app.world.control.invoices("AUTHORISED")[0]["id"]
    _check(json.loads(company_app.note(f"Invoices/{invoice}", "hello").data), "HistoryRecords")
    _check(company_app.get(f"Invoices/{invoice}/History"), "HistoryRecords")
    _check(company_app.get(f"Invoices/{invoice}/OnlineInvoice"), "OnlineInvoices")
    _check(json.loads(company_app.note(f"Invoices/{invoice}", "x" * 3000).data), "Error")
    for row in json.loads(company_app.call("GET", "../../Connections").data):
        _check(row, "Connection", "xero-identity.yaml")


@pytest.fixture
def sdk(company_app) -> AccountingApi:
    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token(client_id="sandbox-app", client_secret="sandbox-secret")
    token = {"access_token": company_app.tokens["access_token"], "token_type": "Bearer", "expires_in": 1800}
    client = ApiClient(
        configuration,
        oauth2_token_getter=lambda: token | {"scope": ["accounting.invoices"]},
        oauth2_token_saver=lambda token: None,
    )
    client.set_oauth2_token(token | {"scope": ["accounting.invoices"]})
    return AccountingApi(client, base_url=company_app.world.api_url)


def test_xeros_own_library_reads_invoices_contacts_and_credits(company_app, sdk):
    tenant, control = company_app.tenant, company_app.world.control
    invoices = sdk.get_invoices(tenant, page=1, page_size=1000, statuses=["AUTHORISED"], where='Type=="ACCREC"')
    assert {row.invoice_id: f"{row.amount_due:.2f}" for row in invoices.invoices} == control.balances()
    assert {row.due_date.isoformat() for row in invoices.invoices} <= {row["due"] for row in control.invoices()}
    contacts = sdk.get_contacts(tenant, page=1, page_size=1000, include_archived=True)
    assert {row.contact_id: row.name for row in contacts.contacts} == {r["id"]: r["name"] for r in control.contacts()}
    assert sdk.get_organisations(tenant).organisations[0].short_code == control.organisations()[0]["short_code"]
    assert sdk.get_credit_notes(tenant, page=1).credit_notes[0].credit_note_id
    assert sdk.get_overpayments(tenant, page=1).overpayments and sdk.get_prepayments(tenant, page=1).prepayments
    assert len(sdk.get_payments(tenant, page=1, page_size=1000).payments) >= 300


def _through(ask, rows, *given, **asked):
    """All the pages of a list, as somebody who has read Xero's documentation would walk them."""
    found, page = [], 1
    while True:
        answer = ask(*given, page=page, page_size=40, **asked)
        found += getattr(answer, rows)
        if page >= answer.pagination.page_count:
            return found
        page += 1


def _synced(sdk, tenant, since=None):
    changed = {"if_modified_since": since} if since else {}
    return {
        "invoices": _through(sdk.get_invoices, "invoices", tenant, **changed),
        "contacts": _through(sdk.get_contacts, "contacts", tenant, include_archived=True, **changed),
        "credit_notes": _through(sdk.get_credit_notes, "credit_notes", tenant, **changed),
        "overpayments": _through(sdk.get_overpayments, "overpayments", tenant, **changed),
        "prepayments": _through(sdk.get_prepayments, "prepayments", tenant, **changed),
        "payments": _through(sdk.get_payments, "payments", tenant, **changed),
    }


def test_a_program_made_of_xeros_own_models_completes_a_sync_and_then_takes_in_what_changed(company_app, sdk):
    tenant, control = company_app.tenant, company_app.world.control
    first = _synced(sdk, tenant)
    began = control.now()
    control.move_clock(began + timedelta(minutes=20))
    owing = control.invoices("AUTHORISED")
    control.pay(owing[0]["id"], "1.00")
    control.void(control.add_invoice(owing[0]["contact_id"], due="2026-03-01", amount="5"))
    changed = _synced(sdk, tenant, since=began)

    invoices = {row.invoice_id: row for row in (*first["invoices"], *changed["invoices"])}
    still_open = {
        row.invoice_id: f"{row.amount_due:.2f}"
        for row in invoices.values()
        if row.type == "ACCREC" and row.status == "AUTHORISED"
    }
    assert still_open == control.balances()
    assert len({row.payment_id for row in (*first["payments"], *changed["payments"])}) == len(
        company_app.get("Payments", page=1, pageSize=1000)["Payments"]
    )
    assert 0 < len(changed["invoices"]) < len(first["invoices"])


def test_xeros_own_library_asks_by_id_looks_closer_and_changes_the_expected_date(company_app, sdk):
    from xero_python.accounting import Invoice, Invoices

    tenant, control = company_app.tenant, company_app.world.control
    one, other = (row["id"] for row in control.invoices("AUTHORISED")[:2])

    assert {row.invoice_id for row in sdk.get_invoices(tenant, i_ds=[one, other]).invoices} == {one, other}
    assert sdk.get_invoice(tenant, one).invoices[0].line_items
    assert sdk.get_online_invoice(tenant, one).online_invoices[0].online_invoice_url.startswith("https://in.xero.com/")
    assert sdk.get_contact_history(tenant, sdk.get_invoice(tenant, one).invoices[0].contact.contact_id)

    wanted = Invoices(invoices=[Invoice(invoice_id=one, expected_payment_date=date(2026, 2, 27))])
    sdk.update_invoice(tenant, one, wanted, idempotency_key="promise")
    assert sdk.get_invoice(tenant, one).invoices[0].expected_payment_date == date(2026, 2, 27)


def test_xeros_own_library_lists_the_connections(company_app, sdk):
    from xero_python.identity import IdentityApi

    identity = IdentityApi(sdk.api_client, base_url=company_app.world.url)

    assert [row.tenant_id for row in identity.get_connections()] == [company_app.tenant]


def test_xeros_own_library_writes_a_note(company_app, sdk):
    from xero_python.accounting import HistoryRecord, HistoryRecords

    invoice = company_app.world.control.invoices("AUTHORISED")[0]["id"]
    records = HistoryRecords(history_records=[HistoryRecord(details="They will pay on Friday")])
    sdk.create_invoice_history(company_app.tenant, invoice, records, idempotency_key="a")
    assert [note["details"] for note in company_app.world.control.notes(invoice)] == ["They will pay on Friday"]
