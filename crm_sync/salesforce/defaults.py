"""Define the default field mapping and lead statuses, until somebody changes them in the admin."""

from crm_sync.port import FirstField
from crm_sync.salesforce.records.people import LIFECYCLE_FIELD

# The lead statuses by which sales says no, of those that an org has at first.
# docs/salesforce-facts.md#lead-status
REFUSING = ("Closed - Not Converted", "Unqualified")
# What a rep wrote into a field that people fill in, too, is never written over. A lead's status is the
# org's own: no value of it is in every org, so none is written.
MAPPING = (
    FirstField("email", "Email", "when_empty_or_ours"),
    FirstField("first_name", "FirstName", "when_empty_or_ours"),
    FirstField("last_name", "LastName", "when_empty_or_ours"),
    FirstField("company", "Company", "when_empty_or_ours"),
    FirstField("job_title", "Title", "when_empty_or_ours"),
    FirstField("phone", "Phone", "when_empty_or_ours"),
    FirstField("score", "Lead_Score__c", "ours_wins"),
    FirstField("fit", "Lead_Fit__c", "ours_wins"),
    FirstField("engagement", "Lead_Engagement__c", "ours_wins"),
    FirstField("grade", "Lead_Grade__c", "ours_wins"),
    FirstField("reasons", "Lead_Score_Reasons__c", "ours_wins"),
    FirstField("recent_activity", "Lead_Recent_Activity__c", "ours_wins"),
    FirstField("sequence_history", "Lead_Sequence_History__c", "ours_wins"),
    FirstField("qualified_at", "Lead_Qualified_At__c", "ours_wins"),
    FirstField("lifecycle_stage", LIFECYCLE_FIELD, "forward_only", direction="both"),
)
