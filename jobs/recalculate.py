"""Recalculate: from the facts about some accounts to where each of them stands.

Nothing is sent here and nothing outside is asked. Facts are read, the engine decides, and what changed is written:
positions, queued reminders, history notes, all in one commit. Running it twice changes nothing the second time.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from engine.decide import decide
from engine.facts import Decision, Facts
from jobs.containing import contained
from jobs.office import Office
from store.decisions import save_decisions
from store.facts import facts_of, ground_of
from store.leases import one_at_a_time
from store.tables import OrganisationRow


class Recalculated(NamedTuple):
    """How many positions changed, and the facts and decision of each account that was looked at."""

    changed: int
    decided: dict[int, tuple[Facts, Decision]]


def recalculate(office: Office, organisation_id: int, account_ids: Iterable[int] | None = None) -> int:
    """Looks at these accounts, or at all of the organisation. Returns how many positions changed."""
    with office.database.unit_of_work() as unit:
        return recalculate_in(unit, office, organisation_id, account_ids).changed


def recalculate_new_days(office: Office) -> None:
    """Looks at every account of each organisation whose date has changed since it was last looked at as a whole."""
    with office.database.reading() as session:
        known = session.scalars(select(OrganisationRow)).all()
    for organisation in known:
        if organisation.id is not None and organisation.recalculated_on != office.as_of(organisation):
            with contained("accounts not looked at", organisation=organisation.id):
                recalculate(office, organisation.id)


def recalculate_in(
    unit: Session, office: Office, organisation_id: int, account_ids: Iterable[int] | None = None
) -> Recalculated:
    """The same inside a unit of work that is already open. On the first look of a day every account is looked at."""
    one_at_a_time(unit, organisation_id)
    ground = ground_of(unit, organisation_id)
    as_of = office.as_of(ground.organisation)
    if ground.organisation.default_workflow_id is None:
        return Recalculated(0, {})
    first_look = ground.organisation.recalculated_on != as_of
    ids = None if account_ids is None or first_look else sorted(set(account_ids))
    if ids is None:
        ground.organisation.recalculated_on = as_of
    decided = {account: (facts, decide(facts, as_of)) for account, facts in facts_of(unit, ground, ids).items()}
    changed = save_decisions(unit, ground, decided, as_of=as_of, now=office.clock(), first_look=first_look)
    return Recalculated(changed, decided)
