"""HubSpot as a `Crm`: our dataclasses in and out."""

from collections.abc import Mapping, Sequence

from crm_sync.hubspot import contacts, deals, owners, properties, tasks
from crm_sync.hubspot.calls import ACCOUNT
from crm_sync.hubspot.client import Client, Json
from crm_sync.hubspot.errors import unanswered
from crm_sync.hubspot.pace import Pace
from crm_sync.hubspot.shared import Shared
from crm_sync.hubspot.wire import TOTAL_SECONDS
from crm_sync.port import (
    CrmAccount,
    CrmContact,
    CrmContactWrite,
    CrmDeal,
    CrmError,
    CrmOwner,
    CrmProperty,
    CrmStage,
    CrmTask,
    CrmTaskWrite,
    SetUpStep,
)

REMEMBERED_SECONDS = 7 * 24 * 3600


class HubSpot:
    """`requests_per_10s`: None for all that the account allows."""

    connected = True
    lifecycle_words: Mapping[str, str] = contacts.LIFECYCLE

    def __init__(
        self,
        token: str,
        base_url: str,
        redis_url: str,
        requests_per_10s: int | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._scheme = base_url.partition("://")[0]
        self._shared = Shared(redis_url, base_url, token)
        self._client = Client(token, base_url, Pace(self._shared, requests_per_10s), seconds)
        self._pages = ""

    def account(self) -> CrmAccount:
        found = self._client.ask(ACCOUNT)
        if not found.get("portalId"):
            raise unanswered(ACCOUNT, "the answer names no account")
        self._remember(found)
        return CrmAccount(id=str(found["portalId"]), time_zone=str(found.get("timeZone") or "UTC"))

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.by_id(self._client, record_ids, properties)

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        return contacts.by_email(self._client, emails, properties)

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        """A write's answer holds what was written; what it does not say (the owner) is "" here."""
        return contacts.save(self._client, writes)

    def create_tasks(self, writes: Sequence[CrmTaskWrite]) -> Mapping[str, CrmTask | CrmError]:
        return tasks.create(self._client, writes)

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        return tasks.of_contacts(self._client, record_ids)

    def owners(self) -> Sequence[CrmOwner]:
        return owners.owners(self._client)

    def stages(self) -> Sequence[CrmStage]:
        return deals.stages(self._client)

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]:
        return deals.of_contacts(self._client, record_ids)

    def lead_statuses(self) -> Sequence[str]:
        return properties.lead_statuses(self._client)

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        return properties.set_up(self._client, wanted, plan=plan)

    def contact_url(self, record_id: str) -> str:
        """Known once any process has asked for the account; asks HubSpot nothing itself."""
        key = self._shared.key("pages")
        self._pages = self._pages or str(self._shared.ask(lambda redis: redis.get(key)) or "")
        return f"{self._pages}/record/0-1/{record_id}" if self._pages else ""

    def _remember(self, account: Json) -> None:
        """Where people open records; web processes read it without asking HubSpot."""
        domain = str(account.get("uiDomain") or "app.hubspot.com")
        pages = f"{self._scheme}://{domain}/contacts/{account.get('portalId')}"
        key = self._shared.key("pages")
        self._pages = pages
        self._shared.ask(lambda redis: redis.set(key, pages, ex=REMEMBERED_SECONDS))
