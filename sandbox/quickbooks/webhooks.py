"""Intuit's webhooks: a signed post to the app's address whenever something in a company has changed.

A post names what changed and never says how. Since the end of July 2026 it is an array of CloudEvents, before that it
was one object of notifications; both are posted here, as it is asked for. A post that is not answered 200 within three
seconds comes again after 10, 20, 30 seconds, 5 and 20 minutes, 2, 4 and 6 hours and so on, and whatever happens
meanwhile waits its turn and comes in one post.
(https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks)
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import Timetable
from sandbox.documents import NotPossible
from sandbox.doorbells import Post, Postman
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.dates import stamp
from sandbox.quickbooks.sheets import Event

AGAIN = tuple(timedelta(seconds=s) for s in (10, 20, 30, 300, 1200, 7200, 14400, 21600))
"""How long after a post that was not heard it comes again; after the last, again and again at that distance."""

PATIENCE = 3.0  # seconds in which Intuit wants its answer
SHAPES = ("cloudevents", "notifications")
OLD_VERBS = {"created": "Create", "updated": "Update", "deleted": "Delete", "voided": "Void", "merged": "Merge"}
Happened = tuple[Company, Event]


@dataclass(slots=True)
class Told:
    """One post as it went out, for whoever wants to look at it afterwards."""

    at: datetime
    body: bytes
    tries: int = 0
    statuses: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Webhooks:
    """The webhooks of the sandbox's one app. Nothing is posted until an address was given."""

    now: Callable[[], datetime]
    timetable: Timetable
    lock: threading.RLock
    url: str = ""
    verifier: bytes = b""
    shape: str = "cloudevents"
    told: list[Told] = field(default_factory=list)
    _waiting: list[Happened] = field(default_factory=list)
    _unheard: Told | None = None
    _postman: Postman = field(default_factory=Postman)

    def register(self, url: str, verifier: str, shape: str) -> None:
        if shape not in SHAPES:
            raise NotPossible(f"Webhooks come as {' or '.join(SHAPES)}, not as “{shape}”.")
        self.url, self.verifier, self.shape = url, verifier.encode(), shape
        self._unheard = None
        self._waiting.clear()

    def hear(self, company: Company, event: Event) -> None:
        if not self.url:
            return
        self._waiting.append((company, event))
        if self._unheard is None:
            self._tell()

    def ring_again(self, number: int) -> None:
        """The same post once more, as it may come at any time."""
        if not 0 <= number < len(self.told):
            raise NotPossible(f"There is no post number {number}; {len(self.told)} were written so far.")
        self._post(self.told[number])

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"at": told.at.isoformat(), "body": json.loads(told.body), "tries": told.tries, "statuses": told.statuses}
            for told in self.told
        ]

    def stop(self) -> None:
        self._postman.stop()

    def _tell(self) -> None:
        happened, self._waiting = self._waiting, []
        content = cloud_events(happened) if self.shape == "cloudevents" else notifications(happened)
        told = Told(self.now(), json.dumps(content).encode())
        self.told.append(told)
        self._unheard = told
        self._post(told)

    def _post(self, told: Told) -> None:
        if not self.url:
            return
        headers = {"Content-Type": "application/json; charset=utf-8", "intuit-signature": self._signature(told.body)}
        told.tries += 1
        self._postman.take(Post(self.url, told.body, headers, lambda status: self._answered(told, status), PATIENCE))

    def _signature(self, body: bytes) -> str:
        return base64.b64encode(hmac.digest(self.verifier, body, hashlib.sha256)).decode()

    def _answered(self, told: Told, status: int) -> None:
        with self.lock:
            told.statuses.append(status)
            if told is not self._unheard:
                return
            if status == 200:
                self._unheard = None
                if self._waiting:
                    self._tell()
            else:
                wait = AGAIN[min(told.tries, len(AGAIN)) - 1]
                self.timetable.add(self.now() + wait, "QuickBooks rings once more", lambda: self._post(told))


def cloud_events(happened: list[Happened]) -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "id": event.id,
            "source": "intuit.practice-ledger",
            "type": f"qbo.{event.entity.lower()}.{event.verb}.v1",
            "datacontenttype": "application/json",
            "time": f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z",
            "intuitentityid": event.number,
            "intuitaccountid": company.realm,
            "data": {"deletedid": event.deleted_id} if event.deleted_id else {},
        }
        for company, event in happened
    ]


def notifications(happened: list[Happened]) -> dict[str, Any]:
    realms: dict[str, list[dict[str, Any]]] = {}
    for company, event in happened:
        row = {
            "name": event.entity,
            "id": event.number,
            "operation": OLD_VERBS[event.verb],
            "lastUpdated": stamp(event.at),
        }
        realms.setdefault(company.realm, []).append(row | ({"deletedId": event.deleted_id} if event.deleted_id else {}))
    return {
        "eventNotifications": [
            {"realmId": realm, "dataChangeEvent": {"entities": rows}} for realm, rows in realms.items()
        ]
    }
