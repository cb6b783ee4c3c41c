"""Write paths in HubSpot's API versions, and know when HubSpot's support for each ends.

Paths are kept as v3 and v4 write them. Source of the mapping, and of how answers differ between
versions (success codes, 207 or errors within a 200): the published descriptions of v3, v4, 2026-03
and 2026-09. The adapter accepts any 2xx and reads `errors` whatever the status, so that a version is
a matter of paths alone. docs/hubspot-facts.md#version-differences
"""

import re
from collections.abc import Mapping
from datetime import date

# What HUBSPOT_API_VERSION may say; "" is v3 and v4, side by side.
CLASSIC, DATED = "", ("2026-03", "2026-09")
# v4 ends on 30 March 2027, v1 to v3 "in September 2027". Versions by date come out in March and
# September (30 March 2026, about 8 September 2026) and are supported for 18 months.
# docs/hubspot-facts.md#api-versions
ENDS: Mapping[str, date] = {
    "v3": date(2027, 9, 1),
    "v4": date(2027, 3, 30),
    "2026-03": date(2027, 9, 30),
    "2026-09": date(2028, 3, 8),
}
CRM = re.compile(r"^/crm/v[34]/(\w+)")
OTHERS = re.compile(r"^/(account-info|communication-preferences)/v[34]")


def path_in(version: str, path: str) -> str:
    """Return a path of v3 or v4 as a version writes it."""
    if version == CLASSIC:
        return path
    dated = CRM.sub(lambda found: f"/crm/{found[1]}/{version}", path)
    return OTHERS.sub(lambda found: f"/{found[1]}/{version}", dated)


def version_of(path: str) -> str:
    """Return the version that a path names."""
    return next(part for part in path.split("/") if part in ENDS)
