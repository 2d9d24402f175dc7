"""Is it safe to send? The first question of the front page, answered with its reasons.

Something that stops all sending makes the answer no. Something that stops a single account, or waits for a person,
leaves it at yes and is named beside it.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.calendars import civil_date
from engine.words import days
from store.screens import Needs
from store.tables import ConnectionRow, OrganisationRow
from web._say import counted


class Answer(StrEnum):
    YES = "yes"
    CAREFUL = "careful"
    NO = "no"


class Reason(NamedTuple):
    """One thing that was looked at. `link` leads to where a person can do something about it."""

    fine: bool
    text: str
    link: str = ""


class Verdict(NamedTuple):
    answer: Answer
    headline: str
    reasons: tuple[Reason, ...]


def verdict(
    organisation: OrganisationRow, connection: ConnectionRow | None, needs: Needs, as_of: date, since: str
) -> Verdict:
    """The answer of this moment. `since` says when sending was paused, in words."""
    stops = [
        *_brake(organisation),
        *_cap(organisation),
        *_tried_out(organisation),
        _sending(organisation, since),
        _ledger(organisation, as_of),
        _connected(connection),
    ]
    waits = [
        _waits(needs.unsure, "it is not known whether {} went out", "reminder", "reminders", "/#unsure"),
        _waits(needs.tasks, "{} open", "task is", "tasks are", "/#tasks"),
        _waits(needs.unread + needs.unmatched, "{} not been read", "reply has", "replies have", "/replies"),
        _waits(needs.refused, "{} refused", "reminder was", "reminders were", "/#refused"),
    ]
    waiting = [reason for reason in waits if reason is not None]
    if not all(reason.fine for reason in stops):
        paused = organisation.paused_at is not None
        headline = "No. Sending is paused." if paused else "No. Nothing is sent for the moment."
        if organisation.sending_mode != "live":
            headline = "Nothing reaches a customer: sending is only tried out."
        if organisation.capped_at is not None:
            headline = "No. As many have left as may."
        if organisation.braked_at is not None:
            headline = "No. The brake is on: a reading of the ledger looked wrong."
        return Verdict(Answer.NO, headline, (*stops, *waiting))
    if waiting:
        return Verdict(Answer.CAREFUL, "Yes, and some accounts wait for a person.", (*stops, *waiting))
    return Verdict(Answer.YES, "Yes.", tuple(stops))


def _brake(organisation: OrganisationRow) -> list[Reason]:
    if organisation.braked_at is None:
        return []
    return [
        Reason(False, f"{organisation.braked_why} Nothing is sent until a person has looked and released the brake.")
    ]


def _cap(organisation: OrganisationRow) -> list[Reason]:
    if organisation.capped_at is None:
        return []
    why = f"{organisation.capped_why[:1].upper()}{organisation.capped_why[1:]}"
    return [Reason(False, f"{why}. Nothing is sent until a person has looked at the plan and released the rest.")]


def _tried_out(organisation: OrganisationRow) -> list[Reason]:
    match organisation.sending_mode:
        case "live":
            return []
        case "shadow":
            text = "Sending runs in shadow mode: everything is done but the sending."
        case _:
            text = f"Every message goes to {organisation.sending_to} instead of the customers."
    return [Reason(False, text, "/settings/sending")]


def _sending(organisation: OrganisationRow, since: str) -> Reason:
    if organisation.paused_at is None:
        stopped = organisation.braked_at is not None or organisation.capped_at is not None
        return Reason(True, "Nobody has paused sending." if stopped else "Sending is on.")
    by = f" by {organisation.paused_by}" if organisation.paused_by else ""
    why = f": {organisation.paused_why}" if organisation.paused_why else ""
    return Reason(False, f"Sending has been paused{by} since {since}{why}.")


def _ledger(organisation: OrganisationRow, as_of: date) -> Reason:
    read: datetime | None = organisation.ledger_as_of
    if read is None:
        return Reason(False, "The ledger has not been read yet.", "/sync-log")
    age = (as_of - civil_date(read, ZoneInfo(organisation.time_zone))).days
    if age > organisation.stale_after_days:
        return Reason(False, f"The ledger was last read {days(age)} ago, which is too old to send on.", "/sync-log")
    return Reason(True, "The ledger data is fresh.", "/sync-log")


def _connected(connection: ConnectionRow | None) -> Reason:
    if connection is None:
        return Reason(False, "No ledger is connected.", "/connections")
    if connection.state != "active":
        return Reason(False, "The connection to the ledger needs a person: connect again.", "/connections")
    return Reason(True, "The connection to the ledger works.", "/connections")


def _waits(count: int, text: str, one: str, many: str, link: str) -> Reason | None:
    if not count:
        return None
    said = text.format(counted(count, one, many))
    return Reason(False, f"{said[:1].upper()}{said[1:]}.", link)
