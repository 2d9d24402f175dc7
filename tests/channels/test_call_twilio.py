"""Mirrors channels/call_twilio.py, _call_script.py, _call_events.py and _calling.py: calls at the practice Twilio."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

import sandbox
from channels import (
    Caller,
    ClickToCall,
    Delivery,
    Receipt,
    Refused,
    Unavailable,
    Unsure,
    open_channel,
    read_token,
    settings_of,
)
from channels._call_words import WORDS
from tests.channels.twilio_world import AGENT, DEBTOR, KEY, MONDAY, OTHER, PUBLIC, Line, a_message, opened, token

SID = f"AC{'a' * 32}"
OWED = "You owe 1,250 pounds on invoice 42."


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=MONDAY, company=False) as world:
        yield world


@pytest.fixture
def line(world: sandbox.Sandbox) -> Iterator[Line]:
    with opened(Line(world, "call_twilio", agent_number=AGENT)) as line:
        yield line


@pytest.fixture
def machine(world: sandbox.Sandbox) -> Iterator[Line]:
    """A channel that may call numbers in Great Britain by machine."""
    with opened(Line(world, "call_twilio", agent_number=AGENT, automatic_countries="GB")) as line:
        yield line


def a_call(attempt: int = 1, **changes: Any) -> ClickToCall:
    given = {
        "attempt": str(attempt),
        "token": token(attempt),
        "debtor": DEBTOR,
        "debtor_name": "Fern & Fig Café",
        "since": MONDAY,
    } | changes
    return ClickToCall(**given)


def an_automatic(attempt: int = 1, **changes: Any) -> Any:
    return a_message(attempt, **{"text": OWED, "consent": "agreed on paper on 3 May 2025"} | changes)


def steps(line: Line, leg: str) -> list[str]:
    """What was told of one leg, by name: the order in which it comes is left to luck, as it is at Twilio."""
    return sorted(event.kind.value for event in line.told() if event.details["leg"] == leg)


def choices(line: Line) -> list[str]:
    return [event.details["choice"] for event in line.told() if "choice" in event.details]


def test_our_own_telephone_rings_first_and_with_1_the_debtor_is_rung(line):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DEBTOR, talks=95)
    outcome = line.channel.connect(a_call(12))

    told = line.told()
    agent, debtor = line.control.calls()
    assert outcome == Receipt(agent["sid"], MONDAY)
    assert (agent["to"], debtor["to"], debtor["from_"]) == (AGENT, DEBTOR, line.world.twilio.number)
    assert line.control.heard(AGENT) == ["Press 1 to be connected to Fern & Fig Café."]
    assert {read_token(event.token, keys=[KEY]) for event in told} == {(7, 12)}
    assert {event.provider_id for event in told} == {agent["sid"]}
    assert steps(line, "debtor") == ["accepted", "answered", "ended", "ringing"]
    assert steps(line, "agent") == ["accepted", "accepted", "accepted", "ended"]
    ended = [event for event in told if event.kind is Delivery.ENDED and event.details["leg"] == "debtor"]
    assert [(event.details["status"], event.details["seconds"]) for event in ended] == [("completed", "95")]
    assert [call["troubles"] for call in line.control.calls()] == [[], []]


def test_nothing_is_recorded_and_no_name_or_number_is_written_into_an_address(line):
    line.control.person(AGENT, presses=["1"])
    line.channel.connect(a_call())
    line.told()

    assert line.control.recordings() == 0
    for post in line.control.posts():
        for private in (DEBTOR[1:], AGENT[1:], "Fern"):
            assert private not in post["url"]
        assert "_" not in (urlsplit(post["url"]).hostname or "")


@pytest.mark.parametrize(
    "behaviour",
    [
        {"answers": "no-answer"},
        {"answers": "busy"},
        {"answers": "failed"},
        {"presses": []},
        {"presses": ["2"]},
        {"machine": "machine", "presses": ["1"]},
    ],
)
def test_the_debtor_is_never_rung_unless_a_person_of_ours_has_pressed_1(line, behaviour):
    line.control.person(AGENT, **behaviour)
    line.channel.connect(a_call())

    told = line.told()
    assert [call["to"] for call in line.control.calls()] == [AGENT]
    assert {event.details["leg"] for event in told} == {"agent"}
    assert told[-1].kind is Delivery.ENDED
    assert Delivery.RINGING not in {event.kind for event in told}


def test_somebody_who_is_slow_with_the_key_is_asked_once_more(line):
    line.control.person(AGENT, presses=["", "1"])
    line.channel.connect(a_call())
    line.told()

    assert [call["to"] for call in line.control.calls()] == [AGENT, DEBTOR]
    assert len(line.control.heard(AGENT)) == 2


@pytest.mark.parametrize(
    ("how", "kinds"),
    [
        ("busy", ["accepted", "ended", "ringing"]),
        ("no-answer", ["accepted", "ended", "ringing"]),
        ("failed", ["accepted", "failed"]),
    ],
)
def test_a_debtor_who_does_not_answer_is_told_as_such(line, how, kinds):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DEBTOR, answers=how)
    line.channel.connect(a_call())

    assert steps(line, "debtor") == kinds
    (last,) = (event for event in line.told() if event.details["leg"] == "debtor" and event.details["status"] == how)
    assert bool(last.why) is (how == "failed")


def test_when_the_callbacks_of_the_debtors_leg_are_lost_the_end_of_the_call_still_tells_of_it(line):
    line.control.person(AGENT, presses=["1"])
    line.control.habits(callbacks_lost=True)
    line.channel.connect(a_call())

    (ended,) = line.told()
    assert (ended.kind, ended.details) == (
        Delivery.ENDED,
        {"leg": "debtor", "status": "completed", "seconds": "30"},
    )


def test_posts_that_come_twice_are_kept_once(line):
    line.control.person(AGENT, presses=["1"])
    line.control.habits(callbacks_doubled=True)
    line.channel.connect(a_call())

    assert len(line.told()) == 8
    assert len(line.posts) == 8 * 2 + 3


def test_another_person_or_another_number_shown_may_be_asked_for(line):
    line.control.number(OTHER)
    line.control.person("+447700900202", presses=["1"])
    line.channel.connect(a_call(agent="+447700900202", caller_id=OTHER))
    line.told()

    assert [(call["to"], call["from_"]) for call in line.control.calls()] == [
        ("+447700900202", line.world.twilio.number),
        (DEBTOR, OTHER),
    ]


def test_the_names_of_a_ledger_cannot_break_what_is_said(line):
    line.control.person(AGENT, presses=["1"])
    line.channel.connect(a_call(debtor_name='A\x00\x0b<B> & "C"\ud7ff\ufffe Ltd'))
    line.told()

    assert [call["troubles"] for call in line.control.calls()] == [[], []]
    assert line.control.heard(AGENT) == ['Press 1 to be connected to A <B> & "C"\ud7ff Ltd.']


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"agent": "0201"}, "your own telephone"), ({"debtor": "07700 900101"}, "+447700900123")],
)
def test_a_number_that_is_none_is_refused_before_anybody_is_rung(line, changes, says):
    outcome = line.channel.connect(a_call(**changes))

    assert isinstance(outcome, Refused) and says in outcome.why
    assert line.control.calls() == []


def test_whoever_has_no_telephone_is_told_to_write_it_down(world):
    outcome = Line(world, "call_twilio").channel.connect(a_call())

    assert isinstance(outcome, Refused) and "settings" in outcome.why


def test_a_server_that_twilio_cannot_reach_makes_no_calls_and_says_what_to_set(world):
    for public in ("", "http://my_host.example"):
        outcome = Line(world, "call_twilio", public=public, agent_number=AGENT).channel.connect(a_call())
        assert isinstance(outcome, Unavailable) and "public_url" in outcome.why


@pytest.mark.parametrize(
    ("code", "becomes"),
    [
        (21211, Refused),
        (21217, Refused),
        (21214, Refused),
        (21216, Refused),
        (21215, Unavailable),
        (21219, Unavailable),
    ],
)
def test_a_call_that_twilio_will_not_make_says_whether_it_ever_may(line, code, becomes):
    line.control.person(AGENT, refuses=code)

    assert type(line.channel.connect(a_call())) is becomes


@pytest.mark.parametrize(("fault", "made"), [("503", 0), ("drop_before", 0), ("503after", 1), ("drop_after", 1)])
def test_nobody_knows_after_a_broken_line_and_the_look_up_finds_out(line, fault, made):
    line.world.control.faults(twilio=[fault])

    assert isinstance(line.channel.connect(a_call()), Unsure)
    line.told()
    calls = line.control.calls()
    assert len(calls) == made
    assert line.channel.look_up(a_call()) == (Receipt(calls[0]["sid"], MONDAY, over=True) if made else None)


def test_the_call_before_or_after_the_doubtful_one_is_not_taken_for_it(line):
    line.channel.connect(a_call(1))
    line.world.control.move_clock(MONDAY + timedelta(minutes=1))
    doubtful = a_call(2, since=MONDAY + timedelta(minutes=1))
    line.world.control.faults(twilio=["drop_before"])
    assert isinstance(line.channel.connect(doubtful), Unsure)
    line.world.control.move_clock(MONDAY + timedelta(minutes=2))
    line.channel.connect(a_call(3))
    line.told()

    assert len(line.control.calls()) == 2
    assert line.channel.look_up(doubtful) is None


def test_a_look_up_that_finds_two_or_an_older_one_proves_nothing(line):
    line.channel.connect(a_call(1))
    line.told()
    assert line.channel.look_up(a_call(2, since=MONDAY + timedelta(hours=1))) is None
    assert line.channel.look_up(a_call(2, since=None)) is None
    line.channel.connect(a_call(2))
    line.told()
    assert line.channel.look_up(a_call(2)) is None


# --- by machine


def test_no_machine_calls_a_country_that_was_not_allowed_or_a_person_who_has_not_agreed(line, machine):
    abroad, silent, here = an_automatic(to="+4915112345678"), an_automatic(consent=""), an_automatic()

    for channel, message, says in (
        (line.channel, here, "automatic_countries"),
        (machine.channel, abroad, "numbers in DE"),
        (machine.channel, silent, "agreed"),
        (machine.channel, an_automatic(to="0123"), "+447700900123"),
        (machine.channel, an_automatic(text=" "), "characters"),
        (machine.channel, an_automatic(text="x" * 1001), "1001"),
    ):
        outcome = channel.send(message)
        assert isinstance(outcome, Refused) and says in outcome.why
    assert machine.control.calls() == []


def test_whoever_confirms_who_they_are_hears_what_it_is_about_and_chooses(machine):
    machine.control.person(DEBTOR, presses=["1", "1"])
    outcome = machine.channel.send(an_automatic(5))

    told = machine.told()
    (call,) = machine.control.calls()
    assert outcome == Receipt(call["sid"], MONDAY)
    assert {read_token(event.token, keys=[KEY]) for event in told} == {(7, 5)}
    assert {event.details["leg"] for event in told} == {"debtor"}
    assert choices(machine) == ["confirmed", "will pay"]
    heard = machine.control.heard(DEBTOR)
    assert heard[0] == "Hello. This is an automatic call from Brightwater Joinery for Fern & Fig Café."
    assert OWED in heard
    assert [event.kind for event in told if "choice" not in event.details and "answered_by" not in event.details] == [
        Delivery.ACCEPTED,
        Delivery.RINGING,
    ]
    assert {event.details["answered_by"] for event in told if "answered_by" in event.details} == {"human"}
    assert told[-1].kind is Delivery.ENDED and int(told[-1].details["seconds"]) > 0
    assert call["troubles"] == [] and machine.control.recordings() == 0


@pytest.mark.parametrize("presses", [[], ["", ""], ["2"], ["5", "9"], ["9"], ["7", "7", "7"]])
def test_nobody_hears_what_is_owed_who_has_not_confirmed_who_they_are(machine, presses):
    machine.control.person(DEBTOR, presses=presses)
    machine.channel.send(an_automatic())
    machine.told()

    heard = " ".join(machine.control.heard(DEBTOR))
    assert "owe" not in heard and "1,250" not in heard and "invoice" not in heard


@pytest.mark.parametrize(
    ("key", "choice"), [("1", "will pay"), ("2", "a person"), ("3", "dispute"), ("9", "no more calls")]
)
def test_each_key_is_told_as_what_it_means(machine, key, choice):
    machine.control.person(DEBTOR, presses=["1", key])
    machine.channel.send(an_automatic())

    last = [event for event in machine.told() if "choice" in event.details][-1]
    assert last.details["choice"] == choice
    assert (last.kind is Delivery.OPTED_OUT) is last.stops_address is (key == "9")
    assert last.recipient == DEBTOR
    rung = [call["to"] for call in machine.control.calls()]
    assert rung == ([DEBTOR, AGENT] if key == "2" else [DEBTOR])


def test_9_works_before_anything_was_confirmed(machine):
    machine.control.person(DEBTOR, presses=["9"])
    machine.channel.send(an_automatic())

    assert [event.kind for event in machine.told() if "choice" in event.details] == [Delivery.OPTED_OUT]


def test_without_a_number_of_ours_nobody_is_put_through_and_is_told_so(world):
    with opened(Line(world, "call_twilio", automatic_countries="GB")) as line:
        line.control.person(DEBTOR, presses=["1", "2"])
        line.channel.send(an_automatic())
        line.told()

        assert line.control.heard(DEBTOR)[-1] == "Thank you. One of us will call you back. Goodbye."
        assert choices(line) == ["confirmed", "a person"]


def test_a_voicemail_hears_a_name_and_a_number_and_nothing_else(machine):
    machine.control.person(DEBTOR, machine="machine")
    machine.channel.send(an_automatic())

    told = machine.told()
    assert machine.control.heard(DEBTOR) == [
        "Hello, this is Brightwater Joinery. Please call us back at 4, 4, 7, 7, 0, 0, 9, 0, 0, 9, 0, 0. Thank you."
    ]
    assert {event.details["answered_by"] for event in told if "answered_by" in event.details} == {"machine"}


def test_a_voicemail_may_be_told_nothing_at_all_and_a_fax_never_is(world):
    silent = Line(world, "call_twilio", automatic_countries="GB", leave_message=False)
    with opened(silent) as line:
        line.control.person(DEBTOR, machine="machine")
        line.control.person(OTHER, machine="fax")
        line.channel.send(an_automatic(1))
        line.channel.send(an_automatic(2, to=OTHER))
        line.told()

        assert line.control.heard(DEBTOR) == line.control.heard(OTHER) == []


def test_each_firm_of_one_installation_is_spoken_for_in_its_own_language(machine):
    for number in (DEBTOR, OTHER):
        machine.control.person(number, presses=["1", "3"])
    machine.channel.send(an_automatic(1, language="en-GB"))
    german = {"from_name": "Fichte & Söhne", "to_name": "", "text": "Es geht um die Rechnung 42.", "language": "de-AT"}
    machine.channel.send(an_automatic(2, to=OTHER, **german))
    machine.told()

    english, german = machine.control.heard(DEBTOR), machine.control.heard(OTHER)
    assert english[0] == "Hello. This is an automatic call from Brightwater Joinery for Fern & Fig Café."
    assert english[-1].startswith("Thank you.")
    assert german[0] == "Guten Tag. Dies ist ein automatischer Anruf von Fichte & Söhne."
    assert german[-1].startswith("Vielen Dank.")
    assert set(machine.control.voices(DEBTOR)) == {"en-GB"}
    assert set(machine.control.voices(OTHER)) == {"de-DE"}


def test_our_own_person_is_asked_in_the_language_of_the_firm_that_they_ring_for(line):
    line.channel.connect(a_call(1, language="de-CH"))
    line.told()

    assert line.control.heard(AGENT)[0] == "Drücken Sie die 1, um mit Fern & Fig Café verbunden zu werden."
    assert set(line.control.voices(AGENT)) == {"de-DE"}


def test_our_sentences_are_english_where_we_have_none_and_the_firms_own_words_stay_in_its_own_voice(machine):
    machine.control.person(DEBTOR, presses=["1"])
    machine.channel.send(an_automatic(text="La facture 42 est échue.", language="fr-FR"))
    machine.told()

    spoken = dict(zip(machine.control.heard(DEBTOR), machine.control.voices(DEBTOR), strict=True))
    assert spoken.pop("La facture 42 est échue.") == "fr-FR"
    assert set(spoken.values()) == {"en-GB"} and any(words.startswith("Hello.") for words in spoken)


def test_no_language_can_be_chosen_from_outside(machine):
    machine.control.person(DEBTOR, presses=["1"])
    machine.channel.send(an_automatic(language="en-GB"))
    machine.told()

    for post in list(machine.posts):
        for one in (
            dataclasses.replace(post, query="language=de-DE"),
            dataclasses.replace(post, body=post.body + b"&language=de-DE"),
        ):
            assert machine.hear(one).status == 401


def test_every_language_has_every_sentence():
    assert len({frozenset(words) for words in WORDS.values()}) == 1
    for words in WORDS.values():
        for name, sentence in words.items():
            assert sentence.count("{") == sentence.count("}") and ("{name}" not in sentence or "unnamed" not in name)


def test_a_call_by_machine_is_looked_up_by_its_number(machine):
    machine.world.control.faults(twilio=["drop_after"])
    message = an_automatic()

    assert isinstance(machine.channel.send(message), Unsure)
    machine.told()
    assert machine.channel.find(message) == Receipt(machine.control.calls()[0]["sid"], MONDAY, over=True)


def test_a_call_that_is_found_while_it_still_goes_on_is_not_over(line, monkeypatch):
    picked_up, hung_up = threading.Event(), threading.Event()
    hear = line.hear

    def on_the_line(posted):
        if posted.door.startswith("agent/"):
            picked_up.set()
            hung_up.wait(20)
        return hear(posted)

    monkeypatch.setattr(line, "hear", on_the_line)
    line.world.control.faults(twilio=["drop_after"])

    assert isinstance(line.channel.connect(a_call()), Unsure)
    assert picked_up.wait(20)
    found = line.channel.look_up(a_call())
    hung_up.set()
    assert found is not None and not found.over


def test_calls_in_doubt_are_looked_up_at_the_same_distances_as_texts(line):
    assert line.channel.evidence_waits == tuple(timedelta(minutes=wait) for wait in (2, 10, 30, 120))


def test_no_machine_calls_when_the_hours_are_over(machine):
    outcome = machine.channel.send(an_automatic(valid_for=timedelta(0)))

    assert isinstance(outcome, Unavailable) and machine.control.calls() == []


# --- at the doors


def test_a_post_that_twilio_did_not_sign_gets_neither_words_nor_a_hearing(machine):
    machine.control.person(DEBTOR, presses=["1", "1"])
    machine.channel.send(an_automatic())
    machine.told()
    before = dict(machine.kept)
    for post in list(machine.posts):
        changed = [
            dataclasses.replace(post, body=post.body + b"&x=1"),
            dataclasses.replace(post, headers={}),
            dataclasses.replace(post, door=f"leg/debtor/{token(99)}"),
        ]
        for one in changed:
            heard = machine.hear(one)
            assert (heard.status, heard.body) == (401, b"")
    for door in ("", "agent", "agent/", "leg/boss/x", "leg", "elsewhere/x"):
        assert machine.hear(dataclasses.replace(machine.posts[0], door=door)).status == 404
    assert machine.kept == before


def test_what_was_kept_is_read_even_when_the_keys_have_changed_since(machine):
    machine.control.person(DEBTOR, presses=["1", "3"])
    machine.channel.send(an_automatic(8))
    machine.control.settled()
    later = open_channel(
        "call_twilio",
        dataclasses.replace(machine.settings, auth_token="a new one"),
        clock=lambda: MONDAY,
        public_url=PUBLIC,
    )

    events = [later.read(raw) for raw in machine.kept.values()]
    assert {read_token(event.token, keys=[KEY]) for event in events} == {(7, 8)}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no door",
        b"leg/debtor/t\n\n",
        b"leg/debtor/t\n\nCallSid=CA1&CallStatus=singing",
        b"done/t\n\nCallSid=CA1",
        b"who/t\n\nDigits=1",
        "leg/debtor/ü\n\nCallSid=CA1".encode("latin-1"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(line, raw):
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        line.channel.read(raw)


def test_a_leg_that_was_never_begun_has_an_end_all_the_same(line):
    event = line.channel.read(b"done/t\n\nCallSid=CA1&DialCallStatus=failed")

    assert (event.kind, event.provider_id, event.token) == (Delivery.FAILED, "CA1", "t")


def test_it_is_a_channel_that_can_call(line):
    assert isinstance(line.channel, Caller)
    assert list(line.channel.collect(None)) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"from_number": ""}, "from_number"),
        ({"agent_number": "0201"}, "agent_number"),
        ({"callback_number": "0201"}, "callback_number"),
        ({"automatic_countries": "GB, UK"}, "'UK'"),
        ({"auth_token": ""}, "auth_token"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_sentence(settings, says):
    with pytest.raises(ValueError, match=says):
        settings_of("call_twilio")(**{"account_sid": SID, "auth_token": "t", "from_number": OTHER} | settings)


def test_what_is_said_is_kept_short_enough_for_an_address(machine):
    longest = "".join(chr(0x4E00 + place * 17 % 20000) for place in range(1000))
    outcome = machine.channel.send(an_automatic(text=longest))

    assert isinstance(outcome, Refused) and "too long" in outcome.why
    assert machine.control.calls() == []
