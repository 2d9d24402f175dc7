"""The few words that the statement itself needs, in a letter and as a PDF, in the languages that we have them in.

The firm writes the rest.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("labels.toml")


@dataclass(frozen=True, slots=True)
class Labels:
    title: str
    as_at: str
    invoice: str
    reference: str
    due: str
    status: str
    balance: str
    of_total: str
    days_overdue: str
    one_day_overdue: str
    due_today: str
    not_yet_due: str
    disputed: str
    total_overdue: str
    total_disputed: str
    total: str
    more: str
    all_elsewhere: str
    credit: str
    total_credit: str
    age_not_due: str
    age_30: str
    age_60: str
    age_90: str
    age_older: str
    issued: str
    amount: str
    page: str
    how_to_pay: str
    to: str
    account_number: str
    nothing_owed: str

    @property
    def ages(self) -> tuple[str, ...]:
        """The ageing buckets in the order of `engine.ageing.BUCKETS`."""
        return (self.age_not_due, self.age_30, self.age_60, self.age_90, self.age_older)

    def lateness(self, age: int) -> str:
        """`age` is whole days since the due date; below 0 before it."""
        if age < 0:
            return self.not_yet_due
        if age == 0:
            return self.due_today
        return self.one_day_overdue if age == 1 else self.days_overdue.format(days=age)


@cache
def labels(language: str) -> Labels:
    """The labels in this language (`de`), in English where we have no words of our own."""
    languages = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Labels(**languages.get(language, languages["en"]))
