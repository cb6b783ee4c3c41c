"""Define the default field mapping and lead statuses, until somebody changes them in the admin."""

from crm_sync.port import FirstField

# The lead statuses by which sales says no, of those that an account has at first.
# docs/hubspot-facts.md#lead-statuses
REFUSING = ("UNQUALIFIED", "BAD_TIMING")
# What a rep wrote into a property that people fill in, too, is never written over.
MAPPING = (
    FirstField("email", "email", "when_empty_or_ours"),
    FirstField("first_name", "firstname", "when_empty_or_ours"),
    FirstField("last_name", "lastname", "when_empty_or_ours"),
    FirstField("company", "company", "when_empty_or_ours"),
    FirstField("job_title", "jobtitle", "when_empty_or_ours"),
    FirstField("phone", "phone", "when_empty_or_ours"),
    FirstField("score", "lead_score", "ours_wins"),
    FirstField("fit", "lead_fit", "ours_wins"),
    FirstField("engagement", "lead_engagement", "ours_wins"),
    FirstField("grade", "lead_grade", "ours_wins"),
    FirstField("reasons", "lead_score_reasons", "ours_wins"),
    FirstField("recent_activity", "lead_recent_activity", "ours_wins"),
    FirstField("sequence_history", "lead_sequence_history", "ours_wins"),
    FirstField("qualified_at", "lead_qualified_at", "ours_wins"),
    # docs/hubspot-facts.md#lifecycle-stages
    FirstField("lifecycle_stage", "lifecyclestage", "forward_only", direction="both"),
    FirstField("constant", "hs_lead_status", "when_empty_or_ours", "IN_PROGRESS"),
)
