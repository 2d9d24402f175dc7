"""Mirrors jobs/matching.py: whose reply it is, by evidence, and never by a guess."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from town import Town

FERN, OAK = "Fern & Fig Café", "Oak & Co"


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    for name, email, number in ((FERN, "fern@fig.example", "INV-7001"), (OAK, "oak@oak.example", "1500")):
        founded.control.add_contact(name, email=email)
        founded.control.add_invoice(name, due="2026-01-06", amount="10.00", number=number)
    founded.connect()
    founded.walk(date(2026, 1, 6), date(2026, 1, 13))
    return founded


def writes(town: Town, said: str, *, sender: str, subject: str = "A question") -> None:
    """A new mail, in a thread of its own, to the firm's plain address."""
    mail = town.mails_to("fern@fig.example")[0]["message_id"]
    town.control.reply(mail, said, from_=sender, as_new_thread=True, subject=subject)
    town.work()


def test_a_number_that_only_looks_like_another_accounts_invoice_gives_the_reply_to_nobody(town: Town) -> None:
    writes(town, "We paid 1500 last Friday.", sender="fern@fig.example")

    assert (town.replies(FERN), town.replies(OAK)) == ([], [])
    assert [task.kind for task in town.tasks()] == ["unmatched reply"]


def test_sender_and_invoice_number_that_agree_find_the_account(town: Town) -> None:
    writes(town, "INV-7001 was paid on Monday.", sender="fern@fig.example")

    assert [reply.matched_by for reply in town.replies(FERN)] == ["invoice number"]


def test_an_unknown_sender_who_names_one_invoice_is_matched_by_it(town: Town) -> None:
    writes(town, "About INV-7001: which order was it?", sender="someone@else.example")

    assert [reply.matched_by for reply in town.replies(FERN)] == ["invoice number"]


def test_a_known_sender_who_names_nothing_is_matched_by_the_address(town: Town) -> None:
    writes(town, "Could you ring me?", sender="oak@oak.example")

    assert [reply.matched_by for reply in town.replies(OAK)] == ["sender"]


def test_an_answer_to_a_merged_account_goes_to_the_one_it_went_into(town: Town) -> None:
    (oak,) = [contact["id"] for contact in town.control.contacts() if contact["name"] == OAK]
    town.control.edit_contact(FERN, merged_into=oak, archived=True)
    town.day(date(2026, 1, 14))
    town.control.reply(town.mails_to("fern@fig.example")[0]["message_id"], "We are Oak now.")
    town.work()

    assert [reply.said for reply in town.replies(OAK)] == ["We are Oak now."]
