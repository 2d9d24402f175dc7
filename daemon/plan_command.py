"""`arrears plan`: what waits to leave, whether it may, how a backlog is begun, and what trying out has shown."""

from collections import Counter
from datetime import date

from rich.console import Console
from rich.markup import escape

from daemon.lines import tell
from engine.words import in_words
from jobs.first_contacts import Turn, turns
from jobs.foretelling import many
from jobs.office import Office
from jobs.tried_out import TriedOutReport, report
from store import screens
from store.facts import ground_of
from store.tables import OrganisationRow

SHOWN = 20


def tell_the_plan(office: Office, organisation: OrganisationRow, console: Console) -> None:
    """Prints it. Nothing is sent and nothing is changed."""
    number = int(organisation.id or 0)
    with office.database.reading() as session:
        going, held = screens.queued(session, number)
        told = report(session, organisation)
        first = turns(session, office, ground_of(session, number, now=office.clock()))
    console.print(f"\n[bold]{escape(organisation.name)}[/bold]", soft_wrap=True)
    for line in [*_whether(organisation), *_waiting(going, held), *_caps(organisation), *_turns(first)]:
        tell(console, escape(line))
    if told is not None:
        _tried(told, console)


def _whether(organisation: OrganisationRow) -> list[str]:
    """What keeps everything back, and where messages go."""
    lines = []
    if organisation.paused_at is not None:
        lines.append("Sending is paused.")
    if organisation.braked_at is not None:
        lines.append(
            f"The brake is on: {organisation.braked_why} Look at the ledger, then release it on the front page."
        )
    if organisation.capped_at is not None:
        lines.append(f"A cap holds the rest back: {organisation.capped_why}. Release it on the front page.")
    return [*lines, *trial(organisation)] or ["Sending is on."]


def trial(organisation: OrganisationRow) -> list[str]:
    """Where messages go while sending is only tried out."""
    match organisation.sending_mode:
        case "shadow":
            return ["Shadow mode: everything is done but the sending."]
        case "to me":
            return [f"Every message goes to {organisation.sending_to} instead of the customers."]
    return []


def _waiting(going: int, held: int) -> list[str]:
    return [f"{many(going, 'reminder')} queued to go, and {held:,} held for reasons of their own."]


def _caps(organisation: OrganisationRow) -> list[str]:
    caps = [(organisation.most_a_run, "within an hour"), (organisation.most_a_day, "on one day")]
    named = [f"{most:,} {when}" for most, when in caps if most]
    return [f"At most {' and '.join(named)}."] if named else ["Any number may leave at once."]


def _turns(first: tuple[Turn, ...]) -> list[str]:
    """How a backlog is begun, day by day."""
    days: Counter[date] = Counter(turn.on for turn in first)
    lines = [f"{many(len(first), 'account')} to be reminded for the first time ever, the oldest debt first:"]
    lines += [f"  {in_words(day)}: {many(count, 'account')}" for day, count in sorted(days.items())[:SHOWN]]
    return lines if first else []


def _tried(told: TriedOutReport, console: Console) -> None:
    gone, kept = many(len(told.gone), "message"), many(len(told.kept_back), "reminder")
    since = in_words(told.since.date())
    text = f"Since {since}, {gone} would have gone, and the last look at the ledger kept {kept} back:"
    tell(console, text)
    for one in told.kept_back[:SHOWN]:
        tell(console, escape(f"{one.name}, {one.step}: {one.why}"), behind="  ")
