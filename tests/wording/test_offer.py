"""Mirrors wording/offer.py: the list of placeholders says all there is, and nothing that is not."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import wording
from wording import Line, Statement, placeholders, render
from wording._facts import facts_of
from wording.offer import OFFERS

DAY = date(2025, 6, 30)
LINE = Line(
    "INV-1", "PO 1", DAY, date(2025, 5, 19), Decimal(1200), Decimal(1200), "GBP", 42, True, "https://x.example/1"
)
TOLD = {
    field.name: f"{field.name} told"
    for field in fields(Statement)
    if field.type is str and field.name not in ("locale", "link", "currency")
}
FULL = Statement(**{**TOLD, "as_of": DAY, "lines": (LINE,), "currency": "GBP", "link": "https://x.example/all"})
BARE = Statement("Firm", "Account", DAY, ())


def names() -> set[str]:
    facts = facts_of(FULL)
    return {
        f"{root}.{leaf}" if leaf else root
        for root, fact in facts.items()
        for leaf in (fact if isinstance(fact, dict) else [""])
    }


def test_the_list_names_every_placeholder_once_and_no_other():
    assert sorted(offer.name for offer in OFFERS) == sorted(names())


def test_the_guide_prints_every_placeholder():
    guide = (Path(wording.__file__).parent.parent / "docs" / "guide" / "wording.md").read_text(encoding="utf-8")

    assert [offer.name for offer in OFFERS if f"`{offer.name}`" not in guide] == []


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_every_placeholder_can_be_written_as_the_list_writes_it_for_a_full_and_for_an_empty_account(offer):
    for statement in (FULL, BARE):
        render("x", f"a {offer.written} b", statement)
    assert placeholders(offer.written, per_invoice=offer.per_invoice).unknown == ()


@pytest.mark.parametrize("offer", [offer for offer in OFFERS if offer.fallback], ids=lambda offer: offer.name)
def test_a_fallback_stands_in_where_nothing_is_known(offer):
    assert f"a {offer.fallback} b" in render("x", f"a {offer.written} b", BARE).text


@pytest.mark.parametrize("offer", [offer for offer in OFFERS if offer.per_invoice], ids=lambda offer: offer.name)
def test_an_invoice_alone_is_unknown_where_reminders_speak_of_the_whole_account(offer):
    assert placeholders(offer.written, per_invoice=False).unknown == (offer.name,)


def test_the_facts_of_everybody_are_filled_in():
    text = render("x", "\n".join(f"{offer.name}={{{{ {offer.name} }}}}" for offer in OFFERS[1:]), FULL).text

    for name in ("organisation.registration", "owner.first_name", "contact.direct_phone", "contact.street_address"):
        assert f"{name}={name.replace('.', '_')} told" in text
    assert "owner.full_name=owner_first_name told owner_last_name told" in text
    assert "link=https://x.example/all" in text and "invoice.link=https://x.example/1" in text


def test_an_address_of_several_lines_is_written_on_one():
    statement = Statement("Firm", "Account", DAY, (), organisation_address="12 Quay Street,\r\nBristol \n BS1 4AA\n")

    assert "12 Quay Street, Bristol, BS1 4AA" in render("x", "{{ organisation.address }}", statement).text
