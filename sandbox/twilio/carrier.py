"""What becomes of a text once it is taken: it waits, it leaves, it arrives or it does not; and texts that come in.

Whoever sent it hears of each change, as far as Twilio tells. Whoever says STOP to a number gets nothing from it any
more, until they say START (https://help.twilio.com/articles/223134027).
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import timedelta

from sandbox.twilio.account import ACCOUNT, API_VERSION, NUMBER, SERVICE, Twilio
from sandbox.twilio.posts import Heard
from sandbox.twilio.records import Text
from sandbox.twilio.segments import segments

STOP = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"))
START = frozenset(("START", "YES", "UNSTOP"))
HELP = frozenset(("HELP", "INFO"))
CONFIRMS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP "
    "to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
FINAL = ("delivered", "undelivered", "failed")
EXPIRED, USUAL_TROUBLE = 30036, {"undelivered": 30003, "failed": 30005}


class Carrier:
    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio

    def take(self, text: Text) -> None:
        """The text is on the books; from here it goes its way."""
        self._twilio.texts.append(text)
        if text.send_at is None:
            self._queue(text)
        else:
            self._at(text.send_at - self._twilio.now(), "a scheduled text is queued", text, self._unless_canceled)

    def come_in(self, from_: str, to: str, body: str) -> Text:
        """Somebody texts a number of ours."""
        twilio = self._twilio
        text = Text(twilio.new_sid("SM"), "inbound", to, from_, body, "received", twilio.now(), segments(body))
        text.sent = text.created
        number = twilio.numbers[to]
        if number.in_service:
            text.service = SERVICE
        twilio.texts.append(text)
        meant = self._keyword(body)
        if meant == "STOP":
            twilio.blocked.add((twilio.scope(to), from_))
        elif meant == "START":
            twilio.blocked.discard((twilio.scope(to), from_))
        if meant:
            self._confirm(text, CONFIRMS[meant])
        if number.sms_url:
            fields = _of_a_text_that_came_in(text)
            if meant and twilio.habits.advanced_opt_out:
                fields["OptOutType"] = meant
            post = twilio.posts.written(number.sms_url, fields.items())
            twilio.posts.take(post, lambda heard: self._answered(text, heard))
        return text

    def cancel(self, text: Text) -> None:
        self._became(text, "canceled")

    def _unless_canceled(self, text: Text) -> None:
        if text.status == "scheduled":
            self._queue(text)

    def _queue(self, text: Text) -> None:
        if not text.from_:
            text.from_ = NUMBER
        self._became(text, "queued")
        waits = timedelta(seconds=self._twilio.habits.queue_seconds)
        if waits.total_seconds() > text.valid_for:
            self._at(timedelta(seconds=text.valid_for), "a text has waited too long", text, self._expire)
        else:
            self._at(waits, "a text leaves", text, self._leave)

    def _expire(self, text: Text) -> None:
        self._became(text, "failed", EXPIRED)

    def _leave(self, text: Text) -> None:
        person = self._twilio.person(text.to)
        if (self._twilio.scope(text.from_), text.to) in self._twilio.blocked and text.direction == "outbound-api":
            self._became(text, "failed", 21610)
            return
        if person.texts_end == "failed":
            self._became(text, "failed", person.code or USUAL_TROUBLE["failed"])
            return
        text.sent = self._twilio.now()
        self._became(text, "sent")
        if person.texts_end != "sent":
            code = None if person.texts_end == "delivered" else person.code or USUAL_TROUBLE["undelivered"]
            self._became(text, person.texts_end, code)
        if person.texts_end in ("delivered", "sent") and person.replies and text.direction == "outbound-api":
            said, after = person.replies.pop(0), timedelta(seconds=person.reply_after)
            self._at(after, f"{text.to} answers a text", text, lambda asked: self._reply(asked, said))

    def _reply(self, asked: Text, said: str) -> None:
        self.come_in(asked.to, asked.from_, said)

    def _at(self, after: timedelta, says: str, text: Text, happen: Callable[[Text], None]) -> None:
        if after <= timedelta(0):
            happen(text)
        else:
            self._twilio.timetable.add(self._twilio.now() + after, says, lambda: happen(text))

    def _became(self, text: Text, status: str, code: int | None = None) -> None:
        habits = self._twilio.habits
        text.status, text.error_code, text.updated = status, code, self._twilio.now()
        if not text.callback or habits.callbacks_lost:
            return
        text.untold.append(status)
        if habits.callbacks_reversed and status not in FINAL:
            return
        for told in reversed(text.untold) if habits.callbacks_reversed else text.untold:
            self._tell(text, told)
        text.untold.clear()

    def _tell(self, text: Text, status: str) -> None:
        fields = {
            "SmsSid": text.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": text.to,
            "MessageSid": text.sid,
            "AccountSid": ACCOUNT,
            "From": text.from_,
            "ApiVersion": API_VERSION,
        }
        if text.service:
            fields["MessagingServiceSid"] = text.service
        if status in ("undelivered", "failed") and text.error_code:
            fields["ErrorCode"] = str(text.error_code)
        post = self._twilio.posts.written(text.callback, fields.items())
        for _ in range(2 if self._twilio.habits.callbacks_doubled else 1):
            self._twilio.posts.take(post)

    def _keyword(self, body: str) -> str:
        words = re.findall(r"\w+", body.upper()) if self._twilio.habits.advanced_opt_out else [body.strip().upper()]
        for meant, keywords in (("STOP", STOP), ("START", START), ("HELP", HELP)):
            if words and words[0] in keywords:
                return meant
        return ""

    def _confirm(self, asked: Text, said: str) -> None:
        self._send_back(asked, said, confirms=True)

    def _send_back(self, asked: Text, said: str, *, confirms: bool = False) -> None:
        twilio = self._twilio
        answer = Text(
            twilio.new_sid("SM"), "outbound-reply", asked.from_, asked.to, said, "queued", twilio.now(), segments(said)
        )
        twilio.texts.append(answer)
        if not confirms and (twilio.scope(asked.to), asked.from_) in twilio.blocked:
            self._became(answer, "failed", 21610)
        else:
            self._leave(answer)

    def _answered(self, asked: Text, heard: Heard) -> None:
        """What the app says back in TwiML is texted to whoever wrote."""
        if heard.status != 200 or "xml" not in heard.kind:
            return
        try:
            said = [verb.text or "" for verb in ElementTree.fromstring(heard.text).iter("Message")]
        except ElementTree.ParseError:
            return
        with self._twilio.lock:
            for words in said:
                self._send_back(asked, words)


def _of_a_text_that_came_in(text: Text) -> dict[str, str]:
    """Twilio names the places too, and leaves most of them empty outside North America."""
    fields = {
        "ToCountry": "GB",
        "ToState": "",
        "SmsMessageSid": text.sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": text.sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": text.body,
        "FromCountry": "GB",
        "To": text.to,
        "ToZip": "",
        "NumSegments": str(text.segments),
        "MessageSid": text.sid,
        "AccountSid": ACCOUNT,
        "From": text.from_,
        "ApiVersion": API_VERSION,
    }
    return fields | ({"MessagingServiceSid": text.service} if text.service else {})
