"""The demo's second customer: it gets a text message, answers STOP, and is rung because nothing else has helped.

The call stands on the list until Dana has made it. She goes through the same pages as anybody, and what she writes
down becomes a hold and a line in the ledger.
"""

from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import col

import sandbox
from daemon.demo_person import Person
from engine.workflow import Channel
from jobs.assigning import set_account_default
from jobs.call_day import call_day
from jobs.drafts import prewritten_draft
from jobs.office import Office
from jobs.reply_acts import read_reply
from jobs.workflows import Saved, save_workflow
from store.tables import AccountRow, AddressStopRow, PhoneCallRow, ReminderRow, ReplyRow

NAME = "Gannet Sailing School"
MOBILE = "+447700900150"
INVOICE = "GANN-1"
PAYS_AFTER = timedelta(days=3)
"""From the call to the day that is promised, on which they do pay."""


def owes(control: sandbox.Control, first: date, address: str) -> None:
    """Two invoices in the books, somebody who wants no texts, and a number of ours whose texts come to our door.

    The call about the second invoice is nobody's in the story: it waits on the list for whoever looks around.
    """
    control.twilio.number(sms_url=f"{address}/hooks/sms_twilio/reply")
    control.twilio.person(MOBILE, replies=["STOP"])
    control.add_contact(NAME, email="ines@gannet.example", first_name="Ines", last_name="Moreau", mobile=MOBILE)
    control.add_invoice(NAME, due=first, amount="740.00", number=INVOICE, date=first - timedelta(days=30))
    control.add_invoice(NAME, due=first + timedelta(days=29), amount="315.60", number="GANN-2", date=first)


def begins_on_the_firm_workflow(office: Office, organisation: int, *, but: str, by: str) -> None:
    """It and every fourth account (`but` one) get emails, texts and calls by turns from their next beginning on."""
    saved = save_workflow(office, organisation, prewritten_draft("firm"), by=by)
    assert isinstance(saved, Saved)
    with office.database.reading() as session:
        known = select(AccountRow.id, AccountRow.name).where(col(AccountRow.organisation_id) == organisation)
        accounts = [(int(number or 0), name) for number, name in session.execute(known)]
    for number, name in accounts:
        if name == NAME or (number % 4 == 0 and name != but):
            set_account_default(office, number, saved.workflow_id, by=by)


def is_read(office: Office, *, by: str) -> bool:
    """Somebody reads what they have texted: until then nothing goes to them, and nobody rings. True when it was new."""
    unread = select(ReplyRow.id).where(col(ReplyRow.sender) == MOBILE, col(ReplyRow.read_at).is_(None))
    with office.database.reading() as session:
        replies = [int(number or 0) for number in session.scalars(unread)]
    for number in replies:
        read_reply(office, number, by=by)
    return bool(replies)


def is_rung(office: Office, organisation: int, address: str, *, email: str, password: str) -> date | None:
    """If their call is on today's list, Dana makes it. Gives the day by which they promise to pay."""
    waiting = next((call for call in call_day(office, organisation).ready if call.account.name == NAME), None)
    if waiting is None:
        return None
    promised = waiting.local.date() + PAYS_AFTER
    person = Person()
    person.open(f"{address}/sign-in")
    person.send("sign-in", email=email, password=password)
    person.open(f"{address}/calls")
    person.follow(f"Open the call to {NAME}")
    said = {"result": "payment expected", "promised": promised.isoformat(), "whom": "Ines Moreau"}
    person.send("next step", **said, note="The invoice had gone to the wrong desk.")
    return promised


def happened(office: Office) -> bool:
    """Whether a text went out, a STOP was heeded, and the call was made."""
    with office.database.reading() as session:
        texted = session.scalar(select(ReminderRow.id).where(col(ReminderRow.channel) == Channel.SMS).limit(1))
        stopped = session.scalar(select(AddressStopRow.id).where(col(AddressStopRow.address) == MOBILE))
        rung = session.scalar(select(PhoneCallRow.id).where(col(PhoneCallRow.result) == "payment expected"))
    return None not in (texted, stopped, rung)


def configured(world: sandbox.Sandbox) -> str:
    """The part of the configuration that sends texts by the sandbox's Twilio."""
    twilio = world.twilio
    return f"""
[sms_twilio]
account_sid = "{twilio.account_sid}"
auth_token = "{twilio.auth_token}"
from_number = "{twilio.number}"
base_url = "{twilio.base_url}"
"""
