"""`arrears why ACCOUNT`: the answer to "why is this customer still chased?", rule by rule."""

from datetime import date

from rich.console import Console
from rich.markup import escape
from sqlalchemy import func, or_, select
from sqlmodel import col

from engine.facts import Decision
from engine.position import Clear, Due, Held, Idle, Leaving, Pending, Waiting
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
    console.print(f"{escape(_capital(position.because))}.\n", soft_wrap=True)
    where = position.assigned.name if position.assigned else "the start"
    console.print(f"  Stands at   {escape(where)}")
    console.print(f"  Now         {_now(decision)}")
    if position.next_step is not None:
        console.print(f"  Next        {escape(position.next_step.name)}, due on {in_words(position.next_due_on)}")
    console.print(f"  Because     {escape(_capital(primary.text))}.", soft_wrap=True)
    if primary.change and not primary.passed:
        console.print(f"  To change   {escape(primary.change)}", soft_wrap=True)
    if at is None:
        _letters(office, account.id, console)
    console.print("\n  What was asked")
    for reason in told.explanation.reasons:
        mark = "[green]✓[/green]" if reason.passed else "[red]✗[/red]"
        console.print(f"   {mark} {reason.rule:<18} {escape(reason.text)}", soft_wrap=True)
        if reason.inputs:
            about = "; ".join(f"{name}: {value}" for name, value in reason.inputs)
            console.print(f"     [dim]{'':<18} {escape(about)}[/dim]", soft_wrap=True)
    console.print()


def _letters(office: Office, account_id: int, console: Console) -> None:
    """What is queued besides, which the rule of the workflow does not see."""
    with office.database.reading() as session:
        for letter in queued_letters(session, account_id):
            waits = letter.why or f"for {letter.send_after:%H:%M} UTC on {in_words(letter.send_after.date())}"
            console.print(f"  Besides     {escape(letter.step_name)} waits: {escape(waits)}.", soft_wrap=True)


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
    names = ", ".join(f"{one.name} ({one.id})" for one in found[:10])
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
