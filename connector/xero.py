"""Xero: reading who owes what, and writing down there what was said to them.

The first reading takes the open invoices, the credits not yet used, and the accounts. Every later one asks only for
what changed since, by Xero's own clock and with two minutes of overlap, because a change may take a moment to show.
Rows are walked by their time of change, never by page number, so that an invoice paid in the middle of a reading cannot
push its neighbour off the page. What Xero does not report as a change (a new due date on a part-paid invoice, for one)
is caught by `look_again`, which asks for exactly the invoices that are about to be chased.
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
from connector import _xero_pages as pages
from connector._grants import Tokens
from connector._transport import Transport
from connector._xero_consent import XeroAuthoriser
from connector._xero_cursor import begun
from connector._xero_doorbell import XeroDoorbell
from connector._xero_failures import NotOfThis
from connector._xero_notes import SHORT_NOTE, body_of, in_batches, is_about_length, key_of, texts
from connector._xero_reading import Reading
from connector._xero_timezones import iana
from connector._xero_walking import AT_ONCE

TITLE = "Xero"
"""What people call it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Our app at Xero (https://developer.xero.com/app/manage) and where Xero lives. Without a secret: PKCE alone."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    authorize_url: str = "https://login.xero.com/identity/connect/authorize"
    token_url: str = "https://identity.xero.com/connect/token"  # noqa: S105
    revoke_url: str = "https://identity.xero.com/connect/revocation"
    connections_url: str = "https://api.xero.com/Connections"
    api_url: str = "https://api.xero.com/api.xro/2.0"
    online_link_base: str = "https://go.xero.com"
    scopes: str = (
        "offline_access accounting.contacts accounting.invoices accounting.payments.read accounting.settings.read"
    )
    custom_connection: bool = False
    webhook_key: str = field(default="", repr=False)
    note_length: int = 2500
    page_size: int = 1000
    overlap_seconds: int = 120
    calls_at_once: int = 4
    calls_a_minute: int = 60
    calls_a_day: int = 1000
    largest_pdf_megabytes: int = 10


def authoriser(settings: Settings, *, clock: Clock) -> Authoriser:
    """The consent dance with Xero."""
    return XeroAuthoriser(settings, clock=clock)


def ledger(
    settings: Settings, *, tenant: str, keeper: GrantKeeper, clock: Clock, governor: Governor | None = None
) -> Ledger:
    """One organisation's ledger at Xero. Makes no call yet."""
    tokens = Tokens(refresh=authoriser(settings, clock=clock).refresh, keeper=keeper, clock=clock)
    # A Custom Connection is for one organisation, and its key says for which.
    named = "" if settings.custom_connection else tenant
    line = Transport(api_url=settings.api_url, tenant=named, tokens=tokens, clock=clock, governor=governor)
    return XeroLedger(settings, line)


def budget(settings: Settings) -> Budget:
    """Xero's limits for one organisation: 5 calls at once (one is left for people), 60 a minute, and by the app's tier
    1,000 (Starter) or 5,000 a day. https://developer.xero.com/documentation/guides/oauth2/limits/
    """
    return Budget(settings.calls_at_once, settings.calls_a_minute, settings.calls_a_day)


def doorbell(settings: Settings) -> Doorbell | None:
    """Xero's webhooks; None without the signing key that the app's own page at Xero shows."""
    return XeroDoorbell(settings.webhook_key) if settings.webhook_key else None


class XeroLedger:
    """The `Ledger` of one Xero organisation."""

    def __init__(self, settings: Settings, line: Transport) -> None:
        self.calls = line.calls
        self.looks_at_once = AT_ONCE
        self._settings = settings
        self._line = line
        self._api = line.api
        self._short_code = ""
        self._note_length = settings.note_length
        self._reading = Reading(line, page_size=settings.page_size, overlap=timedelta(seconds=settings.overlap_seconds))

    def check(self) -> LedgerInfo:
        """The organisation by Xero's own record of it. Raises ConsentNeeded when the grant does not work."""
        said = self._line.call("reading the organisation", self._api.get_organisations, read=_organisation).said
        self._short_code = said.short_code or ""
        country = said.country_code or ""
        return LedgerInfo(
            name=said.name,
            currency=said.base_currency or "",
            timezone=iana(said.timezone or "", country),
            country=country,
            short_code=self._short_code,
        )

    def pull(self, since: Cursor | None, *, also: Collection[str] = ()) -> Iterator[Records]:
        """The whole open ledger, or what changed since. Pages come as they are read; the cursor comes alone, last.

        Raises any LedgerFailure in the middle; the pages before it are good, and nothing is skipped next time. A
        reading that was cut short goes on from the `resume` of its last page.
        """
        under_way = begun(since)
        if since is None or under_way is not None:
            return self._reading.everything_open(under_way, also)
        return self._reading.changes(since, also)

    def whole_check(
        self,
        open_ids: Collection[str],
        open_credits: Collection[str] | None = None,  # noqa: ARG002
    ) -> Iterator[Records]:
        """One call for each 1,000 open invoices, and one for each 40 of `open_ids` that are not open there any more.

        Summaries: what is known of their payments stands. It repairs what Xero does not call a change
        (https://developer.xero.com/documentation/api/accounting/requests-and-responses, "If-Modified-Since").
        Of credits it repairs nothing: Xero keeps a deleted one, and its list of changes shows it as deleted.
        """
        return self._reading.open_ledger(open_ids)

    def look_again(self, invoice_ids: Sequence[str]) -> Records:
        """These invoices this very second, without their payments. An id that Xero does not know is missing here."""
        return _together(self._reading.invoices(invoice_ids, pages.SUMMARIES))

    def fetch_accounts(self, account_ids: Sequence[str]) -> Records:
        """These accounts, archived and merged ones too. An id that Xero does not know is missing here."""
        return _together(self._reading.accounts(account_ids))

    def write_notes(self, account_id: str, notes: Sequence[LedgerNote], *, key: str) -> None:
        """Into the contact's History & Notes. Within six minutes the same `key` and notes are written once.

        A note that is too long is cut at a word, its marker kept. Later than six minutes look with `find_notes` before
        writing again. https://developer.xero.com/documentation/api/accounting/historyandnotes
        """
        for number, batch in enumerate(in_batches(notes)):
            batch_key = f"{key}.{number}" if number else key
            try:
                self._write(account_id, batch, batch_key)
            except Refused as refused:
                # Xero's documentation says 2,500 in one copy and 250 in another.
                if self._note_length <= SHORT_NOTE or not is_about_length(str(refused)):
                    raise
                self._note_length = SHORT_NOTE
                self._write(account_id, batch, batch_key)

    def find_notes(self, account_id: str) -> frozenset[str]:
        """All the texts in the contact's history, ours and others'. One call."""
        return self._line.call("reading notes", self._api.get_contact_history, account_id, read=texts).said

    def online_link(self, invoice_id: str) -> str | None:
        """The debtor's own page for this invoice; None where Xero has none (drafts, deleted or unknown invoices).

        Any other refusal is raised: it says nothing about the invoice, which may well have such a page.
        """
        try:
            return self._line.call("asking for a link", self._api.get_online_invoice, invoice_id, read=_link).said
        except NotOfThis:
            return None

    def invoice_pdf(self, invoice_id: str) -> bytes | None:
        """The invoice as Xero prints it; None for one that Xero does not know. One call each.

        Raises Refused when it is larger than `largest_pdf_megabytes`. The SDK's own way would leave a copy in the
        machine's temporary folder, under a name that the answer chooses.
        """
        megabytes = self._settings.largest_pdf_megabytes
        return self._line.document(
            "fetching a PDF", "Invoices", invoice_id, kind="application/pdf", begins=b"%PDF-", megabytes=megabytes
        )

    def write_expected(self, invoice_id: str, on: date | None, *, key: str) -> bool:
        """Into the invoice's own "expected payment date", which Xero shows in its list of what is awaited. Always True.

        Raises Refused when Xero does not let this invoice be changed, or keeps a date that was to be taken away. Within
        six minutes the same `key` writes once.
        """
        # Xero's specification makes the date a text, never null, and does not say how it is taken away. An empty text
        # is what it allows, where null might count as "not mentioned"; and the answer is looked at.
        wanted = {"InvoiceID": invoice_id, "ExpectedPaymentDate": on.isoformat() if on else ""}
        write, body = self._api.update_invoice, {"Invoices": [wanted]}
        doing = "writing an expected payment date"
        kept = self._line.call(doing, write, invoice_id, body, idempotency_key=key_of(key), read=_written).said
        if kept and on is None:
            raise Refused("Xero did not take the expected payment date away, and goes on showing it.")
        return True

    def account_link(self, account_id: str) -> str:
        """The contact in Xero; in the right organisation when its short code is known, that is, after `check`.

        https://developer.xero.com/documentation/api-guides/deep-link-xero
        """
        base, page = self._settings.online_link_base, f"/Contacts/View/{account_id}"
        if not self._short_code:
            return f"{base}{page}"
        return f"{base}/organisationlogin/default.aspx?shortcode={self._short_code}&redirecturl={page}"

    def _write(self, account_id: str, notes: Sequence[LedgerNote], key: str) -> None:
        body = body_of(notes, self._note_length)
        # A shortened text is another request, and Xero wants another key for it: always the same, also after a restart.
        key = f"{key}.short" if self._note_length <= SHORT_NOTE else key
        write = self._api.create_contact_history
        self._line.call("writing notes", write, account_id, body, idempotency_key=key_of(key), read=texts)


class _Organisation(msgspec.Struct, rename="pascal"):
    name: str
    base_currency: str | None = None
    country_code: str | None = None
    timezone: str | None = None
    short_code: str | None = None


class _Organisations(msgspec.Struct, rename="pascal"):
    organisations: tuple[_Organisation]


class _OnlineInvoice(msgspec.Struct, rename="pascal"):
    online_invoice_url: str | None = None


class _OnlineInvoices(msgspec.Struct, rename="pascal"):
    online_invoices: list[_OnlineInvoice]


class _Edited(msgspec.Struct, rename="pascal"):
    expected_payment_date: str | None = None
    validation_errors: list[msgspec.Raw] | None = None


class _EditedInvoices(msgspec.Struct, rename="pascal"):
    invoices: list[_Edited]


def _organisation(body: bytes) -> _Organisation:
    return msgspec.json.decode(body, type=_Organisations).organisations[0]


def _link(body: bytes) -> str | None:
    links = msgspec.json.decode(body, type=_OnlineInvoices).online_invoices
    return (links[0].online_invoice_url or None) if links else None


def _written(body: bytes) -> bool:
    """Whether the invoice has a date now. Raises DecodeError for anything that does not show it as it now stands."""
    rows = msgspec.json.decode(body, type=_EditedInvoices).invoices
    if any(row.validation_errors for row in rows):
        raise msgspec.ValidationError("the change was not accepted")
    return any(row.expected_payment_date for row in rows)


def _together(several: Iterator[Records]) -> Records:
    found = list(several)
    return Records(
        accounts=tuple(account for page in found for account in page.accounts),
        invoices=tuple(invoice for page in found for invoice in page.invoices),
        set_aside=tuple(row for page in found for row in page.set_aside),
    )
