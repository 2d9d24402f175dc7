"""How often we have spoken to accounts lately, and, while sending is only tried out, how often we would have.

Caps count contacts, and some days lie between two reminders. A trial is to show what both will do. So what was only
tried out counts for them as long as the trial goes on, and never once messages really leave.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from engine.limits import Contacted
from engine.reminders import ANSWER_CYCLE, COURTESY_CYCLE, Outcome, ReminderKey
from engine.workflow import Channel
from store.rows import DAYS, Row

ONLY_TRIED_OUT = "tried out: "
"""How the reason on the row of a reminder begins that was only tried out."""

HEARD_WITHIN = timedelta(days=62)
"""The longest time over which a cap counts contacts fits into it."""

_TRIED_OUT = "EXISTS (SELECT 1 FROM messages m WHERE m.reminder_id = r.id AND m.diverted_to <> '')"

# The contacts since a day, made by ourselves or by hand. A call counts when the telephone rang; an answer to the
# debtor's own letter never does.
_CONTACTED = (
    "SELECT account_id, performed_on, channel, FALSE FROM reminders r "  # noqa: S608 - our own words
    f"WHERE {{own}} AND state = 'sent' AND {{heard}} AND cycle > {ANSWER_CYCLE} AND performed_on >= ? "
    "AND (channel <> 'call' OR NOT EXISTS (SELECT 1 FROM phone_calls p WHERE p.reminder_id = r.id)) UNION ALL "
    "SELECT account_id, counted_on, 'call', conversation FROM phone_calls WHERE {own} AND counted_on >= ?"
)
CONTACTED = _CONTACTED.replace("{heard}", "heard")
CONTACTED_IN_A_TRIAL = _CONTACTED.replace("{heard}", f"(heard OR {_TRIED_OUT})")

# The steps since a day that nobody heard because they were only tried out.
TRIED_OUT = (
    "SELECT account_id, cycle, step_id, invoice_id, performed_on FROM reminders r "  # noqa: S608 - our own words
    f"WHERE {{own}} AND state = 'sent' AND NOT heard AND cycle >= {COURTESY_CYCLE} AND performed_on >= ? "
    f"AND {_TRIED_OUT} ORDER BY r.id"
)


def contacted(told: Iterable[Row]) -> dict[int, list[Contacted]]:
    """The contacts of each account."""
    found: dict[int, list[Contacted]] = defaultdict(list)
    for account, on, channel, conversation in told:
        found[account].append(Contacted(DAYS[on], _CHANNELS[channel], bool(conversation)))
    return found


def tried_out(told: Iterable[Row]) -> dict[int, list[Outcome]]:
    """The steps of each account that were only tried out."""
    found: dict[int, list[Outcome]] = defaultdict(list)
    for account, cycle, step, invoice, on in told:
        found[account].append(Outcome(ReminderKey(cycle, step, invoice or None), DAYS[on], heard=False))
    return found


_CHANNELS = {channel.value: channel for channel in Channel}
