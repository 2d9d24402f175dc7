"""Killed between any two steps of `deliver` or `write_back`: nothing twice, and nothing lost without a mark."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels import settings_of
from engine.reminders import ReminderState
from jobs import deliver
from town import Town

NAMES = ("Ash & Sons", "Birch Bakery", "Cedar Clinic")
DELIVER = [
    ("claim", "before"),
    ("claim", "after"),
    ("look_again", "after"),
    ("mark", "after"),
    ("send", "before"),
    ("send", "after"),
    ("settle", "before"),
    ("settle", "after"),
]


def three_reminders_due(a_town: Callable[..., Town], url: str | None = None) -> Town:
    town = a_town(url, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    for name in NAMES:
        town.control.add_contact(name, email=f"{name[:3].lower()}@debtor.example")
        town.control.add_invoice(name, due="2025-12-20", amount="50.00")
    town.connect()
    town.move(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    return town


def recovered(town: Town) -> None:
    """The next hours: claims run out, and the schedule does its rounds."""
    for _ in range(4):
        town.move(town.clock() + timedelta(minutes=20))
        town.work()


@pytest.mark.parametrize(("step", "when"), DELIVER)
def test_killed_between_two_steps_of_deliver_no_reminder_goes_twice_and_none_is_lost_without_a_mark(
    a_town: Callable[..., Town], database_url: str, step: str, when: str
) -> None:
    town = three_reminders_due(a_town, database_url)

    assert town.killed_at("deliver", "deliver_due", step, when) == -signal.SIGKILL
    recovered(town)

    for name in NAMES:
        (reminder,) = town.reminders(name)
        mails = town.mails_to(f"{name[:3].lower()}@debtor.example")
        assert len(mails) <= 1, "nobody is chased twice"
        if reminder.state == ReminderState.SENT:
            assert len(mails) == 1, "nothing is called sent that did not go"
        else:
            assert reminder.state == ReminderState.UNSURE, "what is not known to have gone is marked as a doubt"
            assert any(task.account_id == reminder.account_id for task in town.tasks())
    doubts = [name for name in NAMES if town.reminders(name)[0].state == ReminderState.UNSURE]
    beyond_the_mark = (step, when) in {("mark", "after"), ("send", "before"), ("send", "after"), ("settle", "before")}
    assert len(doubts) == (1 if beyond_the_mark else 0), "a crash before the mark leaves no doubt at all"


@pytest.mark.parametrize(("step", "when"), DELIVER)
def test_where_the_provider_keeps_records_a_doubt_about_what_went_is_settled_by_them(
    a_town: Callable[..., Town], step: str, when: str
) -> None:
    town = three_reminders_due(a_town)
    grid = town.world.sendgrid
    by = {"api_key": grid.api_key, "host": grid.host, "from_address": "accounts@brightwater.example"}
    town.office.channels = {"email_sendgrid": settings_of("email_sendgrid")(**by)}

    assert town.killed_at("deliver", "deliver_due", step, when, {"email_sendgrid": by}) == -signal.SIGKILL
    for minutes in (11, 3, 10, 30, 120):
        town.move(town.clock() + timedelta(minutes=minutes))
        town.work()

    for name in NAMES:
        (reminder,) = town.reminders(name)
        mails = town.mails_to(f"{name[:3].lower()}@debtor.example")
        assert len(mails) <= 1, "nobody is chased twice"
        assert (reminder.state == ReminderState.SENT) == (len(mails) == 1), "what went is known to have gone"
    doubts = [name for name in NAMES if town.reminders(name)[0].state == ReminderState.UNSURE]
    never_left = (step, when) in {("mark", "after"), ("send", "before")}
    assert len(doubts) == (1 if never_left else 0), "that nothing is found proves nothing: a person is asked"


@pytest.mark.parametrize(("step", "when"), [("pack", "after"), ("hand_over", "after"), ("write_down", "after")])
@pytest.mark.parametrize("down_for", [timedelta(minutes=2), timedelta(hours=2)])
def test_killed_between_two_steps_of_write_back_each_note_is_in_the_ledger_once(
    a_town: Callable[..., Town], step: str, when: str, down_for: timedelta
) -> None:
    town = three_reminders_due(a_town)
    deliver.deliver_due(town.office)
    assert town.killed_at("write_back", "write_back", step, when) == -signal.SIGKILL
    town.move(town.clock() + down_for)
    town.work()
    town.work()

    for name in NAMES:
        notes = town.control.notes(town.account(name).ledger_id)
        assert [note["details"].startswith("Reminder 1 sent by email") for note in notes] == [True]


def test_killed_while_understanding_a_reply_it_is_read_again_and_written_down_once(a_town: Callable[..., Town]) -> None:
    town = three_reminders_due(a_town)
    town.work()
    mail = town.mails_to("ash@debtor.example")[0]
    town.control.reply(mail["message_id"], "We will pay on Friday.")

    for step, when in (("collect", "after"), ("understand", "before"), ("belongs", "after")):
        assert town.killed_at("receive", "receive", step, when) == -signal.SIGKILL
    town.work()

    (reply,) = town.replies("Ash & Sons")
    assert reply.said == "We will pay on Friday."
    assert len([note for note in town.notes("Ash & Sons") if note.kind == "reply"]) == 1


@pytest.mark.parametrize("provider", ["smtp", "sendgrid", "twilio"])
def test_with_two_daemons_that_are_killed_all_day_nothing_goes_twice_and_nothing_is_lost(provider: str) -> None:
    """The run of `bench.crashes`, a small one: it must have killed as many as it was told to, and found nothing."""
    orders = ["--kills", "24", "--kind", provider, "--database", "sqlite"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.crashes", *orders],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    row = re.search(r"sqlite +(\d+) +\d+ +(\d+) +(\d+) +(\d+) +(\d+) ", done.stdout)
    assert row is not None, done.stdout
    kills, messages, accepted, duplicates, lost = map(int, row.groups())
    assert kills >= 24 and messages >= accepted > 0
    assert (duplicates, lost) == (0, 0)
