"""Mirrors connector/_quickbooks_reading.py: few questions, nothing lost."""

from datetime import date
from decimal import Decimal

import pytest

from connector import WHOLE_CHECK_DUE, Gone, Unreachable
from engine.receivables import Applied, AppliedTo, CreditKind, InvoiceStatus, SettledBy
from tests.connector.intuit import (
    REALM,
    by_question,
    changed,
    connect_quickbooks,
    credit_memo,
    customer,
    deleted,
    found,
    invoice,
    later,
    payment,
    statements,
    times,
)
from tests.connector.surroundings import MONDAY, Say, a_grant

CURSOR = {"changed": "2026-01-05T08:55:00+00:00", "currency": "USD"}


@pytest.fixture
def at_intuit(xero, clock):
    return connect_quickbooks(xero, clock)


def everything(pages):
    pages = list(pages)
    return (
        {account.ledger_id: account for page in pages for account in page.accounts},
        {each.ledger_id: each for page in pages for each in page.invoices},
        {credit.ledger_id: credit for page in pages for credit in page.credits},
        pages[-1].cursor,
    )


def applied_in(pages):
    return {one.ledger_id: one for page in pages for one in page.applied}


def test_the_first_reading_takes_who_owes_what_is_open_and_then_what_changed_meanwhile_in_three_calls(xero, at_intuit):
    xero.rule = by_question(
        {
            "FROM Customer": found("Customer", customer()),
            "FROM Invoice": found("Invoice", invoice(), at=later(seconds=5)),
            "/cdc": changed(later(seconds=9), Invoice=[invoice("11")]),
        }
    )

    accounts, invoices, _, cursor = everything(at_intuit.ledger.pull(None))

    assert (set(accounts), set(invoices)) == ({"1"}, {"10", "11"})
    assert statements(xero) == [
        "SELECT * FROM Customer WHERE Balance > '0' ORDERBY MetaData.LastUpdatedTime ASC MAXRESULTS 1000",
        "SELECT * FROM Invoice WHERE Balance > '0' ORDERBY MetaData.LastUpdatedTime ASC MAXRESULTS 1000",
    ]
    feed = xero.asked[-1]
    assert feed.path == f"/v3/company/{REALM}/cdc"
    assert feed.query == {
        "entities": "Customer,Invoice,Payment,CreditMemo",
        "changedSince": "2026-01-05T08:55:00+00:00",
        "minorversion": "75",
    }
    assert cursor == {"changed": "2026-01-05T08:55:09+00:00", "currency": ""}
    assert len(at_intuit.ledger.calls) == 3


def test_whoever_an_invoice_names_and_whoever_pays_for_them_is_asked_for_up_to_the_top(xero, at_intuit):
    kitchen = customer("2", ParentRef={"value": "3"}, BillWithParent=True, DisplayName="Kitchen", Balance=120)
    branch = customer("3", ParentRef={"value": "4"}, BillWithParent=True, DisplayName="Branch", Balance=0)
    xero.rule = by_question(
        {
            "FROM Customer WHERE Balance": found("Customer", kitchen),
            "FROM Invoice": found("Invoice", invoice(CustomerRef={"value": "2"})),
            "Id IN ('3')": found("Customer", branch),
            "Id IN ('4')": found("Customer", customer("4", DisplayName="Head office", Balance=0)),
            "/cdc": changed(),
        }
    )

    accounts, _, _, _ = everything(at_intuit.ledger.pull(None))

    assert {name: account.billed_with for name, account in accounts.items()} == {"2": "3", "3": "4", "4": None}
    assert "Active IN (true, false)" in statements(xero)[2]


def test_a_sub_customer_that_pays_for_itself_is_billed_with_nobody(xero, at_intuit):
    alone = customer("2", ParentRef={"value": "3"}, BillWithParent=False)
    xero.rule = by_question({"FROM": found("Customer", alone)})

    (account,) = at_intuit.ledger.fetch_accounts(["2"]).accounts

    assert account.billed_with is None
    assert len(xero.asked) == 1


def test_money_not_used_is_looked_for_only_where_somebody_owes_less_than_the_invoices_say(xero, at_intuit):
    xero.rule = by_question(
        {
            "FROM Customer": found("Customer", customer("1", Balance=40), customer("2", Balance=120)),
            "FROM Invoice": found("Invoice", invoice(), invoice("11", CustomerRef={"value": "2"})),
            "FROM CreditMemo WHERE CustomerRef IN ('1')": found("CreditMemo", credit_memo()),
            "FROM Payment WHERE CustomerRef IN ('1')": found(
                "Payment", payment("20", TotalAmt=30, UnappliedAmt=30), payment("21", ("Invoice", "9", 70.0))
            ),
            "/cdc": changed(),
        }
    )

    _, _, in_favour, _ = everything(at_intuit.ledger.pull(None))

    assert {name: (credit.kind, credit.remaining) for name, credit in in_favour.items()} == {
        "30": (CreditKind.CREDIT_NOTE, Decimal(50)),
        "payment-20": (CreditKind.OVERPAYMENT, Decimal(30)),
    }


def test_a_poll_is_one_question_and_says_what_an_invoice_was_paid_with(xero, at_intuit):
    paid = invoice(Balance=0, LinkedTxn=[{"TxnId": "20", "TxnType": "Payment"}])
    xero.script = [Say(changed(Invoice=[paid], Payment=[payment("20", ("Invoice", "10", 120.0))]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    _, invoices, in_favour, cursor = everything(pages)
    assert (invoices["10"].status, invoices["10"].settled_on.isoformat()) == (InvoiceStatus.PAID, "2026-01-04")
    assert applied_in(pages) == {"20": Applied("20", date(2026, 1, 4), (AppliedTo("10", Decimal(120)),))}
    assert in_favour == {}
    assert cursor == {"changed": "2026-01-05T08:55:00+00:00", "currency": "USD"}
    assert len(xero.asked) == 1


def test_an_invoice_settled_with_a_credit_memo_and_money_tells_the_two_apart(xero, at_intuit):
    both = invoice(Balance=0, LinkedTxn=[{"TxnId": "20", "TxnType": "Payment"}])
    used = payment("20", ("Invoice", "10", 120.0), ("CreditMemo", "30", 50.0), TotalAmt=70)
    memo = credit_memo(Balance=0, RemainingCredit=0)
    xero.script = [Say(changed(Invoice=[both], Payment=[used], CreditMemo=[memo]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    _, invoices, in_favour, _ = everything(pages)
    assert (invoices["10"].paid, invoices["10"].credited) == (Decimal(70), Decimal(50))
    assert applied_in(pages)["20"].to == (AppliedTo("10", Decimal(50), "30"), AppliedTo("10", Decimal(70)))
    assert (in_favour["30"].remaining, in_favour["30"].status) == (Decimal(0), InvoiceStatus.PAID)


def test_an_invoice_with_a_payment_that_did_not_come_leaves_what_is_known_of_its_payments(xero, at_intuit):
    part = invoice(Balance=20, LinkedTxn=[{"TxnId": name, "TxnType": "Payment"} for name in ("19", "20")])
    xero.script = [Say(changed(Invoice=[part], Payment=[payment("20", ("Invoice", "10", 60.0))]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    _, invoices, _, _ = everything(pages)
    assert (invoices["10"].payments, invoices["10"].paid) == (None, Decimal(100))
    assert applied_in(pages) == {"20": Applied("20", date(2026, 1, 4), (AppliedTo("10", Decimal(60)),))}
    assert [one for page in pages for one in page.settled_by] == [SettledBy("10", frozenset({"19", "20"}))]


def test_an_invoice_that_nothing_stands_on_has_no_payments(xero, at_intuit):
    xero.script = [Say(changed(Invoice=[invoice()]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    assert [(each.payments, each.allocations) for each in everything(pages)[1].values()] == [((), ())]
    assert [one for page in pages for one in page.settled_by] == []


def test_a_deleted_payment_settles_nothing_any_more(xero, at_intuit):
    xero.script = [Say(changed(Payment=[deleted("20")]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    assert applied_in(pages) == {"20": Applied("20", None)}
    assert [gone.ledger_id for page in pages for gone in page.gone] == ["payment-20"]


def test_a_payment_that_cannot_be_read_is_put_aside_once(xero, at_intuit):
    xero.script = [Say(changed(Payment=[payment("20", ("Invoice", "10", 60.0), TxnDate="soon", UnappliedAmt=1)]))]

    pages = list(at_intuit.ledger.pull(CURSOR))

    assert [aside.ledger_id for page in pages for aside in page.set_aside] == ["20"]
    assert applied_in(pages) == {}


def test_a_payment_that_was_not_used_and_now_is_takes_its_credit_to_nothing(xero, at_intuit):
    used = payment("20", ("Invoice", "10", 30.0), MetaData=times(later(minutes=1), created=MONDAY))
    xero.script = [Say(changed(Payment=[used]))]

    _, _, in_favour, _ = everything(at_intuit.ledger.pull(CURSOR))

    assert (in_favour["payment-20"].remaining, in_favour["payment-20"].status) == (Decimal(0), InvoiceStatus.PAID)


def test_what_was_deleted_is_gone_and_is_not_taken_for_paid(xero, at_intuit):
    xero.script = [
        Say(changed(Invoice=[invoice("11"), deleted("10")], Payment=[deleted("20")], CreditMemo=[deleted("30")]))
    ]

    pages = list(at_intuit.ledger.pull(CURSOR))

    assert [each.ledger_id for page in pages for each in page.invoices] == ["11"]
    assert {(gone.list, gone.ledger_id) for page in pages for gone in page.gone} == {
        ("invoices", "10"),
        ("credits", "payment-20"),
        ("credits", "30"),
    }


def test_a_customer_made_inactive_is_archived(xero, at_intuit):
    xero.script = [Say(changed(Customer=[customer(Active=False)]))]

    accounts, _, _, _ = everything(at_intuit.ledger.pull(CURSOR))

    assert accounts["1"].archived


def many(how_many, first=1000):
    return [invoice(str(first + number), at=later(seconds=number)) for number in range(how_many)]


def feed_of(lists):
    """A change feed that says at most 1,000 rows, and drops the deletions first, as QuickBooks does."""

    def answer(asked):
        entities = asked.query["entities"].split(",")
        room, shown = 1000, {}
        for entity in entities:
            shown[entity] = lists.get(entity, [])[:room]
            room -= len(shown[entity])
        return Say(changed(**shown))

    return answer


def test_a_full_feed_is_asked_again_list_by_list(xero, at_intuit):
    lists = {"Invoice": [*many(990), deleted("10")], "Payment": [payment(str(number)) for number in range(40)]}
    xero.rule = feed_of(lists)

    pages = list(at_intuit.ledger.pull(CURSOR))

    assert [gone.ledger_id for page in pages for gone in page.gone] == ["10"]
    assert sum(len(page.invoices) for page in pages) == 990
    assert len(xero.asked) == 5
    assert WHOLE_CHECK_DUE not in pages[-1].cursor


def test_a_list_that_fills_the_feed_alone_is_walked_and_a_whole_check_falls_due_until_it_was_done(xero, at_intuit):
    lists = {"Invoice": [*many(1000), deleted("10")]}
    feed = feed_of(lists)
    xero.rule = by_question({"FROM Invoice": found("Invoice", *many(3, first=5000))}, otherwise=feed)

    pages = list(at_intuit.ledger.pull(CURSOR))
    assert pages[-1].cursor[WHOLE_CHECK_DUE] == "due"
    assert statements(xero) == [
        "SELECT * FROM Invoice WHERE MetaData.LastUpdatedTime >= '2026-01-05T08:55:00+00:00'"
        " ORDERBY MetaData.LastUpdatedTime ASC MAXRESULTS 1000"
    ]
    assert {"5000", "5001", "5002"} <= {each.ledger_id for page in pages for each in page.invoices}

    xero.rule = lambda _: Say(changed())
    assert list(at_intuit.ledger.pull(pages[-1].cursor))[-1].cursor[WHOLE_CHECK_DUE] == "due"


def test_where_deletions_may_have_been_missed_a_count_that_happens_to_agree_is_not_enough(xero, at_intuit):
    odd, deleted_unseen = invoice("11", DueDate=None), "12"
    xero.rule = by_question(
        {
            "COUNT": found("Invoice", totalCount=2),
            "Balance > '0'": found("Invoice", invoice("10"), odd),
            "Id IN ('12')": found("Invoice"),
        }
    )

    pages = list(at_intuit.ledger.whole_check(["10", deleted_unseen], ()))
    assert [gone.ledger_id for page in pages for gone in page.gone] == [deleted_unseen]

    asked = len(xero.asked)
    list(at_intuit.ledger.whole_check(["10", deleted_unseen]))
    assert len(xero.asked) == asked + 1


def test_where_deletions_may_have_been_missed_the_credits_held_here_are_looked_at_with_a_call_for_each_kind(
    xero, at_intuit
):
    xero.rule = by_question(
        {
            "FROM Invoice": found("Invoice"),
            "FROM Payment WHERE Id IN ('20', '21')": found("Payment", payment("20", TotalAmt=30, UnappliedAmt=10)),
            "FROM CreditMemo WHERE Id IN ('30', '31')": found("CreditMemo", credit_memo("31")),
        }
    )

    pages = list(at_intuit.ledger.whole_check([], ["payment-20", "30", "payment-21", "31"]))

    assert {one.ledger_id: one.remaining for page in pages for one in page.credits} == {
        "payment-20": Decimal(10),
        "31": Decimal(50),
    }
    assert [gone for page in pages for gone in page.gone] == [Gone("credits", "payment-21"), Gone("credits", "30")]
    assert applied_in(pages)["21"] == Applied("21", None)
    assert len(xero.asked) == 3


def test_after_29_days_the_open_ledger_is_read_anew_because_the_feed_would_keep_silent(xero, clock):
    at_intuit = connect_quickbooks(xero, clock, grant=a_grant(clock, days=40))
    xero.rule = by_question(
        {
            "FROM Customer": found("Customer", at=later(days=30)),
            "FROM Payment": found("Payment", at=later(days=30)),
            "FROM CreditMemo": found("CreditMemo", credit_memo(Balance=0, RemainingCredit=0), at=later(days=30)),
            "FROM Invoice": found("Invoice", at=later(days=30)),
            "/cdc": changed(later(days=30)),
        }
    )
    clock.move(days=30)

    _, _, in_favour, cursor = everything(at_intuit.ledger.pull(CURSOR))

    assert in_favour["30"].remaining == 0
    assert xero.asked[-1].query["changedSince"] == "2026-02-04T08:55:00+00:00"
    assert cursor[WHOLE_CHECK_DUE] == "due"


def test_invoices_that_a_doorbell_named_are_asked_for_only_when_they_did_not_come(xero, at_intuit):
    xero.rule = by_question(
        {"Id IN ('11', '12')": found("Invoice", invoice("11")), "/cdc": changed(Invoice=[invoice("10")])}
    )

    pages = list(at_intuit.ledger.pull(CURSOR, also=["10", "11", "12"]))

    assert [each.ledger_id for page in pages for each in page.invoices] == ["10", "11"]
    assert [gone for page in pages for gone in page.gone] == [Gone("invoices", "12")]


def test_the_nightly_check_is_one_count_while_nothing_is_amiss(xero, at_intuit):
    xero.script = [Say(found("Invoice", totalCount=2))]

    pages = list(at_intuit.ledger.whole_check(["10", "11"]))

    assert statements(xero) == ["SELECT COUNT(*) FROM Invoice WHERE Balance > '0'"]
    assert [page.invoices for page in pages] == [()]


def test_a_count_that_differs_brings_the_open_ledger_and_whatever_is_not_open_any_more(xero, at_intuit):
    xero.rule = by_question(
        {
            "COUNT": found("Invoice", totalCount=2),
            "Balance > '0'": found("Invoice", invoice("10"), invoice("13")),
            "Id IN ('11', '12')": found("Invoice", invoice("11", Balance=0)),
        }
    )

    pages = list(at_intuit.ledger.whole_check(["10", "11", "12"]))

    invoices = {each.ledger_id: each.status for page in pages for each in page.invoices}
    assert invoices == {"10": InvoiceStatus.OPEN, "11": InvoiceStatus.PAID, "13": InvoiceStatus.OPEN}
    assert [gone for page in pages for gone in page.gone] == [Gone("invoices", "12")]
    assert all(page.cursor is None for page in pages)


def test_looking_again_asks_for_exactly_those_invoices(xero, at_intuit):
    xero.script = [Say(found("Invoice", invoice(Balance=0)))]

    again = at_intuit.ledger.look_again(["10", "o'hare\\"])

    assert statements(xero) == ["SELECT * FROM Invoice WHERE Id IN ('10', 'o\\'hare\\\\') MAXRESULTS 1000"]
    assert [(each.ledger_id, each.payments) for each in again.invoices] == [("10", None)]


def test_the_home_currency_is_asked_for_once_and_only_where_a_row_names_none(xero, clock):
    plain = invoice()
    del plain["CurrencyRef"]
    prefs = {"Id": "1", "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "CAD"}}}
    xero.rule = by_question({"FROM Preferences": found("Preferences", prefs), "FROM Invoice": found("Invoice", plain)})

    for _ in range(2):
        ledger = connect_quickbooks(xero, clock).ledger
        assert [each.currency for each in ledger.look_again(["10"]).invoices] == ["CAD"]
    assert len(xero.asked) == 3


def test_an_answer_without_a_time_is_no_ground_to_go_on_from(xero, at_intuit):
    silent = {name: value for name, value in changed().items() if name != "time"}
    xero.script = [Say(silent)]

    with pytest.raises(Unreachable, match="what time it is there"):
        list(at_intuit.ledger.pull(CURSOR))
