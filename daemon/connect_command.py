"""`arrears connect`: connects the one organisation of an app that needs no browser, for a machine that has none."""

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from sqlalchemy import select

from connector import title_of
from jobs import connect
from jobs.office import Office
from store.people import user_of
from store.tables import OrganisationRow, UserRow


def connect_here(office: Office, kind: str, email: str, console: Console, sure: Callable[[str], bool]) -> bool:
    """Shows which organisation the app reaches and, when `sure` says yes to the question, connects it. True when done.

    Raises LookupError and ConsentProblem with a sentence.
    """
    tenant = connect.reached_directly(office, kind)
    if tenant is None:
        raise LookupError(
            f"{title_of(kind)} is connected in the browser, where a person consents: open "
            f"{office.public_url}/connections. Only an app made for one organisation is connected from here "
            "(at Xero a Custom Connection, with custom_connection = true in its block)."
        )
    login = _login(office, email)
    if not sure(f"Connect {tenant.name} for {login.email}?"):
        console.print("Nothing was connected.")
        return False
    done = connect.connect_directly(office, kind=kind, user_id=int(login.id or 0))
    with office.database.reading() as session:
        organisation = session.get(OrganisationRow, done.organisation_id)
    assert organisation is not None
    name = escape(organisation.name)
    console.print(
        f"{name} is connected, as organisation {organisation.id}. Read it with: arrears sync {organisation.id}"
    )
    if organisation.paused_at is not None:
        console.print("Sending is paused. Look at the plan on the pages, then start it there.")
    return True


def _login(office: Office, email: str) -> UserRow:
    """Whoever is to own the organisation here: the login of that address, or the only one there is."""
    with office.database.reading() as session:
        if email:
            login = user_of(session, email)
            if login is None:
                raise LookupError(f"There is no login for {email}. Make one with: arrears user {email}")
            return login
        known = list(session.scalars(select(UserRow).limit(2)))
    if not known:
        raise LookupError("There is no login yet, so the organisation would be nobody's. Run arrears init first.")
    if len(known) > 1:
        raise LookupError("There are several logins. Say whose organisation it will be: --email ADDRESS.")
    return known[0]
