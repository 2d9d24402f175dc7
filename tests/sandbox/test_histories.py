"""Mirrors sandbox/filling/histories.py: a file of past invoices, played back day by day."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import sandbox

SAMPLE = Path(__file__).parents[2].parent / "shared/data/late-payment-histories.csv"
HEADING = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,"
    "PaperlessBill,DaysToSettle,DaysLate\n"
)
GOOD = "391,0379-NEVHP,4/6/2013,611365,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0\n"


@pytest.fixture
def file(tmp_path):
    def write(*lines: str) -> Path:
        path = tmp_path / "past.csv"
        path.write_text(HEADING + "".join(lines))
        return path

    return write


def test_the_clock_starts_the_day_before_the_first_invoice(file):
    with sandbox.start(histories=file(GOOD)) as world:
        assert world.control.now() == datetime(2013, 1, 1, tzinfo=UTC)
        assert world.control.invoices() == []
        assert world.control.contacts()[0]["email"] == "0379-nevhp@debtors.example"


def test_an_invoice_is_raised_at_eight_and_settled_at_ten(file):
    with sandbox.start(histories=file(GOOD)) as world:
        control = world.control
        control.move_clock(datetime(2013, 1, 2, 7, 59, tzinfo=UTC))
        assert control.balances() == {}
        control.move_clock(datetime(2013, 1, 2, 8, tzinfo=UTC))
        assert list(control.balances().values()) == ["55.94"]
        control.move_clock(datetime(2013, 1, 15, 9, 59, tzinfo=UTC))
        assert len(control.balances()) == 1
        control.move_clock(datetime(2013, 6, 1, tzinfo=UTC))
        (invoice,) = control.invoices()
        assert (invoice["status"], invoice["paid_on"], invoice["updated"]) == (
            "PAID",
            "2013-01-15",
            "2013-01-15T10:00:00+00:00",
        )


def test_an_invoice_raised_and_settled_on_one_day_is_open_for_two_hours(file):
    same_day = GOOD.replace("1/15/2013", "1/2/2013")
    with sandbox.start(histories=file(same_day)) as world:
        world.control.move_clock(datetime(2013, 1, 2, 9, tzinfo=UTC))
        assert len(world.control.balances()) == 1
        world.control.move_clock(datetime(2013, 1, 2, 10, tzinfo=UTC))
        assert world.control.balances() == {}


def test_a_file_may_be_loaded_into_an_empty_sandbox_later(file):
    with sandbox.start(company=False) as world:
        loaded = world.control.load_histories(file(GOOD))
        assert (loaded["customers"], loaded["invoices"]) == (1, 1)
        assert world.control.now() == datetime(2013, 1, 1, tzinfo=UTC)


def test_a_start_in_the_middle_finds_the_past_already_happened(file):
    later = GOOD.replace("611365", "7").replace("1/15/2013", "3/1/2013")
    with sandbox.start(histories=file(GOOD, later), clock=datetime(2013, 2, 1, 12, tzinfo=UTC)) as world:
        assert [row["status"] for row in world.control.invoices()] == ["PAID", "AUTHORISED"]
        assert world.control.invoices()[0]["updated"] == "2013-01-15T10:00:00+00:00"


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("1/2/2013", "13/40/2013", "InvoiceDate", "13/40/2013"),
        ("55.94", "-3", "InvoiceAmount", "-3"),
        ("55.94", "lots", "InvoiceAmount", "lots"),
        ("1/15/2013", "1/1/2013", "SettledDate", "1/1/2013"),
        ("No", "Perhaps", "Disputed", "Perhaps"),
        ("0379-NEVHP", "", "customerID", ""),
    ],
)
def test_a_bad_row_is_refused_with_file_line_column_value_and_what_is_accepted(file, old, new, column, value):
    bad = GOOD.replace(old, new).replace("611365", "9")
    with pytest.raises(ValueError) as refused:
        sandbox.start(histories=file(GOOD, bad))
    sentence = str(refused.value)
    assert sentence.startswith(f"past.csv, line 3, column {column}: “{value}” was found; accepted is ")


def test_a_number_used_twice_and_a_missing_column_are_refused(file, tmp_path):
    with pytest.raises(ValueError, match="line 3, column invoiceNumber: “611365”"):
        sandbox.start(histories=file(GOOD, GOOD))
    (tmp_path / "short.csv").write_text("customerID,InvoiceDate\nA,1/1/2013\n")
    with pytest.raises(ValueError, match="the column invoiceNumber is missing"):
        sandbox.start(histories=tmp_path / "short.csv")
    with sandbox.start(company=False) as world, pytest.raises(sandbox.ControlRefused, match=r"short\.csv, line 1"):
        world.control.load_histories(tmp_path / "short.csv")


@pytest.mark.skipif(not SAMPLE.exists(), reason="the public sample of late payments is not on this machine")
def test_the_public_sample_plays_to_its_end_with_everything_paid():
    with sandbox.start(histories=SAMPLE) as world:
        control = world.control
        assert len(control.contacts()) == 100
        control.move_clock(datetime(2013, 1, 1, tzinfo=UTC))
        assert 0 < len(control.balances()) < 400
        told = control.move_clock(datetime(2014, 2, 1, tzinfo=UTC))
        invoices = control.invoices()
        assert told["skipped"] == [] and control.balances() == {}
        assert len(invoices) == 2466 and {row["status"] for row in invoices} == {"PAID"}
        assert sum(Decimal(row["total"]) for row in invoices) > 100_000
