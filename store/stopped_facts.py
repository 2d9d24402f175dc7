"""Whom we may not reach any more at an address that the ledger has, and why: the facts for the engine, set by set.

Most organisations have no stopped address at all; those are asked nothing. With some, one more question goes along
with each chunk of accounts, and numbers are only taken apart where their last digits are those of a stopped one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from engine.calendars import civil_date
from engine.workflow import Channel
from store.ground import Ground
from store.numbers import country_of, e164, tail
from store.rows import Row
from store.stops import in_a_sentence, stopped_numbers, why_stopped

_IN_FORCE = "s.organisation_id = a.organisation_id AND s.medium = 'email' AND s.lifted_at IS NULL"

STOPPED_EMAILS = (
    "SELECT a.id, s.address, s.kind, s.since FROM accounts a "  # noqa: S608 - our own words
    f"JOIN address_stops s ON {_IN_FORCE} AND (s.address = lower(a.email) OR (s.address IN (SELECT lower(c.email) "
    "FROM contacts c WHERE c.account_id = a.id AND c.receives_reminders))) WHERE {a} ORDER BY s.id"
)
"""The stopped addresses of these accounts and of the people there who get reminders."""

STILL_MAILABLE = f" AND NOT EXISTS (SELECT 1 FROM address_stops s WHERE {_IN_FORCE} AND s.address = lower(c.email))"  # noqa: S608
"""Added to the question which accounts have a contact who can be written to."""


class Stopped(NamedTuple):
    """What of one account's addresses is stopped: the emails, whether its mobile number is, and why, by channel."""

    emails: frozenset[str]
    mobile: bool
    why: tuple[tuple[Channel, str], ...]

    def reach(self, email: str, mailable: bool, otherwise: tuple[bool, bool]) -> tuple[bool, bool]:
        """Whether it can be reached by email after all, and by text message. `mailable`: by a contact's address."""
        by_email = mailable or (bool(email) and email.strip().lower() not in self.emails)
        return by_email, otherwise[1]


def stopped_numbers_of(session: Session, ground: Ground) -> Mapping[str, str]:
    """Why each stopped number is, by the number; one question, and none where no number is stopped."""
    if Channel.SMS not in ground.stopped_media:
        return {}
    rows = stopped_numbers(session, ground.number, Channel.SMS).values()
    return {row.address: why_stopped(row, ground.organisation.time_zone) for row in rows}


def by_account(told: Mapping[str, Iterable[Row]], ground: Ground, numbers: Mapping[str, str]) -> Mapping[int, Stopped]:
    """The accounts of this chunk that have a stopped address."""
    emails: dict[int, dict[str, str]] = defaultdict(dict)
    for account, address, kind, since in told.get("stopped", ()):
        emails[account].setdefault(address, in_a_sentence(address, kind, _day(since, ground)))
    mobiles = _mobiles(told, ground, numbers) if numbers else {}
    return {
        account: Stopped(frozenset(emails.get(account, ())), account in mobiles, _why(account, emails, mobiles))
        for account in emails.keys() | mobiles.keys()
    }


def _mobiles(told: Mapping[str, Iterable[Row]], ground: Ground, numbers: Mapping[str, str]) -> dict[int, str]:
    country = country_of(ground.organisation.country, ground.organisation.locale)
    tails = {tail(number) for number in numbers}
    return {
        account: numbers[found]
        for account, _, _, mobile in told["accounts"]
        if mobile and tail(mobile) in tails and (found := e164(mobile, country)) in numbers
    }


def _why(
    account: int, emails: Mapping[int, Mapping[str, str]], mobiles: Mapping[int, str]
) -> tuple[tuple[Channel, str], ...]:
    why = [(Channel.EMAIL, words) for words in list(emails.get(account, {}).values())[:1]]
    return (*why, (Channel.SMS, mobiles[account])) if account in mobiles else tuple(why)


def _day(since: str | datetime, ground: Ground) -> date:
    moment = datetime.fromisoformat(since) if isinstance(since, str) else since
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return civil_date(moment, ZoneInfo(ground.organisation.time_zone))
