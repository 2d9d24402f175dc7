"""Matching: whose reply is this?

By the signed address or the thread first, which prove that it answers a message of ours; then by an invoice's number
and by the sender, which must not contradict one another. Two different answers are no answer: a person decides. A text
message has no thread, so it answers whatever that number was sent last.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Token, medium_of, read_tokens
from engine.replies import MatchedBy, Reply
from engine.workflow import Channel
from jobs.office import Office
from store import inbox
from store.callers import accounts_of
from store.tables import AccountRow, ContactRow, MessageRow, OrganisationRow

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{2,24}")

ANSWERED_WITHIN = timedelta(days=30)
"""A text message from a number that several accounts share answers what was sent to it in the last so many days."""


@dataclass(frozen=True, slots=True)
class Match:
    """Whose reply it is, and by which evidence. Several accounts, or none, is no match: never guess."""

    accounts: frozenset[int]
    by: MatchedBy | None
    message: MessageRow | None

    @property
    def account(self) -> int | None:
        return next(iter(self.accounts)) if len(self.accounts) == 1 else None


def matched(unit: Session, office: Office, kind: str, reply: Reply) -> Match:
    """By the strongest evidence there is. Two different answers are none."""
    if medium_of(kind) != Channel.EMAIL:
        return _by_number(unit, office, kind, reply)
    tokens = read_tokens(reply.tokens, keys=office.reply_keys)
    answered = inbox.messages_by_id(unit, reply.answers)
    by_attempt = [message for token in tokens if (message := _attempt_of(unit, token)) is not None]
    strong = _as_they_are_now(unit, {token.account for token in tokens} | {message.account_id for message in answered})
    if strong:
        by = MatchedBy.TOKEN if tokens else MatchedBy.THREAD
        return Match(strong, by, next(iter([*by_attempt, *answered]), None))
    # What a mail server sends back is about whom it could not reach, whoever signs it.
    return _weakly(_named(unit, reply), accounts_of(unit, Channel.EMAIL, reply.failed_recipient or reply.sender))


def _attempt_of(unit: Session, token: Token) -> MessageRow | None:
    """The message that this address was made for. Before a restore, its number may have been another account's."""
    message = unit.get(MessageRow, token.attempt)
    return message if message is not None and message.account_id == token.account else None


def is_a_stranger(unit: Session, account: AccountRow, message: MessageRow | None, sender: str) -> bool:
    """Whether a reply that has our signed address comes from nobody whom we know there: mails are passed on."""
    query = select(ContactRow.email).where(col(ContactRow.account_id) == account.id)
    known = {account.email, *unit.scalars(query), *([message.to, *message.cc] if message is not None else [])}
    return bool(sender) and sender.lower() not in {address.lower() for address in known if address}


def _by_number(unit: Session, office: Office, kind: str, reply: Reply) -> Match:
    """A text message: by whose number it is, and by what that number was sent last where several accounts share it."""
    known = set(_as_they_are_now(unit, accounts_of(unit, Channel.SMS, reply.sender)))
    message = _last_sent_to(unit, office, kind, reply.sender)
    spoken_to = set(_as_they_are_now(unit, [message.account_id])) if message is not None else set[int]()
    named = _named(unit, reply)
    if len(known) == 1 and (not named or named == known):
        return Match(frozenset(known), MatchedBy.SENDER, message if spoken_to == known else None)
    if spoken_to and (not known or spoken_to <= known) and (not named or named == spoken_to):
        return Match(frozenset(spoken_to), MatchedBy.THREAD, message)
    return _weakly(named, known)


def _last_sent_to(unit: Session, office: Office, kind: str, number: str) -> MessageRow | None:
    query = select(MessageRow).where(
        col(MessageRow.channel) == kind,
        col(MessageRow.to) == number,
        col(MessageRow.diverted_to) == "",
        col(MessageRow.created_at) >= office.clock() - ANSWERED_WITHIN,
    )
    return unit.scalars(query.order_by(col(MessageRow.id).desc()).limit(1)).first()


def _weakly(named: set[int], known: set[int]) -> Match:
    """By an invoice's number and by the sender. A number may only look like an invoice's, and a person may write for
    two accounts, so both must agree.
    """
    if known and named:
        agreed = known & named
        return Match(frozenset(agreed if len(agreed) == 1 else known | named), MatchedBy.INVOICE_NUMBER, None)
    if named:
        return Match(frozenset(named), MatchedBy.INVOICE_NUMBER, None)
    return Match(frozenset(known), MatchedBy.SENDER, None)


def _named(unit: Session, reply: Reply) -> set[int]:
    """The accounts that own an invoice whose number is in the reply."""
    words = {word for word in _NUMBER.findall(f"{reply.subject}\n{reply.said}") if any(map(str.isdigit, word))}
    return inbox.accounts_of_numbers(unit, words)


def _as_they_are_now(unit: Session, numbers: Iterable[int]) -> frozenset[int]:
    """The accounts, or those that they have been merged into since: two that became one are not two answers."""
    now = (account_now(unit, number) for number in set(numbers))
    return frozenset(account.id for account in now if account is not None and account.id is not None)


def account_now(unit: Session, account_id: int | None) -> AccountRow | None:
    """The account, or the one that it has been merged into since."""
    account = unit.get(AccountRow, account_id) if account_id is not None else None
    for _ in range(5):
        if account is None or account.merged_into is None:
            break
        successor = unit.scalars(
            select(AccountRow).where(
                col(AccountRow.organisation_id) == account.organisation_id,
                col(AccountRow.ledger_id) == account.merged_into,
            )
        ).one_or_none()
        if successor is None:
            break
        account = successor
    return account


def organisation_of(unit: Session, match: Match) -> int | None:
    """The organisation that an unmatched reply is shown to: that of its candidates, else the first of the house.

    It has to be shown somewhere: a reply that nobody sees is a reply that is lost.
    """
    owners = {
        account.organisation_id for number in match.accounts if (account := unit.get(AccountRow, number)) is not None
    }
    return owners.pop() if len(owners) == 1 else first_organisation(unit)


def first_organisation(unit: Session) -> int | None:
    """The organisation that was founded first: where matters of nobody in particular are shown."""
    return unit.scalars(select(OrganisationRow.id).order_by(col(OrganisationRow.id)).limit(1)).first()
