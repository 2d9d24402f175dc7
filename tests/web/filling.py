"""Fills the books of one organisation: an account in every position that a page can show, and what goes with it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.notes import NoteKind
from store.history import write_note
from store.tables import (
    AccountRow,
    AddressStopRow,
    ChangeRow,
    ConnectionRow,
    ContactRow,
    CreditRow,
    HoldRow,
    InvoiceRow,
    MessageRow,
    OrganisationRow,
    PaymentRow,
    PositionRow,
    PostRow,
    ReminderRow,
    ReplyRow,
    SetAsideRow,
    StepRow,
    SyncRunRow,
    WorkflowRow,
)
from store.tasks import open_task
from wording import Line, Statement, render

NOW = datetime(2026, 7, 14, 7, 20, tzinfo=UTC)
TODAY = date(2026, 7, 14)


A_MAIL_WITH_A_FILE = (
    b'From: jo@brackenfield.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n--b\r\nContent-Type: text/html\r\n"
    b'Content-Disposition: attachment; filename="Zahlung \xc3\xbcber 3.html"\r\n\r\n<b>300</b>\r\n--b--\r\n'
)


class Filling:
    """Fills one organisation's books."""

    def __init__(self, unit: Session, organisation: int) -> None:
        self.unit, self.organisation = unit, organisation
        self.number = 0
        row = unit.get(OrganisationRow, organisation)
        assert row is not None and row.default_workflow_id is not None
        self.row, self.workflow = row, row.default_workflow_id
        steps = unit.scalars(select(StepRow).where(StepRow.workflow_id == self.workflow).order_by(StepRow.day))
        self.steps = list(steps)
        self.call_first = unit.scalars(
            select(WorkflowRow.id).where(WorkflowRow.organisation_id == organisation, WorkflowRow.name == "Call first")
        ).one()

    def fill(self) -> dict[str, int]:
        names = {
            "reply": self.brackenfield(),
            "euro": self.account("Café Lumière Sàrl", (12, "1840.00", "EUR"), (3, "412.50"), (-16, "950", "EUR"), at=1),
            "unsure": self.doubtful(),
            "paused": self.held("Eastgate Dental Practice", "paused", "Partner is in hospital; call in August"),
            "idle": self.account("Fenwick Haulage Ltd", (118, "7315.20"), (96, "2200"), at=len(self.steps)),
            "promise": self.held("Greenhill Primary School", "promise", "the office said so", until=6),
            "no address": self.account("Hollis & Webb Architects", (19, "3450"), email=""),
            "due": self.account("Ivy Cottage Interiors", (9, "684.30")),
            "clear": self.account("Juniper Catering Company", (-12, "1290")),
            "pending": self.account("Kestrel Signs", (17, "1115"), workflow=self.call_first),
            "dispute": self.disputed(),
            "refused": self.refused(),
        }
        for place in range(18):
            name = f"{_NAMES[place % len(_NAMES)]} {('Trading', 'Holdings', 'Services')[place // 6]}"
            names[name] = self.account(name, (3 + place * 3, f"{90 + place * 37}.40"), at=min(2, place // 6))
        self.unmatched()
        connection = self.connection()
        for age in range(6):
            self.run(connection, age)
        return names

    def account(
        self, name: str, *invoices: tuple[Any, ...], at: int = 0, email: str | None = None, workflow: int | None = None
    ) -> int:
        short = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha())[:12]
        row = AccountRow(
            organisation_id=self.organisation,
            ledger_id=f"a-{name}",
            name=name,
            number=f"C{1000 + self.number}",
            email=f"accounts@{short}.example" if email is None else email,
            first_name="Jo",
            last_name="Marsh",
            default_workflow_id=workflow,
        )
        self.unit.add(row)
        self.unit.flush()
        assert row.id is not None
        for age, amount, *currency in invoices:
            self.invoice(row.id, age, amount, *currency)
        if at:
            self.stands(row.id, at, oldest=max(age for age, *_ in invoices))
        return row.id

    def invoice(self, account: int, age: int, amount: str, currency: str = "GBP", **more: Any) -> InvoiceRow:
        self.number += 1
        due = TODAY - timedelta(days=age)
        row = InvoiceRow(
            organisation_id=self.organisation,
            account_id=account,
            ledger_id=f"i-{self.number}",
            number=f"INV-{2000 + self.number}",
            reference=("PO 4471", "", "Kitchen, second part", "")[self.number % 4],
            issued_on=due - timedelta(days=30),
            due_on=due,
            currency=currency,
            **({"total": Decimal(amount), "balance": Decimal(amount)} | more),
        )
        self.unit.add(row)
        self.unit.flush()
        return row

    def stands(self, account: int, done: int, *, oldest: int) -> None:
        """As if this many steps had been sent, each on its day."""
        last = self.steps[done - 1]
        driver = self.unit.scalars(
            select(InvoiceRow).where(InvoiceRow.account_id == account).order_by(InvoiceRow.due_on).limit(1)
        ).one()
        anchor = TODAY - timedelta(days=oldest)
        heard = None
        for step in self.steps[:done]:
            heard = anchor + timedelta(days=step.day)
            self.sent(account, step, heard)
        self.unit.add(
            PositionRow(
                account_id=account,
                organisation_id=self.organisation,
                workflow_id=self.workflow,
                state="waiting",
                because="",
                as_of=TODAY - timedelta(days=1),
                cycle=1,
                anchor=anchor,
                run_driver_id=driver.id,
                driver_due_on=driver.due_on,
                done=last.step_id,
                done_day=last.day,
                last_heard_on=heard,
                last_reminded_on=heard,
                last_step_on=heard,
                performed=True,
                decided_at=NOW - timedelta(days=1),
            )
        )
        self.unit.flush()

    def sent(self, account: int, step: StepRow, on: date, state: str = "sent", why: str = "") -> ReminderRow:
        at = datetime(on.year, on.month, on.day, 8, 0, tzinfo=UTC)
        row = ReminderRow(
            organisation_id=self.organisation,
            account_id=account,
            cycle=1,
            step_id=step.step_id,
            step_name=step.name,
            workflow_id=self.workflow,
            channel="email",
            state=state,
            why=why,
            due_on=on,
            send_after=at,
            performed_on=on if state == "sent" else None,
            counted=True,
            settled_at=at if state != "unsure" else None,
            queued_at=at,
        )
        self.unit.add(row)
        self.unit.flush()
        debtor = self.unit.get(AccountRow, account)
        assert debtor is not None
        rows = self.unit.scalars(select(InvoiceRow).where(InvoiceRow.account_id == account)).all()
        lines = tuple(
            Line(one.number, one.reference, one.issued_on, one.due_on, one.total, one.balance, one.currency, age)
            for one in rows
            if (age := (on - one.due_on).days) > 0 and one.currency == "GBP"
        )
        words = render(
            step.subject, step.body, Statement(self.row.name, debtor.name, on, lines, contact_first_name="Jo")
        )
        self.unit.add(
            MessageRow(
                organisation_id=self.organisation,
                account_id=account,
                reminder_id=row.id,
                message_id=f"<{row.id}@example.com>",
                to=debtor.email,
                to_name="Jo Marsh",
                cc=["anna@example.com"],
                reply_to=f"reply+{row.id}@example.com",
                subject=words.subject,
                text=words.text,
                html=words.html,
                created_at=at,
                sent_at=at if state == "sent" else None,
                provider_id=f"250 2.0.0 Ok: queued as {row.id:X}F3",
            )
        )
        if state == "sent":
            text = f"{step.name} was sent to {debtor.email}."
            self.note(account, NoteKind.REMINDER_SENT, text, at, reminder_id=row.id)
        return row

    def note(self, account: int, kind: NoteKind, text: str, at: datetime, by: str = "arrears", **more: Any) -> None:
        write_note(
            self.unit, organisation_id=self.organisation, account_id=account, kind=kind, text=text, at=at, by=by, **more
        )

    def brackenfield(self) -> int:
        """Reminded twice, moved back after a payment, and has just written."""
        account = self.account("Brackenfield Estates", (24, "8640.00"), (6, "2315.75"), (-18, "4100"), at=2)
        paid = self.invoice(
            account, 42, "5200", status="paid", balance=Decimal(0), paid=Decimal(5200), settled_on=TODAY
        )
        paid.settled_seen_at = NOW - timedelta(hours=20)
        self.unit.add(PaymentRow(invoice_id=paid.id or 0, ledger_id="p1", paid_on=TODAY, amount=Decimal(5200)))
        people = [("Jo Marsh", "jo@brackenfield.example", "Bookkeeper"), ("R. Stone", "stone@brackenfield.example", "")]
        for place, (name, email, role) in enumerate(people):
            self.unit.add(
                ContactRow(
                    account_id=account, place=place, name=name, email=email, role=role, receives_reminders=place == 0
                )
            )
        self.unit.add(
            CreditRow(
                organisation_id=self.organisation,
                account_id=account,
                ledger_id="c1",
                kind="credit note",
                number="CN-88",
                issued_on=TODAY - timedelta(days=20),
                total=Decimal(300),
                remaining=Decimal(180),
                currency="GBP",
            )
        )
        text = (
            "Moved back from Reminder 3 to Reminder 2: INV-2004, 42 days overdue, was paid; INV-2001 is now the oldest "
            "at 24 days, where Reminder 2 applies."
        )
        self.note(account, NoteKind.MOVED_BACK, text, NOW - timedelta(hours=20))
        note = "Rang Jo. The second part of the kitchen is signed off; they pay both together."
        self.note(account, NoteKind.NOTE, note, NOW - timedelta(days=4), by="Anna Reed")
        said = "Thanks for the nudge. We have paid the older one today, and the rest goes with Friday's run.\n\nJo"
        reply = self.reply(
            account,
            "jo@brackenfield.example",
            "Re: Your account",
            said,
            html="<p>Thanks for the nudge. <b>We have paid</b> the older one.</p>",
            attachments=[{"place": 1, "name": "Zahlung über 3.html", "content_type": "text/html", "size": 10}],
            suggestions=[
                {
                    "kind": "already paid",
                    "words": "We have paid the older one today",
                    "day": "",
                    "state": "open",
                    "by": "",
                },
                {
                    "kind": "promise",
                    "words": "the rest goes with Friday's run",
                    "day": "2026-07-17",
                    "state": "open",
                    "by": "",
                },
                {"kind": "dispute", "words": "the older one", "day": "", "state": "open", "by": ""},
                {"kind": "stop", "words": "no more", "day": "", "state": "open", "by": ""},
                {"kind": "new contact", "words": "has left", "day": "", "state": "open", "by": ""},
            ],
            authentic="not confirmed",
            stranger=True,
        )
        self.stop(account)
        self.note(
            account,
            NoteKind.REPLY,
            f"Reply from Jo Marsh: “{said}”",
            reply.received_at,
            reply.sender,
            reply_id=reply.id,
        )
        self.hold(account, "reply", "Jo Marsh wrote on 14 July 2026", reply_id=reply.id, by="jo@brackenfield.example")
        return account

    def reply(self, account: int | None, sender: str, subject: str, said: str, **more: Any) -> ReplyRow:
        post = PostRow(
            channel="email_smtp",
            event_id=f"{self.organisation}-{sender}-{subject}",
            received_at=NOW,
            raw=A_MAIL_WITH_A_FILE,
            processed_at=NOW,
        )
        self.unit.add(post)
        self.unit.flush()
        quoted = "\n".join(
            f"> {line}" for line in ("Dear Jo,", "your account shows an overdue balance.", "Kind regards")
        )
        row = ReplyRow(
            post_id=post.id,
            organisation_id=self.organisation,
            account_id=account,
            channel="email_smtp",
            matched_by="token" if account else "",
            sender=sender,
            sender_name="Jo Marsh" if account else "",
            subject=subject,
            said=said,
            text=f"{said}\n\nOn 7 July Accounts wrote:\n{quoted}",
            received_at=NOW - timedelta(hours=1),
            **({"kind": "human"} | more),
        )
        self.unit.add(row)
        self.unit.flush()
        return row

    def stop(self, account: int) -> None:
        """Mails to this account's address come back."""
        row = self.unit.get(AccountRow, account)
        assert row is not None
        self.unit.add(
            AddressStopRow(
                organisation_id=self.organisation,
                medium="sms",
                address="+447700900123",
                kind="opt-out",
                source="keyword",
                said="STOP",
                since=NOW - timedelta(days=1),
            )
        )
        row.mobile = "+44 7700 900123"

    def hold(
        self, account: int, kind: str, why: str, until: int | None = None, by: str = "Anna Reed", **more: Any
    ) -> None:
        self.unit.add(
            HoldRow(
                organisation_id=self.organisation,
                account_id=account,
                kind=kind,
                since=TODAY - timedelta(days=3),
                until=TODAY + timedelta(days=until) if until else None,
                why=why,
                by=by,
                **more,
            )
        )
        self.unit.flush()

    def held(self, name: str, kind: str, why: str, until: int | None = None) -> int:
        account = self.account(name, (21, "5150.00"), (10, "640"), at=1)
        self.hold(account, kind, why, until)
        return account

    def doubtful(self) -> int:
        account = self.account("Dunmore & Daughters", (22, "1975"), at=1)
        self.sent(
            account, self.steps[1], TODAY - timedelta(days=1), "unsure", "the mail server broke off after the text"
        )
        return account

    def refused(self) -> int:
        account = self.account("Morrow Textiles", (22, "2260.10"), at=1)
        why = "the mail server said: 550 no such mailbox"
        row = self.sent(account, self.steps[1], TODAY - timedelta(days=1), "refused", why)
        open_task(
            self.unit,
            organisation_id=self.organisation,
            account_id=account,
            key=f"refused:reminder {row.id}",
            kind="refused",
            text="Morrow Textiles could not be reminded: the mail server said 550 no such mailbox.",
            at=NOW - timedelta(days=1),
        )
        return account

    def disputed(self) -> int:
        account = self.account("Larkspur Hotels Group", (33, "12480.00"), (11, "980"), at=1)
        invoice = self.unit.scalars(select(InvoiceRow.id).where(InvoiceRow.account_id == account).limit(1)).one()
        self.hold(account, "dispute", "two doors are the wrong size", invoice_id=invoice)
        row = self.unit.get(InvoiceRow, invoice)
        assert row is not None
        row.expected_on = TODAY + timedelta(days=9)
        return account

    def unmatched(self) -> None:
        text = "I never ordered this. Please check.\nRegards, T. Bell"
        self.reply(None, "t.bell@mail.example", "Invoice?", text)
        away = "I am away until Monday 20 July."
        self.reply(
            None, "away@mail.example", "Out of office", away, kind="out of office", read_at=NOW, read_by="Anna Reed"
        )

    def connection(self) -> int:
        row = ConnectionRow(
            organisation_id=self.organisation,
            kind="xero",
            tenant=f"tenant-{self.organisation}",
            tenant_name=self.row.name,
            sealed_grant="sealed",
            access_expires_at=NOW + timedelta(minutes=18),
            refresh_expires_at=NOW + timedelta(days=59),
            connected_at=NOW - timedelta(days=120),
            connected_by="Anna Reed",
        )
        self.unit.add(row)
        self.unit.flush()
        return row.id or 0

    def run(self, connection: int, age: int) -> None:
        begun = NOW - timedelta(minutes=12 + 15 * age)
        calls = [
            {
                "at": (begun + timedelta(seconds=place)).isoformat(),
                "method": "GET",
                "path": f"/api.xro/2.0/{name}?page=1&pageSize=1000&where=Type%3D%3D%22ACCREC%22",
                "status": 503 if age == 3 and place == 2 else 200,
                "bytes": 48_211 * (place + 1),
                "seconds": 0.412 + place / 10,
                "request_id": f"7f3c9a{age}{place}-52d1-4c1e",
            }
            for place, name in enumerate(("Contacts", "Invoices", "CreditNotes"))
        ]
        failed = age == 3
        row = SyncRunRow(
            organisation_id=self.organisation,
            connection_id=connection,
            trigger="you asked" if age == 1 else "schedule",
            state="failed" if failed else "done",
            started_at=begun,
            ended_at=begun + timedelta(seconds=4.2),
            cursor_before=None if age == 5 else {"invoices": "2026-07-14T06:53:00", "contacts": "2026-07-14T06:53:00"},
            cursor_after=None if failed else {"invoices": "2026-07-14T07:08:00", "contacts": "2026-07-14T07:08:00"},
            calls=calls,
            call_count=3,
            bytes=289_266,
            seen=0 if failed else 57,
            new=0 if failed else 3,
            changed=0 if failed else 4,
            unchanged=0 if failed else 50,
            set_aside=1 if age == 0 else 0,
            accounts_touched=5,
            error="Xero answered 503 for the list of credit notes, three times" if failed else "",
            next_act="Nothing to do now: the next sync tries again." if failed else "",
        )
        self.unit.add(row)
        self.unit.flush()
        if age == 0:
            raw = '{"InvoiceID":"b7f1","InvoiceNumber":"INV-1","DueDate":null,"AmountDue":"<b>12</b>"}'
            self.unit.add(
                SetAsideRow(sync_run_id=row.id, list="invoices", ledger_id="b7f1", reason="no due date", raw=raw)
            )
            self.changes(row)

    def changes(self, run: SyncRunRow) -> None:
        """What a run changed: an invoice, an account, where it stands, and a credit that nobody knows any more."""
        invoice = self.unit.scalars(
            select(InvoiceRow).where(InvoiceRow.organisation_id == self.organisation).order_by(InvoiceRow.id).limit(1)
        ).one()
        payment = {"id": "p-1", "on": "2026-07-13", "amount": "120.00"}
        persons = ["Jo Marsh, jo@marsh.example"]
        told: list[tuple[str, str, tuple[int, int], Any]] = [
            ("accounts", "changed", (1, 1), [("email", "", "accounts@new.example"), ("contacts", [], persons)]),
            ("invoices", "new", (2, 2), [("total", None, "120.00"), ("status", None, "open")]),
            (
                "invoices",
                "changed",
                (2, 3),
                [("balance", "240.00", "120.00"), ("due_on", "2026-06-01", "2026-06-15"), ("payment", None, payment)],
            ),
            ("credits", "gone", (3, 3), [("remaining", "15.00", None), ("account_id", invoice.account_id, None)]),
            ("positions", "changed", (0, 0), [("assigned_step", "Reminder 3", None), ("state", "waiting", "clear")]),
        ]
        for listed, what, calls, fields in told:
            self.unit.add(
                ChangeRow(
                    organisation_id=self.organisation,
                    sync_run_id=run.id,
                    at=run.ended_at,
                    list=listed,
                    ledger_id=invoice.ledger_id if listed == "invoices" else f"x-{listed}",
                    account_id=invoice.account_id,
                    what=what,
                    first_call=calls[0],
                    last_call=calls[1],
                    fields=fields,
                )
            )


_NAMES = ("Oakley", "Pemberton", "Quince", "Rowan", "Sorrel", "Thistle")
