"""The fields of a task that more than one file names, and how they are read.

docs/salesforce-facts.md#task-fields
"""

from crm_sync.port import (
    CrmError,
    CrmOwnerRejected,
    CrmRejected,
    CrmTask,
    CrmUnexplained,
    PlainText,
)
from crm_sync.salesforce.records.ids import full_id
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import row_id
from crm_sync.salesforce.records.values import read_instant, text_value
from crm_sync.salesforce.transport.client import Json

TASK = "Task"
# Unique where the org allows it. docs/salesforce-facts.md#unique-task-reference
REFERENCE = "Handoff_Reference__c"
OWNER, PERSON, STATUS = "OwnerId", "WhoId", "Status"
READ = (
    "Id",
    "Subject",
    "Description",
    OWNER,
    PERSON,
    STATUS,
    "IsClosed",
    "CompletedDateTime",
    "SystemModstamp",
    "CreatedDate",
    REFERENCE,
)
SENT = {"Subject", "Description", OWNER, PERSON, STATUS, "Priority", "ActivityDate", REFERENCE}
LONGEST_SUBJECT = 255
UNFIT_OWNER = "Salesforce has no such user"


class SalesforceTaskText(PlainText):
    """docs/salesforce-facts.md#task-fields"""

    __slots__ = ()
    longest = 32_000


def task_columns(org: Org) -> list[str]:
    return org.sobject(TASK).shown(*READ)


def read_task(org: Org, row: Json) -> CrmTask:
    """Return a task. One with another open status than that of new tasks was begun by the rep."""
    done = row.get("IsClosed") is True
    status, new = text_value(row.get(STATUS)), new_status(org)
    done_at = row.get("CompletedDateTime") or row.get("SystemModstamp")
    return CrmTask(
        task_id=row_id(row),
        subject=text_value(row.get("Subject")),
        body=SalesforceTaskText(text_value(row.get("Description"))),
        owner_id=full_id(text_value(row.get(OWNER))),
        done=done,
        started=status not in ("", new) and not done if new else None,
        done_at=read_instant(done_at) if done else None,
    )


def new_status(org: Org) -> str:
    """Return the status that the org gives to new tasks, "" where none is marked so."""
    status = org.sobject(TASK).columns.get(STATUS)
    return status.default if status else ""


def keeps_references_unique(org: Org) -> bool:
    """Return whether the org refuses a second task of one reference."""
    column = org.sobject(TASK).columns.get(REFERENCE)
    return column is not None and column.unique and column.createable


def with_owner_cause(answer: CrmTask | CrmError) -> CrmTask | CrmError:
    """Return the answer with the port's error for its cause: the owner, or nothing that was sent."""
    if type(answer) is not CrmRejected or not answer.properties:
        return answer
    if OWNER in answer.properties:
        return CrmOwnerRejected(str(answer), answer.properties)
    sent = answer.properties.keys() & SENT
    return answer if sent else CrmUnexplained(str(answer), answer.properties)
