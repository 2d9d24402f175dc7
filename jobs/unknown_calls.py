"""Calls of which nobody knows whether they were put through, once nothing is left that a machine could ask.

The telephone provider is asked some times by itself. After the last time only a person can find out, so a task says
where to look and where to say it. It is over by itself as soon as anybody knows.
"""

from zoneinfo import ZoneInfo

from sqlmodel import Session

from engine.words import in_words
from jobs.looking_up import looked
from jobs.office import Office
from store.numbers import home_of, shown
from store.tables import AccountRow, MessageRow, OrganisationRow, PhoneCallRow
from store.tasks import close_task, open_task


def ask_a_person(unit: Session, office: Office, call: PhoneCallRow, message: MessageRow) -> None:
    """Opens the task about this call. `message`: its attempt, which knows how often the provider was asked."""
    account, organisation = unit.get(AccountRow, call.account_id), unit.get(OrganisationRow, call.organisation_id)
    assert account is not None and organisation is not None
    begun = call.begun_at.astimezone(ZoneInfo(organisation.time_zone))
    open_task(
        unit,
        organisation_id=call.organisation_id,
        account_id=call.account_id,
        key=_key(call),
        kind="unsure",
        text=f"{account.name}: nobody knows whether {call.by} was put through to "
        f"{shown(call.number, home_of(organisation))} on {in_words(begun.date())} at {begun:%H:%M}.{looked(message)} "
        "Look into the call log of your telephone provider, then say on the call's page whether it rang.",
        at=office.clock(),
    )


def nobody_need_ask(unit: Session, office: Office, call: PhoneCallRow, *, by: str = "arrears") -> None:
    """It is known what became of the call: the task about it is over, if there is one."""
    close_task(unit, organisation_id=call.organisation_id, key=_key(call), at=office.clock(), by=by)


def _key(call: PhoneCallRow) -> str:
    return f"unsure:call {call.id}"
