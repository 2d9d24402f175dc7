"""The audit log: who changed what for an organisation, and when."""

from datetime import datetime

from sqlmodel import Session

from store.tables import AuditRow


def record(session: Session, *, organisation_id: int, at: datetime, by: str, what: str, **details: object) -> None:
    """Adds one line. `details` are plain values; nothing secret belongs in them."""
    session.add(AuditRow(organisation_id=organisation_id, at=at, by=by, what=what, details=details))
