"""Implement the `Crm` port for Salesforce."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime

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
from crm_sync.salesforce import audit, fields
from crm_sync.salesforce.capabilities import CAPABILITIES
from crm_sync.salesforce.records import (
    changes,
    contact_writes,
    contacts,
    deals,
    opt_outs,
    owners,
    people,
    properties,
    set_up,
    stages,
    task_fields,
    task_reads,
    task_writes,
)
from crm_sync.salesforce.records.companies import AccountOwnerReader
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.organization import read_organization
from crm_sync.salesforce.records.schema import Schema
from crm_sync.salesforce.transport.calls import registered_calls
from crm_sync.salesforce.transport.client import SalesforceClient
from crm_sync.salesforce.transport.rate_limit import SalesforceLimiter
from crm_sync.salesforce.transport.session import SessionKeeper
from crm_sync.salesforce.transport.versions import DEFAULT
from crm_sync.transport.http import TOTAL_SECONDS, HttpTransport
from crm_sync.transport.redis_state import RedisState

ZONE_SECONDS = 7 * 24 * 3600  # for which the org's time zone is kept


class Salesforce:
    """Adapt Salesforce to the port: the port's records in and out.

    `login_url`: the org's own address (My Domain). `seconds`: the longest a call may take.
    """

    connected = True
    capabilities = CAPABILITIES
    lifecycle_words: Mapping[str, str] = people.LIFECYCLE
    made_properties: Sequence[CrmProperty] = ()
    fields: Sequence[CrmField] = tuple(fields.fields_used())

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        login_url: str,
        redis_url: str,
        version: str = DEFAULT,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.calls: Sequence[CrmCall] = registered_calls(version)
        self._pages = login_url
        self._shared = RedisState(redis_url, "salesforce", login_url, client_id)
        http = HttpTransport(seconds)
        sessions = SessionKeeper(http, self._shared, login_url, client_id, client_secret)
        client = SalesforceClient(http, sessions, SalesforceLimiter(self._shared), version)
        self._org = Org(client, Schema(self._shared))
        self._account_owners = AccountOwnerReader()
        self.identity = self._shared.name

    def with_priority(self, priority: Priority, until: float = 0.0) -> "Salesforce":
        """Return the adapter for another priority; it shares session and budget with this one."""
        other = copy(self)
        other._org = replace(self._org, client=self._org.client.with_priority(priority, until))
        return other

    def room(self) -> float:
        return self._org.client.room()

    def budget(self) -> CrmBudget:
        return self._org.client.limiter.budget()

    def account(self) -> CrmAccount:
        account = read_organization(self._org).account
        key = self._shared.key("zone")
        self._shared.ask(lambda redis: redis.set(key, account.time_zone, ex=ZONE_SECONDS))
        return account

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.contacts_by_id(self._org, record_ids, properties)

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.contacts_by_email(self._org, emails, properties)

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        return contacts.archived_contacts(self._org, record_ids)

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        return opt_outs.opt_out_emails(self._org, emails)

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        return contact_writes.save_contacts(self._org, writes)

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        return self._account_owners.of(self._org, record_ids)

    def contact_url(self, record_id: str) -> str:
        """Return the address of a record's page: the org's own address knows every id."""
        return f"{self._pages}/{record_id}"

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        zone = self._time_zone() if writes else ""
        return task_writes.create_all_tasks(self._org, writes, zone, guarded=guarded, until=until)

    def guards_tasks(self) -> bool:
        return task_fields.keeps_references_unique(self._org)

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        return task_reads.tasks_of_people(self._org, record_ids)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        return task_reads.tasks_by_id(self._org, task_ids)

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        return task_reads.archived_task_ids(self._org, task_ids)

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        return task_reads.list_tasks_page(self._org, marker, place)

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        """Update tasks. A returned task holds the written values; the others are ""."""
        return task_writes.update_tasks_by_id(self._org, changes)

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        """Move tasks: each has one lead or contact."""
        task_writes.move_tasks(self._org, record_of)

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        task_writes.delete_tasks(self._org, task_ids)

    def owners(self) -> Sequence[CrmOwner]:
        return owners.read_users_and_queues(self._org)

    def stages(self) -> Sequence[CrmStage]:
        return stages.read_pipeline_stages(self._org)

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]:
        return deals.deals_of_people(self._org, record_ids)

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return deals.deal_ids_of_people(self._org, record_ids)

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return deals.contact_ids_of_deals(self._org, deal_ids)

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        return changes.changed_records(self._org, kind, since)

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        return changes.newest_changed(self._org, kind)

    def properties(self) -> Sequence[CrmProperty]:
        return properties.all_properties(self._org)

    def lead_statuses(self) -> Sequence[str]:
        return properties.lead_status_names(self._org)

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        return set_up.set_up_org(self._org, wanted, plan=plan)

    def audit(
        self, wanted: Sequence[CrmProperty], written: Sequence[str], at: datetime
    ) -> CrmAudit:
        return audit.audit_org(self._org, wanted, written, at)

    def _time_zone(self) -> str:
        """Return the org's time zone, in which a task's day is; UTC before the account was read."""
        key = self._shared.key("zone")
        return str(self._shared.ask(lambda redis: redis.get(key)) or "UTC")
