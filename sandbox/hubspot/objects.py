"""Contacts, tasks, deals and companies, one by one."""

from itertools import islice

from .call import NOTHING, Answer, Call, Item, only, properties_of
from .finding import asked_for, named
from .refusals import not_found
from .showing import SHOWN, inline, view
from .writes import Claims, Write, commit, plan_create, plan_update


def create(call: Call) -> Answer:
    sent = call.document()
    only(sent, ("properties", "associations", "objectWriteTraceId"))
    write = plan_create(
        call.store, call.kind(), properties_of(sent), sent.get("associations"), Claims()
    )
    return 201, written(call, sent, write)


def read(call: Call) -> Answer:
    record = asked_for(call)
    body = view(call, record, call.names("properties") or None, call.names("propertiesWithHistory"))
    return 200, body | inline(call, record)


def page(call: Call) -> Answer:
    history = call.names("propertiesWithHistory")
    limit = call.limit(10, 50 if history else 100)
    records = call.store.after(call.kind(), call.after(), archived=call.flag("archived"))
    found = list(islice(records, limit + 1))
    asked = call.names("properties") or None
    results = [view(call, each, asked, history) | inline(call, each) for each in found[:limit]]
    more = call.next_page(found[limit - 1].id) if len(found) > limit else {}
    return 200, {"results": results} | more


def update(call: Call) -> Answer:
    sent = call.document()
    only(sent, ("properties", "objectWriteTraceId"))
    record = named(call, call.args["objectId"], call.text("idProperty"))
    write = plan_update(call.store, record, properties_of(sent), Claims())
    return 200, written(call, sent, write)


def archive(call: Call) -> Answer:
    record = call.store.find(call.kind(), call.args["objectId"])
    if record is None:
        raise not_found()
    if record.archived_at is None:
        call.store.archive(record, call.at)
    return NOTHING


def written(call: Call, item: Item, write: Write) -> Item:
    """Carry a write out; the answer has the usual properties and those that were sent."""
    trace = item.get("objectWriteTraceId")
    record = commit(call.store, write, call.at)
    body = view(call, record, [*SHOWN[record.kind], *write.changes])
    return body | ({"objectWriteTraceId": trace} if trace else {})
