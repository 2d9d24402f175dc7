"""Telephone numbers: as people write them in a ledger, as a provider dials them, and as a person reads them.

A ledger says “020 7946 0018” and knows from where it is said; a telephone provider wants +442079460018. A number that
cannot be one is shown as it stands and never dialled, and neither is one that costs whoever rings it extra.
"""

from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from store import numbers as store_numbers
from store.tables import AccountRow, ContactRow, OrganisationRow

_COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


class Number(NamedTuple):
    """Somebody's number: as it is dialled (E.164; empty when it cannot be) and read, and whose it is."""

    dialled: str
    shown: str
    whose: str


def home_of(organisation: OrganisationRow) -> str:
    """The country (ISO 3166, alpha-2) from which the numbers in its ledger are written; empty when nobody knows."""
    return store_numbers.country_of(organisation.country, organisation.locale)


def dialled(text: str, home: str) -> str:
    """The number in the form of E.164, or empty when it is none that anybody should dial."""
    number = store_numbers.e164(text, home)
    if not number or phonenumbers.number_type(phonenumbers.parse(number)) in _COSTLY:
        return ""
    return number


def shown(text: str, home: str) -> str:
    """As a person reads it: in the manner of its own country when that is ours, else with the country's code."""
    number = store_numbers.e164(text, home)
    if not number:
        return text.strip()
    parsed = phonenumbers.parse(number)
    ours = bool(home) and phonenumbers.country_code_for_region(home) == parsed.country_code
    return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL if ours else PhoneNumberFormat.INTERNATIONAL)


def country_of(number: str) -> str:
    """The country of a number in the form of E.164; empty when it has none of its own, such as a satellite's."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number)) if number else ""
    return region if region and region.isalpha() else ""


def numbers_of(account: AccountRow, contacts: tuple[ContactRow, ...], home: str) -> tuple[Number, ...]:
    """The numbers at which an account can be rung, each once: its own first, then those of its people."""
    person = f"{account.first_name} {account.last_name}".strip()
    written = [(account.phone, account.name), (account.mobile, person or account.name)]
    written += [(contact.mobile, contact.name) for contact in contacts]
    found: dict[str, Number] = {}
    for text, whose in written:
        if text.strip():
            number = dialled(text, home)
            found.setdefault(number or text.strip(), Number(number, shown(text, home), whose))
    return tuple(found.values())
