"""Mirrors connector/_quickbooks_writing.py: each note on its invoice, and a line of it in the customer's notes."""

import pytest

from connector import LedgerNote, Refused, Unreachable
from connector._quickbooks_memory import memory_of
from connector._quickbooks_notes import BEGIN, END
from tests.connector.intuit import REALM, changed, connect_quickbooks, customer, fault, found, sent, statements
from tests.connector.surroundings import Say

TEXT = "R1 sent by email to Joan"


def note(number: int = 1, text: str = TEXT, invoice_id: str = "10") -> LedgerNote:
    return LedgerNote(f"{text} [arrears {number}-abc123]", f"[arrears {number}-abc123]", invoice_id)


class Books:
    """One customer and what hangs on invoices, kept as QuickBooks keeps them: marks, requests done once, lengths."""

    def __init__(self, notes: str = "", country: str = "US", longest: int = 2000) -> None:
        self.notes, self.token, self.longest, self.country = notes, 3, longest, country
        self.hung: list[dict] = []
        self.done: dict[str, Say] = {}
        self.on_write: list[Say | None] = []

    def __call__(self, asked):
        if asked.path.endswith("/query"):
            if "CompanyInfo" in asked.body.decode():
                return Say(found("CompanyInfo", {"Id": "1", "CompanyName": "B", "Country": self.country}))
            return Say(found("Attachable", *self.hung))
        if asked.method == "GET":
            return Say({"Customer": self.row()})
        return self.done.get(asked.query["requestid"]) or self.write(asked)

    def row(self):
        return customer("1", SyncToken=str(self.token), Notes=self.notes)

    def write(self, asked):
        trouble = self.on_write.pop(0) if self.on_write else None
        if trouble is not None and not trouble.drop:
            return trouble
        said = self.attach(asked) if asked.path.endswith("/attachable") else self.change(sent(asked))
        if said.status == 200:
            self.done[asked.query["requestid"]] = said
        return trouble or said

    def attach(self, asked):
        self.hung.append({"Id": str(len(self.hung) + 1), **sent(asked)})
        return Say({"Attachable": self.hung[-1]})

    def change(self, body):
        assert set(body) == {"sparse", "Id", "SyncToken", "Notes"} and body["sparse"] is True
        if body["SyncToken"] != str(self.token):
            return Say(fault(5010, "Stale Object Error", "You and Joan were working on this"), status=400)
        if len(body["Notes"]) > self.longest:
            return Say(fault(2050, "String length is either shorter or longer than supported"), status=400)
        self.notes, self.token = body["Notes"], self.token + 1
        return Say({"Customer": self.row()})


def connected(xero, clock, books, **settings):
    xero.rule = books
    return connect_quickbooks(xero, clock, **settings).ledger


def test_a_note_is_hung_on_its_invoice_and_a_line_of_it_stands_in_the_customers_notes(xero, clock):
    books = Books("Likes calls before noon.")

    connected(xero, clock, books).write_notes("1", [note()], key="k")

    assert books.hung == [
        {
            "Id": "1",
            "Note": f"{TEXT} [arrears 1-abc123]",
            "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "10"}, "IncludeOnSend": False}],
        }
    ]
    assert books.notes == f"Likes calls before noon.\n{BEGIN}\n2026-01-05 {TEXT} [arrears 1-abc123]\n{END}"


def test_every_write_has_a_name_of_its_own_and_none_is_longer_than_36(xero, clock):
    connected(xero, clock, Books()).write_notes("1", [note(1), note(2)], key="k" * 200)

    names = [asked.query["requestid"] for asked in xero.asked if asked.method == "POST"]
    assert len(set(names)) == len(names) == 3
    assert all(len(name) <= 36 for name in names)


def test_a_note_about_no_invoice_is_hung_on_none(xero, clock):
    books = Books()

    connected(xero, clock, books).write_notes("1", [note(invoice_id="")], key="k")

    assert books.hung == []
    assert "[arrears 1-abc123]" in books.notes


def test_notes_cost_no_question_once_the_customer_was_seen(xero, clock):
    books = Books()
    ledger = connected(xero, clock, books)
    xero.script = [Say(changed(Customer=[books.row()]))]
    list(ledger.pull({"changed": "2026-01-05T08:55:00+00:00", "currency": "USD"}))

    for number in (1, 2):
        connect_quickbooks(xero, clock).ledger.write_notes("1", [note(number)], key=f"k{number}")

    assert [asked.method for asked in xero.asked[1:]] == ["POST"] * 4
    assert books.notes.count("[arrears") == 2


def test_somebody_elses_change_meanwhile_is_read_and_kept(xero, clock):
    books = Books("Old")
    ledger = connected(xero, clock, books)
    ledger.write_notes("1", [note(1)], key="k1")
    books.notes, books.token = books.notes.replace("Old", "New words by Joan"), books.token + 1

    ledger.write_notes("1", [note(2)], key="k2")

    assert books.notes.startswith(f"New words by Joan\n{BEGIN}\n2026-01-05 {TEXT} [arrears 2-abc123]\n")
    assert "[arrears 1-abc123]" in books.notes


def test_a_customer_that_changes_again_and_again_is_given_up_after_three_tries(xero, clock):
    books = Books()
    stale = Say(fault(5010, "Stale Object Error"), status=400)
    books.on_write = [stale] * 9

    with pytest.raises(Refused, match="again and again"):
        connected(xero, clock, books).write_notes("1", [note(invoice_id="")], key="k")
    assert len([asked for asked in xero.asked if asked.method == "POST"]) == 3


def test_notes_too_long_for_this_company_lower_the_cap_and_not_the_firms_own_words(xero, clock):
    books = Books("Own words. " * 20, longest=560)
    ledger = connected(xero, clock, books, notes_block_length=900)
    for number in range(12):
        ledger.write_notes("1", [note(number, "x" * 90)], key=f"k{number}")

    assert books.notes.startswith("Own words. " * 20)
    assert len(books.notes) <= 560
    assert "[arrears 11-abc123]" in books.notes


def test_a_lost_answer_and_another_try_write_a_note_once(xero, clock):
    books = Books()
    books.on_write = [Say(drop=True)]
    ledger = connected(xero, clock, books)
    with pytest.raises(Unreachable):
        ledger.write_notes("1", [note()], key="k")
    books.on_write = [Say(drop=True)]
    with pytest.raises(Unreachable):
        ledger.write_notes("1", [note()], key="k")

    ledger.write_notes("1", [note()], key="another")

    assert len(books.hung) == 1
    assert books.notes.count("[arrears 1-abc123]") == 1


def test_notes_are_found_again_in_both_places(xero, clock):
    books = Books()
    ledger = connected(xero, clock, books)
    ledger.write_notes("1", [note(1)], key="k1")
    ledger.write_notes("1", [note(2, invoice_id="")], key="k2")

    known = ledger.find_notes("1")

    for number in (1, 2):
        assert any(f"[arrears {number}-abc123]" in text for text in known)
    assert "MetaData.LastUpdatedTime >= '2025-12-29T09:00:00+00:00'" in statements(xero)[-1]


def test_where_a_note_finds_no_place_at_all_a_person_is_told_what_to_do(xero, clock):
    books = Books(f"{BEGIN}\nsomething")
    ledger = connected(xero, clock, books)
    ledger.write_notes("1", [note()], key="k1")
    assert len(books.hung) == 1

    with pytest.raises(Refused, match="Delete what is left of them in QuickBooks"):
        ledger.write_notes("1", [note(2, invoice_id="")], key="k2")
    assert books.notes == f"{BEGIN}\nsomething"


def test_a_customer_whose_notes_cannot_be_changed_leaves_the_note_on_the_invoice(xero, clock):
    books = Books()
    inactive = Say(fault(610, "Object Not Found", "Something you're trying to use has been made inactive"), status=400)
    books.on_write = [None, inactive, inactive]
    ledger = connected(xero, clock, books)

    ledger.write_notes("1", [note(1)], key="k1")
    assert len(books.hung) == 1

    with pytest.raises(Refused, match="made inactive"):
        ledger.write_notes("1", [note(2, invoice_id="")], key="k2")


def test_an_invoice_that_has_gone_leaves_the_note_to_the_customers_notes(xero, clock):
    books = Books()
    books.on_write = [Say(fault(610, "Object Not Found"), status=400)]

    connected(xero, clock, books).write_notes("1", [note()], key="k")

    assert (books.hung, "[arrears 1-abc123]" in books.notes) == ([], True)


@pytest.mark.parametrize(
    ("settings", "hung", "noted"), [({"attach_notes": False}, 0, 1), ({"notes_block": False}, 1, 0)]
)
def test_each_of_the_two_places_can_be_turned_off(xero, clock, settings, hung, noted):
    books = Books()

    connected(xero, clock, books, **settings).write_notes("1", [note()], key="k")

    assert (len(books.hung), books.notes.count("[arrears")) == (hung, noted)


def test_with_both_turned_off_the_note_says_so(xero, clock):
    with pytest.raises(Refused, match="the settings allow no other place"):
        connected(xero, clock, Books(), attach_notes=False, notes_block=False).write_notes("1", [note()], key="k")


@pytest.mark.parametrize(("country", "written"), [("US", 'She said "no" to Lódz'), ("GB", "She said “no” to Łódź")])
def test_an_american_companys_books_get_letters_that_they_can_hold(xero, clock, country, written):
    books = Books(country=country)

    connected(xero, clock, books).write_notes("1", [note(text="She said “no” to Łódź")], key="k")

    assert written in books.notes
    assert written in books.hung[0]["Note"]


def test_a_long_note_keeps_its_marker_in_both_places(xero, clock):
    books = Books()

    connected(xero, clock, books).write_notes("1", [note(text="words " * 600)], key="k")

    assert len(books.hung[0]["Note"]) <= 2000 and books.hung[0]["Note"].endswith("[arrears 1-abc123]")
    assert "... [arrears 1-abc123]" in books.notes


def test_one_company_is_remembered_apart_from_another():
    assert memory_of("https://a.example", REALM) is memory_of("https://a.example", REALM)
    assert memory_of("https://a.example", REALM) is not memory_of("https://a.example", "2")
