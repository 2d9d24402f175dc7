"""Mirrors sandbox/quickbooks/: consent, the query language and change data capture of the practice QuickBooks."""

import json
from datetime import timedelta

import pytest
import urllib3

from tests.sandbox.quickbooks_app import QuickBooksApp


@pytest.fixture
def qbo(world):
    return QuickBooksApp(world).connect()


@pytest.fixture
def qbo_company(company):
    return QuickBooksApp(company).connect()


def test_consent_brings_code_state_and_realm_and_cancelling_brings_an_error(world):
    app = QuickBooksApp(world)
    realm = world.control.organisations()[0]["realm_id"]
    back = app.ask_consent(state="abc")
    assert (back["state"], back["realmId"]) == ("abc", realm) and back["code"]
    assert app.ask_consent("cancel") == {"error": "access_denied", "state": "s1"}


def test_the_company_introduces_itself_under_its_realm_alone(qbo):
    info = qbo.get(f"companyinfo/{qbo.realm}")
    assert info["CompanyInfo"]["CompanyName"] == qbo.world.control.organisations()[0]["name"]
    assert info["time"].endswith(("-08:00", "-07:00"))
    qbo.world.control.add_organisation("Another Ltd")
    qbo.realm = qbo.world.control.organisations()[1]["realm_id"]
    assert qbo.call("GET", "companyinfo/1").status == 403


def test_open_invoices_and_their_count_agree_with_the_books(qbo_company):
    balances = qbo_company.world.control.balances()
    assert qbo_company.query("SELECT COUNT(*) FROM Invoice WHERE Balance > '0'")["totalCount"] == len(balances)
    rows = qbo_company.query("SELECT * FROM Invoice WHERE Balance > '0' MAXRESULTS 1000")["Invoice"]
    assert sorted(f"{row['Balance']:.2f}" for row in rows) == sorted(balances.values())


def test_seek_paging_by_last_change_meets_every_invoice(qbo_company):
    seen, since = {}, "2000-01-01T00:00:00Z"
    while True:
        text = f"SELECT * FROM Invoice WHERE MetaData.LastUpdatedTime >= '{since}'"
        rows = qbo_company.query(f"{text} ORDERBY MetaData.LastUpdatedTime ASC MAXRESULTS 60").get("Invoice", [])
        seen |= {row["Id"]: row for row in rows}
        stamps = [row["MetaData"]["LastUpdatedTime"] for row in rows]
        if len(rows) < 60:
            break
        assert since != stamps[-1]
        since = stamps[-1]
    shown = [x for x in qbo_company.world.control.invoices() if x["status"] not in ("DRAFT", "SUBMITTED", "DELETED")]
    assert len(seen) == len(shown)


def test_a_payment_moves_the_invoice_and_the_customer_above_but_not_the_customers_version(qbo):
    control = qbo.world.control
    parent = control.add_contact("Meridian Group")
    child = control.add_contact("Meridian Pilates", parent="Meridian Group", billed_with_parent=True)
    control.add_invoice(child, "2026-02-01", "120.00")
    control.move_clock(control.now() + timedelta(minutes=30))
    before = {x["DisplayName"]: x for x in qbo.query("SELECT * FROM Customer")["Customer"]}
    control.pay("INV-0001", "20.00")
    changed = qbo.changes(f"{control.now().isoformat()}")
    (invoice,) = changed["Invoice"]
    assert (invoice["SyncToken"], invoice["Balance"], len(invoice["LinkedTxn"])) == ("1", 100, 1)
    assert {x["DisplayName"] for x in changed["Customer"]} == {"Meridian Group", "Meridian Pilates"}
    assert all(x["SyncToken"] == before[x["DisplayName"]]["SyncToken"] for x in changed["Customer"])
    owed = {x["DisplayName"]: (x["Balance"], x["BalanceWithJobs"]) for x in changed["Customer"]}
    assert owed == {"Meridian Group": (0, 100), "Meridian Pilates": (100, 100)}
    below = next(x for x in changed["Customer"] if x["Job"])
    assert (below["BillWithParent"], below["Level"]) == (True, 1)
    assert below["ParentRef"]["value"] == before["Meridian Group"]["Id"] and parent


def test_tombstones_come_last_in_their_group_and_a_void_is_a_plain_change(qbo):
    control = qbo.world.control
    contact = control.add_contact("Fern & Fig Café")
    for _ in range(3):
        control.add_invoice(contact, "2026-02-01", "10.00")
    since = control.now().isoformat()
    control.remove("INV-0001")
    control.move_clock(control.now() + timedelta(seconds=5))
    control.void("INV-0002")
    rows = qbo.changes(since)["Invoice"]
    assert [row.get("status") for row in rows] == [None, None, "Deleted"]
    assert set(rows[2]) == {"status", "domain", "Id", "MetaData"}
    voided = rows[1]
    assert (voided["TotalAmt"], voided["Balance"], voided["PrivateNote"][:6]) == (0, 0, "Voided")
    assert qbo.changes((control.now() + timedelta(seconds=1)).isoformat()) == {}


def test_credit_memos_are_linked_by_a_payment_over_nothing_and_loose_money_lowers_the_balance(qbo):
    control = qbo.world.control
    contact = control.add_contact("Fern & Fig Café")
    control.add_invoice(contact, "2026-02-01", "100.00")
    control.credit("INV-0001", "30.00")
    control.add_overpayment(contact, "5.00")
    payments = qbo.query("SELECT * FROM Payment ORDERBY TotalAmt")["Payment"]
    assert [(x["TotalAmt"], x["UnappliedAmt"]) for x in payments] == [(0, 0), (5, 5)]
    assert [line["LinkedTxn"][0]["TxnType"] for line in payments[0]["Line"]] == ["Invoice", "CreditMemo"]
    assert qbo.query("SELECT * FROM CreditMemo")["CreditMemo"][0]["RemainingCredit"] == 0
    assert qbo.query("SELECT * FROM Customer")["Customer"][0]["Balance"] == 65
    control.pay("INV-0001", "70.00")
    control.delete_payment(control.payments()[-1]["id"])
    assert qbo.query("SELECT * FROM Invoice WHERE Balance > '0'")["Invoice"][0]["Balance"] == 70


def test_an_answer_of_change_data_capture_ends_at_a_thousand_rows_and_loses_what_was_deleted(qbo):
    control = qbo.world.control
    contact = control.add_contact("Fern & Fig Café")
    for _ in range(5):
        control.add_invoice(contact, "2026-02-01", "10.00")
    control.remove("INV-0003")
    control.quickbooks.habits(cdc_most=5)
    rows = qbo.changes("2026-01-01T00:00:00Z")
    assert {name: len(found) for name, found in rows.items()} == {"Customer": 1, "Invoice": 4}
    assert not any("status" in row for row in rows["Invoice"])


def test_changes_older_than_thirty_days_are_forgotten(qbo):
    control = qbo.world.control
    control.add_contact("Fern & Fig Café")
    control.move_clock(control.now() + timedelta(days=31))
    qbo.refresh_now()
    assert qbo.changes("2026-01-01T00:00:00Z") == {}


def test_inactive_customers_are_left_out_unless_asked_for(qbo):
    control = qbo.world.control
    control.add_contact("Fern & Fig Café")
    control.edit_contact("Fern & Fig Café", archived=True)
    assert qbo.query("SELECT * FROM Customer") == {}
    (row,) = qbo.query("SELECT * FROM Customer WHERE Active IN (true, false)")["Customer"]
    assert row["Active"] is False
    assert qbo.changes("2026-01-01T00:00:00Z")["Customer"][0]["Active"] is False


def test_a_hundred_rows_come_unless_more_are_asked_for(qbo):
    control = qbo.world.control
    for number in range(103):
        control.add_contact(f"Customer {number:03d}")
    assert len(qbo.query("select * from customer")["Customer"]) == 100
    assert len(qbo.query("SELECT * FROM Customer STARTPOSITION 101 MAXRESULTS 50")["Customer"]) == 3
    like = qbo.query("SELECT * FROM Customer WHERE DisplayName LIKE '%09%' ORDER BY DisplayName DESC")["Customer"]
    assert [row["DisplayName"] for row in like][:2] == ["Customer 099", "Customer 098"]


def test_quotes_and_backslashes_in_a_question_are_escaped(qbo):
    qbo.world.control.add_contact(r"O'Neil \ Sons")
    assert qbo.query(r"SELECT * FROM Customer WHERE DisplayName = 'O\'Neil \\ Sons'")["Customer"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT * FROM Invoice WHERE Balance > '0' OR Id = '1'", "4000"),
        ("SELECT * Invoice", "4000"),
        ("SELECT * FROM Invoice WHERE Balance > 'x", "4000"),
        ("SELECT * FROM Invoice WHERE Id > '1'", "4001"),
        ("SELECT * FROM Invoice WHERE PrivateNote = 'x'", "4001"),
        ("SELECT * FROM Payment WHERE UnappliedAmt > '0'", "4001"),
        ("SELECT * FROM Customer WHERE BalanceWithJobs > '0'", "4001"),
        ("SELECT * FROM Invoice MAXRESULTS 1001", "4001"),
        ("SELECT * FROM Nonsense", "4001"),
    ],
)
def test_a_question_that_quickbooks_would_not_answer_is_refused_with_its_number(qbo, text, code):
    assert qbo.refusal("GET", "query", query=text)["code"] == code


def test_a_question_may_be_posted_as_text(qbo):
    qbo.world.control.add_contact("Fern & Fig Café")
    headers = {"Content-Type": "application/text", "Accept-Encoding": "gzip"}
    answer = qbo.call("POST", "query", body=b"SELECT * FROM Customer", headers=headers)
    assert json.loads(answer.data)["QueryResponse"]["Customer"][0]["DisplayName"] == "Fern & Fig Café"
    assert answer.headers["intuit_tid"] and answer.headers["Content-Encoding"] == "gzip"


def test_questions_may_come_in_a_batch_and_each_is_answered_in_its_own_place(qbo):
    qbo.world.control.add_contact("Fern & Fig Café")
    items = [{"bId": "a", "Query": "SELECT * FROM Customer"}, {"bId": "b", "Query": "SELECT * FROM Nonsense"}]
    found, refused = qbo.post("batch", {"BatchItemRequest": items})["BatchItemResponse"]
    assert (found["bId"], found["QueryResponse"]["Customer"][0]["DisplayName"]) == ("a", "Fern & Fig Café")
    assert (refused["bId"], refused["Fault"]["Error"][0]["code"]) == ("b", "4001")
    assert qbo.refusal("POST", "batch", body={"BatchItemRequest": items * 16})["code"] == "1040"


def test_reading_is_metered_writing_is_free_and_writes_in_a_batch_are_refused(qbo):
    control = qbo.world.control
    qbo.query("SELECT * FROM Customer")
    qbo.changes("2026-01-01T00:00:00Z")
    qbo.post("customer", {"DisplayName": "Fern & Fig Café"})
    qbo.refusal("POST", "batch", body={"BatchItemRequest": [{"bId": "1", "operation": "create", "Customer": {}}]})
    counted = control.quickbooks.stands()
    assert (counted["metered"], counted["batches"]) == (2, 1)


def test_the_page_of_the_sandbox_says_what_an_app_is_told(world):
    page = urllib3.request("GET", f"{world.url}/").data.decode()
    addresses = world.quickbooks
    for told in (addresses.api_url, addresses.authorize_url, addresses.token_url, addresses.revoke_url):
        assert told in page
    assert world.control.organisations()[0]["realm_id"] in page


def test_a_very_large_company_is_filled_in_one_call_and_every_row_can_be_written_out_ahead(qbo):
    filled = qbo.world.control.xero.fill_large(invoices=300, contacts=20, open_share=0.1)
    assert qbo.query("SELECT COUNT(*) FROM Invoice WHERE Balance > '0'")["totalCount"] == filled["open"]
    assert qbo.world.control.quickbooks.write_out() == 300 + 20 + filled["Payments"]


def test_a_page_that_is_asked_for_again_is_the_same_until_something_changes(qbo):
    control = qbo.world.control
    control.add_contact("Fern & Fig Café")
    question = "SELECT * FROM Customer"
    plain, packed = (qbo.call("GET", "query", query=question, headers=h) for h in ({}, {"Accept-Encoding": "gzip"}))
    assert plain.data == packed.data and packed.headers["Content-Encoding"] == "gzip"
    control.edit_contact("Fern & Fig Café", name="Fig & Fern Café")
    assert qbo.query(question)["Customer"][0]["DisplayName"] == "Fig & Fern Café"
