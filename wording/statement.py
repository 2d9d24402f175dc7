"""The facts that a reminder may speak of: one account's open invoices, as they stand at the moment of sending."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One open invoice of the account. `link` is where the debtor can see and pay it, if there is such a place.

    `balance` is what is still owed on it. A credit that nobody has used yet is a line with a negative one.
    """

    number: str
    reference: str
    issued_on: date | None
    due_on: date
    total: Decimal
    balance: Decimal
    currency: str
    age: int
    disputed: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One account on one day, for one message. `locale` is a Babel name such as `en_GB`; amounts are exact.

    `currency` is the organisation's own, in which "nothing" is written when no invoice is open. `link` is where the
    debtor can see and pay the whole account; without it that of the oldest invoice stands in. The `owner` is the person
    who runs the organisation; without one the sender stands in. Whatever is not known is empty.
    """

    organisation: str
    account: str
    as_of: date
    lines: tuple[Line, ...]
    locale: str = "en_GB"
    account_number: str = ""
    contact_first_name: str = ""
    contact_last_name: str = ""
    contact_email: str = ""
    sender_name: str = ""
    organisation_phone: str = ""
    currency: str = ""
    link: str = ""
    organisation_registration: str = ""
    organisation_mobile: str = ""
    organisation_direct_phone: str = ""
    organisation_email: str = ""
    organisation_website: str = ""
    organisation_address: str = ""
    organisation_street_address: str = ""
    owner_first_name: str = ""
    owner_last_name: str = ""
    owner_email: str = ""
    contact_phone: str = ""
    contact_mobile: str = ""
    contact_direct_phone: str = ""
    contact_address: str = ""
    contact_street_address: str = ""
    pay_details: str = ""
