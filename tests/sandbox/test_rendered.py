"""Mirrors sandbox/xero/rendered.py, sandbox/filling/large.py and odd.py: the bytes kept are those of the books."""

import gzip
import json
import zlib
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.documents import Contact, NotPossible
from sandbox.filling import company, large
from sandbox.world import World
from sandbox.xero.lists import select
from sandbox.xero.rendered import Rendered, answer
from sandbox.xero.rows import IDS
from tests.sandbox.conftest import MONDAY

SIZES = ({}, {"page": "1", "pageSize": "1000"}, {"summaryOnly": "true", "pageSize": "1000"})
ACTS = ["pay", "part", "unpay", "credit", "allocate", "rename", "due", "number", "void", "new", "odd", "tomorrow"]


def a_page(firm, shown, name, query):
    return shown.page((name, *query.items(), None), lambda: select(name, firm.books.shelves[name], query, None))


def everything(firm, shown):
    return {(name, *query): a_page(firm, shown, name, query).rows for name in IDS for query in SIZES}


def do(world, firm, act, which):
    books = firm.books
    invoices, contacts = list(books.sales()), list(books.papers("Contacts"))
    invoice = invoices[which % len(invoices)]
    match act:
        case "pay":
            books.pay(invoice)
        case "part":
            books.pay(invoice, Decimal("1.00"))
        case "unpay":
            books.delete_payment(invoice.payments[0])
        case "credit":
            note = books.add_credit("CreditNotes", invoice.contact, Decimal("2.00"))
            books.allocate(note, invoice)
        case "allocate":
            books.allocation_stamps_invoice = which % 2 == 0
            over = books.add_credit("Overpayments", invoice.contact, Decimal("2.00"))
            books.allocate(over, invoice, Decimal("1.00"))
        case "rename":
            books.edit_contact(contacts[which % len(contacts)], {"name": f"Renamed {which}"})
        case "due":
            books.edit_invoice(invoice, {"due": books.today()})
        case "number":
            books.edit_invoice(invoice, {"number": f"N-{which}-{world.new_id()}"})
        case "void":
            books.void(invoice)
        case "new":
            books.add_invoice(contacts[which % len(contacts)], total=Decimal("9.00"), due=books.today())
        case "odd":
            books.put_odd_row("Invoices", invoice.id, {"InvoiceID": invoice.id, "Status": "ODD"})
        case "tomorrow":
            world.move(world.clock.now() + timedelta(days=1))


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_to_the_books_the_kept_rows_are_always_those_of_the_books(acts):
    world = World(Clock(MONDAY))
    firm = company.found_firm(world)
    for number in range(3):
        contact = firm.books.add_contact(Contact(firm.books.new_id(), f"Customer {number}", MONDAY))
        firm.books.add_invoice(contact, total=Decimal("30.00"), due=firm.books.today())
    kept = Rendered(firm)
    everything(firm, kept)
    for act, which in acts:
        try:
            do(world, firm, act, which)
        except (NotPossible, IndexError):
            continue
        assert everything(firm, kept) == everything(firm, Rendered(firm))


def test_a_packed_answer_is_the_same_answer(world, app):
    for number in range(30):
        world.control.add_contact(f"Müller & Söhne {number} 🪴")
    plain = app.call("GET", "Contacts", page=1)
    again = app.http.request(
        "GET",
        f"{world.api_url}/Contacts?page=1",
        headers={
            "Authorization": f"Bearer {app.tokens['access_token']}",
            "xero-tenant-id": app.tenant,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        decode_content=False,
    )
    one_file = zlib.decompressobj(16 + zlib.MAX_WBITS)
    unpacked = one_file.decompress(again.data)

    assert one_file.eof and one_file.unused_data == b""
    assert unpacked == gzip.decompress(again.data)
    assert json.loads(unpacked)["Contacts"] == json.loads(plain.data)["Contacts"]


def test_a_page_is_packed_once():
    world = World(Clock(MONDAY))
    firm = company.found_firm(world)
    large.fill(world, firm, invoices=50, contacts=5, open_share=0.1, seed=1)
    shown = Rendered(firm)
    first_page = a_page(firm, shown, "Invoices", {"page": "1"})

    assert a_page(firm, shown, "Invoices", {"page": "1"}) is first_page
    first, second = (answer({"Id": n}, "Invoices", first_page).packed() for n in "ab")
    assert gzip.decompress(first).replace(b'"a"', b'"b"') == gzip.decompress(second)


def test_a_large_firm_is_filled_in_one_call(world, app):
    counts = world.control.xero.fill_large(400, contacts=30, open_share=0.05)

    assert (counts["Invoices"], counts["Contacts"], counts["open"]) == (400, 30, 20)
    open_ones = app.get("Invoices", Statuses="AUTHORISED", pageSize=1000)
    stamps = {row["UpdatedDateUTC"] for row in app.get("Invoices", pageSize=1000)["Invoices"]}
    assert open_ones["pagination"]["itemCount"] == 20
    assert len(stamps) > 300
    assert world.control.xero.fill_large(10, seed=2)["Invoices"] == 410


def test_there_is_one_odd_row_of_each_kind(world, app):
    ids = world.control.xero.odd_rows()
    contacts = {row["ContactID"]: row for row in app.get("Contacts", page=1)["Contacts"]}
    invoices = {row["InvoiceID"]: row for row in app.get("Invoices", page=1)["Invoices"]}

    assert set(ids.values()) <= {*contacts, *invoices}
    assert len(contacts[ids["a name over 255 characters"]]["Name"]) > 255
    assert "🪴" in contacts[ids["a name in emoji"]]["Name"]
    assert invoices[ids["no due date"]]["DueDate"] is None
    assert invoices[ids["amounts as text"]]["AmountDue"] == "120.00"
    assert invoices[ids["the word None"]]["Reference"] == "None"
