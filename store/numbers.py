"""Telephone numbers: as people write them in a ledger, as a provider dials them, and as a person reads them.

A ledger says “020 7946 0018”, each person in a way of their own, and a number without a country's prefix belongs to the
country of the organisation; a telephone provider wants +442079460018. A number that cannot be one is shown as it stands
and never dialled, and neither is one that costs whoever rings it extra.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from store.tables import AccountRow, ContactRow, OrganisationRow

_TAIL = 6
_COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)
_NO_TEXTS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


class Number(NamedTuple):
    """Somebody's number: as it is dialled (E.164; empty when it cannot be) and read, and whose it is."""

    dialled: str
    shown: str
    whose: str


def country_of(country: str, locale: str) -> str:
    """The country (`GB`) in which numbers without a prefix are: the organisation's own, else that of its language."""
    return (country or locale.partition("_")[2])[:2].upper()


def home_of(organisation: OrganisationRow) -> str:
    """The country (ISO 3166, alpha-2) from which the numbers in its ledger are written; empty when nobody knows."""
    return country_of(organisation.country, organisation.locale)


@lru_cache(maxsize=20_000)
def e164(written: str, country: str) -> str:
    """`+447700900123` for `07700 900 123` in `GB`; empty for what is no possible number, and for more than one."""
    if not any(map(str.isdigit, written)) or len(written) > 40:
        return ""
    try:
        number = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=20_000)
def mobile(written: str, country: str) -> str:
    """The same number if a text message can go there; empty for a landline, an emergency number and one that costs."""
    found = e164(written, country)
    if not found:
        return ""
    number = phonenumbers.parse(found)
    whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return found if whole and phonenumbers.number_type(number) not in _NO_TEXTS else ""


def dialled(text: str, home: str) -> str:
    """The number in the form of E.164, or empty when it is none that anybody should dial."""
    number = e164(text, home)
    if not number or phonenumbers.number_type(phonenumbers.parse(number)) in _COSTLY:
        return ""
    return number


def shown(text: str, home: str) -> str:
    """As a person reads it: in the manner of its own country when that is ours, else with the country's code."""
    number = e164(text, home)
    if not number:
        return text.strip()
    parsed = phonenumbers.parse(number)
    ours = bool(home) and phonenumbers.country_code_for_region(home) == parsed.country_code
    return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL if ours else PhoneNumberFormat.INTERNATIONAL)


def country_of_number(number: str) -> str:
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


def tail(written: str) -> str:
    """The last digits, which are the same in every way of writing a number: to look before parsing."""
    return re.sub(r"\D", "", written)[-_TAIL:]
