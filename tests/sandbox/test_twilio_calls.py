"""Mirrors sandbox/twilio/calls.py, conversation.py and twiml.py: calls that people answer, or do not."""

from collections.abc import Iterator

import pytest

from tests.sandbox.twilio_app import FERN, MOSS, Address, TwilioApp, seal_of

ALL = ("initiated", "ringing", "answered", "completed")


@pytest.fixture
def twilio(world) -> TwilioApp:
    return TwilioApp(world)


@pytest.fixture
def address() -> Iterator[Address]:
    one = Address()
    yield one
    one.stop()


def click_to_call(twilio: TwilioApp, address: Address, *, joined: bool = True) -> None:
    """Fern's telephone belongs to the firm; Moss owes money."""
    address.says["/agent"] = (
        '<Response><Gather numDigits="1" action="/joined"><Say>Press 1 to be connected.</Say></Gather>'
        "<Say>Goodbye.</Say></Response>"
    )
    address.says["/joined"] = (
        f'<Response><Dial callerId="{twilio.twilio.number}" action="/done" answerOnBridge="true">'
        f'<Number statusCallback="{address.url}/debtor" statusCallbackEvent="{" ".join(ALL)}">{MOSS}</Number>'
        "</Dial></Response>"
    )
    address.says["/done"] = "<Response><Hangup/></Response>"
    status, row = twilio.ring(FERN, ALL, Url=f"{address.url}/agent", StatusCallback=f"{address.url}/leg")
    assert (status, row["status"], row["direction"]) == (201, "queued", "outbound-api")
    twilio.world.control.twilio.settled()


def statuses(address: Address, path: str) -> list[str]:
    return [fields["CallStatus"] for fields in address.at(path)]


def test_the_agent_is_rung_first_presses_1_and_is_put_through(twilio, address):
    control = twilio.world.control.twilio
    control.person(FERN, presses=["1"])
    control.person(MOSS, talks=95)
    click_to_call(twilio, address)

    assert statuses(address, "/leg") == ["initiated", "ringing", "in-progress", "completed"]
    assert statuses(address, "/debtor") == ["initiated", "ringing", "in-progress", "completed"]
    agent, debtor = control.calls()
    assert (debtor["parent"], debtor["direction"], debtor["from_"]) == (agent["sid"], "outbound-dial", "+447700900900")
    assert address.at("/debtor")[-1]["CallDuration"] == "95"
    assert {fields["ParentCallSid"] for fields in address.at("/debtor")} == {agent["sid"]}
    assert [fields["Digits"] for fields in address.at("/joined")] == ["1"]
    done = address.at("/done")[0]
    assert (done["DialCallStatus"], done["DialCallDuration"], done["DialCallSid"]) == (
        "completed",
        "95",
        debtor["sid"],
    )
    assert control.heard(FERN) == ["Press 1 to be connected."]
    assert control.heard(MOSS) == [] and control.recordings() == 0
    for told in address.told:
        seal = seal_of(f"{address.url}{told.path}", told.body, twilio.twilio.auth_token)
        assert told.headers["x-twilio-signature"] == seal


def test_an_agent_who_presses_nothing_is_not_put_through(twilio, address):
    click_to_call(twilio, address)

    assert len(twilio.world.control.twilio.calls()) == 1
    assert address.at("/joined") == [] == address.at("/debtor")
    assert twilio.world.control.twilio.heard(FERN) == ["Press 1 to be connected.", "Goodbye."]


def test_the_agents_voicemail_presses_nothing_either(twilio, address):
    twilio.world.control.twilio.person(FERN, machine="machine", presses=["1"])
    click_to_call(twilio, address)

    assert address.at("/debtor") == []


@pytest.mark.parametrize("how", ["busy", "no-answer", "failed"])
def test_an_agent_who_does_not_answer_hears_nothing(twilio, address, how):
    twilio.world.control.twilio.person(FERN, answers=how)
    click_to_call(twilio, address)

    assert statuses(address, "/leg")[-1] == how and address.at("/agent") == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("busy", ["initiated", "ringing", "busy"]),
        ("no-answer", ["initiated", "ringing", "no-answer"]),
        ("failed", ["initiated", "failed"]),
    ],
)
def test_a_debtor_who_does_not_answer_is_told_to_the_agents_leg(twilio, address, how, told):
    control = twilio.world.control.twilio
    control.person(FERN, presses=["1"])
    control.person(MOSS, answers=how)
    click_to_call(twilio, address)

    assert statuses(address, "/debtor") == told
    assert address.at("/done")[0]["DialCallStatus"] == how
    assert statuses(address, "/leg")[-1] == "completed"


@pytest.mark.parametrize(
    ("machine", "wish", "detected"),
    [
        ("", "Enable", "human"),
        ("machine", "Enable", "machine_start"),
        ("machine", "DetectMessageEnd", "machine_end_beep"),
        ("fax", "Enable", "fax"),
    ],
)
def test_an_automatic_call_is_told_whether_a_machine_has_answered(twilio, address, machine, wish, detected):
    control = twilio.world.control.twilio
    control.person(MOSS, machine=machine)
    address.says["/voice"] = "<Response><Say>Good morning.</Say></Response>"
    _, row = twilio.ring(MOSS, ALL, Url=f"{address.url}/voice", MachineDetection=wish)
    control.settled()

    assert address.at("/voice")[0]["AnsweredBy"] == detected
    assert twilio.call("GET", f"Calls/{row['sid']}.json")[1]["answered_by"] == detected
    assert control.heard(MOSS) == ["Good morning."]


def test_without_detection_nobody_says_who_has_answered(twilio, address):
    address.says["/voice"] = "<Response/>"
    twilio.ring(MOSS, Url=f"{address.url}/voice")
    twilio.world.control.twilio.settled()

    assert "AnsweredBy" not in address.at("/voice")[0]


def test_silence_is_told_only_where_that_is_asked_for_and_redirects_are_followed(twilio, address):
    control = twilio.world.control.twilio
    address.says["/voice"] = '<Response><Gather action="/key"/><Redirect>/again</Redirect></Response>'
    address.says["/again"] = '<Response><Gather action="/key" actionOnEmptyResult="true"/></Response>'
    address.says["/key"] = "<Response><Hangup/></Response>"
    twilio.ring(MOSS, Url=f"{address.url}/voice")
    control.settled()

    assert [told.path for told in address.told] == ["/voice", "/again", "/key"]
    assert address.at("/key")[0]["Digits"] == ""


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("", "12101"),
        ("<Response><Say>a\x0bb</Say></Response>", "12100"),
        ("<Response><Sing>La</Sing></Response>", "12200"),
        ("<Response><Say></Say></Response>", "13520"),
        (f"<Response><Dial callerId='{MOSS}'>{FERN}</Dial></Response>", "13214"),
        ("<Response><Redirect>/voice</Redirect></Response>", "the call went round"),
    ],
)
def test_what_twilio_does_not_understand_ends_the_call_and_is_written_down(twilio, address, said, trouble):
    address.says["/voice"] = said
    twilio.ring(MOSS, Url=f"{address.url}/voice", StatusCallback=f"{address.url}/leg")
    twilio.world.control.twilio.settled()

    (call,) = twilio.world.control.twilio.calls()
    assert call["troubles"][0].startswith(trouble)
    assert statuses(address, "/leg") == ["completed"]


def test_recording_is_seen_wherever_it_is_asked_for(twilio, address):
    control = twilio.world.control.twilio
    address.says["/voice"] = f'<Response><Dial record="record-from-answer-dual">{FERN}</Dial><Record/></Response>'
    twilio.ring(MOSS, Url=f"{address.url}/voice", Record="true")
    control.settled()

    assert control.recordings() == 3


def test_calls_are_listed_by_number_and_day(twilio):
    twilio.ring(FERN, Twiml="<Response><Say>Hello</Say></Response>")
    twilio.ring(MOSS, Twiml="<Response/>")
    twilio.world.control.twilio.settled()

    def found(**filters: str) -> list[str]:
        return [row["to"] for row in twilio.call("GET", "Calls.json", **filters)[1]["calls"]]

    assert found() == [MOSS, FERN]
    assert found(To=FERN, **{"StartTime>": "2026-01-05"}) == [FERN]
    assert found(**{"StartTime<": "2026-01-04"}) == []
    assert found(Status="completed", From=twilio.twilio.number) == [MOSS, FERN]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"From": "+447700900901"}, 21210),
        ({"to": "07700 900101"}, 21211),
        ({"Url": ""}, 21205),
        ({"Url": "nowhere"}, 21205),
        ({"Url": "", "Twiml": "x" * 4001}, 21205),
        ({"StatusCallback": "http://a_b.example/"}, 21609),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_with_the_number_of_the_error(twilio, wishes, code):
    status, said = twilio.ring(**{"Url": "http://127.0.0.1:9/"} | wishes)

    assert (status, said["code"]) == (400, code)
    assert twilio.world.control.twilio.calls() == []


@pytest.mark.parametrize(("last", "code"), [("1", 21217), ("2", 21214), ("3", 21215), ("4", 21216)])
def test_with_the_keys_for_trying_out_magic_numbers_cannot_be_called(twilio, last, code):
    twilio.account = twilio.twilio.test_account_sid
    twilio.keys = (twilio.account, twilio.twilio.test_auth_token)
    wishes = {"From": "+15005550006", "Url": "http://127.0.0.1:9/"}

    assert twilio.ring(f"+1500555000{last}", **wishes)[1]["code"] == code
    assert twilio.ring(FERN, **wishes)[0] == 201


def test_an_app_that_does_not_answer_ends_the_call(twilio):
    twilio.ring(MOSS, Url="http://127.0.0.1:9/voice")
    twilio.world.control.twilio.settled()

    (call,) = twilio.world.control.twilio.calls()
    assert call["troubles"][0].startswith("11200") and call["status"] == "completed"
