"""Who has agreed to be called by a machine: written down with how and when, and withdrawn at once.

What is asked before every call by machine is here, apart from the acts in `voice` that let one go.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from engine.workflow import Channel
from store.numbers import country_of_number
from store.stops import stopped
from store.tables import AccountRow, OrganisationRow, VoiceConsentRow


def consents(session: Session, account_id: int, *, past: bool = False) -> tuple[VoiceConsentRow, ...]:
    """The consents of this account that are in force, or with `past` all that there ever were, the newest first."""
    query = select(VoiceConsentRow).where(col(VoiceConsentRow.account_id) == account_id)
    if not past:
        query = query.where(col(VoiceConsentRow.withdrawn_at).is_(None))
    return tuple(session.scalars(query.order_by(col(VoiceConsentRow.id).desc())))


def number_for_a_machine(session: Session, organisation: OrganisationRow, account: AccountRow) -> str:
    """The number of this account that a machine may call (E.164), or empty. To be asked anew before each call."""
    if not organisation.voice_countries or account.id is None or organisation.id is None:
        return ""
    for consent in consents(session, account.id):
        if country_of_number(consent.number) not in organisation.voice_countries:
            continue
        if stopped(session, organisation.id, Channel.CALL, consent.number) is None:
            return consent.number
    return ""
