"""Mirrors connector/_quickbooks_line.py and connector/_quickbooks_failures.py: every trouble says what to do next."""

import gzip
import json
import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest

from connector import ConsentNeeded, RateLimited, Refused, Unreachable
from connector._quickbooks_failures import cleaned, failure_of, faults_in
from tests.connector.intuit import REALM, connect_quickbooks, fault, found, invoice, later
from tests.connector.surroundings import Say

XML = (
    b'<?xml version="1.0"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE">'
    b'<Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; statusCode=403</Message></Error>'
    b"</Fault></IntuitResponse>"
)
REFUSED_KEY = {
    "warnings": None,
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired: access-1",
                "code": "3200",
                "element": None,
            }
        ],
        "type": "AUTHENTICATION",
    },
}
NEW_PAIR = {"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600}


class Register:
    """A governor that writes down what it is asked for and told."""

    def __init__(self, until=None):
        self.turns, self.told, self.until = 0, [], until

    @contextmanager
    def turn(self):
        if self.until:
            raise RateLimited("No turn before then.", self.until)
        self.turns += 1
        yield

    def heard(self, *, minute_left=None, day_left=None): ...

    def wait_until(self, moment):
        self.told.append(moment)


@pytest.fixture
def at_intuit(xero, clock):
    return connect_quickbooks(xero, clock)


def test_every_call_says_who_asks_in_which_version_and_takes_it_zipped(xero, at_intuit):
    body = gzip.compress(json.dumps(found("Invoice", invoice())).encode())
    xero.script = [Say(body, headers={"Content-Encoding": "gzip", "intuit_tid": "1-6a-17"})]

    assert len(at_intuit.ledger.look_again(["10"]).invoices) == 1

    (asked,) = xero.asked
    assert (asked.method, asked.path, asked.token) == ("POST", f"/v3/company/{REALM}/query", "access-1")
    assert asked.query == {"minorversion": "75"}
    assert asked.headers["accept-encoding"] == "gzip"
    assert asked.headers["content-type"] == "application/text"
    (call,) = at_intuit.ledger.calls
    assert (call.status, call.request_id, call.bytes) == (200, "1-6a-17", len(body))
    assert call.path.endswith("/query?query=SELECT * FROM Invoice WHERE Id IN (1) MAXRESULTS 1000")


def test_nothing_is_asked_when_a_ledger_is_opened(xero, at_intuit):
    assert xero.asked == []


def test_a_refused_key_is_renewed_once_and_the_call_made_again(xero, at_intuit):
    xero.script = [Say(REFUSED_KEY, status=401), Say(NEW_PAIR), Say(found("Invoice", invoice()))]

    assert len(at_intuit.ledger.look_again(["10"]).invoices) == 1
    assert [asked.token for asked in xero.asked][::2] == ["access-1", "access-2"]


def test_a_key_refused_twice_asks_a_person_and_repeats_no_part_of_it(xero, at_intuit, caplog):
    caplog.set_level(logging.DEBUG)
    xero.script = [Say(REFUSED_KEY, status=401), Say(NEW_PAIR), Say(REFUSED_KEY, status=401)]

    with pytest.raises(ConsentNeeded, match="Connect the company again") as failure:
        at_intuit.ledger.look_again(["10"])

    shown = f"{failure.value!r} {failure.value.__cause__!r} {caplog.text} {at_intuit.ledger.calls}"
    assert "access-" not in shown and "refresh-" not in shown


@pytest.mark.parametrize(
    "say",
    [
        Say(fault(3001, "ThrottleExceeded", kind="SERVICE"), status=429),
        Say(XML, status=429, headers={"Content-Type": "application/xml"}),
        Say(XML, status=403),
        Say(XML, status=400),
        Say({"Fault": {"Error": [{"Message": "x", "code": "003001"}], "type": "SERVICE"}}),
        Say(b"", status=429),
    ],
    ids=["json", "xml", "xml under 403", "xml under 400", "inside a 200", "without a body"],
)
def test_too_many_calls_are_understood_in_every_shape_and_nothing_is_asked_for_a_minute(xero, clock, say):
    governor = Register()
    at_intuit = connect_quickbooks(xero, clock, governor=governor)
    xero.script = [say]

    for _ in range(2):
        with pytest.raises(RateLimited, match="goes on by itself") as failure:
            at_intuit.ledger.look_again(["10"])
        assert later(seconds=60) <= failure.value.until <= later(seconds=75)
    assert len(xero.asked) == 1
    assert governor.told == [failure.value.until]

    clock.move(seconds=76)
    xero.script = [Say(found("Invoice"))]
    at_intuit.ledger.look_again(["10"])
    assert governor.turns == 2


def test_without_a_turn_nothing_is_called(xero, clock):
    at_intuit = connect_quickbooks(xero, clock, governor=Register(until=later(seconds=9)))

    with pytest.raises(RateLimited, match="No turn before then"):
        at_intuit.ledger.look_again(["10"])
    assert xero.asked == []


@pytest.mark.parametrize(
    ("say", "kind", "words"),
    [
        (Say(fault(3100, "ApplicationAuthorizationFailed"), status=403), ConsentNeeded, "Connect it again"),
        (Say(fault(5020, "Permission Denied Error"), status=403), ConsentNeeded, "administrator"),
        (Say(b"<html>Access denied</html>", status=403), Unreachable, "Something between here"),
        (Say(fault(4000, "Error parsing query", "QueryParserError"), status=400), Refused, "QueryParserError"),
        (Say(fault(610, "Object Not Found"), status=400), Refused, "Object Not Found"),
        (Say(b"{}", status=404), Refused, "no reason was given"),
        (Say(fault(10000, "An application error"), status=500), Unreachable, "an error of its own"),
        (Say(b"<html>Bad gateway</html>", status=502), Unreachable, "an error of its own"),
        (Say(b"", status=503), Unreachable, "an error of its own"),
        (Say(b"<html>Welcome to the hotel</html>"), Unreachable, "a proxy's page"),
        (Say(b""), Unreachable, "cut short"),
        (Say(b'{"QueryResponse":{"Invoice":[{"Id":"1"'), Unreachable, "cut short"),
        (Say({"QueryResponse": {"Fault": fault(4000, "No such list")["Fault"]}}), Refused, "No such list"),
        (Say({"QueryResponse": {"Fault": fault(10000, "Oh")["Fault"]}}), Unreachable, "an error of its own"),
        (Say(status=302, headers={"Location": "http://elsewhere.example/"}), Unreachable, "Something between here"),
        (Say(found("Invoice", invoice()), cut=30), Unreachable, "before its answer was complete"),
    ],
)
def test_each_trouble_becomes_a_failure_that_says_what_to_do_next(xero, at_intuit, say, kind, words):
    xero.always(say)

    with pytest.raises(kind, match=words) as failure:
        at_intuit.ledger.look_again(["10"])
    assert str(failure.value).endswith(".")


def test_a_question_on_a_dead_line_is_put_again_once(xero, at_intuit):
    xero.script = [Say(drop=True), Say(found("Invoice", invoice()))]

    assert len(at_intuit.ledger.look_again(["10"]).invoices) == 1
    assert [call.status for call in at_intuit.ledger.calls] == [0, 200]


def test_a_silent_quickbooks_is_given_up(xero, clock):
    from connector._quickbooks_line import Line
    from tests.connector.surroundings import OneKey

    line = Line(api_url=xero.url, realm=REALM, tokens=OneKey("k"), clock=clock, timeout=(1.0, 0.05))
    xero.always(Say(after=30))

    with pytest.raises(Unreachable, match="did not answer in time"):
        line.call("reading", line.client.query("SELECT * FROM Invoice"), read=bytes)


def test_a_fault_in_a_name_is_no_fault():
    body = json.dumps(found("Customer", {"Id": "1", "DisplayName": '"Fault": {}', "DefaultTaxCodeRef": {}})).encode()

    assert faults_in(body) == ()


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60), (0.4, 66), (1.0, 75)])
def test_not_everybody_comes_back_in_the_same_second_after_a_pause(chance, seconds):
    failure = failure_of(429, b"", "reading", clock=later, chance=lambda: chance)

    assert isinstance(failure, RateLimited) and failure.until == later(seconds=seconds)


def test_a_pause_of_the_length_that_quickbooks_names_is_kept_to_the_second():
    failure = failure_of(429, b"", "reading", clock=later, chance=lambda: 1.0, wait=timedelta(seconds=20))

    assert isinstance(failure, RateLimited) and failure.until == later(seconds=20)


def test_what_looks_like_a_key_is_never_shown():
    key = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..x"
    body = json.dumps(fault(6000, "Rule", f"seen {key} and secret9")).encode()
    words = str(failure_of(400, body, "writing", clock=later, chance=lambda: 0, secret="secret9"))

    assert key not in words and "secret9" not in words and "Rule: seen (…) and (…)." in words
    assert len(cleaned("word " * 500)) <= 401
