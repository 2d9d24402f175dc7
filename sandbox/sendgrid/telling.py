"""The Event Webhook: what became of mails, told in signed posts of several events to each address that asked.

A post that is not answered with 2xx comes again at growing distances for a day; the same event may come twice, and a
later one before an earlier one. (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.documents import NotPossible
from sandbox.doorbells import Post, Postman
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.signing import Signer

AGAIN = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 480, 600))
"""How long after a post that was not heard it comes again; together a little less than a day. Not documented."""

LASTS = timedelta(hours=24)
PATIENCE = 10.0
KINDS = {
    "processed": "processed",
    "dropped": "dropped",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounce",
    "open": "open",
    "click": "click",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "group_unsubscribe",
    "group_resubscribe": "group_resubscribe",
}
"""The event, and the setting of a webhook that asks for it."""


@dataclass(slots=True, eq=False)
class Webhook:
    """One address that wants to be told. `signer` is there when the posts to it are signed."""

    id: str
    url: str
    created: datetime
    updated: datetime
    enabled: bool = True
    wants: set[str] = field(default_factory=set)
    friendly_name: str | None = None
    signer: Signer | None = None


@dataclass(slots=True)
class Told:
    """One post as it went out, for whoever wants to look at it afterwards."""

    at: datetime
    url: str
    events: list[dict[str, Any]]
    tries: int = 0
    statuses: list[int] = field(default_factory=list)


class Telling:
    def __init__(self, account: Account, postman: Postman) -> None:
        self._account, self._postman = account, postman
        self.webhooks: list[Webhook] = []
        self.told: list[Told] = []

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        """Now, or as late as the account's habit is."""
        account = self._account
        wait = account.habits.events_after
        if events and wait:
            at = account.now() + timedelta(seconds=wait)
            account.timetable.add(at, "SendGrid tells what became of mails", lambda: self._write(events))
        elif events:
            self._write(events)

    def again(self, number: int) -> None:
        """The same post once more, as it may come at any time."""
        if not 0 <= number < len(self.told):
            raise NotPossible(f"There is no post number {number}; {len(self.told)} were written so far.")
        self._post(self.told[number])

    def test(self, url: str) -> None:
        """One made-up event, as SendGrid sends it from the page where a webhook is set up."""
        event = {
            "email": "example@test.com",
            "timestamp": int(self._account.now().timestamp()),
            "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "event": "processed",
            "category": ["cat facts"],
            "sg_event_id": self._account.id_of(22),
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        }
        self._post(self._noted(url, [event]))

    def _write(self, events: Sequence[dict[str, Any]]) -> None:
        habits = self._account.habits
        for webhook in self.webhooks:
            wanted = [event for event in events if webhook.enabled and KINDS[event["event"]] in webhook.wants]
            batches = [[event] for event in reversed(wanted)] if habits.out_of_order else [wanted] * bool(wanted)
            for batch in batches * (2 if habits.duplicates else 1):
                self._post(self._noted(webhook.url, batch))

    def _noted(self, url: str, events: list[dict[str, Any]]) -> Told:
        told = Told(self._account.now(), url, events)
        self.told.append(told)
        return told

    def _post(self, told: Told) -> None:
        body = (json.dumps(told.events, separators=(",", ":"), ensure_ascii=False) + "\r\n").encode()
        headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "SendGrid Event API"}
        signer = next((webhook.signer for webhook in self.webhooks if webhook.url == told.url), None)
        if signer is not None:
            headers |= signer.headers(body, timestamp=str(int(self._account.now().timestamp())))
        told.tries += 1
        self._postman.take(Post(told.url, body, headers, lambda status: self._answered(told, status), PATIENCE))

    def _answered(self, told: Told, status: int) -> None:
        with self._account.lock:
            told.statuses.append(status)
            if 200 <= status <= 299:
                return
            at = self._account.now() + AGAIN[min(told.tries, len(AGAIN)) - 1]
            if at <= told.at + LASTS:
                self._account.timetable.add(at, "SendGrid tells once more", lambda: self._post(told))
