"""Where an account stands: on which workflow, at which step, waiting for what, and why.

A position is worked out from facts and a date, never counted up. What has to be remembered between two days is the
`Run`: which steps were done, and the anchor, a virtual due date that the rest of the schedule hangs on. Everything
else follows.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.holds import Hold, sentence
from engine.receivables import Ref
from engine.words import days, in_words
from engine.workflow import Step, Workflow


class Passed(NamedTuple):
    """A workflow that the account left over its link, and the age in days from which that link leads on."""

    workflow: Ref
    threshold: int


@dataclass(frozen=True, slots=True)
class Run:
    """From the first day something is overdue until nothing is; an assignment by hand begins a new one.

    `done` is the last completed step (None at the start), `done_day` its day, which places it even after the step was
    removed from the workflow, and `repeats` how often the last step was repeated. Step k is due on `anchor + k.day`.
    `performed`: some step was performed on this workflow, so the anchor no longer simply follows the driver. `by_hand`:
    a person chose the workflow. `path`: the links it came over. `ended`: it came to rest at the end of its workflow,
    and stays there whatever is added to it. `cycle` grows whenever a step may rightly come round again; with the step
    it makes the key under which a reminder can be queued only once.
    """

    workflow: Ref
    cycle: int
    anchor: date
    driver: Ref
    driver_due_on: date
    done: str | None = None
    done_day: int = 0
    repeats: int = 0
    last_heard_on: date | None = None
    performed: bool = False
    by_hand: bool = False
    path: tuple[Passed, ...] = ()
    ended: bool = False


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
class Leaving:
    """The last step is done; on that day, or the first possible one after it, the linked workflow takes over."""

    to: Ref
    on: date


@dataclass(frozen=True, slots=True)
class Idle:
    """The last step is done and nothing follows."""


State = Clear | Waiting | Due | Pending | Held | Leaving | Idle
AT_A_STEP = (Waiting, Due, Pending, Held)
"""The states that have a step before them, and its day."""


class Position(NamedTuple):
    """Where an account stands on the day `as_of`.

    `assigned` is the latest step that has come due in this run (None = start). `told` is the reason where something
    happened; where nothing did, `because` words it from what is known.
    """

    workflow: Workflow
    state: State
    as_of: date
    run: Run | None = None
    driver: OpenInvoice | None = None
    assigned: Step | None = None
    told: str = ""

    @property
    def because(self) -> str:
        """Why it stands there, in a sentence without its full stop."""
        return self.told or _because(self)

    @property
    def next_step(self) -> Step | None:
        state = self.state
        return state.step if isinstance(state, AT_A_STEP) else None

    @property
    def next_due_on(self) -> date | None:
        state = self.state
        return state.due_on if isinstance(state, AT_A_STEP) else None


def place_done(run: Run, workflow: Workflow) -> int:
    """How many places of the sequence are behind it."""
    return workflow.place_of(run.done, run.done_day, run.repeats)


def due_at(run: Run, workflow: Workflow, place: int) -> date:
    """The day on which this place is due."""
    return run.anchor + timedelta(days=workflow.day_of(place))


def lateness(due_on: date, performed_on: date, sending: SendingDays) -> int:
    """Whole days by which a step went out after its first possible sending day. Waiting for a weekday is not late."""
    return max(0, (performed_on - sending.first_from(due_on)).days)


def oldest(driver: OpenInvoice, as_of: date) -> str:
    return f"{driver.number} is the oldest overdue invoice at {days(driver.age(as_of))}"


def _because(position: Position) -> str:
    where = f"{oldest(position.driver, position.as_of)}; " if position.driver is not None else ""
    match position.state:
        case Due(step=step):
            return f"{where}{step.name} is due"
        case Waiting(step=step, due_on=on) if on > position.as_of:
            return f"{where}{step.name} follows on {in_words(on)}"
        case Waiting(step=step):
            return f"{where}{step.name} is due and waits for the next possible day"
        case Clear():
            return "nothing is overdue"
        case Idle():
            done = position.workflow.length > 0
            return f"{where}every step is done and nothing follows" if done else f"{where}the workflow has no steps"
        case Leaving(on=on):
            moment = f"on {in_words(on)}" if on > position.as_of else "on the next possible day"
            return f"{where}every step is done; the linked workflow takes over {moment}"
        case Held(step=step, holds=holds):
            return f"{where}{step.name} is due, but {sentence(holds[0])}"
        case Pending(step=step):
            return f"{where}{step.name} waits for a person"
