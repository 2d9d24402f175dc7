"""Telephone numbers as ledgers hold them, made alike: in the international form that every provider understands.

People write numbers as they dial them, each in a way of their own. A number without a country's prefix belongs to the
country of the organisation.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult

_TAIL = 6
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


def country_of(country: str, locale: str) -> str:
    """The country (`GB`) in which numbers without a prefix are: the organisation's own, else that of its language."""
    return (country or locale.partition("_")[2])[:2].upper()


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
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=20_000)
def mobile(written: str, country: str) -> str:
    """The same number if a text message can go there; empty for a landline, an emergency number and one that costs."""
    found = e164(written, country)
    if not found:
        return ""
    number = phonenumbers.parse(found)
    whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return found if whole and phonenumbers.number_type(number) not in _NO_TEXTS else ""


def tail(written: str) -> str:
    """The last digits, which are the same in every way of writing a number: to look before parsing."""
    return re.sub(r"\D", "", written)[-_TAIL:]
