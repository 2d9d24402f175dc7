"""What is said and done on a call, written in TwiML, Twilio's small XML of verbs.

(https://www.twilio.com/docs/voice/twiml) Whatever comes from a ledger is cleaned first: XML has no place for control
characters, and one of them would end the call.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

LONGEST_SAID = 4096
VOICES = (
    *("en-GB", "en-AU", "en-CA", "en-IN", "en-US"),
    *("de-DE", "fr-FR", "fr-CA", "es-ES", "es-MX", "it-IT", "nl-NL", "pt-PT", "pt-BR"),
    *("da-DK", "sv-SE", "nb-NO", "fi-FI", "pl-PL", "ca-ES", "ru-RU", "ja-JP", "ko-KR", "zh-CN", "zh-HK", "zh-TW"),
)
"""The languages that Twilio speaks in every account (https://www.twilio.com/docs/voice/twiml/say). The first of each is
spoken for countries that have none of their own, because a sentence in one that Twilio lacks may not be heard at all.
"""

_NOT_IN_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Verb = ElementTree.Element


def clean(text: str) -> str:
    """Without what XML cannot hold, and with every white space one space."""
    return " ".join(_NOT_IN_XML.sub(" ", text).split())


def voice_of(language: str) -> str:
    """Who speaks this language (`de-AT`): its country's voice, else the language's, else the English one."""
    spoken = f"{language.partition('-')[0]}-"
    return language if language in VOICES else next((one for one in VOICES if one.startswith(spoken)), VOICES[0])


def say(text: str, language: str) -> Verb:
    verb = ElementTree.Element("Say", {"language": voice_of(language)})
    verb.text = clean(text)[:LONGEST_SAID]
    return verb


def gather(action: str, said: Sequence[Verb], *, seconds: int = 8) -> Verb:
    """Says this and waits for one key, which goes to `action`."""
    wishes = {"input": "dtmf", "numDigits": "1", "timeout": str(seconds), "action": action, "method": "POST"}
    verb = ElementTree.Element("Gather", wishes)
    verb.extend(said)
    return verb


def dial(number: str, *, caller_id: str, action: str = "", callback: str = "", seconds: int = 30) -> Verb:
    """Rings this number and joins the two. Nothing is recorded. `callback` hears of every step of the new leg."""
    wishes = {"callerId": caller_id, "answerOnBridge": "true", "timeout": str(seconds), "record": "do-not-record"}
    if action:
        wishes |= {"action": action, "method": "POST"}
    verb = ElementTree.Element("Dial", wishes)
    told = {"statusCallback": callback, "statusCallbackEvent": "initiated ringing answered completed"}
    noun = ElementTree.SubElement(verb, "Number", told if callback else {})
    noun.text = clean(number)
    return verb


def hangup() -> Verb:
    return ElementTree.Element("Hangup")


def document(*verbs: Verb) -> bytes:
    """The whole answer."""
    root = ElementTree.Element("Response")
    root.extend(verbs)
    whole: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return whole
