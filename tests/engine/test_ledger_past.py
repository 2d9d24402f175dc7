"""Mirrors engine/ledger_past.py: an invoice as the ledger shows it now is played back as it came and went."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.facts import Rules
from engine.ledger_past import PastInvoice, Reduced, played_back
from engine.receivables import InvoiceStatus
from engine.story import Story, tell
from telling import W1

ISSUED, DUE = date(2026, 1, 5), date(2026, 2, 4)


def past(status: InvoiceStatus = InvoiceStatus.PAID, **changes: object) -> PastInvoice:
    plain = PastInvoice("A", "A", ISSUED, DUE, Decimal(100), Decimal(0), "GBP", status, date(2026, 3, 1))
    return plain._replace(**changes)


def happened(*invoices: PastInvoice) -> list[tuple[str, str, object]]:
    def value(event: object) -> object:
        given = event.value  # type: ignore[attr-defined]
        return str(given[0].balance) if event.what == "add" else given  # type: ignore[attr-defined]

    return [(str(event.on), event.what, value(event)) for event in played_back(invoices)]


def test_it_appears_when_issued_shrinks_with_part_payments_and_leaves_when_settled() -> None:
    reduced = (Reduced(date(2026, 3, 1), Decimal(70)), Reduced(date(2026, 2, 10), Decimal(30)))

    assert happened(past(reduced=reduced)) == [
        ("2026-01-05", "add", "100"),
        ("2026-02-10", "balance", {"A": Decimal(70)}),
        ("2026-03-01", "pay", ["A"]),
    ]
    assert past(reduced=reduced).paid_on == (date(2026, 2, 10), date(2026, 3, 1))


def test_it_leaves_on_the_day_its_balance_was_gone_where_that_was_before_the_day_we_learnt_of_it() -> None:
    reduced = (Reduced(date(2026, 2, 10), Decimal(100), paid=False),)
    credited = past(InvoiceStatus.CREDITED, gone_on=date(2026, 3, 20), reduced=reduced)

    assert happened(credited)[1:] == [("2026-02-10", "credit", ["A"])]
    assert credited.paid_on == ()


def test_an_open_one_owes_in_the_end_what_it_owes_today() -> None:
    reduced = (Reduced(date(2026, 2, 10), Decimal(30)),)
    still_open = past(InvoiceStatus.OPEN, balance=Decimal(50), gone_on=None, reduced=reduced)

    assert happened(still_open) == [
        ("2026-01-05", "add", "80"),  # of the 50 paid, 20 have no date
        ("2026-02-10", "balance", {"A": Decimal(50)}),
    ]


def test_a_voided_one_leaves_and_nothing_happens_before_an_invoice_was_issued() -> None:
    early = (Reduced(date(2026, 1, 2), Decimal(30)),)  # a deposit

    assert happened(past(InvoiceStatus.VOIDED))[-1] == ("2026-03-01", "void", ["A"])
    assert happened(past(gone_on=date(2026, 1, 2), reduced=early)) == [
        ("2026-01-05", "add", "100"),
        ("2026-01-05", "pay", ["A"]),
    ]


@st.composite
def pasts(draw: st.DrawFn) -> list[PastInvoice]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        issued = ISSUED + timedelta(days=draw(st.integers(0, 60)))
        due = issued + timedelta(days=draw(st.integers(0, 30)))
        parts = draw(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60), st.booleans()), max_size=3))
        reduced = tuple(Reduced(issued + timedelta(days=after), Decimal(some), money) for after, some, money in parts)
        status = draw(st.sampled_from(InvoiceStatus))
        gone = issued + timedelta(days=draw(st.integers(0, 120))) if status is not InvoiceStatus.OPEN else None
        name = f"I{number}"
        found.append(PastInvoice(name, name, issued, due, Decimal(100), Decimal(40), "GBP", status, gone, reduced))
    return found


@given(pasts())
def test_whatever_the_past_no_reminder_lists_an_invoice_that_was_settled_before(invoices: list[PastInvoice]) -> None:
    start = min(one.issued_on for one in invoices)
    story = Story(start, start + timedelta(days=250), {"W1": W1}, "W1", (), played_back(invoices), Rules())
    known = {one.id: one for one in invoices}
    for send in tell(story, every_day=False).sends:
        for name in send.invoices:
            gone = known[name].gone_on
            assert known[name].issued_on <= send.on
            assert gone is None or send.on < max(gone, known[name].issued_on)
