"""The desk for what Twilio has, as a program sees it: `control.twilio.…`. Numbers are written +447700900123."""

import threading
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


class TwilioControl:
    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def number(self, number: str | None = None, *, sms_url: str = "", in_service: bool = True) -> None:
        """A number of ours (the one there is, unless another is named), and where texts to it are posted."""
        self._ask("twilio_number", number=number, sms_url=sms_url, in_service=in_service)

    def reach(self, public: str, local: str) -> None:
        """Posts to addresses below `public` go to `local` instead, signed as for `public`: there is a proxy."""
        self._ask("twilio_reach", public=public, local=local)

    def shared_key(self, key: str = "") -> None:
        """Posts are signed with this key (HMAC-SHA256) instead of the account's token."""
        self._ask("twilio_shared_key", key=key)

    def person(self, number: str, **behaviour: Any) -> Row:
        """answers="yes" | "busy" | "no-answer" | "failed", presses=["1", ""], machine="" | "machine" | "fax", talks=30,
        texts_end="delivered" | "sent" | "undelivered" | "failed", code=30003, refuses=21614 (0: no), replies=["…"],
        reply_after=600. Gives all of it, and what was `heard`."""
        return self._ask("twilio_person", keep={"number": number} | behaviour)

    def heard(self, number: str) -> list[str]:
        """What was said to whoever has this number."""
        return list(self.person(number)["heard"])

    def voices(self, number: str) -> list[str]:
        """The language in which each of it was spoken, as `de-DE`."""
        return list(self.person(number)["voices"])

    def habits(self, **habits: Any) -> Row:
        """queue_seconds=0, callbacks_doubled=, callbacks_reversed=, callbacks_lost=, advanced_opt_out=False."""
        return self._ask("twilio_habits", keep=habits)

    def text(self, from_: str, body: str, *, to: str | None = None, at: Any = None) -> str:
        """Somebody texts us. Gives the Sid."""
        return self._ask("twilio_text", from_=from_, to=to, at=at, keep={"body": body})

    def texts(self) -> list[Row]:
        """All of them, out and in, oldest first."""
        return self._ask("twilio_texts")

    def calls(self) -> list[Row]:
        """Every leg, oldest first; `troubles` is what Twilio would write into its debugger."""
        return self._ask("twilio_calls")

    def blocked(self) -> list[str]:
        return self._ask("twilio_blocked")

    def recordings(self) -> int:
        return self._ask("twilio_recordings")

    def posts(self) -> list[Row]:
        """{at, url, fields, statuses} of each, oldest first. A status of 0: nobody answered."""
        return self._ask("twilio_posts")

    def post_again(self, number: int) -> None:
        self._ask("twilio_post_again", number=number)

    def post_json(self, url: str, content: Any) -> None:
        self._ask("twilio_post_json", keep={"url": url, "content": content})

    def settled(self, *, within: float = 20) -> None:
        """Waits until every call is over and every post answered. Raises TimeoutError."""
        patience = threading.Event()
        for _ in range(int(within / 0.01)):
            if self._ask("twilio_quiet"):
                return
            patience.wait(0.01)
        raise TimeoutError(f"Twilio was still talking after {within} seconds.")
