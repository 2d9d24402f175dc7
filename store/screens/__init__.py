"""What the pages read: a fixed number of questions a page, however many accounts there are.

Every question names the organisation that asks, so nobody is ever shown another's books. Amounts of different
currencies are never added up. Nothing here writes. Each module holds what one page reads.
"""

from store.screens.account_file import AccountFile, account, messages_of
from store.screens.account_list import TABS, Debt, ListedAccount, Listing, accounts, accounts_under, own_accounts
from store.screens.every_page import PAGE, Needs, needs, one
from store.screens.front_page import Ageing, Coming, ageing, coming, settled, tasks
from store.screens.invoice_story import InvoiceStory, Learnt, invoice_story, invoices_numbered
from store.screens.plan import Planned, queued, reminders
from store.screens.reply_list import Heard, accounts_like, open_invoices, replies, reply
from store.screens.sync_log import (
    SHOWN,
    WHICH,
    Told,
    changes_of,
    connection,
    count_changes,
    last_reading,
    names_of,
    runs_since,
    set_aside,
    sync_runs,
)
from store.screens.workflow_list import workflows

__all__ = [
    "PAGE",
    "SHOWN",
    "TABS",
    "WHICH",
    "AccountFile",
    "Ageing",
    "Coming",
    "Debt",
    "Heard",
    "InvoiceStory",
    "Learnt",
    "ListedAccount",
    "Listing",
    "Needs",
    "Planned",
    "Told",
    "account",
    "accounts",
    "accounts_like",
    "accounts_under",
    "ageing",
    "changes_of",
    "coming",
    "connection",
    "count_changes",
    "invoice_story",
    "invoices_numbered",
    "last_reading",
    "messages_of",
    "names_of",
    "needs",
    "one",
    "open_invoices",
    "own_accounts",
    "queued",
    "reminders",
    "replies",
    "reply",
    "runs_since",
    "set_aside",
    "settled",
    "sync_runs",
    "tasks",
    "workflows",
]
