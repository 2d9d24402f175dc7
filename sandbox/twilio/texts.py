"""Taking in a text that somebody wants sent: checked as Twilio checks it, and written down.

(https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource)
"""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sandbox.twilio.account import SERVICE, TEST_NUMBER, Twilio
from sandbox.twilio.records import VALID_FOR, Text
from sandbox.twilio.refusals import Refusal
from sandbox.twilio.segments import SMART, segments

E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
LONGEST = 1600
SOONEST, LATEST = timedelta(seconds=300), timedelta(days=35)
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}


def taken(twilio: Twilio, form: dict[str, str], *, trying_out: bool = False) -> Text:
    """The text, queued. Raises Refusal."""
    to, ours = form.get("To", ""), form.get("From", "")
    service, body = form.get("MessagingServiceSid", ""), form.get("Body", "")
    _check_words(to, ours, service, body)
    if trying_out:
        _check_magic(to, ours)
    else:
        _check_numbers(twilio, to, ours, service)
    if form.get("SmartEncoded", "").lower() == "true":
        body = body.translate(SMART)
    send_at = _send_at(twilio, form, service)
    return Text(
        sid=twilio.new_sid("SM"),
        direction="outbound-api",
        to=to,
        from_=ours,
        body=body,
        status="scheduled" if send_at else "accepted" if service and not ours else "queued",
        created=twilio.now(),
        segments=segments(body),
        service=service,
        callback=callback_in(form),
        valid_for=_valid_for(form),
        send_at=send_at,
    )


def callback_in(form: dict[str, str]) -> str:
    """The address for callbacks. Raises Refusal: it needs a host, and Twilio takes none with an underscore."""
    url = form.get("StatusCallback", "")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "_" in parts.hostname:
            raise Refusal(21609, url=url)
    return url


def _check_words(to: str, ours: str, service: str, body: str) -> None:
    if not to:
        raise Refusal(21604)
    if not ours and not service:
        raise Refusal(21603)
    if not body:
        raise Refusal(21602)
    if len(body) > LONGEST:
        raise Refusal(21617)


def _check_magic(to: str, ours: str) -> None:
    code = MAGIC_FROM.get(ours) or (0 if ours == TEST_NUMBER else 21606) or MAGIC_TO.get(to)
    if not code and not E164.fullmatch(to):
        code = 21211
    if code:
        raise Refusal(code, to=to, from_=ours)


def _check_numbers(twilio: Twilio, to: str, ours: str, service: str) -> None:
    if service and service != SERVICE:
        raise Refusal(21701, service=service)
    if ours and not E164.fullmatch(ours):
        raise Refusal(21212, from_=ours)
    if ours and ours not in twilio.numbers:
        raise Refusal(21606, from_=ours)
    if not E164.fullmatch(to) or to.startswith("+1500555"):
        raise Refusal(21211, to=to)
    if to == ours:
        raise Refusal(21266, to=to)
    if code := twilio.person(to).refuses:
        raise Refusal(code, to=to, from_=ours)
    if (twilio.scope(ours or service), to) in twilio.blocked:
        raise Refusal(21610)


def _valid_for(form: dict[str, str]) -> int:
    written = form.get("ValidityPeriod", str(VALID_FOR))
    if not written.isascii() or not written.isdigit() or not 1 <= int(written) <= VALID_FOR:
        raise Refusal(21624)
    return int(written)


def _send_at(twilio: Twilio, form: dict[str, str], service: str) -> datetime | None:
    if form.get("ScheduleType", "") != "fixed":
        return None
    if not service:
        raise Refusal(35118)
    at = datetime.fromisoformat(form["SendAt"])
    ahead = at - twilio.now()
    if ahead < SOONEST:
        raise Refusal(35114)
    if ahead > LATEST:
        raise Refusal(35115)
    return at
