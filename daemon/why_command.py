"""`arrears why ACCOUNT`: the answer to "why is this customer still chased?", rule by rule."""

from collections.abc import Mapping, Sequence
from datetime import date

from rich.console import Console
from rich.markup import escape
from sqlalchemy import func, or_, select, true
from sqlmodel import col

from daemon.lines import tell
from daemon.plan_command import trial
from engine.position import Clear, Due, Held, Idle, Leaving, Pending, Waiting
from engine.reasons import Explanation
from engine.telling import capital, ended
from engine.words import in_words
from jobs.explain import Explained, explain
from jobs.office import Office
from store.letters import queued_letters
from store.tables import AccountRow, OrganisationRow

MOST_DIGITS = 9
"""No number of ours has more, and a database takes no larger one for a number."""


def tell_why(office: Office, named: str, console: Console, at: date | None = None) -> None:
    """Prints the explanation. Raises LookupError with a sentence when no, or more than one, account is meant."""
    account = find(office, named)
    assert account.id is not None
    told = explain(office, account.id, at)
    position, primary = told.explanation.decision.position, told.explanation.primary
    console.print(f"\n[bold]{escape(account.name)}[/bold]  on the workflow {escape(position.workflow.name)}")
    if told.kept is not None:
        when = f"{told.kept.at:%H:%M} UTC on {in_words(told.kept.at.date())}"
        console.print(f"As it was known on {in_words(told.as_of)}; decision {told.kept.number}, made at {when}.")
    tell(console, f"{escape(ended(capital(position.because)))}\n")
    where = position.assigned.name if position.assigned else "the start"
    console.print(f"  Stands at   {escape(where)}")
    tell(console, escape(_now(told)), behind="  Now         ")
    if position.next_step is not None:
        console.print(f"  Next        {escape(position.next_step.name)}, due on {in_words(position.next_due_on)}")
    tell(console, escape(ended(capital(primary.text))), behind="  Because     ")
    if primary.change and not primary.passed:
        tell(console, escape(primary.change), behind="  To change   ")
    for sentence in told.explanation.besides if told.kept is None else ():
        tell(console, escape(sentence), behind="  Besides     ")
    if told.kept is None:
        _besides(office, account, console)
    console.print("\n  What was asked")
    for reason in told.explanation.reasons:
        mark = "[green]✓[/green]" if reason.passed else "[red]✗[/red]"
        tell(console, escape(reason.text), behind=f"   {mark} {reason.rule:<18} ")
        if reason.inputs:
            about = "; ".join(f"{name}: {value}" for name, value in reason.inputs)
            tell(console, f"[dim]{escape(about)}[/dim]", behind=" " * 24)
    console.print()


def _besides(office: Office, account: AccountRow, console: Console) -> None:
    """Whether sending is only tried out, and what is queued besides, which the rule of the workflow does not see."""
    with office.database.reading() as session:
        organisation = session.get(OrganisationRow, account.organisation_id)
        for sentence in trial(organisation) if organisation is not None else ():
            tell(console, escape(sentence), behind="  Besides     ")
        for letter in queued_letters(session, account.id or 0):
            waits = letter.why or f"for {letter.send_after:%H:%M} UTC on {in_words(letter.send_after.date())}"
            tell(console, f"{escape(letter.step_name)} waits: {escape(waits)}.", behind="  Besides     ")


def find(office: Office, named: str, organisation: int | None = None) -> AccountRow:
    """The account of that name, ledger number, email address or number of ours, of any organisation or of this one.

    Raises LookupError when there is none, or more than one.
    """
    wanted = named.strip().lower()
    if not wanted:
        raise LookupError("No account is named. Give its name or a part of it, its email address or its number.")
    with office.database.reading() as session:
        exact = or_(
            func.lower(col(AccountRow.name)) == wanted,
            func.lower(col(AccountRow.number)) == wanted,
            func.lower(col(AccountRow.email)) == wanted,
            col(AccountRow.id) == (int(wanted) if wanted.isdecimal() and len(wanted) <= MOST_DIGITS else -1),
        )
        mine = col(AccountRow.organisation_id) == organisation if organisation is not None else true()
        query = select(AccountRow).where(mine).order_by(col(AccountRow.id)).limit(11)
        found = session.scalars(query.where(exact)).all()
        if not found:
            found = session.scalars(
                query.where(func.lower(col(AccountRow.name)).contains(wanted, autoescape=True))
            ).all()
        if len(found) == 1:
            return found[0]
        if not found:
            raise LookupError(f"No account is called '{named}'. Try a part of its name, or its email address.")
        names = _listed(found[:10], {row.id: row.name for row in session.scalars(select(OrganisationRow))})
    others = " and others" if len(found) > 10 else ""
    raise LookupError(f"Several accounts match '{named}': {names}{others}. Give one name in full, or the number.")


def _listed(found: Sequence[AccountRow], organisations: Mapping[int | None, str]) -> str:
    """Their names and numbers, and whose they are where that is not one and the same."""
    several = len({account.organisation_id for account in found}) > 1
    whose = {account.id: f" of {organisations[account.organisation_id]}" if several else "" for account in found}
    return ", ".join(f"{account.name}{whose[account.id]} ({account.id})" for account in found)


def _now(told: Explained) -> str:
    explanation = told.explanation
    match explanation.decision.position.state:
        case Clear():
            return told.waits or _clear(explanation)
        case Waiting():
            return "waiting for the next step's day"
        case Due():
            at_once = "due: it goes at the next sending time, after one more look at the ledger"
            return f"due: {told.waits}" if told.waits else at_once
        case Pending():
            return "pending: it waits for a person"
        case Held():
            return "held: see the first rule that is not met"
        case Leaving():
            return "done with this workflow: the linked one takes over"
        case Idle():
            return f"idle: nothing follows; {explanation.nothing_follows}"


def _clear(told: Explanation) -> str:
    if told.courtesy:
        return f"clear: nothing is overdue; {told.courtesy}"
    return f"clear: {'nothing is overdue, ' if told.primary.rule == 'overdue' else ''}nothing will be sent"
