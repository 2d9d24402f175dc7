"""The desk for what Twilio has: how people behave on the telephone, what they text, and what Twilio does wrong."""

from dataclasses import asdict
from typing import Any

from sandbox.documents import NotPossible
from sandbox.twilio import account
from sandbox.twilio.carrier import Carrier
from sandbox.twilio.records import TAKEN_IN, Habits, Number, Person, PhoneCall, Text
from sandbox.world import World


class TwilioDesk:
    def __init__(self, world: World) -> None:
        self.world = world
        self._twilio = world.twilio
        self._carrier = Carrier(world.twilio)

    def twilio_number(self, number: str = account.NUMBER, sms_url: str = "", in_service: bool = True) -> None:
        """A number of ours, and the address that is told of the texts that come in at it."""
        self._twilio.numbers[number] = Number(number, sms_url, bool(in_service))

    def twilio_reach(self, public: str, local: str) -> None:
        self._twilio.posts.reach(public, local)

    def twilio_shared_key(self, key: str = "") -> None:
        """Posts are signed with this key instead of the account's token; without one, with the token again."""
        self._twilio.posts.shared_key = key

    def twilio_person(self, number: str, **behaviour: Any) -> dict[str, Any]:
        person = self._twilio.person(number)
        for name, value in behaviour.items():
            if name not in Person.__dataclass_fields__ or name in TAKEN_IN:
                known = ", ".join(field for field in Person.__dataclass_fields__ if field not in TAKEN_IN)
                raise NotPossible(f"There is no behaviour “{name}”; there are {known}.")
            setattr(person, name, value)
        return asdict(person)

    def twilio_habits(self, **wanted: Any) -> dict[str, Any]:
        for name, value in wanted.items():
            if name not in Habits.__dataclass_fields__:
                known = ", ".join(Habits.__dataclass_fields__)
                raise NotPossible(f"There is no habit “{name}”; there are {known}.")
            setattr(self._twilio.habits, name, value)
        return asdict(self._twilio.habits)

    def twilio_text(self, from_: str, body: str, to: str = account.NUMBER) -> str:
        """Somebody texts a number of ours. Gives the Sid."""
        if to not in self._twilio.numbers:
            raise NotPossible(f"{to} is no number of ours; there are {', '.join(self._twilio.numbers)}.")
        return self._carrier.come_in(from_, to, body).sid

    def twilio_texts(self) -> list[dict[str, Any]]:
        return [_text_row(text) for text in self._twilio.texts]

    def twilio_calls(self) -> list[dict[str, Any]]:
        return [_call_row(call) for call in self._twilio.calls]

    def twilio_blocked(self) -> list[str]:
        """Whoever has said STOP."""
        return sorted(number for _, number in self._twilio.blocked)

    def twilio_recordings(self) -> int:
        return self._twilio.recordings

    def twilio_posts(self) -> list[dict[str, Any]]:
        return [
            {"at": post.at.isoformat(), "url": post.url, "fields": dict(post.fields), "statuses": list(post.statuses)}
            for post in self._twilio.posts.sent
        ]

    def twilio_post_again(self, number: int) -> None:
        sent = self._twilio.posts.sent
        if not 0 <= int(number) < len(sent):
            raise NotPossible(f"There is no post number {number}; {len(sent)} were written so far.")
        self._twilio.posts.take(sent[int(number)])

    def twilio_post_json(self, url: str, content: Any) -> None:
        """A post whose body is JSON, as Twilio's newer products write them."""
        self._twilio.posts.take(self._twilio.posts.written_in_json(url, content))

    def twilio_quiet(self) -> bool:
        return self._twilio.quiet()


def _text_row(text: Text) -> dict[str, Any]:
    row = asdict(text) | {"created": text.created.isoformat(), "sent": text.sent.isoformat() if text.sent else None}
    return {name: value for name, value in row.items() if name not in ("updated", "send_at", "untold")}


def _call_row(call: PhoneCall) -> dict[str, Any]:
    row = asdict(call) | {"created": call.created.isoformat()}
    return {name: value for name, value in row.items() if name not in ("started", "told")}
