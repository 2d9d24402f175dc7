"""What holds for every account of an organisation: its rules, its workflows, its pause, and how fresh its ledger is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from engine.calendars import SENDING_WINDOW, SendingDays, civil_date, moment_of
from engine.facts import AfterMoveBack, FirstContact, Rules
from engine.holds import Hold, HoldKind
from engine.limit_presets import PRESETS
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from store.holidays_of import holidays_of
from store.leases import in_line
from store.rows import Question, Row, together
from store.tables import AccountRow, OrganisationRow


@dataclass(frozen=True, slots=True)
class Ground:
    """One organisation at one moment. `sending_ahead`: today's sending time, and the hours after it, are not over."""

    organisation: OrganisationRow
    rules: Rules
    workflows: Mapping[int | str, Workflow]
    ledger_as_of: date | None
    pause: tuple[Hold, ...]
    sending_ahead: bool = True
    kept: tuple[int, str] | None = None
    """The number and the fingerprint of the newest ground that is kept (see `store.kept_decisions`)."""
    time_zones: Mapping[int, str] = field(default_factory=dict)
    """The time zones of accounts that have one of their own; the others live where the organisation does."""
    stopped_media: frozenset[str] = frozenset()
    """The media (`email`, `sms`, `call`) by which at least one address may not be reached; see `store.stops`."""

    def time_zone_of(self, account_id: int) -> str:
        return self.time_zones.get(account_id, self.organisation.time_zone)

    @property
    def number(self) -> int:
        assert self.organisation.id is not None
        return self.organisation.id

    @property
    def has_courtesies(self) -> bool:
        return any(workflow.courtesies for workflow in self.workflows.values())

    @property
    def has_texts(self) -> bool:
        return any(step.channel is Channel.SMS for workflow in self.workflows.values() for step in workflow.steps)

    @property
    def has_invoice_workflows(self) -> bool:
        return any(workflow.kind is WorkflowKind.INVOICE for workflow in self.workflows.values())


def ground_of(
    session: Session, organisation_id: int, *, now: datetime | None = None, one_at_a_time: bool = False
) -> Ground:
    """The organisation's common ground. Raises LookupError when there is no such organisation.

    `now` is the moment of the look; with it the ground knows whether today's sending time has passed. With
    `one_at_a_time` it is what stands once nobody else writes about the organisation (see `store.leases`), in one trip.
    """
    turn = in_line(session, organisation_id) if one_at_a_time else []
    asked = (*_WORKFLOWS, _KEPT, _STOPPED)
    told = together(session, [*turn, *(Question(query, [organisation_id]) for query in asked)])
    steps, workflows, kept, stopped = told[len(turn) :]
    organisation = session.get(OrganisationRow, organisation_id)
    if organisation is None:
        raise LookupError(f"there is no organisation number {organisation_id}")
    zone = ZoneInfo(organisation.time_zone)
    pause: tuple[Hold, ...] = ()
    if organisation.paused_at is not None:
        since = civil_date(organisation.paused_at, zone)
        pause = (Hold(HoldKind.ORGANISATION_PAUSED, since, organisation.paused_why, organisation.paused_by),)
    if organisation.braked_at is not None:
        since = civil_date(organisation.braked_at, zone)
        pause = (*pause, Hold(HoldKind.BRAKE, since, organisation.braked_why.removesuffix("."), "arrears"))
    if organisation.capped_at is not None:
        since = civil_date(organisation.capped_at, zone)
        pause = (*pause, Hold(HoldKind.CAP, since, organisation.capped_why.removesuffix("."), "arrears"))
    return Ground(
        organisation=organisation,
        rules=rules_of(organisation, around=civil_date(now, zone) if now is not None else None),
        workflows=_workflows(steps, workflows),
        ledger_as_of=civil_date(organisation.ledger_as_of, zone) if organisation.ledger_as_of else None,
        pause=pause,
        sending_ahead=now is None or now <= _last_sending_moment(organisation, now),
        kept=kept[0] if kept else None,  # type: ignore[arg-type]
        time_zones=_time_zones(session, organisation_id) if organisation.contact_rules else {},
        stopped_media=frozenset(medium for (medium,) in stopped),
    )


def _time_zones(session: Session, organisation_id: int) -> dict[int, str]:
    query = select(AccountRow.id, AccountRow.time_zone).where(  # type: ignore[call-overload]
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.time_zone) != ""
    )
    return dict(session.execute(query).all())


def _last_sending_moment(organisation: OrganisationRow, now: datetime) -> datetime:
    zone = ZoneInfo(organisation.time_zone)
    return moment_of(civil_date(now, zone), organisation.sending_time, zone) + SENDING_WINDOW


def rules_of(organisation: OrganisationRow, *, around: date | None = None) -> Rules:
    """The organisation's rules, with the public holidays of the year before and the two years after that date."""
    holidays = holidays_of(organisation.holiday_calendar, around) if around is not None else frozenset[date]()
    return Rules(
        reassess_on_payment=organisation.reassess_on_payment,
        sending=SendingDays(frozenset(organisation.sending_weekdays), holidays),
        min_days_between_reminders=organisation.min_days_between_reminders,
        stale_after_days=organisation.stale_after_days,
        ignore_below=organisation.ignore_below,
        disputed_invoices_drive=organisation.disputed_invoices_drive,
        after_move_back=AfterMoveBack(organisation.after_move_back),
        first_contact=FirstContact(organisation.first_contact),
        return_over_link=organisation.return_over_link,
        pause_when_in_credit=organisation.pause_when_in_credit,
        limits=PRESETS.get(organisation.contact_rules),
    )


def workflows_of(session: Session, organisation_id: int) -> dict[int | str, Workflow]:
    """Every workflow of the organisation with its steps, by its number."""
    return _workflows(*together(session, [Question(query, [organisation_id]) for query in _WORKFLOWS]))


_KEPT = "SELECT id, fingerprint FROM grounds WHERE organisation_id = ? ORDER BY id DESC LIMIT 1"
_STOPPED = "SELECT DISTINCT medium FROM address_stops WHERE organisation_id = ? AND lifted_at IS NULL"

_WORKFLOWS = (
    "SELECT s.workflow_id, s.step_id, s.name, s.day, s.channel, s.manual FROM steps s "
    "JOIN workflows w ON w.id = s.workflow_id WHERE w.organisation_id = ? ORDER BY s.day, s.step_id",
    "SELECT id, name, kind, version, link_workflow_id, link_after_days, repeat_every FROM workflows "
    "WHERE organisation_id = ? ORDER BY id",
)


def _workflows(all_steps: Iterable[Row], all_workflows: Iterable[Row]) -> dict[int | str, Workflow]:
    steps: dict[int, list[Step]] = defaultdict(list)
    for workflow, step, name, day, channel, manual in all_steps:
        steps[workflow].append(Step(step, name, day, Channel(channel), bool(manual)))
    workflows: dict[int | str, Workflow] = {}
    for number, name, kind, version, to, after_days, repeat in all_workflows:
        link = Link(to, after_days) if to is not None else None
        workflows[number] = Workflow(number, name, tuple(steps[number]), WorkflowKind(kind), version, link, repeat)
    return workflows
