"""A statement on its day and thanks after payment, from the ledger to the debtor's inbox and back into the ledger."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from jobs.sending_settings import save_sending_settings, sending_settings_of
from tests.jobs.sending_house import organisation_in
from town import Town

FERN = "Fern & Fig Café"


def test_a_month_of_an_account_that_gets_its_statement_pays_and_is_thanked(a_town: Callable[..., Town]) -> None:
    town = a_town(None, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example", first_name="Fern", last_name="Figgis")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.control.add_invoice(FERN, due="2026-03-24", amount="400.00", number="INV-B")
    town.connect()
    with town.office.database.reading() as session:
        known = sending_settings_of(organisation_in(session, town))
    wanted = replace(known, statement_day=20, thanks=True)
    save_sending_settings(town.office, town.organisation, wanted, by="Olive Owner")

    town.walk(date(2026, 1, 6), date(2026, 1, 20))
    reminder, statement = town.mails_to("fern@fig.example")
    assert statement["subject"].startswith("Statement of account from")
    assert "INV-A" in statement["text"] and "INV-B" in statement["text"] and "£1,400.00" in statement["text"]
    assert any(name.startswith("statement-") and name.endswith(".pdf") for name in statement["attachments"])

    town.control.pay("INV-A")
    town.walk(date(2026, 1, 21), date(2026, 2, 20))
    mails = town.mails_to("fern@fig.example")
    assert [mail["subject"].split(" from ")[0] for mail in mails[2:]] == ["Thank you", "Statement of account"]
    assert "nothing on your account is overdue" in " ".join(mails[2]["text"].split())
    assert "INV-A" not in mails[3]["text"]
    told = [note["details"] for note in town.control.notes()]
    assert sum("Statement for" in text for text in told) == 2 and sum("Thank-you sent" in text for text in told) == 1
    assert [row.step_name for row in town.reminders(FERN) if row.cycle > 0 and row.state == "sent"] == ["Reminder 1"]
