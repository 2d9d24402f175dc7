"""Founding: what happens once, on the first day. A configuration, a database, and the owner's login."""

from pathlib import Path

from sqlalchemy import select

from daemon.config import NAME
from jobs.office import Office
from store.people import add_member, add_user, set_password, user_of
from store.tables import UserRow

ROLES = ("owner", "manager", "agent", "support")

_EXAMPLE = "config.example.toml"


class FoundingProblem(Exception):
    """It cannot be founded like this. The message says what to do."""


def example() -> str:
    """The commented example: beside this file in an installed package, at the top of a checkout."""
    here = Path(__file__).parent
    for folder in (here, here.parent):
        if (path := folder / _EXAMPLE).exists():
            return path.read_text(encoding="utf-8")
    raise FoundingProblem(f"{_EXAMPLE} is missing from this installation; install arrears again.")


def make_config(folder: Path, text: str | None = None) -> Path:
    """Writes config.toml into the folder, unless there is one: yours is never overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    if not path.exists():
        path.write_text(text if text is not None else example(), encoding="utf-8")
        path.chmod(0o600)  # it will hold secrets
    return path


def has_owner(office: Office) -> bool:
    """Is there any login yet?"""
    with office.database.reading() as session:
        return session.scalars(select(UserRow).limit(1)).first() is not None


def make_login(office: Office, *, email: str, name: str, password: str, organisation: int | None, role: str) -> str:
    """A new login, or a new password for one that is there. Returns what was done; raises FoundingProblem."""
    if role not in ROLES:
        raise FoundingProblem(f"There is no role '{role}'. Give one of {', '.join(ROLES)}.")
    try:
        with office.database.unit_of_work() as unit:
            login = user_of(unit, email)
            if login is None:
                login = add_user(unit, email=email, name=name, password=password, now=office.clock())
                done = f"{login.email} can sign in now"
            else:
                set_password(unit, login, password)
                done = f"{login.email} has a new password, and has been signed out everywhere"
            if organisation is not None:
                add_member(unit, user_id=int(login.id or 0), organisation_id=organisation, role=role)
                done += f", and works for organisation {organisation} as {role}"
            return f"{done}."
    except ValueError as problem:
        raise FoundingProblem(f"The login was not made: {problem}.") from problem


def add_owner(office: Office, *, email: str, name: str, password: str) -> int:
    """The first login. Raises FoundingProblem with a sentence."""
    try:
        with office.database.unit_of_work() as unit:
            user = add_user(unit, email=email, name=name, password=password, now=office.clock())
            return int(user.id or 0)
    except ValueError as problem:
        raise FoundingProblem(f"The owner's login was not made: {problem}.") from problem
