"""The control door as a program sees it: one method a verb, each one call over plain HTTP with JSON.

Amounts may be given as str, int or Decimal and come back as strings; days as date or `2026-05-31`; hours as aware
datetimes. Invoices are named by id or number, contacts by id or name, organisations by id or name (without one, the
first is meant). With `at=`, a verb about money or letters is put on the timetable and happens when the clock gets
there; it then gives None.
"""

import http.client
import json
import threading
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.control.quickbooks_client import QuickBooksControl
from sandbox.control.sendgrid_client import SendGridControl
from sandbox.control.twilio_client import TwilioControl
from sandbox.control.xero_client import XeroControl

Amount = Decimal | str | int
Day = date | str
Row = dict[str, Any]
KEEP: Any = ...  # "not mentioned": None means "take it away"


class ControlRefused(ValueError):
    """The world cannot do this; the message is the sentence that the control door answered."""


class Control:
    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._lines = threading.local()
        self.xero = XeroControl(self._ask)
        self.quickbooks = QuickBooksControl(self._ask)
        self.sendgrid = SendGridControl(self._ask)
        self.twilio = TwilioControl(self._ask)

    # --- what there is

    def organisations(self) -> list[Row]:
        return self._ask("organisations")

    def contacts(self, *, organisation: str | None = None) -> list[Row]:
        return self._ask("contacts", organisation=organisation)

    def invoices(
        self, status: str | None = None, contact: str | None = None, *, organisation: str | None = None
    ) -> list[Row]:
        """Sales invoices, oldest entry first."""
        return self._ask("invoices", status=status, contact=contact, organisation=organisation)

    def balances(self, *, organisation: str | None = None) -> dict[str, str]:
        """What is open on every authorised sales invoice, by invoice id."""
        return self._ask("balances", organisation=organisation)

    def payments(self, *, organisation: str | None = None) -> list[Row]:
        return self._ask("payments", organisation=organisation)

    def notes(self, document_id: str | None = None, *, organisation: str | None = None) -> list[Row]:
        return self._ask("notes", document_id=document_id, organisation=organisation)

    # --- organisations and contacts

    def add_organisation(
        self,
        name: str,
        *,
        currency: str = "GBP",
        country: str = "GB",
        timezone: str = "GMTSTANDARDTIME",
        mail_domain: str | None = None,
    ) -> str:
        return self._ask(
            "add_organisation",
            name=name,
            currency=currency,
            country=country,
            timezone=timezone,
            mail_domain=mail_domain,
        )

    def add_contact(
        self,
        name: str,
        email: str | None = None,
        first_name: str = "",
        last_name: str = "",
        mobile: str | None = None,
        *,
        phone: str | None = None,
        currency: str = "",
        days: int | None = None,
        account_number: str = "",
        persons: Sequence[Row] = (),
        address: Row | None = None,
        is_supplier: bool = False,
        parent: str | None = None,
        billed_with_parent: bool = False,
        notes: str = "",
        organisation: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """persons: {first_name, last_name, email, in_emails}; address: {line, city, postcode, country}.

        QuickBooks alone shows the last three: the customer above this one (id or name), whether that one pays, and a
        text about it.
        """
        return self._ask(
            "add_contact",
            name=name,
            email=email,
            first_name=first_name,
            last_name=last_name,
            mobile=mobile,
            phone=phone,
            currency=currency,
            days=days,
            account_number=account_number,
            persons=list(persons),
            address=address,
            is_supplier=is_supplier,
            parent=parent,
            billed_with_parent=billed_with_parent,
            notes=notes,
            organisation=organisation,
            at=at,
        )

    def edit_contact(
        self, contact: str, *, organisation: str | None = None, at: datetime | None = None, **fields: Any
    ) -> None:
        """fields: any of add_contact's, and archived=True, merged_into=<contact id>; email=None takes it away."""
        self._ask("edit_contact", contact=contact, organisation=organisation, at=at, keep=fields)

    # --- invoices

    def add_invoice(
        self,
        contact: str,
        due: Day,
        amount: Amount,
        number: str | None = None,
        date: Day | None = None,
        currency: str | None = None,
        reference: str | None = None,
        *,
        status: str = "AUTHORISED",
        type: str = "ACCREC",
        organisation: str | None = None,
        at: datetime | None = None,
    ) -> str:
        return self._ask(
            "add_invoice",
            contact=contact,
            due=due,
            amount=amount,
            number=number,
            date=date,
            currency=currency,
            reference=reference,
            status=status,
            type=type,
            organisation=organisation,
            at=at,
        )

    def edit_invoice(
        self,
        invoice: str,
        *,
        due: Day = KEEP,
        date: Day = KEEP,
        reference: str = KEEP,
        number: str = KEEP,
        sent: bool = KEEP,
        expected: Day | None = KEEP,
        contact: str = KEEP,
        organisation: str | None = None,
        at: datetime | None = None,
    ) -> None:
        given = {
            "due": due,
            "date": date,
            "reference": reference,
            "number": number,
            "sent": sent,
            "expected": expected,
            "contact": contact,
        }
        fields = {name: value for name, value in given.items() if value is not KEEP}
        self._ask("edit_invoice", invoice=invoice, organisation=organisation, at=at, keep=fields)

    def void(self, invoice: str, *, organisation: str | None = None, at: datetime | None = None) -> None:
        self._ask("void", invoice=invoice, organisation=organisation, at=at)

    def remove(self, invoice: str, *, organisation: str | None = None, at: datetime | None = None) -> None:
        """Deleted outright, as QuickBooks allows: only a tombstone is left."""
        self._ask("remove", invoice=invoice, organisation=organisation, at=at)

    def delete_draft(self, invoice: str, *, organisation: str | None = None, at: datetime | None = None) -> None:
        self._ask("delete_draft", invoice=invoice, organisation=organisation, at=at)

    def approve(self, invoice: str, *, organisation: str | None = None, at: datetime | None = None) -> None:
        self._ask("approve", invoice=invoice, organisation=organisation, at=at)

    # --- money

    def pay(
        self,
        invoice: str,
        amount: Amount | None = None,
        on: Day | None = None,
        *,
        reference: str = "",
        organisation: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Without an amount, all that is open; `on` is the date on the payment, today unless given."""
        return self._ask(
            "pay", invoice=invoice, amount=amount, on=on, reference=reference, organisation=organisation, at=at
        )

    def delete_payment(self, payment: str, *, organisation: str | None = None, at: datetime | None = None) -> None:
        self._ask("delete_payment", payment=payment, organisation=organisation, at=at)

    def credit(
        self,
        invoice: str,
        amount: Amount | None = None,
        *,
        organisation: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """A credit note, allocated to the invoice at once."""
        return self._ask("credit", invoice=invoice, amount=amount, organisation=organisation, at=at)

    def add_credit_note(
        self, contact: str, amount: Amount, *, currency: str | None = None, organisation: str | None = None
    ) -> str:
        return self._ask(
            "add_credit_note", contact=contact, amount=amount, currency=currency, organisation=organisation
        )

    def add_overpayment(
        self, contact: str, amount: Amount, *, currency: str | None = None, organisation: str | None = None
    ) -> str:
        return self._ask(
            "add_overpayment", contact=contact, amount=amount, currency=currency, organisation=organisation
        )

    def add_prepayment(
        self, contact: str, amount: Amount, *, currency: str | None = None, organisation: str | None = None
    ) -> str:
        return self._ask("add_prepayment", contact=contact, amount=amount, currency=currency, organisation=organisation)

    def allocate(
        self, credit: str, invoice: str, amount: Amount | None = None, *, organisation: str | None = None
    ) -> str:
        return self._ask("allocate", credit=credit, invoice=invoice, amount=amount, organisation=organisation)

    def raw_row(self, list: str, row: Row, *, like: str | None = None, organisation: str | None = None) -> str:
        """Show this row in that list exactly as given; with `like`, over a copy of an existing row. Gives its id."""
        return self._ask("raw_row", list=list, row=row, like=like, organisation=organisation)

    def habits(self, *, allocation_moves_invoice: bool, organisation: str | None = None) -> None:
        self._ask("habits", allocation_moves_invoice=allocation_moves_invoice, organisation=organisation)

    def load_histories(self, path: str | Path) -> Row:
        """Gives {customers, invoices, now}."""
        path = Path(path)
        return self._ask("load_histories", text=path.read_text(encoding="utf-8-sig"), name=path.name)

    # --- the clock

    def now(self) -> datetime:
        return datetime.fromisoformat(self._ask("now"))

    def move_clock(self, to: datetime) -> Row:
        """Gives {now, happened, skipped}."""
        return self._ask("move_clock", to=to)

    def timetable(self, count: int = 20) -> list[Row]:
        return self._ask("timetable", count=count)

    # --- the post

    def mails(self, since: int = 0) -> list[Row]:
        return self._ask("mails", since=since)

    def inbox(self) -> list[Row]:
        return self._ask("inbox")

    def reply(
        self,
        to_mail: int | str,
        text: str,
        html: str | None = None,
        from_: str | None = None,
        as_new_thread: bool = False,
        *,
        subject: str | None = None,
        attachments: Sequence[str] = (),
        at: datetime | None = None,
    ) -> int:
        """Gives the number (UID) of the letter in the INBOX, as do the next three."""
        return self._ask(
            "reply",
            to_mail=to_mail,
            text=text,
            html=html,
            from_=from_,
            as_new_thread=as_new_thread,
            subject=subject,
            attachments=list(attachments),
            at=at,
        )

    def bounce(
        self,
        to_mail: int | str,
        recipient: str | None = None,
        status: str = "5.1.1",
        diagnostic: str = "550 5.1.1 The email account that you tried to reach does not exist",
        action: str = "failed",
        *,
        at: datetime | None = None,
    ) -> int:
        return self._ask(
            "bounce",
            to_mail=to_mail,
            recipient=recipient,
            status=status,
            diagnostic=diagnostic,
            action=action,
            at=at,
        )

    def out_of_office(
        self,
        to_mail: int | str,
        text: str = "I am out of the office until Monday and will read your message then.",
        from_: str | None = None,
        *,
        at: datetime | None = None,
    ) -> int:
        return self._ask("out_of_office", to_mail=to_mail, text=text, from_=from_, at=at)

    def deliver(self, raw: str | bytes) -> int:
        return self._ask("deliver", raw=raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape"))

    def renumber_mailbox(self) -> int:
        """The provider rebuilt the mailbox: gives the new UIDVALIDITY."""
        return self._ask("renumber_mailbox")

    # --- what goes wrong

    def faults(self, **switches: Any) -> Row:
        """next=[…], token=[…], quickbooks=[…], quickbooks_token=[…], twilio=[…], smtp={…}, down=True | False | "drop",
        clear=True.

        Gives the switches as they stand.
        """
        return self._ask("faults", keep=switches)

    def limits(self, **limits: int | None) -> Row:
        """minute=, day=, concurrent=; None switches one off. Counted anew from here, by the sandbox's clock."""
        return self._ask("limits", keep=limits)

    def end_grants(self) -> None:
        self._ask("end_grants")

    def calls(self, *, door: str | None = "api", reset: bool = False) -> list[Row]:
        """door: "api", "identity" (authorise, token, Connections), "quickbooks", "quickbooks identity", "twilio"; None:
        all of them."""
        return self._ask("calls", reset=reset, keep={"door": door})

    # --- how it is asked

    def _ask(self, verb: str, /, *, keep: dict[str, Any] | None = None, **given: Any) -> Any:
        content = {name: value for name, value in given.items() if value is not None} | (keep or {})
        status, body = self._sent(f"/control/{verb}", json.dumps(content, default=str).encode())
        answer = json.loads(body)
        if status != 200:
            raise ControlRefused(answer["error"])
        return answer["result"]

    def _sent(self, path: str, body: bytes) -> tuple[int, bytes]:
        """One line per thread, kept open between calls. A line found cut was cut before the call was read."""
        for fresh in (False, True):
            line = getattr(self._lines, "line", None)
            if line is None or fresh:
                line = self._lines.line = http.client.HTTPConnection(
                    self._url.hostname or "", self._url.port, timeout=60
                )
            try:
                line.request("POST", path, body, {"Content-Type": "application/json"})
                answer = line.getresponse()
                return answer.status, answer.read()
            except (ConnectionError, http.client.HTTPException):
                line.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")
