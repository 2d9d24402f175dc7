"""Settings → Reminders: how reminders behave for the whole organisation.

They are saved whole or not at all, the audit log keeps them, and every account is looked at anew in the same commit.
Positions stay where they are; what follows from them may differ from now on.
"""

from dataclasses import asdict, dataclass
from datetime import time
from decimal import Decimal
from zoneinfo import available_timezones

from engine.facts import AfterMoveBack, FirstContact
from engine.limit_presets import PRESETS
from jobs.acting import NotAllowed, organisation_in
from jobs.contact_times import plan_anew
from jobs.office import Office
from jobs.recalculate import recalculate_in
from store import audit
from store.holidays_of import NoSuchCalendar, holidays_of
from store.tables import OrganisationRow

MOST_IGNORED = Decimal(100_000)
OLDEST_LEDGER = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSettings:
    """What `store.tables.OrganisationRow` says of each, in the engine's own words where it has some."""

    reassess_on_payment: bool
    after_move_back: AfterMoveBack
    first_contact: FirstContact
    return_over_link: bool
    sending_time: time
    sending_weekdays: list[int]
    min_days_between_reminders: int
    holiday_calendar: str
    contact_rules: str
    reply_holds: bool
    link_invoices: bool
    write_expected_dates: bool
    disputed_invoices_drive: bool
    pause_when_in_credit: bool
    ignore_below: Decimal
    stale_after_days: int
    time_zone: str
    locale: str
    sender_name: str


def settings_of(organisation: OrganisationRow) -> ReminderSettings:
    """The settings as they are."""
    return ReminderSettings(
        reassess_on_payment=organisation.reassess_on_payment,
        after_move_back=AfterMoveBack(organisation.after_move_back),
        first_contact=FirstContact(organisation.first_contact),
        return_over_link=organisation.return_over_link,
        sending_time=organisation.sending_time,
        sending_weekdays=organisation.sending_weekdays,
        min_days_between_reminders=organisation.min_days_between_reminders,
        holiday_calendar=organisation.holiday_calendar,
        contact_rules=organisation.contact_rules,
        reply_holds=organisation.reply_holds,
        link_invoices=organisation.link_invoices,
        write_expected_dates=organisation.write_expected_dates,
        disputed_invoices_drive=organisation.disputed_invoices_drive,
        pause_when_in_credit=organisation.pause_when_in_credit,
        ignore_below=organisation.ignore_below,
        stale_after_days=organisation.stale_after_days,
        time_zone=organisation.time_zone,
        locale=organisation.locale,
        sender_name=organisation.sender_name,
    )


def save_reminder_settings(office: Office, organisation_id: int, settings: ReminderSettings, *, by: str) -> None:
    """Saves them all. Raises NotAllowed with a sentence for the first that cannot be."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if problem := _problem(settings, organisation):
            raise NotAllowed(problem)
        kept = asdict(settings) | {
            "sending_weekdays": sorted(set(settings.sending_weekdays)),
            "sender_name": settings.sender_name.strip(),
        }
        plain = {name: _plain(value) for name, value in kept.items()}
        what = "reminder settings saved"
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **plain)
        for name, value in kept.items():
            setattr(organisation, name, value)
        unit.flush()
        recalculate_in(unit, office, organisation_id)
        plan_anew(unit, office, organisation_id)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, time) else str(value) if isinstance(value, Decimal) else value


def _problem(settings: ReminderSettings, organisation: OrganisationRow) -> str:
    """What cannot be, in a sentence; empty when everything can."""
    if organisation.reassess_locked and not settings.reassess_on_payment:
        return "Smart workflows are always on for this organisation."
    if not settings.sending_weekdays:
        return "Choose at least one weekday on which reminders may leave."
    if settings.time_zone not in available_timezones():
        return f"'{settings.time_zone}' is not a time zone. Write it like Europe/London."
    if not 1 <= settings.min_days_between_reminders <= 90:
        return "Between two reminders there may be 1 to 90 days."
    if not 0 <= settings.stale_after_days <= OLDEST_LEDGER:
        return f"The ledger data may be 0 to {OLDEST_LEDGER} days old."
    if not _is_small(settings.ignore_below):
        return f"Balances may be ignored below an amount from 0 to {MOST_IGNORED:,}, with two decimals."
    if settings.contact_rules and settings.contact_rules not in PRESETS:
        return f"There are no contact limits called '{settings.contact_rules}'."
    try:
        holidays_of(settings.holiday_calendar, organisation.created_at.date())
    except NoSuchCalendar as problem:
        return str(problem)
    return ""


def _is_small(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount <= MOST_IGNORED and amount == round(amount, 2)
