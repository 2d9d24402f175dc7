"""Mirrors connector/_transport.py and connector/_line.py: one careful way to call."""

import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from http.client import HTTPConnection

import pytest

from connector import ConsentNeeded, LedgerNote, RateLimited, Refused, Unreachable, budget_of, settings_of
from connector._transport import Transport
from tests.connector.surroundings import MONDAY, MovableClock, OneKey, Say, a_grant, connect_to, listing

ORGANISATION = {"Organisations": [{"Name": "Brightwater Joinery Ltd", "BaseCurrency": "GBP"}]}
NOTE = [LedgerNote(text="Reminded by e-mail. [a1]", marker="[a1]")]


def transport_to(xero, clock, **timing):
    return Transport(api_url=xero.url, tenant="t", tokens=OneKey("key"), clock=clock, **timing)


@pytest.mark.parametrize(
    ("answer", "failure", "sentence"),
    [
        (
            Say(status=401, headers={"WWW-Authenticate": 'insufficent_scope error="x"'}),
            ConsentNeeded,
            "permissions given",
        ),
        (Say(status=401, headers={"WWW-Authenticate": "insufficient_scope"}), ConsentNeeded, "permissions given"),
        (Say({"Detail": "AuthenticationUnsuccessful"}, status=403), ConsentNeeded, "does not let us into"),
        (Say({"Elements": [{"ValidationErrors": [{"Message": "Bad date"}]}]}, status=400), Refused, "Bad date"),
        (Say(b"The resource you're looking for cannot be found", status=404), Refused, "cannot be found"),
        (Say(b"<html>Sorry</html>", status=500), Unreachable, r"error of its own \(500\)"),
        (Say(b"temporarily offline", status=503), Unreachable, r"\(503\)"),
        (Say(b"<html>Hotel Wi-Fi</html>"), Unreachable, "not Xero's at all"),
        (Say([1, 2]), Unreachable, "not Xero's at all"),
        (Say({"ErrorNumber": 10, "Message": "A validation exception"}), Refused, "inside an answer of status 200"),
        (Say({"Status": 404, "Detail": "No such thing"}), Refused, "No such thing"),
        (Say({"Status": 500, "Title": "Oh"}), Unreachable, r"with an error \(500\) inside"),
        (Say({"Status": 401, "Title": "Unauthorized"}), Unreachable, r"with an error \(401\) inside"),
        (Say({"Status": 429}), RateLimited, "limit on calls"),
        (Say(b"\xff\xfe{}"), Unreachable, "cut short"),
        (Say(b""), Unreachable, "not Xero's at all"),
        (Say(b'{"Organisations": [{"Name"'), Unreachable, "cut short"),
        (Say(ORGANISATION, cut=10), Unreachable, "before its answer was complete"),
        (Say(drop=True), Unreachable, "dropped the connection"),
        (Say(b"not gzip", headers={"Content-Encoding": "gzip"}), Unreachable, "could not be understood"),
        (Say(status=302, headers={"Location": "http://127.0.0.1:1/"}), Unreachable, r"\(302\)"),
    ],
)
def test_each_way_of_failing_says_what_to_do_next(xero, connected, answer, failure, sentence):
    xero.always(answer)

    with pytest.raises(failure, match=sentence) as raised:
        connected.ledger.check()

    assert str(raised.value).endswith(".")
    assert "access-1" not in str(raised.value)


def test_a_line_to_nowhere_is_unreachable(xero, clock):
    connected = connect_to(xero, clock, api_url="http://127.0.0.1:9")

    with pytest.raises(Unreachable, match="could not be reached"):
        connected.ledger.check()


def test_a_key_refused_in_the_middle_is_renewed_once_and_the_question_put_again(xero, connected):
    def answer(asked):
        if asked.path == "/token_url":
            return Say({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 1800})
        return Say(ORGANISATION) if asked.token == "access-2" else Say(status=401)

    xero.rule = answer

    assert connected.ledger.check().name == "Brightwater Joinery Ltd"
    assert [asked.path for asked in xero.asked] == ["/Organisation", "/token_url", "/Organisation"]


def test_a_key_refused_twice_means_that_a_person_is_asked(xero, connected):
    def answer(asked):
        if asked.path == "/token_url":
            return Say({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 1800})
        return Say(status=401)

    xero.rule = answer

    with pytest.raises(ConsentNeeded, match="not even a new one"):
        connected.ledger.check()
    assert len(xero.asked_for("/token_url")) == 1
    assert len(xero.asked_for("/Organisation")) == 2


def test_too_little_permission_is_not_cured_by_a_new_key(xero, connected):
    xero.always(Say(status=401, headers={"WWW-Authenticate": "insufficent_scope"}))

    with pytest.raises(ConsentNeeded):
        connected.ledger.check()
    assert xero.asked_for("/token_url") == []


def test_a_note_is_never_written_again_by_itself_after_the_line_was_dropped(xero, connected):
    xero.always(Say(drop=True))

    with pytest.raises(Unreachable):
        connected.ledger.write_notes("fern", NOTE, key="k1")
    assert [asked.method for asked in xero.asked] == ["PUT"]


def test_a_note_dropped_after_it_was_written_is_there_once(company, at_the_company):
    fern = company.control.add_contact("Fern & Fig Café")
    company.control.faults(next=[{"fault": "drop_after", "method": "PUT"}])

    with pytest.raises(Unreachable):
        at_the_company.ledger.write_notes(fern, NOTE, key="k1")
    at_the_company.ledger.write_notes(fern, NOTE, key="k1")

    assert [note["details"] for note in company.control.notes(fern)] == [NOTE[0].text]


def test_a_question_is_put_once_more_when_the_line_was_dropped(xero, connected):
    xero.script = [Say(drop=True), Say(ORGANISATION)]

    assert connected.ledger.check().currency == "GBP"
    assert [call.status for call in connected.ledger.calls] == [0, 200]


def test_a_day_limit_of_twenty_hours_is_not_slept_through(xero, connected, clock):
    limit = {"Retry-After": "73451", "X-Rate-Limit-Problem": "day"}
    xero.always(Say(status=429, headers=limit))
    began = time.monotonic()

    with pytest.raises(RateLimited, match="day") as raised:
        connected.ledger.check()

    assert time.monotonic() - began < 1
    assert raised.value.until == clock() + timedelta(seconds=73_451)
    assert len(xero.asked) == 1


def test_during_a_pause_nothing_is_asked_and_afterwards_it_goes_on(xero, connected, clock):
    xero.script = [Say(status=429, headers={"Retry-After": "7", "X-Rate-Limit-Problem": "minute"}), Say(ORGANISATION)]
    with pytest.raises(RateLimited) as first:
        connected.ledger.check()

    clock.move(seconds=6)
    with pytest.raises(RateLimited, match="minute") as second:
        connected.ledger.find_notes("fern")
    assert second.value.until == first.value.until
    assert len(xero.asked) == 1

    clock.move(seconds=1)
    assert connected.ledger.check().name


def test_too_much_at_the_same_time_is_over_in_a_moment(xero, connected, clock):
    xero.always(Say(status=429, headers={"X-Rate-Limit-Problem": "concurrent"}))

    with pytest.raises(RateLimited) as raised:
        connected.ledger.check()
    assert raised.value.until == clock() + timedelta(seconds=5)


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}, {"Retry-After": "0"}])
def test_a_limit_without_a_time_means_a_minute(xero, connected, clock, header):
    xero.always(Say(status=429, headers=header))

    with pytest.raises(RateLimited) as raised:
        connected.ledger.check()
    assert raised.value.until == clock() + timedelta(seconds=60)


def test_what_is_left_of_the_day_and_the_minute_is_remembered(xero, clock):
    line = transport_to(xero, clock)
    xero.script = [Say(ORGANISATION, headers={"X-DayLimit-Remaining": "812", "X-MinLimit-Remaining": "59"})]

    line.call("reading", line.api.get_organisations, read=bytes)

    assert (line.day_left, line.minute_left) == (812, 59)


@pytest.mark.parametrize("seconds", [0.2, (0.2, 0.2)])
def test_silence_is_not_waited_for_longer_than_allowed(xero, clock, seconds):
    line = transport_to(xero, clock)
    xero.always(Say(ORGANISATION, after=20))
    began = time.monotonic()

    with pytest.raises(Unreachable, match="did not answer in time"):
        line.call("reading", line.api.get_organisations, read=bytes, _request_timeout=seconds)

    assert time.monotonic() - began < 2
    assert len(xero.asked) == 1


def test_a_call_without_a_timeout_of_its_own_has_one_all_the_same(xero, clock):
    line = transport_to(xero, clock, timeout=(0.2, 0.2))
    xero.always(Say(ORGANISATION, after=20))

    with pytest.raises(Unreachable, match="did not answer in time"):
        line.call("reading", line.api.get_organisations, read=bytes)


def test_two_connections_in_two_threads_never_carry_one_anothers_key(xero):
    clock = MovableClock()
    mixed = []
    xero.rule = lambda asked: Say(ORGANISATION) if asked.token == asked.headers["xero-tenant-id"] else mixed.append(1)

    def ask(name):
        line = Transport(api_url=xero.url, tenant=name, tokens=OneKey(name), clock=clock)
        for _ in range(150):
            line.call("reading", line.api.get_organisations, read=bytes)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "other")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(xero.asked) == 300
    assert mixed == []


def test_every_call_is_written_down_without_a_key_or_a_name(xero, connected, clock):
    xero.script = [
        Say(listing("Invoices"), headers={"Xero-Correlation-Id": "abc-1"}),
        Say({"HistoryRecords": []}),
    ]
    connected.ledger.look_again(["i1", "i2"])
    connected.ledger.find_notes("fern")

    first, second = connected.ledger.calls
    assert first.path == "/Invoices?IDs=(2)&page=1&summaryOnly=true&pageSize=1000"
    assert (first.method, first.status, first.request_id, first.at) == ("GET", 200, "abc-1", MONDAY)
    assert first.bytes == len(Say(listing("Invoices")).content)
    assert second.path == "/Contacts/fern/History"
    assert "access-1" not in repr([asdict(call) for call in connected.ledger.calls])


def test_answers_are_asked_for_packed_and_as_json(xero, connected):
    xero.script = [Say(ORGANISATION)]
    connected.ledger.check()

    headers = xero.asked[0].headers
    assert headers["accept-encoding"] == "gzip"
    assert headers["accept"] == "application/json"
    assert headers["xero-tenant-id"] == "tenant-1"
    assert headers["authorization"] == "Bearer access-1"


def test_keys_are_never_printed_for_debugging(xero, connected):
    assert HTTPConnection.debuglevel == 0
    assert a_grant(lambda: MONDAY).access_token not in repr(connected.ledger.__dict__)


# --- the governor


class StrictGovernor:
    """Gives out so many turns, and remembers everything it is told."""

    def __init__(self, turns: int, until: datetime) -> None:
        self.turns, self.until = turns, until
        self.out = self.most_out = 0
        self.told: list[object] = []

    @contextmanager
    def turn(self):
        if not self.turns:
            raise RateLimited("The day's calls are used up but for the reserve.", self.until)
        self.turns -= 1
        self.out += 1
        self.most_out = max(self.most_out, self.out)
        try:
            yield
        finally:
            self.out -= 1

    def heard(self, *, minute_left=None, day_left=None):
        self.told.append((minute_left, day_left))

    def wait_until(self, moment):
        self.told.append(moment)


def governed(xero, clock, turns):
    governor = StrictGovernor(turns, clock() + timedelta(hours=1))
    return governor, transport_to(xero, clock, governor=governor)


def ask(line):
    return line.call("reading", line.api.get_organisations, read=bytes)


def test_each_call_takes_a_turn_and_without_one_nothing_is_asked(xero, clock):
    governor, line = governed(xero, clock, turns=1)
    xero.always(Say(ORGANISATION, headers={"X-DayLimit-Remaining": "812", "X-MinLimit-Remaining": "59"}))

    ask(line)
    with pytest.raises(RateLimited, match="reserve") as raised:
        ask(line)

    assert (len(xero.asked), raised.value.until, governor.out) == (1, governor.until, 0)
    assert governor.told == [(59, 812)]


def test_a_question_put_again_takes_a_turn_of_its_own(xero, clock):
    governor, line = governed(xero, clock, turns=1)
    xero.always(Say(drop=True))

    with pytest.raises(RateLimited):
        ask(line)

    assert (len(xero.asked), governor.turns, governor.out) == (1, 0, 0)


def test_when_xero_asks_for_silence_the_governor_keeps_it_for_everybody(xero, clock):
    governor, line = governed(xero, clock, turns=9)
    xero.always(Say(status=429, headers={"Retry-After": "73451", "X-DayLimit-Remaining": "0"}))

    with pytest.raises(RateLimited):
        ask(line)

    assert governor.told == [(None, 0), clock() + timedelta(seconds=73_451)]
    assert governor.out == 0


def test_a_document_takes_its_turn_too(xero, clock):
    governor, line = governed(xero, clock, turns=1)
    xero.always(Say(b"%PDF-1.4"))

    line.document("fetching a PDF", "Invoices", "i1", kind="application/pdf", begins=b"%PDF-", megabytes=1)

    assert governor.turns == 0


def test_the_budget_is_xeros_for_a_free_app_less_one_call_left_to_people():
    budget = budget_of("xero", settings_of("xero")())

    assert (budget.at_once, budget.a_minute, budget.a_day, budget.reserve) == (4, 60, 1000, 0.1)
    assert budget_of("xero", settings_of("xero")(calls_a_day=5000)).a_day == 5000
