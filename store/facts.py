"""Facts about many accounts at once: a fixed number of queries for each chunk of accounts.

The engine decides about one account; the store gathers what it needs for thousands in one sweep. No table's objects
are made on the way: the driver's rows go straight into the engine's own small records.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from engine.ageing import OpenInvoice
from engine.facts import Begin, Departed, Facts
from engine.holds import Hold, HoldKind
from engine.limits import Contacted
from engine.position import Run
from engine.receivables import InvoiceStatus, Money, Ref
from engine.reminders import COURTESY_CYCLE, Outcome, ReminderKey, ReminderState, Standing
from engine.workflow import Channel
from store.ground import Ground, ground_of, workflows_of
from store.positions import POSITION_COLUMNS, run_of, walk_of
from store.rows import DAYS, Row, all_rows, amount_of, date_of, rows, text_of
from store.tables import CreditRow, InvoiceWalkRow, ReminderRow

__all__ = ["Ground", "Known", "facts_in_chunks", "facts_of", "ground_of", "unsettled", "workflows_of"]

CHUNK = 2_000
_HEARD_WITHIN = timedelta(days=62)


class Known(NamedTuple):
    """One account's facts, and its position row as it was read (None for one never looked at)."""

    facts: Facts
    row: Row | None


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which accounts of the organisation a query is about: a list of numbers, or all between two."""

    organisation_id: int
    ids: Sequence[int]
    between: bool

    def where(self, organisation: str, account: str) -> tuple[str, list[int]]:
        """The plus keeps SQLite from walking through the whole organisation by an index on its number alone."""
        if self.between:
            ends = [self.ids[0], self.ids[-1]]
            return f"+{organisation} = ? AND {account} BETWEEN ? AND ?", [self.organisation_id, *ends]
        marks = ", ".join("?" * len(self.ids))
        return f"+{organisation} = ? AND {account} IN ({marks})", [self.organisation_id, *self.ids]

    def clauses(self, organisation: object, account: object) -> list[object]:
        within = col(account).between(self.ids[0], self.ids[-1]) if self.between else col(account).in_(self.ids)
        return [col(organisation) == self.organisation_id, within]


def facts_of(session: Session, ground: Ground, account_ids: Sequence[int] | None = None) -> dict[int, Facts]:
    """The facts about these accounts, or about all of the organisation, by account number."""
    found: dict[int, Facts] = {}
    for chunk in facts_in_chunks(session, ground, account_ids):
        found.update((number, known.facts) for number, known in chunk.items())
    return found


def facts_in_chunks(
    session: Session, ground: Ground, account_ids: Sequence[int] | None = None, *, as_of: date | None = None
) -> Iterator[dict[int, Known]]:
    """The same, some thousand accounts at a time, so that memory does not grow with the organisation.

    `as_of` is the date on which they will be looked at; without it that of the ground's newest data.
    """
    if account_ids is None:
        query = "SELECT id FROM accounts WHERE organisation_id = ? ORDER BY id"
        everybody = [row[0] for row in rows(session, query, [ground.number])]
        for start in range(0, len(everybody), CHUNK):
            yield _gathered(session, ground, _Scope(ground.number, everybody[start : start + CHUNK], True), as_of)
        return
    wanted = sorted(set(account_ids))
    for start in range(0, len(wanted), CHUNK):
        yield _gathered(session, ground, _Scope(ground.number, wanted[start : start + CHUNK], False), as_of)


def unsettled(session: Session, ground: Ground, as_of: date) -> list[int]:
    """The accounts about which something may be different from what their position says.

    Everybody else waits for a day that has not come, and the oldest invoice that counts is still the one that drives.
    """
    counts = "status = 'open' AND balance > 0 AND balance >= ?"
    settled = (
        "SELECT p.account_id FROM positions p "  # noqa: S608 - our own words
        f"LEFT JOIN (SELECT account_id, MIN(due_on) AS due_on FROM invoices WHERE {counts} GROUP BY account_id) oldest "
        "ON oldest.account_id = p.account_id LEFT JOIN invoices driver ON driver.id = p.run_driver_id "
        "WHERE p.organisation_id = ? AND p.look_again_on > ? AND ((p.driver_due_on IS NULL AND "
        "(oldest.due_on IS NULL OR oldest.due_on >= ?)) OR (p.driver_due_on = oldest.due_on "
        "AND driver.due_on = p.driver_due_on AND driver.account_id = p.account_id AND driver.status = 'open'))"
    )
    query = f"SELECT id FROM accounts WHERE organisation_id = ? AND id NOT IN ({settled}) ORDER BY id"  # noqa: S608
    least, day = int(ground.rules.ignore_below * 10_000), text_of(session, as_of)
    return [row[0] for row in all_rows(session, query, [ground.number, least, ground.number, day, day])]


def _gathered(session: Session, ground: Ground, scope: _Scope, as_of: date | None) -> dict[int, Known]:
    invoices = _open_invoices(session, scope)
    positions = _positions(session, scope)
    departed = _departed(session, scope)
    holds = _holds(session, scope)
    outcomes, standing = _reminders(session, scope)
    begins = _begins(session, scope)
    mailable = _mailable(session, scope)
    credits_ = _credits(session, scope) if ground.rules.pause_when_in_credit else {}
    courtesies = _courtesies(session, scope) if ground.has_courtesies else {}
    walks = _walks(session, scope) if ground.has_invoice_workflows else {}
    contacted = _contacted(session, ground, scope, as_of) if ground.rules.limits is not None else {}
    rules, workflows, pause, ledger_as_of = ground.rules, ground.workflows, ground.pause, ground.ledger_as_of
    default, ahead, nothing = ground.organisation.default_workflow_id or 0, ground.sending_ahead, ()
    found: dict[int, Known] = {}
    where, parameters = scope.where("organisation_id", "id")
    query = f"SELECT id, default_workflow_id, email, mobile FROM accounts WHERE {where}"  # noqa: S608 - our own words
    for number, own_default, email, mobile in rows(session, query, parameters):
        row = positions.get(number)
        run, cycle, reminded, stepped = None, 0, None, None
        if row is not None:
            run, cycle, reminded, stepped = run_of(row)
        owed = invoices.get(number, nothing)
        held = holds.get(number)
        left = departed.get(number)
        if left is None and run is not None:
            left = _still_open(run, owed)
        reachable = _REACHABLE[bool(email) or number in mailable, bool(mobile)]
        found[number] = Known(
            Facts(
                rules,
                workflows,
                own_default or default,
                tuple(owed),
                ledger_as_of,
                pause + tuple(held) if held else pause,
                run,
                cycle,
                reminded,
                stepped,
                left,
                tuple(outcomes.get(number, nothing)) if outcomes else nothing,
                tuple(standing.get(number, nothing)),
                reachable,
                begins.get(number) if begins else None,
                tuple(credits_.get(number, nothing)) if credits_ else nothing,
                frozenset(courtesies.get(number, nothing)) if courtesies else _NONE,
                walks.get(number, _NO_WALKS) if walks else _NO_WALKS,
                tuple(contacted.get(number, nothing)) if contacted else nothing,
                ahead,
            ),
            row,
        )
    return found


def _open_invoices(session: Session, scope: _Scope) -> dict[int, list[OpenInvoice]]:
    where, parameters = scope.where("organisation_id", "account_id")
    query = (
        "SELECT account_id, id, number, due_on, balance, currency FROM invoices "  # noqa: S608 - our own words
        f"WHERE {where} AND status = 'open' AND balance > 0"
    )
    found: dict[int, list[OpenInvoice]] = defaultdict(list)
    new = tuple.__new__  # half the time of a call by name, for the most numerous record there is
    for account, number, name, due_on, balance, currency in all_rows(session, query, parameters):
        found[account].append(new(OpenInvoice, (number, name, DAYS[due_on], amount_of(balance), currency)))
    return found


def _positions(session: Session, scope: _Scope) -> dict[int, Row]:
    where, parameters = scope.where("organisation_id", "account_id")
    query = f"SELECT {', '.join(POSITION_COLUMNS)} FROM positions WHERE {where}"  # noqa: S608 - our own words
    return {row[0]: row for row in all_rows(session, query, parameters)}


def _departed(session: Session, scope: _Scope) -> dict[int, Departed]:
    """What the ledger now says of the invoices that drove at the last look and are open no longer."""
    where, parameters = scope.where("p.organisation_id", "p.account_id")
    query = (
        "SELECT p.account_id, i.number, i.due_on, i.status FROM positions p "  # noqa: S608 - our own words
        f"JOIN invoices i ON i.id = p.run_driver_id WHERE {where} "
        "AND (i.status <> 'open' OR i.account_id <> p.account_id)"
    )
    return {
        account: Departed(number, date_of(due_on), InvoiceStatus(status))  # type: ignore[arg-type]
        for account, number, due_on, status in rows(session, query, parameters)
    }


def _still_open(run: Run, owed: Sequence[OpenInvoice]) -> Departed | None:
    for invoice in owed:
        if invoice.id == run.driver:
            return Departed(invoice.number, invoice.due_on, InvoiceStatus.OPEN)
    return None


def _holds(session: Session, scope: _Scope) -> dict[int, list[Hold]]:
    found: dict[int, list[Hold]] = defaultdict(list)
    where, parameters = scope.where("organisation_id", "account_id")
    query = (
        'SELECT account_id, kind, since, why, "by", until, invoice_id FROM holds '  # noqa: S608 - our own words
        f"WHERE {where} AND lifted_at IS NULL ORDER BY id"
    )  # the oldest is the one that is named
    for account, kind, since, why, by, until, invoice in all_rows(session, query, parameters):
        found[account].append(Hold(HoldKind(kind), DAYS[since], why, by, date_of(until), invoice))
    return found


def _reminders(session: Session, scope: _Scope) -> tuple[dict[int, list[Outcome]], dict[int, list[Standing]]]:
    outcomes: dict[int, list[Outcome]] = defaultdict(list)
    standing: dict[int, list[Standing]] = defaultdict(list)
    where, parameters = scope.where("organisation_id", "account_id")
    query = (
        "SELECT account_id, cycle, step_id, invoice_id, state, performed_on, heard, approved_at, held_because, why "  # noqa: S608
        f"FROM reminders WHERE {where} AND (state IN ('queued', 'sending', 'unsure', 'refused') "
        "OR (state = 'sent' AND NOT counted))"
    )
    for account, cycle, step, invoice, state, on, heard, approved_at, held, why in rows(session, query, parameters):
        key = ReminderKey(cycle, step, invoice or None)
        if state == "sent" and on is not None:
            outcomes[account].append(Outcome(key, date_of(on), bool(heard)))  # type: ignore[arg-type]
        else:
            standing[account].append(Standing(key, _STATES[state], approved_at is not None, held, why))
    return outcomes, standing


def _begins(session: Session, scope: _Scope) -> dict[int, Begin]:
    """The newest word of a person about each account that no look has acted upon yet."""
    where, parameters = scope.where("organisation_id", "account_id")
    query = (
        'SELECT account_id, workflow_id, step_id, "by", by_hand FROM assignments '  # noqa: S608 - our own words
        f"WHERE {where} AND taken_at IS NULL ORDER BY id"
    )
    return {
        account: Begin(workflow, step, by, bool(by_hand))
        for account, workflow, step, by, by_hand in all_rows(session, query, parameters)
    }


def _mailable(session: Session, scope: _Scope) -> frozenset[int]:
    """Accounts that have a contact with an address of its own, who receives reminders."""
    where, parameters = scope.where("a.organisation_id", "a.id")
    query = (
        "SELECT DISTINCT c.account_id FROM contacts c JOIN accounts a ON a.id = c.account_id "  # noqa: S608
        f"WHERE {where} AND c.email <> '' AND c.receives_reminders"
    )
    return frozenset(row[0] for row in rows(session, query, parameters))


def _credits(session: Session, scope: _Scope) -> dict[int, list[Money]]:
    found: dict[int, list[Money]] = defaultdict(list)
    query = select(CreditRow.account_id, CreditRow.remaining, CreditRow.currency).where(  # type: ignore[call-overload]
        *scope.clauses(CreditRow.organisation_id, CreditRow.account_id),
        col(CreditRow.status) == InvoiceStatus.OPEN,
        col(CreditRow.remaining) > 0,
    )
    for account, remaining, currency in session.execute(query):
        found[account].append(Money(remaining, currency))
    return found


def _courtesies(session: Session, scope: _Scope) -> dict[int, list[tuple[Ref, str]]]:
    """The courtesy steps that were performed."""
    found: dict[int, list[tuple[Ref, str]]] = defaultdict(list)
    query = select(ReminderRow.account_id, ReminderRow.invoice_id, ReminderRow.step_id).where(  # type: ignore[call-overload]
        *scope.clauses(ReminderRow.organisation_id, ReminderRow.account_id),
        col(ReminderRow.cycle) == COURTESY_CYCLE,
        col(ReminderRow.state) == ReminderState.SENT,
    )
    for account, invoice, step in session.execute(query):
        found[account].append((invoice, step))
    return found


def _walks(session: Session, scope: _Scope) -> dict[int, Mapping[Ref, Run]]:
    found: dict[int, dict[Ref, Run]] = defaultdict(dict)
    query = select(InvoiceWalkRow).where(*scope.clauses(InvoiceWalkRow.organisation_id, InvoiceWalkRow.account_id))
    for row in session.scalars(query):
        found[row.account_id][row.invoice_id] = walk_of(row)
    return dict(found)


def _contacted(session: Session, ground: Ground, scope: _Scope, as_of: date | None) -> dict[int, list[Contacted]]:
    """The contacts of the last weeks, made by ourselves or by hand."""
    since = (as_of or ground.ledger_as_of or date.max) - _HEARD_WITHIN
    found: dict[int, list[Contacted]] = defaultdict(list)
    where, parameters = scope.where("organisation_id", "account_id")
    query = (
        "SELECT account_id, performed_on, channel FROM reminders "  # noqa: S608 - our own words
        f"WHERE {where} AND state = 'sent' AND heard AND performed_on >= ?"
    )
    for account, on, channel in all_rows(session, query, [*parameters, text_of(session, since)]):
        found[account].append(Contacted(DAYS[on], _CHANNELS[channel]))
    return found


def _reached(by_email: bool, by_mobile: bool) -> frozenset[Channel]:
    return frozenset(
        channel
        for channel in Channel
        if (channel is not Channel.EMAIL or by_email) and (channel is not Channel.SMS or by_mobile)
    )


_REACHABLE = {(email, mobile): _reached(email, mobile) for email in (True, False) for mobile in (True, False)}
"""By which channels an account can be reached that has an email address, and a mobile number."""

_NONE: frozenset[tuple[Ref, str]] = frozenset()
_NO_WALKS: Mapping[Ref, Run] = {}
_STATES = {state.value: state for state in ReminderState}
_CHANNELS = {channel.value: channel for channel in Channel}
