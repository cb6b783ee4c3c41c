"""What HubSpot is sent until a marketer decides otherwise: the mapping, and the properties it needs."""

from typing import NamedTuple

from crm_sync.port import CrmProperty


class DefaultField(NamedTuple):
    """`source` and `policy` are words of crm_sync.models.FieldMapping; `value` is a constant's."""

    source: str
    property: str
    policy: str
    value: str = ""


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
    DefaultField("lifecycle_stage", "lifecyclestage", "forward_only"),
    DefaultField("constant", "hs_lead_status", "when_empty_or_ours", "IN_PROGRESS"),
)

GRADES = tuple(f"{fit}{engagement}" for fit in "ABCD" for engagement in "1234")

PROPERTIES = (
    CrmProperty("lead_score", "Lead score", "number"),
    CrmProperty("lead_fit", "Fit score", "number"),
    CrmProperty("lead_engagement", "Engagement score", "number"),
    CrmProperty("lead_grade", "Lead grade", "enumeration", GRADES),
    CrmProperty("lead_score_reasons", "Reasons of the lead score", "long_text"),
    CrmProperty("lead_recent_activity", "Recent activity", "long_text"),
    CrmProperty("lead_sequence_history", "Sequence history", "long_text"),
    CrmProperty("lead_qualified_at", "Qualified at", "datetime"),
)
