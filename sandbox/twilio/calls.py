"""Taking in a call that somebody wants made: checked as Twilio checks it, and written down.

(https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource)
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sandbox.twilio.account import TEST_NUMBER, Twilio
from sandbox.twilio.records import PhoneCall
from sandbox.twilio.refusals import Refusal
from sandbox.twilio.texts import E164, callback_in

EVENTS = ("initiated", "ringing", "answered", "completed")
LONGEST_TWIML = 4000
MAGIC_TO = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}


def taken(twilio: Twilio, pairs: Sequence[tuple[str, str]], *, trying_out: bool = False) -> PhoneCall:
    """The call, queued. Raises Refusal."""
    form = dict(pairs)
    to, ours = form.get("To", ""), form.get("From", "")
    if not to:
        raise Refusal(21201)
    if not ours:
        raise Refusal(21213)
    if trying_out:
        code = (0 if ours == TEST_NUMBER else 21210) or MAGIC_TO.get(to, 0)
    elif ours not in twilio.numbers:
        code = 21210
    else:
        code = 0 if E164.fullmatch(to) else 21211
        code = code or twilio.person(to).refuses
    if code:
        raise Refusal(code, to=to, from_=ours)
    _check_address(form)
    return PhoneCall(
        sid=twilio.new_sid("CA"),
        direction="outbound-api",
        to=to,
        from_=ours,
        created=twilio.now(),
        callback=callback_in(form),
        events=events_in(tuple(value for name, value in pairs if name == "StatusCallbackEvent")),
        wishes=form,
    )


def events_in(written: Sequence[str]) -> tuple[str, ...]:
    """What the caller wants to hear of; each may be given apart, or several with spaces between."""
    events = tuple(event for value in written for event in value.split())
    if unknown := [event for event in events if event not in EVENTS]:
        raise Refusal(20001, event=unknown[0])
    return events or ("completed",)


def _check_address(form: dict[str, str]) -> None:
    url, twiml = form.get("Url", ""), form.get("Twiml", "")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refusal(21205, url=url)
    elif not twiml or len(twiml) > LONGEST_TWIML:
        raise Refusal(21205, url="")
