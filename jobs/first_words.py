"""First words: the workflows that a new organisation begins with are in its own language.

An organisation comes into being before its ledger has said in which country it is. So its pre-written workflows are put
into its language as soon as that is known, and only while they are word for word what they came as: what somebody has
changed is the organisation's own.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import OrganisationRow, StepRow, WorkflowRow
from wording import prewritten
from wording.prewritten import PrewrittenStep, PrewrittenWorkflow, language_of, prewritten_names

LOCALES = {code: f"en_{code}" for code in ("AU", "CA", "GB", "IE", "NZ", "SG", "US", "ZA")} | {
    code: f"de_{code}" for code in ("DE", "AT", "CH")
}
"""The language and the formats of a country. Of Switzerland's languages the one most of its firms write in, of those in
which there are words; a person may choose another.
"""


def speak(unit: Session, organisation: OrganisationRow, locale: str) -> None:
    """The organisation writes in this language from now on, and its untouched pre-written workflows are in it."""
    organisation.locale = locale
    language = language_of(locale)
    theirs = select(WorkflowRow).where(col(WorkflowRow.organisation_id) == organisation.id)
    for workflow in unit.scalars(theirs).all():
        steps = unit.scalars(select(StepRow).where(col(StepRow.workflow_id) == workflow.id)).all()
        name = _untouched(workflow, {step.step_id: step for step in steps})
        if name and (name, language) in prewritten_names():
            _put_into(prewritten(name, language), workflow, {step.step_id: step for step in steps})


def _untouched(workflow: WorkflowRow, steps: dict[str, StepRow]) -> str:
    """Which pre-written workflow it is, in whatever language; empty when it is none, or not any more."""
    for name, language in prewritten_names():
        written = prewritten(name, language)
        same = (workflow.name, workflow.description) == (written.name, written.description)
        if same and steps.keys() == {step.id for step in written.steps}:
            return name if all(_is(step, steps[step.id]) for step in written.steps) else ""
    return ""


def _is(written: PrewrittenStep, step: StepRow) -> bool:
    theirs = (step.name, step.day, step.channel, step.manual, step.subject, step.body)
    return theirs == (written.name, written.day, written.channel, written.manual, written.subject, written.body)


def _put_into(written: PrewrittenWorkflow, workflow: WorkflowRow, steps: dict[str, StepRow]) -> None:
    workflow.name, workflow.description = written.name, written.description
    for step in written.steps:
        if step.id in steps:
            row = steps[step.id]
            row.name, row.subject, row.body = step.name, step.subject, step.body
