"""What the ledger says: the one door to Xero, and to every other accounting product.

The rest of `arrears` asks a ledger four things: what has changed since last time, how these invoices stand this very
second, please keep this note, and who are you. Each adapter is one file in this folder; the file is its registration.
A ledger answers in the engine's own nouns, or fails in a way that says what to do next.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any, Protocol

from engine.receivables import Account, Applied, Credit, Invoice, SettledBy

Clock = Callable[[], datetime]
"""The present moment, aware and in UTC. Handed in, so that a demo and a test can move it."""

Cursor = Mapping[str, str]
"""How far each list has been read, in the ledger's own clock. Opaque outside the adapter; kept as JSON."""

WHOLE_CHECK_DUE = "whole_check"
"""The one entry of a cursor that is everybody's: deletions may have been missed, so `Ledger.whole_check` is due now and
not only at night. Whoever has done it takes the entry out of the kept cursor; until then every pull hands it on."""


class LedgerFailure(Exception):
    """A ledger could not do what was asked. The message is a sentence for support staff: what, where, what to do."""


class Unreachable(LedgerFailure):
    """The ledger did not answer, or not sensibly. Nothing is wrong with the grant: try again later."""


class RateLimited(LedgerFailure):
    """The ledger asks us to wait. Nothing may be called for this connection before `until`."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class ConsentNeeded(LedgerFailure):
    """The grant is gone or does not reach far enough: a person has to connect again."""


class Refused(LedgerFailure):
    """The ledger understood and said no. Asking again in the same words would change nothing."""


class Forged(LedgerFailure):
    """A post to our doorbell does not carry the provider's signature: nothing of it is believed."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that could not be read: it waits in the sync log, raw, while the other rows go on."""

    list: str
    ledger_id: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A document that the ledger has deleted and of which it only still says that it was there.

    `list` is "invoices", "credits" or "accounts".
    """

    list: str
    ledger_id: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """One page of what the ledger said. `cursor` comes with the last page alone, when all the others were read.

    `resume` is where a later reading may go on when this one is cut short right after this page: until then the copy
    is good but not whole, so its age must not be renewed.

    An invoice or credit may come before the account that it names, or without it when that account did not change:
    whoever keeps them settles that at the end of a pull with `Ledger.fetch_accounts`.
    """

    accounts: tuple[Account, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    credits: tuple[Credit, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    gone: tuple[Gone, ...] = ()
    applied: tuple[Applied, ...] = ()
    settled_by: tuple[SettledBy, ...] = ()
    """What payments settle now, whole, and which of them stand on an invoice; for the ledgers whose invoices do not
    carry their payments (these are None)."""

    expected: int | None = None
    """How many rows the ledger announced for this list; for a progress bar."""
    cursor: Cursor | None = None
    resume: Cursor | None = None
    carried_by: tuple[int, int] = (0, 0)
    """The first and the last of `Ledger.calls` (from 1) that may have carried it. Whoever reads notes it; 0: none."""


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """A note on its way into the ledger. `marker` is a short text inside `text` by which it can be found again.

    `invoice_id` is the ledger's id of the invoice that the note is about, where it is about one.
    """

    text: str
    marker: str
    invoice_id: str = ""


@dataclass(frozen=True, slots=True)
class LedgerInfo:
    """The organisation as the ledger knows it. `timezone` is an IANA name."""

    name: str
    currency: str
    timezone: str
    country: str = ""
    short_code: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the ledger, for the sync run: enough to take to the provider's support, nothing secret."""

    at: datetime
    method: str
    path: str
    status: int
    bytes: int
    seconds: float
    request_id: str = ""


class Purpose(StrEnum):
    """What a call is for. Sending goes before everything else when calls are running short."""

    READING = "reading"
    WRITING = "writing"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a provider allows one connection: calls at the same time, in a minute, and in a day (None: no limit a day).

    `reserve` is the share of the day's calls, between 0 and 1, that reading may not touch: it is kept for sending.
    """

    at_once: int
    a_minute: int
    a_day: int | None = None
    reserve: float = 0.1


class Governor(Protocol):
    """Keeps one connection within its budget, over all its threads and restarts. It never lets a thread sleep long."""

    def turn(self) -> AbstractContextManager[None]:
        """The turn of one call, taken before it is made and given back after it.

        Raises RateLimited, naming the moment when it may be tried again, where the budget does not allow the call now.
        """

    def heard(self, *, minute_left: int | None = None, day_left: int | None = None) -> None:
        """What the provider's own answer says is left; it knows better than our counting."""

    def wait_until(self, moment: datetime) -> None:
        """The provider asked for silence until then: nobody calls on this connection before."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One event that a provider told us of: that something changed, never what. `at` is the provider's time.

    `list` is "invoices", "accounts", "credits", "payments" or empty for what we do not follow.
    """

    event_id: str
    tenant: str
    list: str = ""
    ledger_id: str = ""
    at: datetime | None = None


class Doorbell(Protocol):
    """Where a provider rings to say that something changed. What did is always read from the ledger itself."""

    def rings(self, body: bytes, headers: Mapping[str, str]) -> tuple[Ring, ...]:
        """The events of one post, checked on its raw bytes. Header names in lower case.

        An empty tuple is a good answer too (a test post, or events of kinds that we do not know). Raises Forged when
        the signature is missing or wrong, Refused when the post is signed and yet cannot be read.
        """


class Ledger(Protocol):
    """One connection to one organisation's ledger. `calls` grows with every call made through it.

    `looks_at_once` is how many invoices one call of `look_again` tells of; for more it takes several.
    """

    calls: list[Call]
    looks_at_once: int

    def check(self) -> LedgerInfo:
        """Who are you? Also proves that the grant works."""

    def pull(self, since: Cursor | None, *, also: Collection[str] = ()) -> Iterator[Records]:
        """All that changed since the cursor; with None the whole open ledger. The last page carries the new cursor.

        `also` are invoices that a doorbell named: those that did not come by themselves are asked for by their ids,
        because not every change shows in a ledger's list of changes. A pull that was cut short is given them again.
        """

    def whole_check(self, open_ids: Collection[str], open_credits: Collection[str] | None = None) -> Iterator[Records]:
        """The nightly check: the open ledger once more, in brief, whatever the ledger calls changed.

        `open_ids` are the invoices that are open here. Those that are not open there any more come as they stand now;
        those that the ledger no longer knows come as `Gone`. No page carries a cursor.

        `open_credits` are the credits with something left here, given (be they none) when deletions may have been
        missed, as `WHOLE_CHECK_DUE` says: then nothing is taken on trust, and these are looked at too.
        """

    def look_again(self, invoice_ids: Sequence[str]) -> Records:
        """These invoices as they stand this very second."""

    def fetch_accounts(self, account_ids: Sequence[str]) -> Records:
        """These accounts, for the ids that an invoice named and nobody knows yet. Ids the ledger lacks are missing."""

    def write_notes(self, account_id: str, notes: Sequence[LedgerNote], *, key: str) -> None:
        """Puts notes into the history of one account. The same `key` within minutes writes them once."""

    def find_notes(self, account_id: str) -> frozenset[str]:
        """The texts of the notes that the ledger already has for this account."""

    def online_link(self, invoice_id: str) -> str | None:
        """Where the debtor can see and pay this invoice, if the ledger offers it."""

    def invoice_pdf(self, invoice_id: str) -> bytes | None:
        """The invoice as the ledger prints it; None where it has none. Raises Refused for one too large to mail."""

    def write_expected(self, invoice_id: str, on: date | None, *, key: str) -> bool:
        """Keeps in the ledger on which day payment is expected; None takes it away. The same `key` does it once.

        False: this ledger has no place for it.
        """

    def account_link(self, account_id: str) -> str:
        """Where the firm's own people open this account in the ledger."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person's consent gave us. Times are instants in UTC. Never logged; encrypted wherever it is kept.

    `refresh_expires_at` is when it dies unused; `hard_expires_at` is when it dies however much it is used.
    """

    access_token: str
    refresh_token: str
    access_expires_at: datetime
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    hard_expires_at: datetime | None = None

    def dies_soon(self, now: datetime) -> datetime | None:
        """When a person has to connect again, if that is near: 14 days unused, 45 days of the longest life."""
        ends = [(self.refresh_expires_at, timedelta(days=14)), (self.hard_expires_at, timedelta(days=45))]
        near = [end for end, notice in ends if end is not None and end - now < notice]
        return min(near, default=None)

    def __repr__(self) -> str:
        return "Grant(…)"


class GrantKeeper(Protocol):
    """Where one connection's grant is kept. Each method is a transaction of its own, committed when it returns."""

    def load(self) -> tuple[Grant, int]:
        """The grant and its generation, which grows by one with every `keep`."""

    def begin_refresh(self, generation: int, now: datetime, until: datetime) -> bool:
        """Marks that we refresh this generation, until then.

        False when somebody else does, or when it is no longer the newest. A mark whose time has passed is taken over.
        """

    def keep(self, generation: int, grant: Grant) -> bool:
        """Stores the successor of this generation. False, and nothing stored, when another has been stored before."""

    def end_refresh(self, generation: int) -> None:
        """Takes the mark away after a refresh that failed."""

    def lost(self, why: str) -> None:
        """The grant is dead: mark the connection so that a person is asked to connect again. Nothing is deleted."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation that a grant reaches. `connection_id` is what the provider wants when we disconnect."""

    id: str
    name: str
    connection_id: str = ""


class Authoriser(Protocol):
    """The consent dance with one provider: send the browser there, take the code, get a grant."""

    def authorise_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Where to send the browser. `challenge` is the PKCE S256 challenge, base64url without padding."""

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        """Turns the code into a grant. Raises Refused when the provider does not accept it."""

    def refresh(self, grant: Grant) -> Grant:
        """A new pair for the old. Raises ConsentNeeded on invalid_grant, Unreachable when no answer came."""

    def tenants(self, grant: Grant, callback: Mapping[str, str]) -> tuple[Tenant, ...]:
        """The organisations that this grant reaches.

        `callback` is the query with which the browser came back: some providers name the organisation there alone. It
        came through a browser, so whoever uses it proves with the grant that it is true.
        """

    def disconnect(self, grant: Grant, connection_id: str) -> None:
        """Ends one connection at the provider."""

    def direct(self) -> Grant | None:
        """A grant without a browser, where the app was made for one organisation alone; None where there is a dance."""


def kinds() -> tuple[str, ...]:
    """The ledgers we can read: one for each file in this folder that does not begin with an underscore."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def title_of(kind: str) -> str:
    """What people call this kind of ledger: `Xero`. One that this version does not know keeps its short name."""
    title: str = _adapter(kind).TITLE if kind in kinds() else kind
    return title


def settings_of(kind: str) -> type[Any]:
    """The dataclass of this ledger's settings (app keys, addresses). Raises LookupError for an unknown kind."""
    settings: type[Any] = _adapter(kind).Settings
    return settings


def open_authoriser(kind: str, settings: Any, *, clock: Clock) -> Authoriser:
    """The consent dance for this kind of ledger."""
    authoriser: Authoriser = _adapter(kind).authoriser(settings, clock=clock)
    return authoriser


def open_ledger(
    kind: str, settings: Any, *, tenant: str, keeper: GrantKeeper, clock: Clock, governor: Governor | None = None
) -> Ledger:
    """A connection ready to be asked. Makes no call yet. Without a governor only the provider's own limits hold."""
    ledger: Ledger = _adapter(kind).ledger(settings, tenant=tenant, keeper=keeper, clock=clock, governor=governor)
    return ledger


def budget_of(kind: str, settings: Any) -> Budget:
    """How many calls this kind of ledger allows one connection."""
    budget: Budget = _adapter(kind).budget(settings)
    return budget


def open_doorbell(kind: str, settings: Any) -> Doorbell | None:
    """Where this kind of ledger rings; None while no signing key is configured, and everything works without."""
    doorbell: Doorbell | None = _adapter(kind).doorbell(settings)
    return doorbell


def _adapter(kind: str) -> ModuleType:
    if kind not in kinds():
        raise LookupError(f"there is no ledger of the kind '{kind}'; known are {', '.join(kinds())}")
    return importlib.import_module(f"connector.{kind}")
