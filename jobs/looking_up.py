"""Looking up: whether a provider that keeps records can be asked about a message in doubt, and when.

Some providers list what they took, a little late: SendGrid in its Email Logs, Twilio in its lists of texts and calls. A
mail server of one's own keeps nothing that could be asked. So the channel says at which distances it is worth looking.
"""

from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from engine.words import in_words
from jobs.office import Office
from store.tables import MessageRow


@runtime_checkable
class KeepsRecords(Protocol):
    """A channel whose provider can be asked. Its `find` is called at these distances; with none it is not."""

    evidence_waits: tuple[timedelta, ...]


def waits_of(office: Office, carrier: str) -> tuple[timedelta, ...]:
    """At which distances from the doubt this channel's provider is asked; empty for one that keeps no record."""
    if carrier not in office.channels:
        return ()
    channel = office.channel(carrier)
    return channel.evidence_waits if isinstance(channel, KeepsRecords) else ()


def plan_looks(office: Office, message: MessageRow, now: datetime) -> None:
    """The first look, when a doubt arises."""
    waits = waits_of(office, message.channel)
    message.evidence_tries = 0
    message.evidence_next_at = now + waits[0] if waits else None


def plan_next_look(office: Office, message: MessageRow, now: datetime) -> None:
    """The look after one that found nothing; none after the last."""
    waits = waits_of(office, message.channel)
    done = message.evidence_tries = message.evidence_tries + 1
    message.evidence_next_at = now + (waits[done] - waits[done - 1]) if done < len(waits) else None


def known_of(message: MessageRow) -> str:
    """What is known of this attempt and how, in a sentence: for the page of the account."""
    if message.diverted_to == "shadow":
        return "Tried out only; nothing left the house."
    told = f" Its provider says since: {message.delivery}." if message.delivery else ""
    where = f" It went to {message.diverted_to} instead of the debtor." if message.diverted_to else ""
    if message.sent_at is not None:
        return f"It went; the provider took responsibility for it.{where}{told}"
    if not message.outcome:
        return "It was written down and is on its way; nobody has answered yet."
    outcome = f"{message.outcome[:1].upper()}{message.outcome[1:]}".rstrip(".")
    return f"{outcome}.{looked(message)}{where}{told}"


def looked(message: MessageRow) -> str:
    """How often the provider was asked in vain, and when it is asked again; with a blank before it, or empty."""
    if not message.evidence_tries and message.evidence_next_at is None:
        return ""
    times = {0: "not yet", 1: "once"}.get(message.evidence_tries, f"{message.evidence_tries} times")
    if message.evidence_next_at is None:
        return f" The provider was asked {times}, and its records do not show it; that proves nothing."
    at = message.evidence_next_at
    return f" The provider was asked {times}; it is asked again at {at:%H:%M} UTC on {in_words(at.date())}."
