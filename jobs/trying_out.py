"""Trying out: run beside today's process, and let nothing reach a debtor yet.

In shadow mode everything is done but the call to the provider; or every message goes to ourselves instead, with a line
on top that says for whom it was. Either way the books stay honest: such a reminder moves the account along its
workflow, so that all of it can be seen, but it counts as heard by nobody, the history says that nothing left, and the
ledger is told nothing. On the day of going live a person says whether accounts go on from where they stand, or first
get what they were never really sent.
"""

import html
from dataclasses import replace
from enum import StrEnum

from channels import Message
from engine.workflow import Channel
from store.tables import OrganisationRow

SHADOW = "shadow"


class SendingMode(StrEnum):
    LIVE = "live"
    TO_ME = "to me"
    SHADOW = "shadow"


def diversion(organisation: OrganisationRow, channel: Channel) -> str:
    """Where a message of this organisation really goes: empty for the debtor, else ourselves, or `shadow`."""
    match SendingMode(organisation.sending_mode):
        case SendingMode.LIVE:
            return ""
        case SendingMode.SHADOW:
            return SHADOW
        case SendingMode.TO_ME:
            ours = {Channel.EMAIL: organisation.sending_to, Channel.SMS: organisation.sending_to_number}
            return ours.get(channel, "") or SHADOW


def diverted(message: Message, to: str, medium: str, *, also: str = "") -> Message:
    """The message as it goes to ourselves: no copies, no thread, and whom it was for before its first word.

    `also` is one more sentence there, in a mail.
    """
    whom = ", ".join([f"{message.to_name} <{message.to}>".strip(), *message.cc])
    if medium != Channel.EMAIL:
        return replace(message, to=to, to_name="", text=f"[Test. For {message.to}] {message.text}")
    line = f"Only you got this. It was for {whom}. {also}".rstrip()
    return replace(
        message,
        to=to,
        to_name="",
        cc=(),
        references=(),
        subject=f"[Test: {message.to_name or message.to}] {message.subject}",
        text=f"{line}\n\n{message.text}",
        html=_on_top(line, message.html) if message.html else "",
    )


def where_to(diverted_to: str) -> str:
    """What became of it, for the history: `nothing left, because …`."""
    if diverted_to == SHADOW:
        return "nothing left, because sending runs in shadow mode"
    return f"it went to {diverted_to} instead, because sending is only tried out"


def _on_top(line: str, letter: str) -> str:
    """The line as the first thing in the letter's body."""
    box = f'<p style="padding:12px;border:2px solid #b45309;font-family:sans-serif">{html.escape(line)}</p>'
    begin = letter.lower().find("<body")
    end = letter.find(">", begin) + 1 if begin >= 0 else 0
    return letter[:end] + box + letter[end:]
