"""Facts about many accounts at once: a fixed number of queries for each chunk of accounts.

The engine decides about one account; the store gathers what it needs for thousands in one sweep. No table's objects
are made on the way: the driver's rows go straight into the engine's own small records.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain
from typing import NamedTuple

from sqlmodel import Session

from engine.ageing import OpenInvoice
from engine.facts import Departed, Facts
from engine.receivables import InvoiceStatus
from engine.workflow import Channel
from store.alike import Likeness, Likes
from store.eventful import NO_EVENTS, Eventful
from store.fact_questions import DRIVERS, Scope, questions_about
from store.ground import Ground, ground_of, workflows_of
from store.positions import POSITION_COLUMNS, run_of
from store.rows import DAYS, Answers, Row, all_rows, amount_of, asking, text_of
from store.stopped_facts import by_account, stopped_numbers_of
from store.texting import Texting

__all__ = ["Ground", "Known", "facts_in_chunks", "facts_of", "ground_of", "unsettled", "workflows_of"]

CHUNK = 2_000
INVOICES = 6 * CHUNK
"""Accounts in a piece, and the open invoices it may hold: a few more than so many accounts owe for in most firms."""

FIRST = 250
"""Accounts in the first piece, where those after it learn from it: of the accounts within one piece none spares another
a look, so pieces grow from here to `CHUNK`."""


class Known(NamedTuple):
    """One account's facts, and its position row as it was read (None for one never looked at).

    `unaddressed`: a task is open because something is due and there is no address. `likeness`: see `store.alike`.
    """

    facts: Facts
    row: Row | None
    unaddressed: bool
    likeness: Likeness | None


def facts_of(session: Session, ground: Ground, account_ids: Sequence[int] | None = None) -> dict[int, Facts]:
    """The facts about these accounts, or about all of the organisation, by account number."""
    found: dict[int, Facts] = {}
    for chunk in facts_in_chunks(session, ground, account_ids):
        found.update((number, known.facts) for number, known in chunk.items())
    return found


def facts_in_chunks(
    session: Session,
    ground: Ground,
    account_ids: Sequence[int] | None = None,
    *,
    as_of: date | None = None,
    likes: Likes | None = None,
) -> Iterator[dict[int, Known]]:
    """The same, some thousand accounts at a time, so that memory does not grow with the organisation.

    `as_of` is the date on which they will be looked at; without it that of the ground's newest data. With `likes`
    those are left out of whom another account has shown that nothing comes of a look at them.
    """
    gathered = _Gathering(session, ground, as_of, likes, stopped_numbers_of(session, ground))
    if account_ids is None:
        query = "SELECT id FROM accounts WHERE organisation_id = ? ORDER BY id"
        wanted = [row[0] for row in all_rows(session, query, [ground.number])]
    else:
        wanted = sorted(set(account_ids))
    most = CHUNK if likes is None else min(FIRST, CHUNK)
    begin, scope = 0, Scope(ground.number, wanted[:most], between=account_ids is None)
    asked = gathered.asked(scope)
    while scope.ids:
        held = asked.count("invoices")
        if held > INVOICES and len(scope.ids) > 1:  # some owe for hundreds of invoices: half as many at a time
            scope = scope.of(scope.ids[: len(scope.ids) // 2])
            asked = gathered.asked(scope)
            continue
        begin, most = begin + len(scope.ids), min(CHUNK, 2 * most)
        size = min(most, max(1, len(scope.ids), len(scope.ids) * INVOICES * 9 // (held * 10 + 1)))
        following = scope.of(wanted[begin : begin + size])
        with gathered.asking(following) as coming:  # a server reads of those while we look at these
            told = asked.told()
            missing = _missing_drivers(told)
            found = gathered.about(told) if not missing else None
        if found is None:
            found = gathered.about(told | {"drivers": gathered.drivers(missing)})
        del told
        yield found
        scope, asked = following, coming


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


class _Gathering(NamedTuple):
    """How the facts of one look are gathered, chunk by chunk."""

    session: Session
    ground: Ground
    as_of: date | None
    likes: Likes | None
    stopped_numbers: Mapping[str, str]

    def asked(self, scope: Scope) -> "_Asked":
        """What the books say of these accounts, before anything else is done."""
        with self.asking(scope) as asked:
            pass
        return asked

    @contextmanager
    def asking(self, scope: Scope) -> Iterator["_Asked"]:
        """The same, for while something else is done that asks nothing of the database."""
        most = INVOICES + 1 if len(scope.ids) > 1 else None
        questions = questions_about(self.session, self.ground, scope, self.as_of, most) if scope.ids else {}
        with asking(self.session, [*questions.values()]) as answers:
            yield _Asked([*questions], answers)

    def drivers(self, numbers: Collection[int]) -> list[Row]:
        marks = ", ".join("?" * len(numbers))
        return all_rows(self.session, f"{DRIVERS} WHERE i.id IN ({marks})", [*numbers])

    def about(self, told: Mapping[str, list[Row]]) -> dict[int, Known]:
        """The facts, from all that was told. Asks nothing more of the database."""
        owed: dict[int, list[Row]] = defaultdict(list)
        for invoice in told["invoices"]:
            owed[invoice[0]].append(invoice)
        positions = {row[0]: row for row in told["positions"]}
        mailable, unaddressed = {row[0] for row in told["mailable"]}, {row[0] for row in told["unaddressed"]}
        texts = Texting.of(self.ground, told.get("texting", ()), self.stopped_numbers)
        more = Eventful(told, by_account(told, self.ground, self.stopped_numbers))
        likes = self.likes if not self.ground.pause else None
        eventful = more.accounts | unaddressed.union(likes.asked) if likes is not None else unaddressed
        gone = {driver[0]: driver for driver in told.get("drivers", ())}
        found: dict[int, Known] = {}
        usual = self.ground.organisation.default_workflow_id or 0
        for number, default, email, mobile in told["accounts"]:
            row, open_invoices = positions.get(number), owed.get(number, ())
            reach = bool(email) or number in mailable, texts.reaches(number, mobile)
            if number in more.stopped:
                reach = more.stopped[number].reach(email, number in mailable, reach)
            likeness = None
            if likes is not None and row is not None and number not in eventful:
                likeness = likes.likeness(row, open_invoices, gone, default, reach)
                if likes.unmoved(likeness):
                    continue
            left = _departed(row[_RUN_DRIVER], gone, open_invoices, told["invoices"]) if row is not None else None
            facts = self._facts(number, default or usual, row, open_invoices, left, _REACHABLE[reach], more)
            found[number] = Known(facts, row, number in unaddressed, likeness)
        return found

    def _facts(
        self,
        number: int,
        default: int,
        row: Row | None,
        owed: Sequence[Row],
        left: Departed | None,
        reachable: frozenset[Channel],
        more: Eventful,
    ) -> Facts:
        ground = self.ground
        run, cycle, reminded, stepped = run_of(row) if row is not None else (None, 0, None, None)
        said = more.of(number) if number in more.accounts else NO_EVENTS
        return Facts(
            ground.rules,
            ground.workflows,
            default,
            _open_invoices(owed),
            ground.ledger_as_of,
            ground.pause + said.holds if said.holds else ground.pause,
            run,
            cycle,
            reminded,
            stepped,
            left if run is not None else None,
            said.outcomes,
            said.standing,
            reachable,
            said.begin,
            said.credits,
            said.courtesies,
            said.walks,
            said.contacted,
            ground.sending_ahead,
            said.stopped,
            said.tried_out,
        )


class _Asked(NamedTuple):
    """Questions about some accounts, and where their answers will be."""

    names: Sequence[str]
    answers: Answers

    def count(self, name: str) -> int:
        return self.answers.count(self.names.index(name))

    def told(self) -> dict[str, list[Row]]:
        """All answers, by the names of their questions. They can be had once."""
        return dict(zip(self.names, self.answers.rows(), strict=True))


def _missing_drivers(told: Mapping[str, list[Row]]) -> set[int]:
    """The invoices that drove at the last look and that their accounts do not owe any more.

    Most drive still and are here already. Of a few accounts all drivers came along in the same trip.
    """
    if "drivers" in told:
        return set()
    missing = {row[_RUN_DRIVER] for row in told["positions"]}.difference([invoice[1] for invoice in told["invoices"]])
    missing.discard(None)
    return missing


_RUN_DRIVER = POSITION_COLUMNS.index("run_driver_id")


def _open_invoices(owed: Iterable[Row]) -> tuple[OpenInvoice, ...]:
    new = tuple.__new__  # half the time of a call by name, for the most numerous record there is
    return tuple(
        [
            new(OpenInvoice, (number, name, DAYS[due_on], amount_of(balance), currency))
            for _, number, name, due_on, balance, currency in owed
        ]
    )


def _departed(driver: int | None, gone: Mapping[int, Row], *owed: Sequence[Row]) -> Departed | None:
    """What the ledger now says of the invoice that drove; None where it is not in the copy any more.

    `owed`: where to look for one that is open still: with the account, and with the one it may have been moved to.
    """
    if driver is None:
        return None
    if driver in gone:
        _, due_on, status, number = gone[driver]
        return Departed(number, DAYS[due_on], _STATUSES[status])
    still = next((invoice for invoice in chain.from_iterable(owed) if invoice[1] == driver), None)
    return Departed(still[2], DAYS[still[3]], InvoiceStatus.OPEN) if still is not None else None


def _reached(by_email: bool, by_mobile: bool) -> frozenset[Channel]:
    return frozenset(
        channel
        for channel in Channel
        if (channel is not Channel.EMAIL or by_email) and (channel is not Channel.SMS or by_mobile)
    )


_REACHABLE = {(email, mobile): _reached(email, mobile) for email in (True, False) for mobile in (True, False)}
"""By which channels an account can be reached that has an email address, and a mobile number."""

_STATUSES = {status.value: status for status in InvoiceStatus}
