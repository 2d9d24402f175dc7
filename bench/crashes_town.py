"""The firm that a run of crashes happens to: an office, its ledger, its provider, its debtors, and one clock for all.

Every debtor has one invoice that is overdue and three reminders ahead. Some of them answer, some of the calls to the
provider fail, and each working day brings new debtors, so that there is always something to be killed at.
"""

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

import sandbox
from bench.crashes_checks import Books, Reminded, World
from bench.crashes_daemons import ACTS, Doors, End
from bench.crashes_sandbox import BEGIN
from bench.sync_product import ORGANISATION, connected
from channels import settings_of
from connector import settings_of as ledger_settings_of
from daemon.clock import MovableClock
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs import acts, sync
from jobs.drafts import Draft, DraftStep
from jobs.office import Office
from jobs.thresholds import Brakes
from jobs.workflows import Saved, save_workflow
from jobs.write_back import marker_of
from store import Database, inbox, outbox, read_or_make_keys
from store.tables import (
    AccountRow,
    HistoryNoteRow,
    MessageRow,
    OrganisationRow,
    PostRow,
    ReminderRow,
    ReplyRow,
    TaskRow,
    WriteBackRow,
)

KINDS = {"smtp": "email_smtp", "sendgrid": "email_sendgrid", "twilio": "sms_twilio"}
PUBLIC = "https://arrears.example/office"
REPLIES = "reply.brightwater.example"
BY = "Olive Owner"
STEPS = (3, 7, 11)
"""The days of the three reminders. Debtors come in with their first one due."""

MARK = re.compile(r"\[arrears \d+-\w+\]")
ANSWER = re.compile(r"answer no\. \d+")


class Town:
    def __init__(self, kind: str, url: str, folder: Path, addresses: dict[str, Any], line: int, seed: int) -> None:
        self.kind, self.dice = kind, random.Random(seed)
        self.control = sandbox.Control(addresses["url"])
        self.clock = MovableClock(BEGIN)
        self._addresses, self._hooks = addresses, f"http://127.0.0.1:{line}/hooks/{KINDS[kind]}"
        self._debtors = 0
        self._answers: list[str] = []
        self._owing: list[tuple[str, str]] = []
        self._paid: dict[str, datetime] = {}
        self._letters: list[dict[str, Any]] = []
        connected(url, str(folder), "xero", addresses, BEGIN.isoformat())
        self.office = Office(
            database=Database(url),
            vault=read_or_make_keys(folder / "secrets.key"),
            ledgers={"xero": ledger_settings_of("xero")(**addresses["xero"])},
            channels={KINDS[kind]: self._channel(line)},
            public_url=PUBLIC,
            clock=self.clock,
            brakes=Brakes(least=10**9),  # this many new debtors a day would be a fault in any other firm
        )
        self._rules()
        self.control.limits(minute=None, day=None, concurrent=None)
        self._warm_up()

    # --- how it is set up

    def _channel(self, line: int) -> Any:
        given = self._addresses
        make = settings_of(KINDS[self.kind])
        if self.kind == "smtp":
            return make(
                host="127.0.0.1",
                port=given["smtp_port"],
                security="none",
                from_address="accounts@brightwater.example",
                reply_mailbox="replies@brightwater.example",
                imap_host="127.0.0.1",
                imap_port=given["imap_port"],
                imap_security="none",
                imap_username="replies",
                imap_password="sandbox",
                timeout_seconds=10,
            )
        if self.kind == "sendgrid":
            return make(
                given["sendgrid"]["api_key"],
                host=given["sendgrid"]["host"],
                from_address="accounts@brightwater.example",
                reply_mailbox=f"replies@{REPLIES}",
                event_public_key=self.control.sendgrid.webhook(f"{self._hooks}/events"),
                inbound_public_key=self.control.sendgrid.parse(REPLIES, f"{self._hooks}/inbound"),
            )
        phone = given["twilio"]
        self.control.twilio.reach(PUBLIC, f"http://127.0.0.1:{line}")
        self.control.twilio.number(sms_url=f"{PUBLIC}/hooks/sms_twilio/reply")
        keys = {"account_sid": phone["account_sid"], "auth_token": phone["auth_token"], "from_number": phone["number"]}
        return make(**keys, base_url=phone["base_url"])

    def _rules(self) -> None:
        """Three steps whose words begin with their name, and no cap: the whole day is one backlog after another."""
        channel = Channel.SMS if self.kind == "twilio" else Channel.EMAIL
        steps = tuple(
            DraftStep(f"Step {number}", day, channel, subject=f"Step {number}: your account", body=f"Step {number}: hi")
            for number, day in enumerate(STEPS, 1)
        )
        self.read_ledger()
        with self.at_rest():
            saved = save_workflow(self.office, ORGANISATION, Draft("Crashes", steps), by=BY)
            if not isinstance(saved, Saved):
                raise SystemExit(f"The workflow of the run is not sound: {saved}")
            with self.office.database.unit_of_work() as unit:
                firm = unit.get(OrganisationRow, ORGANISATION)
                assert firm is not None
                firm.default_workflow_id, firm.most_a_run, firm.contact_rules = saved.workflow_id, 0, ""
                firm.holiday_calendar, firm.sending_weekdays = "", [*range(7)]
            acts.resume_organisation(self.office, ORGANISATION, by=BY)

    def _warm_up(self) -> None:
        """One day without a crash, so that whoever is forked from this process has everything loaded."""
        self.next_day(newcomers=2)
        self.somebody_answers()
        for _ in range(2):
            with self.at_rest() as office:
                for act in ACTS.values():
                    act(office)
            self.somebody_answers()

    @contextmanager
    def at_rest(self) -> Iterator[Office]:
        """The office at work in this process itself; no line of it is left open when daemons are forked from it."""
        try:
            yield self.office
        finally:
            self.office.close()

    # --- what happens

    def move(self, **by: float) -> None:
        self.move_to(self.clock() + timedelta(**by))

    def move_to(self, moment: datetime) -> None:
        self.control.move_clock(moment)
        self.clock.move(moment)

    def next_day(self, newcomers: int) -> None:
        """The morning after, until half past nine: new debtors, a reading of the ledger, a person reads the answers."""
        morning = (self.clock() + timedelta(days=1)).replace(hour=7, minute=0)
        self.move_to(morning)
        due = (morning - timedelta(days=STEPS[0])).date()
        for _ in range(newcomers):
            self._debtors += 1
            who = f"Debtor {self._debtors:05}"
            mobile = f"+44 7400 {self._debtors:06}" if self.kind == "twilio" else None
            self.control.add_contact(who, email=f"d{self._debtors:05}@debtor.example", mobile=mobile)
            self._owing.append((who, self.control.add_invoice(who, due=due, amount="50.00")))
        self.read_ledger()
        self._answers_are_read()
        self.move_to(morning.replace(hour=9, minute=30))

    def read_ledger(self) -> None:
        with self.at_rest() as office:
            run = sync.sync(office, ORGANISATION, trigger="bench")
        if run is None or run.state != "done":
            raise SystemExit(f"The ledger could not be read: {run.error if run else 'somebody else is reading it'}")

    def _answers_are_read(self) -> None:
        with self.at_rest() as office:
            with office.database.reading() as session:
                unread = list(session.scalars(select(col(ReplyRow.id)).where(col(ReplyRow.read_at).is_(None))))
            for number in unread:
                acts.read_reply(office, int(number or 0), by=BY)

    def somebody_answers(self) -> None:
        """Whoever has had a message: every answer has a number of its own."""
        mark = f"answer no. {len(self._answers) + 1}"
        if self.kind == "twilio":
            had = sorted({text["to"] for text in self.control.twilio.texts() if text["direction"] != "inbound"})
            if not had:
                return
            self.control.twilio.text(self.dice.choice(had), f"We pay on Friday, {mark}")
        else:
            self._letters += self.control.mails(since=len(self._letters))
            had = [letter for letter in self._letters if _is_ours(letter)]
            if not had:
                return
            letter = self.dice.choice(self.dice.choice((had, had[-4:])))
            self.control.reply(letter["message_id"], f"We pay on Friday, {mark}")
        self._answers.append(mark)

    def somebody_pays(self) -> None:
        """At this moment, and nobody tells us: it stands in the ledger for whoever looks."""
        who, invoice = self._owing.pop(self.dice.randrange(len(self._owing)))
        self.control.pay(invoice)
        self._paid[who] = self.clock()

    def something_fails(self, how_often: float) -> None:
        """What befalls the next calls. A fault that was not met is forgotten."""
        struck = [self.dice.choice(FAULTS[self.kind])] if self.dice.random() < how_often else []
        match self.kind:
            case "smtp":
                self.control.faults(smtp=dict(struck))
            case "sendgrid":
                self.control.sendgrid.faults(*[{"fault": name, "path": "mail/send"} for name in struck])
            case "twilio":
                self.control.faults(twilio=[{"fault": name, "method": "POST"} for name in struck])
        lost = [{"fault": "drop_after", "method": "PUT"}] if self.dice.random() < how_often / 2 else []
        self.control.faults(next=lost)

    def habits(self) -> None:
        """How the provider tells of what it took today: at once, late or never, twice, and in any order."""
        late = self.dice.choice((0, 30, 4 * 3600))
        if self.kind == "sendgrid":
            logs = self.dice.choice((0, 3600))
            self.control.sendgrid.habits(events_after=late, logs_after=logs, duplicates=True, out_of_order=True)
        elif self.kind == "twilio":
            lost = self.dice.random() < 0.5
            self.control.twilio.habits(callbacks_doubled=True, callbacks_reversed=True, callbacks_lost=lost)

    def nothing_fails_any_more(self) -> None:
        self.something_fails(0)

    def provider_is_quiet(self, doors: Doors, end: End, *, within: float = 30) -> None:
        """Waits until every post of the provider's has been answered, or was given up."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            doors.keep_open(lambda: end)
            if self._quiet():
                return
            time.sleep(0.02)
        raise TimeoutError(f"The provider was still posting after {within} seconds.")

    def _quiet(self) -> bool:
        if self.kind == "sendgrid":
            posts = [*self.control.sendgrid.posts(), *self.control.sendgrid.handed()]
            return all(len(post["statuses"]) == post["tries"] for post in posts)
        if self.kind == "twilio":
            with suppress(TimeoutError):
                self.control.twilio.settled(within=0.02)
                return True
            return False
        return True

    # --- how it stands

    def waiting(self) -> dict[str, int]:
        """What each act would find to do at this moment."""
        with self.at_rest() as office, office.database.reading() as session:
            notes = select(func.count()).where(
                col(WriteBackRow.state).in_(("waiting", "writing")),
                col(WriteBackRow.next_attempt_at).is_(None) | (col(WriteBackRow.next_attempt_at) <= office.clock()),
            )
            return {
                "deliver": len(outbox.ready(session, now=office.clock()))
                + len(outbox.stranded(session, now=office.clock())),
                "receive": len(inbox.not_understood(session)),
                "write_back": int(session.scalar(notes) or 0),
            }

    def world(self) -> World:
        notes = [mark for note in self.control.notes() for mark in MARK.findall(note["details"])]
        taken = [*self._taken()]
        late = [(who, step) for who, step, at in taken if who in self._paid and at > self._paid[who]]
        handed = self.control.sendgrid.handed() if self.kind == "sendgrid" else ()
        fared = [f"{one['state']} after {one['tries']} tries, answered {one['statuses']}" for one in handed]
        return World([(who, step) for who, step, _ in taken], self._answers, notes, late, fared)

    def _taken(self) -> Iterator[tuple[str, str, datetime]]:
        """Every message that the provider took: to whom, which step, and when."""
        if self.kind == "twilio":
            for text in self.control.twilio.texts():
                if text["direction"] != "inbound":
                    at = datetime.fromisoformat(text["created"])
                    yield f"Debtor {text['to'][-5:]}", text["body"].partition(":")[0], at
            return
        for mail in filter(_is_ours, self.control.mails()):
            for to in mail["to"]:
                at = datetime.fromisoformat(mail["received_at"])
                yield f"Debtor {to[1:6]}", mail["subject"].partition(":")[0], at

    def _for_a_person(self, session: Session) -> list[bytes]:
        """Posts that tripped us so often that a person is asked to read them, where somebody really is asked."""
        asked = {task.key for task in session.scalars(select(TaskRow).where(col(TaskRow.closed_at).is_(None)))}
        posts = session.scalars(select(PostRow).where(col(PostRow.problem) != ""))
        return [post.raw for post in posts if f"post:{post.id}" in asked]

    def books(self) -> Books:
        with self.at_rest() as office, office.database.reading() as session:
            marks = session.execute(
                select(col(WriteBackRow.state), HistoryNoteRow).join(
                    HistoryNoteRow, col(HistoryNoteRow.id) == WriteBackRow.note_id
                )
            ).all()
            replies = session.scalars(select(col(ReplyRow.said)))
            told = session.scalars(select(col(HistoryNoteRow.text)).where(col(HistoryNoteRow.kind) == "reply"))
            return Books(
                reminders=[*_reminders(session, office.clock())],
                replies=[mark for said in replies for mark in ANSWER.findall(said)],
                asked=[mark for raw in self._for_a_person(session) for mark in ANSWER.findall(raw.decode("latin-1"))],
                told=[mark for text in told for mark in ANSWER.findall(text)],
                written=[marker_of(note) for state, note in marks if state == "written"],
                unwritten=[marker_of(note) for state, note in marks if state != "written"],
            )


FAULTS: Mapping[str, tuple[Any, ...]] = {
    "smtp": (
        *[("drop_after_data", 1)] * 3,
        *[("drop_before_data", 1)] * 2,
        ("temporary", True),
        ("slow", 0.05),
    ),
    "sendgrid": (*("drop_after", "500_after") * 2, "drop_before", "503", "429", "slow:0.05"),
    "twilio": (*("drop_after", "500after", "503after") * 2, "drop_before", "500", "429", "truncated", "slow:0.05"),
}
"""What befalls a call. Accepted and then no answer, or another one, comes most often."""


def _is_ours(letter: dict[str, Any]) -> bool:
    return str(letter["subject"]).startswith("Step ")


def _reminders(session: Session, now: datetime) -> Iterator[Reminded]:
    asked = {task.key for task in session.scalars(select(TaskRow).where(col(TaskRow.closed_at).is_(None)))}
    latest: dict[int, MessageRow] = {}
    for message in session.scalars(select(MessageRow).order_by(col(MessageRow.id))):
        latest[message.reminder_id] = message
    notes: dict[int, str] = {}
    for note in session.scalars(select(HistoryNoteRow).where(col(HistoryNoteRow.kind) == "reminder sent")):
        notes[note.reminder_id or 0] = note.text
    query = select(ReminderRow, col(AccountRow.name)).join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
    for row, name in session.execute(query):
        number = int(row.id or 0)
        yield Reminded(
            who=name,
            step=row.step_name,
            state=row.state,
            waits=row.state == ReminderState.QUEUED and bool(row.held_because or row.send_after > now),
            shown=f"unsure:reminder {number}" in asked,
            settled_by=_evidence(row, latest.get(number), notes.get(number, "")),
        )


def _evidence(row: ReminderRow, message: MessageRow | None, note: str) -> str:
    """The clock stands still while a daemon works, so whatever was settled later was settled by evidence."""
    if row.state != ReminderState.SENT or message is None or row.settled_at == message.created_at:
        return ""
    if "reply" in message.provider_id:
        return "an answer"
    # A text that is found in the list was taken when it was handed over; what is told of it comes later.
    found = "found" in note or (row.channel == Channel.SMS and message.sent_at == message.created_at)
    return "its records" if found else "what it told"
