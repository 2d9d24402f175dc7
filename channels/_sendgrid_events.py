"""What SendGrid tells of a mail that it took, one event at a time, and what each means for the address.

Events come late, twice and in any order; each has a name of its own by which it is stored once. Events of mails that
are not ours (the same account may send others) and those that say nothing about delivery are not kept.
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from channels import Delivery, DeliveryEvent, Kept
from channels._sendgrid_mail import ATTEMPT, TOKEN

KINDS = {
    "processed": Delivery.ACCEPTED,
    "deferred": Delivery.DEFERRED,
    "delivered": Delivery.DELIVERED,
    "bounce": Delivery.FAILED,
    "dropped": Delivery.FAILED,
    "spamreport": Delivery.COMPLAINT,
    "unsubscribe": Delivery.OPTED_OUT,
    "group_unsubscribe": Delivery.OPTED_OUT,
}
CONDEMNED = ("bounced address", "invalid", "spam reporting address", "unsubscribed address")
"""Reasons for a drop that lie in the address itself; the others lie in the mail or in our account."""

DETAILS = ("event", "type", "status", "bounce_classification")
LONGEST = 500


def kept(body: bytes) -> Iterator[Kept]:
    """The events of one post that are worth keeping. Raises ValueError when the post is no list of events."""
    rows = json.loads(body)
    if not isinstance(rows, list):
        raise ValueError("The post is no list of events.")
    for row in rows:
        if isinstance(row, dict) and row.get("event") in KINDS and (row.get(ATTEMPT) or row.get(TOKEN)):
            raw = json.dumps(row).encode("ascii")
            name = row.get("sg_event_id")
            named = isinstance(name, str) and 0 < len(name) <= 100
            yield Kept(f"event:{name if named else sha256(raw).hexdigest()}", raw)


def read_event(raw: bytes) -> DeliveryEvent:
    """One event that was kept. Raises ValueError with a sentence."""
    try:
        row = json.loads(raw)
        kind = KINDS[row["event"]]
    except (ValueError, TypeError, KeyError) as problem:
        raise ValueError("This is no event of SendGrid's that we know.") from problem
    token = _text(row, TOKEN)
    return DeliveryEvent(
        kind,
        # The number alone could be another installation's, writing from the same account; the token says whose it is.
        attempt="" if token else _text(row, ATTEMPT),
        token=token,
        provider_id=_text(row, "sg_message_id").partition(".")[0],
        recipient=_text(row, "email"),
        message_id=_text(row, "smtp-id"),
        why=_text(row, "reason") or _text(row, "response"),
        at=_moment(row.get("timestamp")),
        stops_address=_stops(row),
        details={name: _text(row, name) for name in DETAILS if _text(row, name)},
    )


def _stops(row: Mapping[str, Any]) -> bool:
    match row["event"]:
        case "bounce":
            return _text(row, "type") != "blocked"  # blocked: the mail or our name was not liked, the address is good
        case "dropped":
            return _text(row, "reason").strip().lower() in CONDEMNED
        case "spamreport" | "unsubscribe" | "group_unsubscribe":
            return True
    return False


def _text(row: Mapping[str, Any], name: str) -> str:
    """On one line and of bounded length: the words are those of strangers' mail servers."""
    value = row.get(name, "")
    written = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return " ".join(written.encode("utf-8", "replace").decode().replace("\0", " ").split())[:LONGEST]


def _moment(stamp: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
