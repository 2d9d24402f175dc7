"""The day that somebody means: "on 12 March", "next Friday", "Ende des Monats", seen from the day they wrote it.

Only days from then on are looked for, because it is about when money will come. A day that was said without its year
is the next one of that name; of two ways to read a day the later one is taken, so that nobody is chased too early.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("january jan januar jänner", "february feb februar", "march mar märz maerz mrz", "april apr"),
            *(
                "may mai",
                "june jun juni",
                "july jul juli",
                "august aug",
                "september sep sept",
                "october oct oktober okt",
            ),
            *("november nov", "december dec dezember dez"),
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            *(
                "monday mon montag",
                "tuesday tue tues dienstag",
                "wednesday wed mittwoch",
                "thursday thu thurs donnerstag",
            ),
            *("friday fri freitag", "saturday sat samstag sonnabend", "sunday sun sonntag"),
        )
    )
    for name in names.split()
}
_COUNTS = {
    name: number
    for number, names in enumerate(
        (
            *("one ein einem einer eine", "two zwei couple", "three drei", "four vier", "five fünf", "six sechs"),
            *("seven sieben", "eight acht", "nine neun", "ten zehn"),
        ),
        start=1,
    )
    for name in names.split()
}


def _any(names: dict[str, int]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_MONTH, _WEEKDAY, _COUNT = _any(_MONTHS), _any(_WEEKDAYS), rf"\d{{1,3}}|{_any(_COUNTS)}"
_NEXT = r"next|following|coming|nächste[nrs]?|naechste[nrs]?|kommende[nrs]?"
_THE_NEXT_ONE = ("next", "following", "nächst", "naechst")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)", re.IGNORECASE)


_ISO = _pattern(r"(?P<year>20\d\d)-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_FIGURES = _pattern(r"(?P<first>\d{1,2})\s?[./]\s?(?P<second>\d{1,2})(?:\s?[./]\s?(?P<year>20\d\d|\d\d)?)?")
_DAY_MONTH = _pattern(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s*(?:of\s+)?(?P<month>{_MONTH})\.?(?:,?\s+(?P<year>20\d\d))?"
)
_MONTH_DAY = _pattern(rf"(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>20\d\d))?")
_THE_NTH = _pattern(r"(?:the|by|on|am|zum|bis zum)\s+(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)(?!\s*(?:of\s+)?[a-z])")
_END_OF_MONTH = _pattern(
    rf"(?:end of|by the end of|ende)\s+(?:(?P<next>{_NEXT})\s+)?(?:the |this |des |dieses |diesen )?(?:month|monats?)"
    rf"|(?:month[- ]end|monatsende|ultimo)"
)
_END_OF_NAMED = _pattern(rf"(?:end of|ende)\s+(?P<month>{_MONTH})(?:\s+(?P<year>20\d\d))?")
_END_OF_WEEK = _pattern(
    rf"(?:end of|ende)\s+(?:(?P<next>{_NEXT})\s+)?(?:the |this |der |dieser )?(?:week|woche)|wochenende|later this week"
)
_NEXT_WEEK = _pattern(rf"(?:{_NEXT})\s+(?:week|woche)")
_NEXT_MONTH = _pattern(rf"(?:{_NEXT})\s+(?:month|monats?)")
_A_WEEKDAY = _pattern(rf"(?:(?P<next>{_NEXT})\s+)?(?P<weekday>{_WEEKDAY})")
_IN_A_WHILE = _pattern(
    rf"(?:in|within|innerhalb(?: von)?|binnen)\s+(?:the next |a |den nächsten )?(?P<count>{_COUNT}|a)?\s*"
    r"(?:of\s+)?(?:(?:working|business|more)\s+|werk|arbeits)?(?P<unit>days?|weeks?|tage[n]?|wochen?)"
)
_TODAY = _pattern(r"today|tonight|heute")
_TOMORROW = _pattern(r"(?<!guten )(?<!good )tomorrow|(?<!guten )morgen")
_OVERMORROW = _pattern(r"day after tomorrow|übermorgen|uebermorgen")


def day_meant(sentence: str, on: date) -> date | None:
    """The last day from `on` to a year later that the sentence speaks of; None when it speaks of none."""
    found = [day for day in _days(sentence, on) if day is not None and on <= day <= on + timedelta(days=366)]
    return max(found, default=None)


def _days(sentence: str, on: date) -> Iterator[date | None]:
    for match in _ISO.finditer(sentence):
        yield _day(int(match["year"]), int(match["month"]), int(match["day"]))
    for match in _FIGURES.finditer(_ISO.sub(" ", sentence)):
        yield _in_figures(match, on)
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for match in pattern.finditer(sentence):
            yield _of_year(match["year"], _MONTHS[match["month"].lower()], int(match["day"]), on)
    for match in _THE_NTH.finditer(sentence):
        yield _nth(int(match["day"]), on)
    yield from _ends(sentence, on)
    yield from _nearby(sentence, on)


def _ends(sentence: str, on: date) -> Iterator[date | None]:
    for match in _END_OF_MONTH.finditer(sentence):
        first = _month_after(on) if match["next"] else on
        yield _last_of(first.year, first.month)
    for match in _END_OF_NAMED.finditer(sentence):
        month = _MONTHS[match["month"].lower()]
        year = int(match["year"]) if match["year"] else on.year + (month < on.month)
        yield _last_of(year, month)
    for match in _END_OF_WEEK.finditer(sentence):
        yield _friday(on, weeks=1 if match["next"] else 0)
    if _NEXT_WEEK.search(sentence) and not _A_WEEKDAY.search(sentence):
        yield _friday(on, weeks=1)
    if _NEXT_MONTH.search(sentence) and not _END_OF_MONTH.search(sentence):
        first = _month_after(on)
        yield _last_of(first.year, first.month)


def _nearby(sentence: str, on: date) -> Iterator[date | None]:
    for match in _A_WEEKDAY.finditer(sentence):
        named = (match["next"] or "").lower().startswith(_THE_NEXT_ONE) or _NEXT_WEEK.search(sentence)
        yield _weekday(_WEEKDAYS[match["weekday"].lower()], on, of_next_week=bool(named))
    for match in _IN_A_WHILE.finditer(sentence):
        count = _count(match["count"])
        yield on + timedelta(days=count * (7 if match["unit"].lower().startswith("w") else 1))
    if _OVERMORROW.search(sentence):
        yield on + timedelta(days=2)
    elif _TOMORROW.search(sentence):
        yield on + timedelta(days=1)
    if _TODAY.search(sentence):
        yield on


def _in_figures(match: re.Match[str], on: date) -> date | None:
    """Day and month, in that order unless that cannot be."""
    first, second = int(match["first"]), int(match["second"])
    if second > 12:
        first, second = second, first
    year = match["year"]
    return _of_year(f"20{year}" if year and len(year) == 2 else year, second, first, on)


def _of_year(year: str | None, month: int, day: int, on: date) -> date | None:
    if year:
        return _day(int(year), month, day)
    this = _day(on.year, month, day)
    return this if this is not None and this >= on else _day(on.year + 1, month, day)


def _nth(day: int, on: date) -> date | None:
    later = _month_after(on)
    this = _day(on.year, on.month, day)
    return this if this is not None and this >= on else _day(later.year, later.month, day)


def _weekday(weekday: int, on: date, *, of_next_week: bool) -> date:
    if of_next_week:
        monday = on - timedelta(days=on.weekday()) + timedelta(days=7)
        return monday + timedelta(days=weekday)
    return on + timedelta(days=(weekday - on.weekday() - 1) % 7 + 1)


def _friday(on: date, *, weeks: int) -> date:
    friday = on - timedelta(days=on.weekday()) + timedelta(days=4 + 7 * weeks)
    return friday if friday >= on else friday + timedelta(days=7)


def _month_after(on: date) -> date:
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _count(text: str | None) -> int:
    if not text or text.lower() == "a":
        return 1
    return int(text) if text.isdigit() else _COUNTS[text.lower()]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
