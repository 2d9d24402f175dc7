"""The contact rules to start from, one set for each country that has numbers of its own.

Most of them bind collection agencies or lenders, not a firm that asks its own customers for its own money. They are
still the measure of what a debtor has to put up with, so they are where an organisation starts; counsel has the last
word. Where a law gives no numbers, the numbers are ours and the comment says so.
"""

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType

from engine.limits import Cap, ContactRules, Window
from engine.workflow import Channel

ALL = frozenset(Channel)
CALLS = frozenset({Channel.CALL})
PHONE = frozenset({Channel.CALL, Channel.SMS})
"""What rings in a pocket. Email lies still until it is opened."""

EVERY_DAY = frozenset(range(7))
MON_TO_FRI = frozenset(range(5))
MON_TO_SAT = frozenset(range(6))
SAT = frozenset({5})
SUN = frozenset({6})
WEEK = 7
MONTH = 31
"""Any 31 days in a row, so that no calendar month has more."""

# ACCC and ASIC, “Debt collection guideline for collectors and creditors” (April 2021), part 2, sections 4 and 5: hours
# of contact by telephone, none of it on national public holidays; three contacts a week and ten a month on an account.
# The guideline counts contacts made; we count attempts as well, since those must not be excessive either.
AUSTRALIA = ContactRules(
    "au",
    "Australia",
    windows=(
        Window(PHONE, MON_TO_FRI, time(7, 30), time(21)),
        Window(PHONE, SAT | SUN, time(9), time(21)),
    ),
    caps=(Cap(3, WEEK), Cap(10, MONTH)),
    holidays_closed=PHONE,
)

# No numbers in law: FCA CONC 7.9 (regulated consumer credit) and section 40 of the Administration of Justice Act 1970
# forbid unreasonable times and a frequency that alarms. Hours and cap are our own.
UNITED_KINGDOM = ContactRules(
    "uk",
    "United Kingdom",
    windows=(
        Window(ALL, MON_TO_FRI, time(8), time(20)),
        Window(ALL, SAT, time(9), time(17)),
    ),
    caps=(Cap(3, WEEK),),
)

# Regulation F, 12 CFR 1006.6 (hours, whatever the medium) and 1006.14 (calls on one debt: seven in seven days, and none
# within seven days after a conversation, whose own day is the first of them). We count the calls of the whole account.
# It binds collectors of consumer debt; the hours of the TCPA overlay (47 CFR 64.1200) are the same.
UNITED_STATES = ContactRules(
    "us",
    "United States",
    windows=(Window(ALL, EVERY_DAY, time(8), time(21)),),
    caps=(Cap(7, WEEK, CALLS),),
    cooldown_days=7,
)

# Ontario's guide for collection agencies (ontario.ca): hours, no contact on holidays, and three contacts in seven days
# after the first. We count the first as well. Quebec's hours are narrower; a country does not tell the province.
ONTARIO = ContactRules(
    "ca-on",
    "Canada (Ontario)",
    windows=(
        Window(ALL, MON_TO_SAT, time(7), time(21)),
        Window(ALL, SUN, time(13), time(17)),
    ),
    caps=(Cap(3, WEEK),),
    holidays_closed=ALL,
)

# GDPR and national telecom rules give no hours. Hours and cap are our own.
EUROPEAN_UNION = ContactRules(
    "eu",
    "European Union",
    windows=(
        Window(ALL, MON_TO_FRI, time(8), time(20)),
        Window(ALL, SAT, time(9), time(18)),
    ),
    caps=(Cap(3, WEEK),),
)

# Our own numbers. Its hours lie inside everybody else's, and who keeps its cap keeps theirs. Closed holidays and the
# rest after a conversation belong to the countries that ask for them.
DEFAULT = ContactRules(
    "default",
    "Anywhere else",
    windows=(Window(ALL, MON_TO_FRI, time(9), time(18)),),
    caps=(Cap(2, WEEK),),
)

PRESETS: Mapping[str, ContactRules] = MappingProxyType(
    {rules.key: rules for rules in (AUSTRALIA, UNITED_KINGDOM, UNITED_STATES, ONTARIO, EUROPEAN_UNION, DEFAULT)}
)

EU_MEMBERS = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
    *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
)

_OF_COUNTRY = {
    "AU": AUSTRALIA,
    "GB": UNITED_KINGDOM,
    "US": UNITED_STATES,
    "CA": ONTARIO,
    **dict.fromkeys(EU_MEMBERS, EUROPEAN_UNION),
}


def preset_for(country: str) -> ContactRules:
    """The rules for an ISO 3166 alpha-2 country code, in either case; empty when the country is not known."""
    # A debtor of an unknown country may live in any of them, so the strictest hours and the lowest cap apply.
    return _OF_COUNTRY.get(country.strip().upper(), DEFAULT)
