"""Mirrors store.screens.account_file and web.rooms.invoice where a head office pays for its branches."""

import pytest

from store.tables import AccountRow, InvoiceRow
from tests.web.books import Books
from tests.web.filling import Filling
from tests.web.visitor import Visitor


@pytest.fixture
def firm(books: Books) -> dict[str, int]:
    """Oakfield Hotels pays for its kitchen at the mill, which the ledger bills, and for itself."""
    with books.office.database.unit_of_work() as unit:
        filling = Filling(unit, books.ours)
        filling.number = 1000
        head = filling.account("Oakfield Hotels Ltd", (20, "900.00"))
        branch = filling.account("Oakfield at the Mill & Sons")
        row = unit.get(AccountRow, branch)
        assert row is not None
        row.billed_with = "a-Oakfield Hotels Ltd"
        billed = filling.invoice(head, 31, "120.00", billed_for=branch)
        assert billed.id is not None
        return {"head": head, "branch": branch, "billed": billed.id}


def test_the_account_that_pays_shows_for_whom_each_invoice_is(anna: Visitor, firm: dict[str, int]) -> None:
    page = anna.get(f"/accounts/{firm['head']}")

    assert page.text.count("for <a href") == 1, "its own invoice is for nobody else"
    assert f'for <a href="/accounts/{firm["branch"]}">Oakfield at the Mill &amp; Sons</a>' in page.text


def test_the_page_of_the_invoice_names_the_branch(anna: Visitor, firm: dict[str, int]) -> None:
    assert "Billed for Oakfield at the Mill & Sons Total" in anna.get(f"/invoices/{firm['billed']}").words


def test_the_page_of_the_branch_says_who_is_asked_for_its_invoices(anna: Visitor, firm: dict[str, int]) -> None:
    page = anna.get(f"/accounts/{firm['branch']}").words

    assert "Billed with Oakfield Hotels Ltd , which is asked for its invoices." in page


def test_an_account_of_another_organisation_is_never_named(anna: Visitor, books: Books, firm: dict[str, int]) -> None:
    with books.office.database.unit_of_work() as unit:
        theirs = Filling(unit, books.theirs).account("Not Yours Ltd")
        row, invoice = unit.get(AccountRow, firm["branch"]), unit.get(InvoiceRow, firm["billed"])
        assert row is not None and invoice is not None
        row.billed_with, invoice.billed_for = "a-Not Yours Ltd", theirs

    for path in (f"/accounts/{firm['head']}", f"/accounts/{firm['branch']}", f"/invoices/{firm['billed']}"):
        assert "Not Yours" not in anna.get(path).words, path
