"""An organisation whose ledger is paper: connected, not paused, and with the workflows that its accounts walk on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, SQLModel

from engine.facts import Rules
from engine.receivables import Ref
from engine.workflow import Workflow
from store.tables import ConnectionRow, OrganisationRow, StepRow, WorkflowRow


def found(unit: Session, rules: Rules, now: datetime) -> OrganisationRow:
    """An organisation with these rules, but without contact limits and holidays. It has no default workflow yet."""
    organisation = OrganisationRow(
        name="Paper & Sons",
        currency="GBP",
        created_at=now,
        reassess_on_payment=rules.reassess_on_payment,
        reassess_locked=False,
        sending_weekdays=sorted(rules.sending.weekdays),
        min_days_between_reminders=rules.min_days_between_reminders,
        stale_after_days=rules.stale_after_days,
        ignore_below=rules.ignore_below,
        disputed_invoices_drive=rules.disputed_invoices_drive,
        after_move_back=rules.after_move_back,
        first_contact=rules.first_contact,
        return_over_link=rules.return_over_link,
        pause_when_in_credit=rules.pause_when_in_credit,
    )
    _add(unit, organisation)
    _add(unit, ConnectionRow(organisation_id=organisation.id, kind="paper", tenant="paper", connected_at=now))
    return organisation


def add_workflows(unit: Session, organisation: int, workflows: Mapping[Ref, Workflow]) -> dict[Ref, int]:
    """Puts these workflows into the store. Returns the numbers that they get there."""
    rows = {}
    for name, workflow in workflows.items():
        row = WorkflowRow(
            organisation_id=organisation, name=workflow.name, kind=workflow.kind, repeat_every=workflow.repeat_every
        )
        rows[name] = _add(unit, row)
        for step in workflow.steps:
            unit.add(
                StepRow(
                    workflow_id=row.id,
                    step_id=step.id,
                    name=step.name,
                    day=step.day,
                    channel=step.channel,
                    manual=step.manual,
                    subject=step.name,
                    body="Please pay what is listed here.",
                )
            )
    numbers = {name: int(row.id or 0) for name, row in rows.items()}
    for name, workflow in workflows.items():
        if workflow.link is not None:
            rows[name].link_workflow_id = numbers[workflow.link.workflow]
            rows[name].link_after_days = workflow.link.after_days
    unit.flush()
    return numbers


def _add(unit: Session, row: SQLModel) -> Any:
    unit.add(row)
    unit.flush()
    return row
