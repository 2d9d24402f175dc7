"""A simulation in sentences, for the command line and for the page alike: the totals, what is taken for granted, and
what it costs.
"""

from decimal import Decimal

from engine.forecast import Payers, Whose
from engine.message_calendar import by_account, by_channel, by_day, calls_a_person, cost, segments
from engine.story import People
from engine.words import days as counted_days
from engine.words import in_words
from engine.workflow import Channel
from jobs.simulate import Simulation

NOBODY_KNOWN = (
    "No payment has been seen yet, so every account is taken to pay on the due date; what is overdue already is not "
    "taken to be paid in these days."
)
NAMES = {Channel.EMAIL: "email", Channel.SMS: "text message", Channel.CALL: "call"}


def span(told: Simulation) -> str:
    """`30 days, 2 March 2026 to 31 March 2026`."""
    return f"{counted_days((told.until - told.start).days + 1)}, {in_words(told.start)} to {in_words(told.until)}"


def headline(told: Simulation) -> list[str]:
    """The totals in a sentence or two."""
    if_so = "If nobody pays" if told.payers is Payers.NOBODY else "If everybody pays as usual"
    lines = []
    if not told.messages:
        lines.append(f"{if_so}, nothing goes to the {many(told.owing, 'account')} with an open invoice.")
    else:
        counts = by_channel(told.messages)
        what = and_([many(count, NAMES[channel]) for channel, count in counts.items()])
        to, verb = len(by_account(told.messages)), "goes" if sum(counts.values()) == 1 else "go"
        some = f"{to:,} of the {many(told.owing, 'account')}" if to < told.owing else "every account"
        lines.append(f"{if_so}, {what} {verb} to {some} with an open invoice.")
    if told.payers is Payers.AT_THEIR_MEDIAN:
        paid = sum(len(one.expected.invoices) for one in told.payments)
        payers = len({one.account for one in told.payments})
        lines.append(f"{many(payers, 'account')} would pay {many(paid, 'invoice')} in these days.")
    return lines


def assumptions(told: Simulation) -> list[str]:
    """What is taken for granted, so that nobody takes it for a promise."""
    return [*paused(told), *backlog(told), *as_usual(told), taken_for_granted(told)]


def paused(told: Simulation) -> list[str]:
    pause = "Nothing leaves at present; this is what would go if sending were on."
    return [pause] if told.paused else []


def backlog(told: Simulation) -> list[str]:
    """How those are begun with that were never written to, where not all of them may be at once."""
    if not told.turns and not told.turns_later:
        return []
    most = max(told.turns.values(), default=0)
    later = f" {many(told.turns_later, 'account')} more will have a turn after these days." if told.turns_later else ""
    return [
        f"{many(sum(told.turns.values()), 'account')} would be written to for the first time, at most {most:,} of them "
        f"on one day, the oldest debt first.{later}"
    ]


def as_usual(told: Simulation) -> list[str]:
    if told.payers is Payers.NOBODY:
        return []
    own = sum(habit.whose is Whose.ITS_OWN for habit in told.habits.values())
    if all(habit.whose is Whose.NOBODY for habit in told.habits.values()):
        return [NOBODY_KNOWN]
    others = (
        f" {own:,} of the {many(len(told.habits), 'account')} have a past of their own (three invoices or more); the "
        "others are taken to pay as all accounts together do."
    )
    return [
        "As usual means: as late as the median of the invoices that an account has settled."
        f"{others if own < len(told.habits) else ''} An invoice that is later than usual already is taken to be paid "
        "when half of those that were as late had been."
    ]


def taken_for_granted(told: Simulation) -> str:
    prompt = told.people is People.PROMPT
    people = "people do on the same day what waits for them" if prompt else "nobody does what waits for people"
    return (
        f"The ledger is read every day, {people}, no new invoice comes, and nobody answers, promises or disputes. "
        "Monthly statements and thank-you letters are left out."
    )


def costs(told: Simulation, price: Decimal | None = None) -> list[str]:
    """What text messages cost (where the price of a segment is known) and what calls ask of people."""
    calendar = by_day(told.messages, told.start, told.until)
    counts, lines = by_channel(told.messages), []
    if texts := counts.get(Channel.SMS):
        of = f"{many(texts, 'text message')} of {many(segments(told.messages), 'segment')} in all"
        priced = f": {cost(told.messages, price):,.2f} at {price} a segment" if price is not None else ""
        lines.append(f"{of}{priced}.")
    if skipped := sum(day.skipped for day in calendar):
        lines.append(f"{many(skipped, 'text message')} would be skipped: there is no mobile number that may be texted.")
    if calls := counts.get(Channel.CALL):
        busiest = max(calendar, key=lambda day: day.counts.get(Channel.CALL, 0))
        that_day = busiest.counts[Channel.CALL]
        each = calls_a_person(that_day, told.workers)
        share = f": {each} for each of {many(told.workers, 'person', 'people')}" if told.workers > 1 else ""
        lines.append(f"{many(calls, 'call')}; {that_day} on the busiest day, {in_words(busiest.on)}{share}.")
    return lines


def many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def and_(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
