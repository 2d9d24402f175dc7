"""Mirrors jobs/reminder_settings.py and jobs/contact_times.py: what is saved, what is refused, and what follows."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from engine.facts import AfterMoveBack, FirstContact
from engine.reminders import ReminderState
from jobs import account_acts
from jobs.acting import NotAllowed
from jobs.reminder_settings import ReminderSettings, save_reminder_settings, settings_of
from store.ground import rules_of
from store.tables import AuditRow, OrganisationRow, ReminderRow
from tests.jobs.firm import BY, Firm
from town import Town

FERN = "Fern & Fig Café"
JAN = 2026, 1


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    yield firm
    firm.close()


def organisation(firm: Firm) -> OrganisationRow:
    with firm.office.database.reading() as session:
        row = session.get(OrganisationRow, firm.id)
        assert row is not None
        return row


def save(firm: Firm, **changes: Any) -> None:
    save_reminder_settings(firm.office, firm.id, replace(settings_of(organisation(firm)), **changes), by=BY)


def queued(firm: Firm) -> list[ReminderRow]:
    return [row for row in firm.rows(ReminderRow) if row.state == ReminderState.QUEUED]


OTHERS: dict[str, Any] = {
    "reassess_on_payment": False,
    "after_move_back": AfterMoveBack.RESEND,
    "first_contact": FirstContact.BY_AGE,
    "return_over_link": False,
    "sending_time": time(10, 30),
    "sending_weekdays": [0, 2],
    "min_days_between_reminders": 3,
    "holiday_calendar": "GB-SCT",
    "contact_rules": "uk",
    "reply_holds": False,
    "link_invoices": False,
    "write_expected_dates": False,
    "disputed_invoices_drive": True,
    "pause_when_in_credit": True,
    "ignore_below": Decimal("5.50"),
    "stale_after_days": 3,
    "time_zone": "Europe/Berlin",
    "locale": "de_DE",
    "sender_name": "Buchhaltung",
}


def test_every_setting_is_kept_and_is_in_the_audit_log(firm: Firm) -> None:
    firm.change(reassess_locked=False)
    assert {one.name for one in fields(ReminderSettings)} == OTHERS.keys()
    save(firm, **OTHERS | {"sending_weekdays": [2, 0, 2], "sender_name": " Buchhaltung "})

    assert settings_of(organisation(firm)) == ReminderSettings(**OTHERS)
    with firm.office.database.reading() as session:
        (row,) = session.scalars(select(AuditRow).where(AuditRow.what == "reminder settings saved")).all()
    assert row.by == BY
    assert row.details["ignore_below"] == "5.50"
    assert row.details["sending_time"] == "10:30:00"
    assert row.details.keys() == OTHERS.keys()


def test_the_engine_decides_by_what_was_saved(firm: Firm) -> None:
    firm.change(reassess_locked=False)
    save(firm, **OTHERS)
    rules = rules_of(organisation(firm), around=date(*JAN, 5))

    assert not rules.reassess_on_payment and not rules.return_over_link
    assert (rules.after_move_back, rules.first_contact) == (AfterMoveBack.RESEND, FirstContact.BY_AGE)
    assert (rules.min_days_between_reminders, rules.stale_after_days) == (3, 3)
    assert rules.ignore_below == Decimal("5.50")
    assert rules.disputed_invoices_drive and rules.pause_when_in_credit
    assert rules.limits is not None and rules.limits.title == "United Kingdom"
    assert not rules.sending.allows(date(2026, 1, 2)), "the second of January is a holiday in Scotland"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"reassess_on_payment": False}, "always on"),
        ({"sending_weekdays": []}, "at least one weekday"),
        ({"time_zone": "London"}, "is not a time zone"),
        ({"min_days_between_reminders": 0}, "1 to 90 days"),
        ({"stale_after_days": 31}, "0 to 30 days"),
        ({"stale_after_days": -1}, "0 to 30 days"),
        ({"ignore_below": Decimal("-1")}, "from 0 to 100,000"),
        ({"ignore_below": Decimal("0.001")}, "two decimals"),
        ({"ignore_below": Decimal("NaN")}, "from 0 to 100,000"),
        ({"ignore_below": Decimal("1e30")}, "from 0 to 100,000"),
        ({"contact_rules": "mars"}, "no contact limits called 'mars'"),
        ({"holiday_calendar": "GB-XX"}, "no public holidays for 'GB-XX'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(
    firm: Firm, given: dict[str, Any], sentence: str
) -> None:
    before = settings_of(organisation(firm))
    with pytest.raises(NotAllowed, match=sentence):
        save(firm, **given)
    assert settings_of(organisation(firm)) == before


def test_saved_settings_rule_from_now_on(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.connect()
    with town.office.database.reading() as session:
        row = session.get(OrganisationRow, town.organisation)
    assert row is not None
    settings = replace(settings_of(row), sending_time=time(10), sending_weekdays=[0, 2, 4])
    save_reminder_settings(town.office, town.organisation, settings, by="Olive Owner")
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    assert town.control.mails() == [], "the 13th is a Tuesday"

    town.move(datetime(2026, 1, 14, 9, 45, tzinfo=UTC))
    town.work()
    assert town.control.mails() == [], "not before the sending time"
    town.move(datetime(2026, 1, 14, 10, 5, tzinfo=UTC))
    town.work()
    assert len(town.control.mails()) == 1


def test_smart_workflows_switched_on_in_mid_run_move_nobody_at_once(firm: Firm) -> None:
    firm.change(reassess_locked=False, reassess_on_payment=False)
    ivy = firm.account("Ivy", date(*JAN, 2), date(*JAN, 20))
    firm.walk(date(*JAN, 5), date(*JAN, 23))
    firm.pay("Ivy 1")
    firm.day(date(*JAN, 24))
    assert firm.position(ivy).assigned_step == "R2", "the older behaviour keeps it"

    save(firm, reassess_on_payment=True)
    assert firm.position(ivy).assigned_step == "R2"


def test_a_new_sending_time_holds_for_what_is_queued_already(firm: Firm) -> None:
    firm.account("Ivy", date(*JAN, 2))
    firm.now = datetime(*JAN, 9, 7, tzinfo=UTC)
    save(firm, sending_time=time(11))
    assert [row.send_after for row in queued(firm)] == [datetime(*JAN, 9, 11, tzinfo=UTC)]


def test_contact_limits_move_what_is_queued_into_the_debtors_hours_and_back_when_they_are_lifted(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.account("Jay", date(*JAN, 2))
    account_acts.set_time_zone(firm.office, ivy, time_zone="America/New_York", by=BY)
    firm.now = datetime(*JAN, 9, 7, tzinfo=UTC)
    save(firm, contact_rules="uk")
    leaves = {row.account_id: row.send_after.hour for row in queued(firm)}
    assert leaves == {ivy: 13, ivy + 1: 9}

    save(firm, contact_rules="")
    assert {row.send_after.hour for row in queued(firm)} == {9}
