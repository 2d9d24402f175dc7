"""Settings → Letters: the firm's colour and logo, its addresses, how to pay, and the small print.

They are saved whole or not at all, and the audit log keeps what they were before: how to pay is where money goes, so it
must be known who changed it and when.
"""

import re
from dataclasses import asdict, dataclass, fields

from sqlmodel import Session

from jobs.acting import NotAllowed, organisation_in
from jobs.office import Office
from store import audit
from store.tables import LogoRow, OrganisationRow
from wording import NotALogo, checked_logo

_LONGEST_LINE = 200
_LONGEST_TEXT = 1_000
_SEVERAL_LINES = ("postal_address", "street_address", "pay_details", "small_print")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSettings:
    """What `store.tables.OrganisationRow` says of each. All may be empty; some have several lines."""

    accent: str = ""
    registration: str = ""
    phone: str = ""
    mobile: str = ""
    direct_phone: str = ""
    contact_email: str = ""
    website: str = ""
    postal_address: str = ""
    street_address: str = ""
    pay_details: str = ""
    small_print: str = ""


NAMES = tuple(field.name for field in fields(LetterSettings))


def save_letter_settings(
    office: Office, organisation_id: int, settings: LetterSettings, *, by: str, logo: bytes | None = None
) -> None:
    """Saves them all. Raises NotAllowed with a sentence for what cannot be.

    `logo` is a new picture; empty: the one there is goes; None: it stays as it is.
    """
    kept = {name: _tidy(name, value) for name, value in asdict(settings).items()}
    if problem := _problem(kept):
        raise NotAllowed(problem)
    if logo:
        try:
            checked_logo(logo)
        except NotALogo as problem_with_it:
            raise NotAllowed(str(problem_with_it)) from problem_with_it
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        changed = {name: value for name, value in kept.items() if getattr(organisation, name) != value}
        before = {f"{name}_before": getattr(organisation, name) for name in changed}
        for name, value in changed.items():
            setattr(organisation, name, value)
        about: dict[str, object] = {**changed, **before}
        if logo is not None:
            about["logo"] = "changed" if logo else "taken away"
            _put_logo(unit, office, organisation, logo, by)
        if about:
            what = "letter settings saved"
            audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **about)


def _put_logo(unit: Session, office: Office, organisation: OrganisationRow, logo: bytes, by: str) -> None:
    row = unit.get(LogoRow, organisation.id)
    if row is not None:
        unit.delete(row)
        unit.flush()
    if logo:
        unit.add(LogoRow(organisation_id=int(organisation.id or 0), content=logo, set_at=office.clock(), set_by=by))


def _tidy(name: str, value: str) -> str:
    lines = [" ".join(line.split()) for line in value.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    text = "\n".join(lines).strip() if name in _SEVERAL_LINES else " ".join(filter(None, lines))
    return text.lower() if name == "accent" else text


def _problem(kept: dict[str, str]) -> str:
    """What cannot be, in a sentence; empty when everything can."""
    if kept["accent"] and not _COLOUR.fullmatch(kept["accent"]):
        return f"'{kept['accent']}' is not a colour. Write it like #146e5a."
    if kept["website"] and not re.fullmatch(r"https?://[^\s<>\"']+", kept["website"]):
        return "Write the website with its https:// in front."
    if kept["contact_email"] and not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", kept["contact_email"]):
        return f"'{kept['contact_email']}' is not an email address."
    for name, value in kept.items():
        most = _LONGEST_TEXT if name in _SEVERAL_LINES else _LONGEST_LINE
        if len(value) > most or _CONTROL.search(value):
            field = name.replace("_", " ").capitalize()
            return f"{field} is longer than {most} characters, or holds what cannot be printed."
    return ""
