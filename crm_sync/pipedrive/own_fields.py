"""The fields that Pipedrive lacks and that the product needs: set-up creates them.

docs/pipedrive-facts.md#lifecycle-stage-and-lead-status, docs/pipedrive-facts.md#opt-out
"""

from crm_sync.port import CrmProperty

# Ours → the choice there, ascending.
LIFECYCLE = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "mql": "Marketing qualified",
    "sql": "Sales qualified",
    "opportunity": "Opportunity",
    "customer": "Customer",
}
IN_PROGRESS, UNQUALIFIED, BAD_TIMING = "In progress", "Unqualified", "Bad timing"
OPTED_OUT = "Opted out"

LIFECYCLE_STAGE = CrmProperty(
    "lifecycle_stage", "Lifecycle stage", "enumeration", tuple(LIFECYCLE.values())
)
LEAD_STATUS = CrmProperty(
    "lead_status",
    "Lead status",
    "enumeration",
    ("New", IN_PROGRESS, "Connected", UNQUALIFIED, BAD_TIMING),
)
OPT_OUT = CrmProperty("email_opt_out", "E-mail opt-out", "enumeration", (OPTED_OUT,))
COMPANY = CrmProperty("company_name", "Company name", "text")
JOB_TITLE = CrmProperty("job_title_text", "Job title", "text")
# Those that the default mapping writes to, by their names in it.
MAPPED = (COMPANY, JOB_TITLE, LIFECYCLE_STAGE, LEAD_STATUS)
OWN_FIELDS = (*MAPPED, OPT_OUT)
