"""Time zones as a person finds them: by region, then by city."""

from functools import cache
from zoneinfo import available_timezones


def zones_by_region(current: str) -> dict[str, list[str]]:
    """Every time zone by its region, the present one among them whatever it is."""
    regions: dict[str, list[str]] = {}
    for zone in sorted({*_known(), current} - {""}):
        region, slash, _ = zone.partition("/")
        if (slash and region not in ("Etc", "US")) or zone in ("UTC", current):
            regions.setdefault(region if slash else "Other", []).append(zone)
    return regions


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
