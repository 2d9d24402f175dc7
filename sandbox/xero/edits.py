"""The one change that a collector may make to an invoice in the ledger: the day on which payment is expected."""

from datetime import date, datetime
from typing import Any

from sandbox.books import Books
from sandbox.documents import NotPossible
from sandbox.exchange import Request
from sandbox.xero.dates import read_instant
from sandbox.xero.rows import Row, Size, invoice_row

READ_ONLY = {"HasAttachments", "HasErrors"}
"""Sent along by Xero's own library, and not listened to."""


def edit_invoices(books: Books, request: Request, path: list[str]) -> list[Row]:
    """`{"Invoices": [{"InvoiceID": …, "ExpectedPaymentDate": "2026-05-31"}]}`; the id may stand in the path instead."""
    rows = []
    for wanted in _asked(request):
        invoice = books.invoice(path[0] if path else str(wanted.get("InvoiceID") or wanted.get("InvoiceNumber")))
        others = set(wanted) - {"InvoiceID", "InvoiceNumber", "ExpectedPaymentDate"} - READ_ONLY
        if others:
            raise NotPossible(f"Only ExpectedPaymentDate can be changed here, not {', '.join(sorted(others))}.")
        if "ExpectedPaymentDate" in wanted:
            books.edit_invoice(invoice, {"expected": _day(wanted["ExpectedPaymentDate"])})
        rows.append(invoice_row(invoice, Size.SINGLE))
    return rows


def _asked(request: Request) -> list[Row]:
    try:
        content = request.json()
    except ValueError:
        raise NotPossible("The body is not readable as JSON.") from None
    asked = content.get("Invoices", [content]) if isinstance(content, dict) else content
    if not isinstance(asked, list) or not all(isinstance(wanted, dict) for wanted in asked):
        raise NotPossible('The body is not of the form {"Invoices": [{"InvoiceID": "…"}]}.')
    return asked


def _day(given: Any) -> date | None:
    if given in (None, ""):
        return None
    try:
        return read_instant(given).date() if str(given).startswith("/Date") else datetime.fromisoformat(given).date()
    except (ValueError, TypeError):
        raise NotPossible(f"The ExpectedPaymentDate “{given}” is not a day of the form 2026-05-31.") from None
