"""QuickBooks Online: reading who owes what, and writing down there what was said to them.

Intuit counts every question and no write, so we ask little: the open ledger once, then one question for all that has
changed, one count a night to see that nothing was missed, and exactly the invoices that are about to be chased.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from connector import (
    Authoriser,
    Budget,
    Clock,
    Cursor,
    Doorbell,
    Governor,
    GrantKeeper,
    Ledger,
    LedgerInfo,
    LedgerNote,
    Records,
    Refused,
)
from connector import _quickbooks_pages as pages
from connector._grants import Tokens
from connector._quickbooks_consent import QuickBooksAuthoriser
from connector._quickbooks_countries import timezone_of
from connector._quickbooks_doorbell import QuickBooksDoorbell
from connector._quickbooks_failures import NOT_FOUND, Faulty
from connector._quickbooks_line import Line
from connector._quickbooks_memory import memory_of
from connector._quickbooks_query import Question
from connector._quickbooks_reading import Reading
from connector._quickbooks_rows import CompanyRow
from connector._quickbooks_writing import Writing

TITLE = "QuickBooks Online"
"""What people call it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Our app at Intuit (https://developer.intuit.com/app/developer/dashboard) and where QuickBooks lives.

    `webhook_verifier_token` is on the app's page under Webhooks; without it nothing rings and all is read by the clock.
    """

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    webhook_verifier_token: str = field(default="", repr=False)
    authorize_url: str = "https://appcenter.intuit.com/connect/oauth2"
    token_url: str = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105
    revoke_url: str = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
    api_url: str = "https://quickbooks.api.intuit.com"
    scopes: str = "com.intuit.quickbooks.accounting"
    account_link: str = "https://qbo.intuit.com/app/customerdetail?nameId={id}"
    attach_notes: bool = True
    notes_block: bool = True
    notes_block_length: int = 700
    notes_length: int = 1024
    page_size: int = 1000
    ids_at_once: int = 100
    overlap_seconds: int = 300
    calls_at_once: int = 8
    calls_a_minute: int = 400
    calls_a_day: int = 0
    largest_pdf_megabytes: int = 10


def authoriser(settings: Settings, *, clock: Clock) -> Authoriser:
    """The consent dance with Intuit."""
    return QuickBooksAuthoriser(settings, clock=clock)


def ledger(
    settings: Settings, *, tenant: str, keeper: GrantKeeper, clock: Clock, governor: Governor | None = None
) -> Ledger:
    """One company's ledger at QuickBooks; `tenant` is its realm id. Makes no call yet."""
    tokens = Tokens(refresh=authoriser(settings, clock=clock).refresh, keeper=keeper, clock=clock)
    line = Line(api_url=settings.api_url, realm=tenant, tokens=tokens, clock=clock, governor=governor)
    return QuickBooksLedger(settings, line, realm=tenant, clock=clock)


def budget(settings: Settings) -> Budget:
    """What Intuit allows one company: 500 calls a minute and 10 at once; a day has no limit but the one chosen here.

    https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles
    """
    return Budget(at_once=settings.calls_at_once, a_minute=settings.calls_a_minute, a_day=settings.calls_a_day or None)


def doorbell(settings: Settings) -> Doorbell | None:
    """Where Intuit's webhooks ring; None without a verifier token."""
    return QuickBooksDoorbell(settings.webhook_verifier_token) if settings.webhook_verifier_token else None


class QuickBooksLedger:
    """The `Ledger` of one QuickBooks company."""

    def __init__(self, settings: Settings, line: Line, *, realm: str, clock: Clock) -> None:
        self.calls = line.calls
        self.looks_at_once = settings.ids_at_once
        self._settings = settings
        self._line = line
        self._realm = realm
        self._memory = memory_of(settings.api_url, realm)
        self._reading = Reading(
            line,
            self._memory,
            clock=clock,
            page_size=settings.page_size,
            ids_at_once=settings.ids_at_once,
            overlap=timedelta(seconds=settings.overlap_seconds),
        )
        self._writing = Writing(
            line,
            self._memory,
            clock=clock,
            country=self._country,
            attach=settings.attach_notes,
            block=settings.notes_block,
            block_cap=settings.notes_block_length,
            notes_cap=settings.notes_length,
        )

    def check(self) -> LedgerInfo:
        """The company by its own record. Raises ConsentNeeded when the grant does not work. Two calls."""
        company = self._company()
        country = company.country or ""
        return LedgerInfo(
            name=company.company_name or "",
            currency=self._reading.currency(),
            timezone=timezone_of(company.default_time_zone or "", country),
            country=country,
        )

    def pull(self, since: Cursor | None, *, also: Collection[str] = ()) -> Iterator[Records]:
        """The whole open ledger, or what changed since. Pages come as they are read; the cursor comes alone, last.

        Raises any LedgerFailure in the middle; the pages before it are good, and nothing is skipped next time.
        """
        return self._reading.everything_open() if since is None else self._reading.changes(since, also)

    def whole_check(self, open_ids: Collection[str], open_credits: Collection[str] | None = None) -> Iterator[Records]:
        """One count of the open invoices; the whole open ledger again only where it differs from these ids.

        With `open_credits`, a feed was cut short and may have left deletions out: then the open ledger is read whole,
        and these credits with one call for each 100 payments and one for each 100 credit memos.
        """
        return self._reading.whole_check(open_ids, open_credits)

    def look_again(self, invoice_ids: Sequence[str]) -> Records:
        """These invoices this very second, without their payments. An id that QuickBooks does not know is missing."""
        return _together(self._reading.invoices(invoice_ids))

    def fetch_accounts(self, account_ids: Sequence[str]) -> Records:
        """These customers, inactive ones too, and whoever is billed for them. Unknown ids are missing."""
        return _together(self._reading.accounts(account_ids))

    def write_notes(self, account_id: str, notes: Sequence[LedgerNote], *, key: str) -> None:
        """Each note on its invoice, and a line of it in the customer's notes. Raises Refused when one found no place.

        The same note is hung on its invoice once, whatever the key; the same line is put into the notes once.
        """
        self._writing.write(account_id, notes, key=key)

    def find_notes(self, account_id: str) -> frozenset[str]:
        """Our lines in the customer's notes, and the notes hung on invoices within the last week. Two calls."""
        return self._writing.find(account_id)

    def online_link(self, invoice_id: str) -> str | None:
        """Where the debtor can pay; None where online payment is off or the customer has no address."""
        prepared = self._line.client.get_single_object(
            "invoice", pages.path_of(invoice_id), params={"include": "invoiceLink"}
        )
        try:
            return self._line.call("asking for a link", prepared, read=_link)
        except Faulty as refused:
            if refused.code != NOT_FOUND:
                raise
            return None

    def invoice_pdf(self, invoice_id: str) -> bytes | None:
        """The invoice as QuickBooks prints it; None where it has none. Raises Refused for one too large to mail."""
        url = f"{self._line.client.api_url}/company/{self._realm}/invoice/{pages.path_of(invoice_id)}/pdf"
        try:
            file = self._line.call("fetching an invoice", self._line.client.get(url), read=_pdf)
        except Refused:
            return None
        if len(file) > self._settings.largest_pdf_megabytes << 20:
            raise Refused(
                f"The invoice as QuickBooks prints it is larger than {self._settings.largest_pdf_megabytes} MB, so it "
                "was not taken. Make it smaller in QuickBooks, or raise largest_pdf_megabytes."
            )
        return file

    def write_expected(self, invoice_id: str, on: date | None, *, key: str) -> bool:  # noqa: ARG002
        """False: QuickBooks has no place for the day on which payment is expected."""
        return False

    def account_link(self, account_id: str) -> str:
        """The customer in QuickBooks, for whoever is signed in to that company."""
        return self._settings.account_link.format(id=pages.path_of(account_id), realm=self._realm)

    def _company(self) -> CompanyRow:
        prepared = self._line.client.query(str(Question("CompanyInfo")))
        found = self._line.call("reading the company", prepared, read=pages.COMPANIES.read).rows
        company = found[0] if found else CompanyRow(id="")
        self._memory.country = company.country or ""
        return company

    def _country(self) -> str:
        """Where the company is, as an ISO code where QuickBooks gives one; empty where it does not say."""
        if self._memory.country is None:
            self._company()
        return self._memory.country or ""


class _Linked(msgspec.Struct):
    link: str | None = msgspec.field(name="InvoiceLink", default=None)


class _InvoiceAnswer(msgspec.Struct):
    invoice: _Linked = msgspec.field(name="Invoice")


def _link(body: bytes) -> str | None:
    return msgspec.json.decode(body, type=_InvoiceAnswer).invoice.link or None


def _pdf(body: bytes) -> bytes:
    if not body.startswith(b"%PDF"):
        raise msgspec.DecodeError("this is no PDF")
    return body


def _together(several: Iterator[Records]) -> Records:
    found = list(several)
    return Records(
        accounts=tuple(account for page in found for account in page.accounts),
        invoices=tuple(invoice for page in found for invoice in page.invoices),
        set_aside=tuple(row for page in found for row in page.set_aside),
    )
