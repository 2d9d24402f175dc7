"""A decision put down whole: position, reminders, notes and tasks, in the transaction of whoever asked.

Only what has changed is written, and in batches, so that looking at ten thousand accounts that stand where they stood
costs next to nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from engine.calendars import SENDING_WINDOW, moment_of
from engine.facts import Decision, Facts
from engine.holds import HoldKind
from engine.limits import Opening, first_open
from engine.notes import NoteKind
from engine.position import Held
from engine.reminders import Order, ReminderState, Withdrawal
from store import rows
from store.alike import Likeness, Likes
from store.ground import Ground
from store.history import OfAccount, told_to_the_ledger, write_for_ourselves, write_for_the_ledger
from store.kept_decisions import keep
from store.positions import POSITION_COLUMNS, WALK_COLUMNS, position_row, walk_row
from store.tables import AccountRow
from store.tasks import close_task, open_task


class Decided(NamedTuple):
    """One account that was looked at: its number, what was known, the row it had, and what follows.

    `unaddressed`: a task is open because it is due and has no address. `likeness`: see `store.alike`.
    """

    account: int
    facts: Facts
    row: rows.Row | None
    unaddressed: bool
    likeness: Likeness | None
    decision: Decision


class Saving(NamedTuple):
    """What all decisions of one look have in common. `ground` is the number under which the ground is kept.

    What becomes due in the first look of a day may still leave at `send_after`, today's sending time; what becomes due
    later, in the course of the day, waits for the next sending time, which `send_after` then is.
    """

    ground: Ground
    ground_number: int
    as_of: date
    now: datetime
    send_after: datetime
    touched: frozenset[int] | None
    likes: Likes | None


def saving(
    ground: Ground,
    ground_number: int,
    *,
    as_of: date,
    now: datetime,
    first_look: bool,
    touched: frozenset[int] | None = frozenset(),
    likes: Likes | None = None,
) -> Saving:
    """The circumstances of one look. `touched`: something has happened to these accounts (None: to all of them), so
    their decision is kept even where their position stays what it was. `likes` learn from what is saved.
    """
    window = SENDING_WINDOW if first_look else timedelta(0)
    moment = sending_moment(ground, as_of, now, window=window)
    return Saving(ground, ground_number, as_of, now, moment, touched, likes)


def save_decisions(session: Session, by: Saving, decided: Iterable[Decided]) -> int:
    """Writes what changed. Returns the number of positions that did."""
    positions: list[rows.Row] = []
    kept: list[tuple[int, Facts, Decision, str]] = []
    busy: list[Decided] = []
    day = rows.days(session)
    number, as_of, stamp = by.ground.number, by.as_of, _stamp(session, by)
    for one in decided:
        account, facts, known, unaddressed, likeness, decision = one
        row = position_row(number, account, facts, decision, as_of=as_of, day=day)
        changed = row != known
        because = decision.position.because if changed else ""
        if changed:
            positions.append((*row, because, *stamp))
        stirred = bool(
            decision.orders or decision.withdrawals or decision.notes or facts.outcomes or facts.begin or decision.lifts
        )
        if stirred or facts.invoice_runs != decision.invoice_runs or unaddressed:
            busy.append(one)
        elif likeness is not None and not changed and by.likes is not None:
            by.likes.learn(likeness, decision, row)
        if changed or (by.touched is None or account in by.touched) or decision.notes:
            kept.append((account, facts, decision, because))
    if busy:
        _tell(session, by, busy)
    with rows.piped(session, max(len(positions), len(busy), len(kept))):
        if positions:
            columns = (*POSITION_COLUMNS, "because", "as_of", "decided_at")
            rows.upsert(session, "positions", columns, ("account_id",), positions)
        if busy:
            _save_the_rest(session, by, busy)
        keep(session, by.ground, by.ground_number, kept, as_of=as_of, now=by.now)
    return len(positions)


def _stamp(session: Session, by: Saving) -> tuple[object, object]:
    return rows.text_of(session, by.as_of), rows.plain(session, by.now)


def _tell(session: Session, by: Saving, busy: Sequence[Decided]) -> None:
    """What people are told: tasks, and the notes that go on into the ledger."""
    for one in busy:
        _mind_the_address(session, by, one)
    session.flush()
    write_for_the_ledger(session, by.ground.number, _notes(busy), by.now, _told(by))


def _told(by: Saving) -> Collection[NoteKind]:
    return told_to_the_ledger(trying_out=by.ground.organisation.sending_mode != "live")


def _notes(busy: Sequence[Decided]) -> list[OfAccount]:
    return [(one.account, note) for one in busy for note in one.decision.notes]


def _save_the_rest(session: Session, by: Saving, busy: Sequence[Decided]) -> None:
    _count_outcomes(session, busy)
    _take_begins(session, by, busy)
    _save_walks(session, by, busy)
    fresh: list[tuple[Decided, Order]] = []
    stays: list[tuple[Decided, Order]] = []
    for one in busy:
        for order in one.decision.orders:
            known = next((other for other in one.facts.standing if other.key == order.key), None)
            if known is None:
                fresh.append((one, order))
            elif known.state is ReminderState.QUEUED and known.held_because != order.held_because:
                stays.append((one, order))
    _lift(session, by, busy)
    _withdraw(session, by, [(one.account, gone) for one in busy for gone in one.decision.withdrawals])
    _hold_or_release(session, by, stays)
    _queue(session, by, fresh)
    write_for_ourselves(session, by.ground.number, _notes(busy), by.now, _told(by))


def _count_outcomes(session: Session, busy: Sequence[Decided]) -> None:
    """The position has taken in what was performed."""
    counted = [(one.account,) for one in busy if one.facts.outcomes]
    if counted:
        change = "UPDATE reminders SET counted = TRUE WHERE account_id = ? AND state = 'sent' AND NOT counted"
        rows.write(session, change, counted)


def _take_begins(session: Session, by: Saving, busy: Sequence[Decided]) -> None:
    now = rows.plain(session, by.now)
    taken = [(now, one.account) for one in busy if one.facts.begin is not None]
    if taken:
        rows.write(session, "UPDATE assignments SET taken_at = ? WHERE account_id = ? AND taken_at IS NULL", taken)


def _save_walks(session: Session, by: Saving, busy: Sequence[Decided]) -> None:
    """The walks of single invoices: those of an account are replaced whole."""
    changed = [one for one in busy if one.facts.invoice_runs != one.decision.invoice_runs]
    if not changed:
        return
    day = rows.days(session)
    rows.write(session, "DELETE FROM invoice_walks WHERE account_id = ?", [(one.account,) for one in changed])
    walks = [
        (by.ground.number, *walk_row(one.account, run, day))
        for one in changed
        for run in one.decision.invoice_runs.values()
    ]
    if walks:
        rows.insert(session, "invoice_walks", ("organisation_id", *WALK_COLUMNS), walks)


_REMINDER = (
    *("organisation_id", "account_id", "cycle", "step_id", "invoice_id", "step_name", "workflow_id", "channel"),
    *("state", "due_on", "send_after", "held_because", "why", "approved_by", "attempts", "claim", "heard", "counted"),
    "queued_at",
)


def _queue(session: Session, by: Saving, fresh: Sequence[tuple[Decided, Order]]) -> None:
    """Queues reminders. One of the same key that was withdrawn before it left is taken up again."""
    if not fresh:
        return
    now, usual, day = rows.plain(session, by.now), rows.plain(session, by.send_after), rows.days(session)
    organisation, queued = by.ground.number, ReminderState.QUEUED.value
    many = [
        (
            organisation,
            one.account,
            order.key.cycle,
            order.key.step,
            order.key.invoice or 0,
            order.step.name,
            _workflow_of(one.decision, order),
            order.step.channel.value,
            queued,
            day(order.due_on),
            rows.plain(session, opening.at) if opening.because else usual,
            order.held_because,
            opening.because,
            "",
            0,
            "",
            True,
            False,
            now,
        )
        for one, order, opening in ((one, order, _opening(by, one, order)) for one, order in fresh)
    ]
    again = (
        "ON CONFLICT (account_id, cycle, step_id, invoice_id) DO UPDATE SET state = excluded.state, "
        "step_name = excluded.step_name, workflow_id = excluded.workflow_id, channel = excluded.channel, "
        "due_on = excluded.due_on, send_after = excluded.send_after, held_because = excluded.held_because, "
        "why = excluded.why, settled_at = NULL, approved_at = NULL, queued_at = excluded.queued_at, "
        "snoozed_until = NULL, snoozed_by = '', by_machine = FALSE "
        "WHERE reminders.state = 'withdrawn'"
    )
    rows.put(session, "reminders", _REMINDER, many, again)


def _workflow_of(decision: Decision, order: Order) -> int:
    invoice = order.key.invoice
    run = decision.invoice_runs.get(invoice) if invoice is not None else None
    return int(run.workflow if run is not None else decision.position.workflow.id)


def _opening(by: Saving, one: Decided, order: Order) -> Opening:
    """The sending time, or the first moment after it at which this channel may reach the debtor, and why."""
    limits = by.ground.rules.limits
    if limits is None:
        return Opening(by.send_after, "")
    zone = ZoneInfo(by.ground.time_zone_of(one.account))
    ours = ZoneInfo(by.ground.organisation.time_zone)
    return first_open(
        limits,
        order.step.channel,
        by.send_after,
        zones=(zone,),
        contacted=one.facts.contacted,
        holidays=by.ground.rules.sending.holidays,
        counted_in=ours,
    )


_WHILE_QUEUED = "WHERE account_id = ? AND cycle = ? AND step_id = ? AND invoice_id = ? AND state = 'queued'"
"""A change to one reminder that happens only while it has not left."""


def _key(account_id: int, one: Order | Withdrawal) -> tuple[int, int, str, int]:
    return account_id, one.key.cycle, one.key.step, int(one.key.invoice or 0)


def _hold_or_release(session: Session, by: Saving, stays: Sequence[tuple[Decided, Order]]) -> None:
    """What holds a queued reminder is another reason than before, or none any more."""
    many = [
        (order.held_because, rows.plain(session, _opening(by, one, order).at), *_key(one.account, order))
        for one, order in stays
    ]
    if many:
        rows.write(session, f"UPDATE reminders SET held_because = ?, send_after = ? {_WHILE_QUEUED}", many)  # noqa: S608


def _withdraw(session: Session, by: Saving, gone: Sequence[tuple[int, Withdrawal]]) -> None:
    """Takes back what has not left."""
    now = rows.plain(session, by.now)
    many = [(withdrawal.why, now, *_key(account, withdrawal)) for account, withdrawal in gone]
    if many:
        change = "UPDATE reminders SET state = 'withdrawn', held_because = '', why = ?, settled_at = ?"
        rows.write(session, f"{change} {_WHILE_QUEUED}", many)


def _lift(session: Session, by: Saving, busy: Sequence[Decided]) -> None:
    now = rows.plain(session, by.now)
    over = [(now, one.account, kind.value) for one in busy for kind in one.decision.lifts]
    if over:
        change = "UPDATE holds SET lifted_at = ?, lifted_by = 'arrears' WHERE account_id = ? AND kind = ?"
        rows.write(session, f"{change} AND lifted_at IS NULL", over)


def sending_moment(ground: Ground, as_of: date, now: datetime, *, window: timedelta = timedelta(0)) -> datetime:
    """Today's sending time; once that and the window after it have passed, the next sending day's."""
    zone, at = ZoneInfo(ground.organisation.time_zone), ground.organisation.sending_time
    today = moment_of(as_of, at, zone)
    if now <= today + window and ground.rules.sending.allows(as_of):
        return today
    return moment_of(ground.rules.sending.first_from(as_of + timedelta(days=1)), at, zone)


def _mind_the_address(session: Session, by: Saving, one: Decided) -> None:
    """An account that is due and has no address is a task for a person, until it has one or nothing is due.

    A stopped address has a task of its own.
    """
    state = one.decision.position.state
    missing = isinstance(state, Held) and any(hold.kind is HoldKind.NO_ADDRESS and not hold.by for hold in state.holds)
    missing = missing and not one.facts.stopped
    if missing == one.unaddressed:
        return
    key = f"no address:{one.account}"
    if not missing:
        close_task(session, organisation_id=by.ground.number, key=key, at=by.now, by="arrears")
        return
    account = session.get(AccountRow, one.account)
    name = account.name if account else "This account"
    open_task(
        session,
        organisation_id=by.ground.number,
        account_id=one.account,
        key=key,
        kind="no address",
        text=f"{name} cannot be reminded: the ledger has no email address for it. Add one there.",
        at=by.now,
    )
