"""Mirrors sandbox/xero/history.py: notes are written once, kept for ever, and may not be too long."""

import json
from datetime import timedelta

import pytest
import urllib3


@pytest.fixture
def invoice(app):
    contact = app.world.control.add_contact("Fern & Fig Café")
    return app.world.control.add_invoice(contact, "2026-01-19", "120.00")


def test_a_note_can_be_written_on_an_invoice_and_read_again(app, invoice):
    assert app.note(f"Invoices/{invoice}", "Paid on Friday, they say – Zoë").status == 200
    (note,) = app.world.control.notes(invoice)
    assert (note["details"], note["kind"], note["at"]) == (
        "Paid on Friday, they say – Zoë",
        "Invoices",
        "2026-01-05T09:00:00+00:00",
    )
    (row,) = app.get(f"Invoices/{invoice}/History")["HistoryRecords"]
    assert row["Details"] == note["details"] and row["User"] == "System Generated"


def test_the_same_key_and_body_write_one_note_only(app, invoice):
    answers = [app.note(f"Invoices/{invoice}", "once", key="k1") for _ in range(3)]
    assert len({answer.data for answer in answers}) == 1
    assert len(app.world.control.notes()) == 1


def test_the_same_key_with_another_body_is_refused(app, invoice):
    app.note(f"Invoices/{invoice}", "one", key="k1")
    answer = app.note(f"Invoices/{invoice}", "two", key="k1")
    assert answer.status == 400 and "different request" in answer.data.decode()


def test_a_key_is_forgotten_after_six_minutes(app, invoice):
    control = app.world.control
    app.note(f"Invoices/{invoice}", "again", key="k1")
    control.move_clock(control.now() + timedelta(minutes=5, seconds=59))
    app.note(f"Invoices/{invoice}", "again", key="k1")
    assert len(control.notes()) == 1
    control.move_clock(control.now() + timedelta(seconds=1))
    app.note(f"Invoices/{invoice}", "again", key="k1")
    assert len(control.notes()) == 2


def test_a_note_that_is_too_long_is_a_validation_error(app, invoice):
    assert app.note(f"Invoices/{invoice}", "x" * 2500).status == 200
    answer = app.note(f"Invoices/{invoice}", "x" * 2501)
    assert answer.status == 400 and json.loads(answer.data)["Type"] == "ValidationException"
    assert len(app.world.control.notes()) == 1


def test_a_note_on_an_unknown_document_is_not_found(app):
    assert app.note("Invoices/00000000-0000-0000-0000-000000000000", "x").status == 404


def test_when_the_answer_is_lost_the_same_key_finds_the_note_already_written(app, invoice):
    app.world.control.faults(next=[{"fault": "drop_after", "method": "PUT"}])
    assert app.call("GET", "Organisation").status == 200  # the fault waits for a PUT
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.note(f"Invoices/{invoice}", "once", key="k1")
    assert len(app.world.control.notes()) == 1
    assert app.note(f"Invoices/{invoice}", "once", key="k1").status == 200
    assert len(app.world.control.notes()) == 1
