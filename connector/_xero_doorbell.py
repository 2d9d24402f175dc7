"""Xero's doorbell: a short, signed post that says which contact or invoice has changed, and never what.

Before Xero believes that we listen it rings several times with no events at all, some of the rings wrongly signed on
purpose ("intent to receive"): the good ones must be answered with 200, the bad ones with 401.
https://developer.xero.com/documentation/guides/webhooks/overview/
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from connector import Forged, Refused, Ring

LISTS = {
    "CONTACT": "accounts",
    "INVOICE": "invoices",
    "CREDITNOTE": "credits",
    "PREPAYMENT": "credits",
    "OVERPAYMENT": "credits",
}
"""Xero's categories that we follow. Of all others (a subscription, say) nothing is to be read."""


class XeroDoorbell:
    """The `Doorbell` of one app at Xero; all its organisations ring here. `key` is the app's webhook signing key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def rings(self, body: bytes, headers: Mapping[str, str]) -> tuple[Ring, ...]:
        """The events of one post that are about something we follow; none in a test post.

        Raises Forged for a wrong or missing `x-xero-signature`, to be answered with 401, and Refused when a signed post
        is not as Xero describes it.
        """
        expected = base64.b64encode(hmac.digest(self._key, body, "sha256"))
        if not hmac.compare_digest(expected, headers.get("x-xero-signature", "").encode()):
            raise Forged(
                "A post to Xero's doorbell does not carry Xero's signature and was not believed. If Xero's own posts "
                "are refused, compare webhook_key in the settings with the signing key on the app's page at Xero."
            )
        try:
            post = msgspec.json.decode(body, type=_Post, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(
                "A signed post to Xero's doorbell is not as Xero describes it, so it says nothing. It is kept as it "
                "came; what changed is found by the next reading all the same."
            ) from error
        first = post.first_event_sequence
        return tuple(
            _ring(event, first + number) for number, event in enumerate(post.events) if event.event_category in LISTS
        )


class _Event(msgspec.Struct, rename="camel"):
    resource_id: str
    tenant_id: str
    event_category: str = ""
    event_date_utc: str = ""


class _Post(msgspec.Struct, rename="camel"):
    events: list[_Event]
    first_event_sequence: int = 0


def _ring(event: _Event, sequence: int) -> Ring:
    # Xero counts an app's events and gives them no other name. The count begins anew with a new app, so the rest is
    # needed too; a post that Xero repeats has the same counts.
    return Ring(
        event_id=f"{sequence}/{event.event_date_utc}/{event.resource_id}",
        tenant=event.tenant_id,
        list=LISTS[event.event_category],
        ledger_id=event.resource_id,
        at=_instant(event.event_date_utc),
    )


def _instant(text: str) -> datetime | None:
    """`2017-06-21T01:15:39.902`, in UTC without saying so."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
