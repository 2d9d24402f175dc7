"""Settings → Letters: the words of the monthly statement and of the thank-you, looked over before they are kept.

The form has the fields of a workflow with a single step, so a preview and a sample to oneself are those of any step.
"""

from collections import defaultdict

from fastapi import APIRouter, Response

from engine.letters import LetterKind
from engine.soundness import Flaw
from jobs.drafts import Draft, DraftStep
from jobs.letter_words import TITLES, back_to_prewritten, save_letter, words_of_letter
from jobs.previews import looked_at, samples
from web._headers import WRITING_POLICY
from web._pages import back, page
from web._shown_letter import segments_in_words
from web._visit import Deciding, Desk, Looking
from web._workflow_form import Typed, form_of, read
from wording.offer import GROUPS

router = APIRouter()

LETTERS = "/settings/letters"
STATEMENT, THANKS = f"{LETTERS}/{LetterKind.STATEMENT}", f"{LETTERS}/{LetterKind.THANKS}"


@router.get(STATEMENT)
def statement(desk: Looking) -> Response:
    return _editor(desk, LetterKind.STATEMENT)


@router.post(STATEMENT)
def write_statement(desk: Deciding, typed: Typed) -> Response:
    return _answered(desk, LetterKind.STATEMENT, typed)


@router.get(THANKS)
def thanks(desk: Looking) -> Response:
    return _editor(desk, LetterKind.THANKS)


@router.post(THANKS)
def write_thanks(desk: Deciding, typed: Typed) -> Response:
    return _answered(desk, LetterKind.THANKS, typed)


def _answered(desk: Desk, kind: LetterKind, typed: dict[str, str]) -> Response:
    """What the button asked for: a look at the words, the pre-written ones again, or these kept."""
    here, act = f"{LETTERS}/{kind}", typed.get("act", "")
    if act == "prewritten":
        back_to_prewritten(desk.office, desk.id, kind, by=desk.by)
        return back(here, "letter-prewritten")
    step = _typed_step(typed, kind)
    if act == "look":
        return _editor(desk, kind, step, sample=typed.get("preview_account", ""))
    if flaws := save_letter(desk.office, desk.id, kind, step, by=desk.by):
        return _editor(desk, kind, step, flaws=flaws, http=422)
    return back(here, "letter-saved")


def _typed_step(typed: dict[str, str], kind: LetterKind) -> DraftStep:
    """The words as they were typed; everything else of a letter is settled."""
    written = read({**typed, "step-1-name": TITLES[kind]}).draft(None).steps[0]
    return DraftStep(
        TITLES[kind],
        day=1,
        subject=written.subject,
        body=written.body,
        layout=written.layout,
        attach_statement=kind is LetterKind.STATEMENT,
    )


def _editor(
    desk: Desk,
    kind: LetterKind,
    step: DraftStep | None = None,
    *,
    flaws: tuple[Flaw, ...] = (),
    sample: str = "",
    http: int = 200,
) -> Response:
    with desk.office.database.reading() as session:
        stands = words_of_letter(session, desk.organisation, kind)
        step = step or stands.step
        accounts = samples(session, desk.id)
        chosen = next((one.account_id for one in accounts if sample in ("", str(one.account_id))), None)
        (found,) = looked_at(
            *(session, desk.organisation, [(step.name, step.written)]),
            per_invoice=False,
            account_id=chosen,
            as_of=desk.as_of,
        )
    beside: dict[str, list[str]] = defaultdict(list)
    for flaw in flaws:
        beside[flaw.field].append(flaw.text)
    answer = page(
        desk,
        "settings_letter.html",
        http=http,
        kind=kind,
        row=form_of(Draft(step.name, (step,))).rows[0],
        by=stands.by,
        flaws=flaws,
        beside=dict(beside),
        found=[found] if found.unknown or found.problem else [],
        samples=accounts,
        chosen_sample=sample,
        offers=GROUPS,
        in_words=segments_in_words,
    )
    answer.headers["content-security-policy"] = WRITING_POLICY
    return answer
