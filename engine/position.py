"""Where an account stands: on which workflow, at which step, waiting for what, and why.

A position is worked out from facts and a date, never counted up. What has to be remembered between two days is the
`Run`: which steps were done, and the anchor, a virtual due date that the rest of the schedule hangs on. Everything
else follows.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.holds import Hold
from engine.receivables import Ref
from engine.workflow import Step, Workflow


@dataclass(frozen=True, slots=True)
class Run:
    """From the first day something is overdue until nothing is; an assignment by hand begins a new one.

    `done` is the last completed step (None at the start) and `done_day` its day, which places it even after the step
    was removed from the workflow. Step k is due on `anchor + k.day`. `cycle` grows with each begin and each move
    back; with the step it makes the key under which a reminder can be queued only once.
    """

    workflow: Ref
    cycle: int
    anchor: date
    driver: Ref
    driver_due_on: date
    done: str | None = None
    done_day: int = 0
    last_heard_on: date | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """Nothing is overdue. The account stands at the start of its default workflow."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next step's day has not come, or it has and waits for a sending day or for the gap between reminders."""

    step: Step
    due_on: date


@dataclass(frozen=True, slots=True)
class Due:
    """The next step goes out at today's sending time."""

    step: Step
    due_on: date


@dataclass(frozen=True, slots=True)
class Pending:
    """The next step waits for a person: an approval or a call."""

    step: Step
    due_on: date


@dataclass(frozen=True, slots=True)
class Held:
    """The next step would go today, but something says not now. The first hold is the primary reason."""

    step: Step
    due_on: date
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """The last step is done and nothing follows."""


State = Clear | Waiting | Due | Pending | Held | Idle


@dataclass(frozen=True, slots=True)
class Position:
    """`assigned` is the latest step that has come due in this run (None = start); `because` says why in a sentence."""

    workflow: Workflow
    state: State
    because: str
    run: Run | None = None
    driver: OpenInvoice | None = None
    assigned: Step | None = None

    @property
    def next_step(self) -> Step | None:
        return None if isinstance(self.state, Clear | Idle) else self.state.step

    @property
    def next_due_on(self) -> date | None:
        return None if isinstance(self.state, Clear | Idle) else self.state.due_on


def next_step(run: Run, workflow: Workflow) -> Step | None:
    """The first step of the sequence that is not done yet."""
    place = workflow.place_of(run.done, run.done_day)
    return workflow.sequence[place] if place < len(workflow.sequence) else None


def due_on(run: Run, step: Step) -> date:
    return run.anchor + timedelta(days=step.day)


def lateness(run: Run, step: Step, performed_on: date, sending: SendingDays) -> int:
    """Whole days by which a step went out after its first possible sending day. Waiting for a weekday is not late."""
    return max(0, (performed_on - sending.first_from(due_on(run, step))).days)
