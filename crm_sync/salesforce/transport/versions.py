"""Versions of Salesforce's API, and when its support for each surely lasts.

docs/salesforce-facts.md#versions
"""

from datetime import date

# Three releases a year: Spring in February, Summer in June, Winter in October. v67.0 is Summer '26.
DEFAULT = "67.0"
KNOWN, KNOWN_YEAR, KNOWN_MONTH = 67, 2026, 6
MONTHS_BETWEEN = 4
YEARS_OF_SUPPORT = 3


def support_ends(version: str) -> date:
    """Return the day until which a version ("67.0") is supported: three years after its release."""
    releases = int(version.partition(".")[0]) - KNOWN
    months = KNOWN_MONTH - 1 + MONTHS_BETWEEN * releases
    return date(KNOWN_YEAR + YEARS_OF_SUPPORT + months // 12, months % 12 + 1, 1)
