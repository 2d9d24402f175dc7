"""Who can be reached by a text message: the account's own mobile, else that of a person there who gets reminders.

The engine asks it of thousands of accounts at once, and a message asks it of one in the second before it leaves. Both
ask here, so that no step is planned for a number that nothing is sent to in the end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self

from store.ground import Ground
from store.numbers import country_of, mobile
from store.rows import Row

CONTACTS_MOBILES = (
    "SELECT c.account_id, c.mobile FROM contacts c JOIN accounts a ON a.id = c.account_id "
    "WHERE {a} AND c.mobile <> '' AND c.receives_reminders ORDER BY c.account_id, c.place"
)
"""The mobiles of the people at these accounts who get reminders, in the order of the ledger."""


class Texting(NamedTuple):
    """What is known of a chunk of accounts. While no workflow has a text message in it, numbers are not looked at."""

    country: str
    contacts: dict[int, list[str]]
    stopped: Collection[str]
    looked_at: bool

    @classmethod
    def of(cls, ground: Ground, told: Iterable[Row], stopped: Collection[str]) -> Self:
        contacts: dict[int, list[str]] = defaultdict(list)
        for account, number in told:
            contacts[account].append(number)
        country = country_of(ground.organisation.country, ground.organisation.locale)
        return cls(country, contacts, stopped, ground.has_texts)

    def reaches(self, account: int, own: str) -> bool:
        """Whether a text message can go to this account, whose own mobile is written like this in the ledger."""
        if not self.looked_at:
            return bool(own)
        written = (own, *self.contacts.get(account, ()))
        return number_to_text(written, self.country, self.stopped) != ""


def number_to_text(written: Iterable[str], country: str, stopped: Collection[str]) -> str:
    """The first of these numbers to which a text message can go (E.164); empty when there is none."""
    numbers = (mobile(one, country) for one in written if one)
    return next((number for number in numbers if number and number not in stopped), "")
