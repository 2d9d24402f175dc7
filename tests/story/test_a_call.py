"""The story of a call: its step comes due, our person is put through, and what was said is in the ledger.

Over real HTTP on both sides: the practice Xero is asked once more before anything rings, and the practice Twilio tells
at our own doors how the call goes.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from channels import Posted, settings_of
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs import assigning, doors, receive, write_back
from jobs.acting import NotAllowed
from jobs.call_day import call_day
from jobs.call_results import Result, Then, Told, write_down
from jobs.calling import ring
from jobs.consents import consents
from jobs.drafts import Draft, DraftStep
from jobs.voice import let_a_machine_call, record_consent, set_voice_countries
from jobs.workflows import Saved, save_workflow
from store.stops import stopped_numbers
from store.tables import OrganisationRow, PhoneCallRow
from tests.channels.twilio_world import AGENT, PUBLIC
from town import Town

OWNER = "Olive Owner"
FERN = "Fern & Fig Café"
DEBTOR = "+447400123456"
SAYS = "{{ account.total_overdue }} are overdue. Please pay it, or tell us when you will."
BY_TELEPHONE = Draft("By telephone", (DraftStep("Friendly call", 3, channel=Channel.CALL, body=SAYS),))


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Iterator[Town]:
    """A firm at Xero that rings whoever is three days late, and its doors, open to the practice Twilio."""
    town = a_town(at=datetime(2026, 6, 1, 7, tzinfo=UTC), company=False)
    twilio = town.world.twilio
    town.office.public_url = PUBLIC
    town.office.channels = dict(town.office.channels) | {
        "call_twilio": settings_of("call_twilio")(
            account_sid=twilio.account_sid,
            auth_token=twilio.auth_token,
            from_number=twilio.number,
            base_url=twilio.base_url,
            automatic_countries="GB",
        )
    }
    server = _doors(town)
    town.control.twilio.reach(PUBLIC, f"http://127.0.0.1:{server.server_port}")
    town.control.twilio.person(AGENT, presses=["1"])
    town.control.twilio.person(DEBTOR, talks=75)
    town.control.add_contact(FERN, email="fern@fig.example", mobile="07400 123456")
    town.control.add_invoice(FERN, due="2026-06-02", amount="1000.00", number="INV-A")
    town.connect()
    yield town
    server.shutdown()
    server.server_close()


def _doors(town: Town) -> ThreadingHTTPServer:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted = Posted(path.removeprefix("/hooks/call_twilio/"), query, headers, body)
            answer = doors.knock(town.office, "call_twilio", posted)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def call_waits(town: Town) -> int:
    """Fern & Fig Café is on the list; the number of its call."""
    saved = save_workflow(town.office, town.organisation, BY_TELEPHONE, by=OWNER)
    assert isinstance(saved, Saved)
    town.day(date(2026, 6, 3))
    assigning.assign_workflow(town.office, [town.account(FERN).id or 0], saved.workflow_id, by=OWNER)
    town.walk(date(2026, 6, 4), date(2026, 6, 5))
    (call,) = call_day(town.office, town.organisation).ready
    return call.reminder.id or 0


def put_through(town: Town, call: int) -> None:
    ring(town.office, town.organisation, call, number=DEBTOR, agent=AGENT, by=OWNER)
    town.control.twilio.settled()
    receive.understand_all(town.office)


def the_call(town: Town) -> PhoneCallRow:
    with town.office.database.reading() as session:
        row = session.get(PhoneCallRow, 1)
        assert row is not None
        return row


def test_a_call_is_put_through_written_down_and_told_to_the_ledger(town: Town) -> None:
    call = call_waits(town)
    put_through(town, call)

    heard = the_call(town)
    assert (heard.state, heard.seconds) == ("ended", 75)
    told = Told(result=Result.SPOKE, then=Then.NEXT_STEP, note="They pay tomorrow", name="Fern")
    write_down(town.office, call, told, by=OWNER)
    write_back.write_back(town.office)

    note = f"Friendly call: {OWNER} rang Fern (07400 123456) and spoke to them for 1 min 15 s: “They pay tomorrow”"
    assert note in [one.text for one in town.notes(FERN)]
    assert any("They pay tomorrow" in str(line) for line in town.control.notes())
    assert [row.state for row in town.reminders(FERN) if row.id == call] == [ReminderState.SENT]


def test_nobody_is_rung_about_what_they_have_paid_a_minute_ago(town: Town) -> None:
    call = call_waits(town)
    town.control.pay("INV-A")

    with pytest.raises(NotAllowed, match="nothing to be rung about any more"):
        put_through(town, call)
    assert town.control.twilio.calls() == []
    assert call_day(town.office, town.organisation).ready == ()


def test_a_ledger_that_does_not_answer_is_a_reason_that_has_to_be_overruled(town: Town) -> None:
    call = call_waits(town)
    town.control.faults(down=True)

    with pytest.raises(NotAllowed, match=r"could not be asked once more.*Say why you ring nevertheless"):
        put_through(town, call)
    assert town.control.twilio.calls() == []


def by_machine(town: Town, call: int, *presses: str) -> None:
    """The machine is let go, and calls at the next sending time."""
    town.control.twilio.person(DEBTOR, presses=[*presses])
    set_voice_countries(town.office, town.organisation, ["GB"], by=OWNER)
    account = town.account(FERN).id or 0
    record_consent(town.office, account, number=DEBTOR, how="by email", given_on=date(2026, 6, 1), by=OWNER)
    let_a_machine_call(town.office, call, by=OWNER)
    town.walk(date(2026, 6, 6), date(2026, 6, 8))
    town.control.twilio.settled()
    receive.understand_all(town.office)


def test_a_machine_calls_who_has_agreed_and_what_they_press_stops_everything_but_their_debt(town: Town) -> None:
    call = call_waits(town)
    owed = town.control.balances()
    by_machine(town, call, "1", "3")

    assert [row.state for row in town.reminders(FERN) if row.id == call] == [ReminderState.SENT]
    assert "£1,000.00 are overdue" in " ".join(town.control.twilio.heard(DEBTOR))
    assert [task.kind for task in town.tasks()] == ["call"]
    assert any("disputes something" in one.text for one in town.notes(FERN))
    assert town.control.balances() == owed
    heard = the_call(town)
    assert (heard.by_machine, heard.result, heard.number) == (True, "dispute", DEBTOR)


@pytest.mark.parametrize(
    ("locale", "greeting", "owed", "voice"),
    [
        ("en_GB", "Hello. This is an automatic call from {}", "£1,000.00 are overdue", "en-GB"),
        ("de_AT", "Guten Tag. Dies ist ein automatischer Anruf von {}", "1.000,00", "de-DE"),
    ],
)
def test_a_machine_says_for_whom_it_calls_in_the_language_of_that_firm(
    town: Town, locale: str, greeting: str, owed: str, voice: str
) -> None:
    with town.office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, town.organisation)
        assert organisation is not None
        organisation.locale, firm = locale, organisation.name
    by_machine(town, call_waits(town), "1", "1")

    heard = town.control.twilio.heard(DEBTOR)
    assert firm and heard[0].startswith(greeting.format(firm))
    assert owed in " ".join(heard)
    assert set(town.control.twilio.voices(DEBTOR)) == {voice}


def test_a_machine_that_is_told_to_stop_never_calls_again(town: Town) -> None:
    call = call_waits(town)
    by_machine(town, call, "1", "9")

    with town.office.database.reading() as session:
        assert consents(session, town.account(FERN).id or 0) == ()
        assert DEBTOR in stopped_numbers(session, town.organisation, Channel.CALL)
