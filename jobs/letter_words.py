"""The words of letters that are no steps: the monthly statement and the thank-you, each shaped like a step's email.

They are pre-written in the organisation's language until somebody writes their own, and those are looked over before
they are kept, as a step's words are.
"""

from dataclasses import dataclass

from sqlmodel import Session

from engine.letters import LetterKind, kind_of_letter
from engine.soundness import Flaw
from engine.workflow import Channel
from jobs.acting import organisation_in
from jobs.drafts import DraftStep, looked_over_letter
from jobs.office import Office
from store import audit
from store.letters import own_words
from store.tables import LetterRow, OrganisationRow, ReminderRow, StepRow
from store.tasks import close_task
from wording.prewritten import language_of, prewritten_letter

TITLES = {LetterKind.STATEMENT: "Monthly statement", LetterKind.THANKS: "Thank-you"}


@dataclass(frozen=True, slots=True)
class LetterWords:
    """A letter as it stands. `by`: who has written it; empty for the pre-written words."""

    step: DraftStep
    by: str = ""


def words_of_letter(session: Session, organisation: OrganisationRow, kind: LetterKind) -> LetterWords:
    """The firm's own words, or the pre-written ones. The statement has its PDF with it."""
    own = own_words(session, int(organisation.id or 0), kind)
    words = own or prewritten_letter(kind, language_of(organisation.locale))
    step = DraftStep(
        TITLES[kind],
        day=1,
        subject=words.subject,
        body=words.body,
        layout=own.layout if own is not None else "email",
        attach_statement=kind is LetterKind.STATEMENT,
    )
    return LetterWords(step, own.saved_by if own is not None else "")


def letter_step(session: Session, organisation: OrganisationRow, reminder: ReminderRow) -> StepRow:
    """This letter as if it were a step of an email. It is never stored."""
    words = words_of_letter(session, organisation, kind_of_letter(reminder.step_id)).step
    return StepRow(
        workflow_id=reminder.workflow_id,
        step_id=reminder.step_id,
        name=reminder.step_name,
        day=0,
        channel=Channel.EMAIL,
        subject=words.subject,
        body=words.body,
        layout=words.layout,
        attach_statement=words.attach_statement,
        cc=[],
    )


def save_letter(
    office: Office, organisation_id: int, kind: LetterKind, step: DraftStep, *, by: str
) -> tuple[Flaw, ...]:
    """Keeps these words, for letters that are queued already too; or answers with what is wrong with them."""
    step, flaws = looked_over_letter(step)
    if flaws:
        return flaws
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        before = words_of_letter(unit, organisation, kind).step
        if (step.subject, step.body, step.layout) == (before.subject, before.body, before.layout):
            return ()
        row = own_words(unit, organisation_id, kind)
        row = row or LetterRow(organisation_id=organisation_id, kind=kind, subject="", body="", saved_at=office.clock())
        row.subject, row.body, row.layout = step.subject, step.body, step.layout
        row.saved_at, row.saved_by = office.clock(), by
        unit.add(row)
        close_task(unit, organisation_id=organisation_id, key=f"letter:{kind}", at=office.clock(), by=by)
        _told(unit, office, organisation_id, "letter saved", kind, before, by)
    return ()


def back_to_prewritten(office: Office, organisation_id: int, kind: LetterKind, *, by: str) -> None:
    """The letter goes in the pre-written words again. The firm's own stay in the audit log."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        row = own_words(unit, organisation_id, kind)
        if row is None:
            return
        before = words_of_letter(unit, organisation, kind).step
        unit.delete(row)
        close_task(unit, organisation_id=organisation_id, key=f"letter:{kind}", at=office.clock(), by=by)
        _told(unit, office, organisation_id, "letter as pre-written again", kind, before, by)


def _told(
    unit: Session, office: Office, organisation_id: int, what: str, kind: LetterKind, before: DraftStep, by: str
) -> None:
    about = {"letter": kind.value, "subject_before": before.subject, "body_before": before.body}
    audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **about)
