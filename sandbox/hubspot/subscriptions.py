"""Communication preferences, as far as unsubscribing from all mail goes (version 4, as described)."""

from .call import Answer, Call
from .moments import iso
from .refusals import bad_request
from .writes import Claims, commit, plan_update


def unsubscribe_all(call: Call) -> Answer:
    """Whoever has the address as their primary one is opted out; an address of nobody is taken too."""
    if call.text("channel") != "EMAIL":
        raise bad_request("channel must be EMAIL")
    address = call.args["address"].strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or "." not in domain:
        raise bad_request(f"{address} is not a valid email address")
    record = call.store.by_unique("contacts", "email", address)
    if record and record.properties.get("email", "").lower() == address:
        commit(
            call.store,
            plan_update(call.store, record, {"hs_email_optout": "true"}, Claims()),
            call.at,
        )
    # Told in full only when `verbose`.
    when = iso(call.at)
    return 200, {"status": "COMPLETE", "results": [], "startedAt": when, "completedAt": when}
