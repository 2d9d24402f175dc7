"""Mirrors channels/_call_script.py: what is said on a call, whatever is pressed and whoever picks up."""

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from channels._call_script import Script
from channels._call_words import WORDS
from channels._twiml import VOICES

SECRET = "four thousand pounds"
DIGITS = st.sampled_from(["", *"0123456789", "*", "#", "11"])
ANYBODY = st.sampled_from(["", "human", "unknown", "machine_start", "machine_end_beep", "machine_end_silence", "fax"])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    return Script(
        doors="https://arrears.example/hooks/call_twilio",
        agent_number=draw(st.sampled_from(["", "+447700900201"])),
        callback_number="+447700900900",
        leave_message=draw(st.booleans()),
        ring_seconds=30,
    )


@st.composite
def matters(draw: st.DrawFn) -> dict[str, str]:
    return {
        "token": "t",
        "text": SECRET,
        "caller": "+447700900900",
        "firm": draw(NAMES),
        "name": draw(NAMES),
        "debtor": "+447700900101",
        "language": draw(st.sampled_from(["", "en-US", "en-IE", "de-DE", "de-AT", "fr-FR", "cy-GB", "xx"])),
    }


def said(document: bytes) -> str:
    root = ElementTree.fromstring(document)
    assert root.tag == "Response"
    assert all(verb.text for verb in root.iter("Say")), "nothing is not a sentence"
    assert all(verb.get("record", "do-not-record") == "do-not-record" for verb in root.iter("Dial"))
    assert not list(root.iter("Record"))
    return " ".join(verb.text or "" for verb in root.iter("Say"))


@given(scripts(), matters(), DIGITS, ANYBODY)
def test_what_is_owed_is_said_to_whoever_has_pressed_1_when_asked_who_they_are_and_never_else(
    script, about, digits, answered_by
):
    for document in (
        script.agent("x", about),
        script.joined(about, digits),
        script.done(),
        script.hello("x", about, answered_by),
        script.choice("x", about, digits),
    ):
        assert SECRET not in said(document)
    assert (SECRET in said(script.who("x", about, digits))) is (digits == "1")


@given(scripts(), matters(), DIGITS)
def test_the_debtor_is_rung_when_our_own_person_has_pressed_1_and_never_else(script, about, digits):
    document = ElementTree.fromstring(script.joined(about, digits))

    assert [number.text for number in document.iter("Number")] == (["+447700900101"] if digits == "1" else [])
    for other in (script.agent("x", about), script.done(), script.hello("x", about, "human")):
        assert not list(ElementTree.fromstring(other).iter("Dial"))


@given(scripts(), matters(), ANYBODY)
def test_a_machine_is_never_asked_anything(script, about, answered_by):
    document = ElementTree.fromstring(script.hello("x", about, answered_by))

    machine = answered_by.startswith(("machine", "fax"))
    assert bool(list(document.iter("Gather"))) is not machine
    if machine and (answered_by == "fax" or not script.leave_message):
        assert not list(document.iter("Say"))


@given(scripts(), matters(), DIGITS, ANYBODY)
def test_every_sentence_is_spoken_by_a_voice_of_its_own_language(script, about, digits, answered_by):
    for document in (
        script.agent("x", about),
        script.joined(about, digits),
        script.hello("x", about, answered_by),
        script.who("x", about, digits),
        script.choice("x", about, digits),
    ):
        for verb in ElementTree.fromstring(document).iter("Say"):
            assert verb.get("language") in VOICES
            if verb.text != SECRET:
                german = about["language"].startswith("de")
                assert verb.get("language", "").startswith("de" if german else "en")
                assert any(begins(verb.text, sentence) for sentence in WORDS["de" if german else "en"].values())


def begins(said: str | None, sentence: str) -> bool:
    return (said or "").startswith(sentence.partition("{")[0].strip())


@given(scripts(), matters(), DIGITS)
def test_every_question_names_one_key_and_a_door_of_ours(script, about, digits):
    for document in (script.agent("x", about), script.who("x", about, digits), script.choice("x", about, digits)):
        for question in ElementTree.fromstring(document).iter("Gather"):
            assert question.get("numDigits") == "1"
            assert question.get("action", "").startswith("https://arrears.example/hooks/call_twilio/")
