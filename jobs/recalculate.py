"""Recalculate: from the facts about some accounts to where each of them stands.

Nothing is sent here and nothing outside is asked. Facts are read, the engine decides, and what changed is written:
positions, queued reminders, history notes, all in one commit. Running it twice changes nothing the second time.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session, col

from engine.decide import decide
from engine.facts import Decision, Facts
from jobs.containing import contained
from jobs.office import Office
from jobs.uncollected import uncollected
from store.alike import Likes
from store.decisions import Decided, save_decisions, saving
from store.facts import facts_in_chunks, ground_of, unsettled
from store.ground import Ground
from store.kept_decisions import ground_number
from store.tables import AccountRow, OrganisationRow, PositionRow


class Recalculated(NamedTuple):
    """How many positions changed, and the facts and decision of each account that was asked for (see `answer`)."""

    changed: int
    decided: dict[int, tuple[Facts, Decision]]


def recalculate(office: Office, organisation_id: int, account_ids: Iterable[int] | None = None) -> int:
    """Looks at these accounts, or at all of the organisation. Returns how many positions changed."""
    with office.database.unit_of_work() as unit:
        return recalculate_in(unit, office, organisation_id, account_ids).changed


def recalculate_new_days(office: Office) -> None:
    """Looks at the accounts of each organisation whose date has changed since its last look."""
    with office.database.reading() as session:
        known = session.scalars(select(OrganisationRow)).all()
    for organisation in known:
        if organisation.id is None or organisation.ledger_as_of is None:
            continue  # a first reading may be under way, and of half the books nothing can be decided
        if organisation.recalculated_on != office.as_of(organisation):
            with contained("accounts not looked at", organisation=organisation.id):
                recalculate(office, organisation.id, ())


def recalculate_in(
    unit: Session,
    office: Office,
    organisation_id: int,
    account_ids: Iterable[int] | None = None,
    *,
    restless: bool = False,
    answer: Iterable[int] | None = None,
) -> Recalculated:
    """The same inside a unit of work that is already open.

    On the first look of a day every account is looked at with which something may be different today, besides those
    that were asked for; after a change of rules, workflows or the organisation's pause every account there is. With
    `restless` also whoever does not simply wait for a day: what is held may be free now. `answer`: whose facts and
    decisions the caller wants to see, if not of everybody asked for; of tens of thousands they would fill the memory.
    """
    now = office.clock()
    ground = ground_of(unit, organisation_id, now=now, one_at_a_time=True)
    organisation = ground.organisation
    as_of = office.as_of(organisation)
    if organisation.default_workflow_id is None:
        return Recalculated(0, {})
    asked = None if account_ids is None else frozenset(account_ids)
    number = ground_number(unit, ground, now=now)
    first_look = organisation.recalculated_on != as_of
    touched = asked or frozenset[int]()
    likes = Likes(unit, ground, as_of, touched)
    by = saving(ground, number, as_of=as_of, now=now, first_look=first_look, touched=touched, likes=likes)
    ids: list[int] | None = None
    if organisation.recalculated_ground == number:
        looked_at = _besides(unit, ground, asked, as_of, new_day=first_look, restless=restless)
        ids = sorted(looked_at)
    if first_look or organisation.recalculated_ground != number:
        organisation.recalculated_on, organisation.recalculated_ground = as_of, number
    unit.flush()
    wanted = touched if answer is None else frozenset(answer)
    answered: dict[int, tuple[Facts, Decision]] = {}
    changed = 0
    with uncollected():
        for decided in _decided(unit, ground, ids, as_of, likes):
            changed += save_decisions(unit, by, decided)
            if wanted:
                answered.update((one.account, (one.facts, one.decision)) for one in decided if one.account in wanted)
    return Recalculated(changed, answered)


def _decided(
    unit: Session, ground: Ground, ids: list[int] | None, as_of: date, likes: Likes
) -> Iterator[list[Decided]]:
    for chunk in facts_in_chunks(unit, ground, ids, as_of=as_of, likes=likes):
        yield [Decided(account, *known, decide(known.facts, as_of)) for account, known in chunk.items()]


def _besides(
    unit: Session, ground: Ground, asked: frozenset[int] | None, as_of: date, *, new_day: bool, restless: bool
) -> frozenset[int]:
    """Those asked for, and those with which something may be different today. None asked for means everybody."""
    if asked is None:
        return frozenset(unsettled(unit, ground, as_of))
    if not (new_day or restless):
        return asked
    until = as_of + timedelta(days=1) if restless else as_of
    query = (
        select(AccountRow.id)
        .outerjoin(PositionRow, col(PositionRow.account_id) == AccountRow.id)
        .where(
            col(AccountRow.organisation_id) == ground.number,
            or_(col(PositionRow.look_again_on).is_(None), col(PositionRow.look_again_on) <= until),
        )
    )
    return asked.union(unit.scalars(query))
