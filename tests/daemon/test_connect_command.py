"""Mirrors daemon/connect_command.py: an app made for one organisation is connected where there is no browser."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sandbox
from tests.daemon.test_command_line import arrears, founded


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=datetime(2026, 6, 1, 7, tzinfo=UTC), company=False) as started:
        started.control.add_invoice(started.control.add_contact("Fern"), due="2026-05-19", amount="120")
        yield started


def configured(folder: Path, world: sandbox.Sandbox, *, custom: bool = True) -> None:
    """A fresh installation with the keys of an app at this sandbox."""
    assert founded(folder).returncode == 0
    lines = [
        "[xero]",
        f'client_id = "{"sandbox-custom" if custom else "sandbox-app"}"',
        'client_secret = "sandbox-secret"',
        f"custom_connection = {str(custom).lower()}",
        *(f'{name} = "{getattr(world, name)}"' for name in ("token_url", "revoke_url", "connections_url", "api_url")),
    ]
    (folder / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def test_a_custom_connection_is_made_and_read_without_a_browser(tmp_path: Path, world: sandbox.Sandbox) -> None:
    configured(tmp_path, world)

    done = arrears(tmp_path, "connect", "xero", "--yes")
    assert done.returncode == 0, said(done)
    assert "Brightwater Joinery Ltd is connected, as organisation 1. Read it with: arrears sync 1" in said(done)
    assert "Sending is paused." in said(done)
    assert "2 rows seen, 2 new" in said(arrears(tmp_path, "sync", "1"))

    assert "as organisation 1." in said(arrears(tmp_path, "connect", "--yes")), "again is a renewal, not a second one"


def test_nothing_is_connected_before_somebody_says_that_it_is_the_right_one(
    tmp_path: Path, world: sandbox.Sandbox
) -> None:
    configured(tmp_path, world)

    asked = arrears(tmp_path, "connect", "xero", says="n\n")
    assert asked.returncode == 1
    assert "Connect Brightwater Joinery Ltd for olive@firm.example?" in said(asked)
    assert "Nothing was connected." in said(asked)
    assert "No organisation is connected yet" in said(arrears(tmp_path, "sync"))


def test_an_app_to_which_people_consent_is_sent_to_the_browser(tmp_path: Path, world: sandbox.Sandbox) -> None:
    configured(tmp_path, world, custom=False)

    refused = arrears(tmp_path, "connect", "xero", "--yes")
    assert refused.returncode == 1
    assert "Xero is connected in the browser, where a person consents: open http" in said(refused)
    assert "no app keys for 'quickbooks'" in said(arrears(tmp_path, "connect", "quickbooks", "--yes"))


def test_with_several_logins_it_wants_to_know_whose_organisation_it_will_be(
    tmp_path: Path, world: sandbox.Sandbox
) -> None:
    configured(tmp_path, world)
    other = {"ARREARS_USER_PASSWORD": "correct horse"}
    assert arrears(tmp_path, "user", "sam@firm.example", "--name", "Sam", env=other).returncode == 0

    assert "several logins" in said(arrears(tmp_path, "connect", "--yes"))
    assert "no login for nobody@firm.example" in said(
        arrears(tmp_path, "connect", "--yes", "--email", "nobody@firm.example")
    )
    assert arrears(tmp_path, "connect", "--yes", "--email", "sam@firm.example").returncode == 0
