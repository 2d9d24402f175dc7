"""The page at / : what is in this practice world right now, for a person with a browser."""

from html import escape
from typing import Any

from sandbox.documents import NOTHING
from sandbox.mail.reading import described, opened
from sandbox.sendgrid.account import KEY as SENDGRID_KEY
from sandbox.twilio import account as twilio
from sandbox.world import World

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid #dde4ea;vertical-align:top}
.n{text-align:right;font-variant-numeric:tabular-nums}small{color:#567}"""

COUNTED = ("Contacts", "Sales invoices", "Open", "Balance")


def index_page(world: World, root: str) -> str:
    """`root` is the address of the sandbox as the browser used it."""
    now = world.clock.now()
    stands = "stands still until it is moved" if world.clock.stands_still else "runs with real time"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style>
<h1>A practice ledger and a practice post office</h1>
<p>The clock shows <b>{now:%A %d %B %Y, %H:%M} UTC</b> and {stands}. No real accounts or people are involved.</p>
{_table("Organisations", ["Name", "Realm id at QuickBooks", *COUNTED], _firms(world))}
{_table("What to put into config.toml", ["", "Xero", "QuickBooks"], _settings(root))}
{_table("What comes next", ["When", "What"], _coming(world))}
{_table("Last mails sent", ["Received", "To", "Subject"], _mails(world))}
{_table("Last letters in the INBOX", ["Received", "From", "Subject"], _inbox(world))}
{_table("Last texts", ["When", "From", "To", "Text", "Status"], _texts(world))}
{_table("Last telephone calls", ["When", "From", "To", "Status", "What was heard there"], _telephone(world))}
{_table("Last calls", ["When", "Call", "Answer"], _calls(world))}
<p><small>App id sandbox-app, secret sandbox-secret. Mailbox user replies, password sandbox.
Twilio at {root}/twilio: account {twilio.ACCOUNT}, token {twilio.TOKEN}, number {twilio.NUMBER}.
SendGrid at {root}/sendgrid: key {SENDGRID_KEY}.</small></p></html>"""


def _firms(world: World) -> list[list[Any]]:
    rows = []
    for firm in world.organisations.values():
        sales = list(firm.books.sales())
        unpaid = [invoice for invoice in sales if invoice.status == "AUTHORISED"]
        sums = dict.fromkeys(sorted({invoice.currency for invoice in unpaid}), NOTHING)
        for invoice in unpaid:
            sums[invoice.currency] += invoice.balance
        owed = ", ".join(f"{currency} {total:,}" for currency, total in sums.items())
        realm = world.quickbooks.of(firm).realm
        rows.append([firm.name, realm, len(firm.books.shelves["Contacts"]), len(sales), len(unpaid), owed])
    return rows


def _settings(root: str) -> list[list[Any]]:
    quickbooks = f"{root}/quickbooks"
    return [
        ["client_id", "sandbox-app", "sandbox-app"],
        ["client_secret", "sandbox-secret", "sandbox-secret"],
        ["authorize_url", f"{root}/identity/connect/authorize", f"{quickbooks}/oauth2/authorize"],
        ["token_url", f"{root}/identity/connect/token", f"{quickbooks}/oauth2/v1/tokens/bearer"],
        ["revoke_url", f"{root}/identity/connect/revocation", f"{quickbooks}/oauth2/tokens/revoke"],
        ["connections_url", f"{root}/Connections", ""],
        ["api_url", f"{root}/api.xro/2.0", quickbooks],
    ]


def _coming(world: World) -> list[list[Any]]:
    return [[f"{event.at:%a %d %b %Y %H:%M}", event.says] for event in world.timetable.coming(8)]


def _mails(world: World) -> list[list[Any]]:
    mails = [(letter, described(letter)) for letter in world.post.sent[-8:]]
    return [[f"{x.received_at:%d %b %H:%M}", ", ".join(x.recipients), mail["subject"]] for x, mail in reversed(mails)]


def _inbox(world: World) -> list[list[Any]]:
    letters = [(letter, opened(letter.raw)) for letter in world.post.mailbox.letters[-8:]]
    return [[f"{x.received_at:%d %b %H:%M}", mail["From"], mail["Subject"]] for x, mail in reversed(letters)]


def _texts(world: World) -> list[list[Any]]:
    return [
        [f"{text.created:%d %b %H:%M}", text.from_, text.to, text.body, text.status]
        for text in reversed(world.twilio.texts[-8:])
    ]


def _telephone(world: World) -> list[list[Any]]:
    """Each leg, and the last that was said to whoever has that number."""
    return [
        [f"{leg.created:%d %b %H:%M}", leg.from_, leg.to, leg.status, *world.twilio.person(leg.to).heard[-1:]]
        for leg in reversed(world.twilio.calls[-8:])
    ]


def _calls(world: World) -> list[list[Any]]:
    return [
        [f"{call.at:%d %b %H:%M:%S}", f"{call.method} {call.path}", call.status or "hung up"]
        for call in reversed(world.calls[-8:])
    ]


def _table(title: str, heads: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return f"<h2>{title}</h2><p><small>None yet.</small></p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td{' class=n' if isinstance(v, int) else ''}>{escape(str(v))}</td>" for v in row) + "</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"
