"""What SendGrid's answer means for the mail: it was taken, it was refused, it can go later, or nobody knows.

Only 202 means that it was taken (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send). SendGrid
knows no key that would make a second try harmless, so whatever may have been taken is left in doubt until there is
evidence.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from channels import Outcome, Receipt, Refused, Unavailable, Unsure

LONGEST_WAIT = timedelta(hours=24)


class Unreached(Exception):
    """No line to SendGrid could be opened, so nothing was said. The text says why."""


class Broken(Exception):
    """The line broke off, or the answer did not come in time. What was said may have been heard."""


def outcome_of(status: int, headers: Mapping[str, str], body: bytes, *, attempt: str, now: datetime) -> Outcome:
    """`headers` by any spelling of their names. Never raises."""
    said = words(status, body)
    match status:
        case 202:
            return Receipt(headers.get("X-Message-Id") or attempt, now)
        case 400 | 406 | 411 | 413 | 414 | 415 | 422:
            return Refused(f"SendGrid refused the mail: {said}")
        case 401:
            return Unavailable(
                f"SendGrid does not accept us ({said}); check api_key in [email_sendgrid], and the account"
            )
        case 403:
            todo = "give the key the right Mail Send, and authenticate the domain of from_address"
            return Unavailable(f"SendGrid does not let us send ({said}); {todo}")
        case 429:
            return Unavailable("SendGrid has been asked too often for the moment", _until(headers, now))
        case 404 | 405 | 410:
            return Unavailable(f"SendGrid knows nothing of sending mail there ({said}); check host in [email_sendgrid]")
        case _ if 300 <= status < 400:
            return Unavailable(f"SendGrid is elsewhere ({said}); check host in [email_sendgrid]")
        case _:
            return Unsure(f"SendGrid gave an answer that does not say whether it took the mail: {said}")


def words(status: int, body: bytes) -> str:
    """The status and SendGrid's own sentences on one line; 413 comes as a page from the server in front of it."""
    try:
        errors: Any = json.loads(body)["errors"]
        said = "; ".join(_sentence(error) for error in errors)
    except (ValueError, TypeError, KeyError, AttributeError):
        said = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"{status} {' '.join(said.split())}".strip()[:300]


def _sentence(error: Any) -> str:
    field = error.get("field")
    return f"{error.get('message')} ({field})" if field else str(error.get("message"))


def _until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The moment from which calls are answered again: every answer carries it (…/how-to-use-the-sendgrid-v3-api)."""
    reset, after = headers.get("X-RateLimit-Reset", ""), headers.get("Retry-After", "")
    until = now
    if reset.isascii() and reset.isdigit() and len(reset) <= 11:
        until = datetime.fromtimestamp(int(reset), UTC)
    elif after.isascii() and after.isdigit() and len(after) <= 6:
        until = now + timedelta(seconds=int(after))
    return until if now < until <= now + LONGEST_WAIT else None
