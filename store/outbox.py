"""The outbox: a reminder is a row first and a message later, and every step on the way is a compare-and-set.

A worker claims a row for a while; it marks it as being sent before anything leaves; it settles it afterwards. A claim
that runs out before the mark is harmless, because nothing had left. A mark without a settlement is a doubt, and a
doubt is never sent again by itself.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlmodel import Session, col

from engine.letters import LETTER_CYCLE
from engine.reminders import ANSWER_CYCLE, ReminderState
from store.tables import MessageRow, PhoneCallRow, ReminderRow


def ready(session: Session, *, now: datetime, organisation_id: int | None = None, limit: int = 500) -> Sequence[int]:
    """The reminders that may leave now, oldest sending time first."""
    query = select(ReminderRow.id).where(_free(now), col(ReminderRow.send_after) <= now)
    if organisation_id is not None:
        query = query.where(col(ReminderRow.organisation_id) == organisation_id)
    numbers: Sequence[int] = session.scalars(
        query.order_by(col(ReminderRow.send_after), col(ReminderRow.id)).limit(limit)
    ).all()
    return numbers


def count_ready(session: Session, organisation_id: int, *, now: datetime) -> int:
    """How many reminders of this organisation could leave now, those that somebody is looking at included."""
    query = select(func.count(col(ReminderRow.id))).where(
        col(ReminderRow.organisation_id) == organisation_id,
        _queued(),
        col(ReminderRow.held_because) == "",
        col(ReminderRow.send_after) <= now,
    )
    return int(session.scalar(query) or 0)


def held_because(session: Session, organisation_id: int, why: str, *, now: datetime) -> list[int]:
    """The queued reminders whose reason to wait begins with these words. The rule holds no letter; one may have been
    kept back by its gate for that reason, or be ready and still to be asked.
    """
    letter = col(ReminderRow.cycle) == LETTER_CYCLE
    query = select(ReminderRow.id).where(
        col(ReminderRow.organisation_id) == organisation_id,
        _queued(),
        or_(
            col(ReminderRow.held_because).startswith(why, autoescape=True),
            and_(letter, col(ReminderRow.why).startswith(why, autoescape=True)),
            and_(letter, col(ReminderRow.why) == "", col(ReminderRow.send_after) <= now),
        ),
    )
    return [int(number) for number in session.scalars(query) if number is not None]


def organisations_of(session: Session, reminder_ids: Sequence[int]) -> set[int]:
    """Whose reminders these are."""
    query = select(ReminderRow.organisation_id).where(col(ReminderRow.id).in_(reminder_ids)).distinct()
    return set(session.scalars(query))


def claim(session: Session, reminder_id: int, *, by: str, now: datetime, until: datetime) -> ReminderRow | None:
    """Claims one reminder until then, or None when it is no longer free."""
    taken = session.execute(
        update(ReminderRow).where(col(ReminderRow.id) == reminder_id, _free(now)).values(claim=by, claimed_until=until)
    )
    return session.get(ReminderRow, reminder_id) if _one(taken) else None


def release(
    session: Session, reminder_id: int, *, by: str, why: str = "", next_attempt_at: datetime | None = None
) -> None:
    """Gives a claimed reminder back, to be tried again at that time."""
    session.execute(
        update(ReminderRow)
        .where(col(ReminderRow.id) == reminder_id, col(ReminderRow.claim) == by, _queued())
        .values(claim="", claimed_until=None, why=why, next_attempt_at=next_attempt_at)
    )


def mark_sending(session: Session, reminder_id: int, *, by: str, until: datetime) -> bool:
    """From here a crash leaves a doubt. False when the claim was lost."""
    marked = session.execute(
        update(ReminderRow)
        .where(col(ReminderRow.id) == reminder_id, col(ReminderRow.claim) == by, _queued())
        .values(
            state=ReminderState.SENDING,
            attempts=col(ReminderRow.attempts) + 1,
            claimed_until=until,
            next_attempt_at=None,
            why="",
        )
    )
    return _one(marked)


def settle(
    session: Session,
    reminder_id: int,
    state: ReminderState,
    *,
    now: datetime,
    why: str = "",
    performed_on: date | None = None,
    heard: bool = True,
    from_states: tuple[ReminderState, ...] = (ReminderState.SENDING,),
) -> bool:
    """What became of it, for good. False when somebody else has settled it before."""
    settled = session.execute(
        update(ReminderRow)
        .where(col(ReminderRow.id) == reminder_id, col(ReminderRow.state).in_(from_states))
        .values(
            state=state,
            why=why,
            settled_at=now,
            performed_on=performed_on,
            heard=heard,
            counted=False,
            claim="",
            claimed_until=None,
            held_because="",
        )
    )
    return _one(settled)


def put_back(
    session: Session,
    reminder_id: int,
    *,
    why: str,
    next_attempt_at: datetime | None,
    from_states: tuple[ReminderState, ...] = (ReminderState.SENDING,),
) -> bool:
    """It certainly did not leave: queued again, to be tried at that time."""
    back = session.execute(
        update(ReminderRow)
        .where(
            col(ReminderRow.id) == reminder_id,
            col(ReminderRow.state).in_(from_states),
        )
        .values(
            state=ReminderState.QUEUED,
            claim="",
            claimed_until=None,
            why=why,
            next_attempt_at=next_attempt_at,
            settled_at=None,
        )
    )
    return _one(back)


def stranded(session: Session, *, now: datetime) -> Sequence[ReminderRow]:
    """Reminders that were being sent when somebody died: nobody knows whether they left."""
    return session.scalars(
        select(ReminderRow).where(col(ReminderRow.state) == ReminderState.SENDING, col(ReminderRow.claimed_until) < now)
    ).all()


def waiting_answers(session: Session) -> Sequence[ReminderRow]:
    """The answers of people that could not leave yet."""
    return session.scalars(select(ReminderRow).where(_queued(), col(ReminderRow.cycle) == ANSWER_CYCLE)).all()


def doubtful(session: Session, *, now: datetime) -> Sequence[MessageRow]:
    """The latest messages of unsure reminders whose provider is to be asked now."""
    query = (
        select(MessageRow)
        .join(ReminderRow, col(ReminderRow.id) == col(MessageRow.reminder_id))
        .where(
            col(MessageRow.evidence_next_at).is_not(None),
            col(MessageRow.evidence_next_at) <= now,
            col(ReminderRow.state) == ReminderState.UNSURE,
            ~_put_through_by_a_person(),
        )
    )
    return session.scalars(query.order_by(col(MessageRow.evidence_next_at))).all()


def doubtful_calls(session: Session, *, now: datetime, lost_before: datetime) -> Sequence[int]:
    """The calls by a person whose provider is to be asked now, and those that were being handed over when a process
    died, which was before `lost_before`.
    """
    lost = and_(col(PhoneCallRow.state) == "dialling", col(PhoneCallRow.begun_at) <= lost_before)
    asked = and_(col(PhoneCallRow.state) == "unsure", col(MessageRow.evidence_next_at) <= now)
    query = (
        select(PhoneCallRow.id)
        .join(MessageRow, col(MessageRow.id) == col(PhoneCallRow.message_id))
        .where(~col(PhoneCallRow.by_machine), col(PhoneCallRow.settled_at).is_(None), or_(lost, asked))
    )
    return session.scalars(query.order_by(col(PhoneCallRow.id))).all()  # type: ignore[return-value]


def is_of_another(session: Session, message: MessageRow, provider_id: str) -> bool:
    """Whether what the provider calls so is known to be another attempt than this one."""
    query = select(MessageRow.id).where(
        col(MessageRow.organisation_id) == message.organisation_id,
        col(MessageRow.created_at) >= message.created_at - timedelta(days=1),
        col(MessageRow.provider_id) == provider_id,
        col(MessageRow.id) != message.id,
    )
    return session.scalars(query.limit(1)).first() is not None


def missed(session: Session, organisation_id: int, *, before: datetime) -> Sequence[ReminderRow]:
    """Reminders of this organisation that could have left before then and have not, and that nothing else holds."""
    query = select(ReminderRow).where(col(ReminderRow.organisation_id) == organisation_id, *_missed(before))
    return session.scalars(query.order_by(col(ReminderRow.id))).all()


def organisations_that_missed(session: Session, *, before: datetime) -> list[int]:
    """The organisations that have such reminders."""
    query = select(ReminderRow.organisation_id).where(*_missed(before)).distinct()
    return sorted(session.scalars(query))


def last_message(session: Session, reminder_id: int) -> MessageRow | None:
    """The message of the latest attempt."""
    return session.scalars(
        select(MessageRow)
        .where(col(MessageRow.reminder_id) == reminder_id)
        .order_by(col(MessageRow.id).desc())
        .limit(1)
    ).one_or_none()


def _queued() -> ColumnElement[bool]:
    return col(ReminderRow.state) == ReminderState.QUEUED


def _put_through_by_a_person() -> ColumnElement[bool]:
    """A call that a person makes is settled with its own line, not with the step that it stands for."""
    return (
        select(PhoneCallRow.id)
        .where(col(PhoneCallRow.message_id) == col(MessageRow.id), ~col(PhoneCallRow.by_machine))
        .exists()
    )


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        _queued(),
        col(ReminderRow.held_because) == "",
        or_(col(ReminderRow.next_attempt_at).is_(None), col(ReminderRow.next_attempt_at) <= now),
        or_(col(ReminderRow.claimed_until).is_(None), col(ReminderRow.claimed_until) < now),
    )


def _missed(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return _queued(), col(ReminderRow.held_because) == "", col(ReminderRow.send_after) < before


def _one(result: Any) -> bool:
    return bool(result.rowcount == 1)
