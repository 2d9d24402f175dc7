"""Settings → Reminders: how reminders behave for the whole organisation."""

from dataclasses import replace
from datetime import time
from typing import Annotated
from zoneinfo import available_timezones

from babel import Locale
from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from jobs.acting import NotAllowed
from jobs.reminder_settings import save_reminder_settings, settings_of
from web._pages import back, page
from web._visit import Deciding, Looking, Said

router = APIRouter()

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LOCALES = (
    *("en_GB", "en_AU", "en_NZ", "en_US", "en_CA", "en_IE", "en_ZA", "en_SG"),
    *("de_DE", "de_AT", "de_CH", "fr_FR", "fr_CA", "es_ES", "it_IT", "nl_NL"),
    *("da_DK", "sv_SE", "nb_NO", "pt_PT", "pl_PL"),
)


@router.get("/settings")
def settings(_desk: Looking) -> Response:
    return RedirectResponse("/settings/reminders", status_code=303)


@router.get("/settings/reminders")
def reminders(desk: Looking) -> Response:
    known = sorted({*_LOCALES, desk.organisation.locale})
    return page(
        desk,
        "settings_reminders.html",
        weekdays=WEEKDAYS,
        zones=_zones(desk.organisation.time_zone),
        locales=[(name, Locale.parse(name).get_display_name("en") or name) for name in known],
    )


@router.post("/settings/reminders")
def save(
    desk: Deciding,
    sending_time: Said = "",
    weekdays: Annotated[list[str], Form()] = [],  # noqa: B006  FastAPI copies it
    time_zone: Said = "",
    locale: Said = "",
    gap: Said = "",
    sender_name: Said = "",
    reply_holds: Said = "",
    smart: Said = "",
) -> Response:
    """Saves them all or none. Raises NotAllowed with a sentence for what cannot be."""
    organisation = desk.organisation
    if time_zone not in available_timezones():
        raise NotAllowed("That is not a time zone. Choose one from the list.")
    try:
        at, days = time.fromisoformat(sending_time), int(gap)
    except ValueError:
        raise NotAllowed("The sending time needs hours and minutes, and the gap a number of days.") from None
    settings = replace(
        settings_of(organisation),
        # A new organisation has Smart workflows on, and no form can turn them off.
        reassess_on_payment=organisation.reassess_on_payment if organisation.reassess_locked else smart == "on",
        sending_time=at,
        sending_weekdays=sorted({int(day) for day in weekdays if day in "0123456" and len(day) == 1}),
        min_days_between_reminders=days,
        reply_holds=reply_holds == "on",
        time_zone=time_zone,
        locale=locale,
        sender_name=sender_name.strip(),
    )
    save_reminder_settings(desk.office, desk.id, settings, by=desk.by)
    return back("/settings/reminders", "saved")


def _zones(current: str) -> dict[str, list[str]]:
    """Every time zone by its region, the organisation's own among them whatever it is."""
    regions: dict[str, list[str]] = {}
    for zone in sorted({*available_timezones(), current}):
        region, slash, _ = zone.partition("/")
        if (slash and region not in ("Etc", "US")) or zone in ("UTC", current):
            regions.setdefault(region if slash else "Other", []).append(zone)
    return regions
