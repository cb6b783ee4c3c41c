"""Read people by id, and tell deleted ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm_sync.pipedrive.instants import instant_of
from crm_sync.pipedrive.own_fields import LEAD_STATUS, LIFECYCLE, LIFECYCLE_STAGE, OPT_OUT
from crm_sync.pipedrive.records.account_memory import AccountMemory
from crm_sync.pipedrive.records.campaigns import MARKETING_STATUS, UNWANTED, CampaignsMemory
from crm_sync.pipedrive.records.field_values import primary_value, property_text, values_at
from crm_sync.pipedrive.records.lists import id_text, is_record_id, pages_of, records_by_id, text_at
from crm_sync.pipedrive.records.person_fields import FieldMemory, Fields
from crm_sync.pipedrive.transport.calls import LIST_PERSONS
from crm_sync.pipedrive.transport.client import Json, PipedriveClient, Query
from crm_sync.port import CrmContact, CrmProperty, CrmUnexplained

STAGE_OF = {theirs: ours for ours, theirs in LIFECYCLE.items()}
MAIL_TIME = "last_outgoing_mail_time"
MOST_KEYS = 15  # that may be asked for by name. docs/pipedrive-facts.md#custom-fields


@dataclass(frozen=True, slots=True)
class PersonReader:
    """How people are read: by which client, and by what is known of the account."""

    client: PipedriveClient
    memory: FieldMemory
    account: AccountMemory
    campaigns: CampaignsMemory

    def fields(self) -> Fields:
        return self.memory.fields(self.client)

    def by_id(self, record_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Json]:
        """Return people by id, without those who are not there."""
        if not any(map(is_record_id, record_ids)):
            return {}
        try:
            found = list(self._by_id(record_ids, properties))
        except CrmUnexplained:
            self.memory.forget()  # a field that is asked for may be gone
            found = list(self._by_id(record_ids, properties))
        return {id_text(each.get("id")): each for each in found}

    def pages(self, properties: Sequence[str], query: Query = ()) -> Iterator[list[Json]]:
        """Yield the pages of a list of people."""
        more = list(query)
        begun = pages_of(self.client, LIST_PERSONS, [*self._query(properties), *more])
        try:
            first = next(begun, [])
        except CrmUnexplained:
            self.memory.forget()
            begun = pages_of(self.client, LIST_PERSONS, [*self._query(properties), *more])
            first = next(begun, [])
        yield first
        yield from begun

    def contact(self, item: Json, properties: Sequence[str] = ()) -> CrmContact:
        """Return a person as a contact, with the values of the given properties."""
        fields, owner = self.fields(), id_text(item.get("owner_id"))
        return CrmContact(
            record_id=id_text(item.get("id")),
            email=primary_value(item, "emails").strip().lower(),
            # docs/pipedrive-facts.md#owners-of-new-records
            owner_id="" if owner == self.account.own_user(self.client) else owner,
            lifecycle_stage=STAGE_OF.get(self._choice(item, LIFECYCLE_STAGE), ""),
            lead_status=self._choice(item, LEAD_STATUS),
            opted_out=self.is_opted_out(item),
            properties={name: property_text(item, name, fields) for name in properties},
            touched_at=instant_of(item.get(MAIL_TIME)),
        )

    def is_opted_out(self, item: Json) -> bool:
        """Return whether Campaigns or the account's field of ours says so."""
        return text_at(item, MARKETING_STATUS) in UNWANTED or bool(self._choice(item, OPT_OUT))

    def _by_id(self, record_ids: Sequence[str], properties: Sequence[str]) -> Iterator[Json]:
        return records_by_id(self.client, LIST_PERSONS, record_ids, self._query(properties))

    def _query(self, properties: Sequence[str]) -> list[tuple[str, str]]:
        """Return the parameters that ask for no more than is needed."""
        fields = self.fields()
        own = [self.memory.own(fields, each) for each in (LIFECYCLE_STAGE, LEAD_STATUS, OPT_OUT)]
        codes = [each.code for each in own if each]
        codes += [name for name in properties if name in fields and fields[name].custom]
        codes = list(dict.fromkeys(codes))
        included = [MAIL_TIME]
        if self.campaigns.are_there(self.client):
            included.append(MARKETING_STATUS)
        query = [("include_fields", ",".join(included))]
        if 0 < len(codes) <= MOST_KEYS:
            query.append(("custom_fields", ",".join(codes)))
        return query

    def _choice(self, item: Json, wanted: CrmProperty) -> str:
        fields = self.fields()
        found = self.memory.own(fields, wanted)
        return property_text(item, found.code, fields) if found else ""


def addresses_of(item: Json) -> list[str]:
    """Return all addresses of a person in lower case."""
    return [str(each["value"]).strip().lower() for each in values_at(item, "emails")]
