"""Matching: whose reply is this?

By the signed address or the thread first, which prove that it answers a message of ours; then by an invoice's number
and by the sender, which must not contradict one another. Two different answers are no answer: a person decides.
"""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from channels import read_tokens
from engine.replies import MatchedBy, Reply
from jobs.office import Office
from store import inbox
from store.tables import AccountRow, MessageRow, OrganisationRow

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{2,24}")


@dataclass(frozen=True, slots=True)
class Match:
    """Whose reply it is, and by which evidence. Several accounts, or none, is no match: never guess."""

    accounts: frozenset[int]
    by: MatchedBy | None
    message: MessageRow | None

    @property
    def account(self) -> int | None:
        return next(iter(self.accounts)) if len(self.accounts) == 1 else None


def matched(unit: Session, office: Office, reply: Reply) -> Match:
    """By signed address and thread, else by invoice number, else by sender. Two different answers are none."""
    tokens = read_tokens(reply.tokens, keys=office.reply_keys)
    answered = inbox.messages_by_id(unit, reply.answers)
    by_attempt = [message for token in tokens if (message := unit.get(MessageRow, token.attempt)) is not None]
    strong = {token.account for token in tokens} | {message.account_id for message in answered}
    if strong:
        by = MatchedBy.TOKEN if tokens else MatchedBy.THREAD
        return Match(frozenset(strong), by, next(iter([*by_attempt, *answered]), None))
    known = inbox.accounts_of_address(unit, reply.sender)
    words = {word for word in _NUMBER.findall(f"{reply.subject}\n{reply.said}") if any(map(str.isdigit, word))}
    named = inbox.accounts_of_numbers(unit, words)
    if known and named:
        # A number may only look like an invoice's, and a person may write for two accounts: both must agree.
        agreed = known & named
        return Match(frozenset(agreed if len(agreed) == 1 else known | named), MatchedBy.INVOICE_NUMBER, None)
    if named:
        return Match(frozenset(named), MatchedBy.INVOICE_NUMBER, None)
    return Match(frozenset(known), MatchedBy.SENDER, None)


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
