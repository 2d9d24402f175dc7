"""Mirrors sandbox/faults.py and xero/limits.py: the ledger fails in the way it was told to, once, and recovers."""

import json
import threading
import time
from datetime import timedelta

import pytest
import urllib3

from sandbox import ControlRefused


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("429min", 429),
        ("429day", 429),
        ("429conc", 429),
        ("503", 503),
        ("500html", 500),
        ("401", 401),
        ("403", 403),
        ("400", 400),
    ],
)
def test_an_ordered_fault_strikes_the_next_call_only(app, fault, status):
    app.world.control.faults(next=[fault])
    assert app.call("GET", "Organisation").status == status
    assert app.call("GET", "Organisation").status == 200


def test_a_429_names_its_limit_and_when_to_come_back(app):
    app.world.control.faults(next=["429min", "429day", "429conc"])
    answers = [app.call("GET", "Organisation").headers for _ in range(3)]
    assert [a["X-Rate-Limit-Problem"] for a in answers] == ["minute", "day", "concurrent"]
    assert int(answers[0]["Retry-After"]) < 60 < int(answers[1]["Retry-After"]) and "Retry-After" not in answers[2]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncated"])
def test_a_line_that_goes_dead_is_an_error_for_the_caller(app, fault):
    app.world.control.faults(next=[fault])
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.call("GET", "Organisation")
    assert app.call("GET", "Organisation").status == 200


def test_a_hotel_page_is_html_with_200(app):
    app.world.control.faults(next=["html"])
    answer = app.call("GET", "Organisation")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")


def test_a_refusal_can_come_inside_a_good_answer(app):
    app.world.control.faults(next=["fault_in_200"])
    answer = app.call("GET", "Organisation")
    assert answer.status == 200 and json.loads(answer.data)["Type"] == "ValidationException"


def test_a_slow_answer_takes_as_long_as_was_ordered(app):
    app.world.control.faults(next=["slow:0.3"])
    began = time.monotonic()
    assert app.call("GET", "Organisation").status == 200
    assert time.monotonic() - began >= 0.3


def test_a_ledger_that_is_down_answers_503_or_nothing_until_it_is_up(app):
    control = app.world.control
    control.faults(down=True)
    assert app.call("GET", "Organisation").status == 503
    control.faults(down="drop")
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.call("GET", "Organisation")
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.refresh(app.tokens["refresh_token"])
    control.faults(down=False)
    assert app.call("GET", "Organisation").status == 200


def test_the_token_door_fails_too(app):
    app.world.control.faults(token=["invalid_grant", "500"])
    assert app.refresh(app.tokens["refresh_token"])[1] == {
        "error": "invalid_grant",
        "error_description": "The grant has ended.",
    }
    form = f"grant_type=refresh_token&refresh_token={app.tokens['refresh_token']}&client_id=sandbox-app"
    assert app.http.request("POST", app.world.token_url, body=form).status == 500
    assert app.refresh(app.tokens["refresh_token"])[0] == 200


def test_the_minute_limit_counts_by_the_sandboxs_clock_and_is_off_by_default(app):
    for _ in range(70):
        assert app.call("GET", "Organisation").status == 200
    app.world.control.limits(minute=3, day=5000)
    statuses = [app.call("GET", "Organisation").status for _ in range(4)]
    answer = app.call("GET", "Organisation")
    assert statuses == [200, 200, 200, 429]
    assert answer.headers["X-MinLimit-Remaining"] == "0" and 0 < int(answer.headers["Retry-After"]) <= 60
    app.world.control.move_clock(app.world.control.now() + timedelta(minutes=1))
    assert app.call("GET", "Organisation").status == 200
    app.world.control.limits(minute=None)
    assert [app.call("GET", "Organisation").status for _ in range(9)] == [200] * 9


def test_too_many_calls_at_once_meet_the_concurrent_limit(app):
    app.world.control.limits(concurrent=2)
    app.world.control.faults(next=["slow:0.5"] * 2)
    slow = [threading.Thread(target=app.call, args=("GET", "Organisation")) for _ in range(2)]
    for thread in slow:
        thread.start()
    time.sleep(0.15)
    answer = app.call("GET", "Organisation")
    assert (answer.status, answer.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    for thread in slow:
        thread.join()


def test_a_dropped_call_is_written_down_without_a_status(app):
    app.world.control.calls(reset=True)
    app.world.control.faults(next=["drop_after"])
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.call("GET", "Organisation")
    time.sleep(0.05)
    assert [call["status"] for call in app.world.control.calls()] == [0]


def test_an_unknown_fault_is_refused_in_a_sentence(app):
    with pytest.raises(ControlRefused, match="“earthquake” is not a fault known here"):
        app.world.control.faults(next=["earthquake"])
    assert json.dumps(app.world.control.faults(clear=True))


def test_how_long_to_wait_after_a_429_can_be_ordered(app):
    app.world.control.faults(next=["429min:1", {"fault": "429day", "seconds": 90, "path": "Organisation"}])
    assert [app.call("GET", "Organisation").headers["Retry-After"] for _ in range(2)] == ["1", "90"]
