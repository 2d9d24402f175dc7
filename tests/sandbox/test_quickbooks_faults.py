"""Mirrors sandbox/quickbooks/refusals.py, limits.py and filling/odd_quickbooks.py: the practice QuickBooks fails in the
way it was told to, and recovers."""

import json
import threading
from datetime import timedelta

import pytest
import urllib3

from sandbox import ControlRefused
from tests.sandbox.quickbooks_app import QuickBooksApp

FOR_EVER = "2026-01-01T00:00:00Z"


@pytest.fixture
def qbo(world):
    app = QuickBooksApp(world).connect()
    world.control.add_contact("Fern & Fig Café")
    world.control.add_invoice("Fern & Fig Café", "2026-02-01", "120.00")
    return app


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("429", 429),
        ("429xml", 429),
        ("401", 401),
        ("403", 403),
        ("500", 500),
        ("503", 503),
        ("500html", 500),
        ("500empty", 500),
        ("5010", 400),
        ("2050", 400),
        ("html", 200),
        ("fault_in_200", 200),
        ("slow:0.01", 200),
    ],
)
def test_an_ordered_fault_strikes_the_next_call_only(qbo, fault, status):
    qbo.world.control.faults(quickbooks=[fault])
    assert qbo.call("GET", "preferences").status == status
    assert qbo.get("preferences")["Preferences"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncated"])
def test_a_line_that_goes_dead_is_an_error_for_the_caller(qbo, fault):
    qbo.world.control.faults(quickbooks=[fault])
    with pytest.raises(urllib3.exceptions.HTTPError):
        qbo.call("GET", "preferences")
    assert qbo.call("GET", "preferences").status == 200


def test_the_gate_speaks_in_small_letters_and_repeats_a_part_of_the_token(qbo):
    token = qbo.tokens["access_token"]
    qbo.world.control.end_grants()
    answer = qbo.call("GET", "preferences")
    fault = json.loads(answer.data)["fault"]
    assert (answer.status, fault["type"], fault["error"][0]["code"]) == (401, "AUTHENTICATION", "3200")
    assert token[:30] in fault["error"][0]["detail"] and token not in fault["error"][0]["detail"]
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_throttled_caller_may_get_xml_and_is_never_told_when_to_come_back(qbo):
    qbo.world.control.quickbooks.habits(throttled_in_xml=True)
    qbo.world.control.faults(quickbooks=["429"])
    answer = qbo.call("GET", "preferences")
    assert answer.headers["Content-Type"].startswith("application/xml") and b'code="3001"' in answer.data
    assert not [name for name in answer.headers if "retry" in name.lower() or "limit" in name.lower()]


def test_a_fault_may_sit_inside_an_answer_of_200(qbo):
    qbo.world.control.faults(quickbooks=["fault_in_200"])
    assert qbo.query("SELECT * FROM Invoice")["Fault"]["Error"][0]["code"] == "10000"


def test_the_minute_limit_is_counted_on_the_sandboxs_clock(qbo):
    control = qbo.world.control
    control.quickbooks.limits(minute=3)
    assert [qbo.call("GET", "preferences").status for _ in range(5)] == [200, 200, 200, 429, 429]
    control.move_clock(control.now() + timedelta(seconds=61))
    assert qbo.call("GET", "preferences").status == 200
    control.quickbooks.limits(minute=None, second=2)
    assert [qbo.call("GET", "preferences").status for _ in range(3)] == [200, 200, 429]
    with pytest.raises(ControlRefused, match="There is no limit “day”"):
        control.quickbooks.limits(day=1)


def test_too_many_calls_at_once_are_throttled(qbo):
    control = qbo.world.control
    control.quickbooks.limits(at_once=1)
    control.faults(quickbooks=["slow:0.5"])
    answers = []
    slow = threading.Thread(target=lambda: answers.append(qbo.call("GET", "preferences").status))
    slow.start()
    while control.faults()["quickbooks"]:
        slow.join(0.01)  # until it has been read and is being answered
    assert qbo.call("GET", "preferences").status == 429
    slow.join()
    assert answers == [200] and qbo.call("GET", "preferences").status == 200


def test_calls_that_were_not_answered_well_are_not_put_on_the_bill(qbo):
    qbo.world.control.faults(quickbooks=["429", "503", "401"])
    for _ in range(4):
        qbo.call("GET", "preferences")
    assert qbo.world.control.quickbooks.stands()["metered"] == 1


def test_change_data_capture_can_be_cut_off_at_a_full_answer(qbo):
    control = qbo.world.control
    control.add_invoice("Fern & Fig Café", "2026-02-01", "10.00")
    control.remove("INV-0002")
    control.faults(quickbooks=["truncated_cdc"])
    rows = qbo.changes(FOR_EVER)
    assert sum(map(len, rows.values())) == 1000
    assert not any("status" in row for found in rows.values() for row in found)
    assert "Deleted" in {row.get("status") for row in qbo.changes(FOR_EVER)["Invoice"]}


def test_text_in_8_bits_is_no_utf8(qbo):
    qbo.world.control.faults(quickbooks=["latin1"])
    answer = qbo.call("GET", "query", query="SELECT * FROM Customer")
    assert "Café".encode("latin-1") in answer.data


def test_rows_that_no_specification_foresaw_come_exactly_as_they_were_laid_down(qbo):
    numbers = qbo.world.control.quickbooks.odd_rows()
    rows = {row["Id"]: row for row in qbo.query("SELECT * FROM Invoice MAXRESULTS 1000")["Invoice"]}
    assert rows[numbers["no due date"]]["DueDate"] is None
    assert rows[numbers["amounts as text"]]["Balance"] == "120.00"
    names = {row["Id"]: row for row in qbo.changes(FOR_EVER)["Customer"]}
    assert len(names[numbers["a name over 255 characters"]]["DisplayName"]) > 255
    assert names[numbers["a way of delivery nobody knows"]]["PreferredDeliveryMethod"] == "PIGEON"
    open_ones = qbo.query("SELECT * FROM Invoice WHERE Balance > '0' MAXRESULTS 1000")["Invoice"]
    assert numbers["amounts as text"] in {row["Id"] for row in open_ones}


def test_an_odd_row_hides_the_paper_until_that_is_changed_again(qbo):
    number = qbo.query("SELECT * FROM Invoice")["Invoice"][0]["Id"]
    qbo.world.control.quickbooks.row("Invoice", {"Balance": "None"}, like=number)
    assert qbo.get(f"invoice/{number}")["Invoice"]["Balance"] == "None"
    qbo.world.control.pay("INV-0001", "20.00")
    assert qbo.get(f"invoice/{number}")["Invoice"]["Balance"] == 100


def test_a_ledger_that_is_down_answers_503_or_nothing(qbo):
    qbo.world.control.faults(down=True)
    assert qbo.call("GET", "preferences").status == 503
    qbo.world.control.faults(down="drop")
    with pytest.raises(urllib3.exceptions.HTTPError):
        qbo.call("GET", "preferences")
    qbo.world.control.faults(clear=True)
    assert qbo.call("GET", "preferences").status == 200
