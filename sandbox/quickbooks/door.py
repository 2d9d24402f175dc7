"""The Accounting API of QuickBooks Online: everything below /quickbooks/v3/company/<realm>/.

A call is checked as Intuit checks it (limits first, then the token, then the company), answered from the books, and
counted where Intuit would put it on the bill: all reading is metered, all writing is free.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.documents import Invoice, NotPossible
from sandbox.exchange import Answer, HangUp, Request, encoded
from sandbox.faults import SLOW, Fault
from sandbox.oauth import Refused
from sandbox.packing import gzip_of, stretch
from sandbox.quickbooks import cdc, introduction, refusals
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.dates import server_time
from sandbox.quickbooks.query import EMPTY, Question, Unanswerable, Unreadable, answered, read_question
from sandbox.quickbooks.refusals import Invalid
from sandbox.quickbooks.rows import emails, row_of, shown
from sandbox.quickbooks.sheets import Page, Sheet
from sandbox.quickbooks.writes import attach, write_customer
from sandbox.world import World
from sandbox.xero.pdf import invoice_pdf

ROOT = "/quickbooks/v3/company/"
LONGEST_REQUEST_ID = 50
MOST_PAGES = 500
MOST_IN_BATCH = 30
SINGLE = {"customer": "Customer", "invoice": "Invoice", "payment": "Payment", "creditmemo": "CreditMemo"} | {
    "attachable": "Attachable"
}


class CompanyApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._before: dict[tuple[str, str], Answer] = {}

    def answer(self, request: Request) -> Answer:
        world, realm = self._world, request.path[len(ROOT) :].partition("/")[0]
        with world.lock:
            world.catch_up()
            down = world.faults.down
            fault = None if down else world.faults.take(world.faults.quickbooks, request.method, request.path)
            within = world.quickbooks.limits.enter(realm)
        try:
            if down == "drop" or (fault and fault.name == "drop_before"):
                raise HangUp
            if fault and fault.name == "slow":
                time.sleep(fault.seconds or SLOW)
            with world.lock:
                answer = self._gate(request, realm, fault, within=within)
            answer.headers |= {"QBO-Version": "1985.138", "Service-Time": "total=12, db=3"}
            if fault and fault.name == "drop_after":
                raise HangUp
            answer.cut_short = bool(fault and fault.name == "truncated")
            return answer
        finally:
            with world.lock:
                world.quickbooks.limits.leave(realm)

    def _gate(self, request: Request, realm: str, fault: Fault | None, *, within: bool) -> Answer:
        now = self._world.clock.now()
        company = self._world.quickbooks.companies.get(realm)
        in_xml = company is not None and company.habits.throttled_in_xml
        token = request.headers.get("authorization", "").partition(" ")[2]
        if self._world.faults.down:
            return refusals.system_fault(now, 503)
        if not within:
            return refusals.throttled(now, in_xml=in_xml)
        if fault is not None and (answer := refusals.ordered(fault, token, now, in_xml=in_xml)) is not None:
            return answer
        try:
            grant = self._world.quickbooks.identity.access(token)
        except Refused:
            return refusals.unauthorized(token, now)
        if company is None or grant.realm != realm or "com.intuit.quickbooks.accounting" not in grant.scopes:
            return refusals.forbidden(now)
        if "application/json" not in request.headers.get("accept", "") and not request.path.endswith("/pdf"):
            return Answer(
                200, b"<IntuitResponse><!-- Ask with Accept: application/json. --></IntuitResponse>", "text/xml"
            )
        return self._counted(_Asked(company, request, now, fault))

    def _counted(self, asked: "_Asked") -> Answer:
        answer = self._spoken(asked)
        if asked.metered and answer.status < 300:
            asked.company.metered += 1
        if asked.fault is not None and asked.fault.name == "latin1":
            answer.body, answer.packed = answer.body.decode().encode("latin-1", "replace"), None
        return answer

    def _spoken(self, asked: "_Asked") -> Answer:
        try:
            if asked.metered:
                return self._read(asked)
            return self._once(asked)
        except Unreadable as refusal:
            return refusals.invalid(Invalid("4000", "Error parsing query", str(refusal)), asked.now)
        except Unanswerable as refusal:
            return refusals.invalid(Invalid("4001", "Invalid query", str(refusal)), asked.now)
        except Invalid as refusal:
            return refusals.invalid(refusal, asked.now)
        except NotPossible as refusal:
            trouble = Invalid(
                "6000", "A business validation error has occurred while processing your request", str(refusal)
            )
            return refusals.invalid(trouble, asked.now)

    # --- reading

    def _read(self, asked: "_Asked") -> Answer:
        company, query = asked.company, asked.request.query
        match asked.request.method, asked.parts:
            case "GET", ["query"]:
                return self._query(asked, query.get("query", ""))
            case "POST", ["query"]:
                if not asked.request.headers.get("content-type", "").startswith("application/text"):
                    return Answer.text("A query is posted as application/text.", 415)
                return self._query(asked, asked.request.body.decode("utf-8", "replace"))
            case "GET", ["cdc"]:
                cut_off = asked.fault is not None and asked.fault.name == "truncated_cdc"
                groups = cdc.changes(company, query, asked.now, cut_off=cut_off)
                return asked.enveloped("CDCResponse", groups)
            case "POST", ["batch"]:
                return self._batch(asked)
            case "GET", ["companyinfo", _]:
                return asked.enveloped("CompanyInfo", encoded(introduction.company_info(company)))
            case "GET", ["preferences"]:
                return asked.enveloped("Preferences", encoded(introduction.preferences(company)))
            case "GET", ["invoice", number, "pdf"]:
                return self._pdf(company, number)
            case "GET", [name, number] if name.lower() in SINGLE:
                return self._single(asked, SINGLE[name.lower()], number)
        return refusals.invalid(Invalid("120", "Unsupported Operation", "Operation is not supported."), asked.now)

    def _query(self, asked: "_Asked", text: str) -> Answer:
        return asked.enveloped("QueryResponse", _found(asked.company, text))

    def _batch(self, asked: "_Asked") -> Answer:
        """Several questions at once. Writes are refused: in a batch they are metered, and sent singly they are free."""
        asked.company.batches += 1
        items = asked.content().get("BatchItemRequest") or [{}]
        if any("Query" not in item for item in items):
            raise Invalid("6000", "Not offered here", "A batch turns free writes into metered ones; send them singly.")
        if len(items) > MOST_IN_BATCH:
            raise Invalid("1040", "Too many items", f"A batch holds at most {MOST_IN_BATCH} items.")
        answers = b",".join(_item(asked.company, item) for item in items)
        return asked.enveloped("BatchItemResponse", b"[%s]" % answers)

    def _single(self, asked: "_Asked", entity: str, number: str) -> Answer:
        company = asked.company
        sheet = company.sheet(entity, number)
        if sheet is None:
            raise refusals.not_found()
        if entity == "Invoice" and "invoicelink" in asked.request.query.get("include", "").lower():
            return asked.enveloped(entity, encoded(row_of(company, sheet) | _link(company, sheet)))
        return asked.enveloped(entity, shown(company, sheet))

    def _pdf(self, company: Company, number: str) -> Answer:
        sheet = company.sheet("Invoice", number)
        if sheet is None or not isinstance(sheet.paper, Invoice):
            raise refusals.not_found()
        return Answer(200, invoice_pdf(company.firm.name, sheet.paper), "application/pdf")

    # --- writing

    def _once(self, asked: "_Asked") -> Answer:
        """What came before with the same request id is answered again, whatever it is that is asked now."""
        request_id = asked.request.query.get("requestid", "")
        if len(request_id) > LONGEST_REQUEST_ID:
            raise refusals.too_long("requestid", LONGEST_REQUEST_ID, len(request_id))
        key = (asked.company.realm, request_id)
        if request_id and (before := self._before.get(key)) is not None:
            return Answer(before.status, before.body, before.kind)
        answer = self._write(asked)
        if request_id:
            self._before[key] = Answer(answer.status, answer.body, answer.kind)
        return answer

    def _write(self, asked: "_Asked") -> Answer:
        company, body = asked.company, asked.content()
        match asked.request.method, asked.parts:
            case "POST", ["customer"]:
                return asked.enveloped("Customer", shown(company, write_customer(company, body, asked.now)))
            case "POST", ["attachable"]:
                return asked.enveloped("Attachable", shown(company, attach(company, body)))
        raise Invalid(
            "120", "Unsupported Operation", f"{asked.request.method} {asked.request.path} is not offered here."
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to one company."""

    company: Company
    request: Request
    now: datetime
    fault: Fault | None

    @property
    def parts(self) -> list[str]:
        return self.request.path[len(ROOT) :].strip("/").split("/")[1:]

    @property
    def metered(self) -> bool:
        return self.request.method == "GET" or self.parts[:1] in (["query"], ["batch"], ["cdc"])

    def content(self) -> dict[str, Any]:
        try:
            content = self.request.json()
        except ValueError:
            raise Invalid(
                "2010", "Request has invalid or unsupported property", "The body is not readable as JSON."
            ) from None
        if not isinstance(content, dict):
            raise Invalid("2010", "Request has invalid or unsupported property", "The body is not an object.")
        return content

    def enveloped(self, name: str, content: bytes | Page) -> Answer:
        page = content if isinstance(content, Page) else Page(content)
        head, tail = b'{"%s":' % name.encode(), b',"time":"%s"}' % server_time(self.now).encode()
        whole = head + page.content + tail

        def packed() -> bytes:
            if page.packed is None:
                page.packed = stretch(page.content)
            return gzip_of((stretch(head), page.packed, stretch(tail)), whole)

        return Answer(200, whole, "application/json;charset=UTF-8", packed=packed)


def _found(company: Company, text: str) -> Page:
    """What a QueryResponse holds, worked out once for as long as nothing changes."""
    if (page := company.pages.get(text)) is None:
        if len(company.pages) >= MOST_PAGES:
            company.pages.clear()
        page = company.pages[text] = Page(_content(company, read_question(text)))
    return page


def _content(company: Company, question: Question) -> bytes:
    if question.entity in EMPTY:
        return b'{"totalCount":0}' if question.counting else b"{}"
    if question.entity in introduction.FIXED:
        rows = [encoded(row) for row in introduction.FIXED[question.entity](company)]
        return _page(question, rows[question.start - 1 : question.start - 1 + question.most])
    sheets, count = answered(company, question)
    if question.counting:
        return b'{"totalCount":%d}' % count
    return _page(question, [shown(company, sheet) for sheet in sheets])


def _item(company: Company, item: dict[str, Any]) -> bytes:
    """The answer to one item of a batch; a question that cannot be answered says so in its own place."""
    number = encoded(item.get("bId"))
    try:
        return b'{"QueryResponse":%s,"bId":%s}' % (_found(company, str(item["Query"])).content, number)
    except (Unreadable, Unanswerable) as refusal:
        error = {"Message": "Invalid query", "Detail": str(refusal), "code": "4001"}
        return b'{"Fault":%s,"bId":%s}' % (encoded({"Error": [error], "type": "ValidationFault"}), number)


def _page(question: Question, rows: list[bytes]) -> bytes:
    if question.counting:
        return b'{"totalCount":%d}' % len(rows)
    if not rows:
        return b"{}"
    return b'{"%s":[%s],"startPosition":%d,"maxResults":%d}' % (
        question.entity.encode(),
        b",".join(rows),
        question.start,
        len(rows),
    )


def _link(company: Company, sheet: Sheet) -> dict[str, str]:
    """Where the debtor pays: only with online payment switched on and an address that can be one."""
    invoice = sheet.paper
    if not company.habits.online_payments or not isinstance(invoice, Invoice) or "@" not in emails(invoice.contact):
        return {}
    token = f"scs-v1-{company.realm}{sheet.id}"
    return {"InvoiceLink": f"https://connect.intuit.com/portal/app/CommerceNetwork/view/{token}?locale=en_US"}
