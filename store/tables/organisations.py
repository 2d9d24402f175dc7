"""Tables: the organisations that are owed money, their connection to a ledger, and their workflows."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import Amount, Instant


class OrganisationRow(SQLModel, table=True):
    """One organisation with its settings. Dates that concern it are dates in `time_zone`."""

    __tablename__ = "organisations"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    time_zone: str = "UTC"
    locale: str = "en_GB"
    currency: str = ""
    sender_name: str = ""

    reassess_on_payment: bool = True
    reassess_locked: bool = True
    sending_time: time = time(9, 0)
    sending_weekdays: list[int] = Field(default_factory=lambda: [0, 1, 2, 3, 4], sa_type=JSON)
    min_days_between_reminders: int = 1
    stale_after_days: int = 1
    ignore_below: Decimal = Field(default=Decimal(0), sa_type=Amount)
    disputed_invoices_drive: bool = False
    after_move_back: str = "wait"
    first_contact: str = "beginning"
    return_over_link: bool = True
    pause_when_in_credit: bool = False
    reply_holds: bool = True
    link_invoices: bool = True
    write_expected_dates: bool = True
    default_workflow_id: int | None = None

    country: str = ""
    holiday_calendar: str = ""
    """The public holidays on which nothing leaves: a country, or a country and its part (`AU-NSW`). Empty: none."""
    contact_rules: str = ""
    """The key of the contact limits that hold (see `engine.limit_presets`). Empty: none."""
    voice_countries: list[str] = Field(default_factory=list, sa_type=JSON)
    """The countries to whose numbers a machine may speak, where somebody there has agreed to it. Empty: none."""

    paused_at: datetime | None = Field(default=None, sa_type=Instant)
    paused_by: str = ""
    paused_why: str = ""

    sending_mode: str = "live"
    """`live`; `to me`: every message goes to `sending_to` instead; `shadow`: all is done but the sending."""
    sending_to: str = ""
    sending_to_number: str = ""
    """The number (E.164) that text messages go to in the mode `to me`. Empty: they go nowhere."""
    tried_out_since: datetime | None = Field(default=None, sa_type=Instant)
    """Since when sending is only tried out; None while it is live."""
    most_a_run: int = 200
    """No more reminders than this leave within an hour; 0: any number. A net under mistakes, not a plan."""
    most_a_day: int = 0
    """No more reminders than this leave on one day of the organisation; 0: any number."""
    first_contacts_a_day: int = 0
    """So many accounts that were never reminded before may be written to on one day; 0: any number."""
    capped_at: datetime | None = Field(default=None, sa_type=Instant)
    """When as many had left as may, and sending was stopped. A person releases it, or raises the cap."""
    capped_why: str = ""
    cap_released_at: datetime | None = Field(default=None, sa_type=Instant)
    cap_released_for: int = 0
    """So many may leave on the day of the release: those that waited when the cap was released."""

    braked_at: datetime | None = Field(default=None, sa_type=Instant)
    """When a reading of the ledger looked so unlike the books that sending was stopped. A person releases it."""
    braked_why: str = ""

    accent: str = ""
    """The firm's colour in letters, such as `#146e5a`. Empty: ours. Its logo is a `LogoRow`."""
    registration: str = ""
    phone: str = ""
    mobile: str = ""
    direct_phone: str = ""
    contact_email: str = ""
    website: str = ""
    postal_address: str = ""
    street_address: str = ""
    pay_details: str = ""
    """How to pay, in a few lines: it stands at the foot of letters and in a frame on the statement."""
    small_print: str = ""

    statement_day: int = 0
    """The day of the month on which every account with something open gets a statement; 0: none; 31: the last day."""
    statements_for: date | None = None
    """The newest statement day whose letters were queued, or before which none are wanted."""
    thanks: bool = False
    """Who was reminded and has paid all that was overdue gets a word of thanks."""
    thanks_since: datetime | None = Field(default=None, sa_type=Instant)
    """When that was switched on. What was paid before is not thanked for."""
    thanks_as_of: datetime | None = Field(default=None, sa_type=Instant)
    """The reading of the ledger (its `ledger_as_of`) after which it was last asked whom to thank."""

    ledger_as_of: datetime | None = Field(default=None, sa_type=Instant)
    recalculated_on: date | None = None
    recalculated_ground: int | None = None
    sync_every_minutes: int = 15
    next_sync_at: datetime | None = Field(default=None, sa_type=Instant)
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    lease_generation: int = 0
    created_at: datetime = Field(sa_type=Instant)


class LogoRow(SQLModel, table=True):
    """The firm's logo, a PNG, JPEG or GIF. It is by itself, because organisations are read often and logos seldom."""

    __tablename__ = "logos"

    organisation_id: int = Field(foreign_key="organisations.id", primary_key=True)
    content: bytes
    set_at: datetime = Field(sa_type=Instant)
    set_by: str = ""


class LetterRow(SQLModel, table=True):
    """The firm's own words for a letter that is no step of a workflow. Without a row it goes in the pre-written words.

    `kind` is an `engine.letters.LetterKind`, `layout` a `wording.Layout`.
    """

    __tablename__ = "letters"

    organisation_id: int = Field(foreign_key="organisations.id", primary_key=True)
    kind: str = Field(primary_key=True)
    subject: str
    body: str
    layout: str = "email"
    saved_at: datetime = Field(sa_type=Instant)
    saved_by: str = ""


class ConnectionRow(SQLModel, table=True):
    """The grant that lets us read and write one ledger. The grant itself is sealed; see `store.secrets`."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("kind", "tenant"),)

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", unique=True)
    kind: str
    tenant: str
    tenant_name: str = ""
    provider_connection: str = ""
    state: str = "active"
    why: str = ""
    sealed_grant: str = ""
    generation: int = 1
    refreshing_until: datetime | None = Field(default=None, sa_type=Instant)
    access_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    refresh_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    cursor: dict[str, str] | None = Field(default=None, sa_type=JSON)
    not_before: datetime | None = Field(default=None, sa_type=Instant)
    checked_at: datetime | None = Field(default=None, sa_type=Instant)
    """When every open invoice was last compared with the ledger."""
    check_tried_at: datetime | None = Field(default=None, sa_type=Instant)
    last_rung_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the provider last told us by itself that something had changed."""
    connected_at: datetime = Field(sa_type=Instant)
    connected_by: str = ""


class WorkflowRow(SQLModel, table=True):
    """An ordered list of steps, and what follows the last one. `version` grows with each saved edit."""

    __tablename__ = "workflows"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    name: str
    description: str = ""
    kind: str = "account"
    version: int = 1
    link_workflow_id: int | None = None
    link_after_days: int = 0
    repeat_every: int = 0


class StepRow(SQLModel, table=True):
    """One reminder in a workflow: its day after the due date, its channel and its words.

    An email goes by its `layout` (see `wording.Layout`), with the statement as a PDF if `attach_statement`, with the
    overdue invoices as the ledger prints them if `attach_invoices`, and with copies to the addresses in `cc`.
    """

    __tablename__ = "steps"

    workflow_id: int = Field(foreign_key="workflows.id", primary_key=True)
    step_id: str = Field(primary_key=True)
    name: str
    day: int
    channel: str = "email"
    manual: bool = False
    subject: str = ""
    body: str = ""
    layout: str = "email"
    attach_statement: bool = False
    attach_invoices: bool = False
    cc: list[str] = Field(default_factory=list, sa_type=JSON)
