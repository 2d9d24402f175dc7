"""The Accounting API of the practice ledger: everything below /api.xro/2.0.

A call is checked as Xero checks it (limits first, then the key, then the scope, then the question), answered from the
books, and written down, so that a test can say afterwards what was asked and how often.
"""

import time
from typing import Any

from sandbox.documents import Invoice, NotPossible
from sandbox.exchange import Answer, HangUp, Request
from sandbox.faults import SLOW
from sandbox.oauth import Refused
from sandbox.organisation import Organisation
from sandbox.world import World
from sandbox.xero import history, refusals, rendered
from sandbox.xero.dates import instant
from sandbox.xero.edits import edit_invoices
from sandbox.xero.identity import Grant
from sandbox.xero.introduction import organisation_row
from sandbox.xero.lists import select
from sandbox.xero.pdf import invoice_pdf
from sandbox.xero.rows import IDS, Size, row_of
from sandbox.xero.where import Unreadable

ROOT = "/api.xro/2.0/"
SCOPES = {
    "Organisation": "accounting.settings",
    "Contacts": "accounting.contacts",
    "Invoices": "accounting.invoices",
    "CreditNotes": "accounting.invoices",
    "Payments": "accounting.payments",
    "Overpayments": "accounting.payments",
    "Prepayments": "accounting.payments",
}


class AccountingApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = history.Keys()
        self._firms: dict[str, rendered.Rendered] = {}

    def answer(self, request: Request) -> Answer:
        world, tenant = self._world, request.headers.get("xero-tenant-id", "")
        with world.lock:
            world.catch_up()
            down = world.faults.down
            fault = None if down else world.faults.take(world.faults.next, request.method, request.path)
            met = world.limits.enter(tenant)
        try:
            if down == "drop" or (fault and fault.name == "drop_before"):
                raise HangUp
            if fault and fault.name == "slow":
                time.sleep(fault.seconds or SLOW)
            with world.lock:
                if down:
                    answer = refusals.unavailable()
                elif met:
                    answer = refusals.too_many(met[0], None if met[1] is None else str(met[1]))
                else:
                    answer = (refusals.ordered(fault) if fault else None) or self._checked(request, tenant)
                answer.headers |= world.limits.headers(tenant)
            if fault and fault.name == "drop_after":
                raise HangUp
            answer.cut_short = bool(fault and fault.name == "truncated")
            return answer
        finally:
            with world.lock:
                world.limits.leave(tenant)

    def _checked(self, request: Request, tenant: str) -> Answer:
        identity = self._world.identity
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            grant = identity.access(token if scheme.lower() == "bearer" else "")
        except Refused as refusal:
            return refusals.problem(401, "Unauthorized", refusal.description)
        if grant.custom and not tenant:
            tenant = self._world.organisation(None).id
        if tenant not in self._world.organisations or not identity.connected(tenant):
            return refusals.problem(403, "Forbidden", "AuthenticationUnsuccessful")
        name = request.path[len(ROOT) :].split("/")[0]
        if name not in SCOPES:
            return refusals.not_found()
        if not _allowed(grant, SCOPES[name], request.method):
            return refusals.insufficient_scope()
        accept = request.headers.get("accept", "")
        if "application/json" not in accept and "application/pdf" not in accept:
            return _not_json(accept)
        if request.method == "GET":
            return self._spoken(request, tenant)
        now = self._world.clock.now()
        before = self._keys.answer_before(tenant, request, now)
        if before is not None:
            return before
        answer = self._spoken(request, tenant)
        self._keys.remember(tenant, request, answer, now)
        return answer

    def _spoken(self, request: Request, tenant: str) -> Answer:
        try:
            return self._routed(request, self._world.organisations[tenant])
        except Unreadable as refusal:
            return refusals.unreadable_query(str(refusal))
        except NotPossible as refusal:
            return refusals.invalid(str(refusal))

    def _routed(self, request: Request, firm: Organisation) -> Answer:
        parts = request.path[len(ROOT) :].rstrip("/").split("/")
        match request.method, parts:
            case "GET", ["Organisation"]:
                return self._envelope("Organisations", [organisation_row(firm)])
            case "GET", [name] if name in IDS:
                return self._list(request, firm, name)
            case "GET", [name, id_] if name in IDS:
                return self._single(request, firm, name, id_)
            case "GET", [name, id_, "History"] if name in IDS:
                return self._history(firm, name, id_)
            case "PUT" | "POST", [name, id_, "History"] if name in IDS:
                return self._write_history(request, firm, name, id_)
            case "GET", ["Invoices", id_, "OnlineInvoice"]:
                return self._online(firm, id_)
            case "POST", ["Invoices"] | ["Invoices", _]:
                return self._envelope("Invoices", edit_invoices(firm.books, request, parts[1:]))
        return refusals.not_found()

    def _list(self, request: Request, firm: Organisation, name: str) -> Answer:
        query, since = request.query, request.headers.get("if-modified-since")
        page = self._rendered(firm).page(
            (name, *sorted(query.items()), since), lambda: select(name, firm.books.shelves[name], query, since)
        )
        return rendered.answer(self._head(), name, page)

    def _rendered(self, firm: Organisation) -> rendered.Rendered:
        if firm.id not in self._firms:
            self._firms[firm.id] = rendered.Rendered(firm)
        return self._firms[firm.id]

    def _single(self, request: Request, firm: Organisation, name: str, id_: str) -> Answer:
        paper = self._paper(firm, name, id_)
        if paper is None:
            return refusals.not_found()
        if "application/pdf" in request.headers.get("accept", "") and isinstance(paper, Invoice):
            named = {"Content-Disposition": f'attachment; filename="{paper.number}.pdf"'}
            return Answer(200, invoice_pdf(firm.name, paper), "application/pdf", named)
        return self._envelope(name, [row_of(paper, Size.SINGLE, self._rendered(firm).balances)])

    def _history(self, firm: Organisation, name: str, id_: str) -> Answer:
        paper = self._paper(firm, name, id_)
        if paper is None:
            return refusals.not_found()
        notes = [note for note in firm.books.notes if note.kind == name and note.document == paper.id]
        return self._envelope("HistoryRecords", [history.note_row(note) for note in reversed(notes)])

    def _write_history(self, request: Request, firm: Organisation, name: str, id_: str) -> Answer:
        paper = self._paper(firm, name, id_)
        if paper is None:
            return refusals.not_found()
        written = history.write(firm.books, name, paper.id, request, self._world.xero_habits.longest_note)
        return written if isinstance(written, Answer) else self._envelope("HistoryRecords", written)

    def _online(self, firm: Organisation, id_: str) -> Answer:
        invoice = self._paper(firm, "Invoices", id_)
        if invoice is None:
            return refusals.not_found()
        if invoice.type != "ACCREC" or invoice.status in ("DRAFT", "SUBMITTED", "DELETED"):
            return refusals.invalid("An online invoice exists only for approved sales invoices.")
        url = f"https://in.xero.com/{firm.short_code.strip('!')}{invoice.id.replace('-', '')[:20]}"
        return self._envelope("OnlineInvoices", [{"OnlineInvoiceUrl": url}])

    def _paper(self, firm: Organisation, name: str, id_: str) -> Any:
        """By id, or for an invoice by its number, as Xero allows."""
        found = firm.books.shelves[name].get(id_.lower())
        if found is None and name == "Invoices":
            try:
                return firm.books.invoice(id_)
            except NotPossible:
                return None
        return found

    def _head(self) -> dict[str, object]:
        now = instant(self._world.clock.now()).replace("+0000", "")
        return {"Id": self._world.new_id(), "Status": "OK", "ProviderName": "Sandbox", "DateTimeUTC": now}

    def _envelope(self, name: str, rows: list[dict[str, object]]) -> Answer:
        return Answer.json(self._head() | {name: rows})


def _allowed(grant: Grant, scope: str, method: str) -> bool:
    return scope in grant.scopes or (method == "GET" and f"{scope}.read" in grant.scopes)


def _not_json(accept: str) -> Answer:
    """Xero speaks XML unless asked for JSON; here only enough of it to notice the mistake."""
    if accept in ("", "*/*") or "xml" in accept:
        stub = (
            b"<Response><Status>OK</Status><!-- Ask with Accept: application/json to be answered here. --></Response>"
        )
        return Answer(200, stub, "text/xml; charset=utf-8")
    return Answer.text(f"Nothing here can be given as {accept}; ask with Accept: application/json.", 406)
