"""Reading what an app wants done on a call: TwiML, the small XML of verbs that Twilio carries out one after the other.

(https://www.twilio.com/docs/voice/twiml)
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

LONGEST_SAID = 4096
VERBS = ("Say", "Play", "Pause", "Gather", "Dial", "Redirect", "Hangup", "Reject", "Record")


class NotTwiml(Exception):
    """What Twilio writes into its debugger, beginning with the number of the error. The call ends there."""


@dataclass(frozen=True, slots=True)
class Verb:
    name: str
    text: str
    wishes: dict[str, str]
    inside: tuple["Verb", ...] = ()


def read(document: str) -> tuple[Verb, ...]:
    """Raises NotTwiml."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as trouble:
        raise NotTwiml(f"12100: Document parse failure ({trouble})") from None
    if root.tag != "Response":
        raise NotTwiml(f"12100: Document parse failure (the root is {root.tag}, not Response)")
    verbs = tuple(_verb(element) for element in root)
    for verb in verbs:
        if verb.name not in VERBS:
            raise NotTwiml(f"12200: Schema validation warning ({verb.name} is no verb known here)")
    return verbs


def _verb(element: ElementTree.Element) -> Verb:
    text = (element.text or "").strip()
    if element.tag == "Say" and not 0 < len(text) <= LONGEST_SAID:
        raise NotTwiml("13520: Say: Invalid text")
    return Verb(element.tag, text, dict(element.attrib), tuple(_verb(inner) for inner in element))
