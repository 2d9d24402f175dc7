"""Mirrors jobs/simulate.py: what the coming days would bring, asked of nobody and told to nobody."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from engine.workflow import Channel, Step
from jobs.foretelling import backlog
from jobs.recalculate import recalculate
from jobs.simulate import Payers, People, Simulation, simulate
from store.tables import ReminderRow
from unplugged import MONDAY, Unplugged, no_network

SHORT = (Step("r1", "First", 5), Step("r2", "Second", 12), Step("r3", "Last", 26))


@pytest.fixture
def firm(sqlite_url: str) -> Unplugged:
    return Unplugged(sqlite_url)


def sent(told: Simulation, name: str = "") -> list[tuple[str, str]]:
    return [
        (f"{one.send.on:%d %b}", one.send.step)
        for one in told.messages
        if not name or told.names[int(one.account)] == name
    ]


def test_if_nobody_pays_everybody_walks_through_the_workflow(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.account("Fern & Fig Café", "2026-05-26", "2026-06-10")
    firm.account("Ivy Cottage", "2026-06-20")
    firm.account("Juniper Catering")

    told = simulate(firm.office, firm.id, days=30)

    assert (told.start, told.until, told.owing) == (MONDAY, date(2026, 6, 30), 2)
    assert sent(told, "Fern & Fig Café") == [("01 Jun", "First"), ("08 Jun", "Second"), ("22 Jun", "Last")]
    assert sent(told, "Ivy Cottage") == [("25 Jun", "First")]
    assert told.messages[0].because == "INV-1 is the oldest overdue invoice at 6 days, listed with INV-2"
    assert [told.numbers[name] for name in told.messages[0].send.invoices] == ["INV-1", "INV-2"]
    assert told.payments == ()


def test_if_everybody_pays_as_usual_an_account_pays_as_late_as_its_middle_invoice(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    fern = firm.account("Fern & Fig Café", "2026-05-28", "2026-06-10")
    for late in (3, 8, 60):
        firm.invoice(fern, "2026-02-01", settled=str(date(2026, 2, 1) + timedelta(days=late)))
    firm.invoice(fern, "2026-02-01", settled="2026-12-31", status="voided")
    firm.account("Ivy Cottage", "2026-06-20")

    told = simulate(firm.office, firm.id, days=30, payers=Payers.AT_THEIR_MEDIAN)

    paid = [(told.names[one.account], str(one.expected.on)) for one in told.payments]
    assert paid == [
        ("Fern & Fig Café", "2026-06-05"),
        ("Fern & Fig Café", "2026-06-18"),
        ("Ivy Cottage", "2026-06-28"),  # as all accounts do, having no past of its own
    ]
    assert sent(told) == [("02 Jun", "First"), ("15 Jun", "First"), ("25 Jun", "First")]
    fern_pays, ivy_pays = told.habits[fern], told.habits[fern + 1]
    assert (fern_pays.lateness, fern_pays.whose, ivy_pays.whose) == (8, "its own", "all accounts")
    assert [str(one.on) for one in told.happenings if one.note.kind == "cleared"] == [
        "2026-06-05",
        "2026-06-18",
        "2026-06-28",
    ]


def test_both_databases_foretell_the_same(database_url: str) -> None:
    firm = Unplugged(database_url)
    firm.workflow("Texts", Step("r1", "First", 5), Step("t", "Text", 9, Channel.SMS))
    fern = firm.account("Fern & Fig Café", "2026-05-28", "2026-06-10", mobile="+447700900001")
    for late in (3, 8, 60):
        firm.invoice(fern, "2026-02-01", settled=str(date(2026, 2, 1) + timedelta(days=late)))
    firm.person("olive", "owner")

    told = simulate(firm.office, firm.id, payers=Payers.AT_THEIR_MEDIAN)

    assert sent(told) == [("02 Jun", "First"), ("15 Jun", "First")]
    assert [str(one.expected.on) for one in told.payments] == ["2026-06-05", "2026-06-18"]
    assert told.workers == 1


def test_it_is_told_without_any_ledger_or_channel_and_changes_nothing(firm: Unplugged) -> None:
    firm.workflow(
        "Mixed", Step("r1", "First", 5), Step("t", "Text", 9, Channel.SMS), Step("c", "Call", 14, Channel.CALL)
    )
    firm.account("Fern & Fig Café", "2026-05-26", mobile="+447700900001")
    assert not firm.office.ledgers
    assert not firm.office.channels
    before = firm.everything()

    with no_network():
        told = simulate(firm.office, firm.id, payers=Payers.NOBODY)
        simulate(firm.office, firm.id, payers=Payers.AT_THEIR_MEDIAN)

    assert Counter(one.send.channel for one in told.messages) == {"email": 1, "sms": 1, "call": 1}
    assert firm.everything() == before


def test_a_pause_of_the_whole_organisation_is_left_out_and_said_so(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.account("Fern & Fig Café", "2026-05-26")
    going = simulate(firm.office, firm.id)
    firm.settle(paused_at=firm.now, paused_by="Olive Owner")

    told = simulate(firm.office, firm.id)

    assert (going.paused, told.paused) == (False, True)
    assert told.messages == going.messages != ()


def test_stale_data_does_not_count_because_the_ledger_is_read_every_day(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.account("Fern & Fig Café", "2026-05-26")
    firm.settle(ledger_as_of=firm.now - timedelta(days=9))

    assert len(simulate(firm.office, firm.id).messages) == 3


def test_who_owes_and_gets_nothing_is_counted_with_the_reason(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.workflow("No steps", default=False)
    firm.hold(firm.account("Paused", "2026-05-26"), "paused")
    firm.hold(firm.account("Promised", "2026-05-26"), "promise", until=date(2026, 7, 20))
    firm.account("No address", "2026-05-26", email="")
    firm.hold(firm.account("Muted", "2026-05-26"), "muted")
    disputed = firm.account("Disputed")
    firm.hold(disputed, "dispute", invoice_id=firm.invoice(disputed, "2026-05-26"))
    firm.account("Idle", "2026-05-26", default_workflow_id=2)
    firm.account("Not yet", "2026-06-29")
    firm.account("Not due", "2026-07-29")

    told = simulate(firm.office, firm.id)

    assert told.messages == ()
    assert told.quiet == {
        "the account is paused": 1,
        "a payment is expected": 1,
        "there is no address to send it to": 1,
        "the account is muted": 1,
        "everything overdue is disputed": 1,
        "the workflow has no steps": 1,
        "the next step comes later": 1,
    }


def test_a_move_that_a_pause_holds_back_is_counted_under_the_pause(firm: Unplugged) -> None:
    later = firm.workflow("Later", Step("l1", "Late", 90), default=False)
    firm.workflow("Short", Step("r1", "First", 5), link_workflow_id=later, link_after_days=3)
    account = firm.account("Paused", "2026-05-26")
    firm.account("Moves", "2026-05-26")
    recalculate(firm.office, firm.id)
    with firm.office.database.unit_of_work() as unit:
        unit.execute(update(ReminderRow).values(state="sent", performed_on=firm.now.date(), counted=False))
    recalculate(firm.office, firm.id)
    firm.hold(account, "paused", why="talks")

    told = simulate(firm.office, firm.id)

    assert told.messages == ()
    assert told.quiet == {"the account is paused": 1, "the next step comes later": 1}
    assert [one.note.kind for one in told.happenings] == ["moved on"]
    assert simulate(firm.office, firm.id, days=2).quiet == {"moves on to the linked workflow later": 2}


def test_whoever_waits_for_a_turn_beyond_these_days_is_counted(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    names = ("Ash", "Birch", "Cedar", "Dill")
    numbers = [firm.account(name, f"2026-05-{20 + place}") for place, name in enumerate(names)]
    firm.account("Not yet", "2026-06-29")
    recalculate(firm.office, firm.id)
    assert backlog(simulate(firm.office, firm.id, days=2)) == []
    firm.settle(first_contacts_a_day=1)

    told = simulate(firm.office, firm.id, days=3)

    assert sent(told) == [("01 Jun", "First"), ("02 Jun", "First"), ("03 Jun", "First")]
    assert [told.names[int(one.account)] for one in told.messages] == ["Ash", "Birch", "Cedar"]
    assert told.quiet == {"it is a first contact, whose turn comes later": 1}
    assert backlog(told) == [
        "3 accounts would be written to for the first time, at most 1 of them on one day, the oldest debt first. "
        "1 account more will have a turn after these days."
    ]
    alone = simulate(firm.office, firm.id, days=4, account_ids=[numbers[3]])
    assert (alone.owing, sent(alone)) == (1, [("04 Jun", "First")])
    firm.settle(first_contacts_a_day=4)
    assert backlog(simulate(firm.office, firm.id, days=30)) == [], "nobody has to wait"


def test_a_hold_that_ends_in_these_days_lets_the_step_go(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    firm.hold(firm.account("Promised", "2026-05-26"), "promise", until=date(2026, 6, 16))

    told = simulate(firm.office, firm.id)

    assert sent(told) == [("17 Jun", "First"), ("23 Jun", "Second")]
    assert "payment is expected by 16 June 2026" in told.happenings[0].note.text


@pytest.mark.parametrize(
    ("hour", "looked_at", "first"),
    [
        (6, None, "01 Jun"),
        (10, MONDAY, "02 Jun"),  # today's sending time has passed
        (10, None, "01 Jun"),  # it has too, but a late first look of a day still sends
        (21, None, "02 Jun"),  # not at night
    ],
)
def test_it_begins_with_the_next_sending_time(firm: Unplugged, hour: int, looked_at: date | None, first: str) -> None:
    firm.workflow("Short", *SHORT)
    firm.account("Fern & Fig Café", "2026-05-20")
    firm.settle(recalculated_on=looked_at)
    firm.now = datetime(2026, 6, 1, hour, tzinfo=UTC)

    assert sent(simulate(firm.office, firm.id))[0] == (first, "First")


def test_texts_are_counted_by_segments_and_skipped_without_a_number(firm: Unplugged) -> None:
    words = "Hello {{ contact.first_name }}, you owe {{ account.total_overdue }}. " + "Please pay. " * 12
    firm.workflow("Texts", Step("t", "Text", 5, Channel.SMS, template=words))
    firm.account("With", "2026-05-26", mobile="+447700900001", first_name="Jo")
    firm.account("Without", "2026-05-26")

    told = simulate(firm.office, firm.id)

    assert [(one.send.skipped, one.segments) for one in told.messages] == [(False, 2), (True, 0)]


def test_a_text_that_cannot_be_put_into_words_counts_as_one_segment(firm: Unplugged) -> None:
    firm.workflow("Texts", Step("t", "Text", 5, Channel.SMS, template="{{ account.nonsense }}"))
    firm.account("With", "2026-05-26", mobile="+447700900001")

    assert [one.segments for one in simulate(firm.office, firm.id).messages] == [1]


def test_people_do_at_once_what_waits_for_them_or_nothing_at_all(firm: Unplugged) -> None:
    firm.workflow("By hand", Step("m", "Letter", 5, manual=True), Step("c", "Call", 7, Channel.CALL))
    firm.account("Fern & Fig Café", "2026-05-26")
    for name, role in (("olive", "owner"), ("max", "agent"), ("sam", "support")):
        firm.person(name, role)

    prompt = simulate(firm.office, firm.id, people=People.PROMPT)
    nobody = simulate(firm.office, firm.id, people=People.AS_TOLD)

    assert sent(prompt) == [("01 Jun", "Letter"), ("02 Jun", "Call")]
    assert (prompt.workers, nobody.messages) == (2, ())
    assert nobody.quiet == {"a step waits for a person": 1}


def test_what_is_on_its_way_counts_as_arrived(firm: Unplugged) -> None:
    house = firm.workflow("Short", *SHORT)
    fern = firm.account("Fern & Fig Café", "2026-05-26")
    recalculate(firm.office, firm.id)
    with firm.office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, 1)
        assert reminder is not None
        assert (reminder.account_id, reminder.workflow_id) == (fern, house)
        reminder.state = "sending"

    assert sent(simulate(firm.office, firm.id)) == [("08 Jun", "Second"), ("22 Jun", "Last")]


@pytest.mark.parametrize(
    ("state", "why"),
    [("refused", "it was refused"), ("unsure", "it is not known whether the last one went out")],
)
def test_what_was_refused_or_is_in_doubt_waits_for_a_person_all_the_time(firm: Unplugged, state: str, why: str) -> None:
    firm.workflow("Short", *SHORT)
    firm.account("Fern & Fig Café", "2026-05-26")
    recalculate(firm.office, firm.id)
    with firm.office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, 1)
        assert reminder is not None
        reminder.state = state

    told = simulate(firm.office, firm.id)

    assert (told.messages, told.quiet) == ((), {why: 1})


def test_where_contact_is_closed_all_day_it_waits_for_the_next_day(firm: Unplugged) -> None:
    """The United Kingdom's limits: nothing on a Sunday. This firm would send on any day."""
    firm.workflow("Short", *SHORT)
    firm.settle(sending_weekdays=list(range(7)), contact_rules="uk")
    firm.account("Fern & Fig Café", "2026-06-02")  # day 5 is Sunday, 7 June

    assert sent(simulate(firm.office, firm.id))[0] == ("08 Jun", "First")


def test_one_account_is_told_alone(firm: Unplugged) -> None:
    firm.workflow("Short", *SHORT)
    fern, _ = firm.account("Fern & Fig Café", "2026-05-26"), firm.account("Ivy Cottage", "2026-05-26")

    told = simulate(firm.office, firm.id, account_ids=[fern])

    assert (told.owing, {one.account for one in told.messages}) == (1, {fern})


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_number_of_days_that_makes_no_sense_is_refused(firm: Unplugged, days: int) -> None:
    with pytest.raises(ValueError, match="cannot be simulated"):
        simulate(firm.office, firm.id, days=days)


def test_more_accounts_than_are_read_at_once(firm: Unplugged, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.workflow("Short", *SHORT)
    for number in range(7):
        firm.account(f"Account {number}", "2026-05-26")
    whole = simulate(firm.office, firm.id)
    monkeypatch.setattr("store.facts.CHUNK", 3)

    assert simulate(firm.office, firm.id).messages == whole.messages
    assert len(whole.messages) == 21
