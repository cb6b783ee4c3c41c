"""An org as on its first day: its people, queues, stages, words and permissions; nobody else is in it yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .fields import Option
from .store import Store

NAME = "Northwind"
REPS = (("Kim", "Rivera", True), ("Ana", "Costa", True), ("Tom", "Berg", False))
QUEUE = "Inbound leads"
LEAD_STATUSES = (
    ("Open - Not Contacted", False),
    ("Working - Contacted", False),
    ("Closed - Not Converted", False),
    ("Closed - Converted", True),
)
TASK_STATUSES = (("Not Started", False), ("In Progress", False), ("Completed", True),
                 ("Waiting on someone else", False), ("Deferred", False))  # fmt: skip
PRIORITIES = (("High", True), ("Normal", False), ("Low", False))
# Name, probability, closed, won, forecast category.
STAGES = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Qualification", 20, False, False, "Pipeline"),
    ("Proposal/Price Quote", 60, False, False, "Best Case"),
    ("Negotiation/Review", 80, False, False, "Commit"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
)
# Record types of opportunities, with the stages of their sales processes.
PIPELINES = {
    "New business": [stage[0] for stage in STAGES],
    "Renewal": ["Qualification", "Negotiation/Review", "Closed Won", "Closed Lost"],
}
WORKED_ON = ("Lead", "Contact", "Account")
RIGHTS = ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")


@dataclass(frozen=True, slots=True)
class People:
    """Ids: of the integration user, of an administrator, of the reps, of the queue."""

    integration: str
    administrator: str
    kim: str
    ana: str
    tom: str
    queue: str


def org(at: datetime) -> tuple[Store, People]:
    store = Store(at)
    add = _adding(store, at)
    add("Organization", Name=NAME, IsSandbox=False, InstanceName="EU99", OrganizationType="Enterprise Edition",
        TimeZoneSidKey="Europe/Berlin", DefaultLocaleSidKey="en_US", LanguageLocaleKey="en_US")  # fmt: skip
    people = _people(store, add)
    _words(store, add)
    _deals(store, add)
    _permissions(store, add, people)
    store.rules.assigns_to = people.queue
    return store, people


def _adding(store: Store, at: datetime) -> Any:
    def add(object_: str, **values: Any) -> str:
        return store.add(object_, values, at, "").id

    return add


def _people(store: Store, add: Any) -> People:
    minimum = add("Profile", Name="Minimum Access - API Only Integrations")
    system, rep = add("Profile", Name="System Administrator"), add("Profile", Name="Standard User")

    def user(first: str, last: str, profile: str, **more: Any) -> str:
        address = f"{first}.{last}@northwind.example".lower()
        return str(add("User", FirstName=first, LastName=last, Name=f"{first} {last}".strip(), Email=address,
                       Username=address, Alias=first[:8].lower(), ProfileId=profile,
                       TimeZoneSidKey="Europe/Berlin",
                       **{"IsActive": True, "UserType": "Standard"} | more))  # fmt: skip

    integration = user("Marketing", "Integration", minimum)
    administrator = user("Eva", "Admin", system)
    kim, ana, tom = (user(first, last, rep, IsActive=active) for first, last, active in REPS)
    user("Automated", "Process", system, UserType="AutomatedProcess")
    queue = add("Group", Name=QUEUE, DeveloperName="Inbound_leads", Type="Queue")
    add("Group", Name="Everybody", DeveloperName="Everybody", Type="Regular")
    for name in ("Lead", "Task"):
        add("QueueSobject", QueueId=queue, SobjectType=name)
    return People(integration, administrator, kim, ana, tom, queue)


def _words(store: Store, add: Any) -> None:
    for order, (name, converted) in enumerate(LEAD_STATUSES, 1):
        add("LeadStatus", ApiName=name, MasterLabel=name, IsConverted=converted, IsDefault=order == 1,
            SortOrder=order)  # fmt: skip
    for order, (name, closed) in enumerate(TASK_STATUSES, 1):
        add("TaskStatus", ApiName=name, MasterLabel=name, IsClosed=closed, IsDefault=order == 1,
            SortOrder=order)  # fmt: skip
    for order, (name, high) in enumerate(PRIORITIES, 1):
        add("TaskPriority", ApiName=name, MasterLabel=name, IsHighPriority=high, IsDefault=name == "Normal",
            SortOrder=order)  # fmt: skip
    _offer(store, "Lead", "Status", [each for each, _ in LEAD_STATUSES], LEAD_STATUSES[0][0])
    _offer(store, "Task", "Status", [each for each, _ in TASK_STATUSES], TASK_STATUSES[0][0])
    _offer(store, "Task", "Priority", [each for each, _ in PRIORITIES], "Normal")


def _offer(store: Store, object_: str, name: str, values: list[str], first: str = "") -> None:
    field = store.objects[object_].fields[name]
    field.options = [Option(each, default=each == first) for each in values]
    field.default = first or None


def _deals(store: Store, add: Any) -> None:
    for order, (name, odds, closed, won, forecast) in enumerate(STAGES, 1):
        add("OpportunityStage", ApiName=name, MasterLabel=name, IsActive=True, SortOrder=order, IsClosed=closed,
            IsWon=won, DefaultProbability=odds, ForecastCategory=forecast.replace(" ", ""),
            ForecastCategoryName=forecast)  # fmt: skip
    _offer(store, "Opportunity", "StageName", [each[0] for each in STAGES])
    for name, stages in PIPELINES.items():
        process = add("BusinessProcess", Name=name, TableEnumOrId="Opportunity", IsActive=True)
        type_ = add("RecordType", Name=name, DeveloperName=name.replace(" ", "_"), SobjectType="Opportunity",
                    IsActive=True, BusinessProcessId=process)  # fmt: skip
        store.rules.stages_of[type_] = stages


def _permissions(store: Store, add: Any, people: People) -> None:
    """The administrator may do all; the integration user what the guide for administrators asks for."""
    everything = add("PermissionSet", Name="Administrators", Label="Administrators", **_may(
        "EditTask", "ViewSetup", "CustomizeApplication", "ManageProfilesPermissionsets", "ViewAllData",
        "ModifyAllData", "ApiEnabled"))  # fmt: skip
    granted = add("PermissionSet", Name="Marketing_integration", Label="Marketing integration", **_may(
        "EditTask", "ViewSetup", "CustomizeApplication", "ManageProfilesPermissionsets", "ApiEnabled"))  # fmt: skip
    for name in (*WORKED_ON, "Opportunity"):
        add("ObjectPermissions", ParentId=everything, SobjectType=name, **_may(*RIGHTS))
        rights = RIGHTS if name in WORKED_ON else ("Read", "ViewAllRecords")
        add("ObjectPermissions", ParentId=granted, SobjectType=name, **_may(*rights))
    add("PermissionSetAssignment", PermissionSetId=everything, AssigneeId=people.administrator)
    add("PermissionSetAssignment", PermissionSetId=granted, AssigneeId=people.integration)


def _may(*rights: str) -> dict[str, bool]:
    return {f"Permissions{each}": True for each in rights}
