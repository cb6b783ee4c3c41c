"""Define the default field mapping and lead statuses, until somebody changes them in the admin.

Fields of the account are named by the slug of their label until set-up has put their keys in place.
docs/pipedrive-facts.md#field-keys
"""

from crm_sync.pipedrive.own_fields import (
    BAD_TIMING,
    COMPANY,
    IN_PROGRESS,
    JOB_TITLE,
    LEAD_STATUS,
    LIFECYCLE_STAGE,
    UNQUALIFIED,
)
from crm_sync.port import FirstField

# The lead statuses by which sales says no.
REFUSING = (UNQUALIFIED, BAD_TIMING)
# What a rep wrote into a field that people fill in, too, is never written over.
MAPPING = (
    FirstField("email", "email", "when_empty_or_ours"),
    FirstField("first_name", "first_name", "when_empty_or_ours"),
    FirstField("last_name", "last_name", "when_empty_or_ours"),
    FirstField("company", COMPANY.name, "when_empty_or_ours"),
    FirstField("job_title", JOB_TITLE.name, "when_empty_or_ours"),
    FirstField("phone", "phone", "when_empty_or_ours"),
    FirstField("score", "lead_score", "ours_wins"),
    FirstField("fit", "lead_fit", "ours_wins"),
    FirstField("engagement", "lead_engagement", "ours_wins"),
    FirstField("grade", "lead_grade", "ours_wins"),
    FirstField("reasons", "lead_score_reasons", "ours_wins"),
    FirstField("recent_activity", "lead_recent_activity", "ours_wins"),
    FirstField("sequence_history", "lead_sequence_history", "ours_wins"),
    # There is no type for a time. docs/pipedrive-facts.md#field-types
    FirstField("qualified_at", "lead_qualified_at", "ours_wins", format="day"),
    FirstField("lifecycle_stage", LIFECYCLE_STAGE.name, "forward_only", direction="both"),
    FirstField("constant", LEAD_STATUS.name, "when_empty_or_ours", IN_PROGRESS),
)
