"""What is asked of the books about some accounts, so that it can be decided about them.

The questions are few and the same for one account and for thousands. Whoever needs to know one thing more about an
account adds one question here, and no other line that reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from engine.reminders import COURTESY_CYCLE
from engine.workflow import Channel
from store.contact_facts import CONTACTED, CONTACTED_IN_A_TRIAL, HEARD_WITHIN, TRIED_OUT
from store.ground import Ground
from store.positions import POSITION_COLUMNS, WALK_COLUMNS
from store.rows import Question, text_of
from store.stopped_facts import STILL_MAILABLE, STOPPED_EMAILS
from store.texting import CONTACTS_MOBILES


@dataclass(frozen=True, slots=True)
class Scope:
    """Which accounts of the organisation a query is about: a list of numbers, or all between two."""

    organisation_id: int
    ids: Sequence[int]
    between: bool

    def where(self, organisation: str, account: str) -> tuple[str, list[int]]:
        """The plus keeps SQLite from walking through the whole organisation by an index on its number alone."""
        if self.between:
            ends = [self.ids[0], self.ids[-1]]
            return f"+{organisation} = ? AND {account} BETWEEN ? AND ?", [self.organisation_id, *ends]
        marks = ", ".join("?" * len(self.ids))
        return f"+{organisation} = ? AND {account} IN ({marks})", [self.organisation_id, *self.ids]

    def of(self, ids: Sequence[int]) -> "Scope":
        """The same for other accounts."""
        return Scope(self.organisation_id, ids, self.between)


DRIVERS = "SELECT i.id, i.due_on, i.status, i.number FROM invoices i"

_ALWAYS = {
    "invoices": "SELECT account_id, id, number, due_on, balance, currency FROM invoices "
    "WHERE {own} AND status = 'open' AND balance > 0",
    "positions": f"SELECT {', '.join(f'p.{name}' for name in POSITION_COLUMNS)} FROM positions p WHERE {{p}}",  # noqa: S608
    # The oldest hold is the one that is named.
    "holds": 'SELECT account_id, kind, since, why, "by", until, invoice_id FROM holds '
    "WHERE {own} AND lifted_at IS NULL ORDER BY id",
    "reminders": "SELECT account_id, cycle, step_id, invoice_id, state, performed_on, heard, approved_at, "
    "held_because, why FROM reminders WHERE {own} AND cycle >= 0 "  # what is no step moves nothing and holds nothing
    "AND (state IN ('queued', 'sending', 'unsure', 'refused') "
    "OR (state = 'sent' AND NOT counted))",
    # The newest word of a person about each account that no look has acted upon yet.
    "begins": 'SELECT account_id, workflow_id, step_id, "by", by_hand FROM assignments '
    "WHERE {own} AND taken_at IS NULL ORDER BY id",
    # Accounts that have a contact with an address of its own, who receives reminders.
    "mailable": "SELECT c.account_id FROM contacts c JOIN accounts a ON a.id = c.account_id "
    "WHERE {a} AND c.email <> '' AND c.receives_reminders",
    "unaddressed": "SELECT account_id FROM tasks WHERE {own} AND kind = 'no address' AND closed_at IS NULL",
    "accounts": "SELECT a.id, a.default_workflow_id, a.email, a.mobile FROM accounts a WHERE {a}",
}
_SOMETIMES = {
    "credits": "SELECT account_id, remaining, currency FROM credits WHERE {own} AND status = 'open' AND remaining > 0",
    # The courtesy steps that were performed.
    "courtesies": f"SELECT account_id, invoice_id, step_id FROM reminders WHERE {{own}} AND cycle = {COURTESY_CYCLE} "  # noqa: S608
    "AND state = 'sent'",
    "walks": f"SELECT {', '.join(WALK_COLUMNS)} FROM invoice_walks WHERE {{own}}",  # noqa: S608
    "contacted": CONTACTED,
    "tried_out": TRIED_OUT,
    "stopped": STOPPED_EMAILS,
    "texting": CONTACTS_MOBILES,
}


def questions_about(
    session: Session, ground: Ground, scope: Scope, as_of: date | None, most_invoices: int | None
) -> dict[str, Question]:
    """All that is asked about these accounts, by name. What the ground has no use for is not asked.

    `most_invoices`: no more of them are read, where the question is first of all whether they are too many.
    """
    trial, gap = ground.organisation.sending_mode != "live", ground.rules.min_days_between_reminders
    needed = {
        "credits": ground.rules.pause_when_in_credit or ground.organisation.statement_day > 0,
        "courtesies": ground.has_courtesies,
        "walks": ground.has_invoice_workflows,
        "contacted": ground.rules.limits is not None,
        "tried_out": trial and gap > 1,
        "stopped": Channel.EMAIL in ground.stopped_media,
        "texting": ground.has_texts,
    }
    asked = {**_ALWAYS, **{name: query for name, query in _SOMETIMES.items() if needed[name]}}
    if needed["contacted"] and trial:
        asked["contacted"] = CONTACTED_IN_A_TRIAL
    own, parameters = scope.where("organisation_id", "account_id")
    p, _ = scope.where("p.organisation_id", "p.account_id")
    a, _ = scope.where("a.organisation_id", "a.id")
    if needed["stopped"]:
        asked["mailable"] += STILL_MAILABLE
    questions = {name: Question(query.format(own=own, p=p, a=a), parameters) for name, query in asked.items()}
    if most_invoices is not None:
        questions["invoices"] = Question(f"{questions['invoices'].statement} LIMIT {most_invoices}", parameters)
    if not scope.between:  # of a few accounts they come in the same trip; of many, only those that are needed
        query = f"{DRIVERS} JOIN positions p ON p.run_driver_id = i.id WHERE {p}"
        questions["drivers"] = Question(query, parameters)
    today = as_of or ground.ledger_as_of or date.max
    for name, within, times in (("contacted", HEARD_WITHIN, 2), ("tried_out", timedelta(days=gap - 1), 1)):
        if needed[name]:
            since = [*parameters, text_of(session, today - within)]
            questions[name] = Question(questions[name].statement, since * times)
    return questions
