"""Brakes: when a reading of the ledger looks unlike anything that happens in a firm, sending stops.

A fault at the ledger, a changed permission or a bulk edit gone wrong can make every invoice look paid, or everybody
look overdue. The books follow the ledger all the same, but nothing leaves the house on such a day by itself. The brake
says what it saw, in numbers; a person looks, and releases it. The first reading of an organisation has nothing to be
compared with, and never brakes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from connector import Records
from engine.calendars import civil_date
from engine.notes import Note, NoteKind
from engine.words import in_words
from jobs.acting import NotAllowed, organisation_in
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.thresholds import Brakes
from store import audit
from store.brake_figures import Before, closed_since, drivers, figures, held_by_the_brake, overdue
from store.history import write_for_ourselves
from store.tables import OrganisationRow


@dataclass(frozen=True, slots=True)
class Watch:
    """How the books stood before a reading was taken in; None where the reading may not brake."""

    before: Before | None
    announced: int | None = None
    """How many open invoices the ledger said it has, where all of them were asked for."""

    def seen(self, unit: Session, organisation: OrganisationRow, office: Office, run: int) -> str:
        """What this reading has done to the books that no firm's day does, in words; empty when all is well."""
        if self.before is None:
            return ""
        brakes, before, as_of = office.brakes, self.before, office.as_of(organisation)
        found = [
            nothing_came(brakes, before.open, self.announced),
            too_many_closed(brakes, before.open, closed_since(unit, before, run)),
            *too_much_overdue(brakes, before.overdue, overdue(unit, before.organisation_id, as_of)),
        ]
        return " ".join(sentence for sentence in found if sentence)

    def moved(self, unit: Session, office: Office, touched: Collection[int], were: Mapping[int, object]) -> str:
        """The same about the accounts that moved, once they have been looked at again."""
        if self.before is None or len(were) < office.brakes.least:
            return ""
        now = drivers(unit, touched)
        moved = sum(now.get(account) != driver for account, driver in were.items())
        return too_many_moved(office.brakes, self.before.owing, moved)


def watch(
    unit: Session, office: Office, organisation: OrganisationRow, pages: Sequence[Records], *, whole: bool
) -> Watch:
    """Looks at the books before a reading is taken in, where there is enough in it. `whole`: all that is open came."""
    announced = next((page.expected for page in pages if whole and page.expected is not None), None)
    rows = sum(len(page.invoices) + len(page.accounts) + len(page.gone) for page in pages)
    if organisation.ledger_as_of is None or organisation.id is None or (announced != 0 and rows < office.brakes.least):
        return Watch(None)
    return Watch(figures(unit, organisation.id, office.as_of(organisation)), announced)


def too_many_closed(brakes: Brakes, open_before: int, closed: int) -> str:
    """Invoices that were open and are so no longer, after one reading."""
    if closed < brakes.least or closed <= brakes.closing_share * open_before:
        return ""
    return f"One reading of the ledger closed {closed} of {open_before} open invoices."


def too_many_moved(brakes: Brakes, owing: int, moved: int) -> str:
    """Accounts whose oldest overdue invoice is another one than before, after one reading."""
    if moved < brakes.least or moved <= brakes.moving_share * owing:
        return ""
    return f"One reading of the ledger moved {moved} of {owing} overdue accounts to another invoice."


def too_much_overdue(
    brakes: Brakes, before: Mapping[str, tuple[Decimal, int]], now: Mapping[str, tuple[Decimal, int]]
) -> list[str]:
    """Currency by currency: the overdue total, and the number of overdue invoices behind it."""
    found = []
    for currency, (total, count) in sorted(now.items()):
        was, were = before.get(currency, (Decimal(0), 0))
        if count - were >= brakes.least and total > was * Decimal(str(1 + brakes.overdue_growth)):
            found.append(
                f"One reading of the ledger raised what is overdue from {was:,.2f} to {total:,.2f} {currency} "
                f"({were} invoices before, {count} now)."
            )
    return found


def nothing_came(brakes: Brakes, known: int, announced: int | None) -> str:
    """The whole open ledger was asked for, and it is said to be empty."""
    if announced != 0 or known < brakes.least:
        return ""
    return f"The ledger showed no open invoice at all, and {known} were open here."


def pull(unit: Session, office: Office, organisation: OrganisationRow, why: str) -> None:
    """Stops all sending until a person releases the brake. What is queued waits, and says why."""
    now = office.clock()
    if organisation.braked_at is None:
        organisation.braked_at = now
    organisation.braked_why = why
    audit.record(unit, organisation_id=int(organisation.id or 0), at=now, by="arrears", what="brake pulled", why=why)
    unit.flush()
    recalculate_in(unit, office, int(organisation.id or 0))


def release(office: Office, organisation_id: int, *, by: str) -> None:
    """A person has looked at it. What is due goes at the next sending time, if nothing else holds it.

    The history of each account that the brake held says why its step did not go; so it says as well how that ended. As
    the ledger was not told of the one, it is not told of the other.
    """
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if organisation.braked_at is None:
            raise NotAllowed("The brake is not on.")
        on = in_words(office.as_of(organisation))
        since = in_words(civil_date(organisation.braked_at, ZoneInfo(organisation.time_zone)))
        why = organisation.braked_why
        waited = held_by_the_brake(unit, organisation_id)
        organisation.braked_at, organisation.braked_why = None, ""
        audit.record(
            unit, organisation_id=organisation_id, at=office.clock(), by=by, what="brake released", why=why, on=on
        )
        notes = [(account, _released(steps, since, by)) for account, steps in waited.items()]
        write_for_ourselves(unit, organisation_id, notes, office.clock())
        unit.flush()
        recalculate_in(unit, office, organisation_id)


def _released(steps: Sequence[str], since: str, by: str) -> Note:
    waits = "waits" if len(steps) == 1 else "wait"
    text = f"{' and '.join(steps)} no longer {waits} for the brake of {since}: {by} has released it."
    return Note(NoteKind.HELD, text)
