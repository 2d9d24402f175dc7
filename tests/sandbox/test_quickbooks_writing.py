"""Mirrors sandbox/quickbooks/writes.py and door.py: what an app may write into a QuickBooks company, and how often."""

import pytest
import urllib3

from sandbox import ControlRefused
from tests.sandbox.quickbooks_app import QuickBooksApp


@pytest.fixture
def qbo(world):
    app = QuickBooksApp(world).connect()
    world.control.add_contact(
        "Fern & Fig Café", "fern@figs.example", notes="Ring before noon.", mobile="+44 7700 900123"
    )
    world.control.add_invoice("Fern & Fig Café", "2026-02-01", "120.00")
    return app


def customer(qbo):
    return qbo.query("SELECT * FROM Customer")["Customer"][0]


def attached(number, note="A reminder was sent."):
    return {
        "Note": note,
        "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": number}, "IncludeOnSend": False}],
    }


def test_a_sparse_update_changes_what_it_names_and_makes_a_new_version(qbo):
    before = customer(qbo)
    body = {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"], "Notes": "Paid by cheque."}
    after = qbo.post("customer", body)["Customer"]
    assert (after["Notes"], after["Mobile"]) == ("Paid by cheque.", before["Mobile"])
    assert int(after["SyncToken"]) == int(before["SyncToken"]) + 1


def test_a_full_update_blanks_what_it_does_not_name(qbo):
    before = customer(qbo)
    body = {"Id": before["Id"], "SyncToken": before["SyncToken"], "DisplayName": before["DisplayName"]}
    after = qbo.post("customer", body)["Customer"]
    assert not {"Notes", "Mobile", "PrimaryEmailAddr"} & set(after)


def test_an_update_of_an_older_version_is_stale(qbo):
    before = customer(qbo)
    body = {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"], "Notes": "One"}
    qbo.post("customer", body)
    assert qbo.refusal("POST", "customer", body=body | {"Notes": "Two"})["code"] == "5010"
    assert customer(qbo)["Notes"] == "One"


def test_a_payment_does_not_make_an_update_stale(qbo):
    before = customer(qbo)
    qbo.world.control.pay("INV-0001")
    qbo.post("customer", {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"], "Notes": "Two"})


def test_notes_have_a_longest_length_that_can_be_set(qbo):
    before = customer(qbo)
    body = {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"], "Notes": "x" * 1500}
    qbo.world.control.quickbooks.habits(notes_cap=1024)
    refusal = qbo.refusal("POST", "customer", body=body)
    assert (refusal["code"], refusal["element"]) == ("2050", "Notes")
    with pytest.raises(ControlRefused, match="There is no habit “nap”"):
        qbo.world.control.quickbooks.habits(nap=1)


def test_what_cannot_be_written_is_refused_with_its_number(qbo):
    before = customer(qbo)
    named = {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"]}
    assert qbo.refusal("POST", "customer", body=named | {"Mood": "sunny"})["code"] == "2010"
    assert qbo.refusal("POST", "customer", body=named | {"Id": "999"})["code"] == "610"
    assert qbo.refusal("POST", "customer", body={"DisplayName": before["DisplayName"]})["code"] == "6240"
    assert qbo.refusal("POST", "customer", body=b"{")["code"] == "2010"
    assert qbo.refusal("POST", "attachable", body=attached("999"))["code"] == "2500"
    assert qbo.refusal("POST", "attachable", body=attached("1", "x" * 2001))["code"] == "2050"


def test_a_customer_can_be_put_below_another_and_never_below_itself(qbo):
    above, below = customer(qbo), qbo.post("customer", {"DisplayName": "Fig Annexe"})["Customer"]
    body = {"sparse": True, "Id": below["Id"], "SyncToken": below["SyncToken"], "ParentRef": {"value": above["Id"]}}
    moved = qbo.post("customer", body)["Customer"]
    assert (moved["FullyQualifiedName"], moved["Job"]) == (f"{above['DisplayName']}:Fig Annexe", True)
    above = customer(qbo)
    body = {"sparse": True, "Id": above["Id"], "SyncToken": above["SyncToken"], "ParentRef": {"value": below["Id"]}}
    assert qbo.refusal("POST", "customer", body=body)["code"] == "6000"


def test_a_company_in_the_us_keeps_only_what_latin1_has(qbo):
    control = qbo.world.control
    control.add_organisation("Oakland Joinery Inc", currency="USD", country="US", timezone="PACIFICSTANDARDTIME")
    there = QuickBooksApp(qbo.world).connect(realmId=control.organisations()[1]["realm_id"])
    created = there.post("customer", {"DisplayName": "Café Zoé"})["Customer"]
    named = {"sparse": True, "Id": created["Id"], "SyncToken": created["SyncToken"]}
    for text in ("Paid 👍", "“quoted”", "支払い"):
        assert there.refusal("POST", "customer", body=named | {"Notes": text})["element"] == "Notes"
    here = customer(qbo)
    qbo.post("customer", {"sparse": True, "Id": here["Id"], "SyncToken": here["SyncToken"], "Notes": "Paid 👍"})


def test_a_note_is_attached_to_an_invoice_and_found_there_again(qbo):
    number = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"]
    written = qbo.post("attachable", attached(number))["Attachable"]
    asked = f"AttachableRef.EntityRef.Type = 'Invoice' AND AttachableRef.EntityRef.value = '{number}'"
    assert qbo.query(f"SELECT * FROM Attachable WHERE {asked}")["Attachable"] == [written]
    assert written["AttachableRef"][0]["IncludeOnSend"] is False


def test_a_customer_takes_attachments_unless_that_habit_is_switched_off(qbo):
    body = {"Note": "A note", "AttachableRef": [{"EntityRef": {"type": "Customer", "value": customer(qbo)["Id"]}}]}
    qbo.post("attachable", body)
    qbo.world.control.quickbooks.habits(attachable_on_customer=False)
    assert qbo.refusal("POST", "attachable", body=body)["code"] == "2090"


def test_the_same_request_id_writes_once_even_when_the_answer_was_lost(qbo):
    number = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"]
    qbo.world.control.faults(quickbooks=["drop_after"])
    with pytest.raises(urllib3.exceptions.HTTPError):
        qbo.call("POST", "attachable", body=attached(number), requestid="attach-1")
    again = qbo.post("attachable", attached(number), requestid="attach-1")["Attachable"]
    assert qbo.query("SELECT COUNT(*) FROM Attachable")["totalCount"] == 1 and again["Id"]


def test_a_request_id_is_one_name_space_over_all_that_is_written(qbo):
    number, before = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"], customer(qbo)
    qbo.post("attachable", attached(number), requestid="r1")
    body = {"sparse": True, "Id": before["Id"], "SyncToken": before["SyncToken"], "Notes": "Never written"}
    assert "Attachable" in qbo.post("customer", body, requestid="r1")
    assert customer(qbo)["Notes"] == "Ring before noon."


def test_a_refused_write_does_not_use_up_its_request_id(qbo):
    before = customer(qbo)
    body = {"sparse": True, "Id": before["Id"], "SyncToken": "77", "Notes": "Two"}
    assert qbo.refusal("POST", "customer", body=body, requestid="r2")["code"] == "5010"
    assert qbo.post("customer", body | {"SyncToken": before["SyncToken"]}, requestid="r2")["Customer"]["Notes"] == "Two"


def test_the_link_to_pay_comes_only_when_asked_for_and_only_where_it_can_be_used(qbo):
    number = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"]
    assert "InvoiceLink" not in qbo.get(f"invoice/{number}")["Invoice"]
    assert qbo.get(f"invoice/{number}", include="invoiceLink")["Invoice"]["InvoiceLink"].startswith("https://")
    qbo.world.control.edit_contact("Fern & Fig Café", email=None)
    assert "InvoiceLink" not in qbo.get(f"invoice/{number}", include="invoiceLink")["Invoice"]


def test_an_invoice_can_be_had_as_a_pdf_and_a_deleted_one_no_longer_at_all(qbo):
    number = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"]
    answer = qbo.call("GET", f"invoice/{number}/pdf", headers={"Accept": "application/pdf"})
    assert answer.headers["Content-Type"] == "application/pdf" and answer.data.startswith(b"%PDF-")
    qbo.world.control.remove("INV-0001")
    assert qbo.refusal("GET", f"invoice/{number}")["code"] == "610"


def test_the_last_word_on_a_deleted_invoice_is_that_its_money_is_unused(qbo):
    control = qbo.world.control
    control.pay("INV-0001", "50.00")
    control.remove("INV-0001")
    (payment,) = qbo.query("SELECT * FROM Payment")["Payment"]
    assert (payment["UnappliedAmt"], payment["Line"]) == (50, [])
    assert customer(qbo)["Balance"] == -50


def test_several_addresses_stand_in_one_field_and_foreign_money_is_named(qbo):
    control = qbo.world.control
    assert "CurrencyRef" not in qbo.query("SELECT * FROM Invoice")["Invoice"][0]
    control.add_contact("Atelier Garnier", "a@garnier.example, b@garnier.example", currency="EUR")
    control.add_invoice("Atelier Garnier", "2026-02-01", "10.00")
    rows = qbo.query("SELECT * FROM Invoice ORDERBY DocNumber")["Invoice"]
    assert [row["CurrencyRef"]["value"] for row in rows] == ["GBP", "EUR"]
    assert rows[1]["BillEmail"]["Address"] == "a@garnier.example, b@garnier.example"
    assert qbo.get("preferences")["Preferences"]["CurrencyPrefs"]["MultiCurrencyEnabled"] is True


def test_a_due_date_moved_on_a_part_paid_invoice_is_a_change_here(qbo):
    control = qbo.world.control
    control.pay("INV-0001", "50.00")
    before = qbo.query("SELECT * FROM Invoice")["Invoice"][0]
    control.edit_invoice("INV-0001", due="2026-03-01")
    after = qbo.query("SELECT * FROM Invoice")["Invoice"][0]
    assert after["DueDate"] == "2026-03-01" and int(after["SyncToken"]) == int(before["SyncToken"]) + 1
