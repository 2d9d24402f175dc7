"""Connect: a person lets us read and write one ledger, in the browser, and an organisation comes into being.

The browser is sent to the provider with a state that only this browser's session can redeem, once. A new organisation
starts paused: it syncs, plans and shows what it would send, and sends nothing until a person says so.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import Authoriser, Grant, LedgerFailure, Tenant, open_authoriser
from jobs.ledgers import CONSENT_ENDS, connection_of, grant_from, learn_who_it_is, ledger_of, text_of
from jobs.office import Office
from store import SealBroken, audit
from store.grants import place_of
from store.people import add_member
from store.tables import ConnectionRow, ConsentRow, MembershipRow, OrganisationRow, StepRow, WorkflowRow
from store.tasks import close_task
from wording import prewritten
from wording.prewritten import language_of

STATE_LASTS = timedelta(minutes=15)


class ConsentProblem(Exception):
    """The dance did not come to its end. The message is a sentence for the person at the browser."""


@dataclass(frozen=True, slots=True)
class Connected:
    organisation_id: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The grant reaches several organisations: the person picks one. Give `state` back with the choice."""

    state: str
    tenants: tuple[Tenant, ...]


@dataclass(frozen=True, slots=True)
class Direct:
    """The app was made for this one organisation: nobody is sent anywhere, and `connect_directly` connects it."""

    tenant: Tenant


def begin(office: Office, *, kind: str, session: str, redirect_uri: str) -> str | Direct:
    """Where to send the browser, if it has to be sent. `session` is the key hash of the browser's session.

    Raises LookupError, and ConsentProblem when an app that needs no browser is given no key.
    """
    authoriser = _authoriser(office, kind)
    if (reached := _reached_directly(authoriser)) is not None:
        return Direct(reached[0])
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    with office.database.unit_of_work() as unit:
        unit.add(
            ConsentRow(
                state_hash=_hash(state),
                session_hash=session,
                kind=kind,
                sealed_verifier=office.vault.seal(verifier, f"consent {_hash(state)}"),
                started_at=office.clock(),
            )
        )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return authoriser.authorise_url(state=state, challenge=challenge, redirect_uri=redirect_uri)


def finish(
    office: Office,
    *,
    session: str,
    state: str,
    code: str,
    redirect_uri: str,
    user_id: int,
    callback: Mapping[str, str] = MappingProxyType({}),
) -> Connected | Choice:
    """The browser is back, with `callback` as its whole query: some providers name the organisation there alone.

    Raises ConsentProblem when the state is wrong, used, too old or another browser's.
    """
    kind, verifier = _redeemed(office, session, state)
    authoriser = _authoriser(office, kind)
    try:
        grant = authoriser.exchange(code=code, verifier=verifier, redirect_uri=redirect_uri)
        tenants = authoriser.tenants(grant, callback)
    except LedgerFailure as failure:
        raise ConsentProblem(f"The connection could not be made: {failure}") from failure
    if not tenants:
        raise ConsentProblem("The consent reaches no organisation. Connect again and choose one.")
    if len(tenants) == 1:
        return _connected(office, kind, tenants[0], grant, user_id)
    with office.database.unit_of_work() as unit:
        consent = unit.get(ConsentRow, _hash(state))
        assert consent is not None
        consent.sealed_grant = office.vault.seal(text_of(grant), f"consent {_hash(state)}")
    return Choice(state, tenants)


def choose(office: Office, *, session: str, state: str, tenant: str, user_id: int) -> Connected:
    """The person picked one of several organisations. Raises ConsentProblem."""
    with office.database.reading() as reading:
        consent = reading.get(ConsentRow, _hash(state))
    if consent is None or consent.session_hash != session or not consent.sealed_grant:
        raise ConsentProblem("This choice is no longer open. Connect again.")
    grant = grant_from(office.vault.open(consent.sealed_grant, f"consent {_hash(state)}"))
    try:
        tenants = {known.id: known for known in _authoriser(office, consent.kind).tenants(grant, {})}
    except LedgerFailure as failure:
        raise ConsentProblem(f"The connection could not be made: {failure}") from failure
    if tenant not in tenants:
        raise ConsentProblem("The consent does not reach that organisation. Connect again and choose one of the list.")
    connected = _connected(office, consent.kind, tenants[tenant], grant, user_id)
    with office.database.unit_of_work() as unit:
        unit.execute(update(ConsentRow).where(col(ConsentRow.state_hash) == _hash(state)).values(sealed_grant=""))
    return connected


def reached_directly(office: Office, kind: str) -> Tenant | None:
    """The one organisation of an app that needs no browser; None where a person has to consent there.

    Raises ConsentProblem and LookupError.
    """
    reached = _reached_directly(_authoriser(office, kind))
    return reached[0] if reached is not None else None


def connect_directly(office: Office, *, kind: str, user_id: int) -> Connected:
    """Connects the one organisation of an app that needs no browser. Raises ConsentProblem and LookupError."""
    reached = _reached_directly(_authoriser(office, kind))
    if reached is None:
        raise ConsentProblem("This ledger is connected in the browser, where a person consents. Begin with the button.")
    return _connected(office, kind, *reached, user_id)


def disconnect(office: Office, organisation_id: int, *, by: str) -> None:
    """Ends the connection here and at the provider. What we know of the ledger is kept; nothing is sent any more."""
    with office.database.reading() as session:
        connection = connection_of(session, organisation_id)
    if connection is None or not connection.sealed_grant:
        return
    try:
        grant = grant_from(office.vault.open(connection.sealed_grant, place_of(connection.kind, connection.tenant)))
        _authoriser(office, connection.kind).disconnect(grant, connection.provider_connection)
        why = f"disconnected by {by}"
    except (LedgerFailure, LookupError, SealBroken) as failure:
        why = f"disconnected here by {by}; the provider did not answer ({failure}), so end it there too"
    with office.database.unit_of_work() as unit:
        row = unit.get(ConnectionRow, connection.id)
        assert row is not None
        row.state, row.why, row.sealed_grant, row.generation = "disconnected", why, "", row.generation + 1
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="ledger disconnected")


def _authoriser(office: Office, kind: str) -> Authoriser:
    settings = office.ledgers.get(kind)
    if settings is None:
        raise LookupError(f"There are no app keys for '{kind}' in the configuration. Add a [{kind}] block and restart.")
    return open_authoriser(kind, settings, clock=office.clock)


def _reached_directly(authoriser: Authoriser) -> tuple[Tenant, Grant] | None:
    try:
        grant = authoriser.direct()
        return (authoriser.tenants(grant, {})[0], grant) if grant is not None else None
    except LedgerFailure as failure:
        raise ConsentProblem(f"The connection could not be made: {failure}") from failure


def _redeemed(office: Office, session: str, state: str) -> tuple[str, str]:
    """The kind of ledger and the verifier that belong to this state, which is used up by asking."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        used = unit.execute(
            update(ConsentRow)
            .where(
                col(ConsentRow.state_hash) == _hash(state),
                col(ConsentRow.session_hash) == session,
                col(ConsentRow.used_at).is_(None),
                col(ConsentRow.started_at) > now - STATE_LASTS,
            )
            .values(used_at=now)
        )
        consent = unit.get(ConsentRow, _hash(state)) if used.rowcount == 1 else None
    if consent is None:
        raise ConsentProblem(
            "This answer does not belong to a connection that you have just asked for. "
            "It may be too old, used before, or from another browser. Connect again."
        )
    return consent.kind, office.vault.open(consent.sealed_verifier, f"consent {consent.state_hash}")


def _connected(office: Office, kind: str, tenant: Tenant, grant: Grant, user_id: int) -> Connected:
    now = office.clock()
    with office.database.unit_of_work() as unit:
        connection = unit.scalars(
            select(ConnectionRow).where(col(ConnectionRow.kind) == kind, col(ConnectionRow.tenant) == tenant.id)
        ).one_or_none()
        if connection is None:
            organisation = _new_organisation(unit, tenant, now)
            connection = ConnectionRow(organisation_id=organisation.id, kind=kind, tenant=tenant.id, connected_at=now)
            unit.add(connection)
            add_member(unit, user_id=user_id, organisation_id=organisation.id)
        elif unit.get(MembershipRow, (user_id, connection.organisation_id)) is None:
            raise ConsentProblem(
                f"{tenant.name} is connected here already, and this login does not work for it. "
                "Ask its owner to let you in; nothing has been changed."
            )
        connection.tenant_name, connection.provider_connection = tenant.name, tenant.connection_id
        connection.state, connection.why, connection.refreshing_until = "active", "", None
        connection.sealed_grant = office.vault.seal(text_of(grant), place_of(kind, tenant.id))
        connection.generation = (connection.generation or 0) + 1
        connection.access_expires_at = grant.access_expires_at
        connection.refresh_expires_at = grant.refresh_expires_at
        connection.connected_at = now
        unit.flush()
        for key in ("connection", CONSENT_ENDS):
            close_task(unit, organisation_id=connection.organisation_id, key=key, at=now, by="arrears")
    with suppress(LedgerFailure):  # silent for a moment: the first sync asks again
        learn_who_it_is(office, connection.organisation_id, ledger_of(office, connection))
    return Connected(connection.organisation_id)


def _new_organisation(unit: Session, tenant: Tenant, now: datetime) -> OrganisationRow:
    organisation = OrganisationRow(
        name=tenant.name,
        created_at=now,
        paused_at=now,
        paused_by="arrears",
        paused_why="a new organisation starts paused; look at the plan, then start sending",
    )
    unit.add(organisation)
    unit.flush()
    assert organisation.id is not None
    organisation.default_workflow_id = add_workflow(unit, organisation.id, "standard")
    return organisation


def add_workflow(unit: Session, organisation_id: int, name: str) -> int:
    """Adds a pre-written workflow to an organisation, in its language. Returns its number."""
    organisation = unit.get(OrganisationRow, organisation_id)
    assert organisation is not None
    written = prewritten(name, language_of(organisation.locale))
    workflow = WorkflowRow(organisation_id=organisation_id, name=written.name, description=written.description)
    unit.add(workflow)
    unit.flush()
    assert workflow.id is not None
    for step in written.steps:
        unit.add(
            StepRow(
                workflow_id=workflow.id,
                step_id=step.id,
                name=step.name,
                day=step.day,
                channel=step.channel,
                manual=step.manual,
                subject=step.subject,
                body=step.body,
            )
        )
    unit.flush()
    return workflow.id


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
