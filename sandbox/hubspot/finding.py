"""Finding the record that a request means: by id, or by a property with unique values."""

from .call import Call
from .refusals import Refusal, bad_request, not_found
from .store import TYPE_IDS, Record


def lookup(call: Call, kind: str, id_: str, key: str, *, follow: bool = True) -> Record | None:
    if not key or key == "hs_object_id":
        return call.store.find(kind, id_, follow=follow)
    if key not in call.store.unique_names(kind):
        raise non_unique(kind, key)
    return call.store.by_unique(kind, key, id_)


def non_unique(kind: str, name: str) -> Refusal:
    message = f"Unable to perform update/upsert by non-unique {TYPE_IDS[kind]} property {name}"
    return bad_request(message)


def named(call: Call, id_: str, key: str) -> Record:
    """The live record an address names; 404 for none and for an archived one."""
    record = lookup(call, call.kind(), id_, key)
    if record is None or record.archived_at is not None:
        raise not_found()
    return record


def asked_for(call: Call) -> Record:
    record = lookup(call, call.kind(), call.args["objectId"], call.text("idProperty"))
    if record is None or (record.archived_at is not None) != call.flag("archived"):
        raise not_found()
    return record
