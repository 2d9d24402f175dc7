"""Decisions kept with everything they were made from, so that any of them can be made again, years later.

The rules and workflows of an organisation are kept once for as long as they stand; a decision points at them and adds
what was known about its account. Made again from what is kept, it must come out the same.
"""

import hashlib
from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, get_type_hints

import msgspec
from sqlalchemy import select
from sqlmodel import Session, col

from engine.facts import Decision, Facts, Rules
from engine.holds import Hold
from engine.position import Run
from engine.receivables import Ref
from engine.workflow import Workflow
from store.ground import Ground
from store.rows import insert, plain, text_of
from store.tables import DecisionRow, GroundRow

_SHARED = 2
"""How many fields of `Facts` belong to the ground: its rules and its workflows."""

_hints = get_type_hints(Facts)
_kept = {name: dict[int, Run] if name == "invoice_runs" else _hints[name] for name in Facts._fields[_SHARED:]}
_OfAccount = namedtuple("_OfAccount", [*_kept], defaults=[*Facts._field_defaults.values()])
_OfAccount.__annotations__ = _kept  # a decision that is older than the newest of these fields can still be read
_encoder = msgspec.json.Encoder()
_steady = msgspec.json.Encoder(order="deterministic")
_facts_decoder = msgspec.json.Decoder(_OfAccount)


class _Content(NamedTuple):
    rules: Rules
    workflows: tuple[Workflow, ...]
    pause: tuple[Hold, ...]
    default_workflow: int | None


_content_decoder = msgspec.json.Decoder(_Content)


class Kept(NamedTuple):
    """One decision as it was made: on which day, when, from which facts, and with what outcome (as JSON)."""

    number: int
    account: int
    as_of: date
    at: datetime
    facts: Facts
    outcome: str


def ground_number(session: Session, ground: Ground, *, now: datetime) -> int:
    """The number under which these rules, workflows and pause are kept. Whenever they change they are kept anew, so
    that for any day it is known on which ground decisions stood.
    """
    workflows = tuple(sorted(ground.workflows.values(), key=lambda workflow: int(workflow.id)))
    content = _steady.encode(_Content(ground.rules, workflows, ground.pause, ground.organisation.default_workflow_id))
    fingerprint = hashlib.sha256(content).hexdigest()
    if ground.kept is not None and ground.kept[1] == fingerprint:
        return ground.kept[0]
    row = GroundRow(organisation_id=ground.number, fingerprint=fingerprint, content=content.decode(), used_from=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def keep(
    session: Session,
    ground: Ground,
    number: int,
    decided: Iterable[tuple[int, Facts, Decision, str]],
    *,
    as_of: date,
    now: datetime,
) -> None:
    """Adds these decisions, made on the ground of this number, in one statement.

    Each comes with its account before it, and with the reason after it where that has been worded already.
    """
    day, moment, organisation = text_of(session, as_of), plain(session, now), ground.number
    many = [
        (organisation, account, number, day, moment, _text_of(ground, facts), outcome(decision, because))
        for account, facts, decision, because in decided
    ]
    if many:
        insert(session, "decisions", _COLUMNS, many)


def _text_of(ground: Ground, facts: Facts) -> str:
    """What was known of the account alone; the pause of the whole organisation is part of the ground."""
    if ground.pause:
        facts = facts._replace(holds=facts.holds[len(ground.pause) :])
    return _encoder.encode(facts[_SHARED:]).decode()


_COLUMNS = ("organisation_id", "account_id", "ground_id", "as_of", "at", "facts", "outcome")


def outcome(decision: Decision, because: str = "") -> str:
    """What followed, as JSON: the position in words, and a fingerprint of everything else.

    Two decisions are the same when this is. `because`: the reason of its position, where somebody has worded it.
    """
    position = decision.position
    state, assigned, step, driver = position.state, position.assigned, position.next_step, position.driver
    rest = (position.run, decision[1:])
    return _encoder.encode(
        (
            position.workflow.name,
            type(state).__name__.lower(),
            assigned.name if assigned is not None else None,
            step.name if step is not None else None,
            position.next_due_on,
            driver.number if driver is not None else None,
            because or position.because,
            hashlib.blake2b(_encoder.encode(rest), digest_size=12).hexdigest(),
        )
    ).decode()


def kept_on(session: Session, account_id: int, day: date, *, until: datetime) -> Kept | None:
    """What was known of this account at the end of that day (at the moment `until`), as of its last decision.

    None when there is no decision that early. The ground is the one in force at that moment.
    """
    row = session.scalars(
        select(DecisionRow)
        .where(col(DecisionRow.account_id) == account_id, col(DecisionRow.as_of) <= day)
        .order_by(col(DecisionRow.as_of).desc(), col(DecisionRow.id).desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    in_force = session.scalars(
        select(GroundRow)
        .where(col(GroundRow.organisation_id) == row.organisation_id, col(GroundRow.used_from) <= until)
        .order_by(col(GroundRow.id).desc())
        .limit(1)
    ).one()
    return _read(row, _content_decoder.decode(in_force.content))


def all_kept(session: Session, organisation_id: int) -> Iterator[Kept]:
    """Every decision kept for this organisation, the oldest first, each on the ground it was made on."""
    grounds = {
        row.id: _content_decoder.decode(row.content)
        for row in session.scalars(select(GroundRow).where(col(GroundRow.organisation_id) == organisation_id))
    }
    query = select(DecisionRow).where(col(DecisionRow.organisation_id) == organisation_id).order_by(col(DecisionRow.id))
    for row in session.scalars(query.execution_options(yield_per=1000)):
        yield _read(row, grounds[row.ground_id])


def _read(row: DecisionRow, content: _Content) -> Kept:
    workflows: Mapping[Ref, Workflow] = {workflow.id: workflow for workflow in content.workflows}
    of_account: tuple[Any, ...] = _facts_decoder.decode(row.facts)
    facts = Facts(content.rules, workflows, *of_account)
    facts = facts._replace(holds=content.pause + facts.holds)
    assert row.id is not None
    return Kept(row.id, row.account_id, row.as_of, row.at, facts, row.outcome)
