"""Settings → Workflows: which there are, and the page on which one is written and looked over before it is saved."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from engine.soundness import MOST_STEPS, Flaw
from engine.workflow import WorkflowKind
from jobs.drafts import Draft, blank_draft, draft_of, prewritten_draft
from jobs.impact import Impact, impact_of
from jobs.previews import Preview, first_invoice, looked_at, preview, samples
from jobs.samples import send_sample
from jobs.workflows import Saved, delete_workflow, duplicate_workflow, make_default, save_workflow
from store import screens
from store.tables import AccountRow, WorkflowRow
from store.workflows import why_kept
from web._headers import LETTER_POLICY, WRITING_POLICY
from web._pages import back, page
from web._shown_letter import segments_in_words, shown_letter
from web._visit import Deciding, Desk, Looking, NotFound, number_of
from web._workflow_form import Form, Typed, form_of, read
from wording.offer import GROUPS
from wording.prewritten import LANGUAGES, language_of, prewritten, prewritten_names

router = APIRouter()

LIST = "/settings/workflows"
SHOWN = 200
"""How many of the accounts that would change are listed; all are counted."""


@router.get(LIST)
def workflows(desk: Looking) -> Response:
    return _list(desk)


@router.get(f"{LIST}/new")
def new(desk: Looking, like: str = "") -> Response:
    """An editor for a workflow that is not there yet; `like` names a pre-written one. Nothing is kept until saved."""
    if not desk.may_decide:
        return RedirectResponse(LIST, status_code=303)
    return _editor(desk, None, form_of(_begun(desk, like)))


@router.post(f"{LIST}/new")
def make(desk: Deciding, typed: Typed) -> Response:
    return _answered(desk, None, typed)


@router.post(f"{LIST}/preview")
def previewed(desk: Deciding, typed: Typed, step: int = 0) -> Response:
    """One step as a real account would get it, with the words as they are typed. Nothing is kept and nothing sent."""
    draft = read(typed).draft(None)
    account = number_of(typed.get("preview_account", ""))
    if not 1 <= step <= len(draft.steps):
        raise NotFound
    shown = draft.steps[step - 1]
    try:
        with desk.office.database.reading() as session:
            about = first_invoice(session, account) if draft.kind is WorkflowKind.INVOICE else 0
            seen: Preview = preview(session, desk.organisation, account, shown.written, desk.as_of, invoice=about)
    except LookupError:
        raise NotFound from None
    return HTMLResponse(shown_letter(shown.name, seen), headers={"content-security-policy": LETTER_POLICY})


@router.post(f"{LIST}/sample")
def sample(desk: Deciding, typed: Typed, step: int = 0) -> Response:
    """One step in the person's own inbox, with the words as they are typed. Nothing is kept."""
    draft = read(typed).draft(None)
    if not 1 <= step <= len(draft.steps):
        raise NotFound
    tried = draft.steps[step - 1]
    account: AccountRow = desk.own(AccountRow, number_of(typed.get("preview_account", "")))
    one_by_one = draft.kind is WorkflowKind.INVOICE
    sent = send_sample(
        *(desk.office, desk.id, tried), user_id=desk.signed.user_id, account_id=account.id, one_by_one=one_by_one
    )
    return back(LIST, "sample" if sent.without is None else f"sample-{sent.without}")


@router.get(f"{LIST}/{{workflow_id}}")
def workflow(desk: Looking, workflow_id: int) -> Response:
    row: WorkflowRow = desk.own(WorkflowRow, workflow_id)
    return _editor(desk, row, form_of(_saved(desk, workflow_id)))


@router.post(f"{LIST}/{{workflow_id}}")
def edit(desk: Deciding, workflow_id: int, typed: Typed) -> Response:
    try:
        return _answered(desk, desk.own(WorkflowRow, workflow_id), typed)
    except (NotFound, LookupError):
        if _is_there(desk, workflow_id):
            raise
        return _gone(desk, typed)


@router.post(f"{LIST}/{{workflow_id}}/duplicate")
def duplicate(desk: Deciding, workflow_id: int) -> Response:
    desk.own(WorkflowRow, workflow_id)
    copy = duplicate_workflow(desk.office, desk.id, workflow_id, by=desk.by)
    return back(f"{LIST}/{copy.workflow_id}", "workflow-copied")


@router.post(f"{LIST}/{{workflow_id}}/default")
def default(desk: Deciding, workflow_id: int) -> Response:
    desk.own(WorkflowRow, workflow_id)
    flaw = make_default(desk.office, desk.id, workflow_id, by=desk.by)
    return back(LIST, "workflow-default") if flaw is None else _list(desk, flaw, http=409)


@router.post(f"{LIST}/{{workflow_id}}/delete")
def delete(desk: Deciding, workflow_id: int) -> Response:
    desk.own(WorkflowRow, workflow_id)
    flaw = delete_workflow(desk.office, desk.id, workflow_id, by=desk.by)
    return back(LIST, "workflow-gone") if flaw is None else _list(desk, flaw, http=409)


def _answered(desk: Desk, row: WorkflowRow | None, typed: dict[str, str]) -> Response:
    """What the button asked for: one more step, a look at the words, what would change, or the workflow saved."""
    form, act = read(typed), typed.get("act", "")
    draft = form.draft(row.id if row is not None else None)
    if act == "add":
        return _editor(desk, row, form.with_another_step(), added=True)
    if act == "look":
        return _editor(desk, row, form, sample=typed.get("preview_account", ""))
    if form.unknown:
        return _editor(desk, row, form, flaws=form.unknown, http=422)
    if act == "save":
        saved = save_workflow(desk.office, desk.id, draft, by=desk.by)
        if isinstance(saved, Saved):
            return back(f"{LIST}/{saved.workflow_id}", "workflow-saved" if row is not None else "workflow-made")
        return _editor(desk, row, form, flaws=saved, http=422)
    found = impact_of(desk.office, desk.id, draft)
    if isinstance(found, Impact):
        return _editor(desk, row, form, impact=found)
    return _editor(desk, row, form, flaws=found, http=422)


def _is_there(desk: Desk, workflow_id: int) -> bool:
    with desk.office.database.reading() as session:
        return any(one.row.id == workflow_id for one in screens.workflows(session, desk.id))


def _gone(desk: Desk, typed: dict[str, str]) -> Response:
    """Somebody deleted it while this was written: what was typed is shown as a new workflow, and nothing is lost."""
    return _editor(desk, None, read(typed), flaws=(Flaw("", _DELETED),), http=404)


_DELETED = (
    "There is no such workflow any more: it was deleted since you opened it. What you typed is kept below. Saved now, "
    "it is a new workflow."
)


def _list(desk: Desk, flaw: Flaw | None = None, *, http: int = 200) -> Response:
    with desk.office.database.reading() as session:
        listed = screens.workflows(session, desk.id)
    names = {one.row.id: one.row.name for one in listed}
    return page(desk, "workflows.html", http=http, workflows=listed, names=names, written=_written(desk), flaw=flaw)


def _written(desk: Desk) -> list[tuple[str, list[tuple[str, Any]]]]:
    """The pre-written workflows, by language; the organisation's own language comes first."""
    own = language_of(desk.organisation.locale)
    return [
        (
            LANGUAGES[language],
            [(f"{name}.{of}", prewritten(name, of)) for name, of in prewritten_names() if of == language],
        )
        for language in sorted(LANGUAGES, key=lambda language: language != own)
    ]


def _editor(
    desk: Desk,
    row: WorkflowRow | None,
    form: Form,
    *,
    flaws: tuple[Flaw, ...] = (),
    impact: Impact | None = None,
    added: bool = False,
    sample: str = "",
    http: int = 200,
) -> Response:
    with desk.office.database.reading() as session:
        listed = screens.workflows(session, desk.id)
        kept = why_kept(session, desk.id, row.id) if row is not None and row.id is not None else ""
        accounts = samples(session, desk.id)
        draft = form.draft(None)
        found = looked_at(
            session,
            desk.organisation,
            [(step.name, step.written) for step in draft.steps],
            per_invoice=draft.kind is WorkflowKind.INVOICE,
            account_id=next((one.account_id for one in accounts if sample in ("", str(one.account_id))), None),
            as_of=desk.as_of,
        )
    beside: dict[str, list[str]] = defaultdict(list)
    for flaw in flaws:
        beside[flaw.field].append(flaw.text)
    this = next((one for one in listed if row is not None and one.row.id == row.id), None)
    shown = {step.id for step in form.rows}
    about: dict[str, Any] = {
        "this": this,
        "to": f"{LIST}/{row.id if row is not None else 'new'}",
        "form": form,
        "flaws": flaws,
        "beside": dict(beside),
        "impact": impact,
        "shown": impact.changes[:SHOWN] if impact is not None else (),
        "added": added,
        "full": len(form.rows) >= MOST_STEPS,
        "silent": [medium for medium in ("email", "sms") if desk.office.carrier_of(medium) is None],
        "others": [one.row for one in listed if one is not this and one.row.kind == "account"],
        "removed": [step.name for step in this.steps if step.step_id not in shown] if this is not None else [],
        "kept": kept,
        "found": [one for one in found if one.unknown or one.problem or one.segments],
        "samples": accounts,
        "offers": GROUPS,
        "in_words": segments_in_words,
        "chosen_sample": sample,
    }
    answer = page(desk, "workflow.html", http=http, **about)
    answer.headers["content-security-policy"] = WRITING_POLICY
    return answer


def _begun(desk: Desk, like: str) -> Draft:
    """A pre-written workflow under a free name, or a blank one."""
    name, _, language = like.partition(".")
    if (name, language) not in prewritten_names():
        return blank_draft()
    with desk.office.database.reading() as session:
        taken = [one.row.name for one in screens.workflows(session, desk.id)]
    return prewritten_draft(name, language, taken=taken)


def _saved(desk: Desk, workflow_id: int) -> Draft:
    try:
        with desk.office.database.reading() as session:
            return draft_of(session, desk.id, workflow_id)
    except LookupError:
        raise NotFound from None
