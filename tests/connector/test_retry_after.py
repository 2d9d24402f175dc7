"""Mirrors connector/_line.py where it reads how long a provider wants silence, as RFC 9110 lets it be written."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import RateLimited
from connector._line import http_date, wait_named
from tests.connector.intuit import connect_quickbooks
from tests.connector.surroundings import Say, connect_to

A_DAY = timedelta(days=1)
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 30), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
WAYS = {
    "today's": lambda at: format_datetime(at, usegmt=True),
    "of 1985": lambda at: f"{at:%A}, {at:%d}-{at:%b}-{at:%y} {at:%H:%M:%S} GMT",
    "of C": lambda at: f"{at:%a %b} {at.day:2d} {at:%H:%M:%S %Y}",
}


@given(moments, st.sampled_from(sorted(WAYS)))
def test_a_date_is_understood_in_each_way_that_it_may_be_written(at, way):
    assert http_date(WAYS[way](at)) == at


@given(moments, st.integers(1, 86_400), st.timedeltas(timedelta(days=-30), timedelta(days=30)))
def test_a_date_means_the_wait_by_the_providers_clock_however_wrong_ours_is(theirs, seconds, wrong):
    headers = {
        "Retry-After": format_datetime(theirs + timedelta(seconds=seconds), usegmt=True),
        "Date": format_datetime(theirs, usegmt=True),
    }

    assert wait_named(headers, theirs + wrong) == timedelta(seconds=seconds)


@given(moments, moments)
def test_without_their_clock_a_date_is_held_against_ours(now, until):
    wait = wait_named({"Retry-After": format_datetime(until, usegmt=True)}, now)

    assert wait == (min(until - now, A_DAY) if until > now else None)


@given(st.integers(0, 10**30))
def test_seconds_are_kept_to_the_second_and_never_mean_more_than_a_day(seconds):
    assert wait_named({"Retry-After": str(seconds)}, NOW) == (timedelta(seconds=min(seconds, 86_400)) or None)


@given(st.text() | st.from_regex(r"(Mon, )?\d{1,5}[ -]May[ -]\d{1,6} \d{1,3}:\d{1,3}(:\d\d)? ?([+-]\d{1,5}|GMT|)"))
def test_whatever_stands_there_no_wait_is_negative_or_longer_than_a_day(text):
    for headers in ({"Retry-After": text}, {"Retry-After": text, "Date": text[::-1]}):
        wait = wait_named(headers, NOW)

        assert wait is None or timedelta(0) < wait <= A_DAY


SOON = {"Retry-After": "Mon, 05 Jan 2026 09:02:30 GMT", "Date": "Mon, 05 Jan 2026 09:00:00 GMT"}


@pytest.mark.parametrize("connect", [connect_to, connect_quickbooks])
def test_each_ledger_is_left_alone_until_the_moment_that_it_names_by_date(connect, xero, clock):
    xero.always(Say(status=429, headers=SOON))

    with pytest.raises(RateLimited) as raised:
        connect(xero, clock).ledger.check()

    assert raised.value.until == clock() + timedelta(seconds=150)
