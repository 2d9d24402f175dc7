"""Drafts: a workflow as somebody is writing it, before anybody is reminded by it.

A draft is made from nothing, from a pre-written workflow, or from one that exists. It can be looked over for flaws as
often as one likes; only saving it (see `jobs.workflows`) changes what accounts walk along.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import Session, col

from engine.soundness import LONGEST_NAME, Flaw, Words, flaws_of
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from jobs.speaking import Written, put_into_words
from store.ground import workflows_of
from store.tables import StepRow, WorkflowRow
from store.workflows import accounts_on, begun_on
from wording import LAYOUTS, Line, Look, Statement, TemplateProblem, placeholders, prewritten


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One reminder with its words. `id` is that of a step which the workflow has; a new step gets one when saved.

    An email goes by its `layout` (see `wording.Layout`), with the statement as a PDF if `attach_statement`, with the
    overdue invoices as the ledger prints them if `attach_invoices`, and with copies to the addresses in `cc`.
    """

    name: str
    day: int
    channel: Channel = Channel.EMAIL
    manual: bool = False
    subject: str = ""
    body: str = ""
    id: str = ""
    layout: str = "email"
    attach_statement: bool = False
    cc: tuple[str, ...] = ()
    attach_invoices: bool = False

    @property
    def written(self) -> Written:
        return Written(self.channel.value, self.subject, self.body, self.layout)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Draft:
    """A workflow as it would be. `id` is None while there is none yet.

    `version` is the one that its author had in view: 0 for a new one. Steps stand in the order of the form. After the
    last step an account moves on to the workflow `link` after so many days, or the step is repeated every so many days
    (0: it is not), or nothing follows.
    """

    name: str
    steps: tuple[DraftStep, ...] = ()
    description: str = ""
    kind: WorkflowKind = WorkflowKind.ACCOUNT
    link: int | None = None
    after_days: int = 0
    repeat_every: int = 0
    id: int | None = None
    version: int = 0

    @property
    def workflow(self) -> Workflow:
        """As the engine sees it. A workflow that does not exist yet has the number 0."""
        steps = tuple(Step(step.id, step.name, step.day, step.channel, step.manual) for step in self.steps)
        link = Link(self.link, self.after_days) if self.link is not None else None
        return Workflow(self.id or 0, self.name, steps, self.kind, self.version, link, self.repeat_every)


def blank_draft() -> Draft:
    """Where somebody begins who wants to write it all: one step, without words."""
    return Draft("", (DraftStep("Reminder 1", 7),))


def prewritten_draft(name: str, language: str = "en", *, taken: Iterable[str] = ()) -> Draft:
    """A pre-written workflow, under a name that is still free. Raises LookupError when there is none."""
    written = prewritten(name, language)
    steps = tuple(
        DraftStep(step.name, step.day, Channel(step.channel), step.manual, step.subject, step.body)
        for step in written.steps
    )
    return Draft(free_name(written.name, taken), steps, written.description)


def draft_of(session: Session, organisation_id: int, workflow_id: int) -> Draft:
    """The workflow as it stands, its steps in the order of their days. Raises LookupError for any but their own."""
    row = session.get(WorkflowRow, workflow_id)
    if row is None or row.organisation_id != organisation_id:
        raise LookupError(f"there is no workflow number {workflow_id}")
    query = select(StepRow).where(col(StepRow.workflow_id) == workflow_id)
    steps = session.scalars(query.order_by(col(StepRow.day), col(StepRow.step_id)))
    return Draft(
        name=row.name,
        steps=tuple(
            DraftStep(
                *(step.name, step.day, Channel(step.channel), step.manual, step.subject, step.body, step.step_id),
                *(step.layout, step.attach_statement, tuple(step.cc), step.attach_invoices),
            )
            for step in steps
        ),
        description=row.description,
        kind=WorkflowKind(row.kind),
        link=row.link_workflow_id,
        after_days=row.link_after_days,
        repeat_every=row.repeat_every,
        id=row.id,
        version=row.version,
    )


def free_name(wish: str, taken: Iterable[str]) -> str:
    """The name, or the same with a number where another workflow has it."""
    known = {name.strip().casefold() for name in taken}
    found, count = wish, 1
    while found.casefold() in known:
        count += 1
        found = f"{wish[: LONGEST_NAME - 5]} {count}"
    return found


def with_ids(draft: Draft, known: Iterable[str]) -> Draft:
    """Every step with an id. One that the workflow has keeps it, any other gets one that nothing ever had: under an id
    that was used before, reminders of the past would be taken for those of the new step.
    """
    left = set(known)
    steps = []
    for step in draft.steps:
        kept = step.id in left
        left.discard(step.id)
        steps.append(step if kept else replace(step, id=f"s{secrets.token_hex(5)}"))
    return replace(draft, steps=tuple(steps))


def looked_over(session: Session, organisation_id: int, draft: Draft) -> tuple[Draft, tuple[Flaw, ...]]:
    """The draft, tidied and with an id for every step, and all that is wrong with it."""
    known = workflows_of(session, organisation_id)
    before = known.get(draft.id) if draft.id is not None else None
    if draft.id is not None and before is None:
        raise LookupError(f"there is no workflow number {draft.id}")
    draft = with_ids(_tidy(draft), [step.id for step in before.steps] if before is not None else ())
    if before is not None and draft.version != before.version:
        told = (
            f"Somebody has saved this workflow since you opened it: it is version {before.version} now, and yours was "
            f"made from version {draft.version}. Open it again, and make your changes there."
        )
        return draft, (Flaw("", told),)
    flaws = flaws_of(
        draft.workflow,
        known,
        {step.id: _words(step, draft.kind) for step in draft.steps},
        description=draft.description,
        before=before,
        accounts=accounts_on(session, organisation_id).get(draft.id, 0) if draft.id is not None else 0,
        begun_on=draft.id is not None and begun_on(session, organisation_id, draft.id),
    )
    return draft, flaws


def looked_over_letter(step: DraftStep) -> tuple[DraftStep, tuple[Flaw, ...]]:
    """A letter that is no step of a workflow, tidied, and all that is wrong with its words (fields of `step-1`)."""
    draft = with_ids(_tidy(Draft(step.name, (step,))), ())
    (step,) = draft.steps
    words = _words(step, draft.kind)
    if step.subject and step.body.strip() and not (words.subject_problem or words.body_problem):
        nothing = _tried(step.written, replace(_BARE, lines=()))
        words = words._replace(body_problem=nothing and f"For an account with nothing open: {_lower(nothing)}")
    return step, flaws_of(draft.workflow, {}, {step.id: words})


def _tidy(draft: Draft) -> Draft:
    """Names on one line without blanks around them; line breaks as templates have them; no days without a link."""
    steps = tuple(
        replace(
            step,
            name=" ".join(step.name.split()),
            subject=" ".join(step.subject.split()),
            body=step.body.replace("\r\n", "\n").replace("\r", "\n"),
            layout=step.layout if step.layout in LAYOUTS else "email",
            cc=tuple(dict.fromkeys(filter(None, (address.strip() for address in step.cc)))),
        )
        for step in draft.steps
    )
    return replace(
        draft,
        name=" ".join(draft.name.split()),
        description=" ".join(draft.description.split()),
        steps=steps,
        after_days=draft.after_days if draft.link is not None else 0,
    )


def _words(step: DraftStep, kind: WorkflowKind) -> Words:
    per_invoice = kind is WorkflowKind.INVOICE
    subject = _problem(replace(step, body="words"), per_invoice) if step.channel is Channel.EMAIL else ""
    body = _problem(replace(step, subject="words"), per_invoice)
    return Words(step.subject, step.body, subject, body, _problem_of_copies(step.cc))


def _problem_of_copies(copies: tuple[str, ...]) -> str:
    if wrong := [address for address in copies if not _ADDRESS.fullmatch(address)]:
        return f"A copy cannot go to '{wrong[0][:80]}': that is no email address."
    return f"A reminder goes to {_MOST_COPIES} others at most." if len(copies) > _MOST_COPIES else ""


def _problem(step: DraftStep, per_invoice: bool) -> str:
    """Why these cannot be filled in, tried on an account of which all is known, then on one with the least."""
    if not step.body.strip() or (step.channel is Channel.EMAIL and not step.subject.strip()):
        return ""
    written = step.written
    try:
        if not per_invoice and (riddles := _of_an_invoice(written)):
            return (
                f"`{riddles[0]}` belongs to a Regular workflow, whose reminders speak of one invoice each. "
                "Repeat over `invoices`, or use `{{ statement }}`."
            )
        if step.channel is Channel.SMS and "statement" in placeholders(step.body).used:
            return "An SMS has no room for the table of invoices. Leave `{{ statement }}` out."
    except TemplateProblem as problem:
        return str(problem)
    if problem_of_all := _tried(written, _FULL):
        return problem_of_all
    if problem_of_less := _tried(written, _BARE):
        return f"For an account of which the ledger says less: {_lower(problem_of_less)}"
    return ""


def _tried(written: Written, statement: Statement) -> str:
    """Why these words cannot be filled in with these facts; empty when they can."""
    try:
        put_into_words(written, statement, Look())
    except TemplateProblem as problem:
        return str(problem)
    return ""


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _of_an_invoice(written: Written) -> list[str]:
    """The placeholders that only make sense where a reminder speaks of a single invoice."""
    used = [*placeholders(written.body).used, *placeholders(written.subject, part="subject").used]
    return [name for name in used if name == "invoice" or name.startswith("invoice.")]


_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f@<>,;:\"()\[\]\\]{1,64}@[^\s\x00-\x1f\x7f@<>,;:\"()\[\]\\]{1,250}")
_MOST_COPIES = 20
_DAY = date(2025, 6, 30)
_LINE = Line("INV-1", "PO 1", date(2025, 4, 19), date(2025, 5, 19), Decimal(1200), Decimal(1200), "GBP", 42)
_BARE = Statement("Brightwater Joinery", "Harbour Café", _DAY, (_LINE,))
_FULL = replace(
    _BARE,
    account_number="HC-17",
    contact_first_name="Mia",
    contact_last_name="O'Neill",
    contact_email="mia@cafe.example",
    sender_name="Tom Ashby",
    organisation_phone="0117 496 0000",
)
