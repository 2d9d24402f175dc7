"""Mirrors daemon/log_command.py: what `arrears log` says, as a person types it."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select, update
from sqlmodel import col

from daemon.log_command import tell_invoice, tell_run, tell_runs
from store.tables import OrganisationRow, SetAsideRow, SyncRunRow
from town import Town

ROOT = Path(__file__).parents[2]
FERN = "Fern & Fig Café"


class Paid(Town):
    """A town that remembers which run failed, and which told of the payment."""

    failing: int
    telling: int


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paid]:
    """A firm that read its ledger on the 13th in vain, and on the 15th learnt that INV-1 was paid."""
    folder = tmp_path_factory.mktemp("log")
    town = Paid(f"sqlite:///{folder / 'town.db'}", folder, datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00", number="INV-1")
    town.connect()
    town.failing = town.day(date(2026, 1, 13)).id
    town.control.pay("INV-1")
    town.telling = town.day(date(2026, 1, 15)).id
    with town.office.database.unit_of_work() as unit:
        unit.execute(
            update(SyncRunRow)
            .where(col(SyncRunRow.id) == town.failing)
            .values(
                state="failed",
                error="Xero did not answer in time",
                next_act="Nothing to do now.",
                waits=[{"why": "60 calls in a minute", "until": "07:31"}],
            )
        )
        unit.add(
            SetAsideRow(
                sync_run_id=town.failing, list="Invoices", ledger_id="b7f1", reason="no due date", raw='{"[red]": 1}'
            )
        )
    yield town
    town.close()


def said(tell: Callable[..., None], *given: object, **more: object) -> str:
    text = io.StringIO()
    places = [one if one is not Console else Console(file=text, width=200) for one in given]
    tell(*places, **more)
    return text.getvalue()


def firm(town: Town) -> OrganisationRow:
    with town.office.database.reading() as session:
        return session.scalars(select(OrganisationRow)).one()


def test_the_list_says_of_each_run_what_came_of_it_and_what_to_do(paid: Paid) -> None:
    told = said(tell_runs, paid.office, firm(paid), Console, failed=False, since=None, as_json=False)
    runs = [line for line in told.splitlines() if " Jan " in line]

    assert runs[0].split()[:6] == [str(paid.telling), "15", "Jan", "07:30", "done", "test"]
    assert "1 changed" in runs[0]
    (failed,) = [line for line in runs if "FAILED" in line]
    assert failed.endswith("Xero did not answer in time.")
    assert "Nothing to do now." in told
    assert "times as in Europe/London" in told


def test_only_what_failed_and_only_since_a_day(paid: Paid) -> None:
    failed = said(tell_runs, paid.office, firm(paid), Console, failed=True, since=None, as_json=True)
    lately = said(tell_runs, paid.office, firm(paid), Console, failed=False, since=date(2026, 1, 15), as_json=True)

    assert [run["id"] for run in json.loads(failed)] == [paid.failing]
    assert [run["id"] for run in json.loads(lately)] == [paid.telling]
    assert "sealed" not in failed + lately


def test_one_run_is_told_whole_with_its_calls_and_what_it_changed(paid: Paid) -> None:
    told = said(tell_run, paid.office, paid.telling, "", Console, as_json=False)

    assert f"{FERN}: invoice INV-1, call 1" in told
    assert "balance            10.00 GBP → 0.00 GBP" in told
    assert "status             open → paid" in told
    assert "payment            – → 10.00 GBP on" in told
    assert f"{FERN}: position" in told
    assert "stands at          Reminder 1 → –" in told
    assert "GET /api.xro/2.0/Invoices" in told
    assert "request id " in told


def test_a_failed_run_is_told_with_its_waits_and_the_rows_that_were_set_aside_as_they_are(paid: Paid) -> None:
    told = said(tell_run, paid.office, paid.failing, "", Console, as_json=False)

    assert "Waited    why 60 calls in a minute, until 07:31" in told
    assert "Invoices b7f1: no due date" in told
    assert '{"[red]": 1}' in told


def test_a_run_as_data_holds_everything(paid: Paid) -> None:
    run = json.loads(said(tell_run, paid.office, paid.telling, "", Console, as_json=True))

    assert {change["list"] for change in run["changes"]} == {"invoices", "positions"}
    assert ["balance", "10.00", "0.00"] in run["changes"][0]["fields"]
    assert run["calls"][0]["status"] == 200
    assert run["cursor_before"] != run["cursor_after"]


def test_an_invoice_is_told_by_when_we_learnt_what_and_from_which_call(paid: Paid) -> None:
    told = said(tell_invoice, paid.office, firm(paid), "INV-1", Console, as_json=False)

    assert "INV-1  Fern & Fig Café  paid, 0.00 GBP of 10.00 GBP open" in told
    assert f"We learnt that it was paid on 15 Jan 2026 07:30:00, from sync run {paid.telling}." in told
    assert f"15 Jan 2026 07:30:00  sync run {paid.telling} (test)" in told
    assert "request id " in told
    story = json.loads(said(tell_invoice, paid.office, firm(paid), "INV-1", Console, as_json=True))
    assert story[0]["learnt"][0]["calls"][0]["path"].startswith("/api.xro/2.0/Invoices")


def test_what_is_not_there_is_said_in_a_sentence(paid: Paid) -> None:
    with pytest.raises(LookupError, match="There is no sync run 99"):
        said(tell_run, paid.office, 99, "", Console, as_json=False)
    with pytest.raises(LookupError, match="belongs to another organisation"):
        said(tell_run, paid.office, paid.telling, "Quayside", Console, as_json=False)
    with pytest.raises(LookupError, match="No invoice has the number 'INV-9'"):
        said(tell_invoice, paid.office, firm(paid), "INV-9", Console, as_json=False)


def test_the_command_ends_with_1_and_a_sentence_for_what_is_not_there_and_with_0_otherwise(
    paid: Paid, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(paid.folder / "secrets.key", tmp_path / "data" / "secrets.key")
    (tmp_path / "config.toml").write_text(f'[store]\ndatabase = "{paid.office.database.url}"\n')

    def arrears(*words: str) -> tuple[int, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "daemon.command_line", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    code, listed = arrears("log", "--failed")
    assert (code, "FAILED" in listed) == (0, True)
    assert arrears("log", "99") == (1, "arrears: There is no sync run 99. 'arrears log' lists those that are kept.\n")
    assert arrears("log", "--invoice", "INV-9")[0] == 1
    assert json.loads(arrears("log", "--json")[1])[0]["id"] == paid.telling
