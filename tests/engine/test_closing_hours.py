"""Mirrors engine/limits.py and engine/contact_hours.py, where they say until when a debtor may be reached."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from engine.limit_presets import PRESETS
from engine.limits import closes_at, first_open
from engine.workflow import Channel

SYDNEY, LONDON = ZoneInfo("Australia/Sydney"), ZoneInfo("Europe/London")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


def test_it_is_the_debtors_own_evening_that_ends_a_message() -> None:
    nine = datetime(2026, 3, 3, 9, 0, tzinfo=SYDNEY)
    closes = closes_at(PRESETS["au"], Channel.SMS, nine, zone=SYDNEY)
    assert closes == datetime(2026, 3, 3, 21, 0, tzinfo=SYDNEY)


def test_where_any_hour_is_open_there_is_no_end() -> None:
    assert closes_at(PRESETS["au"], Channel.EMAIL, datetime(2026, 3, 3, 9, 0, tzinfo=UTC), zone=SYDNEY) is None


@given(at=MOMENTS, preset=st.sampled_from(sorted(PRESETS)), channel=st.sampled_from(Channel))
def test_until_it_closes_every_moment_is_open_and_then_none_is(at: datetime, preset: str, channel: Channel) -> None:
    rules = PRESETS[preset]
    closes = closes_at(rules, channel, at, zone=LONDON)
    if closes is None:
        return
    is_open = first_open(rules, channel, at, zones=(LONDON,)).at == at
    assert is_open == (closes > at)
    last = closes - timedelta(seconds=1)
    assert not is_open or first_open(rules, channel, last, zones=(LONDON,)).at == last
    assert (
        first_open(rules, channel, closes, zones=(LONDON,)).at > closes
        or closes - at >= timedelta(days=7)
        or (not is_open)
    )
