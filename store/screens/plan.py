"""The plan on the front page: the reminders that are to go, those in doubt or refused, and what holds each back.

A plan that promised more than would really go out would be worse than none, so behind a pause of the whole
organisation every other hold still counts.
"""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from engine.holds import Hold, HoldKind, sentence
from engine.letters import LETTER_CYCLE
from engine.reminders import ReminderState
from store.tables import AccountRow, HoldRow, ReminderRow, TaskRow

_PAUSE = sentence(Hold(HoldKind.ORGANISATION_PAUSED, date.min))
_BRAKE = sentence(Hold(HoldKind.BRAKE, date.min))
_CAP = sentence(Hold(HoldKind.CAP, date.min))


class Planned(NamedTuple):
    """A reminder, with the name of its account, and whether more than a pause of the organisation holds it."""

    reminder: ReminderRow
    account: str
    held: bool

    @property
    def because(self) -> str:
        """What holds it. Of the reasons behind a pause of the whole organisation only the account itself can tell."""
        if self.reminder.cycle == LETTER_CYCLE:
            return self.reminder.why or "something holds the account"
        paused = self.reminder.held_because.startswith((_PAUSE, _BRAKE, _CAP))
        return "something holds the account besides; its page says what" if paused else self.reminder.held_because


def reminders(session: Session, organisation_id: int, *states: ReminderState, limit: int = 60) -> tuple[Planned, ...]:
    """Reminders in these states, in the order in which they may leave."""
    query: Any = (
        select(ReminderRow, AccountRow.name, _held_anyway())
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state).in_(states))
        .order_by(col(ReminderRow.send_after), AccountRow.name)
        .limit(limit)
    )
    return tuple(Planned(*row) for row in session.execute(query))


def queued(session: Session, organisation_id: int) -> tuple[int, int]:
    """How many reminders are queued to go (were the organisation not paused), and how many something else holds."""
    held = _held_anyway()
    query: Any = (
        select(func.count(case((~held, 1))), func.count(case((held, 1))))
        .select_from(ReminderRow)
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state) == ReminderState.QUEUED)
    )
    going, others = session.execute(query).one()
    return going, others


def _held_anyway() -> ColumnElement[bool]:
    """A queued reminder names its first hold only. Behind a pause of the whole organisation there may be others."""
    because = col(ReminderRow.held_because)
    paused = or_(*(because.startswith(why, autoescape=True) for why in (_PAUSE, _BRAKE, _CAP)))
    hold = exists().where(
        col(HoldRow.account_id) == AccountRow.id, col(HoldRow.invoice_id).is_(None), col(HoldRow.lifted_at).is_(None)
    )
    endless = hold.where(col(HoldRow.until).is_(None))
    address = exists().where(
        col(TaskRow.account_id) == AccountRow.id, col(TaskRow.kind) == "no address", col(TaskRow.closed_at).is_(None)
    )
    other = aliased(ReminderRow)
    doubt = exists().where(
        col(other.account_id) == AccountRow.id, col(other.state).in_((ReminderState.UNSURE, ReminderState.SENDING))
    )
    return or_(
        and_(because != "", or_(~paused, hold, address, doubt)),
        # The rule holds no letter: its gate does, and has said why once it was asked.
        and_(col(ReminderRow.cycle) == LETTER_CYCLE, or_(col(ReminderRow.why) != "", endless, address, doubt)),
    )
