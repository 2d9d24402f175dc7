"""Settings → Sending: whether messages really leave, how many at once and a day, and how a backlog is begun.

Going live is a decision of its own: what was only tried out has moved accounts along, and nobody has heard of it. So
whoever goes live says whether accounts go on from where they stand, or first get what they were never really sent.
"""

import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session

from engine.letters import LAST_DAY
from jobs.acting import NotAllowed, organisation_in
from jobs.contact_times import plan_anew
from jobs.going_live import begin_anew, settle_under_way, tried_out
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.trying_out import SendingMode
from store import audit
from store.numbers import home_of, mobile
from store.tables import OrganisationRow
from store.tasks import close_task

MOST = 1_000_000
LATEST_DAY = 28
"""The last day that every month has."""


class GoingLive(StrEnum):
    """What becomes of accounts whose steps were only tried out."""

    UNDECIDED = ""
    GO_ON = "go on"
    ANEW = "anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingSettings:
    """What `store.tables.OrganisationRow` says of each. A number of 0 means: any number."""

    sending_mode: SendingMode
    sending_to: str
    sending_to_number: str
    most_a_run: int
    most_a_day: int
    first_contacts_a_day: int
    statement_day: int = 0
    thanks: bool = False


def sending_settings_of(organisation: OrganisationRow) -> SendingSettings:
    """The settings as they are."""
    return SendingSettings(
        sending_mode=SendingMode(organisation.sending_mode),
        sending_to=organisation.sending_to,
        sending_to_number=organisation.sending_to_number,
        most_a_run=organisation.most_a_run,
        most_a_day=organisation.most_a_day,
        first_contacts_a_day=organisation.first_contacts_a_day,
        statement_day=organisation.statement_day,
        thanks=organisation.thanks,
    )


def save_sending_settings(
    office: Office,
    organisation_id: int,
    settings: SendingSettings,
    *,
    by: str,
    going_live: GoingLive = GoingLive.UNDECIDED,
) -> None:
    """Saves them all. Raises NotAllowed with a sentence for the first that cannot be."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if problem := _problem(settings, organisation):
            raise NotAllowed(problem)
        number = settings.sending_to_number
        kept = asdict(settings) | {
            "sending_to": settings.sending_to.strip(),
            "sending_to_number": mobile(number, home_of(organisation)) if number else "",
        }
        was = SendingMode(organisation.sending_mode)
        told = {**kept, "was": was.value, "going_live": going_live.value}
        what = "sending settings saved"
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **told)
        raised = _is_raised(settings, organisation)
        _begin_letters(office, organisation, settings)
        for name, value in kept.items():
            setattr(organisation, name, value)
        anew = _change_mode(unit, office, organisation, was, going_live, by)
        if raised and organisation.capped_at is not None:
            organisation.capped_at, organisation.capped_why = None, ""
            close_task(unit, organisation_id=organisation_id, key="cap", at=office.clock(), by=by)
        unit.flush()
        # What was only tried out counts for gaps and caps during a trial alone, so some that waited need not any more.
        recalculate_in(unit, office, organisation_id, anew, restless=was != settings.sending_mode)
        plan_anew(unit, office, organisation_id)


def _begin_letters(office: Office, organisation: OrganisationRow, settings: SendingSettings) -> None:
    """What lies behind us gets no letter: neither a statement day before today nor a payment before now."""
    if settings.statement_day != organisation.statement_day:
        organisation.statements_for = office.as_of(organisation) - timedelta(days=1)
    if settings.thanks and not organisation.thanks:
        organisation.thanks_since = office.clock()


def _change_mode(
    unit: Session, office: Office, organisation: OrganisationRow, was: SendingMode, going_live: GoingLive, by: str
) -> list[int]:
    """Answers with the accounts that begin anew."""
    live, number = organisation.sending_mode == SendingMode.LIVE, int(organisation.id or 0)
    if not live:
        organisation.tried_out_since = organisation.tried_out_since or office.clock()
        return []
    if was is not SendingMode.LIVE:
        settle_under_way(unit, office, number)
    unheard = was is not SendingMode.LIVE and tried_out(unit, number)
    if unheard and going_live is GoingLive.UNDECIDED:
        raise NotAllowed(
            "Some steps were only tried out. Say whether accounts go on from where they stand, or get those first."
        )
    anew = begin_anew(unit, office, organisation, by=by) if unheard and going_live is GoingLive.ANEW else []
    organisation.tried_out_since = None
    return anew


def _is_raised(settings: SendingSettings, organisation: OrganisationRow) -> bool:
    """A cap that was reached is higher now, or there is none any more."""
    pairs = (
        (settings.most_a_run, organisation.most_a_run),
        (settings.most_a_day, organisation.most_a_day),
    )
    return any(known and (not wanted or wanted > known) for wanted, known in pairs)


def _problem(settings: SendingSettings, organisation: OrganisationRow) -> str:
    """What cannot be, in a sentence; empty when everything can."""
    numbers = (settings.most_a_run, settings.most_a_day, settings.first_contacts_a_day)
    if not all(0 <= number <= MOST for number in numbers):
        return f"How many may leave is a whole number from 0 (any number) to {MOST:,}."
    if not (0 <= settings.statement_day <= LATEST_DAY or settings.statement_day == LAST_DAY):
        return (
            f"The day of the statement is one from 1 to {LATEST_DAY}, {LAST_DAY} for the last of the month, or 0: none."
        )
    to = settings.sending_to.strip()
    if to and not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", to):
        return f"'{to}' is not an email address."
    if settings.sending_mode is SendingMode.TO_ME and not to:
        return "Say to which address of yours messages go instead."
    number = settings.sending_to_number.strip()
    if number and not mobile(number, home_of(organisation)):
        return f"'{number}' is not a mobile number. Write it like +44 7700 900123."
    return ""
