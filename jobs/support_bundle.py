"""The support bundle: what somebody who helps needs to see, in one file that may be sent to them.

It holds versions, settings, the sync log with its calls, what failed, and how much there is of everything, of one
organisation. It holds no secret and nobody's name: see `jobs.masking`. Whoever makes it sees all of it first.
"""

import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.kept_log import newest_lines
from jobs.masking import Mask
from jobs.office import Office
from store import audit
from store import bundled as books
from store.tables import ChangeRow, OrganisationRow, SetAsideRow, SyncRunRow

RUNS, CHANGES, ASIDE, LINES = 200, 2_000, 200, 500
"""The newest of each that go into a bundle."""

_PARTS = (
    *("xero-python", "python-quickbooks", "urllib3", "msgspec", "sqlalchemy", "sqlmodel", "alembic", "psycopg"),
    *("fastapi", "uvicorn", "apscheduler", "cryptography", "pydantic"),
)
_SHOWN_FIELDS = frozenset(
    {"total", "balance", "paid", "credited", "remaining", "issued_on", "due_on", "settled_on", "expected_on"}
    | {"next_due_on", "status", "state", "kind", "archived", "currency", "account_id"}
)
_CHOICES = frozenset({"time_zone", "locale", "currency", "country", "holiday_calendar", "contact_rules"})
_CHOICE = re.compile(r"[A-Za-z]{2,20}(?:[/_-][A-Za-z_]{2,30}){0,2}", re.ASCII)
_WORD = re.compile(r"[a-z]{1,12}", re.ASCII)

README = """This is a support bundle of arrears, made on {at} for organisation {organisation}.

What is in it:

{contents}

What is not in it: no key, password, grant or token; no name, email address, telephone number, postal address, text of a
message or note. Wherever one of these stood there is a stand-in, such as x-5f3a91c07e. The same name has the same
stand-in everywhere, also in other bundles of this installation, so that a story can be followed. Numbers of invoices
look like invoice-5f3a91c07e. Amounts, dates and our own row numbers are as they are.

All of it is plain text. Please read it before you send it to anybody.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the bundle. `about` says in a few words what is in it."""

    name: str
    about: str
    text: str


def bundle(
    office: Office,
    organisation_id: int,
    *,
    more_settings: Mapping[str, Any] | None = None,
    log: Iterable[str] | None = None,
) -> tuple[Part, ...]:
    """All the parts, ready to be read or packed. `more_settings` are blocks that only the command line knows.

    `log` are the lines of another log than the one that the daemon keeps. Raises LookupError when there is no such
    organisation.
    """
    with office.database.reading() as session:
        organisation = session.get(OrganisationRow, organisation_id)
        if organisation is None:
            raise LookupError(f"there is no organisation number {organisation_id}")
        mask = Mask(office.vault.derived("support bundle")[0], books.personal_words(session, organisation_id))
        said = {
            "organisation.json": (
                "its settings, its connection, and how old the grant is",
                books.standing(session, organisation_id),
            ),
            "sync_runs.json": (
                f"the newest sync runs (up to {RUNS}) with every call",
                [_run(mask, row) for row in books.runs(session, organisation_id, RUNS)],
            ),
            "changes.json": (
                f"what they changed (up to {CHANGES} changes)",
                [_change(mask, row) for row in books.changes(session, organisation_id, CHANGES)],
            ),
            "set_aside.json": (
                f"rows of the ledger that could not be read (up to {ASIDE}), by their shape",
                [_aside(mask, row) for row in books.set_aside(session, organisation_id, ASIDE)],
            ),
            "failures.json": (
                "notes, reminders, replies and tasks that did not go as they should",
                _masked(mask, books.failures(session, organisation_id)),
            ),
            "counts.json": ("how many rows each table has", books.counts(session, organisation_id)),
        }
        versions = _versions() | books.database_facts(session)
    said |= {
        "versions.json": ("versions of arrears, Python, the database and the parts", versions),
        "configuration.json": (
            "the configuration; what was set is shown only if harmless",
            _settings(office, more_settings or {}),
        ),
    }
    said["organisation.json"] = (said["organisation.json"][0], _masked(mask, said["organisation.json"][1]))
    parts = [Part(name, about, _json(what)) for name, (about, what) in sorted(said.items())]
    written = newest_lines(office.kept_log, LINES) if log is None else list(log)[-LINES:]
    if lines := [mask.text(line.rstrip("\n")) for line in written]:
        parts.append(Part("log.txt", f"the last lines of the log (up to {LINES})", "\n".join(lines) + "\n"))
    contents = "\n".join(f"  {part.name:<20} {part.about}" for part in parts)
    at = office.clock()
    readme = README.format(at=f"{at:%Y-%m-%d %H:%M} UTC", organisation=organisation_id, contents=contents)
    return (Part("README.txt", "what is in here, and what is not", readme), *parts)


def packed(parts: Sequence[Part]) -> bytes:
    """The bundle as one zip."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.writestr(f"arrears-support/{part.name}", part.text)
    return kept.getvalue()


def name_of(office: Office, organisation_id: int) -> str:
    """`arrears-support-1-20260714-0820.zip`."""
    return f"arrears-support-{organisation_id}-{office.clock():%Y%m%d-%H%M}.zip"


def record_bundle(office: Office, organisation_id: int, *, by: str) -> None:
    """Who made a bundle goes into the audit log."""
    with office.database.unit_of_work() as unit:
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="support bundle made")


def _run(mask: Mask, row: SyncRunRow) -> dict[str, Any]:
    shown = row.model_dump(
        exclude={"calls", "error", "next_act", "cursor_before", "cursor_after", "waits", "trigger", "brake"}
    )
    return shown | {
        "trigger": mask.text(row.trigger),
        "error": mask.text(row.error),
        "next_act": mask.text(row.next_act),
        "brake": mask.text(row.brake),
        "cursor_before": _masked(mask, row.cursor_before),
        "cursor_after": _masked(mask, row.cursor_after),
        "waits": _masked(mask, row.waits),
        "calls": [_call(mask, call) for call in row.calls],
    }


def _call(mask: Mask, call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "at": mask.text(str(call.get("at", ""))),
        "method": mask.text(str(call.get("method", ""))),
        "path": mask.path(str(call.get("path", ""))),
        "request_id": mask.request_id(str(call.get("request_id", ""))),
        **{name: call[name] for name in ("status", "bytes", "seconds") if isinstance(call.get(name), int | float)},
    }


def _change(mask: Mask, row: ChangeRow) -> dict[str, Any]:
    return row.model_dump(exclude={"ledger_id", "fields"}) | {
        "ledger_id": mask.ref("id", row.ledger_id),
        "fields": [[name, _field(mask, name, old), _field(mask, name, new)] for name, old, new in row.fields],
    }


def _field(mask: Mask, name: str, value: Any) -> Any:
    """One value of one field: amounts, dates and states as they are."""
    if value is None or value == "" or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        return {
            key: mask.ref("id", one) if key == "id" else mask.text(str(one)) if key == "kind" else _amount(mask, one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [mask.ref("x", str(one)) for one in value]
    if name in _SHOWN_FIELDS:
        return _amount(mask, value)
    return mask.ref("invoice" if name == "number" else "x", str(value))


def _amount(mask: Mask, value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"-?\d{1,12}\.\d{2,4}|\d{4}-\d\d-\d\d", text, re.ASCII) else mask.text(text)


def _aside(mask: Mask, row: SetAsideRow) -> dict[str, Any]:
    return {
        "sync_run_id": row.sync_run_id,
        "list": mask.text(row.list),
        "ledger_id": mask.ref("id", row.ledger_id),
        "reason": mask.text(row.reason),
        "raw": mask.raw(row.raw),
    }


def _masked(mask: Mask, value: Any) -> Any:
    """Anything with words in it, masked word by word. Numbers of our own and times stay."""
    match value:
        case None | bool() | int() | float() | Decimal():
            return value
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {_key(mask, str(key)): _kept(mask, str(key), one) for key, one in value.items()}
        case list() | tuple():
            return [_masked(mask, one) for one in value]
        case _:
            return mask.text(str(value))


def _key(mask: Mask, key: str) -> str:
    """Our own words for our own columns say nothing about anybody."""
    return key if key in books.COLUMNS else mask.text(key)


def _kept(mask: Mask, key: str, value: Any) -> Any:
    """A choice from a list of the world's zones, languages and currencies is shown; any other text is masked."""
    if key in _CHOICES and isinstance(value, str) and _CHOICE.fullmatch(value):
        return value
    return mask.ref("id", str(value)) if key == "tenant" else _masked(mask, value)


def _versions() -> dict[str, Any]:
    return {
        "arrears": _version("arrears"),
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
        "parts": {name: _version(name) for name in _PARTS},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _settings(office: Office, more: Mapping[str, Any]) -> dict[str, Any]:
    """Every block, adapters' settings included. A text is shown if it is the default, or a plain choice of one word."""
    shown: dict[str, Any] = {"public_url": _address(office.public_url)}
    for kind, settings in {**office.ledgers, **office.channels}.items():
        if is_dataclass(settings):
            shown[kind] = {
                one.name: _setting(one.name, getattr(settings, one.name), _default(one)) for one in fields(settings)
            }
    for block, settings in more.items():
        shown[block] = {name: _setting(name, *value) for name, value in settings.items()}
    return shown


def _default(one: Any) -> Any:
    return None if one.default is MISSING else one.default


def _setting(name: str, value: Any, default: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if name.endswith("security") and _WORD.fullmatch(str(value)):
        return value
    if value == default:
        return str(value)
    return f"(set, {len(str(value))} characters)" if str(value) else ""


def _address(url: str) -> str:
    """Whether it is https and whether it is this very machine: that is what goes wrong with addresses."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[:/]", rest)[0]
    here = host in ("localhost", "127.0.0.1")
    return f"{'https' if scheme == 'https' else 'http'}://{host if here else '(a host)'}"


def _json(what: Any) -> str:
    return json.dumps(what, indent=1, ensure_ascii=True, default=_plainly) + "\n"


def _plainly(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
