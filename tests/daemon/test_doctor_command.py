"""Mirrors daemon/doctor_command.py and the command itself: findings in words and as data, and the exit status."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import sandbox
from daemon.command_line import app
from tests.jobs.name_server import name_server

ZONE = {
    ("firm.example", "TXT"): ['"v=spf1 include:mail.example ~all"'],
    ("k1._domainkey.firm.example", "TXT"): ['"v=DKIM1; p=MIGfMA0"'],
    ("_dmarc.firm.example", "TXT"): ['"v=DMARC1; p=none"'],
    ("firm.example", "MX"): ["10 mx.firm.example."],
}
CONFIG = """
[server]
public_url = "http://127.0.0.1:1"

[doctor]
dkim_selectors = ["k1"]
dns_server = "{names}"
seconds = 1.0

[email_smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
from_address = "accounts@firm.example"
"""


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "config.toml"
    with sandbox.start(company=False) as world, name_server(ZONE) as names:
        path.write_text(CONFIG.format(names=names, smtp=world.smtp_port))
        yield path


def doctor(config: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--config", str(config), *more])


def test_each_finding_is_a_line_with_what_to_do_and_something_wrong_is_an_exit_status(config: Path) -> None:
    told = doctor(config)

    assert told.exit_code == 1
    assert "ok     SPF of firm.example: v=spf1 include:mail.example ~all" in told.output
    assert "ok     DMARC of firm.example: _dmarc.firm.example says p=none" in told.output
    assert "wrong  public address: 127.0.0.1:1 does not answer" in told.output
    assert "Is the daemon running" in told.output
    assert "wrong.\n" in told.output


def test_the_same_as_data_one_object_a_line(config: Path) -> None:
    told = [json.loads(line) for line in doctor(config, "--json").output.splitlines()]

    assert {"about", "verdict", "says", "do"} == set(told[0])
    by_subject = {one["about"]: one["verdict"] for one in told}
    assert by_subject["MX of firm.example"] == "ok"
    assert by_subject["[email_smtp] sending"] == "ok"
    assert by_subject["public address"] == "wrong"


def test_a_name_server_can_be_named_and_offline_is_said_soon(config: Path) -> None:
    told = [json.loads(line) for line in doctor(config, "--json", "--dns-server", "127.0.0.1:1").output.splitlines()]

    assert [one["verdict"] for one in told if one["about"] == "DNS"] == ["look"]


def test_a_test_message_is_sent_only_when_it_is_asked_for(config: Path) -> None:
    assert "test message" not in doctor(config).output
    assert "it left for me@firm.example" in doctor(config, "--json", "--send-to", "me@firm.example").output


def test_what_is_no_address_is_refused(config: Path) -> None:
    assert "is not an email address" in str(doctor(config, "--send-to", "me").exception)
