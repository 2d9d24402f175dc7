"""What a template may name: every placeholder, what it shows, and a fallback for when the ledger does not know it.

The list is what the editor shows and what the guide prints. A test holds it against the facts that are filled in, so a
placeholder that exists is on the list, and nothing is on the list that does not exist.
"""

from typing import NamedTuple


class Offer(NamedTuple):
    """One placeholder. `fallback` is a good word for when it is empty; "" where it never is, or where nothing fits.

    `per_invoice`: only in a Regular workflow, whose reminders speak of one invoice each.
    """

    name: str
    shows: str
    fallback: str = ""
    per_invoice: bool = False

    @property
    def written(self) -> str:
        """As an author writes it: `{{ contact.first_name | default: "there" }}`."""
        fallback = f' | default: "{self.fallback}"' if self.fallback else ""
        return f"{{{{ {self.name}{fallback} }}}}"


GROUPS: dict[str, tuple[Offer, ...]] = {
    "Most used": (
        Offer("statement", "the table of open invoices; at the end of an email if you leave it out"),
        Offer("contact.first_name", "the first name of the person", "there"),
        Offer("account.total_overdue", "what is overdue, in each currency, without what is disputed"),
        Offer("account.days_overdue", "the age of the oldest overdue invoice, as a bare number of days"),
        Offer("organisation.name", "your firm"),
        Offer("sender.name", "the name that reminders are sent under", "Accounts"),
        Offer("reference", "something to quote: the account's number, else that of its oldest invoice, else its name"),
        Offer("link", "where it can be seen and paid online, if there is such a place"),
        Offer("today", "the date"),
    ),
    "Your firm": (
        Offer("organisation.registration", "its registration number"),
        Offer("organisation.phone", "its telephone"),
        Offer("organisation.mobile", "its mobile"),
        Offer("organisation.direct_phone", "its direct line"),
        Offer("organisation.email", "its email address"),
        Offer("organisation.website", "its website"),
        Offer("organisation.address", "its postal address, on one line"),
        Offer("organisation.street_address", "where it is, on one line"),
        Offer("organisation.pay_details", "how to pay: the bank account, on one line"),
    ),
    "You": (
        Offer("owner.first_name", "the owner's first name", "Accounts"),
        Offer("owner.last_name", "the owner's last name"),
        Offer("owner.full_name", "both; the sender's name if there is no owner", "Accounts"),
        Offer("owner.email", "the owner's email address"),
        Offer("owner.organisation", "your firm once more"),
    ),
    "The person": (
        Offer("contact.last_name", "the last name", "customer"),
        Offer("contact.full_name", "first and last name", "Sir or Madam"),
        Offer("contact.email", "the email address"),
        Offer("contact.organisation", "the account's name"),
        Offer("contact.account_number", "the account's number"),
        Offer("contact.phone", "the telephone"),
        Offer("contact.mobile", "the mobile"),
        Offer("contact.direct_phone", "the direct line"),
        Offer("contact.address", "the postal address, on one line"),
        Offer("contact.street_address", "where they are, on one line"),
    ),
    "The account": (
        Offer("account.name", "its name"),
        Offer("account.number", "its number"),
        Offer("account.invoice_count", "how many invoices are open"),
        Offer("account.overdue_count", "how many of them are overdue"),
        Offer("account.total_due", "all that is open, in each currency"),
        Offer("invoices", 'the open invoices, oldest first: {{ invoices | map: "number" | join: ", " }}'),
    ),
    "The invoice (Regular workflows only)": (
        Offer("invoice.number", "its number", per_invoice=True),
        Offer("invoice.reference", "its reference, such as the order number", "no reference", per_invoice=True),
        Offer("invoice.issued_on", "its date", per_invoice=True),
        Offer("invoice.due_on", "its due date", per_invoice=True),
        Offer("invoice.days_overdue", "how many days it is overdue, as a bare number", per_invoice=True),
        Offer("invoice.balance", "what is still owed on it", per_invoice=True),
        Offer("invoice.total", "what it came to", per_invoice=True),
        Offer("invoice.currency", "its currency, such as EUR", per_invoice=True),
        Offer("invoice.link", "where it can be seen and paid online", per_invoice=True),
        Offer("invoice.is_overdue", "for `{% if invoice.is_overdue %}`", per_invoice=True),
        Offer("invoice.disputed", "for `{% if invoice.disputed %}`", per_invoice=True),
    ),
}
OFFERS: tuple[Offer, ...] = tuple(offer for offers in GROUPS.values() for offer in offers)
