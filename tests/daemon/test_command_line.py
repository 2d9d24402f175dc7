"""Mirrors daemon/command_line.py: each command as a person types it, in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]


def arrears(folder: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon.command_line", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(env or {})},
        capture_output=True,
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
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon.command_line", "serve"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        health = _answer(f"http://127.0.0.1:{port}/health", process)
        assert json.loads(health)["ok"] is True
        second = arrears(tmp_path, "serve")
        assert second.returncode == 1
        assert re.search(r"arrears is running already on the data in .*data", second.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM, 143), output
    assert "Traceback" not in output


def test_the_demo_plays_the_whole_story_and_ends_by_itself(tmp_path: Path) -> None:
    played = arrears(tmp_path, "demo", "--once", "--port", str(free_port()))

    assert played.returncode == 0, played.stdout + played.stderr
    for part in ("Connected: Brightwater Joinery Ltd", "Reminder 4 sent", "Moved back from Reminder 4 to Reminder 2"):
        assert part in played.stdout
    assert re.search(
        r"\d+ reminders sent, \d+ moves back, 1 reply, \d+ notes written back into the ledger", played.stdout
    )


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
