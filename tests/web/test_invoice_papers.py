"""Mirrors jobs/invoice_papers.py and its door: the ledger's own PDF of an invoice, when a person asks for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlmodel import col

from jobs.invoice_papers import file_name
from store.people import add_member, add_user
from store.tables import InvoiceRow
from tests.web.books import Books
from tests.web.visitor import Visitor
from town import Town
from web import build

FERN = "Fern & Fig Café"


def a_firm(a_town: Callable[..., Town], number: str = "INV-7") -> Town:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="100.00", number=number)
    return town


def somebody(town: Town, role: str = "owner") -> Visitor:
    if role != "owner":
        with town.office.database.unit_of_work() as unit:
            user = add_user(unit, email="sam@firm.example", name="Sam", password="correct horse", now=town.clock())
            add_member(unit, user_id=int(user.id or 0), organisation_id=town.organisation, role=role)
    visitor = Visitor(build(town.office, poke=lambda *_: None))
    email = "owner@firm.example" if role == "owner" else "sam@firm.example"
    assert visitor.sign_in(email, "correct horse").status == 303
    return visitor


def the_invoice(town: Town) -> int:
    with town.office.database.reading() as session:
        return int(session.scalars(select(InvoiceRow.id)).one() or 0)


@pytest.mark.parametrize("kind", ["xero", "quickbooks"])
def test_the_account_page_leads_to_the_paper_that_the_ledger_itself_prints(
    a_town: Callable[..., Town], kind: str
) -> None:
    town = a_firm(a_town)
    town.connect(kind)
    owner = somebody(town)
    number = the_invoice(town)
    assert f'href="/invoices/{number}/pdf"' in owner.get(f"/accounts/{town.account(FERN).id}").text
    assert not [call for call in town.control.calls() if "pdf" in call["path"].lower()], "only when somebody asks"

    paper = owner.get(f"/invoices/{number}/pdf")

    assert paper.status == 200
    assert paper.body.startswith(b"%PDF-")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["content-disposition"] == 'attachment; filename="INV-7.pdf"'
    assert paper.headers["x-content-type-options"] == "nosniff"
    assert paper.headers["cache-control"] == "no-store"
    assert int(paper.headers["content-length"]) == len(paper.body)


def test_support_staff_may_see_the_paper_and_another_organisation_may_not(
    a_town: Callable[..., Town], anna: Visitor, books: Books
) -> None:
    town = a_firm(a_town)
    town.connect()
    assert somebody(town, "support").get(f"/invoices/{the_invoice(town)}/pdf").status == 200

    assert anna.get(f"/invoices/{books.ids['invoice'][1]}/pdf").status == 404


def test_a_ledger_that_does_not_give_it_is_a_page_that_says_so(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    owner, address = somebody(town), f"/invoices/{the_invoice(town)}/pdf"

    town.control.faults(down=True)
    answer = owner.get(address)
    assert (answer.status, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "The PDF of INV-7 could not be fetched" in answer.text
    town.control.faults(down=False)

    with town.office.database.unit_of_work() as unit:
        unit.scalars(select(InvoiceRow)).one().ledger_id = "00000000-0000-0000-0000-00000000dead"
    assert "Xero has no PDF of INV-7" in owner.get(address).text


def test_a_paper_that_is_too_large_is_not_taken(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    town.office.ledgers = {"xero": replace(town.office.ledgers["xero"], largest_pdf_megabytes=0)}

    answer = somebody(town).get(f"/invoices/{the_invoice(town)}/pdf")

    assert answer.status == 409
    assert "larger than 0 MB" in answer.text


def test_without_a_connection_nobody_is_asked(anna: Visitor, books: Books) -> None:
    with books.office.database.reading() as session:
        ours = session.scalars(select(InvoiceRow.id).where(col(InvoiceRow.organisation_id) == books.ours)).first()
    answer = anna.get(f"/invoices/{ours}/pdf")

    assert answer.status in (404, 409)
    assert "%PDF" not in answer.text


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("INV-001", "INV-001.pdf"),
        ("2026/07 Ä", "2026-07.pdf"),
        ('"; drop\r\nSet-Cookie: x', "drop-Set-Cookie-x.pdf"),
        ("../../etc/passwd", "etc-passwd.pdf"),
        ("请款", "invoice.pdf"),
        ("", "invoice.pdf"),
        ("9" * 300, "9" * 80 + ".pdf"),
    ],
)
def test_the_file_is_named_after_the_invoice_with_letters_that_any_machine_takes(number: str, name: str) -> None:
    assert file_name(number) == name
