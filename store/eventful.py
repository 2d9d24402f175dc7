"""What is known only of some accounts: what holds them, and what was sent, said, called and credited.

Most accounts wait in silence, and thousands of them are looked at for each one of which there is something to tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.facts import Begin
from engine.holds import Hold, HoldKind
from engine.limits import Contacted
from engine.position import Run
from engine.receivables import Money, Ref
from engine.reminders import Outcome, ReminderKey, ReminderState, Standing
from engine.workflow import Channel
from store.contact_facts import ONLY_TRIED_OUT, contacted, tried_out
from store.positions import walk_of
from store.rows import DAYS, Row, amount_of, date_of
from store.stopped_facts import Stopped


class Events(NamedTuple):
    """What is known of one account beyond its invoices and its position; of most there is nothing."""

    holds: tuple[Hold, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    standing: tuple[Standing, ...] = ()
    begin: Begin | None = None
    credits: tuple[Money, ...] = ()
    courtesies: frozenset[tuple[Ref, str]] = frozenset()
    walks: Mapping[Ref, Run] = {}
    contacted: tuple[Contacted, ...] = ()
    stopped: tuple[tuple[Channel, str], ...] = ()
    tried_out: tuple[Outcome, ...] = ()


NO_EVENTS = Events()


class Eventful:
    """What holds accounts, and what was sent, said, called and credited, of those of which there is anything."""

    def __init__(self, told: Mapping[str, Iterable[Row]], stopped: Mapping[int, Stopped]) -> None:
        self.stopped = stopped
        self._holds, self._begins = _holds(told["holds"]), _begins(told["begins"])
        self._outcomes, self._standing = _reminders(told["reminders"])
        self._credits, self._courtesies = _credits(told.get("credits", ())), _courtesies(told.get("courtesies", ()))
        self._walks = _walks(told.get("walks", ()))
        self._contacted, self._tried_out = contacted(told.get("contacted", ())), tried_out(told.get("tried_out", ()))
        self.accounts = frozenset(number for known in vars(self).values() for number in known)
        """The accounts of which any of this is known."""

    def of(self, number: int) -> Events:
        """What is known of this account, one of `accounts`."""
        return Events(
            tuple(self._holds.get(number, ())),
            tuple(self._outcomes.get(number, ())),
            tuple(self._standing.get(number, ())),
            self._begins.get(number),
            tuple(self._credits.get(number, ())),
            frozenset(self._courtesies.get(number, ())),
            self._walks.get(number, NO_EVENTS.walks),
            tuple(self._contacted.get(number, ())),
            self.stopped[number].why if number in self.stopped else (),
            tuple(self._tried_out.get(number, ())),
        )


def _holds(told: Iterable[Row]) -> dict[int, list[Hold]]:
    found: dict[int, list[Hold]] = defaultdict(list)
    for account, kind, since, why, by, until, invoice in told:
        found[account].append(Hold(HoldKind(kind), DAYS[since], why, by, date_of(until), invoice))
    return found


def _reminders(told: Iterable[Row]) -> tuple[dict[int, list[Outcome]], dict[int, list[Standing]]]:
    outcomes: dict[int, list[Outcome]] = defaultdict(list)
    standing: dict[int, list[Standing]] = defaultdict(list)
    for account, cycle, step, invoice, state, on, heard, approved_at, held, why in told:
        key = ReminderKey(cycle, step, invoice or None)
        if state == "sent" and on is not None:
            outcomes[account].append(Outcome(key, DAYS[on], bool(heard), why.startswith(ONLY_TRIED_OUT)))
        else:
            standing[account].append(Standing(key, _STATES[state], approved_at is not None, held, why))
    return outcomes, standing


def _begins(told: Iterable[Row]) -> dict[int, Begin]:
    return {account: Begin(workflow, step, by, bool(by_hand)) for account, workflow, step, by, by_hand in told}


def _credits(told: Iterable[Row]) -> dict[int, list[Money]]:
    found: dict[int, list[Money]] = defaultdict(list)
    for account, remaining, currency in told:
        found[account].append(Money(amount_of(remaining), currency))
    return found


def _courtesies(told: Iterable[Row]) -> dict[int, list[tuple[Ref, str]]]:
    found: dict[int, list[tuple[Ref, str]]] = defaultdict(list)
    for account, invoice, step in told:
        found[account].append((invoice, step))
    return found


def _walks(told: Iterable[Row]) -> dict[int, Mapping[Ref, Run]]:
    found: dict[int, dict[Ref, Run]] = defaultdict(dict)
    for account, *row in told:
        run = walk_of(row)
        found[account][run.driver] = run
    return dict(found)


_STATES = {state.value: state for state in ReminderState}
