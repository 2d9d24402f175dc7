"""The facts that a reminder may speak of: one account's open invoices, as they stand at the moment of sending."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One open invoice of the account. `link` is where the debtor can see and pay it, if there is such a place."""

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
    """One account on one day, for one message. `locale` is a Babel name such as `en_GB`; amounts are exact."""

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
    colours: dict[str, str] = field(default_factory=dict)
