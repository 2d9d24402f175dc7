"""A day with a ledger on tape: what was asked and answered over HTTP, recorded once and played back without a network.

    make record

records the tapes anew: from a real organisation where its keys are in the environment (`cassettes/README.md` names
them), else from the ledger to practise on. Keys, addresses of the practice ledger and people's e-mail addresses never
reach a tape.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vcr

from connector import Cursor, Ledger, LedgerInfo, LedgerNote, Records, open_authoriser, open_ledger, settings_of
from tests.connector.intuit import consent_at_the_company
from tests.connector.surroundings import MONDAY, KeeperInMemory, MovableClock, a_grant, consent

FOLDER = Path(__file__).parent / "cassettes"
KINDS = ("quickbooks", "xero")
TENANT = {"xero": "11111111-2222-4333-8444-555555555555", "quickbooks": "9130350000000000"}
"""The organisation as it is called on every tape."""

HOME = {"xero": "https://api.xero.com/api.xro/2.0", "quickbooks": "https://quickbooks.api.intuit.com"}
NOTE = LedgerNote("Reminder 1 sent by email. [arrears 1-tape]", "[arrears 1-tape]")
KEPT = {"if-modified-since", "accept", "content-type", "idempotency-key"}
"""Headers of ours that are worth seeing on a tape; the others are left out, keys among them."""

KEPT_ANSWERS = {"content-type", "date", "retry-after", "xero-correlation-id", "intuit_tid", "x-daylimit-remaining"}
MOMENT = re.compile(rb"'\d{4}-\d\d-\d\dT[^']*'")
EMAIL = re.compile(rb"[\w.+-]+@(?![\w.-]*example\b)[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class Day:
    """What the connector made of one day: the first reading, the next one, a second look, and a note written."""

    info: LedgerInfo
    first: tuple[Records, ...]
    later: tuple[Records, ...]
    again: Records
    named: Records
    notes: frozenset[str]


def lived(ledger: Ledger, between: Callable[[], None] = lambda: None) -> Day:
    """Asks a ledger all that it is asked on a day. `between`: what happens in the books after the first reading."""
    info = ledger.check()
    first = tuple(ledger.pull(None))
    between()
    later = tuple(ledger.pull(cursor_of(first)))
    invoices = [invoice for page in first for invoice in page.invoices]
    again = ledger.look_again([invoice.ledger_id for invoice in invoices[:3]])
    named = ledger.fetch_accounts([invoice.account_ledger_id for invoice in invoices[:1]])
    notes: frozenset[str] = frozenset()
    if invoices:
        owing = invoices[0]
        note = LedgerNote(NOTE.text, NOTE.marker, owing.ledger_id)
        ledger.write_notes(owing.account_ledger_id, [note], key="tape")
        notes = ledger.find_notes(owing.account_ledger_id)
    return Day(info, first, later, again, named, notes)


def cursor_of(pages: Sequence[Records]) -> Cursor:
    return next(page.cursor for page in reversed(pages) if page.cursor is not None)


def played(kind: str) -> Day:
    """The day on the tape, lived again. Whatever is asked that is not on it fails; nothing reaches a network."""
    with _tape(kind, HOME[kind], TENANT[kind]).use_cassette(str(tape_of(kind)), record_mode="none"):
        clock = MovableClock()
        keeper = KeeperInMemory(a_grant(clock, days=30))
        return lived(open_ledger(kind, settings_of(kind)(), tenant=TENANT[kind], keeper=keeper, clock=clock))


def tape_of(kind: str) -> Path:
    return FOLDER / f"{kind}.yaml"


# --- recording


def record(kind: str) -> str:
    """Records one tape anew. Returns a sentence that says from where."""
    tape_of(kind).unlink(missing_ok=True)
    keys = _keys(kind)
    stage = _real(kind, keys) if keys else _PRACTICE[kind]()
    with stage as (open_it, tenant, between, origin), _recorder(kind, origin, tenant):
        lived(open_it(), between)
    return (
        f"{tape_of(kind).name}: recorded from the {'organisation in your environment' if keys else 'practice ledger'}."
    )


def _recorder(kind: str, origin: str, tenant: str) -> Any:
    return _tape(kind, origin, tenant).use_cassette(str(tape_of(kind)), record_mode="new_episodes")


Stage = tuple[Callable[[], Ledger], str, Callable[[], None], str]
"""How to open the ledger, its tenant, what happens between the readings, and the address that the tape is to forget."""


@contextmanager
def _real(kind: str, keys: Mapping[str, str]) -> Iterator[Stage]:
    """An organisation at the provider. Its refresh key is in a file, which gets the successor."""
    refresh_key = Path(keys["REFRESH_TOKEN_FILE"])
    settings = settings_of(kind)(client_id=keys["CLIENT_ID"], client_secret=keys["CLIENT_SECRET"])
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    grant = open_authoriser(kind, settings, clock=clock).refresh(
        a_grant(clock, refresh=refresh_key.read_text().strip())
    )
    refresh_key.write_text(f"{grant.refresh_token}\n")
    keeper = KeeperInMemory(grant)
    open_it = lambda: open_ledger(kind, settings, tenant=keys["TENANT"], keeper=keeper, clock=clock)  # noqa: E731
    yield open_it, keys["TENANT"], lambda: None, settings.api_url


def _keys(kind: str) -> dict[str, str]:
    names = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN_FILE", "TENANT")
    found = {name: os.environ.get(f"ARREARS_RECORD_{kind.upper()}_{name}", "") for name in names}
    return found if all(found.values()) else {}


@contextmanager
def _xero_to_practise_on() -> Iterator[Stage]:
    import sandbox

    clock = MovableClock(MONDAY)
    with sandbox.start(clock=MONDAY, company=False) as world:
        _some_books(world.control)
        settings, authoriser, grant = consent(world, clock)
        tenant = authoriser.tenants(grant, {})[0].id
        keeper = KeeperInMemory(grant)
        open_it = lambda: open_ledger("xero", settings, tenant=tenant, keeper=keeper, clock=clock)  # noqa: E731
        yield open_it, tenant, lambda: _something_happens(world.control, clock), world.api_url


@contextmanager
def _quickbooks_to_practise_on() -> Iterator[Stage]:
    import sandbox

    clock = MovableClock(MONDAY)
    with sandbox.start(clock=MONDAY, company=False) as world:
        _some_books(world.control)
        at_the_company = consent_at_the_company(world, clock)
        tenant = str(world.control.quickbooks.stands()["realm_id"])
        open_it = lambda: at_the_company.ledger  # noqa: E731
        yield open_it, tenant, lambda: _something_happens(world.control, clock), world.quickbooks.api_url


_PRACTICE = {"quickbooks": _quickbooks_to_practise_on, "xero": _xero_to_practise_on}


def _some_books(control: Any) -> None:
    for name, currency in (("Fern & Fig Café", "GBP"), ("Łódź Söhne GmbH", "EUR"), ("Quiet Ltd", "GBP")):
        control.add_contact(name, email=f"pay@{name[:4].lower().strip()}.example", first_name="Sam", currency=currency)
    control.add_invoice("Fern & Fig Café", due="2025-12-20", amount="120.00")
    part_paid = control.add_invoice("Fern & Fig Café", due="2025-12-28", amount="80.50")
    control.add_invoice("Łódź Söhne GmbH", due="2026-02-01", amount="999.99", currency="EUR")
    control.pay(part_paid, "30.50")
    control.add_overpayment("Quiet Ltd", "12.00")


def _something_happens(control: Any, clock: MovableClock) -> None:
    control.move_clock(clock.move(minutes=15))
    first, *_ = control.invoices("AUTHORISED")
    control.pay(first["id"])
    control.add_invoice("Quiet Ltd", due="2026-01-30", amount="5.00")


# --- what reaches the tape


def _tape(kind: str, origin: str, tenant: str) -> vcr.VCR:
    hide = {origin: HOME[kind], tenant: TENANT[kind]}

    def cleaned(text: Any) -> Any:
        raw = text.encode() if isinstance(text, str) else text
        for known, instead in hide.items():
            raw = raw.replace(known.encode(), instead.encode())
        raw = EMAIL.sub(b"someone@debtor.example", raw)
        return raw.decode() if isinstance(text, str) else raw

    def asked(request: Any) -> Any:
        request.uri = cleaned(request.uri)
        request.body = cleaned(request.body) if request.body else request.body
        request.headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT}
        return request

    def answered(response: Any) -> Any:
        headers = response["headers"]
        response["headers"] = {name: value for name, value in headers.items() if name.lower() in KEPT_ANSWERS}
        response["body"]["string"] = cleaned(response["body"]["string"])
        return response

    recorder = vcr.VCR(
        match_on=["method", "scheme", "host", "path", "query", "question"],
        before_record_request=asked,
        before_record_response=answered,
        decode_compressed_response=True,
    )
    recorder.register_matcher("question", _same_question)
    return recorder


def _same_question(one: Any, other: Any) -> None:
    """QuickBooks is asked in the body. Some questions begin at a moment of our own clock, which shows another today."""
    if "query" in one.path:
        assert MOMENT.sub(b"", _bytes(one.body)) == MOMENT.sub(b"", _bytes(other.body))


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or KINDS:
        print(record(chosen))
