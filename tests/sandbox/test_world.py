"""Mirrors sandbox/world.py, clock.py, filling/company.py and running.py: one world, one clock, one story."""

import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sandbox
from sandbox import ControlRefused

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_the_generated_firm_is_the_same_for_the_same_seed(company):
    with sandbox.start(clock=MONDAY) as twin, sandbox.start(clock=MONDAY, seed=2) as other:
        assert twin.control.invoices() == company.control.invoices()
        assert twin.control.contacts() == company.control.contacts()
        assert other.control.contacts() != company.control.contacts()


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_generated_firm_has_a_past_and_much_to_collect(seed):
    with sandbox.start(clock=MONDAY, seed=seed) as world:
        control = world.control
        invoices = control.invoices()
        statuses = [row["status"] for row in invoices]
        overdue = [row for row in invoices if row["status"] == "AUTHORISED" and row["due"] < "2026-01-05"]
        customers = [row for row in control.contacts() if row["is_customer"]]
        assert statuses.count("AUTHORISED") >= 100 and statuses.count("PAID") > 200 and len(overdue) >= 40
        assert len(customers) == 40 and all(row["email"].endswith(".example") for row in customers)
        assert 1 <= sum(row["currency"] == "EUR" for row in customers) <= 2
        assert min(row["date"] for row in invoices) >= "2025-07-05"
        assert any(not row["balance"].endswith(".00") for row in invoices)


def test_moving_the_clock_tells_the_next_half_year(company):
    control = company.control
    before = {row["id"] for row in control.invoices("PAID")}
    told = control.move_clock(MONDAY + timedelta(days=90))
    assert told["happened"] > 200
    assert len({row["id"] for row in control.invoices("PAID")} - before) > 50
    assert len(control.balances()) >= 60 and control.timetable(5)


def test_events_happen_in_order_each_at_its_own_time(world):
    control = world.control
    control.add_contact("Fern & Fig Café")
    control.pay("A-1", at=MONDAY + timedelta(days=2))
    control.add_invoice("Fern & Fig Café", "2026-01-19", "10.00", number="A-1", at=MONDAY + timedelta(days=1))
    assert control.move_clock(MONDAY + timedelta(days=3))["happened"] == 2
    (invoice,) = control.invoices()
    assert (invoice["status"], invoice["updated"]) == ("PAID", "2026-01-07T09:00:00+00:00")
    assert (invoice["date"], invoice["paid_on"]) == ("2026-01-06", "2026-01-07")


def test_a_plan_overtaken_by_events_is_skipped_and_said(world):
    control = world.control
    control.add_contact("Fern & Fig Café")
    control.add_invoice("Fern & Fig Café", "2026-01-19", "10.00", number="A-1")
    control.pay("A-1", at=MONDAY + timedelta(days=2))
    control.void("A-1")
    (skipped,) = control.move_clock(MONDAY + timedelta(days=3))["skipped"]
    assert "A-1 is VOIDED" in skipped


def test_the_clock_is_never_moved_back(world):
    with pytest.raises(ControlRefused, match="never moved back"):
        world.control.move_clock(MONDAY - timedelta(seconds=1))


def test_a_sandbox_on_real_time_runs_by_itself_and_cannot_be_moved():
    with sandbox.start() as world:
        assert abs(world.control.now() - datetime.now(UTC)) < timedelta(seconds=5)
        with pytest.raises(ControlRefused, match="real time"):
            world.control.move_clock(datetime.now(UTC) + timedelta(days=1))


def test_days_are_those_of_the_organisation(world):
    control = world.control
    firm = control.add_organisation("Kauri Fittings", timezone="NEWZEALANDSTANDARDTIME", country="NZ", currency="NZD")
    control.move_clock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    contact = control.add_contact("Tui Café", organisation=firm)
    control.add_invoice(contact, "2026-02-01", 10, organisation=firm)
    assert control.invoices(organisation=firm)[0]["date"] == "2026-01-06"
    assert control.invoices() == []


def test_the_front_page_shows_what_is_in_the_world(company):
    page = urllib.request.urlopen(company.url + "/").read().decode()
    assert "Brightwater Joinery Ltd" in page and "Monday 05 January 2026" in page


def test_mistakes_at_the_control_door_are_answered_in_sentences(world):
    with pytest.raises(ControlRefused, match="No invoice has the id or number “X-9”"):
        world.control.pay("X-9")
    with pytest.raises(ControlRefused, match="is not an amount"):
        world.control.add_contact("A")
        world.control.add_invoice("A", "2026-02-01", "1.005")
    with pytest.raises(ControlRefused, match="has no “hat”"):
        world.control.edit_contact("A", hat="bowler")


def test_after_stopping_no_door_answers():
    world = sandbox.start(clock=MONDAY)
    world.control.now()
    world.stop()
    with pytest.raises(OSError):
        world.control.now()


def test_the_sandbox_imports_nothing_of_the_product():
    code = "import sandbox, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    root = Path(__file__).parents[2]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert not {"engine", "connector", "channels", "store", "jobs", "web", "daemon", "wording"} & set(loaded.split())


def test_serving_in_the_foreground_prints_its_addresses():
    code = "import sandbox; sandbox.serve(port=0, smtp_port=0, imap_port=0)"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
    assert first.startswith("The sandbox is open. Look around at http://127.0.0.1:")
