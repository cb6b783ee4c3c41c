"""Implement the `Crm` port for Pipedrive."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime

from crm_sync.pipedrive import audit, fields
from crm_sync.pipedrive.capabilities import CAPABILITIES
from crm_sync.pipedrive.own_fields import LEAD_STATUS, LIFECYCLE, MAPPED
from crm_sync.pipedrive.records import (
    activity_reads,
    activity_writes,
    changes,
    field_set_up,
    lists,
    opt_outs,
    person_fields,
    stages,
    users,
)
from crm_sync.pipedrive.records.account_memory import AccountMemory
from crm_sync.pipedrive.records.activity_types import ActivityTypeMemory
from crm_sync.pipedrive.records.address_locks import AddressLocks
from crm_sync.pipedrive.records.campaigns import CampaignsMemory
from crm_sync.pipedrive.records.deals import DealReader
from crm_sync.pipedrive.records.organizations import OrganizationOwners
from crm_sync.pipedrive.records.person_search import PersonFinder
from crm_sync.pipedrive.records.person_writes import PersonWriter
from crm_sync.pipedrive.records.persons import PersonReader
from crm_sync.pipedrive.records.webhook_registration import WebhookTarget, set_up_webhooks
from crm_sync.pipedrive.records.whole_lists import WholeLists
from crm_sync.pipedrive.transport.calls import READ_ACTIVITY, READ_PERSON, REGISTER
from crm_sync.pipedrive.transport.client import PipedriveClient, PipedriveHttp
from crm_sync.pipedrive.transport.rate_limit import TokenLimiter
from crm_sync.port import (
    ChangeKind,
    CrmAccount,
    CrmAudit,
    CrmBudget,
    CrmCall,
    CrmChange,
    CrmContact,
    CrmContactWrite,
    CrmDeal,
    CrmError,
    CrmField,
    CrmOwner,
    CrmProperty,
    CrmStage,
    CrmTask,
    CrmTaskChange,
    CrmTaskPage,
    CrmTaskWrite,
    Priority,
    SetUpStep,
)
from crm_sync.transport.http import TOTAL_SECONDS
from crm_sync.transport.redis_state import RedisState

NOWHERE = WebhookTarget()


class Pipedrive:
    """Adapt Pipedrive to the port: the port's records in and out.

    `target`: where Pipedrive is to send what was changed. `seconds`: the longest a call may take.
    """

    connected = True
    capabilities = CAPABILITIES
    lifecycle_words: Mapping[str, str] = LIFECYCLE
    made_properties: Sequence[CrmProperty] = MAPPED
    calls: Sequence[CrmCall] = REGISTER
    fields: Sequence[CrmField] = tuple(fields.always_used())

    def __init__(
        self,
        token: str,
        base_url: str,
        redis_url: str,
        target: WebhookTarget = NOWHERE,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        shared = RedisState(redis_url, "pipedrive", base_url, token)
        self.identity = shared.name
        self._target = target
        self._limiter = TokenLimiter(shared)
        self._client = PipedriveClient(PipedriveHttp(token, base_url, seconds), self._limiter)
        self._account = AccountMemory(shared, base_url)
        self._reader = PersonReader(
            self._client, person_fields.FieldMemory(shared), self._account, CampaignsMemory(shared)
        )
        self._finder = PersonFinder(shared)
        self._locks = AddressLocks(shared)
        self._organizations = OrganizationOwners()
        self._deals = DealReader(shared)
        self._types = ActivityTypeMemory(shared)
        self._whole = WholeLists(shared)

    def with_priority(self, priority: Priority, until: float = 0.0) -> "Pipedrive":
        """Return the adapter for another priority; it shares connections and budget with this one."""
        other = copy(self)
        other._client = self._client.with_priority(priority, until)
        other._reader = replace(self._reader, client=other._client)
        return other

    def room(self) -> float:
        return self._client.room()

    def budget(self) -> CrmBudget:
        return self._limiter.budget()

    def account(self) -> CrmAccount:
        found = self._account.read(self._client)
        return CrmAccount(
            id=lists.id_text(found.get("company_id")),
            name=lists.text_at(found, "company_name"),
            # The user's: the company's own is nowhere told.
            time_zone=lists.text_at(found, "timezone_name") or "UTC",
        )

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        items = self._reader.by_id(record_ids, properties)
        found = {id_: self._reader.contact(item, properties) for id_, item in items.items()}
        absent = [id_ for id_ in dict.fromkeys(record_ids) if id_ not in found]
        return found | self._finder.merged(self._reader, absent, properties)

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return self._finder.contacts(self._reader, emails, properties)

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        return set(lists.marked_deleted(self._client, READ_PERSON, record_ids))

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        return PersonWriter(self._reader, self._finder, self._locks).save(writes)

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        return opt_outs.opt_out_persons(self._reader, self._finder, emails)

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        return self._organizations.of(self._reader, record_ids)

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        return activity_writes.create_activities(self._client, self._types, writes, until)

    def guards_tasks(self) -> bool:
        return False

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        return activity_reads.activities_of_persons(self._client, self._whole, record_ids)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        return activity_reads.activities_by_id(self._client, task_ids)

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        return set(lists.marked_deleted(self._client, READ_ACTIVITY, task_ids))

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        return activity_reads.list_activities(self._client, marker, place)

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        return activity_writes.update_activities(self._client, changes)

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        activity_writes.associate_activities(self._client, record_of)

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        activity_writes.delete_activities(self._client, task_ids)

    def owners(self) -> Sequence[CrmOwner]:
        return users.read_users(self._client, self._account.own_user(self._client))

    def stages(self) -> Sequence[CrmStage]:
        return stages.read_pipeline_stages(self._client)

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]:
        return self._deals.of_persons(self._client, record_ids)

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the ids of people's deals. Ids alone would cost as much as the deals."""
        return {
            record_id: [deal.deal_id for deal in found]
            for record_id, found in self.deals_of(record_ids).items()
        }

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return self._deals.people(self._client, deal_ids)

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        return changes.changes_since(self._client, kind, since)

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        return changes.newest_change_time(self._client, kind)

    def properties(self) -> Sequence[CrmProperty]:
        return person_fields.account_properties(self._reader.memory.read(self._client))

    def lead_statuses(self) -> Sequence[str]:
        """Return the choices of the field of ours, which people may change."""
        fields = self._reader.memory.read(self._client)
        found = self._reader.memory.own(fields, LEAD_STATUS)
        return found.labels if found else ()

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        steps = field_set_up.set_up_fields(self._client, self._reader.memory, wanted, plan=plan)
        return [*steps, *set_up_webhooks(self._client, self._target, plan=plan)]

    def audit(
        self, wanted: Sequence[CrmProperty], written: Sequence[str], at: datetime
    ) -> CrmAudit:
        return audit.audit_pipedrive(self._reader, self._target, wanted, written)

    def contact_url(self, record_id: str) -> str:
        """Return the address of a person's page, "" while no process has read the account."""
        pages = self._account.pages()
        return f"{pages}/person/{record_id}" if pages else ""

    def known_user(self) -> str:
        """Return the id of the token's user, "" while no process has read the account."""
        return self._account.known_user()
