"""Mirrors jobs/trying_out.py, going_live.py and tried_out.py: everything but the sending, and how that ends."""

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from channels import Refused, Unavailable, Unsure
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs import caps, connect, deliver, receive, write_back
from jobs.acting import NotAllowed
from jobs.assigning import assign_workflow
from jobs.sending_settings import GoingLive, SendingSettings, save_sending_settings, sending_settings_of
from jobs.tried_out import report
from jobs.trying_out import SendingMode
from store.tables import HoldRow, MessageRow, WorkflowRow, WriteBackRow
from tests.jobs.sending_house import Answering, debts, organisation_in, plug_in
from town import Town


def change(town: Town, going_live: GoingLive = GoingLive.UNDECIDED, **settings: Any) -> None:
    with town.office.database.reading() as session:
        known: SendingSettings = sending_settings_of(organisation_in(session, town))
    wanted = replace(known, **settings)
    save_sending_settings(town.office, town.organisation, wanted, by="Olive Owner", going_live=going_live)


def only_the_ledger(monkeypatch: pytest.MonkeyPatch, town: Town) -> list[Any]:
    """No connection to anywhere but the ledger. Answers with the attempts at any other."""
    allowed = {urlsplit(town.world.api_url).port}
    attempts: list[Any] = []
    inner = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] not in allowed:
            attempts.append(address)
            raise ConnectionRefusedError("the network is denied")
        inner(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    mail = town.office.channels["email_smtp"]
    town.office.channels = {"email_smtp": replace(mail, imap_host="")}
    town.office.close_channels()
    return attempts


def test_in_shadow_mode_everything_is_done_but_the_sending_with_the_network_denied(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.SHADOW)
    attempts = only_the_ledger(monkeypatch, town)
    deliver.deliver_due(town.office)
    write_back.write_back(town.office)

    assert attempts == [], "nothing so much as tried to leave"
    (reminder,) = town.reminders("Fern")
    assert (reminder.state, reminder.heard) == (ReminderState.SENT, False)
    (row,) = town._of(MessageRow, "Fern")
    assert (row.to, row.diverted_to) == ("fern@debtor.example", "shadow")
    assert "INV-000" in row.text, "the words are those that would have gone"
    assert "nothing left, because sending runs in shadow mode" in town.notes("Fern")[-1].text
    assert [note for note in town.control.notes(town.account("Fern").ledger_id) if "Reminder" in note["details"]] == []
    assert town.position("Fern").done, "the account walks on, so that all of the workflow can be seen"
    assert town.position("Fern").last_reminded_on is None, "and nobody believes that it was reminded"


def test_the_same_does_try_to_send_when_live(a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> None:
    town = debts(a_town, "Fern")
    attempts = only_the_ledger(monkeypatch, town)
    deliver.deliver_due(town.office)
    assert len(attempts) == 1, "so the test above can fail"


def test_what_goes_to_me_instead_says_for_whom_it_was_and_goes_to_nobody_else(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)

    (mail,) = town.control.mails()
    assert mail["to"] == ["olive@firm.example"]
    assert mail["subject"].startswith("[Test: Fern] ")
    assert "fern@debtor.example" in mail["text"].splitlines()[0]
    assert town.reminders("Fern")[0].heard is False
    assert "olive@firm.example" in town.notes("Fern")[-1].text


def test_the_report_tells_what_would_have_gone_and_what_the_last_look_kept_back(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern", "Gale")
    change(town, sending_mode=SendingMode.SHADOW)
    town.control.pay("INV-001")
    deliver.deliver_due(town.office)
    with town.office.database.reading() as session:
        told = report(session, organisation_in(session, town))
    assert told is not None
    assert [(one.name, one.medium, one.instead) for one in told.gone] == [("Fern", "email", "")]
    assert [one.name for one in told.kept_back] == ["Gale"]


def test_going_live_needs_a_word_about_what_was_only_tried_out(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.SHADOW)
    deliver.deliver_due(town.office)
    with pytest.raises(NotAllowed, match="only tried out"):
        change(town, sending_mode=SendingMode.LIVE)
    change(town, GoingLive.GO_ON, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 1, 14), date(2026, 1, 16))
    assert town.control.mails() == [], "its first step counts as done, and the second has not come"


def test_beginning_anew_each_account_first_gets_what_it_was_never_really_sent(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern", "Gale")
    change(town, sending_mode=SendingMode.SHADOW)
    deliver.deliver_due(town.office)
    town.control.pay("INV-001")
    change(town, GoingLive.ANEW, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 1, 14), date(2026, 1, 16))

    (mail,) = town.control.mails()
    assert mail["to"] == ["fern@debtor.example"], "who has paid meanwhile hears nothing"
    sent = [reminder for reminder in town.reminders("Fern") if reminder.heard and reminder.state == ReminderState.SENT]
    assert [reminder.step_name for reminder in sent] == ["Reminder 1"]


def test_nobody_gets_twice_what_they_were_really_sent_before(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    deliver.deliver_due(town.office)
    change(town, sending_mode=SendingMode.SHADOW)
    town.walk(date(2026, 1, 14), date(2026, 2, 6))
    tried = [reminder.step_name for reminder in town.reminders("Fern") if not reminder.heard]
    assert tried[0] == "Reminder 2"
    change(town, GoingLive.ANEW, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 2, 7), date(2026, 2, 10))
    heard = [reminder.step_name for reminder in town.reminders("Fern") if reminder.heard and reminder.performed_on]
    assert heard == ["Reminder 1", "Reminder 2"]
    assert len(town.control.mails()) == 2


def test_beginning_anew_does_not_take_back_what_a_person_let_stand_before(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.SHADOW)
    deliver.deliver_due(town.office)
    change(town, GoingLive.GO_ON, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 1, 14), date(2026, 1, 15))
    change(town, sending_mode=SendingMode.SHADOW)
    change(town, GoingLive.ANEW, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 1, 16), date(2026, 1, 18))
    assert town.control.mails() == [], "Reminder 1 counts as done, because the firm had sent its own"


def test_what_was_only_tried_out_takes_nothing_from_the_caps_of_going_live(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern", "Gale")
    change(town, sending_mode=SendingMode.SHADOW, most_a_day=2, most_a_run=2)
    deliver.deliver_due(town.office)
    change(town, GoingLive.ANEW, sending_mode=SendingMode.LIVE)
    with town.office.database.reading() as session:
        assert caps.reached(session, town.office, organisation_in(session, town)) == ""


def test_a_test_message_that_is_refused_blames_the_address_that_it_went_to(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    plug_in(town.office, "email_smtp", Answering([Refused("no such mailbox")]))
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)
    (task,) = [task for task in town.tasks() if task.kind == "refused"]
    assert "olive@firm.example" in task.text and "fern@debtor.example" not in task.text
    assert "ledger" not in task.text, "the customer's address is not wrong"


def test_the_ledger_is_not_told_that_a_test_message_was_refused(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    plug_in(town.office, "email_smtp", Answering([Refused("no such mailbox")]))
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)
    write_back.write_back(town.office)
    assert "was refused" in town.notes("Fern")[-1].text
    assert town.control.notes(town.account("Fern").ledger_id) == []


@pytest.mark.parametrize("sender", ["olive@firm.example", "a-colleague@firm.example"])
def test_what_comes_back_to_a_test_message_is_no_word_of_the_customers(
    a_town: Callable[..., Town], sender: str
) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)
    town.control.reply(0, "Stop writing to me. We have paid already.", from_=sender)
    receive.receive(town.office)
    write_back.write_back(town.office)

    assert "the customer said nothing" in town.notes("Fern")[-1].text
    assert town.control.notes(town.account("Fern").ledger_id) == []
    assert town._of(HoldRow, "Fern") == []


def test_a_customer_to_whom_a_test_message_was_passed_on_is_heard(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)
    town.control.reply(0, "We pay on Friday.", from_="fern@debtor.example")
    receive.receive(town.office)
    assert "We pay on Friday" in town.notes("Fern")[-1].text
    assert [hold.kind for hold in town._of(HoldRow, "Fern")] == ["reply"]


def test_a_test_message_that_bounces_says_nothing_about_the_customers_address(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    deliver.deliver_due(town.office)
    town.control.bounce(0)
    receive.receive(town.office)
    write_back.write_back(town.office)
    assert town._of(HoldRow, "Fern") == [] and town.tasks() == []
    assert town.control.notes(town.account("Fern").ledger_id) == []


def told_to_the_ledger(town: Town, name: str) -> set[str]:
    """The kinds of the notes that have reached the ledger, about the account or about one of its invoices."""
    write_back.write_back(town.office)
    with town.office.database.reading() as session:
        written = set(session.scalars(select(WriteBackRow.note_id)))  # type: ignore[call-overload]
    return {note.kind for note in town.notes(name) if note.id in written}


@pytest.mark.parametrize("mode", [SendingMode.SHADOW, SendingMode.TO_ME])
def test_of_moves_during_a_trial_the_ledger_is_told_nothing_and_our_history_has_them_all(
    a_town: Callable[..., Town], mode: SendingMode
) -> None:
    town = debts(a_town, "Fern")
    town.control.add_invoice("Fern", due="2026-01-21", amount="20.00", number="INV-900")
    change(town, sending_mode=mode, sending_to="olive@firm.example")
    town.walk(date(2026, 1, 13), date(2026, 1, 22))
    town.control.pay("INV-000")
    town.walk(date(2026, 1, 23), date(2026, 1, 24))
    firm = next(number for number in _workflows(town) if number != town.position("Fern").workflow_id)
    assign_workflow(town.office, [town.account("Fern").id or 0], firm, by="Olive Owner")
    town.walk(date(2026, 1, 25), date(2026, 1, 26))

    kinds = {note.kind for note in town.notes("Fern")}
    assert {NoteKind.MOVED_BACK, NoteKind.ASSIGNED} <= kinds, "so the next line can fail"
    assert told_to_the_ledger(town, "Fern") == set()


def test_the_same_moves_are_told_when_live(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    town.control.add_invoice("Fern", due="2026-01-21", amount="20.00", number="INV-900")
    town.walk(date(2026, 1, 13), date(2026, 1, 22))
    town.control.pay("INV-000")
    town.walk(date(2026, 1, 23), date(2026, 1, 24))
    assert NoteKind.MOVED_BACK in told_to_the_ledger(town, "Fern")


class _WhileItLeaves(Answering):
    """A channel during whose sending a person goes live."""

    def __init__(self, meanwhile: Callable[[], None], *answers: Any) -> None:
        super().__init__(list(answers))
        self.meanwhile = meanwhile

    def send(self, message: Any) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().send(message)


@pytest.mark.parametrize("going_live", [GoingLive.ANEW, GoingLive.GO_ON])
@pytest.mark.parametrize("answer", [None, Unavailable("too many requests"), Unsure("the line broke"), Refused("no")])
def test_a_test_message_in_flight_while_somebody_goes_live_counts_as_tried_out(
    a_town: Callable[..., Town], going_live: GoingLive, answer: Any
) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    answers = [answer] if answer is not None else []
    speaking = _WhileItLeaves(lambda: change(town, going_live, sending_mode=SendingMode.LIVE), *answers)
    plug_in(town.office, "email_smtp", speaking)
    deliver.deliver_due(town.office)
    assert [message.to for message in speaking.given] == ["olive@firm.example"]

    town.walk(date(2026, 1, 14), date(2026, 1, 16))
    real = [message.to for message in speaking.given[1:]]
    assert real == (["fern@debtor.example"] if going_live is GoingLive.ANEW else [])
    heard = [one.step_name for one in town.reminders("Fern") if one.state == ReminderState.SENT and one.heard]
    assert heard == (["Reminder 1"] if going_live is GoingLive.ANEW else [])


@pytest.mark.parametrize("going_live", [GoingLive.ANEW, GoingLive.GO_ON])
def test_a_shadow_that_is_being_cast_while_somebody_goes_live_neither_leaves_nor_is_lost(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch, going_live: GoingLive
) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.SHADOW)
    inner = deliver.send

    def send(office: Any, marked: Any) -> Any:
        if marked.shadow:
            change(town, going_live, sending_mode=SendingMode.LIVE)
        return inner(office, marked)

    monkeypatch.setattr(deliver, "send", send)
    deliver.deliver_due(town.office)
    assert town.control.mails() == [], "what was marked as shadow never leaves"

    town.walk(date(2026, 1, 14), date(2026, 1, 16))
    assert len(town.control.mails()) == (1 if going_live is GoingLive.ANEW else 0)


def test_a_shadow_whose_process_died_is_not_sent_for_real_after_going_live(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = debts(a_town, "Fern")
    change(town, sending_mode=SendingMode.SHADOW)
    with monkeypatch.context() as patch:
        patch.setattr(deliver, "settle", lambda *_: None)
        deliver.deliver_due(town.office)
    assert town.reminders("Fern")[0].state == ReminderState.SENDING
    with pytest.raises(NotAllowed, match="only tried out"):
        change(town, sending_mode=SendingMode.LIVE)
    change(town, GoingLive.GO_ON, sending_mode=SendingMode.LIVE)
    town.walk(date(2026, 1, 14), date(2026, 1, 16))

    assert town.control.mails() == [], "the person said that it counts as done"
    assert town.reminders("Fern")[0].state == ReminderState.SENT


def _workflows(town: Town) -> list[int]:
    with town.office.database.unit_of_work() as unit:
        connect.add_workflow(unit, town.organisation, "firm")
        return list(unit.scalars(select(WorkflowRow.id)))
