"""Mirrors daemon/simulate_command.py and daemon/backtest_command.py: calendars that a tired bookkeeper can read."""

import calendar
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from daemon import command_line
from daemon.backtest_command import tell_the_past
from daemon.simulate_command import tell_the_coming_days
from engine.forecast import Payers
from engine.story import People
from engine.workflow import Channel, Step
from store.tables import OrganisationRow
from unplugged import Unplugged

FERN = "Fern & Fig Café"
MIXED = (
    Step("r1", "First", 5),
    Step("t", "Text", 9, Channel.SMS),
    Step("c", "Ring them", 14, Channel.CALL),
    Step("r2", "Last", 20),
)


@pytest.fixture
def firm(sqlite_url: str) -> Unplugged:
    firm = Unplugged(sqlite_url)
    firm.workflow("Mixed", *MIXED)
    firm.account(FERN, "2026-05-26", "2026-06-10", mobile="+447700900001")
    firm.account("Ivy Cottage", "2026-05-26")
    firm.account("[red]Odd[/red] name", "2026-06-08")
    return firm


def said(firm: Unplugged, width: int = 80, **asked: Any) -> str:
    out = StringIO()
    console = Console(file=out, width=width, highlight=False)
    given = {"days": 30, "payers": Payers.NOBODY, "people": People.PROMPT, "price": Decimal("0.05")}
    tell_the_coming_days(firm.office, _organisation(firm), console, **(given | asked))
    return out.getvalue()


def told_of_the_past(firm: Unplugged, **asked: Any) -> str:
    out = StringIO()
    tell_the_past(firm.office, _organisation(firm), Console(file=out, width=80, highlight=False), **asked)
    return out.getvalue()


def _organisation(firm: Unplugged) -> OrganisationRow:
    with firm.office.database.reading() as session:
        row = session.get(OrganisationRow, firm.id)
        assert row is not None
        return row


def test_first_the_totals_then_a_line_a_day_then_costs_and_who_gets_most(firm: Unplugged) -> None:
    for name in ("olive", "max"):
        firm.person(name, "agent")
    lines = said(firm).splitlines()

    assert lines[1] == "Quiet Joinery: 30 days, 1 June 2026 to 30 June 2026"
    assert lines[3] == "If nobody pays, 6 emails, 1 text message and 3 calls go to every account with an open invoice."
    assert "no new invoice comes" in lines[4]
    assert lines[5] == "Nothing is set up yet to carry emails or text messages; until it is, they wait."
    assert lines[7].split() == ["email", "text", "call", "a", "person"]
    assert lines[8].split() == ["Mon", "1", "Jun", "2", "·", "·", "·", "█" * 16]
    assert [line[:10] for line in lines[8:38]][-1] == "Tue 30 Jun", "every day has its line"
    assert lines[16].split() == ["Tue", "9", "Jun", "·", "·", "2", "1", "█" * 16]
    assert lines[39:42] == [
        "1 text message of 1 segment in all: 0.05 at 0.05 a segment.",
        "2 text messages would be skipped: there is no mobile number that may be texted.",
        "3 calls; 2 on the busiest day, 9 June 2026: 1 for each of 2 people.",
    ]
    assert lines[44].split("  ")[-1] == "2 emails, 1 text message, 1 call, Mon 1 Jun to Mon 15 Jun"
    assert any("[red]Odd[/red] name" in line for line in lines), "a name is shown as it is written"
    assert all(len(line) <= 80 for line in lines[7:38])


def test_what_is_assumed_of_payments_is_said(firm: Unplugged) -> None:
    assert "No payment has been seen yet, so every account is taken to pay on the due date" in said(
        firm, payers=Payers.AT_THEIR_MEDIAN
    )
    for late in ("2026-02-04", "2026-02-06", "2026-02-28"):
        firm.invoice(1, "2026-02-01", settled=late)
    words = said(firm, payers=Payers.AT_THEIR_MEDIAN)

    assert "If everybody pays as usual, 4 emails, 1 text message and 2 calls go to 2 of the 3 accounts" in words
    assert "3 accounts would pay 4 invoices in these days." in words
    assert "1 of the 3 accounts have a past of their own" in words


def test_one_account_is_told_day_by_day_with_its_reasons(firm: Unplugged) -> None:
    words = said(firm, account="fern", width=120)

    assert words.splitlines()[5:13] == [
        "  Mon  1 Jun  First, by email",
        "              INV-1 is the oldest overdue invoice at 6 days, listed with INV-2.",
        "  Thu  4 Jun  Text, by text message",
        "              INV-1 is the oldest overdue invoice at 9 days, listed with INV-2.",
        "  Tue  9 Jun  Ring them, by telephone",
        "              INV-1 is the oldest overdue invoice at 14 days, listed with INV-2.",
        "  Mon 15 Jun  Last, by email",
        "              INV-1 is the oldest overdue invoice at 20 days, listed with INV-2.",
    ]
    ivy = said(firm, account="Ivy Cottage", payers=Payers.AT_THEIR_MEDIAN, width=120)
    assert "No payment has been seen yet, so it is taken to pay on the due date; what is overdue already is not" in ivy
    assert "Text is skipped" in ivy
    assert "There is no mobile number that may be texted." in ivy
    firm.account("Owes nothing")
    assert "Nothing would be sent: it owes nothing." in said(firm, account="Owes nothing")
    firm.settle(first_contacts_a_day=1)
    assert said(firm, account="Ivy Cottage", payers=Payers.AT_THEIR_MEDIAN).count("No payment has been seen") == 1
    firm.settle(first_contacts_a_day=0)
    firm.hold(3, "paused")
    assert "Nothing would be sent: the account is paused." in said(firm, account="odd")
    with pytest.raises(LookupError, match="No account is called 'Nobody'"):
        said(firm, account="Nobody")


def test_whoever_is_overdue_and_gets_nothing_is_counted(firm: Unplugged) -> None:
    firm.hold(1, "paused")

    assert said(firm).splitlines()[-2].split() == ["1", "the", "account", "is", "paused"]


def test_a_pause_of_the_whole_organisation_is_said(firm: Unplugged) -> None:
    firm.settle(paused_at=firm.now)

    assert "Nothing leaves at present; this is what would go if sending were on." in said(firm)


def test_the_json_is_complete(firm: Unplugged, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(firm, as_json=True, payers=Payers.AT_THEIR_MEDIAN) == ""
    told = json.loads(capsys.readouterr().out)

    assert (told["start"], told["until"], told["payers"], told["people"]) == (
        "2026-06-01",
        "2026-06-30",
        "median",
        "prompt",
    )
    assert told["totals"] == {"email": 4, "sms": 1, "call": 2}
    assert len(told["calendar"]) == 30
    assert told["messages"][0] == {
        "on": "2026-06-01",
        "account": 1,
        "name": FERN,
        "workflow": "Mixed",
        "step": "First",
        "channel": "email",
        "skipped": False,
        "invoices": ["INV-1", "INV-2"],
        "because": "INV-1 is the oldest overdue invoice at 6 days, listed with INV-2",
        "text_segments": 0,
    }
    assert told["text_cost"] == "0.05"
    assert [payment["invoices"] for payment in told["payments"]] == [["INV-4"], ["INV-2"]]
    assert {account["name"] for account in told["accounts"]} == {FERN, "Ivy Cottage"}


def test_the_past_is_told_by_month_and_step(firm: Unplugged) -> None:
    firm.now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    for account in (1, 2):
        firm.invoice(account, "2026-02-01", issued_on=date(2026, 1, 5), settled="2026-02-17")
    lines = told_of_the_past(firm).splitlines()

    assert lines[1] == "Quiet Joinery: what Mixed would have sent, 5 January 2026 to 30 June 2026"
    assert lines[3].startswith("15 reminders to 3 of 3 accounts. 3 of them (20%) would have gone in the week before")
    assert "the 6 invoices that our copy of the ledger has seen, the oldest issued on 5 January 2026" in lines[4]
    table = [line.split() for line in lines[6:13]]
    assert table[0] == ["2026", *calendar.month_abbr[1:], "in", "all"]
    assert table[1] == ["First", "·", "2", "·", "·", "·", "3", *"······", "5"]
    assert table[-1] == ["accounts", "·", "2", "·", "·", "·", "3", *"······"]
    assert all(len(line) <= 80 for line in lines[6:13])
    assert any(line.split()[:4] == ["7", "Fern", "&", "Fig"] for line in lines)


def test_the_past_as_json(firm: Unplugged, capsys: pytest.CaptureFixture[str]) -> None:
    told_of_the_past(firm, as_json=True, since=date(2026, 1, 1))
    told = json.loads(capsys.readouterr().out)

    assert (told["workflow"], told["since"], told["reminders"]) == ("Mixed", "2026-01-01", 2)
    assert [one["name"] for one in told["messages"]] == [FERN, "Ivy Cottage"]
    with pytest.raises(LookupError, match="No workflow is called 'Stern'"):
        told_of_the_past(firm, workflow="Stern")


def test_nothing_in_the_copy_is_no_error(sqlite_url: str) -> None:
    firm = Unplugged(sqlite_url)
    firm.workflow("Mixed", *MIXED)

    assert "Our copy of the ledger has no invoice yet. Sync it first." in told_of_the_past(firm)
    assert "If nobody pays, nothing goes to the 0 accounts with an open invoice." in said(firm)


def test_both_commands_as_a_person_types_them(
    firm: Unplugged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(f'[store]\ndatabase = "{firm.office.database.url}"\n')
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> str:
        """What it says, and on a failure what it complains of."""
        monkeypatch.setattr(sys, "argv", ["arrears", *words])
        monkeypatch.setattr(command_line, "console", Console(width=100, highlight=False))
        monkeypatch.setattr(command_line, "complaints", Console(stderr=True, highlight=False))
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        out, err = capfd.readouterr()
        return out if ended.value.code == 0 else err.strip()

    assert typed("simulate", "--days", "7").splitlines()[1].startswith("Quiet Joinery: 7 days, ")
    assert json.loads(typed("simulate", "--json", "--people", "as-told"))["people"] == "as-told"
    past = typed("backtest", "quiet joinery", "--since", "2026-01-01")
    assert past.splitlines()[1].startswith("Quiet Joinery: what Mixed would have sent, 1 January 2026 to ")
    assert typed("simulate", "--people", "always") == "arrears: People are 'prompt' or 'as-told', not 'always'."
    assert typed("simulate", "--sms-price", "cheap") == "arrears: 'cheap' is not a price. Write it like 0.05."
    assert typed("backtest", "--since", "1.1.2026") == "arrears: '1.1.2026' is not a day. Write it like 2026-05-31."
    assert typed("backtest", "--workflow", "Stern").startswith("arrears: No workflow is called 'Stern'.")
    assert typed("simulate", "Nobody Ltd").startswith("Which organisation? Name one of these, or its number:")
