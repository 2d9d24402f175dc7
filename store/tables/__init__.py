"""The tables of the store, one module for each part. Each class ends in Row; the nouns are the engine's."""

from store.tables.expected import ExpectedRow
from store.tables.inbox import BookmarkRow, PostRow, ReplyRow
from store.tables.ledger import AccountRow, AllocationRow, ContactRow, CreditRow, InvoiceRow, PaymentRow
from store.tables.organisations import ConnectionRow, LetterRow, LogoRow, OrganisationRow, StepRow, WorkflowRow
from store.tables.people import AuditRow, ConsentRow, MembershipRow, SessionRow, UserRow
from store.tables.reaching import AddressStopRow, PhoneCallRow, VoiceConsentRow
from store.tables.reminding import (
    AssignmentRow,
    DecisionRow,
    GroundRow,
    HistoryNoteRow,
    HoldRow,
    InvoiceWalkRow,
    MessageRow,
    PositionRow,
    ReminderRow,
    TaskRow,
    WriteBackRow,
)
from store.tables.syncs import CallsRow, ChangeRow, RingRow, SetAsideRow, SyncRunRow

__all__ = [
    "AccountRow",
    "AddressStopRow",
    "AllocationRow",
    "AssignmentRow",
    "AuditRow",
    "BookmarkRow",
    "CallsRow",
    "ChangeRow",
    "ConnectionRow",
    "ConsentRow",
    "ContactRow",
    "CreditRow",
    "DecisionRow",
    "ExpectedRow",
    "GroundRow",
    "HistoryNoteRow",
    "HoldRow",
    "InvoiceRow",
    "InvoiceWalkRow",
    "LetterRow",
    "LogoRow",
    "MembershipRow",
    "MessageRow",
    "OrganisationRow",
    "PaymentRow",
    "PhoneCallRow",
    "PositionRow",
    "PostRow",
    "ReminderRow",
    "ReplyRow",
    "RingRow",
    "SessionRow",
    "SetAsideRow",
    "StepRow",
    "SyncRunRow",
    "TaskRow",
    "UserRow",
    "VoiceConsentRow",
    "WorkflowRow",
    "WriteBackRow",
]
