"""Xero's webhooks: a signed post to the app's address whenever a contact, an invoice or a credit has changed.

A post names what changed and never says how. Before Xero believes an address it posts there several times with no
events, some of the posts wrongly signed on purpose ("intent to receive"): the address must answer 200 to the one kind
and 401 to the other. A post that is not answered with 2xx comes again, at once and then less and less often, and after
a day Xero gives the address up. https://developer.xero.com/documentation/guides/webhooks/overview/
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Timetable
from sandbox.documents import NotPossible, OddRow
from sandbox.doorbells import Post, Postman
from sandbox.organisation import Organisation

CATEGORIES = {
    "Contacts": "CONTACT",
    "Invoices": "INVOICE",
    "CreditNotes": "CREDITNOTE",
    "Overpayments": "OVERPAYMENT",
    "Prepayments": "PREPAYMENT",
}
"""Payments have none of their own."""

INTENT = (True, False, True, False)
"""Which of the posts of an intent to receive are rightly signed."""

AGAIN = (timedelta(0), *(timedelta(minutes=15 * 2**n) for n in range(6)))
"""How long after a post that was not heard it comes again. A day later the address is given up."""


@dataclass(slots=True)
class Told:
    """One post as it went out, for whoever wants to look at it afterwards."""

    at: datetime
    events: list[dict[str, Any]]
    well_signed: bool
    tries: int = 0
    statuses: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Webhooks:
    """The webhooks of the sandbox's one app. Nothing is posted until an address was given."""

    now: Callable[[], datetime]
    timetable: Timetable
    new_id: Callable[[], str]
    lock: threading.RLock
    url: str = ""
    key: bytes = b""
    edits_ring: bool = True
    """Whether changes ring that do not stamp the invoice (a new due date on a part-paid one): not documented."""

    state: str = "off"  # off, waiting (for the answers to an intent to receive), on, given up
    told: list[Told] = field(default_factory=list)
    _postman: Postman = field(default_factory=Postman)
    _sequence: int = 0
    _known: set[str] = field(default_factory=set)

    def watch(self, firm: Organisation) -> None:
        """From now on this firm's changes are told."""

        def changed(kind: str, paper: Any, stamped: bool) -> None:
            if self.state == "on" and kind in CATEGORIES and (stamped or self.edits_ring):
                self._tell([self._event(firm, kind, paper)])
            self._known.add(paper.id)

        firm.books.watchers.append(changed)

    def register(self, url: str, key: str, *, intent: bool) -> None:
        """An address to post to. With `intent` it has to show first that it tells good signatures from bad ones."""
        self.url, self.key, self.state = url, key.encode(), "waiting" if intent else "on"
        if intent:
            for well_signed in INTENT:
                self._tell([], well_signed=well_signed)

    def switch_off(self) -> None:
        self.state = "off"

    def ring_again(self, number: int) -> None:
        """The same post once more, as it may come any time: replayed by the firm, or because an answer was lost."""
        if not 0 <= number < len(self.told):
            raise NotPossible(f"There is no post number {number}; {len(self.told)} were written so far.")
        self._post(self.told[number])

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(told) | {"at": told.at.isoformat()} for told in self.told]

    def stop(self) -> None:
        self._postman.stop()

    def _event(self, firm: Organisation, kind: str, paper: Any) -> dict[str, Any]:
        event = {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/{kind}/{paper.id}",
            "resourceId": paper.id,
            "eventDateUtc": f"{self.now():%Y-%m-%dT%H:%M:%S.%f}"[:-3],
            "eventType": "UPDATE" if paper.id in self._known else "CREATE",
            "eventCategory": CATEGORIES[kind],
            "tenantId": firm.id,
            "tenantType": "ORGANISATION",
        }
        if kind != "Contacts" and not isinstance(paper, OddRow):
            event["data"] = {"Type": paper.type, "Status": paper.status}
        return event

    def _tell(self, events: list[dict[str, Any]], *, well_signed: bool = True) -> None:
        told = Told(self.now(), [], well_signed)
        for event in events:
            self._sequence += 1
            told.events.append(event | {"_sequence": self._sequence})
        self.told.append(told)
        self._post(told)

    def _post(self, told: Told) -> None:
        sequences = [event["_sequence"] for event in told.events] or [0]
        post = {
            "events": [{k: v for k, v in event.items() if k != "_sequence"} for event in told.events],
            "firstEventSequence": sequences[0],
            "lastEventSequence": sequences[-1],
            "entropy": self.new_id().replace("-", "")[:20].upper(),
        }
        body = json.dumps(post).encode()
        key = self.key if told.well_signed else b"not the key" + self.key
        signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        headers = {"Content-Type": "application/json; charset=utf-8", "x-xero-signature": signature}
        told.tries += 1
        self._postman.take(Post(self.url, body, headers, lambda status: self._answered(told, status)))

    def _answered(self, told: Told, status: int) -> None:
        with self.lock:
            told.statuses.append(status)
            if not told.events:
                self._judge()
            elif not 200 <= status <= 299 and self.state == "on":
                self._later(told)

    def _judge(self) -> None:
        """Was the whole intent to receive answered as it should be?"""
        intents = [told for told in self.told if not told.events][-len(INTENT) :]
        if all(told.statuses for told in intents):
            heard = all(told.statuses[-1] == (200 if told.well_signed else 401) for told in intents)
            self.state = "on" if heard else "off"

    def _later(self, told: Told) -> None:
        if told.tries > len(AGAIN):
            self.state = "given up"
        elif (wait := AGAIN[told.tries - 1]) == timedelta(0):
            self._post(told)
        else:
            self.timetable.add(self.now() + wait, "Xero rings once more", lambda: self._post(told))
