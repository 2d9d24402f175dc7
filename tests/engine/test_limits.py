"""Mirrors engine/limits.py and engine/contact_hours.py: when, and how often, a debtor may be contacted."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.calendars import civil_date, moment_of
from engine.limit_presets import PRESETS
from engine.limits import Cap, Contacted, ContactRules, Opening, Window, cap_reached, first_open
from engine.workflow import Channel

EMAIL, SMS, CALL = Channel.EMAIL, Channel.SMS, Channel.CALL
ALL = frozenset(Channel)
EVERY_DAY, MON_TO_FRI = frozenset(range(7)), frozenset(range(5))
LONDON, NEW_YORK, LOS_ANGELES = ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")

SOME_HOURS = ContactRules("some", "Some hours", windows=(Window(ALL, EVERY_DAY, time(8), time(20)),))
WORKING_DAYS = ContactRules("working", "Working days", windows=(Window(ALL, MON_TO_FRI, time(9), time(18)),))
THREE_A_WEEK = ContactRules("three", "Three a week", caps=(Cap(3, 7),))


def on(day: str, channel: Channel = EMAIL, *, conversation: bool = False) -> Contacted:
    return Contacted(date.fromisoformat(day), channel, conversation)


def at(moment: str, zone: tzinfo = LONDON) -> datetime:
    """A wall-clock time in this zone, in UTC."""
    local = datetime.fromisoformat(moment)
    return moment_of(local.date(), local.time(), zone)


# Hours


def test_a_text_message_due_while_the_window_is_open_goes_at_once() -> None:
    assert first_open(SOME_HOURS, SMS, at("2026-07-03T08:00"), zones=[LONDON]) == Opening(at("2026-07-03T08:00"), "")


def test_a_text_message_due_at_nine_in_the_evening_waits_for_the_morning_where_the_debtor_lives() -> None:
    opening = first_open(SOME_HOURS, SMS, at("2026-07-03T21:00", NEW_YORK), zones=[NEW_YORK])

    assert opening.at == at("2026-07-04T08:00", NEW_YORK) == datetime(2026, 7, 4, 12, tzinfo=UTC)
    assert opening.because == (
        "8 pm to 8 am is closed for text messages where the debtor lives; open again on 4 July 2026 at 08:00"
    )


def test_nine_in_the_morning_at_the_organisation_is_still_night_where_the_debtor_lives() -> None:
    opening = first_open(SOME_HOURS, CALL, at("2026-07-03T09:00", LONDON), zones=[LOS_ANGELES])

    assert opening.at == at("2026-07-03T08:00", LOS_ANGELES)


def test_the_minute_at_which_a_window_closes_is_closed() -> None:
    last = at("2026-07-03T20:00") - timedelta(microseconds=1)

    assert first_open(SOME_HOURS, SMS, last, zones=[LONDON]) == Opening(last, "")
    assert first_open(SOME_HOURS, SMS, at("2026-07-03T20:00"), zones=[LONDON]).at == at("2026-07-04T08:00")


def test_a_reminder_of_friday_evening_waits_for_monday_where_weekends_are_closed() -> None:
    opening = first_open(WORKING_DAYS, EMAIL, at("2026-07-03T18:30"), zones=[LONDON])

    assert opening == Opening(
        at("2026-07-06T09:00"),
        "Friday 6 pm to Monday 9 am is closed for emails where the debtor lives; open again on 6 July 2026 at 09:00",
    )


def test_a_lunch_break_between_two_windows_is_closed_too() -> None:
    rules = ContactRules(
        "shop",
        "A shop",
        windows=(Window(ALL, EVERY_DAY, time(9), time(12)), Window(ALL, EVERY_DAY, time(13, 30), time(18))),
    )

    opening = first_open(rules, CALL, at("2026-07-03T12:10"), zones=[LONDON])

    assert first_open(rules, CALL, at("2026-07-03T11:00"), zones=[LONDON]).because == ""
    assert opening.at == at("2026-07-03T13:30")
    assert opening.because.startswith("12 pm to 1:30 pm is closed for calls")


def test_windows_that_touch_are_one_window() -> None:
    rules = ContactRules(
        "two",
        "Two halves",
        windows=(Window(ALL, EVERY_DAY, time(9), time(12)), Window(ALL, EVERY_DAY, time(12), time(18))),
    )

    assert first_open(rules, CALL, at("2026-07-03T12:00"), zones=[LONDON]).because == ""


def test_a_medium_that_no_window_names_may_reach_the_debtor_at_any_hour() -> None:
    rules = ContactRules("phone", "Phone only", windows=(Window(frozenset({CALL}), MON_TO_FRI, time(9), time(17)),))

    assert first_open(rules, EMAIL, at("2026-07-05T03:00"), zones=[LONDON]).because == ""
    assert first_open(rules, CALL, at("2026-07-05T03:00"), zones=[LONDON]).at == at("2026-07-06T09:00")


def test_a_window_that_closes_at_midnight_lasts_to_the_end_of_the_day() -> None:
    rules = ContactRules("week", "No Sundays", windows=(Window(ALL, frozenset(range(6)), time(0), time(0)),))

    assert first_open(rules, EMAIL, at("2026-07-04T23:59"), zones=[LONDON]).because == ""
    assert first_open(rules, EMAIL, at("2026-07-05T00:00"), zones=[LONDON]) == Opening(
        at("2026-07-06T00:00"),
        "Sunday 12 am to Monday 12 am is closed for emails where the debtor lives; open again on 6 July 2026 at 00:00",
    )


@pytest.mark.parametrize(("opens", "closes"), [(time(20), time(8)), (time(8), time(8))])
def test_a_window_that_closes_before_it_opens_is_refused(opens: time, closes: time) -> None:
    with pytest.raises(ValueError, match="closes after it opens"):
        Window(ALL, EVERY_DAY, opens, closes)


# Holidays


def test_a_call_waits_for_the_day_after_the_holiday_where_the_rules_close_holidays() -> None:
    rules = ContactRules("quiet", "Quiet", windows=SOME_HOURS.windows, holidays_closed=frozenset({CALL}))
    christmas = frozenset({date(2026, 12, 25)})

    call = first_open(rules, CALL, at("2026-12-25T10:00"), zones=[LONDON], holidays=christmas)
    email = first_open(rules, EMAIL, at("2026-12-25T10:00"), zones=[LONDON], holidays=christmas)

    assert call.at == at("2026-12-26T08:00")
    assert call.because == (
        "25 December 2026 is a holiday, closed for calls where the debtor lives; "
        "open again on 26 December 2026 at 08:00"
    )
    assert email.because == ""


def test_a_holiday_closes_even_a_medium_that_has_no_hours() -> None:
    rules = ContactRules("quiet", "Quiet", holidays_closed=frozenset({EMAIL}))
    holiday = frozenset({date(2026, 12, 25)})

    assert first_open(rules, EMAIL, at("2026-12-25T10:00"), zones=[LONDON], holidays=holiday).at == at(
        "2026-12-26T00:00"
    )


def test_the_evening_before_a_holiday_waits_until_the_morning_after_it() -> None:
    rules = ContactRules("quiet", "Quiet", windows=SOME_HOURS.windows, holidays_closed=ALL)
    holiday = frozenset({date(2026, 12, 25)})

    opening = first_open(rules, SMS, at("2026-12-24T21:00"), zones=[LONDON], holidays=holiday)

    assert opening.at == at("2026-12-26T08:00")
    assert opening.because.startswith("8 pm to 8 am is closed for text messages")


def test_a_holiday_is_a_date_on_the_debtors_calendar() -> None:
    rules = ContactRules("quiet", "Quiet", windows=SOME_HOURS.windows, holidays_closed=ALL)
    holiday = frozenset({date(2026, 7, 3)})
    evening_of_the_second = at("2026-07-02T19:00", LOS_ANGELES)  # already the third in London

    assert first_open(rules, SMS, evening_of_the_second, zones=[LOS_ANGELES], holidays=holiday).because == ""


# A time zone that is not known for sure


def test_it_is_open_only_when_every_zone_the_debtor_may_live_in_is_open() -> None:
    opening = first_open(SOME_HOURS, CALL, at("2026-07-03T08:30", NEW_YORK), zones=[NEW_YORK, LOS_ANGELES])

    assert opening.at == at("2026-07-03T08:00", LOS_ANGELES)
    assert opening.because == (
        "8 pm to 8 am is closed for calls in America/Los_Angeles, where the debtor may live; "
        "open again on 3 July 2026 at 11:00 (America/New_York)"
    )


def test_an_evening_in_the_east_is_over_although_the_west_is_still_open() -> None:
    opening = first_open(SOME_HOURS, CALL, at("2026-07-03T21:00", NEW_YORK), zones=[LOS_ANGELES, NEW_YORK])

    assert opening.at == at("2026-07-04T08:00", LOS_ANGELES)
    assert "in America/New_York, where the debtor may live" in opening.because


def test_zones_that_never_share_an_open_hour_are_refused_with_a_sentence() -> None:
    east, west = timezone(timedelta(hours=12)), timezone(timedelta(0))

    with pytest.raises(ValueError, match=r"no moment within 366 days is open for calls; see “Working days”"):
        first_open(WORKING_DAYS, CALL, at("2026-07-03T12:00"), zones=[east, west])


def test_rules_without_a_single_open_weekday_are_refused_with_a_sentence() -> None:
    rules = ContactRules("shut", "Shut", windows=(Window(ALL, frozenset(), time(9), time(17)),))

    with pytest.raises(ValueError, match="no moment within 366 days is open for emails"):
        first_open(rules, EMAIL, at("2026-07-03T12:00"), zones=[LONDON])


def test_a_year_of_holidays_is_refused_and_a_year_but_one_day_is_waited_for() -> None:
    rules = ContactRules("quiet", "Quiet", holidays_closed=ALL)
    first = date(2026, 1, 1)
    asked = at("2026-01-01T00:00")
    year = [first + timedelta(days=count) for count in range(367)]

    assert first_open(rules, CALL, asked, zones=[LONDON], holidays=frozenset(year[:-1])).at == at("2027-01-02T00:00")
    with pytest.raises(ValueError, match="no moment within 366 days"):
        first_open(rules, CALL, asked, zones=[LONDON], holidays=frozenset(year))


@pytest.mark.parametrize(("moment", "zones"), [(datetime(2026, 7, 3, 12), [LONDON]), (at("2026-07-03T12:00"), [])])
def test_a_moment_or_a_debtor_without_a_time_zone_is_refused(moment: datetime, zones: list[tzinfo]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        first_open(SOME_HOURS, CALL, moment, zones=zones)


def test_a_moment_on_any_clock_is_answered_in_utc() -> None:
    opening = first_open(SOME_HOURS, CALL, datetime(2026, 7, 3, 12, tzinfo=NEW_YORK), zones=[NEW_YORK])

    assert (opening.at, opening.at.tzinfo, opening.because) == (datetime(2026, 7, 3, 16, tzinfo=UTC), UTC, "")


# Clocks that are put forward and back


def test_the_morning_is_eight_on_the_wall_on_the_day_the_clocks_change() -> None:
    forward = first_open(SOME_HOURS, SMS, at("2026-03-28T21:00"), zones=[LONDON])
    back = first_open(SOME_HOURS, SMS, at("2026-10-24T21:00"), zones=[LONDON])

    assert forward.at == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert back.at == datetime(2026, 10, 25, 8, tzinfo=UTC)


def test_a_window_whose_opening_the_clocks_skip_opens_at_the_first_moment_after_it() -> None:
    rules = ContactRules("night", "Night", windows=(Window(ALL, EVERY_DAY, time(1, 30), time(5)),))

    opening = first_open(rules, EMAIL, at("2026-03-29T00:10"), zones=[LONDON])

    assert opening.at == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert opening.because.endswith("open again on 29 March 2026 at 02:00")


def test_a_window_whose_opening_comes_twice_opens_the_first_time() -> None:
    rules = ContactRules("night", "Night", windows=(Window(ALL, EVERY_DAY, time(1, 30), time(5)),))

    assert first_open(rules, EMAIL, at("2026-10-25T00:10"), zones=[LONDON]).at == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_window_whose_closing_comes_twice_closes_the_first_time() -> None:
    rules = ContactRules("night", "Night", windows=(Window(ALL, EVERY_DAY, time(0, 30), time(1, 30)),))
    again = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # a quarter past one, for the second time

    assert first_open(rules, EMAIL, again, zones=[LONDON]).at == at("2026-10-26T00:30")


def test_a_window_that_the_clocks_skip_altogether_opens_on_the_next_day() -> None:
    rules = ContactRules("night", "Night", windows=(Window(ALL, EVERY_DAY, time(1, 15), time(1, 45)),))

    opening = first_open(rules, EMAIL, at("2026-03-29T00:10"), zones=[LONDON])

    assert opening.at == at("2026-03-30T01:15")
    assert opening.because.startswith("Saturday 1:45 am to Monday 1:15 am is closed for emails")


def test_a_weekly_window_that_the_clocks_skip_altogether_opens_a_week_later() -> None:
    rules = ContactRules("night", "Night", windows=(Window(ALL, frozenset({6}), time(1, 15), time(1, 45)),))

    for asked in ("2026-03-29T00:10", "2026-04-05T00:10"):
        assert first_open(rules, EMAIL, at(asked), zones=[LONDON]) == Opening(
            at("2026-04-05T01:15"),
            "Sunday 1:45 am to Sunday 1:15 am is closed for emails where the debtor lives; "
            "open again on 5 April 2026 at 01:15",
        )


def test_a_day_that_begins_at_one_because_the_clocks_skip_midnight_opens_at_one() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    rules = ContactRules("fridays", "Fridays", windows=(Window(ALL, frozenset({4}), time(0), time(0)),))

    opening = first_open(rules, EMAIL, at("2026-04-23T12:00", cairo), zones=[cairo])

    assert opening.at.astimezone(cairo).replace(tzinfo=None) == datetime(2026, 4, 24, 1)


# How often


def test_the_fourth_contact_in_a_week_waits_until_the_first_of_the_three_is_a_week_old() -> None:
    contacted = [on("2026-06-27"), on("2026-06-29", SMS), on("2026-07-01", CALL)]

    assert cap_reached(THREE_A_WEEK, EMAIL, date(2026, 7, 4), contacted) is None
    reached = cap_reached(THREE_A_WEEK, EMAIL, date(2026, 7, 3), contacted)
    assert reached is not None
    assert (reached.cap, reached.open_on) == (Cap(3, 7), date(2026, 7, 4))
    assert reached.because == "3 contacts in 7 days are the most; the next may go on 4 July 2026"


def test_contacts_are_counted_in_whichever_order_they_are_handed_in() -> None:
    contacted = [on("2026-07-01", CALL), on("2026-06-27"), on("2026-01-01"), on("2026-06-29", SMS)]

    reached = cap_reached(THREE_A_WEEK, EMAIL, date(2026, 7, 3), contacted)

    assert reached is not None and reached.open_on == date(2026, 7, 4)


def test_one_contact_is_the_most_reads_as_one() -> None:
    assert Cap(1, 1).sentence == "1 contact in 1 day is the most"
    assert Cap(1, 7, frozenset({SMS})).sentence == "1 text message in 7 days is the most"
    assert Cap(7, 7, frozenset({CALL})).sentence == "7 calls in 7 days are the most"
    assert Cap(2, 7, frozenset({SMS, EMAIL})).sentence == "2 emails or text messages in 7 days are the most"


def test_of_two_caps_the_one_that_opens_last_is_named() -> None:
    rules = ContactRules("two", "Two caps", caps=(Cap(1, 2), Cap(3, 30)))
    contacted = [on("2026-06-01"), on("2026-06-10"), on("2026-06-20")]

    reached = cap_reached(rules, EMAIL, date(2026, 6, 21), contacted)

    assert reached is not None
    assert (reached.cap, reached.open_on) == (Cap(3, 30), date(2026, 7, 1))


def test_a_cap_on_calls_neither_counts_nor_stops_emails() -> None:
    rules = ContactRules("calls", "Calls", caps=(Cap(1, 7, frozenset({CALL})),))

    assert cap_reached(rules, EMAIL, date(2026, 7, 2), [on("2026-07-01", CALL)]) is None
    assert cap_reached(rules, CALL, date(2026, 7, 2), [on("2026-07-01", EMAIL)]) is None
    assert cap_reached(rules, CALL, date(2026, 7, 2), [on("2026-07-01", CALL)]) is not None


def test_no_call_follows_a_conversation_within_a_week_and_an_email_may() -> None:
    rules = ContactRules("rest", "Rest", cooldown_days=7)
    spoken = [on("2026-07-01", CALL, conversation=True)]

    reached = cap_reached(rules, CALL, date(2026, 7, 7), spoken)
    assert reached is not None
    assert (reached.cap, reached.open_on) == (None, date(2026, 7, 8))
    assert reached.because == "no call may follow a conversation within 7 days; the next may go on 8 July 2026"
    assert cap_reached(rules, CALL, date(2026, 7, 8), spoken) is None
    assert cap_reached(rules, EMAIL, date(2026, 7, 2), spoken) is None


def test_a_call_that_nobody_answered_starts_no_rest() -> None:
    rules = ContactRules("rest", "Rest", cooldown_days=7)

    assert cap_reached(rules, CALL, date(2026, 7, 2), [on("2026-07-01", CALL)]) is None


@pytest.mark.parametrize(("most", "days"), [(0, 7), (3, 0)])
def test_a_cap_of_nothing_is_refused(most: int, days: int) -> None:
    with pytest.raises(ValueError, match="at least one contact and one day"):
        Cap(most, days)


def test_a_full_week_waits_for_its_day_and_then_for_the_hours_of_that_day() -> None:
    rules = ContactRules("both", "Both", windows=WORKING_DAYS.windows, caps=(Cap(3, 7),))
    contacted = [on("2026-06-27"), on("2026-06-29"), on("2026-07-01")]  # opens on 4 July, a Saturday

    opening = first_open(rules, SMS, at("2026-07-02T10:00"), zones=[LONDON], contacted=contacted)

    assert opening == Opening(
        at("2026-07-06T09:00"), "3 contacts in 7 days are the most; the next may go on 6 July 2026 at 09:00"
    )


def test_contacts_are_counted_on_the_calendar_their_dates_were_read_from() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    rules = ContactRules("one", "One a day", caps=(Cap(1, 1),))
    contacted = [on("2026-07-03")]
    asked = at("2026-07-03T23:00", sydney)

    by_the_debtor = first_open(rules, EMAIL, asked, zones=[LOS_ANGELES], contacted=contacted)
    by_the_organisation = first_open(rules, EMAIL, asked, zones=[LOS_ANGELES], contacted=contacted, counted_in=sydney)

    assert by_the_debtor.at == at("2026-07-04T00:00", LOS_ANGELES)
    assert by_the_organisation.at == at("2026-07-04T00:00", sydney)


# Always and never, over the days on which the clocks change

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/London",
        "America/New_York",
        "America/Santiago",  # changes at midnight
        "America/Havana",  # skips midnight
        "Africa/Cairo",  # skips midnight, on a Friday
        "Africa/Casablanca",  # goes back for Ramadan
        "Asia/Beirut",
        "Asia/Kathmandu",  # 5:45 ahead
        "Australia/Lord_Howe",  # half an hour
        "Pacific/Chatham",  # 12:45 ahead, at 2:45
    )
]
FROM, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


@cache
def transitions(zone: tzinfo) -> list[datetime]:
    """The hours of 2024 to 2035 in which the clocks of this zone change; the first and last for one that never does."""
    found, before = [FROM, UNTIL], FROM
    while before < UNTIL:
        after = before + timedelta(days=1)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            hours = [before + timedelta(hours=count) for count in range(25)]
            offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
            found.append(hours[next(count for count in range(24) if offsets[count] != offsets[count + 1])])
        before = after
    return found


@st.composite
def moments(draw: st.DrawFn, zones: Sequence[tzinfo] = ZONES) -> datetime:
    """A moment within two days of a change of the clocks, or any other."""
    near = draw(st.sampled_from(transitions(draw(st.sampled_from(zones)))))
    anything = draw(st.integers(0, int((UNTIL - FROM).total_seconds()) // 60))
    shift = draw(st.integers(-2 * 24 * 60, 2 * 24 * 60))
    if draw(st.booleans()):
        return near + timedelta(minutes=shift)
    return FROM + timedelta(minutes=anything)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    first, last = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True)))
    return Window(
        draw(st.frozensets(st.sampled_from(Channel), min_size=1)),
        draw(st.frozensets(st.integers(0, 6), min_size=1)),
        time(first // 4, first % 4 * 15),
        time(last // 4 % 24, last % 4 * 15),
    )


CAPS = st.builds(Cap, st.integers(1, 4), st.integers(1, 31), st.frozensets(st.sampled_from(Channel), min_size=1))
RULES = st.one_of(
    st.sampled_from(list(PRESETS.values())),
    st.builds(
        ContactRules,
        st.just("drawn"),
        st.just("Drawn"),
        windows=st.lists(windows(), max_size=4).map(tuple),
        caps=st.lists(CAPS, max_size=3).map(tuple),
        holidays_closed=st.frozensets(st.sampled_from(Channel)),
        cooldown_days=st.integers(0, 10),
    ),
)
CHANNELS = st.sampled_from(Channel)
WHERE = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique_by=str)
KNOWN = st.sampled_from(ZONES).map(lambda zone: [zone])


@st.composite
def asked(draw: st.DrawFn, *, where: st.SearchStrategy[list[ZoneInfo]] = WHERE):  # type: ignore[no-untyped-def]
    """Rules, a channel, a moment, and everything else that is handed in."""
    zones = draw(where)
    moment = draw(moments(zones))
    days = st.integers(-20, 5).map(lambda offset: moment.date() + timedelta(days=offset))
    contacted = draw(st.lists(st.builds(Contacted, days, CHANNELS, st.booleans()), max_size=8))
    holidays = draw(st.frozensets(st.integers(-2, 9).map(lambda ahead: moment.date() + timedelta(days=ahead))))
    return draw(RULES), draw(CHANNELS), moment, {"zones": zones, "contacted": contacted, "holidays": holidays}


def opening_of(rules, channel, moment, facts) -> Opening:  # type: ignore[no-untyped-def]
    """The opening; a draw whose zones never share an open hour is another test's."""
    try:
        return first_open(rules, channel, moment, **facts)
    except ValueError:
        assume(False)
        raise


def open_on_the_wall(
    rules: ContactRules, channel: Channel, moment: datetime, zone: tzinfo, holidays=frozenset()
) -> bool:  # type: ignore[no-untyped-def]
    """What somebody in that zone would say who looks at the clock and the calendar on the wall."""
    local = moment.astimezone(zone)
    if channel in rules.holidays_closed and local.date() in holidays:
        return False
    named = [window for window in rules.windows if channel in window.channels]
    return not named or any(
        local.weekday() in window.weekdays
        and window.opens <= local.time()
        and (window.closes == time(0) or local.time() < window.closes)
        for window in named
    )


@settings(max_examples=300, deadline=None)
@given(asked())
def test_nothing_ever_opens_before_it_is_due_and_whatever_waits_says_why(question) -> None:  # type: ignore[no-untyped-def]
    rules, channel, moment, facts = question
    opening = opening_of(rules, channel, moment, facts)

    assert moment <= opening.at <= moment + timedelta(days=366)
    assert (opening.because == "") == (opening.at == moment)
    local = opening.at.astimezone(facts["zones"][0])
    assert not opening.because or f"{local.day} {local:%B %Y} at {local:%H:%M}" in opening.because


@settings(max_examples=300, deadline=None)
@given(asked())
def test_an_opening_is_always_open(question) -> None:  # type: ignore[no-untyped-def]
    rules, channel, moment, facts = question
    opening = opening_of(rules, channel, moment, facts)

    assert first_open(rules, channel, opening.at, **facts) == Opening(opening.at, "")


@settings(max_examples=300, deadline=None)
@given(asked(), st.integers(0, 10 * 24 * 60))
def test_who_asks_later_never_gets_an_earlier_opening(question, minutes: int) -> None:  # type: ignore[no-untyped-def]
    rules, channel, moment, facts = question
    later = moment + timedelta(minutes=minutes)

    assert opening_of(rules, channel, moment, facts).at <= opening_of(rules, channel, later, facts).at


@settings(max_examples=300, deadline=None)
@given(asked(), st.integers(0, 1_000_000))
def test_no_moment_between_the_question_and_the_opening_is_open(question, part: int) -> None:  # type: ignore[no-untyped-def]
    rules, channel, moment, facts = question
    opening = opening_of(rules, channel, moment, facts)
    assume(opening.at > moment)
    between = moment + (opening.at - moment) * part / 1_000_001

    assert first_open(rules, channel, between, **facts).at == opening.at


PLAIN = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
BY_DAYLIGHT = st.tuples(st.sampled_from(list(PRESETS.values())), WHERE)  # no window opens or closes at night
ON_PLAIN_CLOCKS = st.tuples(RULES, st.lists(PLAIN, min_size=1, max_size=3))  # which nobody ever puts forward or back


@settings(max_examples=200, deadline=None)
@given(st.one_of(BY_DAYLIGHT, ON_PLAIN_CLOCKS), asked())
def test_the_opening_is_the_very_first_quarter_of_an_hour_that_all_walls_agree_on(drawn, question) -> None:  # type: ignore[no-untyped-def]
    """Looked up on the wall clocks of all zones, quarter by quarter, which is slow and plainly right."""
    (rules, zones), (_, channel, moment, facts) = drawn, question
    moment -= timedelta(minutes=moment.minute % 15)
    holidays = facts["holidays"]
    opening = opening_of(rules, channel, moment, {"zones": zones, "holidays": holidays})
    walls = (moment + timedelta(minutes=15 * count) for count in range(366 * 24 * 4))

    assert opening.at == next(
        wall for wall in walls if all(open_on_the_wall(rules, channel, wall, zone, holidays) for zone in zones)
    )


@settings(max_examples=150, deadline=None)
@given(RULES, KNOWN, moments(), st.lists(st.tuples(CHANNELS, st.booleans()), min_size=1, max_size=25))
def test_contacts_made_one_after_another_at_each_opening_never_exceed_a_cap(rules, zones, moment, made) -> None:  # type: ignore[no-untyped-def]
    contacted: list[Contacted] = []
    for channel, spoken in made:
        moment = opening_of(rules, channel, moment, {"zones": zones, "contacted": contacted}).at
        contacted.append(Contacted(civil_date(moment, zones[0]), channel, spoken and channel is CALL))

    for cap in rules.caps:
        counted = [one.on for one in contacted if one.channel in cap.channels]
        assert all(
            sum(first <= other < first + timedelta(days=cap.days) for other in counted) <= cap.most for first in counted
        )
    for place, one in enumerate(contacted):
        rested = one.on + timedelta(days=rules.cooldown_days)
        assert not one.conversation or all(
            later.on >= rested for later in contacted[place + 1 :] if later.channel is CALL
        )


@settings(max_examples=100, deadline=None)
@given(RULES, CHANNELS, st.lists(st.builds(Contacted, st.dates(date(2026, 6, 1), date(2026, 7, 31)), CHANNELS)))
def test_a_cap_is_open_on_the_day_it_names_and_on_no_day_before(rules, channel, contacted) -> None:  # type: ignore[no-untyped-def]
    day = date(2026, 7, 31)
    if reached := cap_reached(rules, channel, day, contacted):
        assert cap_reached(rules, channel, reached.open_on, contacted) is None
        assert cap_reached(rules, channel, reached.open_on - timedelta(days=1), contacted) == reached
