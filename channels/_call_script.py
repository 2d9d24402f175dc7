"""What is said at each door of a call, and what a pressed key means: one document of TwiML for every question.

Pure: from what the address says the call is about, and what Twilio says has happened, to what is done next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels._call_words import of_ours, spelled, words_in
from channels._twiml import Verb, clean, dial, document, gather, hangup, say

CONFIRMED, WILL_PAY, A_PERSON, DISPUTE, NO_MORE = "confirmed", "will pay", "a person", "dispute", "no more calls"
AT_WHO = {"1": CONFIRMED, "9": NO_MORE}
AT_CHOICE = {"1": WILL_PAY, "2": A_PERSON, "3": DISPUTE, "9": NO_MORE}
A_MACHINE = ("machine", "fax")


@dataclass(frozen=True, slots=True)
class Script:
    """How this channel speaks, whichever firm it speaks for. `doors` is the public address of our doors; `agent_number`
    is where people are put through to, empty for nowhere.
    """

    doors: str
    agent_number: str
    callback_number: str
    leave_message: bool
    ring_seconds: int

    def agent(self, address: str, about: Mapping[str, str]) -> bytes:
        """Our own person has picked up, or their voicemail has: only a key puts anybody through."""
        asked = self._say("agent", about)
        question = gather(f"{self.doors}/joined/{address}", [asked])
        return document(question, question, self._say("goodbye", about), hangup())

    def joined(self, about: Mapping[str, str], digits: str) -> bytes:
        """Our person has pressed a key: with 1 the debtor is rung."""
        if digits != "1":
            return document(self._say("goodbye", about), hangup())
        token = about["token"]
        return document(
            dial(
                about["debtor"],
                caller_id=about["caller"],
                action=f"{self.doors}/done/{token}",
                callback=f"{self.doors}/leg/debtor/{token}",
                seconds=self.ring_seconds,
            )
        )

    def done(self) -> bytes:
        """The two have spoken, or the debtor was not reached."""
        return document(hangup())

    def hello(self, address: str, about: Mapping[str, str], answered_by: str) -> bytes:
        """An automatic call was picked up. A machine is told a name and a number, and nothing else."""
        if answered_by == "fax":
            return document(hangup())
        if answered_by.startswith("machine"):
            return document(self._say("message", about), hangup()) if self.leave_message else document(hangup())
        question = gather(f"{self.doors}/who/{address}", [self._say("hello", about), self._say("who", about)])
        return document(question, question, self._say("goodbye", about), hangup())

    def who(self, address: str, about: Mapping[str, str], digits: str) -> bytes:
        """The right person hears what the call is about; anybody else does not."""
        match AT_WHO.get(digits):
            case "confirmed":
                heard = [say(about["text"], about.get("language", "")), self._say("choices", about)]
                question = gather(f"{self.doors}/choice/{address}", heard)
                again = gather(f"{self.doors}/choice/{address}", [self._say("choices", about)])
                return document(question, again, self._say("goodbye", about), hangup())
            case "no more calls":
                return document(self._say("no more", about), hangup())
        question = gather(f"{self.doors}/who/{address}", [self._say("who", about)])
        return document(question, self._say("goodbye", about), hangup())

    def choice(self, address: str, about: Mapping[str, str], digits: str) -> bytes:
        match AT_CHOICE.get(digits):
            case "will pay" | "dispute" as chosen:
                return document(self._say(chosen, about), hangup())
            case "a person" if self.agent_number:
                through = dial(self.agent_number, caller_id=about["caller"], seconds=self.ring_seconds)
                return document(self._say("a person", about), through, self._say("later", about), hangup())
            case "a person":
                return document(self._say("later", about), hangup())
            case "no more calls":
                return document(self._say("no more", about), hangup())
        question = gather(f"{self.doors}/choice/{address}", [self._say("choices", about)])
        return document(question, self._say("goodbye", about), hangup())

    def _say(self, sentence: str, about: Mapping[str, str]) -> Verb:
        language = of_ours(about.get("language", ""))
        words, name = words_in(language), clean(about.get("name", ""))
        if not name:
            sentence = f"{sentence}_unnamed" if f"{sentence}_unnamed" in words else sentence
        filled: dict[str, Any] = {
            "name": name,
            "firm": clean(about.get("firm", "")),
            "number": spelled(self.callback_number),
        }
        return say(words[sentence].format_map(filled), language)


def choice_at(door: str, digits: str) -> str:
    """What a key means at this door; empty when nothing."""
    return {"who": AT_WHO, "choice": AT_CHOICE}.get(door, {}).get(digits, "")
