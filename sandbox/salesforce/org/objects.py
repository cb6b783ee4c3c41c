"""The objects of an org and their standard fields: those that the product, its tests or the pages reach.

Lengths and names are those of the Object Reference for the Salesforce Platform.
"""

from dataclasses import dataclass, field

from .fields import Field, Option, choice, flag, kind, number, read_only, text, to

LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
INDUSTRIES = ("Banking", "Education", "Manufacturing", "Technology", "Other")
SUBJECTS = ("Call", "Send Letter", "Send Quote", "Other")
SUBTYPES = ("Task", "Email", "Call", "ListEmail", "Cadence", "LinkedIn")


@dataclass
class SObject:
    """`rights`: whose rights decide what may be done: of the object of that name, or "task", "sets" (of
    permission sets), "fields" (of the tooling API) or "setup" (read by all). `children`: relationships to its
    children, by (object, field)."""

    name: str
    prefix: str
    rights: str
    fields: dict[str, Field]
    children: dict[str, tuple[str, str]] = field(default_factory=dict)
    binned: bool = True  # deleted records wait in the recycle bin
    tooling: bool = False

    def find(self, name: str) -> Field | None:
        """By a name in any case."""
        return self.fields.get(name) or next(
            (each for each in self.fields.values() if each.name.lower() == name.lower()), None
        )


def _system(binned: bool) -> list[Field]:
    stamps = [
        kind("datetime", "CreatedDate"),
        to("CreatedById", "User"),
        kind("datetime", "LastModifiedDate"),
        to("LastModifiedById", "User"),
        kind("datetime", "SystemModstamp", indexed=True),
    ]
    return [read_only(each) for each in [*([flag("IsDeleted")] if binned else []), *stamps]]


def _object(
    name: str, prefix: str, rights: str, *fields: Field, binned: bool = True, tooling: bool = False
) -> SObject:
    id_ = read_only(Field("Id", "id", f"{name} ID", 18))
    return SObject(
        name, prefix, rights,
        {each.name: each for each in [id_, *fields, *_system(binned)]},
        binned=binned, tooling=tooling,
    )  # fmt: skip


def _setup(name: str, prefix: str, *fields: Field, rights: str = "setup") -> SObject:
    return _object(name, prefix, rights, *fields, binned=False)


def _address(prefix: str = "") -> list[Field]:
    return [
        Field(f"{prefix}Street", "textarea", length=255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
    ]


def _name() -> list[Field]:
    return [
        choice("Salutation", ("Mr.", "Ms.", "Dr.", "Prof.")),
        text("FirstName", 40, "First Name"),
        text("LastName", 80, "Last Name", required=True),
        read_only(text("Name", 121, "Full Name")),
    ]


def _reach() -> list[Field]:
    return [
        kind("email", "Email", indexed=True),
        kind("phone", "Phone"),
        kind("phone", "MobilePhone", "Mobile Phone"),
        text("Title", 128),
        choice("LeadSource", LEAD_SOURCES, "Lead Source"),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        read_only(kind("date", "LastActivityDate", "Last Activity")),
        read_only(text("EmailBouncedReason", 255)),
        read_only(kind("datetime", "EmailBouncedDate")),
        kind("textarea", "Description", length=32_000),
    ]


def _lead() -> SObject:
    return _object(
        "Lead", "00Q", "Lead", *_name(), *_reach(), *_address(),
        text("Company", 255, required=True),
        kind("url", "Website"),
        choice("Industry", INDUSTRIES),
        choice("Rating", ("Hot", "Warm", "Cold")),
        number("AnnualRevenue", 18, 0, "currency"),
        number("NumberOfEmployees", 8, 0, "int"),
        choice("Status", (), required=True),
        to("OwnerId", "User", "Group", required=True),
        read_only(to("MasterRecordId", "Lead", relationship="MasterRecord")),
        read_only(flag("IsConverted")),
        read_only(kind("date", "ConvertedDate")),
        read_only(to("ConvertedAccountId", "Account")),
        read_only(to("ConvertedContactId", "Contact")),
        read_only(to("ConvertedOpportunityId", "Opportunity")),
    )  # fmt: skip


def _contact() -> SObject:
    return _object(
        "Contact", "003", "Contact", *_name(), *_reach(), *_address("Mailing"),
        text("Department", 80),
        to("AccountId", "Account"),
        to("OwnerId", "User", required=True),
        read_only(to("MasterRecordId", "Contact", relationship="MasterRecord")),
    )  # fmt: skip


def _account() -> SObject:
    return _object(
        "Account", "001", "Account",
        text("Name", 255, "Account Name", required=True),
        kind("url", "Website"),
        kind("phone", "Phone"),
        choice("Industry", INDUSTRIES),
        number("AnnualRevenue", 18, 0, "currency"),
        number("NumberOfEmployees", 8, 0, "int"),
        *_address("Billing"),
        kind("textarea", "Description", length=32_000),
        to("OwnerId", "User", required=True),
        read_only(to("MasterRecordId", "Account", relationship="MasterRecord")),
    )  # fmt: skip


def _opportunity() -> SObject:
    return _object(
        "Opportunity", "006", "Opportunity",
        text("Name", 120, required=True),
        choice("StageName", (), "Stage", required=True, restricted=True),
        kind("date", "CloseDate", "Close Date", required=True),
        number("Amount", 18, 2, "currency"),
        number("Probability", 3, 0, "percent"),
        choice("ForecastCategoryName", ("Omitted", "Pipeline", "Best Case", "Commit", "Closed"), "Forecast Category"),
        read_only(flag("IsClosed", "Closed")),
        read_only(flag("IsWon", "Won")),
        kind("textarea", "Description", length=32_000),
        text("NextStep"),
        choice("LeadSource", LEAD_SOURCES),
        choice("Type", ("Existing Business", "New Business")),
        to("AccountId", "Account"),
        to("RecordTypeId", "RecordType"),
        to("OwnerId", "User", required=True),
        read_only(kind("date", "LastActivityDate")),
        read_only(kind("datetime", "LastStageChangeDate")),
    )  # fmt: skip


def _task() -> SObject:
    return _object(
        "Task", "00T", "task",
        to("WhoId", "Lead", "Contact"),
        to("WhatId", "Account", "Opportunity"),
        read_only(to("AccountId", "Account")),
        to("OwnerId", "User", "Group", required=True),
        Field("Subject", "combobox", length=255, options=[Option(each) for each in SUBJECTS]),
        kind("textarea", "Description", "Comments", length=32_000),
        kind("date", "ActivityDate", "Due Date Only"),
        choice("Status", (), required=True),
        choice("Priority", (), required=True),
        read_only(flag("IsClosed", "Closed")),
        read_only(flag("IsHighPriority", "High Priority")),
        read_only(flag("IsArchived", "Archived")),
        read_only(kind("datetime", "CompletedDateTime")),
        kind("datetime", "ReminderDateTime"),
        flag("IsReminderSet"),
        choice("TaskSubtype", SUBTYPES, restricted=True, updateable=False, default="Task"),
        choice("Type", ("Call", "Email", "Meeting", "Other")),
    )  # fmt: skip


def _deals() -> list[SObject]:
    return [
        _opportunity(),
        _object(
            "OpportunityContactRole", "00K", "Opportunity",
            to("OpportunityId", "Opportunity", required=True, updateable=False),
            to("ContactId", "Contact", required=True),
            choice("Role", ("Business User", "Decision Maker", "Evaluator", "Other")),
            flag("IsPrimary", "Primary"),
        ),
        _setup(
            "OpportunityStage", "01J",
            text("ApiName"), text("MasterLabel"), flag("IsActive"), number("SortOrder", 8, 0, "int"),
            flag("IsClosed"), flag("IsWon"), number("DefaultProbability", 3, 0, "percent"),
            text("ForecastCategory", 40), text("ForecastCategoryName", 40), text("Description"),
        ),
        _setup(
            "RecordType", "012",
            text("Name", 80), text("DeveloperName", 80), text("SobjectType", 40), flag("IsActive"),
            text("Description"), to("BusinessProcessId", "BusinessProcess"),
        ),
        _setup(
            "BusinessProcess", "019",
            text("Name", 80), text("TableEnumOrId", 40), flag("IsActive"), text("Description"),
        ),
    ]  # fmt: skip


def _people() -> list[SObject]:
    return [
        _setup(
            "User", "005",
            text("Username", 80), text("FirstName", 40), text("LastName", 80), text("Name", 121),
            kind("email", "Email", length=128), text("Alias", 8), text("Title", 80), flag("IsActive"),
            text("UserType", 40), text("TimeZoneSidKey", 40), to("ProfileId", "Profile"),
        ),
        _setup(
            "Group", "00G",
            text("Name", 40), text("DeveloperName", 80), text("Type", 40), kind("email", "Email"),
        ),
        _setup("QueueSobject", "03g", to("QueueId", "Group"), text("SobjectType", 40)),
        _setup("Profile", "00e", text("Name")),
        _setup(
            "Organization", "00D",
            text("Name", 80), flag("IsSandbox"), text("InstanceName", 5), text("OrganizationType", 40),
            text("TimeZoneSidKey", 40), text("NamespacePrefix", 15), text("DefaultLocaleSidKey", 40),
            text("LanguageLocaleKey", 40),
        ),
    ]  # fmt: skip


def _words() -> list[SObject]:
    """What the values of some picklists mean."""
    common = ("ApiName", "MasterLabel")
    return [
        _setup("LeadStatus", "01J", *map(text, common), flag("IsConverted"), flag("IsDefault"),
               number("SortOrder", 8, 0, "int")),
        _setup("TaskStatus", "01J", *map(text, common), flag("IsClosed"), flag("IsDefault"),
               number("SortOrder", 8, 0, "int")),
        _setup("TaskPriority", "01J", *map(text, common), flag("IsHighPriority"), flag("IsDefault"),
               number("SortOrder", 8, 0, "int")),
    ]  # fmt: skip


def _permissions() -> list[SObject]:
    rights = ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
    users = ("EditTask", "ViewSetup", "CustomizeApplication", "ManageProfilesPermissionsets",
             "ViewAllData", "ModifyAllData", "ApiEnabled")  # fmt: skip
    return [
        _setup(
            "PermissionSet", "0PS",
            text("Name", 80, required=True), text("Label", 80, required=True), text("Description"),
            flag("IsOwnedByProfile"), to("ProfileId", "Profile"),
            *(flag(f"Permissions{each}") for each in users), rights="sets",
        ),
        _setup(
            "ObjectPermissions", "110",
            to("ParentId", "PermissionSet", required=True, updateable=False),
            text("SobjectType", 40, required=True, updateable=False),
            *(flag(f"Permissions{each}") for each in rights), rights="sets",
        ),
        _setup(
            "FieldPermissions", "01k",
            to("ParentId", "PermissionSet", required=True, updateable=False),
            text("SobjectType", 40, required=True, updateable=False),
            text("Field", 120, required=True, updateable=False),
            flag("PermissionsRead"), flag("PermissionsEdit"), rights="sets",
        ),
        _setup(
            "PermissionSetAssignment", "0Pa",
            to("PermissionSetId", "PermissionSet", required=True, updateable=False),
            to("AssigneeId", "User", required=True, updateable=False), rights="sets",
        ),
    ]  # fmt: skip


def _custom_field() -> SObject:
    return _object(
        "CustomField", "00N", "fields",
        text("DeveloperName", 40), text("TableEnumOrId", 40), text("NamespacePrefix", 15),
        text("FullName"), text("InlineHelpText"), binned=False, tooling=True,
    )  # fmt: skip


def objects() -> dict[str, SObject]:
    """By name, as on the first day."""
    made = [_lead(), _contact(), _account(), _task(), *_deals(), *_people(), *_words(), *_permissions(),
            _custom_field()]  # fmt: skip
    found = {each.name: each for each in made}
    found["Lead"].children = {"Tasks": ("Task", "WhoId")}
    roles = {"OpportunityContactRoles": ("OpportunityContactRole", "ContactId")}
    found["Contact"].children = {"Tasks": ("Task", "WhoId")} | roles
    found["Account"].children = {
        "Contacts": ("Contact", "AccountId"),
        "Opportunities": ("Opportunity", "AccountId"),
    }
    found["Opportunity"].children = {
        "OpportunityContactRoles": ("OpportunityContactRole", "OpportunityId"),
        "Tasks": ("Task", "WhatId"),
    }
    return found
