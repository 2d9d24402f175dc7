"""A decision put down whole: position, reminders, notes and tasks, in the transaction of whoever asked.

Only what has changed is written, and in batches, so that looking at ten thousand accounts that stand where they stood
costs next to nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Update, insert, select, update
from sqlmodel import Session, col

from engine.calendars import SENDING_WINDOW, moment_of
from engine.facts import Decision, Facts
from engine.holds import HoldKind, sentence
from engine.position import Held
from engine.reminders import Order, ReminderKey, ReminderState, Withdrawal
from store.facts import Ground
from store.history import write_note
from store.tables import AccountRow, PositionRow, ReminderRow
from store.tasks import close_task, open_accounts, open_task

Decided = tuple[Facts, Decision]
_SETTLED_BY_THE_DAY = ("because", "as_of", "decided_at")


def save_decisions(
    session: Session,
    ground: Ground,
    decided: Mapping[int, Decided],
    *,
    as_of: date,
    now: datetime,
    first_look: bool = False,
) -> int:
    """Writes what changed. Returns the number of positions that did.

    What becomes due in the `first_look` of a day may still leave today; what becomes due later, in the course of the
    day, waits for the next sending time.
    """
    changed = _save_positions(session, ground, decided, as_of=as_of, now=now)
    counted = [account_id for account_id, (facts, _) in decided.items() if facts.outcomes]
    if counted:
        session.execute(
            update(ReminderRow)
            .where(col(ReminderRow.account_id).in_(counted), col(ReminderRow.state) == ReminderState.SENT)
            .values(counted=True)
        )
    missing_address = open_accounts(session, organisation_id=_number(ground), kind="no address")
    moment = sending_moment(ground, as_of, now, window=SENDING_WINDOW if first_look else timedelta(0))
    for account_id, (facts, decision) in decided.items():
        _save_reminders(session, ground, account_id, facts, decision, send_after=moment, now=now)
        for note in decision.notes:
            write_note(
                session,
                organisation_id=_number(ground),
                account_id=account_id,
                kind=note.kind,
                text=note.text,
                at=now,
                by="arrears",
            )
        known = account_id in missing_address
        _mind_the_address(session, ground, account_id, decision, known=known, now=now)
    return changed


def _save_positions(
    session: Session, ground: Ground, decided: Mapping[int, Decided], *, as_of: date, now: datetime
) -> int:
    known = _known_positions(session, ground, list(decided))
    fresh, altered = [], []
    for account_id, (_, decision) in decided.items():
        row = _position_row(ground, account_id, decision, as_of=as_of, now=now)
        before = known.get(account_id)
        if before is None:
            fresh.append(row)
        elif any(before[name] != value for name, value in row.items() if name not in _SETTLED_BY_THE_DAY):
            altered.append(row)
    if fresh:
        session.execute(insert(PositionRow), fresh)
    if altered:
        session.execute(update(PositionRow), altered)
    return len(fresh) + len(altered)


def _known_positions(session: Session, ground: Ground, ids: list[int]) -> dict[int, Mapping[str, Any]]:
    query = select(PositionRow.__table__).where(col(PositionRow.organisation_id) == ground.organisation.id)
    if len(ids) < 1000:
        query = query.where(col(PositionRow.account_id).in_(ids))
    return {row["account_id"]: dict(row) for row in session.execute(query).mappings()}


def _position_row(ground: Ground, account_id: int, decision: Decision, *, as_of: date, now: datetime) -> dict[str, Any]:
    position, run = decision.position, decision.position.run
    step = position.next_step
    return {
        "account_id": account_id,
        "organisation_id": _number(ground),
        "workflow_id": position.workflow.id,
        "state": type(position.state).__name__.lower(),
        "because": position.because,
        "as_of": as_of,
        "assigned_step": position.assigned.name if position.assigned else None,
        "next_step": step.name if step else None,
        "next_due_on": position.next_due_on,
        "driver_id": position.driver.id if position.driver else None,
        "held_because": sentence(position.state.holds[0]) if isinstance(position.state, Held) else "",
        "cycle": decision.cycle,
        "last_reminded_on": decision.last_reminded_on,
        "anchor": run.anchor if run else None,
        "run_driver_id": run.driver if run else None,
        "driver_due_on": run.driver_due_on if run else None,
        "done": run.done if run else None,
        "done_day": run.done_day if run else 0,
        "last_heard_on": run.last_heard_on if run else None,
        "decided_at": now,
    }


def _save_reminders(
    session: Session,
    ground: Ground,
    account_id: int,
    facts: Facts,
    decision: Decision,
    *,
    send_after: datetime,
    now: datetime,
) -> None:
    for withdrawal in decision.withdrawals:
        _withdraw(session, account_id, withdrawal, now=now)
    for order in decision.orders:
        known = next((one for one in facts.standing if one.key == order.key), None)
        if known is None:
            _queue(session, ground, account_id, decision, order, send_after=send_after, now=now)
        elif known.state is ReminderState.QUEUED and known.held_because != order.held_because:
            _hold_or_release(session, account_id, order, send_after=send_after)


def _queue(
    session: Session,
    ground: Ground,
    account_id: int,
    decision: Decision,
    order: Order,
    *,
    send_after: datetime,
    now: datetime,
) -> None:
    """Queues a reminder. One of the same key that was withdrawn before it left is taken up again."""
    again = session.execute(
        _change(account_id, order.key, ReminderState.WITHDRAWN).values(
            state=ReminderState.QUEUED,
            due_on=order.due_on,
            send_after=send_after,
            held_because=order.held_because,
            why="",
            settled_at=None,
            approved_at=None,
            queued_at=now,
        )
    )
    if again.rowcount:
        return
    session.add(
        ReminderRow(
            organisation_id=_number(ground),
            account_id=account_id,
            cycle=order.key.cycle,
            step_id=order.key.step,
            step_name=order.step.name,
            workflow_id=int(decision.position.workflow.id),
            channel=order.step.channel,
            due_on=order.due_on,
            send_after=send_after,
            held_because=order.held_because,
            queued_at=now,
        )
    )
    session.flush()


def _hold_or_release(session: Session, account_id: int, order: Order, *, send_after: datetime) -> None:
    session.execute(
        _change(account_id, order.key, ReminderState.QUEUED).values(
            held_because=order.held_because, send_after=send_after
        )
    )


def _withdraw(session: Session, account_id: int, withdrawal: Withdrawal, *, now: datetime) -> None:
    session.execute(
        _change(account_id, withdrawal.key, ReminderState.QUEUED).values(
            state=ReminderState.WITHDRAWN, why=withdrawal.why, settled_at=now, held_because=""
        )
    )


def _change(account_id: int, key: ReminderKey, state: ReminderState) -> Update:
    """A change to one reminder that happens only while it is in this state."""
    return update(ReminderRow).where(
        col(ReminderRow.account_id) == account_id,
        col(ReminderRow.cycle) == key.cycle,
        col(ReminderRow.step_id) == key.step,
        col(ReminderRow.state) == state,
    )


def sending_moment(ground: Ground, as_of: date, now: datetime, *, window: timedelta = timedelta(0)) -> datetime:
    """Today's sending time; once that and the window after it have passed, the next sending day's."""
    zone, at = ZoneInfo(ground.organisation.time_zone), ground.organisation.sending_time
    today = moment_of(as_of, at, zone)
    if now <= today + window and ground.rules.sending.allows(as_of):
        return today
    return moment_of(ground.rules.sending.first_from(as_of + timedelta(days=1)), at, zone)


def _mind_the_address(
    session: Session, ground: Ground, account_id: int, decision: Decision, *, known: bool, now: datetime
) -> None:
    """An account that is due and has no address is a task for a person, until it has one or nothing is due."""
    state = decision.position.state
    missing = isinstance(state, Held) and any(hold.kind is HoldKind.NO_ADDRESS and not hold.by for hold in state.holds)
    key = f"no address:{account_id}"
    if missing and not known:
        account = session.get(AccountRow, account_id)
        name = account.name if account else "This account"
        open_task(
            session,
            organisation_id=_number(ground),
            account_id=account_id,
            key=key,
            kind="no address",
            text=f"{name} cannot be reminded: the ledger has no email address for it. Add one there.",
            at=now,
        )
    elif known and not missing:
        close_task(session, organisation_id=_number(ground), key=key, at=now, by="arrears")


def _number(ground: Ground) -> int:
    assert ground.organisation.id is not None
    return ground.organisation.id
