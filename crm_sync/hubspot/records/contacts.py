"""Read, create and update contacts; follow merged records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from crm_sync.hubspot.records.batches import (
    batch_outcomes,
    property_values,
    read_records,
    split_batches,
)
from crm_sync.hubspot.timestamps import parse_instant_value
from crm_sync.hubspot.transport.calls import (
    READ_CONTACT,
    READ_CONTACTS,
    UPDATE_CONTACT,
    UPDATE_CONTACTS,
    UPSERT_CONTACTS,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.error_details import with_values
from crm_sync.hubspot.transport.errors import explained_by, rejected_values_error
from crm_sync.port import CrmContact, CrmContactWrite, CrmError, CrmMissing, CrmRejected
from crm_sync.transport.batches import Outcome, unique_rounds, write_all

# Ours → HubSpot's internal names, ascending. "other" and stages that an account made itself are none
# of ours: where they stand among the six differs from account to account.
# docs/hubspot-facts.md#lifecycle-stages
LIFECYCLE = {
    "subscriber": "subscriber",
    "lead": "lead",
    "mql": "marketingqualifiedlead",
    "sql": "salesqualifiedlead",
    "opportunity": "opportunity",
    "customer": "customer",
}
# An evangelist is a customer who recommends us.
OURS = {theirs: ours for ours, theirs in LIFECYCLE.items()} | {"evangelist": "customer"}
READ = (
    "email",
    "hs_additional_emails",
    "hs_merged_object_ids",
    "hubspot_owner_id",
    "lifecyclestage",
    "hs_lead_status",
    "hs_email_optout",
    "notes_last_contacted",
)


def contacts_by_id(
    client: HubSpotClient, ids: Sequence[str], properties: Sequence[str]
) -> dict[str, CrmContact]:
    """Return contacts by the id that was asked, merged ones under their old ids too.

    Whether a batch read answers an old id with the merged record is not documented. So an id that is
    neither among the live nor among the archived records is read alone, which does follow a merge.
    docs/hubspot-facts.md#merged-records
    """
    wanted = dict.fromkeys(ids)
    names = _names(properties)
    found: dict[str, CrmContact] = {}
    for item in read_records(client, READ_CONTACTS, wanted, names):
        found |= {id_: _contact(item, id_) for id_ in _ids(item) if id_ in wanted}
    missing = [id_ for id_ in wanted if id_ not in found]
    restorable = archived_contacts(client, missing)
    for id_ in missing:
        if id_ not in restorable and (merged := _followed(client, id_, names)):
            found[id_] = _contact(merged, id_)
    return found


def contacts_by_email(
    client: HubSpotClient, emails: Sequence[str], properties: Sequence[str]
) -> dict[str, CrmContact]:
    """Return contacts by the address that was asked: primary or additional, in upper or lower case.

    docs/hubspot-facts.md#email-addresses
    """
    found: dict[str, CrmContact] = {}
    items = read_records(
        client, READ_CONTACTS, map(_folded, emails), _names(properties), idProperty="email"
    )
    for item in items:
        found |= dict.fromkeys(_addresses(item), _contact(item))
    return {email: found[_folded(email)] for email in emails if _folded(email) in found}


def archived_contacts(client: HubSpotClient, ids: Sequence[str]) -> set[str]:
    """Return those ids that are deleted and can be restored, for 90 days after the deletion.

    docs/hubspot-facts.md#archived-records
    """
    query = [("archived", "true")]
    items = read_records(client, READ_CONTACTS, ids, ["hs_merged_object_ids"], query)
    return {id_ for item in items for id_ in _ids(item)}.intersection(ids)


def save_contacts(client: HubSpotClient, writes: Sequence[CrmContactWrite]) -> Outcome[CrmContact]:
    """Return the contact or error of each write, by trace.

    Update by record id where there is one; else create or update by address.
    """
    nameless = {
        write.trace: CrmRejected("A contact needs an e-mail address to be created.")
        for write in writes
        if not write.record_id and not write.email
    }
    known = [write for write in writes if write.record_id]
    new = [write for write in writes if not write.record_id and write.email]
    batches = [
        *_batches(unique_rounds(known, lambda write: write.record_id)),
        *_batches(unique_rounds(new, lambda write: _folded(write.email))),
    ]
    outcome = write_all(batches, lambda batch: _saved(client, batch)) | nameless
    return {write.trace: _with_values(outcome[write.trace], write) for write in writes}


def _with_values(found: CrmContact | CrmError, write: CrmContactWrite) -> CrmContact | CrmError:
    if not (isinstance(found, CrmRejected) and found.properties):
        return found
    told = with_values(found.properties, write.properties)
    sent = {"email": write.email, **write.properties}
    return explained_by(rejected_values_error(told, found.existing_id), sent)


def _batches(found: Iterable[list[CrmContactWrite]]) -> Iterator[Sequence[CrmContactWrite]]:
    return (batch for each in found for batch in split_batches(each))


def _saved(client: HubSpotClient, batch: Sequence[CrmContactWrite]) -> Outcome[CrmContact]:
    write = _updated if batch[0].record_id else _upserted
    return {
        trace: found if isinstance(found, CrmError | CrmContact) else _contact(found)
        for trace, found in write(client, batch).items()
    }


def _updated(client: HubSpotClient, batch: Sequence[CrmContactWrite]) -> Outcome[Json]:
    """Update in a batch, which does not follow merged ids; update missing ones alone, which does.

    docs/hubspot-facts.md#merged-records
    """
    inputs = [_input(write, write.record_id, write.properties) for write in batch]
    answer = client.ask(UPDATE_CONTACTS, {"inputs": inputs})
    outcome = batch_outcomes(UPDATE_CONTACTS, answer, batch, lambda write: write.record_id, _id)
    for write in batch:
        if isinstance(outcome[write.trace], CrmMissing):
            outcome[write.trace] = _alone(client, write.record_id, write.properties)
    return outcome


def _upserted(client: HubSpotClient, batch: Sequence[CrmContactWrite]) -> Outcome[Json]:
    """Create or update by address. Update the record that has the address as an additional one.

    That record keeps its primary address. `email` is sent among the properties because HubSpot does
    not support partial upserts by e-mail. docs/hubspot-facts.md#contact-upsert-by-email
    """
    inputs = [
        _input(write, write.email, {"email": write.email} | dict(write.properties))
        | {"idProperty": "email"}
        for write in batch
    ]
    answer = client.ask(UPSERT_CONTACTS, {"inputs": inputs})
    outcome = batch_outcomes(
        UPSERT_CONTACTS, answer, batch, lambda write: _folded(write.email), _email
    )
    for write in batch:
        error = outcome[write.trace]
        # docs/hubspot-facts.md#conflict-on-a-unique-value
        if isinstance(error, CrmRejected) and error.existing_id:
            kept = {name: value for name, value in write.properties.items() if name != "email"}
            outcome[write.trace] = _alone(client, error.existing_id, kept)
    return outcome


def _alone(client: HubSpotClient, record_id: str, properties: Mapping[str, str]) -> Json | CrmError:
    """Update one record by id. Return its error: it concerns no other record."""
    try:
        return client.ask(UPDATE_CONTACT, {"properties": dict(properties)}, path={"id": record_id})
    except CrmError as error:
        return error


def _followed(client: HubSpotClient, record_id: str, names: Sequence[str]) -> Json | None:
    query = [("properties", name) for name in names]
    try:
        return client.ask(READ_CONTACT, path={"id": record_id}, query=query)
    except CrmMissing:
        return None


def _input(write: CrmContactWrite, id_: str, properties: Mapping[str, str]) -> Json:
    return {"id": id_, "properties": dict(properties), "objectWriteTraceId": write.trace}


def _contact(item: Json, asked_id: str = "") -> CrmContact:
    values = property_values(item)
    return CrmContact(
        record_id=_id(item),
        email=values.get("email", "").lower(),
        owner_id=values.get("hubspot_owner_id", ""),
        lifecycle_stage=OURS.get(values.get("lifecyclestage", ""), ""),
        lead_status=values.get("hs_lead_status", ""),
        # docs/hubspot-facts.md#opt-out
        opted_out=values.get("hs_email_optout", "").lower() == "true",
        properties=values,
        asked_id=asked_id if asked_id != _id(item) else "",
        former_ids=tuple(_parts(item, "hs_merged_object_ids")),
        # docs/hubspot-facts.md#last-contacted
        touched_at=parse_instant_value(values.get("notes_last_contacted", "")),
    )


def _names(properties: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*READ, *properties)))


def _id(item: Json) -> str:
    return str(item.get("id") or "")


def _ids(item: Json) -> list[str]:
    """Return a record's id and the ids of the records merged into it."""
    return [_id(item), *_parts(item, "hs_merged_object_ids")]


def _addresses(item: Json) -> list[str]:
    return [_email(item), *map(_folded, _parts(item, "hs_additional_emails"))]


def _email(item: Json) -> str:
    return _folded(property_values(item).get("email", ""))


def _parts(item: Json, name: str) -> list[str]:
    return [part for part in property_values(item).get(name, "").split(";") if part]


def _folded(email: str) -> str:
    return email.strip().lower()
