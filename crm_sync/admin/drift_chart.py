"""The drift of our copy of the CRM: the samples of the last month on the home page."""

from datetime import datetime
from typing import Any

from crm_sync.connect import crm_name
from crm_sync.pull.drift import drift_last_month
from leadscoring.extensions import PageSection, home_sections

# The least full scale of the bars, in percent, so that one of a thousand does not look like all.
LOWEST_TOP = 2.0


def drift_on_home(user: Any, at: datetime) -> list[PageSection]:
    drifts = drift_last_month(at) if user.has_perm("crm_sync.view_handoff") else []
    if not drifts:
        return []
    top = max(LOWEST_TOP, *(drift.share for drift in drifts))
    bars = [{"drift": drift, "percent": 100 * drift.share / top} for drift in drifts]
    last = drifts[-1]
    shows = {"bars": bars, "last": last, "same": last.looked - last.differed, "top": top}
    return [PageSection(40, f"In step with {crm_name()}", "admin/crm_sync/drift.html", shows)]


home_sections.add("drift", drift_on_home)
