"""`arrears why ACCOUNT`: the answer to "why is this customer still chased?", rule by rule."""

from datetime import date

from rich.console import Console
from rich.markup import escape
from sqlalchemy import func, or_, select
from sqlmodel import col

from daemon.lines import tell
from engine.facts import Decision
from engine.position import Clear, Due, Held, Idle, Leaving, Pending, Waiting
from engine.reasons import Explanation
from engine.words import in_words
from jobs.explain import explain
from jobs.office import Office
from store.letters import queued_letters
from store.tables import AccountRow


def tell_why(office: Office, named: str, console: Console, at: date | None = None) -> None:
    """Prints the explanation. Raises LookupError with a sentence when no, or more than one, account is meant."""
    account = find(office, named)
    assert account.id is not None
    told = explain(office, account.id, at)
    decision, primary = told.explanation.decision, told.explanation.primary
    position = decision.position
    console.print(f"\n[bold]{escape(account.name)}[/bold]  on the workflow {escape(position.workflow.name)}")
    if told.kept is not None:
        when = f"{told.kept.at:%H:%M} UTC on {in_words(told.kept.at.date())}"
        console.print(f"As it was known on {in_words(told.as_of)}; decision {told.kept.number}, made at {when}.")
    tell(console, f"{escape(_capital(position.because))}.\n")
    where = position.assigned.name if position.assigned else "the start"
    console.print(f"  Stands at   {escape(where)}")
    console.print(f"  Now         {_now(decision)}")
    if position.next_step is not None:
        console.print(f"  Next        {escape(position.next_step.name)}, due on {in_words(position.next_due_on)}")
    tell(console, f"{escape(_capital(primary.text))}.", behind="  Because     ")
    if primary.change and not primary.passed:
        tell(console, escape(primary.change), behind="  To change   ")
    for text in _held_already(told.explanation):
        tell(console, f"If it came today it would be held: {escape(text)}.", behind="  Besides     ")
    if at is None:
        _letters(office, account.id, console)
    console.print("\n  What was asked")
    for reason in told.explanation.reasons:
        mark = "[green]✓[/green]" if reason.passed else "[red]✗[/red]"
        tell(console, escape(reason.text), behind=f"   {mark} {reason.rule:<18} ")
        if reason.inputs:
            about = "; ".join(f"{name}: {value}" for name, value in reason.inputs)
            tell(console, f"[dim]{escape(about)}[/dim]", behind=" " * 24)
    console.print()


def _held_already(explanation: Explanation) -> list[str]:
    """What would hold a step whose day has not come yet, so that nobody waits for that day in vain."""
    if not isinstance(explanation.decision.position.state, Waiting):
        return []
    return [reason.text for reason in explanation.reasons if reason.rule.startswith("hold: ") and not reason.passed]


def _letters(office: Office, account_id: int, console: Console) -> None:
    """What is queued besides, which the rule of the workflow does not see."""
    with office.database.reading() as session:
        for letter in queued_letters(session, account_id):
            waits = letter.why or f"for {letter.send_after:%H:%M} UTC on {in_words(letter.send_after.date())}"
            tell(console, f"{escape(letter.step_name)} waits: {escape(waits)}.", behind="  Besides     ")


def find(office: Office, named: str) -> AccountRow:
    """The account of that name, ledger number, email address or number of ours. Raises LookupError."""
    wanted = named.strip().lower()
    with office.database.reading() as session:
        exact = or_(
            func.lower(col(AccountRow.name)) == wanted,
            func.lower(col(AccountRow.number)) == wanted,
            func.lower(col(AccountRow.email)) == wanted,
            col(AccountRow.id) == (int(wanted) if wanted.isdigit() else -1),
        )
        found = session.scalars(select(AccountRow).where(exact)).all()
        if not found:
            query = select(AccountRow).where(func.lower(col(AccountRow.name)).contains(wanted, autoescape=True))
            found = session.scalars(query.limit(11)).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise LookupError(f"No account is called '{named}'. Try a part of its name, or its email address.")
    names = ", ".join(f"{one.name} ({one.id})" for one in found[:10]) + (" and others" if len(found) > 10 else "")
    raise LookupError(f"Several accounts match '{named}': {names}. Give one name in full, or the number.")


def _now(decision: Decision) -> str:
    match decision.position.state:
        case Clear():
            return "clear: nothing is overdue, nothing will be sent"
        case Waiting():
            return "waiting for the next step's day"
        case Due():
            return "due: it goes at the next sending time, after one more look at the ledger"
        case Pending():
            return "pending: it waits for a person"
        case Held():
            return "held: see the first rule that is not met"
        case Leaving():
            return "done with this workflow: the linked one takes over"
        case Idle():
            return "idle: the workflow has come to its end"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
