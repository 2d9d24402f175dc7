"""Settings → Calls: the telephone that rings first, whether a machine may call anybody, and who has agreed to it."""

from datetime import date

from fastapi import APIRouter, Response

from jobs import voice
from jobs.acting import NotAllowed
from jobs.calling import can_ring, set_own_number
from jobs.consents import consents
from store import screens
from store.numbers import home_of, numbers_of, shown
from store.tables import AccountRow, ReminderRow, UserRow
from web._pages import back, page
from web._visit import Deciding, Looking, NotFound, Said, Working, number_of

router = APIRouter()


@router.get("/settings/calls")
def settings(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        user = session.get(UserRow, desk.signed.user_id)
    return page(
        desk,
        "settings_calls.html",
        own=shown(user.phone, home_of(desk.organisation)) if user is not None and user.phone else "",
        can_ring=can_ring(desk.office),
    )


@router.post("/settings/calls/own-number")
def own_number(desk: Working, number: Said = "") -> Response:
    set_own_number(desk.office, desk.signed.user_id, desk.organisation, number)
    return back("/settings/calls", "saved")


@router.post("/settings/calls/voice")
def countries(desk: Deciding, countries: Said = "") -> Response:
    voice.set_voice_countries(desk.office, desk.id, countries.replace(",", " ").split(), by=desk.by)
    return back("/settings/calls", "saved")


@router.get("/accounts/{account_id}/voice")
def agreed(desk: Looking, account_id: int) -> Response:
    """Who there has agreed to be called by a machine, and who did once."""
    account: AccountRow = desk.own(AccountRow, account_id)
    with desk.office.database.reading() as session:
        known = consents(session, account_id, past=True)
        file = screens.account(session, desk.id, account_id, history=1)
    if file is None:
        raise NotFound
    home = home_of(desk.organisation)
    return page(
        desk,
        "voice.html",
        account=account,
        consents=[(consent, shown(consent.number, home)) for consent in known],
        numbers=[one for one in numbers_of(account, file.contacts, home) if one.dialled],
    )


@router.post("/accounts/{account_id}/voice")
def agree(desk: Working, account_id: int, number: Said = "", how: Said = "", given_on: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    try:
        day = date.fromisoformat(given_on)
    except ValueError:
        raise NotAllowed("Give the day on which they agreed, like 2026-05-31.") from None
    voice.record_consent(desk.office, account_id, number=number, how=how.strip(), given_on=day, by=desk.by)
    return back(f"/accounts/{account_id}/voice", "agreed")


@router.post("/accounts/{account_id}/voice/withdraw")
def withdraw(desk: Working, account_id: int, consent: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    voice.withdraw_consent(desk.office, account_id, number_of(consent), by=desk.by)
    return back(f"/accounts/{account_id}/voice", "agreed-no-more")


@router.post("/calls/{reminder_id}/machine")
def by_machine(desk: Working, reminder_id: int) -> Response:
    desk.own(ReminderRow, reminder_id)
    voice.let_a_machine_call(desk.office, reminder_id, by=desk.by)
    return back("/calls", "machine")
