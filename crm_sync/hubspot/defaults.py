"""What HubSpot is sent until a marketer decides otherwise."""

from typing import NamedTuple


class DefaultField(NamedTuple):
    """`source`, `policy` and `direction` are words of crm_sync.models.FieldMapping; `value` is a
    constant's."""

    source: str
    property: str
    policy: str
    value: str = ""
    direction: str = "out"


# The lead statuses by which sales says no, of those that an account has at first.
REFUSING = ("UNQUALIFIED", "BAD_TIMING")
# What a rep wrote into a property that people fill in, too, is never written over.
MAPPING = (
    DefaultField("email", "email", "when_empty_or_ours"),
    DefaultField("first_name", "firstname", "when_empty_or_ours"),
    DefaultField("last_name", "lastname", "when_empty_or_ours"),
    DefaultField("company", "company", "when_empty_or_ours"),
    DefaultField("job_title", "jobtitle", "when_empty_or_ours"),
    DefaultField("phone", "phone", "when_empty_or_ours"),
    DefaultField("score", "lead_score", "ours_wins"),
    DefaultField("fit", "lead_fit", "ours_wins"),
    DefaultField("engagement", "lead_engagement", "ours_wins"),
    DefaultField("grade", "lead_grade", "ours_wins"),
    DefaultField("reasons", "lead_score_reasons", "ours_wins"),
    DefaultField("recent_activity", "lead_recent_activity", "ours_wins"),
    DefaultField("sequence_history", "lead_sequence_history", "ours_wins"),
    DefaultField("qualified_at", "lead_qualified_at", "ours_wins"),
    DefaultField("lifecycle_stage", "lifecyclestage", "forward_only", direction="both"),
    DefaultField("constant", "hs_lead_status", "when_empty_or_ours", "IN_PROGRESS"),
)
