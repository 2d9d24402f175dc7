"""What people may say about one invoice: leave it out of everything, or mark it as disputed.

A muted invoice is left out of reminders and counts for nothing. A disputed one is still listed, marked as such, but
neither drives the account nor counts. Both need a description, because somebody will ask.
"""

from engine.holds import HoldKind
from engine.receivables import InvoiceStatus
from jobs.acting import NotAllowed, hold, invoice_in, lift, needed, note, open_holds, said
from jobs.office import Office
from jobs.recalculate import recalculate_in


def mute_invoice(office: Office, invoice_id: int, *, why: str, by: str) -> None:
    """Leaves the invoice out of everything, as if it were paid, until it is unmuted."""
    _set(office, invoice_id, HoldKind.MUTED, "{} was muted by {}", why=why, by=by)


def unmute_invoice(office: Office, invoice_id: int, *, by: str) -> None:
    """The invoice counts again."""
    _end(office, invoice_id, HoldKind.MUTED, "{} was unmuted by {}.", by=by)


def dispute_invoice(office: Office, invoice_id: int, *, why: str, by: str, ask: bool = False) -> None:
    """Marks the invoice as disputed. `ask`: a colleague has to respond, and until then nothing is sent at all."""
    _set(office, invoice_id, HoldKind.DISPUTE, "{} was marked as disputed by {}", why=why, by=by, ask=ask)


def settle_dispute(office: Office, invoice_id: int, *, by: str) -> None:
    """The dispute is over, and the invoice counts again."""
    _end(office, invoice_id, HoldKind.DISPUTE, "The dispute about {} was settled by {}.", by=by)


def _set(office: Office, invoice_id: int, kind: HoldKind, what: str, *, why: str, by: str, ask: bool = False) -> None:
    why = needed(why, "Say why, in a few words. Whoever looks at this account later needs to know.")
    with office.database.unit_of_work() as unit:
        invoice, account, organisation = invoice_in(unit, invoice_id)
        if invoice.status != InvoiceStatus.OPEN:
            raise NotAllowed(f"{invoice.number} is settled already, so nobody is reminded of it.")
        assert account.id is not None
        if open_holds(unit, account.id, kind, invoice_id=invoice_id):
            return
        hold(unit, office, account, organisation, kind, why=why, by=by, invoice_id=invoice_id)
        text = said(what.format(invoice.number, by), why)
        if ask:
            question = f"{invoice.number} is disputed: {why}"
            hold(unit, office, account, organisation, HoldKind.QUESTION, why=question, by=by)
            text = f"{text.removesuffix('.')}. A response is asked for."
        note(unit, office, account, text, by=by, invoice_id=invoice_id)
        recalculate_in(unit, office, account.organisation_id, [account.id])


def _end(office: Office, invoice_id: int, kind: HoldKind, what: str, *, by: str) -> None:
    with office.database.unit_of_work() as unit:
        invoice, account, _ = invoice_in(unit, invoice_id)
        assert account.id is not None
        if lift(unit, office, open_holds(unit, account.id, kind, invoice_id=invoice_id), by=by):
            note(unit, office, account, what.format(invoice.number, by), by=by, invoice_id=invoice_id)
        recalculate_in(unit, office, account.organisation_id, [account.id])
