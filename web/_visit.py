"""A visit: one person on one page, for one organisation, in a role.

A handler says in its signature what it needs, and is only reached when that holds: `Looking` shows something,
`Working` acts on accounts, `Deciding` changes how the organisation works, `Supporting` looks at what the machine did.
Support staff may look at everything and touch nothing; agents need not see how the ledger was read.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Form, Request

from jobs.office import Office
from store import screens
from store.screens import Needs
from store.tables import OrganisationRow
from web._sessions import Signed, key_of, same, signed_in

LARGEST_NUMBER = 2**63 - 1
"""What a database can look for. An address may carry any number."""

_MAY_WORK = ("owner", "manager", "agent")
_MAY_DECIDE = ("owner", "manager")
_MAY_SUPPORT = ("owner", "manager", "support")


class SignInFirst(Exception):
    """Nobody is signed in on this browser. `path` is where the person wanted to go."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class NoOrganisationYet(Exception):
    """The user has no organisation to look at: the front page welcomes them."""


class NotFound(Exception):
    """There is no such thing here. Also the answer to whoever asks for another organisation's."""


class Forbidden(Exception):
    """The message says what is in the way."""


@dataclass(frozen=True, slots=True)
class Visit:
    office: Office
    request: Request
    signed: Signed

    @property
    def may_work(self) -> bool:
        return self.signed.role in _MAY_WORK

    @property
    def may_decide(self) -> bool:
        return self.signed.role in _MAY_DECIDE

    @property
    def may_support(self) -> bool:
        """May see the sync log, and make a bundle of it for whoever helps."""
        return self.signed.role in _MAY_SUPPORT

    @property
    def may_connect(self) -> bool:
        """Whoever runs an organisation may connect another; so may a new user, who has none yet."""
        return not self.signed.roles or any(role in _MAY_DECIDE for role in self.signed.roles)


@dataclass(frozen=True, slots=True)
class Desk(Visit):
    """A visit with an organisation. `as_of` is its date; `by` is how its history will name the user."""

    organisation: OrganisationRow
    needs: Needs

    @property
    def id(self) -> int:
        assert self.organisation.id is not None
        return self.organisation.id

    @property
    def as_of(self) -> date:
        return self.office.as_of(self.organisation)

    @property
    def by(self) -> str:
        return self.signed.name

    def own(self, table: Any, number: int) -> Any:
        """The organisation's own row of this number. Raises NotFound for any other."""
        if number > LARGEST_NUMBER:
            raise NotFound
        with self.office.database.reading() as session:
            row = screens.one(session, table, self.id, number)
        if row is None:
            raise NotFound
        return row

    def own_number(self, table: Any, text: str) -> int:
        """The number of the organisation's own row, as a field of a form carries it. Raises NotFound for any other."""
        return int(self.own(table, number_of(text)).id)


def number_of(text: str) -> int:
    """A row's number as a form carries it. Raises NotFound for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound
    return int(text)


def visiting(request: Request) -> Visit:
    office: Office = request.app.state.office
    key = key_of(request)
    signed = signed_in(office, key) if key else None
    if signed is None:
        raise SignInFirst(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    return Visit(office, request, signed)


def checked(visit: Annotated[Visit, Depends(visiting)], csrf: Annotated[str, Form()] = "") -> Visit:
    """A form that this very session was shown. Anybody else's form is refused before anything is looked at."""
    if not same(csrf, visit.signed.csrf):
        raise Forbidden("This form is too old, or was not ours. Go back, load the page again, and repeat it.")
    return visit


def looking(visit: Annotated[Visit, Depends(visiting)]) -> Desk:
    return _desk(visit)


def working(visit: Annotated[Visit, Depends(checked)]) -> Desk:
    desk = _desk(visit)
    if not desk.may_work:
        raise Forbidden("Your role lets you look at everything here, and act on nothing. Ask an owner or a manager.")
    return desk


def deciding(visit: Annotated[Visit, Depends(checked)]) -> Desk:
    desk = _desk(visit)
    if not desk.may_decide:
        raise Forbidden("Only an owner or a manager may change this.")
    return desk


def supporting(visit: Annotated[Visit, Depends(visiting)]) -> Desk:
    return _with_support(_desk(visit))


def supporting_by_form(visit: Annotated[Visit, Depends(checked)]) -> Desk:
    return _with_support(_desk(visit))


def _with_support(desk: Desk) -> Desk:
    if not desk.may_support:
        raise Forbidden("The sync log is for owners, managers and support staff. Ask one of them.")
    return desk


def _desk(visit: Visit) -> Desk:
    organisation = visit.signed.organisation
    if organisation is None or organisation.id is None:
        raise NoOrganisationYet
    with visit.office.database.reading() as session:
        needs = screens.needs(session, organisation.id)
    return Desk(visit.office, visit.request, visit.signed, organisation, needs)


Visiting = Annotated[Visit, Depends(visiting)]
Checked = Annotated[Visit, Depends(checked)]
Looking = Annotated[Desk, Depends(looking)]
Working = Annotated[Desk, Depends(working)]
Deciding = Annotated[Desk, Depends(deciding)]
Supporting = Annotated[Desk, Depends(supporting)]
SupportingByForm = Annotated[Desk, Depends(supporting_by_form)]
Said = Annotated[str, Form()]
"""A field of a form. Every field has a default, so that whoever may not use a form learns nothing from it."""
