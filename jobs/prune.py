"""Prune: what support staff will not ask for any more is let go, once in a while and little by little."""

from datetime import timedelta

from jobs.office import Office
from store.inbox import forget_events
from store.pruning import prune_details, prune_runs

KEEP_RUNS, KEEP_DETAILS = 400, 90
"""Days for which sync runs are kept, and for which their calls and changes are."""

KEEP_EVENTS = 30
"""Days for which the posts are kept that told what became of messages. What debtors wrote is kept for good."""

AT_ONCE = 20
"""Batches of one round. What is left then goes in the next."""


def prune(office: Office, *, keep_runs: int = KEEP_RUNS, keep_details: int = KEEP_DETAILS) -> int:
    """One round; each batch is a transaction of its own. Returns how many rows went."""
    now, gone = office.clock(), 0
    for act, days in (
        (prune_details, keep_details),
        (prune_runs, keep_runs),
        (forget_events, KEEP_EVENTS),
    ):
        for _ in range(AT_ONCE):
            if office.stopping.is_set():
                return gone
            with office.database.unit_of_work() as unit:
                went = act(unit, now - timedelta(days=days))
            gone += went
            if not went:
                break
    return gone
