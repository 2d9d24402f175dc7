"""Mirrors engine/limit_presets.py: the numbers of each country, as its law or its regulator gives them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.limit_presets import PRESETS, preset_for
from engine.limits import Cap, Contacted, ContactRules, Window, cap_reached, first_open
from engine.workflow import Channel

EMAIL, SMS, CALL = Channel.EMAIL, Channel.SMS, Channel.CALL
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hours(rules: ContactRules, channel: Channel) -> dict[str, str]:
    """`{"Mon": "08:00-20:00", …}`: a weekday that is closed is missing."""
    return {
        WEEKDAYS[weekday]: f"{window.opens:%H:%M}-{window.closes:%H:%M}"
        for window in rules.windows
        if channel in window.channels
        for weekday in sorted(window.weekdays)
    }


def all_week(working_day: str, saturday: str = "", sunday: str = "") -> dict[str, str]:
    days = dict.fromkeys(WEEKDAYS[:5], working_day) | {"Sat": saturday, "Sun": sunday}
    return {day: span for day, span in days.items() if span}


@pytest.mark.parametrize("channel", [CALL, SMS])
def test_in_australia_the_phone_rings_from_half_past_seven_and_at_weekends_from_nine(channel: Channel) -> None:
    assert hours(PRESETS["au"], channel) == all_week("07:30-21:00", "09:00-21:00", "09:00-21:00")
    assert PRESETS["au"].caps == (Cap(3, 7), Cap(10, 31))
    assert PRESETS["au"].cooldown_days == 0


def test_in_australia_an_email_may_go_at_any_hour_and_on_a_holiday() -> None:
    australia_day = datetime(2026, 1, 26, 3, tzinfo=ZoneInfo("Australia/Sydney"))
    asked = {"zones": [ZoneInfo("Australia/Sydney")], "holidays": frozenset({date(2026, 1, 26)})}

    assert first_open(PRESETS["au"], EMAIL, australia_day, **asked).because == ""
    assert first_open(PRESETS["au"], CALL, australia_day, **asked).because.startswith("26 January 2026 is a holiday")


@pytest.mark.parametrize("channel", Channel)
def test_the_united_kingdom_has_working_days_till_eight_and_a_short_saturday(channel: Channel) -> None:
    assert hours(PRESETS["uk"], channel) == all_week("08:00-20:00", "09:00-17:00")
    assert PRESETS["uk"].caps == (Cap(3, 7),)
    assert (PRESETS["uk"].holidays_closed, PRESETS["uk"].cooldown_days) == (frozenset(), 0)


@pytest.mark.parametrize("channel", Channel)
def test_in_the_united_states_every_medium_is_open_from_eight_to_nine_and_calls_are_seven_a_week(
    channel: Channel,
) -> None:
    assert hours(PRESETS["us"], channel) == all_week("08:00-21:00", "08:00-21:00", "08:00-21:00")
    assert PRESETS["us"].caps == (Cap(7, 7, frozenset({CALL})),)
    assert (PRESETS["us"].holidays_closed, PRESETS["us"].cooldown_days) == (frozenset(), 7)


def test_in_the_united_states_a_conversation_stops_calls_for_a_week_and_no_email() -> None:
    spoken = [Contacted(date(2026, 7, 1), CALL, conversation=True)]

    reached = cap_reached(PRESETS["us"], CALL, date(2026, 7, 2), spoken)
    assert reached is not None and reached.open_on == date(2026, 7, 8)
    assert cap_reached(PRESETS["us"], EMAIL, date(2026, 7, 2), spoken) is None


@pytest.mark.parametrize("channel", Channel)
def test_ontario_has_four_hours_on_sundays_and_none_on_holidays(channel: Channel) -> None:
    assert hours(PRESETS["ca-on"], channel) == all_week("07:00-21:00", "07:00-21:00", "13:00-17:00")
    assert PRESETS["ca-on"].caps == (Cap(3, 7),)
    assert (PRESETS["ca-on"].holidays_closed, PRESETS["ca-on"].cooldown_days) == (frozenset(Channel), 0)


@pytest.mark.parametrize("channel", Channel)
def test_the_european_union_has_working_days_till_eight_and_saturdays_till_six(channel: Channel) -> None:
    assert hours(PRESETS["eu"], channel) == all_week("08:00-20:00", "09:00-18:00")
    assert PRESETS["eu"].caps == (Cap(3, 7),)
    assert (PRESETS["eu"].holidays_closed, PRESETS["eu"].cooldown_days) == (frozenset(), 0)


@pytest.mark.parametrize("channel", Channel)
def test_anywhere_else_has_office_hours_and_two_contacts_a_week(channel: Channel) -> None:
    assert hours(PRESETS["default"], channel) == all_week("09:00-18:00")
    assert PRESETS["default"].caps == (Cap(2, 7),)
    assert (PRESETS["default"].holidays_closed, PRESETS["default"].cooldown_days) == (frozenset(), 0)


def test_every_preset_is_found_under_its_own_key() -> None:
    assert list(PRESETS) == ["au", "uk", "us", "ca-on", "eu", "default"]
    assert all(rules.key == key and rules.title for key, rules in PRESETS.items())


@pytest.mark.parametrize(
    ("country", "key"),
    [("AU", "au"), ("GB", "uk"), ("US", "us"), ("CA", "ca-on"), ("DE", "eu"), ("IE", "eu"), ("GR", "eu"), ("HR", "eu")],
)
def test_a_country_has_its_own_rules_however_its_code_is_written(country: str, key: str) -> None:
    assert preset_for(country) is preset_for(f" {country.lower()} ") is PRESETS[key]


@pytest.mark.parametrize("country", ["", "  ", "NZ", "CH", "NO", "ZZ", "Australia"])
def test_a_country_that_is_unknown_or_has_no_rules_gets_the_default(country: str) -> None:
    assert preset_for(country) is PRESETS["default"]


def test_the_european_union_has_twenty_seven_members() -> None:
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    codes = [first + second for first in letters for second in letters]

    assert sum(preset_for(code) is PRESETS["eu"] for code in codes) == 27


@pytest.mark.parametrize("key", [key for key in PRESETS if key != "default"])
def test_whoever_keeps_the_default_hours_keeps_the_hours_of_every_country(key: str) -> None:
    [default] = PRESETS["default"].windows

    def around(window: Window, channel: Channel, weekday: int) -> bool:
        named = channel in window.channels and weekday in window.weekdays
        return named and window.opens <= default.opens and default.closes <= window.closes

    for channel in Channel:
        theirs = [window for window in PRESETS[key].windows if channel in window.channels]
        for weekday in default.weekdays:
            assert not theirs or any(around(window, channel, weekday) for window in theirs)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(Channel)), min_size=1, max_size=30))
def test_whoever_keeps_the_default_cap_keeps_the_caps_of_every_country(made: list[tuple[int, Channel]]) -> None:
    contacted: list[Contacted] = []
    moment = datetime.combine(date(2026, 7, 1), time(12), tzinfo=UTC)
    for pause, channel in made:
        asked = moment + timedelta(days=pause)
        moment = first_open(PRESETS["default"], channel, asked, zones=[UTC], contacted=contacted).at
        assert all(cap_reached(rules, channel, moment.date(), contacted) is None for rules in PRESETS.values())
        contacted.append(Contacted(moment.date(), channel))
