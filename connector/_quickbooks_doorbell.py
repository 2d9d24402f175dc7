"""QuickBooks rings when something has changed; we believe only that it rang.

A post is checked on its bytes before a word of it is read. It comes in two shapes, an older one and, since July 2026,
one event after another of perhaps several companies at once.
https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping

import msgspec

from connector import Forged, Refused, Ring
from connector._quickbooks_meaning import instant

LISTS = {"invoice": "invoices", "customer": "accounts", "payment": "payments", "creditmemo": "credits"}
"""QuickBooks' kinds that we follow. Of all others (a bill, an estimate) nothing is to be read."""


class QuickBooksDoorbell:
    """The `Doorbell` of one Intuit app. `verifier_token` is on the app's page under Webhooks."""

    def __init__(self, verifier_token: str) -> None:
        self._key = verifier_token.encode()

    def __repr__(self) -> str:
        return "QuickBooksDoorbell(…)"

    def rings(self, body: bytes, headers: Mapping[str, str]) -> tuple[Ring, ...]:
        """The events of one post that are about something we follow, of every company in it.

        Raises Forged for a wrong or missing `intuit-signature`, and Refused for a signed post in no known shape.
        """
        ours = hmac.new(self._key, body, hashlib.sha256).digest()
        if not hmac.compare_digest(ours, _theirs(headers.get("intuit-signature", ""))):
            raise Forged(
                "A post to QuickBooks' doorbell does not carry Intuit's signature, so it was not read. If it was "
                "Intuit's, the verifier token in the settings is not the one on the app's page."
            )
        try:
            said = msgspec.json.decode(body, type=list[_Event] | _Old)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused("A signed post to QuickBooks' doorbell is in neither of the shapes that it has.") from error
        rings = _events(said) if isinstance(said, list) else _old_events(said, body)
        return tuple(ring for ring in rings if ring.list)


class _Event(msgspec.Struct, rename="lower"):
    """A CloudEvent, version 1.0."""

    id: str = ""
    type: str = ""
    time: str | None = None
    intuitentityid: str = ""
    intuitaccountid: str = ""


class _Entity(msgspec.Struct):
    name: str = ""
    id: str = ""
    operation: str = ""
    last_updated: str | None = msgspec.field(name="lastUpdated", default=None)


class _Changed(msgspec.Struct):
    entities: list[_Entity] = []


class _Notification(msgspec.Struct):
    realm: str = msgspec.field(name="realmId", default="")
    changed: _Changed | None = msgspec.field(name="dataChangeEvent", default=None)


class _Old(msgspec.Struct):
    notifications: list[_Notification] = msgspec.field(name="eventNotifications")


def _events(events: list[_Event]) -> Iterator[Ring]:
    for event in events:
        parts = event.type.split(".")  # qbo.invoice.updated.v1
        what = parts[1] if len(parts) > 2 and parts[0] == "qbo" else ""
        yield Ring(
            event_id=event.id,
            tenant=event.intuitaccountid,
            list=LISTS.get(what.lower(), ""),
            ledger_id=event.intuitentityid,
            at=instant(event.time),
        )


def _old_events(said: _Old, body: bytes) -> Iterator[Ring]:
    # These have no name of their own; what they say is as good as one.
    for notification in said.notifications:
        for entity in notification.changed.entities if notification.changed else ():
            name = "|".join(
                (notification.realm, entity.name, entity.id, entity.operation, entity.last_updated or _print(body))
            )
            yield Ring(
                event_id=_print(name.encode()),
                tenant=notification.realm,
                list=LISTS.get(entity.name.lower(), ""),
                ledger_id=entity.id,
                at=instant(entity.last_updated),
            )


def _print(of: bytes) -> str:
    return hashlib.sha256(of).hexdigest()[:32]


def _theirs(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.encode("latin-1", errors="replace"), validate=True)
    except (binascii.Error, ValueError):
        return b""
