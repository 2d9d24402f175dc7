"""Settings → Reminders: how reminders behave for the whole organisation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Annotated, TypeVar

from babel import Locale
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from engine.limit_presets import PRESETS, preset_for
from jobs.acting import NotAllowed
from jobs.reminder_settings import ReminderSettings, save_reminder_settings, settings_of
from store.holidays_of import calendars
from store.tables import OrganisationRow
from web._limits import limits_in_words
from web._pages import back, page
from web._visit import Deciding, Looking
from web._zones import zones_by_region

router = APIRouter()

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LOCALES = (
    *("en_GB", "en_AU", "en_NZ", "en_US", "en_CA", "en_IE", "en_ZA", "en_SG"),
    *("de_DE", "de_AT", "de_CH", "fr_FR", "fr_CA", "es_ES", "it_IT", "nl_NL"),
    *("da_DK", "sv_SE", "nb_NO", "pt_PT", "pl_PL"),
)
_Of = TypeVar("_Of")
_Word = TypeVar("_Word", bound=StrEnum)


async def _typed(request: Request) -> FormData:
    return await request.form()


Typed = Annotated[FormData, Depends(_typed)]


@router.get("/settings")
def settings(_desk: Looking) -> Response:
    return RedirectResponse("/settings/reminders", status_code=303)


@router.get("/settings/reminders")
def reminders(desk: Looking) -> Response:
    organisation = desk.organisation
    country, _, part = organisation.holiday_calendar.partition("-")
    limits = PRESETS.get(organisation.contact_rules)
    known = sorted({*_LOCALES, organisation.locale})
    return page(
        desk,
        "settings_reminders.html",
        weekdays=WEEKDAYS,
        countries=_countries(),
        country=country,
        part=part,
        parts=calendars().get(country, ()),
        limits=[
            ("", "none: at any hour, as often as the workflow says"),
            *((key, PRESETS[key].title) for key in PRESETS),
        ],
        fitting=preset_for(organisation.country).title if organisation.country else "",
        rules=limits_in_words(limits) if limits is not None else [],
        zones=zones_by_region(organisation.time_zone),
        locales=[(name, Locale.parse(name).get_display_name("en") or name) for name in known],
    )


@router.post("/settings/reminders")
def save(desk: Deciding, typed: Typed) -> Response:
    """Saves them all or none. Raises NotAllowed with a sentence for what cannot be."""
    save_reminder_settings(desk.office, desk.id, _read(typed, desk.organisation), by=desk.by)
    return back("/settings/reminders", "saved")


def _read(typed: FormData, organisation: OrganisationRow) -> ReminderSettings:
    """The settings as they were typed. A box that was not sent is not ticked; any other field stays as it is."""
    known = settings_of(organisation)

    def field(name: str, known: _Of, meaning: Callable[[str], _Of], otherwise: str) -> _Of:
        text = typed.get(name)
        if not isinstance(text, str):
            return known
        try:
            return meaning(text.strip())
        except (ValueError, InvalidOperation):
            raise NotAllowed(otherwise) from None

    def one_of(name: str, known: _Word) -> _Word:
        return field(name, known, type(known), "That is not one of the choices. Load the page again.")

    def number(name: str, known: int, what: str) -> int:
        return field(name, known, int, f"{what} is a whole number of days.")

    def text(name: str, known: str) -> str:
        return field(name, known, str, "")

    days = [day for day in typed.getlist("weekdays") if isinstance(day, str) and day in "0123456" and len(day) == 1]
    return replace(
        known,
        # A new organisation has Smart workflows on, and no form can turn them off.
        reassess_on_payment=known.reassess_on_payment if organisation.reassess_locked else "smart" in typed,
        after_move_back=one_of("after_move_back", known.after_move_back),
        first_contact=one_of("first_contact", known.first_contact),
        return_over_link="return_over_link" in typed,
        sending_time=field(
            "sending_time", known.sending_time, time.fromisoformat, "Write the sending time like 09:00."
        ),
        sending_weekdays=sorted({int(day) for day in days}),
        min_days_between_reminders=number("gap", known.min_days_between_reminders, "The gap between two reminders"),
        holiday_calendar=_calendar(typed, known.holiday_calendar),
        contact_rules=text("contact_rules", known.contact_rules),
        reply_holds="reply_holds" in typed,
        link_invoices="link_invoices" in typed,
        write_expected_dates="write_expected_dates" in typed,
        disputed_invoices_drive="disputed" in typed,
        pause_when_in_credit="in_credit" in typed,
        ignore_below=field("ignore_below", known.ignore_below, Decimal, "Write the balance to ignore like 5.00."),
        stale_after_days=number("stale", known.stale_after_days, "The age of the ledger data"),
        time_zone=text("time_zone", known.time_zone),
        locale=field(
            "locale", known.locale, _locale, "That is no way of writing that we know. Choose one from the list."
        ),
        sender_name=text("sender_name", known.sender_name),
    )


def _locale(name: str) -> str:
    """Raises ValueError for one that is not on the list."""
    return _LOCALES[_LOCALES.index(name)]


def _calendar(typed: FormData, known: str) -> str:
    """`GB`, or `GB-SCT` for a part, however that was written."""
    country, part = typed.get("country"), typed.get("part", "")
    if not isinstance(country, str) or not isinstance(part, str):
        return known
    if not country or not part.strip():
        return country
    parts = {one.casefold(): one for one in calendars().get(country, ())}
    return f"{country}-{parts.get(part.strip().casefold(), part.strip())}"


@cache
def _countries() -> tuple[tuple[str, str], ...]:
    """Every country whose public holidays are known, by its English name."""
    names = Locale("en").territories
    return tuple(sorted(((code, names.get(code, code)) for code in calendars()), key=lambda one: one[1]))
