"""What QuickBooks does not always say about a company, taken from the country it is in."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector._xero_timezones import BY_COUNTRY


def timezone_of(name: str, country: str) -> str:
    """The IANA name that the company gives, if there is such a zone; else that of the country's main city, or UTC."""
    try:
        return ZoneInfo(name).key if name else BY_COUNTRY.get(country.upper(), "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return BY_COUNTRY.get(country.upper(), "UTC")
