"""Mirrors daemon/command_line.py: each command as a person types it, in a process of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as dt_time
from pathlib import Path
from urllib.request import urlopen

import pytest
from sqlalchemy import select

from daemon.serving import mind_a_restored_database
from store import HighWater
from store.tables import OrganisationRow
from town import Town

ROOT = Path(__file__).parents[2]


def arrears(
    folder: Path, *words: str, env: dict[str, str] | None = None, says: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `says` is typed into it."""
    return subprocess.run(
        [sys.executable, "-m", "daemon.command_line", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(env or {})},
        capture_output=True,
        input=says,
        text=True,
        timeout=120,
        check=False,
    )


def founded(folder: Path) -> subprocess.CompletedProcess[str]:
    return arrears(
        folder,
        "init",
        "--email",
        "olive@firm.example",
        "--name",
        "Olive",
        env={"ARREARS_OWNER_PASSWORD": "correct horse"},
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_init_makes_configuration_database_key_and_owner_and_overwrites_nothing(tmp_path: Path) -> None:
    first = founded(tmp_path)
    assert first.returncode == 0, first.stderr
    assert "Owner          olive@firm.example" in first.stdout
    assert (tmp_path / "data" / "arrears.db").exists()
    assert (tmp_path / "data" / "secrets.key").exists()
    mine = (tmp_path / "config.toml").read_text() + "\n# mine\n"
    (tmp_path / "config.toml").write_text(mine)

    again = founded(tmp_path)
    assert again.returncode == 0
    assert "there already; nothing changed" in again.stdout
    assert (tmp_path / "config.toml").read_text() == mine
    assert "correct horse" not in first.stdout + first.stderr


def test_a_password_that_is_too_short_is_refused_with_a_sentence(tmp_path: Path) -> None:
    refused = arrears(tmp_path, "init", "--email", "a@b.example", "--name", "A", "--password", "short")

    assert refused.returncode == 1
    assert (
        refused.stderr.strip() == "arrears: The owner's login was not made: the password needs at least 10 characters."
    )


def test_a_forgotten_password_is_replaced_and_a_colleague_is_let_in_on_the_command_line(
    a_town: Callable[..., Town], tmp_path: Path
) -> None:
    town = a_town(company=False)
    town.connect()
    (tmp_path / "data").mkdir(exist_ok=True)
    shutil.copy(tmp_path / "secrets.key", tmp_path / "data" / "secrets.key")
    (tmp_path / "config.toml").write_text(_pointing_at(town, free_port()))
    secret = {"ARREARS_USER_PASSWORD": "another long one"}

    renewed = arrears(tmp_path, "user", "owner@firm.example", env=secret)
    assert renewed.stdout.strip() == "owner@firm.example has a new password, and has been signed out everywhere."
    let_in = arrears(tmp_path, "user", "max@firm.example", "--organisation", "1", "--role", "support", env=secret)
    assert let_in.stdout.strip() == "max@firm.example can sign in now, and works for organisation 1 as support."
    wrong = arrears(tmp_path, "user", "max@firm.example", "--role", "boss", env=secret)
    assert wrong.stderr.strip() == "arrears: There is no role 'boss'. Give one of owner, manager, agent, support."


def test_every_command_without_a_configuration_says_how_to_make_one(tmp_path: Path) -> None:
    for words in (["serve"], ["sync"], ["why", "Fern"]):
        refused = arrears(tmp_path, *words)
        assert refused.returncode == 1
        assert "Make one with: arrears init" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_sync_and_why_say_what_is_missing_on_the_first_day(tmp_path: Path) -> None:
    founded(tmp_path)

    nothing = arrears(tmp_path, "sync")
    assert nothing.returncode == 1
    assert "No organisation is connected yet" in nothing.stdout
    unknown = arrears(tmp_path, "why", "Fern")
    assert unknown.returncode == 1
    assert (
        unknown.stderr.strip() == "arrears: No account is called 'Fern'. Try a part of its name, or its email address."
    )


def test_the_sandbox_refuses_a_ledger_file_that_is_none_with_the_line_and_the_column(tmp_path: Path) -> None:
    assert "There is no file" in arrears(tmp_path, "sandbox", "--ledger", "missing.csv").stderr
    (tmp_path / "bad.csv").write_text(
        "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,"
        "PaperlessBill,DaysToSettle,DaysLate\n391,A,4/6/2013,1,1/2/2013,soon,5.00,No,1/15/2013,Paper,13,0\n"
    )
    refused = arrears(tmp_path, "sandbox", "--ledger", "bad.csv", "--port", "0", "--smtp-port", "0", "--imap-port", "0")
    assert refused.returncode == 1
    assert all(word in refused.stderr for word in ("bad.csv", "line 2", "DueDate", "soon"))


def test_serve_answers_on_its_address_refuses_a_second_one_and_ends_in_order(tmp_path: Path) -> None:
    founded(tmp_path)
    port = free_port()
    (tmp_path / "config.toml").write_text(f'[server]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n')
    process = serving(tmp_path)
    try:
        health = _answer(f"http://127.0.0.1:{port}/health", process)
        assert json.loads(health)["ok"] is True
        assert "event='serving'" in (tmp_path / "data" / "arrears.log").read_text(encoding="utf-8")
        second = arrears(tmp_path, "serve")
        assert second.returncode == 1
        assert re.search(r"arrears is running already on the data in .*data", second.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM, 143), output
    assert "Traceback" not in output


@pytest.mark.parametrize(("ledger", "name"), [("xero", "Xero"), ("quickbooks", "QuickBooks Online")])
def test_the_demo_plays_the_whole_story_on_either_ledger_and_ends_by_itself(
    tmp_path: Path, ledger: str, name: str
) -> None:
    played = arrears(tmp_path, "demo", "--once", "--port", str(free_port()), "--ledger", ledger)

    assert played.returncode == 0, played.stdout + played.stderr
    for part in ("Connected: Brightwater Joinery Ltd", "Reminder 4 sent", "Moved back from Reminder 4 to Reminder 2"):
        assert part in played.stdout
    assert f"presses Connect to {name} and says yes" in played.stdout
    assert "TIDE-A went out yesterday" in played.stdout.partition("In the ledger's own")[2], "the answer is there too"
    for part in (
        "because they asked us to stop: “STOP”",
        "Phone call: Dana Demo rang Ines Moreau",
        "pays, as promised",
    ):
        assert part in played.stdout, "and the customer that is texted, stops it and is rung"
    assert re.search(
        r"\d+ reminders sent, of which \d+ texts and 1 call, \d+ moves back, \d replies, "
        r"\d+ notes written back into the ledger",
        played.stdout,
    )


def test_a_ledger_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    refused = arrears(tmp_path, "demo", "--once", "--ledger", "sage")

    assert refused.returncode == 1
    assert "There is no ledger 'sage'. Choose one of quickbooks, xero." in refused.stderr


def test_asked_to_end_in_the_middle_of_a_round_it_finishes_the_reminder_in_hand_and_begins_no_other(
    a_town: Callable[..., Town], tmp_path: Path
) -> None:
    town = a_town(at=None, company=False)
    for number in range(6):
        town.control.add_contact(f"Debtor {number}", email=f"d{number}@debtor.example")
        town.control.add_invoice(f"Debtor {number}", due=(town.clock() - timedelta(days=9)).date(), amount="10.00")
    town.connect(start_sending=False)
    with town.office.database.unit_of_work() as unit:
        for organisation in unit.scalars(select(OrganisationRow)):
            organisation.sending_weekdays, organisation.sending_time = list(range(7)), dt_time(0, 0)
            organisation.paused_at, organisation.recalculated_on, organisation.time_zone = (
                None,
                None,
                _zone_of_morning(),
            )
    town.control.faults(smtp={"slow": 1.0})
    port = free_port()
    (tmp_path / "data").mkdir(exist_ok=True)
    shutil.copy(tmp_path / "secrets.key", tmp_path / "data" / "secrets.key")
    (tmp_path / "config.toml").write_text(_pointing_at(town, port))
    process = serving(tmp_path)
    try:
        _answer(f"http://127.0.0.1:{port}/health", process)
        assert eventually(lambda: len(town.control.mails()) >= 1, 40)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=40)

    states = Counter(reminder.state for number in range(6) for reminder in town.reminders(f"Debtor {number}"))
    assert states["sending"] == 0, "nothing is left in the middle"
    assert states["sent"] == len(town.control.mails())
    assert states["queued"] >= 1, "and nothing was begun after the word"
    assert "Traceback" not in output


def test_a_database_that_was_restored_sends_nothing_until_a_person_says_so(
    a_town: Callable[..., Town], tmp_path: Path
) -> None:
    town = a_town(company=False)
    town.connect()
    mark = HighWater(tmp_path / "high-water")
    town.office.high_water = mark
    mind_a_restored_database(town.office)
    with town.office.database.reading() as session:
        assert session.scalars(select(OrganisationRow)).one().paused_at is None

    mark.rise(41)
    mind_a_restored_database(town.office)
    with town.office.database.reading() as session:
        organisation = session.scalars(select(OrganisationRow)).one()
    assert organisation.paused_at is not None
    assert "was restored" in organisation.paused_why


def test_a_lost_key_file_is_not_replaced_while_something_is_sealed_with_it(
    a_town: Callable[..., Town], tmp_path: Path
) -> None:
    town = a_town(company=False)
    town.connect()
    (tmp_path / "config.toml").write_text(_pointing_at(town, free_port()))

    refused = arrears(tmp_path, "sync")
    assert refused.returncode == 1
    assert "is missing, and without it the grants in the database cannot be opened" in refused.stderr
    assert not (tmp_path / "data" / "secrets.key").exists()

    made = arrears(tmp_path, "init", "--new-key")
    assert made.returncode == 0, made.stderr
    failed = arrears(tmp_path, "sync")
    assert "Connect again on the page Connections." in failed.stdout


def test_what_is_written_in_brackets_is_printed_and_a_secret_is_not(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[email_smtp]\nhost = "x"\nfrom_address = "a@b.example"\npassword = 12345\n')
    refused = arrears(tmp_path, "sync")
    assert "12345" not in refused.stderr
    (tmp_path / "config.toml").write_text("[server]\nprot = 1\n")
    assert "[server] has no setting 'prot'" in arrears(tmp_path, "sync").stderr


def serving(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "daemon.command_line", "serve"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def eventually(true: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def _zone_of_morning() -> str:
    """A time zone in which it is early in the day now, whenever this test runs."""
    hours = (6 - datetime.now(UTC).hour) % 24
    return f"Etc/GMT{-hours if hours <= 12 else f'+{24 - hours}'}" if hours else "Etc/GMT"


def _pointing_at(town: Town, port: int) -> str:
    world = town.world
    return f"""
[server]
port = {port}
[store]
database = "{town.office.database.url}"
[schedule]
deliver = 1
[xero]
client_id = "sandbox-app"
client_secret = "sandbox-secret"
authorize_url = "{world.authorize_url}"
token_url = "{world.token_url}"
revoke_url = "{world.revoke_url}"
connections_url = "{world.connections_url}"
api_url = "{world.api_url}"
[email_smtp]
host = "127.0.0.1"
port = {world.smtp_port}
security = "none"
from_address = "accounts@brightwater.example"
"""


def _answer(url: str, process: subprocess.Popen[str]) -> bytes:
    for _ in range(300):
        try:
            with urlopen(url, timeout=2) as answer:
                return bytes(answer.read())
        except OSError:
            if process.poll() is not None:
                pytest.fail(f"serve ended: {process.stdout.read() if process.stdout else ''}")
            time.sleep(0.1)
    pytest.fail("serve did not answer")
