"""Two records become one, and a person is erased for privacy."""

from typing import Any

from .call import NOTHING, Answer, Call, text_of
from .refusals import bad_request, not_found
from .showing import view
from .store import Record


def merge(call: Call) -> Answer:
    """Both records end, and a new one with a new id takes their place (HubSpot's changelog).

    The primary's values win; the ids of all that went in are in `hs_merged_object_ids`.
    """
    sent, store, kind = call.document(), call.store, call.kind()
    primary, other = (
        store.alive(kind, text_of(sent, name)) for name in ("primaryObjectId", "objectIdToMerge")
    )
    if primary is None or other is None:
        raise not_found()
    if primary is other:
        raise bad_request("a record cannot be merged with itself")
    return 200, view(call, _merged(call, primary, other))


def _merged(call: Call, primary: Record, other: Record) -> Record:
    store, kind = call.store, call.kind()
    values = other.properties | primary.properties | _merged_facts(primary, other)
    merged = store.create(kind, call.at)
    values = {name: value for name, value in values.items() if name not in merged.properties}
    for old in (primary, other):
        store.links.move((kind, old.id), (kind, merged.id))
        store.erase(old)
        store.merged[kind][old.id] = merged.id
    store.write(merged, values, call.at)
    store.tell("merge", kind, merged.id, _merge_told(primary, other, merged))
    return merged


def _merge_told(primary: Record, other: Record, merged: Record) -> dict[str, Any]:
    return {
        "primaryObjectId": int(primary.id),
        "mergedObjectIds": [int(other.id)],
        "newObjectId": int(merged.id),
        "numberOfPropertiesMoved": len(other.properties.keys() - primary.properties.keys()),
    }


def _merged_facts(primary: Record, other: Record) -> dict[str, str]:
    ids = [*_listed(primary, "hs_merged_object_ids"), *_listed(other, "hs_merged_object_ids")]
    facts = {"hs_merged_object_ids": ";".join([*ids, primary.id, other.id])}
    addresses = [
        *_listed(primary, "hs_additional_emails"),
        *_listed(other, "email"),
        *_listed(other, "hs_additional_emails"),
    ]
    if primary.kind == "contacts" and "email" in primary.properties:
        facts["hs_additional_emails"] = ";".join(addresses)
    return facts


def _listed(record: Record, name: str) -> list[str]:
    return [part for part in record.properties.get(name, "").split(";") if part]


def gdpr_delete(call: Call) -> Answer:
    """Erase a contact; its address may never come back, even if nobody had it."""
    if call.kind() != "contacts":
        raise not_found()
    sent = call.document()
    name, value = sent.get("idProperty") or "", text_of(sent, "objectId")
    record = (
        call.store.by_unique("contacts", name, value)
        if name
        else call.store.find("contacts", value)
    )
    if record is None and name != "email":
        raise not_found()
    call.store.blocklist.update(_listed(record, "email") if record else [value.strip().lower()])
    if record:
        call.store.blocklist.update(_listed(record, "hs_additional_emails"))
        call.store.erase(record)
        # In any order, as documented; here in the order that is harder on the reader.
        for verb in ("deletion", "privacyDeletion"):
            call.store.tell(verb, "contacts", record.id, {})
    return NOTHING
