"""Implement the `Crm` port for HubSpot."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime

from crm_sync.hubspot import audit, fields
from crm_sync.hubspot.capabilities import CAPABILITIES
from crm_sync.hubspot.records import (
    contacts,
    deals,
    owners,
    properties,
    search,
    subscriptions,
    task_idempotency,
    task_reads,
    task_updates,
    task_writes,
)
from crm_sync.hubspot.records.companies import CompanyOwnerReader
from crm_sync.hubspot.transport.calls import ACCOUNT, register_calls
from crm_sync.hubspot.transport.client import HubSpotClient, Json, Sdk
from crm_sync.hubspot.transport.errors import no_answer_error
from crm_sync.hubspot.transport.rate_limit import RateLimiter
from crm_sync.hubspot.transport.versions import CLASSIC
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

REMEMBERED_SECONDS = 7 * 24 * 3600  # of the address of the account's pages


class HubSpot:
    """Adapt HubSpot to the port: the port's records in and out.

    `requests_per_10s`: the most we may make, None for the account's whole limit. `seconds`: the
    longest a call may take. `version`: of HubSpot's API, "" for v3 and v4.
    """

    connected = True
    capabilities = CAPABILITIES
    lifecycle_words: Mapping[str, str] = contacts.LIFECYCLE
    made_properties: Sequence[CrmProperty] = ()
    fields: Sequence[CrmField] = tuple(fields.used_fields())

    def __init__(
        self,
        token: str,
        base_url: str,
        redis_url: str,
        requests_per_10s: int | None = None,
        seconds: float = TOTAL_SECONDS,
        version: str = CLASSIC,
    ) -> None:
        self.calls: Sequence[CrmCall] = register_calls(version)
        self._scheme = base_url.partition("://")[0]
        self._token = token
        self._shared = RedisState(redis_url, "hubspot", base_url, token)
        self._limiter = RateLimiter(self._shared, requests_per_10s)
        self._client = HubSpotClient(Sdk(token, base_url, seconds), self._limiter, version)
        self._company_owners = CompanyOwnerReader()
        self._pages = ""
        self.identity = self._shared.name

    def with_priority(self, priority: Priority, until: float = 0.0) -> "HubSpot":
        """Return the adapter for another priority; it shares connections and budget with this one."""
        other = copy(self)
        other._client = self._client.with_priority(priority, until)
        return other

    def room(self) -> float:
        return self._client.room()

    def budget(self) -> CrmBudget:
        return self._limiter.budget()

    def account(self) -> CrmAccount:
        found = self._client.ask(ACCOUNT)
        if not found.get("portalId"):
            raise no_answer_error(ACCOUNT, "the answer names no account")
        self._remember(found)
        return CrmAccount(id=str(found["portalId"]), time_zone=str(found.get("timeZone") or "UTC"))

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.contacts_by_id(self._client, record_ids, properties)

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.contacts_by_email(self._client, emails, properties)

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        return contacts.archived_contacts(self._client, record_ids)

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        return subscriptions.unsubscribe_emails(self._client, emails)

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        """Create or update contacts.

        A returned record holds the written properties; what HubSpot does not return is "".
        """
        return contacts.save_contacts(self._client, writes)

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        return self._company_owners.of(self._client, record_ids)

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        create = task_writes.create_guarded_tasks if guarded else task_writes.create_tasks
        return create(self._client, writes, until)

    def guards_tasks(self) -> bool:
        return task_idempotency.has_guard(self._client)

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        return task_reads.tasks_of_contacts(self._client, record_ids)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        return task_reads.tasks_by_id(self._client, task_ids)

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        return task_reads.archived_task_ids(self._client, task_ids)

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        return task_reads.list_tasks(self._client, marker, place)

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        """Update tasks. A returned task holds the written properties; what HubSpot does not
        return is "".
        """
        return task_updates.update_tasks(self._client, changes)

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        task_updates.associate_tasks(self._client, record_of)

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        task_updates.archive_tasks(self._client, task_ids)

    def owners(self) -> Sequence[CrmOwner]:
        return owners.read_owners(self._client)

    def stages(self) -> Sequence[CrmStage]:
        return deals.read_stages(self._client)

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]:
        return deals.deals_of_contacts(self._client, record_ids)

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return deals.deal_ids_of_contacts(self._client, record_ids)

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        return search.search_changes(self._client, kind, since)

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        return search.newest_change(self._client, kind)

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return deals.contacts_of_deals(self._client, deal_ids)

    def properties(self) -> Sequence[CrmProperty]:
        return properties.read_properties(self._client)

    def lead_statuses(self) -> Sequence[str]:
        return properties.read_lead_statuses(self._client)

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        steps = properties.set_up_properties(self._client, wanted, plan=plan)
        return [*steps, *task_idempotency.set_up_guard(self._client, plan=plan)]

    def audit(
        self, wanted: Sequence[CrmProperty], written: Sequence[str], at: datetime
    ) -> CrmAudit:
        return audit.audit_account(self._client, self._token, wanted, written, at)

    def contact_url(self, record_id: str) -> str:
        """Return the address of a record's page, "" while no process has read the account.

        Make no request to HubSpot.
        """
        key = self._shared.key("pages")
        self._pages = self._pages or str(self._shared.ask(lambda redis: redis.get(key)) or "")
        return f"{self._pages}/record/0-1/{record_id}" if self._pages else ""

    def _remember(self, account: Json) -> None:
        """Store where people open records, so that web processes need no request to HubSpot."""
        domain = str(account.get("uiDomain") or "app.hubspot.com")
        pages = f"{self._scheme}://{domain}/contacts/{account.get('portalId')}"
        key = self._shared.key("pages")
        self._pages = pages
        self._limiter.set_zone(str(account.get("timeZone") or "UTC"))
        self._shared.ask(lambda redis: redis.set(key, pages, ex=REMEMBERED_SECONDS))
